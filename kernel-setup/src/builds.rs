//! Build folders: where evcxr compiles cells.
//!
//! A folder that has compiled the dependencies once starts a notebook in seconds, a fresh one in
//! minutes, and two kernels must never share one. So `install` warms the folder `warm`, in which no
//! kernel works, and each kernel takes the first of `0`, `1`, … that is free: a copy of `warm` that
//! shares its large files.

use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::hash::{Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::layout::{EVCXR_VERSION, Layout};
use crate::{files, jupyter, kernelspec, process};

/// How a notebook names the library, seen from `notebooks/`.
const OWN_DEPENDENCY: &str = ":dep icvae-core = { path = \"../icvae-core\" }";
/// What evcxr adds to a notebook's dependencies with its first `await`, word for word (`eval_context.rs`).
const FOR_AWAIT: &str = "tokio = {version=\"1.34.0\", features=[\"rt\", \"rt-multi-thread\"]}";
/// Compiled quickly rather than well: what runs while others are compiled (macros and build scripts), what fetches files, what
/// packs and unpacks in ways that no notebook uses, and the wrappers around libtorch, which does the work itself. `torch-sys` is
/// mostly C++, and its compiler obeys the level too.
const QUICKLY: [(&str, u8); 36] = [
    ("aes", 0),
    ("autocfg", 0),
    ("bzip2", 0),
    ("bzip2-sys", 0),
    ("cc", 0),
    ("deranged", 0),
    ("hmac", 0),
    ("http", 0),
    ("pbkdf2", 0),
    ("pkg-config", 0),
    ("proc-macro2", 0),
    ("quote", 0),
    ("ring", 0),
    ("rustix", 0),
    ("rustls", 0),
    ("rustls-pki-types", 0),
    ("rustls-webpki", 0),
    ("serde_derive", 0),
    ("sha1", 0),
    ("syn", 0),
    ("tch", 1),
    ("thiserror-impl", 0),
    ("time", 0),
    ("tokio", 1),
    ("torch-sys", 1),
    ("ttf-parser", 1),
    ("typenum", 0),
    ("unicode-ident", 0),
    ("ureq", 0),
    ("ureq-proto", 0),
    ("webpki-roots", 0),
    ("zerocopy-derive", 0),
    ("zip", 0),
    ("zstd", 0),
    ("zstd-safe", 0),
    ("zstd-sys", 0),
];
/// Cargo looks for it above every build folder.
const CONFIGURATION: &str = ".cargo/config.toml";
/// The file in a build folder that says what it was made from.
const STAMP: &str = "icvae-stamp";

/// An exclusive lock on a file, until it is dropped.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a program that another thread is just starting has a copy of it for a moment.
        let _ = self.0.unlock();
    }
}

/// An exclusive lock on the file, or `None` while another process has it.
///
/// # Errors
/// If the file can't be made.
pub fn try_lock(path: &Path) -> Result<Option<Lock>> {
    let failed = || format!("{} can't be locked", path.display());
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(path)
        .with_context(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock(file))),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error).with_context(failed),
    }
}

/// Makes `dir` a copy of the folder `warm`, unless it already stems from the present one.
///
/// Nobody else may be working in `dir`.
///
/// # Errors
/// If it can't be written.
pub fn refresh(warm: &Path, dir: &Path) -> Result<()> {
    let Some(stamp) = read_stamp(warm) else {
        // Nothing is warm yet: evcxr fills an empty folder, slowly.
        return fs::create_dir_all(dir).with_context(|| format!("{} can't be made", dir.display()));
    };
    if read_stamp(dir).as_deref() == Some(&stamp) {
        return Ok(());
    }
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("{} can't be removed", dir.display()))?;
    }
    let copied = copy_tree(warm, dir);
    if copied.is_err() {
        // Half a copy must not be taken for a whole one.
        let _ = fs::remove_dir_all(dir);
    }
    copied.with_context(|| format!("{} can't be copied to {}", warm.display(), dir.display()))
}

/// Makes `dir` a fresh copy, whatever it holds: what was compiling in it when it was killed may have
/// left it so that nothing can be linked any more.
///
/// # Errors
/// If it can't be written.
pub fn remake(warm: &Path, dir: &Path) -> Result<()> {
    fs::remove_dir_all(dir).with_context(|| format!("{} can't be removed", dir.display()))?;
    refresh(warm, dir)
}

