//! How often the property tests try.

use proptest::prelude::ProptestConfig;

/// So many cases, and a multiple of them for a longer run: as often as `ICVAE_CASES` says.
pub fn cases(number: u32) -> ProptestConfig {
    let times = match std::env::var("ICVAE_CASES") {
        Ok(text) if !text.is_empty() => text.parse::<u32>().ok().filter(|times| *times > 0),
        _ => Some(1),
    };
    let times = times.expect("ICVAE_CASES must be a whole number above 0");
    ProptestConfig::with_cases(number.saturating_mul(times))
}
