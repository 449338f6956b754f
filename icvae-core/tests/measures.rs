//! Measures where the truth is known: codes of two overlapping classes, and what is refused.

#![allow(clippy::unwrap_used)]

mod turn;

use std::f64::consts::PI;

use icvae_core::data::{Batch, Dataset};
use icvae_core::eval::{self, ProbeConfig, Reader};
use icvae_core::loss;
use icvae_core::model::{
    Censored, CensoredConfig, Echo, EchoCode, EchoConfig, Gaussian, IcvaeConfig,
};
use icvae_core::tch::{self, Device, Kind, Tensor};
use icvae_core::train::{Model, TrainConfig, Trainer, Turn};
use turn::turn;

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// Two classes: x₁ ~ N(±m, 1), x₂ ~ N(0, 1), and a code z = gain · x + σε of each coordinate.
struct World {
    q: Gaussian,
    z: Tensor,
    labels: Tensor,
}

const APART: f64 = 1.2; // m
const GAIN: f64 = 0.6;
const NOISE: f64 = 0.5; // σ

fn world(n: i64, seed: i64) -> World {
    tch::manual_seed(seed);
    let labels = Tensor::randint(2, [n], (Kind::Int64, Device::Cpu));
    let side = (&labels * 2 - 1).to_kind(Kind::Float) * APART;
    let shift = Tensor::stack(&[side, Tensor::zeros([n], FLOAT)], 1);
    let x = Tensor::randn([n, 2], FLOAT) + shift;
    let log_var = Tensor::full([n, 2], 2.0 * NOISE.ln(), FLOAT);
    let q = Gaussian::new(x * GAIN, log_var).unwrap();
    World {
        z: q.sample(),
        q,
        labels,
    }
}

/// ∫ f by Simpson's rule over ±12, far beyond what counts here.
fn integral(f: impl Fn(f64) -> f64) -> f64 {
    const STEPS: usize = 4000;
    let h = 24.0 / STEPS as f64;
    let weigh = |i: usize| match i {
        0 | STEPS => 1.0,
        i if i % 2 == 1 => 4.0,
        _ => 2.0,
    };
    (0..=STEPS)
        .map(|i| weigh(i) * f(-12.0 + h * i as f64))
        .sum::<f64>()
        * h
        / 3.0
}

fn normal(z: f64, mean: f64, variance: f64) -> f64 {
    (-(z - mean).powi(2) / (2.0 * variance)).exp() / (2.0 * PI * variance).sqrt()
}

/// (I(x; z), I(z; c)): entropies of Gaussians in closed form, and that of z₁, which is half of each of two, by an integral.
fn truth() -> (f64, f64) {
    let entropy = |variance: f64| 0.5 * (2.0 * PI * std::f64::consts::E * variance).ln();
    let within = GAIN * GAIN + NOISE * NOISE; // of z₁ in a class, and of z₂
    let density = |z: f64| {
        let of = |side: f64| normal(z, side * GAIN * APART, within);
        0.5 * (of(1.0) + of(-1.0))
    };
    let of_first = integral(|z| -density(z) * density(z).max(1e-300).ln());
    let noise = entropy(NOISE * NOISE);
    (
        of_first - noise + entropy(within) - noise,
        of_first - entropy(within),
    )
}

#[test]
fn the_truth_agrees_with_another_way_to_it() {
    // By Bayes' rule on the log-odds instead of entropies.
    let within = GAIN * GAIN + NOISE * NOISE;
    let mean = GAIN * APART;
    let lost =
        integral(|z| normal(z, mean, within) * (1.0 + (-2.0 * mean * z / within).exp()).ln());
    let (about_image, about_class) = truth();
    assert!((2f64.ln() - lost - about_class).abs() < 1e-9);
    // Without classes apart it is the Gaussian channel twice, log(1 + SNR).
    let channel = (1.0 + GAIN * GAIN / (NOISE * NOISE)).ln();
    assert!(about_image > channel && about_image < channel + about_class + 1e-9);
}

