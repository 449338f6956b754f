//! Stopping a cell: asked first, and the hard way if it does not listen.
//!
//! An interrupt concerns the cell that runs. It may also come before its cell: during the kernel's
//! start, or in the same instant on a faster channel. Then the next cell looks who was first, by the
//! times at which the client sent both.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::sync::Notify;

use super::wire::Message;

/// How long code has to notice that it should stop.
const GRACE: Duration = Duration::from_millis(2500);
/// How often a compiler is looked for that should stop.
const LOOK: Duration = Duration::from_millis(25);

/// What the kernel knows about the cell that runs.
#[derive(Debug)]
pub struct Interrupts {
    /// Its first byte is `1` while an interrupt is wanted; long calls of the reader's process look.
    flag: File,
    state: Mutex<State>,
    /// Told at each interrupt of a cell.
    told: Notify,
}

/// When something was sent by a client, as it says, and when it was here.
#[derive(Debug, Clone, Copy)]
pub struct When {
    pub sent: Option<SystemTime>,
    pub arrived: Instant,
}

impl When {
    /// Something that comes without a message.
    pub fn now() -> Self {
        Self {
            sent: None,
            arrived: Instant::now(),
        }
    }

    /// Of a message.
    pub fn of(message: &Message) -> Self {
        Self {
            sent: message.sent(),
            arrived: message.arrived.unwrap_or_else(Instant::now),
        }
    }

    fn is_before(self, other: Self) -> bool {
        match (self.sent, other.sent) {
            (Some(this), Some(other)) => this < other,
            _ => self.arrived < other.arrived,
        }
    }
}

/// How far a cell has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    /// It waits for evcxr.
    #[default]
    Waiting,
    Compiling,
    Running,
}

#[derive(Debug, Default)]
struct State {
    /// Counts cells; the odd ones are running.
    cell: u64,
    /// Interrupts of this cell.
    wanted: u32,
    /// An interrupt that came while no cell ran.
    early: Option<When>,
    phase: Phase,
    /// Whether the code has said that it stops.
    heard: bool,
    /// Whether the process had to be killed.
    killed: bool,
    /// The process that runs the reader's code, where it is attached.
    process: Option<u32>,
    evcxr: Option<u32>,
}

/// How an interrupted cell was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// Before anything was done for it.
    Waiting,
    /// Before it ran.
    Compiling,
    /// In order.
    Heard,
    /// The hard way.
    Killed,
}

