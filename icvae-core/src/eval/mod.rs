//! Measures of a trained model.

mod fresh_discriminator;
mod prior_grid;
mod probe;
mod projection;
mod remap;
mod report;

pub use fresh_discriminator::fresh_discriminator;
pub use prior_grid::prior_grid;
pub use probe::{ProbeConfig, probe_accuracy};
pub use projection::{Projection, TsneConfig, pca, tsne};
pub use remap::remap;
pub use report::{Report, report};
