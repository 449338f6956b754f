//! The adversarial autoencoder: its losses and its games against PyTorch's numbers
//! (`golden/adversarial.py`), its prior against theory, and what the turns promise.

#![allow(clippy::unwrap_used)]

mod golden;
mod turn;

use std::collections::HashMap;
use std::f64::consts::PI;

use golden::assert_close;
use icvae_core::data::{Batch, Dataset};
use icvae_core::eval::{self, ProbeConfig, TsneConfig};
use icvae_core::model::{Activation, AdversarialAutoencoder, AdversarialConfig, Game, Prior};
use icvae_core::tch::{self, Device, Kind, Tensor, nn, no_grad};
use icvae_core::train::{
    AdamConfig, Control, EpsilonConvention, Event, Losses, Model, StopReason, Store, TrainConfig,
    Trainer, Turn,
};
use icvae_core::{Error, Result, loss};
use turn::turn;

fn small(game: Game) -> AdversarialConfig {
    AdversarialConfig {
        pixels: 12,
        hidden: vec![8],
        latent: 3,
        game,
        fooling_pace: 0.3,
        discriminator_pace: 0.6,
        ..Default::default()
    }
}

fn data(images: &Tensor) -> Dataset {
    let labels = Tensor::zeros([images.size()[0]], (Kind::Int64, Device::Cpu));
    Dataset::new(images.to_kind(Kind::Uint8), labels, (3, 4), 2).unwrap()
}

fn some_data(n: i64) -> Dataset {
    tch::manual_seed(1);
    data(&Tensor::randint(256, [n, 12], (Kind::Int64, Device::Cpu)))
}

#[test]
fn the_losses_and_their_gradients_are_pytorchs() {
    let golden = golden::read("adversarial");
    let leaf = |name: &str| golden[name].copy().set_requires_grad(true);
    type Loss = fn(&Tensor) -> Tensor;
    let each: [(&str, Loss); 2] = [
        ("taken_for_prior", loss::taken_for_prior),
        ("taken_for_code", loss::taken_for_code),
    ];
    for (name, loss) in each {
        let logits = leaf("logits");
        let nats = loss(&logits);
        assert_close(&nats, &golden[name], 1e-6, name);
        let gradient = Tensor::run_backward(&[nats.sum(Kind::Float)], &[&logits], false, false);
        assert_close(&gradient[0], &golden[&format!("{name}.grad")], 1e-6, name);
    }
    let (on_prior, on_codes) = (leaf("logits"), leaf("other"));
    let value = loss::discriminator_loss(&on_prior, &on_codes);
    assert_close(
        &value.unsqueeze(0),
        &golden["discriminator_loss"],
        1e-6,
        "loss",
    );
    let gradients = Tensor::run_backward(&[value], &[&on_prior, &on_codes], false, false);
    for (gradient, side) in gradients.iter().zip(["on_prior", "on_codes"]) {
        let expected = &golden[&format!("discriminator_loss.{side}")];
        assert_close(gradient, expected, 1e-6, side);
    }
}

/// The model of the fixture: a run starts from the fixture's weights.
struct Fixture(AdversarialAutoencoder);

impl Fixture {
    fn new(game: Game) -> Self {
        let model = AdversarialAutoencoder::new(&small(game), Device::Cpu, 0).unwrap();
        let golden = golden::read("adversarial");
        no_grad(|| {
            for (name, mut variable) in model.var_store().variables() {
                variable.copy_(&golden[&format!("weights.{name}")]);
            }
        });
        Self(model)
    }
}

impl Model for Fixture {
    fn var_store(&self) -> &nn::VarStore {
        self.0.var_store()
    }
    fn losses(&self, batch: &Batch, train: bool) -> Result<Losses> {
        self.0.losses(batch, train)
    }
    fn turns(&self) -> Vec<Turn> {
        self.0.turns()
    }
    fn turn_losses(&self, turn: &Turn, batch: &Batch) -> Result<Losses> {
        self.0.turn_losses(turn, batch)
    }
    fn settings(&self) -> serde_json::Value {
        self.0.settings()
    }
    fn rebuild(&self) -> Result<Self> {
        Ok(Self::new(self.0.config().game))
    }
}