/// Copies a folder with the times of its files, by which cargo tells what is fresh. The stamp comes
/// last, so that a copy cut off isn't taken for a whole one.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    copy_folder(from, to)?;
    fs::copy(from.join(STAMP), to.join(STAMP)).map(drop)
}

/// The same without a stamp.
///
/// # Errors
/// If something can't be read or written.
pub fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    copy_folder_beside(from, Path::new(""), to)
}

/// The same of what the folder `known` doesn't hold.
///
/// # Errors
/// If something can't be read or written.
pub fn copy_folder_beside(from: &Path, known: &Path, to: &Path) -> io::Result<()> {
    let is_known = |name: &OsStr| !known.as_os_str().is_empty() && known.join(name).is_file();
    let below = |name: &OsStr| match known.as_os_str().is_empty() {
        true => PathBuf::new(),
        false => known.join(name),
    };
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        let name = entry.file_name();
        if is_of_one_folder(&name.to_string_lossy()) || is_known(&name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_folder_beside(&source, &below(&name), &target)?;
        } else {
            copy_file(&source, &target)?;
        }
    }
    Ok(())
}

/// A file with its time; shared, where the compiler replaces such files rather than writing into them.
///
/// # Errors
/// If it can't be read or written.
pub fn copy_file(source: &Path, target: &Path) -> io::Result<()> {
    if is_replaced_whole(source) && fs::hard_link(source, target).is_ok() {
        return Ok(());
    }
    fs::copy(source, target)?;
    let modified = fs::metadata(source)?.modified()?;
    File::options()
        .write(true)
        .open(target)?
        .set_modified(modified)
}

/// What a copy has no use for: the stamp, which comes last, locks, and the cells that were compiled.
fn is_of_one_folder(name: &str) -> bool {
    name == STAMP
        || name == ".cargo-lock"
        || name == "incremental"
        || name.starts_with("libcode_")
        || name.starts_with("libctx")
}

/// Whether the compiler replaces such a file rather than writing into it, so that copies may share it.
fn is_replaced_whole(path: &Path) -> bool {
    path.extension()
        .is_some_and(|kind| kind == "rlib" || kind == "rmeta" || kind == "a")
}

/// What a build folder was made from, if it is whole.
pub fn read_stamp(dir: &Path) -> Option<String> {
    fs::read_to_string(dir.join(STAMP)).ok()
}

/// Whether the warm folder was made from the present sources and tools.
pub fn is_warm(layout: &Layout, stamp: &str) -> bool {
    let configured = fs::read_to_string(layout.builds().join(CONFIGURATION));
    read_stamp(&layout.warm_build()).as_deref() == Some(stamp)
        && configured.is_ok_and(|text| text == configuration())
}

/// Notes that the warm folder was made from what `stamp` stands for.
///
/// # Errors
/// If it can't be written.
pub fn mark_warm(layout: &Layout, stamp: &str) -> Result<()> {
    let path = layout.warm_build().join(STAMP);
    files::write_whole(&path, stamp.as_bytes(), 0o644)
}

/// Takes the mark away before the folder is changed.
fn unmark(layout: &Layout) -> Result<()> {
    let path = layout.warm_build().join(STAMP);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("{} can't be removed", path.display()))
        }
        _ => Ok(()),
    }
}

/// How cells are compiled, beside what evcxr says: their program, and nothing else, keeps its line numbers, for the way
/// to a panic; and what they depend on is compiled as for a release, since that is where a training spends its time,
/// whatever level evcxr's `:opt` sets for cells.
const PROFILE: &str = r#"[profile.dev]
strip = "none"

[profile.dev.package.ctx]
debug = "line-tables-only"

[profile.dev.package."*"]
opt-level = 2
debug-assertions = false
overflow-checks = false
"#;

/// The library's own loops are where a training spends the time that libtorch leaves.
const OWN: &str = "
[profile.dev.package.icvae-core]
opt-level = 3
";

/// Compiles what the notebooks depend on into the warm folder, as evcxr will want it: by cargo itself,
/// so that evcxr may be compiled at the same time.
///
/// # Errors
/// If a notebook can't be read or its dependencies don't compile.
pub fn warm(layout: &Layout, cancel: &AtomicBool, tell: &(dyn Fn(&str) + Sync)) -> Result<()> {
    let mut cargo = cargo_in_warm_folder(layout)?;
    process::watched(&mut cargo, &layout.log("warm"), cancel, tell)
}

