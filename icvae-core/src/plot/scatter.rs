//! Points in the plane, coloured by class, by value or by group.

use tch::Tensor;

use super::axis::Axis;
use super::canvas::{Align, Marker};
use super::chart::{Chart, Settings, Surroundings, shared_settings};
use super::font::Type;
use super::legend::{ColorBar, Entry, Sample};
use super::{CLASS_COLORS, ColorMap, Figure, LINE_COLORS, PlotError, Points, Rgb, input};
use crate::Result;

/// A scatter plot.
///
/// ```
/// use icvae_core::plot::Scatter;
/// use icvae_core::tch::{Device, Kind, Tensor};
///
/// let code = Tensor::randn([300, 2], (Kind::Float, Device::Cpu)); // [N, 2]
/// let digits = Tensor::randint(10, [300], (Kind::Int64, Device::Cpu)); // [N]
/// let figure = Scatter::by_class(&code, &digits, 10)
///     .title("The code of 300 test digits")
///     .x_label("z₁")
///     .y_label("z₂")
///     .draw()?;
/// assert!(figure.alt().contains("300 points in 10 classes"));
/// # Ok::<(), icvae_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Scatter {
    settings: Settings,
    layers: Vec<Result<Layer>>,
    groups: usize,
    class_names: Option<Vec<String>>,
    value_label: String,
    value_limits: Option<(f64, f64)>,
    legend: bool,
    name_centers: bool,
    equal: bool,
    radius: Option<f64>,
}

#[derive(Debug)]
enum Layer {
    Classes {
        points: Vec<(f64, f64)>,
        labels: Vec<usize>,
        classes: usize,
    },
    Values {
        points: Vec<(f64, f64)>,
        values: Vec<f64>,
        map: ColorMap,
    },
    Group {
        name: String,
        points: Vec<(f64, f64)>,
        color: Rgb,
        marker: Marker,
    },
    Line {
        name: String,
        points: Vec<(f64, f64)>,
        color: Rgb,
    },
}

impl Layer {
    fn points(&self) -> &[(f64, f64)] {
        match self {
            Layer::Classes { points, .. }
            | Layer::Values { points, .. }
            | Layer::Group { points, .. }
            | Layer::Line { points, .. } => points,
        }
    }
}

impl Scatter {
    /// Nothing yet: add groups with [`Scatter::points`] and lines with [`Scatter::line`].
    pub fn new() -> Self {
        Self {
            settings: Settings::new(720, 560),
            layers: Vec::new(),
            groups: 0,
            class_names: None,
            value_label: String::new(),
            value_limits: None,
            legend: true,
            name_centers: true,
            equal: false,
            radius: None,
        }
    }

    /// Points `xy` `[N, 2]` whose colour says the class: `labels` `[N]` from 0 to `classes` − 1.
    /// The points lie upon each other in the order given, and each class's name stands at its
    /// middle.
    pub fn by_class(xy: &Tensor, labels: &Tensor, classes: usize) -> Self {
        let mut scatter = Self::new();
        scatter.layers.push(class_layer(xy, labels, classes));
        scatter
    }

    /// Points `xy` `[N, 2]` whose colour says a value: `values` `[N]`, with a colour bar.
    pub fn by_value(xy: &Tensor, values: &Tensor, map: ColorMap) -> Self {
        let read = || {
            let points = input::pairs(xy, "the points of a scatter plot")?;
            let values = input::column(values, points.len(), "the values of a scatter plot")?;
            Ok(Layer::Values {
                points,
                values,
                map,
            })
        };
        let mut scatter = Self::new();
        scatter.layers.push(read());
        scatter
    }

    shared_settings!();

    /// Adds a group of points `xy` `[N, 2]` with a name in the legend, a colour and a shape of its
    /// own.
    pub fn points(mut self, name: impl Into<String>, xy: &Tensor) -> Self {
        let index = self.groups;
        self.groups += 1;
        let layer = input::pairs(xy, "the points of a scatter plot").map(|points| Layer::Group {
            name: name.into(),
            points,
            color: LINE_COLORS[index % LINE_COLORS.len()],
            marker: Marker::of(index),
        });
        self.layers.push(layer);
        self
    }

    /// Adds a line through `points`, on top of all points.
    pub fn line(mut self, name: impl Into<String>, points: &(impl Points + ?Sized)) -> Self {
        let line = points.points().map(|points| Layer::Line {
            name: name.into(),
            points,
            color: Rgb::INK,
        });
        self.layers.push(line);
        self
    }

