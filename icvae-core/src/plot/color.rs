//! Colours: sets for lines and classes, and maps from numbers to colours.

use super::PlotError;
use crate::Result;

/// A colour: red, green and blue from 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Rgb(pub u8, pub u8, pub u8);

impl Rgb {
    pub(super) const WHITE: Rgb = Rgb(255, 255, 255);
    pub(super) const INK: Rgb = Rgb(32, 32, 32);
    pub(super) const SOFT_INK: Rgb = Rgb(85, 85, 85);
    pub(super) const FRAME: Rgb = Rgb(176, 176, 176);
    pub(super) const GRID: Rgb = Rgb(230, 230, 230);
}

fn to_byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Colours for lines, in the order they are used.
///
/// The six-colour set of M. A. Petroff, *Accessible Color Sequences for Data Visualization* (2021,
/// arXiv:2107.02270), in an order that puts the strongest contrasts first.
pub const LINE_COLORS: [Rgb; 6] = [
    Rgb(0x57, 0x90, 0xfc),
    Rgb(0xe4, 0x25, 0x36),
    Rgb(0xf8, 0x9c, 0x20),
    Rgb(0x96, 0x4a, 0x8b),
    Rgb(0x9c, 0x9c, 0xa1),
    Rgb(0x7a, 0x21, 0xdd),
];

/// Terms that have the same of [`LINE_COLORS`] in all figures. Two with one colour belong to different losses.
const TERMS: [(&str, usize); 8] = [
    ("reconstruction", 0),
    ("squared error", 0),
    ("prior KL", 1),
    ("KL", 1),
    ("fooling", 1),
    ("pairwise KL", 2),
    ("discriminator", 2),
    ("total", 3),
];

/// The colours of lines from their names, chosen colours, and whether they are dashed.
///
/// A name counts up to its first comma. Equal names have equal colours, if they can be told apart by their dashes.
pub(super) fn line_colors(lines: &[(&str, Option<Rgb>, bool)]) -> Vec<Rgb> {
    fn term<'a>(line: &(&'a str, Option<Rgb>, bool)) -> &'a str {
        line.0.split(',').next().unwrap_or_default().trim()
    }
    let known = |name: &str| {
        let entry = TERMS.iter().find(|entry| entry.0 == name);
        entry.map(|entry| LINE_COLORS[entry.1])
    };
    let kept: Vec<Rgb> = lines.iter().filter_map(|line| known(term(line))).collect();
    let mut free = LINE_COLORS
        .iter()
        .filter(|c| !kept.contains(c))
        .chain(&LINE_COLORS)
        .cycle();
    let mut chosen: Vec<Rgb> = Vec::with_capacity(lines.len());
    for (i, line) in lines.iter().enumerate() {
        let name = term(line);
        let before = || (0..i).filter(|&j| term(&lines[j]) == name);
        // Two solid lines of one name need two colours.
        let twin = before().any(|j| lines[j].2 == line.2);
        let partner = before()
            .next()
            .filter(|_| !twin && !name.is_empty())
            .map(|j| chosen[j]);
        let own = known(name).filter(|color| !chosen.contains(color));
        let color = line.1.or(partner).or(own);
        chosen.push(color.unwrap_or_else(|| free.next().copied().unwrap_or(Rgb::INK)));
    }
    chosen
}

/// Colours for up to ten classes: the ten-colour set of the same paper, which keeps its colours
/// apart under the common kinds of colour blindness.
pub const CLASS_COLORS: [Rgb; 10] = [
    Rgb(0x3f, 0x90, 0xda),
    Rgb(0xff, 0xa9, 0x0e),
    Rgb(0xbd, 0x1f, 0x01),
    Rgb(0x94, 0xa4, 0xa2),
    Rgb(0x83, 0x2d, 0xb6),
    Rgb(0xa9, 0x6b, 0x59),
    Rgb(0xe7, 0x63, 0x00),
    Rgb(0xb9, 0xac, 0x70),
    Rgb(0x71, 0x75, 0x81),
    Rgb(0x92, 0xda, 0xdd),
];

/// A map from numbers in [0, 1] to colours: straight lines in RGB between fixed points.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorMap {
    /// Position and colour, by position. Two equal positions make a jump.
    stops: Vec<(f64, [f64; 3])>,
}

