//! Many small images in rows and columns.

use plotters::prelude::{BitMapElement, Color as _, RGBColor, Rectangle, WHITE};
use plotters::style::text_anchor::{HPos, VPos};
use tch::{Kind, Tensor};

use super::axis::{Axis, number};
use super::backend::{Area, Canvas};
use super::theme::{Drawn, MARGIN, Type, draw_title, title_height};
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
    x_range: Option<(f64, f64)>,
    y_range: Option<(f64, f64)>,
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
            x_range: None,
            y_range: None,
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

    /// What changes from row to row, written upwards at the left: what it names grows from the bottom to the top, as
    /// on an axis.
    pub fn y_label(mut self, label: impl Into<String>) -> Self {
        self.y_label = label.into();
        self
    }

    /// Marks numbers below the grid, where the first column stands for `first` and the last one for `last`: for a
    /// plane of codes.
    pub fn x_range(mut self, first: f64, last: f64) -> Self {
        self.x_range = Some((first, last));
        self
    }

    /// The same at the left, from the bottom row to the top row.
    pub fn y_range(mut self, bottom: f64, top: f64) -> Self {
        self.y_range = Some((bottom, top));
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
        let layout = self.layout(rows.max(needed))?;
        let mut canvas = Canvas::new((layout.width, layout.height), DENSITY)?.without_svg();
        let area = canvas.area();
        let drawn = layout.draw(&self, &images, &area);
        drop(area);
        drawn.map_err(|error| PlotError::Drawing(error.to_string()))?;
        Ok(Figure::new(
            canvas,
            self.title,
            self.alt.unwrap_or(alt),
            notes,
        ))
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
        let along = [
            ("left to right", &self.x_label, self.x_range),
            ("bottom to top", &self.y_label, self.y_range),
        ];
        for (direction, label, range) in along {
            if label.is_empty() && range.is_none() {
                continue;
            }
            let mut parts = vec![label.clone()];
            if let Some((from, to)) = range {
                parts.push(format!("from {} to {}", number(from), number(to)));
            }
            parts.retain(|part| !part.is_empty());
            text += &format!(" From {direction}: {}.", parts.join(" "));
        }
        text
    }

    fn layout(&self, rows: usize) -> Result<Layout> {
        let (high, wide) = self.image_shape;
        let columns = self.grid.1;
        let density = f64::from(DENSITY);
        let ticks = |range: Option<(f64, f64)>, most: usize| -> Result<Option<Axis>> {
            let Some(ends) = range else { return Ok(None) };
            let mut axis = Axis::around(std::iter::empty(), Some(ends), false, 0.0)?;
            axis.set_ticks(most);
            Ok(Some(axis))
        };
        let (x_axis, y_axis) = (ticks(self.x_range, 8)?, ticks(self.y_range, 8)?);
        let names = y_axis
            .iter()
            .flat_map(|axis| axis.ticks.iter().map(|tick| &tick.1));
        let names = Type::TICK.widest(names.chain(self.row_labels.iter().flatten()));
        let label_line = Type::LABEL.line_height() + 4.0;
        let mut left = MARGIN;
        if !self.y_label.is_empty() {
            left += label_line;
        }
        if names > 0.0 {
            left += names + 8.0;
        }
        let frame = if self.gap > 0.0 { 2.0 * LINE } else { 0.0 };
        let splits = SPLIT * self.splits.len() as f64;
        let between = self.gap * (columns - 1) as f64 + splits;
        let wish = match self.image_size {
            Some(size) => f64::from(size),
            None => ((FULL_WIDTH - left - MARGIN - between) / columns as f64 - frame).min(112.0),
        };
        let zoom = wish * density / wide as f64;
        // A wish is met as closely as may be; the full width is never exceeded for want of rounding down.
        let exact = if self.image_size.is_some() {
            zoom.round()
        } else {
            zoom.floor()
        };
        let zoom = exact.max(1.0);
        // Half CSS pixels would blur the lines between images.
        let even = |pixels: f64| (pixels / density).ceil();
        let image = (even(zoom * wide as f64), even(zoom * high as f64));
        let cell = (image.0 + frame + self.gap, image.1 + frame + self.gap);
        let grid = (
            columns as f64 * cell.0 - self.gap + splits,
            rows as f64 * cell.1 - self.gap,
        );
        let title = Type::TITLE.wrap(&self.title, (left + grid.0 - MARGIN).max(360.0));
        let longest = Type::TITLE.widest(&title);
        let mut top = title_height(title.len()).max(MARGIN);
        if self.column_labels.is_some() {
            top += Type::TICK.line_height() + 2.0;
        }
        let mut height = top + grid.1 + MARGIN;
        if x_axis.is_some() {
            height += Type::TICK.line_height() + 4.0;
        }
        if !self.x_label.is_empty() {
            height += label_line + 2.0;
        }
        let width = (left + grid.0 + MARGIN).max(longest + 2.0 * MARGIN + 2.0);
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
            image,
            zoom: zoom as usize,
            frame: frame / 2.0,
            grid,
            axes: (x_axis, y_axis),
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
    /// The size of an image.
    image: (f64, f64),
    /// PNG pixels for each pixel of an image.
    zoom: usize,
    /// Thickness of the line around an image.
    frame: f64,
    /// The size of all images together.
    grid: (f64, f64),
    axes: (Option<Axis>, Option<Axis>),
    width: u32,
    height: u32,
    title: Vec<String>,
}

