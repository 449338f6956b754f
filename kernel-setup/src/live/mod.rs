//! The live kernel: evcxr_jupyter as it is, behind a relay that adds what it lacks.
//!
//! ```text
//!             Jupyter
//!    shell, control, stdin, iopub, heartbeat
//!                │                                    front.rs, wire.rs, connection.rs
//!   ┌────────────┴────────────┐
//!   │  relay (this program)   │  kernel.rs: requests; output.rs: everything a cell shows
//!   └──┬───────────────────┬──┘
//!      │ private sockets   │ side channel: a Unix socket       evcxr.rs, side.rs
//!      │                   │
//!   evcxr_jupyter ──── the reader's process                    prelude.rs runs in it
//!           cells, compiled     out, err, requests, panics
//! ```
//!
//! **Why a relay.** evcxr_jupyter sends rich output when a cell ends, takes a panic and a failed `?`
//! for success, and answers an interrupt by killing the reader's process. To embed the evcxr crate
//! would mean to compile a rust-analyzer before anything runs; a changed copy would have to be kept
//! up. Jupyter talks to the relay only. It answers by itself whatever needs no evaluation (kernel
//! info, completeness, history, comms, interrupts) and has evcxr evaluate, complete and inspect.
//!
//! **How it hears the reader's process.** evcxr reads that process's standard output line by line,
//! and finds its own protocol in it (`EVCXR_EXECUTION_COMPLETE`, `EVCXR_PANIC_NOTIFICATION`, …). The
//! prelude, a hidden cell that uses the standard library alone, connects to the side channel and
//! puts the connections in the place of standard input, output and error. From then on the relay
//! reads all that is printed, whole lines or not, takes evcxr's protocol out of it
//! (stdout.rs), and sends evcxr just those lines, through a thread of the prelude. That is what
//! makes a plain `print!` live without endangering evcxr: it never sees the reader's text. Rust
//! keeps an unfinished line in a buffer of the process, so the relay asks for it every 50 ms while a
//! cell runs, and once more before it lets evcxr know that the cell is over. After a crash evcxr
//! starts a new process, and the prelude runs again. A cell that restarts its own process
//! (`:restart`) prints through evcxr until it ends.
//!
//! **Order.** `icvae-core` and others send requests (display, update, clear, "I stop here") on the
//! same socket, one a connection. The sender first flushes its standard output and then waits for
//! the answer; the relay reads what was printed before it takes the request. So pictures and text
//! keep their order. Updates never wait: one that Jupyter has not taken yet is replaced by the next.
//! When much is unsent, the relay reads no more, and the reader's process waits. Standard output and
//! standard error are two streams, whose order among each other is that of their arrival.
//!
//! **Interrupts** (interrupt.rs). The folder of the side channel holds a file whose first byte is `1`
//! while an interrupt is wanted; long calls read it at each step. Code that does not end within 2.5 s
//! is killed with its process, unless it has said that it is stopping; a second interrupt kills it
//! all the same. While a cell compiles, the compilers are killed. In rust-analyzer, which evcxr runs
//! in its own process, an interrupt takes effect only when its work is done.
//!
//! **Errors** (report.rs). The prelude's panic hook tells message and place. The place lies in the
//! program that evcxr made of the cell, so its line is looked up among the cells. A failed `?` prints
//! its error and a marker: what standard error said just before is the error. Cells are compiled
//! without debug information, so there is no stack; a panic inside a library names its place there,
//! and the cell.
//!
//! **What holds.** Cells are numbered from 1. All messages go through one task, so a cell's `idle` is
//! its last. The first request waits for a subscriber, up to 3 s, since some clients ask before they
//! listen. Each kernel has a build folder (slot.rs) and a side channel of its own, which only its
//! user can open. When any of the three processes is killed, the others end: on Linux evcxr dies
//! with the relay by the system's hand, elsewhere by the prelude's; the prelude ends the reader's
//! process when its standard input ends; the folder is removed by who is left, at last by the next
//! kernel that starts.

mod completeness;
mod connection;
mod evcxr;
mod front;
mod history;
mod info;
mod interrupt;
mod kernel;
mod output;
mod report;
mod side;
mod slot;
mod stdout;
mod wire;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Notify, mpsc};

use connection::Connection;
use evcxr::Evcxr;
use front::Front;
use interrupt::Interrupts;
use kernel::{Kernel, Shared};
use output::{Inputs, Output};
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
    let connection = Connection::read(&args.connection_file)?;
    let (builds, evcxr) = (builds(args)?, evcxr_program(args)?);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let ended = runtime.block_on(live(&connection, builds, evcxr));
    runtime.shutdown_timeout(Duration::from_millis(100));
    ended
}

