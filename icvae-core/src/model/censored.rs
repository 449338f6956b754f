//! A variational autoencoder with an adversary that reads the class from its code.

use serde::{Deserialize, Serialize};
use tch::nn::{self, Module, ModuleT};
use tch::{Device, Tensor};

use super::{Activation, Dense, DenseStack, Icvae, IcvaeConfig, StackConfig, dense};
use crate::data::Batch;
use crate::train::{Losses, Model, Turn};
use crate::{Error, Result, no_grad};

/// Everything that defines a [`Censored`]; the defaults are the tutorial's model without its invariance term, and an
/// adversary of one hidden layer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CensoredConfig {
    /// The autoencoder. It must have classes, which is what the adversary reads.
    pub vae: IcvaeConfig,
    /// Units of each hidden layer of the adversary.
    pub adversary: Vec<i64>,
    /// Weight α of the adversary's cross-entropy in the autoencoder's loss.
    pub alpha: f64,
    /// The adversary's learning rate as a share of the run's, greater than 0.
    pub pace: f64,
}

impl Default for CensoredConfig {
    fn default() -> Self {
        Self {
            vae: IcvaeConfig {
                lambda: 0.0,
                ..Default::default()
            },
            adversary: vec![256],
            alpha: 1.0,
            pace: 2.0,
        }
    }
}

impl CensoredConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        self.vae.check()?;
        if self.vae.classes < 2 {
            return Err(Error::Invalid(format!(
                "classes is {}, but an adversary needs at least 2 to tell apart",
                self.vae.classes
            )));
        }
        if !self.alpha.is_finite() || self.alpha < 0.0 {
            return Err(Error::Invalid(format!(
                "alpha is {}, but must be a number of 0 or more",
                self.alpha
            )));
        }
        if !(self.pace.is_finite() && self.pace > 0.0) {
            return Err(Error::Invalid(format!(
                "pace is {}, but must be greater than 0",
                self.pace
            )));
        }
        self.stack().check()
    }

    fn stack(&self) -> StackConfig {
        StackConfig {
            hidden: self.adversary.clone(),
            activation: Activation::Relu,
            dropout: 0.0,
            batch_norm: false,
        }
    }
}

/// A conditional variational autoencoder that is censored by an adversary (Edwards and Storkey 2016; Xie et al. 2017):
/// a classifier learns to read the class from samples of the code, and the encoder learns to reconstruct *and* to
/// make it fail.
///
/// In the turn `autoencoder` encoder and decoder minimise the autoencoder's own loss less α times the adversary's
/// cross-entropy; in the turn `adversary` the adversary minimises its cross-entropy. Where the adversary is the best
/// possible, that cross-entropy is H(c) − I(z; c), so α weighs I(z; c) itself; where it isn't, something less.
///
/// Its variables are the [`Icvae`]'s and `adv_…`.
#[derive(Debug)]
pub struct Censored {
    config: CensoredConfig,
    seed: u64,
    vae: Icvae,
    adversary: DenseStack,
    head: Dense,
}

// Turns, and the term of the second.
const AUTOENCODER: &str = "autoencoder";
const ADVERSARY: &str = "adversary";

impl Censored {
    /// Builds the model on a device; `seed` sets its initial weights (and libtorch's generator).
    ///
    /// # Errors
    /// If the configuration makes no sense.
    pub fn new(config: &CensoredConfig, device: Device, seed: u64) -> Result<Self> {
        config.check()?;
        let vae = Icvae::new(&config.vae, device, seed)?;
        let path = vae.var_store().root();
        let adversary = DenseStack::new(&path, "adv", config.vae.latent, &config.stack())?;
        let head = dense(&path / "adv_class", adversary.outputs(), config.vae.classes);
        Ok(Self {
            config: config.clone(),
            seed,
            adversary,
            head,
            vae,
        })
    }

    /// The numbers that define the model.
    pub fn config(&self) -> &CensoredConfig {
        &self.config
    }

    /// The autoencoder, to encode and decode with.
    pub fn vae(&self) -> &Icvae {
        &self.vae
    }

    /// The adversary's log-odds of the classes for codes `[B, Z]`: `[B, C]`.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn read(&self, z: &Tensor) -> Result<Tensor> {
        super::width::check_width("the code z", z, "[B, Z]", self.config.vae.latent)?;
        Ok(self.head.forward(&self.adversary.forward_t(z, false)))
    }

    /// The autoencoder's terms, and the adversary's cross-entropy on the same samples.
    fn both(&self, batch: &Batch, train: bool) -> Result<(super::Terms, Tensor)> {
        let (terms, z) = self.vae.terms_and_sample(&batch.x, Some(&batch.c), train)?;
        let nats = self.read(&z)?.cross_entropy_for_logits(&batch.labels);
        Ok((terms, nats))
    }
}

impl Model for Censored {
    fn var_store(&self) -> &nn::VarStore {
        self.vae.var_store()
    }

    /// The terms of both turns on one set of weights.
    fn losses(&self, batch: &Batch, train: bool) -> Result<Losses> {
        let (terms, nats) = self.both(batch, train)?;
        Ok(reported(terms, &nats, self.config.alpha).with(ADVERSARY, nats))
    }

    fn turns(&self) -> Vec<Turn> {
        vec![
            Turn::new(AUTOENCODER, ["enc", "z", "dec", "x"]),
            Turn::new(ADVERSARY, ["adv"]).at_pace(self.config.pace),
        ]
    }

    fn turn_losses(&self, turn: &Turn, batch: &Batch) -> Result<Losses> {
        match turn.name() {
            AUTOENCODER => {
                let (terms, nats) = self.both(batch, true)?;
                Ok(reported(terms, &nats, self.config.alpha))
            }
            ADVERSARY => {
                let z = no_grad(|| self.vae.encode(&batch.x, &batch.c).map(|q| q.sample()))?;
                let nats = self.read(&z)?.cross_entropy_for_logits(&batch.labels);
                Ok(Losses::new(nats.shallow_clone()).with(ADVERSARY, nats))
            }
            other => Err(Error::Invalid(format!(
                "a censored autoencoder has no turn {other}: take one of Model::turns"
            ))),
        }
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "model": "censored", "config": self.config, "seed": self.seed })
    }

    fn rebuild(&self) -> Result<Self> {
        Self::new(&self.config, self.var_store().device(), self.seed)
    }
}

/// What the autoencoder's turn minimises, with its terms.
fn reported(terms: super::Terms, nats: &Tensor, alpha: f64) -> Losses {
    Losses::new(terms.total - alpha * nats)
        .with("reconstruction", terms.reconstruction)
        .with("prior KL", terms.prior_kl)
        .with("pairwise KL", terms.pairwise_kl)
}
