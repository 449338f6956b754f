//! Pictures that follow one another, as a GIF.

use std::path::Path;

use super::bitmap::Bitmap;
use super::figure::save;
use super::{DENSITY, Figure, PlotError};
use crate::interrupt::interrupted;
use crate::{Error, Result};

/// Figures of one size, shown one after the other, again and again: a GIF.
///
/// A GIF has one pixel to a CSS pixel, half as many each way as its figures, and one set of up to 255 colours
/// (16 greys, where all figures are grey). A frame holds only what has changed since the one before.
///
/// ```
/// use icvae_core::plot::{Animation, Scatter};
/// use icvae_core::tch::{Device, Kind, Tensor};
///
/// let frames = [1.0, 2.0, 3.0].map(|spread| {
///     let code = Tensor::randn([200, 2], (Kind::Float, Device::Cpu)) * spread;
///     let plot = Scatter::new().points("a code", &code).x_limits(-9.0, 9.0).y_limits(-9.0, 9.0);
///     plot.title(format!("standard deviation {spread}")).draw()
/// });
/// let frames = frames.into_iter().collect::<icvae_core::Result<Vec<_>>>()?;
/// let animation = Animation::new("A code grows", &frames, 0.2)?;
/// assert!(animation.gif().starts_with(b"GIF89a"));
/// assert!(animation.alt().starts_with("A code grows: an animation of 3 frames."));
/// # Ok::<(), icvae_core::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Animation {
    gif: Vec<u8>,
    size: (u32, u32),
    alt: String,
}

/// How much longer than the others the last frame stays.
const LAST: f64 = 10.0;

/// Steps between black and white.
const GREYS: u8 = 15;

impl Animation {
    /// Puts frames together. `title` begins the text for those who can't see the picture, which ends with
    /// what the last frame shows; `seconds` is how long each frame stays, the last one ten times as long.
    ///
    /// # Errors
    /// If there is no frame, their sizes differ, the time makes no sense, or somebody interrupts.
    pub fn new(title: &str, frames: &[Figure], seconds: f64) -> Result<Self> {
        let Some(last) = frames.last() else {
            return Err(PlotError::Empty("the frames of an animation".into()).into());
        };
        if !(0.02..=60.0).contains(&seconds) {
            return Err(PlotError::Invalid(format!(
                "a frame of an animation stays {seconds} s, but must stay from 0.02 to 60"
            ))
            .into());
        }
        let size = last.size();
        if let Some(at) = frames.iter().position(|frame| frame.size() != size) {
            let (wide, high) = frames[at].size();
            return Err(PlotError::Invalid(format!(
                "frame {at} of an animation has {wide} × {high} pixels and the last one {} × {}: \
                 give all one size, for instance by fixed limits of the axes and titles of one line",
                size.0, size.1
            ))
            .into());
        }
        let (Ok(width), Ok(height)) = (u16::try_from(size.0), u16::try_from(size.1)) else {
            return Err(PlotError::TooLarge {
                width: size.0.into(),
                height: size.1.into(),
            }
            .into());
        };
        let mut pixels =
            Vec::with_capacity(frames.len() * usize::from(width) * usize::from(height));
        for (i, frame) in frames.iter().enumerate() {
            asked(i, frames.len())?;
            pixels.extend(halved(frame.bitmap()));
        }
        let (palette, indices) = colors(&pixels, size.0);
        let gif = encode(&palette, &indices, (width, height), seconds)?;
        let count = frames.len();
        let s = if count == 1 { "" } else { "s" };
        Ok(Self {
            gif,
            size,
            alt: format!(
                "{title}: an animation of {count} frame{s}. The last one: {}",
                last.alt()
            ),
        })
    }

    /// The GIF's bytes.
    pub fn gif(&self) -> &[u8] {
        &self.gif
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        self.size
    }

    /// The animation in words, for those who cannot see it.
    pub fn alt(&self) -> &str {
        &self.alt
    }

    /// The same animation with another text for those who cannot see it.
    pub fn with_alt(mut self, alt: impl Into<String>) -> Self {
        self.alt = alt.into();
        self
    }

    /// Writes the GIF; a file that is already there is replaced once the new one is complete.
    ///
    /// # Errors
    /// [`Error::Io`](crate::Error::Io) if the folder cannot be made or written to.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path.as_ref(), &self.gif)
    }
}

