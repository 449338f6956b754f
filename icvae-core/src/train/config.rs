//! The numbers that define a training run.

use serde::{Deserialize, Serialize};

use super::optimizer::check_learning_rate;
use super::{History, OptimizerConfig, Schedule};
use crate::{Error, Result};

/// How to train; the defaults are the tutorial's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Passes over the training data.
    pub epochs: usize,
    /// Examples a step.
    pub batch_size: usize,
    /// Step size α of the optimiser, as the run begins.
    pub learning_rate: f64,
    /// What moves the weights.
    pub optimizer: OptimizerConfig,
    /// How the learning rate changes over the epochs.
    #[serde(skip_serializing_if = "Schedule::is_constant")]
    pub schedule: Schedule,
    /// Sets the order of the examples and every random draw of the run.
    pub seed: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            epochs: 100,
            batch_size: 32,
            learning_rate: 5e-4,
            optimizer: OptimizerConfig::default(),
            schedule: Schedule::Constant,
            seed: 0,
        }
    }
}

impl TrainConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        if self.batch_size == 0 {
            return Err(Error::Invalid(
                "batch_size is 0, but a step needs at least 1 example".into(),
            ));
        }
        if self.epochs == 0 {
            return Err(Error::Invalid(
                "epochs is 0, but training needs at least 1".into(),
            ));
        }
        self.schedule.check()?;
        check_learning_rate(self.learning_rate)?;
        self.optimizer.check()
    }

    /// The learning rate of every epoch in a history, and of the one after.
    pub fn learning_rates(&self, history: &History) -> Vec<f64> {
        self.schedule.learning_rates(self.learning_rate, history)
    }
}
