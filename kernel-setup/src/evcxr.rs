//! The Rust kernel inside: evcxr_jupyter, as `evcxr-kernel` makes it.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::Result;

use crate::files;
use crate::layout::Layout;
use crate::own_program::OwnProgram;

const PROGRAM: OwnProgram = OwnProgram {
    package: "evcxr-kernel",
    name: "evcxr_jupyter",
    // It mostly waits for rustc, so half a minute of optimising it would gain nothing; and what it shares with
    // this tool is compiled already.
    profile: ("dev", "debug"),
    parts: &["src", "analyzer"],
};

/// The program for the present sources, if it has been compiled.
pub fn find(layout: &Layout) -> Option<PathBuf> {
    let program = planned(layout).ok()?;
    program.is_file().then_some(program)
}

/// The program that there is, or will be when the installation is done. One of other sources lies elsewhere:
/// a kernel that runs goes on with its own.
///
/// # Errors
/// If the sources can't be read.
pub fn planned(layout: &Layout) -> Result<PathBuf> {
    let folder = layout.evcxr_root().join(PROGRAM.stamp(layout)?);
    Ok(folder.join(PROGRAM.name))
}

/// Compiles and installs it for this user.
///
/// # Errors
/// If it can't be compiled or written.
pub fn install(
    layout: &Layout,
    log: &Path,
    cancel: &AtomicBool,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf> {
    let program = planned(layout)?;
    let content = PROGRAM.compile(layout, log, cancel, tell)?;
    files::write_whole(&program, &content, 0o755)?;
    Ok(program)
}
