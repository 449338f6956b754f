//! Runs: reproducible, resumed exactly, found again by their settings, and stopped honestly.

#![allow(clippy::unwrap_used)]

mod turn;

use std::cell::RefCell;
use std::path::Path;

use icvae_core::data::{Batch, Dataset};
use icvae_core::model::{Activation, Icvae, IcvaeConfig};
use icvae_core::tch::{self, Device, Kind, Tensor, nn, no_grad};
use icvae_core::train::{
    Checkpoint, Control, EarlyStopping, Event, Losses, Model, OptimizerConfig, Outcome, RunState,
    StopReason, Store, TrainConfig, Trainer, evaluate,
};
use icvae_core::{Error, Result};
use turn::turn;

/// 37 images of 4×3 pixels in 3 classes: 5 steps of 8, the last one smaller.
fn data(seed: i64) -> Dataset {
    tch::manual_seed(seed);
    let images = Tensor::randint(256, [37, 12], (Kind::Uint8, Device::Cpu));
    let labels = Tensor::randint(3, [37], (Kind::Int64, Device::Cpu));
    Dataset::new(images, labels, (4, 3), 3).unwrap()
}

fn config() -> IcvaeConfig {
    IcvaeConfig {
        pixels: 12,
        classes: 3,
        hidden: vec![8, 6],
        latent: 4,
        ..Default::default()
    }
}

fn model() -> Icvae {
    Icvae::new(&config(), Device::Cpu, 7).unwrap()
}

fn training(epochs: usize) -> TrainConfig {
    TrainConfig {
        epochs,
        batch_size: 8,
        seed: 3,
        ..Default::default()
    }
}

fn weights(model: &impl Model) -> Vec<(String, Tensor)> {
    let mut all: Vec<_> = model
        .var_store()
        .variables()
        .into_iter()
        .map(|(name, variable)| (name, variable.detach().copy()))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[track_caller]
fn assert_same(found: &impl Model, expected: &impl Model) {
    for ((name, a), (_, b)) in weights(found).iter().zip(&weights(expected)) {
        assert_eq!(a, b, "{name}");
    }
}

fn without_seconds(outcome: &Outcome) -> Vec<String> {
    let records = &outcome.history.epochs;
    records
        .iter()
        .map(|r| format!("{} {:?} {:?}", r.epoch, r.train, r.test))
        .collect()
}

/// A listener that interrupts after the given step of the run.
fn interrupt_after(stop: u64) -> impl FnMut(&Event<'_>) -> Control {
    move |event| match event {
        Event::Step { steps_done, .. } if *steps_done == stop => {
            Control::Stop(StopReason::Interrupted)
        }
        _ => Control::Continue,
    }
}

#[test]
fn one_seed_gives_one_run_whatever_happens_between_steps() {
    let _turn = turn();
    let (train, test) = (data(1), data(2));
    let (a, b) = (model(), model());
    let run_a = Trainer::new(&training(3))
        .fit(&a, &train, Some(&test))
        .unwrap();
    // The second run's listener draws random numbers all the time, and its model was trained before.
    Trainer::new(&training(1)).fit(&b, &test, None).unwrap();
    let nosy = |_: &Event<'_>| {
        let _ = Tensor::randn([5], (Kind::Float, Device::Cpu));
        Control::Continue
    };
    let run_b = Trainer::new(&training(3))
        .listen(nosy)
        .fit(&b, &train, Some(&test))
        .unwrap();
    assert_same(&a, &b);
    assert_eq!(without_seconds(&run_a), without_seconds(&run_b));
    assert_eq!(run_a.steps_trained, 15);

    let other = model();
    let seed = TrainConfig {
        seed: 4,
        ..training(3)
    };
    Trainer::new(&seed)
        .fit(&other, &train, Some(&test))
        .unwrap();
    assert_ne!(weights(&a), weights(&other), "another seed is another run");
}

#[test]
fn an_interrupted_run_goes_on_exactly_where_it_was() {
    let _turn = turn();
    let (train, test) = (data(1), data(2));
    let whole = model();
    let expected = Trainer::new(&training(4))
        .fit(&whole, &train, Some(&test))
        .unwrap();
    // Within an epoch, at the end of one, and before the first one ends.
    for stops in [vec![7], vec![10], vec![3, 13, 19]] {
        let folder = tempfile::tempdir().unwrap();
        for &stop in &stops {
            let cut = model();
            let trainer = Trainer::new(&training(4)).keep_in(Store::new(folder.path()));
            let error = trainer
                .listen(interrupt_after(stop))
                .fit(&cut, &train, Some(&test))
                .unwrap_err();
            let text = error.to_string();
            assert!(matches!(error, Error::Interrupted(_)), "{text}");
            assert!(text.contains("running this again goes on there"), "{text}");
        }
        let resumed = model();
        let trainer = Trainer::new(&training(4)).keep_in(Store::new(folder.path()));
        let run = trainer.fit(&resumed, &train, Some(&test)).unwrap();
        assert_eq!(run.steps_found, *stops.last().unwrap());
        assert_same(&resumed, &whole);
        assert_eq!(
            without_seconds(&run),
            without_seconds(&expected),
            "after {stops:?}"
        );
    }
}

