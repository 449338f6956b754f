//! Batch normalisation with Keras' numbers.

use tch::nn::{self, ModuleT};
use tch::{Kind, Tensor};

use super::Dense;
use crate::{Result, no_grad};

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

/// The layer that does to h `[B, units]` what `layer` does to the normalised h once training is over: with
/// y = g ⊙ h + s, its weights are W · diag(g) and its biases b + W s.
///
/// It is a copy without gradients.
///
/// ```
/// use icvae_core::model::{batch_norm, dense, fold_batch_norm};
/// use icvae_core::tch::{Device, Kind, Tensor, nn, nn::{Module, ModuleT}};
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let norm = batch_norm(vs.root() / "norm", 8);
/// let layer = dense(vs.root() / "x_hat", 8, 3);
/// let h = Tensor::rand([100, 8], (Kind::Float, Device::Cpu)) * 5.0 + 3.0;
/// let _ = norm.forward_t(&h, true); // a step of training
///
/// let folded = fold_batch_norm(&norm, &layer)?;
/// let apart = folded.forward(&h) - layer.forward(&norm.forward_t(&h, false));
/// assert!(apart.abs().max().double_value(&[]) < 1e-5);
/// # Ok::<(), icvae_core::Error>(())
/// ```
///
/// # Errors
/// If the norm has another number of units than the layer takes.
pub fn fold_batch_norm(norm: &nn::BatchNorm, layer: &Dense) -> Result<Dense> {
    let (_, inputs) = layer.ws.size2()?;
    let units = norm.running_mean.size();
    if units != [inputs] {
        return Err(crate::Error::Shape {
            what: "the batch norm before a layer",
            expected: format!("[{inputs}], as many units as the layer takes"),
            found: units,
        });
    }
    no_grad(|| {
        let options = (Kind::Float, layer.ws.device());
        let shift = norm.forward_t(&Tensor::zeros([1, inputs], options), false); // [1, in]
        let gain = norm.forward_t(&Tensor::ones([1, inputs], options), false) - &shift;
        let moved = layer.ws.matmul(&shift.view([-1])); // [out]
        Ok(Dense {
            ws: (&layer.ws * gain).detach(),
            bs: Some(match &layer.bs {
                Some(bias) => bias.detach() + moved,
                None => moved,
            }),
            activation: layer.activation,
        })
    })
}
