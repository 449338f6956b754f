//! Measures of a trained model, against what they are defined to be.

#![allow(clippy::unwrap_used)]

mod turn;

use icvae_core::data::Dataset;
use icvae_core::eval::{ProbeConfig, probe_accuracy, remap, report};
use icvae_core::loss;
use icvae_core::model::{Icvae, IcvaeConfig, Likelihood};
use icvae_core::tch::{self, Device, Kind, Tensor, no_grad};
use icvae_core::train::Model;
use turn::turn;

fn data(count: i64) -> Dataset {
    let options = (Kind::Int64, Device::Cpu);
    let images = (Tensor::arange(count * 12, options) * 37)
        .remainder(256)
        .to_kind(Kind::Uint8);
    let labels = Tensor::arange(count, options).remainder(3);
    Dataset::new(images.view([count, 12]), labels, (4, 3), 3).unwrap()
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

#[test]
fn a_remapped_row_is_the_image_its_reconstruction_and_every_class() {
    let _turn = turn();
    let model = Icvae::new(&config(), Device::Cpu, 1).unwrap();
    let (x, c) = (data(4).x(), data(4).c());
    let rows = remap(&model, &x, &c, true).unwrap().view([4, 5, 12]);
    assert_eq!(rows.select(1, 0), x);
    let own = model.reconstruct_mean(&x, &c).unwrap();
    assert!(rows.select(1, 1).allclose(&own, 1e-5, 1e-6, false));
    let z = no_grad(|| model.encode(&x, &c).unwrap().mean);
    for class in 0..3 {
        let labels = Tensor::full([4], class, (Kind::Int64, Device::Cpu));
        let as_class = no_grad(|| model.decode(&z, &labels.onehot(3)).unwrap());
        assert!(
            rows.select(1, 2 + class)
                .allclose(&as_class, 1e-5, 1e-6, false),
            "{class}"
        );
    }
    // One sampled code serves a whole row: the true class's column repeats the reconstruction.
    let rows = remap(&model, &x, &c, false).unwrap().view([4, 5, 12]);
    for i in 0..4 {
        let label = data(4).labels().int64_value(&[i]);
        assert!(
            rows.get(i)
                .get(1)
                .allclose(&rows.get(i).get(2 + label), 1e-5, 1e-6, false)
        );
    }
    let plain = IcvaeConfig {
        classes: 0,
        ..config()
    };
    let plain = Icvae::new(&plain, Device::Cpu, 1).unwrap();
    let error = remap(&plain, &x, &c, true).unwrap_err().to_string();
    assert!(error.contains("without a condition can't remap"), "{error}");
}

#[test]
fn a_report_is_what_its_terms_are_defined_to_be() {
    let _turn = turn();
    let variance = 0.02;
    for likelihood in [
        Likelihood::SquaredError,
        Likelihood::Gaussian { variance },
        Likelihood::Bernoulli,
    ] {
        let config = IcvaeConfig {
            likelihood,
            ..config()
        };
        let model = Icvae::new(&config, Device::Cpu, 1).unwrap();
        let data = data(70);
        let found = report(&model, &data, 32, 0).unwrap();
        assert_eq!(found, report(&model, &data, 32, 0).unwrap(), "it repeats");
        let total = 2.0 * found.reconstruction + 0.1 * found.prior_kl + found.pairwise_kl;
        assert!((found.total - total).abs() < 1e-4 * total, "{found}");
        let drawn = model.reconstruct_mean(&data.x(), &data.c()).unwrap();
        let errors = match likelihood {
            Likelihood::SquaredError => loss::squared_error(&data.x(), &drawn),
            Likelihood::Gaussian { .. } => loss::gaussian_nll(&data.x(), &drawn, variance),
            Likelihood::Bernoulli => loss::bernoulli_nll(&data.x(), &drawn.logit(None)),
        };
        let expected = errors.unwrap().mean(Kind::Double).double_value(&[]);
        assert!(
            (found.reconstruction_mean - expected).abs() < 1e-3,
            "{found} {expected}"
        );
    }
}

#[test]
fn a_probe_reads_what_is_there_and_only_that() {
    let _turn = turn();
    tch::manual_seed(5);
    let labels = Tensor::randint(3, [600], (Kind::Int64, Device::Cpu));
    let noise = Tensor::randn([600, 4], (Kind::Float, Device::Cpu));
    let config = ProbeConfig {
        hidden: vec![32],
        epochs: 60,
        batch_size: 32,
        ..Default::default()
    };
    let read = |codes: &Tensor| {
        let half = |t: &Tensor, i: i64| t.narrow(0, i * 300, 300);
        let (train, test) = (
            (half(codes, 0), half(&labels, 0)),
            (half(codes, 1), half(&labels, 1)),
        );
        probe_accuracy((&train.0, &train.1), (&test.0, &test.1), 3, &config).unwrap()
    };
    let told = &noise + labels.unsqueeze(1) * 4.0;
    assert!(read(&told) > 0.9, "{}", read(&told));
    assert!(read(&noise) < 0.45, "chance is a third: {}", read(&noise));
    let error = probe_accuracy(
        (&noise, &labels.narrow(0, 0, 7)),
        (&noise, &labels),
        3,
        &config,
    );
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("the labels of the probe must have the shape")
    );
    let refused = |train: (&Tensor, &Tensor), test: (&Tensor, &Tensor), words: &str| {
        let error = probe_accuracy(train, test, 3, &config)
            .unwrap_err()
            .to_string();
        assert!(error.contains(words), "{error:?} should say {words:?}");
    };
    let good = (&noise, &labels);
    refused(good, (&noise, &(&labels + 1)), "there is a label 3");
    refused((&noise, &(&labels - 1)), good, "there is a label -1");
    refused(
        (&noise, &labels.to_kind(Kind::Float)),
        good,
        "must be Int64",
    );
    refused(
        good,
        (&noise.narrow(1, 0, 2), &labels),
        "[N, 4], as those that it learns from",
    );
}

