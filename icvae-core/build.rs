//! Lets this crate's tests, examples and benches find libtorch when they are started by a plain `cargo test`.
//!
//! Doctests and programs that depend on this crate need the folder in `LD_LIBRARY_PATH`; the notebooks' kernelspec
//! and `cargo kernel test` put it there.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let unix = std::env::var_os("CARGO_CFG_UNIX").is_some();
    if let (true, Ok(folder)) = (unix, std::env::var("LIBTORCH")) {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{folder}/lib");
    }
}
