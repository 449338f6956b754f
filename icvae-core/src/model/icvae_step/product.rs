//! Products of float matrices with AVX-512, for batches of few rows.
//!
//! libtorch multiplies with Intel's MKL, which leaves the AVX-512 of other makers' processors unused, and
//! general libraries rearrange a layer's weights first, which for a few rows costs as much as to multiply.
//! Here the small matrix is rearranged, and each weight is read where it lies.
//!
//! One tile serves all three products of a layer: 32 numbers side by side (lanes), from a [`Panel`], times up
//! to 12 others, in 24 registers.
//!
//! | | lanes | others | inner |
//! |---|---|---|---|
//! | forward: y = x · Wᵀ | examples | units of y | units of x |
//! | d_input = d_output · W | examples | units of x | units of y |
//! | dW = d_outputᵀ · x | units of x | units of y | examples |

// Elsewhere nothing here is called.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code, unused_variables))]

use std::ops::Range;

/// Whether this processor can multiply here.
pub(super) fn is_possible_here() -> bool {
    #[cfg(target_arch = "x86_64")]
    return is_x86_feature_detected!("avx512f");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// Whether it then multiplies faster than in libtorch.
pub(super) fn is_faster_here() -> bool {
    #[cfg(target_arch = "x86_64")]
    {
        static ANSWER: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
        *ANSWER.get_or_init(|| {
            let is_intel = std::arch::x86_64::__cpuid(0).ebx == u32::from_le_bytes(*b"Genu");
            !is_intel && is_possible_here()
        })
    }
    #[cfg(not(target_arch = "x86_64"))]
    false
}

/// A matrix in memory: its first number, and how far apart its rows and its columns are.
#[derive(Clone, Copy)]
pub(super) struct Place<P> {
    pub(super) first: P,
    pub(super) row: usize,
    pub(super) column: usize,
}

// SAFETY: looked at by unsafe functions only, whose callers answer for it.
unsafe impl<P> Sync for Place<P> {}

impl<P> Place<P> {
    pub(super) fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            first: self.first,
        }
    }
}

impl Place<*mut f32> {
    /// Numbers of one row, side by side.
    ///
    /// # Safety
    /// They must exist, with a column stride of 1, and nobody else may look at them meanwhile.
    pub(super) unsafe fn in_row<'a>(self, row: usize, columns: &Range<usize>) -> &'a mut [f32] {
        // SAFETY: as the caller promises.
        unsafe {
            let first = self.first.add(row * self.row + columns.start);
            std::slice::from_raw_parts_mut(first, columns.len())
        }
    }
}

/// Numbers side by side in a tile: two registers.
const LANES: usize = 32;
/// Others in a tile: with two registers each they leave eight of the 32 registers for what is read.
const OTHERS: usize = 12;

/// A matrix as tiles read it: 32 of its columns after another, row by row, zeros where there is no column.
#[derive(Default)]
pub(super) struct Panel {
    numbers: Vec<f32>,
    lanes: usize,
    inner: usize,
}

impl Panel {
    /// Makes room for a matrix, `[inner, lanes]`, and returns it for [`Filling::fill`].
    pub(super) fn resize(&mut self, inner: usize, lanes: usize) -> Filling {
        let length = lanes.div_ceil(LANES) * LANES * inner;
        if (self.numbers.len(), self.lanes, self.inner) != (length, lanes, inner) {
            self.numbers.clear();
            self.numbers.resize(length, 0.0);
            (self.lanes, self.inner) = (lanes, inner);
        }
        Filling {
            first: self.numbers.as_mut_ptr(),
            lanes,
            inner,
        }
    }
}

/// A panel that threads fill, each its own rows.
#[derive(Clone, Copy)]
pub(super) struct Filling {
    first: *mut f32,
    lanes: usize,
    inner: usize,
}

// SAFETY: written by an unsafe function only, whose callers answer for it.
unsafe impl Sync for Filling {}

impl Filling {
    /// Copies some rows of a matrix.
    ///
    /// # Safety
    /// The source must be readable in all of the panel's lanes, and nobody else may look at these rows, or
    /// make room anew, meanwhile.
    pub(super) unsafe fn fill(self, source: Place<*const f32>, rows: Range<usize>) {
        for start in (0..self.lanes).step_by(LANES) {
            let count = LANES.min(self.lanes - start);
            for row in rows.clone() {
                // SAFETY: as the caller promises.
                unsafe {
                    let from = source.first.add(row * source.row + start * source.column);
                    let to = self.first.add(start * self.inner + row * LANES);
                    let to = std::slice::from_raw_parts_mut(to, count);
                    for (lane, to) in to.iter_mut().enumerate() {
                        *to = *from.add(lane * source.column);
                    }
                }
            }
        }
    }
}

