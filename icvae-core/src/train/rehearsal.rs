//! A look at a model before it is trained: what its loss is on one fixed batch with its first weights.
//!
//! It finds what can't be trained before an hour is spent, what a reader should be told, and whether the loss
//! is still the one that weights in a store were trained with.

use serde::{Deserialize, Serialize};
use tch::{Tensor, nn};

use super::model::Trained;
use super::optimizer::gradients;
use super::{Losses, TrainConfig, Turn, step_seed};
use crate::data::Dataset;
use crate::{Result, no_grad};

/// Two values are the same if they differ by less than this share of the larger …
const RELATIVE: f64 = 1e-3;
/// … or by less than this share of the largest of their kind: rounding is not a change.
const OF_THE_LARGEST: f64 = 1e-6;
/// Names that a sentence lists before it counts the others.
const LISTED: usize = 4;

/// The values by which a loss is recognised: the loss and its terms on a fixed batch at the first weights,
/// while training and not, and the norms of its gradients.
///
/// What happens later in a run (a weight that grows with the steps, say) is not seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Formula {
    /// Generators differ from one kind of device to the next, and so do the values.
    pub(super) device: String,
    #[serde(with = "super::history::named_numbers")]
    values: Vec<(String, f64)>,
    #[serde(with = "super::history::named_numbers")]
    gradients: Vec<(String, f64)>,
}

impl Formula {
    /// The first value that is another one, told in words; `None` if the formula is the same.
    pub(super) fn differs_from(&self, old: &Self) -> Option<String> {
        if self.device != old.device {
            return Some(format!(
                "the values that confirm it were taken on {}, this is {}",
                old.device, self.device
            ));
        }
        let compare = |what: &str, new: &[(String, f64)], old: &[(String, f64)]| {
            let names =
                |all: &[(String, f64)]| all.iter().map(|(n, _)| n.clone()).collect::<Vec<_>>();
            if names(new) != names(old) {
                return Some(format!("{what} are other ones"));
            }
            let largest = new
                .iter()
                .chain(old)
                .map(|(_, v)| v.abs())
                .filter(|v| v.is_finite())
                .fold(0.0, f64::max);
            new.iter().zip(old).find_map(|((name, new), (_, old))| {
                let near = (new - old).abs()
                    <= RELATIVE * new.abs().max(old.abs()) + OF_THE_LARGEST * largest;
                let same = near || new == old || (new.is_nan() && old.is_nan());
                (!same).then(|| format!("{name} is {new:.5} where it was {old:.5}"))
            })
        };
        compare("its terms", &self.values, &old.values)
            .or_else(|| compare("its variables", &self.gradients, &old.gradients))
    }
}

/// What a look has found.
#[derive(Debug)]
pub(super) struct Rehearsal {
    pub(super) formula: Formula,
    pub(super) remarks: Vec<String>,
}

/// Looks at a model that is thrown away afterwards: nothing here moves a weight, but layers may count the batch.
///
/// # Errors
/// If the loss can't be computed, reported or derived.
pub(super) fn rehearse(
    model: &dyn Trained,
    turns: &[Turn],
    (data, test): (&Dataset, Option<&Dataset>),
    config: &TrainConfig,
) -> Result<Rehearsal> {
    let look = Look {
        model,
        turns,
        data,
        seed: step_seed(config.seed, u64::MAX - 1),
    };
    let count = config.batch_size.min(data.len()) as i64;
    let rest = |data: &Dataset| !data.len().is_multiple_of(config.batch_size);
    let mut remarks = empty_variables(model.var_store());
    let (values, gradients, unreached) = look.gradients(count)?;
    remarks.extend(unreached);
    if config.batch_size > data.len() {
        remarks.push(format!(
            "batch_size is {}, but there are only {} training examples: an epoch is one step on all of them",
            config.batch_size,
            data.len()
        ));
    }
    if config.batch_size == 1 && data.len() > 1 {
        remarks.extend(look.comparing_terms()?);
    } else if count >= 4 && [Some(data), test].into_iter().flatten().any(rest) {
        // Only where a smaller batch comes anyway, at the end of an epoch or of a test.
        remarks.extend(look.growing_terms(count)?);
    }
    let formula = Formula {
        device: match model.var_store().device() {
            tch::Device::Cpu => "the CPU".into(),
            tch::Device::Cuda(_) => "CUDA".into(),
            other => format!("{other:?}"),
        },
        values,
        gradients,
    };
    Ok(Rehearsal { formula, remarks })
}