    /// Gives the group or line that was added last another colour.
    pub fn color(mut self, new: Rgb) -> Self {
        if let Some(Ok(Layer::Group { color, .. } | Layer::Line { color, .. })) =
            self.layers.last_mut()
        {
            *color = new;
        }
        self
    }

    /// Names for the classes, in their order; without them they are called 0, 1, 2, ….
    pub fn class_names<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.class_names = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// The label of the colour bar.
    pub fn value_label(mut self, label: impl Into<String>) -> Self {
        self.value_label = label.into();
        self
    }

    /// The values at the ends of the colour bar; without them it shows all values.
    pub fn value_limits(mut self, low: f64, high: f64) -> Self {
        self.value_limits = Some((low, high));
        self
    }

    /// Whether each class's name stands at its centre (it does); leave it out where the classes lie on top
    /// of each other.
    pub fn name_centers(mut self, shown: bool) -> Self {
        self.name_centers = shown;
        self
    }

    /// Whether the legend is drawn (it is).
    pub fn legend(mut self, shown: bool) -> Self {
        self.legend = shown;
        self
    }

    /// Makes a unit equally long on both axes.
    pub fn equal_axes(mut self) -> Self {
        self.equal = true;
        self
    }

    /// The radius of a point in CSS pixels; without it, the more points, the smaller.
    pub fn radius(mut self, radius: f64) -> Self {
        self.radius = Some(radius);
        self
    }

    /// Draws the plot.
    ///
    /// # Errors
    /// If there are no points, one is not finite, labels and points do not fit each other, or the
    /// limits make no sense.
    pub fn draw(mut self) -> Result<Figure> {
        let layers: Vec<Layer> = std::mem::take(&mut self.layers)
            .into_iter()
            .collect::<Result<_>>()?;
        let count: usize = layers.iter().map(|l| l.points().len()).sum();
        if count == 0 {
            return Err(PlotError::Empty("the points of a scatter plot".into()).into());
        }
        for line in layers.iter().filter(|l| matches!(l, Layer::Line { .. })) {
            let flat: Vec<f64> = line.points().iter().flat_map(|p| [p.0, p.1]).collect();
            input::check_finite(&flat, "the points of a line")?;
        }
        let radius = match self.radius {
            Some(r) if r.is_finite() && r > 0.0 => r,
            Some(r) => {
                let problem = format!("the radius of a point must be positive, but is {r}");
                return Err(PlotError::Invalid(problem).into());
            }
            None => (110.0 / (count as f64).sqrt()).clamp(1.5, 4.5),
        };
        let all = || layers.iter().flat_map(|l| l.points());
        let x = Axis::around(all().map(|p| p.0), self.settings.x_limits, false, 0.04)?;
        let y = Axis::around(all().map(|p| p.1), self.settings.y_limits, false, 0.04)?;

        let mut around = Surroundings {
            equal: self.equal,
            grid: true,
            ..Surroundings::default()
        };
        let mut descriptions = Vec::new();
        for layer in &layers {
            descriptions.push(self.describe(layer, &mut around)?);
        }
        if !self.legend {
            around.header.clear();
            around.column.clear();
        }
        let bar = around.bar.clone();
        let alt = format!(
            "{}{}: {}.",
            self.settings.alt_start("scatter plot"),
            self.settings.alt_axes(),
            descriptions.join("; ")
        );

        let mut chart = Chart::new(self.settings, x, y, around)?;
        let mut outside = 0;
        for layer in &layers {
            let style = |i: usize| match layer {
                Layer::Classes { labels, .. } => class_style(labels[i], count > MANY),
                Layer::Values { values, .. } => {
                    let color = bar.as_ref().map_or(Rgb::INK, |bar| bar.color(values[i]));
                    (color, Marker::Circle)
                }
                Layer::Group { color, marker, .. } => (*color, *marker),
                Layer::Line { color, .. } => (*color, Marker::Circle),
            };
            if let Layer::Line { points, color, .. } = layer {
                chart.line(points, 2.5, *color, false);
                continue;
            }
            for (i, &point) in layer.points().iter().enumerate() {
                let at = chart.at(point);
                if chart.area.contains(at) {
                    let (color, marker) = style(i);
                    chart.canvas.marker(marker, at, radius, color);
                } else {
                    outside += 1;
                }
            }
        }
        for layer in &layers {
            if let Layer::Classes {
                points,
                labels,
                classes,
            } = layer
                && self.name_centers
            {
                draw_class_names(&mut chart, points, labels, *classes, &self.class_names);
            }
        }
        let notes = match outside {
            0 => Vec::new(),
            n => vec![format!(
                "{n} of {count} points lie beyond the limits of the axes."
            )],
        };
        chart.finish(alt, notes)
    }

