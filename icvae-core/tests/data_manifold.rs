//! Points near curves in the plane: their shape, their noise, and what can't be drawn.

#![allow(clippy::unwrap_used)]

use icvae_core::data::manifold::{s_curve, s_curve_at, sine_and_circle};
use icvae_core::tch::{Device, Kind, Tensor};

fn rows(points: &Tensor) -> Vec<Vec<f64>> {
    Vec::<Vec<f64>>::try_from(points.to_kind(Kind::Double)).unwrap()
}

#[track_caller]
fn assert_near(found: &Tensor, expected: &[[f64; 2]]) {
    for (found, expected) in rows(found).iter().zip(expected) {
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-6, "{found:?} instead of {expected:?}");
        }
    }
}

#[test]
fn the_s_goes_from_its_upper_end_through_the_middle_to_its_lower_end() {
    let t = Tensor::linspace(0.0, 1.0, 7, (Kind::Double, Device::Cpu));
    let corners = [
        [1.0, 0.75],
        [0.5, 1.0],
        [0.0, 0.75],
        [0.5, 0.5],
        [1.0, 0.25],
        [0.5, 0.0],
        [0.0, 0.25],
    ];
    assert_near(&s_curve_at(&t).unwrap(), &corners);
    let s = s_curve(300, 0.0, 1).unwrap();
    assert_eq!((s.data.len(), s.data.classes()), (300, 1));
    assert!(s.data.x().equal(&s.clean), "no noise was asked for");
    assert!(s.clean.equal(&s_curve_at(&s.t).unwrap()));
    assert!(s.t.min().double_value(&[]) >= 0.0 && s.t.max().double_value(&[]) < 1.0);
}

#[test]
fn the_sine_and_the_circle_are_two_pieces() {
    let two = sine_and_circle(101, 0.0, 0).unwrap();
    let (points, pieces) = (rows(&two.data.x()), two.data.labels());
    for (i, point) in points.iter().enumerate() {
        let (x, y) = (point[0], point[1]);
        let off = match pieces.int64_value(&[i as i64]) {
            0 => y - x.sin(),
            _ => (x - 1.5).hypot(y + 0.5) - 0.5,
        };
        assert!(off.abs() < 1e-6, "point {i} lies {off} off its piece");
    }
    let piece_sizes = [0, 1].map(|piece| two.data.of_class(piece).unwrap().len());
    assert_eq!(piece_sizes, [101, 101]);
    let ends = [-2.2, 2.2].map(|x: f64| [x, x.sin()]);
    assert_near(
        &two.clean.index_select(0, &Tensor::from_slice(&[0i64, 100])),
        &ends,
    );
}

#[test]
fn the_noise_has_the_deviation_that_was_asked_for_and_comes_from_the_seed() {
    let noisy = |seed| sine_and_circle(5000, 0.06, seed).unwrap();
    let off = noisy(3).data.x() - noisy(3).clean;
    assert!((off.std(true).double_value(&[]) - 0.06).abs() < 0.002);
    assert!(off.mean(Kind::Float).double_value(&[]).abs() < 0.002);
    assert!(noisy(3).data.x().equal(&noisy(3).data.x()));
    assert!(!noisy(3).data.x().equal(&noisy(4).data.x()));
    assert!(
        !s_curve(9, 0.0, 3)
            .unwrap()
            .t
            .equal(&s_curve(9, 0.0, 4).unwrap().t)
    );
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    for noise in [-0.1, f64::NAN, f64::INFINITY] {
        let told = s_curve(10, noise, 0).unwrap_err().to_string();
        assert!(
            told.contains(&format!("noise of a manifold is {noise}")),
            "{told}"
        );
    }
    for told in [
        s_curve(0, 0.0, 0).unwrap_err(),
        sine_and_circle(0, 0.0, 0).unwrap_err(),
    ] {
        assert!(told.to_string().contains("ask for at least 1"), "{told}");
    }
    let told = s_curve_at(&Tensor::zeros([3, 1], (Kind::Float, Device::Cpu))).unwrap_err();
    assert!(told.to_string().contains("[N]"), "{told}");
}
