//! Dropout by libtorch's own draws, which take it longer than the layers around them.

use tch::Tensor;

use super::node::{is_plain, set_by_chance};
use crate::Result;

/// Sets each number to 0 with probability p, and divides what stays by 1 − p: what libtorch's dropout gives in
/// training, to the last bit, and what it leaves of its generator.
///
/// # Errors
/// As libtorch's.
pub(crate) fn dropout(x: &Tensor, p: f64) -> Result<Tensor> {
    if p <= 0.0 || p >= 1.0 || !is_plain(x) {
        return Ok(x.f_dropout(p, true)?);
    }
    let kept = 1.0 - p;
    let mut factors = x.detach().f_empty_like()?;
    set_by_chance(&mut factors, kept, 1.0 / kept as f32)?;
    Ok(x.f_mul(&factors)?)
}