impl Interrupts {
    /// Makes the flag's file in the side channel's folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn new(folder: &Path) -> Result<Arc<Self>> {
        let path = folder.join("interrupt");
        let flag =
            File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        let interrupts = Self {
            flag,
            state: Mutex::default(),
            told: Notify::new(),
        };
        interrupts.raise(false);
        Ok(Arc::new(interrupts))
    }

    fn raise(&self, wanted: bool) {
        // A flag that cannot be raised leaves the hard way.
        let _ = self.flag.write_all_at(if wanted { b"1" } else { b"0" }, 0);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A cell begins, which was asked for then.
    pub fn begin(&self, asked: When) {
        let mut state = self.state();
        state.cell |= 1;
        state.phase = Phase::Waiting;
        (state.heard, state.killed) = (false, false);
        let early = state.early.take();
        let concerned = early.is_some_and(|interrupt| !interrupt.is_before(asked));
        state.wanted = u32::from(concerned);
        self.raise(concerned);
    }

    /// A widget's closure begins, between two cells. An interrupt that has come before is not for it.
    pub fn begin_closure(&self) {
        let mut state = self.state();
        state.cell |= 1;
        state.phase = Phase::Running;
        (state.heard, state.killed, state.wanted) = (false, false, 0);
        self.raise(false);
    }

    /// The cell is handed to evcxr.
    pub fn compiling(self: &Arc<Self>) {
        let (cell, turn) = {
            let mut state = self.state();
            // Without the side channel nobody says when the compiler has done.
            state.phase = match state.process {
                Some(_) => Phase::Compiling,
                None => Phase::Running,
            };
            (state.cell, state.wanted)
        };
        if turn > 0 {
            tokio::spawn(Arc::clone(self).pursue(cell, turn));
        }
    }

    /// Whether somebody wants the cell to stop.
    pub fn is_wanted(&self) -> bool {
        let state = self.state();
        state.cell & 1 == 1 && state.wanted > 0
    }

    /// Waits until somebody wants the cell to stop.
    pub async fn wanted(&self) {
        loop {
            let told = self.told.notified();
            if self.is_wanted() {
                return;
            }
            told.await;
        }
    }

    /// The cell, or the closure, is over: returns how it was stopped, if somebody wanted that.
    pub fn end(&self) -> Option<Stopped> {
        let mut state = self.state();
        state.cell += state.cell & 1;
        self.raise(false);
        match (state.wanted, state.killed, state.phase) {
            (0, ..) => None,
            (_, true, _) => Some(Stopped::Killed),
            (_, _, Phase::Waiting) => Some(Stopped::Waiting),
            (_, _, Phase::Compiling) => Some(Stopped::Compiling),
            (_, _, Phase::Running) => Some(Stopped::Heard),
        }
    }

    /// The reader's code begins to run.
    pub fn started(&self) {
        self.state().phase = Phase::Running;
    }

    /// The reader's code has said that it stops.
    pub fn heard(&self) {
        self.state().heard = true;
    }

    /// evcxr is this process.
    pub fn evcxr(&self, process: Option<u32>) {
        self.state().evcxr = process;
    }

    /// The reader's code runs in this process.
    pub fn attached(&self, process: u32) {
        self.state().process = Some(process);
    }

    /// That process is gone.
    pub fn detached(&self, process: u32) {
        let mut state = self.state();
        if state.process == Some(process) {
            state.process = None;
        }
    }

    /// The process that runs the reader's code.
    pub fn process(&self) -> Option<u32> {
        self.state().process
    }

    /// Ends evcxr, its compilers and the reader's process.
    pub fn kill_all(&self) {
        let (evcxr, process) = {
            let state = self.state();
            (state.evcxr, state.process)
        };
        if let Some(evcxr) = evcxr {
            stop_compilers(evcxr, process);
            kill(evcxr);
        }
        // Attached, it ends by itself when evcxr is gone; nothing is left to chance.
        if let Some(process) = process {
            kill(process);
        }
    }

    /// Stops the cell that runs, or the one that was asked for before; returns at once.
    pub fn interrupt(self: &Arc<Self>, when: When) {
        let (cell, turn, phase) = {
            let mut state = self.state();
            if state.cell & 1 == 0 {
                state.early = Some(when);
                return;
            }
            state.wanted += 1;
            // Who asks again does not believe that the code will stop by itself.
            state.heard = false;
            self.raise(true);
            (state.cell, state.wanted, state.phase)
        };
        self.told.notify_waiters();
        if phase != Phase::Waiting {
            tokio::spawn(Arc::clone(self).pursue(cell, turn));
        }
    }

    async fn pursue(self: Arc<Self>, cell: u64, turn: u32) {
        let mut running_since = None;
        loop {
            {
                let mut state = self.state();
                if state.cell != cell || state.wanted != turn {
                    return;
                }
                if state.phase != Phase::Running {
                    if let Some(evcxr) = state.evcxr {
                        stop_compilers(evcxr, state.process);
                    }
                } else if running_since.get_or_insert_with(Instant::now).elapsed() > GRACE
                    && !state.heard
                {
                    let process = state.process.or_else(|| state.evcxr.and_then(child_of));
                    state.killed = true;
                    if let Some(process) = process {
                        kill(process);
                    }
                    return;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

/// Kills a process that this kernel has started.
pub fn kill(process: u32) {
    if let Some(pid) = i32::try_from(process).ok().and_then(Pid::from_raw) {
        // It may be gone already, which is what is wanted.
        let _ = kill_process(pid, Signal::KILL);
    }
}

/// Kills what works in a build folder.
pub fn kill_below(folder: &Path) {
    for (process, _) in processes() {
        let place = std::fs::read_link(format!("/proc/{process}/cwd"));
        if place.is_ok_and(|place| place.starts_with(folder)) {
            kill(process);
        }
    }
}

/// Kills all that evcxr has started, but for the process that runs the reader's code.
pub fn stop_compilers(evcxr: u32, spare: Option<u32>) {
    let processes = processes();
    let runtime = spare.or_else(|| oldest_child(&processes, evcxr));
    let mut family = vec![evcxr];
    let mut next = 0;
    while let Some(&parent) = family.get(next) {
        next += 1;
        let children = processes
            .iter()
            .filter(|(_, of)| *of == parent)
            .map(|(id, _)| *id);
        family.extend(children.filter(|id| Some(*id) != runtime));
    }
    family.drain(1..).for_each(kill);
}

fn child_of(evcxr: u32) -> Option<u32> {
    oldest_child(&processes(), evcxr)
}

/// evcxr's first child is the one that runs the reader's code; compilers come later.
fn oldest_child(processes: &[(u32, u32)], evcxr: u32) -> Option<u32> {
    processes
        .iter()
        .filter(|(_, parent)| *parent == evcxr)
        .map(|(id, _)| *id)
        .min()
}

/// All processes and their parents.
#[cfg(target_os = "linux")]
fn processes() -> Vec<(u32, u32)> {
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return Vec::new();
    };
    entries
        .filter_map(|entry| {
            let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
            // The name, in brackets, may hold anything; the state and the parent follow it.
            let parent = stat
                .rsplit_once(')')?
                .1
                .split_whitespace()
                .nth(1)?
                .parse()
                .ok()?;
            Some((id, parent))
        })
        .collect()
}

/// All processes and their parents.
#[cfg(not(target_os = "linux"))]
fn processes() -> Vec<(u32, u32)> {
    let Ok(listing) = std::process::Command::new("ps")
        .args(["-axo", "pid=,ppid="])
        .output()
    else {
        return Vec::new();
    };
    String::from_utf8_lossy(&listing.stdout)
        .lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse);
            Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::cases;
    use proptest::prelude::*;

    fn when(sent: Option<u64>, arrived: Instant) -> When {
        let sent = sent.map(|s| SystemTime::UNIX_EPOCH + Duration::from_secs(s));
        When { sent, arrived }
    }

    proptest! {
        #![proptest_config(cases(200))]

        /// In whichever order a cell and an interrupt arrive: it concerns the cell if it was sent
        /// after it, or, where a time is missing, if it came after it; and one cell at most.
        #[test]
        fn an_interrupt_is_for_the_cell_that_it_was_meant_for(
            cell in prop::option::of(0u64..4), interrupt in prop::option::of(0u64..4),
            interrupt_first: bool, begun_before: bool,
        ) {
            let folder = tempfile::tempdir().unwrap();
            let interrupts = Interrupts::new(folder.path()).unwrap();
            let (early, late) = (Instant::now(), Instant::now() + Duration::from_millis(1));
            let (at_cell, at_interrupt) = if interrupt_first { (late, early) } else { (early, late) };
            let (asked, meant) = (when(cell, at_cell), when(interrupt, at_interrupt));
            let flag = || std::fs::read(folder.path().join("interrupt")).unwrap();
            if begun_before && !interrupt_first {
                interrupts.begin(asked);
                interrupts.interrupt(meant);
                prop_assert!(interrupts.is_wanted());
            } else {
                interrupts.interrupt(meant);
                prop_assert!(!interrupts.is_wanted() && flag() == b"0");
                interrupts.begin(asked);
                let concerned = match (cell, interrupt) {
                    (Some(cell), Some(interrupt)) => interrupt >= cell,
                    _ => !interrupt_first,
                };
                prop_assert_eq!(interrupts.is_wanted(), concerned);
            }
            prop_assert_eq!(flag() == b"1", interrupts.is_wanted());
            let expected = interrupts.is_wanted().then_some(Stopped::Waiting);
            prop_assert_eq!(interrupts.end(), expected);
            interrupts.begin(When::now());
            prop_assert!(!interrupts.is_wanted() && flag() == b"0");
        }
    }

    #[tokio::test]
    async fn who_waits_for_an_interrupt_hears_of_it_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let interrupts = Interrupts::new(folder.path()).unwrap();
        interrupts.begin(When::now());
        let waiting = tokio::spawn({
            let interrupts = Arc::clone(&interrupts);
            async move { interrupts.wanted().await }
        });
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        interrupts.interrupt(When::now());
        tokio::time::timeout(Duration::from_secs(5), waiting)
            .await
            .unwrap()
            .unwrap();
    }
}
