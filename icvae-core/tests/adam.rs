//! The optimiser against tch's own, and its refusals.

#![allow(clippy::unwrap_used)]

mod turn;

use icvae_core::tch::nn::OptimizerConfig;
use icvae_core::tch::{self, Device, Kind, Tensor, nn};
use icvae_core::train::{
    Adam, AdamConfig, EpsilonConvention, Optimizer, OptimizerConfig as Config, RmsPropConfig,
    SgdConfig,
};
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
        epsilon: 1e-8,
        convention: EpsilonConvention::Pytorch,
        ..Default::default()
    };
    let mut adam = Adam::new(&ours, 0.01, &config).unwrap();
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
            ..Default::default()
        };
        let run = |variable: Tensor| {
            let variable = variable.set_requires_grad(true);
            let named = vec![("v".to_owned(), variable.shallow_clone())];
            let mut adam = Adam::for_variables(named, 0.01, &config).unwrap();
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
    let mut adam = Adam::new(&vs, 1e-3, &AdamConfig::default()).unwrap();
    let error = adam.apply(&[]).unwrap_err().to_string();
    assert!(
        error.contains("4 variables was given 0 gradients"),
        "{error}"
    );
    let wrong: Vec<_> = (0..4)
        .map(|_| Tensor::zeros([9], (Kind::Float, Device::Cpu)))
        .collect();
    let error = adam.apply(&wrong).unwrap_err().to_string();
    assert!(
        error.contains("the gradient of v0 has the shape [9]"),
        "{error}"
    );
    let sizes = [vec![1], vec![7, 3], vec![300, 257], vec![2, 3, 5]];
    let zeros = |kind| {
        sizes
            .iter()
            .map(|s| Tensor::zeros(s, (kind, Device::Cpu)))
            .collect::<Vec<_>>()
    };
    let error = adam.apply(&zeros(Kind::Double)).unwrap_err().to_string();
    assert!(error.contains("the gradient of v0 holds Double"), "{error}");
    let whole = Tensor::zeros([10], (Kind::Float, Device::Cpu)).set_requires_grad(true);
    let twice = vec![
        ("a".to_owned(), whole.shallow_clone()),
        ("b".to_owned(), whole.shallow_clone()),
    ];
    let error = Adam::for_variables(twice, 5e-4, &AdamConfig::default())
        .unwrap_err()
        .to_string();
    assert!(error.contains("a and b share memory"), "{error}");
    let double = Tensor::zeros([2], (Kind::Double, Device::Cpu)).set_requires_grad(true);
    let error = Adam::for_variables(vec![("d".into(), double)], 1e-3, &AdamConfig::default());
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
    ] {
        let error = Adam::new(&vs, 1e-3, &config).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    let error = Adam::new(&vs, -1.0, &AdamConfig::default()).unwrap_err();
    assert!(error.to_string().contains("learning_rate is -1"), "{error}");
    let double = (0..4).map(|_| Tensor::zeros([1], (Kind::Double, Device::Cpu)));
    let error = adam.apply(&double.collect::<Vec<_>>()).unwrap_err();
    assert!(error.to_string().contains("the gradient of v0"), "{error}");
}

