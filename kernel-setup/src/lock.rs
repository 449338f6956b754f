//! The locks: every Python package that is installed, the indirect ones too, with the digests of its
//! files. `environment.yml` says what is wanted, `cargo kernel lock` makes these files from it, and
//! pip installs nothing that differs from them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result, bail, ensure};

use crate::files;
use crate::layout::Layout;
use crate::pins::Pins;
use crate::process;

/// The packages of libtorch from PyPI, those of the CPU build from PyTorch's own index, the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Torch,
    CpuTorch,
    Notebook,
}

impl Part {
    fn file(self) -> &'static str {
        match self {
            Self::Torch => "torch.txt",
            Self::CpuTorch => "torch-cpu.txt",
            Self::Notebook => "notebook.txt",
        }
    }
}

/// The folder of the locks.
#[derive(Debug, Clone)]
pub struct Locks(pub PathBuf);

impl Locks {
    /// Those of the repository.
    pub fn of(layout: &Layout) -> Self {
        Self(layout.root.join("locks"))
    }

    /// Whether this part is there: the CPU build's is made only where its index can be reached.
    pub fn has(&self, part: Part) -> bool {
        self.path(part).is_file()
    }

    /// The file of a part.
    pub fn path(&self, part: Part) -> PathBuf {
        self.0.join(part.file())
    }

    /// The entries of a part for these packages alone.
    ///
    /// # Errors
    /// If the file can't be read or lacks one of them.
    pub fn only(&self, part: Part, packages: &[&str]) -> Result<String> {
        let path = self.path(part);
        let text = fs::read_to_string(&path)
            .with_context(|| format!("{} can't be read", path.display()))?;
        let mut chosen = String::new();
        for package in packages {
            let mut found = entries(&text)
                .filter(|entry| name(entry) == *package)
                .peekable();
            ensure!(
                found.peek().is_some(),
                "{} lacks {package}: run `cargo kernel lock`",
                path.display()
            );
            found.for_each(|entry| chosen += entry);
        }
        Ok(chosen)
    }
}

/// A package with its version, its conditions and its digests, lines and all.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    let starts: Vec<usize> = text
        .split_inclusive('\n')
        .scan(0, |at, line| {
            let start = *at;
            *at += line.len();
            Some((start, line))
        })
        .filter(|(_, line)| line.starts_with(|c: char| c.is_ascii_alphanumeric()))
        .map(|(start, _)| start)
        .collect();
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts
        .into_iter()
        .zip(ends)
        .map(|(start, end)| &text[start..end])
}

fn name(entry: &str) -> &str {
    entry.split("==").next().unwrap_or_default()
}

/// Makes the locks anew from `environment.yml`.
///
/// # Errors
/// If uv isn't installed, or finds no set of packages that fits together.
pub fn make(layout: &Layout, cpu_index: &str) -> Result<()> {
    let uv = layout
        .program("uv")
        .context("uv, which resolves for all systems at once, isn't here: run `pip install uv`")?;
    let pins = Pins::read(&layout.environment_file())?;
    let (torch, others): (Vec<_>, Vec<_>) =
        pins.packages.iter().partition(|pin| pin.name == "torch");
    let locks = Locks::of(layout);
    let requirements = |pins: &[&crate::pins::Pin]| {
        let lines: Vec<String> = pins.iter().map(|pin| pin.requirement() + "\n").collect();
        lines.concat()
    };
    let resolve = |part: Part, wanted: &str, more: &[&str]| -> Result<()> {
        let work = tempfile::tempdir()?;
        let (input, output) = (work.path().join("in.txt"), work.path().join("out.txt"));
        fs::write(&input, wanted)?;
        let (major, minor) = pins.python;
        let mut command = Command::new(&uv);
        command
            .args(["pip", "compile", "--universal", "--generate-hashes"])
            .args(["--no-header", "--no-annotate", "--no-config", "--quiet"])
            .args(["--python-version", &format!("{major}.{minor}")])
            .args(more)
            .arg(&input)
            .arg("--output-file")
            .arg(&output);
        let cancel = AtomicBool::new(false);
        process::logged(&mut command, part.file(), &layout.log("lock"), &cancel)?;
        let text = fs::read_to_string(&output)?;
        check(&text).with_context(|| part.file())?;
        let head = "# Made by `cargo kernel lock` from environment.yml. Not to be edited.\n";
        files::write_whole(
            &locks.path(part),
            (head.to_owned() + &text).as_bytes(),
            0o644,
        )
    };
    resolve(Part::Notebook, &requirements(&others), &[])?;
    // What both have is of one version.
    let shared = locks.path(Part::Notebook);
    let shared = shared.to_string_lossy();
    resolve(
        Part::Torch,
        &requirements(&torch),
        &["--constraints", &shared],
    )?;
    let cpu = ["--no-deps", "--index-url", cpu_index];
    if let Err(error) = resolve(Part::CpuTorch, &requirements(&torch), &cpu) {
        crate::announce::note(&format!(
            "{cpu_index} can't be asked, so machines without a GPU get PyPI's build: {error:#}"
        ));
        let path = locks.path(Part::CpuTorch);
        if path.exists() {
            fs::remove_file(&path)
                .with_context(|| format!("{} can't be removed", path.display()))?;
        }
    }
    Ok(())
}

