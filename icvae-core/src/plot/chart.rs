//! What every picture with two axes has: margins, title, grid, ticks, labels, legend.

use super::axis::Axis;
use super::canvas::{Align, Canvas, Rect};
use super::font::Type;
use super::legend::{self, ColorBar, Entry, Header};
use super::{Figure, PlotError, Rgb};
use crate::Result;

/// White around every picture, in CSS pixels, so that it also stands well on a dark page.
pub(super) const MARGIN: f64 = 16.0;

/// The settings that all builders with axes share.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub title: String,
    pub x_label: String,
    pub y_label: String,
    pub size: (u32, u32),
    pub alt: Option<String>,
    pub x_limits: Option<(f64, f64)>,
    pub y_limits: Option<(f64, f64)>,
}

impl Settings {
    pub fn new(width: u32, height: u32) -> Self {
        Self {
            title: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            size: (width, height),
            alt: None,
            x_limits: None,
            y_limits: None,
        }
    }

    /// The beginning of a text for those who cannot see the picture: its title and its kind.
    pub fn alt_start(&self, kind: &str) -> String {
        match self.title.as_str() {
            "" => kind[..1].to_uppercase() + &kind[1..],
            title => format!("{title}: {kind}"),
        }
    }

    /// ` of y against x`, as far as the axes have labels.
    pub fn alt_axes(&self) -> String {
        match (self.y_label.as_str(), self.x_label.as_str()) {
            ("", "") => String::new(),
            ("", x) => format!(" against {x}"),
            (y, "") => format!(" of {y}"),
            (y, x) => format!(" of {y} against {x}"),
        }
    }
}

/// The methods that all builders with axes share, for a type with a field `settings`.
macro_rules! shared_settings {
    () => {
        /// The title above the picture.
        pub fn title(mut self, title: impl Into<String>) -> Self {
            self.settings.title = title.into();
            self
        }

        /// The label of the horizontal axis.
        pub fn x_label(mut self, label: impl Into<String>) -> Self {
            self.settings.x_label = label.into();
            self
        }

        /// The label of the vertical axis.
        pub fn y_label(mut self, label: impl Into<String>) -> Self {
            self.settings.y_label = label.into();
            self
        }

        /// The ends of the horizontal axis; without them it shows all data.
        pub fn x_limits(mut self, low: f64, high: f64) -> Self {
            self.settings.x_limits = Some((low, high));
            self
        }

        /// The ends of the vertical axis; without them it shows all data.
        pub fn y_limits(mut self, low: f64, high: f64) -> Self {
            self.settings.y_limits = Some((low, high));
            self
        }

        /// Width and height of the whole picture in CSS pixels.
        pub fn size(mut self, width: u32, height: u32) -> Self {
            self.settings.size = (width, height);
            self
        }

        /// The picture in words, in place of those made from its content.
        pub fn alt(mut self, alt: impl Into<String>) -> Self {
            self.settings.alt = Some(alt.into());
            self
        }
    };
}
pub(super) use shared_settings;

/// What stands beside the data.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// Entries above the data.
    pub header: Vec<Entry>,
    /// Entries to the right of the data.
    pub column: Vec<Entry>,
    pub bar: Option<ColorBar>,
    /// One unit is equally long on both axes.
    pub equal: bool,
    /// Ticks of the horizontal axis on whole numbers.
    pub whole_x: bool,
    /// Lines through the ticks.
    pub grid: bool,
}

/// A picture with axes, ready for its data.
pub(super) struct Chart {
    pub canvas: Canvas,
    pub area: Rect,
    x: Axis,
    y: Axis,
    around: Surroundings,
    settings: Settings,
}

