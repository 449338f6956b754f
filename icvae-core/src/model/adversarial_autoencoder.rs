//! An autoencoder whose code an adversary holds to a prior.

use serde::{Deserialize, Serialize};
use tch::{Device, Tensor, nn, nn::ModuleT};

use super::width::{check_sizes, check_width};
use super::{Activation, Dense, DenseStack, Prior, StackConfig, dense};
use crate::data::Batch;
use crate::loss;
use crate::train::{Losses, Model, Turn};
use crate::{Error, Result, no_grad};

/// How reconstruction and adversary share a training step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Game {
    /// Makhzani et al. 2015, section 2: encoder and decoder minimise the reconstruction error, then the
    /// discriminator its own loss on codes and prior together, then the encoder fools it.
    ThreeTurns,
    /// The discriminator in two halves: reconstruction, fooling, then the discriminator on codes alone and
    /// on the prior alone.
    FourTurns,
    /// No adversary: the encoder is never asked to fool. The discriminator still learns, to be read.
    Unopposed,
}

/// Everything that defines an [`AdversarialAutoencoder`]; the defaults are the widths of Makhzani et al. 2015
/// with a linear code of 8.
///
/// ```
/// use icvae_core::model::{AdversarialConfig, Prior};
///
/// let config = AdversarialConfig { latent: 2, prior: Prior::StudentT { freedom: 5.0 }, ..Default::default() };
/// assert!(config.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdversarialConfig {
    /// Pixels of an image, P.
    pub pixels: i64,
    /// Units of each hidden layer, in the encoder, the decoder and the discriminator.
    pub hidden: Vec<i64>,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Latent dimensions, Z.
    pub latent: i64,
    /// Activation of the code.
    pub code_activation: Activation,
    /// Activation of the decoded image, whose pixels are to be in [−1, 1].
    pub output_activation: Activation,
    /// What the codes of all images together are to look like.
    pub prior: Prior,
    /// How reconstruction and adversary share a step. Each turn has an Adam of its own, which divides every
    /// gradient by its usual size: no turn outweighs another by the scale of its loss.
    pub game: Game,
    /// The learning rate of the fooling turn as a share of the run's, greater than 0: the weight of the
    /// prior against the reconstruction.
    pub fooling_pace: f64,
    /// The learning rate of the discriminator's turns, likewise. One that learns much faster than the encoder
    /// can follow wins, and teaches it nothing.
    pub discriminator_pace: f64,
}

impl Default for AdversarialConfig {
    fn default() -> Self {
        Self {
            pixels: 784,
            hidden: vec![1000, 1000],
            activation: Activation::Relu,
            latent: 8,
            code_activation: Activation::Linear,
            output_activation: Activation::Tanh,
            prior: Prior::Gaussian,
            game: Game::ThreeTurns,
            fooling_pace: 1.0,
            discriminator_pace: 1.0,
        }
    }
}

impl AdversarialConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        check_sizes(&[("pixels", self.pixels), ("latent", self.latent)])?;
        for (name, pace) in [
            ("fooling_pace", self.fooling_pace),
            ("discriminator_pace", self.discriminator_pace),
        ] {
            if !(pace.is_finite() && pace > 0.0) {
                return Err(Error::Invalid(format!(
                    "{name} is {pace}, but must be greater than 0; a game in which nobody fools \
                     the discriminator is Game::Unopposed"
                )));
            }
        }
        self.prior.check()?;
        self.stack().check()
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

/// An adversarial autoencoder (Makhzani et al. 2015): an encoder x ↦ z without noise, a decoder z ↦ x̂, and a
/// discriminator D(z) that tries to tell the codes of images from draws of a prior. The encoder is trained
/// to reconstruct *and* to fool the discriminator, until all codes together look like the prior.
///
/// Images come and go in [0, 1], as everywhere in this crate. Inside they are in [−1, 1], and so is the
/// reconstruction error: the squared error in that scale, **mean over the pixels**.
///
/// Its variables are `enc_…`, `dec_…` and `disc_…`.
#[derive(Debug)]
pub struct AdversarialAutoencoder {
    config: AdversarialConfig,
    seed: u64,
    vs: nn::VarStore,
    encoder: Network,
    decoder: Network,
    discriminator: Network,
}

