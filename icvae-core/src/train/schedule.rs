//! How the learning rate changes from epoch to epoch.

use serde::{Deserialize, Serialize};

use super::History;
use crate::{Error, Result};

/// The learning rate over a run: a pure function of the history, so that a run which goes on from a
/// checkpoint goes on with the rate that it had.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Schedule {
    /// The optimiser's own, all the time.
    #[default]
    Constant,
    /// Multiplied by `factor` after every epoch.
    Decay {
        /// Greater than 0 and at most 1.
        factor: f64,
    },
    /// Smaller each time that the loss stops falling.
    ReduceOnPlateau(ReduceOnPlateau),
    /// Half a cosine from the whole rate down to 0, over so many epochs (Loshchilov and Hutter 2017, without
    /// restarts); 0 is not reached within them.
    Cosine {
        /// As many as the run has, usually.
        epochs: usize,
    },
}

/// Multiplies the learning rate by a factor when the loss (`total`, on the test data where there are any)
/// has not fallen for some epochs; by Keras' rule, and with Keras' defaults.
///
/// ```
/// use icvae_core::train::ReduceOnPlateau;
///
/// let rule = ReduceOnPlateau { patience: 2, ..Default::default() };
/// // After 3, nothing is better for two epochs: the fifth epoch learns with a tenth.
/// assert_eq!(rule.learning_rates(0.1, &[5.0, 3.0, 3.2, 3.1]), [0.1, 0.1, 0.1, 0.1, 0.1 * 0.1]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReduceOnPlateau {
    /// What the rate is multiplied by, between 0 and 1.
    pub factor: f64,
    /// Epochs in a row without a better loss, after which the rate is reduced.
    pub patience: usize,
    /// A loss is better if it is lower than the best by more than this.
    pub min_delta: f64,
    /// Epochs after a reduction that don't count.
    pub cooldown: usize,
    /// The rate never goes below this.
    pub min_learning_rate: f64,
}

impl Default for ReduceOnPlateau {
    fn default() -> Self {
        Self {
            factor: 0.1,
            patience: 10,
            min_delta: 1e-4,
            cooldown: 0,
            min_learning_rate: 0.0,
        }
    }
}

impl ReduceOnPlateau {
    /// The rate of every epoch of a run that begins with `initial` and whose losses were `watched`, and
    /// of the epoch after them: one more than there are losses.
    pub fn learning_rates(&self, initial: f64, watched: &[f64]) -> Vec<f64> {
        let mut rates = vec![initial];
        let (mut rate, mut best) = (initial, f64::INFINITY);
        let (mut waited, mut cooling) = (0, 0_usize);
        for &loss in watched {
            if cooling > 0 {
                cooling -= 1;
                waited = 0;
            }
            if loss < best - self.min_delta {
                best = loss;
                waited = 0;
            } else if cooling == 0 {
                waited += 1;
                if waited >= self.patience && rate > self.min_learning_rate {
                    rate = (rate * self.factor).max(self.min_learning_rate);
                    (waited, cooling) = (0, self.cooldown);
                }
            }
            rates.push(rate);
        }
        rates
    }
}

impl Schedule {
    /// Multiplies the rate by `factor` after every epoch.
    pub fn decay(factor: f64) -> Self {
        Self::Decay { factor }
    }

    /// Divides the rate by 10 each time that the loss has not fallen for so many epochs.
    pub fn on_plateau(patience: usize) -> Self {
        Self::ReduceOnPlateau(ReduceOnPlateau {
            patience,
            ..Default::default()
        })
    }

    /// Half a cosine down to 0 over so many epochs.
    ///
    /// ```
    /// use icvae_core::train::{History, Schedule, TrainConfig};
    ///
    /// let config = TrainConfig { schedule: Schedule::cosine(10), epochs: 10, ..Default::default() };
    /// assert_eq!(config.learning_rates(&History::default()), [config.learning_rate]);
    /// ```
    pub fn cosine(epochs: usize) -> Self {
        Self::Cosine { epochs }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        let rule = match self {
            Self::Constant => return Ok(()),
            Self::Decay { factor } if *factor > 0.0 && *factor <= 1.0 => return Ok(()),
            Self::Decay { factor } => {
                return Err(Error::Invalid(format!(
                    "the learning rate's factor is {factor}, but must be greater than 0 and at most 1"
                )));
            }
            Self::ReduceOnPlateau(rule) => rule,
            Self::Cosine { epochs: 0 } => {
                return Err(Error::Invalid(
                    "the learning rate's cosine is over 0 epochs: give the number of the run's"
                        .into(),
                ));
            }
            Self::Cosine { .. } => return Ok(()),
        };
        if !(rule.factor > 0.0 && rule.factor < 1.0) {
            return Err(Error::Invalid(format!(
                "the learning rate's factor is {}, but must be greater than 0 and less than 1",
                rule.factor
            )));
        }
        if rule.patience == 0 {
            return Err(Error::Invalid(
                "the learning rate's patience is 0, but must be at least 1 epoch".into(),
            ));
        }
        for (name, value) in [
            ("min_delta", rule.min_delta),
            ("min_learning_rate", rule.min_learning_rate),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                return Err(Error::Invalid(format!(
                    "the learning rate's {name} is {value}, but must be 0 or more"
                )));
            }
        }
        Ok(())
    }

    /// Whether the rate never changes.
    pub(super) fn is_constant(&self) -> bool {
        *self == Self::Constant
    }

    /// The rate of every epoch in a history, and of the one after.
    pub(super) fn learning_rates(&self, initial: f64, history: &History) -> Vec<f64> {
        match self {
            Self::Constant => vec![initial; history.epochs.len() + 1],
            Self::Decay { factor } => (0..=history.epochs.len())
                .map(|epoch| initial * factor.powi(epoch as i32))
                .collect(),
            Self::Cosine { epochs } => (0..=history.epochs.len())
                .map(|done| done.min(epochs - 1) as f64 / *epochs as f64)
                .map(|share| initial * 0.5 * (1.0 + (std::f64::consts::PI * share).cos()))
                .collect(),
            Self::ReduceOnPlateau(rule) => {
                let watched: Vec<f64> = history
                    .epochs
                    .iter()
                    .map(|record| record.test.as_ref().unwrap_or(&record.train))
                    .map(|means| means.get("total").unwrap_or(f64::NAN))
                    .collect();
                rule.learning_rates(initial, &watched)
            }
        }
    }
}
