//! What was drawn, as SVG: small, and in colours that a page may change.

use std::fmt::Write as _;

use plotters_backend::{BackendColor, BackendCoord};

use super::Rgb;
use super::color::{CLASS_COLORS, LINE_COLORS};

/// The elements of an SVG, in the order in which they were drawn.
///
/// Colours of the theme stand there as CSS variables with their light value behind them: `var(--figure-ink,
/// #202020)`. A page with a dark face sets the variables; where nobody sets them, the figure is the PNG.
pub(super) struct Svg {
    body: String,
    /// Units of plotters' coordinates to a CSS pixel.
    units: f64,
    /// What the path element that is still open looks like.
    open: Option<String>,
    /// How many elements it has: a few thousand are more than a page should carry.
    elements: usize,
}

const MOST_ELEMENTS: usize = 4_000;

/// A number of tenths of a CSS pixel.
struct Tenths(i64);

impl std::fmt::Display for Tenths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 % 10 {
            0 => write!(f, "{}", self.0 / 10),
            _ => write!(f, "{}", self.0 as f64 / 10.0),
        }
    }
}

impl Svg {
    pub fn new(units: f64) -> Self {
        Self {
            body: String::new(),
            units,
            open: None,
            elements: 0,
        }
    }

    fn tenths(&self, units: f64) -> Tenths {
        Tenths((units * 10.0 / self.units).round() as i64)
    }

    fn point(&self, (x, y): BackendCoord) -> (i64, i64) {
        let tenths = |v: i32| self.tenths(f64::from(v)).0;
        (tenths(x), tenths(y))
    }

    fn close(&mut self) {
        if let Some(style) = self.open.take() {
            let _ = write!(self.body, "\"{style}/>");
        }
    }

    fn element(&mut self, text: &str) {
        self.close();
        self.elements += 1;
        self.body.push_str(text);
    }

    /// Lines of one style that follow each other become one element.
    fn trace(&mut self, points: &[BackendCoord], style: String, end: &str) {
        if self.open.as_ref() != Some(&style) {
            self.element("<path d=\"");
            self.open = Some(style);
        }
        let mut last = (0, 0);
        for (i, &point) in points.iter().enumerate() {
            let (x, y) = self.point(point);
            let (dx, dy) = (Tenths(x - last.0), Tenths(y - last.1));
            last = (x, y);
            let _ = match i {
                0 => write!(self.body, "M{dx} {dy}"),
                _ if dx.0 == 0 && dy.0 == 0 => Ok(()),
                _ if dx.0 == 0 => write!(self.body, "v{dy}"),
                _ if dy.0 == 0 => write!(self.body, "h{dx}"),
                _ => write!(self.body, "l{dx} {dy}"),
            };
        }
        self.body.push_str(end);
    }

    pub fn path(&mut self, points: &[BackendCoord], width: f64, color: BackendColor) {
        let straight =
            points.len() == 2 && (points[0].0 == points[1].0 || points[0].1 == points[1].1);
        let ends = if straight {
            ""
        } else {
            " stroke-linecap=\"round\" stroke-linejoin=\"round\""
        };
        let width = self.tenths(width);
        let style = format!(
            " fill=\"none\"{} stroke-width=\"{width}\"{ends}",
            paint("stroke", color)
        );
        self.trace(points, style, "");
    }

    pub fn polygon(&mut self, points: &[BackendCoord], color: BackendColor) {
        self.trace(points, paint("fill", color), "z");
    }

    pub fn rect(&mut self, from: BackendCoord, to: BackendCoord, color: BackendColor) {
        let corners = [from, (to.0, from.1), to, (from.0, to.1)];
        self.trace(&corners, paint("fill", color), "z");
    }

    pub fn circle(&mut self, at: BackendCoord, radius: f64, color: BackendColor) {
        let (x, y) = self.point(at);
        let (x, y, r, fill) = (
            Tenths(x),
            Tenths(y),
            self.tenths(radius),
            paint("fill", color),
        );
        self.element(&format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\"{fill}/>"));
    }

    /// Writes from `start`, the left end of the baseline. The text keeps the `width` that it has in our typeface, so
    /// that nothing collides in another.
    pub fn text(
        &mut self,
        text: &str,
        start: (f64, f64),
        (em, width): (f64, f64),
        bold: bool,
        angle: i32,
        color: BackendColor,
    ) {
        let (x, y) = (self.tenths(start.0), self.tenths(start.1));
        let (size, length) = (self.tenths(em), self.tenths(width));
        let weight = if bold { " font-weight=\"500\"" } else { "" };
        let turn = match angle {
            0 => String::new(),
            angle => format!(" transform=\"rotate({angle} {x} {y})\""),
        };
        let (fill, text) = (paint("fill", color), escaped(text));
        self.element(&format!(
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" textLength=\"{length}\" \
             lengthAdjust=\"spacingAndGlyphs\"{weight}{fill}{turn}>{text}</text>"
        ));
    }

    /// The elements alone; `None` where they are too many.
    pub fn body(mut self) -> Option<String> {
        self.close();
        (self.elements <= MOST_ELEMENTS).then_some(self.body)
    }
}

/// A whole document around elements.
pub(super) fn document(body: &str, (width, height): (u32, u32), alt: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\" \
         font-family=\"Ubuntu, 'Open Sans', sans-serif\">{body}</svg>",
        escaped(alt)
    )
}

/// The same elements, moved.
pub(super) fn moved(body: &str, (x, y): (u32, u32)) -> String {
    format!("<g transform=\"translate({x} {y})\">{body}</g>")
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;");
    text.replace('>', "&gt;").replace('"', "&quot;")
}

/// The attributes that give a colour.
fn paint(attribute: &str, color: BackendColor) -> String {
    let (r, g, b) = color.rgb;
    let value = match name(Rgb(r, g, b)) {
        Some(name) => format!("var(--figure-{name},#{r:02x}{g:02x}{b:02x})"),
        None => format!("#{r:02x}{g:02x}{b:02x}"),
    };
    match color.alpha {
        1.0.. => format!(" {attribute}=\"{value}\""),
        alpha => format!(" {attribute}=\"{value}\" {attribute}-opacity=\"{alpha:.2}\""),
    }
}

/// What a colour of the theme is called on a page.
fn name(color: Rgb) -> Option<String> {
    let fixed = [
        (Rgb::WHITE, "paper"),
        (Rgb(0, 0, 0), "ink"),
        (Rgb::INK, "ink"),
        (Rgb::SOFT_INK, "soft-ink"),
        (Rgb::FRAME, "frame"),
        (Rgb::GRID, "grid"),
    ];
    if let Some((_, name)) = fixed.iter().find(|entry| entry.0 == color) {
        return Some((*name).to_owned());
    }
    let place = |colors: &[Rgb]| colors.iter().position(|c| *c == color);
    let line = place(&LINE_COLORS).map(|i| format!("line-{}", i + 1));
    line.or_else(|| place(&CLASS_COLORS).map(|i| format!("class-{i}")))
}
