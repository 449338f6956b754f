//! The likelihood of a table's rows.

use tch::{Kind, Tensor};

use super::same_shape;
use crate::{Error, Result};

/// −log p(x|a) of rows that are made of numbers and of one-hot levels, up to a constant:
///
/// Σ_numbers ½ (x_p − a_p)² − Σ_categories Σ_l x_l log softmax(a)_l,
///
/// a Gaussian of unit variance for each (standardised) number, and a choice among the levels, whose log-odds a are,
/// for each category. `widths` gives the columns of each feature in order: 1 for a number, more for one-hot levels.
///
/// Takes x and a, `[B, P]` with P = Σ widths; returns nats, `[B]`: **summed over the features**, not reduced over the
/// batch.
///
/// # Errors
/// If the shapes differ, or the widths don't add up to P.
///
/// ```
/// use icvae_core::{loss::table_nll, tch::Tensor};
///
/// let x = Tensor::from_slice2(&[[2.0f32, 0.0, 1.0]]); // a number, and the second of two levels
/// let a = Tensor::from_slice2(&[[1.0f32, 0.0, 0.0]]);
/// let nats = table_nll(&x, &a, &[1, 2]).unwrap().double_value(&[0]);
/// assert!((nats - (0.5 + 2.0f64.ln())).abs() < 1e-6);
/// ```
pub fn table_nll(x: &Tensor, a: &Tensor, widths: &[i64]) -> Result<Tensor> {
    same_shape("the parameters of the rows", a, x)?;
    let columns: i64 = widths.iter().sum();
    if columns != x.size()[1] || widths.iter().any(|&width| width < 1) {
        return Err(Error::Invalid(format!(
            "the widths of the features add up to {columns}, but a row has {} columns",
            x.size()[1]
        )));
    }
    let sum = |t: Tensor| t.sum_dim_intlist(-1, false, Kind::Float); // [B, …] -> [B]
    let (mut numbers, mut start) = (Vec::new(), 0);
    let mut nats = Tensor::zeros([x.size()[0]], (Kind::Float, x.device()));
    for &width in widths {
        if width == 1 {
            numbers.push(start);
        } else {
            let of = |t: &Tensor| t.narrow(1, start, width); // [B, levels]
            nats = nats - sum(of(x) * of(a).log_softmax(-1, Kind::Float));
        }
        start += width;
    }
    if !numbers.is_empty() {
        let at = Tensor::f_from_slice(&numbers)?.to_device(x.device());
        let of = |t: &Tensor| t.index_select(1, &at);
        nats = nats + sum((of(x) - of(a)).square()) * 0.5;
    }
    Ok(nats)
}
