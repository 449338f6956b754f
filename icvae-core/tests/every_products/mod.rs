//! Which products of matrices are used is decided once a process: tests that must hold for all of them run again, each
//! time in a process of its own.

use std::process::Command;

/// Runs this program's tests with each of the products that this processor has; those whose names contain one of
/// some words, or all.
#[track_caller]
pub fn again_with_each(words: &[&str]) {
    if std::env::var_os("ICVAE_PRODUCTS").is_some() {
        return; // this is one of them
    }
    let mut products = vec!["libtorch"];
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
        products.push("avx2");
        if is_x86_feature_detected!("avx512f") {
            products.push("avx512");
        }
    }
    for products in products {
        let program = std::env::current_exe().expect("a program knows where it is");
        let mut command = Command::new(program);
        command.args(words).env("ICVAE_PRODUCTS", products);
        let run = command.output().expect("the same program starts again");
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "with {products}:\n{said}");
        assert!(!said.contains("running 0 tests"), "{said}");
    }
}
