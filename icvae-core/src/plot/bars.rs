//! Numbers side by side.

use plotters::element::Rectangle;
use plotters::prelude::PathElement;
use plotters::style::text_anchor::HPos;
use plotters::style::{Color as _, RGBColor};

use super::axis::{Axis, number};
use super::chart::{self, ChartSettings, Surroundings, shared_settings};
use super::theme::{self, Entry, Sample, Type};
use super::{Figure, LINE_COLORS, PlotError, Rgb, input};
use crate::Result;

/// A bar chart: for each category one bar of each series, with its value above it.
///
/// ```
/// use icvae_core::plot::Bars;
///
/// let figure = Bars::new("What a probe reads from the code", ["λ = 0", "λ = 1"])
///     .y_label("digits told, %")
///     .series("samples", &[93.1, 29.5])
///     .series("means", &[97.4, 85.9])
///     .level("chance", 11.35)
///     .draw()?;
/// assert!(figure.alt().contains("samples: λ = 0 93.1, λ = 1 29.5"));
/// # Ok::<(), icvae_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Bars {
    settings: ChartSettings,
    categories: Vec<String>,
    series: Vec<Series>,
    levels: Vec<(String, f64)>,
}

#[derive(Debug)]
struct Series {
    name: String,
    values: Vec<f64>,
    /// Half the length of the line on top of each bar.
    spread: Option<Vec<f64>>,
    color: Option<Rgb>,
}

/// The part of a category that its bars fill.
const FILLED: f64 = 0.76;

impl Bars {
    /// A chart of these categories, without bars yet.
    pub fn new<S: Into<String>>(
        title: impl Into<String>,
        categories: impl IntoIterator<Item = S>,
    ) -> Self {
        let mut settings = ChartSettings::new(720, 420);
        settings.title = title.into();
        Self {
            settings,
            categories: categories.into_iter().map(Into::into).collect(),
            series: Vec::new(),
            levels: Vec::new(),
        }
    }

    shared_settings!();

    /// Adds a bar to each category: `values` in the order of the categories.
    pub fn series(mut self, name: impl Into<String>, values: &[f64]) -> Self {
        self.series.push(Series {
            name: name.into(),
            values: values.to_vec(),
            spread: None,
            color: None,
        });
        self
    }

    /// Lines on top of the bars that were added last, from value − `spread` to value + `spread`: a standard deviation
    /// over seeds, say.
    pub fn spread(mut self, spread: &[f64]) -> Self {
        if let Some(last) = self.series.last_mut() {
            last.spread = Some(spread.to_vec());
        }
        self
    }

    /// Gives the bars that were added last another colour.
    pub fn color(mut self, color: Rgb) -> Self {
        if let Some(last) = self.series.last_mut() {
            last.color = Some(color);
        }
        self
    }

    /// Adds a thin dashed line at a value to compare with, with its name in the legend.
    pub fn level(mut self, name: impl Into<String>, y: f64) -> Self {
        self.levels.push((name.into(), y));
        self
    }

