//! The way to a panic, as lines of the program that evcxr made of the cells.

use std::path::{Path, PathBuf};

/// A place in the code of a loaded library: what a call returns to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// From where the library is loaded.
    pub offset: u64,
    pub file: PathBuf,
}

/// What the reader's process tells: a line for each place, the nearest first.
pub fn parse(told: &str) -> Vec<Spot> {
    let spots = told.lines().filter_map(|line| {
        let (offset, file) = line.split_once(' ')?;
        Some(Spot {
            offset: offset.parse().ok()?,
            file: file.into(),
        })
    });
    spots.collect()
}

/// The lines of the latest program on the way, the nearest first. (A closure that an earlier cell has made is of an
/// earlier program, whose lines nobody knows any more.)
pub fn lines(way: &[Spot]) -> Vec<usize> {
    let Some(latest) = way.last() else {
        return Vec::new();
    };
    let Ok(program) = addr2line::Loader::new(&latest.file) else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    for spot in way.iter().filter(|spot| spot.file == latest.file) {
        // The call lies before what it returns to.
        let Ok(mut frames) = program.find_frames(spot.offset.saturating_sub(1)) else {
            continue;
        };
        while let Ok(Some(frame)) = frames.next() {
            let Some(location) = frame.location else {
                continue;
            };
            let own = location.file.is_some_and(is_of_the_cells);
            lines.extend(location.line.filter(|_| own).map(|line| line as usize));
        }
    }
    lines
}

/// Where evcxr puts the cells; a library's own sources have another folder above them.
fn is_of_the_cells(file: &str) -> bool {
    Path::new(file).ends_with("src/lib.rs")
        && !file.contains("/registry/")
        && !file.starts_with("/rustc/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_way_is_none() {
        assert_eq!(
            parse("12 /a/b c.so\nx /a\n\n7"),
            [Spot {
                offset: 12,
                file: "/a/b c.so".into()
            }]
        );
        let nowhere = Spot {
            offset: 5,
            file: "/nowhere".into(),
        };
        let no_program = Spot {
            offset: 5,
            file: std::env::temp_dir(),
        };
        for way in [vec![], vec![nowhere], vec![no_program]] {
            assert_eq!(lines(&way), Vec::<usize>::new());
        }
    }

    #[test]
    fn sources_of_libraries_are_not_the_cells() {
        assert!(is_of_the_cells("/tmp/builds/0/src/lib.rs") && is_of_the_cells("src/lib.rs"));
        for other in [
            "/rustc/1/src/lib.rs",
            "/home/.cargo/registry/src/x/src/lib.rs",
            "/a/src/main.rs",
        ] {
            assert!(!is_of_the_cells(other), "{other}");
        }
    }
}
