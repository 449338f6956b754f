//! What callers pass in, as plain numbers on the CPU.

use tch::{Device, Kind, Tensor};

use super::PlotError;
use crate::Result;

/// Points of a curve: pairs (x, y), or values alone, which then stand at x = 1, 2, 3, ….
///
/// A tensor counts as values if its shape is `[T]`, as pairs if it is `[T, 2]`.
pub trait Points {
    /// The pairs (x, y).
    ///
    /// # Errors
    /// If a tensor has another shape.
    fn points(&self) -> Result<Vec<(f64, f64)>>;
}

impl Points for [(f64, f64)] {
    fn points(&self) -> Result<Vec<(f64, f64)>> {
        Ok(self.to_vec())
    }
}

impl Points for [f64] {
    fn points(&self) -> Result<Vec<(f64, f64)>> {
        Ok((1..).map(f64::from).zip(self.iter().copied()).collect())
    }
}

impl<T> Points for Vec<T>
where
    [T]: Points,
{
    fn points(&self) -> Result<Vec<(f64, f64)>> {
        self.as_slice().points()
    }
}

impl<T, const N: usize> Points for [T; N]
where
    [T]: Points,
{
    fn points(&self) -> Result<Vec<(f64, f64)>> {
        self.as_slice().points()
    }
}

impl Points for Tensor {
    fn points(&self) -> Result<Vec<(f64, f64)>> {
        match shape(self, "points")?.as_slice() {
            [_] => numbers(self, "points")?.points(),
            [_, 2] => pairs(self, "points"),
            found => Err(PlotError::Shape {
                what: "points".into(),
                expected: "[T] or [T, 2]".into(),
                found: found.to_vec(),
            }
            .into()),
        }
    }
}

/// The shape of a tensor that exists.
pub(super) fn shape(tensor: &Tensor, what: &str) -> Result<Vec<i64>> {
    if !tensor.defined() {
        return Err(PlotError::Empty(what.to_owned()).into());
    }
    Ok(tensor.size())
}

/// All values, row-major, whatever the tensor's kind and device.
pub(super) fn numbers(tensor: &Tensor, what: &str) -> Result<Vec<f64>> {
    if shape(tensor, what)?.contains(&0) {
        return Err(PlotError::Empty(what.to_owned()).into());
    }
    let flat = tensor
        .f_detach()?
        .f_to_device(Device::Cpu)?
        .f_to_kind(Kind::Double)?
        .f_contiguous()?
        .f_reshape([-1])?;
    Ok(Vec::<f64>::try_from(&flat)?)
}

/// The same, refusing NaN and infinities.
pub(super) fn finite_numbers(tensor: &Tensor, what: &str) -> Result<Vec<f64>> {
    let values = numbers(tensor, what)?;
    check_finite(&values, what)?;
    Ok(values)
}

pub(super) fn check_finite(values: &[f64], what: &str) -> Result<()> {
    match values.iter().position(|v| !v.is_finite()) {
        None => Ok(()),
        Some(index) => Err(PlotError::NotFinite {
            what: what.to_owned(),
            value: values[index],
            index,
        }
        .into()),
    }
}

/// Points in the plane from a tensor `[N, 2]`, all finite.
pub(super) fn pairs(tensor: &Tensor, what: &str) -> Result<Vec<(f64, f64)>> {
    let found = shape(tensor, what)?;
    if found.len() != 2 || found[1] != 2 {
        return Err(PlotError::Shape {
            what: what.to_owned(),
            expected: "[N, 2]".into(),
            found,
        }
        .into());
    }
    let values = finite_numbers(tensor, what)?;
    Ok(values.chunks_exact(2).map(|p| (p[0], p[1])).collect())
}

/// `count` values from a tensor `[N]` (or `[N, 1]`), all finite.
pub(super) fn column(tensor: &Tensor, count: usize, what: &str) -> Result<Vec<f64>> {
    let found = shape(tensor, what)?;
    let fits = match found.as_slice() {
        [n] | [n, 1] => usize::try_from(*n) == Ok(count),
        _ => false,
    };
    if !fits {
        return Err(PlotError::Shape {
            what: what.to_owned(),
            expected: format!("[{count}]"),
            found,
        }
        .into());
    }
    finite_numbers(tensor, what)
}
