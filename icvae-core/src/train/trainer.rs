//! The loop.

use std::time::Instant;

use tch::{Device, Tensor, no_grad};

use super::{
    Adam, Checkpoint, Control, EpochRecord, Event, History, Listener, Model, Progress, Step,
    StopReason, Store, TermMeans, TrainConfig, Turn, step_seed,
};
use crate::data::{Batches, Dataset};
use crate::interrupt::interrupted;
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
    store: Option<Store>,
    kept: Vec<usize>,
    readable: bool,
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
    /// What a reader should know: files that could not be read or written.
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
            store: None,
            kept: Vec::new(),
            readable: false,
        }
    }

    /// Adds a listener.
    #[must_use]
    pub fn listen(mut self, listener: impl Listener + 'a) -> Self {
        self.listeners.push(Box::new(listener));
        self
    }

    /// Keeps the run in a store: after every epoch, and when it is interrupted. A run that is found
    /// there goes on where it was, and one that is complete is not repeated.
    #[must_use]
    pub fn keep_in(mut self, store: Store) -> Self {
        self.store = Some(store);
        self
    }

    /// Keeps the run as it is after these epochs too, beside its end: a model trained for one of them, with
    /// the same settings otherwise, is then found in the store. So a film of the run can be made afterwards.
    #[must_use]
    pub fn keep_epochs(mut self, epochs: impl IntoIterator<Item = usize>) -> Self {
        self.kept.extend(epochs);
        self
    }

    /// Trains by the model's readable losses and automatic differentiation even where it has a
    /// [fast step](super::Step).
    #[must_use]
    pub fn by_autograd(mut self) -> Self {
        self.readable = true;
        self
    }

    /// Trains a model from its initial weights, or from where the store's run was cut off.
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
        let Self {
            config,
            mut listeners,
            store,
            kept,
            readable,
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
        let mut run = Run::begin(&config, store.as_ref(), model, &train, test.as_ref())?;
        run.fast = if readable || !run.turns.is_empty() {
            None
        } else {
            model.fast_step()
        };
        run.kept = kept;
        let steps_found = run.progress.steps_done;
        let stopped = run.finish(&mut listeners)?;
        Ok(Outcome {
            steps_trained: run.progress.steps_done - steps_found,
            history: run.progress.history,
            steps_found,
            stopped,
            remarks: run.remarks,
        })
    }
}

/// Steps between two looks at the loss on a device that computes on its own: each look waits for it.
const STEPS_UNREAD: usize = 50;

/// The values of a step, still on the device.
struct Unread {
    step: u64,
    values: Tensor,
    examples: f64,
}

/// A run under way.
struct Run<'a, M: Model> {
    config: &'a TrainConfig,
    store: Option<&'a Store>,
    /// Epochs after which the run is kept for good.
    kept: Vec<usize>,
    model: &'a M,
    train: &'a Dataset,
    test: Option<&'a Dataset>,
    fast: Option<Box<dyn Step + 'a>>,
    identity: serde_json::Value,
    turns: Vec<Turn>,
    /// One for each turn, or the one of a model without turns.
    optimisers: Vec<Adam>,
    progress: Progress,
    names: Vec<String>,
    /// Steps that were not read back yet.
    unread: Vec<Unread>,
    /// Whether it was said that the weights can't be kept.
    unkept: bool,
    remarks: Vec<String>,
}

