//! The points of a shard, each in a process of its own: a crash, or a kill for want of memory, costs one point.

use std::fs::{self, File};
use std::io::{IsTerminal, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use icvae_core::{Error, Result};

use crate::Args;
use crate::folder::{Folder, Line};
use crate::grid::{Grid, Point};

/// How often processes are looked at.
const LOOK: Duration = Duration::from_millis(100);

/// A point that runs.
struct Running<'a> {
    point: &'a Point,
    child: Child,
}

/// Runs the points that are not done yet, `args.jobs` at a time, and returns how many failed.
///
/// # Errors
/// If a process can't be started, or a log can't be written.
pub fn run(grid: &Grid, mine: &[&Point], folder: &Folder, args: &Args) -> Result<usize> {
    let mut waiting: Vec<&Point> = mine
        .iter()
        .copied()
        .filter(|point| folder.result(point).is_none())
        .rev()
        .collect();
    let mut progress = Progress::new(mine.len(), waiting.len());
    let mut running: Vec<Running<'_>> = Vec::new();
    loop {
        while running.len() < usize::from(args.jobs)
            && let Some(point) = waiting.pop()
        {
            let child = start(point, folder, args)?;
            running.push(Running { point, child });
        }
        if running.is_empty() {
            break;
        }
        std::thread::sleep(LOOK);
        let mut still = Vec::new();
        for mut job in running {
            match job.child.try_wait() {
                Ok(None) => still.push(job),
                ended => {
                    let why = match ended {
                        Ok(Some(status)) if !status.success() => status.to_string(),
                        Err(error) => error.to_string(),
                        Ok(_) => "it left no result".into(),
                    };
                    match folder.result(job.point) {
                        Some(line) => progress.done(&line),
                        None => progress.failed(job.point, &told(folder, job.point, &why), folder),
                    }
                    folder.merge(grid)?;
                }
            }
        }
        running = still;
        progress.show(&running, folder);
    }
    Ok(progress.finish())
}

fn start(point: &Point, folder: &Folder, args: &Args) -> Result<Child> {
    let path = folder.log(point);
    let log = || -> std::io::Result<(File, File)> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = File::create(&path)?;
        Ok((file.try_clone()?, file))
    };
    let io = |source| Error::Io {
        path: path.clone(),
        source,
    };
    let (out, err) = log().map_err(io)?;
    let mut command = Command::new(std::env::current_exe().map_err(io)?);
    command
        .arg(&args.grid)
        .arg("--output")
        .arg(&args.output)
        .args(["--point", &point.id()])
        .env("OMP_NUM_THREADS", point.threads.to_string())
        // Held open as long as this process lives.
        .stdin(Stdio::piped())
        .stdout(out)
        .stderr(err);
    if args.keep_weights {
        command.arg("--keep-weights");
    }
    command.spawn().map_err(io)
}

/// The last line of a point's log.
fn last_line(folder: &Folder, point: &Point) -> Option<String> {
    let log = fs::read(folder.log(point)).ok()?;
    let log = String::from_utf8_lossy(&log);
    log.lines()
        .rev()
        .find(|line| !line.trim().is_empty())
        .map(str::to_owned)
}

/// Why a point failed, as it said itself or as its process ended.
fn told(folder: &Folder, point: &Point, why: &str) -> String {
    match last_line(folder, point) {
        Some(line) => format!("{line} ({why})"),
        None => why.to_owned(),
    }
}

/// What a reader sees meanwhile.
struct Progress {
    all: usize,
    to_do: usize,
    done: usize,
    failures: Vec<String>,
    began: Instant,
    shown: Instant,
    terminal: bool,
}

impl Progress {
    fn new(all: usize, to_do: usize) -> Self {
        if to_do < all {
            println!("{} of {all} points are done already", all - to_do);
        }
        Self {
            all,
            to_do,
            done: 0,
            failures: Vec::new(),
            began: Instant::now(),
            shown: Instant::now(),
            terminal: std::io::stdout().is_terminal(),
        }
    }

    fn count(&self) -> String {
        let ended = self.done + self.failures.len();
        let left = self.to_do - ended;
        let mut text = format!("{} of {} points", self.all - left, self.all);
        if !self.failures.is_empty() {
            text += &format!(", {} failed", self.failures.len());
        }
        if ended > 0 && left > 0 {
            let seconds = self.began.elapsed().as_secs_f64() / ended as f64 * left as f64;
            text += &match seconds {
                ..90.0 => format!(", about {seconds:.0} s left"),
                _ => format!(", about {:.0} min left", seconds / 60.0),
            };
        }
        text
    }

    fn line(&self, text: &str) {
        // Over what `show` left.
        let clear = if self.terminal { "\r\x1b[K" } else { "" };
        println!("{clear}{text}");
    }

    fn done(&mut self, line: &Line) {
        self.done += 1;
        let text = format!(
            "{} ({:.0} s); {}",
            line.settings,
            line.seconds,
            self.count()
        );
        self.line(&text);
    }

    fn failed(&mut self, point: &Point, why: &str, folder: &Folder) {
        let failure = format!("{point}: {why}; see {}", folder.log(point).display());
        self.failures.push(failure.clone());
        self.line(&format!("FAILED {failure}"));
    }

    /// One line that is overwritten, on a terminal.
    fn show(&mut self, running: &[Running<'_>], folder: &Folder) {
        if !self.terminal || self.shown.elapsed() < Duration::from_secs(1) {
            return;
        }
        self.shown = Instant::now();
        let at = running.iter().map(|job| {
            let line = last_line(folder, job.point).unwrap_or_default();
            format!("{} ({line})", job.point)
        });
        let text = format!("{}: {}", self.count(), at.collect::<Vec<_>>().join("; "));
        let text: String = text.chars().take(150).collect();
        print!("\r\x1b[K{text}");
        let _ = std::io::stdout().flush();
    }

    fn finish(self) -> usize {
        if self.terminal {
            print!("\r\x1b[K");
        }
        if !self.failures.is_empty() {
            println!(
                "{} points failed, and are tried again when the command is repeated:",
                self.failures.len()
            );
            for failure in &self.failures {
                println!("  {failure}");
            }
        }
        self.failures.len()
    }
}
