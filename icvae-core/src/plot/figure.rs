//! A finished picture.

use std::error::Error as StdError;
use std::path::Path;
use std::sync::OnceLock;

use plotters::prelude::WHITE;

use super::backend::{Area, Canvas};
use super::bitmap::Bitmap;
use super::theme::{self, MARGIN, Type};
use super::{DENSITY, PlotError, svg};
use crate::files::write_whole;
use crate::{Error, Result};

/// A finished picture: its pixels, and what a page needs to show it.
#[derive(Debug, Clone)]
pub struct Figure {
    bitmap: Bitmap,
    /// The elements of an SVG, where it has one.
    svg: Option<String>,
    png: OnceLock<Vec<u8>>,
    title: String,
    alt: String,
    notes: Vec<String>,
}

/// A figure of one's own: `draw` gets a [drawing area](Area) of [plotters](crate::plotters), white and of so many CSS
/// pixels, and draws on it whatever plotters can.
///
/// Lines, letters and discs have smooth edges; every family of fonts becomes the one of our figures. The largest text
/// becomes the figure's title, and all that is written its alternative text, until [`Figure::with_alt`] says more.
///
/// ```
/// use icvae_core::plot;
/// use icvae_core::plotters::prelude::*;
///
/// let figure = plot::figure((640, 400), |area| {
///     let mut chart = ChartBuilder::on(area)
///         .caption("A parabola", ("sans-serif", 22))
///         .margin(12)
///         .x_label_area_size(32)
///         .y_label_area_size(42)
///         .build_cartesian_2d(-1.0..1.0, 0.0..1.0)?;
///     chart.configure_mesh().x_desc("x").y_desc("x²").draw()?;
///     let points = (-50..=50).map(|i| f64::from(i) / 50.0).map(|x| (x, x * x));
///     chart.draw_series(LineSeries::new(points, BLUE.stroke_width(2)))?;
///     Ok(())
/// })?;
/// assert_eq!((figure.size(), figure.title()), ((640, 400), "A parabola"));
/// # Ok::<(), icvae_core::Error>(())
/// ```
///
/// # Errors
/// If the size is nothing or too large, or `draw` fails.
pub fn figure<F>(size: (u32, u32), draw: F) -> Result<Figure>
where
    F: FnOnce(&Area<'_>) -> std::result::Result<(), Box<dyn StdError>>,
{
    let mut canvas = Canvas::new(size, 1)?;
    let area = canvas.area();
    area.fill(&WHITE)
        .map_err(|e| PlotError::Drawing(e.to_string()))?;
    draw(&area).map_err(|e| PlotError::Drawing(e.to_string()))?;
    drop(area);
    Ok(Figure::new(
        canvas,
        String::new(),
        String::new(),
        Vec::new(),
    ))
}

impl Figure {
    /// What was drawn. Without a title, the largest text is one; without an alternative text, all texts are.
    pub(super) fn new(canvas: Canvas, title: String, alt: String, notes: Vec<String>) -> Self {
        let (bitmap, svg, texts) = canvas.finish();
        let mut figure = Self {
            bitmap,
            svg: svg.and_then(svg::Svg::body),
            png: OnceLock::new(),
            title,
            alt,
            notes,
        };
        if figure.alt.is_empty() {
            let most = texts.iter().map(|text| text.0).fold(0.0, f64::max);
            let largest = |text: &&(f64, String)| text.0 == most;
            if texts.iter().filter(largest).count() == 1 {
                figure.title = texts
                    .iter()
                    .find(largest)
                    .map(|t| t.1.clone())
                    .unwrap_or_default();
            }
            let words: Vec<&str> = texts.iter().map(|text| text.1.as_str()).collect();
            figure.alt = match words.as_slice() {
                [] => "A figure without words.".to_owned(),
                words => format!("A figure that says: {}.", words.join("; ")),
            };
        }
        figure
    }

    /// The PNG's bytes.
    pub fn png(&self) -> &[u8] {
        // Bytes in memory have no way to fail, and a canvas without pixels is refused before it is drawn on.
        self.png.get_or_init(|| {
            self.bitmap
                .encode()
                .expect("a bitmap in memory becomes a PNG")
        })
    }

    /// The same as SVG, where that is smaller: charts of lines and areas, not images and not many points.
    ///
    /// Colours of the theme are CSS variables with the light value behind them, such as `var(--figure-ink,#202020)`:
    /// `paper`, `ink`, `soft-ink`, `frame`, `grid`, `line-1` to `line-6`, `class-0` to `class-9`.
    pub fn svg(&self) -> Option<String> {
        let body = self
            .svg
            .as_ref()
            .filter(|body| body.len() < self.png().len())?;
        Some(svg::document(body, self.size(), &self.alt))
    }

    /// Width and height in CSS pixels; the PNG has twice as many each way.
    pub fn size(&self) -> (u32, u32) {
        (self.bitmap.width / DENSITY, self.bitmap.height / DENSITY)
    }

    /// The title that stands above the picture; empty if it has none.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The picture in words, for those who cannot see it.
    pub fn alt(&self) -> &str {
        &self.alt
    }

    /// Sentences about what was not drawn as asked, for instance rows that were added to a grid.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    pub(super) fn bitmap(&self) -> &Bitmap {
        &self.bitmap
    }

    /// The same picture with another text for those who cannot see it.
    pub fn with_alt(mut self, alt: impl Into<String>) -> Self {
        self.alt = alt.into();
        self
    }

    /// Writes the PNG, or the SVG if the file is called so and there is one; a file that is already there is replaced
    /// once the new one is complete.
    ///
    /// # Errors
    /// [`Error::Io`] if the folder cannot be made or written to; if there is no SVG.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if path
            .extension()
            .is_none_or(|e| !e.eq_ignore_ascii_case("svg"))
        {
            return save(path, self.png());
        }
        let Some(body) = &self.svg else {
            let problem = "a picture of pixels has no SVG: save it as .png".to_owned();
            return Err(PlotError::Invalid(problem).into());
        };
        let document = svg::document(body, self.size(), &self.alt);
        save(path, document.as_bytes())
    }

    /// One picture of several, side by side, under a common title (which may be empty).
    ///
    /// # Errors
    /// If there is none, or the result would be too large.
    pub fn beside(title: &str, figures: &[Figure]) -> Result<Figure> {
        Self::joined(title, figures, false)
    }

    /// One picture of several, one below the other, under a common title (which may be empty).
    ///
    /// # Errors
    /// If there is none, or the result would be too large.
    pub fn stacked(title: &str, figures: &[Figure]) -> Result<Figure> {
        Self::joined(title, figures, true)
    }

    /// One picture of several in rows of so many columns, under a common title (which may be empty): small multiples.
    ///
    /// ```
    /// use icvae_core::plot::{Curves, Figure};
    ///
    /// let small = |power: i32| {
    ///     let points: Vec<f64> = (0..20).map(|i| f64::from(i).powi(power)).collect();
    ///     Curves::new(format!("power {power}")).series("", &points).size(240, 200).draw()
    /// };
    /// let figures = (1..=6).map(small).collect::<icvae_core::Result<Vec<_>>>()?;
    /// assert_eq!(Figure::grid("", 3, &figures)?.size(), (720, 400));
    /// # Ok::<(), icvae_core::Error>(())
    /// ```
    ///
    /// # Errors
    /// If there is no figure or no column, or the result would be too large.
    pub fn grid(title: &str, columns: usize, figures: &[Figure]) -> Result<Figure> {
        if columns == 0 {
            let problem = "a grid of figures needs at least one column".to_owned();
            return Err(PlotError::Invalid(problem).into());
        }
        let rows = figures.chunks(columns).map(|row| Self::beside("", row));
        Self::stacked(title, &rows.collect::<Result<Vec<_>>>()?)
    }

    fn joined(title: &str, figures: &[Figure], downwards: bool) -> Result<Figure> {
        if figures.is_empty() {
            return Err(PlotError::Empty("figures to be joined".into()).into());
        }
        let (mut wide, mut high) = (0_u32, 0_u32);
        for (width, height) in figures.iter().map(Figure::size) {
            (wide, high) = if downwards {
                (wide.max(width), high.saturating_add(height))
            } else {
                (wide.saturating_add(width), high.max(height))
            };
        }
        let lines = Type::TITLE.wrap(title, f64::from(wide) - 2.0 * MARGIN);
        let header = theme::title_height(lines.len()).ceil() as u32;
        let mut canvas = Canvas::new((wide, high.saturating_add(header)), theme::UNITS)?;
        let area = canvas.area();
        area.fill(&WHITE)
            .and_then(|()| theme::draw_title((&area, theme::UNITS), &lines))
            .map_err(|e| PlotError::Drawing(e.to_string()))?;
        drop(area);
        let alts: Vec<&str> = figures.iter().map(Figure::alt).collect();
        let alt = match title {
            "" => alts.join(" "),
            title => format!("{title}: {}", alts.join(" ")),
        };
        // Which of the pictures a note is about.
        let of = |f: &Figure, note: &String| match f.title.as_str() {
            "" => note.clone(),
            title => format!("{title}: {note}"),
        };
        let notes = figures
            .iter()
            .flat_map(|f| f.notes.iter().map(move |note| of(f, note)));
        let notes = notes.collect();
        let mut whole = Figure::new(canvas, title.to_owned(), alt, notes);
        let (mut x, mut y) = (0, header);
        for figure in figures {
            whole.bitmap.paste(&figure.bitmap, x * DENSITY, y * DENSITY);
            let part = figure.svg.as_ref().map(|body| svg::moved(body, (x, y)));
            whole.svg = whole.svg.zip(part).map(|(whole, part)| whole + &part);
            if downwards {
                y += figure.size().1;
            } else {
                x += figure.size().0;
            }
        }
        Ok(whole)
    }
}

impl PartialEq for Figure {
    fn eq(&self, other: &Self) -> bool {
        // The PNG follows from the pixels.
        let words = |f: &Self| (f.title.clone(), f.alt.clone(), f.notes.clone());
        self.bitmap == other.bitmap && self.svg == other.svg && words(self) == words(other)
    }
}

impl Eq for Figure {}

pub(super) fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let path = path.to_owned();
    write_whole(&path, bytes).map_err(|source| Error::Io { path, source })
}
