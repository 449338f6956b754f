//! How much of the class can still be read from a code.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor, nn, nn::ModuleT};

use crate::data::{Batches, check_labels};
use crate::interrupt::interrupted;
use crate::model::{Activation, Dense, DenseStack, StackConfig, dense};
use crate::train::{Adam, AdamConfig, EpsilonConvention, Optimizer, step_seed};
use crate::{Error, Result, no_grad};

/// Hidden layers that [`probes`] has at most.
const MOST_LAYERS: usize = 3;

/// The numbers of a probe; the defaults are two hidden layers of 256 ReLU units, 20 epochs of Adam at
/// 1e-3 in batches of 128, and no examples held back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
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
    /// The share of the training codes, the last of them, that the probe does not learn from: of all epochs
    /// the one is kept whose cross-entropy on them is least. With 0 the last epoch counts.
    pub validation: f64,
    /// Steps that a probe of `code_length` takes at least: an epoch of one batch teaches nothing.
    pub least_steps: usize,
}

impl Default for ProbeConfig {
    fn default() -> Self {
        Self {
            hidden: vec![256, 256],
            epochs: 20,
            batch_size: 128,
            learning_rate: 1e-3,
            seed: 0,
            validation: 0.0,
            least_steps: 1_000,
        }
    }
}

impl ProbeConfig {
    /// The one configuration in which codes are compared: `layers` hidden layers of 64 ReLU units, 12 epochs
    /// of Adam at 3e-3 in batches of 256, a tenth of the training codes held back to choose the epoch.
    ///
    /// The width is that of the adversaries in the experiments of Moyer et al. 2018.
    pub fn of_layers(layers: usize) -> Self {
        Self {
            hidden: vec![64; layers],
            epochs: 12,
            batch_size: 256,
            learning_rate: 3e-3,
            seed: 0,
            validation: 0.1,
            least_steps: 1_000,
        }
    }

    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        if self.epochs == 0 {
            return Err(Error::Invalid(
                "a probe of 0 epochs has learnt nothing: give at least 1".into(),
            ));
        }
        if !(0.0..1.0).contains(&self.validation) {
            return Err(Error::Invalid(format!(
                "validation is {}, but must be at least 0 and less than 1",
                self.validation
            )));
        }
        Ok(())
    }
}

/// What a probe reads from codes that it has not learnt from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// The share of codes whose class it names, in [0, 1].
    pub accuracy: f64,
    /// −E log p(c|z) in nats: what the class costs to somebody who has the code and the probe.
    pub cross_entropy: f64,
    /// H(c) − cross-entropy in nats, at most I(z; c) up to the chance of the sample (Barber and Agakov 2003); H(c)
    /// is the entropy of the classes' shares in the same codes. Negative where the probe is surer than right.
    pub information: f64,
}

/// Trains a probe to read the class from codes, and tells what it reads from codes it has not seen.
///
/// Codes are `[N, Z]`, labels `[N]` in 0..`classes`. A better probe reads more: what one reads is a lower bound on
/// what the code gives away, and what it doesn't read proves nothing.
///
/// # Errors
/// If codes and labels don't fit each other, a label is not in 0..`classes`, a number makes no sense, or
/// somebody interrupts.
pub fn probe(
    train: (&Tensor, &Tensor),
    test: (&Tensor, &Tensor),
    classes: i64,
    config: &ProbeConfig,
) -> Result<Reading> {
    for (codes, labels) in [train, test] {
        check_pair(codes, labels, classes)?;
    }
    if test.0.size()[1] != train.0.size()[1] {
        return Err(Error::Shape {
            what: "the codes that the probe is tested on",
            expected: format!("[N, {}], as those that it learns from", train.0.size()[1]),
            found: test.0.size(),
        });
    }
    let probe = Probe::train(train.0, train.1, classes, config)?;
    let (accuracy, cross_entropy) = no_grad(|| {
        let logits = probe.logits(test.0);
        (
            logits.accuracy_for_logits(test.1).double_value(&[]),
            nats(&logits, test.1),
        )
    });
    Ok(Reading {
        accuracy,
        cross_entropy,
        information: entropy(test.1, classes)? - cross_entropy,
    })
}

/// The accuracy of a [`probe`] alone, in [0, 1].
///
/// An accuracy at the share of the most frequent class means that the probe found nothing; a higher one is a lower
/// bound on what the code gives away.
///
/// # Errors
/// As [`probe`].
pub fn probe_accuracy(
    train: (&Tensor, &Tensor),
    test: (&Tensor, &Tensor),
    classes: i64,
    config: &ProbeConfig,
) -> Result<f64> {
    Ok(probe(train, test, classes, config)?.accuracy)
}

