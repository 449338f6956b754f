//! A file of which evcxr asks, and sets of them.

use ra_ap_syntax::Edition;
use ra_ap_vfs::{FileId, file_set::FileSet};

/// A set of files.
#[derive(Debug)]
pub struct SourceRoot;

impl SourceRoot {
    /// One that the reader can change.
    pub fn new_local(_: FileSet) -> Self {
        Self
    }
}

/// A file, with the edition of its Rust.
#[derive(Debug, Clone, Copy)]
pub struct EditionedFileId {
    /// The edition.
    pub edition: Edition,
}

impl EditionedFileId {
    /// A file, with the edition of its Rust.
    pub fn new<Database>(_: &Database, _: FileId, edition: Edition) -> Self {
        Self { edition }
    }
}
