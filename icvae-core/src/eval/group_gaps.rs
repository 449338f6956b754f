//! Whether decisions fall differently on different groups.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use crate::data::check_labels;
use crate::{Error, Result};

/// How yes-or-no decisions differ between groups, see [`group_gaps`]. Shares, in [0, 1].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupGaps {
    /// The share of right decisions over all groups.
    pub accuracy: f64,
    /// P(yes) in each group.
    pub rates: Vec<f64>,
    /// The largest of the rates less the smallest: the gap in demographic parity.
    pub parity: f64,
    /// The same of P(yes | the answer is yes): with the next, the gaps in equalised odds (Hardt et al. 2016). NaN
    /// where a group has no such case.
    pub true_positive: f64,
    /// The same of P(yes | the answer is no).
    pub false_positive: f64,
}

/// Compares decisions, 0 or 1, `[N]`, with the right answers, 0 or 1, `[N]`, in groups 0, 1, …, `[N]`: all Int64.
///
/// A gap of 0 in one sense says nothing of the others: where the groups' true rates differ, parity and equalised
/// odds can't both be had by a classifier that is any good (Kleinberg et al. 2017).
///
/// ```
/// use icvae_core::{eval::group_gaps, tch::Tensor};
///
/// let labels = |l: &[i64]| Tensor::from_slice(l);
/// let gaps = group_gaps(&labels(&[1, 0, 1, 1]), &labels(&[1, 0, 0, 1]), &labels(&[0, 0, 1, 1])).unwrap();
/// assert_eq!((gaps.rates, gaps.parity, gaps.accuracy), (vec![0.5, 1.0], 0.5, 0.75));
/// ```
///
/// # Errors
/// If the shapes differ, a decision or an answer is another number, or a group in between is empty.
pub fn group_gaps(decisions: &Tensor, answers: &Tensor, groups: &Tensor) -> Result<GroupGaps> {
    for (what, labels) in [("the answers", answers), ("the groups", groups)] {
        if labels.size() != decisions.size() {
            return Err(Error::Shape {
                what,
                expected: format!("{:?}, one for each decision", decisions.size()),
                found: labels.size(),
            });
        }
    }
    check_labels(decisions, 2)?;
    check_labels(answers, 2)?;
    check_labels(groups, i64::MAX)?;
    if decisions.numel() == 0 {
        return Err(Error::Invalid(
            "there is no decision to compare: give at least one".into(),
        ));
    }
    let count = groups.max().int64_value(&[]) + 1;
    let share = |of: &Tensor, among: &Tensor| {
        let sum = |t: Tensor| t.sum(Kind::Double).double_value(&[]);
        sum(of.logical_and(among)) / sum(among.to_kind(Kind::Double))
    };
    let (yes, right) = (decisions.eq(1), decisions.eq_tensor(answers));
    let (of_yes, of_no) = (answers.eq(1), answers.eq(0));
    let (mut rates, mut hits, mut false_alarms) = (Vec::new(), Vec::new(), Vec::new());
    for group in 0..count {
        let members = groups.eq(group);
        if members.any().int64_value(&[]) == 0 {
            return Err(Error::Invalid(format!(
                "nobody is in group {group} of 0 to {}: number the groups without a gap",
                count - 1
            )));
        }
        rates.push(share(&yes, &members));
        hits.push(share(&yes, &members.logical_and(&of_yes)));
        false_alarms.push(share(&yes, &members.logical_and(&of_no)));
    }
    let gap = |rates: &[f64]| {
        // fold with f64::max would swallow a NaN.
        if rates.iter().any(|rate| rate.is_nan()) {
            return f64::NAN;
        }
        let largest = rates.iter().copied().fold(f64::MIN, f64::max);
        largest - rates.iter().copied().fold(f64::MAX, f64::min)
    };
    Ok(GroupGaps {
        accuracy: share(&right, &right.ones_like()),
        parity: gap(&rates),
        true_positive: gap(&hits),
        false_positive: gap(&false_alarms),
        rates,
    })
}
