//! evcxr_jupyter, kept as it is: a kernel behind the kernel, on sockets of its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use zeromq::{
    DealerSendHalf, DealerSocket, Socket, SocketOptions, SocketRecv, SocketSend, SubSocket,
};

use crate::files;
use crate::libtorch::SEARCH_PATH;

use super::connection::Connection;
use super::wire::{Message, Signer, identity};

/// How long evcxr_jupyter may take to answer for the first time.
const PATIENCE: Duration = Duration::from_secs(120);
/// What the libraries below the cells' code are told, unless the reader's environment says something else.
const ADVICE: [(&str, &str); 2] = [
    // How often GNU's OpenMP looks before a thread that waits goes to sleep. libtorch's threads wait for each other
    // thirty times a training step: for long, where nobody says for how long, and whoever has lost its core to a browser
    // is waited for by one that has it.
    ("GOMP_SPINCOUNT", "1000"),
    // Weights and what an optimiser remembers of them in large pages, where Linux leaves that to the program: a step
    // goes through all of them, and the processor looks up fewer addresses.
    ("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1"),
];
/// How long a message may take that was sent before an answer.
const MOMENT: Duration = Duration::from_millis(500);

/// What comes back.
#[derive(Debug)]
pub enum Event {
    /// A reply.
    Reply(Message),
    /// Something published.
    Published(Message),
    /// A crate is being compiled.
    Compiling(String),
    /// evcxr_jupyter has ended.
    Ended(String),
}

/// evcxr_jupyter is no more: why.
#[derive(Debug, Clone)]
pub struct Gone(pub String);

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "evcxr_jupyter has ended: {}", self.0)
    }
}

impl std::error::Error for Gone {}

/// All that came of one request.
#[derive(Debug, Default)]
pub struct Exchange {
    /// The content of the reply; null where evcxr sends none.
    pub reply: Value,
    /// What it published meanwhile, but for states and echoes.
    pub published: Vec<Message>,
}

/// A running evcxr_jupyter.
#[derive(Debug)]
pub struct Evcxr {
    session: String,
    shell: Sender,
    events: mpsc::Receiver<Event>,
}

struct Sender(DealerSendHalf, Signer);

impl std::fmt::Debug for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sender")
    }
}

impl Sender {
    async fn send(&mut self, message: &Message) -> Result<()> {
        Ok(self.0.send(self.1.pack(message)?).await?)
    }
}

impl Evcxr {
    /// Starts it with these variables and waits until it answers. `folder` is the side channel's, `build`
    /// its own.
    ///
    /// # Errors
    /// If it cannot be started, or ends before it has answered.
    pub async fn start(
        program: &Path,
        folder: &Path,
        build: &Path,
        variables: &[(&str, OsString)],
        tell_process: impl FnOnce(u32),
    ) -> Result<Self> {
        let (connection, ports) = Connection::private(uuid::Uuid::new_v4().to_string())?;
        let file = folder.join("evcxr.json");
        // It holds the key.
        files::write_whole(&file, &serde_json::to_vec(&connection)?, 0o600)?;
        let libraries = rust_libraries().await;
        let mut command = Command::new(program);
        command
            .arg("--control_file")
            .arg(&file)
            .env("EVCXR_TMPDIR", build)
            .env("ICVAE_LIVE", folder)
            // What is left behind there goes with the folder; the prelude gives the reader's code its own again.
            .env("TMPDIR", folder)
            .env("ICVAE_TMPDIR", std::env::temp_dir())
            // There it finds no kernelspec of an older evcxr that it would write over.
            .env("JUPYTER_PATH", folder)
            .env(SEARCH_PATH, library_path(libraries.as_deref()))
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        for (name, value) in ADVICE {
            if std::env::var_os(name).is_none() {
                command.env(name, value);
            }
        }
        die_with_this_process(&mut command);
        let mut child = command
            .spawn()
            .with_context(|| format!("cannot start evcxr_jupyter at {}", program.display()))?;
        let process = child.id().context("evcxr_jupyter has ended at once")?;
        tell_process(process);

        let (sender, events) = mpsc::channel(1024);
        let stderr = child
            .stderr
            .take()
            .context("evcxr_jupyter without standard error")?;
        let signer = Signer::new(&connection.key)?;
        let session = uuid::Uuid::new_v4().to_string();
        let connecting = Self::connect(&connection, &session, &signer, &sender);
        let shell = tokio::select! {
            socket = connecting => socket?,
            status = child.wait() => {
                let mut words = String::new();
                let mut lines = BufReader::new(stderr).lines();
                while let Ok(Some(line)) = lines.next_line().await {
                    words.push('\n');
                    words.push_str(&line);
                }
                bail!("evcxr_jupyter ended ({}) before it answered{words}", status?);
            }
        };
        // evcxr listens on all of them before it answers on the last.
        drop(ports);
        tokio::spawn(watch(child, stderr, sender));
        let mut evcxr = Self {
            session,
            shell: Sender(shell, signer),
            events,
        };
        evcxr.wait_until_ready().await?;
        Ok(evcxr)
    }

