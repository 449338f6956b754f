//! Synthetic digits: reproducible, varied, readable, and much like MNIST in their numbers.

#![allow(clippy::unwrap_used)]

use icvae_core::data::{Dataset, Digits, synthetic};
use icvae_core::settings::DataSource;
use icvae_core::tch::{Device, Kind, Tensor};
use icvae_core::{Settings, data};

/// The share of `test` that lies nearest to the mean of its own class in `train`.
fn nearest_mean_accuracy(train: &Dataset, test: &Dataset) -> f64 {
    let means: Vec<Tensor> = (0..10)
        .map(|class| {
            train
                .of_class(class)
                .unwrap()
                .x()
                .mean_dim([0i64].as_slice(), false, Kind::Float)
        })
        .collect();
    let distances = Tensor::cdist(&test.x(), &Tensor::stack(&means, 0), 2.0, None::<i64>);
    let right = distances.argmin(1, false).eq_tensor(test.labels());
    right
        .to_kind(Kind::Double)
        .mean(Kind::Double)
        .double_value(&[])
}

#[test]
fn an_image_depends_on_the_seed_and_its_place_alone() {
    let (few, few_styles) = synthetic::draw(50, 3).unwrap();
    let (many, many_styles) = synthetic::draw(500, 3).unwrap();
    assert_eq!(few.fingerprint(), many.head(50).fingerprint());
    assert_eq!(few_styles, many_styles[..50]);
    assert_ne!(
        few.fingerprint(),
        synthetic::draw(50, 4).unwrap().0.fingerprint()
    );
    assert!(synthetic::draw(0, 3).unwrap().0.is_empty());
}

#[test]
fn they_read_as_digits_and_measure_like_mnist() {
    let digits = Digits::synthetic(6000, 1000, None).unwrap();
    let accuracy = nearest_mean_accuracy(&digits.train, &digits.test);
    println!("nearest class mean: {accuracy}");
    assert!(accuracy > 0.8, "{accuracy}");

    let x = digits.train.x(); // MNIST: mean 0.1307, deviation 0.3081
    let mean = x.mean(Kind::Double).double_value(&[]);
    let deviation = x.std(false).double_value(&[]);
    assert!((mean - 0.1307).abs() < 0.01, "{mean}");
    assert!((deviation - 0.3081).abs() < 0.015, "{deviation}");
    for class in 0..10 {
        let n = digits.train.of_class(class).unwrap().len();
        assert!((450..750).contains(&n), "{n} of class {class}");
    }

    // The centre of mass of each image lies near the middle, and no ink runs out of the picture.
    let places = Tensor::arange(28, (Kind::Float, Device::Cpu)) + 0.5 - 14.0;
    let images = x.view([-1, 28, 28]);
    let mass = images.sum_dim_intlist([1i64, 2].as_slice(), false, Kind::Float);
    for (dim, other) in [(1, 2), (2, 1)] {
        let profile = images.sum_dim_intlist([other as i64].as_slice(), false, Kind::Float);
        let centre: Tensor = profile.matmul(&places) / &mass;
        assert!(
            centre.abs().max().double_value(&[]) < 2.5,
            "dimension {dim}"
        );
        let edges = images.index_select(dim, &Tensor::from_slice(&[0_i64, 27]));
        let touching = edges.amax([1i64, 2].as_slice(), false).gt(0.0);
        let share = touching
            .to_kind(Kind::Float)
            .mean(Kind::Float)
            .double_value(&[]);
        println!("share touching the edge, dimension {dim}: {share}");
        assert!(share < 0.01, "{share}");
    }
}

#[test]
fn styles_tell_how_a_digit_was_drawn() {
    let (data, styles) = synthetic::draw(3000, 0).unwrap();
    let ink = data
        .x()
        .sum_dim_intlist([1i64].as_slice(), false, Kind::Double);
    let ink = Vec::<f64>::try_from(ink).unwrap();
    // Correlation with the ink on the paper: a thick line has more.
    let thickness: Vec<f64> = styles.iter().map(|s| f64::from(s.thickness)).collect();
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (a, b) = (mean(&ink), mean(&thickness));
    let product = |u: &[f64], a: f64, v: &[f64], b: f64| -> f64 {
        u.iter().zip(v).map(|(x, y)| (x - a) * (y - b)).sum()
    };
    let r = product(&ink, a, &thickness, b)
        / (product(&ink, a, &ink, a) * product(&thickness, b, &thickness, b)).sqrt();
    assert!(r > 0.6, "{r}");
    assert!((0..3).all(|variant| styles.iter().any(|s| s.variant == variant)));
    assert!(styles.iter().any(|s| s.slant < -0.1) && styles.iter().any(|s| s.slant > 0.4));
}

#[test]
fn they_are_loaded_when_asked_for_without_a_word() {
    let settings = Settings {
        data: DataSource::Synthetic,
        mnist_dir: Some("/nowhere".into()),
        tabular_dir: None,
        smoke: true,
        device: Device::Cpu,
    };
    let digits = data::load(&settings).unwrap();
    assert_eq!(
        (digits.train.len(), digits.test.len(), digits.notice()),
        (2000, 500, None)
    );
    assert_ne!(
        digits.train.head(500).fingerprint(),
        digits.test.fingerprint()
    );
    assert!(
        digits
            .to_string()
            .starts_with("Synthetic digits: 2000 training and 500 test images")
    );
}

#[test]
fn some_classes_keep_their_labels_and_their_styles() {
    let digits = Digits::synthetic(200, 60, None).unwrap();
    let some = digits.of_classes([7, 2]).unwrap();
    let labels = Vec::<i64>::try_from(some.train.labels()).unwrap();
    let all = Vec::<i64>::try_from(digits.train.labels()).unwrap();
    let expected: Vec<i64> = all.iter().copied().filter(|l| [2, 7].contains(l)).collect();
    assert_eq!(labels, expected);
    assert_eq!(some.train.classes(), 10);
    let styles = digits.styles.unwrap().train;
    let kept = some.styles.unwrap().train;
    let first = all.iter().position(|l| [2, 7].contains(l)).unwrap();
    assert_eq!((kept.len(), &kept[0]), (labels.len(), &styles[first]));
    assert_eq!(
        some.train.images().get(0),
        digits.train.images().get(first as i64)
    );
    let error = digits.test.of_classes(5..12).unwrap_err().to_string();
    assert!(error.contains("there is no class 10"), "{error}");
    assert!(digits.test.filter(|_, _| false).unwrap().is_empty());
    let error = digits
        .test
        .select(&Tensor::from_slice(&[60_i64]))
        .unwrap_err();
    assert!(error.to_string().contains("index 60"), "{error}");
}
