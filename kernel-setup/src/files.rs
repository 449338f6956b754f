//! Files that are written whole or not at all.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file under another name, with the given permissions, and gives it its own name when all
/// of it is on the disk: after a crash or a full disk there is the old file or the new one.
///
/// # Errors
/// If the folder can't be made or written.
pub fn write_whole(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    let failed = || format!("{} can't be written", path.display());
    let dir = path.parent().with_context(failed)?;
    fs::create_dir_all(dir).with_context(failed)?;
    let mut file = tempfile::NamedTempFile::new_in(dir).with_context(failed)?;
    file.write_all(content).with_context(failed)?;
    let handle = file.as_file();
    handle
        .set_permissions(fs::Permissions::from_mode(mode))
        .and_then(|()| handle.sync_all())
        .with_context(failed)?;
    file.persist(path).with_context(failed)?;
    // Not every file system can do that with a folder; the file itself is safe.
    let _ = fs::File::open(dir).and_then(|dir| dir.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_written_leaves_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("a");
        write_whole(&target, b"one", 0o644).unwrap();
        // A folder of that name can't be replaced by a file.
        let folder = dir.path().join("b");
        fs::create_dir_all(folder.join("full")).unwrap();
        let error = write_whole(&folder, b"two", 0o644).unwrap_err().to_string();
        assert!(error.contains("can't be written"), "{error}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
        assert_eq!(fs::read(target).unwrap(), b"one");
    }
}