    async fn connect(
        connection: &Connection,
        session: &str,
        signer: &Signer,
        events: &mpsc::Sender<Event>,
    ) -> Result<DealerSendHalf> {
        let shell = loop {
            let mut options = SocketOptions::default();
            options.peer_identity(identity(session)?);
            let mut socket = DealerSocket::with_options(options);
            match socket
                .connect(&connection.endpoint(connection.shell_port))
                .await
            {
                Ok(()) => break socket,
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        };
        let (shell, shell_receiver) = shell.split();
        let mut iopub = SubSocket::new();
        while iopub
            .connect(&connection.endpoint(connection.iopub_port))
            .await
            .is_err()
        {
            tokio::time::sleep(Duration::from_millis(20)).await;
            iopub = SubSocket::new();
        }
        iopub.subscribe("").await?;
        receive(shell_receiver, signer.clone(), events.clone(), Event::Reply);
        receive(iopub, signer.clone(), events.clone(), Event::Published);
        Ok(shell)
    }

    /// evcxr answers once it can evaluate; that it is heard on all sockets shows when it is idle.
    async fn wait_until_ready(&mut self) -> Result<()> {
        let begun = tokio::time::Instant::now();
        let mut heard = false;
        while !heard {
            let request = self.request("kernel_info_request", json!({}));
            self.shell.send(&request).await?;
            let mut answered = false;
            loop {
                let patience = if answered { MOMENT } else { PATIENCE };
                match tokio::time::timeout(patience, self.events.recv()).await {
                    Ok(Some(Event::Reply(_))) => answered = true,
                    Ok(Some(Event::Published(message)))
                        if message.content["execution_state"] == "idle"
                            && message.parent_id() == request.id() =>
                    {
                        heard = true;
                        if answered {
                            break;
                        }
                    }
                    Ok(Some(Event::Ended(why))) => bail!("evcxr_jupyter ended: {why}"),
                    Ok(Some(_)) => {}
                    Ok(None) => bail!("evcxr_jupyter cannot be heard any more"),
                    Err(_) if answered => break,
                    Err(_) => bail!("evcxr_jupyter has not answered for {PATIENCE:?}"),
                }
            }
            if begun.elapsed() > PATIENCE {
                bail!("evcxr_jupyter cannot be heard: something keeps its messages back");
            }
        }
        Ok(())
    }

    fn request(&self, kind: &str, content: Value) -> Message {
        Message::new(&self.session, kind, &Value::Null, content)
    }

    /// Makes one request and collects all that comes of it. `tell` hears of events that are neither
    /// its reply nor published for it.
    ///
    /// # Errors
    /// If evcxr_jupyter ends meanwhile.
    pub async fn exchange(
        &mut self,
        kind: &str,
        content: Value,
        mut tell: impl AsyncFnMut(&mut Self, Event),
    ) -> Result<Exchange> {
        let request = self.request(kind, content);
        if let Err(error) = self.shell.send(&request).await {
            bail!(Gone(format!("it cannot be reached, {error:#}")));
        }
        let replies = ["execute_request", "complete_request", "inspect_request"].contains(&kind);
        let mut exchange = Exchange::default();
        let (mut replied, mut idle) = (!replies, false);
        while !replied || !idle {
            match self
                .events
                .recv()
                .await
                .unwrap_or_else(|| Event::Ended("it cannot be heard any more".to_owned()))
            {
                Event::Ended(why) => bail!(Gone(why)),
                Event::Reply(message) if message.parent_id() == request.id() => {
                    replied = true;
                    exchange.reply = message.content;
                }
                Event::Reply(_) => {}
                Event::Published(message) if message.parent_id() == request.id() => {
                    match message.kind() {
                        "status" => idle |= message.content["execution_state"] == "idle",
                        "execute_input" => {}
                        "stream" => tell(self, Event::Published(message)).await,
                        _ => exchange.published.push(message),
                    }
                }
                event => tell(self, event).await,
            }
        }
        Ok(exchange)
    }

    /// The next thing that happens without a request.
    pub async fn event(&mut self) -> Option<Event> {
        self.events.recv().await
    }
}

fn receive(
    mut socket: impl SocketRecv + Send + 'static,
    signer: Signer,
    events: mpsc::Sender<Event>,
    wrap: fn(Message) -> Event,
) {
    tokio::spawn(async move {
        while let Ok(frames) = socket.recv().await {
            match signer.unpack(frames) {
                Ok(message) => {
                    if events.send(wrap(message)).await.is_err() {
                        return;
                    }
                }
                Err(error) => eprintln!("from evcxr_jupyter: {error:#}"),
            }
        }
    });
}

/// Reads what evcxr_jupyter says about its work until it ends.
async fn watch(mut child: Child, stderr: tokio::process::ChildStderr, events: mpsc::Sender<Event>) {
    let mut lines = BufReader::new(stderr).lines();
    let mut broken = None;
    while let Ok(Some(line)) = lines.next_line().await {
        match line.trim_start().strip_prefix("Compiling ") {
            Some(name) => drop(events.send(Event::Compiling(name.to_owned())).await),
            None => eprintln!("evcxr_jupyter: {line}"),
        }
        // A thread of it that ends so takes no more requests, and answers none.
        if ["execution error: ", "shell error: "]
            .iter()
            .any(|words| line.starts_with(words))
        {
            broken = Some(line);
            let _ = child.start_kill();
            break;
        }
    }
    let why = match (broken, child.wait().await) {
        (Some(line), _) => line,
        (None, Ok(status)) => status.to_string(),
        (None, Err(error)) => error.to_string(),
    };
    // Nobody may be left who wants to know.
    let _ = events.send(Event::Ended(why)).await;
}

/// The folder of Rust's standard library.
async fn rust_libraries() -> Option<PathBuf> {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir"])
        .output()
        .await;
    let said = String::from_utf8(asked.ok()?.stdout).ok()?;
    Some(PathBuf::from(said.trim())).filter(|folder| folder.is_absolute())
}

/// Where the system looks for libraries, and after that the folder of Rust's standard library.
///
/// A compiled cell names that folder relative to the folder in which the compiler wrote it, and evcxr
/// moves it one up. So a cell below a folder that holds the toolchain too, such as a reader's home, would
/// not find it.
fn library_path(libraries: Option<&Path>) -> OsString {
    let present = std::env::var_os(SEARCH_PATH).unwrap_or_default();
    let folders = std::env::split_paths(&present).chain(libraries.map(Path::to_owned));
    // An empty one would stand for the present folder.
    let folders = folders.filter(|path| !path.as_os_str().is_empty());
    std::env::join_paths(folders).unwrap_or(present)
}

/// Has the system end evcxr_jupyter when this process is killed; elsewhere the prelude sees to it.
#[cfg(target_os = "linux")]
fn die_with_this_process(command: &mut Command) {
    use rustix::process::{Signal, set_parent_process_death_signal};
    // SAFETY: nothing but one system call happens between fork and exec.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
}

#[cfg(not(target_os = "linux"))]
fn die_with_this_process(_: &mut Command) {}
