//! The one error type of the crate: each room has its own, and all meet here.

use std::path::PathBuf;

/// What can go wrong, in one sentence that says what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Data could not be found, fetched or read.
    #[error(transparent)]
    Data(#[from] crate::data::DataError),
    /// A figure could not be drawn.
    #[error(transparent)]
    Plot(#[from] crate::plot::PlotError),
    /// A setting, a size or a value that makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Tensors whose shapes do not fit each other.
    #[error("{what} must have the shape {expected}, but has {found:?}")]
    Shape {
        /// The tensor in question.
        what: &'static str,
        /// The shape it should have, in the shape letters of ARCHITECTURE.md.
        expected: String,
        /// The shape it has.
        found: Vec<i64>,
    },
    /// A checkpoint that cannot be read, or is of another model.
    #[error("the checkpoint {path} {problem}")]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// What is wrong with it and what to do.
        problem: String,
    },
    /// The loss is no longer a number.
    #[error(
        "{what} is {value} at step {step} (epoch {epoch}), and training stopped there: {cause}"
    )]
    NotFinite {
        /// The loss, or the first of its terms that is none.
        what: String,
        /// The step, counted from 1 over the whole run.
        step: u64,
        /// The epoch, counted from 1.
        epoch: usize,
        /// NaN or an infinity.
        value: f64,
        /// What is most likely behind it, and what to do.
        cause: String,
    },
    /// Somebody pressed "interrupt".
    #[error("{0}")]
    Interrupted(String),
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// libtorch refused.
    #[error("libtorch: {0}")]
    Torch(#[from] tch::TchError),
}

/// A result whose error is one clear sentence.
pub type Result<T, E = Error> = std::result::Result<T, E>;
