//! `cargo kernel lab`: the tutorial in JupyterLab.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use super::install;
use crate::jupyter;
use crate::layout::Layout;

/// Installs what is missing and opens `notebook`, by default the tutorial.
///
/// # Errors
/// If the notebook doesn't exist or JupyterLab can't be started.
pub fn run(layout: &Layout, notebook: Option<&Path>, extra: &[String]) -> Result<ExitCode> {
    let tutorial = layout.notebooks().join("tutorial.ipynb");
    let notebook = absolute(notebook.unwrap_or(&tutorial))?;
    let installed = install::run(layout)?;
    let mut command = Command::new(installed.environment.program("jupyter-lab"));
    jupyter::environment(&mut command, layout, &installed.environment);
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
        .args(extra)
        .arg(&notebook);
    println!("Starting JupyterLab; its address follows. Press Ctrl-C twice to end it.");
    let status = command.status().context("JupyterLab can't be started")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
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
