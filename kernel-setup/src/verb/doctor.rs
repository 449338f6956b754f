//! `cargo kernel doctor`: what is found, what is missing, and what to do about it.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Result;

use super::install::compiler;
use super::test::chromium;
use crate::layout::{EVCXR_VERSION, Layout, TORCH_VERSION};
use crate::libtorch::{self, Source};
use crate::pins::{Pins, parse_version};
use crate::python::{self, Environment};
use crate::{
    analysis_program, announce, builds, disk, evcxr, gpu, kernelspec, preparation, process,
};

const OLDEST_RUST: (u32, u32) = (1, 95);
const INSTALL: &str = "run `cargo kernel install`";

/// What the doctor looks at, so that a test can show it a machine of its making.
pub struct Machine<'a> {
    /// Where things lie.
    pub layout: &'a Layout,
    /// The environment variables that name folders.
    pub var: &'a dyn Fn(&str) -> Option<PathBuf>,
    /// Whether there is an NVIDIA GPU.
    pub gpu: bool,
    /// The bytes that are free at a path.
    pub free: &'a dyn Fn(&Path) -> Result<u64>,
}

/// One thing looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Finding {
    /// As it should be.
    Good(String),
    /// Not needed to go on, but good to know.
    Note(String),
    /// What is wrong, and what to do.
    Fault(String, String),
}
use Finding::{Fault, Good, Note};