#[test]
fn without_a_store_an_interrupted_run_says_how_to_go_on() {
    let _turn = turn();
    let (train, model) = (data(1), model());
    let trainer = || Trainer::new(&training(2)).listen(interrupt_after(4));
    let error = trainer().fit(&model, &train, None).unwrap_err().to_string();
    assert!(
        error.contains("unless .from_present_weights() is added"),
        "{error}"
    );
    let further = trainer().from_present_weights().fit(&model, &train, None);
    let error = further.unwrap_err().to_string();
    assert!(
        error.contains("running this again trains them further"),
        "{error}"
    );
}

#[test]
fn weights_are_found_by_their_settings_and_by_nothing_else() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let (train, test) = (data(1), data(2));
    let fit = |model: &Icvae, training: &TrainConfig, train: &Dataset| {
        let trainer = Trainer::new(training).keep_in(Store::new(folder.path()));
        trainer.fit(model, train, Some(&test)).unwrap()
    };
    let first = model();
    assert_eq!(fit(&first, &training(2), &train).steps_found, 0);

    let again = model();
    let found = fit(&again, &training(2), &train);
    assert_eq!((found.steps_found, found.steps_trained), (10, 0));
    assert_eq!(found.history.epochs.len(), 2);
    assert_same(&first, &again);

    // A longer run goes on; a shorter one starts anew instead of passing off too many epochs.
    let longer = model();
    assert_eq!(fit(&longer, &training(3), &train).steps_found, 10);
    let straight = model();
    Trainer::new(&training(3))
        .fit(&straight, &train, Some(&test))
        .unwrap();
    assert_same(&longer, &straight);
    assert_eq!(fit(&model(), &training(1), &train).steps_found, 0);

    // Any other number trains anew.
    let beta = Icvae::new(
        &IcvaeConfig {
            beta: 0.2,
            ..config()
        },
        Device::Cpu,
        7,
    )
    .unwrap();
    assert_eq!(fit(&beta, &training(2), &train).steps_found, 0);
    let seed = Icvae::new(&config(), Device::Cpu, 8).unwrap();
    assert_eq!(fit(&seed, &training(2), &train).steps_found, 0);
    let batch = TrainConfig {
        batch_size: 9,
        ..training(2)
    };
    assert_eq!(fit(&model(), &batch, &train).steps_found, 0);
    assert_eq!(fit(&model(), &training(2), &data(5)).steps_found, 0);
}

#[test]
fn a_spoilt_file_in_the_store_is_passed_over_and_said() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let train = data(1);
    let fit = |model: &Icvae| {
        let trainer = Trainer::new(&training(1)).keep_in(Store::new(folder.path()));
        trainer.fit(model, &train, None).unwrap()
    };
    fit(&model());
    let file = safetensors_in(folder.path());
    let bytes = std::fs::read(&file).unwrap();
    std::fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    let run = fit(&model());
    assert_eq!(run.steps_found, 0);
    assert!(run.to_string().contains("cut off"), "{run}");
    assert_eq!(fit(&model()).steps_found, 5, "the new run replaced it");
}

fn safetensors_in(folder: &Path) -> std::path::PathBuf {
    let run = std::fs::read_dir(folder)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let mut files = std::fs::read_dir(run)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    files
        .find(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .unwrap()
}

#[test]
fn a_store_that_cannot_be_written_does_not_end_the_run() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let occupied = folder.path().join("a file, not a folder");
    std::fs::write(&occupied, "").unwrap();
    let trainer = Trainer::new(&training(2)).keep_in(Store::new(&occupied));
    let run = trainer.fit(&model(), &data(1), None).unwrap();
    assert_eq!(run.history.epochs.len(), 2);
    assert_eq!(run.remarks.len(), 1, "said once: {:?}", run.remarks);
    assert!(run.remarks[0].contains("could not be kept"), "{run}");
}

