//! One axis: its range, its coordinate of plotters', and the labels of its ticks.

use std::ops::Range;

use plotters::coord::combinators::{IntoLogRange, LogCoord};
use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use plotters::coord::types::{RangedCoordf64, RangedCoordi64};

use super::PlotError;
use crate::Result;

/// A range of numbers and the marks on it.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    pub log: bool,
    /// Ticks on whole numbers alone.
    pub whole: bool,
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// The axis that shows all `values`, with a little space around, or exactly `limits`. `values`
    /// are finite, and positive on a logarithmic axis.
    pub fn around(
        values: impl Iterator<Item = f64>,
        limits: Option<(f64, f64)>,
        log: bool,
        space: f64,
    ) -> Result<Self> {
        let (low, high) = match limits {
            Some(limits) => check_limits(limits, log)?,
            None => spaced(values, log, space),
        };
        if !(high - low).is_finite() {
            let problem = "the values are too far apart to be drawn: set limits for their axis";
            return Err(PlotError::Invalid(problem.to_owned()).into());
        }
        let ticks = Vec::new();
        Ok(Self {
            low,
            high,
            log,
            whole: false,
            ticks,
        })
    }

    /// Whether `value` lies within the ends.
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Where `value` lies: 0 at the low end, 1 at the high end.
    pub fn share(&self, value: f64) -> f64 {
        let scale = |v: f64| if self.log { v.ln() } else { v };
        (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))
    }

    /// The value at a share of the axis.
    pub fn value(&self, share: f64) -> f64 {
        if self.log {
            self.low * (self.high / self.low).powf(share)
        } else {
            self.low + share * (self.high - self.low)
        }
    }

    /// Chooses at most about `most` ticks.
    pub fn set_ticks(&mut self, most: usize) {
        let (low, high) = (self.low, self.high);
        let even = || RangedCoordf64::from(low..high).key_points(most);
        let values = if self.log {
            log_ticks(low, high, most).unwrap_or_else(even)
        } else if self.whole && high - low < 1e15 && low.ceil() < high.floor() {
            let whole = RangedCoordi64::from(low.ceil() as i64..high.floor() as i64);
            whole
                .key_points(most)
                .into_iter()
                .map(|v| v as f64)
                .collect()
        } else {
            even()
        };
        self.ticks = label(&values);
    }
}

/// For plotters: its own coordinates, with our ticks and labels.
impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        if self.log {
            LogCoord::from((self.low..self.high).log_scale()).map(value, limit)
        } else {
            RangedCoordf64::from(self.low..self.high).map(value, limit)
        }
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        // Plotters asks for lighter lines between the ticks too.
        if hint.weight().allow_light_points() {
            return Vec::new();
        }
        self.ticks.iter().map(|tick| tick.0).collect()
    }

    fn range(&self) -> Range<f64> {
        self.low..self.high
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, value: &f64) -> String {
        let tick = self.ticks.iter().find(|tick| tick.0 == *value);
        tick.map_or_else(|| number(*value), |tick| tick.1.clone())
    }
}

fn check_limits((low, high): (f64, f64), log: bool) -> Result<(f64, f64)> {
    // Closer ends than these have no round numbers between them.
    let apart = (high - low) > 1e-12 * low.abs().max(high.abs()).max(1e-280);
    if low.is_finite() && high.is_finite() && apart && (!log || low > 0.0) {
        return Ok((low, high));
    }
    let positive = if log { "positive " } else { "" };
    Err(PlotError::Invalid(format!(
        "the limits of an axis must be two different {positive}numbers, the lower one first, \
         but are {low} and {high}"
    ))
    .into())
}

fn spaced(values: impl Iterator<Item = f64>, log: bool, space: f64) -> (f64, f64) {
    let (low, high) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| {
        (low.min(v), high.max(v))
    });
    if log {
        let (first, last) = (low.ln(), high.ln());
        let margin = (space * (last - first)).max(0.1);
        let ends = ((first - margin).exp(), (last + margin).exp());
        return (ends.0.max(f64::MIN_POSITIVE), ends.1.min(f64::MAX));
    }
    let size = low.abs().max(high.abs());
    let margin = match high - low {
        // One value alone still needs an axis to stand on.
        _ if size < 1e-300 => 1.0,
        range if range < 1e-12 * size => 0.1 * size,
        range => space * range,
    };
    (low - margin, high + margin)
}