/// Every entry is of one version and has digests.
fn check(text: &str) -> Result<()> {
    let mut names = BTreeSet::new();
    for entry in entries(text) {
        if !entry.contains("==") || !entry.contains("--hash=sha256:") {
            bail!("{} is not locked", name(entry).trim());
        }
        names.insert(name(entry));
    }
    ensure!(!names.is_empty(), "nothing is locked");
    Ok(())
}

/// A lock's text in a file for pip, which goes with the value.
///
/// # Errors
/// If it can't be written.
pub fn for_pip(text: &str) -> Result<tempfile::NamedTempFile> {
    use std::io::Write;
    let mut file = tempfile::Builder::new().suffix(".txt").tempfile()?;
    file.write_all(text.as_bytes())?;
    Ok(file)
}

/// The arguments with which pip installs what a file locks, and nothing else.
pub fn arguments(file: &Path) -> [std::ffi::OsString; 3] {
    [
        "--require-hashes".into(),
        "--requirement".into(),
        file.into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> (Locks, Pins) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let pins = Pins::read(&root.join("environment.yml")).unwrap();
        (Locks(root.join("locks")), pins)
    }

    #[test]
    fn the_locks_hold_every_pin_and_digests_of_all() {
        let (locks, pins) = repository();
        for pin in &pins.packages {
            let part = if pin.name == "torch" {
                Part::Torch
            } else {
                Part::Notebook
            };
            let entry = locks.only(part, &[&pin.name]).unwrap();
            assert!(
                entry.starts_with(&pin.requirement()),
                "{} is not the pin {}: run `cargo kernel lock`",
                entry.lines().next().unwrap_or_default(),
                pin.requirement()
            );
        }
        for part in [Part::Torch, Part::Notebook] {
            let text = fs::read_to_string(locks.path(part)).unwrap();
            check(&text).unwrap();
        }
    }

    #[test]
    fn both_locks_agree_where_they_meet() {
        let (locks, _) = repository();
        let read = |part| fs::read_to_string(locks.path(part)).unwrap();
        let (torch, notebook) = (read(Part::Torch), read(Part::Notebook));
        for entry in entries(&torch) {
            let version = |entry: &str| {
                entry
                    .split([' ', ';'])
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            };
            let mut same = entries(&notebook)
                .filter(|other| name(other) == name(entry))
                .peekable();
            if same.peek().is_some() {
                assert!(
                    same.any(|other| version(other) == version(entry)),
                    "{}",
                    version(entry)
                );
            }
        }
    }

    #[test]
    fn what_is_not_locked_is_said() {
        let dir = tempfile::tempdir().unwrap();
        let locks = Locks(dir.path().to_owned());
        let good = "a==1 \\\n    --hash=sha256:00\nb-c==2 ; x \\\n    --hash=sha256:01\n";
        fs::write(locks.path(Part::Notebook), good).unwrap();
        assert_eq!(
            locks.only(Part::Notebook, &["b-c"]).unwrap(),
            "b-c==2 ; x \\\n    --hash=sha256:01\n"
        );
        let error = locks.only(Part::Notebook, &["b"]).unwrap_err().to_string();
        assert!(
            error.contains("lacks b: run `cargo kernel lock`"),
            "{error}"
        );
        assert!(check(good).is_ok());
        for bad in ["", "a==1\n", "a>=1 \\\n    --hash=sha256:00\n"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}
