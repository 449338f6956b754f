//! A reader's own figures, the backend behind all of them, and SVG.
#![allow(missing_docs, clippy::unwrap_used)]

mod plot_support;

use icvae_core::plot::{self, Curves, Figure, ImageGrid, Scatter};
use icvae_core::plotters::prelude::*;
use icvae_core::tch::{Device, Kind, Tensor};
use plot_support::decode;

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// Draws what plotters' gallery begins with, and says what each pixel of the data area is about.
fn parabola() -> Figure {
    plot::figure((640, 480), |root| {
        let mut chart = ChartBuilder::on(root)
            .caption("y = x²", ("sans-serif", 30).into_font())
            .margin(5)
            .x_label_area_size(30)
            .y_label_area_size(40)
            .build_cartesian_2d(-1f32..1f32, -0.1f32..1f32)?;
        chart.configure_mesh().draw()?;
        let points = (-50..=50).map(|x| x as f32 / 50.0).map(|x| (x, x * x));
        chart
            .draw_series(LineSeries::new(points, &RED))?
            .label("a parabola")
            .legend(|(x, y)| PathElement::new(vec![(x, y), (x + 20, y)], RED));
        let labels = &mut chart.configure_series_labels();
        labels
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
        root.present()?;
        Ok(())
    })
    .unwrap()
}

#[test]
fn a_chart_of_plotters_is_a_figure_like_any_other() {
    let figure = parabola();
    assert_eq!((figure.size(), figure.title()), ((640, 480), "y = x²"));
    assert!(figure.alt().contains("a parabola"), "{}", figure.alt());
    assert!(decode(figure.png()).count([255, 0, 0]) > 500);
    let both = Figure::beside("", &[figure.clone(), figure.with_alt("Mine.")]).unwrap();
    assert_eq!(both.size(), (1280, 480));
    assert!(both.alt().ends_with("Mine."));
}

#[test]
fn logarithms_categories_and_images_of_plotters_are_drawn() {
    let figure = plot::figure((400, 300), |root| {
        let (left, right) = root.split_horizontally(200);
        let mut chart = ChartBuilder::on(&left)
            .set_label_area_size(LabelAreaPosition::Left, 30)
            .build_cartesian_2d(0..10, (1.0..1000.0).log_scale())?;
        chart.configure_mesh().draw()?;
        chart.draw_series((0..10).map(|i| Circle::new((i, 2f64.powi(i)), 3, BLUE.filled())))?;
        let mut chart = ChartBuilder::on(&right)
            .x_label_area_size(20)
            .build_cartesian_2d(["a", "b"].into_segmented(), 0..4)?;
        chart.configure_mesh().draw()?;
        chart.draw_series(
            Histogram::vertical(&chart)
                .style(RED.filled())
                .data([(&"a", 1), (&"b", 3)]),
        )?;
        let green = [0, 200, 0].repeat(100);
        let image =
            BitMapElement::with_owned_buffer((50, 20), (10, 10), green).ok_or("no image")?;
        right.draw(&image)?;
        Ok(())
    });
    let picture = decode(figure.unwrap().png());
    // Ten by ten CSS pixels.
    assert_eq!(picture.count([0, 200, 0]), 400);
    assert!(picture.count([0, 0, 255]) > 400 && picture.count([255, 0, 0]) > 2_000);
}

#[test]
fn what_fails_in_a_drawing_is_said_in_a_sentence() {
    let says = |figure: icvae_core::Result<Figure>| figure.unwrap_err().to_string();
    let failed = plot::figure((100, 100), |_| Err("no data yet".into()));
    assert_eq!(says(failed), "the figure could not be drawn: no data yet");
    assert!(says(plot::figure((0, 100), |_| Ok(()))).contains("choose a larger size"));
    assert!(says(plot::figure((50_000, 50_000), |_| Ok(()))).contains("pixels in all"));
}

