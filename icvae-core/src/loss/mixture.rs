//! The information between image and code, bounded by the mixture of the batch.

use tch::{Kind, Tensor};

use crate::gaussian::Gaussian;
use crate::{Error, Result};

/// log q(z_i|x_i) − log (1/(B−1)) Σ_{j≠i} q(z_i|x_j), the batch's *other* codes in place of q(z): its mean
/// over draws is **at least** I(x; z) ("leave one out", Poole et al. 2019, section 2.2).
///
/// A mixture that doesn't hold x_i is a distribution r(z) chosen without it, and E KL[q(z|x) ‖ r(z)] =
/// I(x; z) + KL[q(z) ‖ r(z)] for any. With few others the second term is large: the bias falls as B grows.
/// It is finite in expectation only as far as codes overlap.
///
/// Takes q, `[B, Z]`, and one sample of each, z, `[B, Z]`; returns nats, `[B]`: not reduced over the batch. A
/// single value may be negative.
///
/// # Errors
/// If the shapes don't fit, or the batch holds a single example.
pub fn mixture_upper(q: &Gaussian, z: &Tensor) -> Result<Tensor> {
    let count = q.mean.size()[0];
    if count < 2 {
        return Err(Error::Invalid(
            "the mixture of the other codes of a batch needs at least 2 examples in it".into(),
        ));
    }
    let (own, densities) = densities(q, z)?;
    let itself = Tensor::eye(count, (Kind::Bool, z.device()));
    let others = densities.masked_fill(&itself, f64::NEG_INFINITY);
    Ok(own - log_mean(&others, count - 1))
}

/// log q(z_i|x_i) − log (1/B) Σ_j q(z_i|x_j), j = i included: its mean over draws is **at most** I(x; z), and
/// each value at most log B (Poole et al. 2019, section 2.3: InfoNCE with the conditional known).
///
/// The mixture knows the very example that it is asked about, and so explains it too well. Where the
/// information is near log B, this is the number of the batch's examples and not the code's.
///
/// Takes and returns what [`mixture_upper`] does; the information lies between their means.
///
/// ```
/// use icvae_core::{loss, model::Gaussian, tch::Tensor};
///
/// // Two codes so far apart that a sample tells which it is of: one of two, log 2 nats.
/// let mean = Tensor::from_slice2(&[[-9.0f32], [9.0]]);
/// let q = Gaussian::new(mean.copy(), mean.zeros_like()).unwrap();
/// let nats = loss::mixture_lower(&q, &mean).unwrap().double_value(&[0]);
/// assert!((nats - 2.0f64.ln()).abs() < 1e-6);
/// ```
///
/// # Errors
/// If the shapes don't fit.
pub fn mixture_lower(q: &Gaussian, z: &Tensor) -> Result<Tensor> {
    let (own, densities) = densities(q, z)?;
    Ok(own - log_mean(&densities, q.mean.size()[0]))
}

/// log q(z_i|x_i), `[B]`, and log q(z_i|x_j), `[B, B]`.
fn densities(q: &Gaussian, z: &Tensor) -> Result<(Tensor, Tensor)> {
    if z.size() != q.mean.size() {
        return Err(Error::Shape {
            what: "the samples z",
            expected: format!("[B, Z] = {:?}, one of each code", q.mean.size()),
            found: z.size(),
        });
    }
    let densities = q.log_densities(z)?;
    Ok((densities.diagonal(0, 0, 1), densities))
}

/// log (1/n) Σ_j e^(a_ij), by the largest of a row.
fn log_mean(a: &Tensor, n: i64) -> Tensor {
    a.logsumexp([1i64].as_slice(), false) - (n as f64).ln()
}
