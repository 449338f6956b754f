//! The live kernel.

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
