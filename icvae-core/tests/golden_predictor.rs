//! The invariant predictor against PyTorch's distributions (`golden/predictor.py`), what it refuses, and what it does
//! to a table whose leak is known.

#![allow(clippy::unwrap_used)]

mod golden;
mod turn;

use golden::assert_close;
use icvae_core::data::tabular::{Tabular, Task};
use icvae_core::data::{Batch, one_hot};
use icvae_core::eval::{ProbeConfig, probe_accuracy};
use icvae_core::loss;
use icvae_core::model::{InvariantPredictor, PredictorConfig};
use icvae_core::tch::{self, Device, Kind, Tensor};
use icvae_core::train::{Model, TrainConfig, Trainer};
use turn::turn;

const WIDTHS: [i64; 4] = [1, 3, 1, 2];

fn small() -> PredictorConfig {
    PredictorConfig {
        features: WIDTHS.to_vec(),
        hidden: vec![5],
        latent: 3,
        dropout: 0.0,
        beta: 0.3,
        lambda: 0.7,
        ..Default::default()
    }
}

#[test]
fn terms_and_gradients_are_those_of_torchs_distributions() {
    let _turn = turn();
    let golden = golden::read("predictor");
    let model = InvariantPredictor::new(&small(), Device::Cpu, 0).unwrap();
    for (name, mut variable) in model.var_store().variables() {
        icvae_core::no_grad(|| variable.copy_(&golden[&format!("model.{name}")]));
    }
    let (x, c) = (&golden["x"], &golden["c"]);
    let y = golden["y"].to_kind(Kind::Int64);
    let terms = model
        .terms_with(x, &y, c, &golden["epsilon"], true)
        .unwrap();
    for (found, name) in [
        (&terms.prediction, "prediction"),
        (&terms.reconstruction, "reconstruction"),
        (&terms.pairwise_kl, "pairwise_kl"),
        (&terms.total, "total"),
    ] {
        assert_close(found, &golden[name], 2e-5, name);
    }
    terms.total.backward();
    for (name, variable) in model.var_store().variables() {
        let expected = &golden[&format!("grad.{name}")];
        assert_close(&variable.grad(), expected, 2e-5, &name);
    }
    assert_close(
        &model.log_odds(x).unwrap(),
        &golden["log_odds"],
        1e-5,
        "log-odds",
    );

    // A batch of pairs tells the same outcomes and groups.
    let pairs = golden["pairs"].to_kind(Kind::Int64);
    let batch = Batch {
        x: x.shallow_clone(),
        c: one_hot(&pairs, 4).unwrap(),
        labels: pairs,
    };
    let epsilon_free = PredictorConfig {
        beta: 0.0,
        lambda: 0.0,
        ..small()
    };
    for config in [small(), epsilon_free] {
        let model = InvariantPredictor::new(&config, Device::Cpu, 1).unwrap();
        tch::manual_seed(4);
        let by_batch = model.losses(&batch, false).unwrap();
        tch::manual_seed(4);
        let epsilon = Tensor::randn([7, 3], (Kind::Float, Device::Cpu));
        let by_hand = model.terms_with(x, &y, c, &epsilon, false).unwrap();
        assert_close(by_batch.total(), &by_hand.total, 1e-6, "total");
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let told = |config: PredictorConfig| config.check().unwrap_err().to_string();
    assert!(told(PredictorConfig::default()).contains("Tabular::widths()"));
    for (config, words) in [
        (
            PredictorConfig {
                features: vec![2, 0],
                ..small()
            },
            "the width of a feature is 0",
        ),
        (
            PredictorConfig {
                outcomes: 1,
                ..small()
            },
            "outcomes is 1",
        ),
        (
            PredictorConfig {
                beta: -1.0,
                ..small()
            },
            "beta is -1",
        ),
        (
            PredictorConfig {
                lambda: f64::NAN,
                ..small()
            },
            "lambda is NaN",
        ),
        (
            PredictorConfig {
                latent: 0,
                ..small()
            },
            "latent is 0",
        ),
        (
            PredictorConfig {
                dropout: 1.0,
                ..small()
            },
            "dropout is 1",
        ),
    ] {
        let error = told(config);
        assert!(error.contains(words), "{error}");
    }
    let model = InvariantPredictor::new(&small(), Device::Cpu, 0).unwrap();
    let x = Tensor::zeros([2, 6], (Kind::Float, Device::Cpu));
    assert!(
        model
            .encode(&x)
            .unwrap_err()
            .to_string()
            .contains("the rows x")
    );
    let a = Tensor::zeros([2, 7], (Kind::Float, Device::Cpu));
    let error = loss::table_nll(&a, &a, &[1, 3]).unwrap_err().to_string();
    assert!(error.contains("add up to 4, but a row has 7"), "{error}");
}

#[test]
fn it_predicts_and_forgets_the_more_the_larger_lambda() {
    let _turn = turn();
    let table = Tabular::drawn(Task::Adult, 6_000, 3_000, None).unwrap();
    let train = table.train.dataset().unwrap();
    let run = |lambda| {
        let config = PredictorConfig {
            features: table.widths(),
            beta: 0.0,
            lambda,
            dropout: 0.0,
            ..Default::default()
        };
        let model = InvariantPredictor::new(&config, Device::Cpu, 0).unwrap();
        let config = TrainConfig {
            epochs: 8,
            batch_size: 128,
            learning_rate: 1e-3,
            ..Default::default()
        };
        Trainer::new(&config).fit(&model, &train, None).unwrap();
        let right = model
            .predict(table.test.x())
            .unwrap()
            .eq_tensor(table.test.y());
        let accuracy = right.to_kind(Kind::Double).mean(None).double_value(&[]);
        let code = |x: &Tensor| icvae_core::no_grad(|| model.encode(x).unwrap().sample());
        let (seen, unseen) = (code(table.train.x()), code(table.test.x()));
        let probe = ProbeConfig {
            hidden: vec![64],
            epochs: 5,
            ..Default::default()
        };
        let (c, unseen_c) = (table.train.c(), table.test.c());
        let adversary = probe_accuracy((&seen, c), (&unseen, unseen_c), 2, &probe).unwrap();
        (accuracy, adversary)
    };
    let (free, pressed, hard) = (run(0.0), run(0.1), run(1.0));
    let (outcome, group) = (table.test.majority_outcome(), table.test.majority_group());
    // The best that can be had is near 0.83 for the outcome, and 0.88 for the group.
    assert!(free.0 > outcome + 0.1 && free.1 > group + 0.02, "{free:?}");
    assert!(pressed.0 > outcome + 0.05, "{pressed:?}");
    // Where a nat costs as much as it explains, a code of standardised numbers says next to nothing.
    assert!(
        hard.1 < free.1 && hard.1 < group + 0.05,
        "{free:?} {hard:?}"
    );
}
