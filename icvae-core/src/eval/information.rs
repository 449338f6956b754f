//! How much codes say of the image and of its class, in nats.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::probe::{check_pair, entropy};
use crate::data::Batches;
use crate::interrupt::interrupted;
use crate::model::Gaussian;
use crate::{Error, Result, loss, no_grad};

/// Codes that are set against the whole mixture at a time.
const AT_ONCE: i64 = 250;

/// Bounds on I(x; z), each a mean over examples in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct InformationBounds {
    /// E KL[q(z|x) ‖ N(0, I)], from above: see [`loss::prior_kl`].
    pub prior_kl: f64,
    /// mean_ij KL[q(z|x_i) ‖ q(z|x_j)], i = j left out, from above: the form of [`loss::pairwise_kl`] whose
    /// mean does not depend on the batch size.
    pub pairwise_kl: f64,
    /// The mixture of the batch's other codes, from above: see [`loss::mixture_upper`].
    pub mixture_upper: f64,
    /// The mixture of the batch, from below and at most log B: see [`loss::mixture_lower`].
    pub mixture_lower: f64,
}

/// Bounds on the information between images and codes, from the codes q, `[N, Z]`, and one sample of each, z,
/// `[N, Z]`, in batches of `batch_size` in their order; a last batch of less is left out where there are others.
///
/// ```
/// use icvae_core::{eval, model::Gaussian, tch::{Device, Kind, Tensor}};
///
/// // A code that says nothing: the same for every image.
/// let zeros = || Tensor::zeros([100, 4], (Kind::Float, Device::Cpu));
/// let q = Gaussian::new(zeros(), zeros()).unwrap();
/// let bounds = eval::information_bounds(&q, &q.sample(), 50).unwrap();
/// assert!(bounds.prior_kl.abs() < 1e-9 && bounds.mixture_upper.abs() < 1e-9);
/// ```
///
/// # Errors
/// If the shapes don't fit, or a batch would hold less than 2 examples.
pub fn information_bounds(
    q: &Gaussian,
    z: &Tensor,
    batch_size: usize,
) -> Result<InformationBounds> {
    let count = q.mean.size()[0] as usize;
    let batch_size = batch_size.min(count);
    if batch_size < 2 {
        return Err(Error::Invalid(
            "bounds that compare the codes of a batch need at least 2 of them in it".into(),
        ));
    }
    no_grad(|| {
        let mean = |t: &Tensor| t.mean(Kind::Double).double_value(&[]);
        let (mut sums, mut batches) = ([0.0; 3], 0.0);
        for indices in Batches::in_order(count, batch_size)? {
            if indices.size()[0] < batch_size as i64 {
                break;
            }
            let part = |t: &Tensor| t.index_select(0, &indices.to_device(t.device()));
            let (q, z) = (Gaussian::new(part(&q.mean), part(&q.log_var))?, part(z));
            // The mean over all pairs holds a share 1/B of zeros.
            let others = batch_size as f64 / (batch_size as f64 - 1.0);
            let found = [
                mean(&loss::marginal_bound(&q)) * others,
                mean(&loss::mixture_upper(&q, &z)?),
                mean(&loss::mixture_lower(&q, &z)?),
            ];
            for (sum, found) in sums.iter_mut().zip(found) {
                *sum += found;
            }
            batches += 1.0;
        }
        let [pairwise_kl, mixture_upper, mixture_lower] = sums.map(|sum| sum / batches);
        Ok(InformationBounds {
            prior_kl: mean(&loss::prior_kl(q)),
            pairwise_kl,
            mixture_upper,
            mixture_lower,
        })
    })
}

/// Estimates of what a sampled code says, in nats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Information {
    /// E KL[q(z|x) ‖ q̂(z)], at least I(x; z); q̂ is the mixture of the codes of other images.
    pub about_image: f64,
    /// H(c) + E log p̂(c|z), at most I(z; c); p̂ by Bayes' rule from the mixtures of each class.
    pub about_class: f64,
}

/// Sets samples of some codes against the mixture of many others, which makes the tightest bounds of all here.
///
/// `seen` are the codes that the mixture is made of, with their labels: those of the training images. `unseen` are other
/// images' codes, one sample of each, and their labels. The cost is the product of both numbers.
///
/// # Errors
/// If something doesn't fit, a class has no code in the mixture, or somebody interrupts.
pub fn mixture_information(
    seen: (&Gaussian, &Tensor),
    unseen: (&Gaussian, &Tensor, &Tensor),
    classes: i64,
) -> Result<Information> {
    let (mixture, mixture_labels) = seen;
    let (own, z, labels) = unseen;
    check_pair(&mixture.mean, mixture_labels, classes)?;
    check_pair(z, labels, classes)?;
    if own.mean.size() != z.size() {
        return Err(Error::Shape {
            what: "the samples z",
            expected: format!("[N, Z] = {:?}, one of each code", own.mean.size()),
            found: z.size(),
        });
    }
    let n = mixture_labels.size()[0] as f64;
    let of_class: Vec<Tensor> = (0..classes)
        .map(|class| mixture_labels.eq(class).nonzero().squeeze_dim(1))
        .collect();
    if let Some(class) = of_class.iter().position(|indices| indices.numel() == 0) {
        return Err(Error::Invalid(format!(
            "no code of the mixture is of class {class}, so Bayes' rule can't name it: give more codes, or \
             fewer classes"
        )));
    }
    let count = z.size()[0];
    let (mut about_image, mut log_posterior) = (0.0, 0.0);
    for start in (0..count).step_by(AT_ONCE as usize) {
        if interrupted() {
            return Err(Error::Interrupted(format!(
                "the information was interrupted after {start} of {count} codes"
            )));
        }
        no_grad(|| -> Result<()> {
            let rows = AT_ONCE.min(count - start);
            let part = |t: &Tensor| t.narrow(0, start, rows).to_kind(Kind::Double);
            let log_mean =
                |densities: &Tensor| densities.logsumexp([1i64].as_slice(), false) - n.ln();
            let densities = mixture.log_densities(&part(z))?; // [B, N]
            let log_q = log_mean(&densities);
            let (mean, log_var) = (part(&own.mean), part(&own.log_var));
            let of_own = ((part(z) - mean).square() / log_var.exp()
                + log_var
                + (2.0 * std::f64::consts::PI).ln())
            .sum_dim_intlist(-1, false, Kind::Double)
                * -0.5;
            about_image += (of_own - &log_q).sum(Kind::Double).double_value(&[]);
            let joint: Vec<Tensor> = of_class
                .iter()
                .map(|indices| log_mean(&densities.index_select(1, indices)))
                .collect();
            let label = labels.narrow(0, start, rows).unsqueeze(1);
            let of_label = Tensor::stack(&joint, 1)
                .gather(1, &label, false)
                .squeeze_dim(1);
            log_posterior += (of_label - log_q).sum(Kind::Double).double_value(&[]);
            Ok(())
        })?;
    }
    Ok(Information {
        about_image: about_image / count as f64,
        about_class: entropy(mixture_labels, classes)? + log_posterior / count as f64,
    })
}
