//! Everything that a cell shows, in one order.
//!
//! One task owns it: it reads what the reader's process prints, takes the requests of the side
//! channel at their place between the prints, and publishes all of it under the header of the cell
//! that runs. It never waits for Jupyter. When too much is unsent it reads no more, so that the
//! reader's process waits instead of the kernel's memory growing.

use std::collections::{HashMap, VecDeque};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::interrupt::Interrupts;
use super::side::{Panic, Request, Stream, StreamKind, is_mime};
use super::stdout::{Parser, Piece};
use super::wire::{Message, now};

/// Text that belongs together is collected for this long.
const COLLECT: Duration = Duration::from_millis(15);
/// … or until there is this much of it.
const MOST_TEXT: usize = 64 << 10;
/// Contents for the end of a cell wait this long for the end to come.
const WAIT_FOR_END: Duration = Duration::from_millis(300);
/// Unfinished lines are asked for this often while a cell runs.
const BETWEEN_FLUSHES: Duration = Duration::from_millis(50);
/// How long the end of a cell waits for its unfinished line.
const LAST_FLUSH: Duration = Duration::from_millis(500);
/// Above this, nothing more is read until Jupyter has taken something.
const MOST_UNSENT: usize = 48 << 20;
/// Standard error that comes within this time is taken for one report.
const BURST: Duration = Duration::from_millis(40);
/// As much is read from one stream before others get their turn.
const ONE_TURN: usize = 1 << 20;

/// What a cell may show, and under which name.
#[derive(Debug, Clone, Default)]
pub struct Cell {
    /// The header of the request.
    pub parent: Value,
    /// Its number.
    pub number: u64,
    /// Whether nobody is to see it.
    pub hidden: bool,
    /// Whether it ends in an expression, whose value is its result.
    pub has_result: bool,
    /// Whether nobody is to see the result.
    pub silent: bool,
}

/// What is known of a cell when it is over.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// When the reader's code began to run.
    pub started: Option<String>,
    /// The panic that ended the cell.
    pub panic: Option<Panic>,
    /// What a failed `?` said.
    pub early_return: Option<String>,
    /// Whether the process ended during the cell.
    pub died: bool,
    /// What the process said in its last moments.
    pub last_words: String,
    /// What an interrupted call had reached.
    pub reached: Option<String>,
    /// The text of the result.
    pub result: Option<String>,
}

/// What the task is told.
#[derive(Debug)]
pub enum Command {
    /// A cell begins.
    Begin(Cell),
    /// A cell is over; nothing more comes from it.
    End(oneshot::Sender<Outcome>),
    /// A message that takes its place among the outputs.
    Publish(Message),
    /// An output of the kernel itself.
    Show(Request),
}

/// The attached process.
#[derive(Debug)]
struct Process {
    id: u32,
    out: UnixStream,
    err: UnixStream,
    lines: UnixStream,
    flush: UnixStream,
    parser: Parser,
    /// Flushes that were asked for and not done.
    flushes: usize,
    /// Whether a cell runs in it.
    running: bool,
    /// The end of the cell, held back until its unfinished line is here.
    completing: Option<Instant>,
    err_parser: Utf8,
}

/// Text that is not published yet.
#[derive(Debug)]
struct Pending {
    name: &'static str,
    text: String,
    due: Instant,
}

/// Representations of one value that is not published yet.
#[derive(Debug)]
struct Bundle {
    data: Map<String, Value>,
    due: Instant,
}

/// The task.
#[derive(Debug)]
pub struct Output {
    session: String,
    iopub: mpsc::Sender<Message>,
    interrupts: Arc<Interrupts>,
    unsent: VecDeque<Message>,
    weight: usize,
    cell: Cell,
    outcome: Outcome,
    process: Option<Process>,
    waiting: HashMap<(u32, StreamKind), UnixStream>,
    pending: Option<Pending>,
    bundle: Option<Bundle>,
    /// The last report on standard error, and when it went on last.
    burst: (Instant, String),
    /// A panic whose consequences are not known yet.
    panic: Option<Panic>,
    /// Standard error after evcxr's crash handler has spoken.
    crash: Option<String>,
}

/// What the task does next.
enum Next<'a> {
    Send(Option<mpsc::Permit<'a, Message>>),
    Command(Option<Command>),
    Stream(Stream),
    Update(Request, oneshot::Sender<()>),
    Request(Request, oneshot::Sender<()>),
    Err,
    Out,
    Lines,
    Flushed,
    Flush,
    Due,
}

