//! A stand-in for cargo: between two cells nothing changes but the cell, so the compiler is started as
//! cargo started it the last time. That saves what cargo needs to find out that nothing else is new.
//!
//! evcxr calls the `cargo` that `rustup which cargo` names, or the first on its search path. The kernel
//! puts a folder in front of that path, in which `cargo` and `rustup` are this program. Everything but
//! the build of a cell goes to the real ones.
//!
//! It also keeps the versions. evcxr first builds a cell without dependencies, for which cargo strikes all
//! of them from `Cargo.lock`, so it would choose the newest ones afterwards, and compile them. Here each
//! change of the manifest begins with the lock of the warm folder, or with the one that came of it before.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, BTreeSet};
use std::env;
use std::ffi::OsString;
use std::fs;
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{files, process};

/// The real programs, as the kernel tells evcxr.
const CARGO: &str = "ICVAE_CARGO";
const RUSTUP: &str = "ICVAE_RUSTUP";
/// The search path without the stand-ins.
const PATH: &str = "ICVAE_PATH";
/// Where the compiler's words about the types of variables go, and who starts the compiler for that (`evcxr-kernel`).
const TYPES: &str = "EVCXR_TYPES";
const WRAPPER: &str = "RUSTC_WORKSPACE_WRAPPER";
/// Set where variables are as at the build of the last cell, and the file that has them.
const AS_BUILT: &str = "ICVAE_AS_BUILT";
const CALL: &str = "icvae-call.json";
/// evcxr's settings for a build, beside what begins with its own name.
const SETTINGS: [&str; 5] = [
    "CARGO_BUILD_BUILD_DIR",
    "CARGO_TARGET_DIR",
    "RUSTC",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];
/// Where evcxr, in a program that it has looked at for errors, says that variables outlive the cell. Of one with a
/// borrowed part, such as a list of texts, that is no error, though it seems so there.
const HANDED_OVER: &str = "evcxr_variable_store(";
/// Errors that say that what was compiled earlier is not what it was.
const STALE: [&str; 4] = ["E0460", "E0463", "E0514", "E0786"];

/// What evcxr needs to meet the stand-ins, which are made in `folder`. Nothing where there is no cargo.
///
/// # Errors
/// If the folder can't be written.
pub fn stand_in(folder: &Path) -> Result<Vec<(&'static str, OsString)>> {
    let path = env::var_os("PATH").unwrap_or_default();
    let rustup = which::which("rustup").ok();
    let named = rustup.as_ref().and_then(|rustup| {
        let mut which = Command::new(rustup);
        let told = process::output(which.args(["which", "cargo"]), Duration::from_secs(20));
        told.ok().map(PathBuf::from)
    });
    let Some(cargo) = named.clone().or_else(|| which::which("cargo").ok()) else {
        return Ok(Vec::new());
    };
    let bin = folder.join("bin");
    fs::create_dir(&bin).with_context(|| format!("{} can't be made", bin.display()))?;
    let this = env::current_exe().context("this program can't find itself")?;
    symlink(&this, bin.join("cargo"))?;
    let mut variables = vec![(CARGO, cargo.into_os_string()), (PATH, path.clone())];
    if let Some(rustup) = rustup {
        symlink(&this, bin.join("rustup"))?;
        variables.push((RUSTUP, rustup.into_os_string()));
    }
    let path = env::join_paths(std::iter::once(bin).chain(env::split_paths(&path)))?;
    variables.push(("PATH", path));
    Ok(variables)
}

/// Acts as the program under whose name this one was started, if that is one of the two.
pub fn act() -> Option<ExitCode> {
    let mut arguments = env::args_os();
    let own = PathBuf::from(arguments.next()?);
    let arguments: Vec<OsString> = arguments.collect();
    let done = match own.file_name()?.to_str()? {
        "cargo" => cargo(&own, &arguments),
        "rustup" => rustup(&own, &arguments),
        _ => return None,
    };
    Some(done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    }))
}

fn rustup(own: &Path, arguments: &[OsString]) -> Result<ExitCode> {
    // For another toolchain, too (`+nightly which cargo`): its cargo is then found beside its rustc.
    if arguments.ends_with(&["which".into(), "cargo".into()]) {
        println!("{}", own.with_file_name("cargo").display());
        return Ok(ExitCode::SUCCESS);
    }
    pass_on(RUSTUP, arguments)
}