/// What probes with 0, 1, 2 and 3 hidden layers read, all of [`ProbeConfig::of_layers`].
///
/// # Errors
/// As [`probe`].
pub fn probes(
    train: (&Tensor, &Tensor),
    test: (&Tensor, &Tensor),
    classes: i64,
    seed: u64,
) -> Result<Vec<Reading>> {
    (0..=MOST_LAYERS)
        .map(|layers| {
            let config = ProbeConfig {
                seed,
                ..ProbeConfig::of_layers(layers)
            };
            probe(train, test, classes, &config)
        })
        .collect()
}

/// The entropy of the classes' shares among labels `[N]`, H(c) in nats.
///
/// # Errors
/// If there is no label, or one is not in 0..`classes`.
pub fn entropy(labels: &Tensor, classes: i64) -> Result<f64> {
    check_labels(labels, classes)?;
    if labels.numel() == 0 {
        return Err(Error::Invalid(
            "the entropy of no labels is undefined: give at least one".into(),
        ));
    }
    let counts = labels
        .bincount(None::<&Tensor>, classes)
        .to_kind(Kind::Double);
    let shares = &counts / counts.sum(Kind::Double);
    Ok(shares.special_entr().sum(Kind::Double).double_value(&[]))
}

/// Refuses codes and labels that don't fit each other.
pub(super) fn check_pair(codes: &Tensor, labels: &Tensor, classes: i64) -> Result<()> {
    if codes.dim() != 2 || codes.size()[0] == 0 || labels.size() != codes.size()[..1] {
        return Err(Error::Shape {
            what: "the labels of the probe",
            expected: format!("[N] for codes [N, Z] = {:?}", codes.size()),
            found: labels.size(),
        });
    }
    check_labels(labels, classes)
}

/// −E log p(c|z) in nats, in double precision.
pub(super) fn nats(logits: &Tensor, labels: &Tensor) -> f64 {
    logits
        .to_kind(Kind::Double)
        .cross_entropy_for_logits(labels)
        .double_value(&[])
}

/// A classifier of codes.
pub(super) struct Probe {
    vs: nn::VarStore,
    trunk: DenseStack,
    head: Dense,
}

impl Probe {
    /// Learns from codes `[N, Z]` and labels `[N]` that were checked before.
    pub(super) fn train(
        codes: &Tensor,
        labels: &Tensor,
        classes: i64,
        config: &ProbeConfig,
    ) -> Result<Self> {
        config.check()?;
        let all = codes.size()[0];
        let held_back = ((all as f64 * config.validation) as i64).min(all - 1);
        let count = all - held_back;
        let part = |start, length| {
            (
                codes.narrow(0, start, length),
                labels.narrow(0, start, length),
            )
        };
        let ((codes, labels), checked) = (part(0, count), part(count, held_back));

        tch::manual_seed(step_seed(config.seed, 0));
        let mut probe = Self::new(codes.size()[1], classes, config, codes.device())?;
        let adam = AdamConfig {
            epsilon: 1e-8,
            convention: EpsilonConvention::Pytorch,
            ..Default::default()
        };
        let mut adam = Adam::new(&probe.vs, config.learning_rate, &adam)?;
        let mut best = f64::INFINITY;
        let mut kept = None;
        for epoch in 0..config.epochs {
            let batches =
                Batches::shuffled(count as usize, config.batch_size, config.seed, epoch as u64)?;
            for indices in batches {
                let indices = indices.to_device(codes.device());
                let (z, labels) = (
                    codes.index_select(0, &indices),
                    labels.index_select(0, &indices),
                );
                if interrupted() {
                    return Err(Error::Interrupted(format!(
                        "the probe was interrupted in epoch {} of {}",
                        epoch + 1,
                        config.epochs
                    )));
                }
                adam.minimise(&probe.logits(&z).cross_entropy_for_logits(&labels))?;
            }
            if held_back > 0 {
                let found = no_grad(|| nats(&probe.logits(&checked.0), &checked.1));
                if found < best {
                    best = found;
                    let mut weights = Self::new(codes.size()[1], classes, config, codes.device())?;
                    weights.vs.copy(&probe.vs)?;
                    kept = Some(weights);
                }
            }
        }
        if let Some(kept) = kept {
            probe = kept;
        }
        Ok(probe)
    }

    fn new(width: i64, classes: i64, config: &ProbeConfig, device: tch::Device) -> Result<Self> {
        let vs = nn::VarStore::new(device);
        let stack = StackConfig {
            hidden: config.hidden.clone(),
            activation: Activation::Relu,
            dropout: 0.0,
            batch_norm: false,
        };
        let trunk = DenseStack::new(&vs.root(), "probe", width, &stack)?;
        let head = dense(vs.root() / "class", trunk.outputs(), classes);
        Ok(Self { vs, trunk, head })
    }

    /// Codes `[N, Z]` to the log-odds of the classes, `[N, C]`.
    pub(super) fn logits(&self, z: &Tensor) -> Tensor {
        self.trunk.forward_t(z, true).apply(&self.head)
    }
}
