//! Build slots: one warm folder for every kernel that runs at the same time.
//!
//! evcxr compiles each cell in a folder of its own, and two kernels must never share one. The folder
//! `builds/N` belongs to whoever holds the lock on the file `builds/N.lock`. The lock is passed on to
//! every process that the kernel starts, so it is free again only when the last of them is gone,
//! however they ended.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::builds;

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
    /// Takes the first free slot below `builds`, and makes it a copy of the warm folder.
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
            builds::refresh(&builds.join("warm"), &dir)?;
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

/// Hands out the notes of slots that nobody holds, and removes them: their owners are gone.
pub fn free_notes(builds: &Path, mut tell: impl FnMut(&Path)) {
    for number in 0..MOST_SLOTS {
        let note = builds.join(format!("{number}.run"));
        if !note.exists() {
            continue;
        }
        // Held until the note is gone, so that no new owner loses one.
        if let Ok(Some(_lock)) = builds::try_lock(&builds.join(format!("{number}.lock"))) {
            tell(&note);
            // What remains is found again by the next one.
            let _ = fs::remove_file(&note);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_kernels_never_share_a_slot_and_a_freed_one_is_taken_again() -> Result<()> {
        let builds = tempfile::tempdir()?;
        let first = Slot::take(builds.path())?;
        let second = Slot::take(builds.path())?;
        assert_ne!(first.dir, second.dir);

        let freed = first.dir.clone();
        drop(first);
        assert_eq!(Slot::take(builds.path())?.dir, freed);
        Ok(())
    }

    #[test]
    fn notes_of_owners_that_are_gone_are_handed_out_once() -> Result<()> {
        let builds = tempfile::tempdir()?;
        let (gone, alive) = (Slot::take(builds.path())?, Slot::take(builds.path())?);
        fs::write(&gone.note, "")?;
        fs::write(&alive.note, "")?;
        let note = gone.note.clone();
        drop(gone);
        for expected in [vec![note], Vec::new()] {
            let mut found = Vec::new();
            free_notes(builds.path(), |note| found.push(note.to_owned()));
            assert_eq!(found, expected);
        }
        assert!(alive.note.exists());
        Ok(())
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let error = Slot::take(Path::new("/proc/nothing")).unwrap_err();
        assert!(format!("{error:#}").contains("/proc/nothing"));
    }
}