/// Becomes the real program.
fn pass_on(name: &str, arguments: &[OsString]) -> Result<ExitCode> {
    let error = real(name)?.args(arguments).exec();
    Err(error).context("the real program can't be started")
}

fn real(name: &str) -> Result<Command> {
    let beside_compiler = env::var_os("RUSTC")
        .map(|compiler| Path::new(&compiler).with_file_name("cargo"))
        .filter(|cargo| name == CARGO && cargo.is_absolute() && cargo.is_file());
    let program = match beside_compiler {
        Some(cargo) => cargo.into_os_string(),
        None => env::var_os(name).with_context(|| format!("{name} isn't set"))?,
    };
    let mut command = Command::new(program);
    if let Some(path) = env::var_os(PATH) {
        command.env("PATH", path);
    }
    command.env_remove("CARGO");
    Ok(command)
}

fn cargo(own: &Path, arguments: &[OsString]) -> Result<ExitCode> {
    let folder = env::current_dir()?;
    let of_evcxr = env::var_os("EVCXR_TMPDIR").and_then(|of_evcxr| fs::canonicalize(of_evcxr).ok());
    if of_evcxr.is_none()
        || of_evcxr != fs::canonicalize(&folder).ok()
        || !folder.join("Cargo.toml").is_file()
    {
        return pass_on(CARGO, arguments);
    }
    if env::var_os(TYPES).is_some() && env::var_os(AS_BUILT).is_none() {
        return as_built(own, &folder);
    }
    let known = state(&folder).and_then(|state| Record::read(&folder, state));
    settle_lock(&folder, known.as_ref())?;
    let is_cell = arguments
        .last()
        .is_some_and(|last| last == "--message-format=json");
    let verb = arguments.first().filter(|_| is_cell);
    match verb.and_then(|verb| verb.to_str()) {
        Some("build") if env::var_os(TYPES).is_some() => match known {
            Some(record) => Ok(record.run(Product::Types)?.unwrap_or(ExitCode::FAILURE)),
            None => pass_on(CARGO, arguments),
        },
        Some("build") => {
            remember(&folder, arguments)?;
            let ran = known.map(|record| record.run(Product::Library));
            match ran.transpose()?.flatten() {
                Some(status) => Ok(status),
                None => build(&folder, arguments),
            }
        }
        // For cargo that would be another build of all that the cell depends on.
        Some("check") if let Some(record) = known => match record.run(Product::Errors)? {
            Some(status) => Ok(status),
            None => pass_on(CARGO, arguments),
        },
        _ => pass_on(CARGO, arguments),
    }
}

/// Notes with which variables evcxr has a cell built.
fn remember(folder: &Path, arguments: &[OsString]) -> Result<()> {
    let arguments: Option<Vec<&str>> = arguments.iter().map(|argument| argument.to_str()).collect();
    let variables: BTreeMap<String, String> = env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter(|(name, _)| SETTINGS.contains(&&**name) || name.starts_with("EVCXR_"))
        .collect();
    let call = serde_json::to_vec(&(arguments, variables))?;
    let path = folder.join(CALL);
    match fs::read(&path).is_ok_and(|known| known == call) {
        true => Ok(()),
        false => files::write_whole(&path, &call, 0o600),
    }
}

/// Asks for the types of variables, which evcxr does without its own settings, as it had the last cell built.
fn as_built(own: &Path, folder: &Path) -> Result<ExitCode> {
    let call = fs::read(folder.join(CALL)).context("no cell has been built yet")?;
    let (arguments, variables): (Vec<String>, BTreeMap<String, String>) =
        serde_json::from_slice(&call)?;
    let kept = [TYPES, WRAPPER].map(|name| (name, env::var_os(name).unwrap_or_default()));
    let error = Command::new(own)
        .args(arguments)
        .envs(variables)
        .envs(kept)
        .env(AS_BUILT, "1")
        .exec();
    Err(error).context("this program can't be started")
}