#[test]
fn the_other_optimisers_are_those_of_libtorch() {
    let _turn = turn();
    let rms_prop = nn::RmsProp {
        wd: 0.1,
        ..Default::default()
    };
    let pytorch = AdamConfig {
        epsilon: 1e-8,
        convention: EpsilonConvention::Pytorch,
        ..Default::default()
    };
    let sgd = |momentum, nesterov, wd| {
        let ours = SgdConfig {
            momentum,
            nesterov,
            weight_decay: wd,
        };
        let theirs = nn::Sgd {
            momentum,
            dampening: 0.0,
            wd,
            nesterov,
        };
        (Config::Sgd(ours), theirs)
    };
    type Theirs = Box<dyn Fn(&nn::VarStore) -> nn::Optimizer>;
    let built = |(ours, theirs): (Config, nn::Sgd)| -> (Config, Theirs) {
        (ours, Box::new(move |vs| theirs.build(vs, 0.01).unwrap()))
    };
    let pairs: Vec<(Config, Theirs)> = vec![
        built(sgd(0.0, false, 0.0)),
        built(sgd(0.9, false, 0.0)),
        built(sgd(0.8, true, 0.1)),
        (
            Config::RmsProp(RmsPropConfig {
                weight_decay: 0.1,
                ..Default::default()
            }),
            Box::new(move |vs| rms_prop.build(vs, 0.01).unwrap()),
        ),
        (
            Config::AdamW {
                adam: pytorch,
                weight_decay: 0.2,
            },
            Box::new(|vs| nn::adamw(0.9, 0.999, 0.2).build(vs, 0.01).unwrap()),
        ),
    ];
    for (config, theirs) in pairs {
        tch::manual_seed(11);
        let (one, two) = (
            nn::VarStore::new(Device::Cpu),
            nn::VarStore::new(Device::Cpu),
        );
        let (a, b) = (variables(&one), variables(&two));
        tch::no_grad(|| {
            let pairs = a.iter().zip(&b);
            pairs.for_each(|(a, b)| b.shallow_clone().copy_(a));
        });
        let mut ours = config.build(&one, 0.01).unwrap();
        let mut reference = theirs(&two);
        for step in 0..30 {
            if step == 20 {
                // What was saved goes on as if nothing had happened.
                let saved = ours.state();
                let saved: Vec<_> = saved.iter().map(|(name, t)| (name, t.copy())).collect();
                let mut other = config.build(&one, 0.01).unwrap();
                let mut find = |name: &str| {
                    let found = saved.iter().find(|(known, _)| *known == name);
                    found.map(|(_, tensor)| tensor.shallow_clone())
                };
                other.restore(20, &mut find).unwrap();
                ours = other;
            }
            ours.minimise(&loss(&a, step)).unwrap();
            reference.backward_step(&loss(&b, step));
        }
        for (a, b) in a.iter().zip(&b) {
            let apart = (a - b).abs().max().double_value(&[]);
            assert!(apart < 1e-5, "{config:?} {:?}: {apart:e}", a.size());
        }
    }
}

#[test]
fn a_loss_that_cannot_be_derived_is_an_error_and_no_crash() {
    let _turn = turn();
    let vs = nn::VarStore::new(Device::Cpu);
    let all = variables(&vs);
    let mut adam = Adam::new(&vs, 1e-3, &AdamConfig::default()).unwrap();
    let detached = icvae_core::no_grad(|| loss(&all, 1));
    let error = adam.minimise(&detached).unwrap_err().to_string();
    assert!(error.contains("the loss has no gradient"), "{error}");
    let error = adam.minimise(&all[1].square()).unwrap_err().to_string();
    assert!(
        error.contains("[7, 3]") && error.contains(".mean("),
        "{error}"
    );
    // What a loss does not reach stays as it is, in every optimiser.
    let (first, before) = (all[0].detach().copy(), all[1].detach().copy());
    for config in [
        Config::adam(),
        Config::adam_w(0.1),
        Config::sgd(0.9),
        Config::rms_prop(),
    ] {
        let mut optimizer = config.build(&vs, 0.1).unwrap();
        optimizer
            .minimise(&all[0].square().sum(Kind::Float))
            .unwrap();
    }
    assert_eq!(all[1].detach(), before);
    assert_ne!(all[0].detach(), first);
}

#[test]
fn a_gradient_that_is_another_variable_is_read_before_that_one_is_moved() {
    let _turn = turn();
    tch::manual_seed(4);
    let start = [(); 2].map(|()| Tensor::randn([300, 257], (Kind::Float, Device::Cpu)));
    let run = |aliased: bool| {
        let [a, b] = [0, 1].map(|i: usize| start[i].copy().set_requires_grad(true));
        let named = [("a", &a), ("b", &b)].map(|(name, v)| (name.to_owned(), v.shallow_clone()));
        let mut adam = Adam::for_variables(named.into(), 5e-4, &AdamConfig::default()).unwrap();
        for _ in 0..3 {
            let gradients = [b.detach(), a.detach()];
            if aliased {
                adam.apply(&gradients).unwrap();
            } else {
                adam.apply(&gradients.map(|gradient| gradient.copy()))
                    .unwrap();
            }
        }
        [a.detach(), b.detach()]
    };
    assert_eq!(run(true), run(false));
}
