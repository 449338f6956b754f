//! How far the preparation of the kernel has come: an installation tells it in a file, and whoever waits
//! for it reads it there. A kernel may be started as soon as JupyterLab stands, long before there is
//! anything that could compile a cell.

use std::collections::VecDeque;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::builds::{self, Lock};
use crate::files;

/// The file, and the lock of the installation that writes it, both in `.icvae`.
const FILE: &str = "preparation.json";
const LOCK: &str = "install.lock";
/// The present pace is that of the last minute and a half.
const WINDOW: Duration = Duration::from_secs(90);
/// A pace is believed after so long.
const SOON: Duration = Duration::from_secs(15);
/// The file is written at most this often for mere progress.
const BETWEEN_WRITES: Duration = Duration::from_millis(700);

/// A step that a cell has to wait for, and about how many seconds it takes with two cores of its own
/// (AMD Zen 3): together with what is done of it, that gives the time that is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Downloading and unpacking torch.
    Libtorch,
    /// evcxr_jupyter.
    Kernel,
    /// What the notebooks use.
    Library,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::Libtorch => "downloading libtorch",
            Self::Kernel => "compiling the Rust kernel",
            Self::Library => "compiling what the notebooks use",
        }
    }

    fn seconds(self) -> f64 {
        match self {
            Self::Libtorch => 15.0,
            Self::Kernel => 60.0,
            Self::Library => 300.0,
        }
    }
}

/// What a reader is told.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// What is being done now, as parts of a sentence.
    pub now: Vec<String>,
    /// About how many seconds are left.
    pub left: Option<f64>,
    /// Why the installation has ended early.
    pub failure: Option<String>,
    /// Whether all is done.
    pub done: bool,
}

impl Status {
    /// The status in one line, such as `compiling the Rust kernel, 120 of 327; about 3 min left`.
    pub fn line(&self) -> String {
        let now = match self.now.is_empty() {
            true => "looking at what is there".to_owned(),
            false => self.now.join(" and "),
        };
        match self.left {
            Some(seconds) => format!("{now}; {} left", about(seconds)),
            None => now,
        }
    }
}

/// A time that is not known to the second.
fn about(seconds: f64) -> String {
    match seconds {
        ..20.0 => "a few seconds".to_owned(),
        20.0..50.0 => "less than a minute".to_owned(),
        _ => format!("about {:.0} min", (seconds / 60.0).max(1.0)),
    }
}

/// What can be said about the kernel below a state folder (`.icvae`).
#[derive(Debug, Clone, PartialEq)]
pub enum Readiness {
    /// Nothing stands in the way of a start.
    Ready,
    /// An installation is at work.
    Working(Status),
    /// Something is missing and nobody is at work on it: a sentence.
    Missing(String),
}

/// Looks whether a kernel can be started.
pub fn readiness(state: &Path, evcxr: &Path) -> Readiness {
    let status = read(state);
    let at_work = is_at_work(state);
    match status {
        Some(status) if at_work && !status.done => Readiness::Working(status),
        // An installation that has only just begun has nothing to tell yet.
        None if at_work && !evcxr.is_file() => Readiness::Working(Status::default()),
        Some(Status {
            failure: Some(failure),
            ..
        }) => Readiness::Missing(failure),
        _ if !evcxr.is_file() => Readiness::Missing(format!(
            "the installation has not been finished (there is no {}): run `cargo kernel install`, \
             and this cell again",
            evcxr.display()
        )),
        Some(Status { done: false, .. }) => Readiness::Missing(
            "the installation was cut off: run `cargo kernel install`, which goes on where it was, \
             and this cell again"
                .to_owned(),
        ),
        _ => Readiness::Ready,
    }
}

/// The status that was last written.
pub fn read(state: &Path) -> Option<Status> {
    serde_json::from_slice(&fs::read(state.join(FILE)).ok()?).ok()
}