/// What the task listens to.
#[derive(Debug)]
pub struct Inputs {
    pub commands: mpsc::Receiver<Command>,
    pub streams: mpsc::Receiver<Stream>,
    pub requests: mpsc::Receiver<(Request, oneshot::Sender<()>)>,
    pub updates: mpsc::Receiver<(Request, oneshot::Sender<()>)>,
}

impl Output {
    /// Publishes through `iopub`, whose capacity should be small.
    pub fn new(session: String, iopub: mpsc::Sender<Message>, interrupts: Arc<Interrupts>) -> Self {
        Self {
            session,
            iopub,
            interrupts,
            unsent: VecDeque::new(),
            weight: 0,
            cell: Cell::default(),
            outcome: Outcome::default(),
            process: None,
            waiting: HashMap::new(),
            pending: None,
            bundle: None,
            burst: (Instant::now(), String::new()),
            panic: None,
            crash: None,
        }
    }

    /// Runs until all who could tell it something are gone.
    pub async fn run(mut self, mut inputs: Inputs) {
        let mut flush = interval(BETWEEN_FLUSHES);
        flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let iopub = self.iopub.clone();
        loop {
            let room = self.weight < MOST_UNSENT;
            let process = self.process.as_ref();
            let running = process.is_some_and(|process| process.running);
            let due = self.due();
            let next = tokio::select! {
                biased;
                permit = iopub.reserve(), if !self.unsent.is_empty() => Next::Send(permit.ok()),
                command = inputs.commands.recv() => Next::Command(command),
                Some(stream) = inputs.streams.recv() => Next::Stream(stream),
                Some((request, done)) = inputs.updates.recv() => Next::Update(request, done),
                Some((request, done)) = inputs.requests.recv(), if room => {
                    Next::Request(request, done)
                }
                () = readable(process.map(|p| &p.err)), if room => Next::Err,
                () = readable(process.map(|p| &p.out)), if room => Next::Out,
                () = readable(process.map(|p| &p.lines)) => Next::Lines,
                () = readable(process.map(|p| &p.flush)) => Next::Flushed,
                _ = flush.tick(), if running => Next::Flush,
                () = wait_until(due) => Next::Due,
            };
            match next {
                Next::Send(None) | Next::Command(None) => return,
                Next::Send(Some(permit)) => {
                    if let Some(message) = self.unsent.pop_front() {
                        self.weight -= message.weight();
                        permit.send(message);
                    }
                }
                Next::Command(Some(command)) => self.obey(command),
                Next::Stream(stream) => self.attach(stream),
                Next::Update(request, done) => {
                    self.take(request);
                    let _ = done.send(());
                }
                Next::Request(request, done) => {
                    // Whatever was printed before the request was sent is here to be read.
                    self.read_err(false);
                    self.read_out(false);
                    self.take(request);
                    let _ = done.send(());
                }
                Next::Err => self.read_err(true),
                Next::Out => self.read_out(true),
                Next::Lines => self.read_lines(),
                Next::Flushed => self.read_flush(),
                Next::Flush => self.ask_for_flush(),
                Next::Due => self.publish_due(),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Begin(cell) => {
                self.publish_all(false);
                self.cell = cell;
                self.outcome = Outcome::default();
                self.panic = None;
                self.burst.1.clear();
            }
            Command::End(done) => {
                self.read_err(false);
                self.read_out(false);
                self.tell_of_caught_panic();
                if let Some(text) = self.crash.take() {
                    self.print("stderr", &text);
                }
                self.publish_all(true);
                let _ = done.send(std::mem::take(&mut self.outcome));
            }
            Command::Publish(message) => {
                self.publish_all(false);
                self.push(message);
            }
            Command::Show(request) => self.take(request),
        }
    }

    /// Collects the streams of a process, and takes it on when all are there.
    fn attach(
        &mut self,
        Stream {
            kind,
            process,
            stream,
        }: Stream,
    ) {
        use StreamKind::{Err, Flush, Lines, Out};
        self.waiting.insert((process, kind), stream);
        if [Out, Err, Lines, Flush]
            .iter()
            .any(|&k| !self.waiting.contains_key(&(process, k)))
        {
            return;
        }
        let mut take = |kind| self.waiting.remove(&(process, kind));
        let (Some(out), Some(err), Some(lines), Some(flush)) =
            (take(Out), take(Err), take(Lines), take(Flush))
        else {
            return;
        };
        self.waiting.clear();
        send(&lines, b"+");
        self.interrupts.attached(process);
        self.process = Some(Process {
            id: process,
            out,
            err,
            lines,
            flush,
            parser: Parser::default(),
            flushes: 0,
            running: true,
            completing: None,
            err_parser: Utf8::default(),
        });
    }

    fn take(&mut self, request: Request) {
        match request {
            Request::Display { data, metadata, id } => {
                let transient = id.map_or(json!({}), |id| json!({"display_id": id}));
                let content = json!({"data": data, "metadata": metadata, "transient": transient});
                self.publish_all(false);
                self.show("display_data", content);
            }
            Request::Update { data, metadata, id } => {
                let content =
                    json!({"data": data, "metadata": metadata, "transient": {"display_id": id}});
                let unsent = self.unsent.iter_mut().rev().find(|message| {
                    message.content["transient"]["display_id"] == content["transient"]["display_id"]
                });
                match unsent {
                    // Jupyter is behind: it need not see what is out of date.
                    Some(message) => {
                        self.weight -= message.weight();
                        message.content = content;
                        self.weight += message.weight();
                    }
                    None => self.show("update_display_data", content),
                }
            }
            Request::Clear { wait } => {
                self.publish_all(false);
                self.show("clear_output", json!({"wait": wait}));
            }
            Request::Interrupted { reached } => {
                self.interrupts.heard();
                self.outcome.reached = Some(reached);
            }
            Request::Panic(panic) if panic.thread.is_empty() => self.panic = Some(panic),
            Request::Panic(panic) => {
                self.read_err(false);
                self.print("stderr", &panic_text(&panic));
            }
        }
    }

    /// Reads standard output; with `polled` only what is announced, else whatever is there.
    fn read_out(&mut self, polled: bool) {
        let Some(process) = &mut self.process else {
            return;
        };
        let mut pieces = Vec::new();
        let ended = read(&process.out, polled, |bytes| {
            pieces.extend(process.parser.push(bytes))
        });
        for piece in pieces {
            self.handle(piece);
        }
        if ended {
            self.detach();
        }
    }

    fn handle(&mut self, piece: Piece) {
        let line = piece.for_evcxr().map(str::to_owned);
        match piece {
            Piece::Text(text) => self.print("stdout", &text),
            Piece::Content(mime, content) => self.add_content(&mime, content),
            Piece::Panic => self.outcome.panic = self.panic.take().or(Some(Panic::default())),
            Piece::EarlyReturn => {
                self.read_err(false);
                self.outcome.early_return = Some(self.take_burst());
            }
            Piece::Complete => return self.complete(),
            Piece::Other(_) => {}
        }
        if let (Some(line), Some(process)) = (line, &self.process) {
            send(&process.lines, format!("{line}\n").as_bytes());
        }
    }

    /// The reader's code has ended: its unfinished line is still to come.
    fn complete(&mut self) {
        let Some(process) = &mut self.process else {
            return;
        };
        process.completing = Some(Instant::now() + LAST_FLUSH);
        process.flushes += 1;
        send(&process.flush, b"f");
    }

    fn ask_for_flush(&mut self) {
        if let Some(process) = &mut self.process
            && process.flushes == 0
        {
            process.flushes += 1;
            send(&process.flush, b"f");
        }
    }

    fn read_flush(&mut self) {
        let Some(process) = &mut self.process else {
            return;
        };
        let mut done = 0;
        let ended = read(&process.flush, true, |bytes| done += bytes.len());
        process.flushes = process.flushes.saturating_sub(done);
        let all_done = process.flushes == 0 || ended;
        if all_done && process.completing.is_some() {
            self.finish_cell();
        }
        if ended {
            self.detach();
        }
    }

    /// Lets evcxr know that the cell is over.
    fn finish_cell(&mut self) {
        self.read_err(false);
        self.read_out(false);
        if let Some(process) = &mut self.process {
            process.completing = None;
            process.running = false;
            if let Some(line) = Piece::Complete.for_evcxr() {
                send(&process.lines, format!("{line}\n").as_bytes());
            }
        }
        self.tell_of_caught_panic();
        self.publish_all(true);
    }

    /// A panic that the reader's code has caught: they see what they would see elsewhere.
    fn tell_of_caught_panic(&mut self) {
        if let Some(panic) = self.panic.take() {
            let result = self.bundle.take();
            self.print("stderr", &panic_text(&panic));
            self.publish_text();
            self.bundle = result;
        }
    }

    fn read_lines(&mut self) {
        let Some(process) = &mut self.process else {
            return;
        };
        let mut started = false;
        let ended = read(&process.lines, true, |bytes| {
            started |= bytes.contains(&b's')
        });
        if started {
            process.running = true;
            self.interrupts.started();
            self.outcome.started.get_or_insert_with(now);
        }
        if ended {
            self.read_out(false);
            self.detach();
        }
    }

    fn read_err(&mut self, polled: bool) {
        let Some(process) = &mut self.process else {
            return;
        };
        let mut text = String::new();
        let ended = read(&process.err, polled, |bytes| {
            text.push_str(&process.err_parser.push(bytes));
        });
        if !text.is_empty() {
            self.report(&text);
        }
        if ended && polled {
            self.detach();
        }
    }

    /// Takes what the process says on standard error.
    fn report(&mut self, text: &str) {
        let now = Instant::now();
        if now.duration_since(self.burst.0) > BURST {
            self.burst.1.clear();
        }
        self.burst.0 = now;
        if self.burst.1.len() < MOST_TEXT {
            self.burst.1.push_str(text);
        }
        if let Some(crash) = &mut self.crash {
            crash.push_str(text);
            return;
        }
        // Crash handlers print a stack that says nothing about the reader's code.
        let crash = [
            "Segmentation fault.",
            "Illegal instruction.",
            "Bus error.",
            "memory allocation of ",
        ];
        match crash.iter().find_map(|words| text.find(words)) {
            Some(at) => {
                self.print("stderr", &text[..at]);
                self.crash = Some(text[at..].to_owned());
            }
            None => self.print("stderr", text),
        }
    }

    /// Takes back the last report on standard error, as far as it is not published.
    fn take_burst(&mut self) -> String {
        let text = std::mem::take(&mut self.burst.1);
        if let Some(pending) = &mut self.pending
            && pending.name == "stderr"
        {
            // Published or not, what ends the pending text is the end of the report.
            let common = pending.text.len().min(text.len());
            if text.ends_with(&pending.text) || pending.text.ends_with(&text) {
                pending.text.truncate(pending.text.len() - common);
            }
        }
        text.trim_end().to_owned()
    }

    /// The process is gone.
    fn detach(&mut self) {
        self.read_err(false);
        let Some(mut process) = self.process.take() else {
            return;
        };
        self.interrupts.detached(process.id);
        if let Some(Piece::Text(text)) = process.parser.rest() {
            self.print("stdout", &text);
        }
        self.outcome.died = process.running;
        self.outcome.last_words = self
            .crash
            .take()
            .unwrap_or_else(|| std::mem::take(&mut self.burst.1));
        self.outcome.panic = self.panic.take().or(self.outcome.panic.take());
    }

    fn print(&mut self, name: &'static str, text: &str) {
        if self.cell.hidden {
            if !text.trim().is_empty() {
                eprintln!("hidden cell: {text}");
            }
            return;
        }
        if text.is_empty() {
            return;
        }
        self.publish_bundle(false);
        if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.name != name)
        {
            self.publish_text();
        }
        let pending = self.pending.get_or_insert_with(|| Pending {
            name,
            text: String::new(),
            due: Instant::now() + COLLECT,
        });
        pending.text.push_str(text);
        if pending.text.len() >= MOST_TEXT {
            self.publish_text();
        }
    }

