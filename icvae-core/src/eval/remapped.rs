//! Whether a remapped image is read as what it was remapped to, and what it keeps of its source.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{Reader, ink, slant};
use crate::data::{Dataset, one_hot};
use crate::{Error, Result, no_grad};

/// What became of images that were drawn as each of the other classes, see [`remapped`].
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Remapped {
    /// The share that the reader takes for the class they were drawn as.
    pub as_target: f64,
    /// The share that it takes for the class they came from.
    pub as_source: f64,
    /// The correlation of the [`ink`] with the source's, over images of one source and one target class.
    pub ink: f64,
    /// The same of the [`slant`].
    pub slant: f64,
}

/// Draws every image of `data` as each of the other classes, by `decode` from its code and a one-hot condition,
/// and measures the drawings.
///
/// z holds one code an image, `[N, Z]`: a sample, or a mean. `decode` takes z, `[N, Z]`, and c, `[N, C]`, and returns
/// images, `[N, P]`; so a model of any kind can be measured.
///
/// # Errors
/// If the codes are not as many as the images, the images are not square, or `decode` fails.
pub fn remapped(
    decode: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
    z: &Tensor,
    data: &Dataset,
    reader: &Reader,
) -> Result<Remapped> {
    if z.dim() != 2 || z.size()[0] != data.len() as i64 {
        return Err(Error::Shape {
            what: "the codes to remap",
            expected: format!("[N, Z] with N = {}, one code an image", data.len()),
            found: z.size(),
        });
    }
    let (classes, source) = (data.classes(), data.labels());
    let (own_ink, own_slant) = (ink(&data.x()), slant(&data.x())?);
    let (mut as_target, mut as_source) = (Vec::new(), Vec::new());
    let (mut of_ink, mut of_slant) = (Vec::new(), Vec::new());
    for target in 0..classes {
        let c = one_hot(&source.full_like(target), classes)?;
        let drawn = no_grad(|| decode(z, &c))?;
        let read = reader.read(&drawn);
        let (its_ink, its_slant) = (ink(&drawn), slant(&drawn)?);
        for class in (0..classes).filter(|class| *class != target) {
            let indices = source.eq(class).nonzero().squeeze_dim(1);
            if indices.numel() == 0 {
                continue; // a few images need not be of every class
            }
            let read = read.index_select(0, &indices);
            as_target.push(read.eq(target));
            as_source.push(read.eq(class));
            let pair = |own: &Tensor, its: &Tensor| {
                let centred = |t: &Tensor| {
                    let t = t.index_select(0, &indices);
                    &t - t.mean(Kind::Float)
                };
                Tensor::stack(&[centred(own), centred(its)], 0)
            };
            of_ink.push(pair(&own_ink, &its_ink));
            of_slant.push(pair(&own_slant, &its_slant));
        }
    }
    if as_target.is_empty() {
        return Err(Error::Invalid(
            "there is no image to remap, or no other class to draw it as".into(),
        ));
    }
    Ok(Remapped {
        as_target: share(&Tensor::cat(&as_target, 0)),
        as_source: share(&Tensor::cat(&as_source, 0)),
        ink: correlation(&Tensor::cat(&of_ink, 1)),
        slant: correlation(&Tensor::cat(&of_slant, 1)),
    })
}

fn share(hits: &Tensor) -> f64 {
    hits.to_kind(Kind::Double)
        .mean(Kind::Double)
        .double_value(&[])
}

/// Of pairs [2, N] whose means are 0.
fn correlation(pairs: &Tensor) -> f64 {
    let (a, b) = (
        pairs.get(0).to_kind(Kind::Double),
        pairs.get(1).to_kind(Kind::Double),
    );
    let sum = |t: Tensor| t.sum(Kind::Double).double_value(&[]);
    sum(&a * &b) / (sum(a.square()) * sum(b.square())).sqrt()
}
