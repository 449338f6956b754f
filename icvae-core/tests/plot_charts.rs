//! Curves, scatters, heat maps, histograms and joined figures.
#![allow(missing_docs, clippy::unwrap_used)]

mod plot_support;

use icvae_core::Error;
use icvae_core::plot::{
    CLASS_COLORS, ColorMap, Curves, Figure, Heatmap, Histogram, LINE_COLORS, Points, Rgb, Scatter,
};
use icvae_core::tch::{Device, Kind, Tensor};
use plot_support::{Picture, decode};

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

fn bytes(color: Rgb) -> [u8; 3] {
    [color.0, color.1, color.2]
}

fn rising() -> Vec<(f64, f64)> {
    (0..50).map(|i| (f64::from(i), f64::from(i * i))).collect()
}

fn message(figure: icvae_core::Result<Figure>) -> String {
    let error = figure.unwrap_err();
    assert!(matches!(error, Error::Plot(_)), "{error:?}");
    error.to_string()
}

/// The rows in which a colour stands, in the column `x`.
fn rows_of(picture: &Picture, color: [u8; 3], x: u32) -> Vec<u32> {
    let near = |p: [u8; 3]| (0..3).all(|i| p[i].abs_diff(color[i]) <= 30);
    (0..picture.height)
        .filter(|&y| near(picture.at(x, y)))
        .collect()
}

#[test]
fn a_chart_is_twice_its_size_in_css_pixels_small_and_always_the_same() {
    let draw = || {
        let mut chart = Curves::new("Loss")
            .x_label("epoch")
            .y_label("loss per image");
        for k in 0..5 {
            let wave = |e: i32| 70.0 / f64::from(k + 1) + (f64::from(e * (k + 3)) * 0.7).sin();
            let points: Vec<f64> = (0..100).map(wave).collect();
            chart = chart.series(format!("term {k}"), &points);
        }
        chart.draw().unwrap()
    };
    let figure = draw();
    assert_eq!(figure.size(), (720, 420));
    assert_eq!(figure.title(), "Loss");
    let picture = decode(figure.png());
    assert_eq!((picture.width, picture.height), (1440, 840));
    assert!(figure.png().len() < 60_000, "{} bytes", figure.png().len());
    assert_eq!(figure, draw());
    for color in &LINE_COLORS[..5] {
        assert!(
            picture.count(bytes(*color)) > 2_000,
            "{color:?} is hardly seen"
        );
    }
}

#[test]
fn lines_lie_where_their_values_are() {
    // The axes end where the data end, so a falling diagonal joins two corners of the data area.
    let figure = Curves::new("")
        .x_limits(0.0, 10.0)
        .y_limits(0.0, 1.0)
        .series("", &[(0.0, 1.0), (10.0, 0.0)])
        .draw()
        .unwrap();
    let picture = decode(figure.png());
    let middle = |x: u32| {
        let rows = rows_of(&picture, bytes(LINE_COLORS[0]), x);
        (rows[0] + rows[rows.len() - 1]) / 2
    };
    let (a, b, c) = (middle(300), middle(700), middle(1100));
    assert!(a < b && b < c);
    assert!((b - a).abs_diff(c - b) <= 2, "{a}, {b}, {c}");
}

#[test]
fn a_logarithmic_axis_makes_powers_straight() {
    let points: Vec<(f64, f64)> = (0..=6).map(|e| (f64::from(e), 10.0_f64.powi(-e))).collect();
    let figure = Curves::new("").series("", &points).log_y().draw().unwrap();
    let picture = decode(figure.png());
    let middle = |x: u32| {
        let rows = rows_of(&picture, bytes(LINE_COLORS[0]), x);
        (rows[0] + rows[rows.len() - 1]) / 2
    };
    let (a, b, c) = (middle(350), middle(700), middle(1050));
    assert!((b - a).abs_diff(c - b) <= 4, "{a}, {b}, {c}");
}

#[test]
fn lines_are_cut_off_at_the_limits() {
    let figure = Curves::new("")
        .y_limits(0.0, 100.0)
        .x_limits(0.0, 49.0)
        .series("", &rising())
        .draw()
        .unwrap();
    let picture = decode(figure.png());
    // Beyond x = 10 the parabola has left the picture; nothing of it may lie on the margins.
    let blue = bytes(LINE_COLORS[0]);
    assert!(rows_of(&picture, blue, 200).len() > 2);
    for x in [500, 900, 1300] {
        assert!(rows_of(&picture, blue, x).is_empty());
    }
}