    fn add_content(&mut self, mime: &str, content: String) {
        self.publish_text();
        if !is_mime(mime) {
            eprintln!("a cell shows a value as {mime:?}, which is not a MIME type");
            return self.print("stdout", &content);
        }
        if self.cell.has_result && mime == "text/plain" && content == "()" {
            // What a loop at the end of a cell is worth.
            self.cell.has_result = false;
            return;
        }
        let content = if mime.contains("json") {
            serde_json::from_str(&content).unwrap_or(Value::String(content))
        } else {
            Value::String(content)
        };
        if self
            .bundle
            .as_ref()
            .is_some_and(|bundle| bundle.data.contains_key(mime))
        {
            self.publish_bundle(false);
        }
        let wait = if self.cell.has_result {
            WAIT_FOR_END
        } else {
            COLLECT
        };
        let due = Instant::now() + wait;
        let bundle = self.bundle.get_or_insert_with(|| Bundle {
            data: Map::new(),
            due,
        });
        bundle.data.insert(mime.to_owned(), content);
        bundle.due = due;
    }

    /// When the next thing must happen that nothing else will cause.
    fn due(&self) -> Option<Instant> {
        let completing = self.process.as_ref().and_then(|process| process.completing);
        let pending = self.pending.as_ref().map(|pending| pending.due);
        let bundle = self.bundle.as_ref().map(|bundle| bundle.due);
        [completing, pending, bundle].into_iter().flatten().min()
    }

