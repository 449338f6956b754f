//! Legends and colour bars: they stand beside the data, never on it.

use super::axis::Axis;
use super::canvas::{Align, Canvas, Marker, Rect};
use super::font::Type;
use super::{ColorMap, Rgb};

/// How an entry of a legend is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sample {
    Line { dashed: bool },
    Point(Marker),
    Area,
}

/// A name and what it stands for.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub name: String,
    pub color: Rgb,
    pub sample: Sample,
}

const SAMPLE_GAP: f64 = 7.0;
const ENTRY_GAP: f64 = 22.0;
const ROW: f64 = 21.0;

impl Entry {
    fn sample_width(&self) -> f64 {
        match self.sample {
            Sample::Line { .. } => 26.0,
            Sample::Point(_) => 10.0,
            Sample::Area => 14.0,
        }
    }

    fn width(&self) -> f64 {
        self.sample_width() + SAMPLE_GAP + Type::TICK.width(&self.name)
    }

    /// Draws the entry with its left end at `x`, its middle at `y`.
    fn draw(&self, canvas: &mut Canvas, x: f64, y: f64) {
        let width = self.sample_width();
        match self.sample {
            Sample::Line { dashed } => {
                let path = [(x + 1.0, y), (x + width, y)];
                let clip = Rect {
                    left: x - 2.0,
                    top: y - 2.0,
                    right: x + width + 2.0,
                    bottom: y + 2.0,
                };
                canvas.stroke(&path, 2.25, self.color, dashed, clip);
            }
            Sample::Point(marker) => canvas.marker(marker, (x + width / 2.0, y), 4.5, self.color),
            Sample::Area => {
                let area = Rect {
                    left: x,
                    top: y - 5.0,
                    right: x + width,
                    bottom: y + 5.0,
                };
                canvas.fill_rect(area, self.color);
            }
        }
        let baseline = y + Type::TICK.cap_height() / 2.0;
        let start = x + width + SAMPLE_GAP;
        canvas.text(
            (start, baseline),
            &self.name,
            Type::TICK,
            Rgb::INK,
            Align::Start,
            false,
        );
    }
}

/// A row of entries above the data, broken into as many rows as the width asks for.
pub(super) struct Header<'a> {
    rows: Vec<Vec<&'a Entry>>,
}

impl<'a> Header<'a> {
    pub fn new(entries: &'a [Entry], width: f64) -> Self {
        let mut rows: Vec<Vec<&Entry>> = Vec::new();
        let mut used = f64::INFINITY;
        for entry in entries {
            let needed = entry.width() + ENTRY_GAP;
            match rows.last_mut() {
                Some(row) if used + needed <= width + ENTRY_GAP => {
                    row.push(entry);
                    used += needed;
                }
                _ => {
                    rows.push(vec![entry]);
                    used = needed;
                }
            }
        }
        Self { rows }
    }

    pub fn height(&self) -> f64 {
        match self.rows.len() {
            0 => 0.0,
            rows => rows as f64 * ROW + 6.0,
        }
    }

    pub fn draw(&self, canvas: &mut Canvas, left: f64, top: f64) {
        for (i, row) in self.rows.iter().enumerate() {
            let mut x = left;
            for entry in row {
                entry.draw(canvas, x, top + (i as f64 + 0.5) * ROW);
                x += entry.width() + ENTRY_GAP;
            }
        }
    }
}

/// The width of a column of entries.
pub(super) fn column_width(entries: &[Entry]) -> f64 {
    entries.iter().map(Entry::width).fold(0.0, f64::max)
}

/// The height of a column of entries.
pub(super) fn column_height(entries: &[Entry]) -> f64 {
    entries.len() as f64 * ROW
}

/// Draws entries one below the other.
pub(super) fn draw_column(canvas: &mut Canvas, entries: &[Entry], left: f64, top: f64) {
    for (i, entry) in entries.iter().enumerate() {
        entry.draw(canvas, left, top + (i as f64 + 0.5) * ROW);
    }
}

/// A bar that says which colour means which number.
#[derive(Debug, Clone)]
pub(super) struct ColorBar {
    pub map: ColorMap,
    pub axis: Axis,
    pub label: String,
}

const BAR: f64 = 16.0;

/// How many steps a colour bar has: more than an eye tells apart, few enough for a palette.
const COLORS: f64 = 160.0;

impl ColorBar {
    fn ticks_width(&self) -> f64 {
        let widths = self.axis.ticks.iter().map(|tick| Type::TICK.width(&tick.1));
        widths.fold(0.0, f64::max)
    }

    pub fn width(&self) -> f64 {
        let label = if self.label.is_empty() {
            0.0
        } else {
            Type::LABEL.line_height() + 4.0
        };
        BAR + 8.0 + self.ticks_width() + label
    }

    /// The colour of `value`.
    pub fn color(&self, value: f64) -> Rgb {
        self.map
            .at((self.axis.share(value) * COLORS).round() / COLORS)
    }

    pub fn draw(&self, canvas: &mut Canvas, left: f64, area: Rect) {
        let steps = (area.height() * 2.0).round().max(1.0) as usize;
        let height = area.height() / steps as f64;
        for i in 0..steps {
            let top = area.top + i as f64 * height;
            let strip = Rect {
                left,
                top,
                right: left + BAR,
                bottom: top + height,
            };
            let share = 1.0 - (i as f64 + 0.5) / steps as f64;
            canvas.fill_rect(strip, self.map.at((share * COLORS).round() / COLORS));
        }
        let bar = Rect {
            left,
            right: left + BAR,
            ..area
        };
        canvas.frame(bar, 0.75, Rgb::FRAME);
        for (value, text) in &self.axis.ticks {
            let y = area.bottom - self.axis.share(*value) * area.height();
            let tick = Rect {
                left: bar.right,
                right: bar.right + 4.0,
                top: y - 0.5,
                bottom: y + 0.5,
            };
            canvas.fill_rect(tick, Rgb::FRAME);
            let at = (bar.right + 7.0, y + Type::TICK.cap_height() / 2.0);
            canvas.text(at, text, Type::TICK, Rgb::SOFT_INK, Align::Start, false);
        }
        if !self.label.is_empty() {
            let x = bar.right + 8.0 + self.ticks_width() + Type::LABEL.line_height();
            let middle = (area.top + area.bottom) / 2.0;
            canvas.text(
                (x, middle),
                &self.label,
                Type::LABEL,
                Rgb::INK,
                Align::Middle,
                true,
            );
        }
    }
}
