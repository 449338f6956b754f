//! Dropout is libtorch's, to the last bit, whoever draws it: alone in its process, whose generator it watches.

use icvae_core::model::{Activation, DenseStack, StackConfig, dense};
use icvae_core::tch::nn::{self, Module, ModuleT};
use icvae_core::tch::{self, Device, Kind, Tensor};

#[test]
fn values_gradients_and_what_is_drawn_next_are_those_of_libtorch() {
    tch::manual_seed(3);
    // Fewer numbers than the generator has in a state, about as many, and far more.
    for (p, rows, units) in [(0.5, 7, 33), (0.1, 1, 1), (0.9, 24, 13), (0.3, 500, 256)] {
        let vs = nn::VarStore::new(Device::Cpu);
        let config = StackConfig {
            hidden: vec![units],
            activation: Activation::Linear,
            dropout: p,
            batch_norm: false,
        };
        let stack = DenseStack::new(&vs.root(), "test", 5, &config).unwrap();
        let same = dense(vs.root() / "same", 5, units);
        let mut weights: Vec<_> = vs.variables().into_iter().collect();
        weights.sort_by(|a, b| a.0.cmp(&b.0));
        tch::no_grad(|| {
            let find = |name: &str| {
                weights
                    .iter()
                    .find(|w| w.0 == name)
                    .unwrap()
                    .1
                    .shallow_clone()
            };
            find("same.weight").copy_(&find("test_h1.weight"));
        });
        let x = Tensor::randn([rows, 5], (Kind::Float, Device::Cpu)).set_requires_grad(true);
        let by = Tensor::randn([rows, units], (Kind::Float, Device::Cpu));
        let all = |forward: &dyn Fn() -> Tensor| {
            tch::manual_seed(11);
            // An odd number of draws before it.
            let _ = Tensor::rand([1], (Kind::Float, Device::Cpu));
            let y = forward();
            let total = (&y * &by).sum(Kind::Float);
            let gradient = Tensor::run_backward(&[total], &[&x], false, false).remove(0);
            (
                y,
                gradient,
                Tensor::randn([700], (Kind::Float, Device::Cpu)),
            )
        };
        let ours = all(&|| stack.forward_t(&x, true));
        let theirs = all(&|| same.forward(&x).dropout(p, true));
        assert_eq!(ours.0, theirs.0, "values at {p}");
        assert_eq!(ours.1, theirs.1, "gradients at {p}");
        assert_eq!(ours.2, theirs.2, "what is drawn after {p}");
        assert_eq!(
            stack.forward_t(&x, false),
            same.forward(&x),
            "no dropout after training"
        );
    }
}