/// Powers of ten, with numbers between them where these are few; `None` within a decade.
fn log_ticks(low: f64, high: f64, most: usize) -> Option<Vec<f64>> {
    let first = low.log10().floor() as i32;
    let decades = first..=high.log10().ceil() as i32;
    let within = |nice: &[f64]| -> Vec<f64> {
        let all = decades
            .clone()
            .flat_map(|e| nice.iter().map(move |n| n * 10.0_f64.powi(e)));
        all.filter(|v| (low..=high).contains(v)).collect()
    };
    let powers = within(&[1.0]);
    if powers.len() > most {
        return Some(
            powers
                .iter()
                .step_by(powers.len().div_ceil(most))
                .copied()
                .collect(),
        );
    }
    let nice = [within(&[1.0, 2.0, 5.0]), within(&[1.0, 3.0]), powers];
    nice.into_iter()
        .find(|ticks| ticks.len() > 2 && ticks.len() <= most)
}

/// Labels as precise as the distance between neighbours asks for.
fn label(values: &[f64]) -> Vec<(f64, String)> {
    let largest = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let steps = || values.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    let step = steps().fold(f64::INFINITY, f64::min);
    let even = steps().all(|other| (other - step).abs() < 1e-6 * step);
    let scientific = largest >= 1e6 || (largest > 0.0 && largest < 1e-3);
    let digits = (-(step * (1.0 + 1e-9)).log10().floor()).clamp(0.0, 9.0) as usize;
    let text = |v: f64| {
        if scientific {
            // What should be 0 is often a rounding error.
            power(if v.abs() < 1e-9 * largest { 0.0 } else { v })
        } else if even && step.is_finite() {
            plain(v, digits)
        } else {
            number(v)
        }
    };
    values.iter().map(|&v| (v, text(v))).collect()
}

/// A number for prose and labels: four significant digits, no trailing zeros, a true minus sign.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return value.to_string();
    }
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e6).contains(&size) {
        return power(value);
    }
    let digits = match size {
        0.0 => 0,
        size => (3.0 - size.log10().floor()).max(0.0) as usize,
    };
    let text = plain(value, digits);
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// With a fixed number of decimals and commas between thousands from 10,000 on.
fn plain(value: f64, digits: usize) -> String {
    let text = format!("{:.digits$}", value.abs());
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut grouped = String::new();
    for (i, c) in whole.chars().enumerate() {
        if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(c);
    }
    let zero = text.chars().all(|c| c == '0' || c == '.');
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    format!("{sign}{grouped}{rest}")
}

/// As mantissa and power of ten: 2.5×10⁻⁷.
fn power(value: f64) -> String {
    if value == 0.0 {
        return "0".into();
    }
    let text = format!("{value:.2e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let mantissa = mantissa.trim_end_matches('0').trim_end_matches('.');
    let raised: String = exponent
        .chars()
        .map(|c| match c.to_digit(10) {
            Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
            None => '⁻',
        })
        .collect();
    match mantissa.replace('-', "−").as_str() {
        "1" => format!("10{raised}"),
        "−1" => format!("−10{raised}"),
        mantissa => format!("{mantissa}×10{raised}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(low: f64, high: f64, log: bool) -> Vec<String> {
        let mut axis = Axis::around([low, high].into_iter(), None, log, 0.0).unwrap();
        axis.set_ticks(6);
        axis.ticks.into_iter().map(|tick| tick.1).collect()
    }

    #[test]
    fn ticks_are_round_numbers_with_just_the_digits_they_need() {
        assert_eq!(
            labels(0.0, 1.0, false),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(labels(-3.2, 3.1, false), ["−2", "0", "2"]);
        assert_eq!(labels(66.0, 79.0, false), ["70", "75"]);
        assert_eq!(labels(0.0, 60_000.0, false)[1], "20,000");
        assert_eq!(labels(0.0, 5e-4, false)[1], "10⁻⁴");
        assert_eq!(
            labels(1.0, 1e5, true),
            ["1", "10", "100", "1000", "10,000", "100,000"]
        );
    }

    #[test]
    fn numbers_in_prose_have_four_digits() {
        let cases = [
            (0.0, "0"),
            (78.91, "78.91"),
            (0.24512, "0.2451"),
            (1234.56, "1235"),
            (-5.0, "−5"),
            (123_456.0, "123,456"),
            (0.002, "0.002"),
            (2.5e-7, "2.5×10⁻⁷"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
    }
}