struct Look<'a> {
    model: &'a dyn Trained,
    turns: &'a [Turn],
    data: &'a Dataset,
    seed: i64,
}

type Named = Vec<(String, f64)>;

impl Look<'_> {
    fn batch(&self, indices: &[i64]) -> Result<crate::data::Batch> {
        tch::manual_seed(self.seed);
        self.data.batch(&Tensor::from_slice(indices))
    }

    /// Values and norms of gradients on the first examples, and a sentence on weights that get none.
    fn gradients(&self, count: i64) -> Result<(Named, Named, Option<String>)> {
        let vs = self.model.var_store();
        let indices: Vec<i64> = (0..count).collect();
        let (mut values, mut norms) = (Vec::new(), Vec::new());
        let mut reached = std::collections::HashSet::new();
        let trained = super::optimizer::trained_variables(vs);
        let mut moves: Vec<(String, Option<&Turn>, _)> = Vec::new();
        for turn in self.turns {
            let name = format!("{}: ", turn.name());
            moves.push((name, Some(turn), turn.variables(vs)?));
        }
        if moves.is_empty() {
            moves.push((String::new(), None, super::optimizer::trained_variables(vs)));
        }
        for (prefix, turn, variables) in &moves {
            let batch = self.batch(&indices)?;
            let losses = match turn {
                Some(turn) => self.model.turn_losses(turn, &batch)?,
                None => self.model.losses(&batch, true)?,
            };
            values.extend(named_values(prefix, &losses)?);
            let gradients = gradients(losses.total(), variables)?;
            for (gradient, (name, _)) in gradients.iter().zip(variables) {
                if gradient.defined() {
                    reached.insert(name.clone());
                    let norm = gradient.f_norm()?.f_double_value(&[])?;
                    norms.push((format!("{prefix}the gradient of {name}"), norm));
                }
            }
        }
        let batch = self.batch(&indices)?;
        let losses = no_grad(|| self.model.losses(&batch, false))?;
        values.extend(named_values("evaluated: ", &losses)?);
        let missed: Vec<_> = trained
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| !reached.contains(*name))
            .collect();
        let sentence = (!missed.is_empty()).then(|| {
            format!(
                "the loss does not reach {}: training leaves {} unchanged",
                listed(&missed),
                if missed.len() == 1 { "it" } else { "them" }
            )
        });
        Ok((values, norms, sentence))
    }

    /// The terms on some examples, all turns' together.
    fn values(&self, indices: &[i64]) -> Result<Named> {
        let batch = self.batch(indices)?;
        no_grad(|| {
            if self.turns.is_empty() {
                return named_values("", &self.model.losses(&batch, true)?);
            }
            let mut all = Vec::new();
            for turn in self.turns {
                let losses = self.model.turn_losses(turn, &batch)?;
                all.extend(losses_without_total(&losses)?);
            }
            Ok(all)
        })
    }

    /// A sentence on terms that are 0 only because a batch holds one example.
    fn comparing_terms(&self) -> Result<Option<String>> {
        // Normalisation over a batch needs two: then there is nothing to say here.
        let (Ok(one), Ok(two)) = (self.values(&[0]), self.values(&[0, 1])) else {
            return Ok(None);
        };
        let zero: Vec<_> = one
            .iter()
            .zip(&two)
            .filter(|((_, one), (_, two))| one.abs() < 1e-6 && two.abs() > 1e-4)
            .map(|((name, _), _)| name.as_str())
            .collect();
        Ok((!zero.is_empty()).then(|| {
            format!(
                "a batch holds one example, and {} of a single example is 0: it compares the examples of a \
                 batch with each other, so choose a larger batch_size",
                listed(&zero)
            )
        }))
    }

    /// A sentence on terms that double when every example comes twice, where others stay: sums among means.
    fn growing_terms(&self, count: i64) -> Result<Option<String>> {
        let half: Vec<i64> = (0..count / 2).collect();
        let (once, twice) = (
            self.values(&half)?,
            self.values(&[&half[..], &half].concat())?,
        );
        let ratios = once
            .iter()
            .zip(&twice)
            .filter(|((_, once), _)| once.abs() > 1e-4)
            .map(|((name, once), (_, twice))| (name.as_str(), twice / once));
        let (mut growing, mut steady) = (Vec::new(), false);
        for (name, ratio) in ratios {
            if (1.9..2.1).contains(&ratio) {
                growing.push(name);
            } else {
                steady |= (0.8..1.2).contains(&ratio);
            }
        }
        growing.retain(|name| *name != super::model::TOTAL);
        Ok((steady && !growing.is_empty()).then(|| {
            format!(
                "{} grows with the number of examples in a batch while other terms don't: it looks like a \
                 sum over the batch where the mean was meant",
                listed(&growing)
            )
        }))
    }
}

