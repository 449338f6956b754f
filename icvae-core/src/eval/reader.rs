//! A classifier of images that knows nothing of any code.

use tch::{Device, Kind, Tensor, nn, nn::ModuleT};

use crate::data::{Batch, Batches, Dataset};
use crate::interrupt::interrupted;
use crate::model::{Activation, Dense, DenseStack, StackConfig, dense};
use crate::train::{Adam, AdamConfig, Losses, Model, Optimizer};
use crate::{Error, Result, no_grad};

/// Passes over the training images.
const EPOCHS: u64 = 5;

/// A classifier of images, trained apart from every model whose images it reads: two hidden layers of 256 ReLU
/// units, 5 epochs of Adam at 1e-3 in batches of 128. It reads about 98 % of MNIST's test digits.
///
/// It is a [`Model`], so it can be saved, and loaded into a [new](Reader::new) one.
#[derive(Debug)]
pub struct Reader {
    vs: nn::VarStore,
    pixels: i64,
    classes: i64,
    trunk: DenseStack,
    head: Dense,
}

impl Reader {
    /// One that has not learnt to read yet.
    ///
    /// # Errors
    /// If there are no pixels, or no classes.
    pub fn new(pixels: i64, classes: i64, device: Device) -> Result<Reader> {
        if pixels < 1 || classes < 1 {
            return Err(Error::Invalid(format!(
                "a classifier of images needs at least one pixel and one class, not {pixels} and {classes}"
            )));
        }
        tch::manual_seed(0);
        let vs = nn::VarStore::new(device);
        let stack = StackConfig {
            hidden: vec![256, 256],
            activation: Activation::Relu,
            dropout: 0.0,
            batch_norm: false,
        };
        let trunk = DenseStack::new(&vs.root(), "reader", pixels, &stack)?;
        let head = dense(vs.root() / "class", trunk.outputs(), classes);
        Ok(Reader {
            vs,
            pixels,
            classes,
            trunk,
            head,
        })
    }

    /// Learns to read the images of a data set; the same data give the same reader.
    ///
    /// # Errors
    /// If the data set is empty, or somebody interrupts.
    pub fn train(data: &Dataset) -> Result<Reader> {
        let reader = Self::new(data.pixels(), data.classes(), data.device())?;
        let mut adam = Adam::new(&reader.vs, 1e-3, &AdamConfig::default())?;
        for epoch in 0..EPOCHS {
            for indices in Batches::shuffled(data.len(), 128, 0, epoch)? {
                if interrupted() {
                    return Err(Error::Interrupted(format!(
                        "the classifier of images was interrupted in epoch {} of {EPOCHS}",
                        epoch + 1
                    )));
                }
                adam.minimise(reader.losses(&data.batch(&indices)?, true)?.total())?;
            }
        }
        Ok(reader)
    }

    fn logits(&self, x: &Tensor) -> Tensor {
        self.trunk.forward_t(x, false).apply(&self.head)
    }

    /// The classes that images, `[B, P]` in [0, 1], are read as, i64 `[B]`.
    pub fn read(&self, x: &Tensor) -> Tensor {
        no_grad(|| self.logits(x).argmax(-1, false))
    }

    /// The share of a data set's images that it reads right, in [0, 1].
    pub fn accuracy(&self, data: &Dataset) -> f64 {
        let right = self.read(&data.x()).eq_tensor(data.labels());
        right
            .to_kind(Kind::Double)
            .mean(Kind::Double)
            .double_value(&[])
    }
}

impl Model for Reader {
    fn var_store(&self) -> &nn::VarStore {
        &self.vs
    }

    /// The cross-entropy of the true classes in nats.
    fn losses(&self, batch: &Batch, _train: bool) -> Result<Losses> {
        let logits = self.logits(&batch.x);
        Ok(Losses::new(logits.cross_entropy_for_logits(&batch.labels)))
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "model": "reader", "pixels": self.pixels, "classes": self.classes })
    }

    fn rebuild(&self) -> Result<Self> {
        Self::new(self.pixels, self.classes, self.vs.device())
    }
}
