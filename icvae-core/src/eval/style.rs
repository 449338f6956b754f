//! What two images of different classes can have in common, as numbers.

use tch::{Kind, Tensor};

use crate::{Error, Result};

/// The ink of images `[B, P]`: the sum of their pixels, each held to [0, 1], `[B]`.
pub fn ink(x: &Tensor) -> Tensor {
    x.clamp(0.0, 1.0).sum_dim_intlist(-1, false, Kind::Float)
}

/// How far the strokes of square images `[B, P]` lean: columns to the right for each row upwards, the slope of
/// the regression of a pixel's column on its row, each weighed by its ink, `[B]`.
///
/// # Errors
/// If the images are not square.
pub fn slant(x: &Tensor) -> Result<Tensor> {
    let pixels = x.size().get(1).copied().unwrap_or(0);
    let side = (pixels as f64).sqrt() as i64;
    if x.dim() != 2 || side * side != pixels || side == 0 {
        return Err(Error::Shape {
            what: "the images whose slant is measured",
            expected: "[B, P] with P the square of their side".into(),
            found: x.size(),
        });
    }
    let x = x.clamp(0.0, 1.0);
    let axis = Tensor::arange(side, (Kind::Float, x.device()));
    let up = -axis.repeat_interleave_self_int(side, 0, None); // the row of each pixel, counted upwards
    let right = axis.repeat([side]);
    let ink = x.sum_dim_intlist(-1, true, Kind::Float).clamp_min(1e-6);
    let mean = |of: &Tensor| (&x * of).sum_dim_intlist(-1, true, Kind::Float) / &ink; // [B, 1]
    let (up_mean, right_mean) = (mean(&up), mean(&right));
    let (up, right) = (up - up_mean, right - right_mean); // [B, P]
    let over = |t: Tensor| (&x * t).sum_dim_intlist(-1, false, Kind::Float);
    Ok(over(&up * &right) / over(up.square()).clamp_min(1e-6))
}
