//! The library's model against its twin in libtorch's operations: values, every gradient, ten steps; its losses; and a
//! model that does all that a cell may do. All of it with each of the products that there are.

#![allow(clippy::unwrap_used)]

mod every_products;
mod turn;

use std::collections::HashMap;

use icvae_core::data::{Batch, Dataset};
use icvae_core::model::{Activation, Dense, Gaussian, Icvae, IcvaeConfig, Likelihood, dense};
use icvae_core::tch::nn::{self, Module};
use icvae_core::tch::{self, Device, Kind, Tensor};
use icvae_core::train::{
    Adam, AdamConfig, Control, Event, Losses, Model, Optimizer, Outcome, StopReason, Store,
    TrainConfig, Trainer,
};
use icvae_core::{loss, no_grad, seeded};
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
        ten_steps(&config, 25);
    }
    for rows in [1, 7, 32, 33, 128] {
        for config in &configs()[..2] {
            ten_steps(config, rows);
        }
    }
}

fn ten_steps(config: &IcvaeConfig, rows: i64) {
    let data = data(config.pixels);
    let adam_config = AdamConfig {
        // Adam divides tiny gradients by their own size, and so makes their rounding visible.
        epsilon: 1e-3,
        ..Default::default()
    };
    let train = |ours: bool| {
        let model = Icvae::new(config, Device::Cpu, 3).unwrap();
        let mut adam = Adam::new(model.var_store(), 5e-4, &adam_config).unwrap();
        let mut losses = Vec::new();
        for step in 0..10 {
            let indices = Tensor::arange(rows, (Kind::Int64, Device::Cpu)) + step * rows;
            let batch = data.batch(&indices.remainder(300)).unwrap();
            tch::manual_seed(step);
            let loss = if ours {
                let losses = model.losses(&batch, true).unwrap();
                losses.total().shallow_clone()
            } else {
                readable(config, &model.var_store().variables(), &batch.x, &batch.c)
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
            "{found} {expected}, {rows} rows, {config:?}"
        );
    }
    for ((name, found), (_, expected)) in fast.iter().zip(&slow) {
        let what = format!("{name}, {rows} rows, {config:?}");
        assert_close(found, expected, 1e-4, &what);
    }
}

type Loss = fn(&Tensor, &Tensor) -> Tensor;

/// Each loss of two tensors that is a node of its own, and the same in libtorch's operations.
fn losses() -> [(&'static str, Loss, Loss); 4] {
    [
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
    ]
}

/// Losses whose examples count differently, through a function of two tensors, derived twice.
#[test]
fn every_loss_is_its_readable_form_with_any_weights_and_derived_twice() {
    let _turn = turn();
    tch::manual_seed(8);
    let draw = |size: [i64; 2]| Tensor::randn(size, FLOAT).set_requires_grad(true);
    for size in [[1, 1], [7, 3], [33, 130], [300, 50]] {
        let (a, b) = (draw(size), draw(size));
        let weights = Tensor::rand([size[0]], FLOAT);
        for (name, ours, readable) in &losses() {
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

#[test]
fn a_loss_is_a_node_like_any_other() {
    let _turn = turn();
    tch::manual_seed(9);
    let draw = || Tensor::randn([9, 5], FLOAT).set_requires_grad(true);
    let (a, b) = (draw(), draw());
    let batches = [draw().detach(), draw().detach()];
    for (name, ours, readable) in losses() {
        // Nothing is recorded where nobody derives.
        let silent = no_grad(|| ours(&a, &b));
        assert!(!silent.requires_grad() && ours(&a, &b).requires_grad());
        assert_close(&silent, &readable(&a, &b), 1e-5, name);
        // One of both is frozen.
        for (frozen_a, frozen_b, leaf) in [
            (a.detach(), b.shallow_clone(), &b),
            (a.shallow_clone(), b.detach(), &a),
        ] {
            let by = |loss: Loss| {
                let total = loss(&frozen_a, &frozen_b).sum(Kind::Float);
                Tensor::run_backward(&[total], &[leaf], false, false).remove(0)
            };
            assert_close(&by(ours), &by(readable), 2e-5, name);
        }
        // Gradients of two batches, by hand.
        let by_hand = |loss: Loss| {
            b.shallow_clone().zero_grad();
            for x in &batches {
                loss(x, &b).sum(Kind::Float).backward();
            }
            b.grad().copy()
        };
        assert_close(&by_hand(ours), &by_hand(readable), 2e-5, name);
        // A second time, and after a change.
        let again = |loss: &Tensor, keep| Tensor::f_run_backward(&[loss], &[&a, &b], keep, false);
        let total = ours(&a, &b).sum(Kind::Float);
        let kept = again(&total, true).unwrap();
        assert_eq!(again(&total, false).unwrap(), kept);
        let error = again(&total, false).unwrap_err().to_string();
        assert!(
            error.contains("backward through the graph a second time"),
            "{name}: {error}"
        );
        let total = ours(&a, &b).sum(Kind::Float);
        no_grad(|| drop(a.shallow_clone().g_add_scalar_(0.0)));
        let error = again(&total, false).unwrap_err().to_string();
        assert!(
            error.contains("modified by an inplace operation"),
            "{name}: {error}"
        );
    }
}

/// What overflows or is no number in libtorch's operations must not look healthy here.
#[test]
fn what_is_no_finite_number_is_none_here() {
    let _turn = turn();
    for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 3e38, 100.0] {
        for place in 0..2 {
            let make = |here: bool| {
                let t = Tensor::full([3, 40], 0.5, FLOAT);
                if here {
                    let _ = t.narrow(0, 1, 1).narrow(1, 7, 1).fill_(f64::from(value));
                }
                t
            };
            for (name, ours, readable) in losses() {
                let finite = |loss: Loss| {
                    let value = loss(&make(place == 0), &make(place == 1));
                    let all = Vec::<f32>::try_from(value).unwrap();
                    all.iter().map(|v| v.is_finite()).collect::<Vec<_>>()
                };
                assert_eq!(finite(ours), finite(readable), "{name}, {value} at {place}");
            }
        }
    }
}

/// A model that does all that a cell may do, with the crate's layers and losses or in libtorch's operations: control flow
/// that looks at values, a weight that depends on the step, random draws, a layer used twice, weights that two layers
/// share, frozen ones, and terms in ordinary operations.
struct Anything {
    vs: nn::VarStore,
    ours: bool,
    first: Dense,
    twice: Dense,
    frozen: Dense,
    mean: Dense,
    log_var: Dense,
    up: Dense,
    last: Dense,
    steps: Tensor,
}

impl Anything {
    fn new(ours: bool) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        seeded(4, || {
            let path = vs.root();
            let layer = |name: &str, n_in, n_out, f| dense(&path / name, n_in, n_out).with(f);
            let frozen = layer("frozen", 19, 19, Activation::Elu);
            for tensor in [&frozen.ws, frozen.bs.as_ref().unwrap()] {
                let _ = tensor.set_requires_grad(false);
            }
            Self {
                ours,
                first: layer("first", 21, 19, Activation::Tanh),
                twice: layer("twice", 19, 19, Activation::Softplus),
                frozen,
                mean: layer("mean", 19, 3, Activation::Linear),
                log_var: layer("log_var", 19, 3, Activation::Linear),
                up: layer("up", 3, 19, Activation::Relu),
                last: layer("last", 19, 21, Activation::Sigmoid),
                steps: path.zeros_no_train("steps", &[1]),
                vs,
            }
        })
    }

    fn layer(&self, layer: &Dense, x: &Tensor) -> Tensor {
        if self.ours {
            return layer.forward(x);
        }
        layer
            .activation
            .apply(&x.linear(&layer.ws, layer.bs.as_ref()))
    }
}

impl Model for Anything {
    fn var_store(&self) -> &nn::VarStore {
        &self.vs
    }

    fn losses(&self, batch: &Batch, train: bool) -> icvae_core::Result<Losses> {
        if train {
            no_grad(|| drop(self.steps.shallow_clone().g_add_scalar_(1.0)));
        }
        let weight = (self.steps.double_value(&[0]) * 0.1).tanh();
        let h = self.layer(&self.first, &batch.x);
        let h = self.layer(&self.twice, &self.layer(&self.twice, &h));
        let looked_at = h.mean(Kind::Float).double_value(&[]) - 1.0;
        let h = if looked_at > 0.0 {
            h * (1.0 + looked_at)
        } else {
            h
        };
        let h = self.layer(&self.frozen, &h);
        let (mean, log_var) = (self.layer(&self.mean, &h), self.layer(&self.log_var, &h));
        let z = &mean + (&log_var * 0.5).exp() * mean.randn_like();
        // The weights of a layer that was used before, as another layer.
        let shared = Dense {
            ws: self.twice.ws.shallow_clone(),
            bs: None,
            activation: Activation::Tanh,
        };
        let h = self.layer(&shared, &self.layer(&self.up, &z));
        let x_hat = self.layer(&self.last, &h);
        let [squares, bernoulli, prior, pairs] =
            losses().map(
                |(_, ours, readable)| {
                    if self.ours { ours } else { readable }
                },
            );
        let of = |loss: Loss, a: &Tensor, b: &Tensor| loss(a, b).mean(Kind::Float);
        let recon = of(squares, &batch.x, &x_hat) + of(bernoulli, &batch.x, &x_hat) * 0.1;
        let prior = of(prior, &mean, &log_var);
        let pairs = of(pairs, &mean, &log_var);
        let size = self.first.ws.square().sum(Kind::Float);
        let total = &recon + &prior * weight + pairs * 0.1 + size * 1e-3;
        Ok(Losses::new(total)
            .with("reconstruction", recon)
            .with("prior", prior))
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "model": "anything", "ours": self.ours })
    }

    fn rebuild(&self) -> icvae_core::Result<Self> {
        Ok(Self::new(self.ours))
    }
}

#[test]
fn a_model_that_does_anything_trains_as_in_libtorch_repeats_and_resumes() {
    let _turn = turn();
    let (train, test) = (data(21), data(21).head(50));
    let training = TrainConfig {
        epochs: 3,
        batch_size: 33,
        seed: 3,
        ..Default::default()
    };
    let fit = |ours: bool| {
        let model = Anything::new(ours);
        let run = Trainer::new(&training)
            .fit(&model, &train, Some(&test))
            .unwrap();
        (model, run)
    };
    let numbers = |run: &Outcome| -> Vec<f64> {
        let epochs = run.history.epochs.iter();
        let all = epochs.flat_map(|epoch| [Some(&epoch.train), epoch.test.as_ref()]);
        all.flatten()
            .flat_map(|means| means.0.iter().map(|(_, value)| *value))
            .collect()
    };
    let all = |model: &Anything| {
        let mut all: Vec<_> = model.vs.variables().into_iter().collect();
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    let ((model, run), (_, theirs)) = (fit(true), fit(false));
    assert_eq!(run.steps_trained, 30);
    for (found, expected) in numbers(&run).iter().zip(&numbers(&theirs)) {
        assert!(
            (found - expected).abs() < 1e-3 * expected.abs().max(1.0),
            "{found} {expected}"
        );
    }
    let (again, rerun) = fit(true);
    assert_eq!(all(&again), all(&model));
    assert_eq!(numbers(&rerun), numbers(&run));

    let folder = tempfile::tempdir().unwrap();
    for stop in [4, 10, 17] {
        let cut = move |event: &Event<'_>| match event {
            Event::Step { steps_done, .. } if *steps_done == stop => {
                Control::Stop(StopReason::Interrupted)
            }
            _ => Control::Continue,
        };
        let trainer = Trainer::new(&training).keep_in(Store::new(folder.path()));
        let run = trainer
            .listen(cut)
            .fit(&Anything::new(true), &train, Some(&test));
        assert!(run.is_err());
    }
    let resumed = Anything::new(true);
    let trainer = Trainer::new(&training).keep_in(Store::new(folder.path()));
    let rerun = trainer.fit(&resumed, &train, Some(&test)).unwrap();
    assert_eq!(rerun.steps_found, 17);
    assert_eq!(all(&resumed), all(&model));
    assert_eq!(numbers(&rerun), numbers(&run));
}
