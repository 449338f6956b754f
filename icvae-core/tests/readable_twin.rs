//! The library's model against its twin in libtorch's operations: values, every gradient, ten steps.
//!
//! `ICVAE_PRODUCTS=avx2` (or `avx512`, `libtorch`) runs it all with these products.

#![allow(clippy::unwrap_used)]

mod turn;

use std::collections::HashMap;

use icvae_core::data::Dataset;
use icvae_core::model::{Activation, Gaussian, Icvae, IcvaeConfig, Likelihood};
use icvae_core::tch::{self, Device, Kind, Tensor};
use icvae_core::train::{Adam, AdamConfig, Model, Optimizer};
use icvae_core::{loss, tch::nn};
use turn::turn;

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

fn data(pixels: i64) -> Dataset {
    tch::manual_seed(1);
    let images = Tensor::randint(256, [300, pixels], (Kind::Uint8, Device::Cpu));
    let labels = Tensor::randint(3, [300], (Kind::Int64, Device::Cpu));
    Dataset::new(images, labels, (1, pixels), 3).unwrap()
}

/// The tutorial's kind of model, with widths that are multiples of a tile and others, and models that differ
/// from it in everything that may differ.
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
        with(|c| (c.pixels, c.latent, c.hidden) = (128, 16, vec![64, 96])),
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
        with(|c| (c.dropout, c.batch_norm) = (0.3, true)),
    ]
}

/// The model's loss on a batch in libtorch's operations alone, from its variables.
fn readable(config: &IcvaeConfig, v: &HashMap<String, Tensor>, x: &Tensor, c: &Tensor) -> Tensor {
    let linear = |a: &Tensor, name: &str| {
        a.linear(
            &v[&format!("{name}.weight")],
            Some(&v[&format!("{name}.bias")]),
        )
    };
    let stack = |mut h: Tensor, name: &str, activation: Activation| {
        for i in 1..=config.hidden.len() {
            let name = format!("{name}_h{i}");
            h = activation.apply(&linear(&h, &name));
            if config.batch_norm {
                let of = |what: &str| &v[&format!("{name}.norm.{what}")];
                let mean = h.mean_dim([0i64].as_slice(), true, Kind::Float);
                let variance = (&h - &mean)
                    .square()
                    .mean_dim([0i64].as_slice(), true, Kind::Float);
                h = (h - mean) / (variance + 1e-3).sqrt() * of("weight") + of("bias");
            }
            if config.dropout > 0.0 {
                h = h.dropout(config.dropout, true);
            }
        }
        h
    };
    let beside = |a: &Tensor, really: bool| {
        if really && config.classes > 0 {
            Tensor::cat(&[a, c], 1)
        } else {
            a.shallow_clone()
        }
    };
    let h = stack(
        beside(x, config.condition_encoder),
        "enc",
        config.activation,
    );
    let mean = config.mean_activation.apply(&linear(&h, "z_mean"));
    let log_var = linear(&h, "z_log_sigma_sq");
    let z = &mean + (&log_var * 0.5).exp() * mean.randn_like();
    let activation = config.decoder_activation.unwrap_or(config.activation);
    let h = stack(beside(&z, true), "dec", activation);
    let a = config.output_activation.apply(&linear(&h, "x_hat"));
    let sum = |t: Tensor| t.sum_dim_intlist(-1, false, Kind::Float).mean(Kind::Float);
    let reconstruction = match config.likelihood {
        Likelihood::SquaredError => sum((x - a).square()),
        Likelihood::Gaussian { variance } => {
            let constant = 0.5 * (2.0 * std::f64::consts::PI * variance).ln();
            sum((x - a).square() * (0.5 / variance) + constant)
        }
        Likelihood::Bernoulli => sum(a.softplus() - a * x),
    };
    let prior = sum(1.0 + &log_var - mean.square() - log_var.exp()) * -0.5;
    let pairs = loss::pairwise_kl(&Gaussian::new(mean, log_var).unwrap()).mean(Kind::Float);
    reconstruction * (1.0 + config.lambda) + prior * config.beta + pairs * config.lambda
}

#[track_caller]
fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    let scale = expected.abs().max().double_value(&[]).max(1e-3);
    let worst = (found - expected).abs().max().double_value(&[]) / scale;
    assert!(worst < tolerance, "{what}: off by {worst:e}");
}

