//! Many small images in rows and columns.

use tch::{Kind, Tensor};

use super::canvas::{Align, Canvas, Rect};
use super::chart::{MARGIN, draw_title, title_height};
use super::font::Type;
use super::{DENSITY, Figure, PlotError, Rgb, input};
use crate::Result;

/// Grey images in rows and columns, in row-major order.
///
/// Values in [0, 1] (bytes: from 0 to 255) run from black to white in 64 steps; values beyond take
/// the colours of the ends. Each image is enlarged by a whole number of PNG pixels, without
/// smoothing. Where the grid has too few cells, rows are added and the figure's notes say how many;
/// where it has too many, cells stay empty.
///
/// ```
/// use icvae_core::plot::ImageGrid;
/// use icvae_core::tch::{Device, Kind, Tensor};
///
/// let images = Tensor::rand([20, 784], (Kind::Float, Device::Cpu)); // [N, H·W]
/// let figure = ImageGrid::new(&images, (28, 28), (2, 10))
///     .title("Noise")
///     .row_labels(["one", "two"])
///     .inverted(true)
///     .draw()?;
/// assert_eq!(figure.alt(), "Noise: 2 rows of 10 images of 28 × 28 pixels. Rows: one, two.");
/// # Ok::<(), icvae_core::Error>(())
/// ```
#[derive(Debug)]
pub struct ImageGrid {
    images: Result<Images>,
    image_shape: (i64, i64),
    grid: (usize, usize),
    title: String,
    x_label: String,
    y_label: String,
    row_labels: Option<Vec<String>>,
    column_labels: Option<Vec<String>>,
    splits: Vec<usize>,
    inverted: bool,
    gap: f64,
    image_size: Option<u32>,
    alt: Option<String>,
}

/// The images' pixels as they are drawn without inversion.
#[derive(Debug)]
struct Images {
    count: usize,
    grey: Vec<u8>,
    /// The share of values that lie far outside of [0, 1].
    outside: f64,
}

/// The width that a grid fills if nobody chooses a size for its images, in CSS pixels.
const FULL_WIDTH: f64 = 720.0;

/// Thickness of the line around each image, in CSS pixels.
const LINE: f64 = 1.0;

/// The space between columns on both sides of a split, in CSS pixels.
const SPLIT: f64 = 18.0;

/// How many steps lie between black and white. More are beyond the eye, but not free: a decoder's
/// output is never quite flat, and its noise is most of a picture's file.
const GREYS: f64 = 63.0;

/// How far outside of [0, 1] a linear output may stray before it is worth a note.
const SLACK: f64 = 0.5;

impl ImageGrid {
    /// `images` `[N, H·W]`, `[N, H, W]` or `[N, 1, H, W]`, floats in [0, 1] or bytes; `image_shape`
    /// is (H, W), `grid` (rows, columns).
    pub fn new(images: &Tensor, image_shape: (i64, i64), grid: (usize, usize)) -> Self {
        Self {
            images: Images::read(images, image_shape),
            image_shape,
            grid,
            title: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            row_labels: None,
            column_labels: None,
            splits: Vec::new(),
            inverted: false,
            gap: 6.0,
            image_size: None,
            alt: None,
        }
    }

    /// The title above the grid.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// What changes from left to right, written below the grid.
    pub fn x_label(mut self, label: impl Into<String>) -> Self {
        self.x_label = label.into();
        self
    }

    /// What changes from row to row, written upwards at the left.
    pub fn y_label(mut self, label: impl Into<String>) -> Self {
        self.y_label = label.into();
        self
    }

    /// A label at the left of each row. Rows that are added have none.
    pub fn row_labels<S: Into<String>>(mut self, labels: impl IntoIterator<Item = S>) -> Self {
        self.row_labels = Some(labels.into_iter().map(Into::into).collect());
        self
    }

