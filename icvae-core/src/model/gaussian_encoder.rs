//! The encoder q(z|x), or q(z|x, c).

use tch::Tensor;
use tch::nn::{self, Module, ModuleT};

use super::{Activation, Dense, DenseStack, Gaussian, StackConfig, dense};
use crate::Result;

/// A dense stack with two heads, the mean and the log-variance of a diagonal Gaussian.
///
/// Its parameters are `enc_h1`, `enc_h2`, …, `z_mean` and `z_log_sigma_sq`.
#[derive(Debug)]
pub struct GaussianEncoder {
    trunk: DenseStack,
    mean: Dense,
    log_var: Dense,
}

impl GaussianEncoder {
    /// Builds an encoder of `[B, inputs]` to Gaussians over `[B, latent]`.
    ///
    /// # Errors
    /// If the configuration makes no sense.
    pub fn new(
        path: &nn::Path,
        inputs: i64,
        latent: i64,
        mean_activation: Activation,
        config: &StackConfig,
    ) -> Result<Self> {
        let trunk = DenseStack::new(path, "enc", inputs, config)?;
        let mean = dense(path / "z_mean", trunk.outputs(), latent).with(mean_activation);
        let log_var = dense(path / "z_log_sigma_sq", trunk.outputs(), latent);
        Ok(Self {
            trunk,
            mean,
            log_var,
        })
    }

    /// Encodes x, `[B, inputs]`.
    pub fn forward_t(&self, x: &Tensor, train: bool) -> Gaussian {
        let h = self.trunk.forward_t(x, train);
        Gaussian {
            mean: self.mean.forward(&h),
            log_var: self.log_var.forward(&h),
        }
    }
}
