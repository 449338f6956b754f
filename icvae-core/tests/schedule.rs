//! The learning rate over a run: Keras' numbers (`golden/plateau.py`), and runs that are cut off.

#![allow(clippy::unwrap_used)]

mod turn;

use icvae_core::data::Dataset;
use icvae_core::model::{Icvae, IcvaeConfig};
use icvae_core::serde_json::{self, Value};
use icvae_core::tch::{self, Device, Kind, Tensor};
use icvae_core::train::{
    Control, EpochRecord, Event, History, Model, ReduceOnPlateau, Schedule, StopReason, Store,
    TermMeans, TrainConfig, Trainer,
};
use turn::turn;

#[test]
fn the_rates_are_keras() {
    let golden: Value = serde_json::from_str(include_str!("golden/plateau.json")).unwrap();
    let initial = golden["initial"].as_f64().unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let rule: ReduceOnPlateau = serde_json::from_value(case["rule"].clone()).unwrap();
        let losses: Vec<f64> = serde_json::from_value(case["losses"].clone()).unwrap();
        let expected: Vec<f64> = serde_json::from_value(case["rates"].clone()).unwrap();
        let found = rule.learning_rates(initial, &losses);
        assert_eq!(found.len(), expected.len());
        for (epoch, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert!(
                (found / expected - 1.0).abs() < 1e-9,
                "{rule:?}, epoch {epoch}: {found} for {expected}"
            );
        }
    }
}

#[test]
fn numbers_that_make_no_sense_are_refused() {
    for (rule, words) in [
        (
            ReduceOnPlateau {
                factor: 1.0,
                ..Default::default()
            },
            "factor is 1,",
        ),
        (
            ReduceOnPlateau {
                patience: 0,
                ..Default::default()
            },
            "patience is 0",
        ),
        (
            ReduceOnPlateau {
                min_delta: -1.0,
                ..Default::default()
            },
            "min_delta is -1",
        ),
    ] {
        let config = TrainConfig {
            schedule: Schedule::ReduceOnPlateau(rule),
            ..Default::default()
        };
        let error = config.check().unwrap_err().to_string();
        assert!(error.contains(words), "{error:?} should say {words:?}");
    }
}

#[test]
fn a_cosine_falls_from_the_whole_rate_as_loshchilov_and_hutter_write_it() {
    let record = |epoch| EpochRecord {
        epoch,
        train: TermMeans(Vec::new()),
        test: None,
        seconds: 0.0,
        evaluation_seconds: 0.0,
    };
    let config = TrainConfig {
        epochs: 4,
        learning_rate: 0.1,
        schedule: Schedule::cosine(4),
        ..Default::default()
    };
    let history = History {
        epochs: (0..4).map(record).collect(),
    };
    let rates = config.learning_rates(&history);
    // ½ (1 + cos(π·t/4)): 1, ½ + √2/4, ½, ½ − √2/4
    let root = 2.0_f64.sqrt() / 4.0;
    for (rate, share) in rates.iter().zip([1.0, 0.5 + root, 0.5, 0.5 - root]) {
        assert!((rate - 0.1 * share).abs() < 1e-12, "{rates:?}");
    }
}

/// 37 images of 4×3 pixels in 3 classes: 5 steps of 8, the last one smaller.
fn data(seed: i64) -> Dataset {
    tch::manual_seed(seed);
    let images = Tensor::randint(256, [37, 12], (Kind::Uint8, Device::Cpu));
    let labels = Tensor::randint(3, [37], (Kind::Int64, Device::Cpu));
    Dataset::new(images, labels, (4, 3), 3).unwrap()
}

