//! Products of float matrices for batches of few rows, with AVX-512 or with AVX2.
//!
//! libtorch multiplies with Intel's MKL, which leaves the AVX-512 of other makers' processors unused, and
//! general libraries rearrange a layer's weights first, which for a few rows costs as much as to multiply.
//! Here the small matrices are rearranged.
//!
//! One tile serves all three products of a layer: numbers side by side (lanes), times a few others, with every
//! sum in a register. The lanes lie one tile beside another, row by row, so that a tile reads them one after the
//! other from the nearest cache; each other lies with the numbers that are summed over side by side.
//!
//! | | lanes | others | inner |
//! |---|---|---|---|
//! | forward: yᵀ = W · xᵀ | examples | units of y | units of x |
//! | d_input = d_output · W | units of x | examples | units of y |
//! | dW = d_outputᵀ · x | units of x | units of y | examples |

// Elsewhere nothing here is called.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code, unused_variables))]

use std::ops::Range;

use super::panel::{Lanes, Line, copy_rows};
use super::team::part_of;
#[cfg(target_arch = "x86_64")]
use super::tile::{avx2, avx512};

/// The instructions that multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// Tiles of 32 lanes and up to 12 others in 24 of 32 registers.
    Avx512,
    /// Tiles of 16 lanes and up to 6 others in 12 of 16 registers.
    Avx2,
}

impl Kernel {
    /// Those that this processor has, the widest first.
    pub(crate) fn here() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        {
            let mut here = Vec::new();
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 && is_x86_feature_detected!("avx512f") {
                here.push(Self::Avx512);
            }
            if avx2 {
                here.push(Self::Avx2);
            }
            here
        }
        #[cfg(not(target_arch = "x86_64"))]
        Vec::new()
    }

    /// Lanes of a tile.
    pub(crate) fn tile(self) -> usize {
        match self {
            Self::Avx512 => 32,
            Self::Avx2 => 16,
        }
    }
}

/// Others in the largest tile: strips of so many leave no rest.
pub(crate) const STRIP: usize = 12;
/// Over so many numbers a tile sums at a time, for all others: its lanes fill half of the nearest cache, or all of it
/// with AVX-512.
const AT_ONCE: usize = 256;
/// Lanes of the widest tile.
const WIDEST: usize = 32;

/// A matrix in memory, the numbers of a row side by side: its first number, and how far apart its rows are.
#[derive(Clone, Copy)]
pub(crate) struct MatrixPtr<P> {
    pub(crate) first: P,
    pub(crate) row: usize,
}

// SAFETY: looked at by unsafe functions only, whose callers answer for it.
unsafe impl<P> Sync for MatrixPtr<P> {}

impl MatrixPtr<*mut f32> {
    /// Where a number is.
    ///
    /// # Safety
    /// It must exist.
    pub(crate) unsafe fn at_mut(self, row: usize, column: usize) -> *mut f32 {
        // SAFETY: as the caller promises.
        unsafe { self.first.add(row * self.row + column) }
    }

    /// Numbers of one row.
    ///
    /// # Safety
    /// They must exist, and nobody else may look at them meanwhile.
    pub(crate) unsafe fn in_row<'a>(self, row: usize, columns: &Range<usize>) -> &'a mut [f32] {
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts_mut(self.at_mut(row, columns.start), columns.len()) }
    }

    /// The same to be read.
    pub(crate) fn read(self) -> MatrixPtr<*const f32> {
        MatrixPtr {
            first: self.first.cast_const(),
            row: self.row,
        }
    }
}

impl MatrixPtr<*const f32> {
    /// Where a number is.
    ///
    /// # Safety
    /// It must exist.
    pub(crate) unsafe fn at(self, row: usize, column: usize) -> *const f32 {
        // SAFETY: as the caller promises.
        unsafe { self.first.add(row * self.row + column) }
    }

    /// Numbers of one row.
    ///
    /// # Safety
    /// They must exist, and nobody may write to them meanwhile.
    pub(crate) unsafe fn in_row<'a>(self, row: usize, columns: &Range<usize>) -> &'a [f32] {
        // SAFETY: as the caller promises.
        unsafe { std::slice::from_raw_parts(self.at(row, columns.start), columns.len()) }
    }
}

/// What a product is added to.
#[derive(Clone, Copy)]
pub(crate) enum Start<'a> {
    Zero,
    /// What is there.
    There,
    /// One number for each other.
    Each(&'a [f32]),
}

