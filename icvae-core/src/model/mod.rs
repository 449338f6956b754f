//! The networks: dense stacks, a Gaussian encoder, a (conditional) decoder, and the models made of
//! them.
//!
//! Shape letters: `B` batch, `P` pixels, `C` classes, `Z` latent dimensions, `H` hidden units.

mod adversarial_autoencoder;
mod batch_norm;
mod censored;
mod config;
mod decoder;
mod dense;
mod echo;
mod gaussian_encoder;
mod icvae;
mod invariant_predictor;
mod likelihood;
mod prior;
mod width;

pub use crate::activation::Activation;
pub use crate::gaussian::Gaussian;
pub use adversarial_autoencoder::{AdversarialAutoencoder, AdversarialConfig, Game};
pub use batch_norm::{batch_norm, fold_batch_norm};
pub use censored::{Censored, CensoredConfig};
pub use config::IcvaeConfig;
pub use decoder::Decoder;
pub use dense::{Dense, DenseStack, StackConfig, dense};
pub use echo::{Echo, EchoCode, EchoConfig};
pub use gaussian_encoder::GaussianEncoder;
pub use icvae::{Icvae, Terms};
pub use invariant_predictor::{InvariantPredictor, PredictorConfig, PredictorTerms};
pub use likelihood::Likelihood;
pub use prior::Prior;
