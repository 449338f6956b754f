//! Lines over a common axis.

use plotters::style::text_anchor::HPos;
use plotters::style::{Color as _, RGBColor};

use super::axis::{Axis, number};
use super::chart::{self, ChartSettings, Surroundings, shared_settings};
use super::color::line_colors;
use super::theme::{self, Entry, LINE, Marker, Sample, Type};
use super::{Figure, PlotError, Points, Rgb};
use crate::Result;

/// A line chart with a legend above the lines.
///
/// A point with a NaN or an infinity (on a logarithmic axis also one that is not positive) leaves a
/// gap in its line, and the figure's notes say how many there are.
///
/// ```
/// use icvae_core::plot::Curves;
///
/// let figure = Curves::new("Loss")
///     .x_label("epoch")
///     .y_label("loss per image")
///     .series("total, training", &[78.0, 71.5, 69.0])
///     .dashed()
///     .series("total, test", &[(1.0, 78.9), (2.0, 75.8), (3.0, 73.0)])
///     .draw()?;
/// assert!(figure.alt().contains("total, test falls from 78.9 to 73"));
/// # Ok::<(), icvae_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Curves {
    settings: ChartSettings,
    series: Vec<Result<Series>>,
    levels: Vec<(String, f64)>,
    log_x: bool,
    log_y: bool,
}

#[derive(Debug)]
struct Series {
    name: String,
    points: Vec<(f64, f64)>,
    /// Where none was chosen, the next free one.
    color: Option<Rgb>,
    dashed: bool,
}

/// Up to so many points of a line are marked one by one.
const FEW: usize = 12;

impl Curves {
    /// A chart without lines yet.
    pub fn new(title: impl Into<String>) -> Self {
        let mut settings = ChartSettings::new(720, 420);
        settings.title = title.into();
        Self {
            settings,
            series: Vec::new(),
            levels: Vec::new(),
            log_x: false,
            log_y: false,
        }
    }

    shared_settings!();

    /// Adds a line; where points are few, each has a dot.
    ///
    /// What stands before the first comma of its name is what it is about: `reconstruction, train` and
    /// `reconstruction, test` share a colour, which is the same in every figure for the terms of the losses in this
    /// crate, and the next free one of [`LINE_COLORS`](super::LINE_COLORS) for others.
    pub fn series(mut self, name: impl Into<String>, points: &(impl Points + ?Sized)) -> Self {
        let name = name.into();
        self.series.push(points.points().map(|points| Series {
            name,
            points,
            color: None,
            dashed: false,
        }));
        self
    }

    /// Dashes the line that was added last.
    pub fn dashed(mut self) -> Self {
        if let Some(Ok(last)) = self.series.last_mut() {
            last.dashed = true;
        }
        self
    }

    /// Gives the line that was added last another colour, for instance that of its dashed
    /// companion.
    pub fn color(mut self, color: Rgb) -> Self {
        if let Some(Ok(last)) = self.series.last_mut() {
            last.color = Some(color);
        }
        self
    }

    /// Adds a thin horizontal line at a value to compare with, with its name on it.
    pub fn level(mut self, name: impl Into<String>, y: f64) -> Self {
        self.levels.push((name.into(), y));
        self
    }

    /// Makes the vertical axis logarithmic.
    pub fn log_y(mut self) -> Self {
        self.log_y = true;
        self
    }

    /// Makes the horizontal axis logarithmic.
    pub fn log_x(mut self) -> Self {
        self.log_x = true;
        self
    }

