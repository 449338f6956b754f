//! The distribution that an encoder returns.

use tch::{Kind, Tensor};

use crate::{Error, Result};

/// What the divergences of two of them add to every variance, so that no quotient overflows.
pub const VARIANCE_FLOOR: f64 = 1e-8;

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

    /// log q_j(z_i), the density of every code under every Gaussian: `[N, B]` in nats for codes z, `[N, Z]`.
    ///
    /// In double precision, since the products of matrices that it is made of are large numbers whose small
    /// difference counts; gradients pass through.
    ///
    /// # Errors
    /// If the codes are no matrix of Z columns.
    pub fn log_densities(&self, z: &Tensor) -> Result<Tensor> {
        if z.dim() != 2 || z.size()[1] != self.mean.size()[1] {
            return Err(Error::Shape {
                what: "the codes z",
                expected: format!("[N, Z] = [N, {}]", self.mean.size()[1]),
                found: z.size(),
            });
        }
        let double = |t: &Tensor| t.to_kind(Kind::Double);
        let (z, mean, log_var) = (double(z), double(&self.mean), double(&self.log_var));
        let precision = (-&log_var).exp(); // [B, Z]
        let weighted = &mean * &precision;
        // −½ Σ_d (μ²/σ² + log 2πσ²), the part that z has no say in, [1, B].
        let constant = (&mean * &weighted + &log_var + (2.0 * std::f64::consts::PI).ln())
            .sum_dim_intlist(-1, true, Kind::Double)
            .tr()
            * -0.5;
        Ok(z.square().matmul(&precision.tr()) * -0.5 + z.matmul(&weighted.tr()) + constant)
    }
}
