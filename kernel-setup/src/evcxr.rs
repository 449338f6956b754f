//! The Rust kernel inside: finding evcxr_jupyter, or compiling it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};

use crate::layout::{EVCXR_VERSION, Layout};
use crate::process;

/// The evcxr_jupyter to use, if there is one of the right version: the user's own on the search
/// path, else the one this tool has installed.
pub fn find(layout: &Layout) -> Option<PathBuf> {
    layout
        .program("evcxr_jupyter")
        .filter(|program| version_of(program).as_deref() == Some(EVCXR_VERSION))
        .or_else(|| Some(installed(layout)).filter(|program| program.is_file()))
}

/// The program that there is, or will be when the installation is done.
pub fn planned(layout: &Layout) -> PathBuf {
    find(layout).unwrap_or_else(|| installed(layout))
}

fn installed(layout: &Layout) -> PathBuf {
    layout.evcxr_root().join("bin").join("evcxr_jupyter")
}

/// The version that cargo or conda noted when it installed `program`, which can't tell it itself.
fn version_of(program: &Path) -> Option<String> {
    let prefix = program.parent()?.parent()?;
    let by_cargo = fs::read_to_string(prefix.join(".crates.toml"))
        .ok()
        .and_then(|list| {
            let entry = list
                .lines()
                .find_map(|line| line.strip_prefix("\"evcxr_jupyter "))?;
            entry.split(' ').next().map(str::to_owned)
        });
    by_cargo.or_else(|| {
        fs::read_dir(prefix.join("conda-meta"))
            .ok()?
            .find_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                let rest = name.strip_suffix(".json")?.strip_prefix("evcxr-")?;
                rest.split('-').next().map(str::to_owned)
            })
    })
}

/// Compiles and installs evcxr_jupyter for this user.
///
/// Half the time goes into optimising a program that mostly waits for rustc, so it is built at a
/// lower level. What is compiled is kept until all is done: cut off, the next try goes on from there.
///
/// # Errors
/// If cargo fails.
pub fn install(
    layout: &Layout,
    log: &Path,
    cancel: &AtomicBool,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf> {
    let (root, target) = (layout.evcxr_root(), layout.evcxr_target());
    fs::create_dir_all(&target).with_context(|| format!("{} can't be made", target.display()))?;
    let mut command = Command::new("cargo");
    command
        .args([
            "install",
            "evcxr_jupyter",
            "--version",
            EVCXR_VERSION,
            "--locked",
            "--force",
        ])
        .arg("--root")
        .arg(&root)
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .envs(process::CARGO_TELLS)
        // Settings for the reader's own programs would only slow this down, or break it.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(&layout.cache);
    process::watched(&mut command, log, cancel, tell)?;
    fs::remove_dir_all(&target)
        .with_context(|| format!("{} can't be removed", target.display()))?;
    Ok(installed(layout))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_the_installer_noted() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("bin/evcxr_jupyter");
        assert_eq!(version_of(&program), None);
        fs::create_dir_all(dir.path().join("conda-meta")).unwrap();
        fs::write(dir.path().join("conda-meta/evcxr-0.21.1-h1.json"), "{}").unwrap();
        assert_eq!(version_of(&program).as_deref(), Some("0.21.1"));
        let list = "[v1]\n\"evcxr_jupyter 0.22.0 (registry+https://x)\" = [\"evcxr_jupyter\"]\n";
        fs::write(dir.path().join(".crates.toml"), list).unwrap();
        assert_eq!(version_of(&program).as_deref(), Some("0.22.0"));
    }
}
