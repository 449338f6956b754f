//! The live kernel.

mod slot;

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

pub use slot::Slot;

/// What the kernelspec passes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The file in which Jupyter says where it listens.
    #[arg(long)]
    connection_file: PathBuf,
    /// The evcxr_jupyter that evaluates the cells.
    #[arg(long, env = "ICVAE_EVCXR_JUPYTER")]
    evcxr: Option<PathBuf>,
    /// The folder of the build slots; by default `builds` beside the folder of this program.
    #[arg(long, env = "ICVAE_BUILDS")]
    builds: Option<PathBuf>,
}

/// Runs a kernel until Jupyter shuts it down.
///
/// # Errors
/// One sentence about what is missing or cannot be started.
pub fn run(args: &Args) -> Result<()> {
    let slot = Slot::take(&builds(args)?)?;
    let error = Command::new(evcxr(args)?)
        .arg("--control_file")
        .arg(&args.connection_file)
        .env("EVCXR_TMPDIR", &slot.dir)
        .exec();
    Err(error).context("evcxr_jupyter cannot be started")
}

/// Where the build slots are.
fn builds(args: &Args) -> Result<PathBuf> {
    if let Some(builds) = &args.builds {
        return Ok(builds.clone());
    }
    let program = std::env::current_exe().context("this program cannot find itself")?;
    program
        .parent()
        .and_then(Path::parent)
        .map(|home| home.join("builds"))
        .context("this program must lie in .icvae/bin")
}

/// The evcxr_jupyter to run.
fn evcxr(args: &Args) -> Result<PathBuf> {
    let path = args.evcxr.clone().context(
        "the kernel does not know its evcxr_jupyter: run `cargo kernel install`, which notes it",
    )?;
    if !path.is_file() {
        bail!(
            "there is no evcxr_jupyter at {}: run `cargo kernel install`",
            path.display()
        );
    }
    Ok(path)
}
