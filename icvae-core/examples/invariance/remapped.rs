//! Whether a remapped digit is read as what it was remapped to, and what it keeps of its source.

use icvae_core::data::{Batches, Dataset, Digits};
use icvae_core::model::{Activation, Dense, DenseStack, Icvae, StackConfig, dense};
use icvae_core::tch::nn::ModuleT;
use icvae_core::tch::{self, Kind, Tensor, nn};
use icvae_core::train::{Adam, AdamConfig, Optimizer};
use icvae_core::{Result, no_grad};

/// Test digits that are remapped to the nine other classes.
const SOURCES: usize = 2_000;

/// A classifier of images that knows nothing of any code: two hidden layers of 256 ReLU units, 5 epochs.
pub struct Reader {
    _vs: nn::VarStore,
    trunk: DenseStack,
    head: Dense,
}

impl Reader {
    pub fn train(digits: &Digits) -> Result<Reader> {
        tch::manual_seed(0);
        let data = &digits.train;
        let vs = nn::VarStore::new(data.device());
        let stack = StackConfig {
            hidden: vec![256, 256],
            activation: Activation::Relu,
            dropout: 0.0,
            batch_norm: false,
        };
        let trunk = DenseStack::new(&vs.root(), "reader", data.pixels(), &stack)?;
        let head = dense(vs.root() / "class", trunk.outputs(), data.classes());
        let mut adam = Adam::new(&vs, 1e-3, &AdamConfig::default())?;
        let reader = Reader {
            _vs: vs,
            trunk,
            head,
        };
        for epoch in 0..5 {
            for indices in Batches::shuffled(data.len(), 128, 0, epoch)? {
                let batch = data.batch(&indices)?;
                adam.minimise(
                    &reader
                        .logits(&batch.x)
                        .cross_entropy_for_logits(&batch.labels),
                )?;
            }
        }
        Ok(reader)
    }

    fn logits(&self, x: &Tensor) -> Tensor {
        self.trunk.forward_t(x, false).apply(&self.head)
    }

    fn read(&self, x: &Tensor) -> Tensor {
        no_grad(|| self.logits(x).argmax(-1, false))
    }

    pub fn accuracy(&self, data: &Dataset) -> f64 {
        share(&self.read(&data.x()).eq_tensor(data.labels()))
    }
}

/// What became of test digits that were drawn as each of the nine other classes.
pub struct Remapped {
    /// The share that the classifier reads as the class they were drawn as.
    pub as_target: f64,
    /// The share that it reads as the class they came from.
    pub as_source: f64,
    /// The correlation of the sum of pixels with the source's, over images of one source and one target class.
    pub ink: f64,
    /// The same of the slant.
    pub slant: f64,
}

pub fn remapped(model: &Icvae, reader: &Reader, digits: &Digits, mean: bool) -> Result<Remapped> {
    tch::manual_seed(0);
    let data = digits.test.head(SOURCES);
    let classes = data.classes();
    let z = no_grad(|| -> Result<Tensor> {
        let q = model.encode(&data.x(), &data.c())?;
        Ok(if mean {
            q.mean.shallow_clone()
        } else {
            q.sample()
        })
    })?;
    let source = data.labels();
    let (own_ink, own_slant) = (ink(&data.x()), slant(&data.x()));
    let (mut as_target, mut as_source) = (Vec::new(), Vec::new());
    let (mut of_ink, mut of_slant) = (Vec::new(), Vec::new());
    for target in 0..classes {
        let c = icvae_core::data::one_hot(&source.full_like(target), classes)?;
        let drawn = no_grad(|| model.decode(&z, &c))?;
        let read = reader.read(&drawn);
        let (its_ink, its_slant) = (ink(&drawn), slant(&drawn));
        for class in (0..classes).filter(|class| *class != target) {
            let indices = source.eq(class).nonzero().squeeze_dim(1);
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

/// The sum of the pixels, [B].
fn ink(x: &Tensor) -> Tensor {
    x.clamp(0.0, 1.0).sum_dim_intlist(-1, false, Kind::Float)
}

/// How far the strokes lean: columns to the right for each row upwards, the slope of the regression of a pixel's
/// column on its row, each weighed by its ink, [B].
fn slant(x: &Tensor) -> Tensor {
    let x = x.clamp(0.0, 1.0);
    let side = (x.size()[1] as f64).sqrt() as i64;
    let axis = Tensor::arange(side, (Kind::Float, x.device()));
    let up = -axis.repeat_interleave_self_int(side, 0, None); // the row of each pixel, counted upwards
    let right = axis.repeat([side]);
    let ink = x.sum_dim_intlist(-1, true, Kind::Float).clamp_min(1e-6);
    let mean = |of: &Tensor| (&x * of).sum_dim_intlist(-1, true, Kind::Float) / &ink; // [B, 1]
    let (up_mean, right_mean) = (mean(&up), mean(&right));
    let (up, right) = (up - up_mean, right - right_mean); // [B, P]
    let over = |t: Tensor| (&x * t).sum_dim_intlist(-1, false, Kind::Float);
    over(&up * &right) / over(up.square()).clamp_min(1e-6)
}