#[test]
fn points_that_cannot_be_drawn_leave_gaps_and_are_counted() {
    let figure = Curves::new("")
        .series("test", &[3.0, f64::NAN, 2.0, 1.0, f64::INFINITY])
        .draw()
        .unwrap();
    assert_eq!(
        figure.notes(),
        ["2 of the 5 points of “test” could not be drawn: the line has gaps there."]
    );
    // A point between gaps is a dot.
    let alone = [f64::NAN, 4.0, f64::NAN];
    let figure = Curves::new("").series("", &alone).draw().unwrap();
    assert!(decode(figure.png()).count(bytes(LINE_COLORS[0])) > 80);
    let negative = Curves::new("")
        .series("kl", &[1.0, -1.0, 10.0])
        .log_y()
        .draw();
    assert_eq!(negative.unwrap().notes().len(), 1);
}

#[test]
fn the_alternative_text_of_curves_says_what_they_do() {
    let figure = Curves::new("Loss")
        .x_label("epoch")
        .y_label("nats")
        .series("falls", &[78.91, 70.0])
        .series("rises", &[0.001, 0.5])
        .series("stays", &[2.0, 3.0, 2.0])
        .level("chance", 0.1135)
        .draw()
        .unwrap();
    assert_eq!(
        figure.alt(),
        "Loss: line chart of nats against epoch. falls falls from 78.91 to 70; \
         rises rises from 0.001 to 0.5; stays begins and ends at 2; \
         a line marks chance at 0.1135."
    );
    let untitled = Curves::new("").series("a", &[1.0]).draw().unwrap();
    assert_eq!(untitled.alt(), "Line chart. a is 1.");
    assert_eq!(untitled.with_alt("Mine.").alt(), "Mine.");
}

#[test]
fn points_come_from_slices_and_tensors() {
    let pairs = vec![(1.0, 5.0), (2.0, 6.0)];
    assert_eq!(pairs.points().unwrap(), pairs);
    assert_eq!([5.0, 6.0].points().unwrap(), pairs);
    assert_eq!(Tensor::from_slice(&[5.0_f32, 6.0]).points().unwrap(), pairs);
    let table = Tensor::from_slice(&[1.0, 5.0, 2.0, 6.0]).reshape([2, 2]);
    assert_eq!(table.points().unwrap(), pairs);
    assert!(table.reshape([4, 1]).points().is_err());
}

#[test]
fn curves_refuse_what_they_cannot_draw() {
    let empty: [f64; 0] = [];
    assert!(message(Curves::new("").draw()).contains("series of a line chart hold nothing"));
    assert!(message(Curves::new("").series("a", &empty).draw()).contains("\"a\" hold nothing"));
    let nan = Curves::new("").series("a", &[f64::NAN]);
    assert!(message(nan.draw()).contains("nothing to draw"));
    let one = || Curves::new("").series("a", &[1.0, 2.0]);
    assert!(message(one().y_limits(2.0, 1.0).draw()).contains("lower one first"));
    assert!(
        message(one().log_y().y_limits(0.0, 1.0).draw()).contains("two different positive numbers")
    );
    assert!(message(one().size(80, 60).draw()).contains("choose a larger size"));
    assert!(message(one().size(100_000, 100_000).draw()).contains("pixels"));
    assert!(message(one().level("l", f64::NAN).draw()).contains("no place on its axis"));
}

#[test]
fn constant_and_extreme_values_still_have_axes() {
    for values in [
        [0.0; 3],
        [7.0; 3],
        [-1e-12, 0.0, 1e-12],
        [1e300, -1e300, 0.0],
        [1e9; 3],
    ] {
        Curves::new("").series("", &values).draw().unwrap();
    }
    let apart = Curves::new("").series("", &[1.7e308, -1.7e308]).draw();
    assert!(message(apart).contains("too far apart"));
    let tiny = [1e-300, 1e300];
    Curves::new("").series("", &tiny).log_y().draw().unwrap();
}