/// A dense stack with an output layer.
#[derive(Debug)]
struct Network {
    stack: DenseStack,
    output: Dense,
}

impl Network {
    fn new(
        vs: &nn::VarStore,
        name: &str,
        inputs: i64,
        outputs: i64,
        stack: &StackConfig,
    ) -> Result<Self> {
        let stack = DenseStack::new(&vs.root(), name, inputs, stack)?;
        let output = dense(
            vs.root() / format!("{name}_output"),
            stack.outputs(),
            outputs,
        );
        Ok(Self { stack, output })
    }

    fn forward(&self, a: &Tensor) -> Tensor {
        // Nothing in these stacks behaves differently while training.
        self.stack.forward_t(a, false).apply(&self.output)
    }
}

// Turns, and the terms they report.
const RECONSTRUCTION: &str = "reconstruction";
const FOOLING: &str = "fooling";
const DISCRIMINATOR: &str = "discriminator";
const ON_CODES: &str = "discriminator on codes";
const ON_PRIOR: &str = "discriminator on prior";

impl AdversarialAutoencoder {
    /// Builds the model on a device; `seed` sets its initial weights (and libtorch's generator).
    ///
    /// # Errors
    /// If the configuration makes no sense.
    pub fn new(config: &AdversarialConfig, device: Device, seed: u64) -> Result<Self> {
        config.check()?;
        crate::manual_seed(seed);
        let vs = nn::VarStore::new(device);
        let stack = config.stack();
        let encoder = Network::new(&vs, "enc", config.pixels, config.latent, &stack)?;
        let decoder = Network::new(&vs, "dec", config.latent, config.pixels, &stack)?;
        let discriminator = Network::new(&vs, "disc", config.latent, 1, &stack)?;
        Ok(Self {
            config: config.clone(),
            seed,
            vs,
            encoder,
            decoder,
            discriminator,
        })
    }

    /// The numbers that define the model.
    pub fn config(&self) -> &AdversarialConfig {
        &self.config
    }

    /// Encodes images in [0, 1], `[B, P]`, into codes, `[B, Z]`.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn encode(&self, x: &Tensor) -> Result<Tensor> {
        check_width("the image x", x, "[B, P]", self.config.pixels)?;
        Ok(self.encode_signed(&signed(x)))
    }

    /// Decodes codes, `[B, Z]`, into images in [0, 1], `[B, P]` (beyond it where the output is linear).
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn decode(&self, z: &Tensor) -> Result<Tensor> {
        check_width("the code z", z, "[B, Z]", self.config.latent)?;
        Ok((self.decode_signed(z) + 1.0) * 0.5)
    }

    /// The discriminator's log-odds that codes, `[B, Z]`, are draws of the prior: `[B, 1]`.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn discriminate(&self, z: &Tensor) -> Result<Tensor> {
        check_width("the code z", z, "[B, Z]", self.config.latent)?;
        Ok(self.discriminator.forward(z))
    }

    /// Images in [0, 1] from `n` draws of the prior, `[n, P]`.
    ///
    /// # Errors
    /// If `n` is less than 1.
    pub fn draw(&self, n: i64) -> Result<Tensor> {
        let z = self.prior_draws(n)?;
        no_grad(|| self.decode(&z))
    }

    /// The reconstruction error of images in [0, 1], `[B, P]`: the squared error in [−1, 1], `[B]`, mean over
    /// the pixels.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn reconstruction_error(&self, x: &Tensor) -> Result<Tensor> {
        check_width("the image x", x, "[B, P]", self.config.pixels)?;
        let x = signed(x);
        self.error(&x, &self.encode_signed(&x))
    }

    fn encode_signed(&self, x: &Tensor) -> Tensor {
        self.config.code_activation.apply(&self.encoder.forward(x))
    }

    fn decode_signed(&self, z: &Tensor) -> Tensor {
        self.config
            .output_activation
            .apply(&self.decoder.forward(z))
    }

    fn error(&self, x: &Tensor, z: &Tensor) -> Result<Tensor> {
        Ok(loss::squared_error(x, &self.decode_signed(z))? / self.config.pixels as f64)
    }

    fn prior_draws(&self, n: i64) -> Result<Tensor> {
        self.config
            .prior
            .sample(n, self.config.latent, self.vs.device())
    }

    /// The encoder's side of the game: a scalar, mean over the batch.
    fn fooling(&self, z: &Tensor) -> Tensor {
        loss::taken_for_prior(&self.discriminator.forward(z)).mean(None)
    }

    /// The discriminator's view of the codes of a batch, which it can't change.
    fn on_codes(&self, x: &Tensor) -> Tensor {
        let z = no_grad(|| self.encode_signed(x));
        self.discriminator.forward(&z)
    }

    fn on_prior(&self, n: i64) -> Result<Tensor> {
        Ok(self.discriminator.forward(&self.prior_draws(n)?))
    }
}

