//! How our figures look: sizes, typography, marks and legends, in plotters' terms.

use plotters::element::{CoordMapper, DashedPathElement, Drawable, PointCollection};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{BackendCoord, DrawingErrorKind};

use super::backend::{Area, SIZE_TO_EM};
use super::{Rgb, font};

/// White around every picture, in CSS pixels, so that it also stands well on a dark page.
pub(super) const MARGIN: f64 = 16.0;

/// Units of plotters' coordinates to a CSS pixel: whole ones would make curves into stairs.
pub(super) const UNITS: u32 = 8;

/// The width of a line that the figure is about, in CSS pixels.
pub(super) const LINE: f64 = 2.25;

/// What a drawing on a canvas in memory gives.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<std::convert::Infallible>>;

/// CSS pixels in units.
pub(super) fn px(css: f64) -> i32 {
    (css * f64::from(UNITS)).round() as i32
}

/// Size and weight of a piece of text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Type {
    /// Em in CSS pixels.
    em: f64,
    bold: bool,
}

impl Type {
    pub const TITLE: Type = Type {
        em: 17.0,
        bold: true,
    };
    pub const LABEL: Type = Type {
        em: 14.0,
        bold: false,
    };
    pub const TICK: Type = Type {
        em: 12.5,
        bold: false,
    };

    /// From one baseline to the next, in CSS pixels.
    pub fn line_height(self) -> f64 {
        1.3 * self.em
    }

    /// Width in CSS pixels.
    pub fn width(self, text: &str) -> f64 {
        font::width(text, self.em)
    }

    /// The width of the widest.
    pub fn widest<'a>(self, texts: impl IntoIterator<Item = &'a String>) -> f64 {
        texts
            .into_iter()
            .map(|text| self.width(text))
            .fold(0.0, f64::max)
    }

    /// Breaks a text into lines of at most so many CSS pixels, where words allow it.
    pub fn wrap(self, text: &str, most: f64) -> Vec<String> {
        font::wrap(text, self.em, most)
    }

    /// The same for plotters, where a CSS pixel is so many units.
    pub fn style(self, color: Rgb, units: u32) -> TextStyle<'static> {
        let style = if self.bold {
            FontStyle::Bold
        } else {
            FontStyle::Normal
        };
        let size = self.em * SIZE_TO_EM * f64::from(units);
        FontDesc::new(FontFamily::SansSerif, size, style).color(&RGBColor::from(color))
    }

    /// Writes at a place in CSS pixels. `upwards` turns the text a quarter to the left.
    pub fn write(
        self,
        (area, units): (&Area<'_>, u32),
        text: &str,
        (x, y): (f64, f64),
        color: Rgb,
        (h, v): (HPos, VPos),
        upwards: bool,
    ) -> Drawn {
        let mut style = self.style(color, units).pos(Pos::new(h, v));
        if upwards {
            style = style.transform(FontTransform::Rotate270);
        }
        let unit = |css: f64| (css * f64::from(units)).round() as i32;
        area.draw_text(text, &style, (unit(x), unit(y)))
    }
}

impl From<Rgb> for RGBColor {
    fn from(color: Rgb) -> Self {
        RGBColor(color.0, color.1, color.2)
    }
}

/// A line's style: `width` in CSS pixels.
pub(super) fn stroke(color: Rgb, width: f64) -> ShapeStyle {
    RGBColor::from(color).stroke_width(px(width).unsigned_abs())
}

/// What a title of so many lines takes from the top, in CSS pixels.
pub(super) fn title_height(lines: usize) -> f64 {
    match lines {
        0 => 0.0,
        lines => MARGIN + lines as f64 * Type::TITLE.line_height() + 6.0,
    }
}

pub(super) fn draw_title(area: (&Area<'_>, u32), lines: &[String]) -> Drawn {
    for (i, line) in lines.iter().enumerate() {
        let at = (
            MARGIN,
            MARGIN + (i as f64 + 0.28) * Type::TITLE.line_height(),
        );
        Type::TITLE.write(area, line, at, Rgb::INK, (HPos::Left, VPos::Center), false)?;
    }
    Ok(())
}

/// What is drawn at a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    Circle,
    Square,
    Triangle,
    Diamond,
    Cross,
}

impl Marker {
    /// The shape of the class or group with this number.
    pub fn of(index: usize) -> Self {
        use Marker::{Circle, Cross, Diamond, Square, Triangle};
        [Circle, Square, Triangle, Diamond, Cross][index % 5]
    }
}

/// An element of plotters: a marker whose area is about that of a disc of `radius` units.
pub(super) struct Mark<C> {
    pub at: C,
    pub marker: Marker,
    pub radius: f64,
    pub color: RGBAColor,
}

impl<'a, C> PointCollection<'a, C> for &'a Mark<C> {
    type Point = &'a C;
    type IntoIter = std::iter::Once<&'a C>;

    fn point_iter(self) -> Self::IntoIter {
        std::iter::once(&self.at)
    }
}

