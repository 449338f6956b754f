//! How much codes say of the image and of its class, in nats; and how far they lie apart.

use std::f64::consts::PI;

use icvae_core::data::{Dataset, Digits};
use icvae_core::model::{Gaussian, Icvae};
use icvae_core::tch::{self, Kind, Tensor};
use icvae_core::{Result, no_grad};

/// Test codes that the information is a mean over.
const MEASURED: i64 = 2_000;
/// Codes that are set against the whole mixture at a time, 60,000 densities each.
const AT_ONCE: i64 = 250;

/// The codes of both data sets, and one sample of each.
pub struct Codes {
    pub train: Gaussian,
    pub test: Gaussian,
    pub train_samples: Tensor,
    pub test_samples: Tensor,
}

pub fn codes(model: &Icvae, digits: &Digits, seed: u64) -> Result<Codes> {
    let encode = |data: &Dataset| no_grad(|| model.encode(&data.x(), &data.c()));
    let (train, test) = (encode(&digits.train)?, encode(&digits.test)?);
    tch::manual_seed(seed as i64);
    let (train_samples, test_samples) = (train.sample(), test.sample());
    Ok(Codes {
        train,
        test,
        train_samples,
        test_samples,
    })
}

/// Estimates of what a sampled code says, in nats.
pub struct Information {
    /// E KL[q(z|x) ‖ q̂(z)], at least I(x; z); q̂ is the mixture of the training images' codes.
    pub about_image: f64,
    /// H(c) + E log p̂(c|z), at most I(z; c); p̂ by Bayes' rule from the mixtures of each class.
    pub about_class: f64,
}

pub fn information(codes: &Codes, digits: &Digits) -> Information {
    let (train, test) = (&codes.train, &codes.test);
    let double = |t: &Tensor| t.to_kind(Kind::Double);
    let (mean, log_var) = (double(&train.mean), double(&train.log_var));
    let precision = (-&log_var).exp(); // [N, Z]
    let weighted = &mean * &precision;
    // −½ Σ_d (μ²/σ² + log 2πσ²), the part of the log-density that z has no say in, [1, N].
    let over_dimensions = |t: Tensor| t.sum_dim_intlist(-1, true, Kind::Double);
    let constant = over_dimensions(&mean * &weighted + &log_var + (2.0 * PI).ln()).tr() * -0.5;

    let count = MEASURED.min(digits.test.len() as i64);
    let n = digits.train.len() as f64;
    let classes = digits.train.classes();
    let of_class: Vec<Tensor> = (0..classes)
        .map(|class| digits.train.labels().eq(class).nonzero().squeeze_dim(1))
        .collect();
    let (mut about_image, mut log_posterior) = (0.0, 0.0);
    for start in (0..count).step_by(AT_ONCE as usize) {
        let rows = AT_ONCE.min(count - start);
        let part = |t: &Tensor| double(&t.narrow(0, start, rows));
        let z = part(&codes.test_samples);
        let densities =
            z.square().matmul(&precision.tr()) * -0.5 + z.matmul(&weighted.tr()) + &constant; // [B, N]
        let log_q = densities.logsumexp([1i64].as_slice(), false) - n.ln();
        let (own_mean, own_log_var) = (part(&test.mean), part(&test.log_var));
        let own =
            ((z - own_mean).square() / own_log_var.exp() + own_log_var + (2.0 * PI).ln()) * -0.5;
        let own = own.sum_dim_intlist(-1, false, Kind::Double);
        about_image += (own - &log_q).sum(Kind::Double).double_value(&[]);
        let joint: Vec<Tensor> = of_class
            .iter()
            .map(|indices| {
                densities
                    .index_select(1, indices)
                    .logsumexp([1i64].as_slice(), false)
                    - n.ln()
            })
            .collect();
        let labels = digits.test.labels().narrow(0, start, rows).unsqueeze(1);
        let of_own = Tensor::stack(&joint, 1)
            .gather(1, &labels, false)
            .squeeze_dim(1);
        log_posterior += (of_own - log_q).sum(Kind::Double).double_value(&[]);
    }
    let entropy: f64 = of_class
        .iter()
        .map(|indices| indices.size()[0] as f64 / n)
        .map(|share| -share * share.ln())
        .sum();
    Information {
        about_image: about_image / count as f64,
        about_class: entropy + log_posterior / count as f64,
    }
}

/// How far means lie apart, in units of the noise.
pub struct Distances {
    /// √ of the mean of Σ_d (μ_i − μ_j)²/σ²_d over pairs of images, σ²_d the mean variance in dimension d.
    pub images: f64,
    /// The same between the centres of two classes, over the pairs of classes.
    pub classes: f64,
    /// Dimensions whose mean moves, from image to image, by at least a tenth of its noise.
    pub used_dimensions: i64,
}

pub fn distances(q: &Gaussian, labels: &Tensor) -> Distances {
    let first = |t: Tensor| t.mean_dim([0i64].as_slice(), true, Kind::Float);
    let noise = first(q.log_var.exp()).sqrt(); // [1, Z]
    let in_noise = &q.mean / &noise; // [N, Z]
    let classes = labels.max().int64_value(&[]) + 1;
    let centers: Vec<Tensor> = (0..classes)
        .map(|class| {
            first(in_noise.index_select(0, &labels.eq(class).nonzero().squeeze_dim(1)))
                .squeeze_dim(0)
        })
        .collect();
    let centers = Tensor::stack(&centers, 0);
    // The mean square distance of two different points is twice their variance.
    let apart = |points: &Tensor| {
        let variance = points.var_dim([0i64].as_slice(), true, false);
        (2.0 * variance.sum(Kind::Double).double_value(&[])).sqrt()
    };
    let moved = in_noise.std_dim([0i64].as_slice(), true, false);
    Distances {
        images: apart(&in_noise),
        classes: apart(&centers),
        used_dimensions: moved.ge(0.1).sum(Kind::Int64).int64_value(&[]),
    }
}
