//! The likelihood of data with Gaussian noise of a known variance.

use std::f64::consts::PI;

use tch::Tensor;

use super::squared_error;
use crate::{Error, Result};

/// −log N(x; x̂, σ²I) = ‖x − x̂‖²/(2σ²) + (P/2) log 2πσ² (Kingma and Welling 2013, appendix C.2, with a
/// variance that is given).
///
/// Takes x and x̂, `[B, P]`, and σ²; returns nats, `[B]`: **summed over the pixels**, not reduced over the
/// batch. Densities may exceed 1, so it may be negative.
///
/// σ² is what the squared error is weighed by against other terms in nats. Leaving it out, as in
/// [`squared_error`], is σ² = ½ up to a constant.
///
/// # Errors
/// If the shapes differ, or the variance is not a positive number.
///
/// ```
/// use icvae_core::{loss::gaussian_nll, tch::Tensor};
///
/// let x = Tensor::from_slice2(&[[0.0f32, 1.0]]);
/// let x_hat = Tensor::from_slice2(&[[0.1f32, 1.0]]);
/// let nats = gaussian_nll(&x, &x_hat, 0.01).unwrap().double_value(&[0]);
/// let expected = 0.5 + (2.0 * std::f64::consts::PI * 0.01).ln();
/// assert!((nats - expected).abs() < 1e-5);
/// ```
pub fn gaussian_nll(x: &Tensor, x_hat: &Tensor, variance: f64) -> Result<Tensor> {
    check_variance(variance)?;
    let per_square = 0.5 / variance;
    let constant = 0.5 * (2.0 * PI * variance).ln();
    let error = squared_error(x, x_hat)?;
    Ok(error * per_square + constant * x.size()[1] as f64)
}

/// Refuses what is no variance.
pub(crate) fn check_variance(variance: f64) -> Result<()> {
    if variance.is_finite() && variance > 0.0 {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "the variance of a Gaussian likelihood is {variance}, but must be greater than 0"
    )))
}