impl<C, DB: DrawingBackend> Drawable<DB> for Mark<C>
where
    plotters::element::BackendCoordOnly: CoordMapper<Output = BackendCoord>,
{
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        mut points: I,
        backend: &mut DB,
        _: (u32, u32),
    ) -> Result<(), DrawingErrorKind<DB::ErrorType>> {
        let Some((x, y)) = points.next() else {
            return Ok(());
        };
        let style = self.color.filled();
        // Equal markers have equal pixels, which makes small files.
        let step = UNITS as i32 / 2;
        let (x, y) = ((x + step / 2) / step * step, (y + step / 2) / step * step);
        let corners: &[(f64, f64)] = match self.marker {
            Marker::Circle => {
                return backend.draw_circle((x, y), self.radius.round() as u32, &style, true);
            }
            Marker::Cross => {
                let (r, width) = ((0.95 * self.radius) as i32, (0.75 * self.radius) as u32);
                let style = self.color.stroke_width(width);
                backend.draw_path([(x - r, y - r), (x + r, y + r)], &style)?;
                return backend.draw_path([(x - r, y + r), (x + r, y - r)], &style);
            }
            Marker::Square => &[(-0.89, -0.89), (0.89, -0.89), (0.89, 0.89), (-0.89, 0.89)],
            Marker::Triangle => &[(0.0, -1.45), (1.26, 0.72), (-1.26, 0.72)],
            Marker::Diamond => &[(0.0, -1.3), (1.3, 0.0), (0.0, 1.3), (-1.3, 0.0)],
        };
        let place = |c: &(f64, f64)| {
            let unit = |v: f64| (v * self.radius).round() as i32;
            (x + unit(c.0), y + unit(c.1))
        };
        backend.fill_polygon(corners.iter().map(place), &style)
    }
}

/// How an entry of a legend is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    Line { dashed: bool },
    Point(Marker),
    Area(f64),
}

/// A name and what it stands for.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub name: String,
    pub color: Rgb,
    pub sample: Sample,
}

const ENTRY_GAP: f64 = 22.0;

/// The height of an entry, in CSS pixels.
pub(super) const ENTRY: f64 = 21.0;

impl Entry {
    fn sample_width(&self) -> f64 {
        match self.sample {
            Sample::Line { .. } => 26.0,
            Sample::Point(_) => 10.0,
            Sample::Area(_) => 14.0,
        }
    }

    pub fn width(&self) -> f64 {
        self.sample_width() + 7.0 + Type::TICK.width(&self.name)
    }

    /// Draws the entry with its left end at `x`, its middle at `y`.
    pub fn draw(&self, area: &Area<'_>, x: f64, y: f64) -> Drawn {
        let width = self.sample_width();
        let color = RGBColor::from(self.color);
        match self.sample {
            Sample::Line { dashed } => {
                let path = [(px(x + 1.0), px(y)), (px(x + width), px(y))];
                let style = stroke(self.color, LINE);
                if dashed {
                    area.draw(&dashes(path, style))?;
                } else {
                    area.draw(&PathElement::new(path, style))?;
                }
            }
            Sample::Point(marker) => area.draw(&Mark {
                at: (px(x + width / 2.0), px(y)),
                marker,
                radius: f64::from(px(4.5)),
                color: color.to_rgba(),
            })?,
            Sample::Area(opacity) => {
                let corners = [(px(x), px(y - 5.0)), (px(x + width), px(y + 5.0))];
                area.draw(&Rectangle::new(corners, color.mix(opacity).filled()))?;
            }
        }
        let at = (x + width + 7.0, y);
        let anchor = (HPos::Left, VPos::Center);
        Type::TICK.write((area, UNITS), &self.name, at, Rgb::INK, anchor, false)
    }
}

/// A dashed path. Its ends are round, which lengthens each dash by the line's width.
pub(super) fn dashes<C: Clone, P: IntoIterator<Item = C>>(
    path: P,
    style: ShapeStyle,
) -> DashedPathElement<P::IntoIter, i32>
where
    P::IntoIter: Clone,
{
    let width = style.stroke_width as i32;
    DashedPathElement::new(path, 2 * width, 3 * width, style)
}

/// Entries above the data, in as many rows as the width asks for: each with its left end and row.
pub(super) fn header_rows(entries: &[Entry], width: f64) -> (Vec<(f64, usize)>, f64) {
    let (mut x, mut row, mut places) = (0.0, 0, Vec::new());
    for entry in entries {
        if x > 0.0 && x + entry.width() > width {
            (x, row) = (0.0, row + 1);
        }
        places.push((x, row));
        x += entry.width() + ENTRY_GAP;
    }
    let height = match places.len() {
        0 => 0.0,
        _ => (row + 1) as f64 * ENTRY + 6.0,
    };
    (places, height)
}
