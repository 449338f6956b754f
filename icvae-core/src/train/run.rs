//! A run under way: where it begins, its epochs and steps, and what is kept of it.

use std::collections::HashMap;
use std::fs::File;
use std::time::Instant;

use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor};

use super::checkpoint::Ended;
use super::evaluate::means;
use super::model::{Trained, number, stacked};
use super::rehearsal::{Rehearsal, rehearse};
use super::store::RunFolder;
use super::{
    Checkpoint, Control, EpochRecord, Event, Listener, Optimizer, RunState, StopReason, Store,
    TermMeans, TrainConfig, Turn, step_seed,
};
use crate::data::{Batches, Dataset};
use crate::files::hex;
use crate::interrupt::interrupted;
use crate::{Error, Result, no_grad};

/// Steps between two looks at the loss on a device that computes on its own: each look waits for it.
const STEPS_UNREAD: usize = 50;
/// A loss that has grown by this factor before it was no number has run away.
const RUN_AWAY: f64 = 10.0;

/// What a reader asks of a run besides its numbers.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub(super) store: Option<Store>,
    /// Epochs after which the run is kept for good.
    pub(super) kept: Vec<usize>,
    /// Whether it begins with the weights that the model has.
    pub(super) from_present_weights: bool,
    /// Whether it goes on where a listener had ended it.
    pub(super) train_on: bool,
    /// By what the listeners end it.
    pub(super) rules: Vec<String>,
}

/// The values of a step, still on the device.
struct Unread {
    step: u64,
    values: Tensor,
    examples: f64,
}

/// A run under way.
pub(super) struct Run<'a> {
    config: &'a TrainConfig,
    wishes: &'a Wishes,
    model: &'a dyn Trained,
    train: &'a Dataset,
    test: Option<&'a Dataset>,
    /// Where the run is kept, and the lock on it.
    place: Option<RunFolder>,
    _lock: Option<File>,
    pub(super) turns: Vec<Turn>,
    /// One for each turn, or the one of a model without turns.
    optimizers: Vec<Box<dyn Optimizer>>,
    pub(super) state: RunState,
    names: Vec<String>,
    /// Whether each step's loss is looked at before its update, which is free on the CPU alone.
    at_once: bool,
    /// Steps that were not read back yet.
    unread: Vec<Unread>,
    /// The steps done at the last look, and the weights then: to go back to if the loss was no number since.
    sound: Option<(u64, Weights)>,
    /// Terms of which it was said that they are no numbers.
    strange: Vec<String>,
    /// The loss of this sitting's first step, and of the last one that was read.
    losses: Option<(f64, f64)>,
    /// Whether it was said that the weights can't be kept.
    unkept: bool,
    pub(super) remarks: Vec<String>,
}

