//! The program behind Tab and Shift+Tab, `cell-analysis`: compiled last, since no cell waits for it.

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};

use crate::layout::Layout;
use crate::{builds, files, jupyter, process};

/// Its name, and that of its crate.
const NAME: &str = "cell-analysis";
/// How it is compiled (`Cargo.toml`): somebody waits for each of its answers.
const PROFILE: &str = "analysis";

/// Where the kernel looks for it.
pub fn beside_this_one() -> PathBuf {
    beside(&env::current_exe().unwrap_or_default())
}

/// Where it lies for a copy of this tool.
pub fn beside(tool: &Path) -> PathBuf {
    tool.with_file_name(NAME)
}

/// Whether the program beside a copy of this tool was made from the present sources.
///
/// # Errors
/// If the sources can't be read or rustc doesn't run.
pub fn is_current(layout: &Layout, tool: &Path) -> Result<bool> {
    let made_from = fs::read_to_string(stamp_file(tool));
    Ok(beside(tool).is_file() && made_from.ok() == Some(stamp(layout)?))
}

/// Compiles the program and puts it beside a copy of this tool.
///
/// # Errors
/// If it can't be compiled or written.
pub fn install(layout: &Layout, tool: &Path, log: &Path, cancel: &AtomicBool) -> Result<()> {
    let target = layout.root.join("target");
    let mut command = Command::new("cargo");
    jupyter::forget_cargo(&mut command);
    command
        .args(["build", "--locked", "--package", NAME, "--profile", PROFILE])
        .arg("--target-dir")
        .arg(&target)
        .env_remove("CARGO_BUILD_BUILD_DIR")
        .env_remove("CARGO_BUILD_TARGET")
        .current_dir(&layout.root);
    process::stand_back(&mut command);
    process::logged(&mut command, "Tab and Shift+Tab", log, cancel)?;
    let made = target.join(PROFILE).join(NAME);
    let content = fs::read(&made).with_context(|| format!("{} can't be read", made.display()))?;
    put(layout, tool, &content)
}

/// Puts a program that was made from the present sources beside a copy of this tool.
///
/// # Errors
/// If the sources can't be read or the program can't be written.
pub fn put(layout: &Layout, tool: &Path, program: &[u8]) -> Result<()> {
    let stamp = stamp(layout)?;
    files::write_whole(&beside(tool), program, 0o755)?;
    files::write_whole(&stamp_file(tool), stamp.as_bytes(), 0o644)
}

fn stamp_file(tool: &Path) -> PathBuf {
    tool.with_file_name(format!("{NAME}.stamp"))
}

fn stamp(layout: &Layout) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    builds::rustc_version(layout)?.hash(&mut hasher);
    let folder = layout.root.join(NAME);
    let files = ["Cargo.lock", "Cargo.toml"].map(|name| layout.root.join(name));
    let mut files = [files.to_vec(), vec![folder.join("Cargo.toml")]].concat();
    for part in ["src", "assets"] {
        builds::list_files(&folder.join(part), &mut files)?;
    }
    builds::hash_files(files, &mut hasher)?;
    Ok(format!("{:016x}", hasher.finish()))
}
