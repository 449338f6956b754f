//! Where plotters draws: pixels with smooth edges, our own typeface, and beside them the same as SVG.

use std::convert::Infallible;

use ab_glyph::Point;
use ab_glyph_rasterizer::Rasterizer;
use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, IntoDrawingArea};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{
    BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind,
    FontStyle, FontTransform,
};

use super::bitmap::Bitmap;
use super::font::{self, CAP_HEIGHT};
use super::svg::Svg;
use super::{DENSITY, MOST_PIXELS, PlotError};

/// What [`plot::figure`](super::figure()) hands over: plotters' drawing area, on a white ground, measured in CSS
/// pixels.
pub type Area<'a> = DrawingArea<Backend<'a>, Shift>;

/// Plotters' [`DrawingBackend`] for figures: smooth edges, two pixels to a CSS pixel, one typeface whatever family a
/// style asks for, and text as large as on plotters' own backends.
pub struct Backend<'a>(&'a mut Canvas);

/// A surface that a [`Backend`] draws on.
pub(super) struct Canvas {
    bitmap: Bitmap,
    svg: Option<Svg>,
    /// What was written, and how large.
    texts: Vec<(f64, String)>,
    /// Pixels of the bitmap to a unit of plotters' coordinates.
    scale: f64,
    raster: Rasterizer,
}

/// A font size of plotters is so many ems: its own backends take it for the height of a line.
pub(super) const SIZE_TO_EM: f64 = 1.24;

/// Steps of coverage at the edge of a shape.
const STEPS: f64 = 8.0;

type Drawn = Result<(), DrawingErrorKind<Infallible>>;

impl Canvas {
    /// A white canvas of `width` × `height` CSS pixels, each of them `units` of plotters' coordinates.
    pub fn new((width, height): (u32, u32), units: u32) -> Result<Self, PlotError> {
        let pixels = |css: u32| u64::from(css) * u64::from(DENSITY);
        let (wide, high) = (pixels(width), pixels(height));
        if width == 0 || height == 0 {
            return Err(PlotError::Invalid(format!(
                "a figure of {width} × {height} CSS pixels shows nothing: choose a larger size"
            )));
        }
        if wide.saturating_mul(high) > MOST_PIXELS {
            let (width, height) = (wide, high);
            return Err(PlotError::TooLarge { width, height });
        }
        Ok(Self {
            bitmap: Bitmap::white(wide as u32, high as u32),
            svg: Some(Svg::new(f64::from(units))),
            texts: Vec::new(),
            scale: f64::from(DENSITY) / f64::from(units),
            raster: Rasterizer::new(0, 0),
        })
    }

