//! Codes of many dimensions on a plane.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tch::{Kind, Tensor};

use crate::interrupt::interrupted;
use crate::{Error, Result, no_grad};

/// Codes on their principal axes, from [`pca`].
#[derive(Debug)]
pub struct Projection {
    /// The codes along the axes of largest variance, float `[N, K]`.
    pub points: Tensor,
    /// The share of the variance along each, K numbers, in [0, 1] and falling.
    pub shares: Vec<f64>,
}

/// Principal component analysis: codes `[N, Z]` along their `axes` directions of largest variance (Pearson
/// 1901), by libtorch's singular value decomposition of the centred codes. The sign of an axis, which is
/// arbitrary, is chosen so that its largest weight is positive.
///
/// # Errors
/// If there are fewer than two codes, or not that many dimensions.
pub fn pca(codes: &Tensor, axes: i64) -> Result<Projection> {
    match codes.size()[..] {
        [n, width] if n > 1 && axes >= 1 && axes <= width.min(n) => {}
        _ => {
            return Err(Error::Shape {
                what: "the codes to project",
                expected: format!("[N, Z] with N ≥ 2, and Z and N of at least {axes} ≥ 1"),
                found: codes.size(),
            });
        }
    }
    no_grad(|| {
        let codes = codes.to_kind(Kind::Double);
        let centred = &codes - codes.mean_dim([0i64].as_slice(), true, Kind::Double);
        let (_, values, v) = centred.f_svd(true, true)?;
        let axis = v.tr().narrow(0, 0, axes); // [K, Z]
        let largest = axis.abs().argmax(1, true);
        let axis = &axis * axis.gather(1, &largest, false).sign();
        let variances = values.square();
        let all = variances.sum(Kind::Double).clamp_min(f64::MIN_POSITIVE);
        Ok(Projection {
            points: centred.matmul(&axis.tr()).to_kind(Kind::Float),
            shares: Vec::try_from((variances / all).narrow(0, 0, axes).contiguous())?,
        })
    })
}

/// How t-SNE is left when somebody interrupts it.
struct InterruptedAfter(usize);

/// The numbers of [`tsne`]; the defaults are those of its authors but for the start.
#[derive(Debug, Clone, PartialEq)]
pub struct TsneConfig {
    /// How many neighbours a point has, roughly.
    pub perplexity: f32,
    /// Steps.
    pub steps: usize,
    /// How coarsely far-away points are lumped together: 0.5 is usual, smaller is slower and more exact.
    pub theta: f32,
}

impl Default for TsneConfig {
    fn default() -> Self {
        Self {
            perplexity: 30.0,
            steps: 1000,
            theta: 0.5,
        }
    }
}

/// t-SNE (van der Maaten and Hinton 2008) with Barnes–Hut trees (van der Maaten 2014): codes `[N, Z]` on a plane
/// `[N, 2]` where near neighbours stay near. Distances between far points mean nothing.
///
/// It starts from the two principal axes, scaled to a standard deviation of 1e-4, so that its large-scale
/// layout is that of the codes and draws no lots (Kobak and Berens 2019). The same codes give nearly the
/// same picture; not to the last bit, since threads sum in any order.
///
/// # Errors
/// If there are not more than three times as many codes as the perplexity, a number makes no sense, or somebody
/// interrupts.
pub fn tsne(codes: &Tensor, config: &TsneConfig) -> Result<Tensor> {
    let start = pca(codes, 2)?.points;
    let (n, width) = (codes.size()[0], codes.size()[1] as usize);
    let positive = |x: f32| x.is_finite() && x > 0.0;
    if !positive(config.perplexity) || !positive(config.theta) || config.steps == 0 {
        return Err(Error::Invalid(format!(
            "t-SNE needs a perplexity, a theta and a number of steps greater than 0, not {}, {} and {}",
            config.perplexity, config.theta, config.steps
        )));
    }
    if n as f32 <= 3.0 * config.perplexity + 1.0 {
        return Err(Error::Invalid(format!(
            "{n} codes are too few for a perplexity of {}: give more than three times as many",
            config.perplexity
        )));
    }
    let spread = start.select(1, 0).std(false).clamp_min(1e-12);
    let start = Vec::<f32>::try_from((start / spread * 1e-4).flatten(0, -1))?;
    let flat = Vec::<f32>::try_from(
        codes
            .to_device(tch::Device::Cpu)
            .to_kind(Kind::Float)
            .contiguous()
            .flatten(0, -1),
    )?;
    if flat.iter().any(|value| !value.is_finite()) {
        return Err(Error::Invalid(
            "t-SNE was given codes that are not finite numbers".into(),
        ));
    }
    let rows: Vec<&[f32]> = flat.chunks(width).collect();
    let work = || {
        bhtsne::tSNE::<f32, &[f32], 2>::new(&rows)
            .perplexity(config.perplexity)
            .epochs(config.steps)
            .initial_embedding(start)
            .epoch_callback(|step, _| {
                if interrupted() {
                    // The only way out of a step; no hook for panics hears of it.
                    resume_unwind(Box::new(InterruptedAfter(step + 1)));
                }
            })
            .barnes_hut(config.theta, |a, b| {
                let square: f32 = a.iter().zip(*b).map(|(a, b)| (a - b) * (a - b)).sum();
                square.sqrt()
            })
            .embedding()
    };
    let placed = match catch_unwind(AssertUnwindSafe(work)) {
        Ok(placed) => placed,
        Err(thrown) => match thrown.downcast::<InterruptedAfter>() {
            Ok(after) => {
                return Err(Error::Interrupted(format!(
                    "t-SNE was interrupted after step {} of {}",
                    after.0, config.steps
                )));
            }
            Err(panic) => resume_unwind(panic),
        },
    };
    Ok(Tensor::from_slice(&placed)
        .view([n, 2])
        .to_device(codes.device()))
}
