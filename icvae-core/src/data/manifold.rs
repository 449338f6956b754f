//! Points near curves in the plane: data whose true shape is known and can be drawn.

use std::f64::consts::PI;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Normal};
use tch::{Device, Kind, Tensor};

use super::Dataset;
use crate::{Error, Result};

/// Points near a one-dimensional manifold of one or more pieces, on the CPU.
#[derive(Debug)]
pub struct Manifold {
    /// The points `[N, 2]`, with their noise; the label of each is its piece of the manifold.
    pub data: Dataset,
    /// The same points on the manifold itself, without noise: float `[N, 2]`.
    pub clean: Tensor,
    /// How far along its piece each point lies, from 0 to 1: float `[N]`.
    pub t: Tensor,
}

/// `n` points at random places of an S in the unit square, with Gaussian noise of a standard deviation
/// on both coordinates (0 for points that lie on the S exactly).
///
/// ```
/// # fn main() -> icvae_core::Result<()> {
/// let s = icvae_core::data::manifold::s_curve(300, 0.0, 0)?;
/// assert_eq!(s.data.x().size(), [300, 2]);
/// assert_eq!(s.t.size(), [300]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If there is no point, or the noise is negative or no number.
pub fn s_curve(n: usize, noise: f64, seed: u64) -> Result<Manifold> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let t: Vec<f32> = (0..n).map(|_| rng.random()).collect();
    let t = Tensor::f_from_slice(&t)?;
    let clean = s_curve_at(&t)?;
    Manifold::new(clean, t, &vec![0; n], noise, &mut rng)
}

/// The points of the S at given places, float `[N]` from 0 (its upper end) to 1: float `[N, 2]`.
///
/// With τ = 3π(t − ½), x₁ = (1 + sin τ)/2 and x₂ = (sign(τ)·(cos τ − 1) + 2)/4: two three-quarter circles,
/// squeezed into the unit square. (The curve of scikit-learn's `make_s_curve`, without its width.)
///
/// # Errors
/// If `t` has no single dimension.
pub fn s_curve_at(t: &Tensor) -> Result<Tensor> {
    if t.dim() != 1 {
        return Err(Error::Shape {
            what: "the places along the S",
            expected: "[N]".into(),
            found: t.size(),
        });
    }
    let tau = (t - 0.5) * (3.0 * PI);
    let across: Tensor = (tau.sin() + 1.0) * 0.5;
    let up: Tensor = (tau.sign() * (tau.cos() - 1.0) + 2.0) * 0.25;
    Ok(Tensor::f_stack(&[across, up], 1)?)
}

/// `n` points along a sine, x₂ = sin x₁ with x₁ from −2.2 to 2.2 (piece 0), and `n` around a circle of
/// radius ½ about (1.5, −0.5) (piece 1): a manifold of two pieces that do not touch, evenly spaced, with
/// Gaussian noise of a standard deviation on both coordinates.
///
/// ```
/// # fn main() -> icvae_core::Result<()> {
/// let two = icvae_core::data::manifold::sine_and_circle(1000, 0.06, 0)?;
/// assert_eq!(two.data.x().size(), [2000, 2]);
/// assert_eq!(two.data.classes(), 2);
/// assert_eq!(two.data.labels().int64_value(&[1500]), 1);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If there is no point, or the noise is negative or no number.
pub fn sine_and_circle(n: usize, noise: f64, seed: u64) -> Result<Manifold> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let t = Tensor::f_linspace(0.0, 1.0, n as i64, (Kind::Float, Device::Cpu))?;
    let x1 = &t * 4.4 - 2.2;
    let sine = Tensor::f_stack(&[&x1, &x1.sin()], 1)?;
    let around = &t * (2.0 * PI);
    let circle = Tensor::f_stack(&[around.sin() * 0.5 + 1.5, around.cos() * 0.5 - 0.5], 1)?;
    let clean = Tensor::f_cat(&[sine, circle], 0)?;
    let pieces: Vec<_> = (0..2 * n).map(|i| i64::from(i >= n)).collect();
    Manifold::new(
        clean,
        Tensor::f_cat(&[&t, &t], 0)?,
        &pieces,
        noise,
        &mut rng,
    )
}

impl Manifold {
    fn new(
        clean: Tensor,
        t: Tensor,
        pieces: &[i64],
        noise: f64,
        rng: &mut ChaCha8Rng,
    ) -> Result<Self> {
        let normal = match Normal::new(0.0, noise) {
            Ok(normal) if noise >= 0.0 => normal,
            _ => {
                return Err(Error::Invalid(format!(
                    "the noise of a manifold is {noise}, but must be a standard deviation of 0 or more"
                )));
            }
        };
        let Some(last) = pieces.last() else {
            return Err(Error::Invalid(
                "there are no points on the manifold: ask for at least 1".into(),
            ));
        };
        let noise: Vec<f32> = normal
            .sample_iter(rng)
            .take(clean.numel())
            .map(|x: f64| x as f32)
            .collect();
        let x = &clean + Tensor::f_from_slice(&noise)?.f_view_as(&clean)?;
        Ok(Self {
            data: Dataset::points(x, Tensor::f_from_slice(pieces)?, last + 1)?,
            clean,
            t,
        })
    }
}
