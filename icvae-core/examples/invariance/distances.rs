//! How far codes lie apart.

use icvae_core::model::Gaussian;
use icvae_core::tch::{Kind, Tensor};

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
