//! The dense layer, one node of libtorch's autograd, against the same in libtorch's own operations: whatever stands
//! around it.
//!
//! All of it with each of the products that there are.

#![allow(clippy::unwrap_used)]

mod every_products;
mod turn;

use icvae_core::model::{Activation, Dense, dense};
use icvae_core::no_grad;
use icvae_core::tch::nn::{self, Module};
use icvae_core::tch::{self, Device, Kind, Tensor};
use icvae_core::train::{Adam, AdamConfig, Optimizer};
use turn::turn;

const FLOAT: (Kind, Device) = (Kind::Float, Device::Cpu);

/// Two layers that are the same numbers: ours, and libtorch's operations one by one.
struct Twins {
    vs: nn::VarStore,
    ours: Dense,
    inputs: i64,
}

impl Twins {
    fn new(inputs: i64, outputs: i64, activation: Activation) -> Self {
        tch::manual_seed(5);
        let vs = nn::VarStore::new(Device::Cpu);
        let ours = dense(vs.root() / "only", inputs, outputs).with(activation);
        no_grad(|| {
            let _ = ours.bs.as_ref().unwrap().shallow_clone().normal_(0.0, 0.5);
        });
        Self { vs, ours, inputs }
    }

    fn theirs(&self, x: &Tensor) -> Tensor {
        let product = x.linear(&self.ours.ws, self.ours.bs.as_ref());
        self.ours.activation.apply(&product)
    }

    fn x(&self, rows: i64) -> Tensor {
        Tensor::randn([rows, self.inputs], FLOAT)
    }

    fn leaves(&self) -> [&Tensor; 2] {
        [&self.ours.ws, self.ours.bs.as_ref().unwrap()]
    }

    /// The gradients of a loss of the layer, by `layer`, with respect to x, W and b.
    fn gradients(
        &self,
        x: &Tensor,
        layer: impl Fn(&Tensor) -> Tensor,
        loss: impl Fn(&dyn Fn(&Tensor) -> Tensor, &Tensor) -> Tensor,
    ) -> Vec<Tensor> {
        tch::manual_seed(9);
        let x = x.detach().set_requires_grad(true);
        let [w, b] = self.leaves();
        let loss = loss(&layer, &x);
        let mut all = vec![loss.detach()];
        all.extend(Tensor::run_backward(&[loss], &[&x, w, b], false, false));
        all
    }

    /// Values and gradients of a loss must be the same with either layer.
    #[track_caller]
    fn agree(&self, x: &Tensor, loss: impl Fn(&dyn Fn(&Tensor) -> Tensor, &Tensor) -> Tensor) {
        let found = self.gradients(x, |x| self.ours.forward(x), &loss);
        let expected = self.gradients(x, |x| self.theirs(x), &loss);
        for ((found, expected), name) in found.iter().zip(&expected).zip(["loss", "x", "W", "b"]) {
            assert_close(found, expected, name);
        }
    }
}

#[track_caller]
fn assert_close(found: &Tensor, expected: &Tensor, what: &str) {
    assert_eq!(found.size(), expected.size(), "{what}");
    let scale = expected.abs().max().double_value(&[]).max(1e-3);
    let worst = (found - expected).abs().max().double_value(&[]) / scale;
    assert!(worst < 1e-5, "{what}: off by {worst:e}");
}

fn squares(layer: &dyn Fn(&Tensor) -> Tensor, x: &Tensor) -> Tensor {
    (layer(x) - 0.3).square().sum(Kind::Float)
}