/// target\[o, l\] ← start + the sum over k of lanes\[k, l\] · others\[o, k\], for the lanes l of some tiles and the
/// others o in a range. Runs on this thread.
///
/// # Safety
/// The kernel must be one of [`Kernel::here`], and the lanes made and filled for it. `others` must be readable in
/// that range and the lanes' inner size, and nobody else may look at that part of the target meanwhile.
pub(crate) unsafe fn multiply(
    kernel: Kernel,
    (lanes, tiles): (Lanes, Range<usize>),
    (others, range): (MatrixPtr<*const f32>, Range<usize>),
    target: MatrixPtr<*mut f32>,
    start: Start<'_>,
) {
    let Lanes { tile, inner, .. } = lanes;
    let blocks = inner.div_ceil(AT_ONCE);
    for block in 0..blocks {
        let depth = part_of(inner, block, blocks);
        let start = if block == 0 { start } else { Start::There };
        for t in tiles.clone() {
            let lane = t * tile;
            // SAFETY: as the caller promises.
            unsafe {
                let numbers = lanes.first.add(lane * inner + depth.start * tile);
                let others = MatrixPtr {
                    first: others.at(0, depth.start),
                    row: others.row,
                };
                let target = MatrixPtr {
                    first: target.at_mut(0, lane),
                    row: target.row,
                };
                let numbers = (numbers.cast_const(), tile.min(lanes.lanes - lane));
                run(
                    kernel,
                    numbers,
                    depth.len(),
                    (others, range.clone()),
                    target,
                    start,
                );
            }
        }
    }
}

/// The same with lanes that lie as they are, `[inner, lanes]`, in some columns: a few at a time are copied to where
/// they stay in the cache.
///
/// # Safety
/// As [`multiply`]; the lanes must be readable in those columns and `inner` rows.
pub(crate) unsafe fn multiply_in_place(
    kernel: Kernel,
    (lanes, columns, inner): (MatrixPtr<*const f32>, Range<usize>, usize),
    (others, range): (MatrixPtr<*const f32>, Range<usize>),
    target: MatrixPtr<*mut f32>,
) {
    let tile = kernel.tile();
    let mut near = [Line::ZERO; AT_ONCE * WIDEST / Line::NUMBERS];
    let near = near.as_mut_ptr().cast::<f32>();
    let blocks = inner.div_ceil(AT_ONCE);
    let columns_of = |lane| lane..columns.end.min(lane + tile);
    for lane in columns.clone().step_by(tile) {
        for block in 0..blocks {
            let depth = part_of(inner, block, blocks);
            let start = if block == 0 {
                Start::Zero
            } else {
                Start::There
            };
            let next = if block + 1 < blocks {
                (part_of(inner, block + 1, blocks), columns_of(lane))
            } else {
                (part_of(inner, 0, blocks), columns_of(lane + tile))
            };
            // SAFETY: as the caller promises; a block has room for its part of the rows.
            unsafe {
                copy_rows(tile, lanes, (depth.clone(), columns_of(lane)), near);
                let others = MatrixPtr {
                    first: others.at(0, depth.start),
                    row: others.row,
                };
                let target = MatrixPtr {
                    first: target.at_mut(0, lane),
                    row: target.row,
                };
                let numbers = (near.cast_const(), columns_of(lane).len());
                let parts = range.len().div_ceil(STRIP);
                for part in 0..parts {
                    // The next block comes from far away while this one is multiplied.
                    if !next.1.is_empty() {
                        for row in part_of(next.0.len(), part, parts) {
                            soon(lanes.at(next.0.start + row, next.1.start));
                        }
                    }
                    let some = part_of(range.len(), part, parts);
                    let others = (others, range.start + some.start..range.start + some.end);
                    run(kernel, numbers, depth.len(), others, target, start);
                }
            }
        }
    }
}

/// Tells the processor that a cache line will be read soon.
#[inline(always)]
fn soon(number: *const f32) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, whatever the address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(number.cast());
    }
}

/// The tiles of one column of lanes, `[depth, tile]`, of which so many count.
///
/// # Safety
/// As [`multiply`].
unsafe fn run(
    kernel: Kernel,
    lanes: (*const f32, usize),
    depth: usize,
    others: (MatrixPtr<*const f32>, Range<usize>),
    target: MatrixPtr<*mut f32>,
    start: Start<'_>,
) {
    // SAFETY: as the caller promises.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        match kernel {
            Kernel::Avx512 => avx512::column(lanes, depth, others, target, start),
            Kernel::Avx2 => avx2::column(lanes, depth, others, target, start),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!("no other processor multiplies here");
}

#[cfg(test)]
mod tests {
    use super::super::panel::Panel;
    use super::*;

