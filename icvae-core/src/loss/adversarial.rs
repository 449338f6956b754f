//! What the two sides of an adversarial game minimise.

use tch::Tensor;

/// −log D(z) with D = sigmoid of the log-odds a: log(1 + e^(−a)), which libtorch's softplus computes
/// without overflow.
///
/// The discriminator minimises it on draws of the prior. The encoder minimises it on its own codes, to have
/// them taken for the prior's: the "non-saturating" form of Goodfellow et al. 2014 (section 3), whose
/// gradient is large where the discriminator is sure of itself.
///
/// Takes log-odds, `[B, 1]` or `[B]`; returns nats of the same shape: **not reduced over the batch**.
///
/// ```
/// use icvae_core::{loss::taken_for_prior, tch::Tensor};
///
/// let nats = taken_for_prior(&Tensor::from_slice(&[0.0f32, -1000.0]));
/// assert!((nats.double_value(&[0]) - 2.0f64.ln()).abs() < 1e-6);
/// assert_eq!(nats.double_value(&[1]), 1000.0);
/// ```
pub fn taken_for_prior(log_odds: &Tensor) -> Tensor {
    (-log_odds).softplus()
}

/// −log(1 − D(z)) with D = sigmoid of the log-odds a: log(1 + e^a), without overflow.
///
/// The discriminator minimises it on the encoder's codes (Goodfellow et al. 2014, equation 1; for codes
/// Makhzani et al. 2015, section 2).
///
/// Takes log-odds, `[B, 1]` or `[B]`; returns nats of the same shape: **not reduced over the batch**.
pub fn taken_for_code(log_odds: &Tensor) -> Tensor {
    log_odds.softplus()
}

/// What the discriminator minimises: half of [`taken_for_prior`] on the prior's draws and half of
/// [`taken_for_code`] on the codes.
///
/// Takes the log-odds of both, `[B, 1]`; returns nats a decision, a scalar: the mean over both batches, each
/// counting one half. A discriminator that can't tell them apart scores log 2 ≈ 0.693, one that is right and
/// sure 0, and half of its distance below log 2, doubled, is the Jensen–Shannon divergence it has found.
pub fn discriminator_loss(on_prior: &Tensor, on_codes: &Tensor) -> Tensor {
    (taken_for_prior(on_prior).mean(None) + taken_for_code(on_codes).mean(None)) * 0.5
}
