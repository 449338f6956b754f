//! Stopping a cell: asked first, and the hard way if it does not listen.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

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
}

#[derive(Debug, Default)]
struct State {
    /// Counts cells; the odd ones are running.
    cell: u64,
    /// Interrupts of this cell.
    wanted: u32,
    /// Whether the reader's code runs, rather than the compiler.
    started: bool,
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

    /// A cell begins.
    pub fn begin(&self) {
        let mut state = self.state();
        state.cell |= 1;
        // Without the side channel nobody says when the compiler has done.
        state.started = state.process.is_none();
        (state.wanted, state.heard, state.killed) = (0, false, false);
        self.raise(false);
    }

    /// The cell is over: returns how it was stopped, if somebody wanted that.
    pub fn end(&self) -> Option<Stopped> {
        let mut state = self.state();
        state.cell += state.cell & 1;
        self.raise(false);
        match (state.wanted, state.killed, state.started) {
            (0, ..) => None,
            (_, true, _) => Some(Stopped::Killed),
            (_, _, false) => Some(Stopped::Compiling),
            _ => Some(Stopped::Heard),
        }
    }

    /// The reader's code begins to run.
    pub fn started(&self) {
        self.state().started = true;
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

    /// Whether the process of this cell was killed.
    pub fn is_killed(&self) -> bool {
        self.state().killed
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

    /// Stops the cell that runs, if there is one; returns at once.
    pub fn interrupt(self: &Arc<Self>) {
        let (cell, turn) = {
            let mut state = self.state();
            if state.cell & 1 == 0 {
                return;
            }
            state.wanted += 1;
            // Who asks again does not believe that the code will stop by itself.
            state.heard = false;
            self.raise(true);
            (state.cell, state.wanted)
        };
        tokio::spawn(Arc::clone(self).pursue(cell, turn));
    }

    async fn pursue(self: Arc<Self>, cell: u64, turn: u32) {
        let mut running_since = None;
        loop {
            {
                let mut state = self.state();
                if state.cell != cell || state.wanted != turn {
                    return;
                }
                if !state.started {
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
