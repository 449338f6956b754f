//! Activation functions and their derivatives over numbers in memory.

use super::wide::wide;
use crate::activation::Activation;

/// e^x − 1 as s·p + (s − 1) with s = 2ⁿ: (p, s), for |x| ≤ 87.
///
/// x = n·log 2 + r with |r| ≤ ½ log 2, and p = e^r − 1 by Taylor's series, whose next term is below half a
/// unit in the last place.
#[inline(always)]
fn exponential(x: f32) -> (f32, f32) {
    // Adding 1.5 · 2²³ rounds to a whole number, which then stands in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    // log 2 in two parts: the first has so few digits that n times it is exact.
    const LOG2_HIGH: f32 = 0.693_359_4;
    const LOG2_LOW: f32 = -2.121_944_4e-4;
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * LOG2_HIGH - n * LOG2_LOW;
    let series = 1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0));
    let series = 0.5 + r * (1.0 / 6.0 + r * (1.0 / 24.0 + r * series));
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(0x3f80_0000));
    (r + r * r * series, scale)
}

/// Within ±`limit`; what is no number stays none.
#[inline(always)]
fn within(x: f32, limit: f32) -> f32 {
    let x = if x > limit { limit } else { x };
    if x < -limit { -limit } else { x }
}

/// e^x − 1.
#[inline(always)]
pub(crate) fn exp_m1(x: f32) -> f32 {
    let (p, s) = exponential(within(x, 87.0));
    s * p + (s - 1.0)
}

/// e^x, infinite from where floats nearly end: a loss that overflows must not look healthy.
#[inline(always)]
pub(crate) fn exp(x: f32) -> f32 {
    let (p, s) = exponential(within(x, 87.0));
    if x > 87.0 { f32::INFINITY } else { s * p + s }
}

/// tanh x = e / (e + 2) with e = e^(2x) − 1.
#[inline(always)]
fn tanh(x: f32) -> f32 {
    // From 10 on it is 1 in every digit.
    let e = exp_m1(within(2.0 * x.abs(), 20.0));
    (e / (e + 2.0)).copysign(x)
}

/// log(1 + u) = 2 artanh(u / (2 + u)) for u in [0, 1], by its series: the next term is below half a unit in the
/// last place.
#[inline(always)]
fn ln_1p(u: f32) -> f32 {
    let s = u / (2.0 + u);
    let q = s * s;
    let series = 1.0 / 9.0 + q * (1.0 / 11.0 + q * (1.0 / 13.0 + q * (1.0 / 15.0)));
    let series = 1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * series));
    2.0 * (s + s * q * series)
}

/// log(1 + e^x).
#[inline(always)]
pub(crate) fn softplus(x: f32) -> f32 {
    (if x < 0.0 { 0.0 } else { x }) + ln_1p(exp(-x.abs()))
}

/// 1 / (1 + e^(−x)).
#[inline(always)]
pub(crate) fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Whether the derivative can be told from the function's value alone.
pub(crate) fn is_derivable_from_value(activation: Activation) -> bool {
    !matches!(activation, Activation::LeakyRelu(slope) if slope < 0.0 || slope.is_nan())
}

/// a ← f(a).
pub(crate) fn activate(activation: Activation, a: &mut [f32]) {
    #[inline(always)]
    fn each(a: &mut [f32], f: impl Fn(f32) -> f32) {
        for a in a {
            *a = f(*a);
        }
    }
    wide(|| match activation {
        Activation::Linear => {}
        Activation::Tanh => each(a, tanh),
        Activation::Relu => each(a, |a| if a < 0.0 { 0.0 } else { a }),
        Activation::LeakyRelu(slope) => {
            let slope = slope as f32;
            each(a, |a| if a < 0.0 { slope * a } else { a });
        }
        Activation::Elu => each(a, |a| if a > 0.0 { a } else { exp_m1(a) }),
        Activation::Sigmoid => each(a, sigmoid),
        Activation::Softplus => each(a, softplus),
    });
}

/// d ← g · f′(a), written with h = f(a).
pub(crate) fn derive(activation: Activation, h: &[f32], g: &[f32], d: &mut [f32]) {
    #[inline(always)]
    fn each(h: &[f32], g: &[f32], d: &mut [f32], f: impl Fn(f32, f32) -> f32) {
        for ((d, &h), &g) in d.iter_mut().zip(h).zip(g) {
            *d = f(g, h);
        }
    }
    wide(|| match activation {
        Activation::Linear => d.copy_from_slice(g),
        Activation::Tanh => each(h, g, d, |g, h| g * (1.0 - h * h)),
        Activation::Relu => each(h, g, d, |g, h| if h > 0.0 { g } else { 0.0 }),
        Activation::LeakyRelu(slope) => {
            let slope = slope as f32;
            each(h, g, d, |g, h| if h > 0.0 { g } else { slope * g });
        }
        Activation::Elu => each(h, g, d, |g, h| if h > 0.0 { g } else { g * (h + 1.0) }),
        Activation::Sigmoid => each(h, g, d, |g, h| g * (h * (1.0 - h))),
        Activation::Softplus => each(h, g, d, |g, h| g * -exp_m1(-h)),
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_functions_are_those_of_double_precision() {
        type Exact = fn(f64) -> f64;
        let functions: [(Activation, Exact); 4] = [
            (Activation::Tanh, f64::tanh),
            (Activation::Sigmoid, |x| 1.0 / (1.0 + (-x).exp())),
            (Activation::Elu, |x| if x > 0.0 { x } else { x.exp_m1() }),
            (Activation::Softplus, |x| {
                x.max(0.0) + (-x.abs()).exp().ln_1p()
            }),
        ];
        let whole = (-8000..=8000).map(|i| i as f32 * 0.01);
        let tiny = (0..60).flat_map(|i| [1.0, -1.0].map(|sign| sign * 2.0_f32.powi(-i)));
        for x in whole.chain(tiny) {
            for (activation, f) in functions {
                let mut a = [x];
                activate(activation, &mut a);
                let (found, expected) = (f64::from(a[0]), f(f64::from(x)));
                // Four units in the last place.
                let apart = (found - expected).abs() / expected.abs().max(1e-37);
                assert!(apart < 5e-7, "{activation} {x}: {found} is not {expected}");
            }
        }
        for activation in [
            Activation::Tanh,
            Activation::Relu,
            Activation::LeakyRelu(0.1),
            Activation::Elu,
            Activation::Sigmoid,
            Activation::Softplus,
        ] {
            let mut a = [f32::NAN];
            activate(activation, &mut a);
            assert!(a[0].is_nan(), "{activation} made a number of NaN");
        }
    }
}