#[test]
fn checkpoints_that_do_not_fit_are_refused_and_change_nothing() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let saved = model();
    let settings = saved.settings();
    Checkpoint::save(
        &path,
        saved.var_store(),
        &[],
        &RunState::default(),
        &settings,
    )
    .unwrap();
    let read = Checkpoint::read(&path).unwrap();
    assert_eq!(*read.settings(), settings);

    let says = |error: Error, words: &str| {
        let text = error.to_string();
        assert!(text.contains(words), "{text:?} should say {words:?}");
        assert!(!text.contains('\n'), "one sentence: {text:?}");
    };
    let wider = Icvae::new(
        &IcvaeConfig {
            hidden: vec![9, 6],
            ..config()
        },
        Device::Cpu,
        0,
    )
    .unwrap();
    let before = weights(&wider);
    says(
        read.restore(wider.var_store(), &mut []).unwrap_err(),
        "other sizes",
    );
    let deeper = Icvae::new(
        &IcvaeConfig {
            hidden: vec![8, 6, 6],
            ..config()
        },
        Device::Cpu,
        0,
    )
    .unwrap();
    says(
        read.restore(deeper.var_store(), &mut []).unwrap_err(),
        "other",
    );
    assert_eq!(before, weights(&wider));
    let adam = OptimizerConfig::adam()
        .build(saved.var_store(), 1e-3)
        .unwrap();
    says(
        read.restore(saved.var_store(), &mut [adam]).unwrap_err(),
        "can't be trained further",
    );

    let other = Icvae::new(&config(), Device::Cpu, 99).unwrap();
    read.restore(other.var_store(), &mut []).unwrap();
    assert_same(&other, &saved);

    let bytes = std::fs::read(&path).unwrap();
    for length in [0, 4, 100, bytes.len() - 1] {
        std::fs::write(&path, &bytes[..length]).unwrap();
        says(Checkpoint::read(&path).unwrap_err(), "cut off");
    }
    // A byte anywhere: in the header, in a name, in a number.
    for at in (8..bytes.len()).step_by(97).chain([bytes.len() - 1]) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x04;
        std::fs::write(&path, &damaged).unwrap();
        assert!(
            Checkpoint::read(&path).is_err(),
            "byte {at} of {}",
            bytes.len()
        );
    }
    let foreign = folder.path().join("foreign.safetensors");
    saved.var_store().save(&foreign).unwrap();
    says(
        Checkpoint::read(&foreign).unwrap_err(),
        "was not written by this crate",
    );
    assert!(Checkpoint::read(&folder.path().join("none.safetensors")).is_err());
}

/// A model of one weight, whose loss and term at each step a test chooses.
struct Chosen {
    vs: nn::VarStore,
    weight: Tensor,
    unused: Tensor,
    losses: fn(&Chosen, &Batch) -> Losses,
    step: RefCell<u64>,
}

impl Chosen {
    fn new(losses: fn(&Chosen, &Batch) -> Losses) -> Self {
        let vs = nn::VarStore::new(Device::Cpu);
        let weight = vs.root().ones("w", &[1]);
        let unused = vs.root().ones("unused", &[2]);
        Self {
            vs,
            weight,
            unused,
            losses,
            step: RefCell::new(0),
        }
    }

    fn fit(&self, epochs: usize) -> Result<Outcome> {
        Trainer::new(&training(epochs)).fit(self, &data(1), None)
    }

    /// A scalar with a gradient.
    fn square(&self) -> Tensor {
        (&self.weight + &self.unused * 0.0)
            .square()
            .mean(Kind::Float)
    }

    /// NaN from the given training step on, else 1.
    fn nan_at(&self, step: u64) -> f64 {
        if *self.step.borrow() >= step {
            f64::NAN
        } else {
            1.0
        }
    }
}

impl Model for Chosen {
    fn var_store(&self) -> &nn::VarStore {
        &self.vs
    }
    fn losses(&self, batch: &Batch, _: bool) -> Result<Losses> {
        *self.step.borrow_mut() += 1;
        Ok((self.losses)(self, batch))
    }
    fn settings(&self) -> serde_json::Value {
        serde_json::json!("chosen")
    }
    fn rebuild(&self) -> Result<Self> {
        Ok(Self::new(self.losses))
    }
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_at_its_step_with_the_weights_before_it() {
    let _turn = turn();
    let spoilt = Chosen::new(|model, _| {
        let term = model.square() * model.nan_at(8);
        Losses::new(&term * 2.0)
            .with("fine", model.square())
            .with("logarithm", term)
    });
    let error = spoilt.fit(3).unwrap_err();
    let Error::NotFinite { step, epoch, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((*step, *epoch), (8, 2));
    let text = error.to_string();
    assert!(
        text.starts_with("the term logarithm is NaN at step 8 (epoch 2)"),
        "{text}"
    );
    assert!(text.contains("all weights are finite"), "{text}");
    assert!(!text.contains("learning rate"), "{text}");
    assert!(spoilt.weight.double_value(&[0]).is_finite());

    // A learning rate that is too large is told as such.
    let run_away = Chosen::new(|model, _| Losses::new(model.square()));
    let config = TrainConfig {
        learning_rate: 10.0,
        optimizer: OptimizerConfig::sgd(0.0),
        ..training(50)
    };
    let error = Trainer::new(&config)
        .fit(&run_away, &data(1), None)
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("the loss is inf") && text.contains("a smaller learning rate helps"),
        "{text}"
    );
}

#[test]
fn a_term_that_is_no_number_is_said_kept_and_read_again() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let make = || {
        Chosen::new(|model, _| {
            Losses::new(model.square())
                .with("odd", model.square() * model.nan_at(3))
                .with("far", model.square() * f64::INFINITY)
        })
    };
    let fit = |epochs, stop| {
        Trainer::new(&training(epochs))
            .keep_in(Store::new(folder.path()))
            .listen(interrupt_after(stop))
            .fit(&make(), &data(1), Some(&data(2)))
    };
    // Cut off within an epoch and at the end of one, then found complete.
    assert!(matches!(fit(3, 4), Err(Error::Interrupted(_))));
    assert!(matches!(fit(3, 10), Err(Error::Interrupted(_))));
    let run = fit(3, u64::MAX).unwrap();
    assert_eq!((run.steps_found, run.steps_trained), (10, 5), "{run}");
    assert_eq!(fit(3, u64::MAX).unwrap().steps_found, 15);
    let first = &run.history.epochs[0];
    assert!(first.train.get("odd").unwrap().is_nan());
    assert_eq!(first.train.get("far"), Some(f64::INFINITY));
    assert!(first.train.get("total").unwrap().is_finite());
    assert!(
        run.to_string().contains("the term far is inf at step 11"),
        "{run}"
    );
}

