//! How values are distributed.

use super::axis::{Axis, number};
use super::chart::{Chart, Settings, Surroundings, shared_settings};
use super::legend::{Entry, Sample};
use super::{Figure, LINE_COLORS, PlotError, Points, Rgb, input};
use crate::Result;
use tch::Tensor;

/// A histogram of one or more samples, scaled so that each has area 1, with densities to compare
/// them with.
#[derive(Debug)]
pub struct Histogram {
    settings: Settings,
    samples: Vec<Named<Vec<f64>>>,
    curves: Vec<Named<Vec<(f64, f64)>>>,
    bins: Option<usize>,
}

type Named<T> = (String, Result<T>);

impl Histogram {
    /// A histogram without samples yet.
    pub fn new(title: impl Into<String>) -> Self {
        let mut settings = Settings::new(720, 420);
        settings.title = title.into();
        settings.y_label = "density".into();
        Self {
            settings,
            samples: Vec::new(),
            curves: Vec::new(),
            bins: None,
        }
    }

    shared_settings!();

    /// Adds a sample: all entries of a tensor of any shape.
    pub fn sample(mut self, name: impl Into<String>, values: &Tensor) -> Self {
        let name = name.into();
        let values = input::finite_numbers(values, &format!("the sample {name:?}"));
        self.samples.push((name, values));
        self
    }

    /// Adds a density as a line.
    pub fn density(mut self, name: impl Into<String>, points: &(impl Points + ?Sized)) -> Self {
        self.curves.push((name.into(), points.points()));
        self
    }

    /// How many bins; without it the square root of the smallest sample's size, between 10 and 80.
    pub fn bins(mut self, bins: usize) -> Self {
        self.bins = Some(bins);
        self
    }

    /// Draws the histogram.
    ///
    /// # Errors
    /// If there is no sample, one is empty or not finite, or there are no bins.
    pub fn draw(self) -> Result<Figure> {
        let samples = read(self.samples)?;
        let curves = read(self.curves)?;
        let Some(smallest) = samples.iter().map(|s| s.1.len()).min() else {
            return Err(PlotError::Empty("the samples of a histogram".into()).into());
        };
        for (name, points) in &curves {
            let flat: Vec<f64> = points.iter().flat_map(|p| [p.0, p.1]).collect();
            input::check_finite(&flat, &format!("the density {name:?}"))?;
        }
        let bins = self
            .bins
            .unwrap_or_else(|| (smallest as f64).sqrt().clamp(10.0, 80.0) as usize);
        if bins == 0 {
            let problem = "a histogram needs at least one bin".to_owned();
            return Err(PlotError::Invalid(problem).into());
        }
        let values = || samples.iter().flat_map(|s| &s.1).copied();
        let x = Axis::around(values(), self.settings.x_limits, false, 0.02)?;
        let (low, width) = (x.low, (x.high - x.low) / bins as f64);
        let heights: Vec<Vec<f64>> = samples
            .iter()
            .map(|(_, values)| {
                let mut counts = vec![0_usize; bins];
                for value in values {
                    let bin = ((value - low) / width).floor();
                    if (0.0..bins as f64).contains(&bin) {
                        counts[bin as usize] += 1;
                    }
                }
                let area = values.len() as f64 * width;
                counts.iter().map(|&n| n as f64 / area).collect()
            })
            .collect();
        let tops = heights.iter().flatten().copied();
        let most = tops
            .chain(curves.iter().flat_map(|c| &c.1).map(|p| p.1))
            .fold(0.0, f64::max);
        let y_limits = self
            .settings
            .y_limits
            .or(Some((0.0, 1.06 * most.max(1e-12))));
        let y = Axis::around(std::iter::empty(), y_limits, false, 0.0)?;

        let color = |i: usize| LINE_COLORS[i % LINE_COLORS.len()];
        let alone = samples.len() == 1;
        let opacity = if alone { 0.55 } else { 0.25 };
        let mut header: Vec<Entry> = Vec::new();
        for (i, (name, _)) in samples.iter().enumerate() {
            header.push(Entry {
                name: name.clone(),
                color: if alone {
                    Rgb::WHITE.mix(color(i), opacity)
                } else {
                    color(i)
                },
                sample: Sample::Area,
            });
        }
        let line_color = |i: usize| {
            if i == 0 {
                Rgb::INK
            } else {
                color(samples.len() + i)
            }
        };
        for (i, (name, _)) in curves.iter().enumerate() {
            header.push(Entry {
                name: name.clone(),
                color: line_color(i),
                sample: Sample::Line { dashed: false },
            });
        }
        let described: Vec<String> = samples.iter().map(|(name, v)| in_words(name, v)).collect();
        let alt = format!(
            "{}{}. {}.",
            self.settings.alt_start("histogram"),
            match self.settings.x_label.as_str() {
                "" => String::new(),
                label => format!(" of {label}"),
            },
            described.join("; ")
        );
        let around = Surroundings {
            header,
            grid: true,
            ..Surroundings::default()
        };
        let mut chart = Chart::new(self.settings, x, y, around)?;
        for (i, heights) in heights.iter().enumerate() {
            chart.columns(heights, (low, width), color(i), opacity);
        }
        for (i, heights) in heights.iter().enumerate() {
            let outline = outline(heights, low, width);
            chart.line(&outline, if alone { 1.0 } else { 2.0 }, color(i), false);
        }
        for (i, (_, points)) in curves.iter().enumerate() {
            chart.line(points, 2.25, line_color(i), false);
        }
        chart.finish(alt, Vec::new())
    }
}

fn read<T>(named: Vec<Named<T>>) -> Result<Vec<(String, T)>> {
    let read = |(name, data): Named<T>| data.map(|data| (name, data));
    named.into_iter().map(read).collect()
}

/// The upper edge of a histogram.
fn outline(heights: &[f64], low: f64, width: f64) -> Vec<(f64, f64)> {
    let mut points = vec![(low, 0.0)];
    for (i, &height) in heights.iter().enumerate() {
        points.push((low + i as f64 * width, height));
        points.push((low + (i + 1) as f64 * width, height));
    }
    points.push((low + heights.len() as f64 * width, 0.0));
    points
}

fn in_words(name: &str, values: &[f64]) -> String {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    format!(
        "{name}: {} values with mean {} and standard deviation {}",
        values.len(),
        number(mean),
        number(variance.sqrt())
    )
}
