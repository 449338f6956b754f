//! Build slots: one warm folder for every kernel that runs at the same time.
//!
//! evcxr compiles each cell in a folder of its own, and two kernels must never share one. The folder
//! `builds/N` belongs to whoever holds the lock on the file `builds/N.lock`. The lock is passed on to
//! every process that the kernel starts, so it is free again only when the last of them is gone,
//! however they ended.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

/// More kernels than this at the same time are taken for a mistake.
const MOST_SLOTS: usize = 64;

/// A build folder that nobody else uses.
#[derive(Debug)]
pub struct Slot {
    /// The folder: evcxr's `EVCXR_TMPDIR`.
    pub dir: PathBuf,
    /// Where the slot's owner may note what a later owner has to clean up.
    pub note: PathBuf,
    /// Held, never read: the lock lives as long as this file is open, here or in a child process.
    _lock: File,
}

impl Slot {
    /// Takes the first free slot below `builds`, and makes it warm by copying a warm one.
    ///
    /// # Errors
    /// If the folder cannot be written, or all slots are taken.
    pub fn take(builds: &Path) -> Result<Self> {
        fs::create_dir_all(builds).with_context(|| {
            format!(
                "cannot make the folder {} for the kernel's builds",
                builds.display()
            )
        })?;
        for number in 0..MOST_SLOTS {
            let path = builds.join(format!("{number}.lock"));
            let lock = File::options()
                .create(true)
                .truncate(false)
                .write(true)
                .open(&path)
                .with_context(|| format!("cannot open the lock file {}", path.display()))?;
            match lock.try_lock() {
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => continue,
                Err(fs::TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock {}", path.display()));
                }
            }
            rustix::io::fcntl_setfd(&lock, rustix::io::FdFlags::empty())
                .with_context(|| format!("cannot share the lock {}", path.display()))?;
            let dir = builds.join(number.to_string());
            warm(&dir, builds)?;
            return Ok(Self {
                dir,
                note: builds.join(format!("{number}.run")),
                _lock: lock,
            });
        }
        bail!(
            "all {MOST_SLOTS} build folders below {} are in use: shut some kernels down",
            builds.display()
        )
    }
}

/// Fills an empty slot from the first warm one.
fn warm(dir: &Path, builds: &Path) -> Result<()> {
    if dir.join("target").is_dir() {
        return Ok(());
    }
    let source = (0..MOST_SLOTS)
        .map(|number| builds.join(number.to_string()))
        .find(|other| other != dir && other.join("target").is_dir());
    let Some(source) = source else {
        return fs::create_dir_all(dir)
            .with_context(|| format!("cannot make the build folder {}", dir.display()));
    };
    let draft = dir.with_extension("draft");
    let copied = remove_tree(&draft).and_then(|()| copy_tree(&source, &draft));
    let done = copied
        .and_then(|()| remove_tree(dir))
        .and_then(|()| fs::rename(&draft, dir));
    done.with_context(|| {
        format!(
            "cannot copy the build folder {} to {}",
            source.display(),
            dir.display()
        )
    })
}

/// Removes a folder, and is content if there is none.
fn remove_tree(dir: &Path) -> std::io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Copies what Cargo needs to find its work done: the times of all files are kept, since Cargo
/// compares them. Compiled crates are shared as hard links: the compiler replaces such a file and
/// never writes into it.
fn copy_tree(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        // The cells that another kernel compiled, and files that may vanish while being copied.
        let others = name == "incremental"
            || name == ".cargo-lock"
            || name.starts_with("libcode_")
            || name.starts_with("libctx");
        if others {
            continue;
        }
        let copied = if kind.is_dir() {
            copy_tree(&source, &target)
        } else if kind.is_file() {
            let shared = [".rlib", ".rmeta", ".so", ".dylib"]
                .iter()
                .any(|ending| name.ends_with(ending));
            if shared && fs::hard_link(&source, &target).is_ok() {
                Ok(())
            } else {
                copy_file(&source, &target)
            }
        } else {
            Ok(())
        };
        match copied {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let modified = fs::metadata(from)?.modified()?;
    File::open(to)?.set_times(fs::FileTimes::new().set_modified(modified))
}

fn copy_file(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to)?;
    let modified = fs::metadata(from)?.modified()?;
    File::options()
        .write(true)
        .open(to)?
        .set_times(fs::FileTimes::new().set_modified(modified))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_kernels_never_share_a_slot_and_the_second_starts_warm() -> Result<()> {
        let builds = tempfile::tempdir()?;
        let first = Slot::take(builds.path())?;
        let deps = first.dir.join("target/deps");
        fs::create_dir_all(&deps)?;
        for name in ["libserde.rlib", "serde.d", "libcode_3.so"] {
            fs::write(deps.join(name), name)?;
        }
        let old = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000);
        File::options()
            .write(true)
            .open(deps.join("serde.d"))?
            .set_times(fs::FileTimes::new().set_modified(old))?;

        let second = Slot::take(builds.path())?;
        assert_ne!(first.dir, second.dir);
        let copied = second.dir.join("target/deps");
        assert_eq!(
            fs::read_to_string(copied.join("libserde.rlib"))?,
            "libserde.rlib"
        );
        assert_eq!(fs::metadata(copied.join("serde.d"))?.modified()?, old);
        assert!(!copied.join("libcode_3.so").exists());

        let freed = first.dir.clone();
        drop(first);
        assert_eq!(Slot::take(builds.path())?.dir, freed);
        Ok(())
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let error = Slot::take(Path::new("/proc/nothing")).unwrap_err();
        assert!(format!("{error:#}").contains("/proc/nothing"));
    }
}
