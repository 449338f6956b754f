//! What no product can beat: how many multiplications and additions the processor does at all.

use std::time::Instant;

/// Floating-point operations of one training step of the tutorial's model: each layer's product forward, and two of
/// that size backward, but for the images' gradient, which nobody wants.
pub fn operations(batch: usize) -> f64 {
    let first = 784 * 512;
    let encoder = first + 512 * 512 + 2 * 512 * 16;
    let decoder = 26 * 512 + 512 * 512 + 512 * 784;
    2.0 * (batch * (3 * (encoder + decoder) - first)) as f64
}

/// Operations a second of `threads` threads that do nothing else, by AVX2's fused multiplications on registers; none
/// where the processor has no AVX2.
pub fn rate(threads: usize) -> Option<f64> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        const TIMES: usize = 30_000_000;
        let since = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                // SAFETY: the processor has these instructions.
                scope.spawn(|| std::hint::black_box(unsafe { multiply(TIMES) }));
            }
        });
        let all = (threads * TIMES * SUMS * 8 * 2) as f64;
        return Some(all / since.elapsed().as_secs_f64());
    }
    let _ = (threads, Instant::now());
    None
}

/// As many registers as hide how long one multiplication takes.
#[cfg(target_arch = "x86_64")]
const SUMS: usize = 12;

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn multiply(times: usize) -> f32 {
    use std::arch::x86_64::{_mm256_cvtss_f32, _mm256_fmadd_ps, _mm256_set1_ps};
    let by = _mm256_set1_ps(std::hint::black_box(0.999));
    let add = _mm256_set1_ps(std::hint::black_box(0.001));
    let mut sums = [_mm256_set1_ps(std::hint::black_box(1.0)); SUMS];
    for _ in 0..times {
        for sum in &mut sums {
            *sum = _mm256_fmadd_ps(*sum, by, add);
        }
    }
    sums.map(|sum| _mm256_cvtss_f32(sum)).iter().sum()
}