#[test]
fn every_bound_lies_on_its_side() {
    let _turn = turn();
    let (about_image, about_class) = truth();
    let (seen, unseen) = (world(20_000, 1), world(10_000, 2));
    let from = |batch| eval::information_bounds(&unseen.q, &unseen.z, batch).unwrap();
    let (few, many) = (from(20), from(500));
    for bounds in [few, many] {
        assert!(bounds.prior_kl > about_image, "{bounds:?}, {about_image}");
        assert!(
            bounds.pairwise_kl > about_image,
            "{bounds:?}, {about_image}"
        );
        assert!(bounds.mixture_upper > about_image - 0.02, "{bounds:?}");
        assert!(bounds.mixture_lower < about_image + 0.02, "{bounds:?}");
    }
    // The bias of the mixture falls with the batch, from both sides; the pairs' stays.
    assert!(few.mixture_upper - about_image > 0.03, "{few:?}");
    assert!(about_image - few.mixture_lower > 0.03, "{few:?}");
    assert!((many.mixture_upper - about_image).abs() < 0.02, "{many:?}");
    assert!((many.mixture_lower - about_image).abs() < 0.02, "{many:?}");
    assert!((few.pairwise_kl - many.pairwise_kl).abs() < 0.05);

    let known = eval::mixture_information(
        (&seen.q, &seen.labels),
        (&unseen.q, &unseen.z, &unseen.labels),
        2,
    )
    .unwrap();
    assert!((known.about_image - about_image).abs() < 0.02, "{known:?}");
    assert!((known.about_class - about_class).abs() < 0.01, "{known:?}");

    let (train, test) = ((&seen.z, &seen.labels), (&unseen.z, &unseen.labels));
    for (layers, read) in eval::probes(train, test, 2, 0).unwrap().iter().enumerate() {
        let lost = about_class - read.information;
        assert!(
            (-0.01..0.02).contains(&lost),
            "{layers} layers: {read:?}, {about_class}"
        );
        let sum = read.information + read.cross_entropy;
        assert!((sum - 2f64.ln()).abs() < 1e-3, "H(c)");
    }
}

#[test]
fn the_code_length_is_what_the_code_does_not_tell() {
    let _turn = turn();
    let world = world(20_000, 3);
    let left = 2f64.ln() - truth().1; // H(c|z)
    for layers in [0, 2] {
        let config = ProbeConfig::of_layers(layers);
        let length = eval::code_length(&world.z, &world.labels, 2, &config).unwrap();
        let off = length.per_example() / left - 1.0;
        // No code is shorter in the mean; 20,000 labels give or take half a percent.
        assert!(
            (-0.01..0.05).contains(&off),
            "{layers} layers: {off}, {length:?}"
        );
        assert!(length.information() < truth().1 + 0.005);

        let control = eval::shuffled_labels(&world.labels, 4).unwrap();
        assert_eq!(
            control.sum(Kind::Int64),
            world.labels.sum(Kind::Int64),
            "the shares stay"
        );
        let nothing = eval::code_length(&world.z, &control, 2, &config).unwrap();
        assert!(nothing.information() < 0.001, "{nothing:?}");
        assert!(nothing.compression() < 1.001 && nothing.compression() > 0.9);
    }
}

#[test]
fn probes_that_hold_codes_back_don_t_overfit() {
    let _turn = turn();
    let (seen, unseen) = (world(300, 5), world(5_000, 6));
    let read = |validation| {
        let config = ProbeConfig {
            hidden: vec![256, 256],
            epochs: 300,
            batch_size: 32,
            validation,
            ..Default::default()
        };
        let (train, test) = ((&seen.z, &seen.labels), (&unseen.z, &unseen.labels));
        eval::probe(train, test, 2, &config).unwrap().information
    };
    let (kept, last) = (read(0.2), read(0.0));
    assert!(kept > last + 0.05, "{kept} with, {last} without");
    assert!(kept < truth().1, "{kept}");
}