/// Where the numbers of a tile go.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// The result, a row an example or a unit of y.
    pub(super) place: Place<*mut f32>,
    /// Whether lanes are rows of the result, rather than columns.
    pub(super) lanes_are_rows: bool,
    /// Added to each row: one number for each other.
    pub(super) bias: Option<&'a [f32]>,
    /// Whether the product is added to what is there.
    pub(super) add: bool,
}

/// target ← the sum over k of lanes[k, l] · others[k, o], for all lanes l and the others o in a range. Runs on
/// this thread.
///
/// # Safety
/// [`is_possible_here`] must say so. `others` must be readable in those columns and as many rows as the panel
/// has, and nobody else may look at that part of the target meanwhile.
pub(super) unsafe fn multiply(
    lanes: Filling,
    others: Place<*const f32>,
    range: Range<usize>,
    target: Target<'_>,
) {
    // SAFETY: as the caller promises.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        avx512::tiles(lanes, others, range, target);
    }
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!("no other processor multiplies here");
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512, _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps,
        _mm512_storeu_ps,
    };
    use std::ops::Range;

    use super::{Filling, LANES, OTHERS, Place, Target};

    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn tiles(
        lanes: Filling,
        others: Place<*const f32>,
        range: Range<usize>,
        target: Target<'_>,
    ) {
        let mut o = range.start;
        while o < range.end {
            let step = match range.end - o {
                OTHERS.. => OTHERS,
                4.. => 4,
                _ => 1,
            };
            for l in (0..lanes.lanes).step_by(LANES) {
                // SAFETY: within the range that the caller answers for.
                unsafe {
                    match step {
                        OTHERS => tile::<OTHERS>(lanes, others, (l, o), target),
                        4 => tile::<4>(lanes, others, (l, o), target),
                        _ => tile::<1>(lanes, others, (l, o), target),
                    }
                }
            }
            o += step;
        }
    }

    #[target_feature(enable = "avx512f")]
    unsafe fn tile<const N: usize>(
        lanes: Filling,
        others: Place<*const f32>,
        (lane, other): (usize, usize),
        target: Target<'_>,
    ) {
        let mut sums: [[__m512; 2]; N] = [[_mm512_setzero_ps(); 2]; N];
        // SAFETY: the caller answers for what is read.
        unsafe {
            let mut a = lanes.first.add(lane * lanes.inner).cast_const();
            let mut b = others.first.add(other * others.column);
            for _ in 0..lanes.inner {
                let x = [_mm512_loadu_ps(a), _mm512_loadu_ps(a.add(LANES / 2))];
                for (n, sum) in sums.iter_mut().enumerate() {
                    let y = _mm512_set1_ps(*b.add(n * others.column));
                    sum[0] = _mm512_fmadd_ps(x[0], y, sum[0]);
                    sum[1] = _mm512_fmadd_ps(x[1], y, sum[1]);
                }
                a = a.wrapping_add(LANES);
                b = b.wrapping_add(others.row);
            }
        }
        let mut numbers = [[0.0_f32; LANES]; N];
        for (row, sum) in numbers.iter_mut().zip(&sums) {
            // SAFETY: a row has room for two registers.
            unsafe {
                _mm512_storeu_ps(row.as_mut_ptr(), sum[0]);
                _mm512_storeu_ps(row.as_mut_ptr().add(LANES / 2), sum[1]);
            }
        }
        let lane_range = lane..lanes.lanes.min(lane + LANES);
        let Target {
            place, bias, add, ..
        } = target;
        if target.lanes_are_rows {
            let bias: [f32; N] = std::array::from_fn(|n| bias.map_or(0.0, |bias| bias[other + n]));
            for (i, lane) in lane_range.enumerate() {
                // SAFETY: this part of the target is the caller's.
                let row = unsafe { place.in_row(lane, &(other..other + N)) };
                for n in 0..N {
                    let there = if add { row[n] } else { 0.0 };
                    row[n] = there + numbers[n][i] + bias[n];
                }
            }
        } else {
            for (n, numbers) in numbers.iter().enumerate() {
                // SAFETY: as above.
                let row = unsafe { place.in_row(other + n, &lane_range) };
                for (there, number) in row.iter_mut().zip(numbers) {
                    *there = if add { *there + number } else { *number };
                }
            }
        }
    }
}
