//! What the trainer needs to know of a model.

use tch::{Tensor, nn};

use super::{Step, Turn};
use crate::Result;
use crate::data::Batch;

/// A model that can be trained: the crate's own, or one that a notebook's cells define.
///
/// ```
/// use icvae_core::data::Batch;
/// use icvae_core::tch::{Device, Kind, Tensor, nn, nn::Module};
/// use icvae_core::train::{Losses, Model};
///
/// struct Autoencoder {
///     vs: nn::VarStore,
///     layers: nn::Sequential,
/// }
///
/// impl Model for Autoencoder {
///     fn var_store(&self) -> &nn::VarStore {
///         &self.vs
///     }
///     fn losses(&self, batch: &Batch, _train: bool) -> icvae_core::Result<Losses> {
///         let x_hat = self.layers.forward(&batch.x);
///         Ok(Losses::new((x_hat - &batch.x).square().mean(Kind::Float)))
///     }
///     fn settings(&self) -> serde_json::Value {
///         serde_json::json!({ "model": "autoencoder" })
///     }
///     fn rebuild(&self) -> icvae_core::Result<Self> {
///         icvae_core::tch::manual_seed(0);
///         let vs = nn::VarStore::new(self.vs.device());
///         let layers = nn::seq().add(nn::linear(vs.root() / "only", 784, 784, Default::default()));
///         Ok(Self { vs, layers })
///     }
/// }
/// ```
pub trait Model: Sized {
    /// Where the parameters live.
    fn var_store(&self) -> &nn::VarStore;

    /// The loss on a batch, and the terms it is made of.
    ///
    /// # Errors
    /// If the batch does not fit the model.
    fn losses(&self, batch: &Batch, train: bool) -> Result<Losses>;

    /// Everything that defines the model: weights are saved and found again by it. A model with other
    /// layers, another loss or another seed must say something else here.
    fn settings(&self) -> serde_json::Value;

    /// The same model with the weights it had when it was first built. A run starts from them, so that
    /// training a model twice gives the same weights twice.
    ///
    /// # Errors
    /// If the model can't be built.
    fn rebuild(&self) -> Result<Self>;

    /// The turns of a training step, in their order, for a model whose networks are trained against each
    /// other; none where one loss moves everything.
    fn turns(&self) -> Vec<Turn> {
        Vec::new()
    }

    /// The loss of one turn on a batch, while training, with the terms that the turn reports. The weights
    /// are those that the turns before it have left.
    ///
    /// A step reports the terms of all turns in their order, then the first turn's loss as `total`;
    /// [`Model::losses`] reports the same names on the test data.
    ///
    /// # Errors
    /// If the batch does not fit the model.
    fn turn_losses(&self, turn: &Turn, batch: &Batch) -> Result<Losses> {
        let _ = turn;
        self.losses(batch, true)
    }

    /// The model's own fast training step, where it has one that applies: the trainer then takes it instead
    /// of [`Model::losses`] and automatic differentiation.
    fn fast_step(&self) -> Option<Box<dyn Step + '_>> {
        None
    }
}

/// A loss to minimise, with the named terms it is made of.
#[derive(Debug)]
pub struct Losses {
    total: Tensor,
    terms: Vec<(String, Tensor)>,
}

impl Losses {
    /// A loss: a scalar tensor, the mean over the batch.
    pub fn new(total: Tensor) -> Self {
        Self {
            total,
            terms: Vec::new(),
        }
    }

    /// Adds a named term, a scalar tensor, to report; it has no influence on training.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, term: Tensor) -> Self {
        self.terms.push((name.into(), term));
        self
    }

    /// The loss itself.
    pub fn total(&self) -> &Tensor {
        &self.total
    }

    /// The names of all that is reported: the terms, then `total`.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.terms.iter().map(|(name, _)| name.clone()).collect();
        names.push("total".into());
        names
    }

    /// The terms alone, without the total: names and detached values.
    pub(super) fn into_terms(self) -> impl Iterator<Item = (String, Tensor)> {
        self.terms
            .into_iter()
            .map(|(name, term)| (name, term.detach()))
    }

    /// The values in the order of [`Losses::names`], detached, `[T]` on the model's device.
    pub(super) fn values(&self) -> Tensor {
        let mut values: Vec<_> = self.terms.iter().map(|(_, term)| term.detach()).collect();
        values.push(self.total.detach());
        Tensor::stack(&values, 0)
    }
}
