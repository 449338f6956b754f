//! What a notebook's `:dep` lines have made cargo compile, kept for its next start.
//!
//! A kernel's build folder may be anybody's who came before. So when a cell with `:dep` lines has run,
//! what is compiled by then is kept under the digest of all such lines of the session, and given to
//! the next kernel that is asked for the same ones, just before evcxr is. Files that the compiler
//! replaces whole are shared, not copied, so a kept build takes little time and room. What the warm build
//! holds already, as for the notebooks of this repository, is not kept once more.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tokio::task::JoinHandle;

use crate::builds::{self, copy_file, copy_folder, copy_folder_beside};
use crate::layout::EVCXR_VERSION;

/// So many kept builds stay, those that were used last.
const MOST_KEPT: usize = 16;
/// The file that says that a kept build is whole.
const WHOLE: &str = "kept";
/// What the name of one begins with that isn't yet.
const HALF: &str = ".half-";
/// So long nobody makes one: it is left of a kernel that was ended.
const ABANDONED: Duration = Duration::from_secs(3600);
/// The file in a build folder with the versions that were kept, until cargo is asked for them.
pub const LOCK: &str = "kept-lock";

/// The kept builds, and what this session has asked for.
#[derive(Debug)]
pub struct Kept {
    folder: PathBuf,
    /// What every build folder has begun with.
    warm: PathBuf,
    /// What digests begin with: the tools, and what the warm build was made from, whose locked versions
    /// come first.
    tools: String,
    /// All `:dep` lines of the session that were accepted.
    lines: BTreeSet<String>,
    /// Those and the lines of the cell at hand, and of cells that failed since.
    tried: BTreeSet<String>,
    /// The work that the next cell waits for.
    work: Option<JoinHandle<io::Result<()>>>,
}

impl Kept {
    /// Those in `builds`, for this version of the compiler.
    pub fn new(builds: &Path, compiler: &str) -> Self {
        let warm = builds.join("warm");
        let stamp = builds::read_stamp(&warm).unwrap_or_default();
        Self {
            folder: builds.join("kept"),
            warm,
            tools: format!("{EVCXR_VERSION} {compiler} {stamp}"),
            lines: BTreeSet::new(),
            tried: BTreeSet::new(),
            work: None,
        }
    }

    /// Forgets the session: evcxr has started anew.
    pub fn restart(&mut self) {
        self.lines.clear();
        self.tried.clear();
    }

    fn digest(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(&self.tools);
        // Paths of crates may be relative.
        let is_path = |line: &String| line.contains("path") || line.starts_with(":dep .");
        if self.tried.iter().any(is_path) {
            let here = std::env::current_dir().unwrap_or_default();
            hash.update(here.as_os_str().as_encoded_bytes());
        }
        for line in &self.tried {
            hash.update("\n");
            hash.update(line);
        }
        let digest = hash.finalize();
        digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// A cell is about to be evaluated in the folder `build`. What is kept for the `:dep` lines so far,
    /// if this cell has new ones, is put there.
    pub async fn before(&mut self, code: &str, build: &Path) -> bool {
        if let Some(work) = self.work.take() {
            log(work.await);
        }
        self.tried.clone_from(&self.lines);
        self.tried.extend(dependencies(code));
        if self.tried == self.lines {
            return false;
        }
        let (kept, build) = (self.folder.join(self.digest()), build.to_owned());
        log(tokio::task::spawn_blocking(move || give(&kept, &build)).await);
        true
    }

    /// A cell with new `:dep` lines was accepted.
    pub fn after(&mut self, build: &Path) {
        self.lines.clone_from(&self.tried);
        let (folder, digest, build) = (self.folder.clone(), self.digest(), build.to_owned());
        let warm = self.warm.clone();
        let work = move || {
            if packages(&build)?.is_subset(&packages(&warm)?) {
                return Ok(());
            }
            keep(&build, &warm, &folder, &digest)?;
            tidy(&folder)
        };
        self.work = Some(tokio::task::spawn_blocking(work));
    }
}

/// A kept build that can't be made or used costs time, and nothing else.
fn log(done: Result<io::Result<()>, tokio::task::JoinError>) {
    match done {
        Ok(Ok(())) => {}
        Ok(Err(error)) => eprintln!("a kept build is left out: {error}"),
        Err(error) => eprintln!("a kept build is left out: {error}"),
    }
}

/// The lines of a cell that name dependencies. With the first `await` evcxr adds tokio by itself.
fn dependencies(code: &str) -> impl Iterator<Item = String> {
    let waits = code.contains(".await").then(|| "await".to_owned());
    let lines = code
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with(":dep "))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.chain(waits)
}

