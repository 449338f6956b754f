//! A classifier of images that knows nothing of any code.

use tch::{Kind, Tensor, nn, nn::ModuleT};

use crate::data::{Batches, Dataset};
use crate::interrupt::interrupted;
use crate::model::{Activation, Dense, DenseStack, StackConfig, dense};
use crate::train::{Adam, AdamConfig, Optimizer};
use crate::{Error, Result, no_grad};

/// Passes over the training images.
const EPOCHS: u64 = 5;

/// A classifier of images, trained apart from every model whose images it reads: two hidden layers of 256 ReLU
/// units, 5 epochs of Adam at 1e-3 in batches of 128. It reads about 98 % of MNIST's test digits.
#[derive(Debug)]
pub struct Reader {
    _vs: nn::VarStore,
    trunk: DenseStack,
    head: Dense,
}

impl Reader {
    /// Learns to read the images of a data set; the same data give the same reader.
    ///
    /// # Errors
    /// If the data set is empty, or somebody interrupts.
    pub fn train(data: &Dataset) -> Result<Reader> {
        tch::manual_seed(0);
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
        for epoch in 0..EPOCHS {
            for indices in Batches::shuffled(data.len(), 128, 0, epoch)? {
                if interrupted() {
                    return Err(Error::Interrupted(format!(
                        "the classifier of images was interrupted in epoch {} of {EPOCHS}",
                        epoch + 1
                    )));
                }
                let batch = data.batch(&indices)?;
                let logits = reader.logits(&batch.x);
                adam.minimise(&logits.cross_entropy_for_logits(&batch.labels))?;
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
