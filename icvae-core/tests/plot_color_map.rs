//! Colour maps: the shifted one against numbers that `fixtures/plot_shifted_color_map.py` computed.
#![allow(missing_docs, clippy::unwrap_used)]

use icvae_core::plot::{CLASS_COLORS, ColorMap, LINE_COLORS, Rgb};
use serde::Deserialize;

#[derive(Deserialize)]
struct Fixture {
    base: Vec<(f64, u8, u8, u8)>,
    at: Vec<f64>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    start: f64,
    midpoint: f64,
    stop: f64,
    colors: Vec<[f64; 3]>,
}

#[test]
fn shifted_maps_hold_the_colours_that_numpy_computes() {
    let fixture: Fixture =
        serde_json::from_str(include_str!("fixtures/plot_shifted_color_map.json")).unwrap();
    let stops: Vec<_> = fixture
        .base
        .iter()
        .map(|s| (s.0, Rgb(s.1, s.2, s.3)))
        .collect();
    let base = ColorMap::new(&stops).unwrap();
    for case in &fixture.cases {
        let map = base.shifted(case.start, case.midpoint, case.stop).unwrap();
        for (at, expected) in fixture.at.iter().zip(&case.colors) {
            let Rgb(r, g, b) = map.at(*at);
            for (found, expected) in [r, g, b].into_iter().zip(expected) {
                assert!(
                    (f64::from(found) - expected).abs() <= 0.5001,
                    "midpoint {} at {at}: {found} for {expected}",
                    case.midpoint
                );
            }
        }
    }
}

#[test]
fn the_centre_of_the_colours_moves_to_the_midpoint() {
    let map = ColorMap::coolwarm();
    let shifted = map.shifted(0.0, 0.75, 1.0).unwrap();
    assert_eq!(shifted.at(0.75), map.at(0.5));
    assert_eq!(
        (shifted.at(0.0), shifted.at(1.0)),
        (map.at(0.0), map.at(1.0))
    );
}

#[test]
fn maps_run_between_their_ends_and_stay_there() {
    let grey = ColorMap::grey();
    assert_eq!(grey.at(0.5), Rgb(128, 128, 128));
    assert_eq!(
        (grey.at(-3.0), grey.at(7.0)),
        (Rgb(0, 0, 0), Rgb(255, 255, 255))
    );
    let brightness = |c: Rgb| u32::from(c.0) * 3 + u32::from(c.1) * 6 + u32::from(c.2);
    let viridis = ColorMap::viridis();
    let steps: Vec<u32> = (0..=20)
        .map(|i| brightness(viridis.at(f64::from(i) / 20.0)))
        .collect();
    assert!(steps.windows(2).all(|pair| pair[0] < pair[1]), "{steps:?}");
}

#[test]
fn impossible_maps_are_refused_in_a_sentence() {
    let grey = ColorMap::grey();
    for (start, midpoint, stop) in [
        (0.6, 0.5, 1.0),
        (0.0, 0.5, 0.4),
        (-0.1, 0.5, 1.0),
        (0.0, 0.5, 1.2),
        (0.5, 0.5, 0.5),
        (0.0, f64::NAN, 1.0),
    ] {
        let error = grey.shifted(start, midpoint, stop).unwrap_err().to_string();
        assert!(error.contains("0 ≤ start ≤ midpoint ≤ stop ≤ 1"), "{error}");
    }
    let (a, b) = (Rgb(0, 0, 0), Rgb(1, 1, 1));
    for stops in [
        vec![],
        vec![(0.0, a)],
        vec![(0.0, a), (0.9, b)],
        vec![(1.0, a), (0.0, b)],
    ] {
        let error = ColorMap::new(&stops).unwrap_err().to_string();
        assert!(error.contains("from 0 to 1 in order"), "{error}");
    }
}

/// Colours as a dichromat sees them, by the matrices of Viénot, Brettel and Mollon (1999) in linear RGB.
fn seen(color: Rgb, weights: [[f64; 3]; 3]) -> [f64; 3] {
    let linear = |v: u8| (f64::from(v) / 255.0).powf(2.2);
    let c = [linear(color.0), linear(color.1), linear(color.2)];
    weights.map(|row| {
        let sum: f64 = row.iter().zip(c).map(|(w, v)| w * v).sum();
        255.0 * sum.clamp(0.0, 1.0).powf(1.0 / 2.2)
    })
}

#[test]
fn classes_and_lines_stay_apart_for_colour_blind_readers() {
    let protan = [
        [0.11238, 0.88762, 0.0],
        [0.11238, 0.88762, 0.0],
        [0.00401, -0.00401, 1.0],
    ];
    let deutan = [
        [0.29275, 0.70725, 0.0],
        [0.29275, 0.70725, 0.0],
        [-0.02234, 0.02234, 1.0],
    ];
    for colors in [&CLASS_COLORS[..], &LINE_COLORS[..]] {
        for weights in [protan, deutan] {
            for (i, a) in colors.iter().enumerate() {
                for b in &colors[i + 1..] {
                    let (x, y) = (seen(*a, weights), seen(*b, weights));
                    let apart = (0..3).map(|c| (x[c] - y[c]).powi(2)).sum::<f64>().sqrt();
                    assert!(apart > 20.0, "{a:?} and {b:?} are {apart:.0} apart");
                }
            }
        }
    }
}
