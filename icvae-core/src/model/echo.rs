//! An autoencoder whose noise is made of other examples.

use serde::{Deserialize, Serialize};
use tch::nn::{self, Module, ModuleT};
use tch::{Device, Kind, Tensor};

use super::width::{check_condition, check_sizes, check_width};
use super::{Activation, Decoder, Dense, DenseStack, Likelihood, StackConfig, dense};
use crate::data::Batch;
use crate::loss;
use crate::train::{Losses, Model};
use crate::{Error, Result, no_grad};

/// Examples that a batch holds at least.
const SMALLEST_BATCH: i64 = 100;

/// Everything that defines an [`Echo`]; sizes and weights are those of [`IcvaeConfig`](super::IcvaeConfig).
///
/// ```
/// use icvae_core::model::EchoConfig;
///
/// assert!((EchoConfig::default().cap() - 0.8359).abs() < 1e-4);
/// let few = EchoConfig { draws: 31, ..Default::default() };
/// assert!(few.check().is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EchoConfig {
    /// Pixels of an image, P.
    pub pixels: i64,
    /// Classes that the decoder is told, C; 0 for a model without a condition.
    pub classes: i64,
    /// Units of each hidden layer; the decoder's follow in the same order.
    pub hidden: Vec<i64>,
    /// Latent dimensions, Z.
    pub latent: i64,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Activation of the decoded image; leave it linear for a Bernoulli likelihood.
    pub output_activation: Activation,
    /// How images are compared.
    pub likelihood: Likelihood,
    /// Other examples that an example's noise is made of, d: at least 99. A batch holds one more at least.
    pub draws: i64,
    /// Weight β of the rate.
    pub beta: f64,
}

impl Default for EchoConfig {
    fn default() -> Self {
        Self {
            pixels: 784,
            classes: 10,
            hidden: vec![512, 512],
            latent: 16,
            activation: Activation::Tanh,
            output_activation: Activation::Linear,
            likelihood: Likelihood::SquaredError,
            draws: SMALLEST_BATCH - 1,
            beta: 1.0,
        }
    }
}