/// Ten clusters on a circle.
fn clusters(n: i64) -> (Tensor, Tensor) {
    tch::manual_seed(0);
    let labels = Tensor::arange(n, (Kind::Int64, Device::Cpu)).remainder(10);
    let angle = labels.to_kind(Kind::Float) * (std::f64::consts::TAU / 10.0);
    let centers = Tensor::stack(&[angle.cos(), angle.sin()], 1) * 3.0;
    (centers + 0.3 * Tensor::randn([n, 2], FLOAT), labels)
}

#[test]
fn a_scatter_shows_every_class_and_says_so() {
    let (xy, labels) = clusters(2_500);
    for n in [500, 2_500] {
        let (xy, labels) = (xy.narrow(0, 0, n), labels.narrow(0, 0, n));
        let figure = Scatter::by_class(&xy, &labels, 10)
            .title("Code")
            .x_label("z₁")
            .y_label("z₂")
            .equal_axes()
            .draw()
            .unwrap();
        let picture = decode(figure.png());
        for color in CLASS_COLORS {
            // Very many points let what is below them through.
            let seen = bytes(color).map(|v| match n {
                500 => v,
                _ => (0.7 * f64::from(v) + 0.3 * 255.0).round() as u8,
            });
            assert!(picture.count(seen) > 500, "{color:?} is hardly seen");
        }
        let alt = format!("Code: scatter plot of z₂ against z₁: {n} points in 10 classes.");
        assert_eq!(figure.alt(), alt);
        assert!(figure.png().len() < 120_000, "{} bytes", figure.png().len());
    }
    // Names at the centres stand there in near black, and can be left out.
    let ink = |named| {
        let scatter = Scatter::by_class(&xy, &labels, 10)
            .equal_axes()
            .legend(false);
        let picture = decode(scatter.name_centers(named).draw().unwrap().png());
        picture.count([32, 32, 32])
    };
    assert_ne!(ink(true), ink(false));
    let figure = Scatter::by_class(&xy, &labels, 10)
        .x_limits(0.0, 9.0)
        .draw()
        .unwrap();
    assert!(figure.notes()[0].ends_with("of 2500 points lie beyond the limits of the axes."));
}

#[test]
fn a_scatter_by_value_uses_the_whole_map() {
    let t = Tensor::linspace(-1.0, 1.0, 400, FLOAT);
    let xy = Tensor::stack(&[&t, &(&t * &t)], 1);
    let figure = Scatter::by_value(&xy, &t, ColorMap::viridis())
        .value_label("t")
        .draw()
        .unwrap();
    assert_eq!(
        figure.alt(),
        "Scatter plot: 400 points coloured by t from −1 to 1."
    );
    let picture = decode(figure.png());
    for end in [0.0, 0.5, 1.0] {
        assert!(picture.count(bytes(ColorMap::viridis().at(end))) > 300);
    }
}

#[test]
fn groups_and_lines_share_a_plane() {
    let (xy, _) = clusters(100);
    let figure = Scatter::new()
        .points("data", &xy)
        .points("decoded", &(&xy * 0.5))
        .line("truth", &[(-3.0, -3.0), (3.0, 3.0)])
        .color(Rgb(0, 120, 60))
        .draw()
        .unwrap();
    assert_eq!(
        figure.alt(),
        "Scatter plot: 100 points “data”; 100 points “decoded”; a line “truth”."
    );
    let picture = decode(figure.png());
    for color in [LINE_COLORS[0], LINE_COLORS[1], Rgb(0, 120, 60)] {
        assert!(picture.count(bytes(color)) > 500);
    }
}

#[test]
fn scatters_refuse_what_does_not_fit() {
    let (xy, labels) = clusters(20);
    let by_class =
        |xy: &Tensor, labels: &Tensor, n| message(Scatter::by_class(xy, labels, n).draw());
    assert!(by_class(&xy.reshape([10, 4]), &labels, 10).contains("must have the shape [N, 2]"));
    assert!(by_class(&xy, &labels.narrow(0, 0, 19), 10).contains("must have the shape [20]"));
    assert_eq!(
        by_class(&xy, &labels, 9),
        "label 9 is 9, but must be a whole number from 0 to 8"
    );
    assert!(by_class(&xy, &(&labels - 1), 10).contains("label 0 is -1"));
    assert!(by_class(&xy, &labels, 0).contains("at least one class"));
    assert!(by_class(&Tensor::zeros([0, 2], FLOAT), &labels, 10).contains("nothing to draw"));
    assert!(by_class(&(&xy * f64::NAN), &labels, 10).contains("NaN at position 0"));
    assert!(by_class(&xy, &labels, 40).contains("a legend of 40 entries"));
    assert!(message(Scatter::new().draw()).contains("nothing to draw"));
    let names = Scatter::by_class(&xy, &labels, 10).class_names(["a"]);
    assert!(message(names.draw()).contains("1 names for 10 classes"));
    assert!(message(Scatter::by_class(&xy, &labels, 10).radius(0.0).draw()).contains("radius"));
    let wrong = Scatter::by_value(&xy, &labels.narrow(0, 0, 3), ColorMap::grey());
    assert!(message(wrong.draw()).contains("the values of a scatter plot"));
}

