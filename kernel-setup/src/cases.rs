//! How often the property tests try.

use proptest::prelude::ProptestConfig;

/// So many cases, and a multiple of them for a longer run: as often as `ICVAE_CASES` says.
pub fn cases(number: u32) -> ProptestConfig {
    let wanted = std::env::var("ICVAE_CASES").ok();
    ProptestConfig::with_cases(times(number, wanted.as_deref()))
}

fn times(number: u32, wanted: Option<&str>) -> u32 {
    let times = wanted.filter(|text| !text.is_empty()).map(|text| {
        let times = text.parse::<u32>().ok().filter(|times| *times > 0);
        times.unwrap_or_else(|| {
            panic!("ICVAE_CASES is {text:?}, but it must be a whole number above 0")
        })
    });
    number.saturating_mul(times.unwrap_or(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn a_longer_run_is_a_multiple() {
        assert_eq!(times(200, None), 200);
        assert_eq!(times(200, Some("")), 200);
        assert_eq!(times(200, Some("20")), 4_000);
        assert_eq!(times(200, Some("4000000000")), u32::MAX);
        for wrong in ["0", "many", "-1"] {
            assert!(std::panic::catch_unwind(|| times(200, Some(wrong))).is_err());
        }
    }

    #[test]
    fn every_property_test_heeds_it() {
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
        let (own, mut tests) = (concat!("cases", ".rs"), 0);
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name != own) {
                    let text = std::fs::read_to_string(&path).unwrap_or_default();
                    let here = text.matches("proptest! {").count();
                    let heeding = text.matches("#![proptest_config(cases(").count();
                    assert_eq!(here, heeding, "{}", path.display());
                    tests += here;
                }
            }
        }
        assert!(tests >= 6, "{tests}");
    }
}
