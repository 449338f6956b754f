//! `cargo kernel run`: notebooks without a browser.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use super::{install, lab};
use crate::jupyter;
use crate::layout::{KERNEL_NAME, Layout};
use crate::program::{self, File, WHOLE};
use crate::python::Environment;

/// Talks to the kernel; nbclient knows the protocol.
const DRIVER: File = ("run.py", include_bytes!("../../python/run.py"));

/// Starts it from the folder that is its first argument, whatever the reader has told Python of such folders.
const START: &str = "import sys; sys.path.insert(0, sys.argv.pop(1)); import run; run.command()";

/// Where executed copies go.
#[derive(Debug, Clone)]
pub enum Target {
    /// Into this folder.
    Folder(PathBuf),
    /// Over the notebook itself.
    InPlace,
}

/// What becomes of the exercises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exercises {
    /// They are left to the reader.
    Left,
    /// They are done as their solutions say, and their asserts are tested.
    Solved,
}

/// Runs each notebook to its end or to its first failing cell.
///
/// # Errors
/// If a notebook doesn't exist or would be overwritten; a failing cell makes the exit status 1.
pub fn run(layout: &Layout, notebooks: &[PathBuf], target: &Target) -> Result<ExitCode> {
    let plan = plan(notebooks, target)?;
    let installed = install::run(layout)?;
    for (notebook, copy) in plan {
        if !execute(
            layout,
            &installed.environment,
            &notebook,
            &copy,
            Exercises::Left,
            &[],
        )? {
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Each notebook with the path of its executed copy, checked before the first is run.
fn plan(notebooks: &[PathBuf], target: &Target) -> Result<Vec<(PathBuf, PathBuf)>> {
    let mut plan: Vec<(PathBuf, PathBuf)> = Vec::new();
    for notebook in notebooks {
        let notebook = lab::absolute(notebook)?;
        let copy = match target {
            Target::InPlace => notebook.clone(),
            Target::Folder(folder) => {
                let copy = folder.join(notebook.file_name().unwrap_or_default());
                if copy.canonicalize().is_ok_and(|copy| copy == notebook) {
                    bail!(
                        "{} would be overwritten: choose another --output, or use --inplace",
                        notebook.display()
                    );
                }
                copy
            }
        };
        if plan.iter().any(|(_, other)| *other == copy) {
            bail!(
                "two of the notebooks would be written to {}",
                copy.display()
            );
        }
        plan.push((notebook, copy));
    }
    Ok(plan)
}

/// Runs one notebook; `false` if a cell failed.
///
/// # Errors
/// If it can't be started, or the copy can't be written.
pub fn execute(
    layout: &Layout,
    environment: &Environment,
    notebook: &Path,
    copy: &Path,
    exercises: Exercises,
    variables: &[(&str, &str)],
) -> Result<bool> {
    println!("{}", layout.show(notebook));
    if let Some(folder) = copy.parent() {
        fs::create_dir_all(folder)
            .with_context(|| format!("{} can't be made", folder.display()))?;
    }
    let copy = std::path::absolute(copy)?;
    let program = program::unpacked(&[DRIVER, WHOLE])?;
    let mut command = Command::new(environment.python());
    jupyter::environment(&mut command, layout, environment);
    command
        .args(["-c", START])
        .arg(program.path())
        .arg(notebook)
        .arg(copy)
        .arg(KERNEL_NAME)
        .args((exercises == Exercises::Solved).then_some("solved"));
    // As Jupyter's server does: the kernel prepares for this notebook's first cell.
    command.env("JPY_SESSION_NAME", notebook);
    command.envs(variables.iter().copied());
    Ok(passing_signals_on(command)
        .context("the notebook can't be run")?
        .success())
}

/// Runs a program to its end. Ctrl-C and SIGTERM are for it to obey: it knows what is to be kept.
fn passing_signals_on(command: Command) -> std::io::Result<ExitStatus> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut child = tokio::process::Command::from(command).spawn()?;
        loop {
            let sent = tokio::select! {
                status = child.wait() => return status,
                _ = interrupt.recv() => Signal::INT,
                _ = terminate.recv() => Signal::TERM,
            };
            let process = child
                .id()
                .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
            if let Some(process) = process {
                kill_process(process, sent)?;
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_driver_finds_what_it_imports() {
        let program = program::unpacked(&[DRIVER, WHOLE]).unwrap();
        let text = fs::read_to_string(program.path().join("run.py")).unwrap();
        assert!(text.contains("from whole import") && text.contains("def command()"));
        assert!(program.path().join("whole.py").is_file());
    }

    #[test]
    fn no_notebook_is_overwritten_unasked() {
        let dir = tempfile::tempdir().unwrap();
        let notebook = dir.path().join("a.ipynb");
        fs::write(&notebook, "{}").unwrap();
        let planned = |target| plan(std::slice::from_ref(&notebook), &target);

        let here = planned(Target::Folder(dir.path().to_owned()))
            .unwrap_err()
            .to_string();
        assert!(here.contains("would be overwritten"), "{here}");
        assert!(planned(Target::InPlace).is_ok());
        assert!(planned(Target::Folder(dir.path().join("out"))).is_ok());

        let twice = [notebook.clone(), notebook];
        let error = plan(&twice, &Target::Folder(dir.path().join("out"))).unwrap_err();
        assert!(error.to_string().contains("two of the notebooks"));
        let error = plan(&["gone.ipynb".into()], &Target::InPlace).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("there is no notebook gone.ipynb")
        );
    }
}