#[test]
fn what_cannot_be_reported_or_derived_is_refused_in_a_sentence_before_training() {
    let _turn = turn();
    let says = |losses: fn(&Chosen, &Batch) -> Losses, words: &str| {
        let text = Chosen::new(losses).fit(1).unwrap_err().to_string();
        assert!(
            text.contains(words) && !text.contains('\n'),
            "{text:?} should say {words:?}"
        );
    };
    says(
        |model, batch| Losses::new(model.square()).with("recon", &batch.x * &model.weight),
        "the term recon has the shape [8, 12], but must be one number: add .mean(Kind::Float)",
    );
    says(
        |model, batch| Losses::new((&batch.x * &model.weight).select(1, 0)),
        "the loss has the shape [8]",
    );
    says(
        |model, _| Losses::new(no_grad(|| model.square())),
        "the loss has no gradient",
    );
    says(
        |model, _| {
            let twice = Losses::new(model.square()).with("a", model.square());
            twice.with("a", model.square())
        },
        "two terms named a",
    );
    says(
        |model, _| Losses::new(model.square()).with("total", model.square()),
        "a term is named total",
    );
    // Numbers of any kind and of the shape [1] are numbers.
    let mixed = Chosen::new(|model, batch| {
        Losses::new(model.weight.square())
            .with("double", model.square().to_kind(Kind::Double))
            .with("count", batch.labels.sum(Kind::Int64))
    });
    let run = mixed.fit(1).unwrap();
    assert!(run.history.epochs[0].train.get("count").unwrap() > 0.0);
}

#[test]
fn weights_that_the_loss_does_not_reach_are_named_once_and_stay() {
    let _turn = turn();
    let model = Chosen::new(|model, _| Losses::new(model.weight.square().mean(Kind::Float)));
    let run = model.fit(2).unwrap();
    assert_eq!(
        run.remarks,
        ["the loss does not reach unused: training leaves it unchanged"]
    );
    assert_eq!(model.unused.sum(Kind::Float).double_value(&[]), 2.0);
    assert_ne!(model.weight.double_value(&[0]), 1.0);
    // A frozen variable is nobody's mistake.
    let frozen = Chosen::new(|model, _| Losses::new(model.weight.square().mean(Kind::Float)));
    let _ = frozen.unused.set_requires_grad(false);
    let run = Trainer::new(&training(1))
        .from_present_weights()
        .fit(&frozen, &data(1), None);
    assert!(run.is_ok(), "{run:?}");
}

#[test]
fn gradients_are_on_while_training_whatever_happened_before() {
    let _turn = turn();
    let panicked = std::panic::catch_unwind(|| no_grad(|| panic!("a mistake in a cell")));
    assert!(panicked.is_err());
    let model = Chosen::new(|model, _| Losses::new(model.square()));
    let run = model.fit(1);
    // Undo what tch left behind, for the other tests.
    tch::with_grad(|| assert!(run.is_ok(), "{run:?}"));
    let model = Chosen::new(|model, _| Losses::new(model.square()));
    assert!(model.fit(1).is_ok());
}

