//! A dense layer with weights of 8 bits, for a browser.
//!
//! Compiled to WebAssembly it stands in the repository as `dense.wasm`, beside the script that runs it.
//! `build.sh` makes it anew.
#![no_std]

use core::arch::wasm32::{
    f32x4_add, f32x4_convert_i32x4, f32x4_extract_lane, f32x4_mul, f32x4_splat,
    i16x8_extend_high_i8x16, i16x8_extend_low_i8x16, i32x4_extend_high_i16x8,
    i32x4_extend_low_i16x8, v128, v128_load,
};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// y = s ⊙ (x Wᵀ) + b, with x `[batch, inputs]`, W `[outputs, inputs]` in 8 bits, s and b `[outputs]`
/// and y `[batch, outputs]`, all row by row.
///
/// # Safety
/// Every address must be that of so many numbers in this module's memory, and y must overlap nothing else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn dense(
    x: *const f32,
    w: *const i8,
    s: *const f32,
    b: *const f32,
    y: *mut f32,
    batch: usize,
    inputs: usize,
    outputs: usize,
) {
    for output in 0..outputs {
        for row in 0..batch {
            // SAFETY: as the caller promises.
            unsafe {
                let sum = dot(x.add(row * inputs), w.add(output * inputs), inputs);
                *y.add(row * outputs + output) = sum * *s.add(output) + *b.add(output);
            }
        }
    }
}

/// Σ xᵢ wᵢ, sixteen at a time.
///
/// # Safety
/// Both must be addresses of `count` numbers.
unsafe fn dot(x: *const f32, w: *const i8, count: usize) -> f32 {
    let whole = count & !15;
    let mut sums = [f32x4_splat(0.0); 4];
    let mut at = 0;
    while at < whole {
        // SAFETY: sixteen numbers are left.
        unsafe {
            let bytes = v128_load(w.add(at).cast::<v128>());
            let (low, high) = (i16x8_extend_low_i8x16(bytes), i16x8_extend_high_i8x16(bytes));
            let weights = [
                i32x4_extend_low_i16x8(low),
                i32x4_extend_high_i16x8(low),
                i32x4_extend_low_i16x8(high),
                i32x4_extend_high_i16x8(high),
            ];
            let mut part = 0;
            while part < 4 {
                let inputs = v128_load(x.add(at + 4 * part).cast::<v128>());
                let product = f32x4_mul(inputs, f32x4_convert_i32x4(weights[part]));
                sums[part] = f32x4_add(sums[part], product);
                part += 1;
            }
        }
        at += 16;
    }
    let all = f32x4_add(f32x4_add(sums[0], sums[1]), f32x4_add(sums[2], sums[3]));
    let mut sum = f32x4_extract_lane::<0>(all)
        + f32x4_extract_lane::<1>(all)
        + f32x4_extract_lane::<2>(all)
        + f32x4_extract_lane::<3>(all);
    while at < count {
        // SAFETY: at least one number is left.
        sum += unsafe { *x.add(at) * f32::from(*w.add(at)) };
        at += 1;
    }
    sum
}
