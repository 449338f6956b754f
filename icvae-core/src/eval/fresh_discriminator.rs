//! How far codes are from a prior, to an adversary that starts afresh.

use tch::{Kind, Tensor};

use super::{ProbeConfig, probe_accuracy};
use crate::model::Prior;
use crate::train::step_seed;
use crate::{Error, Result};

/// Trains a fresh discriminator to tell codes from draws of a prior, and returns its accuracy on codes and
/// draws it has not seen, in [0, 1]. One half means that it found no difference.
///
/// Codes are `[N, Z]`. The discriminator learns on `seen` and as many draws of the prior, and is scored on
/// `unseen` and as many further draws: both sets are half codes, half prior. `config` says how large it is and
/// how long it learns; a batch of `batch_size` holds codes and draws as they come, about half of each.
/// Besides the weights, `config.seed` sets the draws.
///
/// # Errors
/// If the codes don't fit each other, or somebody interrupts.
pub fn fresh_discriminator(
    seen: &Tensor,
    unseen: &Tensor,
    prior: &Prior,
    config: &ProbeConfig,
) -> Result<f64> {
    let size = seen.size();
    if size.len() != 2 || unseen.dim() != 2 || unseen.size()[1] != size[1] {
        return Err(Error::Shape {
            what: "the unseen codes",
            expected: format!("[N, Z] with the Z of the seen ones, {size:?}"),
            found: unseen.size(),
        });
    }
    tch::manual_seed(step_seed(config.seed, 1));
    let with_prior = |codes: &Tensor| -> Result<(Tensor, Tensor)> {
        let n = codes.size()[0];
        let draws = prior.sample(n, codes.size()[1], codes.device())?;
        let labels =
            Tensor::arange(2, (Kind::Int64, codes.device())).repeat_interleave_self_int(n, 0, None);
        Ok((Tensor::cat(&[codes, &draws], 0), labels))
    };
    let (seen, unseen) = (with_prior(seen)?, with_prior(unseen)?);
    probe_accuracy((&seen.0, &seen.1), (&unseen.0, &unseen.1), 2, config)
}