#[test]
fn training_further_begins_with_the_present_weights_and_anew_is_said() {
    let _turn = turn();
    let (train, model) = (data(1), model());
    let fit = |trainer: Trainer<'_>| trainer.fit(&model, &train, None).unwrap();
    assert_eq!(fit(Trainer::new(&training(2))).remarks, [] as [&str; 0]);
    let after_two = weights(&model);
    // Once more, from the beginning: the same weights, and a sentence.
    let run = fit(Trainer::new(&training(2)));
    assert!(
        run.to_string().contains("add .from_present_weights()"),
        "{run}"
    );
    assert_eq!(weights(&model), after_two);
    let run = fit(Trainer::new(&training(2)).from_present_weights());
    assert_eq!(run.remarks, [] as [&str; 0]);
    assert_ne!(weights(&model), after_two);
    let first = |run: &Outcome| run.history.epochs[0].train.get("total").unwrap();
    assert!(
        first(&run) < first(&fit(Trainer::new(&training(2)))),
        "it began lower"
    );
}

#[test]
fn a_longer_runs_progress_survives_a_shorter_run() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let train = data(1);
    let fit = |epochs, stop| {
        Trainer::new(&training(epochs))
            .keep_in(Store::new(folder.path()))
            .listen(interrupt_after(stop))
            .fit(&model(), &train, None)
    };
    assert!(fit(9, 22).is_err());
    assert_eq!(fit(2, u64::MAX).unwrap().steps_found, 0);
    assert!(fit(3, 12).is_err(), "goes on from 2 epochs, and is cut off");
    let run = fit(9, u64::MAX).unwrap();
    assert_eq!(run.steps_found, 22);
    assert_eq!(fit(3, u64::MAX).unwrap().steps_found, 12);
}

#[test]
fn a_run_that_a_listener_ended_is_found_as_ended() {
    let _turn = turn();
    let train = data(1);
    for stop in [7, 10] {
        let folder = tempfile::tempdir().unwrap();
        let trainer = |epochs| {
            let satisfied = move |event: &Event<'_>| match event {
                Event::Step { steps_done, .. } if *steps_done == stop => {
                    Control::Stop(StopReason::Satisfied("it is enough".into()))
                }
                _ => Control::Continue,
            };
            Trainer::new(&training(epochs))
                .keep_in(Store::new(folder.path()))
                .listen(satisfied)
        };
        let first = trainer(4).fit(&model(), &train, None).unwrap();
        assert_eq!(
            (first.steps_trained, first.stopped.as_deref()),
            (stop, Some("it is enough"))
        );
        let again = trainer(4).fit(&model(), &train, None).unwrap();
        assert_eq!((again.steps_found, again.steps_trained), (stop, 0));
        assert_eq!(again.stopped.as_deref(), Some("it is enough"));
        // Other rules, or the wish to go on.
        let patient = trainer(4).listen(EarlyStopping::patience(50));
        let ended = patient.fit(&model(), &train, None).unwrap();
        assert_eq!((ended.steps_found, ended.stopped), (stop, None));
    }
    let folder = tempfile::tempdir().unwrap();
    let trainer = || {
        let at_once = |event: &Event<'_>| match event {
            Event::Step { steps_done: 3, .. } => Control::Stop(StopReason::Satisfied("3".into())),
            _ => Control::Continue,
        };
        Trainer::new(&training(2))
            .keep_in(Store::new(folder.path()))
            .listen(at_once)
    };
    trainer().fit(&model(), &train, None).unwrap();
    let on = trainer().train_on().fit(&model(), &train, None).unwrap();
    assert_eq!((on.steps_found, on.steps_trained, on.stopped), (3, 7, None));
}

#[test]
fn early_stopping_ends_a_run_and_repeats() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let config = TrainConfig {
        learning_rate: 0.5,
        ..training(60)
    };
    let fit = |patience| {
        Trainer::new(&config)
            .keep_in(Store::new(folder.path()))
            .listen(EarlyStopping::patience(patience))
            .fit(&model(), &data(1), Some(&data(2)))
            .unwrap()
    };
    let first = fit(2);
    let why = first.stopped.clone().unwrap();
    assert!(
        why.contains("total on the test data has not fallen for 2 epochs"),
        "{why}"
    );
    let again = fit(2);
    assert_eq!((again.steps_trained, again.stopped), (0, Some(why)));
    let longer = fit(4);
    assert_eq!(longer.steps_found, first.steps_trained);
    assert!(
        longer.history.epochs.len() > first.history.epochs.len(),
        "{longer}"
    );
}

#[test]
fn two_runs_of_the_same_settings_do_not_write_over_each_other() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let train = data(1);
    let trainer = || Trainer::new(&training(2)).keep_in(Store::new(folder.path()));
    let second = RefCell::new(None);
    let inner = |event: &Event<'_>| {
        if let Event::Step { steps_done: 3, .. } = event {
            *second.borrow_mut() = Some(trainer().fit(&model(), &train, None));
        }
        Control::Continue
    };
    trainer().listen(inner).fit(&model(), &train, None).unwrap();
    let error = second.into_inner().unwrap().unwrap_err().to_string();
    let process = std::process::id().to_string();
    assert!(
        error.contains("is being trained right now") && error.contains(&process),
        "{error}"
    );
    assert_eq!(
        trainer().fit(&model(), &train, None).unwrap().steps_found,
        10
    );
}