#[test]
fn a_report_does_not_flatter_a_confident_error() {
    let _turn = turn();
    let config = IcvaeConfig {
        likelihood: Likelihood::Bernoulli,
        ..config()
    };
    let model = Icvae::new(&config, Device::Cpu, 1).unwrap();
    // Log-odds of 60 for every pixel: a black one costs 60 nats each, not 14.
    no_grad(|| {
        for (name, mut variable) in model.var_store().variables() {
            let _ = variable.fill_(if name == "x_hat.bias" { 60.0 } else { 0.0 });
        }
    });
    let images = Tensor::zeros([5, 12], (Kind::Uint8, Device::Cpu));
    let labels = Tensor::zeros([5], (Kind::Int64, Device::Cpu));
    let black = Dataset::new(images, labels, (4, 3), 3).unwrap();
    let found = report(&model, &black, 5, 0).unwrap();
    assert!((found.reconstruction_mean - 720.0).abs() < 0.1, "{found}");
    assert!((found.reconstruction - 720.0).abs() < 0.1, "{found}");
}

#[test]
fn a_condition_of_another_kind_is_refused() {
    let _turn = turn();
    let model = Icvae::new(&config(), Device::Cpu, 1).unwrap();
    let (x, c) = (data(4).x(), data(4).c().to_kind(Kind::Double));
    let error = model.reconstruct(&x, &c).unwrap_err().to_string();
    assert!(
        error.contains("the condition c must be Float, but is Double"),
        "{error}"
    );
}

#[test]
fn an_unconditional_model_takes_no_condition() {
    let _turn = turn();
    let plain = IcvaeConfig {
        classes: 0,
        ..config()
    };
    let (x, c) = (data(4).x(), data(4).c());
    let model = Icvae::new(&plain, Device::Cpu, 1).unwrap();
    let drawn = model.reconstruct_mean(&x, None).unwrap();
    assert_eq!(
        drawn,
        model.reconstruct_mean(&x, &c).unwrap(),
        "one that is given is not looked at"
    );
    let conditional = Icvae::new(&config(), Device::Cpu, 1).unwrap();
    let error = conditional.reconstruct(&x, None).unwrap_err().to_string();
    assert!(error.contains("give c, [B, C] = [4, 3]"), "{error}");
}
