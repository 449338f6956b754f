//! Points in the plane, coloured by class, by value or by group.

use plotters::style::text_anchor::HPos;
use plotters::style::{Color as _, RGBColor};
use tch::Tensor;

use super::axis::{Axis, number};
use super::chart::{self, ChartSettings, ColorBar, Plot, Surroundings, shared_settings};
use super::theme::{self, Drawn, Entry, Marker, Sample, Type};
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
    settings: ChartSettings,
    layers: Vec<Result<Series>>,
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
enum Series {
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

impl Series {
    fn points(&self) -> &[(f64, f64)] {
        match self {
            Series::Classes { points, .. }
            | Series::Values { points, .. }
            | Series::Group { points, .. }
            | Series::Line { points, .. } => points,
        }
    }
}

impl Scatter {
    /// Nothing yet: add groups with [`Scatter::points`] and lines with [`Scatter::line`].
    pub fn new() -> Self {
        Self {
            settings: ChartSettings::new(720, 560),
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
    /// Which of two points lies upon the other is left to chance, the same in each run: else the last class would hide
    /// the others. Each class's name stands at its middle.
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
            Ok(Series::Values {
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
        let layer = input::pairs(xy, "the points of a scatter plot").map(|points| Series::Group {
            name: name.into(),
            points,
            color: LINE_COLORS[index % LINE_COLORS.len()],
            marker: Marker::of(index),
        });
        self.layers.push(layer);
        self
    }

    /// Adds a line through `points`, on top of all points. One whose name is empty has no entry in the legend.
    pub fn line(mut self, name: impl Into<String>, points: &(impl Points + ?Sized)) -> Self {
        let line = points.points().map(|points| Series::Line {
            name: name.into(),
            points,
            color: Rgb::INK,
        });
        self.layers.push(line);
        self
    }

    /// Gives the group or line that was added last another colour.
    pub fn color(mut self, new: Rgb) -> Self {
        if let Some(Ok(Series::Group { color, .. } | Series::Line { color, .. })) =
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
        let layers: Vec<Series> = std::mem::take(&mut self.layers)
            .into_iter()
            .collect::<Result<_>>()?;
        let count: usize = layers.iter().map(|l| l.points().len()).sum();
        if count == 0 {
            return Err(PlotError::Empty("the points of a scatter plot".into()).into());
        }
        for line in layers.iter().filter(|l| matches!(l, Series::Line { .. })) {
            let flat: Vec<f64> = line.points().iter().flat_map(|p| [p.0, p.1]).collect();
            input::check_finite(&flat, "the points of a line")?;
        }
        let radius = match self.radius {
            Some(r) if r.is_finite() && r > 0.0 => r,
            Some(r) => {
                let problem = format!("the radius of a point must be positive, but is {r}");
                return Err(PlotError::Invalid(problem).into());
            }
            None => (90.0 / (count as f64).sqrt()).clamp(1.1, 4.5),
        };
        let all = || layers.iter().flat_map(|l| l.points());
        let x = Axis::around(all().map(|p| p.0), self.settings.x_limits, false, 0.04)?;
        let y = Axis::around(all().map(|p| p.1), self.settings.y_limits, false, 0.04)?;

        let mut around = Surroundings {
            equal: self.equal,
            grid: (true, true),
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
        let start = self.settings.alt_start("scatter plot");
        let alt = format!("{start}: {}.", descriptions.join("; "));
        let mut notes = Vec::new();
        let outside = |l: &Series| {
            let points = l.points().iter();
            points.filter(|p| !(x.holds(p.0) && y.holds(p.1))).count()
        };
        let lines = |l: &&Series| matches!(l, Series::Line { .. });
        let hidden: usize = layers.iter().filter(|l| !lines(l)).map(outside).sum();
        let points: usize = layers
            .iter()
            .filter(|l| !lines(l))
            .map(|l| l.points().len())
            .sum();
        if hidden > 0 {
            notes.push(format!(
                "{hidden} of {points} points lie beyond the limits of the axes."
            ));
        }
        if layers.iter().filter(lines).any(|l| outside(l) > 0) {
            notes.push("A line goes on beyond the limits of the axes.".to_owned());
        }

        let bar = around.bar.clone();
        let opacity = if count > MANY { OPACITY } else { 1.0 };
        let (names, name_centers) = (self.class_names, self.name_centers);
        let axes = (x.clone(), y.clone());
        chart::draw(self.settings, (x, y), around, (alt, notes), |plot| {
            for layer in &layers {
                let style = |i: usize| match layer {
                    Series::Classes { labels, .. } => class_style(labels[i], count > MANY),
                    Series::Values { values, .. } => {
                        let color = bar.as_ref().map_or(Rgb::INK, |bar| bar.color(values[i]));
                        (color, Marker::Circle)
                    }
                    Series::Group { color, marker, .. } => (*color, *marker),
                    Series::Line { color, .. } => (*color, Marker::Circle),
                };
                if let Series::Line { points, color, .. } = layer {
                    chart::line(plot, points, theme::stroke(*color, 2.5), false)?;
                    continue;
                }
                let points = layer.points();
                let marks = shuffled(points.len()).into_iter().map(|i| {
                    let (color, marker) = style(i);
                    (points[i], marker, RGBColor::from(color).mix(opacity))
                });
                chart::dots(plot, marks, radius)?;
            }
            for layer in &layers {
                if let Series::Classes {
                    points,
                    labels,
                    classes,
                } = layer
                    && name_centers
                {
                    draw_class_names(plot, &axes, (points, labels, *classes), &names)?;
                }
            }
            Ok(())
        })
    }

    /// Adds a layer's entries to the legend and says in words what it shows.
    fn describe(&self, layer: &Series, around: &mut Surroundings) -> Result<String> {
        Ok(match layer {
            Series::Classes {
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
            Series::Values {
                points,
                values,
                map,
            } => {
                let axis = Axis::around(values.iter().copied(), self.value_limits, false, 0.0)?;
                let (low, high) = (number(axis.low), number(axis.high));
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
            Series::Group {
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
            Series::Line { name, .. } if name.is_empty() => "a line".into(),
            Series::Line { name, color, .. } => {
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

fn class_layer(xy: &Tensor, labels: &Tensor, classes: usize) -> Result<Series> {
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
    Ok(Series::Classes {
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

/// How much of what lies below a point among very many it covers.
const OPACITY: f64 = 0.7;

/// The numbers below `count` in an order by chance, the same in each run.
fn shuffled(count: usize) -> Vec<usize> {
    use rand::seq::SliceRandom as _;
    let mut order: Vec<usize> = (0..count).collect();
    let mut by_chance = <rand_chacha::ChaCha8Rng as rand::SeedableRng>::seed_from_u64(0);
    order.shuffle(&mut by_chance);
    order
}

/// A name at the middle of a class.
struct Placed {
    /// Its middle, in CSS pixels from the lower left of the data.
    at: (f64, f64),
    /// Half of its size.
    half: (f64, f64),
    name: String,
}

/// Writes each class's name at the median of its points, a little aside where another stands.
fn draw_class_names(
    plot: &Plot<'_, '_>,
    (x, y): &(Axis, Axis),
    (points, labels, classes): (&[(f64, f64)], &[usize], usize),
    names: &Option<Vec<String>>,
) -> Drawn {
    let (width, height) = plot.plotting_area().dim_in_pixel();
    let css = |units: u32| f64::from(units) / f64::from(theme::UNITS);
    let (width, height) = (css(width), css(height));
    let mut placed: Vec<Placed> = Vec::new();
    for class in 0..classes {
        let members = points.iter().zip(labels).filter(|p| *p.1 == class);
        let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = members.map(|p| *p.0).unzip();
        if xs.is_empty() {
            continue;
        }
        xs.sort_by(f64::total_cmp);
        ys.sort_by(f64::total_cmp);
        let (at, up) = (xs[xs.len() / 2], ys[ys.len() / 2]);
        if x.holds(at) && y.holds(up) {
            let name = class_name(names, class);
            let half = (Type::TITLE.width(&name) / 2.0 + 2.0, 8.0);
            let at = (x.share(at) * width, y.share(up) * height);
            placed.push(Placed { at, half, name });
        }
    }
    // Names that overlap push each other away, along the line between them.
    for _ in 0..200 {
        let mut moved = false;
        for i in 0..placed.len() {
            for j in i + 1..placed.len() {
                let (a, b) = (&placed[i], &placed[j]);
                let (dx, dy) = (b.at.0 - a.at.0, b.at.1 - a.at.1);
                let overlap = (
                    a.half.0 + b.half.0 - dx.abs(),
                    a.half.1 + b.half.1 - dy.abs(),
                );
                if overlap.0 <= 0.0 || overlap.1 <= 0.0 {
                    continue;
                }
                // Names at one place go apart by their numbers.
                let angle = (j as f64 * 2.4).sin_cos();
                let length = dx.hypot(dy);
                let (ux, uy) = if length < 1e-6 {
                    (angle.1, angle.0)
                } else {
                    (dx / length, dy / length)
                };
                let step = 0.5 * overlap.0.min(overlap.1) + 0.1;
                for (k, sign) in [(i, -step), (j, step)] {
                    let at = &mut placed[k].at;
                    at.0 = (at.0 + sign * ux).clamp(10.0, width - 10.0);
                    at.1 = (at.1 + sign * uy).clamp(10.0, height - 10.0);
                }
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    for Placed { at, name, .. } in placed {
        let place = (x.value(at.0 / width), y.value(at.1 / height));
        chart::over_data(plot, &name, Type::TITLE, place, (0.0, 0.0), HPos::Center)?;
    }
    Ok(())
}
