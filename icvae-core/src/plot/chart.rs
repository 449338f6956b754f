//! What every picture with two axes has: margins, title, grid, ticks, labels, legend.

use plotters::chart::{ChartBuilder, ChartContext, LabelAreaPosition};
use plotters::coord::cartesian::Cartesian2d;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::Axis;
use super::backend::{Area, Backend, Canvas};
use super::theme::{self, Drawn, ENTRY, Entry, MARGIN, Mark, Marker, Type, UNITS, px, stroke};
use super::{ColorMap, Figure, PlotError, Rgb};
use crate::Result;

/// The settings that all builders with axes share.
#[derive(Debug, Clone, Default)]
pub(super) struct ChartSettings {
    pub title: String,
    pub x_label: String,
    pub y_label: String,
    pub size: (u32, u32),
    pub alt: Option<String>,
    pub x_limits: Option<(f64, f64)>,
    pub y_limits: Option<(f64, f64)>,
}

impl ChartSettings {
    pub fn new(width: u32, height: u32) -> Self {
        Self {
            size: (width, height),
            ..Self::default()
        }
    }

    /// The beginning of a text for those who cannot see the picture: its title, its kind, and ` of y against x` as
    /// far as the axes have labels.
    pub fn alt_start(&self, kind: &str) -> String {
        let kind = match self.title.as_str() {
            "" => kind[..1].to_uppercase() + &kind[1..],
            title => format!("{title}: {kind}"),
        };
        match (self.y_label.as_str(), self.x_label.as_str()) {
            ("", "") => kind,
            ("", x) => format!("{kind} against {x}"),
            (y, "") => format!("{kind} of {y}"),
            (y, x) => format!("{kind} of {y} against {x}"),
        }
    }
}

/// The methods that all builders with axes share, for a type with a field `settings`.
macro_rules! shared_settings {
    () => {
        /// The title above the picture.
        pub fn title(mut self, title: impl Into<String>) -> Self {
            self.settings.title = title.into();
            self
        }

        /// The label of the horizontal axis.
        pub fn x_label(mut self, label: impl Into<String>) -> Self {
            self.settings.x_label = label.into();
            self
        }

        /// The label of the vertical axis.
        pub fn y_label(mut self, label: impl Into<String>) -> Self {
            self.settings.y_label = label.into();
            self
        }

        /// The ends of the horizontal axis; without them it shows all data.
        pub fn x_limits(mut self, low: f64, high: f64) -> Self {
            self.settings.x_limits = Some((low, high));
            self
        }

        /// The ends of the vertical axis; without them it shows all data.
        pub fn y_limits(mut self, low: f64, high: f64) -> Self {
            self.settings.y_limits = Some((low, high));
            self
        }

        /// Width and height of the whole picture in CSS pixels.
        pub fn size(mut self, width: u32, height: u32) -> Self {
            self.settings.size = (width, height);
            self
        }

        /// The picture in words, in place of those made from its content.
        pub fn alt(mut self, alt: impl Into<String>) -> Self {
            self.settings.alt = Some(alt.into());
            self
        }
    };
}
pub(super) use shared_settings;

/// What stands beside the data.
#[derive(Debug, Default)]
pub(super) struct Surroundings {
    /// Entries above the data.
    pub header: Vec<Entry>,
    /// Entries to the right of the data.
    pub column: Vec<Entry>,
    pub bar: Option<ColorBar>,
    /// One unit is equally long on both axes: the picture gets smaller where the data leave it empty.
    pub equal: bool,
    /// Ticks of the horizontal axis on whole numbers.
    pub whole_x: bool,
    /// Lines through the ticks of the horizontal and of the vertical axis.
    pub grid: (bool, bool),
}

/// A bar that says which colour means which number.
#[derive(Debug, Clone)]
pub(super) struct ColorBar {
    pub map: ColorMap,
    pub axis: Axis,
    pub label: String,
}

/// How many steps a colour bar has: more than an eye tells apart, few enough for a palette.
const COLORS: f64 = 160.0;

impl ColorBar {
    fn width(&self) -> f64 {
        let label = match self.label.is_empty() {
            true => 0.0,
            false => Type::LABEL.line_height() + 4.0,
        };
        16.0 + 8.0 + Type::TICK.widest(self.axis.ticks.iter().map(|t| &t.1)) + label
    }

    /// The colour of `value`.
    pub fn color(&self, value: f64) -> Rgb {
        self.map
            .at((self.axis.share(value) * COLORS).round() / COLORS)
    }

