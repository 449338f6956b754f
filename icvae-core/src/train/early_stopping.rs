//! Ending a run that no longer gets better.

use super::{Control, Event, History, Listener, StopReason};

/// A listener that ends a run when a term has not fallen for some epochs; on the test data where there are any.
///
/// A pure function of the history: a run that goes on from a checkpoint stops where it would have stopped.
///
/// ```
/// use icvae_core::train::{EarlyStopping, TrainConfig, Trainer};
///
/// let trainer = Trainer::new(&TrainConfig::default()).listen(EarlyStopping::patience(5));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EarlyStopping {
    patience: usize,
    term: String,
    min_delta: f64,
    told: bool,
}

impl EarlyStopping {
    /// Stops when `total` has not fallen below its best value for so many epochs; 0 counts as 1.
    pub fn patience(epochs: usize) -> Self {
        Self {
            patience: epochs.max(1),
            term: "total".into(),
            min_delta: 0.0,
            told: false,
        }
    }

    /// Watches another term than `total`.
    #[must_use]
    pub fn watching(mut self, term: impl Into<String>) -> Self {
        self.term = term.into();
        self
    }

    /// Counts a value as better only if it is lower than the best by more than this.
    #[must_use]
    pub fn min_delta(mut self, delta: f64) -> Self {
        self.min_delta = delta;
        self
    }

    /// Why the run should end with this history, if it should.
    fn verdict(&self, history: &History) -> Option<String> {
        let tested = history.last()?.test.is_some();
        let curve = history.values(&self.term, tested);
        let (mut best_epoch, mut best) = (0.0, f64::INFINITY);
        for &(epoch, value) in &curve {
            if value < best - self.min_delta {
                (best_epoch, best) = (epoch, value);
            }
        }
        let waited = curve.last()?.0 - best_epoch;
        (waited >= self.patience as f64).then(|| {
            let data = if tested { "test" } else { "training" };
            format!(
                "{} on the {data} data has not fallen for {waited} epochs (best: {best:.4} after epoch \
                 {best_epoch})",
                self.term
            )
        })
    }
}

impl Listener for EarlyStopping {
    fn on_event(&mut self, event: &Event<'_>) -> Control {
        let (Event::Started { history, .. } | Event::EpochEnd { history, .. }) = event else {
            return Control::Continue;
        };
        if let Some(last) = history.last()
            && last.train.get(&self.term).is_none()
            && !std::mem::replace(&mut self.told, true)
        {
            let names: Vec<_> = last.train.names().collect();
            eprintln!(
                "early stopping watches {:?}, which is no term of this model, and so never stops: the terms \
                 are {}",
                self.term,
                names.join(", ")
            );
        }
        match self.verdict(history) {
            Some(why) => Control::Stop(StopReason::Satisfied(why)),
            None => Control::Continue,
        }
    }

    fn rule(&self) -> Option<String> {
        Some(format!(
            "early stopping on {} after {} epochs by {}",
            self.term, self.patience, self.min_delta
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{EpochRecord, TermMeans};
    use super::*;

    fn history(values: &[f64]) -> History {
        let record = |(i, &value): (usize, &f64)| EpochRecord {
            epoch: i + 1,
            train: TermMeans(vec![("total".into(), value)]),
            test: None,
            seconds: 1.0,
            evaluation_seconds: 0.0,
        };
        History {
            epochs: values.iter().enumerate().map(record).collect(),
        }
    }

    #[test]
    fn a_run_ends_when_nothing_was_better_for_so_long() {
        let stops = |rule: EarlyStopping, values: &[f64]| rule.verdict(&history(values)).is_some();
        let two = || EarlyStopping::patience(2);
        assert!(!stops(two(), &[]));
        assert!(!stops(two(), &[5.0, 4.0, 4.5]));
        assert!(stops(two(), &[5.0, 4.0, 4.5, 4.0]), "as good is not better");
        assert!(!stops(two(), &[5.0, 4.0, 4.5, 3.9]));
        assert!(stops(two().min_delta(0.2), &[5.0, 4.0, 4.5, 3.9]));
        assert!(stops(two(), &[f64::NAN, f64::NAN]));
        assert!(!stops(two().watching("nothing"), &[5.0, 6.0, 7.0, 8.0]));
    }
}