/// Prints the findings; the exit status is 1 if there is a fault.
///
/// # Errors
/// If `environment.yml` is not usable.
pub fn run(layout: &Layout) -> Result<ExitCode> {
    let machine = Machine {
        layout,
        var: &python::variable,
        gpu: gpu::present(),
        free: &disk::free,
    };
    let findings = examine(&machine)?;
    print!("{}", render(&findings));
    let healthy = !findings
        .iter()
        .any(|(_, finding)| matches!(finding, Fault(..)));
    Ok(if healthy {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn examine(machine: &Machine) -> Result<Vec<(&'static str, Finding)>> {
    let layout = machine.layout;
    let mut pins = Pins::read(&layout.environment_file())?;
    if libtorch::named(layout, (machine.var)("LIBTORCH")).is_some() {
        pins.packages.retain(|pin| pin.name != "torch");
    }
    let (environment, _) = python::choose(layout, &pins, machine.var);
    let source = libtorch::of_environment(&environment);
    let evcxr = evcxr::find(layout);
    let mut findings = Vec::new();
    if preparation::is_at_work(&layout.state())
        && let Some(status) = preparation::read(&layout.state()).filter(|status| !status.done)
    {
        let line = format!(
            "at work, so faults below may be of the moment: {}",
            status.line()
        );
        findings.push(("installation", Note(line)));
    }
    findings.extend([
        ("Rust", rust(layout)),
        ("C++ compiler", cxx(layout)),
        ("Python", interpreter(machine, &pins, &environment)),
        ("environment", packages(layout, &pins, &environment)),
        ("libtorch", links(machine, source.as_ref())),
        ("Rust kernel", rust_kernel(evcxr.as_deref())),
        (
            "kernelspec",
            spec(layout, &environment, &evcxr::planned(layout)?),
        ),
        ("warm build", warm(layout)),
        ("Tab and Shift+Tab", analysis(layout)),
        ("disk space", space(machine, &environment)),
        ("GPU", graphics(machine)),
        ("digits", digits(machine)),
        ("Chromium", browser(layout)),
    ]);
    Ok(findings)
}

fn render(findings: &[(&str, Finding)]) -> String {
    let line = |(name, finding): &(&str, Finding)| match finding {
        Good(what) => format!("  ok     {name}: {what}\n"),
        Note(what) => format!("  note   {name}: {what}\n"),
        Fault(what, remedy) => format!("  FAULT  {name}: {what}; {remedy}\n"),
    };
    findings.iter().map(line).collect()
}

fn fault(what: impl Into<String>, remedy: impl Into<String>) -> Finding {
    Fault(what.into(), remedy.into())
}

fn rust(layout: &Layout) -> Finding {
    let (major, minor) = OLDEST_RUST;
    let remedy = format!("install Rust {major}.{minor} or newer from https://rustup.rs");
    let Some(rustc) = layout.program("rustc") else {
        return fault("rustc is not on the search path", remedy);
    };
    match process::output(Command::new(rustc).arg("-V"), Duration::from_secs(20)) {
        Ok(text) => match text.split(' ').nth(1).and_then(parse_version) {
            Some(version) if version >= OLDEST_RUST => Good(text),
            _ => fault(format!("{text} is too old"), remedy),
        },
        Err(error) => fault(format!("{error:#}"), remedy),
    }
}

fn cxx(layout: &Layout) -> Finding {
    match compiler(layout) {
        Some(path) => Good(path.display().to_string()),
        None => fault("none is found", "on Debian or Ubuntu run `apt install g++`"),
    }
}

fn interpreter(machine: &Machine, pins: &Pins, environment: &Environment) -> Finding {
    if python::usable(environment) {
        return Good(machine.layout.show(&environment.python()));
    }
    if environment.prefix.exists() {
        let what = format!("{} is broken", machine.layout.show(&environment.prefix));
        return fault(what, format!("{INSTALL}, which makes it anew"));
    }
    match python::interpreter(machine.layout, pins.python) {
        Ok((path, (major, minor))) => Good(format!("{}, {major}.{minor}", path.display())),
        Err(error) => {
            let text = error.to_string();
            let (what, remedy) = text.split_once(": ").unwrap_or((&text, INSTALL));
            fault(what, remedy)
        }
    }
}

fn packages(layout: &Layout, pins: &Pins, environment: &Environment) -> Finding {
    if !environment.prefix.exists() {
        return fault(
            format!("{} is missing", layout.show(&environment.prefix)),
            INSTALL,
        );
    }
    let unmet: Vec<String> = environment
        .unmet(&pins.packages)
        .into_iter()
        .map(|pin| match environment.version_of(&pin.name) {
            Some(version) => format!("{} is {version}, not {}", pin.name, pin.version),
            None => format!("{} is missing", pin.requirement()),
        })
        .collect();
    match unmet.is_empty() {
        true => Good(format!(
            "{} meets all {} pins",
            layout.show(&environment.prefix),
            pins.packages.len()
        )),
        false => fault(unmet.join(", "), INSTALL),
    }
}

fn links(machine: &Machine, source: Option<&Source>) -> Finding {
    let layout = machine.layout;
    if let Some(what) = libtorch::misnamed(layout, (machine.var)("LIBTORCH")) {
        return fault(what, "correct it or `unset LIBTORCH`");
    }
    let named = libtorch::named(layout, (machine.var)("LIBTORCH"));
    let Some(source) = named.as_ref().or(source) else {
        return match libtorch::first_gone(layout) {
            Some(gone) => fault(gone, INSTALL),
            None => fault(format!("there is no torch {TORCH_VERSION}"), INSTALL),
        };
    };
    let gpu = machine.gpu && libtorch::complete(source, true);
    match libtorch::fault(layout, source, gpu) {
        None => Good(format!("{TORCH_VERSION}, {}", source.folder().display())),
        Some(what) => fault(what, INSTALL),
    }
}

fn rust_kernel(evcxr: Option<&Path>) -> Finding {
    match evcxr {
        Some(path) => Good(format!("evcxr_jupyter {EVCXR_VERSION}, {}", path.display())),
        None => fault(format!("evcxr_jupyter {EVCXR_VERSION} is missing"), INSTALL),
    }
}

fn spec(layout: &Layout, environment: &Environment, evcxr: &Path) -> Finding {
    let folder = layout.show(&kernelspec::folder(environment));
    match kernelspec::fault(layout, environment, evcxr) {
        None => Good(folder),
        Some(what) => fault(what, INSTALL),
    }
}

fn warm(layout: &Layout) -> Finding {
    match builds::stamp(layout) {
        Ok(stamp) if builds::is_warm(layout, &stamp) => Good(layout.show(&layout.warm_build())),
        Ok(_) if layout.warm_build().exists() => Note(format!(
            "the library has changed since; the first cell will be slow, or {INSTALL}"
        )),
        Ok(_) => fault("the notebooks' dependencies aren't compiled", INSTALL),
        Err(error) => fault(format!("{error:#}"), INSTALL),
    }
}

fn analysis(layout: &Layout) -> Finding {
    let tool = layout.tool();
    match analysis_program::is_current(layout, &tool) {
        Ok(true) => Good(layout.show(&analysis_program::beside(&tool))),
        _ if analysis_program::beside(&tool).is_file() => Note(format!(
            "what answers them has changed since: for the new one {INSTALL}"
        )),
        _ => Note(format!("they say nothing yet: {INSTALL}")),
    }
}

/// Room is a fault only where something that needs it is still missing.
fn space(machine: &Machine, environment: &Environment) -> Finding {
    let layout = machine.layout;
    let here = if python::usable(environment) {
        0
    } else {
        disk::needed_here(machine.gpu)
    };
    let free = match (machine.free)(&layout.root) {
        Ok(free) => free,
        Err(error) => return fault(format!("{error:#}"), "check the disk"),
    };
    if free < here {
        let (free, root) = (announce::bytes(free), layout.root.display());
        let what = format!("only {free} are free at {root}");
        return fault(what, format!("make room for {}", announce::bytes(here)));
    }
    let environment = disk::used(&environment.prefix);
    let builds = disk::used(&layout.builds());
    let kernel = disk::used(&layout.evcxr_root());
    Good(format!(
        "{} free; installed: environment {}, build folders {}, Rust kernel {}",
        announce::bytes(free),
        announce::bytes(environment),
        announce::bytes(builds),
        announce::bytes(kernel)
    ))
}

fn graphics(machine: &Machine) -> Finding {
    let linked = machine
        .layout
        .libtorch()
        .join("lib/libtorch_cuda.so")
        .exists();
    match (machine.gpu, linked) {
        (false, _) => Note("no NVIDIA GPU: the notebooks use the processor".into()),
        (true, true) => Good("NVIDIA, and libtorch has CUDA".into()),
        (true, false) => fault(
            "there is an NVIDIA GPU, but libtorch has no CUDA",
            format!("{INSTALL}, without an environment of your own active"),
        ),
    }
}

fn digits(machine: &Machine) -> Finding {
    const FILES: [&str; 4] = [
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ];
    let missing = |dir: &Path| {
        FILES
            .into_iter()
            .find(|name| !dir.join(name).is_file() && !dir.join(format!("{name}.gz")).is_file())
    };
    let cache = machine.layout.digits();
    match (machine.var)("ICVAE_MNIST_DIR") {
        Some(dir) => match missing(&dir) {
            None => Good(format!("MNIST in {}", dir.display())),
            Some(name) => fault(
                format!("ICVAE_MNIST_DIR is {}, which has no {name}", dir.display()),
                "name a folder with the four files, or unset it",
            ),
        },
        None if missing(&cache).is_none() => Good(format!("MNIST in {}", cache.display())),
        None => Note("MNIST is fetched (12 MB) when a notebook first needs it".into()),
    }
}

fn browser(layout: &Layout) -> Finding {
    match chromium(layout) {
        Some(path) => Good(path.display().to_string()),
        None => Note("not found: `cargo kernel test` leaves out its browser test".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const PLENTY: u64 = 100_000_000_000;

    /// A machine in a temporary folder on which everything is installed.
    struct Fixture {
        dir: tempfile::TempDir,
        layout: Layout,
        free: u64,
        gpu: bool,
    }

    impl Fixture {
        fn healthy() -> Self {
            let dir = tempfile::tempdir().unwrap();
            let at = |path: &str| dir.path().join(path);
            let layout = Layout {
                root: at("repo"),
                cache: at("cache"),
                search: at("bin").into_os_string(),
            };
            let fixture = Self {
                layout,
                free: PLENTY,
                gpu: false,
                dir,
            };
            let layout = &fixture.layout;
            for file in [
                "Cargo.lock",
                "Cargo.toml",
                "icvae-core/Cargo.toml",
                "icvae-core/build.rs",
                "icvae-core/src/lib.rs",
                "notebook-live/Cargo.toml",
                "notebook-live/src/lib.rs",
            ] {
                write(&layout.root.join(file), "");
            }
            let pins = "dependencies:\n  - python>=3.10\n  - pip:\n    - torch==2.13.0\n    - nbclient==0.11.0\n";
            write(&layout.environment_file(), pins);
            fixture.program("bin/c++", "");
            fixture.program("bin/rustc", "echo rustc 1.95.0");
            fixture.program("bin/python3", "echo 3.12");
            let environment = Environment {
                prefix: layout.env(),
            };
            fixture.program("repo/.icvae/env/bin/python", "");
            for package in ["pip-25.0", "torch-2.13.0", "nbclient-0.11.0"] {
                write(
                    &fixture
                        .site()
                        .join(format!("{package}.dist-info/INSTALLER")),
                    "pip",
                );
            }
            write(&fixture.site().join("torch/lib/libtorch_cpu.so"), "");
            fs::create_dir_all(fixture.site().join("torch/include")).unwrap();
            let source = libtorch::of_environment(&environment).unwrap();
            libtorch::link(layout, &source, false).unwrap();
            let tool = fixture.program("tool", "");
            kernelspec::install_tool(layout, &tool).unwrap();
            for part in ["Cargo.toml", "src/main.rs", "assets/std.rs"] {
                write(&layout.root.join("cell-analysis").join(part), "");
            }
            for part in ["Cargo.toml", "src/main.rs", "analyzer/ide/src/lib.rs"] {
                write(&layout.root.join("evcxr-kernel").join(part), "");
            }
            let evcxr = evcxr::planned(layout).unwrap();
            write(&evcxr, "");
            analysis_program::put(layout, &layout.tool(), b"").unwrap();
            kernelspec::install(layout, &environment, &evcxr).unwrap();
            fs::create_dir_all(layout.warm_build()).unwrap();
            builds::configure_own(layout).unwrap();
            builds::mark_warm(layout, &builds::stamp(layout).unwrap()).unwrap();
            fixture
        }

        fn site(&self) -> PathBuf {
            self.layout.env().join("lib/python3.12/site-packages")
        }

        /// Writes a shell script in the fixture's folder.
        fn program(&self, path: &str, script: &str) -> PathBuf {
            let path = self.dir.path().join(path);
            write(&path, &format!("#!/bin/sh\n{script}\n"));
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path
        }

        /// What is said of libtorch where `LIBTORCH` names this folder.
        fn with_libtorch(&self, folder: &Path) -> String {
            let machine = Machine {
                layout: &self.layout,
                var: &|name| (name == "LIBTORCH").then(|| folder.to_owned()),
                gpu: false,
                free: &|_| Ok(self.free),
            };
            let findings = examine(&machine).unwrap();
            render(
                &findings
                    .into_iter()
                    .filter(|(name, _)| *name == "libtorch")
                    .collect::<Vec<_>>(),
            )
        }

        /// The doctor's report, of the faults only unless there is none.
        fn report(&self) -> String {
            let machine = Machine {
                layout: &self.layout,
                var: &|_| None,
                gpu: self.gpu,
                free: &|_| Ok(self.free),
            };
            let findings = examine(&machine).unwrap();
            let faults: Vec<_> = findings
                .iter()
                .filter(|(_, finding)| matches!(finding, Fault(..)))
                .cloned()
                .collect();
            let shown = if faults.is_empty() { findings } else { faults };
            render(&shown).replace(&self.dir.path().display().to_string(), "[dir]")
        }
    }

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn a_healthy_set_up() {
        let mut settings = insta::Settings::clone_current();
        settings.add_filter(r"\d+ MB", "[size]");
        settings.add_filter("[0-9a-f]{16}", "[stamp]");
        settings.bind(|| insta::assert_snapshot!(Fixture::healthy().report()));
    }

    #[test]
    fn no_python() {
        let fixture = Fixture::healthy();
        fs::remove_dir_all(fixture.layout.env()).unwrap();
        fs::remove_file(fixture.dir.path().join("bin/python3")).unwrap();
        insta::assert_snapshot!(fixture.report());
    }

    #[test]
    fn an_old_python() {
        let fixture = Fixture::healthy();
        fs::remove_dir_all(fixture.layout.env()).unwrap();
        fixture.program("bin/python3", "echo 3.9");
        insta::assert_snapshot!(fixture.report());
    }

    #[test]
    fn an_environment_whose_python_went_away() {
        let fixture = Fixture::healthy();
        let python = fixture.layout.env().join("bin/python");
        fs::remove_file(&python).unwrap();
        symlink("/nowhere/python3.12", &python).unwrap();
        insta::assert_snapshot!(fixture.report());
    }

    #[test]
    fn a_wrong_torch() {
        let fixture = Fixture::healthy();
        let info = |version: &str| fixture.site().join(format!("torch-{version}.dist-info"));
        fs::rename(info("2.13.0"), info("2.12.1+cpu")).unwrap();
        insta::assert_snapshot!(fixture.report());
    }

    #[test]
    fn no_kernel() {
        let fixture = Fixture::healthy();
        fs::remove_dir_all(fixture.layout.evcxr_root()).unwrap();
        let spec = kernelspec::folder(&Environment {
            prefix: fixture.layout.env(),
        });
        fs::remove_dir_all(spec).unwrap();
        insta::assert_snapshot!(fixture.report());
    }

    #[test]
    fn a_libtorch_that_moved() {
        let fixture = Fixture::healthy();
        let torch = fixture.site().join("torch");
        fs::rename(&torch, torch.with_file_name("elsewhere")).unwrap();
        insta::assert_snapshot!(fixture.report());
    }

    #[test]
    fn a_wrong_variable() {
        let fixture = Fixture::healthy();
        let (missing, wrong) = (
            fixture.dir.path().join("no"),
            fixture.dir.path().join("old"),
        );
        write(&wrong.join("lib/libtorch_cpu.so"), "");
        write(&wrong.join("build-version"), "2.12.0+cpu");
        for (folder, problem) in [
            (&missing, "which is no folder"),
            (&fixture.layout.root, "which holds no libtorch"),
            (&wrong, "of another version than 2.13.0"),
        ] {
            let report = fixture.with_libtorch(folder);
            assert!(
                report.contains("FAULT") && report.contains(problem),
                "{report}"
            );
            assert!(report.contains("unset LIBTORCH"), "{report}");
        }
        write(&wrong.join("build-version"), "2.13.0+cpu");
        for folder in [&fixture.layout.libtorch(), &wrong] {
            let report = fixture.with_libtorch(folder);
            assert!(!report.contains("LIBTORCH"), "{report}");
        }
    }

    #[test]
    fn no_room() {
        let mut fixture = Fixture::healthy();
        fixture.free = 300_000_000;
        assert!(
            !fixture.report().contains("FAULT"),
            "nothing is missing that needs room"
        );
        fs::remove_dir_all(fixture.layout.env()).unwrap();
        insta::assert_snapshot!(fixture.report());
    }

    #[test]
    fn a_gpu_that_libtorch_cannot_use() {
        let mut fixture = Fixture::healthy();
        fixture.gpu = true;
        insta::assert_snapshot!(fixture.report());
    }

    #[test]
    fn a_bare_machine() {
        let fixture = Fixture::healthy();
        for dir in [
            fixture.layout.state(),
            fixture.layout.cache.clone(),
            fixture.dir.path().join("bin"),
        ] {
            fs::remove_dir_all(dir).unwrap();
        }
        insta::assert_snapshot!(fixture.report());
    }
}