/// Whether an installation holds its lock.
pub fn is_at_work(state: &Path) -> bool {
    let Ok(lock) = File::open(state.join(LOCK)) else {
        return false;
    };
    matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The installation's side: it writes the file whenever there is something new.
#[derive(Debug)]
pub struct Board {
    path: PathBuf,
    state: Mutex<Work>,
}

#[derive(Debug)]
struct Work {
    steps: Vec<(Step, Progress)>,
    /// What was done at which time.
    pace: VecDeque<(Instant, f64)>,
    written: Option<Instant>,
}

#[derive(Debug, Clone, PartialEq)]
enum Progress {
    Waiting,
    /// Units that are done, of how many, where that is known.
    Working(Option<(u32, u32)>),
    Done,
}

impl Progress {
    fn share(&self) -> f64 {
        match self {
            Self::Waiting | Self::Working(None) => 0.0,
            Self::Working(Some((done, all))) => f64::from(*done) / f64::from((*all).max(1)),
            Self::Done => 1.0,
        }
    }
}

impl Board {
    /// A board for these steps, all of them still to be done; none: then nothing is written, and what an
    /// earlier installation has left is taken away.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn new(state: &Path, steps: &[Step]) -> Result<Self> {
        let board = Self {
            path: state.join(FILE),
            state: Mutex::new(Work {
                steps: steps
                    .iter()
                    .map(|step| (*step, Progress::Waiting))
                    .collect(),
                pace: VecDeque::new(),
                written: None,
            }),
        };
        match steps.is_empty() {
            true => {
                let _ = fs::remove_file(&board.path);
            }
            false => board.change(|_| {})?,
        }
        Ok(board)
    }

    /// A step begins.
    pub fn begin(&self, step: Step) {
        self.set(step, Progress::Working(None));
    }

    /// A step is done.
    pub fn done(&self, step: Step) {
        self.set(step, Progress::Done);
    }

    /// A line of a step's program; cargo's counts are taken from it.
    pub fn line(&self, step: Step, line: &str) {
        let Some((done, all)) = counts(line) else {
            return;
        };
        let mut work = self.lock();
        for (of, progress) in &mut work.steps {
            if *of == step {
                *progress = Progress::Working(Some((done, all)));
            }
        }
        let due = work
            .written
            .is_none_or(|last| last.elapsed() >= BETWEEN_WRITES);
        drop(work);
        if due {
            // What can't be told must not stop the work itself.
            let _ = self.change(|_| {});
        }
    }

    /// All is over: nothing is left to wait for, or `failure` says why it ended.
    ///
    /// # Errors
    /// If the folder can't be written.
    pub fn end(&self, failure: Option<String>) -> Result<()> {
        if self.lock().steps.is_empty() {
            return Ok(());
        }
        self.change(|status| {
            status.done = failure.is_none();
            status.failure = failure;
        })
    }

    /// The status as it is now.
    pub fn status(&self) -> Status {
        self.lock().status(Instant::now())
    }

    fn set(&self, step: Step, to: Progress) {
        for (of, progress) in &mut self.lock().steps {
            if *of == step {
                *progress = to.clone();
            }
        }
        let _ = self.change(|_| {});
    }

    fn change(&self, last: impl FnOnce(&mut Status)) -> Result<()> {
        let mut status = {
            let mut work = self.lock();
            if work.steps.is_empty() {
                return Ok(());
            }
            let now = Instant::now();
            work.written = Some(now);
            work.status(now)
        };
        last(&mut status);
        files::write_whole(&self.path, &serde_json::to_vec(&status)?, 0o644)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Work> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Work {
    fn status(&mut self, now: Instant) -> Status {
        let part = |(step, progress): &(Step, Progress)| match progress {
            Progress::Waiting | Progress::Done => None,
            Progress::Working(Some((done, all))) => {
                Some(format!("{}, {done} of {all}", step.name()))
            }
            Progress::Working(None) => Some(step.name().to_owned()),
        };
        Status {
            now: self.steps.iter().filter_map(part).collect(),
            left: self.left(now),
            ..Status::default()
        }
    }

    /// What is left, at the present pace; while that isn't known, as long as it takes elsewhere.
    fn left(&mut self, now: Instant) -> Option<f64> {
        let all: f64 = self.steps.iter().map(|(step, _)| step.seconds()).sum();
        let done: f64 = self
            .steps
            .iter()
            .map(|(step, progress)| step.seconds() * progress.share())
            .sum();
        self.pace.push_back((now, done));
        while self.pace.len() > 2 && now.duration_since(self.pace[1].0) > WINDOW {
            self.pace.pop_front();
        }
        let (since, before) = *self.pace.front()?;
        let elapsed = now.duration_since(since);
        let pace = match elapsed > SOON && done > before {
            // Never faster than it is known to go.
            true => ((done - before) / elapsed.as_secs_f64()).min(1.0),
            false => 1.0,
        };
        (all > done).then(|| (all - done) / pace.max(0.02))
    }
}

/// Cargo's count of what it has built: `Building [==> ] 12/310: syn, …`.
fn counts(line: &str) -> Option<(u32, u32)> {
    let rest = line.trim_start().strip_prefix("Building [")?;
    let count = rest.split_once("] ")?.1.split([':', ' ']).next()?;
    let (done, all) = count.split_once('/')?;
    Some((done.parse().ok()?, all.parse().ok()?))
}

/// Waits for the lock of another installation, and says now and then how far that is.
///
/// # Errors
/// If the lock can't be made.
pub fn wait_for_others(state: &Path, mut tell: impl FnMut(&str)) -> Result<Lock> {
    let path = state.join(LOCK);
    let mut next = Instant::now();
    loop {
        if let Some(lock) = builds::try_lock(&path)? {
            return Ok(lock);
        }
        if Instant::now() >= next {
            next = Instant::now() + Duration::from_secs(30);
            let status = read(state).filter(|status| !status.done);
            tell(&status.map(|status| status.line()).unwrap_or_default());
        }
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_says_how_far_it_is() {
        let line = "   Building [====>             ] 45/310: syn, serde_derive(build)   ";
        assert_eq!(counts(line), Some((45, 310)));
        for other in [
            "   Compiling syn v2.0.1",
            "Building [",
            "Building [=>] x/3: y",
            "",
        ] {
            assert_eq!(counts(other), None, "{other}");
        }
    }

    #[test]
    fn what_a_kernel_is_told_follows_lock_and_file() {
        let dir = tempfile::tempdir().unwrap();
        let (state, evcxr) = (dir.path(), dir.path().join("evcxr_jupyter"));
        let missing = |readiness| match readiness {
            Readiness::Missing(text) => text,
            other => panic!("{other:?}"),
        };
        assert!(missing(readiness(state, &evcxr)).contains("run `cargo kernel install`"));

        let lock = builds::try_lock(&state.join(LOCK)).unwrap().unwrap();
        assert_eq!(
            readiness(state, &evcxr),
            Readiness::Working(Status::default())
        );
        let board = Board::new(state, &[Step::Kernel, Step::Library]).unwrap();
        board.begin(Step::Kernel);
        board.line(Step::Kernel, "Building [=> ] 30/300: x");
        board.begin(Step::Library);
        let Readiness::Working(status) = readiness(state, &evcxr) else {
            panic!("nobody seems to be at work")
        };
        assert!(
            status.now[1] == "compiling what the notebooks use",
            "{status:?}"
        );
        let line = board.status().line();
        assert!(
            line.starts_with("compiling the Rust kernel, 30 of 300 and "),
            "{line}"
        );
        assert!(line.ends_with("min left"), "{line}");

        // The installation dies without a word.
        drop(lock);
        assert!(missing(readiness(state, &evcxr)).contains("not been finished"));
        fs::write(&evcxr, "").unwrap();
        assert!(missing(readiness(state, &evcxr)).contains("cut off"));
        board.end(None).unwrap();
        assert_eq!(readiness(state, &evcxr), Readiness::Ready);

        // One that finds nothing to do holds nobody up.
        let _lock = builds::try_lock(&state.join(LOCK)).unwrap().unwrap();
        Board::new(state, &[]).unwrap();
        assert_eq!(readiness(state, &evcxr), Readiness::Ready);
    }

    #[test]
    fn a_failure_is_told_in_its_own_words() {
        let dir = tempfile::tempdir().unwrap();
        let board = Board::new(dir.path(), &[Step::Kernel]).unwrap();
        board.end(Some("no room".to_owned())).unwrap();
        let told = readiness(dir.path(), &dir.path().join("evcxr_jupyter"));
        assert_eq!(told, Readiness::Missing("no room".to_owned()));
    }

    #[test]
    fn the_time_that_is_left_follows_the_pace() {
        let mut work = Work {
            steps: vec![(Step::Library, Progress::Waiting)],
            pace: VecDeque::new(),
            written: None,
        };
        let start = Instant::now();
        let alone = work.left(start).unwrap();
        assert_eq!(alone, Step::Library.seconds());
        // A tenth in twice the time that it should take.
        work.steps[0].1 = Progress::Working(Some((10, 100)));
        let left = work
            .left(start + Duration::from_secs_f64(alone / 5.0))
            .unwrap();
        assert!((left / (0.9 * alone * 2.0) - 1.0).abs() < 1e-6, "{left}");
        work.steps[0].1 = Progress::Done;
        assert_eq!(work.left(start + Duration::from_secs(100)), None);
        assert_eq!(about(3.0), "a few seconds");
        assert_eq!(about(170.0), "about 3 min");
    }
}