    fn draw(&self, root: &Area<'_>, left: f64, (top, bottom): (f64, f64)) -> Drawn {
        let width = self.width();
        let place = root
            .clone()
            .shrink((px(left), px(top)), (px(width), px(bottom - top)));
        let mut chart = ChartBuilder::on(&place)
            .set_label_area_size(LabelAreaPosition::Right, px(width - 16.0))
            .build_cartesian_2d(0.0..1.0, self.axis.clone())?;
        let steps = COLORS as usize;
        chart.draw_series((0..steps).map(|i| {
            let end = |i: usize| self.axis.value(i as f64 / COLORS);
            let color = self.map.at(i as f64 / (COLORS - 1.0));
            Rectangle::new(
                [(0.0, end(i)), (1.0, end(i + 1))],
                RGBColor::from(color).filled(),
            )
        }))?;
        chart
            .configure_mesh()
            .disable_mesh()
            .axis_style(stroke(Rgb::FRAME, 1.0))
            .set_tick_mark_size(LabelAreaPosition::Right, px(4.0))
            .y_labels(self.axis.ticks.len())
            .y_label_formatter(&|v| label(&self.axis, *v))
            .y_label_style(Type::TICK.style(Rgb::SOFT_INK, UNITS))
            .draw()?;
        frame(chart.plotting_area())?;
        let at = (
            left + width - 0.4 * Type::LABEL.line_height(),
            (top + bottom) / 2.0,
        );
        let anchor = (HPos::Center, VPos::Center);
        Type::LABEL.write((root, UNITS), &self.label, at, Rgb::INK, anchor, true)
    }
}

/// Where the data of a chart go.
pub(super) type Plot<'a, 'b> = ChartContext<'a, Backend<'b>, Cartesian2d<Axis, Axis>>;

fn label(axis: &Axis, value: f64) -> String {
    plotters::coord::ranged1d::ValueFormatter::format_ext(axis, &value)
}

/// A line around an area, on its edge.
fn frame<C: CoordTranslate>(area: &DrawingArea<Backend<'_>, C>) -> Drawn {
    let area = area.strip_coord_spec();
    let (width, height) = area.dim_in_pixel();
    let corners = [(0, 0), (width as i32 - 1, height as i32 - 1)];
    area.draw(&Rectangle::new(corners, stroke(Rgb::FRAME, 1.0)))
}

/// Where the data lie, in CSS pixels.
#[derive(Debug, Clone, Copy)]
struct DataBox {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
}

