//! The hand: bends a glyph by the style of its writer and the accidents of the moment.

use std::f32::consts::TAU;

use rand::{Rng, RngExt};
use rand_distr::{Distribution, StandardNormal};

use super::SIDE;
use super::glyphs::GLYPHS;
use super::pen::EDGE;

/// What makes two images of one digit differ, besides small accidents of the hand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Which way of writing the digit, counted from 0.
    pub variant: usize,
    /// Lean to the right, in pixels sideways per pixel up.
    pub slant: f32,
    /// Turn clockwise, in radians.
    pub rotation: f32,
    /// Width against height, as a factor on the glyph's own.
    pub aspect: f32,
    /// How much wider the lower half is than the upper, as a share of the width.
    pub taper: f32,
    /// How far the middle of the digit lies below its usual place, as a share of the height.
    pub waist: f32,
    /// How far the middle bulges to the right, as a share of the height.
    pub bend: f32,
    /// The larger of height and width, in pixels.
    pub size: f32,
    /// Width of the line, in pixels.
    pub thickness: f32,
    /// How much thicker the line is downwards than sideways, as a share of its width.
    pub pressure: f32,
    /// Brightness of the line, in [0, 1].
    pub ink: f32,
    /// Unsteadiness of the hand: the standard deviation of a point's place, as a share of the
    /// height.
    pub wobble: f32,
    /// Distance of the centre of mass from the image's, in pixels to the right and down.
    pub shift: (f32, f32),
}

