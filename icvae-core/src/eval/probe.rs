//! How much of the class can still be read from a code.

use tch::{Tensor, nn, nn::ModuleT};

use crate::data::{Batches, check_labels};
use crate::interrupt::interrupted;
use crate::model::{Activation, DenseStack, StackConfig, dense};
use crate::train::{Adam, AdamConfig, EpsilonConvention, Optimizer, step_seed};
use crate::{Error, Result, no_grad};

/// The numbers of a probe; the defaults are two hidden layers of 256 ReLU units, 20 epochs of Adam at
/// 1e-3 in batches of 128.
#[derive(Debug, Clone)]
pub struct ProbeConfig {
    /// Units of each hidden layer.
    pub hidden: Vec<i64>,
    /// Passes over the training codes.
    pub epochs: usize,
    /// Examples a step.
    pub batch_size: usize,
    /// Adam's step size.
    pub learning_rate: f64,
    /// Sets the initial weights and the order.
    pub seed: u64,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            hidden: vec![256, 256],
            epochs: 20,
            batch_size: 128,
            learning_rate: 1e-3,
            seed: 0,
        }
    }
}

/// Trains a classifier to read the class from codes, and returns its accuracy on codes it has not seen,
/// in [0, 1].
///
/// Codes are `[N, Z]`, labels `[N]` in 0..`classes`. An accuracy at the share of the most frequent class means
/// that the probe found nothing; a higher one is a lower bound on what the code gives away.
///
/// # Errors
/// If codes and labels don't fit each other, a label is not in 0..`classes`, or somebody interrupts.
pub fn probe_accuracy(
    train: (&Tensor, &Tensor),
    test: (&Tensor, &Tensor),
    classes: i64,
    config: &ProbeConfig,
) -> Result<f64> {
    for (codes, labels) in [train, test] {
        if codes.dim() != 2 || codes.size()[0] == 0 || labels.size() != codes.size()[..1] {
            return Err(Error::Shape {
                what: "the labels of the probe",
                expected: format!("[N] for codes [N, Z] = {:?}", codes.size()),
                found: labels.size(),
            });
        }
    }
    if test.0.size()[1] != train.0.size()[1] {
        return Err(Error::Shape {
            what: "the codes that the probe is tested on",
            expected: format!("[N, {}], as those that it learns from", train.0.size()[1]),
            found: test.0.size(),
        });
    }
    for labels in [train.1, test.1] {
        check_labels(labels, classes)?;
    }
    tch::manual_seed(step_seed(config.seed, 0));
    let vs = nn::VarStore::new(train.0.device());
    let stack = StackConfig {
        hidden: config.hidden.clone(),
        activation: Activation::Relu,
        dropout: 0.0,
        batch_norm: false,
    };
    let trunk = DenseStack::new(&vs.root(), "probe", train.0.size()[1], &stack)?;
    let head = dense(vs.root() / "class", trunk.outputs(), classes);
    let logits = |z: &Tensor| trunk.forward_t(z, true).apply(&head);
    let adam = AdamConfig {
        epsilon: 1e-8,
        convention: EpsilonConvention::Pytorch,
        ..Default::default()
    };
    let mut adam = Adam::new(&vs, config.learning_rate, &adam)?;
    let count = train.0.size()[0] as usize;
    for epoch in 0..config.epochs {
        for indices in Batches::shuffled(count, config.batch_size, config.seed, epoch as u64)? {
            let indices = indices.to_device(train.0.device());
            let (z, labels) = (
                train.0.index_select(0, &indices),
                train.1.index_select(0, &indices),
            );
            if interrupted() {
                return Err(Error::Interrupted(format!(
                    "the probe was interrupted in epoch {} of {}",
                    epoch + 1,
                    config.epochs
                )));
            }
            adam.minimise(&logits(&z).cross_entropy_for_logits(&labels))?;
        }
    }
    Ok(no_grad(|| logits(test.0).accuracy_for_logits(test.1)).double_value(&[]))
}
