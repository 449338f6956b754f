//! A prediction from a code that forgets a group.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor, nn, nn::ModuleT};

use super::width::{check_sizes, check_width};
use super::{
    Activation, Decoder, Dense, DenseStack, Gaussian, GaussianEncoder, StackConfig, dense,
};
use crate::data::Batch;
use crate::loss;
use crate::train::{Losses, Model};
use crate::{Error, Result, no_grad};

/// Everything that defines an [`InvariantPredictor`]; the defaults are the numbers of the authors' experiment on
/// Adult, with the `features` of the table still to be given.
///
/// ```
/// use icvae_core::model::PredictorConfig;
///
/// let config = PredictorConfig { features: vec![1, 4, 2], ..Default::default() };
/// assert!(config.check().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PredictorConfig {
    /// Columns of each feature of x in order: 1 for a number, more for one-hot levels.
    pub features: Vec<i64>,
    /// Groups that the code should forget, and the decoder is told, C.
    pub groups: i64,
    /// Outcomes to choose from, K.
    pub outcomes: i64,
    /// Units of each hidden layer, in the encoder, the decoder and the predictor.
    pub hidden: Vec<i64>,
    /// Latent dimensions, Z.
    pub latent: i64,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Share of hidden units that are dropped while training.
    pub dropout: f64,
    /// Weight β of the divergence from the aggregate code, for the sake of a short code.
    pub beta: f64,
    /// Weight λ of the invariance terms.
    pub lambda: f64,
}

impl Default for PredictorConfig {
    fn default() -> Self {
        Self {
            features: Vec::new(),
            groups: 2,
            outcomes: 2,
            hidden: vec![64],
            latent: 30,
            activation: Activation::Tanh,
            dropout: 0.5,
            beta: 0.01,
            lambda: 1e-4,
        }
    }
}

impl PredictorConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        if self.features.is_empty() {
            return Err(Error::Invalid(
                "features is empty, but must give the columns of each feature of x: take Tabular::widths()".into(),
            ));
        }
        for &width in &self.features {
            check_sizes(&[("the width of a feature", width)])?;
        }
        check_sizes(&[("groups", self.groups), ("latent", self.latent)])?;
        if self.outcomes < 2 {
            return Err(Error::Invalid(format!(
                "outcomes is {}, but a prediction needs at least 2 to choose from",
                self.outcomes
            )));
        }
        for (name, value) in [("beta", self.beta), ("lambda", self.lambda)] {
            if !value.is_finite() || value < 0.0 {
                return Err(Error::Invalid(format!(
                    "{name} is {value}, but must be a number of 0 or more"
                )));
            }
        }
        self.stack().check()
    }

    fn columns(&self) -> i64 {
        self.features.iter().sum()
    }

    fn stack(&self) -> StackConfig {
        StackConfig {
            hidden: self.hidden.clone(),
            activation: self.activation,
            dropout: self.dropout,
            batch_norm: false,
        }
    }
}

/// A prediction y from a code z of x that says little of the group c (Moyer et al. 2018, section 3, and the protocol
/// of its experiments): an encoder q(z|x), a predictor p(y|z), and a decoder p(x|z, c) that is told the group. It minimises
///
/// E[−log p(y|z)] + λ · E[−log p(x|z, c)] + (β + λ) · E KL[q(z|x) ‖ q(z)],
///
/// the last term by its bound, [`marginal_bound`](crate::loss::marginal_bound). Each E is a **mean over the batch**
/// (of sums over features and dimensions), so β and λ mean the same whatever its size.
///
/// While training, y is predicted from a sample of q(z|x); afterwards from its mean.
///
/// It takes a data set whose class is the pair of outcome and group, k·C + c, which
/// [`Rows::dataset`](crate::data::tabular::Rows::dataset) makes. Its variables are `enc_…`, `z_…`, `dec_…`, `x_hat`
/// and `pred_…`.
#[derive(Debug)]
pub struct InvariantPredictor {
    config: PredictorConfig,
    seed: u64,
    vs: nn::VarStore,
    encoder: GaussianEncoder,
    decoder: Decoder,
    predictor: DenseStack,
    outcome: Dense,
}

/// The terms of an [`InvariantPredictor`]'s loss, each the mean over the batch, a scalar tensor, in nats.
#[derive(Debug)]
pub struct PredictorTerms {
    /// −log p(y|z).
    pub prediction: Tensor,
    /// −log p(x|z, c), see [`table_nll`](crate::loss::table_nll).
    pub reconstruction: Tensor,
    /// mean_ij KL[q(z|x_i) ‖ q(z|x_j)].
    pub pairwise_kl: Tensor,
    /// prediction + λ · reconstruction + (β + λ) · pairwise.
    pub total: Tensor,
}