#[test]
fn what_a_killed_process_left_half_written_goes_with_the_next_run() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let train = data(1);
    let run = |epochs| {
        let training = training(epochs);
        let trainer = Trainer::new(&training).keep_in(Store::new(folder.path()));
        trainer.fit(&model(), &train, None).unwrap()
    };
    run(1);
    let place = std::fs::read_dir(folder.path()).unwrap().next().unwrap();
    let place = place.unwrap().path();
    let (half, mine) = (place.join(".tmpA1b2C3"), place.join("notes.txt"));
    for file in [&half, &mine] {
        std::fs::write(file, "half").unwrap();
    }
    assert_eq!(run(2).steps_found, 5);
    assert!(!half.exists() && mine.exists());
}

#[test]
fn a_rebuild_that_makes_another_model_is_refused() {
    let _turn = turn();
    struct Careless(Icvae, i64);
    impl Model for Careless {
        fn var_store(&self) -> &nn::VarStore {
            self.0.var_store()
        }
        fn losses(&self, batch: &Batch, train: bool) -> Result<Losses> {
            self.0.losses(batch, train)
        }
        fn settings(&self) -> serde_json::Value {
            self.0.settings()
        }
        fn rebuild(&self) -> Result<Self> {
            let config = IcvaeConfig {
                hidden: vec![self.1, 6],
                ..config()
            };
            Ok(Self(Icvae::new(&config, Device::Cpu, 7)?, self.1))
        }
    }
    let text = Trainer::new(&training(1))
        .fit(&Careless(model(), 9), &data(1), None)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("run the cell again that makes the model"),
        "{text}"
    );
}

#[test]
fn saved_weights_are_loaded_into_a_model_of_the_same_settings_and_no_other() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trained.safetensors");
    let trained = model();
    Trainer::new(&training(1))
        .fit(&trained, &data(1), None)
        .unwrap();
    trained.save(&file).unwrap();

    let loaded = model();
    assert_ne!(weights(&loaded), weights(&trained));
    loaded.load(&file).unwrap();
    assert_same(&loaded, &trained);

    let other = IcvaeConfig {
        lambda: 0.5,
        ..config()
    };
    let other = Icvae::new(&other, Device::Cpu, 7).unwrap();
    let before = weights(&other);
    let error = other.load(&file).unwrap_err().to_string();
    assert!(error.contains("lambda"), "{error}");
    assert_eq!(weights(&other), before);

    // Loaded weights count as trained ones: to train anew replaces them, and says so.
    let run = Trainer::new(&training(1))
        .fit(&loaded, &data(1), None)
        .unwrap();
    let said = run.remarks.join("\n");
    assert!(said.contains("from_present_weights"), "{said}");
}

#[test]
fn what_is_unusual_is_said() {
    let _turn = turn();
    let remarks = |config: &TrainConfig, losses| {
        let model = Chosen::new(losses);
        Trainer::new(config)
            .fit(&model, &data(1), None)
            .unwrap()
            .remarks
            .join("\n")
    };
    let plain = |model: &Chosen, _: &Batch| Losses::new(model.square());
    assert_eq!(remarks(&training(1), plain), "");
    let large = TrainConfig {
        batch_size: 500,
        ..training(1)
    };
    assert!(remarks(&large, plain).contains("batch_size is 500, but there are only 37"));
    let sum = |model: &Chosen, batch: &Batch| {
        let x = &batch.x * &model.weight + model.square();
        let mean = x.square().mean(Kind::Float);
        Losses::new(&mean + model.square())
            .with("of one", mean)
            .with("of all", x.abs().sum(Kind::Float))
    };
    let said = remarks(&training(1), sum);
    assert!(
        said.contains("of all grows with the number of examples"),
        "{said}"
    );
    // Eight examples are one whole batch; here it is the test's last batch that is a smaller one.
    let (whole, rest) = (data(1).head(8), data(1));
    let beside = |test| {
        let run = Trainer::new(&training(1)).fit(&Chosen::new(sum), &whole, test);
        run.unwrap().remarks.join("\n")
    };
    assert_eq!(beside(None), "");
    assert_eq!(beside(Some(&whole)), "");
    let said = beside(Some(&rest));
    assert!(said.contains("of all grows with the number"), "{said}");
    let one = TrainConfig {
        batch_size: 1,
        ..training(1)
    };
    let run = Trainer::new(&one).fit(&model(), &data(1), None).unwrap();
    assert!(
        run.to_string()
            .contains("pairwise KL of a single example is 0"),
        "{run}"
    );
    struct Empty(nn::VarStore, Tensor);
    impl Model for Empty {
        fn var_store(&self) -> &nn::VarStore {
            &self.0
        }
        fn losses(&self, _: &Batch, _: bool) -> Result<Losses> {
            Ok(Losses::new(self.1.square().mean(Kind::Float)))
        }
        fn settings(&self) -> serde_json::Value {
            serde_json::Value::Null
        }
        fn rebuild(&self) -> Result<Self> {
            let vs = nn::VarStore::new(Device::Cpu);
            let _ = vs.root().ones("z_mean", &[0, 3]);
            let weight = vs.root().ones("w", &[1]);
            Ok(Self(vs, weight))
        }
    }
    let empty = Empty(nn::VarStore::new(Device::Cpu), Tensor::new())
        .rebuild()
        .unwrap();
    let run = Trainer::new(&training(1))
        .fit(&empty, &data(1), None)
        .unwrap();
    assert!(
        run.to_string().contains("z_mean [0, 3] holds no number"),
        "{run}"
    );
}

