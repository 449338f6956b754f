//! The invariant conditional variational autoencoder, and with other numbers its relatives.

use tch::{Device, Tensor, nn};

use super::width::{check_condition, check_width};
use super::{Decoder, Gaussian, GaussianEncoder, IcvaeConfig};
use crate::data::Batch;
use crate::loss;
use crate::train::{Losses, Model};
use crate::{Error, Result, no_grad};

/// The model of *Invariant Representations without Adversarial Training* (Moyer et al. 2018):
/// an encoder q(z|x), a decoder p(x|z, c) that is told the class, and a loss that presses out of z
/// what c already says.
///
/// λ = 0 makes it a conditional β-VAE, `classes: 0` a plain one, which takes `None` as its condition.
#[derive(Debug)]
pub struct Icvae {
    config: IcvaeConfig,
    seed: u64,
    vs: nn::VarStore,
    encoder: GaussianEncoder,
    decoder: Decoder,
}

/// The separate terms of the loss, each the mean over the batch, a scalar tensor.
#[derive(Debug)]
pub struct Terms {
    /// Squared error summed over pixels, or the negative log-likelihood in nats.
    pub reconstruction: Tensor,
    /// KL[q(z|x) ‖ N(0, I)] in nats.
    pub prior_kl: Tensor,
    /// mean_ij KL[q(z|x_i) ‖ q(z|x_j)] in nats, the bound on KL[q(z|x) ‖ q(z)].
    pub pairwise_kl: Tensor,
    /// (1 + λ) · reconstruction + β · prior + λ · pairwise.
    pub total: Tensor,
}

impl Icvae {
    /// Builds the model on a device; `seed` sets its initial weights (and libtorch's generator).
    ///
    /// # Errors
    /// If the configuration makes no sense.
    pub fn new(config: &IcvaeConfig, device: Device, seed: u64) -> Result<Self> {
        config.check()?;
        crate::manual_seed(seed);
        let vs = nn::VarStore::new(device);
        let stack = config.stack();
        let path = vs.root();
        let seen = config.pixels
            + if config.condition_encoder {
                config.classes
            } else {
                0
            };
        let encoder =
            GaussianEncoder::new(&path, seen, config.latent, config.mean_activation, &stack)?;
        let decoder = Decoder::new(
            &path,
            config.latent + config.classes,
            config.pixels,
            config.output_activation,
            &config.decoder_stack(),
        )?;
        Ok(Self {
            config: config.clone(),
            seed,
            vs,
            encoder,
            decoder,
        })
    }

    /// The numbers that define the model.
    pub fn config(&self) -> &IcvaeConfig {
        &self.config
    }

