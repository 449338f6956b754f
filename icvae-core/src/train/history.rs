//! What is remembered of a run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Means of the named terms of a loss, in the model's order, `total` last.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TermMeans(pub Vec<(String, f64)>);

impl TermMeans {
    /// The mean of one term.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0
            .iter()
            .find(|(n, _)| n == name)
            .map(|&(_, value)| value)
    }

    /// The names of the terms.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }
}

impl fmt::Display for TermMeans {
    /// `reconstruction 36.17, prior KL 6.33, total 78.91`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            let comma = if i > 0 { ", " } else { "" };
            write!(f, "{comma}{name} {value:.2}")?;
        }
        Ok(())
    }
}

/// One epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EpochRecord {
    /// Its number, from 1.
    pub epoch: usize,
    /// The means over the epoch's batches, taken while the weights were changing.
    pub train: TermMeans,
    /// The means over the test data after the epoch, where there is test data.
    pub test: Option<TermMeans>,
    /// Seconds that the epoch's steps took.
    pub seconds: f64,
    /// Seconds that its evaluation took.
    pub evaluation_seconds: f64,
}

/// All epochs of a run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// One record an epoch, in order.
    pub epochs: Vec<EpochRecord>,
}

impl History {
    /// The curve of one term over the epochs, as (epoch, value); on the test data where `test` is set.
    ///
    /// Empty where the term, or the test data, was not recorded.
    pub fn curve(&self, term: &str, test: bool) -> Vec<(f64, f64)> {
        self.epochs
            .iter()
            .filter_map(|record| {
                let means = if test {
                    record.test.as_ref()?
                } else {
                    &record.train
                };
                Some((record.epoch as f64, means.get(term)?))
            })
            .collect()
    }

    /// The last record.
    pub fn last(&self) -> Option<&EpochRecord> {
        self.epochs.last()
    }

    /// Seconds that all epochs took, evaluations included.
    pub fn seconds(&self) -> f64 {
        self.epochs
            .iter()
            .map(|record| record.seconds + record.evaluation_seconds)
            .sum()
    }
}