    pub fn area(&mut self) -> Area<'_> {
        Backend(self).into_drawing_area()
    }

    /// Leaves the SVG out: for pictures made of pixels.
    pub fn without_svg(mut self) -> Self {
        self.svg = None;
        self
    }

    pub fn finish(self) -> (Bitmap, Option<Svg>, Vec<(f64, String)>) {
        (self.bitmap, self.svg, self.texts)
    }

    fn pixel(&self, (x, y): BackendCoord) -> (f64, f64) {
        (f64::from(x) * self.scale, f64::from(y) * self.scale)
    }

    fn blend(&mut self, x: i64, y: i64, color: BackendColor, coverage: f64) {
        let (width, height) = (i64::from(self.bitmap.width), i64::from(self.bitmap.height));
        if !(0..width).contains(&x) || !(0..height).contains(&y) {
            return;
        }
        let at = ((y * width + x) * 3) as usize;
        // Few steps between a shape and its ground: an eye sees no more, and a palette holds no more.
        let share = (coverage.clamp(0.0, 1.0) * STEPS).round() / STEPS * color.alpha;
        let (r, g, b) = color.rgb;
        for (old, new) in self.bitmap.rgb[at..at + 3].iter_mut().zip([r, g, b]) {
            *old = (f64::from(*old) + share * (f64::from(new) - f64::from(*old))).round() as u8;
        }
    }

    /// Fills what lies between whole pixels, so that edges are sharp and neighbours neither overlap nor part.
    fn fill_box(&mut self, from: (f64, f64), to: (f64, f64), color: BackendColor) {
        let ends = |a: f64, b: f64, most: u32| {
            let clamp = |v: f64| v.round().clamp(0.0, f64::from(most)) as i64;
            clamp(a.min(b))..clamp(a.max(b))
        };
        for y in ends(from.1, to.1, self.bitmap.height) {
            for x in ends(from.0, to.0, self.bitmap.width) {
                self.blend(x, y, color, 1.0);
            }
        }
    }

    /// Fills all that is nearer than `radius` to a line: exact enough at the edge, round at joints and ends.
    fn stroke(&mut self, path: &[(f64, f64)], radius: f64, color: BackendColor) {
        let far = |v: &(f64, f64)| {
            let most = f64::from(self.bitmap.width.max(self.bitmap.height)) * 2.0;
            (v.0.clamp(-most, most), v.1.clamp(-most, most))
        };
        let path: Vec<_> = path.iter().map(far).collect();
        let reach = radius + 1.0;
        let limits = |values: &mut dyn Iterator<Item = f64>, most: u32| {
            let (low, high) = values.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
            let clamp = |v: f64| v.clamp(0.0, f64::from(most)) as usize;
            (clamp((low - reach).floor()), clamp((high + reach).ceil()))
        };
        let (width, height) = (self.bitmap.width, self.bitmap.height);
        let (left, right) = limits(&mut path.iter().map(|p| p.0), width);
        let (top, bottom) = limits(&mut path.iter().map(|p| p.1), height);
        let (wide, high) = (right.saturating_sub(left), bottom.saturating_sub(top));
        let mut mask = vec![0.0_f32; wide * high];
        let single = [path[0], path[0]];
        let pairs = if path.len() > 1 {
            path.windows(2)
        } else {
            single.windows(2)
        };
        for pair in pairs {
            let (a, b) = (pair[0], pair[1]);
            let (dx, dy) = (b.0 - a.0, b.1 - a.1);
            let squared = (dx * dx + dy * dy).max(1e-12);
            let (y0, y1) = limits(&mut [a.1, b.1].into_iter(), height);
            for y in y0..y1 {
                let cy = y as f64 + 0.5;
                // The part of the segment that this row can touch.
                let share = |v: f64| ((v - a.1) / dy).clamp(0.0, 1.0);
                let (s, e) = if dy.abs() < 1e-9 {
                    (0.0, 1.0)
                } else {
                    (share(cy - reach), share(cy + reach))
                };
                let ends = [a.0 + s * dx, a.0 + e * dx];
                let (x0, x1) = limits(&mut ends.into_iter(), width);
                for x in x0..x1 {
                    let cx = x as f64 + 0.5;
                    let t = (((cx - a.0) * dx + (cy - a.1) * dy) / squared).clamp(0.0, 1.0);
                    let distance = (cx - a.0 - t * dx).hypot(cy - a.1 - t * dy);
                    let coverage = (radius + 0.5 - distance).clamp(0.0, 1.0) as f32;
                    let at = &mut mask[(y - top) * wide + x - left];
                    *at = at.max(coverage);
                }
            }
        }
        for (i, coverage) in mask.into_iter().enumerate().filter(|m| m.1 > 0.0) {
            let (x, y) = ((left + i % wide) as i64, (top + i / wide) as i64);
            self.blend(x, y, color, f64::from(coverage));
        }
    }

    /// Fills a polygon.
    fn fill(&mut self, corners: &[(f64, f64)], color: BackendColor) {
        let most = f64::from(self.bitmap.width.max(self.bitmap.height)) * 2.0;
        let ends = |values: &mut dyn Iterator<Item = f64>| {
            let (low, high) = values.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
            (low.max(-most).floor(), high.min(most).ceil())
        };
        let (left, right) = ends(&mut corners.iter().map(|p| p.0));
        let (top, bottom) = ends(&mut corners.iter().map(|p| p.1));
        let wide = (right - left).max(1.0) as usize + 1;
        self.raster
            .reset(wide, (bottom - top).max(1.0) as usize + 1);
        let point = |p: &(f64, f64)| Point {
            x: (p.0.clamp(-most, most) - left) as f32,
            y: (p.1.clamp(-most, most) - top) as f32,
        };
        for (i, from) in corners.iter().enumerate() {
            let to = &corners[(i + 1) % corners.len()];
            let (from, to) = (point(from), point(to));
            let glyph = |p: Point| ab_glyph_rasterizer::point(p.x, p.y);
            self.raster.draw_line(glyph(from), glyph(to));
        }
        let mut covered = Vec::new();
        self.raster.for_each_pixel_2d(|x, y, coverage| {
            if coverage > 0.0 {
                covered.push((x, y, coverage));
            }
        });
        for (x, y, coverage) in covered {
            let at = (left as i64 + i64::from(x), top as i64 + i64::from(y));
            self.blend(at.0, at.1, color, f64::from(coverage));
        }
    }

    /// One straight upright or level line of whole pixels; `None` for any other.
    fn sharp(&mut self, path: &[BackendCoord], width: f64, color: BackendColor) -> Option<()> {
        let &[a, b] = path else { return None };
        let thick = width.round().max(1.0);
        let begin = |middle: f64| (middle - thick / 2.0).round();
        let (from, to) = (self.pixel(a), self.pixel(b));
        let (low, high) = (from.0.min(to.0), from.0.max(to.0));
        let (top, bottom) = (from.1.min(to.1), from.1.max(to.1));
        // Its ends go half its width further, as round ends do.
        let half = thick / 2.0;
        if a.0 == b.0 {
            let x = begin(from.0);
            self.fill_box((x, top - half), (x + thick, bottom + half), color);
        } else if a.1 == b.1 {
            let y = begin(from.1);
            self.fill_box((low - half, y), (high + half, y + thick), color);
        } else {
            return None;
        }
        Some(())
    }
}

