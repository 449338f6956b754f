//! Fully connected layers, alone and in stacks.

use tch::Tensor;
use tch::nn::{self, Module, ModuleT};

use super::{Activation, batch_norm};
use crate::cpu::dropout::dropout;
use crate::{Error, Result, cpu};

/// A fully connected layer a ↦ aWᵀ + b with W ∈ ℝ^(out×in), drawn as Keras does it: Glorot uniform,
/// W ~ U(±√(6 / (in + out))) (Glorot and Bengio 2010, equation 16), and b = 0.
///
/// Maps `[B, inputs]` to `[B, outputs]`. Its parameters are `weight` and `bias` under `path`.
///
/// ```
/// use icvae_core::model::{Activation, dense};
/// use icvae_core::tch::{Device, Kind, Tensor, nn, nn::Module};
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let layer = dense(vs.root() / "enc_h1", 784, 512).with(Activation::Tanh);
/// assert_eq!(layer.ws.size(), [512, 784]);
/// let x = Tensor::rand([32, 784], (Kind::Float, Device::Cpu));
/// assert_eq!(layer.forward(&x).size(), [32, 512]);
/// ```
pub fn dense<'a>(path: impl std::borrow::Borrow<nn::Path<'a>>, inputs: i64, outputs: i64) -> Dense {
    let bound = (6.0 / (inputs + outputs) as f64).sqrt();
    let config = nn::LinearConfig {
        ws_init: nn::Init::Uniform {
            lo: -bound,
            up: bound,
        },
        bs_init: Some(nn::Init::Const(0.0)),
        bias: true,
    };
    nn::linear(path, inputs, outputs, config).into()
}

/// A fully connected layer and, if it has one, the activation function after it: a ↦ f(aWᵀ + b).
///
/// It does what tch's `nn::Linear` and [`Activation::apply`] do one after the other, and libtorch's autograd
/// sees it as one operation. On the CPU it is computed by this crate, with the widest instructions that the
/// processor has, and its derivative too. Any other tensor operations may stand around it.
///
/// [`dense`] makes one with Keras' initial weights; a `nn::Linear` with others becomes one by `into()`.
#[derive(Debug)]
pub struct Dense {
    /// The weights W, `[out, in]`.
    pub ws: Tensor,
    /// The biases b, `[out]`.
    pub bs: Option<Tensor>,
    /// f.
    pub activation: Activation,
}

impl Dense {
    /// The layer with an activation function after it, instead of what it had.
    #[must_use]
    pub fn with(self, activation: Activation) -> Self {
        Self { activation, ..self }
    }
}

impl From<nn::Linear> for Dense {
    fn from(layer: nn::Linear) -> Self {
        Self {
            ws: layer.ws,
            bs: layer.bs,
            activation: Activation::Linear,
        }
    }
}

impl Module for Dense {
    /// Maps `[B, in]` to `[B, out]`.
    ///
    /// # Panics
    /// As every module of tch, if the shape doesn't fit; the place that it names is the caller's.
    #[track_caller]
    fn forward(&self, x: &Tensor) -> Tensor {
        match cpu::dense::forward(x, &self.ws, self.bs.as_ref(), self.activation) {
            Ok(y) => y,
            Err(error) => {
                let [outputs, inputs] = [0, 1].map(|i| self.ws.size().get(i).copied().unwrap_or(0));
                let shape = x.size();
                panic!(
                    "a dense layer of [B, {inputs}] to [B, {outputs}] was given {shape:?}: {error}"
                )
            }
        }
    }
}

/// The numbers that define a [`DenseStack`].
#[derive(Debug, Clone, PartialEq)]
pub struct StackConfig {
    /// Units of each layer.
    pub hidden: Vec<i64>,
    /// Activation after each layer.
    pub activation: Activation,
    /// Share of units dropped while training, in [0, 1).
    pub dropout: f64,
    /// Whether each layer's activations are batch-normalised, see [`batch_norm`].
    pub batch_norm: bool,
}

impl StackConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        if let Some(units) = self.hidden.iter().find(|&&units| units < 1) {
            return Err(Error::Invalid(format!(
                "a hidden layer has {units} units, but needs at least 1"
            )));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(Error::Invalid(format!(
                "dropout is {}, but must be at least 0 and less than 1",
                self.dropout
            )));
        }
        Ok(())
    }
}

/// Hidden layers in a row: dense → activation → (batch norm) → (dropout), each `[B, in]` → `[B, out]`.
///
/// Dropout (Srivastava et al. 2014) sets a unit to 0 with the given probability while training, and
/// divides the others by what is left of 1, so that the mean stays; afterwards it does nothing.
#[derive(Debug)]
pub struct DenseStack {
    layers: Vec<Layer>,
    dropout: f64,
    outputs: i64,
}

#[derive(Debug)]
struct Layer {
    dense: Dense,
    norm: Option<nn::BatchNorm>,
}

impl DenseStack {
    /// Builds the layers `{name}_h1`, `{name}_h2`, … under `path`.
    ///
    /// # Errors
    /// If the configuration makes no sense.
    pub fn new(path: &nn::Path, name: &str, inputs: i64, config: &StackConfig) -> Result<Self> {
        config.check()?;
        let mut width = inputs;
        let mut layers = Vec::with_capacity(config.hidden.len());
        for (i, &units) in config.hidden.iter().enumerate() {
            let layer_path = path / format!("{name}_h{}", i + 1);
            let norm = config
                .batch_norm
                .then(|| batch_norm(&layer_path / "norm", units));
            layers.push(Layer {
                dense: dense(&layer_path, width, units).with(config.activation),
                norm,
            });
            width = units;
        }
        Ok(Self {
            layers,
            dropout: config.dropout,
            outputs: width,
        })
    }

    /// Units of the last layer, or the inputs where there is no layer.
    pub fn outputs(&self) -> i64 {
        self.outputs
    }
}

impl ModuleT for DenseStack {
    fn forward_t(&self, x: &Tensor, train: bool) -> Tensor {
        self.layers.iter().fold(x.shallow_clone(), |h, layer| {
            let mut h = layer.dense.forward(&h);
            if let Some(norm) = &layer.norm {
                h = norm.forward_t(&h, train);
            }
            if train && self.dropout > 0.0 {
                // As for every operation of tch: it panics where libtorch has no memory.
                dropout(&h, self.dropout).unwrap_or_else(|error| panic!("{error}"))
            } else {
                h
            }
        })
    }
}
