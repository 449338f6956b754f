//! Data to pixels: image grids, curves, scatters, heat maps and histograms as finished figures, and
//! animations of them.
//!
//! Each kind of picture is a builder whose `draw` gives a [`Figure`]: a PNG with two pixels to a CSS pixel (and an
//! SVG where that is smaller), its size, its title, a text that describes it to those who cannot see it, and notes
//! about anything the reader should know. Builders own copies of their data and report bad input when they draw.
//! [`figure()`] draws anything else, with all that [`crate::plotters`] has.
//!
//! From data to file: a builder (`curves.rs`, …) reads its [input](Points) and says what it shows; `chart.rs` lays
//! out everything around the data and lets plotters draw it, with the coordinates of `axis.rs` and the sizes and
//! marks of `theme.rs`; plotters draws on `backend.rs`, which fills a `bitmap.rs` and writes an `svg.rs`.
//!
//! ```
//! use icvae_core::plot::Curves;
//!
//! let figure = Curves::new("Loss on test digits")
//!     .x_label("epoch")
//!     .y_label("loss per image")
//!     .series("total", &[78.9, 75.8, 73.1, 71.6, 70.8])
//!     .draw()?;
//! assert_eq!(figure.size().0, 720);
//! # Ok::<(), icvae_core::Error>(())
//! ```

mod animation;
mod axis;
mod backend;
mod bitmap;
mod chart;
mod color;
mod curves;
mod figure;
mod font;
mod heatmap;
mod histogram;
mod image_grid;
mod input;
mod scatter;
mod svg;
mod theme;

pub use animation::Animation;
pub use backend::{Area, Backend};
pub use color::{CLASS_COLORS, ColorMap, LINE_COLORS, Rgb};
pub use curves::Curves;
pub use figure::{Figure, figure};
pub use heatmap::Heatmap;
pub use histogram::Histogram;
pub use image_grid::ImageGrid;
pub use input::Points;
pub use scatter::Scatter;

/// Why a figure could not be drawn.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlotError {
    /// A tensor of another shape than the picture needs.
    #[error("{what} must have the shape {expected}, but the shape given is {found:?}")]
    Shape {
        /// The tensor in question.
        what: String,
        /// The shape it should have.
        expected: String,
        /// The shape it has.
        found: Vec<i64>,
    },
    /// Nothing to draw.
    #[error("{0} hold nothing to draw: pass at least one value")]
    Empty(String),
    /// NaN or an infinity where every value is needed.
    #[error("{what} hold {value} at position {index}: only finite values can be drawn")]
    NotFinite {
        /// What held it.
        what: String,
        /// NaN or an infinity.
        value: f64,
        /// Its place in row-major order, counted from 0.
        index: usize,
    },
    /// A choice that makes no sense, and what to choose instead.
    #[error("{0}")]
    Invalid(String),
    /// A picture beyond what a browser shows.
    #[error(
        "the figure would have {width} × {height} pixels, but {MOST_PIXELS} pixels in all are the \
         most: draw fewer or smaller images"
    )]
    TooLarge {
        /// Pixels from left to right.
        width: u64,
        /// Pixels from top to bottom.
        height: u64,
    },
    /// The GIF could not be made.
    #[error("the GIF of the animation failed: {0}")]
    Gif(String),
    /// Plotters, or the closure that draws a figure of one's own, failed.
    #[error("the figure could not be drawn: {0}")]
    Drawing(String),
    /// The PNG could not be made.
    #[error("the PNG of the figure failed: {0}")]
    Png(String),
}

/// The most pixels a figure may have.
const MOST_PIXELS: u64 = 64_000_000;

/// PNG pixels to a CSS pixel.
const DENSITY: u32 = 2;