impl<'a, M: Model> Run<'a, M> {
    /// Sets the model to where the run is to go on: its initial weights, or those in the store.
    fn begin(
        config: &'a TrainConfig,
        store: Option<&'a Store>,
        model: &'a M,
        train: &'a Dataset,
        test: Option<&'a Dataset>,
    ) -> Result<Self> {
        let vs = model.var_store();
        let turns = model.turns();
        let mut optimisers = turns
            .iter()
            .map(|turn| {
                let mut adam = config.adam.clone();
                adam.learning_rate *= turn.pace();
                Adam::for_variables(turn.variables(vs)?, &adam)
            })
            .collect::<Result<Vec<_>>>()?;
        if turns.is_empty() {
            optimisers.push(Adam::new(vs, &config.adam)?);
        }
        let mut progress = Progress::default();
        let (mut identity, mut remarks) = (serde_json::Value::Null, Vec::new());
        let mut found = None;
        if let Some(store) = store {
            let mut data = train.fingerprint();
            data.extend(test.map(|test| format!(" {}", test.fingerprint())));
            identity = Store::identity(&model.settings(), config, &data);
            (found, remarks) = store.find(&identity, config.epochs);
        }
        match found {
            Some(checkpoint) => {
                checkpoint.restore(vs, &mut optimisers)?;
                progress = checkpoint.progress().clone();
            }
            None => {
                let fresh = model.rebuild()?.var_store().variables();
                no_grad(|| {
                    for (name, mut variable) in vs.variables() {
                        if let Some(initial) = fresh.get(&name) {
                            variable.copy_(initial);
                        }
                    }
                });
            }
        }
        Ok(Self {
            config,
            store,
            kept: Vec::new(),
            model,
            train,
            test,
            fast: None,
            identity,
            turns,
            optimisers,
            progress,
            names: Vec::new(),
            unread: Vec::new(),
            unkept: false,
            remarks,
        })
    }

