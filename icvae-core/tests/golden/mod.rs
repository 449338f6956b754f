//! Numbers of independent implementations. Beside each file of them lies the script that made it.

use std::collections::HashMap;

use icvae_core::tch::Tensor;

/// The tensors of `NAME.safetensors`.
pub fn read(name: &str) -> HashMap<String, Tensor> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    Tensor::read_safetensors(format!("{folder}/{name}.safetensors"))
        .unwrap()
        .into_iter()
        .collect()
}

/// Each number within a tolerance, relative for those beyond ±1.
#[track_caller]
pub fn assert_close(found: &Tensor, expected: &Tensor, tolerance: f64, what: &str) {
    assert_eq!(found.size(), expected.size(), "{what}: shape");
    let scale = expected.abs().clamp_min(1.0);
    let worst = ((found - expected).abs() / scale).max().double_value(&[]);
    assert!(
        worst <= tolerance,
        "{what}: off by {worst:e}, {tolerance:e} allowed"
    );
}
