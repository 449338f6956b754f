//! How values are distributed.

use plotters::element::Rectangle;
use plotters::style::{Color as _, RGBColor};
use tch::Tensor;

use super::axis::{Axis, number};
use super::chart::{self, ChartSettings, Surroundings, shared_settings};
use super::theme::{self, Entry, LINE, Sample};
use super::{Figure, LINE_COLORS, PlotError, Points, Rgb, input};
use crate::Result;

/// A histogram of one or more samples as densities, with densities to compare them with.
///
/// The columns of a sample have area 1, or, where limits leave some of it out, the share that they show: the
/// figure's notes say how many values that leaves out.
///
/// ```
/// use icvae_core::plot::Histogram;
/// use icvae_core::tch::{Device, Kind, Tensor};
///
/// let z = Tensor::randn([4000], (Kind::Float, Device::Cpu));
/// let normal = |x: f64| (-0.5 * x * x).exp() / std::f64::consts::TAU.sqrt();
/// let line: Vec<_> = (-40..=40).map(|i| f64::from(i) / 10.0).map(|x| (x, normal(x))).collect();
/// let figure = Histogram::new("Draws of the prior")
///     .x_label("a dimension of the code")
///     .sample("draws", &z)
///     .density("N(0, 1)", &line)
///     .draw()?;
/// assert!(figure.alt().contains("draws: 4000 values with mean"));
/// # Ok::<(), icvae_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Histogram {
    settings: ChartSettings,
    samples: Vec<Named<Vec<f64>>>,
    curves: Vec<Named<Vec<(f64, f64)>>>,
    bins: Option<usize>,
}

type Named<T> = (String, Result<T>);

impl Histogram {
    /// A histogram without samples yet.
    pub fn new(title: impl Into<String>) -> Self {
        let mut settings = ChartSettings::new(720, 420);
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
                    if x.holds(*value) {
                        // The upper end belongs to the last bin.
                        counts[(bin as usize).min(bins - 1)] += 1;
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
        let line_color = |i: usize| {
            if i == 0 {
                Rgb::INK
            } else {
                color(samples.len() + i)
            }
        };
        let areas = samples.iter().enumerate().map(|(i, (name, _))| {
            let sample = Sample::Area(if alone { opacity } else { 1.0 });
            (name, color(i), sample)
        });
        let lines = curves.iter().enumerate().map(|(i, (name, _))| {
            let sample = Sample::Line { dashed: false };
            (name, line_color(i), sample)
        });
        let entry = |(name, color, sample): (&String, Rgb, Sample)| Entry {
            name: name.clone(),
            color,
            sample,
        };
        let around = Surroundings {
            header: areas.chain(lines).map(entry).collect(),
            grid: (true, true),
            ..Surroundings::default()
        };
        let mut notes = Vec::new();
        for (name, values) in &samples {
            let left_out = values.iter().filter(|v| !x.holds(**v)).count();
            if left_out > 0 {
                notes.push(format!(
                    "{left_out} of the {} values of “{name}” lie beyond the limits: its columns have the area {}, \
                     not 1.",
                    values.len(),
                    number(1.0 - left_out as f64 / values.len() as f64)
                ));
            }
        }
        let cut = heights
            .iter()
            .flatten()
            .filter(|height| **height > y.high)
            .count();
        if cut > 0 {
            notes.push(format!(
                "{cut} columns are higher than the limits of the vertical axis."
            ));
        }
        let described: Vec<String> = samples.iter().map(|(name, v)| in_words(name, v)).collect();
        let title = match self.settings.title.as_str() {
            "" => "Histogram".to_owned(),
            title => format!("{title}: histogram"),
        };
        let of = match self.settings.x_label.as_str() {
            "" => String::new(),
            label => format!(" of {label}"),
        };
        let alt = format!("{title}{of}. {}.", described.join("; "));
        let (floor, top) = (y.low, y.high);
        chart::draw(self.settings, (x, y), around, (alt, notes), |plot| {
            for (i, heights) in heights.iter().enumerate() {
                let style = RGBColor::from(color(i)).mix(opacity).filled();
                let columns = heights.iter().enumerate().filter(|(_, h)| **h > floor);
                plot.draw_series(columns.map(|(bin, height)| {
                    let edge = |bin: usize| low + bin as f64 * width;
                    let corners = [(edge(bin), height.min(top)), (edge(bin + 1), floor)];
                    Rectangle::new(corners, style)
                }))?;
            }
            for (i, heights) in heights.iter().enumerate() {
                let style = theme::stroke(color(i), if alone { 1.0 } else { 2.0 });
                chart::line(plot, &outline(heights, low, width), style, false)?;
            }
            for (i, (_, points)) in curves.iter().enumerate() {
                chart::line(plot, points, theme::stroke(line_color(i), LINE), false)?;
            }
            Ok(())
        })
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