    /// Draws the chart.
    ///
    /// # Errors
    /// If there is no category or series, a series has not one finite value for each category, or the limits of the
    /// vertical axis leave out 0, where bars stand.
    pub fn draw(self) -> Result<Figure> {
        if self.categories.is_empty() || self.series.is_empty() {
            return Err(PlotError::Empty("the bars of a chart".into()).into());
        }
        for one in &self.series {
            let what = format!("the bars {:?}", one.name);
            for values in [Some(&one.values), one.spread.as_ref()]
                .into_iter()
                .flatten()
            {
                if values.len() != self.categories.len() {
                    return Err(PlotError::Shape {
                        what,
                        expected: format!("[{}]", self.categories.len()),
                        found: vec![values.len() as i64],
                    }
                    .into());
                }
                input::check_finite(values, &what)?;
            }
        }
        let levels: Vec<f64> = self.levels.iter().map(|level| level.1).collect();
        input::check_finite(&levels, "the levels of a bar chart")?;
        let spread = |one: &Series, i: usize| one.spread.as_ref().map_or(0.0, |s| s[i]);
        let ends = self.series.iter().flat_map(|one| {
            let values = one.values.iter().enumerate();
            values.flat_map(move |(i, v)| [v - spread(one, i), v + spread(one, i)])
        });
        let all = ends.chain(levels).chain([0.0]);
        let mut y = Axis::around(all, self.settings.y_limits, false, 0.08)?;
        if self.settings.y_limits.is_none() {
            // Bars stand on 0, and where none goes below it, the axis begins there.
            let below = self.series.iter().flat_map(|s| &s.values).any(|v| *v < 0.0);
            y.low = if below { y.low } else { 0.0 };
        } else if !y.holds(0.0) {
            return Err(PlotError::Invalid(format!(
                "bars stand on 0, but the vertical axis runs from {} to {}: choose limits around 0",
                y.low, y.high
            ))
            .into());
        }
        let x = Axis::categories(&self.categories);
        let mut notes = Vec::new();
        let cut = self
            .series
            .iter()
            .flat_map(|s| &s.values)
            .filter(|v| !y.holds(**v))
            .count();
        if cut > 0 {
            notes.push(format!(
                "{cut} bars end beyond the limits of the vertical axis."
            ));
        }
        let described = self.series.iter().map(|one| {
            let pairs = self.categories.iter().zip(&one.values);
            let pairs: Vec<_> = pairs
                .map(|(name, v)| format!("{name} {}", number(*v)))
                .collect();
            match one.name.as_str() {
                "" => pairs.join(", "),
                name => format!("{name}: {}", pairs.join(", ")),
            }
        });
        let described: Vec<_> = described.collect();
        let marks = self.levels.iter();
        let marks = marks.map(|(name, y)| format!("; a line marks {name} at {}", number(*y)));
        let marks: String = marks.collect();
        let start = self.settings.alt_start("bar chart");
        let alt = format!("{start}. {}{marks}.", described.join("; "));

        let color = |i: usize| {
            let given = self.series[i].color;
            given.unwrap_or(LINE_COLORS[i % LINE_COLORS.len()])
        };
        let named = self
            .series
            .iter()
            .enumerate()
            .filter(|(_, one)| !one.name.is_empty());
        let bars = named.map(|(i, one)| (&one.name, color(i), Sample::Area(1.0)));
        // Among bars a name would stand on one of them.
        let dashed = Sample::Line { dashed: true };
        let lines = self
            .levels
            .iter()
            .map(|(name, _)| (name, Rgb::SOFT_INK, dashed));
        let entries = bars.chain(lines).map(|(name, color, sample)| Entry {
            name: name.clone(),
            color,
            sample,
        });
        let header: Vec<_> = entries.collect();
        let around = Surroundings {
            header,
            grid: (false, true),
            ..Surroundings::default()
        };
        let (low, high, right) = (y.low, y.high, x.high);
        let each = FILLED / self.series.len() as f64;
        chart::draw(self.settings, (x, y), around, (alt, notes), |plot| {
            let bars = || {
                self.series.iter().enumerate().flat_map(|(k, one)| {
                    let left = move |i: usize| i as f64 - FILLED / 2.0 + k as f64 * each;
                    one.values
                        .iter()
                        .enumerate()
                        .map(move |(i, v)| (k, i, left(i), *v))
                })
            };
            plot.draw_series(bars().map(|(k, _, left, value)| {
                let corners = [(left, value.clamp(low, high)), (left + 0.95 * each, 0.0)];
                Rectangle::new(corners, RGBColor::from(color(k)).filled())
            }))?;
            let ink = theme::stroke(Rgb::INK, 1.5);
            let mut top = Vec::new();
            for (k, i, left, value) in bars() {
                let (middle, half) = (left + 0.475 * each, spread(&self.series[k], i));
                let reach = (value - half).max(low)..(value + half).min(high);
                if half > 0.0 && reach.start < reach.end {
                    plot.draw_series([PathElement::new(
                        [(middle, reach.start), (middle, reach.end)],
                        ink,
                    )])?;
                }
                top.push((value, (middle, (value + half).clamp(low, high)), half));
            }
            chart::line(
                plot,
                &[(-0.5, 0.0), (right, 0.0)],
                theme::stroke(Rgb::FRAME, 1.0),
                false,
            )?;
            for (_, y) in &self.levels {
                let style = theme::stroke(Rgb::SOFT_INK, 1.25);
                chart::line(plot, &[(-0.5, *y), (right, *y)], style, true)?;
            }
            for (value, (x, y), half) in top {
                let end = if value < 0.0 { y - 2.0 * half } else { y };
                let away = if value < 0.0 { 10.0 } else { -10.0 };
                let at = (x, end.clamp(low, high));
                chart::over_data(
                    plot,
                    &number(value),
                    Type::TICK,
                    at,
                    (0.0, away),
                    HPos::Center,
                )?;
            }
            Ok(())
        })
    }
}
