//! The program behind Tab and Shift+Tab, `cell-analysis`: compiled last, since no cell waits for it.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::Result;

use crate::layout::Layout;
use crate::own_program::OwnProgram;
use crate::{builds, files};

const PROGRAM: OwnProgram = OwnProgram {
    package: "cell-analysis",
    name: "cell-analysis",
    // Somebody waits for each of its answers.
    profile: ("analysis", "analysis"),
    parts: &["src", "assets"],
};

/// Where the kernel looks for it.
pub fn beside_this_one() -> PathBuf {
    beside(&env::current_exe().unwrap_or_default())
}

/// Where it lies for a copy of this tool.
pub fn beside(tool: &Path) -> PathBuf {
    tool.with_file_name(PROGRAM.name)
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
    let content = PROGRAM.compile(layout, log, cancel, &|_| {})?;
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
    beside(tool).with_extension("stamp")
}

/// What it depends on: it knows where this compiler keeps its sources.
fn stamp(layout: &Layout) -> Result<String> {
    let compiler = builds::rustc_version(layout)?;
    Ok(format!("{} {compiler}", PROGRAM.stamp(layout)?))
}