#[test]
fn listeners_hear_everything_in_order_and_can_end_a_run() {
    let _turn = turn();
    let heard = RefCell::new(Vec::new());
    let listener = |event: &Event<'_>| {
        heard.borrow_mut().push(match event {
            Event::Started {
                epochs,
                steps_per_epoch,
                ..
            } => format!("{epochs}×{steps_per_epoch}"),
            Event::Step { epoch, step, .. } => format!("{epoch}.{step}"),
            Event::EpochEnd { record, .. } => format!("end of {}", record.epoch),
            Event::Stopped { epoch, step, .. } => format!("stopped at {epoch}.{step}"),
            Event::Finished { .. } => "finished".into(),
            _ => "?".into(),
        });
        match event {
            Event::EpochEnd { record, .. } if record.epoch == 2 => {
                Control::Stop(StopReason::Satisfied("two are enough".into()))
            }
            _ => Control::Continue,
        }
    };
    let run = Trainer::new(&training(9))
        .listen(listener)
        .fit(&model(), &data(1), None)
        .unwrap();
    assert_eq!(run.stopped.as_deref(), Some("two are enough"));
    let steps = |epoch| (1..=5).map(move |step| format!("{epoch}.{step}"));
    let mut expected = vec!["9×5".to_owned()];
    expected.extend(steps(1).chain(["end of 1".into()]).chain(steps(2)));
    expected.extend(["end of 2".into(), "stopped at 2.5".into()]);
    assert_eq!(heard.into_inner(), expected);
}

#[test]
fn evaluation_weighs_the_last_small_batch_rightly_and_repeats() {
    let _turn = turn();
    let (model, test) = (model(), data(2));
    let means = evaluate(&model, &test, 8, 1).unwrap();
    assert_eq!(means, evaluate(&model, &test, 8, 1).unwrap());
    let q = no_grad(|| model.encode(&test.x(), &test.c()).unwrap());
    let prior = icvae_core::loss::prior_kl(&q)
        .mean(Kind::Float)
        .double_value(&[]);
    assert!((means.get("prior KL").unwrap() - prior).abs() < 1e-5);
}

#[test]
fn numbers_that_make_no_sense_are_refused_in_one_sentence() {
    let _turn = turn();
    let says = |config: IcvaeConfig, words: &str| {
        let error = Icvae::new(&config, Device::Cpu, 0).unwrap_err().to_string();
        assert!(
            error.contains(words) && !error.contains('\n'),
            "{error:?} should say {words:?}"
        );
    };
    says(
        IcvaeConfig {
            latent: 0,
            ..config()
        },
        "latent is 0",
    );
    says(
        IcvaeConfig {
            pixels: -1,
            ..config()
        },
        "pixels is -1",
    );
    says(
        IcvaeConfig {
            hidden: vec![8, 0],
            ..config()
        },
        "0 units",
    );
    says(
        IcvaeConfig {
            beta: f64::NAN,
            ..config()
        },
        "beta is NaN",
    );
    says(
        IcvaeConfig {
            lambda: -1.0,
            ..config()
        },
        "lambda is -1",
    );
    says(
        IcvaeConfig {
            dropout: 1.0,
            ..config()
        },
        "dropout is 1",
    );
    says(
        IcvaeConfig {
            classes: 0,
            condition_encoder: true,
            ..config()
        },
        "condition_encoder",
    );

    let fit = |config: TrainConfig| {
        Trainer::new(&config)
            .fit(&model(), &data(1), None)
            .unwrap_err()
            .to_string()
    };
    assert!(
        fit(TrainConfig {
            batch_size: 0,
            ..training(1)
        })
        .contains("batch_size is 0")
    );
    assert!(
        fit(TrainConfig {
            epochs: 0,
            ..training(1)
        })
        .contains("epochs is 0")
    );
    assert!(
        fit(TrainConfig {
            learning_rate: 0.0,
            ..training(1)
        })
        .contains("learning_rate is 0")
    );

    let model = model();
    let (x, c) = (data(1).x(), data(1).c());
    let error = model
        .reconstruct(&x.narrow(1, 0, 5), &c)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the images x must have the shape [B, P]"),
        "{error}"
    );
    let error = model
        .reconstruct(&x, &c.narrow(0, 0, 5))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the condition c must have the shape [B, C] = [37, 3]"),
        "{error}"
    );
}