#[test]
fn the_rate_of_echo_noise_is_exact() {
    let _turn = turn();
    // f(x) = x ~ N(0, 1) and one s for all: z ~ N(0, 1/(1 − s²)), and of that s²/(1 − s²) is noise.
    const N: i64 = 400;
    let s = 0.8f64;
    let code = EchoCode {
        f: Tensor::randn([N, 50], FLOAT),
        log_scale: Tensor::full([N, 50], s.ln(), FLOAT),
    };
    let z = code.sample(99).unwrap();
    let noise = (&z - &code.f) / s;
    let variance = |t: &Tensor| t.square().mean(Kind::Double).double_value(&[]);
    let expected = 1.0 / (1.0 - s * s);
    for (what, t) in [("the code", &z), ("the noise", &noise)] {
        let ratio = variance(t) / expected;
        assert!((ratio - 1.0).abs() < 0.03, "{what}: {ratio}");
    }
    let with_x = (&code.f * noise).mean(Kind::Double).double_value(&[]);
    assert!(
        with_x.abs() < 0.03,
        "the noise doesn't know its example: {with_x}"
    );
    let capacity = 0.5 * (variance(&z) / (s * s * expected)).ln();
    let rate = loss::echo_rate(&code.log_scale)
        .mean(Kind::Double)
        .double_value(&[])
        / 50.0;
    assert!((rate - capacity).abs() < 0.02, "{rate} and {capacity}");
}

fn points(n: i64) -> Dataset {
    tch::manual_seed(8);
    let labels = Tensor::randint(2, [n], (Kind::Int64, Device::Cpu));
    let x = Tensor::randn([n, 4], FLOAT) + labels.unsqueeze(1) * 2;
    Dataset::points(x.to_kind(Kind::Float), labels, 2).unwrap()
}

fn echo() -> EchoConfig {
    EchoConfig {
        pixels: 4,
        classes: 2,
        hidden: vec![16],
        latent: 2,
        beta: 0.1,
        ..Default::default()
    }
}

#[test]
fn an_echo_autoencoder_trains_where_batches_are_large_enough() {
    let _turn = turn();
    let model = Echo::new(&echo(), Device::Cpu, 0).unwrap();
    let data = points(600);
    let train = |batch_size| {
        let config = TrainConfig {
            epochs: 20,
            batch_size,
            learning_rate: 5e-3,
            ..Default::default()
        };
        Trainer::new(&config).fit(&model, &data, None)
    };
    let run = train(100).unwrap();
    let (first, last) = (&run.history.epochs[0].train, run.history.last().unwrap());
    let of = |means: &icvae_core::train::TermMeans, name| means.get(name).unwrap();
    assert!(of(&last.train, "reconstruction") < 0.6 * of(first, "reconstruction"));
    assert!(of(&last.train, "rate") > model.config().least_rate());

    let z = model.sample(&data.x(), 150).unwrap();
    assert_eq!(z.size(), [600, 2]);
    assert_eq!(
        model.sample(&data.x(), 130).unwrap().size(),
        [600, 2],
        "the rest"
    );
    assert_eq!(model.decode(&z, &data.c()).unwrap().size(), [600, 4]);
    let code = model.encode(&data.x()).unwrap();
    let apart = (code.mean().mean(Kind::Double) - z.mean(Kind::Double)).abs();
    assert!(apart.double_value(&[]) < 0.1, "the mean over the noise");

    for (batch, words) in [(32, "at least 100"), (250, "")] {
        match train(batch) {
            Ok(_) => assert!(words.is_empty(), "batches of {batch}"),
            Err(error) => {
                let text = error.to_string();
                assert!(batch == 32 && text.contains(words), "{text}");
                assert!(!text.contains('\n'), "{text}");
            }
        }
    }
}