fn asked(frame: usize, count: usize) -> Result<()> {
    if interrupted() {
        return Err(Error::Interrupted(format!(
            "the animation was interrupted at frame {} of {count}",
            frame + 1
        )));
    }
    Ok(())
}

/// The means of squares of [`DENSITY`]² pixels.
fn halved(bitmap: &Bitmap) -> Vec<[u8; 3]> {
    let (n, width) = (DENSITY as usize, bitmap.width as usize);
    let (pixels, _) = bitmap.rgb.as_chunks::<3>();
    let mut means = Vec::with_capacity(pixels.len() / (n * n));
    for lines in pixels.chunks_exact(width * n) {
        for x in (0..width).step_by(n) {
            let square = (0..n * n).map(|i| lines[i / n * width + x + i % n]);
            let sums = square.fold([0_u32; 3], |sum, p| {
                [0, 1, 2].map(|i| sum[i] + u32::from(p[i]))
            });
            means.push(sums.map(|sum| (sum / (n * n) as u32) as u8));
        }
    }
    means
}

/// One palette of at most 255 colours for all frames, and each pixel's entry in it.
fn colors(pixels: &[[u8; 3]], width: u32) -> (Vec<u8>, Vec<u8>) {
    if pixels.iter().all(|p| p[0] == p[1] && p[1] == p[2]) {
        let step = 255 / GREYS;
        let palette = (0..=GREYS).flat_map(|i| [i * step; 3]).collect();
        let nearest = |p: &[u8; 3]| (u16::from(p[0]) + u16::from(step) / 2) / u16::from(step);
        return (palette, pixels.iter().map(|p| nearest(p) as u8).collect());
    }
    let all = Bitmap {
        width,
        height: pixels.len() as u32 / width,
        rgb: pixels.concat(),
    };
    let (palette, indices, _) = all.nearest_palette(255, 0);
    (palette, indices)
}

/// Writes the frames, each as the smallest rectangle that holds what has changed, with an entry beyond the
/// palette for what has not.
fn encode(
    palette: &[u8],
    indices: &[u8],
    (width, height): (u16, u16),
    seconds: f64,
) -> Result<Vec<u8>> {
    let failed = |error: gif::EncodingError| PlotError::Gif(error.to_string());
    let transparent = (palette.len() / 3) as u8;
    let row = usize::from(width);
    let frames: Vec<_> = indices.chunks_exact(row * usize::from(height)).collect();
    let mut bytes = Vec::new();
    let mut encoder = gif::Encoder::new(&mut bytes, width, height, palette).map_err(failed)?;
    encoder.set_repeat(gif::Repeat::Infinite).map_err(failed)?;
    for (i, frame) in frames.iter().enumerate() {
        asked(i, frames.len())?;
        let stays = if i + 1 == frames.len() { LAST } else { 1.0 };
        let before = i.checked_sub(1).map(|before| frames[before]);
        let changed = |at: &usize| before.is_none_or(|before| before[*at] != frame[*at]);
        let places = || (0..frame.len()).filter(changed);
        // A frame in which nothing changes is one pixel.
        let (left, right) = places().fold((row - 1, 0), |(left, right), at| {
            (left.min(at % row), right.max(at % row))
        });
        let (top, bottom) = match (places().next(), places().next_back()) {
            (Some(first), Some(last)) => (first / row, last / row),
            _ => (0, 0),
        };
        let (left, right) = if left > right { (0, 0) } else { (left, right) };
        let buffer = (top..=bottom)
            .flat_map(|y| (left..=right).map(move |x| y * row + x))
            .map(|at| if changed(&at) { frame[at] } else { transparent })
            .collect::<Vec<_>>();
        let frame = gif::Frame {
            delay: (seconds * stays * 100.0).round() as u16,
            dispose: gif::DisposalMethod::Keep,
            transparent: before.map(|_| transparent),
            left: left as u16,
            top: top as u16,
            width: (right - left + 1) as u16,
            height: (bottom - top + 1) as u16,
            buffer: buffer.into(),
            ..Default::default()
        };
        encoder.write_frame(&frame).map_err(failed)?;
    }
    drop(encoder);
    Ok(bytes)
}
