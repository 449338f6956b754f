//! The numbers that define a model.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::width::check_sizes;
use super::{Activation, Likelihood, StackConfig};
use crate::{Error, Result};

/// Everything that defines an [`Icvae`](super::Icvae); the defaults are the tutorial's.
///
/// ```
/// use icvae_core::model::{Activation, IcvaeConfig};
///
/// let config = IcvaeConfig { latent: 2, lambda: 0.1, ..Default::default() };
/// assert!(config.check().is_ok());
///
/// let wrong = IcvaeConfig { latent: 0, ..Default::default() };
/// assert!(wrong.check().unwrap_err().to_string().contains("latent"));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IcvaeConfig {
    /// Pixels of an image, P.
    pub pixels: i64,
    /// Classes that the decoder is told, C; 0 for a model without a condition.
    pub classes: i64,
    /// Units of each hidden layer; the decoder's follow in the same order.
    pub hidden: Vec<i64>,
    /// Latent dimensions, Z.
    pub latent: i64,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Activation of the decoder's hidden layers, where it is another than the encoder's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub decoder_activation: Option<Activation>,
    /// Activation of the mean of q(z|x); tanh keeps the code in a box.
    pub mean_activation: Activation,
    /// Activation of the decoded image; leave it linear for a Bernoulli likelihood.
    pub output_activation: Activation,
    /// How images are compared.
    pub likelihood: Likelihood,
    /// Whether the encoder is told the class too.
    pub condition_encoder: bool,
    /// Share of hidden units that are dropped while training.
    pub dropout: f64,
    /// Whether each hidden layer's activations are batch-normalised.
    pub batch_norm: bool,
    /// Weight β of the KL to the prior (Higgins et al. 2017).
    pub beta: f64,
    /// Weight λ of the invariance terms (Moyer et al. 2018).
    pub lambda: f64,
}

impl Default for IcvaeConfig {
    fn default() -> Self {
        Self {
            pixels: 784,
            classes: 10,
            hidden: vec![512, 512],
            latent: 16,
            activation: Activation::Tanh,
            decoder_activation: None,
            mean_activation: Activation::Tanh,
            output_activation: Activation::Linear,
            likelihood: Likelihood::SquaredError,
            condition_encoder: false,
            dropout: 0.0,
            batch_norm: false,
            beta: 0.1,
            lambda: 1.0,
        }
    }
}

impl IcvaeConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        check_sizes(&[("pixels", self.pixels), ("latent", self.latent)])?;
        if self.classes < 0 {
            return Err(Error::Invalid(format!(
                "classes is {}, but must be 0 (no condition) or more",
                self.classes
            )));
        }
        if self.condition_encoder && self.classes == 0 {
            return Err(Error::Invalid(
                "condition_encoder is set, but classes is 0: give the number of classes".into(),
            ));
        }
        for (name, value) in [("beta", self.beta), ("lambda", self.lambda)] {
            if !value.is_finite() || value < 0.0 {
                return Err(Error::Invalid(format!(
                    "{name} is {value}, but must be a number of 0 or more"
                )));
            }
        }
        self.likelihood.check()?;
        self.stack().check()
    }

    /// The decoder's hidden layers.
    pub(super) fn decoder_stack(&self) -> StackConfig {
        StackConfig {
            activation: self.decoder_activation.unwrap_or(self.activation),
            ..self.stack()
        }
    }

    /// The encoder's hidden layers.
    pub(super) fn stack(&self) -> StackConfig {
        StackConfig {
            hidden: self.hidden.clone(),
            activation: self.activation,
            dropout: self.dropout,
            batch_norm: self.batch_norm,
        }
    }

    /// Reads a JSON file; numbers that it leaves out keep their defaults.
    ///
    /// # Errors
    /// If the file can't be read, is no such JSON, or holds numbers that make no sense.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        let config: Self = serde_json::from_str(&text).map_err(|error| {
            Error::Invalid(format!(
                "{} is not a model configuration: {error}",
                path.display()
            ))
        })?;
        config.check()?;
        Ok(config)
    }
}
