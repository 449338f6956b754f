//! Products of float matrices for batches of few rows, with AVX-512 or with AVX2.
//!
//! libtorch multiplies with Intel's MKL, which leaves the AVX-512 of other makers' processors unused, and
//! general libraries rearrange a layer's weights first, which for a few rows costs as much as to multiply.
//! Here the small matrix is rearranged, and each weight is read where it lies.
//!
//! One tile serves all three products of a layer: numbers side by side (lanes), from a [`Panel`], times a few
//! others, with every sum in a register.
//!
//! | | lanes | others | inner |
//! |---|---|---|---|
//! | forward: y = x · Wᵀ | examples | units of y | units of x |
//! | d_input = d_output · W | examples | units of x | units of y |
//! | dW = d_outputᵀ · x | units of x | units of y | examples |

// Elsewhere nothing here is called.
#![cfg_attr(not(target_arch = "x86_64"), allow(dead_code, unused_variables))]

use std::ops::Range;

use super::wide::wide;

/// The instructions that multiply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kernel {
    /// Tiles of 32 lanes and 12 others in 24 of 32 registers.
    Avx512,
    /// Tiles of 16 lanes and 6 others in 12 of 16 registers.
    Avx2,
}

impl Kernel {
    /// Those that this processor has, the widest first.
    pub(crate) fn here() -> Vec<Self> {
        #[cfg(target_arch = "x86_64")]
        {
            let mut here = Vec::new();
            if is_x86_feature_detected!("avx512f") {
                here.push(Self::Avx512);
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                here.push(Self::Avx2);
            }
            here
        }
        #[cfg(not(target_arch = "x86_64"))]
        Vec::new()
    }
}

/// Others in the largest tile: strips of so many leave no rest.
pub(crate) const STRIP: usize = 12;

/// A matrix in memory: its first number, and how far apart its rows and its columns are.
#[derive(Clone, Copy)]
pub(crate) struct Place<P> {
    pub(crate) first: P,
    pub(crate) row: usize,
    pub(crate) column: usize,
}

// SAFETY: looked at by unsafe functions only, whose callers answer for it.
unsafe impl<P> Sync for Place<P> {}

impl<P> Place<P> {
    /// Rows one after the other.
    pub(crate) fn of_rows(first: P, columns: usize) -> Self {
        Self {
            first,
            row: columns,
            column: 1,
        }
    }

