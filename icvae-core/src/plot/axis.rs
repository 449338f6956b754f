//! One axis: its range, its ticks and their labels.

use super::PlotError;
use crate::Result;

/// A range of numbers and the marks on it.
#[derive(Debug, Clone)]
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    pub log: bool,
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
        Ok(Self {
            low,
            high,
            log,
            ticks: Vec::new(),
        })
    }

    /// Where `value` lies: 0 at the low end, 1 at the high end.
    pub fn share(&self, value: f64) -> f64 {
        if self.log {
            (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// Chooses at most about `most` ticks; on whole numbers where `whole` is set.
    pub fn set_ticks(&mut self, most: usize, whole: bool) {
        let values = if self.log {
            log_ticks(self.low, self.high, most)
        } else {
            even_ticks(self.low, self.high, most, whole)
        };
        self.ticks = label(&values);
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

fn even_ticks(low: f64, high: f64, most: usize, whole: bool) -> Vec<f64> {
    let rough = (high - low) / most.max(1) as f64;
    let magnitude = 10.0_f64.powf(rough.log10().floor());
    let mut step = [1.0, 2.0, 5.0, 10.0]
        .map(|nice| nice * magnitude)
        .into_iter()
        .find(|step| *step >= rough * (1.0 - 1e-9))
        .unwrap_or(10.0 * magnitude);
    if whole {
        step = step.max(1.0);
    }
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|i| i as f64 * step).collect()
}

fn log_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let (first, last) = (low.log10().floor() as i32, high.log10().ceil() as i32);
    let within = |nice: &[f64], every: usize| -> Vec<f64> {
        let decades = (first..=last).step_by(every.max(1));
        let all = decades.flat_map(|e| nice.iter().map(move |n| n * 10.0_f64.powi(e)));
        all.filter(|v| (low..=high).contains(v)).collect()
    };
    let decades = within(&[1.0], 1);
    if decades.len() > most {
        return within(&[1.0], decades.len().div_ceil(most));
    }
    [within(&[1.0, 2.0, 5.0], 1), within(&[1.0, 3.0], 1)]
        .into_iter()
        .find(|ticks| ticks.len() > 2 && ticks.len() <= most)
        .or_else(|| (decades.len() > 2).then_some(decades))
        .unwrap_or_else(|| even_ticks(low, high, most, false))
}

/// Labels as precise as the distance between neighbours asks for.
fn label(values: &[f64]) -> Vec<(f64, String)> {
    let largest = values.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let step = values
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).abs())
        .fold(f64::INFINITY, f64::min);
    let even = values
        .windows(2)
        .all(|pair| ((pair[1] - pair[0]).abs() - step).abs() < 1e-6 * step);
    let scientific = largest >= 1e6 || (largest > 0.0 && largest < 1e-3);
    let text = |v: f64| {
        if scientific {
            power(v)
        } else if even && step.is_finite() {
            plain(v, decimals(step))
        } else {
            number(v)
        }
    };
    values.iter().map(|&v| (v, text(v))).collect()
}

fn decimals(step: f64) -> usize {
    (-(step * (1.0 + 1e-9)).log10().floor()).clamp(0.0, 9.0) as usize
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
        axis.set_ticks(6, false);
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
        assert_eq!(labels(0.0, 60_000.0, false)[1], "10,000");
        assert_eq!(labels(0.0, 3e-4, false)[1], "5×10⁻⁵");
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
