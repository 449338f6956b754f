//! What a reader asks of a training run, and what comes of it.

use super::model::Trained;
use super::run::{Run, Wishes};
use super::{History, Listener, Model, Store, TrainConfig};
use crate::data::Dataset;
use crate::{Error, Result};

/// Trains a model: epochs of shuffled batches, an evaluation after each, events to listeners.
///
/// ```no_run
/// use icvae_core::model::{Icvae, IcvaeConfig};
/// use icvae_core::train::{Control, Event, TrainConfig, Trainer};
/// use icvae_core::{Settings, data};
///
/// # fn main() -> icvae_core::Result<()> {
/// let settings = Settings::from_env()?;
/// let digits = data::load(&settings)?;
/// let model = Icvae::new(&IcvaeConfig::default(), settings.device, 0)?;
/// let run = Trainer::new(&TrainConfig { epochs: 3, ..Default::default() })
///     .listen(|event: &Event<'_>| {
///         if let Event::EpochEnd { record, .. } = event {
///             println!("epoch {}: {}", record.epoch, record.train);
///         }
///         Control::Continue
///     })
///     .fit(&model, &digits.train, Some(&digits.test))?;
/// println!("{run}");
/// # Ok(())
/// # }
/// ```
pub struct Trainer<'a> {
    config: TrainConfig,
    listeners: Vec<Box<dyn Listener + 'a>>,
    wishes: Wishes,
}

/// What came of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Every epoch, those of earlier sittings included.
    pub history: History,
    /// Steps that an earlier sitting had done and this one did not repeat.
    pub steps_found: u64,
    /// Steps that this sitting did.
    pub steps_trained: u64,
    /// Why the run ended before its last epoch, if it did.
    pub stopped: Option<String>,
    /// What a reader should know: weights that the loss does not reach, files that could not be read or written.
    pub remarks: Vec<String>,
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let epochs = self.history.epochs.len();
        let seconds = self.history.seconds();
        match (self.steps_found, self.steps_trained) {
            (0, _) => write!(f, "trained {epochs} epochs in {seconds:.0} s")?,
            (_, 0) => write!(
                f,
                "found the weights of these settings: {epochs} epochs, trained earlier in {seconds:.0} s"
            )?,
            (found, trained) => write!(
                f,
                "went on from step {found} with {trained} more: {epochs} epochs, {seconds:.0} s in all"
            )?,
        }
        if let Some(reason) = &self.stopped {
            write!(f, "; stopped there because {reason}")?;
        }
        for remark in &self.remarks {
            write!(f, "\n{remark}")?;
        }
        Ok(())
    }
}

impl<'a> Trainer<'a> {
    /// A trainer with nobody listening.
    pub fn new(config: &TrainConfig) -> Self {
        Self {
            config: config.clone(),
            listeners: Vec::new(),
            wishes: Wishes::default(),
        }
    }

    /// Adds a listener.
    #[must_use]
    pub fn listen(mut self, listener: impl Listener + 'a) -> Self {
        self.wishes.rules.extend(listener.rule());
        self.listeners.push(Box::new(listener));
        self
    }

    /// Keeps the run in a store: after every epoch, and when it is interrupted. A run that is found
    /// there goes on where it was, and one that is complete is not repeated.
    #[must_use]
    pub fn keep_in(mut self, store: Store) -> Self {
        self.wishes.store = Some(store);
        self
    }

    /// Keeps the run as it is after these epochs too, beside its end: a model trained for one of them, with
    /// the same settings otherwise, is then found in the store. So a film of the run can be made afterwards.
    #[must_use]
    pub fn keep_epochs(mut self, epochs: impl IntoIterator<Item = usize>) -> Self {
        self.wishes.kept.extend(epochs);
        self
    }

    /// Begins with the weights that the model has instead of its first ones: to train a model further, with other
    /// numbers or another loss, or one whose weights were loaded. Each run then is one of its own: a store
    /// finds it by the weights that it began with, too.
    #[must_use]
    pub fn from_present_weights(mut self) -> Self {
        self.wishes.from_present_weights = true;
        self
    }

    /// Goes on with a run that a listener had ended; without it, such a run is found as ended, by the same number
    /// of epochs and the same [rule](Listener::rule).
    #[must_use]
    pub fn train_on(mut self) -> Self {
        self.wishes.train_on = true;
        self
    }

    /// Trains a model from its first weights, or from where the store's run was cut off.
    ///
    /// The same settings, seed and data give the same weights on the same machine.
    ///
    /// # Errors
    /// If the numbers make no sense or don't fit the data, if the loss is no longer a number, or if a
    /// listener interrupts: then the model keeps the weights it had reached.
    pub fn fit<M: Model>(
        self,
        model: &M,
        train: &Dataset,
        test: Option<&Dataset>,
    ) -> Result<Outcome> {
        self.fit_any(model, train, test)
    }

    fn fit_any(
        self,
        model: &dyn Trained,
        train: &Dataset,
        test: Option<&Dataset>,
    ) -> Result<Outcome> {
        let Self {
            config,
            mut listeners,
            wishes,
        } = self;
        config.check()?;
        if train.is_empty() || test.is_some_and(Dataset::is_empty) {
            return Err(Error::Invalid(
                "there is nothing to train on: the data set is empty".into(),
            ));
        }
        let device = model.var_store().device();
        let train = train.to_device(device);
        let test = test.map(|data| data.to_device(device));
        // Somebody may have left gradients off.
        tch::with_grad(|| {
            let mut run = Run::begin(&config, &wishes, model, &train, test.as_ref())?;
            let steps_found = run.state.steps_done;
            let stopped = run.finish(&mut listeners)?;
            Ok(Outcome {
                steps_trained: run.state.steps_done - steps_found,
                history: run.state.history,
                steps_found,
                stopped,
                remarks: run.remarks,
            })
        })
    }
}
