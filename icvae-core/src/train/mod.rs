//! Training: optimiser, trainer, events, history, checkpoints.
//!
//! The trainer draws nothing and prints nothing: it reports [`Event`]s to [`Listener`]s.

mod adam;
mod checkpoint;
mod config;
mod event;
mod history;
mod model;
mod random;
mod schedule;
mod step;
mod store;
pub(crate) mod team;
mod tensorboard;
mod trainer;
mod turn;

pub use adam::{Adam, AdamConfig, EpsilonConvention};
pub use checkpoint::{Checkpoint, Progress};
pub use config::TrainConfig;
pub use event::{Control, Event, Listener, StopReason};
pub use history::{EpochRecord, History, TermMeans};
pub use model::{Losses, Model};
pub use random::step_seed;
pub use schedule::{ReduceOnPlateau, Schedule};
pub use step::Step;
pub use store::Store;
pub use tensorboard::TensorBoard;
pub use trainer::{Outcome, Trainer, evaluate};
pub use turn::Turn;
