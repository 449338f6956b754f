//! A surface measured in CSS pixels: shapes by plotters, text by our own placement, both smooth.

use plotters::backend::BitMapBackend;
use plotters::style::RGBColor;
use plotters_backend::DrawingBackend;

use super::font::Type;
use super::png_file::Bitmap;
use super::{DENSITY, MOST_PIXELS, PlotError, Rgb};

/// Where a text's anchor lies along its direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Start,
    Middle,
    End,
}

/// A rectangle in CSS pixels.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rect {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Rect {
    pub fn width(&self) -> f64 {
        self.right - self.left
    }

    pub fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub fn contains(&self, (x, y): (f64, f64)) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
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
        [
            Marker::Circle,
            Marker::Square,
            Marker::Triangle,
            Marker::Diamond,
            Marker::Cross,
        ][index % 5]
    }
}

/// Lengths of dashes and of the spaces between them, as multiples of the line's width.
const DASH: (f64, f64) = (3.0, 3.0);

pub(super) struct Canvas {
    pixels: Vec<u8>,
    width: u32,
    height: u32,
    /// Canvas pixels to a CSS pixel.
    scale: f64,
    /// Canvas pixels to a PNG pixel, along each axis.
    oversampling: u32,
}

impl Canvas {
    /// A white canvas of `width` × `height` CSS pixels. Shapes need an oversampling of 2 to have
    /// smooth edges.
    pub fn new(width: u32, height: u32, oversampling: u32) -> Result<Self, PlotError> {
        let (wide, high) = (
            u64::from(width) * u64::from(DENSITY),
            u64::from(height) * u64::from(DENSITY),
        );
        if wide.saturating_mul(high) > MOST_PIXELS {
            return Err(PlotError::TooLarge {
                width: wide,
                height: high,
            });
        }
        let (width, height) = (
            width * DENSITY * oversampling,
            height * DENSITY * oversampling,
        );
        Ok(Self {
            pixels: vec![255; width as usize * height as usize * 3],
            width,
            height,
            scale: f64::from(DENSITY * oversampling),
            oversampling,
        })
    }

    fn to_pixel(&self, value: f64) -> i32 {
        (value * self.scale).round() as i32
    }

