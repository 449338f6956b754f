//! Invariant conditional variational autoencoders on libtorch: the library under the ICVAE notebooks.
//!
//! The method is *Invariant Representations without Adversarial Training*
//! ([Moyer et al. 2018](https://arxiv.org/abs/1805.09458)): an encoder q(z|x), a decoder p(x|z, c) that is
//! told the class, and a loss that presses out of the code z what the class c already says.
//!
//! | room | what is in it |
//! |---|---|
//! | [`data`] | MNIST (found, fetched, checked), synthetic digits, batches; tables of people |
//! | [`model`] | dense stacks, the Gaussian encoder, the decoder, [`model::Icvae`] |
//! | [`loss`] | one term a file, each with its equation, source, shapes and reduction |
//! | [`train`] | Adam, the trainer and its events, checkpoints that are resumed exactly |
//! | [`eval`] | measures of a trained model: its loss term by term, what its code tells, remapping |
//! | [`plot`] | figures as PNG: image grids, curves, scatters, heat maps |
//! | [`notebook`] | showing all that in a notebook, with progress and interrupts |
//!
//! Shape letters: `B` batch, `N` a whole data set, `P` pixels, `C` classes, `Z` latent dimensions.
//!
//! # Example
//!
//! Train for an epoch on a few drawn digits, and remap three of them into every class:
//!
//! ```
//! use icvae_core::data::synthetic;
//! use icvae_core::model::{Icvae, IcvaeConfig};
//! use icvae_core::plot::ImageGrid;
//! use icvae_core::tch::Device;
//! use icvae_core::train::{TrainConfig, Trainer};
//! use icvae_core::eval;
//!
//! # fn main() -> icvae_core::Result<()> {
//! let (digits, _styles) = synthetic::draw(320, 0)?;
//! let config = IcvaeConfig { hidden: vec![64], latent: 4, ..Default::default() };
//! let model = Icvae::new(&config, Device::Cpu, 0)?;
//! let run = Trainer::new(&TrainConfig { epochs: 1, ..Default::default() }).fit(&model, &digits, None)?;
//! println!("{run}");
//!
//! let three = digits.head(3);
//! let rows = eval::remap(&model, &three.x(), &three.c(), false)?;
//! let figure = ImageGrid::new(&rows, digits.image_shape(), (3, 12)).title("As 0 to 9").draw()?;
//! assert!(figure.png().len() > 1000);
//! # Ok(())
//! # }
//! ```

mod activation;
mod autograd;
mod cpu;
pub mod data;
pub mod device;
pub mod error;
pub mod eval;
mod files;
mod gaussian;
pub mod interrupt;
pub mod loss;
pub mod model;
pub mod notebook;
pub mod plot;
pub mod settings;
pub mod train;

pub use autograd::{manual_seed, no_grad, seeded};
pub use error::{Error, Result};
pub use files::write_whole;
/// The drawing library of all figures, re-exported for those that a reader draws with [`plot::figure()`].
pub use plotters;
/// JSON, re-exported for the settings that a model in a notebook describes itself by.
pub use serde_json;
pub use settings::Settings;
/// libtorch for Rust, re-exported so that a notebook uses the very version this crate was built with.
pub use tch;
