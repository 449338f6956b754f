//! The model, its losses, gradients and training steps against PyTorch's numbers
//! (`golden/icvae.py`).

#![allow(clippy::unwrap_used)]

mod golden;

use std::collections::HashMap;

use golden::assert_close;
use icvae_core::loss;
use icvae_core::model::{Gaussian, Icvae, IcvaeConfig};
use icvae_core::tch::{Device, Kind, Tensor, no_grad};
use icvae_core::train::{Adam, AdamConfig, EpsilonConvention, Model, Optimizer};

struct Golden(HashMap<String, Tensor>);

impl Golden {
    fn read() -> Self {
        Self(golden::read("icvae"))
    }
    fn get(&self, name: &str) -> &Tensor {
        self.0
            .get(name)
            .unwrap_or_else(|| panic!("no {name} in the fixture"))
    }
    /// The model of the fixture, with its weights.
    fn model(&self) -> Icvae {
        let config = IcvaeConfig {
            pixels: 12,
            classes: 3,
            hidden: vec![8, 6],
            latent: 4,
            ..Default::default()
        };
        let model = Icvae::new(&config, Device::Cpu, 0).unwrap();
        let variables = model.var_store().variables();
        assert_eq!(
            variables.len(),
            14,
            "every parameter is in the fixture, and none else"
        );
        no_grad(|| {
            for (name, mut variable) in variables {
                let saved = self.get(&format!("weights.{name}"));
                assert_eq!(variable.size(), saved.size(), "{name}");
                variable.copy_(saved);
            }
        });
        model
    }
    fn batch(&self, t: i64) -> (Tensor, Tensor, Tensor) {
        let at = |name| self.get(name).get(t);
        (at("x"), at("c"), at("eps"))
    }
}

#[test]
fn the_forward_pass_and_every_loss_are_pytorchs() {
    let golden = Golden::read();
    let model = golden.model();
    let (x, c, eps) = golden.batch(0);
    let q = model.encode(&x, &c).unwrap();
    assert_close(&q.mean, golden.get("mean"), 1e-6, "mean");
    assert_close(&q.log_var, golden.get("log_var"), 1e-6, "log-variance");
    let z = q.sample_with(&eps);
    assert_close(&z, golden.get("z"), 1e-6, "z");
    assert_close(
        &model.decode(&z, &c).unwrap(),
        golden.get("x_hat"),
        1e-6,
        "x_hat",
    );
    let terms = model.terms_with(&x, &c, &eps, true).unwrap();
    let found = Tensor::stack(
        &[
            terms.reconstruction,
            terms.prior_kl,
            terms.pairwise_kl,
            terms.total,
        ],
        0,
    );
    assert_close(&found, golden.get("losses"), 1e-5, "losses");
    let nats = loss::bernoulli_nll(&x, golden.get("x_hat")).unwrap();
    assert_close(
        &nats,
        golden.get("bernoulli_nll"),
        1e-5,
        "Bernoulli likelihood",
    );
}

#[test]
fn every_gradient_is_pytorchs() {
    let golden = Golden::read();
    let model = golden.model();
    let (x, c, eps) = golden.batch(0);
    model
        .terms_with(&x, &c, &eps, true)
        .unwrap()
        .total
        .backward();
    for (name, variable) in model.var_store().variables() {
        assert_close(
            &variable.grad(),
            golden.get(&format!("gradient.{name}")),
            1e-5,
            &name,
        );
    }
}

#[test]
fn ten_steps_of_adam_are_those_of_keras_and_of_pytorch() {
    let golden = Golden::read();
    for (name, convention) in [
        ("keras", EpsilonConvention::Keras),
        ("pytorch", EpsilonConvention::Pytorch),
    ] {
        let model = golden.model();
        let config = AdamConfig {
            convention,
            ..Default::default()
        };
        let mut adam = Adam::new(model.var_store(), 5e-3, &config).unwrap();
        let mut curve = Vec::new();
        for t in 0..10 {
            let (x, c, eps) = golden.batch(t);
            let total = model.terms_with(&x, &c, &eps, true).unwrap().total;
            curve.push(total.double_value(&[]) as f32);
            adam.minimise(&total).unwrap();
        }
        let curve = Tensor::from_slice(&curve);
        assert_close(&curve, golden.get(&format!("{name}.curve")), 1e-5, name);
        for (variable, value) in model.var_store().variables() {
            assert_close(
                &value,
                golden.get(&format!("{name}.{variable}")),
                1e-5,
                &variable,
            );
        }
    }
}

#[test]
fn the_pairwise_matrix_is_exact_entry_by_entry() {
    let golden = Golden::read();
    for prefix in ["", "hard."] {
        let get = |name: &str| golden.get(&format!("{prefix}{name}"));
        let q = Gaussian::new(get("mean").shallow_clone(), get("log_var").shallow_clone()).unwrap();
        let kl = loss::pairwise_kl(&q);
        let expected = get("pairwise_kl");
        let relative = ((&kl - expected).abs() / expected.abs().clamp_min(1e-3)).max();
        assert!(
            relative.double_value(&[]) < 1e-4,
            "{prefix} entries: {relative}"
        );
        assert_eq!(
            kl.diag(0).abs().max().double_value(&[]),
            0.0,
            "{prefix} diagonal"
        );
        assert!(
            kl.min().double_value(&[]) >= 0.0,
            "{prefix} no entry is negative"
        );
        let bound = loss::marginal_bound(&q);
        let rows = kl.mean_dim([1i64].as_slice(), false, Kind::Float);
        assert_close(&bound, &rows, 1e-4, "the bound is the mean of a row");
    }
}