#[test]
fn four_steps_of_either_game_are_pytorchs() {
    let _turn = turn();
    let golden = golden::read("adversarial");
    let adam = AdamConfig {
        epsilon: 1e-8,
        convention: EpsilonConvention::Pytorch,
        ..Default::default()
    };
    let config = TrainConfig {
        epochs: 4,
        batch_size: 5, // all of them: an epoch is a step
        learning_rate: 1e-2,
        optimizer: adam.into(),
        ..Default::default()
    };
    let games = [
        ("three_turns", Game::ThreeTurns),
        ("four_turns", Game::FourTurns),
    ];
    for (name, game) in games {
        let model = Fixture::new(game);
        let run = Trainer::new(&config)
            .fit(&model, &data(&golden["images"]), None)
            .unwrap();
        let terms = &golden[&format!("{name}.terms")];
        for (step, record) in run.history.epochs.iter().enumerate() {
            let found: Vec<f64> = record.train.0.iter().map(|(_, value)| *value).collect();
            let (found, total) = found.split_at(found.len() - 1);
            let found = Tensor::from_slice(found).to_kind(Kind::Float);
            let expected = terms.get(step as i64);
            assert_close(&found, &expected, 2e-5, &format!("{name}, step {step}"));
            let first = expected.double_value(&[0]);
            assert!((total[0] - first).abs() < 1e-4, "{name}: the total");
        }
        for (variable, value) in model.var_store().variables() {
            let expected = &golden[&format!("{name}.{variable}")];
            assert_close(&value, expected, 1e-4, &format!("{name}: {variable}"));
        }
    }
}

#[test]
fn a_turn_moves_its_own_networks_and_none_else() {
    let _turn = turn();
    let moved = |game: Game, turn: &Turn| -> Vec<&str> {
        let model = AdversarialAutoencoder::new(&small(game), Device::Cpu, 0).unwrap();
        struct One<'a>(&'a AdversarialAutoencoder, &'a Turn);
        impl Model for One<'_> {
            fn var_store(&self) -> &nn::VarStore {
                self.0.var_store()
            }
            fn losses(&self, batch: &Batch, train: bool) -> Result<Losses> {
                self.0.losses(batch, train)
            }
            fn turns(&self) -> Vec<Turn> {
                vec![self.1.clone()]
            }
            fn turn_losses(&self, turn: &Turn, batch: &Batch) -> Result<Losses> {
                self.0.turn_losses(turn, batch)
            }
            fn settings(&self) -> serde_json::Value {
                serde_json::Value::Null
            }
            fn rebuild(&self) -> Result<Self> {
                Ok(Self(self.0, self.1))
            }
        }
        let before: HashMap<_, _> = (model.var_store().variables().into_iter())
            .map(|(name, value)| (name, value.copy()))
            .collect();
        let config = TrainConfig {
            epochs: 1,
            batch_size: 8,
            ..Default::default()
        };
        let one = One(&model, turn);
        Trainer::new(&config)
            .fit(&one, &some_data(8), None)
            .unwrap();
        let after = model.var_store().variables();
        ["enc", "dec", "disc"]
            .into_iter()
            .filter(|network| {
                let of = |name: &&String| name.starts_with(&format!("{network}_"));
                after
                    .keys()
                    .filter(of)
                    .any(|name| after[name] != before[name])
            })
            .collect()
    };
    for (game, expected) in [
        (
            Game::ThreeTurns,
            vec![vec!["enc", "dec"], vec!["disc"], vec!["enc"]],
        ),
        (
            Game::FourTurns,
            vec![vec!["enc", "dec"], vec!["enc"], vec!["disc"], vec!["disc"]],
        ),
    ] {
        let turns = AdversarialAutoencoder::new(&small(game), Device::Cpu, 0)
            .unwrap()
            .turns();
        for (turn, expected) in turns.iter().zip(expected) {
            assert_eq!(moved(game, turn), expected, "{}", turn.name());
        }
    }
}