#[test]
fn edges_are_as_dark_as_their_pixels_are_covered() {
    // Corners at half pixels of the PNG would need half CSS pixels: a slanted edge has every share.
    let figure = plot::figure((100, 100), |root| {
        root.draw(&Polygon::new(
            vec![(0, 0), (100, 0), (0, 100)],
            BLACK.filled(),
        ))?;
        Ok(())
    });
    let picture = decode(figure.unwrap().png());
    assert_eq!(
        (picture.at(10, 10), picture.at(190, 190)),
        ([0; 3], [255; 3])
    );
    // The diagonal halves the pixels that it crosses.
    assert!(
        picture.at(120, 79)[0].abs_diff(128) <= 2,
        "{:?}",
        picture.at(120, 79)
    );

    // A disc's grey sums up to its area.
    let disc = plot::figure((100, 100), |root| {
        Ok(root.draw(&Circle::new((50, 50), 20, BLACK.filled()))?)
    });
    let picture = decode(disc.unwrap().png());
    let dark = (0..200).flat_map(|y| (0..200).map(move |x| (x, y)));
    let sum: f64 = dark
        .map(|(x, y)| 1.0 - f64::from(picture.at(x, y)[0]) / 255.0)
        .sum();
    let area = std::f64::consts::PI * 40.0 * 40.0;
    assert!((sum / area - 1.0).abs() < 0.005, "{sum} for {area}");
}

#[test]
fn shapes_and_texts_beyond_the_edges_are_cut_off() {
    let figure = plot::figure((60, 60), |root| {
        let far = i32::MAX / 4;
        root.draw(&PathElement::new(
            vec![(-far, 30), (far, 31)],
            BLUE.stroke_width(4),
        ))?;
        root.draw(&Polygon::new(
            vec![(-500, -500), (900, -500), (900, 10)],
            RED.filled(),
        ))?;
        root.draw(&Circle::new((0, 0), 5_000, GREEN.mix(0.5).filled()))?;
        root.draw_text("far away", &("serif", 400).into_text_style(root), (-80, 20))?;
        Ok(())
    });
    assert_eq!(figure.unwrap().size(), (60, 60));
}

#[test]
fn charts_of_lines_have_a_small_svg_of_simple_elements() {
    let points: Vec<f64> = (0..100).map(|i| (f64::from(i) / 9.0).sin()).collect();
    let chart = Curves::new("A <sine> & \"more\"")
        .series("total, test", &points)
        .x_label("step");
    let figure = chart.draw().unwrap();
    let svg = figure.svg().unwrap();
    assert!(svg.len() < figure.png().len());
    assert!(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"720\" height=\"420\"")
    );
    assert!(svg.contains("A &lt;sine&gt; &amp; &quot;more&quot;"));
    assert!(
        svg.contains("var(--figure-line-4,#964a8b)") && svg.contains("var(--figure-paper,#ffffff)")
    );
    let mut names: Vec<&str> = Vec::new();
    for tag in svg.split('<').skip(1).filter(|tag| !tag.starts_with('/')) {
        names.push(tag.split([' ', '>']).next().unwrap());
    }
    assert!(
        names
            .iter()
            .all(|name| ["svg", "path", "circle", "text"].contains(name)),
        "{names:?}"
    );
    // Each thing that is open is closed.
    assert_eq!(svg.matches("<text").count(), svg.matches("</text>").count());
    assert!(!svg.contains("style=") && !svg.contains("NaN"));

    let both = Figure::stacked("Both", &[figure.clone(), figure.clone()]).unwrap();
    assert!(both.svg().unwrap().contains("<g transform=\"translate(0 "));
    let images = Tensor::rand([4, 16], FLOAT);
    let images = ImageGrid::new(&images, (4, 4), (2, 2)).draw().unwrap();
    assert_eq!(images.svg(), None);
    assert_eq!(
        Figure::beside("", &[figure.clone(), images.clone()])
            .unwrap()
            .svg(),
        None
    );
    let many = Scatter::new()
        .points("many", &Tensor::randn([9_000, 2], FLOAT))
        .draw()
        .unwrap();
    assert_eq!(many.svg(), None);

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sine.svg");
    figure.save(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), svg);
    assert!(
        images
            .save(&path)
            .unwrap_err()
            .to_string()
            .contains("save it as .png")
    );
}
