//! Stopping a long call, and keeping what it has reached.
//!
//! Every long call of this crate asks at each of its steps and returns [`Error::Interrupted`](crate::Error).

pub use notebook_live::interrupted;
