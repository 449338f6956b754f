//! Every long call asks whether somebody pressed "interrupt", and ends in order.
//!
//! One test in a process of its own: the flag is the process's.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use icvae_core::data::tabular::{Address, TabularLoader, Task};
use icvae_core::data::{Archive, Dataset, Loader, synthetic};
use icvae_core::eval::{self, ProbeConfig, TsneConfig};
use icvae_core::model::{Gaussian, Icvae, IcvaeConfig};
use icvae_core::plot::{Animation, ImageGrid};
use icvae_core::settings::{DataSource, Settings};
use icvae_core::tch::{Device, Kind, Tensor};
use icvae_core::train::{Control, Event, Model, Store, TrainConfig, Trainer, evaluate};
use icvae_core::{Error, Result};

fn raise(folder: &Path, raised: bool) {
    std::fs::write(folder.join("interrupt"), if raised { "1" } else { "0" }).unwrap();
}

#[track_caller]
fn assert_interrupted<T>(result: Result<T>) {
    match result.map(|_| ()) {
        Err(Error::Interrupted(sentence)) => assert!(sentence.contains("interrupted")),
        other => panic!("it did not ask: {other:?}"),
    }
}

#[test]
fn long_calls_are_interrupted_and_training_goes_on_exactly() {
    let live = tempfile::tempdir().unwrap();
    raise(live.path(), true);
    // SAFETY: no other thread of this process reads or writes the environment meanwhile.
    unsafe { std::env::set_var("ICVAE_LIVE", live.path()) };

    let options = (Kind::Int64, Device::Cpu);
    let images = (Tensor::arange(40 * 12, options) * 37).remainder(256);
    let labels = Tensor::arange(40, options).remainder(3);
    let images = images.to_kind(Kind::Uint8).view([40, 12]);
    let data = Dataset::new(images, labels, (4, 3), 3).unwrap();
    let config = IcvaeConfig {
        pixels: 12,
        classes: 3,
        hidden: vec![8],
        latent: 2,
        ..Default::default()
    };
    let model = || Icvae::new(&config, Device::Cpu, 7).unwrap();

    assert_interrupted(evaluate(&model(), &data, 8, 0));
    assert_interrupted(eval::report(&model(), &data, 8, 0));
    let codes = Tensor::randn([100, 4], (Kind::Float, Device::Cpu));
    let classes = Tensor::zeros([100], options);
    let tsne = TsneConfig {
        perplexity: 5.0,
        ..Default::default()
    };
    assert_interrupted(eval::tsne(&codes, &tsne));
    let probe = ProbeConfig::default();
    let both = (&codes, &classes);
    assert_interrupted(eval::probe_accuracy(both, both, 3, &probe));
    assert_interrupted(synthetic::draw(1000, 0));
    let gaussian = || Gaussian::new(codes.copy(), codes.copy()).unwrap();
    assert_interrupted(eval::mixture_information(
        (&gaussian(), &classes),
        (&gaussian(), &codes, &classes),
        1,
    ));
    assert_interrupted(eval::Reader::train(&data));
    let image = Tensor::zeros([1, 12], (Kind::Float, Device::Cpu));
    let frame = ImageGrid::new(&image, (4, 3), (1, 1)).draw().unwrap();
    assert_interrupted(Animation::new("still", &[frame], 0.1));
    // Nothing answers at this address, and nobody asks it.
    let mut archive = Archive::mnist();
    archive.mirrors = vec!["http://127.0.0.1:9".into()];
    assert_interrupted(archive.fetch(None, &mut |progress| panic!("{progress}")));
    let settings = Settings {
        data: DataSource::Mnist,
        mnist_dir: None,
        tabular_dir: None,
        smoke: true,
        device: Device::Cpu,
    };
    let loader = Loader {
        archive,
        cache: None,
    };
    assert_interrupted(loader.load(&settings, &mut |progress| panic!("{progress}")));
    let mut tables = TabularLoader {
        cache: None,
        ..Default::default()
    };
    for file in &mut tables.files {
        file.addresses = vec![Address::Plain("http://127.0.0.1:9".into())];
    }
    assert_interrupted(tables.load(&settings, Task::Adult, 0, &mut |_| ()));

    // Interrupted after the last step of an epoch: its evaluation is left for the next sitting.
    let training = TrainConfig {
        epochs: 3,
        batch_size: 8,
        ..Default::default()
    };
    raise(live.path(), false);
    let whole = model();
    let expected = Trainer::new(&training)
        .fit(&whole, &data, Some(&data))
        .unwrap();
    let store = tempfile::tempdir().unwrap();
    let trainer = || Trainer::new(&training).keep_in(Store::new(store.path()));
    let at_the_end = |event: &Event<'_>| {
        if let Event::Step { steps_done: 10, .. } = event {
            raise(live.path(), true);
        }
        Control::Continue
    };
    let error = trainer()
        .listen(at_the_end)
        .fit(&model(), &data, Some(&data))
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("in epoch 2 of 3, after step 5 of 5"),
        "{error}"
    );
    raise(live.path(), false);
    let resumed = model();
    let run = trainer().fit(&resumed, &data, Some(&data)).unwrap();
    assert_eq!((run.steps_found, run.steps_trained), (10, 5));
    for (run, expected) in run.history.epochs.iter().zip(&expected.history.epochs) {
        assert_eq!((&run.train, &run.test), (&expected.train, &expected.test));
        assert!(!run.train.0.is_empty());
    }
    let (a, b) = (
        whole.var_store().variables(),
        resumed.var_store().variables(),
    );
    assert!(a.iter().all(|(name, weights)| *weights == b[name]));
}
