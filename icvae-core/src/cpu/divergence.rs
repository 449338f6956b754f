//! Divergences of Gaussians in one node each: a dozen operations on a few hundred numbers cost libtorch more than
//! the numbers.

use tch::Tensor;

use super::comparison::one_row;
use super::dense::numbers;
use super::node::{Function, is_plain, record};
use super::pointwise::exp;
use super::wide::wide;
use crate::gaussian::{Gaussian, VARIANCE_FLOOR};
use crate::{Error, Result};

/// The same in operations of libtorch: for what is not a plain tensor of this processor, and for second derivatives.
type Readable = fn(&Gaussian) -> Tensor;

/// A function of the means and the log-variances of a batch of Gaussians: both `[B, Z]`, the result `[B]`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Divergence {
    /// KL[q_i ‖ N(0, I)].
    FromPrior(Readable),
    /// The mean over j of KL[q_i ‖ q_j].
    FromEachOther(Readable),
}

/// σ² of every code, and what all have in common in each dimension: the mean of the means, and of 1/σ², μ/σ²
/// and μ²/σ², with μ taken from that mean: they are small differences of large numbers otherwise.
struct Common {
    variance: Vec<f64>,
    center: Vec<f64>,
    precision: Vec<f64>,
    weighted: Vec<f64>,
    squares: Vec<f64>,
}

impl Common {
    fn of(mean: &[f32], log_var: &[f32], z: usize) -> Self {
        let share = z as f64 / mean.len() as f64;
        let zeros = || vec![0.0; z];
        let variance = |v: &f32| f64::from(exp(*v)) + VARIANCE_FLOOR;
        let mut common = Self {
            variance: wide(|| log_var.iter().map(variance).collect()),
            center: zeros(),
            precision: zeros(),
            weighted: zeros(),
            squares: zeros(),
        };
        for row in mean.chunks_exact(z) {
            for (center, mean) in common.center.iter_mut().zip(row) {
                *center += share * f64::from(*mean);
            }
        }
        for (mean, variance) in mean.chunks_exact(z).zip(common.variance.chunks_exact(z)) {
            for d in 0..z {
                let (m, r) = (f64::from(mean[d]) - common.center[d], share / variance[d]);
                common.precision[d] += r;
                common.weighted[d] += m * r;
                common.squares[d] += m * m * r;
            }
        }
        common
    }
}

impl Divergence {
    /// The function's value, known to autograd.
    pub(crate) fn of(self, q: &Gaussian) -> Tensor {
        let (mean, log_var) = (&q.mean, &q.log_var);
        let fits = mean.dim() == 2 && mean.size() == log_var.size() && mean.numel() > 0;
        if !fits || !is_plain(mean) || !is_plain(log_var) {
            return self.in_libtorch(q);
        }
        // As for every operation of tch: it panics where libtorch has no memory.
        self.compute(mean, log_var)
            .unwrap_or_else(|error| panic!("{error}"))
    }

    fn in_libtorch(self, q: &Gaussian) -> Tensor {
        let (Self::FromPrior(readable) | Self::FromEachOther(readable)) = self;
        readable(q)
    }

    fn compute(self, mean: &Tensor, log_var: &Tensor) -> Result<Tensor> {
        let [rows, z] = <[i64; 2]>::try_from(mean.size()).map_err(|_| Error::Shape {
            what: "the mean",
            expected: "[B, Z]".into(),
            found: mean.size(),
        })?;
        let mut y = Tensor::f_empty([rows], (mean.kind(), mean.device()))?;
        let (means, log_vars, z) = (numbers(mean), numbers(log_var), z as usize);
        // SAFETY: it was just made, with so many numbers.
        let to = unsafe { one_row(&mut y).in_row(0, &(0..rows as usize)) };
        let all = to
            .iter_mut()
            .zip(means.chunks_exact(z).zip(log_vars.chunks_exact(z)));
        match self {
            Self::FromPrior(_) => wide(|| {
                for (to, (mean, log_var)) in all {
                    let terms = mean
                        .iter()
                        .zip(log_var)
                        .map(|(m, v)| 1.0 + v - m * m - exp(*v));
                    *to = -0.5 * terms.sum::<f32>();
                }
            }),
            Self::FromEachOther(_) => {
                let common = Common::of(means, log_vars, z);
                // Σ_d log σ² of each code, and its mean.
                let row = |variance: &[f64]| variance.iter().map(|v| v.ln()).sum::<f64>();
                let logs: Vec<f64> = common.variance.chunks_exact(z).map(row).collect();
                let log = logs.iter().sum::<f64>() / rows as f64;
                for ((i, (to, (mean, _))), own) in all.enumerate().zip(&logs) {
                    let term = |d: usize| {
                        let (m, variance) = (
                            f64::from(mean[d]) - common.center[d],
                            common.variance[i * z + d],
                        );
                        (variance + m * m) * common.precision[d] - 2.0 * m * common.weighted[d]
                            + common.squares[d]
                            - 1.0
                    };
                    *to = (0.5 * ((0..z).map(term).sum::<f64>() + log - own)) as f32;
                }
            }
        }
        record(self, &[mean, log_var], y)
    }
}