impl EchoConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        check_sizes(&[("pixels", self.pixels), ("latent", self.latent)])?;
        if self.classes < 0 {
            return Err(Error::Invalid(format!(
                "classes is {}, but must be 0 (no condition) or more",
                self.classes
            )));
        }
        if self.draws < SMALLEST_BATCH - 1 {
            return Err(Error::Invalid(format!(
                "draws is {}, but Echo noise needs at least {}: with fewer the scales must stay so small that \
                 every code says much",
                self.draws,
                SMALLEST_BATCH - 1
            )));
        }
        if !self.beta.is_finite() || self.beta < 0.0 {
            return Err(Error::Invalid(format!(
                "beta is {}, but must be a number of 0 or more",
                self.beta
            )));
        }
        self.likelihood.check()?;
        self.stack().check()
    }

    /// The cap r on the scales: what d draws leave out of the noise, at most r^d/(1 − r) where |f| ≤ 1, is then
    /// 2⁻²³, the resolution of a float (Brekelmans et al. 2019, section 3.2). r = 0.8359 for 99 draws.
    pub fn cap(&self) -> f64 {
        let left_out = |r: f64| r.powf(self.draws as f64) / (1.0 - r);
        let (mut low, mut high) = (0.0, 1.0);
        // It grows with r; sixty halvings are beyond a float's digits.
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if left_out(middle) < 2f64.powi(-23) {
                low = middle;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The least rate, −Z log r in nats: with scales at their cap a code still costs this much.
    pub fn least_rate(&self) -> f64 {
        -(self.latent as f64) * self.cap().ln()
    }

    fn stack(&self) -> StackConfig {
        StackConfig {
            hidden: self.hidden.clone(),
            activation: self.activation,
            dropout: 0.0,
            batch_norm: false,
        }
    }
}

/// A batch of codes before the noise is added: z = f(x) + s(x) ⊙ ε.
#[derive(Debug)]
pub struct EchoCode {
    /// f(x), `[B, Z]`.
    pub f: Tensor,
    /// log s(x), `[B, Z]`, below 0.
    pub log_scale: Tensor,
}

impl EchoCode {
    /// s(x), `[B, Z]`.
    pub fn scale(&self) -> Tensor {
        self.log_scale.exp()
    }

    /// z = f(x_i) + s(x_i) ⊙ ε_i with Echo noise ε_i = Σ_l (Π_{k<l} s(x_{i_k})) ⊙ f(x_{i_l}), l from 0, from the
    /// other examples of the batch that row i of `indices`, i64 `[B, d]`, names (Brekelmans et al. 2019, equation 4).
    ///
    /// The noise of all examples together has the distribution of the codes: z of an example is what would come
    /// next in the sum. That is where the exact rate comes from. Gradients reach f and s of the others too.
    ///
    /// # Errors
    /// If the indices are not of that kind and shape, or point outside.
    pub fn sample_with(&self, indices: &Tensor) -> Result<Tensor> {
        let (count, latent) = self.f.size2()?;
        if indices.kind() != Kind::Int64 || indices.dim() != 2 || indices.size()[0] != count {
            return Err(Error::Shape {
                what: "the indices of the other examples",
                expected: format!("[B, d] = [{count}, d], of Int64"),
                found: indices.size(),
            });
        }
        let draws = indices.size()[1];
        let of = |t: &Tensor| -> Result<Tensor> {
            let picked = t.f_index_select(0, &indices.flatten(0, -1))?;
            Ok(picked.view([count, draws, latent]))
        };
        let (f, log_scale) = (of(&self.f)?, of(&self.log_scale)?);
        let before = log_scale.cumsum(1, Kind::Float) - log_scale; // Σ_{k<l} log s
        let noise = (before.exp() * f).sum_dim_intlist(1, false, Kind::Float);
        Ok(&self.f + self.scale() * noise)
    }

    /// The same with others drawn anew and independently for each example, without replacement, and never the
    /// example itself.
    ///
    /// # Errors
    /// If there are not more than `draws` examples.
    pub fn sample(&self, draws: i64) -> Result<Tensor> {
        let count = self.f.size()[0];
        if count <= draws {
            return Err(Error::Invalid(format!(
                "Echo noise is made of {draws} other examples, so a batch must hold at least {}, and this one \
                 holds {count}: choose a batch size from there on that divides the number of examples",
                draws + 1
            )));
        }
        // The order of random numbers is a random order; the example itself comes last.
        let keys = Tensor::rand([count, count], (Kind::Float, self.f.device()));
        let itself = Tensor::eye(count, (Kind::Bool, self.f.device()));
        let order = keys.masked_fill(&itself, 2.0).argsort(1, false);
        self.sample_with(&order.narrow(1, 0, draws).contiguous())
    }

    /// The mean of z over the noise, `[B, Z]`: f(x) + s(x) ⊙ E\[f\]/(1 − E\[s\]), the expectations over this batch.
    pub fn mean(&self) -> Tensor {
        let over_batch = |t: &Tensor| t.mean_dim([0i64].as_slice(), true, Kind::Float);
        let scale = self.scale();
        &self.f + &scale * over_batch(&self.f) / (1.0 - over_batch(&scale))
    }
}

/// A (conditional) autoencoder with Echo noise (Brekelmans et al. 2019): its code is z = f(x) + s(x) ⊙ ε, and what
/// it says of x is known exactly, −E Σ_d log s_d(x), where a Gaussian code has bounds only.
///
/// f = tanh(…) and s = r·sigmoid(…) with the cap r of [`EchoConfig::cap`]. The loss is reconstruction + β · rate,
/// mean over the batch. There is no prior: z is like other codes, and to draw new images one decodes those.
///
/// Its variables are `enc_…`, `z_f`, `z_scale`, `dec_…` and `x_hat`.
#[derive(Debug)]
pub struct Echo {
    config: EchoConfig,
    seed: u64,
    vs: nn::VarStore,
    trunk: DenseStack,
    f: Dense,
    scale: Dense,
    decoder: Decoder,
}

impl Echo {
    /// Builds the model on a device; `seed` sets its initial weights (and libtorch's generator).
    ///
    /// # Errors
    /// If the configuration makes no sense.
    pub fn new(config: &EchoConfig, device: Device, seed: u64) -> Result<Self> {
        config.check()?;
        crate::manual_seed(seed);
        let vs = nn::VarStore::new(device);
        let (path, stack) = (vs.root(), config.stack());
        let trunk = DenseStack::new(&path, "enc", config.pixels, &stack)?;
        let head = |name: &str| dense(&path / name, trunk.outputs(), config.latent);
        let (f, scale) = (head("z_f").with(Activation::Tanh), head("z_scale"));
        let decoder = Decoder::new(
            &path,
            config.latent + config.classes,
            config.pixels,
            config.output_activation,
            &stack,
        )?;
        Ok(Self {
            config: config.clone(),
            seed,
            trunk,
            f,
            scale,
            decoder,
            vs,
        })
    }

    /// The numbers that define the model.
    pub fn config(&self) -> &EchoConfig {
        &self.config
    }

    /// Encodes x, `[B, P]`, into f and s, `[B, Z]`.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn encode(&self, x: &Tensor) -> Result<EchoCode> {
        check_width("the images x", x, "[B, P]", self.config.pixels)?;
        let h = self.trunk.forward_t(x, false);
        Ok(EchoCode {
            f: self.f.forward(&h),
            // log(r · sigmoid(a)), without taking a logarithm of what is nearly 0.
            log_scale: self.scale.forward(&h).log_sigmoid() + self.config.cap().ln(),
        })
    }

    /// Samples the codes of many images, `[N, P]` to `[N, Z]`: in batches of `batch_size`, each example's noise from
    /// its batch. The last batch takes what is left over.
    ///
    /// # Errors
    /// If the shape does not fit, or a batch holds too few examples.
    pub fn sample(&self, x: &Tensor, batch_size: i64) -> Result<Tensor> {
        no_grad(|| {
            let code = self.encode(x)?;
            let count = x.size()[0];
            let batches = (count / batch_size.max(1)).max(1);
            let codes = (0..batches).map(|batch| {
                let start = batch * batch_size;
                let size = if batch + 1 == batches {
                    count - start
                } else {
                    batch_size
                };
                let part = |t: &Tensor| t.narrow(0, start, size);
                let part = EchoCode {
                    f: part(&code.f),
                    log_scale: part(&code.log_scale),
                };
                part.sample(self.config.draws)
            });
            Ok(Tensor::cat(&codes.collect::<Result<Vec<_>>>()?, 0))
        })
    }

    /// Decodes z, `[B, Z]`, under the condition c, `[B, C]`, into an image, `[B, P]`.
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn decode<'c>(&self, z: &Tensor, c: impl Into<Option<&'c Tensor>>) -> Result<Tensor> {
        let drawn = self.decode_parameters(z, c.into())?;
        Ok(self.config.likelihood.mean(&drawn))
    }

    fn decode_parameters(&self, z: &Tensor, c: Option<&Tensor>) -> Result<Tensor> {
        check_width("the code z", z, "[B, Z]", self.config.latent)?;
        let c = check_condition(c, z.size()[0], self.config.classes)?;
        Ok(self.decoder.forward_t(z, c, false))
    }
}

impl Model for Echo {
    fn var_store(&self) -> &nn::VarStore {
        &self.vs
    }

    fn losses(&self, batch: &Batch, _train: bool) -> Result<Losses> {
        let code = self.encode(&batch.x)?;
        let z = code.sample(self.config.draws)?;
        let drawn = self.decode_parameters(&z, Some(&batch.c))?;
        let reconstruction = self.config.likelihood.nll(&batch.x, &drawn)?.mean(None);
        let rate = loss::echo_rate(&code.log_scale).mean(None);
        Ok(Losses::new(&reconstruction + self.config.beta * &rate)
            .with("reconstruction", reconstruction)
            .with("rate", rate))
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "model": "echo", "config": self.config, "seed": self.seed })
    }

    fn rebuild(&self) -> Result<Self> {
        Self::new(&self.config, self.vs.device(), self.seed)
    }
}
