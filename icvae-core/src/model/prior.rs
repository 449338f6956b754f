//! Distributions that a code can be asked to follow.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::{Error, Result};

/// A distribution over codes, each dimension drawn by itself.
///
/// ```
/// use icvae_core::{model::Prior, tch::Device};
///
/// let z = Prior::StudentT { freedom: 5.0 }.sample(100, 8, Device::Cpu).unwrap();
/// assert_eq!(z.size(), [100, 8]);
/// assert!(Prior::StudentT { freedom: 0.0 }.check().is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Prior {
    /// N(0, I).
    Gaussian,
    /// Student's t with ν degrees of freedom, heavy-tailed: a variance of ν / (ν − 2) where ν > 2, none
    /// otherwise. For a large ν it is the Gaussian.
    StudentT {
        /// ν, greater than 0.
        freedom: f64,
    },
}

impl Prior {
    /// Checks the numbers.
    ///
    /// # Errors
    /// If ν is not greater than 0.
    pub fn check(&self) -> Result<()> {
        match self {
            Prior::StudentT { freedom } if !(freedom.is_finite() && *freedom > 0.0) => {
                Err(Error::Invalid(format!(
                    "Student's t needs more than 0 degrees of freedom, not {freedom}"
                )))
            }
            _ => Ok(()),
        }
    }

    /// `n` draws, float `[n, Z]`, from libtorch's generator.
    ///
    /// t = N / √(χ²_ν / ν), and χ²_ν is twice a Gamma variable of shape ν/2 (Student 1908).
    ///
    /// # Errors
    /// If the prior makes no sense, or a size is less than 1.
    pub fn sample(&self, n: i64, latent: i64, device: Device) -> Result<Tensor> {
        self.check()?;
        if n < 1 || latent < 1 {
            return Err(Error::Invalid(format!(
                "{n} codes of {latent} dimensions can't be drawn: both numbers must be at least 1"
            )));
        }
        let normal = Tensor::randn([n, latent], (Kind::Float, device));
        Ok(match self {
            Prior::Gaussian => normal,
            Prior::StudentT { freedom } => {
                let half = Tensor::full([n, latent], freedom / 2.0, (Kind::Float, device));
                normal / (half.f_internal_standard_gamma()? * (2.0 / freedom)).sqrt()
            }
        })
    }
}

impl std::fmt::Display for Prior {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Prior::Gaussian => write!(f, "Gaussian"),
            Prior::StudentT { freedom } => write!(f, "Student-t, {freedom} degrees of freedom"),
        }
    }
}