/// Compiles as much of that as needs no libtorch, while that is still on its way.
///
/// # Errors
/// If a notebook can't be read, and when it is stopped. That what needs libtorch can't be compiled is none.
pub fn warm_ahead(
    layout: &Layout,
    cancel: &AtomicBool,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<()> {
    let mut cargo = cargo_in_warm_folder(layout)?;
    cargo.arg("--keep-going");
    match process::watched(&mut cargo, &layout.log("warm-ahead"), cancel, tell) {
        Err(error) if error.root_cause().to_string() == process::STOPPED => Err(error),
        _ => Ok(()),
    }
}

/// The command that compiles what the notebooks depend on.
fn cargo_in_warm_folder(layout: &Layout) -> Result<Command> {
    unmark(layout)?;
    let dir = layout.warm_build();
    let write = |name: &str, content: &str| {
        let path = dir.join(name);
        let folder = path.parent().unwrap_or(&dir);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(&path, content))
            .with_context(|| format!("{} can't be written", path.display()))
    };
    let mut needed = dependencies(layout)?;
    needed.push(FOR_AWAIT.to_owned());
    write("Cargo.toml", &manifest(&needed))?;
    write("src/lib.rs", "")?;
    configure_own(layout)?;
    // Cells get the versions that the library is tested with.
    let lock = layout.root.join("Cargo.lock");
    let lock =
        fs::read_to_string(&lock).with_context(|| format!("{} can't be read", lock.display()))?;
    write("Cargo.lock", &lock)?;
    let mut command = Command::new("cargo");
    jupyter::forget_cargo(&mut command);
    command
        .args(["build", "--target", &host(layout)?])
        .envs(kernelspec::variables(layout, Path::new("")))
        .envs(process::CARGO_TELLS)
        .env("CARGO_TARGET_DIR", "target")
        .env("CARGO_BUILD_BUILD_DIR", "target")
        .env("RUSTFLAGS", rustflags(layout))
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTC_WRAPPER")
        .current_dir(&dir);
    process::stand_back(&mut command);
    Ok(command)
}

/// The manifest that evcxr writes for cells with these dependencies, as far as it decides what is
/// compiled (`module.rs` in evcxr).
fn manifest(dependencies: &[String]) -> String {
    format!(
        r#"[package]
name = "ctx"
version = "1.0.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]
path = "src/lib.rs"

[profile.dev]
opt-level = 0
debug = false
strip = "debuginfo"
rpath = true
lto = false
debug-assertions = true
codegen-units = 16
panic = 'unwind'
incremental = true
overflow-checks = true

[dependencies]
{}
"#,
        dependencies.join("\n")
    )
}

/// Says how cells are compiled in all build folders below `builds`, if nobody has said so yet; where no notebooks
/// are known, in general.
///
/// # Errors
/// If it can't be written.
pub fn configure_if_new(builds: &Path) -> Result<()> {
    match builds.join(CONFIGURATION).exists() {
        true => Ok(()),
        false => configure(builds, PROFILE),
    }
}

/// The same for this repository's notebooks, whose crates are known.
///
/// # Errors
/// If it can't be written.
pub fn configure_own(layout: &Layout) -> Result<()> {
    configure(&layout.builds(), &configuration())
}

fn configure(builds: &Path, text: &str) -> Result<()> {
    files::write_whole(&builds.join(CONFIGURATION), text.as_bytes(), 0o644)
}

/// Cargo's configuration for all build folders of this repository.
fn configuration() -> String {
    let level = |(name, level): &(&str, u8)| {
        format!("\n[profile.dev.package.{name}]\nopt-level = {level}\n")
    };
    PROFILE.to_owned() + OWN + &QUICKLY.iter().map(level).collect::<String>()
}

/// The compiler's flags that evcxr will use: cargo compiles all anew for other ones.
fn rustflags(layout: &Layout) -> &'static str {
    let has = |linker| layout.program(linker).is_some();
    match cfg!(not(target_os = "macos")) && !has("mold") && has("lld") {
        true => "-Cprefer-dynamic -Clink-arg=-fuse-ld=lld",
        false => "-Cprefer-dynamic",
    }
}

/// The system that rustc compiles for, such as `x86_64-unknown-linux-gnu`.
///
/// # Errors
/// If rustc doesn't run.
pub fn host(layout: &Layout) -> Result<String> {
    let version = rustc_version(layout)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .context("rustc doesn't say which system it is for")
}

/// What rustc says of itself.
///
/// # Errors
/// If it doesn't run.
pub fn rustc_version(layout: &Layout) -> Result<String> {
    let rustc = layout
        .program("rustc")
        .context("rustc is not on the search path")?;
    process::output(Command::new(rustc).arg("-Vv"), Duration::from_secs(20))
}

