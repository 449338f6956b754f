//! The bound on the divergence from the aggregate code, KL[q(z|x) ‖ q(z)].

use tch::{Kind, Tensor};

use crate::cpu::divergence::Divergence;
use crate::gaussian::{Gaussian, VARIANCE_FLOOR};

/// (1/B) Σ_j KL[q(z|x_i) ‖ q(z|x_j)], which by the convexity of KL in its second argument is at least
/// KL[q(z|x_i) ‖ q̂(z)], q̂ = (1/B) Σ_j q(z|x_j) (Moyer et al. 2018, section 3, as corrected).
///
/// Takes q, `[B, Z]`; returns nats, `[B]`: the mean over j, i = j included, not reduced over i. Its mean is
/// the mean of [`pairwise_kl`](super::pairwise_kl), but every sum over j is a mean of something that does
/// not depend on i, so it costs B·Z instead of B·B·Z:
///
/// ½ Σ_d [ σ²_i·⟨1/σ²⟩ + ⟨(μ_i − μ_j)²/σ²_j⟩ + ⟨log σ²⟩ − log σ²_i − 1 ], ⟨·⟩ the mean over j.
pub fn marginal_bound(q: &Gaussian) -> Tensor {
    Divergence::FromEachOther(readable).of(q)
}

fn readable(q: &Gaussian) -> Tensor {
    let var = q.log_var.exp() + VARIANCE_FLOOR; // [B, Z]
    let precision = var.reciprocal();
    let log_var = var.log();
    let over_batch = |t: &Tensor| t.mean_dim([0i64].as_slice(), true, Kind::Float); // [1, Z]
    // Centred means: the quadratic form is a small difference of large numbers otherwise.
    let mean = &q.mean - over_batch(&q.mean);
    let weighted = &mean * &precision;
    let distance: Tensor = mean.square() * over_batch(&precision)
        - 2.0 * (&mean * over_batch(&weighted))
        + over_batch(&(&mean * &weighted));
    let terms: Tensor =
        &var * over_batch(&precision) + distance + over_batch(&log_var) - &log_var - 1.0;
    terms.sum_dim_intlist(-1, false, Kind::Float) * 0.5
}

/// The term that the paper's first version had too much: (B−1)/B · mean_i H[q(z|x_i)] − (log B)/B, in
/// nats, a scalar.
///
/// Adding it to the loss punishes the encoder for its entropy, that is, for the noise that carries the
/// invariance. It is here to be compared with, not to be trained with.
pub fn entropy_penalty(q: &Gaussian) -> Tensor {
    let batch = q.mean.size()[0] as f64;
    q.entropy().mean(None) * ((batch - 1.0) / batch) - batch.ln() / batch
}
