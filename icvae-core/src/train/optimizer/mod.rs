//! What every optimiser does, and the numbers that choose one.

mod decay;
mod rms_prop;
mod sgd;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{Adam, AdamConfig};
use crate::{Error, Result};
pub use decay::WeightDecay;
pub use rms_prop::{RmsProp, RmsPropConfig};
pub use sgd::{Sgd, SgdConfig};

/// An optimiser over named variables, with its state open to be saved: what the trainer and a loop written by
/// hand need of one.
///
/// ```
/// use icvae_core::tch::{Device, Kind, nn};
/// use icvae_core::train::{Optimizer, OptimizerConfig};
///
/// # fn main() -> icvae_core::Result<()> {
/// let vs = nn::VarStore::new(Device::Cpu);
/// let w = vs.root().ones("w", &[1]);
/// let mut sgd = OptimizerConfig::sgd(0.0).build(&vs, 0.1)?;
/// sgd.minimise(&w.square().sum(Kind::Float))?; // the gradient is 2
/// assert!((w.double_value(&[0]) - 0.8).abs() < 1e-6);
/// # Ok(())
/// # }
/// ```
pub trait Optimizer: std::fmt::Debug {
    /// The variables that it moves, in the order that [`Optimizer::apply`] takes gradients in.
    fn variables(&self) -> &[(String, Tensor)];

    /// Sets the step size of the steps to come; the state stays.
    fn set_learning_rate(&mut self, rate: f64);

    /// One update from given gradients, in the order of the variables. A variable whose gradient is undefined
    /// stays as it is.
    ///
    /// # Errors
    /// If the gradients are not those of the variables.
    fn apply(&mut self, gradients: &[Tensor]) -> Result<()>;

    /// What it remembers of every variable, under names of their own: what a checkpoint keeps.
    fn state(&self) -> Vec<(String, Tensor)>;

    /// Takes up a state that [`Optimizer::state`] gave after so many steps; `find` returns the tensor of a name.
    ///
    /// # Errors
    /// If a tensor is missing or of another shape; then nothing is changed.
    fn restore(&mut self, steps: u64, find: &mut dyn FnMut(&str) -> Option<Tensor>) -> Result<()>;

    /// Minimises a loss, a scalar tensor, by one step: gradients, then the update.
    ///
    /// # Errors
    /// If the loss is no scalar, or none of the model's variables takes part in it.
    fn minimise(&mut self, loss: &Tensor) -> Result<()> {
        let gradients = gradients(loss, self.variables())?;
        self.apply(&gradients)
    }
}

/// Which optimiser, and its numbers but for the learning rate, which [`TrainConfig`](super::TrainConfig) holds.
///
/// ```
/// use icvae_core::train::{OptimizerConfig, TrainConfig};
///
/// let sgd = TrainConfig { learning_rate: 0.01, optimizer: OptimizerConfig::sgd(0.9), ..Default::default() };
/// let adam_w = TrainConfig { optimizer: OptimizerConfig::adam_w(0.01), ..Default::default() };
/// assert_ne!(sgd, adam_w);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum OptimizerConfig {
    /// See [`Adam`].
    Adam(AdamConfig),
    /// Adam with decoupled weight decay, see [`WeightDecay`].
    AdamW {
        /// Adam's own numbers.
        adam: AdamConfig,
        /// The share of every weight that a step takes away, before it is multiplied by the learning rate.
        weight_decay: f64,
    },
    /// See [`Sgd`].
    Sgd(SgdConfig),
    /// See [`RmsProp`].
    RmsProp(RmsPropConfig),
}

impl Default for OptimizerConfig {
    fn default() -> Self {
        Self::adam()
    }
}

impl From<AdamConfig> for OptimizerConfig {
    fn from(config: AdamConfig) -> Self {
        Self::Adam(config)
    }
}

impl OptimizerConfig {
    /// Adam with the tutorial's numbers.
    pub fn adam() -> Self {
        Self::Adam(AdamConfig::default())
    }

    /// Adam with decoupled weight decay; PyTorch's default for it is 0.01.
    pub fn adam_w(weight_decay: f64) -> Self {
        Self::AdamW {
            adam: AdamConfig::default(),
            weight_decay,
        }
    }

    /// Stochastic gradient descent with momentum; 0 for none.
    pub fn sgd(momentum: f64) -> Self {
        Self::Sgd(SgdConfig {
            momentum,
            ..Default::default()
        })
    }

