//! Products of float matrices with AVX-512, for batches of few rows.
//!
//! libtorch multiplies with Intel's MKL, which leaves the AVX-512 of other makers' processors unused, and
//! general libraries rearrange a layer's weights first, which for a few rows costs as much as to multiply.
//! Here the small matrix is rearranged, and each weight is read where it lies.
//!
//! One tile serves all three products of a layer: up to 32 numbers side by side (lanes) times up to 12
//! others, in 24 registers.
//!
//! | | lanes | others | inner |
//! |---|---|---|---|
//! | forward: y = x · Wᵀ | examples, from a panel xᵀ | units of y | units of x |
//! | d_input = d_output · W | examples, from a panel d_outputᵀ | units of x | units of y |
//! | dW = d_outputᵀ · x | units of x, where they lie | units of y | examples |

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
    pub(super) fn read(self) -> Place<*const f32> {
        Place {
            first: self.first.cast_const(),
            row: self.row,
            column: self.column,
        }
    }

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

    /// Copies some columns of a matrix into the same rows of this one, which is its transpose.
    ///
    /// # Safety
    /// Both must have those `rows` × `columns` and `columns` × `rows`, and nobody else may look at these
    /// rows meanwhile.
    pub(super) unsafe fn fill_transposed(
        self,
        source: Place<*const f32>,
        rows: usize,
        columns: Range<usize>,
    ) {
        for start in (0..rows).step_by(LANES / 2) {
            let rows = start..rows.min(start + LANES / 2);
            for column in columns.clone() {
                for row in rows.clone() {
                    // SAFETY: as the caller promises.
                    unsafe {
                        *self.first.add(column * self.row + row) =
                            *source.first.add(row * source.row + column * source.column);
                    }
                }
            }
        }
    }
}

/// Numbers side by side in a tile: two registers.
const LANES: usize = 32;
/// Lanes that meet all others before the next ones come: their part of the matrix stays in the cache.
const LANES_AT_ONCE: usize = 4 * LANES;
/// Others in a tile: with two registers each they leave eight of the 32 registers for what is read.
const OTHERS: usize = 12;

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

/// target ← the sum over k of lanes[k, l] · others[k, o], for all l in `lane_range` and o in `other_range`.
/// Runs on this thread.
///
/// # Safety
/// [`is_possible_here`] must say so. `lanes` and `others` must be readable in
/// those columns and `inner` rows, `lanes` with a column stride of 1, and nobody else may look at that part
/// of the target meanwhile.
pub(super) unsafe fn multiply(
    lanes: (Place<*const f32>, Range<usize>),
    others: (Place<*const f32>, Range<usize>),
    inner: usize,
    target: Target<'_>,
) {
    // SAFETY: as the caller promises.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        avx512::tiles(lanes, others, inner, target);
    }
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!(
        "no other processor multiplies here: {:?}",
        (lanes.1, others.1, inner, target.add)
    );
}

#[cfg(target_arch = "x86_64")]
mod avx512 {
    use std::arch::x86_64::{
        __m512, _mm512_fmadd_ps, _mm512_maskz_loadu_ps, _mm512_set1_ps, _mm512_setzero_ps,
        _mm512_storeu_ps,
    };
    use std::ops::Range;

    use super::{LANES, LANES_AT_ONCE, OTHERS, Place, Target};

    #[target_feature(enable = "avx512f")]
    pub(super) unsafe fn tiles(
        (lanes, lane_range): (Place<*const f32>, Range<usize>),
        (others, other_range): (Place<*const f32>, Range<usize>),
        inner: usize,
        target: Target<'_>,
    ) {
        for first in lane_range.clone().step_by(LANES_AT_ONCE) {
            let lane_range = first..lane_range.end.min(first + LANES_AT_ONCE);
            let mut o = other_range.start;
            while o < other_range.end {
                let step = match other_range.end - o {
                    OTHERS.. => OTHERS,
                    4.. => 4,
                    _ => 1,
                };
                for l in lane_range.clone().step_by(LANES) {
                    let at = (l..lane_range.end.min(l + LANES), o);
                    // SAFETY: within the ranges that the caller answers for.
                    unsafe {
                        match step {
                            OTHERS => tile::<OTHERS>(lanes, others, at, inner, target),
                            4 => tile::<4>(lanes, others, at, inner, target),
                            _ => tile::<1>(lanes, others, at, inner, target),
                        }
                    }
                }
                o += step;
            }
        }
    }

    #[target_feature(enable = "avx512f")]
    unsafe fn tile<const N: usize>(
        lanes: Place<*const f32>,
        others: Place<*const f32>,
        (lane_range, other): (Range<usize>, usize),
        inner: usize,
        target: Target<'_>,
    ) {
        let count = lane_range.len();
        let mask = ((1_u64 << count) - 1) as u32;
        let (low, high) = (mask as u16, (mask >> 16) as u16);
        let mut sums: [[__m512; 2]; N] = [[_mm512_setzero_ps(); 2]; N];
        // SAFETY: the caller answers for what is read; lanes beyond the range are masked.
        unsafe {
            let mut a = lanes.first.add(lane_range.start);
            let mut b = others.first.add(other * others.column);
            for _ in 0..inner {
                let x = [
                    _mm512_maskz_loadu_ps(low, a),
                    _mm512_maskz_loadu_ps(high, a.wrapping_add(LANES / 2)),
                ];
                for (n, sum) in sums.iter_mut().enumerate() {
                    let y = _mm512_set1_ps(*b.add(n * others.column));
                    sum[0] = _mm512_fmadd_ps(x[0], y, sum[0]);
                    sum[1] = _mm512_fmadd_ps(x[1], y, sum[1]);
                }
                a = a.wrapping_add(lanes.row);
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
