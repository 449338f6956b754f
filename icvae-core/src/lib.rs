//! Invariant conditional variational autoencoders on libtorch.
pub mod data;
pub mod device;
pub mod error;
pub mod eval;
pub mod loss;
pub mod model;
pub mod notebook;
pub mod plot;
pub mod settings;
pub mod train;

pub use error::{Error, Result};
/// JSON, re-exported for the settings that a model in a notebook describes itself by.
pub use serde_json;
pub use settings::Settings;
/// libtorch for Rust, re-exported so that a notebook uses the very version this crate was built with.
pub use tch;