/// Begins with the versions that are compiled whenever the manifest is another than the last time.
fn settle_lock(folder: &Path, known: Option<&Record>) -> Result<()> {
    let (manifest, seen) = (folder.join("Cargo.toml"), folder.join("icvae-manifest"));
    let manifest = fs::read(&manifest)?;
    if fs::read(&seen).is_ok_and(|seen| seen == manifest) {
        return Ok(());
    }
    // What a notebook's dependencies were compiled with before, what the session had, what is warm.
    let kept = folder.join(super::kept::LOCK);
    let lock = fs::read_to_string(&kept)
        .ok()
        .or_else(|| known.map(|record| record.lock.clone()))
        .or_else(|| fs::read_to_string(folder.join("../warm/Cargo.lock")).ok());
    if let Some(lock) = lock {
        files::write_whole(&folder.join("Cargo.lock"), lock.as_bytes(), 0o644)?;
    }
    files::write_whole(&seen, &manifest, 0o644)
}

/// Has cargo build the cell, and notes how it started the compiler.
fn build(folder: &Path, arguments: &[OsString]) -> Result<ExitCode> {
    let mut child = real(CARGO)?
        .args(arguments)
        // So it says each command with its variables.
        .arg("-vv")
        .stderr(Stdio::piped())
        .spawn()
        .context("cargo can't be started")?;
    let mut compiler = None;
    if let Some(stderr) = child.stderr.take() {
        for line in io::BufRead::split(io::BufReader::new(stderr), b'\n') {
            let mut line = line?;
            let text = String::from_utf8_lossy(&line);
            let said = text.trim_start();
            if let Some(command) = said.strip_prefix("Running `") {
                if command.contains("--crate-name ctx ") {
                    compiler = words(command.trim_end().trim_end_matches('`'));
                }
            } else if !["Fresh ", "Dirty "]
                .iter()
                .any(|word| said.starts_with(word))
            {
                line.push(b'\n');
                io::stderr().write_all(&line)?;
            }
        }
    }
    let status = child.wait()?;
    let lock = fs::read_to_string(folder.join("Cargo.lock")).unwrap_or_default();
    if status.success()
        && knows_all(folder, &lock)
        && let (Some(words), Some(state)) = (compiler, state(folder))
    {
        // Without a record the next cell is built in the same way.
        let _ = Record { words, lock }.write(folder, state);
    }
    Ok(exit_code(status))
}

fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(101))
}

/// What the compiler is to make of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Product {
    Library,
    /// Nothing: what is wrong with it is asked for.
    Errors,
    /// Nothing: the types of its variables are asked for.
    Types,
}

/// How the compiler was started, for one state of all that isn't the cell.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Record {
    /// Variables (`NAME=value`), the compiler, its arguments.
    words: Vec<String>,
    /// `Cargo.lock`.
    lock: String,
}

impl Record {
    fn path(folder: &Path, state: u64) -> PathBuf {
        folder.join(format!("icvae-compiler-{state:016x}.json"))
    }

    fn read(folder: &Path, state: u64) -> Option<Self> {
        serde_json::from_slice(&fs::read(Self::path(folder, state)).ok()?).ok()
    }

    fn write(&self, folder: &Path, state: u64) -> Result<()> {
        files::write_whole(
            &Self::path(folder, state),
            &serde_json::to_vec(self)?,
            0o644,
        )
    }

    /// Compiles the cell; `None` if cargo has to be asked after all.
    fn run(&self, product: Product) -> Result<Option<ExitCode>> {
        let split = self.words.iter().position(|word| !is_variable(word));
        let (variables, command) = self.words.split_at(split.unwrap_or(0));
        let Some(library) = library(command) else {
            return Ok(None);
        };
        let mut command = command.to_vec();
        match product {
            Product::Library => {}
            Product::Errors => command.iter_mut().for_each(without_code),
            Product::Types => {
                command.insert(0, env::var(WRAPPER).context("nobody asks for types")?);
            }
        }
        let (program, arguments) = command.split_first().context("an empty command")?;
        let mut child = Command::new(program)
            .args(arguments)
            .envs(variables.iter().filter_map(|word| word.split_once('=')))
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("{program} can't be started"))?;
        let mut said = Vec::new();
        if let Some(mut stderr) = child.stderr.take() {
            stderr.read_to_end(&mut said)?;
        }
        let status = child.wait()?;
        let text = String::from_utf8_lossy(&said);
        if !status.success() && STALE.iter().any(|code| text.contains(code)) {
            return Ok(None);
        }
        for line in text.split_inclusive('\n') {
            if product != Product::Errors || !line.contains(HANDED_OVER) {
                io::stderr().write_all(line.as_bytes())?;
            }
        }
        if status.success() && product == Product::Library {
            put(&library)?;
        }
        Ok(Some(exit_code(status)))
    }
}

