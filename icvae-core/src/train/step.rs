//! A training step without automatic differentiation, for models that know their own gradients.

use tch::Tensor;

use super::TermMeans;
use crate::Result;
use crate::data::Dataset;

/// The fast twin of [`Model::losses`](super::Model::losses) and its derivative.
///
/// A model returns one from [`Model::fast_step`](super::Model::fast_step), and the trainer then takes it
/// instead. It draws from libtorch's generator exactly what the slow form draws, so both give the same run
/// up to rounding.
pub trait Step {
    /// The names of the terms, `total` last, as [`Losses::names`](super::Losses::names).
    fn names(&self) -> Vec<String>;

    /// Values and gradients on the examples at `indices`, i64 `[B]`; returns the values in the order of the
    /// names. The gradients lie in [`Step::gradients`] until the next call.
    ///
    /// # Errors
    /// If the data do not fit the model.
    fn run(&mut self, data: &Dataset, indices: &Tensor) -> Result<&[f32]>;

    /// The gradients, in the order of the variables' names.
    fn gradients(&self) -> &[Tensor];

    /// The fast twin of [`evaluate`](super::evaluate).
    ///
    /// # Errors
    /// If the data do not fit the model.
    fn evaluate(&mut self, data: &Dataset, batch_size: usize, seed: u64) -> Result<TermMeans>;
}
