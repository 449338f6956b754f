//! Lets this crate's tests, examples and benches find libtorch at run time.

fn main() {
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    if let Ok(libtorch) = std::env::var("LIBTORCH")
        && std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix")
    {
        println!("cargo::rustc-link-arg=-Wl,-rpath,{libtorch}/lib");
    }
}
