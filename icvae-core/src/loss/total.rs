//! The whole objective.

use tch::Tensor;

/// (1 + λ) · reconstruction + β · prior + λ · pairwise (Moyer et al. 2018; β from Higgins et al. 2017).
///
/// Takes means over the batch, scalars; returns a scalar.
pub fn total(
    reconstruction: &Tensor,
    prior_kl: &Tensor,
    pairwise_kl: &Tensor,
    beta: f64,
    lambda: f64,
) -> Tensor {
    (1.0 + lambda) * reconstruction + beta * prior_kl + lambda * pairwise_kl
}
