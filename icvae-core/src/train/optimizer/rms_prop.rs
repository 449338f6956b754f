//! RMSProp.

use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{
    Optimizer, check_at_least_0, check_below_1, check_gradients, named, restore_all, zeros_like,
};
use crate::{Result, no_grad};

/// The numbers that define [`RmsProp`]; the defaults are PyTorch's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RmsPropConfig {
    /// Decay of the mean of the squared gradient, ρ.
    pub rho: f64,
    /// ε, added to the root.
    pub epsilon: f64,
    /// λ of a penalty ½λ‖w‖² on the weights.
    pub weight_decay: f64,
}

impl Default for RmsPropConfig {
    fn default() -> Self {
        Self {
            rho: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.0,
        }
    }
}

impl RmsPropConfig {
    pub(super) fn check(&self) -> Result<()> {
        check_below_1("rho", self.rho)?;
        check_at_least_0("epsilon", self.epsilon)?;
        check_at_least_0("weight_decay", self.weight_decay)
    }
}

/// RMSProp (Tieleman and Hinton 2012), in PyTorch's form: v ← ρv + (1 − ρ)g², w ← w − αg / (√v + ε).
#[derive(Debug)]
pub struct RmsProp {
    config: RmsPropConfig,
    learning_rate: f64,
    variables: Vec<(String, Tensor)>,
    squares: Vec<Tensor>,
}

impl RmsProp {
    pub(super) fn new(
        variables: Vec<(String, Tensor)>,
        learning_rate: f64,
        config: &RmsPropConfig,
    ) -> Self {
        Self {
            config: config.clone(),
            learning_rate,
            squares: zeros_like(&variables),
            variables,
        }
    }
}

impl Optimizer for RmsProp {
    fn variables(&self) -> &[(String, Tensor)] {
        &self.variables
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.learning_rate = rate;
    }

    fn apply(&mut self, gradients: &[Tensor]) -> Result<()> {
        check_gradients(gradients, &self.variables)?;
        let RmsPropConfig {
            rho,
            epsilon,
            weight_decay,
        } = self.config;
        no_grad(|| {
            for (i, gradient) in gradients.iter().enumerate() {
                if !gradient.defined() {
                    continue;
                }
                let variable = &self.variables[i].1;
                let gradient = if weight_decay > 0.0 {
                    gradient.f_add(&(variable * weight_decay))?
                } else {
                    gradient.shallow_clone()
                };
                let squares = &mut self.squares[i];
                let _ = squares
                    .f_mul_scalar_(rho)?
                    .f_add_(&(gradient.square() * (1.0 - rho)))?;
                let _ = variable
                    .shallow_clone()
                    .f_sub_(&(gradient / (squares.sqrt() + epsilon) * self.learning_rate))?;
            }
            Ok(())
        })
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        named("rms_prop.squares", &self.variables, &self.squares)
    }

    fn restore(&mut self, _steps: u64, find: &mut dyn FnMut(&str) -> Option<Tensor>) -> Result<()> {
        restore_all(self.state(), find)
    }
}
