//! Weights that fade by themselves.

use tch::Tensor;

use super::{Optimizer, check_gradients};
use crate::{Result, no_grad};

/// Any optimiser with decoupled weight decay (Loshchilov and Hutter 2019): before every step each variable is
/// multiplied by 1 − α·λ, with the learning rate α. Around [`Adam`](super::Adam) it is AdamW, as in PyTorch:
/// biases fade too.
///
/// A variable that the loss does not reach does not fade.
#[derive(Debug)]
pub struct WeightDecay<O> {
    inner: O,
    learning_rate: f64,
    decay: f64,
}

impl<O: Optimizer> WeightDecay<O> {
    /// Decay `decay`, λ, around an optimiser of the given learning rate.
    pub fn new(inner: O, learning_rate: f64, decay: f64) -> Self {
        Self {
            inner,
            learning_rate,
            decay,
        }
    }
}

impl<O: Optimizer> Optimizer for WeightDecay<O> {
    fn variables(&self) -> &[(String, Tensor)] {
        self.inner.variables()
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.learning_rate = rate;
        self.inner.set_learning_rate(rate);
    }

    fn apply(&mut self, gradients: &[Tensor]) -> Result<()> {
        check_gradients(gradients, self.inner.variables())?;
        let keep = 1.0 - self.learning_rate * self.decay;
        no_grad(|| -> Result<()> {
            for (gradient, (_, variable)) in gradients.iter().zip(self.inner.variables()) {
                if gradient.defined() {
                    let _ = variable.shallow_clone().f_mul_scalar_(keep)?;
                }
            }
            Ok(())
        })?;
        self.inner.apply(gradients)
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        self.inner.state()
    }

    fn restore(&mut self, steps: u64, find: &mut dyn FnMut(&str) -> Option<Tensor>) -> Result<()> {
        self.inner.restore(steps, find)
    }
}