impl Function for Divergence {
    fn backward(
        &self,
        inputs: &[Tensor],
        _: &Tensor,
        gradient: &Tensor,
        wanted: &[bool],
    ) -> Result<Vec<Option<Tensor>>> {
        let gradient = gradient.f_resolve_neg()?.f_contiguous()?;
        let (mean, log_var, g) = (numbers(&inputs[0]), numbers(&inputs[1]), numbers(&gradient));
        let z = mean.len() / g.len();
        let mut d_mean = inputs[0].f_empty_like()?;
        let mut d_log_var = inputs[0].f_empty_like()?;
        // SAFETY: they were just made, with so many numbers.
        let (to_mean, to_log_var) = unsafe {
            let all = 0..mean.len();
            (
                one_row(&mut d_mean).in_row(0, &all),
                one_row(&mut d_log_var).in_row(0, &all),
            )
        };
        match self {
            Self::FromPrior(_) => wide(|| {
                for (i, &g) in g.iter().enumerate() {
                    for at in i * z..(i + 1) * z {
                        to_mean[at] = g * mean[at];
                        to_log_var[at] = 0.5 * g * (exp(log_var[at]) - 1.0);
                    }
                }
            }),
            Self::FromEachOther(_) => derive_pairs((mean, log_var), g, z, to_mean, to_log_var),
        }
        let found = [d_mean, d_log_var].into_iter().zip(wanted);
        Ok(found.map(|(d, wanted)| wanted.then_some(d)).collect())
    }

    fn readable(&self, inputs: &[Tensor]) -> Result<Tensor> {
        let q = Gaussian::new(inputs[0].shallow_clone(), inputs[1].shallow_clone())?;
        Ok(self.in_libtorch(&q))
    }
}

/// The derivatives of Σ_i g_i · (mean over j of KL\[q_i ‖ q_j\]). With S = Σg, S₁ = Σgm, S₂ = Σg(σ² + m²) and the
/// means over the batch R = ⟨1/σ²⟩, W = ⟨m/σ²⟩, by
///
/// ½ [R·S₂ − 2·W·S₁ + S·⟨m²/σ²⟩ + S·⟨log σ²⟩ − Σ g·log σ²] + a constant.
fn derive_pairs(
    (mean, log_var): (&[f32], &[f32]),
    g: &[f32],
    z: usize,
    to_mean: &mut [f32],
    to_log_var: &mut [f32],
) {
    let common = Common::of(mean, log_var, z);
    let share = 1.0 / g.len() as f64;
    let s = g.iter().map(|g| f64::from(*g)).sum::<f64>();
    let (mut s1, mut s2) = (vec![0.0; z], vec![0.0; z]);
    for (i, &g) in g.iter().enumerate() {
        for d in 0..z {
            let at = i * z + d;
            let m = f64::from(mean[at]) - common.center[d];
            s1[d] += f64::from(g) * m;
            s2[d] += f64::from(g) * (common.variance[at] + m * m);
        }
    }
    for (i, &g) in g.iter().enumerate() {
        let g = f64::from(g);
        for d in 0..z {
            let at = i * z + d;
            let m = f64::from(mean[at]) - common.center[d];
            let (variance, r) = (common.variance[at], 1.0 / common.variance[at]);
            let by_mean = g * (m * common.precision[d] - common.weighted[d]);
            to_mean[at] = (by_mean + share * r * (s * m - s1[d])) as f32;
            let by_own = g * (common.precision[d] - r);
            let by_others = share * r * (s - r * (s2[d] - 2.0 * m * s1[d] + s * m * m));
            to_log_var[at] = (0.5 * (by_own + by_others) * (variance - VARIANCE_FLOOR)) as f32;
        }
    }
}
