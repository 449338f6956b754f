//! The terms of the loss, one a file.
//!
//! Every term says its **reduction**: a term "a batch" returns one number an example, `[B]`, and the
//! caller takes the mean. Shape letters as in [`crate::model`].

mod adversarial;
mod bernoulli;
mod echo_rate;
mod gaussian;
mod marginal_bound;
mod mixture;
mod pairwise_kl;
mod prior_kl;
mod squared_error;
mod table_nll;
mod total;

pub use adversarial::{discriminator_loss, taken_for_code, taken_for_prior};
pub use bernoulli::bernoulli_nll;
pub use echo_rate::echo_rate;
pub(crate) use gaussian::check_variance;
pub use gaussian::gaussian_nll;
pub use marginal_bound::{entropy_penalty, marginal_bound};
pub use mixture::{mixture_lower, mixture_upper};
pub use pairwise_kl::pairwise_kl;
pub use prior_kl::prior_kl;
pub use squared_error::squared_error;
pub use table_nll::table_nll;
pub use total::total;

pub use crate::gaussian::VARIANCE_FLOOR;

use tch::Tensor;

use crate::{Error, Result};

/// Refuses two tensors of different shapes, which libtorch would silently broadcast.
fn same_shape(what: &'static str, tensor: &Tensor, like: &Tensor) -> Result<()> {
    if tensor.size() != like.size() || tensor.dim() != 2 {
        return Err(Error::Shape {
            what,
            expected: format!("[B, P] = {:?}, as the images", like.size()),
            found: tensor.size(),
        });
    }
    Ok(())
}
