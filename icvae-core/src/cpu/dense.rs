//! A dense layer and its activation function as one function: y = f(x · Wᵀ + b).

use std::cell::RefCell;
use std::ops::Range;

use tch::Tensor;

use super::choice::kernel_for;
use super::delayed;
use super::node::{Function, is_plain, record};
use super::pointwise::{activate, derive, is_derivable_from_value};
use super::product::{Filling, Kernel, Panel, Place, Target, multiply};
use super::team::{part_of, share};
use super::wide::wide;
use crate::Result;
use crate::model::Activation;

/// Columns that two threads share out are multiples of this: a cache line belongs to one thread.
const LINE: usize = 16;
/// Products of fewer multiplications are done before a second thread has begun.
const WORTH_SHARING: usize = 500_000;
/// Multiplications that take as long as to move one number.
const MOVE: usize = 32;

thread_local! {
    /// What the products of this thread read, made anew for each: it stays in the cache.
    static PANELS: RefCell<[Panel; 2]> = RefCell::default();
}

/// The layer's value for x, `[B, in]`: W is `[out, in]`, b `[out]`, the result `[B, out]`.
///
/// Where numbers lie otherwise, on another device or in another precision, and where libtorch multiplies faster,
/// it is libtorch's.
///
/// # Errors
/// If the shapes do not fit.
pub(crate) fn forward(
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    activation: Activation,
) -> Result<Tensor> {
    let Some(kernel) = ours(x, w, b, activation) else {
        return Ok(activation.apply(&x.f_linear(w, b)?));
    };
    let mut y = Tensor::f_empty([x.size()[0], w.size()[0]], (x.kind(), x.device()))?;
    compute(kernel, (x, w, b), activation, &mut y);
    let layer = Layer { kernel, activation };
    match b {
        Some(b) => record(layer, &[x, w, b], y),
        None => record(layer, &[x, w], y),
    }
}

/// The kernel, if this is a product for one of ours.
fn ours(x: &Tensor, w: &Tensor, b: Option<&Tensor>, activation: Activation) -> Option<Kernel> {
    let ([rows, inner], [outer, fits]) = (matrix(x)?, matrix(w)?);
    let bias_fits = b.is_none_or(|b| is_plain(b) && b.size() == [outer]);
    if inner != fits || !bias_fits || !is_plain(x) || !is_plain(w) || inner * outer == 0 {
        return None;
    }
    kernel_for(rows as usize).filter(|_| is_derivable_from_value(activation))
}

fn matrix(tensor: &Tensor) -> Option<[i64; 2]> {
    <[i64; 2]>::try_from(tensor.size()).ok()
}

/// x · Wᵀ into y: what is measured to choose a kernel.
pub(super) fn product(kernel: Kernel, x: &Tensor, w: &Tensor, y: &mut Tensor) {
    compute(kernel, (x, w, None), Activation::Linear, y);
}

/// The numbers of a plain tensor.
fn numbers(tensor: &Tensor) -> &[f32] {
    debug_assert!(is_plain(tensor));
    // SAFETY: plain, and alive as long as the borrow.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), tensor.numel()) }
}

/// The rows of a plain matrix.
pub(super) fn place(tensor: &Tensor, columns: usize) -> Place<*const f32> {
    debug_assert!(is_plain(tensor));
    Place::of_rows(tensor.data_ptr().cast::<f32>().cast_const(), columns)
}

fn place_mut(tensor: &mut Tensor, columns: usize) -> Place<*mut f32> {
    Place::of_rows(tensor.data_ptr().cast(), columns)
}

/// Uses this thread's panels.
fn with_panels<R>(work: impl FnOnce(&mut [Panel; 2]) -> R) -> R {
    PANELS.with_borrow_mut(work)
}

fn compute(
    kernel: Kernel,
    (x, w, b): (&Tensor, &Tensor, Option<&Tensor>),
    activation: Activation,
    y: &mut Tensor,
) {
    let (size, outer) = (x.size(), w.size()[0] as usize);
    let (rows, inner) = (size[0] as usize, size[1] as usize);
    let source = place(x, inner).transposed();
    let others = place(w, inner).transposed();
    let place = place_mut(y, outer);
    let target = Target {
        place,
        lanes_are_rows: true,
        bias: b.map(numbers),
        add: false,
    };
    with_panels(|[examples, _]| {
        let examples = examples.resize(inner, rows);
        // SAFETY: threads write to different rows of the panel.
        shared(rows * inner * MOVE, &|part, parts| unsafe {
            examples.fill(source, part_of(inner, part, parts));
        });
        shared(rows * inner * outer, &|part, parts| {
            let mine = lines_of(outer, part, parts);
            // SAFETY: threads write to different columns, and nothing else is written to.
            unsafe {
                multiply(kernel, examples, others, mine.clone(), target);
                for row in 0..rows {
                    activate(activation, place.in_row(row, &mine));
                }
            }
        });
    });
}

/// A layer that was computed here.
struct Layer {
    kernel: Kernel,
    activation: Activation,
}

