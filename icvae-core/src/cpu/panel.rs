//! Small matrices as the products read them: rearranged, and where a cache line begins.

use std::ops::Range;

use super::product::{Kernel, MatrixPtr};

/// A cache line.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub(super) struct Line([f32; 16]);

impl Line {
    pub(super) const NUMBERS: usize = 16;
    pub(super) const ZERO: Self = Self([0.0; Self::NUMBERS]);
}

/// Memory that is kept for the next product, however large it has to be.
#[derive(Default)]
pub(crate) struct Panel(Vec<Line>);

impl Panel {
    /// Room for so many numbers, whatever they are.
    pub(crate) fn room(&mut self, count: usize) -> *mut f32 {
        let lines = count.div_ceil(Line::NUMBERS);
        if self.0.len() < lines {
            self.0.resize(lines, Line::ZERO);
        }
        self.0.as_mut_ptr().cast()
    }

    /// Room for a matrix, `[inner, lanes]`, to be [filled](Lanes::fill).
    pub(crate) fn lanes(&mut self, kernel: Kernel, inner: usize, lanes: usize) -> Lanes {
        let tile = kernel.tile();
        let first = self.room(lanes.div_ceil(tile) * tile * inner);
        Lanes {
            first,
            tile,
            lanes,
            inner,
        }
    }

    /// Room for the transpose of a matrix, `[rows, columns]`, to be written by [`transpose`].
    pub(crate) fn transposed(&mut self, rows: usize, columns: usize) -> MatrixPtr<*mut f32> {
        MatrixPtr {
            first: self.room(rows * columns),
            row: rows,
        }
    }
}

/// A matrix as tiles read it: as many of its columns as a tile has lanes after another, row by row, zeros where
/// there is no column. Threads fill it, each its own rows.
#[derive(Clone, Copy)]
pub(crate) struct Lanes {
    pub(super) first: *mut f32,
    pub(super) tile: usize,
    pub(super) lanes: usize,
    pub(super) inner: usize,
}

// SAFETY: looked at by unsafe functions only, whose callers answer for it.
unsafe impl Sync for Lanes {}
// SAFETY: as above.
unsafe impl Send for Lanes {}

impl Lanes {
    /// How many tiles stand side by side.
    pub(crate) fn tiles(self) -> usize {
        self.lanes.div_ceil(self.tile)
    }

    /// Copies some rows of a matrix that lies as it is, `[inner, lanes]`.
    ///
    /// # Safety
    /// The source must be readable in these rows and all lanes, and nobody else may look at these rows meanwhile.
    pub(crate) unsafe fn fill(self, source: MatrixPtr<*const f32>, rows: Range<usize>) {
        for start in (0..self.lanes).step_by(self.tile) {
            let columns = start..self.lanes.min(start + self.tile);
            // SAFETY: as the caller promises; the panel has whole rows.
            unsafe {
                let to = self.first.add(start * self.inner + rows.start * self.tile);
                copy_rows(self.tile, source, (rows.clone(), columns.clone()), to);
                for i in 0..rows.len() {
                    let rest = to.add(i * self.tile + columns.len());
                    rest.write_bytes(0, self.tile - columns.len());
                }
            }
        }
    }

    /// Copies some rows of a matrix that lies transposed, `[lanes, inner]`.
    ///
    /// # Safety
    /// As [`Lanes::fill`].
    pub(crate) unsafe fn fill_transposed(self, source: MatrixPtr<*const f32>, rows: Range<usize>) {
        for start in (0..self.lanes).step_by(self.tile) {
            let count = self.tile.min(self.lanes - start);
            // SAFETY: as the caller promises; the panel has whole rows.
            unsafe {
                let to = MatrixPtr {
                    first: self.first.add(start * self.inner),
                    row: self.tile,
                };
                transpose(source, (start..start + count, rows.clone()), to, start);
                for row in rows.clone() {
                    let rest = count..self.tile;
                    to.in_row(row, &rest).fill(0.0);
                }
            }
        }
    }
}

/// Copies some rows and columns of a matrix, of which there are as many as a tile has lanes or fewer, row by row to
/// where a tile's begin.
///
/// # Safety
/// They must be readable, and nobody else may look at the target meanwhile.
pub(super) unsafe fn copy_rows(
    tile: usize,
    from: MatrixPtr<*const f32>,
    (rows, columns): (Range<usize>, Range<usize>),
    to: *mut f32,
) {
    for (i, row) in rows.enumerate() {
        // SAFETY: as the caller promises.
        unsafe {
            let (from, to) = (from.at(row, columns.start), to.add(i * tile));
            match columns.len() {
                // Of a known size: a few registers instead of a call.
                32 => *to.cast::<[f32; 32]>() = *from.cast(),
                16 => *to.cast::<[f32; 16]>() = *from.cast(),
                count => std::ptr::copy_nonoverlapping(from, to, count),
            }
        }
    }
}

