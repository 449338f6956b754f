//! The distribution that an encoder returns.

use tch::{Kind, Tensor};

use crate::{Error, Result};

/// A batch of diagonal Gaussians, q(z|x) = N(μ(x), diag σ²(x)).
#[derive(Debug)]
pub struct Gaussian {
    /// μ, `[B, Z]`.
    pub mean: Tensor,
    /// log σ², `[B, Z]`.
    pub log_var: Tensor,
}

impl Gaussian {
    /// Puts a mean and a log-variance together.
    ///
    /// # Errors
    /// If they are not two matrices of one shape.
    pub fn new(mean: Tensor, log_var: Tensor) -> Result<Self> {
        if mean.dim() != 2 {
            return Err(Error::Shape {
                what: "the mean",
                expected: "[B, Z]".into(),
                found: mean.size(),
            });
        }
        if mean.size() != log_var.size() {
            return Err(Error::Shape {
                what: "the log-variance",
                expected: format!("{:?}, as the mean", mean.size()),
                found: log_var.size(),
            });
        }
        Ok(Self { mean, log_var })
    }

    /// Draws z = μ + σ ⊙ ε with ε ~ N(0, I), `[B, Z]`: the reparameterisation trick (Kingma and Welling
    /// 2013, section 2.4), through which gradients reach μ and σ.
    pub fn sample(&self) -> Tensor {
        self.sample_with(&self.mean.randn_like())
    }

    /// The same with a given ε, `[B, Z]`.
    pub fn sample_with(&self, epsilon: &Tensor) -> Tensor {
        &self.mean + self.std() * epsilon
    }

    /// The standard deviation σ, `[B, Z]`.
    pub fn std(&self) -> Tensor {
        (&self.log_var * 0.5).exp()
    }

    /// The differential entropy H[q(z|x)] = ½ Σ_d (1 + log 2π + log σ²_d) in nats, `[B]`.
    pub fn entropy(&self) -> Tensor {
        let constant = 1.0 + (2.0 * std::f64::consts::PI).ln();
        (&self.log_var + constant).sum_dim_intlist(-1, false, Kind::Float) * 0.5
    }
}