#[test]
fn a_heat_map_has_row_0_at_the_bottom_and_its_centre_where_asked() {
    let map = ColorMap::new(&[
        (0.0, Rgb(200, 0, 0)),
        (0.5, Rgb(0, 200, 0)),
        (1.0, Rgb(0, 0, 200)),
    ])
    .unwrap();
    // Left and bottom −1, left and top 0, right and bottom 3, right and top 1.
    let values = Tensor::from_slice(&[-1.0_f32, 3.0, 0.0, 1.0]).reshape([2, 2]);
    let figure = Heatmap::new(&values, (0.0, 4.0), (0.0, 1.0))
        .color_map(map.clone())
        .centered_at(0.0)
        .value_label("z")
        .draw()
        .unwrap();
    let picture = decode(figure.png());
    assert_eq!(picture.at(300, 800), [200, 0, 0]);
    assert_eq!(picture.at(300, 200), [0, 200, 0]);
    assert_eq!(picture.at(900, 800), [0, 0, 200]);
    assert_eq!(figure.alt(), "Heat map: 2 by 2 values of z from −1 to 3.");
    let plain = Heatmap::new(&values, (0.0, 4.0), (0.0, 1.0))
        .color_map(map)
        .draw()
        .unwrap();
    assert_ne!(decode(plain.png()).at(300, 200), [0, 200, 0]);
}

#[test]
fn heat_maps_refuse_what_they_cannot_draw() {
    let values = Tensor::ones([3, 3], FLOAT);
    let draw = |v: &Tensor, x, y| message(Heatmap::new(v, x, y).draw());
    let unit = (0.0, 1.0);
    assert!(draw(&values.reshape([9]), unit, unit).contains("must have the shape [R, C]"));
    assert!(draw(&Tensor::zeros([0, 3], FLOAT), unit, unit).contains("nothing to draw"));
    assert!(draw(&(&values / 0.0), unit, unit).contains("inf at position 0"));
    assert!(draw(&values, (1.0, 0.0), unit).contains("lower one first"));
    assert!(draw(&values, unit, (0.0, f64::NAN)).contains("lower one first"));
    let far = Heatmap::new(&values, unit, unit).centered_at(9.0);
    assert!(message(far.draw()).contains("the centre of the colours is 9"));
}

#[test]
fn what_limits_hide_is_said() {
    let curve = Curves::new("")
        .series("loss", &[9.0, 2.0, 1.0])
        .y_limits(0.0, 3.0)
        .draw()
        .unwrap();
    assert_eq!(
        curve.notes(),
        ["1 of the 3 points of “loss” lie beyond the limits of the axes."]
    );

    let values = Tensor::from_slice(&[0.5_f32, 1.5, 2.5, 9.0]);
    let histogram = Histogram::new("")
        .sample("z", &values)
        .x_limits(0.0, 3.0)
        .bins(3)
        .draw()
        .unwrap();
    assert_eq!(
        histogram.notes(),
        ["1 of the 4 values of “z” lie beyond the limits: its columns have the area 0.75, not 1."]
    );
    // Each column is a quarter of the sample, one unit wide, and so as high as this density.
    let level = [(0.0, 0.25), (3.0, 0.25)];
    let columns = Histogram::new("")
        .sample("z", &values)
        .density("d", &level)
        .x_limits(0.0, 3.0)
        .bins(3);
    let picture = decode(columns.draw().unwrap().png());
    let ink = rows_of(&picture, [32, 32, 32], 700);
    let top =
        |x| (100..760).find(|&y| picture.at(x, y) != [255; 3] && picture.at(x, y) != [230; 3]);
    assert!(top(700).unwrap().abs_diff(ink[0]) <= 2);

    let map = Heatmap::new(&Tensor::rand([3, 3], FLOAT), (0.0, 1.0), (0.0, 1.0));
    let map = map
        .x_limits(0.0, 0.5)
        .value_limits(2.0, 3.0)
        .draw()
        .unwrap();
    assert_eq!(
        map.notes(),
        [
            "The limits of the axes leave a part of the heat map out.",
            "9 of 9 values lie beyond the ends of the colour bar."
        ]
    );
}

