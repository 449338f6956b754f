//! How far a code's distribution is from the prior.

use tch::{Kind, Tensor};

use crate::cpu::divergence::Divergence;
use crate::gaussian::Gaussian;

/// KL[q(z|x) ‖ N(0, I)] = −½ Σ_d (1 + log σ²_d − μ²_d − σ²_d) (Kingma and Welling 2013, appendix B).
///
/// Takes q, `[B, Z]`; returns nats, `[B]`: summed over the latent dimensions, not reduced over the batch.
///
/// ```
/// use icvae_core::{loss::prior_kl, model::Gaussian, tch::{Device, Kind, Tensor}};
///
/// let zeros = || Tensor::zeros([4, 16], (Kind::Float, Device::Cpu));
/// let q = Gaussian::new(zeros(), zeros()).unwrap();
/// assert_eq!(prior_kl(&q).sum(Kind::Float).double_value(&[]), 0.0);
/// ```
pub fn prior_kl(q: &Gaussian) -> Tensor {
    Divergence::FromPrior(readable).of(q)
}

fn readable(q: &Gaussian) -> Tensor {
    let terms: Tensor = 1.0 + &q.log_var - q.mean.square() - q.log_var.exp();
    terms.sum_dim_intlist(-1, false, Kind::Float) * -0.5
}
