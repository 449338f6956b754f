//! Measures of a trained model.

mod probe;
mod remap;
mod report;

pub use probe::{ProbeConfig, probe_accuracy};
pub use remap::remap;
pub use report::{Report, report};
