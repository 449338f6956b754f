//! The hand-derived step against automatic differentiation: values, every gradient, ten steps.

#![allow(clippy::unwrap_used)]

mod turn;

use icvae_core::data::{Batches, Dataset};
use icvae_core::model::{Activation, Icvae, IcvaeConfig, Likelihood};
use icvae_core::tch::{self, Device, Kind, Tensor};
use icvae_core::train::{Model, TrainConfig, Trainer, evaluate};
use turn::turn;

fn data() -> Dataset {
    tch::manual_seed(1);
    let images = Tensor::randint(256, [77, 40], (Kind::Uint8, Device::Cpu));
    let labels = Tensor::randint(3, [77], (Kind::Int64, Device::Cpu));
    Dataset::new(images, labels, (8, 5), 3).unwrap()
}

/// The tutorial's kind of model, and one that differs from it in everything that may differ.
fn configs() -> Vec<IcvaeConfig> {
    let base = IcvaeConfig {
        pixels: 40,
        classes: 3,
        hidden: vec![20, 15],
        latent: 6,
        ..Default::default()
    };
    let with = |change: fn(&mut IcvaeConfig)| {
        let mut config = base.clone();
        change(&mut config);
        config
    };
    vec![
        base.clone(),
        with(|c| c.hidden = vec![]),
        with(|c| c.activation = Activation::Elu),
        with(|c| c.decoder_activation = Some(Activation::LeakyRelu(0.3))),
        with(|c| (c.classes, c.lambda) = (0, 0.0)),
        with(|c| (c.activation, c.mean_activation) = (Activation::Relu, Activation::Linear)),
        with(|c| {
            c.likelihood = Likelihood::Bernoulli;
            c.activation = Activation::LeakyRelu(0.2);
            c.hidden = vec![20, 15, 10];
        }),
        with(|c| {
            c.likelihood = Likelihood::Gaussian { variance: 0.05 };
            c.output_activation = Activation::Tanh;
        }),
        with(|c| {
            c.condition_encoder = true;
            c.activation = Activation::Softplus;
            c.output_activation = Activation::Sigmoid;
            (c.beta, c.lambda) = (1.5, 4.0);
        }),
    ]
}

#[track_caller]
fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    let scale = expected.abs().max().double_value(&[]).max(1e-3);
    let worst = (found - expected).abs().max().double_value(&[]) / scale;
    assert!(worst < tolerance, "{what}: off by {worst:e}");
}

#[test]
fn values_and_every_gradient_are_those_of_autograd() {
    let _turn = turn();
    let points = Dataset::points(data().x() - 0.3, data().labels().copy(), 3).unwrap();
    let cases = configs().into_iter().map(|config| (config, data()));
    let of_points = std::iter::once((configs().remove(0), points));
    for (config, data) in cases.chain(of_points) {
        let model = Icvae::new(&config, Device::Cpu, 2).unwrap();
        let mut fast = model.fast_step().unwrap();
        let mut names: Vec<_> = model.var_store().variables().into_keys().collect();
        names.sort();
        // A whole batch, a small one, and the whole one again: buffers are reused.
        for (round, indices) in [(0, 0..32), (1, 70..75), (2, 32..64)] {
            let indices = Tensor::from_slice(&indices.collect::<Vec<i64>>());
            tch::manual_seed(round);
            let losses = model.losses(&data.batch(&indices).unwrap(), true).unwrap();
            tch::manual_seed(round);
            let values = fast.run(&data, &indices).unwrap().to_vec();
            assert_eq!(losses.names(), fast.names());
            let total = losses.total().double_value(&[]);
            let apart = (f64::from(*values.last().unwrap()) - total).abs() / total;
            assert!(apart < 1e-5, "{config:?}: {apart:e}");
            let variables = model.var_store().variables();
            let leaves: Vec<_> = names.iter().map(|name| &variables[name]).collect();
            let expected = Tensor::run_backward(&[losses.total()], &leaves, false, false);
            for ((name, found), expected) in names.iter().zip(fast.gradients()).zip(&expected) {
                assert_close(found, expected, 1e-5, &format!("{name} of {config:?}"));
            }
        }
    }
}

#[test]
fn training_and_evaluation_are_those_of_autograd() {
    let _turn = turn();
    let (train, test) = (data(), data().head(50));
    for config in configs() {
        let (fast, slow) = [3, 3]
            .map(|seed| Icvae::new(&config, Device::Cpu, seed).unwrap())
            .into();
        let training = TrainConfig {
            epochs: 3,
            batch_size: 20,
            ..Default::default()
        };
        let a = Trainer::new(&training)
            .fit(&fast, &train, Some(&test))
            .unwrap();
        let b = Trainer::new(&training)
            .by_autograd()
            .fit(&slow, &train, Some(&test))
            .unwrap();
        assert_eq!(a.steps_trained, 12);
        for (name, value) in slow.var_store().variables() {
            // Adam divides tiny gradients by their own size, and so makes their rounding visible.
            assert_close(&fast.var_store().variables()[&name], &value, 1e-4, &name);
        }
        for (a, b) in a.history.epochs.iter().zip(&b.history.epochs) {
            let pairs = [
                (&a.train, &b.train),
                (a.test.as_ref().unwrap(), b.test.as_ref().unwrap()),
            ];
            for (a, b) in pairs {
                for ((name, x), (_, y)) in a.0.iter().zip(&b.0) {
                    assert!(
                        (x - y).abs() <= 1e-4 * y.abs().max(0.1),
                        "{name}: {x} {y} {config:?}"
                    );
                }
            }
        }
        // More than are decoded at a time, and a rest: what is drawn must go on where it was.
        let many = Tensor::arange(600, (Kind::Int64, Device::Cpu)).remainder(77);
        let take = |tensor: &Tensor| tensor.index_select(0, &many);
        let many = Dataset::new(take(train.images()), take(train.labels()), (8, 5), 3).unwrap();
        for data in [&test, &many] {
            let means = fast.fast_step().unwrap().evaluate(data, 20, 9).unwrap();
            let expected = evaluate(&fast, data, 20, 9).unwrap();
            for ((name, x), (_, y)) in means.0.iter().zip(&expected.0) {
                assert!((x - y).abs() <= 1e-5 * y.abs().max(0.1), "{name}: {x} {y}");
            }
        }
    }
}

#[test]
fn models_of_another_kind_fall_back_and_wrong_data_are_refused() {
    let _turn = turn();
    let config = configs().remove(0);
    for config in [
        IcvaeConfig {
            dropout: 0.1,
            ..config.clone()
        },
        IcvaeConfig {
            batch_norm: true,
            ..config.clone()
        },
    ] {
        assert!(
            Icvae::new(&config, Device::Cpu, 0)
                .unwrap()
                .fast_step()
                .is_none()
        );
    }
    let model = Icvae::new(&config, Device::Cpu, 0).unwrap();
    let mut fast = model.fast_step().unwrap();
    let narrow = Dataset::new(
        data().images().narrow(1, 0, 6).contiguous(),
        data().labels().copy(),
        (2, 3),
        3,
    );
    for indices in Batches::in_order(8, 8).unwrap() {
        let error = fast
            .run(narrow.as_ref().unwrap(), &indices)
            .unwrap_err()
            .to_string();
        assert!(error.contains("has 6 pixels"), "{error}");
    }
    let error = fast
        .run(&data(), &Tensor::from_slice(&[3_i64, 77]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("the index 77 is outside"), "{error}");
}
