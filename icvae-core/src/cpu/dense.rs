//! A dense layer and its activation function as one function: y = f(x · Wᵀ + b).

use std::cell::RefCell;
use std::ops::Range;

use tch::Tensor;

use super::choice::kernel_for;
use super::delayed;
use super::node::{Function, is_plain, record};
use super::panel::{Lanes, Panel, transpose};
use super::pointwise::{activate, derive, is_derivable_from_value};
use super::product::{Kernel, MatrixPtr, Start, multiply, multiply_in_place};
use super::team::{LINE, lines_of, part_of, shared_both};
use super::wide::wide;
use crate::Result;
use crate::activation::Activation;

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
/// If the shapes do not fit, or `ICVAE_PRODUCTS` asks for what there isn't.
pub(crate) fn forward(
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    activation: Activation,
) -> Result<Tensor> {
    let Some(kernel) = ours(x, w, b, activation)? else {
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
fn ours(
    x: &Tensor,
    w: &Tensor,
    b: Option<&Tensor>,
    activation: Activation,
) -> Result<Option<Kernel>> {
    let (Some([rows, inner]), Some([outer, fits])) = (matrix(x), matrix(w)) else {
        return Ok(None);
    };
    let bias_fits = b.is_none_or(|b| is_plain(b) && b.size() == [outer]);
    let plain = is_plain(x) && is_plain(w) && is_derivable_from_value(activation);
    if inner != fits || !bias_fits || !plain || inner * outer == 0 {
        return Ok(None);
    }
    kernel_for(rows as usize)
}

fn matrix(tensor: &Tensor) -> Option<[i64; 2]> {
    <[i64; 2]>::try_from(tensor.size()).ok()
}

/// x · Wᵀ into y: what is measured to choose a kernel.
pub(super) fn product(kernel: Kernel, x: &Tensor, w: &Tensor, y: &mut Tensor) {
    compute(kernel, (x, w, None), Activation::Linear, y);
}

/// The numbers of a plain tensor.
pub(super) fn numbers(tensor: &Tensor) -> &[f32] {
    debug_assert!(is_plain(tensor));
    // SAFETY: plain, and alive as long as the borrow.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), tensor.numel()) }
}

/// The rows of a plain matrix.
pub(super) fn place(tensor: &Tensor, columns: usize) -> MatrixPtr<*const f32> {
    debug_assert!(is_plain(tensor));
    MatrixPtr {
        first: tensor.data_ptr().cast::<f32>().cast_const(),
        row: columns,
    }
}

fn place_mut(tensor: &mut Tensor, columns: usize) -> MatrixPtr<*mut f32> {
    MatrixPtr {
        first: tensor.data_ptr().cast(),
        row: columns,
    }
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
    let (source, others) = (place(x, inner), place(w, inner));
    let start = b.map_or(Start::Zero, |b| Start::Each(numbers(b)));
    let y = place_mut(y, outer);
    with_panels(|[examples, turned]| {
        let examples = examples.lanes(kernel, inner, rows);
        // Whole tiles of examples: the function is then taken of a few more.
        let width = examples.tiles() * kernel.tile();
        let turned = turned.transposed(width, outer);
        // SAFETY: threads write to different rows of the panel.
        let fill = |part, parts| unsafe {
            examples.fill_transposed(source, part_of(inner, part, parts));
        };
        shared_both(rows * inner * outer, &fill, &|part, parts| {
            let (mine, tiles) = if outer >= 2 * LINE * parts {
                (lines_of(outer, part, parts), 0..examples.tiles())
            } else {
                (0..outer, part_of(examples.tiles(), part, parts))
            };
            let lanes = tiles.start * kernel.tile()..rows.min(tiles.end * kernel.tile());
            // SAFETY: threads write to different columns, or rows, and nothing else is written to.
            unsafe {
                multiply(
                    kernel,
                    (examples, tiles),
                    (others, mine.clone()),
                    turned,
                    start,
                );
                for unit in mine.clone() {
                    activate(activation, turned.in_row(unit, &lanes));
                }
                transpose(turned.read(), (mine, lanes), y, 0);
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
        let back = dx.as_mut().map(|dx| place_mut(dx, inner));
        let of_weights = dw.as_mut().map(|dw| place_mut(dw, inner));
        with_panels(|[units, turned]| {
            let products = of_weights.map(|target| {
                let units = units.lanes(self.kernel, rows, inner);
                (target, units, turned.transposed(rows, outer))
            });
            let d = place(&d, outer);
            let derive_all = |part, parts| {
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
                    if let Some((_, units, turned)) = products {
                        transpose(d, (0..rows, mine), turned, 0);
                        units.fill(seen, part_of(rows, part, parts));
                    }
                }
            };
            let multiplications = rows * inner * outer;
            shared_both(multiplications, &derive_all, &|part, parts| {
                // SAFETY: threads write to different rows of dW and columns of dx.
                unsafe {
                    if let Some((target, units, turned)) = products {
                        let mine = (turned.read(), lines_of(outer, part, parts));
                        let all = (units, 0..units.tiles());
                        multiply(self.kernel, all, mine, target, Start::Zero);
                    }
                    if let Some(target) = back {
                        let mine = lines_of(inner, part, parts);
                        let lanes = (weights, mine, outer);
                        multiply_in_place(self.kernel, lanes, (d, 0..rows), target);
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

/// The sums over the rows of some columns.
///
/// # Safety
/// The numbers must be readable.
unsafe fn sum_rows(
    sums: &mut [f32],
    from: MatrixPtr<*const f32>,
    rows: usize,
    columns: &Range<usize>,
) {
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

/// One thread's part of what the product dW = dᵀ · x reads: for [`delayed`].
pub(super) fn fill(
    (x, units): (&Tensor, Lanes),
    (d, turned): (&Tensor, MatrixPtr<*mut f32>),
    (part, parts): (usize, usize),
) {
    let (rows, inner, outer) = (x.size()[0], x.size()[1], d.size()[1]);
    let (rows, inner, outer) = (rows as usize, inner as usize, outer as usize);
    // SAFETY: parts are different rows of either.
    unsafe {
        units.fill(place(x, inner), part_of(rows, part, parts));
        let mine = lines_of(outer, part, parts);
        transpose(place(d, outer), (0..rows, mine), turned, 0);
    }
}
