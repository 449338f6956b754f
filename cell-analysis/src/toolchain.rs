//! What the toolchain and cargo know: the notebook's crates, those at hand, and the documentation.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cell_analysis::Graph;

/// The crates of the notebook, without a network.
pub fn graph(folder: &Path) -> Option<Graph> {
    // Crates of other systems may not have been downloaded.
    let version = Command::new("rustc")
        .arg("-vV")
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))?;
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--filter-platform",
            host,
        ])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Graph::read(&String::from_utf8_lossy(&output.stdout))
}

/// The folder of the toolchain's documentation; not everybody has installed it.
pub fn documentation() -> Option<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Some(sysroot.join("share/doc/rust/html"))
}

/// The crates that Cargo has downloaded before, each with its newest version.
pub fn crates_at_hand() -> Vec<(String, String)> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home =
        home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let Some(registries) = home.and_then(|home| std::fs::read_dir(home.join("registry/src")).ok())
    else {
        return Vec::new();
    };
    let mut found = std::collections::BTreeMap::<String, String>::new();
    for registry in registries.flatten() {
        for folder in std::fs::read_dir(registry.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            let folder = folder.file_name().to_string_lossy().into_owned();
            let split = folder
                .match_indices('-')
                .find(|(i, _)| folder[i + 1..].starts_with(|c: char| c.is_ascii_digit()));
            if let Some((i, _)) = split {
                let (name, version) = (&folder[..i], &folder[i + 1..]);
                let known = found.entry(name.to_owned()).or_default();
                if numbers(known) < numbers(version) {
                    *known = version.to_owned();
                }
            }
        }
    }
    found.into_iter().collect()
}

fn numbers(version: &str) -> Vec<u64> {
    version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse().ok())
        .collect()
}