fn weights(model: &Icvae) -> Vec<(String, Tensor)> {
    let variables = model.var_store().variables();
    let mut all: Vec<_> = variables
        .into_iter()
        .map(|(name, v)| (name, v.detach().copy()))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

/// Dropout, batch norm and a rate that falls: cut off in the middle of an epoch with a smaller rate, the
/// run goes on to the last bit as if nothing had happened; and the epochs that were kept
/// can be had again.
#[test]
fn a_run_with_falling_rate_is_resumed_exactly() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let (train, test) = (data(1), data(2));
    let config = IcvaeConfig {
        pixels: 12,
        classes: 3,
        hidden: vec![8],
        latent: 2,
        dropout: 0.3,
        batch_norm: true,
        condition_encoder: true,
        ..Default::default()
    };
    let model = || Icvae::new(&config, Device::Cpu, 7).unwrap();
    let training = |epochs, patience| TrainConfig {
        epochs,
        batch_size: 8,
        learning_rate: 0.05,
        schedule: Schedule::ReduceOnPlateau(ReduceOnPlateau {
            patience,
            factor: 0.5,
            ..Default::default()
        }),
        seed: 3,
        ..Default::default()
    };
    let straight = model();
    let run = Trainer::new(&training(12, 1))
        .fit(&straight, &train, Some(&test))
        .unwrap();
    let rates = training(12, 1).learning_rates(&run.history);
    assert_eq!(rates.len(), 13);
    assert!(
        rates[7] < 0.05,
        "the rate has fallen before epoch 8: {rates:?}"
    );

    let store = || Store::new(folder.path());
    let cut = model();
    let interrupt = |event: &Event<'_>| match event {
        Event::Step { steps_done: 37, .. } => Control::Stop(StopReason::Interrupted),
        _ => Control::Continue,
    };
    Trainer::new(&training(12, 1))
        .keep_in(store())
        .keep_epochs([2, 7])
        .listen(interrupt)
        .fit(&cut, &train, Some(&test))
        .unwrap_err();
    let resumed = model();
    let run = Trainer::new(&training(12, 1))
        .keep_in(store())
        .fit(&resumed, &train, Some(&test))
        .unwrap();
    assert_eq!(run.steps_found, 37);
    for ((name, a), (_, b)) in weights(&resumed).iter().zip(&weights(&straight)) {
        assert_eq!(a, b, "{name}");
    }

    // The first sitting got past epoch 2, not past 7, and kept it; the second kept none but the last.
    let early = model();
    let run = Trainer::new(&training(2, 1))
        .keep_in(store())
        .fit(&early, &train, Some(&test))
        .unwrap();
    assert_eq!((run.steps_found, run.steps_trained), (10, 0));
    let short = model();
    Trainer::new(&training(2, 1))
        .fit(&short, &train, Some(&test))
        .unwrap();
    for ((name, a), (_, b)) in weights(&early).iter().zip(&weights(&short)) {
        assert_eq!(a, b, "{name}");
    }

    // Another rule, or none, is another run.
    let constant = TrainConfig {
        schedule: Schedule::Constant,
        ..training(12, 1)
    };
    for other in [training(12, 2), constant] {
        let run = Trainer::new(&other)
            .keep_in(store())
            .fit(&model(), &train, Some(&test))
            .unwrap();
        assert_eq!(run.steps_found, 0);
        let same = other.learning_rates(&run.history) == rates;
        assert!(!same, "the rates differ");
    }
}

#[test]
fn a_decay_multiplies_every_epoch() {
    let schedule = Schedule::Decay { factor: 0.5 };
    let record = |epoch| EpochRecord {
        epoch,
        train: Default::default(),
        test: None,
        seconds: 0.0,
        evaluation_seconds: 0.0,
    };
    let history = History {
        epochs: (1..=3).map(record).collect(),
    };
    let config = TrainConfig {
        schedule,
        ..Default::default()
    };
    let rates = config.learning_rates(&history);
    assert_eq!(rates, [5e-4, 2.5e-4, 1.25e-4, 6.25e-5]);
    for factor in [0.0, 1.1, f64::NAN] {
        let error = Schedule::Decay { factor }.check().unwrap_err();
        assert!(error.to_string().contains("at most 1"), "{error}");
    }
}
