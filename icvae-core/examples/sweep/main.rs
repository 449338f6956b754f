//! Many models, trained and measured: a grid of settings, each point one run and one line of JSON.
//!
//!     cargo run --release -p icvae-core --example sweep -- GRID.toml --output DIR
//!
//! README.md beside this file says what a grid is, what comes out, and how several machines share one.

mod digits;
mod figure;
mod folder;
mod grid;
mod measures;
mod point;
mod tables;
mod workers;

use std::io::Read;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use folder::Folder;
use grid::{Grid, Shard};
use icvae_core::{Error, Result};

/// Trains and measures every point of a grid; what is there already is not repeated.
#[derive(Parser)]
struct Args {
    /// The grid, in TOML
    grid: PathBuf,
    /// Where results, logs and, while a point runs, its weights are kept
    #[arg(long)]
    output: PathBuf,
    /// Points that run at the same time, each in a process of its own
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    jobs: u16,
    /// I/N with I from 0: only every N-th point, from the I-th on, so that N machines share no work
    #[arg(long, default_value = "0/1")]
    shard: Shard,
    /// Show the points, and which of them are done, and run none
    #[arg(long)]
    list: bool,
    /// Keep the weights of points that are done
    #[arg(long)]
    keep_weights: bool,
    /// Run this point alone, in this process
    #[arg(long, hide = true)]
    point: Option<String>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<ExitCode> {
    let grid = Grid::read(&args.grid)?;
    let folder = Folder::new(&args.output);
    if let Some(id) = &args.point {
        end_with_the_parent();
        let point = grid.points.iter().find(|point| point.id() == *id);
        let point = point.ok_or_else(|| Error::Invalid(format!("the grid has no point {id}")))?;
        point::run(point, &folder, args.keep_weights)?;
        return Ok(ExitCode::SUCCESS);
    }
    let mine = grid.of_shard(args.shard);
    if args.list {
        for point in mine {
            let done = if folder.result(point).is_some() {
                "done"
            } else {
                "to do"
            };
            println!("{} {done:5} {point}", point.id());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let failed = workers::run(&grid, &mine, &folder, args)?;
    let results = folder.merge(&grid)?;
    for path in figure::draw(&results, &folder)? {
        println!("{}", path.display());
    }
    println!(
        "{}: {} of the grid's {} points",
        folder.table().display(),
        results.len(),
        grid.points.len()
    );
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Ends this process when the one that started it is gone, however it went: its end of the pipe then closes.
fn end_with_the_parent() {
    std::thread::spawn(|| {
        let mut rest = Vec::new();
        let _ = std::io::stdin().read_to_end(&mut rest);
        std::process::exit(1);
    });
}
