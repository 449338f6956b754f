//! Bounds, code length, group gaps, Echo noise and the censored autoencoder against the numbers of an independent
//! implementation (`golden/measures.py`).

#![allow(clippy::unwrap_used)]

mod golden;
mod turn;

use std::collections::HashMap;

use golden::assert_close;
use icvae_core::data::Batch;
use icvae_core::eval::{self, ProbeConfig};
use icvae_core::model::{
    Activation, Censored, CensoredConfig, Echo, EchoCode, EchoConfig, Gaussian, IcvaeConfig,
};
use icvae_core::tch::{self, Device, Kind, Tensor, no_grad};
use icvae_core::train::{Losses, Model};
use icvae_core::{Result, loss};
use turn::turn;

type Golden = HashMap<String, Tensor>;

fn leaf(golden: &Golden, name: &str) -> Tensor {
    golden[name].copy().set_requires_grad(true)
}

#[test]
fn the_mixtures_of_a_batch_and_their_gradients() {
    let golden = golden::read("measures");
    type Bound = fn(&Gaussian, &Tensor) -> Result<Tensor>;
    let bounds: [(&str, Bound); 2] = [
        ("lower", loss::mixture_lower),
        ("upper", loss::mixture_upper),
    ];
    for (name, bound) in bounds {
        let mean = leaf(&golden, "mixture.mean");
        let log_var = leaf(&golden, "mixture.log_var");
        let q = Gaussian::new(mean.shallow_clone(), log_var.shallow_clone()).unwrap();
        let z = q.sample_with(&golden["mixture.noise"]);
        let nats = bound(&q, &z).unwrap();
        let expected = |what: &str| &golden[&format!("mixture.{name}{what}")];
        assert_close(&nats, expected(""), 1e-5, name);
        let mean_nats = nats.mean(Kind::Double);
        let gradients = Tensor::run_backward(&[mean_nats], &[&mean, &log_var], false, false);
        assert_close(&gradients[0], expected(".mean_grad"), 1e-5, name);
        assert_close(&gradients[1], expected(".log_var_grad"), 1e-5, name);
    }
}

#[test]
fn what_codes_say_beside_many_others() {
    let golden = golden::read("measures");
    let of = |mean: &str, log_var: &str| {
        Gaussian::new(golden[mean].copy(), golden[log_var].copy()).unwrap()
    };
    let mixture = of("mixture.mean", "mixture.log_var");
    let own = of("information.own_mean", "information.own_log_var");
    let found = eval::mixture_information(
        (&mixture, &golden["information.labels"]),
        (
            &own,
            &golden["information.own_z"],
            &golden["information.own_labels"],
        ),
        3,
    )
    .unwrap();
    let found = Tensor::from_slice(&[found.about_image, found.about_class]);
    assert_close(&found, &golden["information"], 1e-5, "information");
}

#[test]
fn the_gaps_between_groups() {
    let golden = golden::read("measures");
    let [decisions, answers, groups] =
        ["decisions", "answers", "groups"].map(|name| &golden[&format!("gaps.{name}")]);
    let gaps = eval::group_gaps(decisions, answers, groups).unwrap();
    let all = [
        gaps.accuracy,
        gaps.parity,
        gaps.true_positive,
        gaps.false_positive,
    ];
    assert_close(&Tensor::from_slice(&all), &golden["gaps"], 1e-6, "gaps");
    let rates = Tensor::from_slice(&gaps.rates);
    assert_close(&rates, &golden["gaps.rates"], 1e-6, "rates");
}

#[test]
fn the_online_code_length() {
    let _turn = turn();
    let golden = golden::read("measures");
    let config = ProbeConfig {
        hidden: vec![5],
        epochs: 40, // fewer than the least number of steps: 200 of one batch each
        batch_size: 1000,
        learning_rate: 0.02,
        seed: 3,
        validation: 0.2,
        least_steps: 200,
    };
    let (codes, labels) = (&golden["code.codes"], &golden["code.labels"]);
    let found = eval::code_length(codes, labels, 3, &config).unwrap();
    let blocks = &golden["code.blocks"];
    let expected: Vec<(i64, i64)> = (0..blocks.size()[0])
        .map(|i| (blocks.int64_value(&[i, 0]), blocks.int64_value(&[i, 1])))
        .collect();
    let lengths: Vec<_> = found.blocks.iter().map(|b| (b.known, b.told)).collect();
    assert_eq!(lengths, expected);
    let nats: Vec<f64> = found.blocks.iter().map(|block| block.nats).collect();
    let nats = Tensor::from_slice(&nats);
    assert_close(&nats, &blocks.select(1, 2), 1e-3, "the blocks");
    let shares = Tensor::from_slice(&[found.shares]);
    assert_close(&shares, &golden["code.shares"], 1e-5, "the shares");
    let sum = blocks.select(1, 2).sum(Kind::Double).double_value(&[]);
    assert!((found.nats - sum).abs() < 1e-3 * sum);
    assert!((found.compression() - 400.0 * 3f64.ln() / sum).abs() < 2e-3);
}

