//! The Rust kernel inside: finding evcxr_jupyter, fetching it, or compiling it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::files::write_whole;
use crate::layout::{EVCXR_VERSION, Layout};
use crate::{builds, process};

/// Parts of rust-analyzer, among them its largest, that evcxr links and never calls.
const UNUSED: [&str; 3] = [
    "ra_ap_ide_assists",
    "ra_ap_ide_diagnostics",
    "ra_ap_ide_ssr",
];

/// Fetches a program out of an archive.
const FETCH: &str = include_str!("../python/fetch.py");

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

/// A program of evcxr's releases, by the digest that the maintainers have set.
#[derive(Debug, serde::Deserialize)]
struct Release {
    address: String,
    sha256: String,
}

/// Fetches the released program for this system, if `locks/evcxr.toml` has a digest for it.
///
/// # Errors
/// If the file isn't the locked one, can't be had or doesn't run here.
pub fn fetch(
    layout: &Layout,
    python: &Path,
    log: &Path,
    cancel: &AtomicBool,
) -> Result<Option<PathBuf>> {
    let path = layout.root.join("locks/evcxr.toml");
    let text =
        fs::read_to_string(&path).with_context(|| format!("{} can't be read", path.display()))?;
    let releases: BTreeMap<String, Release> = toml::from_str(&text)
        .with_context(|| format!("{} is not what it should be", path.display()))?;
    let Some(release) = releases
        .get(&builds::host(layout)?)
        .filter(|release| !release.sha256.is_empty())
    else {
        return Ok(None);
    };
    let program = installed(layout);
    let fetched =
        tempfile::NamedTempFile::new().context("there is no folder for short-lived files")?;
    let mut command = Command::new(python);
    command
        .args(["-c", FETCH, &release.address, &release.sha256])
        .arg("evcxr_jupyter")
        .arg(fetched.path());
    process::logged(&mut command, "Rust kernel", log, cancel)?;
    let content = fs::read(fetched.path()).context("the fetched program can't be read")?;
    write_whole(&program, &content, 0o755)?;
    // A system may be too old for it.
    if let Err(error) = process::output(
        Command::new(&program).arg("--help"),
        Duration::from_secs(20),
    ) {
        let _ = fs::remove_file(&program);
        return Err(error).context("the released program doesn't run here");
    }
    Ok(Some(program))
}

/// Compiles and installs evcxr_jupyter for this user.
///
/// Half the time goes into optimising a program that mostly waits for rustc, so it is built at a
/// lower level, and the parts of rust-analyzer that it never calls at none. What is compiled is kept until all is done: cut off, the next try goes on from there.
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
        .args(UNUSED.iter().flat_map(|name| {
            let level = format!("profile.release.package.{name}.opt-level=0");
            ["--config".to_owned(), level]
        }))
        .env("CARGO_TARGET_DIR", &target)
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off")
        .envs(process::CARGO_TELLS)
        // Settings for the reader's own programs would only slow this down, or break it.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .current_dir(&layout.cache);
    // JupyterLab is what a newcomer waits for first, and what they read in meanwhile.
    process::stand_back(&mut command);
    process::watched(&mut command, log, cancel, tell)?;
    fs::remove_dir_all(&target)
        .with_context(|| format!("{} can't be removed", target.display()))?;
    Ok(installed(layout))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    #[test]
    fn a_release_is_taken_by_its_digest_only() {
        use sha2::Digest;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        let layout = Layout {
            root: root.join("repo"),
            cache: root.join("cache"),
            search: std::env::var_os("PATH").unwrap(),
        };
        let python = crate::python::interpreter(&layout, (3, 10)).unwrap().0;
        let pack = |script: &str| {
            let folder = root.join("evcxr-v0");
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("evcxr_jupyter"), script).unwrap();
            let chmod = "chmod +x evcxr-v0/evcxr_jupyter && tar czf evcxr.tar.gz evcxr-v0";
            let packed = Command::new("sh")
                .args(["-c", chmod])
                .current_dir(root)
                .status();
            assert!(packed.unwrap().success());
            let bytes = fs::read(root.join("evcxr.tar.gz")).unwrap();
            let digest = sha2::Sha256::digest(&bytes);
            digest
                .iter()
                .map(|byte| format!("{byte:02x}"))
                .collect::<String>()
        };
        let fetch = |digest: &str| {
            fs::create_dir_all(layout.root.join("locks")).unwrap();
            let host = builds::host(&layout).unwrap();
            let address = format!("file://{}/evcxr.tar.gz", root.display());
            let list = format!("[{host}]\naddress = {address:?}\nsha256 = {digest:?}\n");
            fs::write(layout.root.join("locks/evcxr.toml"), list).unwrap();
            fetch(&layout, &python, &root.join("log"), &AtomicBool::new(false))
        };
        let digest = pack("#!/bin/sh\nexit 0\n");
        assert_eq!(fetch("").unwrap(), None);
        let error = format!("{:#}", fetch(&"0".repeat(64)).unwrap_err());
        assert!(error.contains("is not the file that is locked"), "{error}");
        assert!(!installed(&layout).exists());
        assert_eq!(fetch(&digest).unwrap(), Some(installed(&layout)));
        let digest = pack("#!/bin/sh\nexit 1\n");
        let error = format!("{:#}", fetch(&digest).unwrap_err());
        assert!(error.contains("doesn't run here"), "{error}");
        assert!(!installed(&layout).exists(), "a broken program is left");
    }

    #[test]
    fn the_list_of_releases_can_be_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../locks/evcxr.toml");
        let list: BTreeMap<String, Release> =
            toml::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        for release in list.values() {
            assert!(release.address.contains(&format!("v{EVCXR_VERSION}")));
            assert!(release.sha256.is_empty() || release.sha256.len() == 64);
        }
    }

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
