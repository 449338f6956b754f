//! The live kernel: evcxr_jupyter as it is, behind a relay that adds what it lacks.
//!
//! ```text
//!             Jupyter
//!    shell, control, stdin, iopub, heartbeat
//!                │                                    jupyter_sockets.rs, wire.rs, connection.rs
//!   ┌────────────┴────────────┐
//!   │  relay (this program)   │  kernel.rs: requests; screen.rs, output.rs: all that is shown
//!   └──┬───────────────────┬──┘
//!      │ private sockets   │ side channel: a Unix socket       evcxr.rs, side_channel.rs
//!      │                   │
//!   evcxr_jupyter ──── the reader's process                    prelude.rs runs in it
//!           cells, compiled     out, err, requests, panics
//! ```
//!
//! **Why a relay.** evcxr_jupyter sends rich output when a cell ends, takes a panic and a failed `?`
//! for success, and answers an interrupt by killing the reader's process. To embed the evcxr crate
//! would mean to compile it before anything can wait for it; a changed copy would have to be kept
//! up. Jupyter talks to the relay only. It answers by itself whatever needs no evaluation (kernel
//! info, completeness, history, comms, interrupts), has a thread of its own complete and inspect
//! (analysis.rs), and has evcxr evaluate.
//!
//! **How it hears the reader's process.** evcxr's own loop in that process reads a command, runs a cell
//! and prints a line that says so. The prelude, a hidden cell that uses the standard library alone,
//! connects to the side channel, puts the connections in the place of standard input, output and
//! error, and has that loop run one more command: its own loop, which does not return. From then on
//! a cell's begin and end are told on a connection that cells don't write to, standard input is free
//! for the reader's code, and the relay reads all that is printed, whole lines or not. It sends
//! evcxr the lines that evcxr waits for, through a thread of the prelude. So a plain `print!` is live,
//! and whatever a cell prints, evcxr's markers among it, is text (screen.rs says what else must come
//! with a marker). Rust keeps an unfinished line in a buffer of the process, so the relay asks for it
//! every 50 ms while a cell runs, and once more before it lets evcxr know that the cell is over.
//! After a crash evcxr starts a new process, and the prelude runs again. A cell that restarts its own
//! process (`:restart`) prints through evcxr until it ends.
//!
//! **Input.** Each time that it flushes, the process also looks whether one of its threads waits in a
//! read of standard input (Linux tells, in `/proc/self/task`). Then the client is asked; where it
//! can't be, or when the cell is interrupted, the relay closes its end, and the read fails at once.
//! On other systems only what evcxr_input announces is asked for; a plain read waits for an interrupt.
//!
//! **Order.** `notebook-live` and others send requests (display, update, clear, "I stop here") on the
//! same socket, one a connection. The sender first flushes its standard output and then waits for
//! the answer; the relay reads what was printed before it takes the request. So pictures and text
//! keep their order. Updates never wait: one that Jupyter has not taken yet is replaced by the next.
//! When much is unsent, the relay reads no more, and the reader's process waits. Standard output and
//! standard error are two streams, whose order among each other is that of their arrival.
//!
//! **Widgets** (comms.rs, area.rs). The process opens comms by requests that keep their order among the
//! outputs, and hears of them on a connection of its own, beside a running cell too. A closure asks for
//! its turn: cells and closures run one after the other, in the order in which they asked. What a
//! closure prints and shows is collected in the output model below its widget.
//!
//! **Interrupts** (interrupt.rs). The folder of the side channel holds a file whose first byte is `1`
//! while an interrupt is wanted; long calls read it at each step. Code that does not end within 2.5 s
//! is killed with its process, unless it has said that it is stopping; a second interrupt kills it
//! all the same. While a cell compiles, the compilers are killed. An interrupt that comes before its cell, on the faster channel or while the kernel starts, is kept for it.
//!
//! **Before the compilers are there.** JupyterLab may be open while they are still being compiled
//! (`preparation.rs`). Until there is an evcxr, whatever needs none is answered, and a cell waits under a
//! line that says how far it is. Then evcxr starts and works ahead (ahead.rs).
//!
//! **Losses.** When evcxr ends, the cell that ran gets its error, reply and idle, and evcxr starts
//! anew; a process that ends between two cells is told by the next one, of which nothing runs (life.rs). A cell
//! whose brackets don't match never gets to evcxr: it would leave the function that evcxr puts it in.
//!
//! **Errors** (errors.rs). The prelude's panic hook tells message and place. The place lies in the
//! program that evcxr made of the cell, so its line is looked up among the cells. A failed `?` prints
//! its error and a marker: what standard error said just before is the error. Of debug information the
//! program of the cells has the line numbers alone (a Cargo configuration beside the build folders), and what they
//! depend on has none. So a panic inside a library names its place there, and the hook tells the addresses on the
//! way, which way.rs makes lines of: the cell's line, and from where it was called.
//!
//! **Changed definitions** (redefinition.rs, variables.rs). evcxr compiles all definitions anew with
//! each cell, and would read old values by them. The kernel keeps the definitions as evcxr does, and
//! finds before each cell which variables hold something that it changes. The order to drop them
//! lies in the folder of the side channel; the prelude looks for it when a cell is compiled and about
//! to run, drops them by the code that made them, and has evcxr forget them and compile once more. A
//! cell that makes such a variable anew is first accepted without being run, and sent again, since
//! evcxr would forget the new one too. A cell that adds a crate may have others compiled anew, and
//! then all that is made of them is other types; evcxr would notice at the next cell, so an empty one
//! runs at once, and what is gone is told there. Hints below the compiler's words are in hints.rs.
//!
//! An `impl` without its type in the same cell gets an empty module before it, so that evcxr knows it again
//! when the cell is run again (implementations.rs). Where a cell fails for nothing but what earlier cells
//! have defined, that is set aside and the cell sent again; the reader is told which to run again (misfits.rs).
//!
//! **Commands of its own** (commands.rs). `:vars`, alone or among other lines, lists the variables with
//! what they hold, which the reader's process says; `:time` says how long the cell took.
//!
//! **Gradients.** A panic inside `tch::no_grad` leaves them off. The prelude turns them on after each
//! panic of a cell, where libtorch is in the process.
//!
//! **What holds.** Cells are numbered from 1. All messages go through one task, so a cell's `idle` is
//! its last. The first request waits for a subscriber, up to 3 s, since some clients ask before they
//! listen. Each kernel has a build folder (slot.rs) and a side channel of its own, which only its
//! user can open. When any of the three processes is killed, the others end: on Linux evcxr dies
//! with the relay by the system's hand, elsewhere by the prelude's; the prelude ends the reader's
//! process when its standard input ends; the folder is removed by who is left, at last by the next
//! kernel that starts.

