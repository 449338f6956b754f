//! Digits: MNIST (found, fetched, checked), drawn ones where it can't be had, and batches of
//! either; points near curves in the plane, whose true shape is known; and tables of people
//! ([`tabular`]).
//!
//! [`load`] gives [`Digits`]: a training and a test [`Dataset`], whose images are bytes in memory
//! and become floats a [`Batch`] at a time, in the order of [`Batches`].

mod batches;
mod dataset;
mod digits;
mod error;
mod fetch;
mod gather;
pub mod idx;
pub mod manifold;
mod mnist;
pub mod picture;
pub mod synthetic;
pub mod tabular;

pub use batches::Batches;
pub(crate) use dataset::check_labels;
pub use dataset::{Batch, Dataset, one_hot};
pub use digits::{Digits, Loader, Source, Styles, load};
pub use error::DataError;
pub use fetch::{FetchEvent, Fetched};
pub use mnist::{Archive, ArchiveFile};
