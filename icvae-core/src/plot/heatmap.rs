//! Values over a rectangle of the plane.

use plotters::element::Rectangle;
use plotters::style::{Color as _, RGBColor};
use tch::Tensor;

use super::axis::{Axis, number};
use super::chart::{self, ChartSettings, ColorBar, Surroundings, shared_settings};
use super::{ColorMap, Figure, PlotError, input};
use crate::Result;

/// A function over a rectangle, as colours with a colour bar.
///
/// `values` `[R, C]` are the function's values at the cells of a grid: row 0 at the **bottom**,
/// column 0 at the left, as the axes run.
///
/// ```
/// use icvae_core::plot::Heatmap;
/// use icvae_core::tch::{Device, Kind, Tensor};
///
/// let x = Tensor::linspace(-2.0, 2.0, 40, (Kind::Float, Device::Cpu));
/// let density = (-(x.square().unsqueeze(1) + x.square()) / 2.0).exp(); // [40, 40]
/// let figure = Heatmap::new(&density, (-2.0, 2.0), (-2.0, 2.0))
///     .title("A Gaussian")
///     .x_label("z₁")
///     .y_label("z₂")
///     .value_label("density")
///     .draw()?;
/// assert!(figure.alt().starts_with("A Gaussian: heat map of z₂ against z₁: 40 by 40 values of density"));
/// # Ok::<(), icvae_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Heatmap {
    settings: ChartSettings,
    values: Result<Values>,
    x_range: (f64, f64),
    y_range: (f64, f64),
    map: ColorMap,
    value_label: String,
    value_limits: Option<(f64, f64)>,
    center: Option<f64>,
    equal: bool,
}

#[derive(Debug)]
struct Values {
    rows: usize,
    columns: usize,
    data: Vec<f64>,
}

impl Heatmap {
    /// `values` `[R, C]` over the rectangle from `x_range.0` to `x_range.1` and from `y_range.0` to
    /// `y_range.1`.
    pub fn new(values: &Tensor, x_range: (f64, f64), y_range: (f64, f64)) -> Self {
        Self {
            settings: ChartSettings::new(640, 540),
            values: Values::read(values),
            x_range,
            y_range,
            map: ColorMap::viridis(),
            value_label: String::new(),
            value_limits: None,
            center: None,
            equal: false,
        }
    }

    shared_settings!();

    /// The colours; [`ColorMap::viridis`] without a choice.
    pub fn color_map(mut self, map: ColorMap) -> Self {
        self.map = map;
        self
    }

    /// The label of the colour bar.
    pub fn value_label(mut self, label: impl Into<String>) -> Self {
        self.value_label = label.into();
        self
    }

    /// The values at the ends of the colour bar; values beyond take the colours of the ends.
    pub fn value_limits(mut self, low: f64, high: f64) -> Self {
        self.value_limits = Some((low, high));
        self
    }

    /// Shifts the colour map so that its centre stands for `value`.
    pub fn centered_at(mut self, value: f64) -> Self {
        self.center = Some(value);
        self
    }

    /// Makes a unit equally long on both axes.
    pub fn equal_axes(mut self) -> Self {
        self.equal = true;
        self
    }

    /// Draws the map.
    ///
    /// # Errors
    /// If the values have no two dimensions, none or not only finite entries, or if ranges, limits
    /// or centre make no sense.
    pub fn draw(self) -> Result<Figure> {
        let Values {
            rows,
            columns,
            data,
        } = self.values?;
        let none = std::iter::empty;
        let x_limits = self.settings.x_limits.unwrap_or(self.x_range);
        let y_limits = self.settings.y_limits.unwrap_or(self.y_range);
        // The rectangle must be sound even where the axes show another part of the plane.
        Axis::around(none(), Some(self.x_range), false, 0.0)?;
        Axis::around(none(), Some(self.y_range), false, 0.0)?;
        let x = Axis::around(none(), Some(x_limits), false, 0.0)?;
        let y = Axis::around(none(), Some(y_limits), false, 0.0)?;
        let axis = Axis::around(data.iter().copied(), self.value_limits, false, 0.0)?;
        let map = match self.center {
            None => self.map,
            Some(center) => {
                let midpoint = axis.share(center);
                if !(0.0..=1.0).contains(&midpoint) {
                    return Err(PlotError::Invalid(format!(
                        "the centre of the colours is {center}, but must lie between {} and {}, \
                         the ends of the colour bar",
                        axis.low, axis.high
                    ))
                    .into());
                }
                self.map.shifted(0.0, midpoint, 1.0)?
            }
        };
        let alt = format!(
            "{}: {rows} by {columns} values{} from {} to {}.",
            self.settings.alt_start("heat map"),
            match self.value_label.as_str() {
                "" => String::new(),
                label => format!(" of {label}"),
            },
            number(data.iter().copied().fold(f64::INFINITY, f64::min)),
            number(data.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        );
        let bar = ColorBar {
            map,
            axis,
            label: self.value_label,
        };
        let around = Surroundings {
            bar: Some(bar.clone()),
            equal: self.equal,
            ..Surroundings::default()
        };
        let mut notes = Vec::new();
        let beyond = |axis: &Axis, range: (f64, f64)| axis.low > range.0 || axis.high < range.1;
        if beyond(&x, self.x_range) || beyond(&y, self.y_range) {
            notes.push("The limits of the axes leave a part of the heat map out.".to_owned());
        }
        let (low, high) = (bar.axis.low, bar.axis.high);
        let far = data.iter().filter(|v| !(low..=high).contains(v)).count();
        if far > 0 {
            let all = data.len();
            notes.push(format!(
                "{far} of {all} values lie beyond the ends of the colour bar."
            ));
        }
        // The edges of a cell along an axis, as far as the axis shows it.
        let edges = |(low, high): (f64, f64), axis: &Axis, i: usize, n: usize| {
            let at = |i: usize| low + (high - low) * i as f64 / n as f64;
            (at(i).max(axis.low), at(i + 1).min(axis.high))
        };
        let axes = (x.clone(), y.clone());
        chart::draw(self.settings, (x, y), around, (alt, notes), |plot| {
            for (i, value) in data.iter().enumerate() {
                let (x0, x1) = edges(self.x_range, &axes.0, i % columns, columns);
                let (y0, y1) = edges(self.y_range, &axes.1, i / columns, rows);
                if x0 < x1 && y0 < y1 {
                    let color = RGBColor::from(bar.color(*value)).filled();
                    plot.draw_series([Rectangle::new([(x0, y0), (x1, y1)], color)])?;
                }
            }
            Ok(())
        })
    }
}

impl Values {
    fn read(values: &Tensor) -> Result<Self> {
        let what = "the values of a heat map";
        let found = input::shape(values, what)?;
        let &[rows, columns] = found.as_slice() else {
            return Err(PlotError::Shape {
                what: what.into(),
                expected: "[R, C]".into(),
                found,
            }
            .into());
        };
        Ok(Self {
            data: input::finite_numbers(values, what)?,
            rows: rows as usize,
            columns: columns as usize,
        })
    }
}
