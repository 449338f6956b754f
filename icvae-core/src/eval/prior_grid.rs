//! Codes that cover the prior evenly.

use tch::{Device, Kind, Tensor};

use crate::{Error, Result};

/// How much of the prior lies beyond each edge of the grid.
const BEYOND: f64 = 0.05;

/// A grid of `steps` × `steps` codes over the first two latent dimensions, `[steps², Z]`, row by row from
/// the top left as an image grid shows them: z₁ grows to the right and z₂ upwards; the other dimensions
/// are 0, the middle of the prior.
///
/// The lines of the grid are the quantiles Φ⁻¹(0.05), …, Φ⁻¹(0.95) of the prior N(0, 1), evenly spaced in
/// probability: between any two neighbours lies the same share of the prior (Kingma and Welling 2013,
/// appendix A).
///
/// ```
/// # fn main() -> icvae_core::Result<()> {
/// use icvae_core::{eval, tch::Device};
///
/// let z = eval::prior_grid(15, 2, Device::Cpu)?;
/// assert_eq!(z.size(), [225, 2]);
/// assert!((z.double_value(&[0, 1]) - 1.645).abs() < 1e-3); // 95 % of N(0, 1) lie below
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If there are less than 2 steps or 2 latent dimensions.
pub fn prior_grid(steps: usize, latent: i64, device: Device) -> Result<Tensor> {
    if steps < 2 || latent < 2 {
        return Err(Error::Invalid(format!(
            "a grid over two dimensions of the prior needs at least 2 steps and 2 latent dimensions, \
             not {steps} and {latent}"
        )));
    }
    let n = steps as i64;
    let shares = Tensor::f_linspace(BEYOND, 1.0 - BEYOND, n, (Kind::Double, Device::Cpu))?;
    let line = shares.f_special_ndtri()?.to_kind(Kind::Float);
    let across = line.f_repeat([n])?;
    let up = line
        .f_flip([0i64])?
        .f_repeat_interleave_self_int(n, 0, None)?;
    let plane = Tensor::f_stack(&[across, up], 1)?.to_device(device);
    Ok(plane.f_constant_pad_nd([0, latent - 2])?)
}