    pub(crate) fn transposed(self) -> Self {
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
    pub(crate) unsafe fn in_row<'a>(self, row: usize, columns: &Range<usize>) -> &'a mut [f32] {
        // SAFETY: as the caller promises.
        unsafe {
            let first = self.first.add(row * self.row + columns.start);
            std::slice::from_raw_parts_mut(first, columns.len())
        }
    }
}

impl Place<*const f32> {
    /// Numbers of one row, side by side.
    ///
    /// # Safety
    /// They must exist, with a column stride of 1, and nobody may write to them meanwhile.
    pub(crate) unsafe fn in_row<'a>(self, row: usize, columns: &Range<usize>) -> &'a [f32] {
        // SAFETY: as the caller promises.
        unsafe {
            let first = self.first.add(row * self.row + columns.start);
            std::slice::from_raw_parts(first, columns.len())
        }
    }
}

/// Lanes side by side in a panel.
const LANES: usize = 32;
/// Rows of a panel that are transposed at a time: a cache line of the source.
const BLOCK: usize = 16;

/// A matrix as tiles read it: 32 of its columns after another, row by row, zeros where there is no column.
#[derive(Default)]
pub(crate) struct Panel {
    numbers: Vec<f32>,
}

impl Panel {
    /// Makes room for a matrix, `[inner, lanes]`, and returns it for [`Filling::fill`].
    pub(crate) fn resize(&mut self, inner: usize, lanes: usize) -> Filling {
        let length = lanes.div_ceil(LANES) * LANES * inner;
        if self.numbers.len() < length {
            self.numbers.resize(length, 0.0);
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
pub(crate) struct Filling {
    first: *mut f32,
    lanes: usize,
    inner: usize,
}

// SAFETY: written by an unsafe function only, whose callers answer for it.
unsafe impl Sync for Filling {}
// SAFETY: as above.
unsafe impl Send for Filling {}

impl Filling {
    /// Copies some rows of a matrix.
    ///
    /// # Safety
    /// The source must be readable in these rows and all of the panel's lanes, and nobody else may look at these
    /// rows, or make room anew, meanwhile.
    pub(crate) unsafe fn fill(self, source: Place<*const f32>, rows: Range<usize>) {
        for start in (0..self.lanes).step_by(LANES) {
            let count = LANES.min(self.lanes - start);
            // SAFETY: as the caller promises; the panel has whole rows.
            unsafe {
                let panel = self.first.add(start * self.inner);
                if source.column == 1 {
                    for row in rows.clone() {
                        let from = source.first.add(row * source.row + start);
                        let from = std::slice::from_raw_parts(from, count);
                        let to = std::slice::from_raw_parts_mut(panel.add(row * LANES), LANES);
                        to[..count].copy_from_slice(from);
                        to[count..].fill(0.0);
                    }
                } else {
                    wide(|| transpose(source, start..start + count, panel, rows.clone()));
                }
            }
        }
    }
}

/// Fills rows of one panel from a matrix whose columns lie side by side.
///
/// # Safety
/// As [`Filling::fill`].
#[inline(always)]
unsafe fn transpose(
    source: Place<*const f32>,
    lanes: Range<usize>,
    panel: *mut f32,
    rows: Range<usize>,
) {
    // Through a block that is touched once from either side: the lanes of a matrix whose width is a power of two
    // would drive each other out of the cache.
    let mut block = [[0.0_f32; BLOCK]; LANES];
    for first in rows.clone().step_by(BLOCK) {
        let height = BLOCK.min(rows.end - first);
        // SAFETY: as the caller promises.
        unsafe {
            for (line, lane) in block.iter_mut().zip(lanes.clone()) {
                let from = source.first.add(first * source.row + lane * source.column);
                if height == BLOCK && source.row == 1 {
                    *line = *from.cast::<[f32; BLOCK]>();
                } else {
                    for (k, to) in line.iter_mut().take(height).enumerate() {
                        *to = *from.add(k * source.row);
                    }
                }
            }
            for k in 0..height {
                let to = &mut *panel.add((first + k) * LANES).cast::<[f32; LANES]>();
                for (to, line) in to.iter_mut().zip(&block) {
                    *to = line[k];
                }
            }
        }
    }
}

/// Where the numbers of a tile go.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    /// The result, a row an example or a unit of y.
    pub(crate) place: Place<*mut f32>,
    /// Whether lanes are rows of the result, rather than columns.
    pub(crate) lanes_are_rows: bool,
    /// Added to each row: one number for each other.
    pub(crate) bias: Option<&'a [f32]>,
    /// Whether the product is added to what is there.
    pub(crate) add: bool,
}

/// target ← the sum over k of lanes[k, l] · others[k, o], for all lanes l and the others o in a range. Runs on
/// this thread.
///
/// # Safety
/// The kernel must be one of [`Kernel::here`]. `others` must be readable in those columns and as many rows as the
/// panel has, and nobody else may look at that part of the target meanwhile.
pub(crate) unsafe fn multiply(
    kernel: Kernel,
    lanes: Filling,
    others: Place<*const f32>,
    range: Range<usize>,
    target: Target<'_>,
) {
    // SAFETY: as the caller promises.
    #[cfg(target_arch = "x86_64")]
    unsafe {
        match kernel {
            Kernel::Avx512 => avx512::tiles(lanes, others, range, target),
            Kernel::Avx2 => avx2::tiles(lanes, others, range, target),
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    unreachable!("no other processor multiplies here");
}

/// Adds up a tile that lies in memory to where it belongs.
///
/// # Safety
/// This part of the target must be the caller's.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
unsafe fn put<const N: usize, const W: usize>(
    numbers: &[[f32; W]; N],
    lanes: Range<usize>,
    other: usize,
    target: Target<'_>,
) {
    let Target {
        place, bias, add, ..
    } = target;
    if target.lanes_are_rows {
        let bias: [f32; N] = std::array::from_fn(|n| bias.map_or(0.0, |bias| bias[other + n]));
        for (i, lane) in lanes.enumerate() {
            // SAFETY: as the caller promises.
            let row = unsafe { place.in_row(lane, &(other..other + N)) };
            for n in 0..N {
                let there = if add { row[n] } else { 0.0 };
                row[n] = there + numbers[n][i] + bias[n];
            }
        }
    } else {
        for (n, numbers) in numbers.iter().enumerate() {
            // SAFETY: as above.
            let row = unsafe { place.in_row(other + n, &lanes) };
            for (there, number) in row.iter_mut().zip(numbers) {
                *there = if add { *there + number } else { *number };
            }
        }
    }
}

/// The tiles of one kind of register: `$width` numbers in it, two of them and up to `$others` others a tile.
#[cfg(target_arch = "x86_64")]
macro_rules! tiles {
    ($module:ident, $features:literal, $width:literal, $others:literal,
     $register:ident, $zero:ident, $one:ident, $load:ident, $store:ident, $fused:ident, $sum:ident) => {
        mod $module {
            use std::arch::x86_64::{$fused, $load, $one, $register, $store, $sum, $zero};
            use std::ops::Range;

            use super::{Filling, LANES, Place, Target, put};

            /// Lanes of a tile: two registers.
            const TILE: usize = 2 * $width;

            #[target_feature(enable = $features)]
            pub(super) unsafe fn tiles(
                lanes: Filling,
                others: Place<*const f32>,
                range: Range<usize>,
                target: Target<'_>,
            ) {
                let mut o = range.start;
                while o < range.end {
                    let step = match range.end - o {
                        $others.. => $others,
                        3.. => 3,
                        _ => 1,
                    };
                    for l in (0..lanes.lanes).step_by(TILE) {
                        // SAFETY: within the range that the caller answers for.
                        unsafe {
                            match step {
                                $others => tile::<$others>(lanes, others, (l, o), target),
                                3 => tile::<3>(lanes, others, (l, o), target),
                                _ => tile::<1>(lanes, others, (l, o), target),
                            }
                        }
                    }
                    o += step;
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn tile<const N: usize>(
                lanes: Filling,
                others: Place<*const f32>,
                (lane, other): (usize, usize),
                target: Target<'_>,
            ) {
                let mut sums: [[$register; 2]; N] = [[$zero(); 2]; N];
                // SAFETY: the caller answers for what is read.
                unsafe {
                    let (panel, within) = (lane / LANES * LANES, lane % LANES);
                    let mut a = lanes.first.add(panel * lanes.inner + within).cast_const();
                    let mut b = others.first.add(other * others.column);
                    for _ in 0..lanes.inner {
                        let x = [$load(a), $load(a.add($width))];
                        for (n, sum) in sums.iter_mut().enumerate() {
                            let y = $one(*b.add(n * others.column));
                            sum[0] = $fused(x[0], y, sum[0]);
                            sum[1] = $fused(x[1], y, sum[1]);
                        }
                        a = a.wrapping_add(LANES);
                        b = b.wrapping_add(others.row);
                    }
                }
                let range = lane..lanes.lanes.min(lane + TILE);
                // SAFETY: this part of the target is the caller's; a row of the buffer has room for two registers.
                unsafe {
                    if !target.lanes_are_rows && range.len() == TILE {
                        for (n, sum) in sums.iter().enumerate() {
                            let row = target.place.in_row(other + n, &range).as_mut_ptr();
                            for (half, &sum) in sum.iter().enumerate() {
                                let there = row.add(half * $width);
                                let sum = if target.add {
                                    $sum($load(there), sum)
                                } else {
                                    sum
                                };
                                $store(there, sum);
                            }
                        }
                    } else {
                        let mut numbers = [[0.0_f32; TILE]; N];
                        for (row, sum) in numbers.iter_mut().zip(&sums) {
                            $store(row.as_mut_ptr(), sum[0]);
                            $store(row.as_mut_ptr().add($width), sum[1]);
                        }
                        put(&numbers, range, other, target);
                    }
                }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
tiles!(
    avx512,
    "avx512f",
    16,
    12,
    __m512,
    _mm512_setzero_ps,
    _mm512_set1_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    _mm512_add_ps
);
#[cfg(target_arch = "x86_64")]
tiles!(
    avx2,
    "avx2,fma",
    8,
    6,
    __m256,
    _mm256_setzero_ps,
    _mm256_set1_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    _mm256_add_ps
);

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: f32) -> Vec<f32> {
        (0..count)
            .map(|i| (i as f32 * (1.0 + seed)).sin())
            .collect()
    }

    #[test]
    fn every_kernel_agrees_with_the_definition() {
        let here = Kernel::here();
        for kernel in [Kernel::Avx512, Kernel::Avx2] {
            if !here.contains(&kernel) {
                println!("SKIPPED: this processor has no {kernel:?}");
                continue;
            }
            // Odd sizes leave tiles and panels half full.
            for (lanes, inner, others) in [
                (1, 1, 1),
                (5, 26, 7),
                (17, 13, 33),
                (33, 45, 12),
                (48, 16, 6),
                (70, 130, 31),
            ] {
                agree(kernel, lanes, inner, others);
            }
        }
    }

    fn agree(kernel: Kernel, lanes: usize, inner: usize, others: usize) {
        let a = numbers(lanes * inner, 0.1); // [lanes, inner]
        let b = numbers(others * inner, 0.2); // [others, inner]
        let bias = numbers(others, 0.3);
        let mut panel = Panel::default();
        panel.resize(200, 64); // room that is found there is no zeros
        panel.numbers.fill(f32::NAN);
        let filling = panel.resize(inner, lanes);
        let place = |m: &[f32]| Place::of_rows(m.as_ptr(), inner);
        for (lanes_are_rows, add) in [(true, false), (true, true), (false, false), (false, true)] {
            let mut found = numbers(lanes * others, 0.4);
            let before = found.clone();
            let columns = if lanes_are_rows { others } else { lanes };
            let target = Target {
                place: Place::of_rows(found.as_mut_ptr(), columns),
                lanes_are_rows,
                bias: lanes_are_rows.then_some(&bias[..]),
                add,
            };
            // SAFETY: one thread, the sizes are those of the vectors, and the processor was asked.
            unsafe {
                let middle = inner / 3;
                filling.fill(place(&a).transposed(), 0..middle);
                filling.fill(place(&a).transposed(), middle..inner);
                let half = others / 2;
                multiply(kernel, filling, place(&b).transposed(), 0..half, target);
                multiply(
                    kernel,
                    filling,
                    place(&b).transposed(),
                    half..others,
                    target,
                );
            }
            for l in 0..lanes {
                for o in 0..others {
                    let product = |k| f64::from(a[l * inner + k]) * f64::from(b[o * inner + k]);
                    let mut expected = (0..inner).map(product).sum::<f64>();
                    let at = if lanes_are_rows {
                        expected += f64::from(bias[o]);
                        l * others + o
                    } else {
                        o * lanes + l
                    };
                    if add {
                        expected += f64::from(before[at]);
                    }
                    let apart = (f64::from(found[at]) - expected).abs();
                    assert!(
                        apart < 1e-4,
                        "{kernel:?} {lanes} {inner} {others}: {apart:e}"
                    );
                }
            }
        }
    }
}