impl Style {
    /// Some writer's style for `digit`.
    pub(super) fn random(digit: usize, rng: &mut impl Rng) -> Self {
        let variant = pick(digit, rng);
        let mut normal = |mean: f32, deviation: f32| {
            let z: f32 = StandardNormal.sample(rng);
            // Beyond 2.5 deviations a digit stops being one.
            mean + deviation * z.clamp(-2.5, 2.5)
        };
        Self {
            variant,
            slant: normal(0.15, 0.22),
            rotation: normal(0.0, 0.09),
            aspect: normal(0.0, 0.20).exp(),
            taper: normal(0.0, 0.14),
            waist: normal(0.0, 0.04),
            bend: normal(0.0, 0.045),
            size: normal(19.7, 0.35),
            thickness: 2.3 * normal(0.0, 0.27).exp(),
            pressure: normal(0.08, 0.08),
            ink: normal(0.99, 0.02).min(1.0),
            wobble: normal(0.024, 0.008),
            shift: (normal(0.0, 0.35), normal(0.0, 0.35)),
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

/// A point of the pen's path: its place, and half the line's width there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Point {
    pub x: f32,
    pub y: f32,
    pub radius: f32,
}

/// The strokes of `digit`, in pixels.
pub(super) fn write(digit: usize, style: &Style, rng: &mut impl Rng) -> Vec<Vec<Point>> {
    let drift = Drift::random(style.wobble, rng);
    let mut strokes: Vec<Vec<Point>> = GLYPHS[digit][style.variant]
        .strokes
        .iter()
        .map(|stroke| {
            let shaken = shake(stroke, style.wobble, rng);
            let path = curve(&shaken)
                .into_iter()
                .map(|(x, y)| bend(style, drift.at(x, y)))
                .collect();
            press(style, path)
        })
        .collect();
    place(&mut strokes, style);
    strokes
}

/// Moves each point of a stroke by itself, its ends most; a repeated point stays repeated.
fn shake(stroke: &[(f32, f32)], wobble: f32, rng: &mut impl Rng) -> Vec<(f32, f32)> {
    let mut shaken: Vec<(f32, f32)> = Vec::with_capacity(stroke.len());
    for (i, &(x, y)) in stroke.iter().enumerate() {
        if i > 0 && stroke[i - 1] == (x, y) {
            shaken.push(shaken[i - 1]);
            continue;
        }
        let amount = if i == 0 || i + 1 == stroke.len() {
            1.5 * wobble
        } else {
            wobble
        };
        let mut shift = || {
            let z: f32 = StandardNormal.sample(rng);
            z.clamp(-2.5, 2.5) * amount
        };
        shaken.push((x + shift(), y + shift()));
    }
    shaken
}

/// A slow drift of the hand: neighbouring points move together.
struct Drift {
    amount: f32,
    waves: [[f32; 3]; 4],
}

impl Drift {
    fn random(wobble: f32, rng: &mut impl Rng) -> Self {
        let mut wave = || {
            [
                rng.random_range(-1.0..1.0),
                rng.random_range(-1.0..1.0),
                rng.random(),
            ]
        };
        Self {
            amount: wobble,
            waves: [wave(), wave(), wave(), wave()],
        }
    }

    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        let wave = |[across, down, phase]: [f32; 3]| {
            self.amount * (TAU * (across * x + down * y + phase)).sin()
        };
        let [a, b, c, d] = self.waves;
        (x + wave(a) + wave(b), y + wave(c) + wave(d))
    }
}

/// The writer's shape: proportions, bulge, slant and turn, about the middle of the glyph.
fn bend(style: &Style, (x, y): (f32, f32)) -> (f32, f32) {
    let middle = 4.0 * y * (1.0 - y); // 1 in the middle, 0 at top and bottom
    let y = y + style.waist * middle - 0.5;
    let x = (x - 0.4) * style.aspect * (1.0 + 2.0 * style.taper * y) + style.bend * middle
        - style.slant * y;
    let (sin, cos) = style.rotation.sin_cos();
    (cos * x - sin * y, sin * x + cos * y)
}

/// The line's width along a path: more where the hand moves down.
fn press(style: &Style, path: Vec<(f32, f32)>) -> Vec<Point> {
    (0..path.len())
        .map(|i| {
            let (from, to) = (path[i.saturating_sub(2)], path[(i + 2).min(path.len() - 1)]);
            let (dx, dy) = (to.0 - from.0, to.1 - from.1);
            let down = dy / dx.hypot(dy).max(f32::EPSILON);
            let (x, y) = path[i];
            Point {
                x,
                y,
                radius: 0.5 * style.thickness * (1.0 + style.pressure * down),
            }
        })
        .collect()
}

/// Scales the inked box to the style's size, and puts the centre of mass in its place, as MNIST was
/// made.
fn place(strokes: &mut [Vec<Point>], style: &Style) {
    let points = || strokes.iter().flatten();
    let (mut low, mut high) = ((f32::MAX, f32::MAX), (f32::MIN, f32::MIN));
    let (mut sum, mut mass) = ((0.0, 0.0), 0.0);
    for p in points() {
        low = (low.0.min(p.x), low.1.min(p.y));
        high = (high.0.max(p.x), high.1.max(p.y));
        sum = (sum.0 + p.radius * p.x, sum.1 + p.radius * p.y);
        mass += p.radius;
    }
    let extent = (high.0 - low.0).max(high.1 - low.1).max(f32::EPSILON);
    let scale = (style.size - style.thickness) / extent;
    // No ink may run out of the picture, even where the mass is far from the middle of the box.
    let margin = 0.5 * (style.thickness * (1.0 + style.pressure.abs()) + EDGE + 1.0);
    let offset = |low: f32, high: f32, centre: f32, shift: f32| {
        let side = SIDE as f32;
        (0.5 * side + shift - centre * scale)
            .clamp(margin - low * scale, side - margin - high * scale)
    };
    let x = offset(low.0, high.0, sum.0 / mass, style.shift.0);
    let y = offset(low.1, high.1, sum.1 / mass, style.shift.1);
    for p in strokes.iter_mut().flatten() {
        p.x = p.x * scale + x;
        p.y = p.y * scale + y;
    }
}

/// A Catmull–Rom curve through the points, sampled evenly; it stops and starts anew at a corner.
fn curve(points: &[(f32, f32)]) -> Vec<(f32, f32)> {
    const STEP: f32 = 0.02;
    let mut path = vec![points[0]];
    for i in 1..points.len() {
        let (a, b) = (points[i - 1], points[i]);
        if a == b {
            continue;
        }
        let before = points[i.saturating_sub(2)];
        let after = points[(i + 1).min(points.len() - 1)];
        let steps = ((b.0 - a.0).hypot(b.1 - a.1) / STEP).ceil().max(1.0);
        for k in 1..=steps as usize {
            let t = k as f32 / steps;
            let along = |p: f32, a: f32, b: f32, n: f32| {
                let cubic = 3.0 * (a - b) + n - p;
                let square = 2.0 * p - 5.0 * a + 4.0 * b - n;
                a + 0.5 * t * ((b - p) + t * (square + t * cubic))
            };
            path.push((
                along(before.0, a.0, b.0, after.0),
                along(before.1, a.1, b.1, after.1),
            ));
        }
    }
    path
}
