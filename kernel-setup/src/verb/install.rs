//! `cargo kernel install`: everything a first run needs, and nothing twice.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};

use crate::builds::{self, Lock};
use crate::layout::{EVCXR_VERSION, Layout, TORCH_VERSION};
use crate::libtorch::{self, Source};
use crate::lock::Locks;
use crate::pins::{Pin, Pins};
use crate::preparation::{self, Board, Step};
use crate::python::{self, Environment};
use crate::signals::Signals;
use crate::{analysis_program, announce, disk, evcxr, gpu, jupyter, kernelspec, process, torch};

/// How often a step that goes on for long says how far it is.
const BETWEEN_SIGNS: Duration = Duration::from_secs(30);
/// How often it is looked whether somebody wants all to end.
const LOOK: Duration = Duration::from_millis(100);

/// What an installation leaves for the other verbs.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The Python environment in use.
    pub environment: Environment,
}

/// Installs what is missing.
///
/// # Errors
/// If a step fails: which, why, and what to do.
pub fn run(layout: &Layout) -> Result<Installed> {
    let signals = Signals::listen()?;
    let cancel = AtomicBool::new(false);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let _over = Over(&over);
        scope.spawn(|| stop_when(&signals, &cancel, &over));
        all(layout, &cancel, |_| {})
    })
}

/// Installs what is missing; `stands` hears of the environment as soon as JupyterLab could be started in
/// it. The kernelspec is there by then, and kernels wait for the rest.
///
/// # Errors
/// If a step fails: which, why, and what to do.
pub fn all(
    layout: &Layout,
    cancel: &AtomicBool,
    stands: impl FnOnce(&Environment) + Send,
) -> Result<Installed> {
    let start = Instant::now();
    let _lock = lock(layout)?;
    let plan = Plan::make(layout)?;
    let steps = plan.steps()?;
    plan.check_prerequisites()?;
    let board = Board::new(&layout.state(), &steps)?;
    let over = AtomicBool::new(false);
    // The long steps that don't need each other: pip waits for the network, cargo for the processor.
    let ahead = Ahead::default();
    let result = thread::scope(|scope| {
        scope.spawn(|| tell(&board, &over));
        let kernel = scope.spawn(|| {
            let kernel = cancel_others(cancel, plan.rust_kernel(&board, cancel))?;
            if steps.contains(&Step::Libtorch) && steps.contains(&Step::Library) {
                ahead.work(|enough| plan.library_ahead(&board, enough));
            }
            Ok(kernel)
        });
        let others = plan.python_side(cancel).and_then(|environment| {
            stands(&environment);
            let source = plan.libtorch(&board, cancel)?;
            ahead.end();
            plan.library(&source, &board, cancel)
        });
        ahead.end();
        let others = cancel_others(cancel, others);
        let kernel = kernel
            .join()
            .unwrap_or_else(|_| Err(anyhow!("the Rust kernel's step broke off")));
        over.store(true, Ordering::Relaxed);
        match (others, kernel) {
            (Ok(()), Ok(_)) => Ok(()),
            // The step that was merely stopped has nothing to tell.
            (Err(error), _) if !was_stopped(&error) => Err(error),
            (_, Err(error)) | (Err(error), _) => Err(error),
        }
    });
    match &result {
        Ok(()) => {
            board.end(None)?;
            // Cells run from here on.
            install_analysis(layout, &layout.tool(), &layout.log("cell-analysis"), cancel)?;
        }
        // The next one goes on.
        Err(error) if was_stopped(error) => {}
        Err(error) => {
            let said = format!("{error:#}");
            let first = said.lines().next().unwrap_or_default();
            board.end(Some(format!(
                "the installation failed: {first} (then run `cargo kernel install`)"
            )))?;
        }
    }
    result?;
    println!("Ready after {}.", announce::seconds(start.elapsed()));
    Ok(Installed {
        environment: plan.environment.clone(),
    })
}

/// What is compiled while libtorch is still on its way.
#[derive(Debug, Default)]
struct Ahead {
    enough: AtomicBool,
    at_work: Mutex<()>,
}

