//! What can go wrong between a file or a mirror and a data set.

use std::path::PathBuf;

/// Why data could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// Bytes that are not what they should be: an IDX file, or what a mirror sent instead of one.
    #[error("{name} {problem}")]
    File {
        /// The file, by its path or its name.
        name: String,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// The folder that `ICVAE_MNIST_DIR` names lacks a file.
    #[error(
        "{folder} holds neither {name} nor {name}.gz: point ICVAE_MNIST_DIR at a folder with \
         the four MNIST files, or unset it"
    )]
    Missing {
        /// The folder that was searched.
        folder: PathBuf,
        /// The file it should hold.
        name: String,
    },
    /// Images and labels that do not belong together.
    #[error("{0}")]
    Mismatch(String),
    /// No mirror gave the file.
    #[error("{name} could not be fetched ({problems})")]
    Unreachable {
        /// The file.
        name: String,
        /// What each mirror answered.
        problems: String,
    },
}

impl DataError {
    pub(super) fn file(name: impl Into<String>, problem: impl Into<String>) -> Self {
        Self::File {
            name: name.into(),
            problem: problem.into(),
        }
    }
}
