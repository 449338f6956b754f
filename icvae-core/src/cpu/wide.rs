//! Loops over memory with the processor's wide instructions.

/// Runs `work`, compiled for AVX2 where the processor has it: twice the width that every x86-64 has.
#[inline(always)]
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2,fma")]
        fn on_avx2<R>(work: impl FnOnce() -> R) -> R {
            work()
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            // SAFETY: the processor has these instructions.
            return unsafe { on_avx2(work) };
        }
    }
    work()
}
