//! Where a run's randomness comes from.

/// The seed of one step's random draws: a pure function of the run's seed and the step's number.
///
/// libtorch's generator is seeded with it before every step, so a run that goes on from a checkpoint
/// draws what it would have drawn, and nothing that is drawn between two steps (a picture, an
/// evaluation) changes the run. The mixing is SplitMix64's finaliser (Steele et al. 2014).
pub fn step_seed(seed: u64, step: u64) -> i64 {
    let mut x = seed.wrapping_add(step.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    (x ^ (x >> 31)) as i64
}
