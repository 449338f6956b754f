//! What a code with Echo noise says of its image.

use tch::{Kind, Tensor};

/// −log |det S(x)| = −Σ_d log s_d(x): its mean over x is I(x; z) itself, not a bound, for z = f(x) + S(x)·ε with
/// Echo noise ε (Brekelmans et al. 2019, theorem 1).
///
/// Takes log s, `[B, Z]`, each below 0; returns nats, `[B]`: summed over the latent dimensions, not reduced over
/// the batch.
///
/// ```
/// use icvae_core::{loss::echo_rate, tch::Tensor};
///
/// let scale = Tensor::from_slice2(&[[0.5f32, 0.25]]);
/// let nats = echo_rate(&scale.log()).double_value(&[0]);
/// assert!((nats - 3.0 * 2.0f64.ln()).abs() < 1e-6);
/// ```
pub fn echo_rate(log_scale: &Tensor) -> Tensor {
    -log_scale.sum_dim_intlist(-1, false, Kind::Float)
}
