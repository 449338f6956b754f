//! Compiles the node of libtorch's autograd that calls this crate, and lets this crate's tests, examples and
//! benches find libtorch when they are started by a plain `cargo test`. The crate is told its level of optimisation.
//!
//! Doctests and programs that depend on this crate need the folder in `LD_LIBRARY_PATH`; the notebooks' kernelspec
//! and `cargo kernel test` put it there.

use std::env;
use std::path::{Path, PathBuf};

const NODE: &str = "src/cpu/node.cpp";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={NODE}");
    for variable in ["LIBTORCH", "LIBTORCH_INCLUDE", "LIBTORCH_CXX11_ABI"] {
        println!("cargo::rerun-if-env-changed={variable}");
    }
    // Which products are the fastest depends on it.
    let level = env::var("OPT_LEVEL").unwrap_or_default();
    println!("cargo::rustc-env=ICVAE_OPT_LEVEL={level}");
    // As torch-sys, which links libtorch, found it.
    let libraries = env::var_os("DEP_TCH_LIBTORCH_LIB").map(PathBuf::from);
    let root = env::var_os("LIBTORCH_INCLUDE").map(PathBuf::from);
    let root = root.or_else(|| Some(libraries.as_deref().and_then(Path::parent)?.to_owned()));
    let Some(root) = root else {
        println!(
            "cargo::error=libtorch was not found: set LIBTORCH to its folder, as torch-sys wants it"
        );
        return;
    };
    let windows = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "windows");
    let abi = env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".into());
    let mut build = cc::Build::new();
    build
        .cpp(true)
        .warnings(false)
        .include(root.join("include"))
        .include(root.join("include/torch/csrc/api/include"))
        // The flags of torch-sys: both must agree about libtorch's types.
        .flag(if windows { "/std:c++17" } else { "-std=c++17" })
        .define("GLOG_USE_GLOG_EXPORT", None)
        .file(NODE);
    if !windows {
        build.define("_GLIBCXX_USE_CXX11_ABI", abi.as_str());
    }
    build.compile("icvae_node");
    if let (false, Some(folder)) = (windows, libraries) {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{}", folder.display());
    }
}