/// A sentence on variables that hold no number at all.
fn empty_variables(vs: &nn::VarStore) -> Vec<String> {
    let mut empty: Vec<_> = vs
        .variables()
        .into_iter()
        .filter(|(_, variable)| variable.numel() == 0)
        .map(|(name, variable)| format!("{name} {:?}", variable.size()))
        .collect();
    empty.sort();
    if empty.is_empty() {
        return Vec::new();
    }
    let names: Vec<_> = empty.iter().map(String::as_str).collect();
    vec![format!(
        "{} hold{} no number at all: a size of the model is 0, such as its latent dimensions",
        listed(&names),
        if names.len() == 1 { "s" } else { "" }
    )]
}

fn named_values(prefix: &str, losses: &Losses) -> Result<Named> {
    losses.check()?;
    let values = Vec::<f64>::try_from(losses.values()?.to_device(tch::Device::Cpu))?;
    let names = losses.names().into_iter();
    Ok(names
        .map(|name| format!("{prefix}{name}"))
        .zip(values)
        .collect())
}

fn losses_without_total(losses: &Losses) -> Result<Named> {
    let mut named = named_values("", losses)?;
    named.pop();
    Ok(named)
}

/// `a, b and 3 more`
fn listed(names: &[&str]) -> String {
    match names {
        [one] => (*one).to_owned(),
        [first @ .., last] if names.len() <= LISTED => format!("{} and {last}", first.join(", ")),
        _ => format!(
            "{} and {} more",
            names[..LISTED - 1].join(", "),
            names.len() - LISTED + 1
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn formula(values: &[(&str, f64)]) -> Formula {
        let named = |all: &[(&str, f64)]| all.iter().map(|(n, v)| ((*n).to_owned(), *v)).collect();
        Formula {
            device: "the CPU".into(),
            values: named(values),
            gradients: named(&[("g", 1.0)]),
        }
    }

    #[test]
    fn rounding_is_no_other_formula_and_a_changed_number_is() {
        let old = formula(&[("recon", 50.0), ("tiny", 1e-9), ("nan", f64::NAN)]);
        assert_eq!(old.differs_from(&old.clone()), None);
        let rounded = formula(&[("recon", 50.02), ("tiny", -1e-9), ("nan", f64::NAN)]);
        assert_eq!(rounded.differs_from(&old), None);
        let other = formula(&[("recon", 50.2), ("tiny", 1e-9), ("nan", f64::NAN)]);
        let told = other.differs_from(&old).unwrap_or_default();
        assert_eq!(told, "recon is 50.20000 where it was 50.00000");
        let finite = formula(&[("recon", 50.0), ("tiny", 1e-9), ("nan", 1.0)]);
        assert!(finite.differs_from(&old).is_some());
        let fewer = formula(&[("recon", 50.0)]);
        assert_eq!(
            fewer.differs_from(&old).as_deref(),
            Some("its terms are other ones")
        );
    }

    #[test]
    fn a_formula_survives_json() -> serde_json::Result<()> {
        let old = formula(&[("a", 0.1), ("b", f64::INFINITY), ("c", f64::NAN)]);
        let read: Formula = serde_json::from_str(&serde_json::to_string(&old)?)?;
        assert_eq!(read.differs_from(&old), None);
        Ok(())
    }
}