impl InvariantPredictor {
    /// Builds the model on a device; `seed` sets its initial weights (and libtorch's generator).
    ///
    /// # Errors
    /// If the configuration makes no sense.
    pub fn new(config: &PredictorConfig, device: Device, seed: u64) -> Result<Self> {
        config.check()?;
        crate::manual_seed(seed);
        let vs = nn::VarStore::new(device);
        let (path, stack) = (vs.root(), config.stack());
        let columns = config.columns();
        let encoder =
            GaussianEncoder::new(&path, columns, config.latent, Activation::Linear, &stack)?;
        let seen = config.latent + config.groups;
        let decoder = Decoder::new(&path, seen, columns, Activation::Linear, &stack)?;
        let predictor = DenseStack::new(&path, "pred", config.latent, &stack)?;
        let outcome = dense(&path / "pred_y", predictor.outputs(), config.outcomes);
        Ok(Self {
            config: config.clone(),
            seed,
            vs,
            encoder,
            decoder,
            predictor,
            outcome,
        })
    }

    /// The numbers that define the model.
    pub fn config(&self) -> &PredictorConfig {
        &self.config
    }

    /// Encodes x, `[B, P]`, into q(z|x), `[B, Z]`.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn encode(&self, x: &Tensor) -> Result<Gaussian> {
        self.encode_t(x, false)
    }

    /// The log-odds of the outcomes, `[B, K]`, from the mean of q(z|x).
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn log_odds(&self, x: &Tensor) -> Result<Tensor> {
        no_grad(|| Ok(self.outcome_of(&self.encode(x)?.mean, false)))
    }

    /// The likeliest outcome of each row of x, `[B, P]`: i64 `[B]`.
    ///
    /// # Errors
    /// If the shape does not fit.
    pub fn predict(&self, x: &Tensor) -> Result<Tensor> {
        Ok(self.log_odds(x)?.argmax(-1, false))
    }

    /// The terms of the loss on x, `[B, P]`, outcomes y, i64 `[B]`, and groups c, one-hot `[B, C]`, with a given ε,
    /// `[B, Z]`.
    ///
    /// # Errors
    /// If a shape does not fit.
    pub fn terms_with(
        &self,
        x: &Tensor,
        y: &Tensor,
        c: &Tensor,
        epsilon: &Tensor,
        train: bool,
    ) -> Result<PredictorTerms> {
        let q = self.encode_t(x, train)?;
        check_width("the groups c", c, "[B, C]", self.config.groups)?;
        let z = q.sample_with(epsilon);
        let prediction = self.outcome_of(&z, train).cross_entropy_for_logits(y);
        let drawn = self.decoder.forward_t(&z, Some(c), train);
        let reconstruction = loss::table_nll(x, &drawn, &self.config.features)?.mean(None);
        let pairwise_kl = loss::marginal_bound(&q).mean(None);
        let PredictorConfig { beta, lambda, .. } = self.config;
        let total = &prediction + lambda * &reconstruction + (beta + lambda) * &pairwise_kl;
        Ok(PredictorTerms {
            prediction,
            reconstruction,
            pairwise_kl,
            total,
        })
    }

    fn encode_t(&self, x: &Tensor, train: bool) -> Result<Gaussian> {
        check_width("the rows x", x, "[B, P]", self.config.columns())?;
        Ok(self.encoder.forward_t(x, train))
    }

    fn outcome_of(&self, z: &Tensor, train: bool) -> Tensor {
        self.predictor.forward_t(z, train).apply(&self.outcome)
    }
}

impl Model for InvariantPredictor {
    fn var_store(&self) -> &nn::VarStore {
        &self.vs
    }

    fn losses(&self, batch: &Batch, train: bool) -> Result<Losses> {
        let (outcomes, groups) = (self.config.outcomes, self.config.groups);
        check_width(
            "the pairs of outcome and group",
            &batch.c,
            "[B, K·C]",
            outcomes * groups,
        )?;
        let pairs = batch.c.view([-1, outcomes, groups]); // [B, K, C]
        let c = pairs.sum_dim_intlist([1i64].as_slice(), false, Kind::Float);
        let y = batch.labels.divide_scalar_mode(groups, "floor");
        let epsilon = Tensor::randn(
            [batch.x.size()[0], self.config.latent],
            (Kind::Float, batch.x.device()),
        );
        let terms = self.terms_with(&batch.x, &y, &c, &epsilon, train)?;
        Ok(Losses::new(terms.total)
            .with("prediction", terms.prediction)
            .with("reconstruction", terms.reconstruction)
            .with("pairwise KL", terms.pairwise_kl))
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({
            "model": "invariant predictor",
            "config": self.config,
            "seed": self.seed,
        })
    }

    fn rebuild(&self) -> Result<Self> {
        Self::new(&self.config, self.vs.device(), self.seed)
    }
}