/// Draws a figure: everything around the data, then the data, then the frame. `alt` stands where the caller gave no
/// words of their own.
pub(super) fn draw(
    settings: ChartSettings,
    (mut x, mut y): (Axis, Axis),
    mut around: Surroundings,
    (alt, notes): (String, Vec<String>),
    data: impl FnOnce(&mut Plot<'_, '_>) -> Drawn,
) -> Result<Figure> {
    let (mut width, mut height) = (f64::from(settings.size.0), f64::from(settings.size.1));
    let inner = width - 2.0 * MARGIN;
    let title = Type::TITLE.wrap(&settings.title, inner);
    let (entries, header) = theme::header_rows(&around.header, inner);
    let head = theme::title_height(title.len()).max(MARGIN);
    let top = (head + header).round();
    let label_height = |lines: usize| match lines {
        0 => 0.0,
        lines => lines as f64 * Type::LABEL.line_height() + 4.0,
    };
    let x_title = Type::LABEL.wrap(&settings.x_label, inner - 60.0);
    let below = label_height(x_title.len()) + Type::TICK.line_height() + 4.0 + MARGIN;
    let bottom = (height - below).round();
    let y_title = Type::LABEL.wrap(&settings.y_label, (bottom - top).max(60.0));
    tick(&mut y, bottom - top, 42.0, |_| 16.0);
    if let Some(bar) = &mut around.bar {
        tick(&mut bar.axis, bottom - top, 42.0, |_| 16.0);
    }
    let beside = match &around.bar {
        Some(bar) => bar.width() + 16.0,
        None if around.column.is_empty() => 10.0,
        None => around.column.iter().map(Entry::width).fold(0.0, f64::max) + 16.0,
    };
    let y_ticks = Type::TICK.widest(y.ticks.iter().map(|t| &t.1));
    let left = (MARGIN + label_height(y_title.len()) + y_ticks + 8.0).round();
    let right = (width - MARGIN - beside).round();
    let mut place = DataBox {
        left,
        top,
        right,
        bottom,
    };
    if right - left < 60.0 || bottom - top < 60.0 {
        return Err(PlotError::Invalid(format!(
            "{width} × {height} CSS pixels leave no room for the data: choose a larger size"
        ))
        .into());
    }
    if around.equal {
        // Pixels to a unit of the data: what fits in both directions.
        let (wide, high) = (x.high - x.low, y.high - y.low);
        let scale = ((right - left) / wide).min((bottom - top) / high);
        place.right = (left + scale * wide).max(left + 60.0).round();
        place.bottom = (top + scale * high).max(top + 60.0).round();
        let legend = around
            .header
            .iter()
            .zip(&entries)
            .map(|(entry, at)| at.0 + entry.width());
        let texts = Type::TITLE.widest(&title).max(Type::LABEL.widest(&x_title));
        let widest = legend.fold(texts, f64::max) + 2.0 * MARGIN;
        width = (width - (right - place.right)).max(widest.ceil());
    }
    let column = around.column.len() as f64 * ENTRY;
    if column > bottom - top {
        return Err(PlotError::Invalid(format!(
            "a legend of {} entries is higher than the data: \
             choose a larger size or leave the legend out",
            around.column.len()
        ))
        .into());
    }
    let floor = height - (bottom - place.bottom);
    height = floor.max(top + column + MARGIN).min(height);
    x.whole = around.whole_x;
    tick(&mut x, place.right - place.left, 62.0, |text| {
        Type::TICK.width(text) + 8.0
    });
    if around.equal {
        tick(&mut y, place.bottom - place.top, 42.0, |_| 16.0);
    }

    let mut canvas = Canvas::new((width as u32, height as u32), UNITS)?;
    let root = canvas.area();
    let drawn = || -> Drawn {
        root.fill(&WHITE)?;
        theme::draw_title((&root, UNITS), &title)?;
        for (entry, (at, row)) in around.header.iter().zip(entries) {
            entry.draw(&root, MARGIN + at, head + (row as f64 + 0.5) * ENTRY)?;
        }
        for (i, entry) in around.column.iter().enumerate() {
            entry.draw(&root, place.right + 16.0, top + (i as f64 + 0.5) * ENTRY)?;
        }
        if let Some(bar) = &around.bar {
            bar.draw(&root, place.right + 16.0, (place.top, place.bottom))?;
        }
        axis_titles(&root, place, (&x_title, &y_title), floor)?;
        let mut chart = ChartBuilder::on(&root)
            .margin_top(px(top))
            .margin_right(px(width - place.right))
            .margin_bottom(px(height - place.bottom - 30.0))
            .set_label_area_size(LabelAreaPosition::Left, px(place.left))
            .set_label_area_size(LabelAreaPosition::Bottom, px(30.0))
            .build_cartesian_2d(x.clone(), y.clone())?;
        let (format_x, format_y) = (|v: &f64| label(&x, *v), |v: &f64| label(&y, *v));
        let mut mesh = chart.configure_mesh();
        if !around.grid.0 {
            mesh.disable_x_mesh();
        }
        if !around.grid.1 {
            mesh.disable_y_mesh();
        }
        mesh.bold_line_style(stroke(Rgb::GRID, 1.0))
            .axis_style(stroke(Rgb::FRAME, 1.0))
            .set_all_tick_mark_size(px(4.0))
            .x_labels(x.ticks.len())
            .y_labels(y.ticks.len())
            .x_label_formatter(&format_x)
            .y_label_formatter(&format_y)
            .label_style(Type::TICK.style(Rgb::SOFT_INK, UNITS))
            .draw()?;
        data(&mut chart)?;
        frame(chart.plotting_area())
    };
    drawn().map_err(|error| PlotError::Drawing(error.to_string()))?;
    drop(root);
    let alt = settings.alt.unwrap_or(alt);
    Ok(Figure::new(canvas, settings.title, alt, notes))
}

/// Chooses ticks about so many CSS pixels apart; where that leaves fewer than three, closer ones that still fit.
fn tick(axis: &mut Axis, length: f64, apart: f64, size: impl Fn(&str) -> f64) {
    let most = ((length / apart) as usize).max(2);
    axis.set_ticks(most);
    if axis.ticks.len() < 3 {
        let few = axis.ticks.clone();
        axis.set_ticks(most + 3);
        if axis.ticks.iter().map(|tick| size(&tick.1)).sum::<f64>() > length {
            axis.ticks = few;
        }
    }
}

/// Writes the titles of both axes, each in the middle of its axis.
fn axis_titles(
    root: &Area<'_>,
    place: DataBox,
    (x_title, y_title): (&[String], &[String]),
    floor: f64,
) -> Drawn {
    let anchor = (HPos::Center, VPos::Center);
    let line = Type::LABEL.line_height();
    let middle = (
        (place.left + place.right) / 2.0,
        (place.top + place.bottom) / 2.0,
    );
    for (i, text) in x_title.iter().rev().enumerate() {
        let at = (middle.0, floor - MARGIN - (i as f64 + 0.4) * line);
        Type::LABEL.write((root, UNITS), text, at, Rgb::INK, anchor, false)?;
    }
    for (i, text) in y_title.iter().enumerate() {
        let at = (MARGIN + (i as f64 + 0.35) * line, middle.1);
        Type::LABEL.write((root, UNITS), text, at, Rgb::INK, anchor, true)?;
    }
    Ok(())
}

