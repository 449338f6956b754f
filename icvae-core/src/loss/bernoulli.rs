//! The likelihood of images whose pixels are coins.

use tch::{Kind, Tensor};

use super::same_shape;
use crate::Result;
use crate::cpu::comparison::Comparison;

/// −log p(x|a) = Σ_p [ log(1 + e^(a_p)) − a_p x_p ], the binary cross-entropy of pixels in [0, 1] from
/// log-odds a; nothing overflows, and no logarithm of 0 is taken.
///
/// Takes x and the log-odds, `[B, P]`; returns nats, `[B]`: **summed over the pixels**, not reduced over the
/// batch.
///
/// # Errors
/// If the shapes differ.
///
/// ```
/// use icvae_core::{loss::bernoulli_nll, tch::Tensor};
///
/// let x = Tensor::from_slice2(&[[1.0f32, 0.0]]);
/// let log_odds = Tensor::from_slice2(&[[0.0f32, 0.0]]);
/// let nats = bernoulli_nll(&x, &log_odds).unwrap().double_value(&[0]);
/// assert!((nats - 2.0 * 2.0f64.ln()).abs() < 1e-6);
/// ```
pub fn bernoulli_nll(x: &Tensor, log_odds: &Tensor) -> Result<Tensor> {
    same_shape("the log-odds", log_odds, x)?;
    Comparison::Bernoulli(readable).of(x, log_odds)
}

fn readable(x: &Tensor, log_odds: &Tensor) -> Tensor {
    // The form with |a| has no derivative at 0, where untrained networks begin; softplus has.
    let nats = log_odds.softplus() - log_odds * x;
    nats.sum_dim_intlist(-1, false, Kind::Float)
}
