//! `cargo kernel`: prepares, runs, publishes and checks the notebooks.
mod live;

use clap::Parser;

#[derive(Parser)]
enum Verb {
    /// Run a kernel (Jupyter does this).
    #[command(hide = true)]
    Kernel(live::Args),
}

fn main() -> anyhow::Result<()> {
    match Verb::parse() {
        Verb::Kernel(args) => live::run(&args),
    }
}