    fn publish_due(&mut self) {
        let now = Instant::now();
        if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.due <= now)
        {
            self.publish_text();
        }
        if self.bundle.as_ref().is_some_and(|bundle| bundle.due <= now) {
            self.publish_bundle(false);
        }
        let completing = self.process.as_ref().and_then(|process| process.completing);
        if completing.is_some_and(|due| due <= now) {
            self.finish_cell();
        }
    }

    fn publish_all(&mut self, at_the_end: bool) {
        self.publish_text();
        self.publish_bundle(at_the_end);
    }

    fn publish_text(&mut self) {
        if let Some(Pending { name, text, .. }) = self.pending.take()
            && !text.is_empty()
        {
            self.show("stream", json!({"name": name, "text": text}));
        }
    }

    fn publish_bundle(&mut self, at_the_end: bool) {
        let Some(Bundle { data, .. }) = self.bundle.take() else {
            return;
        };
        if at_the_end && self.cell.has_result {
            if self.cell.silent {
                return;
            }
            let text = data.get("text/plain").and_then(Value::as_str);
            self.outcome.result = text.map(str::to_owned);
            let number = self.cell.number;
            let content = json!({"execution_count": number, "data": data, "metadata": {}});
            self.show("execute_result", content);
        } else {
            let content = json!({"data": data, "metadata": {}, "transient": {}});
            self.show("display_data", content);
        }
    }

    fn show(&mut self, kind: &str, content: Value) {
        if !self.cell.hidden {
            let message = Message::new(&self.session, kind, &self.cell.parent, content);
            self.push(message);
        }
    }

    fn push(&mut self, message: Message) {
        self.weight += message.weight();
        self.unsent.push_back(message);
    }
}