impl Function for Layer {
    fn backward(
        &self,
        inputs: &[Tensor],
        y: &Tensor,
        gradient: &Tensor,
        wanted: &[bool],
    ) -> Result<Vec<Option<Tensor>>> {
        let (x, w) = (&inputs[0], &inputs[1]);
        let (rows, inner) = (x.size()[0] as usize, x.size()[1] as usize);
        let outer = w.size()[0] as usize;
        let gradient = gradient.f_resolve_neg()?.f_contiguous()?;
        let linear = self.activation == Activation::Linear;
        let empty = |size: &[i64]| Tensor::f_empty(size, (x.kind(), x.device()));
        let fresh = |wanted: bool, size: &[i64]| wanted.then(|| empty(size)).transpose();
        // The derivative with respect to x · Wᵀ + b.
        let mut d = if linear {
            gradient.shallow_clone()
        } else {
            empty(&y.size())?
        };
        let mut dx = fresh(wanted[0], &x.size())?;
        let mut db = fresh(*wanted.get(2).unwrap_or(&false), &[outer as i64])?;
        let late = wanted[1] && delayed::is_awaited(w);
        let mut dw = fresh(wanted[1] && !late, &w.size())?;

        let d_out = place_mut(&mut d, outer);
        let sums = db.as_mut().map(|db| place_mut(db, outer));
        let (given, values) = (place(&gradient, outer), place(y, outer));
        let (seen, weights) = (place(x, inner), place(w, inner));
        let back = dx.as_mut().map(|dx| Target {
            place: place_mut(dx, inner),
            lanes_are_rows: true,
            bias: None,
            add: false,
        });
        let of_weights = dw.as_mut().map(|dw| Target {
            place: place_mut(dw, inner),
            lanes_are_rows: false,
            bias: None,
            add: false,
        });
        with_panels(|[examples, units]| {
            let examples = examples.resize(if back.is_some() { outer } else { 0 }, rows);
            let units = units.resize(if of_weights.is_some() { rows } else { 0 }, inner);
            let d = place(&d, outer);
            shared(rows * outer * MOVE, &|part, parts| {
                let mine = lines_of(outer, part, parts);
                // SAFETY: threads write to different columns of d and db, and rows of the panels.
                unsafe {
                    for row in 0..rows {
                        if !linear {
                            let (h, g) = (values.in_row(row, &mine), given.in_row(row, &mine));
                            derive(self.activation, h, g, d_out.in_row(row, &mine));
                        }
                    }
                    if let Some(sums) = sums {
                        sum_rows(sums.in_row(0, &mine), d, rows, &mine);
                    }
                    if back.is_some() {
                        examples.fill(d.transposed(), mine);
                    }
                    if of_weights.is_some() {
                        units.fill(seen, part_of(rows, part, parts));
                    }
                }
            });
            shared(rows * inner * outer, &|part, parts| {
                // SAFETY: threads write to different rows of dW and columns of dx.
                unsafe {
                    if let Some(target) = of_weights {
                        multiply(self.kernel, units, d, lines_of(outer, part, parts), target);
                    }
                    if let Some(target) = back {
                        let mine = lines_of(inner, part, parts);
                        multiply(self.kernel, examples, weights, mine, target);
                    }
                }
            });
        });
        if late {
            delayed::put(self.kernel, w, x, &d);
        }
        let mut found = vec![dx, dw, db];
        found.truncate(inputs.len());
        Ok(found)
    }

    fn readable(&self, inputs: &[Tensor]) -> Result<Tensor> {
        let product = inputs[0].f_linear(&inputs[1], inputs.get(2))?;
        Ok(self.activation.apply(&product))
    }
}

/// Columns for a part, whole cache lines where there are enough.
fn lines_of(columns: usize, part: usize, parts: usize) -> Range<usize> {
    let lines = part_of(columns.div_ceil(LINE), part, parts);
    (lines.start * LINE).min(columns)..(lines.end * LINE).min(columns)
}

/// Shares out work that is worth it.
fn shared(multiplications: usize, work: &(dyn Fn(usize, usize) + Sync)) {
    if multiplications < WORTH_SHARING {
        work(0, 1);
    } else {
        share(work);
    }
}

/// The sums over the rows of some columns.
///
/// # Safety
/// The numbers must be readable.
unsafe fn sum_rows(sums: &mut [f32], from: Place<*const f32>, rows: usize, columns: &Range<usize>) {
    wide(|| {
        sums.fill(0.0);
        for row in 0..rows {
            // SAFETY: as the caller promises.
            let row = unsafe { from.in_row(row, columns) };
            for (sum, number) in sums.iter_mut().zip(row) {
                *sum += number;
            }
        }
    });
}

/// A panel of the units of x, for [`delayed`].
pub(super) fn fill_units(x: &Tensor, units: Filling, part: usize, parts: usize) {
    let (rows, inner) = (x.size()[0] as usize, x.size()[1] as usize);
    // SAFETY: parts are different rows.
    unsafe { units.fill(place(x, inner), part_of(rows, part, parts)) }
}
