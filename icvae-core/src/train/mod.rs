//! Training: optimisers, trainer, events, history, checkpoints.
//!
//! The trainer draws nothing and prints nothing: it reports [`Event`]s to [`Listener`]s.

mod adam;
mod checkpoint;
mod config;
mod early_stopping;
mod evaluate;
mod event;
mod history;
mod model;
mod optimizer;
mod random;
mod rehearsal;
mod run;
mod schedule;
mod store;
mod tensorboard;
mod trainer;
mod turn;
mod weights;

pub use adam::{Adam, AdamConfig, EpsilonConvention};
pub use checkpoint::{Checkpoint, Ended, RunState};
pub use config::TrainConfig;
pub use early_stopping::EarlyStopping;
pub use evaluate::evaluate;
pub use event::{Control, Event, Listener, StopReason};
pub use history::{EpochRecord, History, TermMeans};
pub use model::{Losses, Model};
pub use optimizer::{
    Optimizer, OptimizerConfig, RmsProp, RmsPropConfig, Sgd, SgdConfig, WeightDecay,
};
pub use random::step_seed;
pub use schedule::{ReduceOnPlateau, Schedule};
pub use store::Store;
pub use tensorboard::TensorBoard;
pub use trainer::{Outcome, Trainer};
pub use turn::Turn;