impl Model for AdversarialAutoencoder {
    fn var_store(&self) -> &nn::VarStore {
        &self.vs
    }

    /// All terms as the turns report them, on one set of weights.
    fn losses(&self, batch: &Batch, _train: bool) -> Result<Losses> {
        check_width("the image x", &batch.x, "[B, P]", self.config.pixels)?;
        let x = signed(&batch.x);
        let z = self.encode_signed(&x);
        let reconstruction = self.error(&x, &z)?.mean(None);
        let losses =
            Losses::new(reconstruction.shallow_clone()).with(RECONSTRUCTION, reconstruction);
        let on_codes = self.discriminator.forward(&z);
        let on_prior = self.on_prior(x.size()[0])?;
        let whole = || loss::discriminator_loss(&on_prior, &on_codes);
        Ok(match self.config.game {
            Game::ThreeTurns => losses
                .with(DISCRIMINATOR, whole())
                .with(FOOLING, self.fooling(&z)),
            Game::FourTurns => losses
                .with(FOOLING, self.fooling(&z))
                .with(ON_CODES, loss::taken_for_code(&on_codes).mean(None))
                .with(ON_PRIOR, loss::taken_for_prior(&on_prior).mean(None)),
            Game::Unopposed => losses.with(DISCRIMINATOR, whole()),
        })
    }

    fn turns(&self) -> Vec<Turn> {
        let reconstruction = Turn::new(RECONSTRUCTION, ["enc", "dec"]);
        let judge = |name| Turn::new(name, ["disc"]).at_pace(self.config.discriminator_pace);
        let fooling = Turn::new(FOOLING, ["enc"]).at_pace(self.config.fooling_pace);
        match self.config.game {
            Game::ThreeTurns => vec![reconstruction, judge(DISCRIMINATOR), fooling],
            Game::FourTurns => vec![reconstruction, fooling, judge(ON_CODES), judge(ON_PRIOR)],
            Game::Unopposed => vec![reconstruction, judge(DISCRIMINATOR)],
        }
    }

    fn turn_losses(&self, turn: &Turn, batch: &Batch) -> Result<Losses> {
        check_width("the image x", &batch.x, "[B, P]", self.config.pixels)?;
        let x = signed(&batch.x);
        let count = x.size()[0];
        let only = |name: &str, loss: Tensor| Losses::new(loss.shallow_clone()).with(name, loss);
        Ok(match turn.name() {
            DISCRIMINATOR => {
                let (on_codes, on_prior) = (self.on_codes(&x), self.on_prior(count)?);
                only(
                    DISCRIMINATOR,
                    loss::discriminator_loss(&on_prior, &on_codes),
                )
            }
            RECONSTRUCTION => {
                let error = self.error(&x, &self.encode_signed(&x))?;
                only(RECONSTRUCTION, error.mean(None))
            }
            FOOLING => only(FOOLING, self.fooling(&self.encode_signed(&x))),
            ON_CODES => only(
                ON_CODES,
                loss::taken_for_code(&self.on_codes(&x)).mean(None),
            ),
            ON_PRIOR => only(
                ON_PRIOR,
                loss::taken_for_prior(&self.on_prior(count)?).mean(None),
            ),
            other => {
                return Err(Error::Invalid(format!(
                    "an adversarial autoencoder has no turn {other}: take one of Model::turns"
                )));
            }
        })
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({
            "model": "adversarial autoencoder",
            "config": self.config,
            "seed": self.seed,
        })
    }

    fn rebuild(&self) -> Result<Self> {
        Self::new(&self.config, self.vs.device(), self.seed)
    }
}

/// Pixels in [0, 1] as pixels in [−1, 1].
fn signed(x: &Tensor) -> Tensor {
    x * 2.0 - 1.0
}
