//! Batch normalisation with Keras' numbers.

use tch::nn;

/// Batch normalisation (Ioffe and Szegedy 2015) of `[B, units]`, unit by unit:
///
/// y = γ (h − m) / √(v + 10⁻³) + b
///
/// While training, m and v are mean and (biased) variance of the batch, and running averages move
/// towards them, 1 % with each batch; afterwards m and v are these averages. γ begins at 1, b at 0.
///
/// The numbers are Keras' (`momentum=0.99, epsilon=0.001`); tch's own default draws γ at random. As in
/// PyTorch, the average of v takes the unbiased variance of a batch, where Keras takes the biased one.
///
/// The parameters are `weight` (γ) and `bias` (b) under `path`, with `running_mean` and `running_var`
/// beside them, which are kept in checkpoints but not trained.
///
/// A batch of one has no variance: its running variance would become NaN, so refuse it before.
///
/// ```
/// use icvae_core::{model::batch_norm, tch::{nn, nn::ModuleT, Device, Kind, Tensor}};
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let norm = batch_norm(vs.root() / "norm", 8);
/// let h = Tensor::rand([100, 8], (Kind::Float, Device::Cpu)) * 5.0 + 3.0;
/// let y = norm.forward_t(&h, true);
/// assert!(y.mean(Kind::Float).abs().double_value(&[]) < 1e-5);
/// ```
pub fn batch_norm<'a>(path: impl std::borrow::Borrow<nn::Path<'a>>, units: i64) -> nn::BatchNorm {
    let config = nn::BatchNormConfig {
        eps: 1e-3,
        momentum: 0.01,
        ws_init: nn::Init::Const(1.0),
        bs_init: nn::Init::Const(0.0),
        ..Default::default()
    };
    nn::batch_norm1d(path, units, config)
}