#[test]
fn values_and_gradients_are_libtorchs_at_every_size_and_for_every_activation() {
    let _turn = turn();
    let activations = [
        Activation::Linear,
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu(0.2),
        Activation::LeakyRelu(-0.2), // whose sign says nothing: libtorch's
        Activation::Elu,
        Activation::Sigmoid,
        Activation::Softplus,
    ];
    for activation in activations {
        Twins::new(45, 37, activation).agree(&Tensor::randn([33, 45], FLOAT), squares);
    }
    for (inputs, outputs) in [(1, 1), (26, 512), (300, 129), (784, 16)] {
        let twins = Twins::new(inputs, outputs, Activation::Tanh);
        for rows in [1, 7, 32, 33, 128] {
            twins.agree(&twins.x(rows), squares);
        }
    }
    let twins = Twins::new(20, 10, Activation::Tanh);
    twins.agree(&twins.x(2000), squares); // more rows than are multiplied here
    assert_eq!(twins.ours.forward(&twins.x(0)).size(), [0, 10]);
}

#[test]
fn inputs_that_do_not_lie_side_by_side_take_another_way_to_the_same_numbers() {
    let _turn = turn();
    let twins = Twins::new(20, 10, Activation::Tanh);
    twins.agree(&Tensor::randn([20, 8], FLOAT).tr(), squares);
    twins.agree(&Tensor::randn([8, 40], FLOAT).slice(1, 0, 40, 2), squares);
    twins.agree(&Tensor::randn([20], FLOAT), squares);
    twins.agree(&Tensor::randn([4, 5, 20], FLOAT), squares);
    let mut vs = nn::VarStore::new(Device::Cpu);
    let double = dense(vs.root(), 20, 10);
    vs.double();
    let x = Tensor::randn([8, 20], (Kind::Double, Device::Cpu));
    assert_eq!(double.forward(&x).kind(), Kind::Double);
}

#[test]
fn any_operations_may_stand_around_it() {
    let _turn = turn();
    let twins = Twins::new(24, 24, Activation::Tanh);
    let x = twins.x(16);
    // Control flow that looks at values.
    twins.agree(&x, |layer, x| {
        let mut h = layer(x);
        for _ in 0..3 {
            let up = h.mean(None).double_value(&[]) > 0.0;
            h = layer(&(if up { h * 0.5 } else { h - 0.2 }));
        }
        if h.max().double_value(&[]) > 0.0 {
            h.exp().mean(None)
        } else {
            h.sum(None)
        }
    });
    // A weight that depends on the step, and random draws.
    for step in [0.0, 0.7] {
        twins.agree(&x, |layer, x| {
            let h = layer(x);
            let noise = h.randn_like();
            (h * (1.0 - step) + noise * step).square().sum(None) * step.exp()
        });
    }
    // Used twice, and its output, too.
    twins.agree(&x, |layer, x| (layer(&layer(x)) * layer(x)).sum(None));
    // The weights shared with something that is no layer.
    twins.agree(&x, |layer, x| {
        layer(x).sum(None) + twins.ours.ws.square().sum(None)
    });
    // The weights shared with another layer, which has no bias and another activation.
    let shared = Dense {
        ws: twins.ours.ws.shallow_clone(),
        bs: None,
        activation: Activation::Sigmoid,
    };
    let found = twins.gradients(
        &x,
        |x| twins.ours.forward(x),
        |layer, x| squares(&|x| shared.forward(x), &layer(x)),
    );
    let expected = twins.gradients(
        &x,
        |x| twins.theirs(x),
        |layer, x| {
            squares(
                &|x| x.linear::<&Tensor>(&shared.ws, None).sigmoid(),
                &layer(x),
            )
        },
    );
    for (found, expected) in found.iter().zip(&expected) {
        assert_close(found, expected, "shared");
    }
    // A gradient that is one number for all.
    twins.agree(&x, |layer, x| layer(x).sum(None));
    // An output nobody uses.
    twins.agree(&x, |layer, x| {
        let _unused = layer(x);
        layer(x).mean(None)
    });
}