#[test]
fn a_game_that_was_cut_off_goes_on_to_the_last_bit() {
    let _turn = turn();
    let data = some_data(60);
    let config = TrainConfig {
        epochs: 3,
        batch_size: 10,
        ..Default::default()
    };
    for game in [Game::ThreeTurns, Game::FourTurns, Game::Unopposed] {
        let of = AdversarialConfig {
            prior: Prior::StudentT { freedom: 3.0 },
            ..small(game)
        };
        let build = || AdversarialAutoencoder::new(&of, Device::Cpu, 7).unwrap();
        let whole = build();
        let straight = Trainer::new(&config)
            .fit(&whole, &data, Some(&data))
            .unwrap();

        let folder = tempfile::tempdir().unwrap();
        let parts = build();
        let stop_at = |at: u64| {
            move |event: &Event<'_>| match event {
                Event::Step { steps_done, .. } if *steps_done == at => {
                    Control::Stop(StopReason::Interrupted)
                }
                _ => Control::Continue,
            }
        };
        for at in [4, 9] {
            let error = Trainer::new(&config)
                .keep_in(Store::new(folder.path()))
                .listen(stop_at(at))
                .fit(&parts, &data, Some(&data))
                .unwrap_err();
            assert!(matches!(error, Error::Interrupted(_)), "{error}");
        }
        let resumed = Trainer::new(&config)
            .keep_in(Store::new(folder.path()))
            .fit(&parts, &data, Some(&data))
            .unwrap();
        assert_eq!(resumed.steps_found, 9);
        for (one, other) in (straight.history.epochs.iter()).zip(&resumed.history.epochs) {
            assert_eq!((&one.train, &one.test), (&other.train, &other.test));
        }
        let parts = parts.var_store().variables();
        for (name, value) in whole.var_store().variables() {
            assert_eq!(value, parts[&name], "{name}");
        }
        let record = straight.history.last().unwrap();
        let names = |means: &icvae_core::train::TermMeans| {
            means.names().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(
            names(&record.train),
            names(record.test.as_ref().unwrap()),
            "training and test report the same terms"
        );
    }
}

#[test]
fn what_makes_no_sense_is_refused_in_a_sentence() {
    let _turn = turn();
    let says = |result: Result<()>, words: &str| {
        let text = result.unwrap_err().to_string();
        assert!(text.contains(words), "{text:?} should say {words:?}");
        assert!(!text.contains('\n'), "one sentence: {text:?}");
    };
    let build = |config: AdversarialConfig| {
        AdversarialAutoencoder::new(&config, Device::Cpu, 0).map(|_| ())
    };
    let base = || small(Game::FourTurns);
    says(
        build(AdversarialConfig {
            latent: 0,
            ..base()
        }),
        "latent",
    );
    says(
        build(AdversarialConfig {
            hidden: vec![0],
            ..base()
        }),
        "hidden",
    );
    says(
        build(AdversarialConfig {
            fooling_pace: 0.0,
            ..base()
        }),
        "fooling_pace",
    );
    says(
        build(AdversarialConfig {
            discriminator_pace: f64::NAN,
            ..base()
        }),
        "discriminator_pace",
    );
    let prior = Prior::StudentT { freedom: -1.0 };
    says(
        build(AdversarialConfig { prior, ..base() }),
        "degrees of freedom",
    );

    let model = AdversarialAutoencoder::new(&base(), Device::Cpu, 0).unwrap();
    let wrong = Tensor::zeros([2, 5], (Kind::Float, Device::Cpu));
    says(model.encode(&wrong).map(|_| ()), "the image x");
    says(model.decode(&wrong).map(|_| ()), "the code z");
    says(model.discriminate(&wrong).map(|_| ()), "the code z");
    says(model.draw(0).map(|_| ()), "at least 1");
    let x = Tensor::zeros([1, 12], (Kind::Float, Device::Cpu));
    let labels = Tensor::zeros([1], (Kind::Int64, Device::Cpu));
    let batch = Batch {
        c: labels.one_hot(2),
        labels,
        x,
    };
    let unknown = Turn::new("nothing", ["enc"]);
    says(model.turn_losses(&unknown, &batch).map(|_| ()), "nothing");

    struct Lost(AdversarialAutoencoder);
    impl Model for Lost {
        fn var_store(&self) -> &nn::VarStore {
            self.0.var_store()
        }
        fn losses(&self, batch: &Batch, train: bool) -> Result<Losses> {
            self.0.losses(batch, train)
        }
        fn turns(&self) -> Vec<Turn> {
            vec![Turn::new("lost", ["critic"])]
        }
        fn settings(&self) -> serde_json::Value {
            serde_json::Value::Null
        }
        fn rebuild(&self) -> Result<Self> {
            unreachable!("the turn is refused before")
        }
    }
    let run = Trainer::new(&TrainConfig::default()).fit(&Lost(model), &some_data(4), None);
    says(run.map(|_| ()), "critic");
}

