//! The innermost loops of the products: one for each kind of register.

use std::ops::Range;

use super::product::{MatrixPtr, Start};

/// Numbers in and out of a tile that has fewer lanes than registers hold.
#[inline(always)]
unsafe fn at_the_edge<const N: usize, const W: usize>(
    count: usize,
    other: usize,
    target: MatrixPtr<*mut f32>,
    start: Start<'_>,
    tile: impl FnOnce(*mut f32),
) {
    let mut numbers = [[0.0_f32; W]; N];
    for (n, numbers) in numbers.iter_mut().enumerate() {
        if matches!(start, Start::There) {
            // SAFETY: these numbers are the caller's.
            numbers[..count].copy_from_slice(unsafe { target.in_row(other + n, &(0..count)) });
        }
    }
    tile(numbers.as_mut_ptr().cast());
    for (n, numbers) in numbers.iter().enumerate() {
        // SAFETY: as above.
        unsafe { target.in_row(other + n, &(0..count)) }.copy_from_slice(&numbers[..count]);
    }
}

/// The tiles of one kind of register: `$width` numbers in it, two of them and up to `$most` others a tile, `$unrolled`
/// steps of the sums at a time.
macro_rules! tiles {
    ($module:ident, $features:literal, $width:literal, $most:literal, [$($n:literal)*],
     $register:ident, $zero:ident, $one:ident, $spread:ident, $near:ident, $load:ident, $store:ident, $fused:ident, $class:ident, $unrolled:literal) => {
        pub(super) mod $module {
            use std::arch::asm;
            use std::arch::x86_64::*;

            use super::*;
            use crate::cpu::team::part_of;

            /// Lanes of a tile: two registers.
            const TILE: usize = 2 * $width;

            /// target\[o, l\] for the lanes of a tile, `[depth, TILE]`, of which `count` count, and some others.
            ///
            /// # Safety
            /// The processor must have these instructions, the lanes be aligned and readable, the others readable
            /// in that range and depth, and the target nobody else's.
            #[target_feature(enable = $features)]
            pub(in super::super) unsafe fn column(
                (lanes, count): (*const f32, usize),
                depth: usize,
                (others, range): (MatrixPtr<*const f32>, Range<usize>),
                target: MatrixPtr<*mut f32>,
                start: Start<'_>,
            ) {
                // As even as possible: a tile of few others waits for its own sums.
                let tiles = range.len().div_ceil($most);
                for t in 0..tiles {
                    let part = part_of(range.len(), t, tiles);
                    let other = range.start + part.start;
                    // SAFETY: as the caller promises.
                    unsafe {
                        match part.len() {
                            $($n => if count == TILE {
                                let into = MatrixPtr { first: target.at_mut(other, 0), row: target.row };
                                tile::<$n>(lanes, depth, others, other, into, start);
                            } else {
                                at_the_edge::<$n, TILE>(count, other, target, start, |first| {
                                    let into = MatrixPtr { first, row: TILE };
                                    tile::<$n>(lanes, depth, others, other, into, start);
                                });
                            })*
                            _ => {}
                        }
                    }
                }
            }

            /// sums\[n\] += lanes · rows\[n\]\[k\].
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn step<const N: usize>(
                lanes: *const f32,
                rows: &[*const f32; N],
                k: usize,
                sums: &mut [[$register; 2]; N],
            ) {
                // SAFETY: the caller answers for what is read.
                unsafe {
                    let x = [$near(lanes), $near(lanes.wrapping_add($width))];
                    for (row, sum) in rows.iter().zip(sums) {
                        let y = $spread(_mm_load_ss(row.wrapping_add(k)));
                        sum[0] = $fused(x[0], y, sum[0]);
                        sum[1] = $fused(x[1], y, sum[1]);
                    }
                }
            }

            #[target_feature(enable = $features)]
            unsafe fn tile<const N: usize>(
                mut lanes: *const f32,
                depth: usize,
                others: MatrixPtr<*const f32>,
                other: usize,
                into: MatrixPtr<*mut f32>,
                start: Start<'_>,
            ) {
                let mut sums: [[$register; 2]; N] = [[$zero(); 2]; N];
                // SAFETY: the caller answers for what is read and written.
                unsafe {
                    for (n, sum) in sums.iter_mut().enumerate() {
                        match start {
                            Start::Zero => {}
                            Start::There => {
                                let there = into.at_mut(n, 0);
                                *sum = [$load(there), $load(there.add($width))];
                            }
                            Start::Each(numbers) => *sum = [$one(numbers[other + n]); 2],
                        }
                    }
                    // Few instructions beside the multiplications: a core's other hyper-thread, a neighbour's perhaps,
                    // takes its turns. The compiler is not told how the rows' addresses depend on each other, or it
                    // would compute each from the one before; and not to begin a step before the last one ends, or
                    // the sums would not stay in their registers.
                    let mut rows: [*const f32; N] = std::array::from_fn(|n| others.at(other + n, 0));
                    for row in &mut rows {
                        asm!("/* {0} */", inout(reg) *row, options(nostack, preserves_flags));
                    }
                    // Loads and steps that nothing checks: cells are compiled with checks, which here cost as much as
                    // to multiply.
                    let mut k = 0_usize;
                    let blocks = depth / $unrolled;
                    for _ in 0..blocks {
                        for u in 0..$unrolled {
                            for sum in &mut sums {
                                asm!("/* {0} */", inout($class) sum[0], options(nostack, preserves_flags));
                                asm!("/* {0} */", inout($class) sum[1], options(nostack, preserves_flags));
                            }
                            step(lanes.wrapping_add(u * TILE), &rows, k.wrapping_add(u), &mut sums);
                        }
                        lanes = lanes.wrapping_add($unrolled * TILE);
                        k = k.wrapping_add($unrolled);
                    }
                    while k < depth {
                        step(lanes, &rows, k, &mut sums);
                        lanes = lanes.wrapping_add(TILE);
                        k = k.wrapping_add(1);
                    }
                    for (n, sum) in sums.iter().enumerate() {
                        let there = into.at_mut(n, 0);
                        $store(there, sum[0]);
                        $store(there.add($width), sum[1]);
                    }
                }
            }
        }
    };
}

tiles!(
    avx512,
    "avx512f,avx2,fma",
    16,
    12,
    [1 2 3 4 5 6 7 8 9 10 11 12],
    __m512,
    _mm512_setzero_ps,
    _mm512_set1_ps,
    _mm512_broadcastss_ps,
    _mm512_loadu_ps,
    _mm512_loadu_ps,
    _mm512_storeu_ps,
    _mm512_fmadd_ps,
    zmm_reg,
    2
);
tiles!(
    avx2,
    "avx2,fma",
    8,
    6,
    [1 2 3 4 5 6],
    __m256,
    _mm256_setzero_ps,
    _mm256_set1_ps,
    _mm256_broadcastss_ps,
    _mm256_load_ps,
    _mm256_loadu_ps,
    _mm256_storeu_ps,
    _mm256_fmadd_ps,
    ymm_reg,
    4
);