/// Puts a kept build into `build`, and its versions beside it: cargo would choose newer ones.
fn give(kept: &Path, build: &Path) -> io::Result<()> {
    let done = match kept.join(WHOLE).is_file() {
        true => fs::copy(kept.join("Cargo.lock"), build.join(LOCK)).map(drop),
        false => fs::remove_file(build.join(LOCK)),
    };
    match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ if !kept.join(WHOLE).is_file() => return Ok(()),
        _ => {}
    }
    merge(&kept.join("target"), &build.join("target"))?;
    // The time tells which was used last.
    File::options()
        .write(true)
        .open(kept.join(WHOLE))?
        .set_modified(SystemTime::now())
}

/// Adds what is missing. Cargo's names hold a digest of what the files are made from, so that a name
/// that is there already says the same.
fn merge(from: &Path, to: &Path) -> io::Result<()> {
    if !to.exists() {
        return copy_folder(from, to);
    }
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            merge(&entry.path(), &target)?;
        } else if !target.exists() {
            copy_file(&entry.path(), &target)?;
        }
    }
    Ok(())
}

/// The packages that a build folder's code depends on, each with its version; none where nothing was chosen yet.
fn packages(build: &Path) -> io::Result<BTreeSet<String>> {
    let lock = match fs::read_to_string(build.join("Cargo.lock")) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        lock => lock?,
    };
    let mut lines = lock.lines().peekable();
    let mut found = BTreeSet::new();
    while let Some(line) = lines.next() {
        if line.starts_with("name = ") {
            let version = lines.peek().copied().unwrap_or_default();
            found.insert(format!("{line} {version}"));
        }
    }
    Ok(found)
}