/// Where relative paths in the notebooks start.
fn notebook_folder(layout: &Layout) -> PathBuf {
    Some(layout.notebooks())
        .filter(|dir| dir.is_dir())
        .unwrap_or_else(|| layout.core())
}

/// The dependencies that any of the notebooks names, each once and with its path in full; the library at
/// least.
fn dependencies(layout: &Layout) -> Result<Vec<String>> {
    let folder = notebook_folder(layout);
    let mut lines = vec![dependency(OWN_DEPENDENCY, &folder)];
    for notebook in notebooks(layout)? {
        let unreadable = || format!("{} is not a notebook", notebook.display());
        let text = fs::read_to_string(&notebook).with_context(unreadable)?;
        let content: Value = serde_json::from_str(&text).with_context(unreadable)?;
        for cell in content["cells"].as_array().into_iter().flatten() {
            for line in source(cell)
                .lines()
                .filter(|line| line.starts_with(":dep "))
            {
                let line = dependency(line, &folder);
                if !lines.contains(&line) {
                    lines.push(line);
                }
            }
        }
    }
    Ok(lines)
}

/// What a line `:dep …` of a notebook in `folder` means in a manifest.
pub fn dependency(line: &str, folder: &Path) -> String {
    let wanted = line.trim_start_matches(":dep").trim();
    let Some((before, rest)) = wanted.split_once("path = \"") else {
        return wanted.to_owned();
    };
    let Some((path, after)) = rest.split_once('"') else {
        return wanted.to_owned();
    };
    let path = folder.join(path);
    // Where it isn't there, cargo says so.
    let path = path.canonicalize().unwrap_or(path);
    format!("{before}path = {:?}{after}", path.display().to_string())
}