#[test]
fn an_adversary_takes_the_class_out_of_the_code() {
    let _turn = turn();
    let data = points(1000);
    let trained = |alpha| {
        let config = CensoredConfig {
            vae: IcvaeConfig {
                pixels: 4,
                classes: 2,
                hidden: vec![32],
                latent: 3,
                beta: 0.02,
                lambda: 0.0,
                ..Default::default()
            },
            adversary: vec![32],
            alpha,
            ..Default::default()
        };
        let model = Censored::new(&config, Device::Cpu, 0).unwrap();
        let config = TrainConfig {
            epochs: 30,
            batch_size: 50,
            learning_rate: 3e-3,
            ..Default::default()
        };
        let run = Trainer::new(&config).fit(&model, &data, None).unwrap();
        let nats = run.history.last().unwrap().train.get("adversary").unwrap();
        (model, nats)
    };
    let ((_, left_alone), (model, censored)) = (trained(0.0), trained(3.0));
    assert!(left_alone < 0.3, "it reads the class: {left_alone}");
    assert!(censored > 0.6, "and is kept from it: {censored}");
    let z = model.vae().encode(&data.x(), None).unwrap_err().to_string();
    assert!(z.contains("give c"), "{z}");
}

#[test]
fn ink_and_slant_are_what_they_say() {
    // A stroke of three pixels on a square of 3: upright, and one column to the right for each row upwards.
    let upright = [0f32, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.0];
    let leaning = [0f32, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0];
    let x = Tensor::from_slice2(&[upright, leaning]);
    assert_eq!(Vec::<f32>::try_from(eval::ink(&x)).unwrap(), [3.0, 3.0]);
    let slant = Vec::<f32>::try_from(eval::slant(&x).unwrap()).unwrap();
    assert!(
        (slant[0]).abs() < 1e-6 && (slant[1] - 1.0).abs() < 1e-5,
        "{slant:?}"
    );
}