#[test]
fn a_configuration_file_is_read_or_refused_in_one_sentence() {
    let _turn = turn();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.json");
    let read = |text: &str| {
        std::fs::write(&path, text).unwrap();
        IcvaeConfig::from_file(&path)
    };
    let config = read(r#"{ "latent": 2, "activation": { "leaky_relu": 0.2 } }"#).unwrap();
    assert_eq!(
        (config.latent, config.activation),
        (2, Activation::LeakyRelu(0.2))
    );
    assert_eq!(config.beta, 0.1, "what is left out keeps its default");
    for (text, words) in [
        (
            r#"{ "activation": "tahn" }"#,
            "unknown variant `tahn`, expected one of",
        ),
        (r#"{ "latnet": 2 }"#, "unknown field `latnet`"),
        (r#"{ "latent": 0 }"#, "latent is 0"),
        (r#"{ "latent": "#, "is not a model configuration"),
    ] {
        let error = read(text).unwrap_err().to_string();
        assert!(error.contains(words), "{error:?} should say {words:?}");
    }
    assert!(
        "tahn"
            .parse::<Activation>()
            .unwrap_err()
            .to_string()
            .contains("use linear, tanh")
    );
}

/// Dropout, batch norm, Bernoulli pixels, no condition: the relatives come from the same parts.
#[test]
fn the_models_relatives_train_too() {
    let _turn = turn();
    let (train, test) = (data(1), data(2));
    use icvae_core::model::Likelihood;
    let relatives = [
        IcvaeConfig {
            classes: 0,
            lambda: 0.0,
            ..config()
        },
        IcvaeConfig {
            likelihood: Likelihood::Bernoulli,
            activation: Activation::Relu,
            ..config()
        },
        IcvaeConfig {
            dropout: 0.2,
            batch_norm: true,
            condition_encoder: true,
            ..config()
        },
        IcvaeConfig {
            hidden: vec![],
            latent: 1,
            ..config()
        },
    ];
    for config in relatives {
        let model = Icvae::new(&config, Device::Cpu, 1).unwrap();
        let training = TrainConfig {
            learning_rate: 0.02,
            ..training(12)
        };
        let before = weights(&model);
        let run = Trainer::new(&training)
            .fit(&model, &train, Some(&test))
            .unwrap();
        assert_eq!(run.remarks, [] as [&str; 0], "{config:?}");
        for ((name, before), (_, after)) in before.iter().zip(&weights(&model)) {
            assert_ne!(before, after, "{name} has not moved: {config:?}");
        }
        let total = run.history.curve("total", false);
        let (first, last) = (total[0].1, total[11].1);
        assert!(last < 0.99 * first, "{config:?}: {first} → {last}");
    }
    let batch_norm = IcvaeConfig {
        batch_norm: true,
        ..config()
    };
    let model = Icvae::new(&batch_norm, Device::Cpu, 1).unwrap();
    let one = train.head(1);
    let error = Trainer::new(&training(1))
        .fit(&model, &one, None)
        .unwrap_err()
        .to_string();
    assert!(error.contains("at least 2 examples"), "{error}");
}

#[test]
fn weights_start_as_keras_draws_them() {
    let _turn = turn();
    let model = Icvae::new(&IcvaeConfig::default(), Device::Cpu, 0).unwrap();
    let count: usize = model
        .var_store()
        .variables()
        .values()
        .map(Tensor::numel)
        .sum();
    assert_eq!(count, 1_359_664);
    for (name, variable) in model.var_store().variables() {
        if name.ends_with("bias") {
            assert_eq!(variable.abs().max().double_value(&[]), 0.0, "{name}");
            continue;
        }
        let (outputs, inputs) = variable.size2().unwrap();
        let bound = (6.0 / (inputs + outputs) as f64).sqrt();
        let largest = variable.abs().max().double_value(&[]);
        assert!(
            largest <= bound && largest > 0.99 * bound,
            "{name}: {largest} of {bound}"
        );
        let deviation = variable.std(false).double_value(&[]);
        assert!(
            (deviation / (bound / 3.0_f64.sqrt()) - 1.0).abs() < 0.02,
            "{name}: not uniform"
        );
    }
}
