//! A loss that was changed without its settings is another run; an unchanged one is found.

#![allow(clippy::unwrap_used)]

mod turn;

use std::path::Path;

use icvae_core::Result;
use icvae_core::data::{Batch, Dataset};
use icvae_core::tch::{self, Device, Kind, Tensor, nn, nn::Module};
use icvae_core::train::{Losses, Model, Outcome, Store, TrainConfig, Trainer, Turn};
use turn::turn;

/// 40 points of 6 numbers in 2 classes.
fn data() -> Dataset {
    tch::manual_seed(1);
    let points = Tensor::randn([40, 6], (Kind::Float, Device::Cpu));
    let labels = Tensor::arange(40, (Kind::Int64, Device::Cpu)).remainder(2);
    Dataset::points(points, labels, 2).unwrap()
}

type Formula = fn(&Noisy, &Batch) -> Tensor;

/// A model as a cell writes one: its settings don't know its formula.
struct Noisy {
    vs: nn::VarStore,
    layer: nn::Linear,
    formula: Formula,
    in_turns: bool,
}

impl Noisy {
    fn new(formula: Formula, in_turns: bool) -> Self {
        tch::manual_seed(5);
        let vs = nn::VarStore::new(Device::Cpu);
        let layer = nn::linear(vs.root() / "enc_h", 6, 6, Default::default());
        Self {
            vs,
            layer,
            formula,
            in_turns,
        }
    }
}

impl Model for Noisy {
    fn var_store(&self) -> &nn::VarStore {
        &self.vs
    }
    fn losses(&self, batch: &Batch, _: bool) -> Result<Losses> {
        let loss = (self.formula)(self, batch);
        Ok(Losses::new(loss.shallow_clone()).with("error", loss))
    }
    fn turns(&self) -> Vec<Turn> {
        let both = vec![Turn::new("first", ["enc"]), Turn::new("second", ["enc"])];
        if self.in_turns { both } else { Vec::new() }
    }
    fn turn_losses(&self, turn: &Turn, batch: &Batch) -> Result<Losses> {
        let loss = match turn.name() {
            "first" => squared(self, batch),
            _ => (self.formula)(self, batch),
        };
        Ok(Losses::new(loss.shallow_clone()).with(turn.name(), loss))
    }
    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "model": "noisy" })
    }
    fn rebuild(&self) -> Result<Self> {
        Ok(Self::new(self.formula, self.in_turns))
    }
}

fn noisy(x: &Tensor) -> Tensor {
    x + x.randn_like() * 0.1
}

fn squared(model: &Noisy, batch: &Batch) -> Tensor {
    let x_hat = model.layer.forward(&noisy(&batch.x));
    (x_hat - &batch.x).square().mean(Kind::Float)
}

/// The same numbers by another way, which draws from the generator before it is set.
fn squared_otherwise(model: &Noisy, batch: &Batch) -> Tensor {
    let x_hat = model.layer.forward(&noisy(&batch.x));
    let difference = x_hat - &batch.x;
    (&difference * &difference).sum(Kind::Float) / batch.x.numel() as f64
}

fn absolute(model: &Noisy, batch: &Batch) -> Tensor {
    let x_hat = model.layer.forward(&noisy(&batch.x));
    (x_hat - &batch.x).abs().mean(Kind::Float)
}

/// The value of `squared`, but only half of its gradient.
fn half_detached(model: &Noisy, batch: &Batch) -> Tensor {
    let loss = squared(model, batch);
    &loss * 0.5 + loss.detach() * 0.5
}

fn fit(folder: &Path, formula: Formula, in_turns: bool) -> (Outcome, Noisy) {
    let model = Noisy::new(formula, in_turns);
    let config = TrainConfig {
        epochs: 2,
        batch_size: 8,
        ..Default::default()
    };
    // Whatever was drawn before must not matter.
    let _ = Tensor::randn([7], (Kind::Float, Device::Cpu));
    let run = Trainer::new(&config)
        .keep_in(Store::new(folder))
        .fit(&model, &data(), None)
        .unwrap();
    (run, model)
}

fn weight(model: &Noisy) -> Tensor {
    model.layer.ws.detach().copy()
}

#[test]
fn a_changed_formula_trains_anew_and_both_are_found_again() {
    let _turn = turn();
    for in_turns in [false, true] {
        let folder = tempfile::tempdir().unwrap();
        let (run, first) = fit(folder.path(), squared, in_turns);
        assert_eq!((run.steps_found, run.steps_trained), (0, 10));
        assert_eq!(run.remarks, [] as [&str; 0]);

        let (run, again) = fit(folder.path(), squared_otherwise, in_turns);
        assert_eq!((run.steps_found, run.steps_trained), (10, 0), "{run}");
        assert_eq!(weight(&again), weight(&first));

        for other in [absolute as Formula, half_detached] {
            let (run, _) = fit(folder.path(), other, in_turns);
            assert_eq!((run.steps_found, run.steps_trained), (0, 10), "{run}");
            let text = run.to_string();
            assert!(text.contains("the loss is another one"), "{text}");
            assert!(text.contains("the earlier weights are kept"), "{text}");
        }
        let (run, back) = fit(folder.path(), squared, in_turns);
        assert_eq!((run.steps_found, run.remarks.len()), (10, 0), "{run}");
        assert_eq!(weight(&back), weight(&first));
        let (run, _) = fit(folder.path(), absolute, in_turns);
        assert_eq!((run.steps_found, run.remarks.len()), (10, 0), "{run}");
    }
}

#[test]
fn weights_that_nothing_confirms_are_left_alone() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    fit(folder.path(), squared, false);
    let kept = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
    let kept = kept.unwrap().path();
    std::fs::remove_file(kept.join("formula.json")).unwrap();
    let (run, _) = fit(folder.path(), squared, false);
    assert_eq!(run.steps_found, 0);
    assert!(run.to_string().contains("nothing beside"), "{run}");
    assert!(kept.join("epoch-0002.safetensors").exists());
}
