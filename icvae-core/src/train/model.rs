//! What the trainer needs to know of a model.

use std::collections::HashSet;
use std::path::Path;

use tch::{Kind, Tensor, nn};

use super::{Turn, weights};
use crate::data::Batch;
use crate::{Error, Result};

/// The name under which the loss itself is reported.
pub(super) const TOTAL: &str = "total";

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

    /// Saves the weights as a safetensors file, together with the [settings](Model::settings).
    ///
    /// # Errors
    /// If the file can't be written; an earlier one then stays.
    fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        weights::save(self, path.as_ref())
    }

    /// Loads weights that [`Model::save`] wrote, from a model with the same settings.
    ///
    /// ```
    /// # fn main() -> icvae_core::Result<()> {
    /// use icvae_core::model::{Icvae, IcvaeConfig};
    /// use icvae_core::{tch::Device, train::Model};
    ///
    /// let config = IcvaeConfig { hidden: vec![8], latent: 2, ..Default::default() };
    /// let folder = tempfile::tempdir().unwrap();
    /// let file = folder.path().join("icvae.safetensors");
    /// Icvae::new(&config, Device::Cpu, 0)?.save(&file)?;
    ///
    /// let model = Icvae::new(&config, Device::Cpu, 0)?;
    /// model.load(&file)?;
    ///
    /// let wider = IcvaeConfig { latent: 3, ..config };
    /// let error = Icvae::new(&wider, Device::Cpu, 0)?.load(&file).unwrap_err();
    /// assert!(error.to_string().contains("config.latent is 2 there and 3 here"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// If the file can't be read, is damaged, or is of a model with other settings; then the weights stay as they
    /// are.
    fn load(&self, path: impl AsRef<Path>) -> Result<()> {
        weights::load(self, path.as_ref())
    }
}

/// A [`Model`] behind a pointer, so that the loop that trains it is compiled with this crate, once and for good,
/// and not in every cell that trains something.
pub(crate) trait Trained {
    fn var_store(&self) -> &nn::VarStore;
    fn losses(&self, batch: &Batch, train: bool) -> Result<Losses>;
    fn settings(&self) -> serde_json::Value;
    fn rebuild(&self) -> Result<Box<dyn Trained + '_>>;
    fn turns(&self) -> Vec<Turn>;
    fn turn_losses(&self, turn: &Turn, batch: &Batch) -> Result<Losses>;
}

impl<M: Model> Trained for M {
    fn var_store(&self) -> &nn::VarStore {
        Model::var_store(self)
    }

    fn losses(&self, batch: &Batch, train: bool) -> Result<Losses> {
        Model::losses(self, batch, train)
    }

    fn settings(&self) -> serde_json::Value {
        Model::settings(self)
    }

    fn rebuild(&self) -> Result<Box<dyn Trained + '_>> {
        Ok(Box::new(Model::rebuild(self)?))
    }

    fn turns(&self) -> Vec<Turn> {
        Model::turns(self)
    }

    fn turn_losses(&self, turn: &Turn, batch: &Batch) -> Result<Losses> {
        Model::turn_losses(self, turn, batch)
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

    /// Adds a named term, a scalar tensor, to report; it has no influence on training. A term that is no
    /// number is kept as such, and said.
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
        names.push(TOTAL.into());
        names
    }

    /// Refuses what can't be reported or minimised.
    ///
    /// # Errors
    /// One sentence that names the term, if one is no single real number, or two have one name.
    pub fn check(&self) -> Result<()> {
        let total = std::iter::once((TOTAL, &self.total));
        let terms = self.terms.iter().map(|(name, term)| (name.as_str(), term));
        for (name, term) in terms.clone().chain(total) {
            let what = if name == TOTAL {
                "the loss".to_owned()
            } else {
                format!("the term {name}")
            };
            if term.numel() != 1 {
                return Err(Error::Invalid(format!(
                    "{what} has the shape {:?}, but must be one number: add .mean(Kind::Float), the mean \
                     over the batch",
                    term.size()
                )));
            }
            if matches!(
                term.kind(),
                Kind::ComplexHalf | Kind::ComplexFloat | Kind::ComplexDouble
            ) {
                return Err(Error::Invalid(format!(
                    "{what} is {:?}, but must be a real number: take .real() or .abs()",
                    term.kind()
                )));
            }
        }
        let mut seen = HashSet::new();
        for (name, _) in terms {
            if name == TOTAL {
                return Err(Error::Invalid(
                    "a term is named total, which is the name of the loss itself: choose another"
                        .into(),
                ));
            }
            if !seen.insert(name) {
                return Err(Error::Invalid(format!(
                    "there are two terms named {name}: give each a name of its own"
                )));
            }
        }
        Ok(())
    }

    /// The terms alone, without the total: names and detached values.
    pub(super) fn into_terms(self) -> impl Iterator<Item = (String, Tensor)> {
        self.terms
            .into_iter()
            .map(|(name, term)| (name, term.detach()))
    }

    /// The values in the order of [`Losses::names`], detached, double `[T]` on the model's device.
    ///
    /// # Errors
    /// If one is no single real number.
    pub fn values(&self) -> Result<Tensor> {
        let terms = self.terms.iter().map(|(_, term)| term);
        stacked(terms.chain([&self.total]))
    }
}

/// Numbers, each a tensor of one element and any kind, as double `[T]`.
pub(super) fn stacked<'a>(numbers: impl IntoIterator<Item = &'a Tensor>) -> Result<Tensor> {
    let numbers: Vec<Tensor> = numbers
        .into_iter()
        .map(|number| {
            number
                .detach()
                .f_reshape([] as [i64; 0])?
                .f_to_kind(Kind::Double)
        })
        .collect::<Result<_, _>>()?;
    Ok(Tensor::f_stack(&numbers, 0)?)
}

/// The one number in a tensor of any shape.
pub(super) fn number(tensor: &Tensor) -> Result<f64> {
    Ok(tensor.f_double_value(&vec![0; tensor.dim()])?)
}
