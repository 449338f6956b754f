//! What is remembered of a run.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// Means of the named terms of a loss, in the model's order, `total` last.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TermMeans(#[serde(with = "named_numbers")] pub Vec<(String, f64)>);

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
    /// Empty where the term, or the test data, was not recorded; of a term that there is none of, standard error says
    /// which there are.
    pub fn curve(&self, term: &str, test: bool) -> Vec<(f64, f64)> {
        if let Some(sentence) = self.unknown(term) {
            eprintln!("{sentence}");
        }
        self.values(term, test)
    }

    /// What to say of a name that no term has.
    fn unknown(&self, term: &str) -> Option<String> {
        let last = self.last()?;
        last.train.get(term).is_none().then(|| {
            let names: Vec<_> = last.train.names().collect();
            format!(
                "the history has no term {term:?}: it has {}",
                names.join(", ")
            )
        })
    }

    /// The curve of one term, without a word.
    pub(super) fn values(&self, term: &str, test: bool) -> Vec<(f64, f64)> {
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

    /// The mean of one term over the test data after the last epoch.
    ///
    /// # Errors
    /// If there is no epoch, no test data, or no such term; the sentence says which terms there are.
    pub fn last_test(&self, term: &str) -> Result<f64> {
        let last = self.last().ok_or_else(|| {
            Error::Invalid("the history is empty: no epoch has been trained".into())
        })?;
        let means = last.test.as_ref().ok_or_else(|| {
            Error::Invalid("there is no value on test data: give `fit` a test set".into())
        })?;
        means
            .get(term)
            .ok_or_else(|| Error::Invalid(self.unknown(term).unwrap_or_default()))
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

/// JSON has no NaN and no infinity, but a history may: they are kept by name.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Number {
    Finite(f64),
    Named(String),
}

impl From<f64> for Number {
    fn from(value: f64) -> Self {
        if value.is_finite() {
            Self::Finite(value)
        } else {
            Self::Named(value.to_string())
        }
    }
}

impl Number {
    fn value<E: serde::de::Error>(self) -> std::result::Result<f64, E> {
        match self {
            Self::Finite(value) => Ok(value),
            Self::Named(name) => match name.as_str() {
                "NaN" => Ok(f64::NAN),
                "inf" => Ok(f64::INFINITY),
                "-inf" => Ok(f64::NEG_INFINITY),
                other => Err(E::custom(format!("{other:?} is no number"))),
            },
        }
    }
}

/// `Vec<f64>` in JSON.
pub(super) mod numbers {
    use super::{Deserialize, Deserializer, Number, Serializer};

    pub(in crate::train) fn serialize<S: Serializer>(
        all: &[f64],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(all.iter().map(|&value| Number::from(value)))
    }

    pub(in crate::train) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<Vec<f64>, D::Error> {
        let all = Vec::<Number>::deserialize(from)?;
        all.into_iter().map(Number::value).collect()
    }
}

/// `Vec<(String, f64)>` in JSON.
pub(super) mod named_numbers {
    use super::{Deserialize, Deserializer, Number, Serializer};

    pub(in crate::train) fn serialize<S: Serializer>(
        all: &[(String, f64)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(all.iter().map(|(name, value)| (name, Number::from(*value))))
    }

    pub(in crate::train) fn deserialize<'d, D: Deserializer<'d>>(
        from: D,
    ) -> Result<Vec<(String, f64)>, D::Error> {
        let all = Vec::<(String, Number)>::deserialize(from)?;
        all.into_iter()
            .map(|(name, value)| Ok((name, value.value()?)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_no_term_has_is_told_with_those_there_are() {
        let record = EpochRecord {
            epoch: 1,
            train: TermMeans(vec![("prior KL".into(), 2.0), ("total".into(), 3.0)]),
            test: None,
            seconds: 1.0,
            evaluation_seconds: 0.0,
        };
        let history = History {
            epochs: vec![record],
        };
        assert_eq!(history.curve("total", false), [(1.0, 3.0)]);
        assert_eq!(history.unknown("total"), None);
        assert_eq!(
            history.unknown("prior").as_deref(),
            Some("the history has no term \"prior\": it has prior KL, total")
        );
        assert_eq!(History::default().unknown("prior"), None);
    }
}