/// What a panic prints that ends no cell.
pub fn panic_text(panic: &Panic) -> String {
    let Panic {
        thread,
        file,
        line,
        column,
        message,
        ..
    } = panic;
    let thread = if thread.is_empty() { "main" } else { thread };
    format!("thread '{thread}' panicked at {file}:{line}:{column}:\n{message}\n")
}

async fn readable(stream: Option<&UnixStream>) {
    match stream {
        // An error shows again when the stream is read.
        Some(stream) => drop(stream.readable().await),
        None => std::future::pending().await,
    }
}

async fn wait_until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
    }
}

/// Reads what is there, and returns whether the stream has ended.
fn read(stream: &UnixStream, polled: bool, mut take: impl FnMut(&[u8])) -> bool {
    let mut buffer = vec![0; 64 << 10];
    let mut total = 0;
    while total < ONE_TURN {
        let read = if polled {
            stream.try_io(Interest::READABLE, || {
                rustix::io::read(stream.as_fd(), &mut buffer).map_err(Into::into)
            })
        } else {
            // Past tokio, which only knows what it was told when it last looked.
            rustix::io::read(stream.as_fd(), &mut buffer).map_err(std::io::Error::from)
        };
        match read {
            Ok(0) => return true,
            Ok(count) => {
                total += count;
                take(&buffer[..count]);
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }
    false
}

/// Sends a few bytes to a process that always reads them; if it is gone, its end is seen elsewhere.
fn send(stream: &UnixStream, bytes: &[u8]) {
    let _ = rustix::io::write(stream.as_fd(), bytes);
}

/// Puts text together whose characters may be cut.
#[derive(Debug, Default)]
struct Utf8(Vec<u8>);

impl Utf8 {
    fn push(&mut self, bytes: &[u8]) -> String {
        self.0.extend_from_slice(bytes);
        let end = self.0.len() - super::stdout::cut_off(&self.0);
        let text = String::from_utf8_lossy(&self.0[..end]).into_owned();
        self.0.drain(..end);
        text
    }
}