impl Ahead {
    /// Works until it is done or told to end.
    fn work(&self, work: impl FnOnce(&AtomicBool)) {
        let _at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.enough.load(Ordering::Relaxed) {
            work(&self.enough);
        }
    }

    /// Has it end, and waits until it has.
    fn end(&self) {
        self.enough.store(true, Ordering::Relaxed);
        drop(self.at_work.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// Sets a flag when it goes, however that comes.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Has the steps stop when this program is asked to end.
fn stop_when(signals: &Signals, cancel: &AtomicBool, over: &AtomicBool) {
    while !over.load(Ordering::Relaxed) {
        if signals.any() {
            cancel.store(true, Ordering::Relaxed);
        }
        thread::sleep(LOOK);
    }
}

/// Says now and then how far it is.
fn tell(board: &Board, over: &AtomicBool) {
    let mut next = Instant::now() + BETWEEN_SIGNS;
    while !over.load(Ordering::Relaxed) {
        if Instant::now() >= next {
            next += BETWEEN_SIGNS;
            let status = board.status();
            if !status.now.is_empty() {
                announce::progress(&status.line());
            }
        }
        thread::sleep(LOOK);
    }
}

/// Installs what is missing of the Python packages alone: a page needs no more.
///
/// # Errors
/// If a step fails: which, why, and what to do.
pub fn python_packages(layout: &Layout) -> Result<Installed> {
    let _lock = lock(layout)?;
    let plan = Plan::make(layout)?;
    let cancel = AtomicBool::new(false);
    plan.make_environment(&cancel)?;
    plan.packages(&cancel)?;
    Ok(Installed {
        environment: plan.environment.clone(),
    })
}

fn cancel_others<T>(cancel: &AtomicBool, result: Result<T>) -> Result<T> {
    if result.is_err() {
        cancel.store(true, Ordering::Relaxed);
    }
    result
}

/// Whether a step was merely stopped.
pub fn was_stopped(error: &anyhow::Error) -> bool {
    error.root_cause().to_string() == process::STOPPED
}

/// Keeps two installations in one repository apart.
fn lock(layout: &Layout) -> Result<Lock> {
    let state = layout.state();
    fs::create_dir_all(&state).with_context(|| format!("{} can't be made", state.display()))?;
    if let Some(lock) = builds::try_lock(&layout.install_lock())? {
        return Ok(lock);
    }
    announce::note("another installation is at work here: waiting for it");
    preparation::wait_for_others(&state, |status| {
        if !status.is_empty() {
            announce::progress(status);
        }
    })
}

/// What is there and what is to be used.
struct Plan<'a> {
    layout: &'a Layout,
    /// The pins that this environment is to meet; without torch if the reader has a libtorch.
    pins: Pins,
    environment: Environment,
    libtorch: Option<Source>,
    gpu: bool,
}

impl<'a> Plan<'a> {
    fn make(layout: &'a Layout) -> Result<Self> {
        let mut pins = Pins::read(&layout.environment_file())?;
        let mut gpu = gpu::present();
        let libtorch = libtorch::named(layout, python::variable("LIBTORCH"));
        if let Some(source) = &libtorch {
            announce::ready(
                "libtorch",
                &format!("{} is used", source.folder().display()),
            );
            pins.packages.retain(|pin| pin.name != "torch");
        }
        let (environment, passed_over) = python::choose(layout, &pins, python::variable);
        if let Some(why) = passed_over {
            announce::note(&why);
        }
        // A reader's own environment is taken as it is.
        if gpu
            && environment.prefix != layout.env()
            && libtorch::of_environment(&environment)
                .is_some_and(|source| !libtorch::complete(&source, true))
        {
            announce::note("the active environment's torch has no CUDA: the GPU isn't used");
            gpu = false;
        }
        Ok(Self {
            layout,
            pins,
            environment,
            libtorch,
            gpu,
        })
    }

    fn is_own(&self) -> bool {
        self.environment.prefix == self.layout.env()
    }

    /// Finds out in the first second what would otherwise fail after minutes.
    fn check_prerequisites(&self) -> Result<()> {
        let fresh = self.is_own() && !python::usable(&self.environment);
        if fresh {
            python::interpreter(self.layout, self.pins.python)?;
        }
        if compiler(self.layout).is_none() {
            anyhow::bail!(
                "no C++ compiler was found: on Debian or Ubuntu run `apt install g++`, \
                 on Fedora `dnf install gcc-c++`"
            );
        }
        if fresh {
            disk::require(&self.layout.root, disk::needed_here(self.gpu))?;
        }
        Ok(())
    }

    /// The steps that a cell has to wait for.
    fn steps(&self) -> Result<Vec<Step>> {
        let mut steps = Vec::new();
        if self.libtorch.is_none() && self.torch().is_none() {
            steps.push(Step::Libtorch);
        }
        if evcxr::find(self.layout).is_none() {
            steps.push(Step::Kernel);
        }
        if !builds::is_warm(self.layout, &builds::stamp(self.layout)?) {
            steps.push(Step::Library);
        }
        Ok(steps)
    }

    fn rust_kernel(&self, board: &Board, cancel: &AtomicBool) -> Result<PathBuf> {
        let name = "Rust kernel";
        if let Some(found) = evcxr::find(self.layout) {
            announce::ready(
                name,
                &format!("evcxr_jupyter {EVCXR_VERSION}, {}", found.display()),
            );
            return Ok(found);
        }
        let log = self.layout.log("evcxr");
        let what = format!("compiling evcxr_jupyter {EVCXR_VERSION} (about a minute on 2 cores)");
        board.begin(Step::Kernel);
        let program = announce::step(name, &what, || {
            evcxr::install(self.layout, &log, cancel, &|line| {
                board.line(Step::Kernel, line)
            })
        })?;
        board.done(Step::Kernel);
        Ok(program)
    }

    /// JupyterLab, with a kernelspec: all that a reader needs to read.
    fn python_side(&self, cancel: &AtomicBool) -> Result<Environment> {
        self.make_environment(cancel)?;
        self.packages(cancel)?;
        if self.is_own() {
            jupyter::settle_lab(&self.environment)?;
        }
        self.kernelspec()?;
        Ok(self.environment.clone())
    }

    /// What the notebooks use, with this libtorch.
    fn library(&self, source: &Source, board: &Board, cancel: &AtomicBool) -> Result<()> {
        self.links(source)?;
        self.warm_build(board, cancel)
    }

    fn make_environment(&self, cancel: &AtomicBool) -> Result<()> {
        let (name, prefix) = ("Python environment", &self.environment.prefix);
        if !self.is_own() || python::usable(&self.environment) {
            announce::ready(name, &self.layout.show(prefix));
            return Ok(());
        }
        let log = self.layout.log("venv");
        announce::step(
            name,
            &format!("making {}", self.layout.show(prefix)),
            || python::create(self.layout, &self.environment, &self.pins, &log, cancel),
        )
    }

    /// The environment's torch, if it is what this machine needs.
    fn torch(&self) -> Option<Source> {
        libtorch::of_environment(&self.environment)
            .filter(|source| libtorch::complete(source, self.gpu))
    }

    fn libtorch(&self, board: &Board, cancel: &AtomicBool) -> Result<Source> {
        if let Some(source) = &self.libtorch {
            return Ok(source.clone());
        }
        let name = "libtorch";
        if let Some(source) = self.torch() {
            let kind = if self.gpu { "with CUDA" } else { "for the CPU" };
            announce::ready(name, &format!("torch {TORCH_VERSION}, {kind}"));
            return Ok(source);
        }
        board.begin(Step::Libtorch);
        let what = match self.gpu {
            true => format!("downloading torch {TORCH_VERSION} with CUDA (3 GB)"),
            false => format!("downloading torch {TORCH_VERSION} for the CPU"),
        };
        let log = self.layout.log("torch");
        let source = announce::step(name, &what, || {
            torch::install(
                &self.environment,
                &Locks::of(self.layout),
                self.gpu,
                torch::CPU_INDEX,
                &log,
                cancel,
            )?;
            libtorch::of_environment(&self.environment).with_context(|| {
                format!("pip left no torch {TORCH_VERSION}: see {}", log.display())
            })
        })?;
        board.done(Step::Libtorch);
        Ok(source)
    }

    fn packages(&self, cancel: &AtomicBool) -> Result<()> {
        let name = "Python packages";
        let missing: Vec<&Pin> = self
            .environment
            .unmet(&self.pins.packages)
            .into_iter()
            .filter(|pin| pin.name != "torch")
            .collect();
        if missing.is_empty() {
            announce::ready(
                name,
                &format!("all {} pins are met", self.pins.packages.len()),
            );
            return Ok(());
        }
        let log = self.layout.log("pip");
        announce::step(
            name,
            &format!("installing {} and what they need", missing.len()),
            || python::install(&self.environment, &Locks::of(self.layout), &log, cancel),
        )
    }

    fn links(&self, source: &Source) -> Result<()> {
        let name = "libtorch links";
        match libtorch::fault(self.layout, source, self.gpu) {
            None => {
                announce::ready(name, &self.layout.show(&self.layout.libtorch()));
                Ok(())
            }
            Some(why) => {
                announce::step(name, &why, || libtorch::link(self.layout, source, self.gpu))
            }
        }
    }

    fn kernelspec(&self) -> Result<()> {
        let (name, environment) = ("kernelspec", &self.environment);
        let evcxr = evcxr::planned(self.layout)?;
        let program = env::current_exe().context("this program's own file can't be found")?;
        let fault = kernelspec::fault(self.layout, environment, &evcxr).or_else(|| {
            let current = kernelspec::tool_is_current(self.layout, &program);
            (!current).then(|| "its program is of another build".to_owned())
        });
        match fault {
            None => {
                announce::ready(name, &self.layout.show(&kernelspec::folder(environment)));
                Ok(())
            }
            Some(why) => announce::step(name, &why, || {
                kernelspec::install_tool(self.layout, &program)?;
                kernelspec::install(self.layout, environment, &evcxr)
            }),
        }
    }

    /// As much of what the notebooks use as needs no libtorch. Whatever is wrong with it shows later.
    fn library_ahead(&self, board: &Board, enough: &AtomicBool) {
        board.begin(Step::Library);
        let what = "compiling what needs no libtorch, while that is fetched";
        let _ = announce::step("warm build", what, || {
            builds::warm_ahead(self.layout, enough, &|line| board.line(Step::Library, line))
        });
    }

    fn warm_build(&self, board: &Board, cancel: &AtomicBool) -> Result<()> {
        let name = "warm build";
        let stamp = builds::stamp(self.layout)?;
        if builds::is_warm(self.layout, &stamp) {
            announce::ready(name, &self.layout.show(&self.layout.warm_build()));
            board.done(Step::Library);
            return Ok(());
        }
        let what = "compiling what the notebooks use (about 5 minutes on 2 cores)";
        board.begin(Step::Library);
        announce::step(name, what, || {
            builds::warm(self.layout, cancel, &|line| board.line(Step::Library, line))?;
            builds::mark_warm(self.layout, &stamp)
        })?;
        board.done(Step::Library);
        Ok(())
    }
}

/// The program that answers Tab and Shift+Tab. Without it these are silent, and all else runs.
///
/// # Errors
/// If it was stopped.
pub fn install_analysis(
    layout: &Layout,
    tool: &Path,
    log: &Path,
    cancel: &AtomicBool,
) -> Result<()> {
    let name = "Tab and Shift+Tab";
    let program = analysis_program::beside(tool);
    if matches!(analysis_program::is_current(layout, tool), Ok(true)) {
        announce::ready(name, &layout.show(&program));
        return Ok(());
    }
    let what = "compiling what answers them (about a minute, which no cell waits for)";
    let installed = announce::step(name, what, || {
        analysis_program::install(layout, tool, log, cancel)
    });
    match installed {
        Err(error) if !was_stopped(&error) => {
            announce::note(&format!("Tab and Shift+Tab will say nothing: {error:#}"));
            Ok(())
        }
        other => other,
    }
}

/// The C++ compiler that torch-sys will use.
pub fn compiler(layout: &Layout) -> Option<PathBuf> {
    let named = env::var("CXX").ok();
    named
        .as_deref()
        .into_iter()
        .chain(["c++", "g++", "clang++"])
        .find_map(|name| {
            let program = name.split_whitespace().next().unwrap_or(name);
            layout.program(program)
        })
}