    /// RMSProp with PyTorch's numbers.
    pub fn rms_prop() -> Self {
        Self::RmsProp(RmsPropConfig::default())
    }

    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        match self {
            Self::Adam(adam) => adam.check(),
            Self::AdamW { adam, weight_decay } => {
                adam.check()?;
                check_at_least_0("weight_decay", *weight_decay)
            }
            Self::Sgd(sgd) => sgd.check(),
            Self::RmsProp(rms_prop) => rms_prop.check(),
        }
    }

    /// The optimiser for those variables of a store that are trained, in the order of their names.
    ///
    /// # Errors
    /// If a number makes no sense, or a variable holds anything but float32.
    pub fn build(&self, vs: &tch::nn::VarStore, learning_rate: f64) -> Result<Box<dyn Optimizer>> {
        self.for_variables(trained_variables(vs), learning_rate)
    }

    /// The optimiser for named leaf variables.
    ///
    /// # Errors
    /// If a number makes no sense, or a variable holds anything but float32.
    pub fn for_variables(
        &self,
        variables: Vec<(String, Tensor)>,
        learning_rate: f64,
    ) -> Result<Box<dyn Optimizer>> {
        self.check()?;
        check_learning_rate(learning_rate)?;
        if let Some((name, v)) = variables.iter().find(|(_, v)| v.kind() != Kind::Float) {
            return Err(Error::Invalid(format!(
                "the variable {name} holds {:?}, but an optimiser works on Float (float32)",
                v.kind()
            )));
        }
        Ok(match self {
            Self::Adam(config) => Box::new(Adam::for_variables(variables, learning_rate, config)?),
            Self::AdamW { adam, weight_decay } => Box::new(WeightDecay::new(
                Adam::for_variables(variables, learning_rate, adam)?,
                learning_rate,
                *weight_decay,
            )),
            Self::Sgd(config) => Box::new(Sgd::new(variables, learning_rate, config)),
            Self::RmsProp(config) => Box::new(RmsProp::new(variables, learning_rate, config)),
        })
    }
}

/// The variables of a store that are trained, in the order of their names.
pub(super) fn trained_variables(vs: &tch::nn::VarStore) -> Vec<(String, Tensor)> {
    let mut variables: Vec<_> = vs
        .variables()
        .into_iter()
        .filter(|(_, v)| v.requires_grad())
        .collect();
    variables.sort_by(|a, b| a.0.cmp(&b.0));
    variables
}

/// The gradients of a loss at variables; undefined where a variable takes no part in it.
///
/// # Errors
/// If the loss is no scalar or depends on no variable: libtorch would sum it, or end the process.
pub(super) fn gradients(loss: &Tensor, variables: &[(String, Tensor)]) -> Result<Vec<Tensor>> {
    if loss.numel() != 1 {
        return Err(Error::Invalid(format!(
            "the loss has the shape {:?}, but only one number can be minimised: add \
             .mean(Kind::Float) to take the mean over the batch",
            loss.size()
        )));
    }
    if !loss.requires_grad() {
        return Err(Error::Invalid(
            "the loss has no gradient, because no trained variable of the model takes part in it: it was \
             computed inside no_grad, detached, or all of the model's variables are frozen"
                .into(),
        ));
    }
    let leaves: Vec<&Tensor> = variables.iter().map(|(_, v)| v).collect();
    Ok(Tensor::f_run_backward(&[loss], &leaves, false, false)?)
}

/// Refuses gradients that are not those of the variables.
pub(super) fn check_gradients(gradients: &[Tensor], variables: &[(String, Tensor)]) -> Result<()> {
    if gradients.len() != variables.len() {
        return Err(Error::Invalid(format!(
            "an optimiser of {} variables was given {} gradients",
            variables.len(),
            gradients.len()
        )));
    }
    for (gradient, (name, variable)) in gradients.iter().zip(variables) {
        if !gradient.defined() {
            continue;
        }
        if gradient.size() != variable.size() {
            return Err(Error::Invalid(format!(
                "the gradient of {name} has the shape {:?}, the variable {:?}",
                gradient.size(),
                variable.size()
            )));
        }
        if gradient.kind() != variable.kind() {
            return Err(Error::Invalid(format!(
                "the gradient of {name} holds {:?}, the variable {:?}: convert it with to_kind",
                gradient.kind(),
                variable.kind()
            )));
        }
    }
    Ok(())
}

/// Copies saved tensors over an optimiser's own, all or none.
fn restore_all(
    state: Vec<(String, Tensor)>,
    find: &mut dyn FnMut(&str) -> Option<Tensor>,
) -> Result<()> {
    let mut restored = Vec::new();
    for (name, own) in state {
        match find(&name) {
            Some(saved) if saved.size() == own.size() => restored.push((own, saved)),
            _ => {
                return Err(Error::Invalid(format!(
                    "the optimiser's state {name} is missing or of another shape"
                )));
            }
        }
    }
    for (mut own, saved) in restored {
        own.f_copy_(&saved)?;
    }
    Ok(())
}

/// One tensor of zeros for every variable.
fn zeros_like(variables: &[(String, Tensor)]) -> Vec<Tensor> {
    variables
        .iter()
        .map(|(_, v)| v.zeros_like().detach())
        .collect()
}

/// An optimiser's memory under names that a checkpoint keeps.
fn named(prefix: &str, variables: &[(String, Tensor)], memory: &[Tensor]) -> Vec<(String, Tensor)> {
    variables
        .iter()
        .zip(memory)
        .map(|((name, _), tensor)| (format!("{prefix}.{name}"), tensor.shallow_clone()))
        .collect()
}

/// Refuses what is no step size.
pub(super) fn check_learning_rate(rate: f64) -> Result<()> {
    if rate.is_finite() && rate > 0.0 {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "learning_rate is {rate}, but must be greater than 0"
    )))
}

fn check_at_least_0(name: &str, value: f64) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "{name} is {value}, but must be 0 or more"
    )))
}

fn check_below_1(name: &str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::Invalid(format!(
        "{name} is {value}, but must be at least 0 and less than 1"
    )))
}
