//! evcxr_jupyter 0.22 as it is, but for one part. evcxr links the whole of rust-analyzer, to be told the type of
//! each variable that a cell defines: five of the six minutes that its compilation takes, and then ten seconds of
//! each kernel's start, in which it reads the sources of all crates. Here those crates are replaced
//! (`[patch.crates-io]` in the workspace's manifest) by some that ask the compiler: see `analyzer/ide/src/types.rs`.

/// Runs evcxr_jupyter, or what it starts this program for.
///
/// # Errors
/// Those of evcxr_jupyter.
fn main() -> anyhow::Result<()> {
    // Before anything else, since evcxr has its own reasons to start this program once more.
    if let Some(ended) = ra_ap_ide::types::act() {
        std::process::exit(ended);
    }
    evcxr_jupyter::main()
}