    /// Trains the epochs that are left; returns why it stopped early, if a listener was satisfied.
    fn finish(&mut self, listeners: &mut [Box<dyn Listener + '_>]) -> Result<Option<String>> {
        let batches = Batches::shuffled(
            self.train.len(),
            self.config.batch_size,
            self.config.seed,
            1,
        )?;
        let steps_per_epoch = batches.len() as u64;
        let started = Event::Started {
            epochs: self.config.epochs,
            steps_per_epoch,
            steps_done: self.progress.steps_done,
            history: &self.progress.history,
        };
        let mut control = tell(listeners, &started);
        while control == Control::Continue && self.progress.epochs_done < self.config.epochs {
            control = self.epoch(listeners)?;
        }
        let history = &self.progress.history;
        let Control::Stop(reason) = control else {
            tell(listeners, &Event::Finished { history });
            return Ok(None);
        };
        let (mut epoch, mut step) = (
            self.progress.epochs_done + 1,
            self.progress.steps_done % steps_per_epoch,
        );
        if step == 0 && epoch > 1 {
            (epoch, step) = (epoch - 1, steps_per_epoch);
        }
        tell(
            listeners,
            &Event::Stopped {
                epoch,
                step,
                reason: &reason,
                history,
            },
        );
        match reason {
            StopReason::Satisfied(why) => Ok(Some(why)),
            StopReason::Interrupted => {
                let kept = if self.save() {
                    "the model keeps its weights, and running this again goes on there"
                } else {
                    "the model keeps its weights"
                };
                Err(Error::Interrupted(format!(
                    "training was interrupted in epoch {epoch} of {}, after step {step} of \
                     {steps_per_epoch}; {kept}",
                    self.config.epochs
                )))
            }
        }
    }

    /// Trains what is left of one epoch.
    fn epoch(&mut self, listeners: &mut [Box<dyn Listener + '_>]) -> Result<Control> {
        let epoch = self.progress.epochs_done + 1;
        let config = self.config;
        let batches = Batches::shuffled(
            self.train.len(),
            config.batch_size,
            config.seed,
            epoch as u64,
        )?;
        if let Some(&rate) = config.learning_rates(&self.progress.history).last() {
            for (turn, adam) in self.optimisers.iter_mut().enumerate() {
                let pace = self.turns.get(turn).map_or(1.0, Turn::pace);
                adam.set_learning_rate(rate * pace);
            }
        }
        let steps = batches.len() as u64;
        let first = self.progress.steps_done - (epoch as u64 - 1) * steps;
        let since = Instant::now();
        let seconds_before = self.progress.partial_seconds;
        let mut control = Control::Continue;
        for (i, indices) in batches.enumerate().skip(first as usize) {
            self.step(epoch, &indices)?;
            let (step, steps_done) = (i as u64 + 1, self.progress.steps_done);
            control = tell(
                listeners,
                &Event::Step {
                    epoch,
                    step,
                    steps_done,
                },
            );
            if control == Control::Continue && interrupted() {
                control = Control::Stop(StopReason::Interrupted);
            }
            // An epoch whose last step is done is evaluated and recorded even so.
            if control != Control::Continue && step < steps {
                self.read_back(epoch)?;
                self.progress.partial_seconds = seconds_before + since.elapsed().as_secs_f64();
                return Ok(control);
            }
        }
        self.read_back(epoch)?;
        let seconds = seconds_before + since.elapsed().as_secs_f64();
        let since = Instant::now();
        let test = match (self.test, &mut self.fast) {
            (None, _) => None,
            (Some(data), Some(fast)) => {
                Some(fast.evaluate(data, config.batch_size, config.seed)?)
            }
            (Some(data), None) => Some(evaluate(self.model, data, config.batch_size, config.seed)?),
        };
        let evaluation_seconds = since.elapsed().as_secs_f64();
        let examples = self.progress.partial_examples;
        let sums = std::mem::take(&mut self.progress.partial_sums);
        let means = sums.into_iter().map(|sum| sum / examples);
        let train = TermMeans(self.names.iter().cloned().zip(means).collect());
        let record = EpochRecord {
            epoch,
            train,
            test,
            seconds,
            evaluation_seconds,
        };
        self.progress.history.epochs.push(record.clone());
        self.progress.epochs_done = epoch;
        self.progress.partial_examples = 0.0;
        self.progress.partial_seconds = 0.0;
        self.save();
        let history = &self.progress.history;
        let answer = tell(
            listeners,
            &Event::EpochEnd {
                record: &record,
                history,
            },
        );
        Ok(if control == Control::Continue {
            answer
        } else {
            control
        })
    }

    /// Trains on one batch.
    fn step(&mut self, epoch: usize, indices: &Tensor) -> Result<()> {
        tch::manual_seed(step_seed(self.config.seed, self.progress.steps_done));
        let number = self.progress.steps_done + 1;
        let examples = indices.size()[0] as f64;
        if let Some(mut fast) = self.fast.take() {
            if self.names.is_empty() {
                self.names = fast.names();
            }
            self.count(epoch, number, fast.run(self.train, indices)?, examples)?;
            self.optimisers[0].apply(fast.gradients())?;
            self.fast = Some(fast);
        } else if !self.turns.is_empty() {
            self.take_turns(epoch, number, indices)?;
        } else {
            let batch = self.train.batch(indices)?;
            let losses = self.model.losses(&batch, true)?;
            if self.names.is_empty() {
                self.names = losses.names();
            }
            self.unread.push(Unread {
                step: number,
                values: losses.values(),
                examples,
            });
            // On the CPU the look is free, and comes before the update that would spoil the weights.
            if batch.x.device() == Device::Cpu || self.unread.len() >= STEPS_UNREAD {
                self.read_back(epoch)?;
            }
            self.optimisers[0].minimise(losses.total())?;
        }
        self.progress.steps_done = number;
        Ok(())
    }

    /// Trains on one batch, turn by turn.
    fn take_turns(&mut self, epoch: usize, step: u64, indices: &Tensor) -> Result<()> {
        let batch = self.train.batch(indices)?;
        let on_cpu = batch.x.device() == Device::Cpu;
        let (mut names, mut values, mut first) = (Vec::new(), Vec::new(), None);
        for (turn, adam) in self.turns.iter().zip(&mut self.optimisers) {
            let losses = self.model.turn_losses(turn, &batch)?;
            // A look at the loss is free on the CPU. Elsewhere the terms tell, a little later.
            let value = if on_cpu {
                losses.total().f_double_value(&[])?
            } else {
                0.0
            };
            if !value.is_finite() {
                return Err(Error::NotFinite { step, epoch, value });
            }
            adam.minimise(losses.total())?;
            first.get_or_insert_with(|| losses.total().detach());
            for (name, value) in losses.into_terms() {
                names.push(name);
                values.push(value);
            }
        }
        names.push("total".into());
        values.extend(first);
        self.names = names;
        self.unread.push(Unread {
            step,
            values: Tensor::f_stack(&values, 0)?,
            examples: indices.size()[0] as f64,
        });
        if on_cpu || self.unread.len() >= STEPS_UNREAD {
            self.read_back(epoch)?;
        }
        Ok(())
    }

    /// Counts the values of the steps since the last look.
    fn read_back(&mut self, epoch: usize) -> Result<()> {
        if self.unread.is_empty() {
            return Ok(());
        }
        let unread = std::mem::take(&mut self.unread);
        let values: Vec<_> = unread.iter().map(|u| &u.values).collect();
        let rows = Vec::<Vec<f32>>::try_from(Tensor::stack(&values, 0).to_device(Device::Cpu))?;
        for (row, unread) in rows.iter().zip(&unread) {
            self.count(epoch, unread.step, row, unread.examples)?;
        }
        Ok(())
    }

    /// Adds a step's values to the epoch's sums, unless the loss is no number.
    fn count(&mut self, epoch: usize, step: u64, values: &[f32], examples: f64) -> Result<()> {
        // Of several turns each can fail; of one, what it reports beside its loss may be anything.
        let losses = if self.turns.is_empty() {
            &values[values.len().saturating_sub(1)..]
        } else {
            values
        };
        let broken = losses.iter().find(|value| !value.is_finite());
        if let Some(value) = broken.map(|&value| f64::from(value)) {
            return Err(Error::NotFinite { step, epoch, value });
        }
        let sums = &mut self.progress.partial_sums;
        sums.resize(values.len(), 0.0);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += f64::from(*value) * examples;
        }
        self.progress.partial_examples += examples;
        Ok(())
    }

    /// Writes the run to its store, and says whether it is there now. What can't be written is said once
    /// and does not end the run.
    fn save(&mut self) -> bool {
        let Some(store) = self.store else {
            return false;
        };
        let epochs = self.progress.epochs_done;
        let complete = self.progress.partial_examples == 0.0
            && (epochs == self.config.epochs || self.kept.contains(&epochs));
        let path = store.path(&self.identity, complete.then_some(epochs));
        let saved = Checkpoint::save(
            &path,
            self.model.var_store(),
            &self.optimisers,
            &self.progress,
            &self.identity,
        );
        match saved {
            Ok(()) => {
                if complete {
                    store.remove_cut_off(&self.identity);
                }
                true
            }
            Err(error) => {
                if !std::mem::replace(&mut self.unkept, true) {
                    self.remarks
                        .push(format!("the weights could not be kept: {error}"));
                }
                false
            }
        }
    }
}

/// Tells every listener; the first wish to stop counts.
fn tell(listeners: &mut [Box<dyn Listener + '_>], event: &Event<'_>) -> Control {
    let answers: Vec<_> = listeners.iter_mut().map(|l| l.on_event(event)).collect();
    answers
        .into_iter()
        .find(|answer| *answer != Control::Continue)
        .unwrap_or_default()
}

/// The means of a model's terms over a data set, in its order, without dropout or learning.
///
/// The terms that compare the examples of a batch with one another (the pairwise KL) depend on
/// `batch_size`. Random draws come from `seed` alone.
///
/// # Errors
/// If the batch size is 0 or the data do not fit the model.
pub fn evaluate<M: Model>(
    model: &M,
    data: &Dataset,
    batch_size: usize,
    seed: u64,
) -> Result<TermMeans> {
    let data = data.to_device(model.var_store().device());
    tch::manual_seed(step_seed(seed, u64::MAX));
    let mut names = Vec::new();
    let mut sums = None::<Tensor>;
    for indices in Batches::in_order(data.len(), batch_size)? {
        let batch = data.batch(&indices)?;
        let losses = no_grad(|| model.losses(&batch, false))?;
        let weighted = losses.values() * batch.x.size()[0] as f64;
        if names.is_empty() {
            names = losses.names();
        }
        sums = Some(match sums {
            Some(sums) => sums + weighted,
            None => weighted,
        });
    }
    let sums = match sums {
        Some(sums) => Vec::<f32>::try_from(sums.to_device(Device::Cpu))?,
        None => Vec::new(),
    };
    let count = data.len() as f64;
    Ok(TermMeans(
        names
            .into_iter()
            .zip(sums.iter().map(|&s| f64::from(s) / count))
            .collect(),
    ))
}
