//! How far a reconstruction is from its image.

use tch::{Kind, Tensor};

use super::same_shape;
use crate::Result;
use crate::cpu::comparison::Comparison;

/// ‖x − x̂‖² = Σ_p (x_p − x̂_p)².
///
/// Up to a constant and a factor 2 the negative log-likelihood of a Gaussian p(x|z, c) with unit
/// variance; equal to P · mse, as the tutorial's Keras code writes it.
///
/// Takes x and x̂, `[B, P]`; returns `[B]`: **summed over the pixels**, not reduced over the batch.
///
/// # Errors
/// If the shapes differ.
///
/// ```
/// use icvae_core::{loss::squared_error, tch::Tensor};
///
/// let x = Tensor::from_slice2(&[[0.0f32, 1.0]]);
/// let x_hat = Tensor::from_slice2(&[[0.5f32, 0.0]]);
/// assert_eq!(squared_error(&x, &x_hat).unwrap().double_value(&[0]), 1.25);
/// ```
pub fn squared_error(x: &Tensor, x_hat: &Tensor) -> Result<Tensor> {
    same_shape("the reconstruction", x_hat, x)?;
    Comparison::SquaredError(readable).of(x, x_hat)
}

fn readable(x: &Tensor, x_hat: &Tensor) -> Tensor {
    (x - x_hat).square().sum_dim_intlist(-1, false, Kind::Float)
}
