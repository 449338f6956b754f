//! Dense stacks with batch normalisation, dropout and each kind of activation, in both modes, against
//! PyTorch's numbers (`golden/stack.py`).

#![allow(clippy::unwrap_used)]

mod golden;
mod turn;

use golden::assert_close;
use icvae_core::model::{Activation, DenseStack, Icvae, IcvaeConfig, StackConfig};
use icvae_core::tch::{self, Device, Kind, Tensor, nn, nn::ModuleT, no_grad};
use icvae_core::train::Model;
use turn::turn;

#[test]
fn batch_norm_after_each_activation_is_pytorchs_in_both_modes() {
    let golden = golden::read("stack");
    let x = &golden["x"];
    for (name, activation) in [
        ("relu", Activation::Relu),
        ("leaky", Activation::LeakyRelu(0.3)),
        ("elu", Activation::Elu),
    ] {
        let vs = nn::VarStore::new(Device::Cpu);
        let config = StackConfig {
            hidden: vec![6, 4],
            activation,
            dropout: 0.0,
            batch_norm: true,
        };
        let stack = DenseStack::new(&vs.root(), "enc", 5, &config).unwrap();
        let variables = vs.variables();
        assert_eq!(variables.len(), 12, "two layers of six tensors");
        no_grad(|| {
            for (key, mut variable) in vs.variables() {
                let before = &golden[&format!("{name}.before.{key}")];
                if key.contains("running") || key.contains("norm.bias") {
                    let initial = f64::from(key.ends_with("var"));
                    assert!(variable.eq(initial).all().int64_value(&[]) == 1, "{key}");
                }
                variable.copy_(before);
            }
        });
        let mut trained: Vec<_> = variables.iter().filter(|v| v.1.requires_grad()).collect();
        trained.sort_by_key(|v| v.0);
        assert_eq!(trained.len(), 8, "the running averages are not trained");
        for t in 0..3 {
            let h = stack.forward_t(&x.get(t), true);
            assert_close(
                &h,
                &golden[&format!("{name}.train.{t}")],
                2e-5,
                &format!("{name} {t}"),
            );
            if t == 2 {
                let loss = (h * &golden["loss_weight"]).sum(Kind::Float);
                let leaves: Vec<_> = trained.iter().map(|v| v.1).collect();
                let gradients = Tensor::run_backward(&[loss], &leaves, false, false);
                for ((key, _), gradient) in trained.iter().zip(gradients) {
                    let what = format!("{name}.gradient.{key}");
                    assert_close(&gradient, &golden[&what], 2e-5, &what);
                }
            }
        }
        for (key, variable) in &variables {
            let what = format!("{name}.after.{key}");
            assert_close(variable, &golden[&what], 2e-5, &what);
        }
        let after = stack.forward_t(&x.get(3), false);
        assert_close(
            &after,
            &golden[&format!("{name}.eval")],
            2e-5,
            &format!("{name} eval"),
        );
        let again = stack.forward_t(&x.get(3), false);
        assert_eq!(after, again, "using the stack does not change it");
    }
}

#[test]
fn dropout_drops_its_share_scales_the_rest_and_only_while_training() {
    let _turn = turn();
    tch::manual_seed(3);
    let vs = nn::VarStore::new(Device::Cpu);
    let with = |dropout| StackConfig {
        hidden: vec![400],
        activation: Activation::Sigmoid, // never 0 by itself
        dropout,
        batch_norm: false,
    };
    let stack = DenseStack::new(&vs.root(), "enc", 10, &with(0.3)).unwrap();
    let x = Tensor::randn([250, 10], (Kind::Float, Device::Cpu));
    let whole = stack.forward_t(&x, false);
    let first = stack.forward_t(&x, true);
    let ratio = (&first / &whole).flatten(0, -1);
    let dropped = ratio.eq(0.0);
    let kept = ratio.masked_select(&dropped.logical_not());
    assert!((&kept - 1.0 / 0.7).abs().max().double_value(&[]) < 1e-5);
    // 100,000 coins: five standard deviations are 0.0072.
    let share = dropped
        .to_kind(Kind::Double)
        .mean(Kind::Double)
        .double_value(&[]);
    assert!((share - 0.3).abs() < 0.0072, "{share} dropped");
    let second = stack.forward_t(&x, true);
    assert_ne!(first, second, "another draw each time");
    assert_eq!(whole, stack.forward_t(&x, false));

    let error = DenseStack::new(&vs.root(), "bad", 10, &with(1.0)).unwrap_err();
    assert!(error.to_string().contains("dropout is 1"), "{error}");
}

/// The encoder and the decoder of one model with activations of their own.
#[test]
fn a_decoder_may_have_another_activation_than_the_encoder() {
    let _turn = turn();
    let config = IcvaeConfig {
        pixels: 12,
        classes: 3,
        hidden: vec![8],
        latent: 2,
        activation: Activation::Relu,
        decoder_activation: Some(Activation::LeakyRelu(0.3)),
        ..Default::default()
    };
    let model = Icvae::new(&config, Device::Cpu, 0).unwrap();
    let z = Tensor::randn([20, 2], (Kind::Float, Device::Cpu));
    let c = Tensor::eye(3, (Kind::Float, Device::Cpu))
        .repeat([7, 1])
        .narrow(0, 0, 20);
    let w = model.var_store().variables();
    let linear = |x: &Tensor, name: &str| {
        x.linear(
            &w[&format!("{name}.weight")],
            Some(&w[&format!("{name}.bias")]),
        )
    };
    let h = linear(&Tensor::cat(&[&z, &c], 1), "dec_h1");
    let expected = linear(&(h.relu() + h.clamp_max(0.0) * 0.3), "x_hat");
    assert_close(
        &model.decode(&z, &c).unwrap(),
        &expected,
        2e-5,
        "LeakyReLU decoder",
    );
    let x = Tensor::rand([20, 12], (Kind::Float, Device::Cpu));
    let q = model.encode(&x, &c).unwrap();
    let mean = linear(&linear(&x, "enc_h1").relu(), "z_mean").tanh();
    assert_close(&q.mean, &mean, 2e-5, "ReLU encoder");
}
