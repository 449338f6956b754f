//! `cargo kernel`: prepares, runs, publishes and checks the notebooks.

#[cfg(not(unix))]
compile_error!(
    "Windows itself isn't supported: install the Windows Subsystem for Linux (`wsl --install`), and run \
     this in there."
);

mod analysis_program;
mod announce;
mod builds;
#[cfg(test)]
mod cases;
mod disk;
mod evcxr;
mod files;
mod gpu;
mod jupyter;
mod kernelspec;
mod layout;
mod libtorch;
mod live;
mod lock;
mod own_program;
mod pins;
mod preparation;
mod process;
mod program;
mod python;
mod signals;
mod torch;
mod verb;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use layout::Layout;
use verb::run::Target;

/// Prepares, runs, publishes and checks the ICVAE notebooks.
#[derive(Debug, Parser)]
#[command(
    name = "kernel",
    bin_name = "cargo kernel",
    version,
    arg_required_else_help = true
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Install everything that a first run needs, and nothing twice
    Install,
    /// Install what is missing, then open JupyterLab on the tutorial
    Lab {
        /// The notebook to open instead
        notebook: Option<PathBuf>,
        /// Options for JupyterLab, after `--`
        #[arg(last = true)]
        options: Vec<String>,
    },
    /// Run notebooks without a browser and write the executed copies
    Run {
        /// The notebooks
        #[arg(required = true)]
        notebooks: Vec<PathBuf>,
        /// The folder for the executed copies [default: target/notebooks in the repository]
        #[arg(long, value_name = "DIR", conflicts_with = "inplace")]
        output: Option<PathBuf>,
        /// Write the outputs into the notebooks themselves
        #[arg(long)]
        inplace: bool,
    },
    /// Turn notebooks into pages that can be published
    Html(verb::html::Args),
    /// Register the live kernel for notebooks in any folder, as "Rust (live)"
    Register(verb::register::Args),
    /// Run every test of the workspace, and every notebook in smoke mode
    Test {
        /// Fail too where something is left out that could be installed here
        #[arg(long)]
        complete: bool,
    },
    /// Make the locks of the Python packages anew, after a change of environment.yml (needs uv)
    Lock,
    /// Say what is found, what is missing, and what to do about it
    Doctor,
    /// Remove what `install` made
    Uninstall {
        /// Remove the fetched digits and the trained weights as well
        #[arg(long)]
        all: bool,
    },
    /// Run a kernel (Jupyter does this)
    #[command(hide = true)]
    Kernel(live::Args),
}

fn main() -> ExitCode {
    if let Some(status) = live::act() {
        return status;
    }
    match run(Arguments::parse()) {
        Ok(status) => status,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<ExitCode> {
    let layout = Layout::find;
    match arguments.verb {
        Verb::Install => verb::install::run(&layout()?).map(|_| ExitCode::SUCCESS),
        Verb::Lab { notebook, options } => {
            verb::lab::run(&layout()?, notebook.as_deref(), &options)
        }
        Verb::Run {
            notebooks,
            output,
            inplace,
        } => {
            let layout = layout()?;
            let folder = || layout.root.join("target/notebooks");
            let target = match inplace {
                true => Target::InPlace,
                false => Target::Folder(output.unwrap_or_else(folder)),
            };
            verb::run::run(&layout, &notebooks, &target)
        }
        Verb::Html(arguments) => verb::html::run(&layout()?, &arguments),
        // It needs no repository, so that `cargo install` is enough.
        Verb::Register(arguments) => verb::register::run(&arguments).map(|()| ExitCode::SUCCESS),
        Verb::Test { complete } => verb::test::run(&layout()?, complete),
        Verb::Lock => lock::make(&layout()?, torch::CPU_INDEX).map(|()| ExitCode::SUCCESS),
        Verb::Doctor => verb::doctor::run(&layout()?),
        Verb::Uninstall { all } => {
            verb::uninstall::run(&layout()?, all).map(|()| ExitCode::SUCCESS)
        }
        // A kernel knows its folders from its kernelspec.
        Verb::Kernel(arguments) => live::run(&arguments).map(|()| ExitCode::SUCCESS),
    }
}
