//! Stochastic gradient descent.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{
    Optimizer, check_at_least_0, check_below_1, check_gradients, named, restore_all, zeros_like,
};
use crate::{Error, Result, no_grad};

/// The numbers that define [`Sgd`]; the defaults are momentum 0.9 and nothing else.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SgdConfig {
    /// How much of the last step's direction stays, μ.
    pub momentum: f64,
    /// Whether the gradient is taken for the place where the momentum leads (Nesterov).
    pub nesterov: bool,
    /// λ of a penalty ½λ‖w‖² on the weights.
    pub weight_decay: f64,
}

impl Default for SgdConfig {
    fn default() -> Self {
        Self {
            momentum: 0.9,
            nesterov: false,
            weight_decay: 0.0,
        }
    }
}

impl SgdConfig {
    pub(super) fn check(&self) -> Result<()> {
        check_below_1("momentum", self.momentum)?;
        if self.nesterov && self.momentum == 0.0 {
            return Err(Error::Invalid(
                "nesterov is set, but momentum is 0: give a momentum such as 0.9".into(),
            ));
        }
        check_at_least_0("weight_decay", self.weight_decay)
    }
}

/// Stochastic gradient descent with momentum, in PyTorch's form: b ← μb + g + λw, w ← w − αb (Sutskever et al.
/// 2013); with Nesterov's momentum w ← w − α(g + λw + μb).
#[derive(Debug)]
pub struct Sgd {
    config: SgdConfig,
    learning_rate: f64,
    variables: Vec<(String, Tensor)>,
    momentum: Vec<Tensor>,
}

impl Sgd {
    pub(super) fn new(
        variables: Vec<(String, Tensor)>,
        learning_rate: f64,
        config: &SgdConfig,
    ) -> Self {
        let momentum = if config.momentum > 0.0 {
            zeros_like(&variables)
        } else {
            Vec::new()
        };
        Self {
            config: config.clone(),
            learning_rate,
            variables,
            momentum,
        }
    }
}

impl Optimizer for Sgd {
    fn variables(&self) -> &[(String, Tensor)] {
        &self.variables
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.learning_rate = rate;
    }

    fn apply(&mut self, gradients: &[Tensor]) -> Result<()> {
        check_gradients(gradients, &self.variables)?;
        let SgdConfig {
            momentum,
            nesterov,
            weight_decay,
        } = self.config;
        no_grad(|| {
            for (i, gradient) in gradients.iter().enumerate() {
                if !gradient.defined() {
                    continue;
                }
                let variable = &self.variables[i].1;
                let mut direction = if weight_decay > 0.0 {
                    gradient.f_add(&(variable * weight_decay))?
                } else {
                    gradient.shallow_clone()
                };
                if let Some(kept) = self.momentum.get_mut(i) {
                    let _ = kept.f_mul_scalar_(momentum)?.f_add_(&direction)?;
                    direction = if nesterov {
                        direction.f_add(&(&*kept * momentum))?
                    } else {
                        kept.shallow_clone()
                    };
                }
                let _ = variable
                    .shallow_clone()
                    .f_sub_(&(direction * self.learning_rate))?;
            }
            Ok(())
        })
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        named("sgd.momentum", &self.variables, &self.momentum)
    }

    fn restore(&mut self, _steps: u64, find: &mut dyn FnMut(&str) -> Option<Tensor>) -> Result<()> {
        restore_all(self.state(), find)
    }
}