mod ahead;
mod analysis;
mod area;
mod borrowed;
mod commands;
mod comms;
mod compiler;
mod completeness;
mod connection;
mod errors;
mod evcxr;
mod hints;
mod history;
mod implementations;
mod info;
mod interrupt;
mod jupyter_sockets;
mod kept;
mod kernel;
mod library;
mod life;
mod misfits;
mod output;
mod redefinition;
mod screen;
mod side_channel;
mod slot;
mod stdout;
mod variables;
mod way;
mod wire;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{OnceCell, mpsc};

use crate::preparation::{Readiness, readiness};
use crate::{builds, files};
use ahead::Ahead;
use analysis::Analyst;
pub use compiler::act;
use connection::Connection;
use evcxr::Evcxr;
use interrupt::{Interrupts, When};
use jupyter_sockets::JupyterSockets;
use kept::Kept;
use kernel::{Backing, Kernel, Shared};
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
    let listener = side_channel::bind(folder.path())?;
    let interrupts = Interrupts::new(folder.path())?;
    let session = uuid::Uuid::new_v4().to_string();
    let stand_ins = Arc::new(compiler::stand_in(folder.path())?);

    // Small, so that what Jupyter does not take stays where out-of-date updates are dropped.
    let (publish, published) = mpsc::channel(4);
    let sockets = JupyterSockets::open(connection, &session, published).await?;
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
    let (questions, question_queue) = mpsc::channel(4);
    let side = folder.path().to_owned();
    let shared = Shared::new(session.clone(), commands, Arc::clone(&interrupts), side);
    let comms = Arc::clone(&shared.comms);
    let output = Output::new(session, publish, questions, Arc::clone(&interrupts), comms);
    tokio::spawn(output.run(inputs));
    tokio::spawn(side_channel::listen(
        listener,
        side_channel::Handlers {
            streams,
            requests,
            updates,
            shared: shared.clone(),
        },
    ));

    let shutdown = Arc::clone(&shared.shutdown);
    let slot = Arc::new(OnceCell::new());
    let kept = Kept::new(&builds, info::rust_version());
    let look = {
        let state = builds.parent().unwrap_or(&builds).to_owned();
        let program = program.clone();
        move || -> Readiness { readiness(&state, &program) }
    };
    let start = {
        let (folder, interrupts) = (folder.path().to_owned(), Arc::clone(&interrupts));
        let slot = Arc::clone(&slot);
        let shared = shared.clone();
        // One that has ended may have done so over this.
        let first = AtomicBool::new(true);
        move || {
            let shared = shared.clone();
            let ahead = match first.swap(false, Ordering::Relaxed) {
                true => Ahead::of_this_kernel(&builds),
                false => Ahead::default(),
            };
            let (builds, program) = (builds.clone(), program.clone());
            let stand_ins = Arc::clone(&stand_ins);
            let (folder, interrupts) = (folder.clone(), Arc::clone(&interrupts));
            let slot = Arc::clone(&slot);
            let warm = builds.join("warm");
            tokio::spawn(async move {
                let slot: &Slot = slot
                    .get_or_try_init(|| take_slot(builds, folder.clone()))
                    .await?;
                let start = async || {
                    // What an evcxr that was killed has left at work there.
                    interrupt::kill_below(&slot.dir);
                    Evcxr::start(&program, &folder, &slot.dir, &stand_ins, |process| {
                        interrupts.evcxr(Some(process));
                    })
                    .await
                };
                let mut evcxr = match start().await {
                    Ok(evcxr) => evcxr,
                    Err(error) => {
                        eprintln!("{error:#}: once more, in a fresh build folder");
                        let dir = slot.dir.clone();
                        let remake = move || builds::remake(&warm, &dir);
                        tokio::task::spawn_blocking(remake).await??;
                        start().await?
                    }
                };
                ahead.work(&mut evcxr, &shared).await;
                Ok((evcxr, slot.dir.clone()))
            })
        }
    };

    let JupyterSockets {
        shell,
        control,
        stdin,
        replies,
        subscribed,
    } = sockets;
    tokio::spawn(kernel::control(shared.clone(), replies.clone(), control));
    let backing = Backing {
        look: Box::new(look),
        start: Box::new(start),
    };
    let analyst = Analyst::start();
    let (to_comms, for_comms) = mpsc::unbounded_channel();
    tokio::spawn(analysis::serve(
        shared.clone(),
        analyst.clone(),
        replies.clone(),
        shell,
        to_comms,
    ));
    let (to_kernel, requests) = mpsc::unbounded_channel();
    tokio::spawn(comms::serve(
        shared.clone(),
        replies.clone(),
        for_comms,
        to_kernel,
    ));
    let kernel = Kernel::new(
        shared,
        replies,
        stdin,
        question_queue,
        backing,
        analyst,
        kept,
    );
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let asked_to_stop = async {
        loop {
            tokio::select! {
                () = shutdown.notified() => return,
                _ = terminate.recv() => return,
                () = parent_is_gone() => return,
                _ = interrupt.recv() => interrupts.interrupt(When::now()),
            }
        }
    };
    let ended = tokio::select! {
        ended = kernel.serve(requests, subscribed) => ended,
        () = asked_to_stop => Ok(()),
    };
    interrupts.kill_all();
    // The last replies are on their way.
    tokio::time::sleep(Duration::from_millis(100)).await;
    let folder = folder.keep();
    remove_folder(&folder).await?;
    if let Some(slot) = slot.get() {
        // Nothing is left that the next kernel would have to clean up.
        let _ = std::fs::remove_file(&slot.note);
    }
    ended
}