/// How many intervals a shifted map has on each side of its centre.
const HALF: usize = 128;

impl ColorMap {
    /// The map through the given colours, in order of their positions in [0, 1].
    ///
    /// # Errors
    /// If there are fewer than two stops, or they do not run from 0 to 1 in order.
    pub fn new(stops: &[(f64, Rgb)]) -> Result<Self> {
        let in_order = stops.windows(2).all(|pair| pair[0].0 <= pair[1].0);
        match (stops.first(), stops.last()) {
            (Some(first), Some(last))
                if stops.len() > 1 && first.0 == 0.0 && last.0 == 1.0 && in_order => {}
            _ => {
                let found: Vec<f64> = stops.iter().map(|stop| stop.0).collect();
                return Err(PlotError::Invalid(format!(
                    "the positions of a colour map must run from 0 to 1 in order, but are {found:?}"
                ))
                .into());
            }
        }
        let floats = |c: Rgb| [c.0, c.1, c.2].map(f64::from);
        Ok(Self {
            stops: stops.iter().map(|&(at, c)| (at, floats(c))).collect(),
        })
    }

    /// Dark violet over green to yellow, evenly lighter: for values from little to much.
    pub fn viridis() -> Self {
        Self::sampled(|t| colorous::VIRIDIS.eval_continuous(t))
    }

    /// Blue over near-white to red (ColorBrewer's RdBu): for values on both sides of a centre.
    pub fn coolwarm() -> Self {
        Self::sampled(|t| colorous::RED_BLUE.eval_continuous(1.0 - t))
    }

    /// Black to white.
    pub fn grey() -> Self {
        Self {
            stops: vec![(0.0, [0.0; 3]), (1.0, [255.0; 3])],
        }
    }

    fn sampled(map: impl Fn(f64) -> colorous::Color) -> Self {
        let stop = |i: u32| {
            let t = f64::from(i) / 256.0;
            let color = map(t);
            (t, [color.r, color.g, color.b].map(f64::from))
        };
        Self {
            stops: (0..=256).map(stop).collect(),
        }
    }

    /// The same map with its centre moved to `midpoint`: the colours of `self` from `start` to
    /// `stop`, sampled at 257 even steps, with the middle one at `midpoint` and each half spread
    /// evenly over its side.
    ///
    /// For values from −15 to 5 whose centre is 0, `midpoint` is 15 / (15 + 5) = 0.75.
    ///
    /// # Errors
    /// Unless 0 ≤ `start` ≤ `midpoint` ≤ `stop` ≤ 1 and `start` < `stop`.
    pub fn shifted(&self, start: f64, midpoint: f64, stop: f64) -> Result<Self> {
        let in_order = 0.0 <= start && start <= midpoint && midpoint <= stop && stop <= 1.0;
        if !in_order || start >= stop {
            return Err(PlotError::Invalid(format!(
                "a shifted colour map needs 0 ≤ start ≤ midpoint ≤ stop ≤ 1 and start < stop, \
                 but start is {start}, midpoint {midpoint} and stop {stop}"
            ))
            .into());
        }
        let stops = (0..=2 * HALF)
            .map(|i| {
                let source = start + (stop - start) * i as f64 / (2 * HALF) as f64;
                let position = if i < HALF {
                    midpoint * i as f64 / HALF as f64
                } else {
                    midpoint + (1.0 - midpoint) * (i - HALF) as f64 / HALF as f64
                };
                (position, self.sample(source))
            })
            .collect();
        Ok(Self { stops })
    }

    /// The colour at `t`; below 0 and above 1 the colours of the ends, for NaN a mid grey.
    pub fn at(&self, t: f64) -> Rgb {
        let [r, g, b] = self.sample(t);
        Rgb(to_byte(r), to_byte(g), to_byte(b))
    }

    fn sample(&self, t: f64) -> [f64; 3] {
        if t.is_nan() {
            return [128.0; 3];
        }
        let after = self.stops.partition_point(|stop| stop.0 <= t);
        if after == self.stops.len() {
            return self.stops[after - 1].1;
        }
        if after == 0 {
            return self.stops[0].1;
        }
        let (low, a) = self.stops[after - 1];
        let (high, b) = self.stops[after];
        let share = (t - low) / (high - low);
        [0, 1, 2].map(|i| a[i] + share * (b[i] - a[i]))
    }
}