#[test]
fn a_perfect_remapping_and_none_at_all() {
    let _turn = turn();
    let (digits, _) = icvae_core::data::synthetic::draw(3000, 0).unwrap();
    let reader = Reader::train(&digits).unwrap();
    assert!(reader.accuracy(&digits) > 0.9);
    let few = digits.head(300);
    let images = few.x();
    // "Codes" that are row numbers; a decoder that draws the image itself whatever the class.
    let z = Tensor::arange(300, FLOAT).unsqueeze(1);
    let as_itself = |z: &Tensor, _: &Tensor| -> icvae_core::Result<Tensor> {
        Ok(images.index_select(0, &z.squeeze_dim(1).to_kind(Kind::Int64)))
    };
    let same = eval::remapped(as_itself, &z, &few, &reader).unwrap();
    assert!(same.as_source > 0.9 && same.as_target < 0.1, "{same:?}");
    assert!(
        (same.ink - 1.0).abs() < 1e-6 && (same.slant - 1.0).abs() < 1e-6,
        "{same:?}"
    );
    // And one that draws the first digit of the wanted class whatever the code.
    let by_class = |z: &Tensor, c: &Tensor| -> icvae_core::Result<Tensor> {
        let class = c.get(0).argmax(0, false).int64_value(&[]);
        Ok(digits.of_class(class)?.head(1).x().repeat([z.size()[0], 1]))
    };
    let stock = eval::remapped(by_class, &z, &few, &reader).unwrap();
    assert!(stock.as_target > 0.85, "{stock:?}");
    assert!(
        stock.ink.is_nan() || stock.ink.abs() < 0.1,
        "nothing of the source: {stock:?}"
    );
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    let _turn = turn();
    let says = |result: icvae_core::Result<()>, words: &str| {
        let text = result.unwrap_err().to_string();
        assert!(text.contains(words), "{text:?} should say {words:?}");
        assert!(!text.contains('\n'), "one sentence: {text:?}");
    };
    let w = world(30, 1);
    let ints = |l: &[i64]| Tensor::from_slice(l);
    let gaps = |a: &[i64], b: &[i64], c: &[i64]| {
        eval::group_gaps(&ints(a), &ints(b), &ints(c)).map(|_| ())
    };
    says(gaps(&[1], &[1, 0], &[0]), "the answers");
    says(gaps(&[2], &[1], &[0]), "there is a label 2");
    says(gaps(&[1, 0], &[1, 0], &[0, 2]), "nobody is in group 1");
    says(gaps(&[], &[], &[]), "no decision");

    let probe = |config: &ProbeConfig| {
        let pair = (&w.z, &w.labels);
        eval::probe(pair, pair, 2, config).map(|_| ())
    };
    let base = ProbeConfig::of_layers(0);
    says(
        probe(&ProbeConfig {
            epochs: 0,
            ..base.clone()
        }),
        "epochs",
    );
    says(
        probe(&ProbeConfig {
            validation: 1.0,
            ..base.clone()
        }),
        "validation",
    );
    let few = |n| (w.z.narrow(0, 0, n), w.labels.narrow(0, 0, n));
    let (codes, labels) = few(19);
    says(
        eval::code_length(&codes, &labels, 2, &base).map(|_| ()),
        "at least 20",
    );
    says(
        eval::entropy(&labels.narrow(0, 0, 0), 2).map(|_| ()),
        "no labels",
    );

    let one = Gaussian::new(w.q.mean.narrow(0, 0, 1), w.q.log_var.narrow(0, 0, 1)).unwrap();
    says(
        loss::mixture_upper(&one, &one.sample()).map(|_| ()),
        "at least 2",
    );
    says(
        loss::mixture_lower(&w.q, &one.sample()).map(|_| ()),
        "the samples z",
    );
    says(
        w.q.log_densities(&Tensor::zeros([3, 5], FLOAT)).map(|_| ()),
        "the codes z",
    );
    says(
        eval::information_bounds(&w.q, &w.z, 1).map(|_| ()),
        "at least 2",
    );
    says(
        eval::mixture_information((&w.q, &w.labels), (&w.q, &w.z, &w.labels), 3).map(|_| ()),
        "of class 2",
    );
    says(
        eval::slant(&Tensor::zeros([2, 5], FLOAT)).map(|_| ()),
        "square",
    );

    let build = |config: EchoConfig| Echo::new(&config, Device::Cpu, 0).map(|_| ());
    says(
        build(EchoConfig {
            draws: 31,
            ..echo()
        }),
        "draws is 31",
    );
    says(
        build(EchoConfig {
            beta: -1.0,
            ..echo()
        }),
        "beta",
    );
    says(
        build(EchoConfig {
            classes: -1,
            ..echo()
        }),
        "classes",
    );
    let censored = |config: CensoredConfig| Censored::new(&config, Device::Cpu, 0).map(|_| ());
    let base = CensoredConfig::default;
    says(
        censored(CensoredConfig {
            alpha: f64::NAN,
            ..base()
        }),
        "alpha",
    );
    says(
        censored(CensoredConfig {
            pace: 0.0,
            ..base()
        }),
        "pace",
    );
    let untold = IcvaeConfig {
        classes: 0,
        ..Default::default()
    };
    says(
        censored(CensoredConfig {
            vae: untold,
            ..base()
        }),
        "at least 2 to tell apart",
    );
    let model = Censored::new(&base(), Device::Cpu, 0).unwrap();
    let data = icvae_core::data::synthetic::draw(4, 0).unwrap().0;
    let batch: Batch = data
        .batch(&Tensor::arange(4, (Kind::Int64, Device::Cpu)))
        .unwrap();
    let unknown = Turn::new("nothing", ["enc"]);
    says(model.turn_losses(&unknown, &batch).map(|_| ()), "nothing");
}