impl<'a> Run<'a> {
    /// Sets the model to where the run is to go on: its first weights, or those in the store.
    pub(super) fn begin(
        config: &'a TrainConfig,
        wishes: &'a Wishes,
        model: &'a dyn Trained,
        train: &'a Dataset,
        test: Option<&'a Dataset>,
    ) -> Result<Self> {
        let vs = model.var_store();
        let turns = model.turns();
        let mut optimizers = turns
            .iter()
            .map(|turn| {
                let rate = config.learning_rate * turn.pace();
                config.optimizer.for_variables(turn.variables(vs)?, rate)
            })
            .collect::<Result<Vec<_>>>()?;
        if turns.is_empty() {
            optimizers.push(config.optimizer.build(vs, config.learning_rate)?);
        }
        let present = weights(model);
        let fresh = model.rebuild()?;
        let first = if wishes.from_present_weights {
            set_weights(&*fresh, &present, "rebuild() makes another model")?;
            copies(&present)
        } else {
            weights(&*fresh)
        };
        check_same_variables(&first, &present)?;
        let Rehearsal {
            formula,
            mut remarks,
        } = rehearse(&*fresh, &turns, (train, test), config)?;
        let (mut place, mut lock, mut found) = (None, None, None);
        if let Some(store) = &wishes.store {
            let mut data = train.fingerprint();
            data.extend(test.map(|test| format!(" {}", test.fingerprint())));
            let of_first = wishes.from_present_weights.then(|| fingerprint(&first));
            let identity = Store::identity(&model.settings(), config, &data, of_first);
            let (here, sentence) = store.place(identity, formula);
            remarks.extend(sentence);
            let fits = |state: &RunState| wishes.fits(state, config.epochs);
            let (mut checkpoint, mut told) = here.find(fits);
            let complete = checkpoint
                .as_ref()
                .is_some_and(|found| wishes.is_over(found.state(), config.epochs));
            if !complete {
                lock = here.lock()?;
                // Another process may have come further in the meantime.
                (checkpoint, told) = here.find(fits);
            }
            remarks.extend(told);
            (place, found) = (Some(here), checkpoint);
        }
        let mut state = RunState::default();
        match &found {
            Some(checkpoint) => {
                checkpoint.restore(vs, &mut optimizers)?;
                state = checkpoint.state().clone();
                if !wishes.is_over(&state, config.epochs) {
                    state.ended = None;
                }
            }
            None => set_weights(model, &first, "rebuild() makes another model")?,
        }
        let trained_before = present != first && present != weights(model);
        if trained_before && !wishes.from_present_weights {
            remarks.push(if weights(&*model.rebuild()?) == first || found.is_some() {
                format!(
                    "the model had other weights than its first ones, and they were replaced: training {}; to \
                     train the present weights further, add .from_present_weights() to the trainer",
                    if found.is_some() {
                        "went on with the run that was kept"
                    } else {
                        "began anew"
                    }
                )
            } else {
                "rebuild() makes other weights each time, so no run can be repeated: set the generator in it, \
                 with tch::manual_seed, before the layers are made"
                    .into()
            });
        }
        if state.ended.is_some() {
            remarks.push(
                "a listener had ended this run; to go on regardless, add .train_on() to the trainer".into(),
            );
        }
        Ok(Self {
            config,
            wishes,
            model,
            train,
            test,
            place,
            _lock: lock,
            turns,
            optimizers,
            state,
            names: Vec::new(),
            at_once: vs.device() == Device::Cpu,
            unread: Vec::new(),
            sound: None,
            strange: Vec::new(),
            losses: None,
            unkept: false,
            remarks,
        })
    }

