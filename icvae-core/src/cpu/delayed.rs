//! Gradients of weights that are not made before the optimiser reads them.
//!
//! The gradient of a layer's weights is a product, d_outputᵀ · x. Written to memory by the backward pass and read
//! by the optimiser it costs as much as the weights themselves. While an optimiser [`collect`]s, the backward
//! pass leaves the two factors here instead, and the optimiser makes a few rows of the product at a time, which
//! stay in the cache. Nobody else sees the difference: whoever asks libtorch for gradients gets them whole.

use std::cell::RefCell;

use tch::Tensor;

use super::node::identity;
use super::panel::{Lanes, Panel};
use super::product::{Kernel, MatrixPtr, STRIP, Start, multiply};
use crate::Result;

thread_local! {
    static AWAITED: RefCell<Option<Awaited>> = const { RefCell::new(None) };
}

/// Variables whose gradients may be given as factors, and what was given.
struct Awaited {
    variables: Vec<usize>,
    found: Vec<Vec<Factors>>,
}

/// A gradient that is still a product: dW = dᵀ · x.
pub(crate) struct Factors {
    kernel: Kernel,
    x: Tensor, // [B, in]
    d: Tensor, // [B, out]
}

impl Factors {
    /// The gradient itself.
    ///
    /// # Errors
    /// If libtorch has no memory.
    pub(crate) fn product(&self) -> Result<Tensor> {
        Ok(self.d.f_tr()?.f_mm(&self.x)?)
    }
}

/// Runs a backward pass on this thread; returns what it returned, and for each of the variables the factors
/// that it left, to be added to the gradient that it returned.
pub(crate) fn collect<R>(
    variables: &[&Tensor],
    backward: impl FnOnce() -> R,
) -> (R, Vec<Vec<Factors>>) {
    /// Nobody collects after a panic.
    struct End;
    impl Drop for End {
        fn drop(&mut self) {
            AWAITED.take();
        }
    }
    let end = End;
    AWAITED.set(Some(Awaited {
        variables: variables.iter().map(|v| identity(v)).collect(),
        found: variables.iter().map(|_| Vec::new()).collect(),
    }));
    let result = backward();
    let found = AWAITED.take().map(|awaited| awaited.found);
    drop(end);
    (result, found.unwrap_or_default())
}

/// Whether an optimiser waits for the gradient of this variable, and for nothing else of it.
pub(super) fn is_awaited(w: &Tensor) -> bool {
    AWAITED.with_borrow(|awaited| {
        let one = |awaited: &Awaited| awaited.variables.contains(&identity(w));
        awaited.as_ref().is_some_and(one)
    })
}

/// Leaves the factors of a gradient.
pub(super) fn put(kernel: Kernel, w: &Tensor, x: &Tensor, d: &Tensor) {
    AWAITED.with_borrow_mut(|awaited| {
        let Some(awaited) = awaited else { return };
        let at = awaited.variables.iter().position(|v| *v == identity(w));
        if let Some(at) = at {
            awaited.found[at].push(Factors {
                kernel,
                x: x.detach(),
                d: d.detach(),
            });
        }
    });
}

/// What the products of several layers read, kept by who needs it in every step.
#[derive(Default)]
pub(crate) struct Panels(Vec<[Panel; 2]>);

impl std::fmt::Debug for Panels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} panels", self.0.len())
    }
}

/// Factors ready to be multiplied by several threads, strip by strip.
pub(crate) struct Ready<'a> {
    factors: &'a Factors,
    units: Lanes,
    turned: MatrixPtr<*mut f32>, // [out, B]
    outer: usize,
    inner: usize,
}

impl Panels {
    /// Makes room for some factors. Every thread then has to call [`Ready::fill`] before any calls
    /// [`Ready::strip`].
    pub(crate) fn ready<'a>(
        &mut self,
        factors: impl Iterator<Item = &'a Factors>,
    ) -> Vec<Ready<'a>> {
        factors
            .enumerate()
            .map(|(i, factors)| {
                if self.0.len() <= i {
                    self.0.push(Default::default());
                }
                let (x, outer) = (factors.x.size(), factors.d.size()[1] as usize);
                let (rows, inner) = (x[0] as usize, x[1] as usize);
                let [units, turned] = &mut self.0[i];
                Ready {
                    factors,
                    units: units.lanes(factors.kernel, rows, inner),
                    turned: turned.transposed(rows, outer),
                    outer,
                    inner,
                }
            })
            .collect()
    }
}

// SAFETY: threads only read the tensors, and write to different rows of the panels.
unsafe impl Sync for Ready<'_> {}

impl Ready<'_> {
    /// Does one part of the preparation.
    pub(crate) fn fill(&self, part: usize, parts: usize) {
        let Factors { x, d, .. } = self.factors;
        super::dense::fill((x, self.units), (d, self.turned), (part, parts));
    }

    /// Numbers in a row of the gradient.
    pub(crate) fn width(&self) -> usize {
        self.inner
    }

    /// The rows of the gradient from `row` on, as many as `into` holds, `[rows, in]`; added to what is there if
    /// asked for.
    pub(crate) fn strip(&self, row: usize, into: &mut [f32], add: bool) {
        let rows = into.len() / self.inner;
        assert!(rows * self.inner == into.len() && row + rows <= self.outer);
        let target = MatrixPtr {
            first: into.as_mut_ptr(),
            row: self.inner,
        };
        let start = if add { Start::There } else { Start::Zero };
        let all = (self.units, 0..self.units.tiles());
        // SAFETY: both panels were filled, d has these columns, and `into` is the caller's.
        unsafe {
            let others = MatrixPtr {
                // The strip's own: the target begins with them.
                first: self.turned.read().at(row, 0),
                row: self.turned.row,
            };
            multiply(self.factors.kernel, all, (others, 0..rows), target, start);
        }
    }
}

/// Rows of a strip: it stays in the nearest cache, and tiles leave no rest.
pub(crate) const ROWS: usize = STRIP;