/// Keeps what `build` holds beside what is warm.
fn keep(build: &Path, warm: &Path, folder: &Path, digest: &str) -> io::Result<()> {
    let kept = folder.join(digest);
    if kept.join(WHOLE).is_file() {
        return Ok(());
    }
    fs::create_dir_all(folder)?;
    let half = tempfile::Builder::new().prefix(HALF).tempdir_in(folder)?;
    copy_folder_beside(
        &build.join("target"),
        &warm.join("target"),
        &half.path().join("target"),
    )?;
    match fs::copy(build.join("Cargo.lock"), half.path().join("Cargo.lock")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    File::create(half.path().join(WHOLE))?;
    // Another kernel may have been first, with the same.
    match fs::rename(half.path(), &kept) {
        Err(error) if !kept.exists() => Err(error),
        _ => Ok(()),
    }
}

/// Removes what nobody has used for longest, and what was never finished.
fn tidy(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        let age = entry.metadata().and_then(|of| of.modified()).ok();
        let age = age.and_then(|at| at.elapsed().ok());
        let is_half = entry.file_name().to_string_lossy().starts_with(HALF);
        if is_half && age.is_some_and(|age| age > ABANDONED) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    let used = |path: &Path| fs::metadata(path.join(WHOLE)).and_then(|file| file.modified());
    let mut kept: Vec<(SystemTime, PathBuf)> = fs::read_dir(folder)?
        .flatten()
        .filter_map(|entry| Some((used(&entry.path()).ok()?, entry.path())))
        .collect();
    kept.sort();
    for (_, path) in kept.iter().take(kept.len().saturating_sub(MOST_KEPT)) {
        // First what says that it is whole.
        fs::remove_file(path.join(WHOLE))?;
        fs::remove_dir_all(path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(folder: &Path, name: &str) -> PathBuf {
        let build = folder.join(name);
        let deps = build.join("target/debug/deps");
        fs::create_dir_all(&deps).unwrap();
        fs::write(deps.join(format!("lib{name}.rlib")), name).unwrap();
        fs::write(deps.join(format!("{name}.d")), name).unwrap();
        let lock = format!("[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\n");
        fs::write(build.join("Cargo.lock"), lock).unwrap();
        build
    }

    #[tokio::test]
    async fn the_second_session_finds_what_the_first_has_compiled() {
        let folder = tempfile::tempdir().unwrap();
        let builds = folder.path();
        let one = build(builds, "one");
        let mut kept = Kept::new(builds, "1.95");
        assert!(!kept.before("let x = 1;", &one).await);
        assert!(kept.before(":dep  image = \"0.25\"\n1", &one).await);
        kept.after(&one);
        assert!(
            !kept.before(":dep image = \"0.25\"", &one).await,
            "the same line again"
        );

        let two = build(builds, "two");
        let mut next = Kept::new(builds, "1.95");
        assert!(next.before("\n :dep image = \"0.25\"", &two).await);
        let deps = two.join("target/debug/deps");
        assert_eq!(fs::read_to_string(deps.join("libone.rlib")).unwrap(), "one");
        assert_eq!(fs::read_to_string(deps.join("two.d")).unwrap(), "two");
        let versions = fs::read_to_string(two.join(LOCK)).unwrap();
        assert!(versions.contains("\"one\""), "{versions}");
        // What is compiled into later must not reach the kept one.
        fs::write(deps.join("one.d"), "changed").unwrap();
        next.after(&two);
        assert!(next.before(":dep rnad = \"0.9\"", &two).await);
        assert!(!two.join(LOCK).exists(), "versions of other lines");
        assert!(
            !next.before(":dep image = \"0.25\"", &two).await,
            "what was refused is forgotten"
        );
        assert!(
            next.before("task.await?", &two).await,
            "tokio is a dependency too"
        );

        let three = build(builds, "three");
        let mut other = Kept::new(builds, "1.96");
        assert!(other.before(":dep image = \"0.25\"", &three).await);
        assert!(
            !three.join("target/debug/deps/libone.rlib").exists(),
            "another compiler's"
        );
        let mut third = Kept::new(builds, "1.95");
        assert!(third.before(":dep image = \"0.25\"", &three).await);
        let text = fs::read_to_string(three.join("target/debug/deps/one.d")).unwrap();
        assert_eq!(text, "one");
    }

    #[tokio::test]
    async fn what_is_warm_is_not_kept_and_another_warm_build_has_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let builds = folder.path();
        build(builds, "warm");
        let one = builds.join("0");
        copy_folder(&builds.join("warm"), &one).unwrap();
        let mut kept = Kept::new(builds, "1.95");
        assert!(kept.before(":dep image = \"0.25\"", &one).await);
        kept.after(&one);
        kept.work.take().unwrap().await.unwrap().unwrap();
        assert!(!builds.join("kept").exists());

        // A crate beside it is, and nothing else.
        fs::write(one.join("target/debug/deps/libimage.rlib"), "image").unwrap();
        fs::copy(
            build(builds, "image").join("Cargo.lock"),
            one.join("Cargo.lock"),
        )
        .unwrap();
        kept.after(&one);
        kept.work.take().unwrap().await.unwrap().unwrap();
        let deps = builds
            .join("kept")
            .join(kept.digest())
            .join("target/debug/deps");
        assert!(deps.join("libimage.rlib").exists() && !deps.join("libwarm.rlib").exists());

        let digest = kept.digest();
        fs::write(builds.join("warm/icvae-stamp"), "newer").unwrap();
        let mut newer = Kept::new(builds, "1.95");
        newer.tried = kept.tried;
        assert_ne!(newer.digest(), digest);
    }

    #[test]
    fn what_was_used_last_stays() {
        let folder = tempfile::tempdir().unwrap();
        let one = build(folder.path(), "one");
        let kept = folder.path().join("kept");
        for number in 0..MOST_KEPT + 2 {
            keep(
                &one,
                &folder.path().join("warm"),
                &kept,
                &number.to_string(),
            )
            .unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(number as u64);
            let whole = File::options()
                .write(true)
                .open(kept.join(number.to_string()).join(WHOLE));
            whole.unwrap().set_modified(time).unwrap();
        }
        let half = kept.join(".half-1");
        fs::create_dir(&half).unwrap();
        let long_ago = SystemTime::now() - 2 * ABANDONED;
        File::open(&half).unwrap().set_modified(long_ago).unwrap();
        fs::create_dir(kept.join(".half-2")).unwrap();
        tidy(&kept).unwrap();
        assert!(!half.exists() && kept.join(".half-2").exists());
        fs::remove_dir(kept.join(".half-2")).unwrap();
        assert!(!kept.join("1").exists() && kept.join("2").exists());
        assert_eq!(fs::read_dir(&kept).unwrap().count(), MOST_KEPT);
    }
}
