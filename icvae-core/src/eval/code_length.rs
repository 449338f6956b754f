//! How long the classes are, told to somebody who has the codes.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::ProbeConfig;
use super::probe::{Probe, check_pair, entropy, nats};
use crate::{Error, Result, no_grad, seeded};

/// How many of the labels are known when a probe is trained anew, in shares of all: those of Voita and Titov.
const KNOWN: [f64; 10] = [
    0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.0625, 0.125, 0.25, 0.5,
];

/// The length of an online code of labels, see [`code_length`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CodeLength {
    /// N, the labels that were told.
    pub examples: i64,
    /// The length of all of them in nats.
    pub nats: f64,
    /// N log C, their length without any code z.
    pub uniform: f64,
    /// N H(c), the length for somebody who knows the classes' shares.
    pub shares: f64,
    /// What it is made of, in the order of the telling.
    pub blocks: Vec<Block>,
}

/// Labels that were told by one probe.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Block {
    /// The labels that the probe had learnt from; 0 for the first block, which is told without one.
    pub known: i64,
    /// The labels in the block.
    pub told: i64,
    /// Their length in nats.
    pub nats: f64,
}

impl CodeLength {
    /// Nats a label.
    pub fn per_example(&self) -> f64 {
        self.nats / self.examples as f64
    }

    /// H(c) less the nats a label: what the codes have saved, a lower bound on I(z; c). Negative where learning to
    /// read them has cost more than it saved.
    pub fn information(&self) -> f64 {
        (self.shares - self.nats) / self.examples as f64
    }

    /// How many times shorter the labels have become: `uniform` / `nats`.
    pub fn compression(&self) -> f64 {
        self.uniform / self.nats
    }
}

/// The online code length of labels given codes (Voita and Titov 2020, section 2.2.2): what it takes to tell
/// somebody who has the codes all the labels, block by block, each by a probe that both have trained on the blocks
/// before.
///
/// The first thousandth is told by a uniform code, log C a label; then come a probe that knows 0.1 % of the
/// labels and tells the next 0.1 %, one that knows 0.2 %, and so on, doubling to one half. Each label costs
/// −log p(c|z). So a probe pays for how much it must be taught, and not only for what it gets wrong in the end;
/// and no label is told by a probe that has learnt from it.
///
/// Codes are `[N, Z]`, labels `[N]` in 0..`classes`, in random order. A probe takes at least `config.least_steps` steps, however few
/// labels it knows.
///
/// # Errors
/// If codes and labels don't fit each other, there are fewer than 20 labels, or somebody interrupts.
pub fn code_length(
    codes: &Tensor,
    labels: &Tensor,
    classes: i64,
    config: &ProbeConfig,
) -> Result<CodeLength> {
    check_pair(codes, labels, classes)?;
    config.check()?;
    let count = labels.size()[0];
    if count < 20 {
        return Err(Error::Invalid(format!(
            "an online code needs at least 20 labels to learn from and to tell, not {count}"
        )));
    }
    let mut ends: Vec<i64> = KNOWN
        .iter()
        .map(|share| ((count as f64 * share).round() as i64).max(2))
        .collect();
    ends.push(count);
    ends.dedup();
    let first = Block {
        known: 0,
        told: ends[0],
        nats: ends[0] as f64 * (classes as f64).ln(),
    };
    let mut blocks = vec![first];
    for known_and_end in ends.windows(2) {
        let (known, told) = (known_and_end[0], known_and_end[1] - known_and_end[0]);
        let steps = (known as usize).div_ceil(config.batch_size.max(1));
        let config = ProbeConfig {
            epochs: config.epochs.max(config.least_steps.div_ceil(steps)),
            ..config.clone()
        };
        let probe = Probe::train(
            &codes.narrow(0, 0, known),
            &labels.narrow(0, 0, known),
            classes,
            &config,
        )?;
        let each = no_grad(|| {
            let logits = probe.logits(&codes.narrow(0, known, told));
            nats(&logits, &labels.narrow(0, known, told))
        });
        blocks.push(Block {
            known,
            told,
            nats: each * told as f64,
        });
    }
    Ok(CodeLength {
        examples: count,
        nats: blocks.iter().map(|block| block.nats).sum(),
        uniform: count as f64 * (classes as f64).ln(),
        shares: count as f64 * entropy(labels, classes)?,
        blocks,
    })
}

/// The labels in another order, drawn by `seed`: the control of a probe (Hewitt and Liang 2019, in the form of
/// Voita and Titov 2020). The shares stay and nothing else does, so whatever a probe saves on *these* labels
/// is the probe's and not the code's.
///
/// # Errors
/// If libtorch has no memory for them.
pub fn shuffled_labels(labels: &Tensor, seed: u64) -> Result<Tensor> {
    let count = labels.numel() as i64;
    let order = seeded(seed, || {
        Tensor::f_randperm(count, (Kind::Int64, labels.device()))
    })?;
    Ok(labels.f_index_select(0, &order)?)
}
