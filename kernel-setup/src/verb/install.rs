//! `cargo kernel install`: everything a first run needs, and nothing twice.

use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

use crate::layout::{EVCXR_VERSION, Layout, TORCH_VERSION};
use crate::libtorch::{self, Source};
use crate::lock::Locks;
use crate::pins::{Pin, Pins};
use crate::python::{self, Environment};
use crate::{announce, builds, disk, evcxr, gpu, jupyter, kernelspec, process, torch};

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
    let start = Instant::now();
    let _lock = lock(layout)?;
    let plan = Plan::make(layout)?;
    plan.check_prerequisites()?;

    // The two long steps that don't need each other: pip waits for the network, cargo for the processor.
    let cancel = AtomicBool::new(false);
    let (environment, evcxr) = thread::scope(|scope| {
        let kernel = scope.spawn(|| cancel_others(&cancel, plan.rust_kernel(&cancel)));
        let environment = cancel_others(&cancel, plan.python_side(&cancel));
        let kernel = kernel
            .join()
            .unwrap_or_else(|_| Err(anyhow!("the Rust kernel's step broke off")));
        match (environment, kernel) {
            (Ok(environment), Ok(kernel)) => Ok((environment, kernel)),
            // The step that was merely stopped has nothing to tell.
            (Err(error), _) if !was_stopped(&error) => Err(error),
            (_, Err(error)) | (Err(error), _) => Err(error),
        }
    })?;
    plan.kernelspec(&environment, &evcxr)?;
    plan.warm_build(&environment, &evcxr, &cancel)?;
    println!("Ready after {}.", announce::seconds(start.elapsed()));
    Ok(Installed { environment })
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

fn was_stopped(error: &anyhow::Error) -> bool {
    error.root_cause().to_string() == process::STOPPED
}

/// Keeps two installations in one repository apart.
fn lock(layout: &Layout) -> Result<File> {
    let state = layout.state();
    fs::create_dir_all(&state).with_context(|| format!("{} can't be made", state.display()))?;
    let path = layout.install_lock();
    if let Some(lock) = builds::try_lock(&path)? {
        return Ok(lock);
    }
    announce::note("another installation is at work here: waiting for it");
    let file = File::options().write(true).open(&path)?;
    file.lock()
        .with_context(|| format!("{} can't be locked", path.display()))?;
    Ok(file)
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
        if evcxr::find(self.layout).is_none() {
            disk::require(&self.layout.cache, disk::NEEDED_IN_CACHE)?;
        }
        Ok(())
    }

    fn rust_kernel(&self, cancel: &AtomicBool) -> Result<PathBuf> {
        let name = "Rust kernel";
        if let Some(found) = evcxr::find(self.layout) {
            announce::ready(
                name,
                &format!("evcxr_jupyter {EVCXR_VERSION}, {}", found.display()),
            );
            return Ok(found);
        }
        let what = format!("compiling evcxr_jupyter {EVCXR_VERSION} (about 4 minutes on 2 cores)");
        let log = self.layout.log("evcxr");
        announce::step(name, &what, || evcxr::install(self.layout, &log, cancel))
    }

    fn python_side(&self, cancel: &AtomicBool) -> Result<Environment> {
        self.make_environment(cancel)?;
        let source = self.libtorch(cancel)?;
        self.packages(cancel)?;
        if self.is_own() {
            jupyter::settle_lab(&self.environment)?;
        }
        self.links(&source)?;
        Ok(self.environment.clone())
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

    fn libtorch(&self, cancel: &AtomicBool) -> Result<Source> {
        if let Some(source) = &self.libtorch {
            return Ok(source.clone());
        }
        let name = "libtorch";
        if let Some(source) = libtorch::of_environment(&self.environment)
            && libtorch::complete(&source, self.gpu)
        {
            let kind = if self.gpu { "with CUDA" } else { "for the CPU" };
            announce::ready(name, &format!("torch {TORCH_VERSION}, {kind}"));
            return Ok(source);
        }
        let what = match self.gpu {
            true => format!("downloading torch {TORCH_VERSION} with CUDA (3 GB)"),
            false => format!("downloading torch {TORCH_VERSION} for the CPU"),
        };
        let log = self.layout.log("torch");
        announce::step(name, &what, || {
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
        })
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

    fn kernelspec(&self, environment: &Environment, evcxr: &Path) -> Result<()> {
        let name = "kernelspec";
        let program = env::current_exe().context("this program's own file can't be found")?;
        let fault = kernelspec::fault(self.layout, environment, evcxr).or_else(|| {
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
                kernelspec::install(self.layout, environment, evcxr)
            }),
        }
    }

    fn warm_build(
        &self,
        environment: &Environment,
        evcxr: &Path,
        cancel: &AtomicBool,
    ) -> Result<()> {
        let name = "warm build";
        let stamp = builds::stamp(self.layout)?;
        if builds::is_warm(self.layout, &stamp) {
            announce::ready(name, &self.layout.show(&self.layout.warm_build()));
            return Ok(());
        }
        let what = "compiling what the notebooks use (2 minutes the first time)";
        announce::step(name, what, || {
            builds::warm(self.layout, environment, evcxr, cancel)?;
            builds::mark_warm(self.layout, &stamp)
        })
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