    /// A label above each column.
    pub fn column_labels<S: Into<String>>(mut self, labels: impl IntoIterator<Item = S>) -> Self {
        self.column_labels = Some(labels.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the columns up to this one (counted from 1) a little apart from those after it. May be
    /// called again.
    pub fn split_after_column(mut self, column: usize) -> Self {
        self.splits.push(column);
        self
    }

    /// Whether 1 − x is drawn in place of x: ink on paper rather than chalk on slate.
    pub fn inverted(mut self, inverted: bool) -> Self {
        self.inverted = inverted;
        self
    }

    /// Leaves out the space and the lines between images: for a manifold that is one picture.
    pub fn seamless(mut self) -> Self {
        self.gap = 0.0;
        self
    }

    /// The width of an image in CSS pixels, rounded to whole PNG pixels for each of its own;
    /// without it, the grid fills the width of a notebook.
    pub fn image_size(mut self, css_pixels: u32) -> Self {
        self.image_size = Some(css_pixels);
        self
    }

    /// The picture in words, in place of those made from its content.
    pub fn alt(mut self, alt: impl Into<String>) -> Self {
        self.alt = Some(alt.into());
        self
    }

    /// Draws the grid.
    ///
    /// # Errors
    /// If there are no images, they do not have the shape named, a value is NaN, the grid has no
    /// cell, or the number of labels is not that of rows or columns.
    pub fn draw(mut self) -> Result<Figure> {
        let (rows, columns) = self.grid;
        if rows == 0 || columns == 0 {
            return Err(PlotError::Invalid(format!(
                "a grid of {rows} × {columns} has no cell: choose at least one row and one column"
            ))
            .into());
        }
        for (labels, count, what) in [
            (&self.row_labels, rows, "row"),
            (&self.column_labels, columns, "column"),
        ] {
            if let Some(labels) = labels
                && labels.len() != count
            {
                return Err(PlotError::Invalid(format!(
                    "there are {} {what} labels for {count} {what}s: give one for each",
                    labels.len()
                ))
                .into());
            }
        }
        if let Some(split) = self.splits.iter().find(|s| **s == 0 || **s >= columns) {
            return Err(PlotError::Invalid(format!(
                "a split after column {split} separates nothing in a grid of {columns} columns"
            ))
            .into());
        }
        let mut images = std::mem::replace(&mut self.images, Err(empty()))?;
        if self.inverted {
            images.grey.iter_mut().for_each(|v| *v = 255 - *v);
        }

        let mut notes = Vec::new();
        let needed = images.count.div_ceil(columns);
        if needed > rows {
            let added = needed - rows;
            let were = if added == 1 { "row was" } else { "rows were" };
            notes.push(format!(
                "A grid of {rows} × {columns} is too small for {} images: {added} {were} added.",
                images.count
            ));
        }
        if images.outside > 0.01 {
            notes.push(format!(
                "{:.0} % of the pixels lie far outside of [0, 1] and are drawn black or white.",
                100.0 * images.outside
            ));
        }
        let alt = self.in_words(images.count, rows.max(needed));
        let bitmap = self.layout(rows.max(needed))?.draw(&self, &images)?;
        Figure::new(&bitmap, self.title, self.alt.unwrap_or(alt), notes)
    }

    fn in_words(&self, count: usize, rows: usize) -> String {
        let (high, wide) = self.image_shape;
        let columns = self.grid.1;
        let mut text = match self.title.as_str() {
            "" => String::new(),
            title => format!("{title}: "),
        };
        let s = |n: usize| if n == 1 { "" } else { "s" };
        text += &if count == rows * columns {
            format!("{rows} row{} of {columns} image{}", s(rows), s(columns))
        } else {
            format!(
                "{count} image{} in {rows} row{} of up to {columns}",
                s(count),
                s(rows)
            )
        };
        text += &format!(" of {high} × {wide} pixels.");
        for (what, labels) in [("Rows", &self.row_labels), ("Columns", &self.column_labels)] {
            if let Some(labels) = labels {
                text += &format!(" {what}: {}.", labels.join(", "));
            }
        }
        for (what, label) in [("right", &self.x_label), ("bottom", &self.y_label)] {
            if !label.is_empty() {
                text += &format!(
                    " From {} to {what}: {label}.",
                    if what == "right" { "left" } else { "top" }
                );
            }
        }
        text
    }

    fn layout(&self, rows: usize) -> Result<Layout> {
        let (high, wide) = self.image_shape;
        let columns = self.grid.1;
        let density = f64::from(DENSITY);
        let widest = |labels: &Option<Vec<String>>| {
            let labels = labels.iter().flatten();
            labels.map(|l| Type::TICK.width(l)).fold(0.0, f64::max)
        };
        let label_line = Type::LABEL.line_height() + 4.0;
        let mut left = MARGIN;
        if !self.y_label.is_empty() {
            left += label_line;
        }
        if self.row_labels.is_some() {
            left += widest(&self.row_labels) + 8.0;
        }
        let frame = if self.gap > 0.0 { 2.0 * LINE } else { 0.0 };
        let splits = SPLIT * self.splits.len() as f64;
        let between = self.gap * (columns - 1) as f64 + splits;
        let wish = match self.image_size {
            Some(size) => f64::from(size),
            None => ((FULL_WIDTH - left - MARGIN - between) / columns as f64 - frame).min(112.0),
        };
        let zoom = wish * density / wide as f64;
        // A wish is met as closely as may be; the full width is never exceeded for want of rounding
        // down.
        let zoom = if self.image_size.is_some() {
            zoom.round()
        } else {
            zoom.floor()
        }
        .max(1.0);
        // Half CSS pixels would blur the lines between images.
        let even = |pixels: f64| (pixels / density).ceil();
        let cell = (
            even(zoom * wide as f64) + frame + self.gap,
            even(zoom * high as f64) + frame + self.gap,
        );
        let grid_width = columns as f64 * cell.0 - self.gap + splits;
        let title_width = (left + grid_width - MARGIN).max(360.0);
        let title = Type::TITLE.wrap(&self.title, title_width);
        let longest = title
            .iter()
            .map(|l| Type::TITLE.width(l))
            .fold(0.0, f64::max);
        let mut top = if title.is_empty() {
            MARGIN
        } else {
            title_height(title.len())
        };
        if self.column_labels.is_some() {
            top += Type::TICK.line_height() + 2.0;
        }
        let grid_height = rows as f64 * cell.1 - self.gap;
        let mut height = top + grid_height + MARGIN;
        if !self.x_label.is_empty() {
            height += label_line + 2.0;
        }
        let width = (left + grid_width + MARGIN).max(longest + 2.0 * MARGIN + 2.0);
        if width * height > super::MOST_PIXELS as f64 {
            return Err(PlotError::TooLarge {
                width: (width * density) as u64,
                height: (height * density) as u64,
            }
            .into());
        }
        Ok(Layout {
            left: left.ceil(),
            top: top.ceil(),
            cell,
            zoom: zoom as u32,
            frame: frame / 2.0,
            grid_width,
            grid_height,
            width: width.ceil() as u32,
            height: height.ceil() as u32,
            title,
        })
    }
}

/// Where everything lies, in CSS pixels.
struct Layout {
    left: f64,
    top: f64,
    /// From one image to the next.
    cell: (f64, f64),
    /// PNG pixels for each pixel of an image.
    zoom: u32,
    /// Thickness of the line around an image.
    frame: f64,
    grid_width: f64,
    grid_height: f64,
    width: u32,
    height: u32,
    title: Vec<String>,
}

impl Layout {
    /// The upper left corner of the image in a cell.
    fn corner(&self, grid: &ImageGrid, row: usize, column: usize) -> (f64, f64) {
        let splits = grid.splits.iter().filter(|split| **split <= column).count();
        (
            self.left + column as f64 * self.cell.0 + splits as f64 * SPLIT + self.frame,
            self.top + row as f64 * self.cell.1 + self.frame,
        )
    }

    fn draw(&self, grid: &ImageGrid, images: &Images) -> Result<super::png_file::Bitmap> {
        let (high, wide) = (grid.image_shape.0 as usize, grid.image_shape.1 as usize);
        let mut canvas = Canvas::new(self.width, self.height, 1)?;
        draw_title(&mut canvas, &self.title);
        let density = f64::from(DENSITY);
        for (i, image) in images.grey.chunks_exact(high * wide).enumerate() {
            let (x, y) = self.corner(grid, i / grid.grid.1, i % grid.grid.1);
            let (left, top) = ((x * density) as u32, (y * density) as u32);
            let (right, bottom) = (
                left + wide as u32 * self.zoom,
                top + high as u32 * self.zoom,
            );
            if self.frame > 0.0 {
                let image = Rect {
                    left: x,
                    top: y,
                    right: f64::from(right) / density,
                    bottom: f64::from(bottom) / density,
                };
                canvas.frame(image, self.frame, Rgb::FRAME);
            }
            for py in top..bottom {
                for px in left..right {
                    let (row, column) = ((py - top) / self.zoom, (px - left) / self.zoom);
                    let value = image[row as usize * wide + column as usize];
                    canvas.set(px, py, Rgb(value, value, value));
                }
            }
        }
        if self.frame == 0.0 {
            // Images without lines between them share one around them all.
            let (width, height) = (self.grid_width, self.grid_height);
            let whole = Rect {
                left: self.left,
                top: self.top,
                right: self.left + width,
                bottom: self.top + height,
            };
            canvas.frame(whole, LINE, Rgb::FRAME);
        }
        self.draw_labels(&mut canvas, grid);
        Ok(canvas.finish())
    }

    fn draw_labels(&self, canvas: &mut Canvas, grid: &ImageGrid) {
        let image = (
            self.cell.0 - grid.gap - 2.0 * self.frame,
            self.cell.1 - grid.gap - 2.0 * self.frame,
        );
        let cap = Type::TICK.cap_height();
        for (row, label) in grid.row_labels.iter().flatten().enumerate() {
            let y = self.corner(grid, row, 0).1 + image.1 / 2.0 + cap / 2.0;
            let at = (self.left - 8.0, y);
            canvas.text(at, label, Type::TICK, Rgb::SOFT_INK, Align::End, false);
        }
        for (column, label) in grid.column_labels.iter().flatten().enumerate() {
            let x = self.corner(grid, 0, column).0 + image.0 / 2.0;
            let at = (x, self.top - 7.0);
            canvas.text(at, label, Type::TICK, Rgb::SOFT_INK, Align::Middle, false);
        }
        let at = (
            self.left + self.grid_width / 2.0,
            f64::from(self.height) - MARGIN,
        );
        canvas.text(
            at,
            &grid.x_label,
            Type::LABEL,
            Rgb::INK,
            Align::Middle,
            false,
        );
        let at = (
            MARGIN + Type::LABEL.cap_height(),
            self.top + self.grid_height / 2.0,
        );
        canvas.text(
            at,
            &grid.y_label,
            Type::LABEL,
            Rgb::INK,
            Align::Middle,
            true,
        );
    }
}

/// The nearest of the grey levels that are drawn.
fn to_grey(value: f64) -> u8 {
    ((value * GREYS).round().clamp(0.0, GREYS) * 255.0 / GREYS).round() as u8
}

fn empty() -> crate::Error {
    PlotError::Empty("the images of a grid".into()).into()
}

impl Images {
    fn read(images: &Tensor, (high, wide): (i64, i64)) -> Result<Self> {
        let what = "the images of a grid";
        let found = input::shape(images, what)?;
        if high <= 0 || wide <= 0 {
            let problem = format!("images of {high} × {wide} pixels do not exist");
            return Err(PlotError::Invalid(problem).into());
        }
        let fits = match found.as_slice() {
            [_, pixels] => high.checked_mul(wide) == Some(*pixels),
            [_, h, w] | [_, 1, h, w] => (*h, *w) == (high, wide),
            _ => false,
        };
        if !fits {
            return Err(PlotError::Shape {
                what: what.into(),
                expected: format!("[N, {}] or [N, {high}, {wide}]", high.saturating_mul(wide)),
                found,
            }
            .into());
        }
        let scale = match images.kind() {
            Kind::Uint8 => 1.0 / 255.0,
            Kind::Half | Kind::Float | Kind::Double | Kind::BFloat16 => 1.0,
            kind => {
                return Err(PlotError::Invalid(format!(
                    "the images of a grid must be floats in [0, 1] or bytes, but are {kind:?}"
                ))
                .into());
            }
        };
        let values = input::finite_numbers(images, what)?;
        let far = values
            .iter()
            .filter(|v| !(-SLACK..=1.0 + SLACK).contains(&(**v * scale)));
        let outside = far.count() as f64 / values.len() as f64;
        let grey = values.iter().map(|v| to_grey(v * scale));
        Ok(Self {
            count: found[0] as usize,
            grey: grey.collect(),
            outside,
        })
    }
}
