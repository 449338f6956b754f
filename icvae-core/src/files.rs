//! Where files lie and how they are written: the one home of both.

use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// Writes a file whole or not at all: under a temporary name in its own folder (made where it is missing),
/// brought to the disk, then renamed. A crash or a cut in the power leaves the old file or the new one.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // As `File::create` would make it; the umask applies.
    let mut file = tempfile::Builder::new()
        .prefix(PARTIAL)
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The name itself: some file systems can't, and then nothing better can be done.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

/// How the names of files begin that are not whole yet.
const PARTIAL: &str = ".tmp";

/// Removes what a process has left that was killed while it wrote. Nobody else may write to the folder meanwhile.
pub(crate) fn remove_partial(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PARTIAL) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// `icvae` in the user's cache folder: `$XDG_CACHE_HOME/icvae`, else `~/.cache/icvae`.
pub(crate) fn cache_folder() -> Result<PathBuf> {
    dirs::cache_dir()
        .map(|cache| cache.join("icvae"))
        .ok_or_else(|| {
            Error::Invalid(
                "there is no cache folder to keep anything in: set HOME or XDG_CACHE_HOME".into(),
            )
        })
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_may_be_read_by_others() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("new folder").join("file");
        write_whole(&path, b"first")?;
        write_whole(&path, b"2nd")?;
        assert_eq!(fs::read(&path)?, b"2nd");
        let plain = folder.path().join("plain");
        fs::write(&plain, "")?;
        let mode = |path: &Path| fs::metadata(path).map(|file| file.permissions().mode() & 0o777);
        assert_eq!(mode(&path)?, mode(&plain)?);
        assert_eq!(fs::read_dir(folder.path().join("new folder"))?.count(), 1);
        Ok(())
    }

    #[test]
    fn what_cannot_be_written_leaves_the_old_file() -> io::Result<()> {
        let folder = tempfile::tempdir()?;
        let occupied = folder.path().join("a file");
        fs::write(&occupied, "kept")?;
        assert!(write_whole(&occupied.join("below"), b"new").is_err());
        assert_eq!(fs::read(&occupied)?, b"kept");
        Ok(())
    }
}
