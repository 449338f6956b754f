//! The likelihoods against torch.distributions (`golden/likelihood.py`), what they refuse, and the
//! grid of codes over the prior.

#![allow(clippy::unwrap_used)]

mod golden;

use golden::assert_close;
use icvae_core::eval::prior_grid;
use icvae_core::loss;
use icvae_core::model::{IcvaeConfig, Likelihood};
use icvae_core::tch::{Device, Kind, Tensor};

#[test]
fn values_and_gradients_are_those_of_torchs_distributions() {
    let golden = golden::read("likelihood");
    let cases = [0.5, 0.01, 4.0].map(|variance| {
        let likelihood = Likelihood::Gaussian { variance };
        // Python writes 4.0 where Rust's {} writes 4.
        (likelihood, format!("gaussian.{variance:?}"))
    });
    let bernoulli = (Likelihood::Bernoulli, "bernoulli".to_owned());
    for (likelihood, name) in cases.into_iter().chain([bernoulli]) {
        let a = golden["a"].copy().set_requires_grad(true);
        let nats = likelihood.nll(&golden["x"], &a).unwrap();
        assert_close(&nats, &golden[&name], 1e-5, &name);
        nats.sum(Kind::Float).backward();
        assert_close(&a.grad(), &golden[&format!("{name}.gradient")], 1e-5, &name);
    }
}

#[test]
fn a_fair_coin_has_a_gradient() {
    // log(1 + eᵃ) − a x has the derivative ½ − x at a = 0.
    let x = Tensor::from_slice2(&[[0.0_f32, 0.25, 1.0]]);
    let a = x.zeros_like().set_requires_grad(true);
    let nats = loss::bernoulli_nll(&x, &a).unwrap();
    nats.sum(Kind::Float).backward();
    assert_close(&a.grad(), &(0.5 - x), 1e-5, "gradient");
}

#[test]
fn the_squared_error_is_the_gaussian_of_variance_one_half_without_its_constant() {
    let golden = golden::read("likelihood");
    let (x, a) = (&golden["x"], &golden["a"]);
    let constant = 7.0 / 2.0 * std::f64::consts::PI.ln();
    let gaussian = loss::gaussian_nll(x, a, 0.5).unwrap() - constant;
    assert_close(
        &Likelihood::SquaredError.nll(x, a).unwrap(),
        &gaussian,
        1e-5,
        "error",
    );
}

#[test]
fn the_mean_is_the_picture_that_the_output_stands_for() {
    let a = Tensor::from_slice2(&[[0.0_f32, 3.0]]);
    let odds = Likelihood::Bernoulli.mean(&a);
    assert_close(
        &odds,
        &Tensor::from_slice2(&[[0.5_f32, 0.952_574_1]]),
        1e-5,
        "p",
    );
    for likelihood in [
        Likelihood::SquaredError,
        Likelihood::Gaussian { variance: 0.1 },
    ] {
        assert!(likelihood.mean(&a).equal(&a));
    }
}

#[test]
fn wrong_variances_and_shapes_are_refused_in_a_sentence() {
    for variance in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let config = IcvaeConfig {
            likelihood: Likelihood::Gaussian { variance },
            ..Default::default()
        };
        let told = config.check().unwrap_err().to_string();
        assert!(
            told.contains(&format!("likelihood is {variance}")),
            "{told}"
        );
        let x = Tensor::zeros([2, 3], (Kind::Float, Device::Cpu));
        assert!(loss::gaussian_nll(&x, &x, variance).is_err());
    }
    let (x, a) = ([2, 3], [3, 2]);
    let [x, a] = [x, a].map(|size| Tensor::zeros(size, (Kind::Float, Device::Cpu)));
    let told = loss::gaussian_nll(&x, &a, 1.0).unwrap_err().to_string();
    assert!(
        told.contains("must have the shape [B, P] = [2, 3]"),
        "{told}"
    );
}

#[test]
fn a_configuration_says_its_likelihood_in_json() {
    let config: IcvaeConfig =
        serde_json::from_str(r#"{"likelihood": {"gaussian": {"variance": 0.01}}}"#).unwrap();
    assert_eq!(config.likelihood, Likelihood::Gaussian { variance: 0.01 });
    let again = serde_json::to_string(&config).unwrap();
    assert_eq!(serde_json::from_str::<IcvaeConfig>(&again).unwrap(), config);
    let wrong = r#"{"likelihood": {"gaussian": {"sigma": 0.01}}}"#;
    assert!(serde_json::from_str::<IcvaeConfig>(wrong).is_err());
}

#[test]
fn the_grid_follows_the_quantiles_of_the_normal_distribution() {
    let z = prior_grid(5, 3, Device::Cpu).unwrap();
    assert_eq!((z.size(), z.kind()), (vec![25, 3], Kind::Float));
    // Python: [statistics.NormalDist().inv_cdf(p) for p in (0.05, 0.275, 0.5, 0.725, 0.95)]
    let quantiles = [
        -1.6448536269514726,
        -0.5977601260424784,
        0.0,
        0.5977601260424784,
        1.6448536269514715,
    ];
    for (i, (row, column)) in (0..5).flat_map(|r| (0..5).map(move |c| (r, c))).enumerate() {
        let expected = [quantiles[column], quantiles[4 - row], 0.0];
        for (d, expected) in expected.into_iter().enumerate() {
            let found = z.double_value(&[i as i64, d as i64]);
            assert!((found - expected).abs() < 1e-6, "entry {i}, {d}: {found}");
        }
    }
    for (steps, latent) in [(1, 2), (15, 1)] {
        let told = prior_grid(steps, latent, Device::Cpu).unwrap_err();
        assert!(told.to_string().contains("at least 2 steps"), "{told}");
    }
}