/// to[c, r − shift] ← from[r, c] for some rows r and columns c.
///
/// # Safety
/// Both must exist, and nobody else may look at that part of the target meanwhile.
pub(crate) unsafe fn transpose(
    from: MatrixPtr<*const f32>,
    (rows, columns): (Range<usize>, Range<usize>),
    to: MatrixPtr<*mut f32>,
    shift: usize,
) {
    #[cfg_attr(not(target_arch = "x86_64"), allow(unused_mut))]
    let mut r = rows.start;
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") {
        let blocks = columns.len() / 8;
        while r + 8 <= rows.end {
            for block in 0..blocks {
                let c = columns.start + 8 * block;
                // SAFETY: the caller answers for the memory, and the processor was asked.
                unsafe { eight_by_eight(from.at(r, c), from.row, to.at_mut(c, r - shift), to.row) }
            }
            // SAFETY: as the caller promises.
            unsafe {
                one_by_one(
                    from,
                    (r..r + 8, columns.start + 8 * blocks..columns.end),
                    to,
                    shift,
                );
            }
            r += 8;
        }
    }
    // SAFETY: as the caller promises.
    unsafe { one_by_one(from, (r..rows.end, columns), to, shift) }
}

/// # Safety
/// As [`transpose`].
unsafe fn one_by_one(
    from: MatrixPtr<*const f32>,
    (rows, columns): (Range<usize>, Range<usize>),
    to: MatrixPtr<*mut f32>,
    shift: usize,
) {
    for c in columns {
        for r in rows.clone() {
            // SAFETY: as the caller promises.
            unsafe { *to.at_mut(c, r - shift) = *from.at(r, c) }
        }
    }
}

/// Eight rows of eight numbers, by way of registers.
///
/// # Safety
/// The processor must have AVX2; otherwise as [`transpose`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn eight_by_eight(from: *const f32, from_row: usize, to: *mut f32, to_row: usize) {
    use std::arch::x86_64::{
        _mm256_loadu_ps, _mm256_permute2f128_ps, _mm256_shuffle_ps, _mm256_storeu_ps,
        _mm256_unpackhi_ps, _mm256_unpacklo_ps,
    };
    // SAFETY: as the caller promises.
    let rows: [_; 8] = std::array::from_fn(|r| unsafe { _mm256_loadu_ps(from.add(r * from_row)) });
    // Pairs of rows, then fours, then eights, as their halves come to lie.
    let mut fours = [rows[0]; 8];
    for half in 0..2 {
        let [a, b, c, d] = [0, 1, 2, 3].map(|i| rows[4 * half + i]);
        let (ab, cd) = (_mm256_unpacklo_ps(a, b), _mm256_unpacklo_ps(c, d));
        let (ab_high, cd_high) = (_mm256_unpackhi_ps(a, b), _mm256_unpackhi_ps(c, d));
        fours[4 * half] = _mm256_shuffle_ps::<0x44>(ab, cd);
        fours[4 * half + 1] = _mm256_shuffle_ps::<0xee>(ab, cd);
        fours[4 * half + 2] = _mm256_shuffle_ps::<0x44>(ab_high, cd_high);
        fours[4 * half + 3] = _mm256_shuffle_ps::<0xee>(ab_high, cd_high);
    }
    for c in 0..4 {
        let low = _mm256_permute2f128_ps::<0x20>(fours[c], fours[4 + c]);
        let high = _mm256_permute2f128_ps::<0x31>(fours[c], fours[4 + c]);
        // SAFETY: as the caller promises.
        unsafe {
            _mm256_storeu_ps(to.add(c * to_row), low);
            _mm256_storeu_ps(to.add((4 + c) * to_row), high);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transpose_is_one_whatever_its_size() {
        for (rows, columns) in [(1, 1), (8, 8), (7, 9), (33, 26), (16, 784), (40, 3)] {
            let from: Vec<f32> = (0..rows * columns).map(|i| i as f32).collect();
            let mut to = vec![-1.0; rows * columns];
            let place = MatrixPtr {
                first: to.as_mut_ptr(),
                row: rows,
            };
            let source = MatrixPtr {
                first: from.as_ptr(),
                row: columns,
            };
            let middle = columns / 3;
            // SAFETY: one thread, and the sizes are those of the vectors.
            unsafe {
                transpose(source, (0..rows, 0..middle), place, 0);
                transpose(source, (0..rows, middle..columns), place, 0);
            }
            for r in 0..rows {
                for c in 0..columns {
                    assert_eq!(to[c * rows + r], from[r * columns + c], "{rows} {columns}");
                }
            }
        }
    }
}
