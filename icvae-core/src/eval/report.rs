//! The numbers that sum a model up.

use std::fmt;

use serde::{Deserialize, Serialize};
use tch::no_grad;

use crate::Result;
use crate::data::{Batches, Dataset};
use crate::model::{Icvae, Likelihood};
use crate::train::{Model, evaluate};

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
/// If the data do not fit the model.
pub fn report(model: &Icvae, data: &Dataset, batch_size: usize, seed: u64) -> Result<Report> {
    let terms = evaluate(model, data, batch_size, seed)?;
    let get = |name| terms.get(name).unwrap_or(f64::NAN);
    let data = data.to_device(model.var_store().device());
    let mut sum = 0.0;
    for indices in Batches::in_order(data.len(), 1000)? {
        let batch = data.batch(&indices)?;
        let errors = no_grad(|| -> Result<_> {
            let x_hat = model.reconstruct_mean(&batch.x, &batch.c)?;
            let likelihood = model.config().likelihood;
            match likelihood {
                Likelihood::Bernoulli => likelihood.nll(&batch.x, &x_hat.logit(1e-6)),
                _ => likelihood.nll(&batch.x, &x_hat),
            }
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