#[test]
fn the_caps_of_echo_noise() {
    let golden = golden::read("measures");
    for i in 0..3 {
        let row = golden["echo.caps"].get(i);
        let config = EchoConfig {
            draws: row.int64_value(&[0]),
            ..Default::default()
        };
        let expected = row.double_value(&[1]);
        assert!((config.cap() - expected).abs() < 1e-6, "{}", config.cap());
        assert!((config.least_rate() + 16.0 * expected.ln()).abs() < 1e-5);
    }
}

#[test]
fn echo_noise_its_rate_and_their_gradients() {
    let golden = golden::read("measures");
    let (f, log_scale) = (leaf(&golden, "echo.f"), leaf(&golden, "echo.log_scale"));
    let code = EchoCode {
        f: f.shallow_clone(),
        log_scale: log_scale.shallow_clone(),
    };
    let z = code.sample_with(&golden["echo.indices"]).unwrap();
    assert_close(&z, &golden["echo.z"], 1e-5, "z");
    let rate = loss::echo_rate(&code.log_scale);
    assert_close(&rate, &golden["echo.rate"], 1e-5, "rate");
    let total = (z * &golden["echo.weights"]).sum(Kind::Float) + rate.mean(None);
    let gradients = Tensor::run_backward(&[total], &[&f, &log_scale], false, false);
    assert_close(&gradients[0], &golden["echo.f_grad"], 1e-5, "f");
    assert_close(&gradients[1], &golden["echo.log_scale_grad"], 1e-5, "log s");
}

/// Puts the fixture's weights into a model.
fn put<M: Model>(model: &M, golden: &Golden, name: &str) {
    no_grad(|| {
        for (variable, mut value) in model.var_store().variables() {
            value.copy_(&golden[&format!("model.{name}.{variable}")]);
        }
    });
}

fn batch(golden: &Golden) -> Batch {
    let labels = golden["model.labels"].copy();
    Batch {
        x: golden["model.x"].copy(),
        c: icvae_core::data::one_hot(&labels, 2).unwrap(),
        labels,
    }
}

/// Holds losses (the total first) and the gradients of the total against the fixture's.
fn same<M: Model>(model: &M, losses: &Losses, golden: &Golden, name: &str) {
    let values = Vec::<f64>::try_from(losses.values().unwrap()).unwrap();
    let (total, terms) = values.split_last().unwrap();
    let expected = Vec::<f64>::try_from(&golden[&format!("{name}.losses")]).unwrap();
    for (found, expected) in std::iter::once(total).chain(terms).zip(&expected) {
        let near = (found - expected).abs() < 1e-5 * expected.abs().max(1.0);
        assert!(near, "{name}: {values:?}, expected {expected:?}");
    }
    let variables: Vec<_> = model.var_store().variables().into_iter().collect();
    let expected = |variable: &str| golden.get(&format!("{name}.{variable}"));
    let (moved, _): (Vec<_>, Vec<_>) = variables.iter().partition(|v| expected(&v.0).is_some());
    assert!(!moved.is_empty());
    let tensors: Vec<&Tensor> = moved.iter().map(|(_, value)| value).collect();
    let gradients = Tensor::run_backward(&[losses.total()], &tensors, false, false);
    for ((variable, _), gradient) in moved.iter().zip(gradients) {
        let expected = expected(variable).unwrap();
        assert_close(&gradient, expected, 2e-5, &format!("{name}: {variable}"));
    }
}

#[test]
fn a_step_of_the_echo_autoencoder() {
    let _turn = turn();
    let golden = golden::read("measures");
    let config = EchoConfig {
        pixels: 6,
        classes: 2,
        hidden: vec![5],
        latent: 2,
        beta: 0.7,
        ..Default::default()
    };
    let model = Echo::new(&config, Device::Cpu, 0).unwrap();
    put(&model, &golden, "echo");
    tch::manual_seed(11);
    let losses = model.losses(&batch(&golden), true).unwrap();
    same(&model, &losses, &golden, "golden.echo");
}

#[test]
fn both_turns_of_the_censored_autoencoder() {
    let _turn = turn();
    let golden = golden::read("measures");
    let config = CensoredConfig {
        vae: IcvaeConfig {
            pixels: 6,
            classes: 2,
            hidden: vec![5],
            latent: 2,
            mean_activation: Activation::Tanh,
            beta: 0.3,
            lambda: 0.0,
            ..Default::default()
        },
        adversary: vec![5],
        alpha: 0.4,
        ..Default::default()
    };
    let model = Censored::new(&config, Device::Cpu, 0).unwrap();
    put(&model, &golden, "censored");
    for (turn, seed) in model.turns().iter().zip([12, 13]) {
        tch::manual_seed(seed);
        let losses = model.turn_losses(turn, &batch(&golden)).unwrap();
        let name = format!("golden.censored.{}", turn.name());
        same(&model, &losses, &golden, &name);
        // What a turn moves is what the fixture has gradients of.
        let moved = turn.variables(model.var_store()).unwrap();
        let with_gradient = golden.keys().filter(|key| key.starts_with(&name)).count() - 1;
        assert_eq!(moved.len(), with_gradient, "{}", turn.name());
    }
}