async fn live(connection: &Connection, builds: PathBuf, program: PathBuf) -> Result<()> {
    let folder = side_folder()?;
    let listener = side::bind(folder.path())?;
    let interrupts = Interrupts::new(folder.path())?;
    let session = uuid::Uuid::new_v4().to_string();

    // Small, so that what Jupyter does not take stays where out-of-date updates are dropped.
    let (publish, published) = mpsc::channel(4);
    let front = Front::open(connection, &session, published).await?;
    let (commands, command_queue) = mpsc::channel(64);
    let (streams, stream_queue) = mpsc::channel(16);
    let (requests, request_queue) = mpsc::channel(4);
    let (updates, update_queue) = mpsc::channel(16);
    let inputs = Inputs {
        commands: command_queue,
        streams: stream_queue,
        requests: request_queue,
        updates: update_queue,
    };
    tokio::spawn(Output::new(session.clone(), publish, Arc::clone(&interrupts)).run(inputs));
    tokio::spawn(side::listen(
        listener,
        side::Handlers {
            streams,
            requests,
            updates,
        },
    ));

    let starting = {
        let (folder, interrupts) = (folder.path().to_owned(), Arc::clone(&interrupts));
        tokio::spawn(async move {
            let here = folder.clone();
            let slot = tokio::task::spawn_blocking(move || -> Result<Slot> {
                let slot = Slot::take(&builds)?;
                clean_up_after(&slot.note);
                slot::free_notes(&builds, clean_up_after);
                std::fs::write(&slot.note, here.as_os_str().as_encoded_bytes())
                    .with_context(|| format!("cannot write {}", slot.note.display()))?;
                Ok(slot)
            });
            let slot = slot.await??;
            let dir = slot.dir.clone();
            let evcxr = Evcxr::start(&program, &folder, &dir, |process| {
                interrupts.evcxr(Some(process));
            });
            let evcxr = evcxr.await?;
            // evcxr and what it starts hold the slot from here on.
            std::mem::forget(slot);
            Ok((evcxr, dir))
        })
    };

    let shutdown = Arc::new(Notify::new());
    let shared = Shared {
        session,
        output: commands,
        interrupts: Arc::clone(&interrupts),
        shutdown: Arc::clone(&shutdown),
    };
    let Front {
        shell,
        control,
        stdin,
        replies,
        subscribed,
    } = front;
    tokio::spawn(kernel::control(shared.clone(), replies.clone(), control));
    let kernel = Kernel::new(shared, replies, stdin, starting);
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let asked_to_stop = async {
        loop {
            tokio::select! {
                () = shutdown.notified() => return,
                _ = terminate.recv() => return,
                () = parent_is_gone() => return,
                _ = interrupt.recv() => interrupts.interrupt(),
            }
        }
    };
    let ended = tokio::select! {
        ended = kernel.serve(shell, subscribed) => ended,
        () = asked_to_stop => Ok(()),
    };
    interrupts.kill_all();
    // The last replies are on their way.
    tokio::time::sleep(Duration::from_millis(100)).await;
    folder
        .close()
        .context("cannot remove the side channel's folder")?;
    ended
}

/// A new folder that only its user can open, with a path that is short enough for a socket.
fn side_folder() -> Result<tempfile::TempDir> {
    let make = |parent: &Path| {
        tempfile::Builder::new()
            .prefix("icvae-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)
    };
    let usual = std::env::temp_dir();
    let parent = if usual.as_os_str().len() < 80 {
        &usual
    } else {
        Path::new("/tmp")
    };
    make(parent).with_context(|| format!("cannot make a folder in {}", parent.display()))
}

/// Removes what a kernel left behind that was killed before anybody could clean up after it.
fn clean_up_after(note: &Path) {
    use std::os::unix::ffi::OsStringExt;
    let Ok(path) = std::fs::read(note) else {
        return;
    };
    let path = PathBuf::from(std::ffi::OsString::from_vec(path));
    let ours = path
        .file_name()
        .is_some_and(|name| name.as_encoded_bytes().starts_with(b"icvae-"))
        && path.join("interrupt").is_file();
    if ours && let Err(error) = std::fs::remove_dir_all(&path) {
        eprintln!("cannot remove {}: {error}", path.display());
    }
}

/// Waits until the Jupyter that has started this kernel is gone, if that can be told.
async fn parent_is_gone() {
    let parent = std::os::unix::process::parent_id();
    let told = std::env::var("JPY_PARENT_PID")
        .ok()
        .and_then(|text| text.parse().ok());
    if told != Some(parent) {
        return std::future::pending().await;
    }
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
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
fn evcxr_program(args: &Args) -> Result<PathBuf> {
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
