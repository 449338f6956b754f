//! The divergence of every code's distribution from every other's.

use tch::{Kind, Tensor};

use crate::gaussian::{Gaussian, VARIANCE_FLOOR};

/// All pairs: entry (i, j) is KL[q(z|x_i) ‖ q(z|x_j)]
/// = ½ Σ_d [ σ²_id/σ²_jd − 1 − log(σ²_id/σ²_jd) + (μ_id − μ_jd)²/σ²_jd ].
///
/// Takes q, `[B, Z]`; returns nats, `[B, B]`: summed over the latent dimensions, not reduced over pairs. The
/// diagonal is 0 and no entry is negative.
///
/// This is the readable form: it holds B·B·Z numbers. Its mean, which is all that the loss needs, comes
/// from [`marginal_bound`](super::marginal_bound) without forming the pairs.
///
/// ```
/// use icvae_core::{loss::pairwise_kl, model::Gaussian, tch::Tensor};
///
/// // N(0, 1) and N(1, e): KL[0‖1] = ½(1/e − 1 + 1 + 1/e), KL[1‖0] = ½(e − 1 − 1 + 1).
/// let mean = Tensor::from_slice2(&[[0.0f32], [1.0]]);
/// let log_var = Tensor::from_slice2(&[[0.0f32], [1.0]]);
/// let kl = pairwise_kl(&Gaussian::new(mean, log_var).unwrap());
/// let e = std::f64::consts::E;
/// assert!((kl.double_value(&[0, 1]) - 1.0 / e).abs() < 1e-6);
/// assert!((kl.double_value(&[1, 0]) - (e - 1.0) / 2.0).abs() < 1e-6);
/// ```
pub fn pairwise_kl(q: &Gaussian) -> Tensor {
    let var = q.log_var.exp() + VARIANCE_FLOOR; // [B, Z]
    let log_var = var.log();
    let log_ratio = log_var.unsqueeze(1) - log_var.unsqueeze(0); // [B, B, Z], entry (i, j)
    let distance = (q.mean.unsqueeze(1) - q.mean.unsqueeze(0)).square() / var.unsqueeze(0);
    // r − 1 − log r with r = e^(log r): expm1 keeps the digits that 1 would swallow.
    let terms = log_ratio.expm1() - &log_ratio + distance;
    terms.sum_dim_intlist(-1, false, Kind::Float) * 0.5
}