#[test]
fn one_term_has_one_colour_and_its_companion_is_dashed() {
    let draw = |names: &[(&str, bool)]| {
        let mut chart = Curves::new("");
        for (i, (name, dashed)) in names.iter().enumerate() {
            chart = chart.series(*name, &[1.0 + i as f64; 2]);
            if *dashed {
                chart = chart.dashed();
            }
        }
        let picture = decode(chart.y_limits(0.0, 9.0).draw().unwrap().png());
        // The grey one is hard to tell from the frame.
        [0, 1, 2, 3, 5].map(|i: usize| picture.count(bytes(LINE_COLORS[i])) > 500)
    };
    let pair = draw(&[("KL of mine, test", false), ("KL of mine, train", true)]);
    assert_eq!(pair, [true, false, false, false, false]);
    // The terms of this crate's losses keep their colours whatever else is there.
    let known = draw(&[("pairwise KL", false)]);
    assert_eq!(known, [false, false, true, false, false]);
    let both = draw(&[
        ("mine", false),
        ("reconstruction, test", false),
        ("pairwise KL", false),
    ]);
    assert_eq!(both, [true, true, true, false, false]);
    // Terms of two losses that share a colour do not where they meet.
    let met = draw(&[("prior KL", false), ("fooling", false)]);
    assert_eq!(met, [true, true, false, false, false]);
    // Two solid lines of one name can only be told apart by colour.
    let twins = draw(&[("error", false), ("error", false)]);
    assert_eq!(twins.iter().filter(|seen| **seen).count(), 2);
}

#[test]
fn equal_axes_leave_no_empty_half() {
    let (xy, labels) = clusters(100);
    let wide = Scatter::by_class(&xy, &labels, 10)
        .equal_axes()
        .x_limits(-4.0, 4.0)
        .y_limits(-1.0, 1.0);
    let figure = wide.size(720, 560).draw().unwrap();
    // Ten entries of the legend are higher than the data.
    assert!(
        figure.size().0 == 720 && figure.size().1 < 330,
        "{:?}",
        figure.size()
    );
    let high = Scatter::by_class(&xy, &labels, 10)
        .equal_axes()
        .x_limits(-1.0, 1.0)
        .y_limits(-4.0, 4.0);
    let figure = high.size(720, 560).draw().unwrap();
    assert!(
        figure.size().0 < 300 && figure.size().1 == 560,
        "{:?}",
        figure.size()
    );
}

#[test]
fn among_many_points_the_last_class_does_not_hide_the_others() {
    let xy = 0.001 * Tensor::randn([20_000, 2], FLOAT);
    let labels = Tensor::arange(20_000, (Kind::Int64, Device::Cpu)) / 10_000;
    let labels = labels.floor().to_kind(Kind::Int64);
    let figure = Scatter::by_class(&xy, &labels, 2)
        .legend(false)
        .name_centers(false)
        .radius(2.0);
    let picture = decode(figure.draw().unwrap().png());
    let [first, second] = [CLASS_COLORS[0], CLASS_COLORS[1]].map(|c| picture.count(bytes(c)));
    assert!(
        first > second / 3 && second > first / 3,
        "{first} and {second}"
    );
}

#[test]
fn names_at_one_place_stand_apart() {
    let xy = Tensor::zeros([10, 2], FLOAT);
    let labels = Tensor::arange(10, (Kind::Int64, Device::Cpu));
    let scatter = || {
        Scatter::by_class(&xy, &labels, 10)
            .legend(false)
            .x_limits(-9.0, 9.0)
    };
    // Ten names one upon the other would have hardly more ink than one.
    let ink = |scatter: Scatter| decode(scatter.draw().unwrap().png()).count([32, 32, 32]);
    let none = ink(scatter().name_centers(false));
    let one = ink(Scatter::by_class(&xy, &labels.zeros_like(), 10)
        .legend(false)
        .x_limits(-9.0, 9.0));
    assert!(ink(scatter()) - none > 6 * (one - none));
}

