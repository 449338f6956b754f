//! What a decoder's output says about data.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use crate::{Result, loss};

/// How a decoded image is compared with the image it should be.
///
/// In JSON: `"squared_error"`, `"bernoulli"`, or `{"gaussian": {"variance": 0.01}}`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Likelihood {
    /// The squared error, see [`crate::loss::squared_error`]: a Gaussian of variance ½ without its constant.
    SquaredError,
    /// Gaussian with this variance σ² in every pixel, see [`crate::loss::gaussian_nll`].
    Gaussian {
        /// σ², in the square of the data's unit.
        variance: f64,
    },
    /// Each pixel a coin whose log-odds the decoder draws, see [`crate::loss::bernoulli_nll`].
    Bernoulli,
}

impl Likelihood {
    /// Checks the variance.
    ///
    /// # Errors
    /// If it is not a positive number.
    pub fn check(self) -> Result<()> {
        match self {
            Self::Gaussian { variance } => loss::check_variance(variance),
            Self::SquaredError | Self::Bernoulli => Ok(()),
        }
    }

    /// −log p(x|z) where the decoder's output is `a`: both `[B, P]`, the result `[B]`, **summed over the
    /// pixels**.
    ///
    /// # Errors
    /// If the shapes differ, or a variance is not positive.
    pub fn nll(self, x: &Tensor, a: &Tensor) -> Result<Tensor> {
        match self {
            Self::SquaredError => loss::squared_error(x, a),
            Self::Gaussian { variance } => loss::gaussian_nll(x, a, variance),
            Self::Bernoulli => loss::bernoulli_nll(x, a),
        }
    }

    /// The mean of p(x|z) where the decoder's output is `a`: the picture to look at, of the same shape.
    pub fn mean(self, a: &Tensor) -> Tensor {
        match self {
            Self::SquaredError | Self::Gaussian { .. } => a.shallow_clone(),
            Self::Bernoulli => a.sigmoid(),
        }
    }
}