    /// Adds a layer's entries to the legend and says in words what it shows.
    fn describe(&self, layer: &Layer, around: &mut Surroundings) -> Result<String> {
        Ok(match layer {
            Layer::Classes {
                points, classes, ..
            } => {
                if let Some(names) = &self.class_names
                    && names.len() != *classes
                {
                    return Err(PlotError::Invalid(format!(
                        "there are {} names for {classes} classes: give one for each",
                        names.len()
                    ))
                    .into());
                }
                around.column.extend((0..*classes).map(|class| {
                    let (color, marker) = class_style(class, points.len() > MANY);
                    Entry {
                        name: class_name(&self.class_names, class),
                        color,
                        sample: Sample::Point(marker),
                    }
                }));
                format!("{} points in {classes} classes", points.len())
            }
            Layer::Values {
                points,
                values,
                map,
            } => {
                let axis = Axis::around(values.iter().copied(), self.value_limits, false, 0.0)?;
                let (low, high) = (
                    super::axis::number(axis.low),
                    super::axis::number(axis.high),
                );
                around.bar = Some(ColorBar {
                    map: map.clone(),
                    axis,
                    label: self.value_label.clone(),
                });
                let name = match self.value_label.as_str() {
                    "" => "value",
                    label => label,
                };
                format!(
                    "{} points coloured by {name} from {low} to {high}",
                    points.len()
                )
            }
            Layer::Group {
                name,
                points,
                color,
                marker,
            } => {
                around.header.push(Entry {
                    name: name.clone(),
                    color: *color,
                    sample: Sample::Point(*marker),
                });
                format!("{} points “{name}”", points.len())
            }
            Layer::Line { name, color, .. } => {
                around.header.push(Entry {
                    name: name.clone(),
                    color: *color,
                    sample: Sample::Line { dashed: false },
                });
                format!("a line “{name}”")
            }
        })
    }
}

impl Default for Scatter {
    fn default() -> Self {
        Self::new()
    }
}

fn class_layer(xy: &Tensor, labels: &Tensor, classes: usize) -> Result<Layer> {
    if classes == 0 {
        let problem = "a scatter plot by class needs at least one class".to_owned();
        return Err(PlotError::Invalid(problem).into());
    }
    let points = input::pairs(xy, "the points of a scatter plot")?;
    let numbers = input::column(labels, points.len(), "the labels of a scatter plot")?;
    let mut labels = Vec::with_capacity(numbers.len());
    for (i, &label) in numbers.iter().enumerate() {
        if label.fract() != 0.0 || !(0.0..classes as f64).contains(&label) {
            return Err(PlotError::Invalid(format!(
                "label {i} is {label}, but must be a whole number from 0 to {}",
                classes - 1
            ))
            .into());
        }
        labels.push(label as usize);
    }
    Ok(Layer::Classes {
        points,
        labels,
        classes,
    })
}

/// Colour and shape of a class; among very many points shapes would be noise.
fn class_style(class: usize, many: bool) -> (Rgb, Marker) {
    let marker = if many {
        Marker::Circle
    } else {
        Marker::of(class)
    };
    (CLASS_COLORS[class % CLASS_COLORS.len()], marker)
}

/// From so many points on, classes are told apart by colour and name alone.
const MANY: usize = 2_000;

fn class_name(names: &Option<Vec<String>>, class: usize) -> String {
    match names.as_ref().and_then(|names| names.get(class)) {
        Some(name) => name.clone(),
        None => class.to_string(),
    }
}

/// Writes each class's name at the median of its points.
fn draw_class_names(
    chart: &mut Chart,
    points: &[(f64, f64)],
    labels: &[usize],
    classes: usize,
    names: &Option<Vec<String>>,
) {
    for class in 0..classes {
        let members = || {
            points
                .iter()
                .zip(labels)
                .filter(|p| *p.1 == class)
                .map(|p| *p.0)
        };
        let mut xs: Vec<f64> = members().map(|p| p.0).collect();
        let mut ys: Vec<f64> = members().map(|p| p.1).collect();
        if xs.is_empty() {
            continue;
        }
        xs.sort_by(f64::total_cmp);
        ys.sort_by(f64::total_cmp);
        let (x, y) = chart.at((xs[xs.len() / 2], ys[ys.len() / 2]));
        if chart.area.contains((x, y)) {
            let kind = Type::TITLE;
            let at = (x, y + kind.cap_height() / 2.0);
            let name = class_name(names, class);
            chart
                .canvas
                .haloed_text(at, &name, kind, Rgb::INK, Align::Middle);
        }
    }
}
