//! The hand: bends a glyph by the style of its writer and the accidents of the moment.

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::SIDE;
use super::glyphs::GLYPHS;

/// The box that a digit fits, in pixels, as MNIST's were scaled to.
const BOX: f32 = 20.0;

/// What makes two images of one digit differ, besides small accidents of the hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Which way of writing the digit, counted from 0.
    pub variant: usize,
    /// Lean to the right, as pixels sideways per pixel up.
    pub slant: f32,
    /// Turn, in radians, clockwise.
    pub rotation: f32,
    /// Width of the pen's line in pixels.
    pub thickness: f32,
    /// Height or width of the digit, whichever is larger, in pixels.
    pub size: f32,
    /// Stretch of the width against the height; 1 is the glyph's own.
    pub aspect: f32,
    /// Shift of the centre of mass from the image's centre in pixels, right and down.
    pub shift: (f32, f32),
    /// How unsteady the hand is, as a share of the digit's height.
    pub wobble: f32,
    /// Brightness of the darkest ink, in [0, 1].
    pub ink: f32,
}

impl Style {
    /// A writer's style for `digit`.
    pub(super) fn random(digit: usize, rng: &mut impl Rng) -> Self {
        let mut normal = |mean: f32, deviation: f32, low: f32, high: f32| {
            let z: f32 = StandardNormal.sample(rng);
            (mean + deviation * z).clamp(low, high)
        };
        let slant = normal(0.14, 0.20, -0.35, 0.7);
        let rotation = normal(0.0, 0.09, -0.3, 0.3);
        let thickness = normal(2.5, 0.65, 1.3, 4.4);
        let size = normal(19.6, 0.5, 17.5, 20.4);
        let aspect = normal(1.0, 0.16, 0.65, 1.45);
        let shift = (normal(0.0, 0.35, -1.0, 1.0), normal(0.0, 0.35, -1.0, 1.0));
        let wobble = normal(0.022, 0.008, 0.005, 0.05);
        let ink = normal(0.985, 0.03, 0.8, 1.0);
        Self {
            variant: pick(digit, rng),
            slant,
            rotation,
            thickness,
            size,
            aspect,
            shift,
            wobble,
            ink,
        }
    }
}

fn pick(digit: usize, rng: &mut impl Rng) -> usize {
    let variants = GLYPHS[digit];
    let mut left = rng.random::<f32>() * variants.iter().map(|v| v.weight).sum::<f32>();
    variants
        .iter()
        .position(|v| {
            left -= v.weight;
            left < 0.0
        })
        .unwrap_or(variants.len() - 1)
}

/// A point of the pen's path: place in pixels, and half the line's width there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub x: f32,
    pub y: f32,
    pub radius: f32,
}

/// The strokes of `digit`, in pixels.
pub(super) fn write(digit: usize, style: &Style, rng: &mut impl Rng) -> Vec<Vec<Point>> {
    let glyph = &GLYPHS[digit][style.variant];
    let (sin, cos) = style.rotation.sin_cos();
    let mut jitter = || {
        let z: f32 = StandardNormal.sample(rng);
        z * style.wobble
    };
    let mut strokes: Vec<Vec<Point>> = glyph
        .strokes
        .iter()
        .map(|stroke| {
            let mut moved: Vec<(f32, f32)> = Vec::with_capacity(stroke.len());
            for (i, &(x, y)) in stroke.iter().enumerate() {
                if i > 0 && stroke[i - 1] == (x, y) {
                    moved.push(moved[i - 1]);
                    continue;
                }
                let (x, y) = (x + jitter(), y + jitter());
                let x = (x - 0.4) * style.aspect + style.slant * (0.5 - y);
                let y = y - 0.5;
                moved.push((cos * x - sin * y, sin * x + cos * y));
            }
            curve(&moved)
                .into_iter()
                .map(|(x, y)| Point {
                    x,
                    y,
                    radius: style.thickness / 2.0,
                })
                .collect()
        })
        .collect();
    fit(&mut strokes, style);
    strokes
}

/// Scales the path so that the inked box has the style's size, and puts its centre of mass in its place.
fn fit(strokes: &mut [Vec<Point>], style: &Style) {
    let points = || strokes.iter().flatten();
    let (mut low, mut high) = ((f32::MAX, f32::MAX), (f32::MIN, f32::MIN));
    for p in points() {
        low = (low.0.min(p.x), low.1.min(p.y));
        high = (high.0.max(p.x), high.1.max(p.y));
    }
    let extent = (high.0 - low.0).max(high.1 - low.1).max(f32::EPSILON);
    let scale = (style.size.min(BOX) - style.thickness) / extent;
    let count = points().count() as f32;
    let mean = points().fold((0.0, 0.0), |m, p| (m.0 + p.x / count, m.1 + p.y / count));
    let centre = SIDE as f32 / 2.0;
    for p in strokes.iter_mut().flatten() {
        p.x = (p.x - mean.0) * scale + centre + style.shift.0;
        p.y = (p.y - mean.1) * scale + centre + style.shift.1;
    }
}

/// Catmull–Rom through the points, with corners where a point is repeated, evenly sampled.
fn curve(points: &[(f32, f32)]) -> Vec<(f32, f32)> {
    const STEP: f32 = 0.02;
    let mut path = vec![points[0]];
    for i in 1..points.len() {
        let (a, b) = (points[i - 1], points[i]);
        if a == b {
            continue;
        }
        let before = if i >= 2 { points[i - 2] } else { a };
        let after = if i + 1 < points.len() {
            points[i + 1]
        } else {
            b
        };
        let steps = ((b.0 - a.0).hypot(b.1 - a.1) / STEP).ceil().max(1.0);
        for k in 1..=steps as usize {
            let t = k as f32 / steps;
            let along = |p: f32, a: f32, b: f32, n: f32| {
                a + 0.5
                    * t
                    * ((b - p)
                        + t * (2.0 * p - 5.0 * a + 4.0 * b - n + t * (3.0 * (a - b) + n - p)))
            };
            path.push((
                along(before.0, a.0, b.0, after.0),
                along(before.1, a.1, b.1, after.1),
            ));
        }
    }
    path
}
