//! How far a reconstruction is from its image, summed over the pixels, each in one pass over memory.

use std::ops::Range;

use tch::Tensor;

use super::dense::place;
use super::node::{Function, is_plain, record};
use super::pointwise::{sigmoid, softplus};
use super::product::MatrixPtr;
use super::team::{MOVE, part_of, shared};
use super::wide::wide;
use crate::Result;

/// The same in operations of libtorch: for what is not a plain tensor of this processor, and for second derivatives.
type Readable = fn(&Tensor, &Tensor) -> Tensor;

/// A function of an image x and of what a decoder says of it, a: both `[B, P]`, the result `[B]`.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Comparison {
    /// ‖x − a‖².
    SquaredError(Readable),
    /// Σ log(1 + eᵃ) − a·x.
    Bernoulli(Readable),
}

/// Sums side by side: as many as four wide registers hold.
const SUMS: usize = 32;

impl Comparison {
    /// The function's value, known to autograd.
    ///
    /// # Errors
    /// As libtorch's.
    pub(crate) fn of(self, x: &Tensor, a: &Tensor) -> Result<Tensor> {
        if !is_plain(x) || !is_plain(a) || x.dim() != 2 || x.size() != a.size() {
            return Ok(self.in_libtorch(x, a));
        }
        let (rows, width) = (x.size()[0] as usize, x.size()[1] as usize);
        let mut y = Tensor::f_empty([rows as i64], (x.kind(), x.device()))?;
        let to = one_row(&mut y);
        let (from_x, from_a) = (place(x, width), place(a, width));
        shared(rows * width * MOVE, &|part, parts| {
            for row in part_of(rows, part, parts) {
                // SAFETY: both are plain, and threads write to different numbers.
                unsafe {
                    let (x, a) = (
                        from_x.in_row(row, &(0..width)),
                        from_a.in_row(row, &(0..width)),
                    );
                    *to.at_mut(0, row) = self.row(x, a);
                }
            }
        });
        record(self, &[x, a], y)
    }

    fn in_libtorch(self, x: &Tensor, a: &Tensor) -> Tensor {
        let (Self::SquaredError(readable) | Self::Bernoulli(readable)) = self;
        readable(x, a)
    }

    fn row(self, x: &[f32], a: &[f32]) -> f32 {
        #[inline(always)]
        fn sum(x: &[f32], a: &[f32], f: impl Fn(f32, f32) -> f32) -> f32 {
            let mut sums = [0.0_f32; SUMS];
            let (x, x_rest) = x.as_chunks::<SUMS>();
            let (a, a_rest) = a.as_chunks::<SUMS>();
            for (x, a) in x.iter().zip(a) {
                for ((sum, &x), &a) in sums.iter_mut().zip(x).zip(a) {
                    *sum += f(x, a);
                }
            }
            let rest = x_rest.iter().zip(a_rest).map(|(&x, &a)| f(x, a));
            sums.iter().sum::<f32>() + rest.sum::<f32>()
        }
        wide(|| match self {
            Self::SquaredError(_) => sum(x, a, |x, a| (x - a) * (x - a)),
            Self::Bernoulli(_) => sum(x, a, |x, a| softplus(a) - a * x),
        })
    }

    /// The derivative with respect to a, times g.
    fn derive_by_a(self, x: &[f32], a: &[f32], g: f32, d: &mut [f32]) {
        let all = d.iter_mut().zip(x.iter().zip(a));
        wide(|| match self {
            Self::SquaredError(_) => all.for_each(|(d, (x, a))| *d = 2.0 * g * (a - x)),
            Self::Bernoulli(_) => all.for_each(|(d, (x, a))| *d = g * (sigmoid(*a) - x)),
        });
    }

    /// The derivative with respect to x, times g.
    fn derive_by_x(self, x: &[f32], a: &[f32], g: f32, d: &mut [f32]) {
        let all = d.iter_mut().zip(x.iter().zip(a));
        wide(|| match self {
            Self::SquaredError(_) => all.for_each(|(d, (x, a))| *d = 2.0 * g * (x - a)),
            Self::Bernoulli(_) => all.for_each(|(d, (_, a))| *d = -g * a),
        });
    }
}

impl Function for Comparison {
    fn backward(
        &self,
        inputs: &[Tensor],
        _: &Tensor,
        gradient: &Tensor,
        wanted: &[bool],
    ) -> Result<Vec<Option<Tensor>>> {
        let (x, a) = (&inputs[0], &inputs[1]);
        let (rows, width) = (x.size()[0] as usize, x.size()[1] as usize);
        let gradient = gradient.f_resolve_neg()?.f_contiguous()?;
        let (from_x, from_a) = (place(x, width), place(a, width));
        let from_g = place(&gradient, rows);
        let mut found = vec![None, None];
        for (i, found) in found.iter_mut().enumerate().filter(|(i, _)| wanted[*i]) {
            let d = x.f_empty_like()?;
            let to = MatrixPtr {
                first: d.data_ptr().cast::<f32>(),
                row: width,
            };
            let all: Range<usize> = 0..width;
            shared(rows * width * MOVE, &|part, parts| {
                for row in part_of(rows, part, parts) {
                    // SAFETY: all are plain, and threads write to different rows.
                    unsafe {
                        let (x, a) = (from_x.in_row(row, &all), from_a.in_row(row, &all));
                        let (g, d) = (*from_g.at(0, row), to.in_row(row, &all));
                        match i {
                            0 => self.derive_by_x(x, a, g, d),
                            _ => self.derive_by_a(x, a, g, d),
                        }
                    }
                }
            });
            *found = Some(d);
        }
        Ok(found)
    }

    fn readable(&self, inputs: &[Tensor]) -> Result<Tensor> {
        Ok(self.in_libtorch(&inputs[0], &inputs[1]))
    }
}

/// The numbers of a vector that was just made.
pub(super) fn one_row(vector: &mut Tensor) -> MatrixPtr<*mut f32> {
    MatrixPtr {
        first: vector.data_ptr().cast(),
        row: 0,
    }
}