#[test]
fn a_loss_that_is_no_number_stops_the_game_before_the_update() {
    let _turn = turn();
    let config = AdversarialConfig {
        output_activation: Activation::Linear,
        ..small(Game::FourTurns)
    };
    let model = AdversarialAutoencoder::new(&config, Device::Cpu, 0).unwrap();
    let config = TrainConfig {
        epochs: 20,
        learning_rate: 1e30,
        ..Default::default()
    };
    let error = Trainer::new(&config)
        .fit(&model, &some_data(8), None)
        .unwrap_err();
    let Error::NotFinite {
        what, step, cause, ..
    } = &error
    else {
        panic!("{error}")
    };
    // The first turn's update throws the decoder; the next turn that sees it stops before its own.
    assert!(what.starts_with("the term "), "{error}");
    assert!(cause.contains("a smaller learning rate helps"), "{error}");
    assert!(*step >= 1, "{error}");
    for (name, weights) in model.var_store().variables() {
        assert!(bool::try_from(weights.isfinite().all()).unwrap(), "{name}");
    }
}

/// The distribution function of Student's t with 1, 2 or 4 degrees of freedom.
fn student_cdf(freedom: f64, t: f64) -> f64 {
    match freedom {
        1.0 => 0.5 + t.atan() / PI,
        2.0 => 0.5 + t / (2.0 * (2.0 + t * t).sqrt()),
        4.0 => {
            let s = t / (4.0 + t * t).sqrt();
            0.5 + 0.75 * (s - s.powi(3) / 3.0)
        }
        other => unreachable!("no closed form here for {other}"),
    }
}

#[test]
fn students_t_is_students_t() {
    let _turn = turn();
    const N: usize = 40_000;
    for freedom in [1.0, 2.0, 4.0] {
        tch::manual_seed(1908);
        let draws = Prior::StudentT { freedom }
            .sample(N as i64 / 4, 4, Device::Cpu)
            .unwrap();
        let mut draws = Vec::<f32>::try_from(draws.flatten(0, -1)).unwrap();
        draws.sort_by(f32::total_cmp);
        let distance = draws
            .iter()
            .enumerate()
            .map(|(i, &t)| (student_cdf(freedom, f64::from(t)) - (i as f64 + 0.5) / N as f64).abs())
            .fold(0.0, f64::max);
        // Kolmogorov and Smirnov: 1.63 / √N at the 1 % level.
        let limit = 1.63 / (N as f64).sqrt();
        assert!(distance < limit, "ν = {freedom}: {distance} < {limit}");
    }
    // Many degrees of freedom, as the original has them: moments beside those of the Gaussian.
    let moments = |prior: Prior| {
        tch::manual_seed(199);
        let t = prior
            .sample(200_000, 2, Device::Cpu)
            .unwrap()
            .to_kind(Kind::Double);
        let variance = t.square().mean(Kind::Double).double_value(&[]);
        let fourth = t.pow_tensor_scalar(4).mean(Kind::Double).double_value(&[]);
        (
            t.mean(Kind::Double).double_value(&[]),
            variance,
            fourth / variance.powi(2) - 3.0,
        )
    };
    let freedom = 199.0;
    for (prior, variance, excess) in [
        (
            Prior::StudentT { freedom },
            freedom / (freedom - 2.0),
            6.0 / (freedom - 4.0),
        ),
        (Prior::StudentT { freedom: 10.0 }, 10.0 / 8.0, 1.0),
        (Prior::Gaussian, 1.0, 0.0),
    ] {
        let (mean, found, kurtosis) = moments(prior);
        assert!(mean.abs() < 0.01, "{prior}: mean {mean}");
        assert!((found - variance).abs() < 0.01, "{prior}: variance {found}");
        assert!(
            (kurtosis - excess).abs() < 0.15,
            "{prior}: excess {kurtosis}"
        );
    }
}