#[test]
fn frozen_weights_get_no_gradient_and_let_it_through() {
    let _turn = turn();
    let twins = Twins::new(24, 12, Activation::Relu);
    let _ = twins.ours.ws.set_requires_grad(false);
    let x = twins.x(16).set_requires_grad(true);
    let b = twins.leaves()[1];
    let by = |y: Tensor| Tensor::run_backward(&[y.square().sum(None)], &[&x, b], false, false);
    let (found, expected) = (by(twins.ours.forward(&x)), by(twins.theirs(&x)));
    assert_close(&found[0], &expected[0], "x");
    assert_close(&found[1], &expected[1], "b");
    // The other way round: b frozen, W trained.
    let twins = Twins::new(24, 12, Activation::Tanh);
    let [w, b] = twins.leaves();
    let _ = b.set_requires_grad(false);
    let by = |y: Tensor| Tensor::run_backward(&[y.square().sum(None)], &[&x, w], false, false);
    let (found, expected) = (by(twins.ours.forward(&x)), by(twins.theirs(&x)));
    assert_close(&found[0], &expected[0], "x beside a frozen b");
    assert_close(&found[1], &expected[1], "W beside a frozen b");
    let frozen = Dense {
        ws: twins.ours.ws.detach(),
        bs: twins.ours.bs.as_ref().map(Tensor::detach),
        activation: Activation::Relu,
    };
    assert!(!frozen.forward(&twins.x(4)).requires_grad());
}

#[test]
fn gradients_accumulate_over_two_batches_when_backward_is_called_by_hand() {
    let _turn = turn();
    let twins = Twins::new(30, 20, Activation::Tanh);
    let batches = [twins.x(32), twins.x(32)];
    let by_hand = |layer: &dyn Fn(&Tensor) -> Tensor| {
        for leaf in twins.leaves() {
            leaf.shallow_clone().zero_grad();
        }
        for x in &batches {
            squares(layer, x).backward();
        }
        twins.leaves().map(|leaf| leaf.grad().copy())
    };
    let found = by_hand(&|x| twins.ours.forward(x));
    let expected = by_hand(&|x| twins.theirs(x));
    assert_close(&found[0], &expected[0], "W");
    assert_close(&found[1], &expected[1], "b");
    // What was returned once isn't written to by the next pass.
    let once = |x| twins.gradients(x, |x| twins.ours.forward(x), squares);
    let first = once(&batches[0]);
    let kept: Vec<_> = first.iter().map(Tensor::copy).collect();
    let _second = once(&batches[1]);
    assert_eq!(first, kept);
}

#[test]
fn without_autograd_nothing_is_recorded() {
    let _turn = turn();
    let twins = Twins::new(30, 20, Activation::Tanh);
    let x = twins.x(8);
    let y = no_grad(|| twins.ours.forward(&x));
    assert!(!y.requires_grad());
    assert!(twins.ours.forward(&x).requires_grad());
    assert_close(&y, &twins.theirs(&x), "y");
}

#[test]
fn a_second_backward_and_changed_numbers_are_refused_with_libtorchs_words() {
    let _turn = turn();
    let twins = Twins::new(30, 20, Activation::Tanh);
    // libtorch keeps W only for the gradient of x; we keep it always.
    let x = twins.x(8).set_requires_grad(true);
    let [w, b] = twins.leaves();
    let again = |loss: &Tensor, keep| Tensor::f_run_backward(&[loss], &[w, b], keep, false);
    let loss = squares(&|x| twins.ours.forward(x), &x);
    let kept = again(&loss, true).unwrap();
    assert_close(&again(&loss, false).unwrap()[0], &kept[0], "kept");
    let error = again(&loss, false).unwrap_err().to_string();
    assert!(
        error.contains("backward through the graph a second time"),
        "{error}"
    );
    for changed in [w, &x] {
        let loss = squares(&|x| twins.ours.forward(x), &x);
        no_grad(|| drop(changed.shallow_clone().g_add_scalar_(0.0)));
        let error = again(&loss, false).unwrap_err().to_string();
        assert!(
            error.contains("modified by an inplace operation"),
            "{error}"
        );
    }
    // The optimiser's own backward, which may leave a weight's gradient in factors, ends the graph as any does.
    let mut adam = Adam::new(&twins.vs, 5e-4, &AdamConfig::default()).unwrap();
    let loss = squares(&|x| twins.ours.forward(x), &x);
    adam.minimise(&loss).unwrap();
    let error = adam.minimise(&loss).unwrap_err().to_string();
    assert!(
        error.contains("backward through the graph a second time"),
        "{error}"
    );
    // An optimiser's step is such a change.
    let mut adam = Adam::new(&twins.vs, 5e-4, &AdamConfig::default()).unwrap();
    let (first, second) = (
        squares(&|x| twins.ours.forward(x), &x),
        twins.ours.forward(&x),
    );
    adam.minimise(&first).unwrap();
    let error = again(&second.sum(None), false).unwrap_err().to_string();
    assert!(
        error.contains("modified by an inplace operation"),
        "{error}"
    );
}

