//! Which products of matrices are used is decided once a process: tests that must hold for all of them run again, each
//! time in a process of its own. A program that has this module has these tests.

use std::process::Command;

use crate::turn::turn;

#[test]
fn all_this_holds_with_libtorchs_products() {
    let _turn = turn();
    again_with("libtorch");
}

#[test]
#[cfg_attr(not(target_arch = "x86_64"), ignore = "needs a processor with AVX2")]
fn with_avx2_all_this_holds() {
    let _turn = turn();
    again_with("avx2");
}

#[test]
#[ignore = "needs a processor with AVX-512"]
fn with_avx512_all_this_holds() {
    let _turn = turn();
    again_with("avx512");
}

/// Runs this program's tests with one of the products (`libtorch`, `avx2`, `avx512`).
#[track_caller]
fn again_with(products: &str) {
    if std::env::var_os("ICVAE_PRODUCTS").is_some() {
        return; // this is such a process
    }
    let program = std::env::current_exe().expect("a program knows where it is");
    let mut command = Command::new(program);
    let run = command.env("ICVAE_PRODUCTS", products).output();
    let run = run.expect("the same program starts again");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "with {products}:\n{said}");
    assert!(!said.contains("running 0 tests"), "{said}");
}