/// Puts a cell's library where cargo puts it, and says so as cargo does.
fn put(library: &Path) -> Result<()> {
    let place = library
        .parent()
        .and_then(Path::parent)
        .context("no folder for the cell's library")?
        .join(library.file_name().unwrap_or_default());
    let _ = fs::remove_file(&place);
    fs::rename(library, &place)
        .with_context(|| format!("{} can't be put in place", library.display()))?;
    let artifact = json!({
        "reason": "compiler-artifact",
        "target": {"name": "ctx"},
        "filenames": [place],
    });
    println!("{artifact}");
    Ok(())
}

/// Has the compiler look for errors alone. What it remembers of a cell that it makes code of stays that.
fn without_code(word: &mut String) {
    if word.starts_with("--emit=") {
        "--emit=metadata".clone_into(word);
    } else if word.starts_with("incremental=") {
        word.push_str("/errors");
    }
}

fn is_variable(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    })
}

/// The library that this command makes.
fn library(command: &[String]) -> Option<PathBuf> {
    let after = |option: &str| {
        let at = command.iter().position(|word| word == option)?;
        command.get(at + 1)
    };
    let folder = after("--out-dir")?;
    let suffix = command
        .iter()
        .find_map(|word| word.strip_prefix("extra-filename="))
        .unwrap_or_default();
    let (before, kind) = (env::consts::DLL_PREFIX, env::consts::DLL_SUFFIX);
    Some(Path::new(folder).join(format!("{before}ctx{suffix}{kind}")))
}

/// A number that changes with all that cargo looks at, but for the cell. `None` where it can't be told.
fn state(folder: &Path) -> Option<u64> {
    let mut hasher = DefaultHasher::new();
    for name in ["RUSTC", "RUSTFLAGS", "LIBTORCH", "CARGO_INCREMENTAL"] {
        env::var_os(name).hash(&mut hasher);
    }
    let manifest = fs::read_to_string(folder.join("Cargo.toml")).ok()?;
    manifest.hash(&mut hasher);
    for name in [
        "../warm/Cargo.lock",
        "../.cargo/config.toml",
        ".cargo/config.toml",
    ] {
        fs::read(folder.join(name)).ok().hash(&mut hasher);
    }
    for path in local(folder) {
        hash_sources(&path, &mut hasher).ok()?;
    }
    Some(hasher.finish())
}

/// The local crates that the manifest of this folder names, and those that they name.
fn local(folder: &Path) -> BTreeSet<PathBuf> {
    let (mut found, mut next) = (BTreeSet::new(), vec![folder.to_owned()]);
    while let Some(folder) = next.pop() {
        let manifest = fs::read_to_string(folder.join("Cargo.toml")).unwrap_or_default();
        let paths = manifest
            .lines()
            .filter_map(|line| line.split_once("path = \"")?.1.split('"').next());
        // A target's path names a file.
        for path in paths.filter(|path| !path.ends_with(".rs")) {
            let Ok(path) = fs::canonicalize(folder.join(path)) else {
                continue;
            };
            if found.insert(path.clone()) {
                next.push(path);
            }
        }
    }
    found
}

/// Whether the lock holds no local crates but those: another isn't watched here.
fn knows_all(folder: &Path, lock: &str) -> bool {
    let (all, fetched) = (
        lock.matches("[[package]]").count(),
        lock.matches("\nsource = ").count(),
    );
    all == fetched + 1 + local(folder).len()
}

