//! Measures of a trained model.

mod prior_grid;
mod probe;
mod remap;
mod report;

pub use prior_grid::prior_grid;
pub use probe::{ProbeConfig, probe_accuracy};
pub use remap::remap;
pub use report::{Report, report};
