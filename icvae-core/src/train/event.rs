//! What the trainer tells, and whom.

use super::{EpochRecord, History};

/// Something that happened in a training run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Training is about to start, or to go on.
    Started {
        /// Epochs in all.
        epochs: usize,
        /// Steps in an epoch.
        steps_per_epoch: u64,
        /// Steps already done, by a run that was cut off.
        steps_done: u64,
        /// What is known of earlier epochs.
        history: &'a History,
    },
    /// A step is done.
    Step {
        /// The epoch, from 1.
        epoch: usize,
        /// The step within the epoch, from 1.
        step: u64,
        /// Steps done in the whole run.
        steps_done: u64,
    },
    /// An epoch is done and evaluated.
    EpochEnd {
        /// Its record.
        record: &'a EpochRecord,
        /// All records so far, this one included.
        history: &'a History,
    },
    /// All epochs are done.
    Finished {
        /// All records.
        history: &'a History,
    },
    /// A listener stopped the run before its end.
    Stopped {
        /// The last epoch that was begun, from 1.
        epoch: usize,
        /// The step within that epoch, from 1; the epoch's last step where it was finished.
        step: u64,
        /// Why.
        reason: &'a StopReason,
        /// All records so far.
        history: &'a History,
    },
}

/// A listener's answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Control {
    /// Go on.
    #[default]
    Continue,
    /// Stop after this step; nothing is lost.
    Stop(StopReason),
}

/// Why a run stopped early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopReason {
    /// A listener saw what it wanted to see: the run is a success.
    Satisfied(String),
    /// Somebody asked for an interrupt: the run is cut off, and can go on later.
    Interrupted,
}

/// Somebody who wants to know: a progress bar, a live chart, a rule for early stopping.
///
/// Closures are listeners:
///
/// ```
/// use icvae_core::train::{Control, Event, StopReason};
///
/// let early_stop = |event: &Event<'_>| match event {
///     Event::EpochEnd { record, .. } if record.test.as_ref().is_some_and(|t| t.get("total") < Some(70.0)) => {
///         Control::Stop(StopReason::Satisfied("the test loss is below 70".into()))
///     }
///     _ => Control::Continue,
/// };
/// # fn takes(_: impl icvae_core::train::Listener) {}
/// # takes(early_stop);
/// ```
pub trait Listener {
    /// Is told of an event, and says whether to go on.
    fn on_event(&mut self, event: &Event<'_>) -> Control;

    /// What makes it end a run, where that can be said in words: a run that it ended is found as ended only by
    /// the same rule.
    fn rule(&self) -> Option<String> {
        None
    }
}

impl<F: FnMut(&Event<'_>) -> Control> Listener for F {
    fn on_event(&mut self, event: &Event<'_>) -> Control {
        self(event)
    }
}