/// Draws a line through data points, cut off at the ends of the axes.
pub(super) fn line(
    plot: &mut Plot<'_, '_>,
    points: &[(f64, f64)],
    style: ShapeStyle,
    dashed: bool,
) -> Drawn {
    let axes = plot.as_coord_spec();
    for run in within(points, axes.x_spec(), axes.y_spec()) {
        if dashed {
            plot.draw_series([theme::dashes(run, style)])?;
        } else {
            plot.draw_series(LineSeries::new(run, style))?;
        }
    }
    Ok(())
}

/// Draws a dot of a radius in CSS pixels at each point between the ends of the axes.
pub(super) fn dots(
    plot: &mut Plot<'_, '_>,
    points: impl IntoIterator<Item = ((f64, f64), Marker, RGBAColor)>,
    radius: f64,
) -> Drawn {
    let (x, y) = (
        plot.as_coord_spec().x_spec().clone(),
        plot.as_coord_spec().y_spec().clone(),
    );
    let radius = radius * f64::from(UNITS);
    let inside = points
        .into_iter()
        .filter(|(at, ..)| x.holds(at.0) && y.holds(at.1));
    plot.draw_series(inside.map(|(at, marker, color)| Mark {
        at,
        marker,
        radius,
        color,
    }))?;
    Ok(())
}

/// Draws a text on top of the data, with a white rim, its end or middle at a data point and a little above it.
pub(super) fn over_data(
    plot: &Plot<'_, '_>,
    text: &str,
    kind: Type,
    at: (f64, f64),
    shift: (f64, f64),
    h: HPos,
) -> Drawn {
    let base = plot.plotting_area().map_coordinate(&at);
    let area = plot.plotting_area().strip_coord_spec();
    let corner = plot.plotting_area().get_base_pixel();
    let css = |units: i32| f64::from(units) / f64::from(UNITS);
    let (x, y) = (
        css(base.0 - corner.0) + shift.0,
        css(base.1 - corner.1) + shift.1,
    );
    for step in 0..8 {
        let (sin, cos) = (f64::from(step) / 8.0 * std::f64::consts::TAU).sin_cos();
        let at = (x + 1.6 * cos, y + 1.6 * sin);
        kind.write(
            (&area, UNITS),
            text,
            at,
            Rgb::WHITE,
            (h, VPos::Center),
            false,
        )?;
    }
    kind.write(
        (&area, UNITS),
        text,
        (x, y),
        Rgb::INK,
        (h, VPos::Center),
        false,
    )
}

/// The parts of a line that lie between the ends of both axes.
fn within(points: &[(f64, f64)], x: &Axis, y: &Axis) -> Vec<Vec<(f64, f64)>> {
    let mut runs: Vec<Vec<(f64, f64)>> = Vec::new();
    for pair in points.windows(2) {
        let share = |p: (f64, f64)| (x.share(p.0), y.share(p.1));
        let (from, to) = (share(pair[0]), share(pair[1]));
        let Some((enter, leave)) = clip(from, to) else {
            continue;
        };
        let at = |t: f64| {
            let between = |a: f64, b: f64| a + t * (b - a);
            (
                x.value(between(from.0, to.0)),
                y.value(between(from.1, to.1)),
            )
        };
        let begin = if enter == 0.0 { pair[0] } else { at(enter) };
        let end = if leave == 1.0 { pair[1] } else { at(leave) };
        match runs.last_mut() {
            Some(run) if enter == 0.0 && run.last() == Some(&begin) => run.push(end),
            _ => runs.push(vec![begin, end]),
        }
    }
    runs
}

/// Between which shares of a segment it lies in the unit square (Liang and Barsky's way).
fn clip(from: (f64, f64), to: (f64, f64)) -> Option<(f64, f64)> {
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (start, end) in [(from.0, to.0), (from.1, to.1)] {
        for (step, distance) in [(start - end, start), (end - start, 1.0 - start)] {
            if step == 0.0 {
                if distance < 0.0 {
                    return None;
                }
            } else if step < 0.0 {
                enter = enter.max(distance / step);
            } else {
                leave = leave.min(distance / step);
            }
        }
    }
    (enter <= leave).then_some((enter, leave))
}