#[test]
fn the_derivative_of_the_derivative_is_libtorchs() {
    let _turn = turn();
    for activation in [Activation::Linear, Activation::Tanh, Activation::Softplus] {
        let twins = Twins::new(10, 6, activation);
        let penalty = |layer: &dyn Fn(&Tensor) -> Tensor, x: &Tensor| {
            // As a gradient penalty has it: the length of ∂y/∂x, and the layer twice.
            let y = layer(x).square().sum(None) + layer(x).sum(None);
            let slope = Tensor::run_backward(&[&y], &[x], true, true);
            slope[0].square().sum(None) + y
        };
        twins.agree(&twins.x(7), penalty);
    }
}

#[test]
fn ten_steps_of_adam_are_those_with_whole_gradients() {
    let _turn = turn();
    // A layer used twice, a layer whose weights also stand elsewhere, and one that the loss doesn't reach.
    let run = |by_hand: bool| {
        tch::manual_seed(3);
        let vs = nn::VarStore::new(Device::Cpu);
        let path = vs.root();
        let layers = [(50, 40), (40, 40), (40, 50), (9, 9)];
        let layers: Vec<_> = (layers.iter().enumerate())
            .map(|(i, &(n_in, n_out))| {
                let layer = dense(&path / format!("h{i}"), n_in, n_out);
                layer.with(Activation::Tanh)
            })
            .collect();
        let config = AdamConfig {
            epsilon: 1e-3,
            ..Default::default()
        };
        let mut adam = Adam::new(&vs, 5e-4, &config).unwrap();
        for _ in 0..10 {
            let x = Tensor::randn([33, 50], FLOAT);
            let h = layers[1].forward(&layers[1].forward(&layers[0].forward(&x)));
            let loss = (layers[2].forward(&h) - x).square().mean(None)
                + layers[2].ws.square().sum(None) * 1e-3;
            if by_hand {
                let names: Vec<_> = adam.names().map(str::to_owned).collect();
                let variables = vs.variables();
                let leaves: Vec<_> = names.iter().map(|name| &variables[name]).collect();
                adam.apply(&Tensor::run_backward(&[loss], &leaves, false, false))
                    .unwrap();
            } else {
                adam.minimise(&loss).unwrap();
            }
        }
        let mut all: Vec<_> = vs.variables().into_iter().collect();
        all.extend(adam.state());
        all.sort_by(|a, b| a.0.cmp(&b.0));
        all
    };
    for ((name, found), (_, expected)) in run(false).into_iter().zip(run(true)) {
        assert_close(&found, &expected, &name);
    }
}

#[test]
#[should_panic(expected = "a dense layer of [B, 20] to [B, 10] was given [4, 21]")]
fn a_wrong_width_is_said() {
    let _turn = turn();
    let _ = Twins::new(20, 10, Activation::Tanh)
        .ours
        .forward(&Tensor::zeros([4, 21], FLOAT));
}
