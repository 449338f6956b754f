//! The standard library's sources, from which rust-analyzer, inside evcxr, knows the types of a cell's variables.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::process;

/// The crates whose names a cell can meet. What they leave out is large and seldom asked for: more than half
/// of the sources are the processors' instructions (`std::arch`).
const CRATES: [&str; 7] = [
    "alloc",
    "core",
    "panic_abort",
    "panic_unwind",
    "proc_macro",
    "std",
    "unwind",
];

/// How long rustc may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the sources are that belong to a folder of compiled libraries (`rustc --print target-libdir`).
pub fn beside(libraries: &Path) -> Option<PathBuf> {
    let rustlib = libraries.parent()?.parent()?;
    Some(rustlib.join("src/rust/library")).filter(|sources| sources.join("core").is_dir())
}

/// The sources of the toolchain in use, if they are there.
///
/// # Errors
/// If rustc can't be asked.
pub fn find(layout: &Layout) -> Result<Option<PathBuf>> {
    let rustc = layout
        .program("rustc")
        .context("rustc is not on the search path")?;
    let asked = process::output(
        Command::new(rustc).args(["--print", "target-libdir"]),
        PATIENCE,
    )?;
    Ok(beside(Path::new(&asked)))
}

/// Fetches them.
///
/// # Errors
/// If there is no rustup, or it fails.
pub fn install(layout: &Layout, log: &Path, cancel: &AtomicBool) -> Result<()> {
    let rustup = layout
        .program("rustup")
        .context("there is no rustup to fetch them: install your system's package rust-src")?;
    let mut command = Command::new(rustup);
    command.args(["component", "add", "rust-src"]);
    process::logged(&mut command, "standard library's sources", log, cancel)
}

/// Makes a folder, if it isn't there, that holds the part of the sources that cells ask for, by links. rust-analyzer
/// reads all that lies there, twice in a kernel's start; without a manifest it asks no cargo what else belongs to it.
///
/// # Errors
/// If the folder can't be written.
pub fn link(sources: &Path, folder: &Path) -> Result<PathBuf> {
    let folder = folder.join("rust-src");
    let failed = || format!("{} can't be made", folder.display());
    fs::create_dir_all(&folder).with_context(failed)?;
    for name in CRATES {
        let (there, here) = (sources.join(name), folder.join(name));
        if there.is_dir() && !here.exists() {
            symlink(there, here).with_context(failed)?;
        }
    }
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_found_beside_the_libraries_and_linked_without_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let libraries = dir.path().join("lib/rustlib/a-target/lib");
        let sources = dir.path().join("lib/rustlib/src/rust/library");
        assert_eq!(beside(&libraries), None);
        for name in ["core/src", "std/src", "stdarch/crates"] {
            fs::create_dir_all(sources.join(name)).unwrap();
        }
        assert_eq!(beside(&libraries), Some(sources.clone()));
        let linked = link(&sources, dir.path()).unwrap();
        assert_eq!(link(&sources, dir.path()).unwrap(), linked, "once more");
        assert!(linked.join("core/src").is_dir() && linked.join("std/src").is_dir());
        assert!(!linked.join("stdarch").exists() && !linked.join("alloc").exists());
    }
}