    fn numbers(count: usize, seed: f32) -> Vec<f32> {
        (0..count)
            .map(|i| (i as f32 * (1.0 + seed)).sin())
            .collect()
    }

    fn place(numbers: &[f32], row: usize) -> MatrixPtr<*const f32> {
        MatrixPtr {
            first: numbers.as_ptr(),
            row,
        }
    }

    #[test]
    #[cfg_attr(not(target_arch = "x86_64"), ignore = "needs a processor with AVX2")]
    fn with_avx2_products_are_as_defined() {
        agree_at_every_size(Kernel::Avx2);
    }

    #[test]
    #[ignore = "needs a processor with AVX-512"]
    fn with_avx512_products_are_as_defined() {
        agree_at_every_size(Kernel::Avx512);
    }

    fn agree_at_every_size(kernel: Kernel) {
        assert!(
            Kernel::here().contains(&kernel),
            "this processor has no {kernel:?}"
        );
        // Odd sizes leave tiles and panels half full; the last is more than one block deep.
        for (lanes, inner, others) in [
            (1, 1, 1),
            (5, 26, 7),
            (17, 13, 33),
            (33, 45, 12),
            (48, 16, 6),
            (70, 130, 31),
            (37, 1200, 5),
        ] {
            agree(kernel, lanes, inner, others);
        }
    }

    fn agree(kernel: Kernel, lanes: usize, inner: usize, others: usize) {
        let a = numbers(lanes * inner, 0.1); // [inner, lanes]
        let b = numbers(others * inner, 0.2); // [others, inner]
        let bias = numbers(others, 0.3);
        let expected = |l: usize, o: usize| {
            let product = |k| f64::from(a[k * lanes + l]) * f64::from(b[o * inner + k]);
            (0..inner).map(product).sum::<f64>()
        };
        let check = |found: &[f32], start: &dyn Fn(usize) -> f64, what: &str| {
            for l in 0..lanes {
                for o in 0..others {
                    let at = o * lanes + l;
                    let apart = (f64::from(found[at]) - start(at) - expected(l, o)).abs();
                    assert!(
                        apart < 2e-4,
                        "{kernel:?} {lanes} {inner} {others} {what}: {apart:e}"
                    );
                }
            }
        };
        let mut panel = Panel::default();
        let dirty = panel.room(4 * (inner + 64) * (lanes + 64)); // room that is found there is no zeros
        // SAFETY: the room was just made.
        unsafe { dirty.write_bytes(0xff, 4 * (inner + 64) * (lanes + 64)) };
        let panels = panel.lanes(kernel, inner, lanes);
        let (middle, half) = (inner / 3, others / 2);
        let before = numbers(lanes * others, 0.4);
        for start in [Start::Zero, Start::There, Start::Each(&bias)] {
            let mut found = before.clone();
            let target = MatrixPtr {
                first: found.as_mut_ptr(),
                row: lanes,
            };
            // SAFETY: one thread, the sizes are those of the vectors, and the processor was asked.
            unsafe {
                panels.fill(place(&a, lanes), 0..middle);
                panels.fill(place(&a, lanes), middle..inner);
                for range in [0..half, half..others] {
                    for tile in 0..panels.tiles() {
                        let others = (place(&b, inner), range.clone());
                        multiply(kernel, (panels, tile..tile + 1), others, target, start);
                    }
                }
            }
            let from = |at: usize| match start {
                Start::Zero => 0.0,
                Start::There => f64::from(before[at]),
                Start::Each(bias) => f64::from(bias[at / lanes]),
            };
            check(&found, &from, "filled");
        }
        let mut found = before;
        let target = MatrixPtr {
            first: found.as_mut_ptr(),
            row: lanes,
        };
        let third = lanes / 3;
        for columns in [0..third, third..lanes] {
            // SAFETY: as above.
            unsafe {
                let lanes = (place(&a, lanes), columns, inner);
                multiply_in_place(kernel, lanes, (place(&b, inner), 0..others), target);
            }
        }
        check(&found, &|_| 0.0, "in place");
        let transposed: Vec<f32> = (0..lanes * inner)
            .map(|i| a[i % inner * lanes + i / inner])
            .collect();
        let target = MatrixPtr {
            first: found.as_mut_ptr(),
            row: lanes,
        };
        // SAFETY: as above.
        unsafe {
            panels.fill_transposed(place(&transposed, inner), 0..middle);
            panels.fill_transposed(place(&transposed, inner), middle..inner);
            let all = (panels, 0..panels.tiles());
            multiply(
                kernel,
                all,
                (place(&b, inner), 0..others),
                target,
                Start::Zero,
            );
        }
        check(&found, &|_| 0.0, "filled transposed");
    }
}