impl DrawingBackend for Backend<'_> {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        let units = |pixels: u32| (f64::from(pixels) / self.0.scale).round() as u32;
        (units(self.0.bitmap.width), units(self.0.bitmap.height))
    }

    fn ensure_prepared(&mut self) -> Drawn {
        Ok(())
    }

    fn present(&mut self) -> Drawn {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Drawn {
        let to = self.0.pixel((x + 1, y + 1));
        let from = self.0.pixel((x, y));
        self.0.fill_box(from, to, color);
        // A picture of single pixels would be a huge SVG.
        self.0.svg = None;
        Ok(())
    }

    fn draw_line<S: BackendStyle>(
        &mut self,
        from: BackendCoord,
        to: BackendCoord,
        style: &S,
    ) -> Drawn {
        self.draw_path([from, to], style)
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        path: I,
        style: &S,
    ) -> Drawn {
        let path: Vec<_> = path.into_iter().collect();
        let color = style.color();
        if color.alpha == 0.0 || path.is_empty() {
            return Ok(());
        }
        let width = f64::from(style.stroke_width());
        let thick = width * self.0.scale;
        if self.0.sharp(&path, thick, color).is_none() {
            let pixels: Vec<_> = path.iter().map(|&p| self.0.pixel(p)).collect();
            self.0.stroke(&pixels, thick / 2.0, color);
        }
        if let Some(svg) = &mut self.0.svg {
            svg.path(&path, width, color);
        }
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(
        &mut self,
        upper_left: BackendCoord,
        bottom_right: BackendCoord,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let ((x0, y0), (x1, y1)) = (upper_left, bottom_right);
        if !fill {
            let corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)];
            return corners
                .windows(2)
                .try_for_each(|side| self.draw_line(side[0], side[1], style));
        }
        let color = style.color();
        // Plotters names the last unit that is filled. Where a unit is less than a pixel, that is too fine.
        let last = i32::from(self.0.scale >= 1.0);
        let (from, to) = (self.0.pixel((x0, y0)), self.0.pixel((x1 + last, y1 + last)));
        self.0.fill_box(from, to, color);
        if let Some(svg) = &mut self.0.svg {
            svg.rect((x0, y0), (x1 + last, y1 + last), color);
        }
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(
        &mut self,
        center: BackendCoord,
        radius: u32,
        style: &S,
        fill: bool,
    ) -> Drawn {
        let color = style.color();
        let r = f64::from(radius);
        if !fill {
            let steps = 48;
            let at = |i: u32| {
                let (sin, cos) =
                    (f64::from(i) / f64::from(steps) * std::f64::consts::TAU).sin_cos();
                let round = |v: f64| v.round() as i32;
                (center.0 + round(r * cos), center.1 + round(r * sin))
            };
            return self.draw_path((0..=steps).map(at), style);
        }
        // Equal discs have equal pixels, which makes small files.
        let at = self.0.pixel(center);
        let r_pixels = r * self.0.scale;
        self.0
            .stroke(&[(at.0.round(), at.1.round())], r_pixels, color);
        if let Some(svg) = &mut self.0.svg {
            svg.circle(center, r, color);
        }
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(
        &mut self,
        vertices: I,
        style: &S,
    ) -> Drawn {
        let corners: Vec<_> = vertices.into_iter().collect();
        let color = style.color();
        if corners.len() > 2 && color.alpha > 0.0 {
            let pixels: Vec<_> = corners.iter().map(|&p| self.0.pixel(p)).collect();
            self.0.fill(&pixels, color);
            if let Some(svg) = &mut self.0.svg {
                svg.polygon(&corners, color);
            }
        }
        Ok(())
    }

    fn draw_text<S: BackendTextStyle>(&mut self, text: &str, style: &S, at: BackendCoord) -> Drawn {
        let color = style.color();
        if color.alpha == 0.0 || text.is_empty() {
            return Ok(());
        }
        let em = style.size() / SIZE_TO_EM;
        let bold = matches!(style.style(), FontStyle::Bold);
        let width = font::width(text, em);
        let along = match style.anchor().h_pos {
            HPos::Left => 0.0,
            HPos::Center => -width / 2.0,
            HPos::Right => -width,
        };
        let down = em
            * match style.anchor().v_pos {
                VPos::Top => CAP_HEIGHT + 0.11,
                VPos::Center => CAP_HEIGHT / 2.0,
                VPos::Bottom => -0.22,
            };
        // A quarter turn is (cos, sin) of the direction in which the text runs.
        let (cos, sin) = match style.transform() {
            FontTransform::None => (1, 0),
            FontTransform::Rotate90 => (0, 1),
            FontTransform::Rotate180 => (-1, 0),
            FontTransform::Rotate270 => (0, -1),
        };
        let turn = |x: f64, y: f64| {
            let (cos, sin) = (f64::from(cos), f64::from(sin));
            (cos * x - sin * y, sin * x + cos * y)
        };
        let shift = turn(along, down);
        let start = (f64::from(at.0) + shift.0, f64::from(at.1) + shift.1);
        let (scale, canvas) = (self.0.scale, &mut *self.0);
        let origin = (
            (start.0 * scale).round() as i64,
            (start.1 * scale).round() as i64,
        );
        font::rasterise(text, em * scale, bold, |x, y, coverage| {
            let (x, y) = (i64::from(x), i64::from(y));
            let (cos, sin) = (i64::from(cos), i64::from(sin));
            let at = (cos * x - sin * y, sin * x + cos * y);
            canvas.blend(origin.0 + at.0, origin.1 + at.1, color, f64::from(coverage));
        });
        self.0.texts.push((em, text.to_owned()));
        if let Some(svg) = &mut self.0.svg {
            let angle = [(0, 1, 90), (-1, 0, 180), (0, -1, 270)];
            let angle = angle
                .iter()
                .find(|a| (a.0, a.1) == (cos, sin))
                .map_or(0, |a| a.2);
            svg.text(text, start, (em, width), bold, angle, color);
        }
        Ok(())
    }

    fn estimate_text_size<S: BackendTextStyle>(
        &self,
        text: &str,
        style: &S,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        let em = style.size() / SIZE_TO_EM;
        let (length, height) = (font::width(text, em).ceil() as u32, em.ceil() as u32);
        Ok(match style.transform() {
            FontTransform::None | FontTransform::Rotate180 => (length, height),
            _ => (height, length),
        })
    }

    fn blit_bitmap(&mut self, at: BackendCoord, (wide, high): (u32, u32), src: &[u8]) -> Drawn {
        let (pixels, _) = src.as_chunks::<3>();
        for (i, &[r, g, b]) in pixels.iter().enumerate().take((wide * high) as usize) {
            let (x, y) = (i as u32 % wide, i as u32 / wide);
            let color = BackendColor {
                alpha: 1.0,
                rgb: (r, g, b),
            };
            self.draw_pixel((at.0 + x as i32, at.1 + y as i32), color)?;
        }
        self.0.svg = None;
        Ok(())
    }
}