/// A line around a rectangle, outside of it.
fn frame(area: &Area<'_>, (left, top): (f64, f64), (width, height): (f64, f64)) -> Drawn {
    let unit = |css: f64| (css * f64::from(DENSITY)).round() as i32;
    for (x0, y0, x1, y1) in [
        (left - LINE, top - LINE, left + width + LINE, top),
        (
            left - LINE,
            top + height,
            left + width + LINE,
            top + height + LINE,
        ),
        (left - LINE, top, left, top + height),
        (left + width, top, left + width + LINE, top + height),
    ] {
        // Plotters names the last pixel that is filled.
        let corners = [(unit(x0), unit(y0)), (unit(x1) - 1, unit(y1) - 1)];
        area.draw(&Rectangle::new(
            corners,
            RGBColor::from(Rgb::FRAME).filled(),
        ))?;
    }
    Ok(())
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

    fn draw(&self, grid: &ImageGrid, images: &Images, area: &Area<'_>) -> Drawn {
        area.fill(&WHITE)?;
        draw_title((area, DENSITY), &self.title)?;
        let (high, wide) = (grid.image_shape.0 as usize, grid.image_shape.1 as usize);
        let zoom = self.zoom;
        let size = ((wide * zoom) as u32, (high * zoom) as u32);
        for (i, image) in images.grey.chunks_exact(high * wide).enumerate() {
            let (x, y) = self.corner(grid, i / grid.grid.1, i % grid.grid.1);
            let density = f64::from(DENSITY);
            let at = ((x * density) as i32, (y * density) as i32);
            if self.frame > 0.0 {
                let size = (f64::from(size.0) / density, f64::from(size.1) / density);
                frame(area, (x, y), size)?;
            }
            let rows = image.chunks_exact(wide);
            let pixels = rows.flat_map(|row| {
                let line: Vec<u8> = row
                    .iter()
                    .flat_map(|v| std::iter::repeat_n(*v, 3 * zoom))
                    .collect();
                line.repeat(zoom)
            });
            if let Some(element) = BitMapElement::with_owned_buffer(at, size, pixels.collect()) {
                area.draw(&element)?;
            }
        }
        if self.frame == 0.0 {
            // Images without lines between them share one around them all.
            frame(area, (self.left, self.top), self.grid)?;
        }
        self.draw_labels(area, grid)
    }

    fn draw_labels(&self, area: &Area<'_>, grid: &ImageGrid) -> Drawn {
        let tick = |text: &str, at, anchor| {
            Type::TICK.write((area, DENSITY), text, at, Rgb::SOFT_INK, anchor, false)
        };
        let (beside, above) = ((HPos::Right, VPos::Center), (HPos::Center, VPos::Center));
        for (row, label) in grid.row_labels.iter().flatten().enumerate() {
            let y = self.corner(grid, row, 0).1 + self.image.1 / 2.0;
            tick(label, (self.left - 8.0, y), beside)?;
        }
        for (column, label) in grid.column_labels.iter().flatten().enumerate() {
            let x = self.corner(grid, 0, column).0 + self.image.0 / 2.0;
            tick(label, (x, self.top - 11.0), above)?;
        }
        // From the middle of the first image to that of the last.
        let (right, bottom) = (self.left + self.grid.0, self.top + self.grid.1);
        let half = (
            self.image.0 / 2.0 + self.frame,
            self.image.1 / 2.0 + self.frame,
        );
        if let Some(axis) = &self.axes.0 {
            for (value, text) in &axis.ticks {
                let x = self.left + half.0 + axis.share(*value) * (self.grid.0 - 2.0 * half.0);
                tick(text, (x, bottom + 12.0), above)?;
            }
        }
        if let Some(axis) = &self.axes.1 {
            for (value, text) in &axis.ticks {
                let y = bottom - half.1 - axis.share(*value) * (self.grid.1 - 2.0 * half.1);
                tick(text, (self.left - 8.0, y), beside)?;
            }
        }
        let write = |text: &str, at, upwards| {
            let anchor = (HPos::Center, VPos::Center);
            Type::LABEL.write((area, DENSITY), text, at, Rgb::INK, anchor, upwards)
        };
        let low = f64::from(self.height) - MARGIN - 5.0;
        write(&grid.x_label, ((self.left + right) / 2.0, low), false)?;
        write(
            &grid.y_label,
            (MARGIN + 5.0, (self.top + bottom) / 2.0),
            true,
        )
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