/// Takes a build folder for as long as this kernel lives; evcxr and what it starts hold it too.
async fn take_slot(builds: PathBuf, folder: PathBuf) -> Result<Slot> {
    let slot = tokio::task::spawn_blocking(move || -> Result<Slot> {
        let slot = Slot::take(&builds)?;
        clean_up_after(&slot.note);
        slot::free_notes(&builds, clean_up_after);
        builds::configure_if_new(&builds)?;
        files::write_whole(&slot.note, folder.as_os_str().as_encoded_bytes(), 0o644)?;
        Ok(slot)
    });
    slot.await?
}

/// Removes the side channel's folder, which the prelude may be removing too, and into which a compiler
/// may still write its last.
async fn remove_folder(folder: &Path) -> Result<()> {
    for _ in 0..40 {
        if std::fs::remove_dir_all(folder).is_ok() || !folder.exists() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    std::fs::remove_dir_all(folder)
        .or_else(|error| if folder.exists() { Err(error) } else { Ok(()) })
        .with_context(|| format!("cannot remove {}", folder.display()))
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

/// The evcxr_jupyter to run, which may still have to be made.
fn evcxr_program(args: &Args) -> Result<PathBuf> {
    args.evcxr.clone().context(
        "the kernel does not know its evcxr_jupyter: run `cargo kernel install`, which notes it",
    )
}