#[test]
fn histograms_have_area_one_and_say_their_moments() {
    let values = Tensor::from_slice(&[0.0_f32, 0.0, 1.0, 1.0]);
    let density = [(0.0, 0.5), (1.0, 0.5)];
    let draw = || {
        Histogram::new("")
            .sample("coin", &values)
            .density("even", &density)
    };
    let figure = draw().bins(2).draw().unwrap();
    assert_eq!(
        figure.alt(),
        "Histogram. coin: 4 values with mean 0.5 and standard deviation 0.5."
    );
    // Half of the values in half of the width make the height of the even density: both columns are full.
    let picture = decode(figure.png());
    let column = |x: u32| {
        let lightest = |y: u32| picture.at(x, y) != [255; 3] && picture.at(x, y) != [230; 3];
        (100..700).filter(|&y| lightest(y)).count()
    };
    assert!(column(400).abs_diff(column(1000)) <= 2);
    assert!(message(draw().bins(0).draw()).contains("at least one bin"));
    assert!(message(Histogram::new("").draw()).contains("nothing to draw"));
    let nan = Histogram::new("").sample("a", &(&values * f64::NAN));
    assert!(message(nan.draw()).contains("NaN"));
    let nan = draw().density("b", &[f64::NAN]);
    assert!(message(nan.draw()).contains("\"b\" hold NaN"));
}

#[test]
fn figures_are_joined_pixel_by_pixel() {
    let line = Curves::new("Line")
        .size(300, 200)
        .series("", &rising())
        .draw()
        .unwrap();
    let values = Tensor::arange(100, FLOAT).reshape([10, 10]);
    let map = Heatmap::new(&values, (0.0, 1.0), (0.0, 1.0))
        .title("Map")
        .size(300, 240)
        .draw()
        .unwrap();
    let both = [line.clone(), map.clone()];
    let beside = Figure::beside("", &both).unwrap();
    assert_eq!(beside.size(), (600, 240));
    assert_eq!(beside.alt(), format!("{} {}", line.alt(), map.alt()));
    let (whole, part) = (decode(beside.png()), decode(map.png()));
    for (x, y) in [(150, 200), (290, 301), (41, 55), (560, 100)] {
        let (a, b) = (whole.at(600 + x, y), part.at(x, y));
        // Two palettes become one, which may move a colour by a hair.
        assert!(
            (0..3).all(|i| a[i].abs_diff(b[i]) <= 28),
            "{a:?} and {b:?} at {x}, {y}"
        );
    }
    let stacked = Figure::stacked("Both", &both).unwrap();
    assert_eq!((stacked.size().0, stacked.title()), (300, "Both"));
    assert!(stacked.size().1 > 440 && stacked.alt().starts_with("Both: Line: line chart"));
    let grid = Figure::grid("", 2, &[line.clone(), map.clone(), line.clone()]).unwrap();
    assert_eq!(grid.size(), (600, 440));
    assert!(message(Figure::grid("", 0, &both)).contains("at least one column"));
    let hiding = Curves::new("Hides")
        .series("a", &[1.0, 9.0])
        .y_limits(0.0, 5.0)
        .draw()
        .unwrap();
    assert_eq!(
        Figure::beside("", &[hiding]).unwrap().notes(),
        ["Hides: 1 of the 2 points of “a” lie beyond the limits of the axes."]
    );
    assert!(message(Figure::beside("", &[])).contains("nothing to draw"));
    assert!(message(Figure::stacked("", &vec![line; 2_000])).contains("pixels"));
}

#[test]
fn a_figure_is_saved_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chart.png");
    std::fs::write(&path, "old").unwrap();
    let figure = Curves::new("Loss").series("a", &[2.0, 1.0]).draw().unwrap();
    figure.save(&path).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), figure.png());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);

    let inside = path.join("chart.png");
    let error = figure.save(&inside).unwrap_err();
    assert!(
        matches!(&error, Error::Io { path, .. } if *path == inside),
        "{error}"
    );
    // A folder of that name cannot be replaced, and nothing stays beside it.
    let occupied = folder.path().join("folder.png");
    std::fs::create_dir(&occupied).unwrap();
    assert!(figure.save(&occupied).is_err());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2);
}
