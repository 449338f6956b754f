//! The Python programs that are carried along, put where Python can run them.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::TempDir;

/// A file of a program: its place below the program's folder, and what it holds.
pub type File = (&'static str, &'static [u8]);

/// Writes files whole, for the programs that write some.
pub const WHOLE: File = ("whole.py", include_bytes!("../python/whole.py"));

/// The files of a program in a folder of their own.
///
/// # Errors
/// If there is no room for them.
pub fn unpacked<'a>(files: impl IntoIterator<Item = &'a File>) -> Result<TempDir> {
    let folder = TempDir::new().context("there is no room for temporary files")?;
    for (name, content) in files {
        let file = folder.path().join(name);
        let parent = file.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(parent)
            .and_then(|()| fs::write(&file, content))
            .with_context(|| format!("{} can't be written", file.display()))?;
    }
    Ok(folder)
}