    /// Trains the epochs that are left; returns why it stopped early, if a listener was satisfied.
    pub(super) fn finish(
        &mut self,
        listeners: &mut [Box<dyn Listener + '_>],
    ) -> Result<Option<String>> {
        let examples = self.train.len();
        let batches = Batches::shuffled(examples, self.config.batch_size, self.config.seed, 1)?;
        let steps_per_epoch = batches.len() as u64;
        let started = Event::Started {
            epochs: self.config.epochs,
            steps_per_epoch,
            steps_done: self.state.steps_done,
            history: &self.state.history,
        };
        let mut control = tell(listeners, &started);
        if let Some(ended) = &self.state.ended {
            control = Control::Stop(StopReason::Satisfied(ended.why.clone()));
        }
        while control == Control::Continue && self.state.epochs_done < self.config.epochs {
            control = self.epoch(listeners)?;
        }
        let history = &self.state.history;
        let Control::Stop(reason) = control else {
            tell(listeners, &Event::Finished { history });
            return Ok(None);
        };
        let (epoch, step) = match self.state.steps_done.checked_sub(1) {
            None => (1, 0),
            Some(last) => (
                (last / steps_per_epoch) as usize + 1,
                last % steps_per_epoch + 1,
            ),
        };
        let stopped = Event::Stopped {
            epoch,
            step,
            reason: &reason,
            history,
        };
        tell(listeners, &stopped);
        match reason {
            StopReason::Satisfied(why) => {
                if self.state.ended.is_none() {
                    self.state.ended = Some(Ended {
                        why: why.clone(),
                        of_epochs: self.config.epochs,
                        rules: self.wishes.rules.clone(),
                    });
                    self.save();
                }
                Ok(Some(why))
            }
            StopReason::Interrupted => {
                let kept = match (self.save(), self.wishes.from_present_weights) {
                    (true, false) => {
                        "the model keeps its weights, and running this again goes on there"
                    }
                    (_, true) => {
                        "the model keeps its weights, and running this again trains them further"
                    }
                    (false, false) => {
                        "the model keeps its weights; running this again begins anew, unless \
                         .from_present_weights() is added to the trainer"
                    }
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
        let epoch = self.state.epochs_done + 1;
        let config = self.config;
        let batches = Batches::shuffled(
            self.train.len(),
            config.batch_size,
            config.seed,
            epoch as u64,
        )?;
        if let Some(&rate) = config.learning_rates(&self.state.history).last() {
            for (turn, optimizer) in self.optimizers.iter_mut().enumerate() {
                let pace = self.turns.get(turn).map_or(1.0, Turn::pace);
                optimizer.set_learning_rate(rate * pace);
            }
        }
        let steps = batches.len() as u64;
        let first = self.state.steps_done - (epoch as u64 - 1) * steps;
        let since = Instant::now();
        let seconds_before = self.state.partial_seconds;
        let mut control = Control::Continue;
        for (i, indices) in batches.enumerate().skip(first as usize) {
            self.step(epoch, &indices)?;
            let (step, steps_done) = (i as u64 + 1, self.state.steps_done);
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
                self.state.partial_seconds = seconds_before + since.elapsed().as_secs_f64();
                return Ok(control);
            }
        }
        self.read_back(epoch)?;
        let seconds = seconds_before + since.elapsed().as_secs_f64();
        let since = Instant::now();
        let test = match self.evaluate() {
            Err(Error::Interrupted(_)) => {
                self.state.partial_seconds = seconds;
                return Ok(Control::Stop(StopReason::Interrupted));
            }
            test => test?,
        };
        let evaluation_seconds = since.elapsed().as_secs_f64();
        let examples = self.state.partial_examples;
        let sums = std::mem::take(&mut self.state.partial_sums);
        let means = sums.into_iter().map(|sum| sum / examples);
        // A run that was cut off after the epoch's last step has seen no batch since, but knows their names.
        let names = std::mem::take(&mut self.state.partial_names);
        let train = TermMeans(names.into_iter().zip(means).collect());
        let record = EpochRecord {
            epoch,
            train,
            test,
            seconds,
            evaluation_seconds,
        };
        self.state.history.epochs.push(record.clone());
        self.state.epochs_done = epoch;
        self.state.partial_examples = 0.0;
        self.state.partial_seconds = 0.0;
        self.save();
        let history = &self.state.history;
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

    /// The means over the test data, where there are any.
    fn evaluate(&mut self) -> Result<Option<TermMeans>> {
        let TrainConfig {
            batch_size, seed, ..
        } = *self.config;
        let Some(data) = self.test else {
            return Ok(None);
        };
        let means = means(self.model, data, batch_size, seed)?;
        for (name, value) in &means.0 {
            if !value.is_finite() {
                let epoch = self.state.epochs_done + 1;
                self.strange(
                    name,
                    *value,
                    &format!("on the test data after epoch {epoch}"),
                );
            }
        }
        Ok(Some(means))
    }

    /// Trains on one batch.
    fn step(&mut self, epoch: usize, indices: &Tensor) -> Result<()> {
        tch::manual_seed(step_seed(self.config.seed, self.state.steps_done));
        let step = self.state.steps_done + 1;
        self.take_turns(epoch, step, indices)?;
        self.state.steps_done = step;
        Ok(())
    }

    /// Trains on one batch turn by turn, or by its one loss: reports the terms of all turns, then the first
    /// turn's loss.
    fn take_turns(&mut self, epoch: usize, step: u64, indices: &Tensor) -> Result<()> {
        let batch = self.train.batch(indices)?;
        if !self.at_once && self.unread.is_empty() {
            self.sound = Some((self.state.steps_done, weights(self.model)));
        }
        let (mut names, mut values, mut total) = (Vec::new(), Vec::new(), None);
        for i in 0..self.optimizers.len() {
            let losses = match self.turns.get(i) {
                Some(turn) => self.model.turn_losses(turn, &batch)?,
                None => self.model.losses(&batch, true)?,
            };
            losses.check()?;
            let loss = losses.total().shallow_clone();
            total.get_or_insert_with(|| loss.detach());
            let known = values.len();
            for (name, value) in losses.into_terms() {
                names.push(name);
                values.push(value);
            }
            // Before the update that would spoil the weights.
            let value = if self.at_once { number(&loss)? } else { 0.0 };
            if !value.is_finite() {
                let terms = names[known..].iter().zip(&values[known..]);
                let terms: Vec<_> = terms
                    .map(|(name, term)| Ok((name, number(term)?)))
                    .collect::<Result<_>>()?;
                let broken = terms.iter().find(|(_, value)| !value.is_finite());
                let (name, value) = broken.map_or(("total", value), |(name, value)| (name, *value));
                return Err(self.not_finite(epoch, step, name, value)?);
            }
            self.optimizers[i].minimise(&loss)?;
        }
        names.push(super::model::TOTAL.into());
        values.extend(total);
        if self.names.is_empty() {
            self.names = names;
        } else if self.names != names {
            return Err(Error::Invalid(format!(
                "the terms of the loss were {} before and are {} at step {step}: name the same ones each time",
                self.names.join(", "),
                names.join(", ")
            )));
        }
        let examples = indices.size()[0] as f64;
        if self.at_once {
            let values: Vec<f64> = values.iter().map(number).collect::<Result<_>>()?;
            return self.count(epoch, step, &values, examples);
        }
        self.unread.push(Unread {
            step,
            values: stacked(&values)?,
            examples,
        });
        if self.unread.len() >= STEPS_UNREAD {
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
        let rows = Vec::<Vec<f64>>::try_from(Tensor::f_stack(&values, 0)?.to_device(Device::Cpu))?;
        for (row, unread) in rows.iter().zip(&unread) {
            self.count(epoch, unread.step, row, unread.examples)?;
        }
        Ok(())
    }

    /// Adds a step's values to the epoch's sums, unless the loss is no number.
    fn count(&mut self, epoch: usize, step: u64, values: &[f64], examples: f64) -> Result<()> {
        let broken: Vec<(String, f64)> = self
            .names
            .iter()
            .zip(values)
            .filter(|(_, value)| !value.is_finite())
            .map(|(name, value)| (name.clone(), *value))
            .collect();
        let total = values.last().copied().unwrap_or(0.0);
        if let Some((name, value)) = broken.first() {
            // Of several turns each can fail; of one, what it reports beside its loss may be anything.
            if !total.is_finite() || !self.turns.is_empty() {
                return Err(self.not_finite(epoch, step, name, *value)?);
            }
            for (name, value) in &broken {
                self.strange(name, *value, &format!("at step {step}"));
            }
        }
        let first = self.losses.map_or(total, |(first, _)| first);
        self.losses = Some((first, total));
        if self.state.partial_names.is_empty() {
            self.state.partial_names = self.names.clone();
        }
        let sums = &mut self.state.partial_sums;
        sums.resize(values.len(), 0.0);
        for (sum, value) in sums.iter_mut().zip(values) {
            *sum += value * examples;
        }
        self.state.partial_examples += examples;
        Ok(())
    }

    /// Says once that a term is no number where the loss is one.
    fn strange(&mut self, name: &str, value: f64, place: &str) {
        if !self.strange.iter().any(|known| known == name) {
            self.strange.push(name.to_owned());
            self.remarks.push(format!(
                "the term {name} is {value} {place}: its mean over the epoch is no number either, and training \
                 went on by the loss"
            ));
        }
    }

    /// The error of a step whose loss is no number, with what is most likely the cause.
    ///
    /// The model keeps the weights before that step, or, where it was noticed late, those of the last look.
    fn not_finite(&self, epoch: usize, step: u64, name: &str, value: f64) -> Result<Error> {
        let late = (self.state.steps_done + 1)
            .checked_sub(step)
            .filter(|late| *late > 0);
        if let (Some(_), Some((_, sound))) = (late, &self.sound) {
            set_weights(self.model, sound, "the model has other variables now")?;
        }
        let (mut finite, mut largest) = (true, 0.0_f64);
        for variable in self.model.var_store().variables().values() {
            if variable.numel() > 0 {
                finite &= bool::try_from(variable.f_isfinite()?.f_all()?)?;
                largest = largest.max(number(&variable.f_abs()?.f_max()?)?);
            }
        }
        let before = self
            .losses
            .filter(|(first, last)| last.abs() > RUN_AWAY * first.abs());
        let mut cause = if let Some((first, last)) = before {
            format!(
                "the loss had risen from {first:.4} to {last:.4} before: a smaller learning rate helps"
            )
        } else if !finite {
            "the weights are no numbers since an earlier step: a smaller learning rate helps, or a formula \
             whose derivative is finite (that of a root at 0 is not)"
                .into()
        } else if largest > 1e4 {
            format!("the weights have grown to {largest:.0e}: a smaller learning rate helps")
        } else {
            "all weights are finite, so look at its formula: the logarithm or root of a negative number, a \
             division by 0, or the exponential of a large number"
                .into()
        };
        if let (Some(late), Some((steps, _))) = (late, &self.sound) {
            cause += &format!(
                "; it was noticed {late} steps later, and the weights are again those after step {steps}"
            );
        }
        if self.place.is_some() && self.state.epochs_done > 0 {
            cause.push_str("; what the store has kept of the run is as it was");
        }
        Ok(Error::NotFinite {
            what: if name == super::model::TOTAL {
                "the loss".into()
            } else {
                format!("the term {name}")
            },
            step,
            epoch,
            value,
            cause,
        })
    }

    /// Writes the run to its store, and says whether it is there now. What can't be written is said once
    /// and does not end the run.
    fn save(&mut self) -> bool {
        let Some(place) = &mut self.place else {
            return false;
        };
        let epochs = self.state.epochs_done;
        let cut_off = place.cut_off(self.config.epochs);
        let complete = self.state.partial_examples == 0.0
            && (epochs == self.config.epochs || self.wishes.kept.contains(&epochs));
        let ended = self.state.ended.is_some();
        let path = if complete && !ended {
            place.after(epochs)
        } else {
            cut_off.clone()
        };
        let saved = place.remember_formula().and_then(|()| {
            Checkpoint::save(
                &path,
                self.model.var_store(),
                &self.optimizers,
                &self.state,
                &place.identity,
            )
        });
        match saved {
            Ok(()) => {
                if path != cut_off {
                    // A file that stays does no harm: the complete run is further.
                    let _ = std::fs::remove_file(cut_off);
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

impl Wishes {
    /// Whether a run of so many epochs may go on from a state, or ends with it.
    fn fits(&self, state: &RunState, epochs: usize) -> bool {
        state.epochs_done < epochs || self.is_over(state, epochs)
    }

    /// Whether a run of so many epochs ends with a state.
    fn is_over(&self, state: &RunState, epochs: usize) -> bool {
        let ended = state.ended.as_ref().is_some_and(|ended| {
            !self.train_on && ended.of_epochs == epochs && ended.rules == self.rules
        });
        ended || (state.epochs_done == epochs && state.partial_examples == 0.0)
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

type Weights = HashMap<String, Tensor>;

/// Copies of a model's variables.
fn weights(model: &dyn Trained) -> Weights {
    copies(&model.var_store().variables())
}

fn copies(weights: &Weights) -> Weights {
    let copy = |(name, tensor): (&String, &Tensor)| (name.clone(), tensor.detach().copy());
    weights.iter().map(copy).collect()
}

/// Copies weights into a model's variables of the same names.
fn set_weights(model: &dyn Trained, weights: &Weights, otherwise: &str) -> Result<()> {
    let variables = model.var_store().variables();
    check_same_variables(weights, &variables)
        .map_err(|error| Error::Invalid(format!("{otherwise}: {error}")))?;
    no_grad(|| {
        for (name, mut variable) in variables {
            if let Some(weights) = weights.get(&name) {
                variable.f_copy_(weights)?;
            }
        }
        Ok(())
    })
}

/// Refuses to start a model from the weights of another.
fn check_same_variables(fresh: &Weights, model: &Weights) -> Result<()> {
    let mut names: Vec<_> = model.keys().collect();
    names.sort();
    for name in names {
        let rebuilt = fresh.get(name).map(Tensor::size);
        if rebuilt.as_ref() != Some(&model[name].size()) {
            let now = rebuilt.map_or("no such variable".into(), |size| format!("{size:?}"));
            return Err(Error::Invalid(format!(
                "the model's {name} is {:?}, but the model that rebuild() makes has {now}: a number that it is \
                 made of has changed since, so run the cell again that makes the model",
                model[name].size()
            )));
        }
    }
    Ok(())
}

/// SHA-256 of weights, in hexadecimal.
fn fingerprint(weights: &Weights) -> String {
    let mut names: Vec<_> = weights.keys().collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        let tensor = weights[name]
            .to_device(Device::Cpu)
            .to_kind(Kind::Float)
            .contiguous();
        let mut bytes = vec![0_u8; tensor.numel() * 4];
        tensor.copy_data_u8(&mut bytes, tensor.numel());
        hash.update(format!("{name} {:?}", tensor.size()));
        hash.update(&bytes);
    }
    hex(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use tch::nn;

    use super::super::{Losses, Model};
    use super::*;
    use crate::data::{Batch, Dataset};

    /// One weight, whose loss is no number from its step 7 on.
    struct Late {
        vs: nn::VarStore,
        weight: Tensor,
        asked: std::cell::Cell<u64>,
    }

    impl Late {
        fn new() -> Self {
            let vs = nn::VarStore::new(Device::Cpu);
            let weight = vs.root().ones("weight", &[1]);
            Self {
                vs,
                weight,
                asked: std::cell::Cell::new(0),
            }
        }
    }

    impl Model for Late {
        fn var_store(&self) -> &nn::VarStore {
            &self.vs
        }
        fn losses(&self, _: &Batch, train: bool) -> Result<Losses> {
            self.asked.set(self.asked.get() + u64::from(train));
            let spoilt = if self.asked.get() >= 7 { f64::NAN } else { 1.0 };
            Ok(Losses::new(self.weight.square().sum(Kind::Float) * spoilt))
        }
        fn settings(&self) -> serde_json::Value {
            serde_json::Value::Null
        }
        fn rebuild(&self) -> Result<Self> {
            Ok(Self::new())
        }
    }

    /// Devices that compute on their own are looked at seldom.
    #[test]
    fn a_loss_that_is_seen_late_to_be_no_number_costs_no_weight() -> Result<()> {
        let images = Tensor::zeros([20, 4], (Kind::Float, Device::Cpu));
        let labels = Tensor::zeros([20], (Kind::Int64, Device::Cpu));
        let data = Dataset::points(images, labels, 1)?;
        let config = TrainConfig {
            epochs: 2,
            batch_size: 4,
            ..Default::default()
        };
        let (model, wishes) = (Late::new(), Wishes::default());
        let after_an_epoch = Late::new();
        let one = TrainConfig {
            epochs: 1,
            ..config.clone()
        };
        Run::begin(&one, &wishes, &after_an_epoch, &data, None)?.finish(&mut [])?;
        let mut run = Run::begin(&config, &wishes, &model, &data, None)?;
        run.at_once = false;
        // Five steps an epoch: the look at its end finds the first epoch well.
        let error = run.finish(&mut []).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("step 7"), "{error}");
        assert!(
            error.contains("noticed 4 steps later, and the weights are again those after step 5"),
            "{error}"
        );
        assert_eq!(model.weight, after_an_epoch.weight);
        Ok(())
    }
}
