//! The optimiser against tch's own, and its refusals.

#![allow(clippy::unwrap_used)]

mod turn;

use icvae_core::tch::nn::OptimizerConfig;
use icvae_core::tch::{self, Device, Kind, Tensor, nn};
use icvae_core::train::{Adam, AdamConfig, EpsilonConvention};
use turn::turn;

/// Variables of awkward sizes, one of them large enough to be shared between threads.
fn variables(vs: &nn::VarStore) -> Vec<Tensor> {
    let root = vs.root();
    [vec![1], vec![7, 3], vec![300, 257], vec![2, 3, 5]]
        .into_iter()
        .enumerate()
        .map(|(i, size)| root.randn(&format!("v{i}"), &size, 0.0, 1.0))
        .collect()
}

fn loss(variables: &[Tensor], step: i64) -> Tensor {
    let terms: Vec<_> = variables
        .iter()
        .enumerate()
        .map(|(i, v)| {
            (v * (i as f64 + 0.5) - (step as f64).sin())
                .square()
                .mean(Kind::Float)
        })
        .collect();
    Tensor::stack(&terms, 0).sum(Kind::Float)
}

#[test]
fn a_hundred_steps_are_those_of_tchs_own_adam() {
    let _turn = turn();
    tch::manual_seed(11);
    let (ours, theirs) = (
        nn::VarStore::new(Device::Cpu),
        nn::VarStore::new(Device::Cpu),
    );
    let (a, b) = (variables(&ours), variables(&theirs));
    tch::no_grad(|| {
        a.iter()
            .zip(&b)
            .for_each(|(a, b)| b.shallow_clone().copy_(a))
    });
    let config = AdamConfig {
        learning_rate: 0.01,
        epsilon: 1e-8,
        convention: EpsilonConvention::Pytorch,
        ..Default::default()
    };
    let mut adam = Adam::new(&ours, &config).unwrap();
    let mut reference = nn::Adam::default().build(&theirs, 0.01).unwrap();
    for step in 0..100 {
        adam.minimise(&loss(&a, step)).unwrap();
        reference.backward_step(&loss(&b, step));
    }
    assert_eq!(adam.steps(), 100);
    for (a, b) in a.iter().zip(&b) {
        let apart = (a - b).abs().max().double_value(&[]);
        assert!(apart < 1e-5, "{:?}: {apart:e}", a.size());
    }
}

#[test]
fn the_pass_over_memory_equals_the_tensor_operations_of_other_devices() {
    let _turn = turn();
    // A transposed variable is not contiguous, and takes the path of other devices.
    tch::manual_seed(12);
    let start = Tensor::randn([40, 30], (Kind::Float, Device::Cpu));
    for convention in [EpsilonConvention::Keras, EpsilonConvention::Pytorch] {
        let config = AdamConfig {
            convention,
            learning_rate: 0.01,
            ..Default::default()
        };
        let run = |variable: Tensor| {
            let variable = variable.set_requires_grad(true);
            let named = vec![("v".to_owned(), variable.shallow_clone())];
            let mut adam = Adam::for_variables(named, &config).unwrap();
            for step in 0..20 {
                adam.minimise(&loss(&[variable.shallow_clone()], step))
                    .unwrap();
            }
            variable.detach()
        };
        let fast = run(start.copy());
        let slow = run(start.tr().contiguous().tr());
        let apart = (fast - slow).abs().max().double_value(&[]);
        assert!(apart < 1e-6, "{convention:?}: {apart:e}");
    }
}

#[test]
fn what_cannot_be_optimised_is_refused_in_one_sentence() {
    let _turn = turn();
    let vs = nn::VarStore::new(Device::Cpu);
    let _ = variables(&vs);
    let mut adam = Adam::new(&vs, &AdamConfig::default()).unwrap();
    let error = adam.apply(&[]).unwrap_err().to_string();
    assert!(error.contains("0 gradients for 4 variables"), "{error}");
    let wrong: Vec<_> = (0..4)
        .map(|_| Tensor::zeros([9], (Kind::Float, Device::Cpu)))
        .collect();
    let error = adam.apply(&wrong).unwrap_err().to_string();
    assert!(
        error.contains("the gradient of v0 has the shape [9]"),
        "{error}"
    );
    let double = Tensor::zeros([2], (Kind::Double, Device::Cpu)).set_requires_grad(true);
    let error = Adam::for_variables(vec![("d".into(), double)], &AdamConfig::default());
    assert!(error.unwrap_err().to_string().contains("works on float32"));
    for (config, words) in [
        (
            AdamConfig {
                beta1: 1.0,
                ..Default::default()
            },
            "beta1 is 1",
        ),
        (
            AdamConfig {
                beta2: -0.1,
                ..Default::default()
            },
            "beta2 is -0.1",
        ),
        (
            AdamConfig {
                epsilon: f64::NAN,
                ..Default::default()
            },
            "epsilon is NaN",
        ),
        (
            AdamConfig {
                learning_rate: -1.0,
                ..Default::default()
            },
            "learning_rate is -1",
        ),
    ] {
        let error = Adam::new(&vs, &config).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}