/// The names, sizes and times of a crate's files.
fn hash_sources(folder: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let (name, meta) = (entry.file_name(), entry.metadata()?);
        let skipped = ["target", "tests", "benches", "examples"];
        if name.as_encoded_bytes().starts_with(b".") || skipped.iter().any(|other| name == *other) {
            continue;
        }
        if meta.is_dir() {
            hash_sources(&entry.path(), hasher)?;
        } else {
            (name, meta.len(), meta.modified()?).hash(hasher);
        }
    }
    Ok(())
}

/// The words of a command line as cargo writes it: some in single quotes, with `'\''` for a quote.
fn words(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if !quoted => word.get_or_insert_default().push(letters.next()?),
            ' ' if !quoted => words.extend(word.take()),
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    (!quoted && words.iter().any(|word| !is_variable(word))).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_read_as_a_shell_reads_it() {
        let line = r"A=1 'B=two words' /bin/rustc --crate-name ctx --check-cfg 'cfg(feature, values())' 'it'\''s' ''";
        let read = words(line).unwrap();
        let expected = [
            "A=1",
            "B=two words",
            "/bin/rustc",
            "--crate-name",
            "ctx",
            "--check-cfg",
            "cfg(feature, values())",
            "it's",
            "",
        ];
        assert_eq!(read, expected);
        assert_eq!(words("rustc 'open"), None);
        assert_eq!(words("A=1"), None);
    }

    #[test]
    fn the_library_is_where_the_command_puts_it() {
        let command = |line| words(line).unwrap();
        let plain = command("rustc --crate-name ctx --out-dir /b/deps");
        assert!(library(&plain).unwrap().starts_with("/b/deps/"));
        let named = command("rustc -C extra-filename=-12ab --out-dir /b/deps");
        assert!(
            library(&named)
                .unwrap()
                .to_string_lossy()
                .contains("ctx-12ab.")
        );
        assert_eq!(library(&command("rustc")), None);
    }

    #[test]
    fn whatever_else_changes_is_for_cargo() {
        let dir = tempfile::tempdir().unwrap();
        let (build, own) = (dir.path().join("b/0"), dir.path().join("own"));
        fs::create_dir_all(build.join("src")).unwrap();
        fs::create_dir_all(own.join("src")).unwrap();
        fs::write(own.join("src/lib.rs"), "").unwrap();
        let manifest =
            format!("[lib]\npath = \"src/lib.rs\"\n[dependencies]\nown = {{ path = {own:?} }}\n");
        fs::write(build.join("Cargo.toml"), manifest).unwrap();
        let lock = "[[package]]\nname = \"ctx\"\n\n[[package]]\nname = \"own\"\n\n[[package]]\nname = \"x\"\nsource = \"r\"\n";
        let look = || state(&build).unwrap();
        let first = look();
        fs::write(build.join("src/lib.rs"), "a cell").unwrap();
        assert_eq!(look(), first);
        fs::write(own.join("src/lib.rs"), "changed").unwrap();
        let second = look();
        assert_ne!(second, first);
        fs::write(own.join("src/new.rs"), "").unwrap();
        assert_ne!(look(), second);
        assert!(knows_all(&build, lock));
        let other = format!("{lock}\n[[package]]\nname = \"other\"\n");
        assert!(
            !knows_all(&build, &other),
            "nothing is known of the other crate"
        );
    }

    #[test]
    fn another_manifest_begins_with_the_versions_that_are_compiled() {
        let dir = tempfile::tempdir().unwrap();
        let build = dir.path().join("0");
        fs::create_dir_all(&build).unwrap();
        fs::create_dir_all(dir.path().join("warm")).unwrap();
        fs::write(dir.path().join("warm/Cargo.lock"), "warm").unwrap();
        let lock = || fs::read_to_string(build.join("Cargo.lock")).unwrap();
        fs::write(build.join("Cargo.toml"), "one").unwrap();
        settle_lock(&build, None).unwrap();
        assert_eq!(lock(), "warm");
        // What cargo makes of it stays.
        fs::write(build.join("Cargo.lock"), "struck").unwrap();
        settle_lock(&build, None).unwrap();
        assert_eq!(lock(), "struck");
        fs::write(build.join("Cargo.toml"), "two").unwrap();
        let known = Record {
            words: Vec::new(),
            lock: "known".to_owned(),
        };
        settle_lock(&build, Some(&known)).unwrap();
        assert_eq!(lock(), "known");
    }
}
