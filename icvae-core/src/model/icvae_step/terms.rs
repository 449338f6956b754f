//! The terms of the loss over slices, with their derivatives.

use std::f64::consts::PI;

use super::super::{Activation, IcvaeConfig, Likelihood};
use super::buffers::Buffers;
use super::layer::derive;
use super::matrix::Matrix;
use crate::cpu::wide::wide;
use crate::loss::VARIANCE_FLOOR;

/// The reconstruction term, summed over the batch. With `scale`, x̂ in `b.output` is replaced by
/// `scale` times the term's derivative with respect to the last layer before its activation.
pub(super) fn compare(config: &IcvaeConfig, b: &mut Buffers, scale: Option<f64>) -> f64 {
    let seen = b.x.columns;
    let pixels = b.output.columns;
    let x_hat = scale
        .filter(|_| config.output_activation != Activation::Linear)
        .map(|_| Matrix::of(b.output.tensor.copy()));
    let (per_square, constant) = match config.likelihood {
        Likelihood::Gaussian { variance } => (
            (0.5 / variance) as f32,
            0.5 * (2.0 * PI * variance).ln() * pixels as f64,
        ),
        _ => (1.0, 0.0),
    };
    let factor = scale.unwrap_or(0.0) as f32;
    let mut sum = 0.0;
    let rows = b.output.numbers_mut().chunks_exact_mut(pixels);
    for (row, x) in rows.zip(b.x.numbers().chunks_exact(seen)) {
        let mut of_row = 0.0_f32;
        let pairs = row.iter_mut().zip(x);
        match (config.likelihood, scale.is_some()) {
            (Likelihood::SquaredError | Likelihood::Gaussian { .. }, false) => {
                of_row = per_square * squared_distance(row, x);
            }
            (Likelihood::SquaredError | Likelihood::Gaussian { .. }, true) => {
                pairs.for_each(|(a, x)| {
                    let difference = *a - x;
                    of_row += difference * difference;
                    *a = 2.0 * factor * per_square * difference;
                });
                of_row *= per_square;
            }
            (Likelihood::Bernoulli, differentiate) => pairs.for_each(|(a, x)| {
                of_row += a.max(0.0) - *a * x + (-a.abs()).exp().ln_1p();
                if differentiate {
                    *a = factor * (1.0 / (1.0 + (-*a).exp()) - x);
                }
            }),
        }
        sum += f64::from(of_row) + constant;
    }
    if let Some(x_hat) = x_hat {
        derive(
            config.output_activation,
            x_hat.numbers(),
            b.output.numbers_mut(),
        );
    }
    sum
}

/// ‖a − x‖², in as many sums as a register holds; `x` may be longer.
fn squared_distance(a: &[f32], x: &[f32]) -> f32 {
    wide(|| {
        let mut sums = [0.0_f32; 16];
        for (a, x) in a.chunks(sums.len()).zip(x.chunks(sums.len())) {
            for ((sum, a), x) in sums.iter_mut().zip(a).zip(x) {
                *sum += (a - x) * (a - x);
            }
        }
        sums.iter().sum()
    })
}

/// KL[q(z|x) ‖ N(0, I)], summed over the batch.
pub(super) fn prior_kl(mean: &[f32], log_var: &[f32]) -> f64 {
    let terms = mean
        .iter()
        .zip(log_var)
        .map(|(m, v)| 1.0 + v - m * m - v.exp());
    -0.5 * terms.map(f64::from).sum::<f64>()
}

/// The mean over all pairs of KL[q(z|x_i) ‖ q(z|x_j)] between Gaussians over `z` dimensions. With a
/// `gradient`, `weight` times its derivatives are added to those of the means and the log-variances.
///
/// With Σμ = 0 in each dimension, which a shift brings about that changes no term,
/// Σ_ij [σ²_i/σ²_j + (μ_i − μ_j)²/σ²_j] = Σσ² · Σr + Σμ² · Σr + B · Σμ²r, where r = 1/σ²: sums over the
/// batch alone. The logarithms cancel in the mean.
pub(super) fn pairwise_kl(
    mean: &[f32],
    log_var: &[f32],
    z: usize,
    mut gradient: Option<(&mut [f32], &mut [f32], f64)>,
) -> f64 {
    let batch = (mean.len() / z) as f64;
    let pairs = batch * batch;
    let mut sum = 0.0;
    for d in 0..z {
        let codes = || (d..mean.len()).step_by(z);
        let center = codes().map(|i| f64::from(mean[i])).sum::<f64>() / batch;
        let at = |i: usize| {
            let variance = f64::from(log_var[i]).exp() + VARIANCE_FLOOR;
            (f64::from(mean[i]) - center, variance, 1.0 / variance)
        };
        let (mut s, mut r, mut mm, mut mr, mut mmr) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (m, variance, precision) in codes().map(at) {
            s += variance;
            r += precision;
            mm += m * m;
            mr += m * precision;
            mmr += m * m * precision;
        }
        sum += 0.5 * ((s * r + mm * r + batch * mmr) / pairs - 1.0);
        let Some((d_mean, d_log_var, weight)) = &mut gradient else {
            continue;
        };
        let weight = *weight / pairs;
        for i in codes() {
            let (m, variance, precision) = at(i);
            d_mean[i] += (weight * (m * r - mr + batch * m * precision)) as f32;
            let by_variance = 0.5 * (r - precision * precision * (s + mm + batch * m * m));
            d_log_var[i] += (weight * by_variance * (variance - VARIANCE_FLOOR)) as f32;
        }
    }
    sum
}