    /// Encodes x, `[B, P]`, into q(z|x), `[B, Z]`; an encoder that is told the class needs c, `[B, C]`.
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn encode<'c>(&self, x: &Tensor, c: impl Into<Option<&'c Tensor>>) -> Result<Gaussian> {
        self.encode_t(x, c.into(), false)
    }

    /// Decodes z, `[B, Z]`, under the condition c, `[B, C]`, into an image, `[B, P]`, in [0, 1] where the
    /// likelihood is Bernoulli.
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn decode<'c>(&self, z: &Tensor, c: impl Into<Option<&'c Tensor>>) -> Result<Tensor> {
        let drawn = self.decode_t(z, c.into(), false)?;
        Ok(self.config.likelihood.mean(&drawn))
    }

    /// Decodes a sample of q(z|x): another image each time, `[B, P]`.
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn reconstruct<'c>(&self, x: &Tensor, c: impl Into<Option<&'c Tensor>>) -> Result<Tensor> {
        let c = c.into();
        no_grad(|| self.decode(&self.encode(x, c)?.sample(), c))
    }

    /// Decodes the mean of q(z|x): the same image each time, `[B, P]`.
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn reconstruct_mean<'c>(
        &self,
        x: &Tensor,
        c: impl Into<Option<&'c Tensor>>,
    ) -> Result<Tensor> {
        let c = c.into();
        no_grad(|| self.decode(&self.encode(x, c)?.mean, c))
    }

    /// The terms of the loss on x, `[B, P]`, and c, `[B, C]`, with ε drawn anew.
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn terms<'c>(
        &self,
        x: &Tensor,
        c: impl Into<Option<&'c Tensor>>,
        train: bool,
    ) -> Result<Terms> {
        Ok(self.terms_and_sample(x, c.into(), train)?.0)
    }

    /// The terms with ε drawn anew, and the sample, `[B, Z]`, that was decoded for them.
    pub(super) fn terms_and_sample(
        &self,
        x: &Tensor,
        c: Option<&Tensor>,
        train: bool,
    ) -> Result<(Terms, Tensor)> {
        let q = self.encode_t(x, c, train)?;
        let z = q.sample();
        Ok((self.terms_of(&q, &z, x, c, train)?, z))
    }

    /// The terms of the loss with a given ε, `[B, Z]`.
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn terms_with<'c>(
        &self,
        x: &Tensor,
        c: impl Into<Option<&'c Tensor>>,
        epsilon: &Tensor,
        train: bool,
    ) -> Result<Terms> {
        let c = c.into();
        let q = self.encode_t(x, c, train)?;
        self.terms_of(&q, &q.sample_with(epsilon), x, c, train)
    }

    fn terms_of(
        &self,
        q: &Gaussian,
        z: &Tensor,
        x: &Tensor,
        c: Option<&Tensor>,
        train: bool,
    ) -> Result<Terms> {
        let drawn = self.decode_t(z, c, train)?;
        let reconstruction = self.config.likelihood.nll(x, &drawn)?.mean(None);
        let prior_kl = loss::prior_kl(q).mean(None);
        let pairwise_kl = loss::marginal_bound(q).mean(None);
        let total = loss::total(
            &reconstruction,
            &prior_kl,
            &pairwise_kl,
            self.config.beta,
            self.config.lambda,
        );
        Ok(Terms {
            reconstruction,
            prior_kl,
            pairwise_kl,
            total,
        })
    }

    fn encode_t(&self, x: &Tensor, c: Option<&Tensor>, train: bool) -> Result<Gaussian> {
        check_width("the images x", x, "[B, P]", self.config.pixels)?;
        let c = check_condition(c, x.size()[0], self.config.classes)?;
        if train && self.config.batch_norm && x.size()[0] < 2 {
            return Err(Error::Invalid(
                "batch normalisation needs at least 2 examples in a batch while training: choose \
                 another batch size"
                    .into(),
            ));
        }
        Ok(match c {
            Some(c) if self.config.condition_encoder => {
                self.encoder.forward_t(&Tensor::cat(&[x, c], 1), train)
            }
            _ => self.encoder.forward_t(x, train),
        })
    }

    fn decode_t(&self, z: &Tensor, c: Option<&Tensor>, train: bool) -> Result<Tensor> {
        check_width("the code z", z, "[B, Z]", self.config.latent)?;
        let c = check_condition(c, z.size()[0], self.config.classes)?;
        Ok(self.decoder.forward_t(z, c, train))
    }

    /// What the likelihood is told, [B, P]: the image, or the log-odds of its pixels.
    pub(crate) fn decode_parameters(&self, z: &Tensor, c: Option<&Tensor>) -> Result<Tensor> {
        self.decode_t(z, c, false)
    }
}

impl Model for Icvae {
    fn var_store(&self) -> &nn::VarStore {
        &self.vs
    }

    fn losses(&self, batch: &Batch, train: bool) -> Result<Losses> {
        let terms = self.terms(&batch.x, &batch.c, train)?;
        Ok(Losses::new(terms.total)
            .with("reconstruction", terms.reconstruction)
            .with("prior KL", terms.prior_kl)
            .with("pairwise KL", terms.pairwise_kl))
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "model": "icvae", "config": self.config, "seed": self.seed })
    }

    fn rebuild(&self) -> Result<Self> {
        Self::new(&self.config, self.vs.device(), self.seed)
    }
}