    fn backend(&mut self) -> BitMapBackend<'_> {
        BitMapBackend::with_buffer(&mut self.pixels, (self.width, self.height))
    }

    /// Fills a rectangle, edges rounded to whole canvas pixels.
    pub fn fill_rect(&mut self, rect: Rect, color: Rgb) {
        self.tint_rect(rect, color, 1.0);
    }

    /// Colours what is in a rectangle.
    pub fn tint_rect(&mut self, rect: Rect, color: Rgb, opacity: f64) {
        let clamp = |value: i32, most: u32| value.clamp(0, most as i32) as usize;
        let (left, right) = (self.to_pixel(rect.left), self.to_pixel(rect.right));
        let (left, right) = (clamp(left, self.width), clamp(right, self.width));
        let (top, bottom) = (self.to_pixel(rect.top), self.to_pixel(rect.bottom));
        for y in clamp(top, self.height)..clamp(bottom, self.height) {
            let row = y * self.width as usize;
            for p in self.pixels[(row + left) * 3..(row + right.max(left)) * 3].chunks_exact_mut(3)
            {
                let new = Rgb(p[0], p[1], p[2]).mix(color, opacity);
                p.copy_from_slice(&<[u8; 3]>::from(new));
            }
        }
    }

    /// Draws the outline of a rectangle, `width` CSS pixels thick, outside of it.
    pub fn frame(&mut self, rect: Rect, width: f64, color: Rgb) {
        let outer = Rect {
            left: rect.left - width,
            top: rect.top - width,
            right: rect.right + width,
            bottom: rect.bottom + width,
        };
        for side in [
            Rect {
                bottom: rect.top,
                ..outer
            },
            Rect {
                top: rect.bottom,
                ..outer
            },
            Rect {
                right: rect.left,
                ..outer
            },
            Rect {
                left: rect.right,
                ..outer
            },
        ] {
            self.fill_rect(side, color);
        }
    }

    /// Sets one PNG pixel; only where the canvas is not oversampled.
    pub fn set(&mut self, x: u32, y: u32, color: Rgb) {
        let at = (y as usize * self.width as usize + x as usize) * 3;
        if let Some(p) = self.pixels.get_mut(at..at + 3) {
            p.copy_from_slice(&<[u8; 3]>::from(color));
        }
    }

    /// Draws a line through `path` with round joints, cut off at the edges of `clip`.
    pub fn stroke(
        &mut self,
        path: &[(f64, f64)],
        width: f64,
        color: Rgb,
        dashed: bool,
        clip: Rect,
    ) {
        let mut travelled = 0.0;
        for pair in path.windows(2) {
            let length = (pair[1].0 - pair[0].0).hypot(pair[1].1 - pair[0].1);
            if let Some((from, to)) = clip_segment(pair[0], pair[1], clip) {
                if dashed {
                    let skipped = (from.0 - pair[0].0).hypot(from.1 - pair[0].1);
                    self.dashes(from, to, width, color, travelled + skipped);
                } else {
                    self.segment(from, to, width, color);
                }
            }
            travelled += length;
        }
    }

    /// The dashes of one segment that begins `travelled` CSS pixels into its line.
    fn dashes(&mut self, from: (f64, f64), to: (f64, f64), width: f64, color: Rgb, travelled: f64) {
        let (dash, period) = (DASH.0 * width, (DASH.0 + DASH.1) * width);
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        if length == 0.0 {
            return;
        }
        let at = |d: f64| {
            let t = d / length;
            (from.0 + t * (to.0 - from.0), from.1 + t * (to.1 - from.1))
        };
        let mut start = -(travelled % period);
        while start < length {
            let (a, b) = (start.max(0.0), (start + dash).min(length));
            if a < b {
                self.segment(at(a), at(b), width, color);
            }
            start += period;
        }
    }

    fn segment(&mut self, from: (f64, f64), to: (f64, f64), width: f64, color: Rgb) {
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        if length > 0.0 {
            let (nx, ny) = (
                -(to.1 - from.1) / length * width / 2.0,
                (to.0 - from.0) / length * width / 2.0,
            );
            self.polygon(
                &[
                    (from.0 + nx, from.1 + ny),
                    (to.0 + nx, to.1 + ny),
                    (to.0 - nx, to.1 - ny),
                    (from.0 - nx, from.1 - ny),
                ],
                color,
            );
        }
        // A disc of radius r is 2 r + 1 pixels wide.
        let radius = width / 2.0 - 0.5 / self.scale;
        self.disc(from, radius, color);
        self.disc(to, radius, color);
    }

    /// Fills a polygon.
    pub fn polygon(&mut self, corners: &[(f64, f64)], color: Rgb) {
        let corners: Vec<(i32, i32)> = corners
            .iter()
            .map(|&(x, y)| (self.to_pixel(x), self.to_pixel(y)))
            .collect();
        // A bitmap in memory has no way to fail.
        let _ = self
            .backend()
            .fill_polygon(corners, &RGBColor(color.0, color.1, color.2));
    }

    fn disc(&mut self, center: (f64, f64), radius: f64, color: Rgb) {
        let center = (self.to_pixel(center.0), self.to_pixel(center.1));
        let radius = (radius * self.scale).round().max(1.0) as u32;
        let style = RGBColor(color.0, color.1, color.2);
        let _ = self.backend().draw_circle(center, radius, &style, true);
    }

    /// Draws a marker whose area is about that of a disc of `radius`.
    ///
    /// Its middle is rounded to a whole PNG pixel: equal markers then have equal pixels, which
    /// makes small files.
    pub fn marker(&mut self, marker: Marker, at: (f64, f64), radius: f64, color: Rgb) {
        let at = (snap(at.0), snap(at.1));
        let corners: Vec<(f64, f64)> = match marker {
            Marker::Circle => return self.disc(at, radius, color),
            Marker::Square => {
                let r = 0.89 * radius;
                vec![(-r, -r), (r, -r), (r, r), (-r, r)]
            }
            Marker::Triangle => {
                let r = 1.45 * radius;
                vec![(0.0, -r), (0.87 * r, 0.5 * r), (-0.87 * r, 0.5 * r)]
            }
            Marker::Diamond => {
                let r = 1.3 * radius;
                vec![(0.0, -r), (r, 0.0), (0.0, r), (-r, 0.0)]
            }
            Marker::Cross => {
                let r = 0.95 * radius;
                for (dx, dy) in [(r, r), (r, -r)] {
                    let (a, b) = ((at.0 - dx, at.1 - dy), (at.0 + dx, at.1 + dy));
                    self.segment(a, b, 0.75 * radius, color);
                }
                return;
            }
        };
        let corners: Vec<_> = corners.iter().map(|c| (at.0 + c.0, at.1 + c.1)).collect();
        self.polygon(&corners, color);
    }

    /// Writes `text` with its anchor, on the baseline, at `at`; `upwards` turns it a quarter to the
    /// left.
    pub fn text(
        &mut self,
        at: (f64, f64),
        text: &str,
        kind: Type,
        color: Rgb,
        align: Align,
        upwards: bool,
    ) {
        let shift = match align {
            Align::Start => 0.0,
            Align::Middle => -kind.width(text) / 2.0,
            Align::End => -kind.width(text),
        };
        let at = if upwards {
            (at.0, at.1 - shift)
        } else {
            (at.0 + shift, at.1)
        };
        let (x, y) = (self.to_pixel(at.0), self.to_pixel(at.1));
        // Strokes are thickened by drawing them again, a little to the right.
        let weight = kind.weight * self.scale;
        for copy in 0..=weight.ceil() as i32 {
            let share = (weight - f64::from(copy - 1)).clamp(0.0, 1.0) as f32;
            kind.rasterise(text, self.scale, |dx, dy, coverage| {
                let dx = dx + copy;
                let (px, py) = if upwards {
                    (x + dy, y - dx)
                } else {
                    (x + dx, y + dy)
                };
                self.blend(px, py, color, coverage * share);
            });
        }
    }

    /// The same with a white rim, to be read on top of data.
    pub fn haloed_text(
        &mut self,
        at: (f64, f64),
        text: &str,
        kind: Type,
        color: Rgb,
        align: Align,
    ) {
        let rim = 1.6;
        for step in 0..16 {
            let angle = f64::from(step) / 16.0 * std::f64::consts::TAU;
            let place = (at.0 + rim * angle.cos(), at.1 + rim * angle.sin());
            self.text(place, text, kind, Rgb::WHITE, align, false);
        }
        self.text(at, text, kind, color, align, false);
    }

    fn blend(&mut self, x: i32, y: i32, color: Rgb, coverage: f32) {
        let (Ok(x), Ok(y)) = (u32::try_from(x), u32::try_from(y)) else {
            return;
        };
        if x >= self.width || y >= self.height {
            return;
        }
        let at = (y as usize * self.width as usize + x as usize) * 3;
        let p = &mut self.pixels[at..at + 3];
        let old = Rgb(p[0], p[1], p[2]);
        let new = old.mix(color, f64::from(coverage.clamp(0.0, 1.0)));
        p.copy_from_slice(&<[u8; 3]>::from(new));
    }

    /// The PNG's pixels.
    pub fn finish(self) -> Bitmap {
        let n = self.oversampling;
        let (width, height) = (self.width / n, self.height / n);
        if n == 1 {
            return Bitmap {
                width,
                height,
                rgb: self.pixels,
            };
        }
        let n = n as usize;
        let (samples, row) = (u32::from(n as u16 * n as u16), width as usize * 3);
        let mut rgb = Vec::with_capacity(row * height as usize);
        let mut sums = vec![0_u32; row];
        for lines in self.pixels.chunks_exact(row * n * n) {
            sums.fill(0);
            for line in lines.chunks_exact(row * n) {
                for (sum, group) in sums.chunks_exact_mut(3).zip(line.chunks_exact(3 * n)) {
                    for p in group.chunks_exact(3) {
                        sum[0] += u32::from(p[0]);
                        sum[1] += u32::from(p[1]);
                        sum[2] += u32::from(p[2]);
                    }
                }
            }
            rgb.extend(sums.iter().map(|sum| ((sum + samples / 2) / samples) as u8));
        }
        Bitmap { width, height, rgb }
    }
}

/// The nearest whole PNG pixel, in CSS pixels.
pub(super) fn snap(value: f64) -> f64 {
    (value * f64::from(DENSITY)).round() / f64::from(DENSITY)
}

/// The part of a segment inside `clip` (Liang and Barsky's way).
fn clip_segment(from: (f64, f64), to: (f64, f64), clip: Rect) -> Option<((f64, f64), (f64, f64))> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (step, distance) in [
        (-dx, from.0 - clip.left),
        (dx, clip.right - from.0),
        (-dy, from.1 - clip.top),
        (dy, clip.bottom - from.1),
    ] {
        if step == 0.0 {
            if distance < 0.0 {
                return None;
            }
        } else if step < 0.0 {
            enter = enter.max(distance / step);
        } else {
            leave = leave.min(distance / step);
        }
    }
    let at = |t: f64| (from.0 + t * dx, from.1 + t * dy);
    (enter <= leave).then(|| (at(enter), at(leave)))
}