#[test]
fn a_fresh_discriminator_finds_a_difference_and_no_other() {
    let _turn = turn();
    let config = ProbeConfig {
        hidden: vec![64],
        epochs: 3,
        batch_size: 100,
        ..Default::default()
    };
    let accuracy = |shift: f64| {
        tch::manual_seed(5);
        let codes = || Prior::Gaussian.sample(2000, 2, Device::Cpu).unwrap() + shift;
        eval::fresh_discriminator(&codes(), &codes(), &Prior::Gaussian, &config).unwrap()
    };
    // Two Gaussians a distance d apart: the best accuracy is Φ(d/2), Φ(√2) = 0.921 here.
    assert!((accuracy(0.0) - 0.5).abs() < 0.04, "{}", accuracy(0.0));
    assert!((accuracy(2.0) - 0.921).abs() < 0.03, "{}", accuracy(2.0));

    let codes = |width| Tensor::zeros([4, width], (Kind::Float, Device::Cpu));
    let error = eval::fresh_discriminator(&codes(2), &codes(3), &Prior::Gaussian, &config);
    assert!(error.unwrap_err().to_string().contains("unseen codes"));
}

#[test]
fn principal_axes_are_found_and_neighbours_stay_neighbours() {
    let _turn = turn();
    tch::manual_seed(3);
    // Variances 9, 4, 1 along the columns of a rotation.
    let raw = Tensor::randn([3000, 3], (Kind::Float, Device::Cpu));
    let stretched = raw * Tensor::from_slice(&[3.0f32, 2.0, 1.0]);
    let (q, _) = Tensor::linalg_qr(
        &Tensor::randn([3, 3], (Kind::Float, Device::Cpu)),
        "reduced",
    );
    let codes = stretched.matmul(&q.tr()) + 5.0;
    let projection = eval::pca(&codes, 2).unwrap();
    for (share, expected) in projection.shares.iter().zip([9.0 / 14.0, 4.0 / 14.0]) {
        assert!((share - expected).abs() < 0.02, "{share} is not {expected}");
    }
    let original = &stretched - stretched.mean_dim([0i64].as_slice(), true, Kind::Float);
    for axis in 0..2 {
        let (a, b) = (projection.points.select(1, axis), original.select(1, axis));
        let product = (&a * &b).sum(Kind::Float).abs() / (a.norm() * b.norm());
        assert!(product.double_value(&[]) > 0.999, "axis {axis}");
    }

    // Three clusters far apart in ten dimensions: on the plane each keeps to itself.
    let labels =
        Tensor::arange(3, (Kind::Int64, Device::Cpu)).repeat_interleave_self_int(60, 0, None);
    let clusters = Tensor::randn([180, 10], (Kind::Float, Device::Cpu))
        + labels.one_hot(10).to_kind(Kind::Float) * 20.0;
    let config = TsneConfig {
        perplexity: 15.0,
        steps: 400,
        ..Default::default()
    };
    let plane = eval::tsne(&clusters, &config).unwrap();
    let distances = (plane.unsqueeze(1) - plane.unsqueeze(0)).norm_scalaropt_dim(2, [2i64], false)
        + Tensor::eye(180, (Kind::Float, Device::Cpu)) * 1e6;
    let nearest = labels.index_select(0, &distances.argmin(1, false));
    assert_eq!(nearest, labels);

    for (result, words) in [
        (
            eval::tsne(&clusters.narrow(0, 0, 20), &config).map(|_| ()),
            "too few",
        ),
        (
            eval::tsne(
                &clusters,
                &TsneConfig {
                    theta: 0.0,
                    ..config.clone()
                },
            )
            .map(|_| ()),
            "greater than 0",
        ),
        (
            eval::tsne(&(&clusters / 0.0), &config).map(|_| ()),
            "finite",
        ),
        (eval::pca(&codes, 4).map(|_| ()), "[N, Z]"),
    ] {
        let text = result.unwrap_err().to_string();
        assert!(text.contains(words), "{text:?} should say {words:?}");
    }
}
