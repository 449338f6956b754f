//! `cargo kernel lab`: the tutorial in JupyterLab.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use rustix::process::{Pid, Signal, kill_process};

use super::install;
use crate::jupyter;
use crate::layout::Layout;
use crate::process::die_with_this_process;
use crate::python::Environment;
use crate::signals::Signals;

/// How often it is looked whether something has ended, or shall.
const LOOK: Duration = Duration::from_millis(100);

/// Opens `notebook`, by default the tutorial, as soon as JupyterLab stands, and installs the rest
/// meanwhile: a cell that is run earlier waits for it.
///
/// # Errors
/// If the notebook doesn't exist, JupyterLab can't be started, or the installation fails before it is.
pub fn run(layout: &Layout, notebook: Option<&Path>, extra: &[String]) -> Result<ExitCode> {
    let tutorial = layout.notebooks().join("tutorial.ipynb");
    let notebook = absolute(notebook.unwrap_or(&tutorial))?;
    let signals = Signals::listen()?;
    let cancel = AtomicBool::new(false);
    let (stands, standing) = mpsc::channel();
    thread::scope(|scope| {
        let installing = scope.spawn(|| {
            // Nobody may be left who wants to know.
            let stands = move |environment: &Environment| drop(stands.send(environment.clone()));
            let installed = install::all(layout, &cancel, stands);
            if let Err(error) = &installed
                && !install::was_stopped(error)
            {
                eprintln!("error: {error:#}");
            }
            installed
        });
        let environment = loop {
            match standing.recv_timeout(LOOK) {
                Ok(environment) => break environment,
                Err(mpsc::RecvTimeoutError::Timeout) if signals.any() => {
                    cancel.store(true, Ordering::Relaxed);
                }
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                // It has said why.
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(ExitCode::FAILURE),
            }
        };
        let status = start(layout, &environment, &notebook, extra)
            .and_then(|mut lab| wait(&mut lab, &signals));
        cancel.store(true, Ordering::Relaxed);
        let installed = installing
            .join()
            .unwrap_or_else(|_| Err(anyhow!("the installation broke off")));
        if installed.as_ref().is_err_and(install::was_stopped) {
            println!("The installation isn't finished: the next start goes on from here.");
        }
        Ok(match status?.success() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    })
}

fn start(
    layout: &Layout,
    environment: &Environment,
    notebook: &Path,
    extra: &[String],
) -> Result<Child> {
    let mut command = Command::new(environment.program("jupyter-lab"));
    jupyter::environment(&mut command, layout, environment);
    // Notebooks see each other and the library's sources in the file browser.
    let root = match notebook.starts_with(&layout.root) {
        true => layout.root.clone(),
        false => notebook.parent().unwrap_or(&layout.root).to_owned(),
    };
    if rustix::process::geteuid().is_root() {
        command.arg("--allow-root");
    }
    command
        .arg(format!("--ServerApp.root_dir={}", root.display()))
        // The address that JupyterLab prints and opens is that of the notebook.
        .arg(format!("--LabApp.default_url={}", address(notebook, &root)))
        .args(extra);
    die_with_this_process(&mut command);
    println!("Starting JupyterLab; its address follows. Press Ctrl-C twice to end it.");
    command.spawn().context("JupyterLab can't be started")
}

/// Waits for JupyterLab's end. Ctrl-C at a terminal reaches it by itself, and it asks whether that is
/// meant; everything else is passed on.
fn wait(lab: &mut Child, signals: &Signals) -> Result<ExitStatus> {
    loop {
        if let Some(status) = lab.try_wait().context("JupyterLab can't be waited for")? {
            return Ok(status);
        }
        let interrupted = signals.interrupted.swap(false, Ordering::Relaxed);
        let terminated = signals.terminated.swap(false, Ordering::Relaxed);
        if (terminated || interrupted && !std::io::stdin().is_terminal())
            && let Some(process) = i32::try_from(lab.id()).ok().and_then(Pid::from_raw)
        {
            // It may have ended in this instant.
            let _ = kill_process(process, Signal::TERM);
        }
        thread::sleep(LOOK);
    }
}

/// The notebook's place below JupyterLab's root, as part of an address.
fn address(notebook: &Path, root: &Path) -> String {
    let path = notebook.strip_prefix(root).unwrap_or(notebook);
    let encoded: String = path
        .to_string_lossy()
        .bytes()
        .map(|byte| match byte {
            b'/' | b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
            _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        })
        .collect();
    format!("/lab/tree/{encoded}")
}

/// The full path of a notebook that exists.
///
/// # Errors
/// If it doesn't.
pub fn absolute(notebook: &Path) -> Result<PathBuf> {
    ensure!(
        notebook.is_file(),
        "there is no notebook {}",
        notebook.display()
    );
    notebook
        .canonicalize()
        .with_context(|| format!("{} can't be read", notebook.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_hold_any_name() {
        let root = Path::new("/r");
        let of = |path: &str| address(&root.join(path), root);
        assert_eq!(
            of("notebooks/tutorial.ipynb"),
            "/lab/tree/notebooks/tutorial.ipynb"
        );
        assert_eq!(of("my é.ipynb"), "/lab/tree/my%20%C3%A9.ipynb");
    }
}
