//! `cargo kernel register`: the live kernel for any folder, without the notebooks of this repository.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::install::install_analysis;
use crate::layout::{EVCXR_VERSION, Layout};
use crate::{announce, evcxr, files, kernelspec};

/// The kernel's name in Jupyter's list.
const NAME: &str = "rust-live";

/// What to do.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Register it in this Python environment or prefix instead of for the user
    #[arg(long, value_name = "DIR")]
    prefix: Option<PathBuf>,
    /// Take the kernel away again, with its builds
    #[arg(long)]
    remove: bool,
}

/// Registers the kernel, or takes it away.
///
/// # Errors
/// If something can't be written, or evcxr_jupyter can't be compiled.
pub fn run(args: &Args) -> Result<()> {
    let layout = Layout::alone()?;
    let data = match &args.prefix {
        Some(prefix) => prefix.join("share/jupyter"),
        None => data_dir(|name| env::var_os(name).map(PathBuf::from))?,
    };
    let spec = data.join("kernels").join(NAME);
    if args.remove {
        return remove(&layout, &spec);
    }
    let repository = Layout::find()?;
    let evcxr = rust_kernel(&repository, &layout.root.join("evcxr.log"))?;
    let program = env::current_exe().context("this program's own file can't be found")?;
    let tool = tool(&layout);
    let content =
        fs::read(&program).with_context(|| format!("{} can't be read", program.display()))?;
    files::write_whole(&tool, &content, 0o755)?;
    let log = layout.root.join("cell-analysis.log");
    install_analysis(&repository, &tool, &log, &AtomicBool::new(false))?;
    kernelspec::write(&spec, &kernelspec_content(&tool, &builds(&layout), &evcxr))?;
    announce::ready("kernelspec", &format!("Rust (live), {}", spec.display()));
    println!(
        "Choose the kernel \"Rust (live)\" in JupyterLab, VS Code, or `jupyter nbconvert --execute`."
    );
    Ok(())
}

fn rust_kernel(layout: &Layout, log: &Path) -> Result<PathBuf> {
    let name = "Rust kernel";
    if let Some(found) = evcxr::find(layout) {
        let what = format!("evcxr_jupyter {EVCXR_VERSION}, {}", found.display());
        announce::ready(name, &what);
        return Ok(found);
    }
    let what = format!("compiling evcxr_jupyter {EVCXR_VERSION} (about a minute on 2 cores)");
    announce::step(name, &what, || {
        evcxr::install(layout, log, &AtomicBool::new(false), &|_| {})
    })
}

fn remove(layout: &Layout, spec: &Path) -> Result<()> {
    for folder in [spec, &layout.root] {
        if folder.exists() {
            fs::remove_dir_all(folder)
                .with_context(|| format!("{} can't be removed", folder.display()))?;
            announce::ready("removed", &folder.display().to_string());
        }
    }
    Ok(())
}

/// The copy of this tool that Jupyter starts.
fn tool(layout: &Layout) -> PathBuf {
    layout.root.join("bin").join("kernel-setup")
}

fn builds(layout: &Layout) -> PathBuf {
    layout.root.join("builds")
}

fn kernelspec_content(tool: &Path, builds: &Path, evcxr: &Path) -> Value {
    json!({
        "argv": [tool, "kernel", "--connection-file", "{connection_file}"],
        "display_name": "Rust (live)",
        "language": "rust",
        "interrupt_mode": "message",
        "env": {"ICVAE_EVCXR_JUPYTER": evcxr, "ICVAE_BUILDS": builds},
        "metadata": {"debugger": false},
    })
}

/// Jupyter's folder for what a user installs.
fn data_dir(var: impl Fn(&str) -> Option<PathBuf>) -> Result<PathBuf> {
    let home = || var("HOME").context("there is no home folder: set HOME or JUPYTER_DATA_DIR");
    if let Some(folder) = var("JUPYTER_DATA_DIR") {
        return Ok(folder);
    }
    if cfg!(target_os = "macos") {
        return Ok(home()?.join("Library/Jupyter"));
    }
    match var("XDG_DATA_HOME").filter(|folder| folder.is_absolute()) {
        Some(folder) => Ok(folder.join("jupyter")),
        None => Ok(home()?.join(".local/share/jupyter")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jupyters_folder_follows_the_environment() {
        let dir = |set: &[(&str, &str)]| {
            let set: Vec<(String, PathBuf)> =
                set.iter().map(|(n, v)| ((*n).into(), v.into())).collect();
            data_dir(|name| {
                set.iter()
                    .find(|(n, _)| n == name)
                    .map(|(_, value)| value.clone())
            })
        };
        assert_eq!(
            dir(&[("JUPYTER_DATA_DIR", "/d"), ("HOME", "/h")]).unwrap(),
            Path::new("/d")
        );
        if cfg!(target_os = "linux") {
            assert_eq!(
                dir(&[("HOME", "/h")]).unwrap(),
                Path::new("/h/.local/share/jupyter")
            );
            assert_eq!(
                dir(&[("XDG_DATA_HOME", "/x")]).unwrap(),
                Path::new("/x/jupyter")
            );
        }
        assert!(dir(&[]).unwrap_err().to_string().contains("set HOME"));
    }

    #[test]
    fn all_that_was_written_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout {
            root: dir.path().join("cache/live"),
            cache: dir.path().join("cache"),
            search: "".into(),
        };
        let spec = dir.path().join("kernels").join(NAME);
        let content = kernelspec_content(&tool(&layout), &builds(&layout), Path::new("/e"));
        kernelspec::write(&spec, &content).unwrap();
        fs::create_dir_all(builds(&layout)).unwrap();
        let written: Value =
            serde_json::from_slice(&fs::read(spec.join("kernel.json")).unwrap()).unwrap();
        assert_eq!(written["display_name"], "Rust (live)");
        assert!(spec.join("logo-svg.svg").is_file());
        remove(&layout, &spec).unwrap();
        assert!(!spec.exists() && !layout.root.exists() && layout.cache.exists());
    }
}