/// The repository's notebooks, by name.
///
/// # Errors
/// If the folder can't be read.
pub fn notebooks(layout: &Layout) -> Result<Vec<PathBuf>> {
    let dir = layout.notebooks();
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    let entries = fs::read_dir(&dir).with_context(|| format!("{} can't be read", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "ipynb") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A code cell's source; notebooks hold it as one text or as a list of lines.
pub fn source(cell: &Value) -> String {
    match &cell["source"] {
        _ if cell["cell_type"] != "code" => String::new(),
        Value::Array(lines) => lines.iter().filter_map(Value::as_str).collect(),
        text => text.as_str().unwrap_or_default().to_owned(),
    }
}

/// What the warm folder depends on, as a short text: the library's sources, the locked versions,
/// libtorch, the compiler and evcxr. A source that is as it was, but was written since, counts as another: cargo goes by
/// the time, and would compile the library anew in each copy.
///
/// # Errors
/// If the sources can't be read or rustc doesn't run.
pub fn stamp(layout: &Layout) -> Result<String> {
    let mut hasher = DefaultHasher::new();
    (
        rustc_version(layout)?,
        rustflags(layout),
        configuration(),
        EVCXR_VERSION,
    )
        .hash(&mut hasher);
    fs::read_link(layout.libtorch().join("include"))
        .ok()
        .hash(&mut hasher);
    layout
        .libtorch()
        .join("lib/libtorch_cuda.so")
        .exists()
        .hash(&mut hasher);
    let core = layout.core();
    let mut files = vec![
        layout.root.join("Cargo.lock"),
        layout.root.join("Cargo.toml"),
        core.join("Cargo.toml"),
        core.join("build.rs"),
    ];
    list_files(&core.join("src"), &mut files)?;
    let live = layout.root.join("notebook-live");
    files.push(live.join("Cargo.toml"));
    list_files(&live.join("src"), &mut files)?;
    hash_times(&mut files, &mut hasher)?;
    hash_files(files, &mut hasher)?;
    Ok(format!("{:016x}", hasher.finish()))
}

/// Adds when files were last written.
fn hash_times(files: &mut [PathBuf], hasher: &mut impl Hasher) -> Result<()> {
    files.sort();
    for file in files {
        let written = fs::metadata(&*file).and_then(|data| data.modified());
        written
            .with_context(|| format!("{} can't be read", file.display()))?
            .hash(hasher);
    }
    Ok(())
}

/// Adds the names and contents of files, in whichever order they come.
///
/// # Errors
/// If one can't be read.
pub fn hash_files(mut files: Vec<PathBuf>, hasher: &mut impl Hasher) -> Result<()> {
    files.sort();
    for file in files {
        let content =
            fs::read(&file).with_context(|| format!("{} can't be read", file.display()))?;
        (file, content).hash(hasher);
    }
    Ok(())
}

/// Adds all files in a folder and below it.
///
/// # Errors
/// If it can't be read.
pub fn list_files(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(dir).with_context(|| format!("{} can't be read", dir.display()))?;
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            list_files(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(dir: &Path) -> Layout {
        Layout {
            root: dir.join("repo"),
            cache: dir.join("cache"),
            search: "".into(),
        }
    }

    fn warm(layout: &Layout, stamp: &str) {
        let deps = layout.warm_build().join("target/deps");
        fs::create_dir_all(&deps).unwrap();
        fs::write(deps.join("libx.rlib"), stamp).unwrap();
        fs::write(deps.join("x.d"), stamp).unwrap();
        fs::write(layout.warm_build().join("target/libcode_1.so"), stamp).unwrap();
        let old = std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        File::options()
            .write(true)
            .open(deps.join("x.d"))
            .unwrap()
            .set_modified(old)
            .unwrap();
        mark_warm(layout, stamp).unwrap();
    }

    #[test]
    fn a_lock_that_is_dropped_is_free_whoever_has_a_copy_of_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let lock = try_lock(&path).unwrap().unwrap();
        assert!(try_lock(&path).unwrap().is_none());
        let _copy = lock.0.try_clone().unwrap();
        drop(lock);
        assert!(try_lock(&path).unwrap().is_some());
    }

    #[test]
    fn a_source_that_was_only_written_again_counts_as_another() {
        let dir = tempfile::tempdir().unwrap();
        let files = ["a.rs", "b.rs"].map(|name| dir.path().join(name));
        for file in &files {
            fs::write(file, "").unwrap();
        }
        let hash = |mut files: Vec<PathBuf>| {
            let mut hasher = DefaultHasher::new();
            hash_times(&mut files, &mut hasher).unwrap();
            hasher.finish()
        };
        let before = hash(files.to_vec());
        assert_eq!(hash(files.iter().rev().cloned().collect()), before);
        let later = std::time::SystemTime::now() + Duration::from_secs(5);
        let file = File::options().write(true).open(&files[1]).unwrap();
        file.set_modified(later).unwrap();
        assert_ne!(hash(files.to_vec()), before);
    }

    #[test]
    fn a_notebooks_dependency_is_found_from_elsewhere() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("icvae-core")).unwrap();
        fs::create_dir_all(root.join("notebooks")).unwrap();
        assert_eq!(
            dependency(OWN_DEPENDENCY, &root.join("notebooks")),
            format!(
                "icvae-core = {{ path = \"{}/icvae-core\" }}",
                root.display()
            )
        );
        assert_eq!(dependency(":dep x = \"1.2\"", &root), "x = \"1.2\"");
    }

    #[test]
    fn a_copy_keeps_times_and_shares_nothing_that_is_written_into() {
        let dir = tempfile::tempdir().unwrap();
        let layout = layout(dir.path());
        warm(&layout, "one");
        let slot = layout.builds().join("0");
        refresh(&layout.warm_build(), &slot).unwrap();
        let (original, copied) = (
            layout.warm_build().join("target/deps/x.d"),
            slot.join("target/deps/x.d"),
        );
        let time = |path: &Path| fs::metadata(path).unwrap().modified().unwrap();
        assert_eq!(time(&copied), time(&original));
        assert!(
            !slot.join("target/libcode_1.so").exists(),
            "a compiled cell was copied"
        );

        fs::write(&copied, "changed").unwrap();
        assert_eq!(fs::read_to_string(original).unwrap(), "one");
    }

    #[test]
    fn a_copy_of_an_older_warm_folder_is_made_anew_and_a_current_one_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let layout = layout(dir.path());
        let slot = layout.builds().join("0");
        refresh(&layout.warm_build(), &slot).unwrap();
        assert!(slot.is_dir(), "nothing is warm: an empty folder will do");
        for stamp in ["one", "two"] {
            fs::remove_dir_all(layout.warm_build()).ok();
            warm(&layout, stamp);
            refresh(&layout.warm_build(), &slot).unwrap();
            let content = fs::read_to_string(slot.join("target/deps/libx.rlib")).unwrap();
            assert_eq!(content, stamp);
        }
        fs::write(slot.join("mine"), "").unwrap();
        refresh(&layout.warm_build(), &slot).unwrap();
        assert!(slot.join("mine").exists());
    }
}
