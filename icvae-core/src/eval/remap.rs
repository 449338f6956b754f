//! One digit, drawn as every other.

use tch::{Kind, Tensor};

use crate::model::Icvae;
use crate::{Error, Result, no_grad};

/// Remaps each image into every class in its own style: the code stays, the condition changes.
///
/// Takes x, `[N, P]`, and its true conditions c, `[N, C]`; returns `[N·(2 + C), P]`, for each image the image
/// itself, its reconstruction, and the C decodings of the same code under each class in turn: the rows of
/// the tutorial's grid. Each code is one sample of q(z|x), or its mean where `mean` is set.
///
/// # Errors
/// If a shape does not fit, or the model has no condition.
pub fn remap(model: &Icvae, x: &Tensor, c: &Tensor, mean: bool) -> Result<Tensor> {
    let classes = model.config().classes;
    if classes == 0 {
        return Err(Error::Invalid(
            "a model without a condition can't remap: build it with classes set".into(),
        ));
    }
    no_grad(|| {
        let q = model.encode(x, c)?;
        let z = if mean {
            q.mean.shallow_clone()
        } else {
            q.sample()
        };
        let count = x.size()[0];
        let every_class = Tensor::eye(classes, (Kind::Float, x.device())).repeat([count, 1]);
        let drawn = model
            .decode(
                &z.repeat_interleave_self_int(classes, 0, None),
                &every_class,
            )?
            .view([count, classes, -1]);
        let own = model.decode(&z, c)?;
        let rows = Tensor::cat(&[x.unsqueeze(1), own.unsqueeze(1), drawn], 1);
        Ok(rows.view([count * (classes + 2), -1]))
    })
}