fn sorted(vs: &nn::VarStore) -> Vec<(String, Tensor)> {
    let mut all: Vec<_> = vs.variables().into_iter().collect();
    all.retain(|(_, v)| v.requires_grad());
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[test]
fn values_and_every_gradient_are_libtorchs_at_every_batch_size() {
    let _turn = turn();
    for config in configs() {
        let data = data(config.pixels);
        let model = Icvae::new(&config, Device::Cpu, 2).unwrap();
        let variables = sorted(model.var_store());
        let leaves: Vec<_> = variables.iter().map(|(_, v)| v).collect();
        for rows in [1, 7, 32, 33, 128] {
            if config.batch_norm && rows == 1 {
                continue;
            }
            let indices = Tensor::arange(rows, (Kind::Int64, Device::Cpu)) * 2;
            let batch = data.batch(&indices).unwrap();
            let at = |what: &str| format!("{what}, {rows} rows, {config:?}");
            tch::manual_seed(rows);
            let ours = model.losses(&batch, true).unwrap();
            let found = Tensor::run_backward(&[ours.total()], &leaves, false, false);
            tch::manual_seed(rows);
            let theirs = readable(&config, &model.var_store().variables(), &batch.x, &batch.c);
            let expected = Tensor::run_backward(&[&theirs], &leaves, false, false);
            assert_close(ours.total(), &theirs, 1e-5, &at("loss"));
            for (((name, _), found), expected) in variables.iter().zip(&found).zip(&expected) {
                assert_close(found, expected, 2e-5, &at(name));
            }
        }
    }
}

#[test]
fn ten_steps_are_those_of_libtorch() {
    let _turn = turn();
    for config in configs() {
        let data = data(config.pixels);
        let adam_config = AdamConfig {
            // Adam divides tiny gradients by their own size, and so makes their rounding visible.
            epsilon: 1e-3,
            ..Default::default()
        };
        let train = |ours: bool| {
            let model = Icvae::new(&config, Device::Cpu, 3).unwrap();
            let mut adam = Adam::new(model.var_store(), 5e-4, &adam_config).unwrap();
            let mut losses = Vec::new();
            for step in 0..10 {
                let indices = Tensor::arange(25, (Kind::Int64, Device::Cpu)) + step * 25;
                let batch = data.batch(&indices).unwrap();
                tch::manual_seed(step);
                let loss = if ours {
                    let losses = model.losses(&batch, true).unwrap();
                    losses.total().shallow_clone()
                } else {
                    readable(&config, &model.var_store().variables(), &batch.x, &batch.c)
                };
                losses.push(loss.double_value(&[]));
                if ours {
                    adam.minimise(&loss).unwrap();
                } else {
                    let variables = sorted(model.var_store());
                    let leaves: Vec<_> = variables.iter().map(|(_, v)| v).collect();
                    adam.apply(&Tensor::run_backward(&[loss], &leaves, false, false))
                        .unwrap();
                }
            }
            (losses, sorted(model.var_store()))
        };
        let ((found, fast), (expected, slow)) = (train(true), train(false));
        for (found, expected) in found.iter().zip(&expected) {
            assert!(
                (found - expected).abs() < 1e-4 * expected.abs(),
                "{found} {expected} {config:?}"
            );
        }
        for ((name, found), (_, expected)) in fast.iter().zip(&slow) {
            assert_close(found, expected, 1e-4, &format!("{name} of {config:?}"));
        }
    }
}

/// Losses whose examples count differently, through a function of two tensors, derived twice.
#[test]
fn every_loss_is_its_readable_form_with_any_weights_and_derived_twice() {
    let _turn = turn();
    tch::manual_seed(8);
    let draw = |size: [i64; 2]| Tensor::randn(size, FLOAT).set_requires_grad(true);
    type Loss = fn(&Tensor, &Tensor) -> Tensor;
    let pairs: [(&str, Loss, Loss); 4] = [
        (
            "squared error",
            |a, b| loss::squared_error(a, b).unwrap(),
            |a, b| (a - b).square().sum_dim_intlist(-1, false, Kind::Float),
        ),
        (
            "Bernoulli",
            |a, b| loss::bernoulli_nll(a, b).unwrap(),
            |a, b| (b.softplus() - a * b).sum_dim_intlist(-1, false, Kind::Float),
        ),
        (
            "prior",
            |a, b| loss::prior_kl(&Gaussian::new(a.shallow_clone(), b.shallow_clone()).unwrap()),
            |a, b| {
                let terms: Tensor = 1.0 + b - a.square() - b.exp();
                terms.sum_dim_intlist(-1, false, Kind::Float) * -0.5
            },
        ),
        (
            "pairs",
            |a, b| {
                loss::marginal_bound(&Gaussian::new(a.shallow_clone(), b.shallow_clone()).unwrap())
            },
            |a, b| {
                let q = Gaussian::new(a.shallow_clone(), b.shallow_clone()).unwrap();
                loss::pairwise_kl(&q).mean_dim(1, false, Kind::Float)
            },
        ),
    ];
    for size in [[1, 1], [7, 3], [33, 130], [300, 50]] {
        let (a, b) = (draw(size), draw(size));
        let weights = Tensor::rand([size[0]], FLOAT);
        for (name, ours, readable) in &pairs {
            let by = |loss: &Loss| {
                let value = loss(&a, &b);
                let total = (&value * &weights).sum(Kind::Float);
                let first = Tensor::run_backward(&[&total], &[&a, &b], true, true);
                let slope = first[0].square().sum(Kind::Float) + first[1].square().sum(Kind::Float);
                let second = Tensor::run_backward(&[slope + total], &[&a, &b], false, false);
                let parts = [vec![value.detach()], first, second];
                parts.into_iter().flatten().collect::<Vec<_>>()
            };
            // The first derivative alone, which is computed another way than one that is derived again.
            let plain = |loss: &Loss| {
                let total = (loss(&a, &b) * &weights).sum(Kind::Float);
                Tensor::run_backward(&[total], &[&a, &b], false, false)
            };
            let both = |loss: &Loss| by(loss).into_iter().chain(plain(loss)).collect::<Vec<_>>();
            let found = both(ours);
            let expected = both(readable);
            for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_close(
                    found,
                    expected,
                    2e-5,
                    &format!("{name} {size:?}, number {i}"),
                );
            }
        }
    }
}
