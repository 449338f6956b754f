//! Examples of a table, as tensors.

use tch::{Device, Kind, Tensor};

use crate::data::{Dataset, check_labels};
use crate::{Error, Result};

/// Rows of a table: what is known of each, x, what is to be predicted, y, and the group that is to be forgotten, c.
#[derive(Debug)]
pub struct Rows {
    x: Tensor, // float [N, P]
    y: Tensor, // i64 [N]
    c: Tensor, // i64 [N]
}

impl Rows {
    /// Outcomes, 0 and 1.
    pub const OUTCOMES: i64 = 2;
    /// Groups, 0 and 1.
    pub const GROUPS: i64 = 2;

    /// x, float `[N, P]`; y and c, 64-bit integers `[N]` of 0 and 1.
    ///
    /// # Errors
    /// If a kind, a shape or a value is not so.
    pub fn new(x: Tensor, y: Tensor, c: Tensor) -> Result<Self> {
        if x.dim() != 2 || x.kind() != Kind::Float {
            return Err(Error::Invalid(format!(
                "the rows of a table must be Float [N, P], but are {:?} {:?}",
                x.kind(),
                x.size()
            )));
        }
        for (what, labels, count) in [
            ("the outcomes y", &y, Self::OUTCOMES),
            ("the groups c", &c, Self::GROUPS),
        ] {
            check_labels(labels, count)?;
            if labels.size()[0] != x.size()[0] {
                return Err(Error::Shape {
                    what,
                    expected: format!("[{}], one for each row", x.size()[0]),
                    found: labels.size(),
                });
            }
        }
        Ok(Self { x, y, c })
    }

    /// What is known, float `[N, P]`.
    pub fn x(&self) -> &Tensor {
        &self.x
    }

    /// The outcomes, i64 `[N]`.
    pub fn y(&self) -> &Tensor {
        &self.y
    }

    /// The groups, i64 `[N]`.
    pub fn c(&self) -> &Tensor {
        &self.c
    }

    /// N.
    pub fn len(&self) -> usize {
        self.x.size()[0] as usize
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The share of the more frequent outcome: what a prediction that looks at nothing reaches.
    pub fn majority_outcome(&self) -> f64 {
        majority(&self.y)
    }

    /// The share of the larger group: what an adversary that looks at nothing reaches.
    pub fn majority_group(&self) -> f64 {
        majority(&self.c)
    }

    /// The rows as a data set to train on: a class for each pair of an outcome and a group, 2·y + c, so that a batch
    /// of it tells both. That is what [`InvariantPredictor`](crate::model::InvariantPredictor) takes.
    ///
    /// # Errors
    /// If a number in x is not finite.
    pub fn dataset(&self) -> Result<Dataset> {
        let pairs = &self.y * Self::GROUPS + &self.c;
        Dataset::points(self.x.shallow_clone(), pairs, Self::OUTCOMES * Self::GROUPS)
    }

    /// The first `n` rows, or all where there are fewer. Shares memory with `self`.
    #[must_use]
    pub fn head(&self, n: usize) -> Self {
        let n = n.min(self.len()) as i64;
        let of = |t: &Tensor| t.narrow(0, 0, n);
        Self {
            x: of(&self.x),
            y: of(&self.y),
            c: of(&self.c),
        }
    }

    /// The same rows on another device.
    #[must_use]
    pub fn to_device(&self, device: Device) -> Self {
        Self {
            x: self.x.to_device(device),
            y: self.y.to_device(device),
            c: self.c.to_device(device),
        }
    }
}

fn majority(labels: &Tensor) -> f64 {
    let ones = labels.to_kind(Kind::Double).mean(None).double_value(&[]);
    ones.max(1.0 - ones)
}
