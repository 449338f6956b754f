//! How programs of the Python environment are started.

use std::env;
use std::fs;
use std::process::Command;

use anyhow::Result;

use crate::files;
use crate::layout::Layout;
use crate::python::Environment;

/// Sets what a Jupyter program needs to find this environment's kernels first, whatever else the
/// reader has installed.
pub fn environment(command: &mut Command, layout: &Layout, environment: &Environment) {
    let bin = environment.prefix.join("bin");
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths(std::iter::once(bin).chain(env::split_paths(&path)));
    if let Ok(path) = path {
        command.env("PATH", path);
    }
    command
        .env("JUPYTER_PREFER_ENV_PATH", "1")
        // Connection files and cookies, which would else lie in the reader's home.
        .env("JUPYTER_RUNTIME_DIR", layout.runtime())
        .env("PYDEVD_DISABLE_FILE_VALIDATION", "1")
        .current_dir(&layout.root);
    forget_cargo(command);
}

/// Takes away the variables that `cargo run` set for this tool: they would reach other compilations.
pub fn forget_cargo(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
}

/// Settings of the repository's own JupyterLab: it opens without asking about news.
const LAB_SETTINGS: &str = r#"{
  "@jupyterlab/apputils-extension:notification": { "fetchNews": "false", "checkForUpdates": false }
}
"#;

/// Writes JupyterLab's defaults into the repository's own environment.
///
/// # Errors
/// If the environment can't be written.
pub fn settle_lab(environment: &Environment) -> Result<()> {
    let path = environment
        .prefix
        .join("share/jupyter/lab/settings/overrides.json");
    if fs::read_to_string(&path).is_ok_and(|text| text == LAB_SETTINGS) {
        return Ok(());
    }
    files::write_whole(&path, LAB_SETTINGS.as_bytes(), 0o644)
}
