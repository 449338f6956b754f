//! Digits drawn by this crate, where MNIST cannot be had: strokes, a hand that varies, and a soft
//! pen.
//!
//! Image i is a pure function of the seed and of i, so a larger set starts with the smaller one.

mod glyphs;
mod hand;
mod pen;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tch::Tensor;

use super::Dataset;
use crate::interrupt::interrupted;
use crate::{Error, Result};
pub use hand::Style;

/// Rows and columns of an image, as in MNIST.
const SIDE: usize = 28;

/// Draws `count` labelled digits, and tells the style of each.
///
/// ```
/// # fn main() -> icvae_core::Result<()> {
/// let (data, styles) = icvae_core::data::synthetic::draw(100, 7)?;
/// assert_eq!((data.len(), styles.len()), (100, 100));
/// assert_eq!(data.image_shape(), (28, 28));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If libtorch has no memory for them, or somebody interrupts.
pub fn draw(count: usize, seed: u64) -> Result<(Dataset, Vec<Style>)> {
    let mut images = vec![0_u8; count * SIDE * SIDE];
    let drawn: Vec<(i64, Style)> = images
        .par_chunks_exact_mut(SIDE * SIDE)
        .enumerate()
        .map(|(i, image)| {
            if interrupted() {
                return Err(Error::Interrupted(format!(
                    "drawing {count} digits was interrupted"
                )));
            }
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            rng.set_stream(i as u64);
            let digit = rng.random_range(0..10_usize);
            let style = Style::random(digit, &mut rng);
            let strokes = hand::write(digit, &style, &mut rng);
            pen::draw(&strokes, style.ink, image);
            Ok((digit as i64, style))
        })
        .collect::<Result<_>>()?;
    let (labels, styles): (Vec<i64>, Vec<Style>) = drawn.into_iter().unzip();
    let side = SIDE as i64;
    let images = Tensor::f_from_slice(&images)?.f_view([count as i64, side * side])?;
    let data = Dataset::new(images, Tensor::f_from_slice(&labels)?, (side, side), 10)?;
    Ok((data, styles))
}
