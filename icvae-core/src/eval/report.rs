//! The numbers that sum a model up.

use std::fmt;

use crate::data::{Batches, Dataset};
use crate::interrupt::interrupted;
use crate::model::Icvae;
use crate::train::{Model, evaluate};
use crate::{Error, Result, no_grad};
use serde::{Deserialize, Serialize};

/// The terms of an [`Icvae`]'s loss over a data set, each a mean over its examples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Reconstruction from a sampled code: squared error (or nats) summed over the pixels.
    pub reconstruction: f64,
    /// The same from the mean code.
    pub reconstruction_mean: f64,
    /// KL[q(z|x) ‖ N(0, I)] in nats.
    pub prior_kl: f64,
    /// mean_ij KL[q(z|x_i) ‖ q(z|x_j)] in nats, within batches.
    pub pairwise_kl: f64,
    /// The whole objective.
    pub total: f64,
}

/// Measures a model on a data set, in batches of `batch_size` (which the pairwise KL depends on).
///
/// # Errors
/// If the data do not fit the model, or somebody interrupts.
pub fn report(model: &Icvae, data: &Dataset, batch_size: usize, seed: u64) -> Result<Report> {
    let terms = evaluate(model, data, batch_size, seed)?;
    let get = |name| terms.get(name).unwrap_or(f64::NAN);
    let data = data.to_device(model.var_store().device());
    let mut sum = 0.0;
    for indices in Batches::in_order(data.len(), 1000)? {
        if interrupted() {
            return Err(Error::Interrupted("the report was interrupted".into()));
        }
        let batch = data.batch(&indices)?;
        let errors = no_grad(|| {
            let q = model.encode(&batch.x, &batch.c)?;
            // Not from the picture, in which log-odds beyond ±17 are all the same.
            let drawn = model.decode_parameters(&q.mean, Some(&batch.c))?;
            model.config().likelihood.nll(&batch.x, &drawn)
        })?;
        sum += errors.sum(tch::Kind::Double).double_value(&[]);
    }
    Ok(Report {
        reconstruction: get("reconstruction"),
        reconstruction_mean: sum / data.len() as f64,
        prior_kl: get("prior KL"),
        pairwise_kl: get("pairwise KL"),
        total: get("total"),
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "reconstruction {:.2} (from the mean code {:.2}), prior KL {:.2}, pairwise KL {:.2}, \
             total {:.2}",
            self.reconstruction,
            self.reconstruction_mean,
            self.prior_kl,
            self.pairwise_kl,
            self.total
        )
    }
}
