//! Room on the disk.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::announce;

const GB: u64 = 1_000_000_000;

/// What an installation takes in the repository, downloads in passing included.
pub fn needed_here(gpu: bool) -> u64 {
    if gpu { 12 * GB } else { 4 * GB }
}

/// The bytes that are free to this user where `path` is, or would be.
///
/// # Errors
/// If the file system can't be asked.
pub fn free(path: &Path) -> Result<u64> {
    let there = path.ancestors().find(|path| path.exists()).unwrap_or(path);
    let space = rustix::fs::statvfs(there)
        .with_context(|| format!("the free space at {} can't be found out", there.display()))?;
    Ok(space.f_bavail * space.f_frsize)
}

/// Checks that there is room for `needed` bytes at `path`.
///
/// # Errors
/// If there isn't.
pub fn require(path: &Path, needed: u64) -> Result<()> {
    let free = free(path)?;
    if free < needed {
        bail!(
            "only {} are free at {}, and about {} are needed: make room",
            announce::bytes(free),
            path.display(),
            announce::bytes(needed)
        );
    }
    Ok(())
}

/// The bytes that a folder takes on the disk; files that several names share count once.
pub fn used(path: &Path) -> u64 {
    fn add(path: &Path, seen: &mut std::collections::HashSet<(u64, u64)>) -> u64 {
        let Ok(meta) = fs::symlink_metadata(path) else {
            return 0;
        };
        let own = match meta.is_file() && meta.nlink() > 1 && !seen.insert((meta.dev(), meta.ino()))
        {
            true => 0,
            false => meta.blocks() * 512,
        };
        let entries = if meta.is_dir() {
            fs::read_dir(path).ok()
        } else {
            None
        };
        own + entries
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
            .map(|entry| add(&entry.path(), seen))
            .sum::<u64>()
    }
    add(path, &mut std::collections::HashSet::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_room_is_said_with_both_sizes() {
        let dir = tempfile::tempdir().unwrap();
        let error = require(&dir.path().join("not/there/yet"), u64::MAX)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("are free at") && error.contains("make room"),
            "{error}"
        );
        assert!(require(dir.path(), 1).is_ok());
    }

    #[test]
    fn a_shared_file_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), vec![1; 100_000]).unwrap();
        let alone = used(dir.path());
        fs::hard_link(dir.path().join("a"), dir.path().join("b")).unwrap();
        assert_eq!(used(dir.path()), alone);
        assert!(alone >= 100_000);
    }
}