    /// Draws the chart.
    ///
    /// # Errors
    /// If there is no line, a line has no point that can be drawn, or the limits make no sense.
    pub fn draw(self) -> Result<Figure> {
        let series: Vec<Series> = self.series.into_iter().collect::<Result<_>>()?;
        if series.is_empty() {
            return Err(PlotError::Empty("the series of a line chart".into()).into());
        }
        let (log_x, log_y) = (self.log_x, self.log_y);
        let drawable = move |&(x, y): &(f64, f64)| {
            let fits = |v: f64, log: bool| v.is_finite() && (!log || v > 0.0);
            fits(x, log_x) && fits(y, log_y)
        };
        for (name, y) in &self.levels {
            if !drawable(&(1.0, *y)) {
                let problem = format!("the level {name:?} is {y}, which has no place on its axis");
                return Err(PlotError::Invalid(problem).into());
            }
        }
        let mut notes = Vec::new();
        for one in &series {
            let missing = one.points.iter().filter(|p| !drawable(p)).count();
            if missing == one.points.len() {
                let problem = format!("the series {:?}", one.name);
                return Err(PlotError::Empty(problem).into());
            }
            if missing > 0 {
                notes.push(format!(
                    "{} of the {} points of “{}” could not be drawn: the line has gaps there.",
                    missing,
                    one.points.len(),
                    one.name
                ));
            }
        }
        let all = || {
            series
                .iter()
                .flat_map(|s| &s.points)
                .filter(|p| drawable(p))
        };
        let whole_x = all().all(|p| p.0.fract() == 0.0);
        let x = Axis::around(all().map(|p| p.0), self.settings.x_limits, log_x, 0.02)?;
        let heights = all().map(|p| p.1).chain(self.levels.iter().map(|l| l.1));
        let y = Axis::around(heights, self.settings.y_limits, log_y, 0.05)?;

        let outside = |p: &&(f64, f64)| drawable(p) && !(x.holds(p.0) && y.holds(p.1));
        for one in &series {
            let hidden = one.points.iter().filter(outside).count();
            if hidden > 0 {
                notes.push(format!(
                    "{hidden} of the {} points of “{}” lie beyond the limits of the axes.",
                    one.points.len(),
                    one.name
                ));
            }
        }
        let sentences: Vec<String> = series.iter().map(|s| s.in_words(drawable)).collect();
        let levels: Vec<String> = self
            .levels
            .iter()
            .map(|(name, y)| format!("; a line marks {name} at {}", number(*y)))
            .collect();
        let start = self.settings.alt_start("line chart");
        let alt = format!("{start}. {}{}.", sentences.join("; "), levels.concat());

        let asked = series.iter().map(|s| (s.name.as_str(), s.color, s.dashed));
        let colors = line_colors(&asked.collect::<Vec<_>>());
        let header = series
            .iter()
            .zip(&colors)
            .filter(|(s, _)| !s.name.is_empty())
            .map(|(s, color)| Entry {
                name: s.name.clone(),
                color: *color,
                sample: Sample::Line { dashed: s.dashed },
            })
            .collect();
        let around = Surroundings {
            header,
            whole_x,
            grid: (true, true),
            ..Surroundings::default()
        };
        let ends = (x.low, x.high);
        chart::draw(self.settings, (x, y), around, (alt, notes), |plot| {
            for (name, y) in &self.levels {
                let (left, right) = ((ends.0, *y), (ends.1, *y));
                let style = theme::stroke(Rgb::SOFT_INK, 1.25);
                chart::line(plot, &[left, right], style, true)?;
                if plot.as_coord_spec().y_spec().holds(*y) {
                    chart::over_data(plot, name, Type::TICK, right, (-6.0, -10.0), HPos::Right)?;
                }
            }
            // The first series lies on top: it is the one the chart is about.
            for (one, color) in series.iter().zip(&colors).rev() {
                for run in one.points.split(|p| !drawable(p)) {
                    chart::line(plot, run, theme::stroke(*color, LINE), one.dashed)?;
                    if one.points.len() <= FEW || run.len() == 1 {
                        let color = RGBColor::from(*color).to_rgba();
                        let dots = run.iter().map(|&at| (at, Marker::Circle, color));
                        chart::dots(plot, dots, 3.5)?;
                    }
                }
            }
            Ok(())
        })
    }
}

impl Series {
    /// "name falls from 3 to 1", or what else it does.
    fn in_words(&self, drawable: impl Fn(&(f64, f64)) -> bool) -> String {
        let ends = (
            self.points.iter().find(|p| drawable(p)),
            self.points.iter().rev().find(|p| drawable(p)),
        );
        let name = if self.name.is_empty() {
            "the line"
        } else {
            &self.name
        };
        let (Some(first), Some(last)) = ends else {
            return name.to_owned();
        };
        let (from, to) = (number(first.1), number(last.1));
        match last.1.partial_cmp(&first.1) {
            _ if self.points.len() == 1 => format!("{name} is {from}"),
            Some(std::cmp::Ordering::Less) => format!("{name} falls from {from} to {to}"),
            Some(std::cmp::Ordering::Greater) => format!("{name} rises from {from} to {to}"),
            _ => format!("{name} begins and ends at {from}"),
        }
    }
}
