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
        // The address that JupyterLab prints and opens is that of the notebook.
        .arg(format!(
            "--LabApp.default_url={}",
            address(&notebook, &root)
        ))
        .args(extra);
    println!("Starting JupyterLab; its address follows. Press Ctrl-C twice to end it.");
    let status = command.status().context("JupyterLab can't be started")?;
    Ok(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
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
