//! The loss on data that is not trained on.

use tch::{Device, Tensor};

use super::model::Trained;
use super::{Model, TermMeans, step_seed};
use crate::data::{Batches, Dataset};
use crate::interrupt::interrupted;
use crate::{Error, Result, no_grad};

/// The means of a model's terms over a data set, in its order, without dropout or learning.
///
/// The terms that compare the examples of a batch with one another (the pairwise KL) depend on
/// `batch_size`. Random draws come from `seed` alone.
///
/// # Errors
/// If the batch size is 0, the data do not fit the model, or somebody interrupts.
pub fn evaluate<M: Model>(
    model: &M,
    data: &Dataset,
    batch_size: usize,
    seed: u64,
) -> Result<TermMeans> {
    means(model, data, batch_size, seed)
}

/// [`evaluate`], for any model.
pub(super) fn means(
    model: &dyn Trained,
    data: &Dataset,
    batch_size: usize,
    seed: u64,
) -> Result<TermMeans> {
    let data = data.to_device(model.var_store().device());
    tch::manual_seed(step_seed(seed, u64::MAX));
    let mut names = Vec::new();
    let mut sums = None::<Tensor>;
    let batches = Batches::in_order(data.len(), batch_size)?;
    let count = batches.len();
    for (i, indices) in batches.enumerate() {
        if interrupted() {
            return Err(Error::Interrupted(format!(
                "the evaluation was interrupted after {i} of {count} batches"
            )));
        }
        let batch = data.batch(&indices)?;
        let losses = no_grad(|| model.losses(&batch, false))?;
        losses.check()?;
        if names.is_empty() {
            names = losses.names();
        } else if names != losses.names() {
            return Err(Error::Invalid(format!(
                "the terms of the loss are {} on one batch and {} on another: name the same ones each time",
                names.join(", "),
                losses.names().join(", ")
            )));
        }
        let weighted = losses.values()? * batch.x.size()[0] as f64;
        sums = Some(match sums {
            Some(sums) => sums + weighted,
            None => weighted,
        });
    }
    let sums = match sums {
        Some(sums) => Vec::<f64>::try_from(sums.to_device(Device::Cpu))?,
        None => Vec::new(),
    };
    let count = data.len() as f64;
    Ok(TermMeans(
        names
            .into_iter()
            .zip(sums.iter().map(|&sum| sum / count))
            .collect(),
    ))
}
