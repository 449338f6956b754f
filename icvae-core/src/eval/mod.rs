//! Measures of a trained model.

mod code_length;
mod fresh_discriminator;
mod group_gaps;
mod information;
mod prior_grid;
mod probe;
mod projection;
mod reader;
mod remap;
mod remapped;
mod report;
mod style;

pub use code_length::{Block, CodeLength, code_length, shuffled_labels};
pub use fresh_discriminator::fresh_discriminator;
pub use group_gaps::{GroupGaps, group_gaps};
pub use information::{Information, InformationBounds, information_bounds, mixture_information};
pub use prior_grid::prior_grid;
pub use probe::{ProbeConfig, Reading, entropy, probe, probe_accuracy, probes};
pub use projection::{Projection, TsneConfig, pca, tsne};
pub use reader::Reader;
pub use remap::remap;
pub use remapped::{Remapped, remapped};
pub use report::{Report, report};
pub use style::{ink, slant};