impl Chart {
    pub fn new(
        settings: Settings,
        mut x: Axis,
        mut y: Axis,
        mut around: Surroundings,
    ) -> Result<Self> {
        let (width, height) = settings.size;
        let mut canvas = Canvas::new(width, height, 2)?;
        let (width, height) = (f64::from(width), f64::from(height));
        let inner = width - 2.0 * MARGIN;

        let title = Type::TITLE.wrap(&settings.title, inner);
        let header = Header::new(&around.header, inner);
        let head = title_height(title.len());
        let top = if title.is_empty() { MARGIN } else { head } + header.height();
        let x_label = if settings.x_label.is_empty() {
            0.0
        } else {
            Type::LABEL.line_height() + 4.0
        };
        let bottom = height - MARGIN - x_label - Type::TICK.line_height() - 4.0;
        let ticks_down = (((bottom - top) / 42.0) as usize).max(2);
        if let Some(bar) = &mut around.bar {
            bar.axis.set_ticks(ticks_down, false);
        }
        let mut right = width - MARGIN;
        if let Some(bar) = &around.bar {
            right -= bar.width() + 16.0;
        } else if !around.column.is_empty() {
            right -= legend::column_width(&around.column) + 16.0;
        } else {
            // Half of a wide label at the right end.
            right -= 10.0;
        }
        let y_label = if settings.y_label.is_empty() {
            0.0
        } else {
            Type::LABEL.line_height() + 2.0
        };

        let (x_range, y_range) = ((x.low, x.high), (y.low, y.high));
        let mut left = MARGIN + y_label;
        let mut area = Rect {
            left,
            top,
            right,
            bottom,
        };
        // The labels of the vertical axis decide how wide the data are, and equal units how long
        // that axis is.
        for _ in 0..2 {
            (x.low, x.high, y.low, y.high) = (x_range.0, x_range.1, y_range.0, y_range.1);
            area = Rect {
                left: left.round(),
                top: top.round(),
                right: right.round(),
                bottom: bottom.round(),
            };
            if area.width() < 60.0 || area.height() < 60.0 {
                return Err(PlotError::Invalid(format!(
                    "{width} × {height} CSS pixels leave no room for the data: \
                     choose a larger size"
                ))
                .into());
            }
            if legend::column_height(&around.column) > area.height() {
                return Err(PlotError::Invalid(format!(
                    "a legend of {} entries is higher than the data: \
                     choose a larger size or leave the legend out",
                    around.column.len()
                ))
                .into());
            }
            if around.equal {
                equalise(&mut x, &mut y, area);
            }
            y.set_ticks(ticks_down, false);
            let widest = y.ticks.iter().map(|tick| Type::TICK.width(&tick.1));
            left = MARGIN + y_label + widest.fold(0.0, f64::max) + 8.0;
        }
        x.set_ticks(((area.width() / 62.0) as usize).max(2), around.whole_x);

        draw_title(&mut canvas, &title);
        let header_top = if title.is_empty() { MARGIN } else { head };
        header.draw(&mut canvas, MARGIN, header_top);
        let mut chart = Self {
            canvas,
            area,
            x,
            y,
            around,
            settings,
        };
        if chart.around.grid {
            chart.draw_grid();
        }
        Ok(chart)
    }

