//! Stopping a long call, and keeping what it has reached.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::OnceLock;

use serde_json::json;

use crate::channel::{self, Place};

/// Whether somebody has pressed "interrupt" since the cell began.
///
/// A long loop asks this at every step, which costs well under a microsecond, and ends in order: the
/// cell then keeps its variables. A cell that does not ask is stopped the hard way after a few
/// seconds, and its variables are lost. Always false outside the live kernel.
pub fn interrupted() -> bool {
    // Two copies of this crate in two cells open the file twice, which is fine.
    static FLAG: OnceLock<Option<File>> = OnceLock::new();
    let flag = FLAG.get_or_init(|| {
        let folder = std::env::var_os("ICVAE_LIVE")?;
        File::open(std::path::Path::new(&folder).join("interrupt")).ok()
    });
    flag.as_ref().is_some_and(is_raised)
}

/// Tells the live kernel that the running call has stopped in order, and what it has reached.
///
/// The kernel then lets the cell end by itself however long that takes, and ends it with an error
/// that quotes `reached`, a sentence such as "training stopped after 3 of 30 epochs".
pub fn tell_interrupted(reached: &str) {
    if let Place::Live(folder) = Place::find() {
        // The kernel will say that the cell was interrupted, with or without the details.
        let _ = channel::request(&folder, &json!({"type": "interrupted", "reached": reached}));
    }
}

fn is_raised(flag: &File) -> bool {
    let mut byte = [0];
    matches!(flag.read_at(&mut byte, 0), Ok(1)) && byte == *b"1"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_flag_can_be_raised_and_lowered() -> std::io::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("interrupt");
        std::fs::write(&path, "")?;
        let flag = File::open(&path)?;
        assert!(!is_raised(&flag));
        std::fs::write(&path, "1")?;
        assert!(is_raised(&flag));
        std::fs::write(&path, "0")?;
        assert!(!is_raised(&flag));
        Ok(())
    }
}