    /// Where (`x`, `y`) lies on the canvas.
    pub fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        (
            self.area.left + self.x.share(x) * self.area.width(),
            self.area.bottom - self.y.share(y) * self.area.height(),
        )
    }

    /// Draws a line through data points, cut off at the area's edges.
    pub fn line(&mut self, points: &[(f64, f64)], width: f64, color: Rgb, dashed: bool) {
        let path: Vec<_> = points.iter().map(|&p| self.at(p)).collect();
        let clip = Rect {
            left: self.area.left - 1.0,
            top: self.area.top - 1.0,
            right: self.area.right + 1.0,
            bottom: self.area.bottom + 1.0,
        };
        self.canvas.stroke(&path, width, color, dashed, clip);
    }

    /// Draws a thin line across the data with its name at the right end.
    pub fn level(&mut self, name: &str, y: f64) {
        let (left, right) = (self.x.low, self.x.high);
        self.line(&[(left, y), (right, y)], 1.25, Rgb::SOFT_INK, true);
        let at = (self.area.right - 6.0, self.at((right, y)).1 - 5.0);
        if self.area.contains(at) {
            self.canvas
                .haloed_text(at, name, Type::TICK, Rgb::SOFT_INK, Align::End);
        }
    }

    /// Tints the columns of a histogram; `bins` is where the first begins and how wide each is.
    pub fn columns(&mut self, heights: &[f64], bins: (f64, f64), color: Rgb, opacity: f64) {
        let area = self.area;
        for (i, &height) in heights.iter().enumerate() {
            let (left, top) = self.at((bins.0 + i as f64 * bins.1, height));
            let (right, bottom) = self.at((bins.0 + (i + 1) as f64 * bins.1, 0.0));
            let column = Rect {
                left,
                right,
                top: top.max(area.top),
                bottom: bottom.min(area.bottom),
            };
            self.canvas.tint_rect(column, color, opacity);
        }
    }

    fn draw_grid(&mut self) {
        for i in 0..self.x.ticks.len() {
            let x = self.at((self.x.ticks[i].0, self.y.low)).0;
            let line = Rect {
                left: x - 0.5,
                right: x + 0.5,
                ..self.area
            };
            self.canvas.fill_rect(line, Rgb::GRID);
        }
        for i in 0..self.y.ticks.len() {
            let y = self.at((self.x.low, self.y.ticks[i].0)).1;
            let line = Rect {
                top: y - 0.5,
                bottom: y + 0.5,
                ..self.area
            };
            self.canvas.fill_rect(line, Rgb::GRID);
        }
    }

    fn draw_axes(&mut self) {
        let area = self.area;
        self.canvas.frame(area, 0.75, Rgb::FRAME);
        let ticks = std::mem::take(&mut self.x.ticks);
        for (value, text) in &ticks {
            let x = self.at((*value, self.y.low)).0;
            let mark = Rect {
                left: x - 0.5,
                right: x + 0.5,
                top: area.bottom,
                bottom: area.bottom + 4.0,
            };
            self.canvas.fill_rect(mark, Rgb::FRAME);
            let baseline = area.bottom + 7.0 + Type::TICK.cap_height();
            let at = (x, baseline);
            self.canvas
                .text(at, text, Type::TICK, Rgb::SOFT_INK, Align::Middle, false);
        }
        let ticks = std::mem::take(&mut self.y.ticks);
        for (value, text) in &ticks {
            let y = self.at((self.x.low, *value)).1;
            let mark = Rect {
                left: area.left - 4.0,
                right: area.left,
                top: y - 0.5,
                bottom: y + 0.5,
            };
            self.canvas.fill_rect(mark, Rgb::FRAME);
            let at = (area.left - 7.0, y + Type::TICK.cap_height() / 2.0);
            self.canvas
                .text(at, text, Type::TICK, Rgb::SOFT_INK, Align::End, false);
        }
        let middle = (
            (area.left + area.right) / 2.0,
            (area.top + area.bottom) / 2.0,
        );
        let bottom = f64::from(self.settings.size.1) - MARGIN - 2.0;
        let label = &self.settings.x_label;
        self.canvas.text(
            (middle.0, bottom),
            label,
            Type::LABEL,
            Rgb::INK,
            Align::Middle,
            false,
        );
        let left = MARGIN + Type::LABEL.cap_height();
        let label = &self.settings.y_label;
        self.canvas.text(
            (left, middle.1),
            label,
            Type::LABEL,
            Rgb::INK,
            Align::Middle,
            true,
        );
    }

    /// Axes, legend and PNG. `alt` stands where the caller gave no words of their own.
    pub fn finish(mut self, alt: String, notes: Vec<String>) -> Result<Figure> {
        self.draw_axes();
        let beside = self.area.right + 16.0;
        if let Some(bar) = &self.around.bar {
            bar.draw(&mut self.canvas, beside, self.area);
        }
        legend::draw_column(&mut self.canvas, &self.around.column, beside, self.area.top);
        let alt = self.settings.alt.unwrap_or(alt);
        Figure::new(&self.canvas.finish(), self.settings.title, alt, notes)
    }
}

/// Lengthens one axis so that a unit is as long on it as on the other.
fn equalise(x: &mut Axis, y: &mut Axis, area: Rect) {
    let units = |axis: &Axis, length: f64| (axis.high - axis.low) / length;
    let unit = units(x, area.width()).max(units(y, area.height()));
    for (axis, length) in [(x, area.width()), (y, area.height())] {
        let middle = (axis.low + axis.high) / 2.0;
        axis.low = middle - unit * length / 2.0;
        axis.high = middle + unit * length / 2.0;
    }
}

/// What a title of so many lines takes from the top, in CSS pixels.
pub(super) fn title_height(lines: usize) -> f64 {
    match lines {
        0 => 0.0,
        lines => MARGIN + lines as f64 * Type::TITLE.line_height() + 6.0,
    }
}

pub(super) fn draw_title(canvas: &mut Canvas, lines: &[String]) {
    for (i, line) in lines.iter().enumerate() {
        let baseline = MARGIN + Type::TITLE.cap_height() + i as f64 * Type::TITLE.line_height();
        let at = (MARGIN, baseline);
        canvas.text(at, line, Type::TITLE, Rgb::INK, Align::Start, false);
    }
}
