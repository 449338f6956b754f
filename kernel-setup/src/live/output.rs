//! Carries what a cell shows: from the reader's process through [`Screen`], which decides, to Jupyter.
//!
//! One task owns it: it reads what the process prints, takes the requests of the side channel at
//! their place between the prints, and publishes all of it under the header of the cell that runs.
//! It never waits for Jupyter. When too much is unsent it reads no more, so that the reader's process
//! waits instead of the kernel's memory growing.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::comms::Comms;
use super::interrupt::Interrupts;
use super::screen::{Cell, Effect, Outcome, Question, Screen};
use super::side_channel::{Request, Stream, StreamKind};
use super::wire::Message;

/// Unfinished lines are asked for this often while a cell runs.
const BETWEEN_FLUSHES: Duration = Duration::from_millis(50);
/// Above this, nothing more is read until Jupyter has taken something.
const MOST_UNSENT: usize = 48 << 20;
/// As much is read from one stream before others get their turn.
const ONE_TURN: usize = 1 << 20;

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
    /// The line that the client was asked for; none if it gives none.
    Answer(Option<String>),
}

/// The sockets of the attached process. A cell may close those of its output; it is gone when the
/// prelude's own end.
#[derive(Debug)]
struct Process {
    id: u32,
    out: Option<UnixStream>,
    err: Option<UnixStream>,
    lines: UnixStream,
    flush: Option<UnixStream>,
    input: Option<Arc<UnixStream>>,
    /// The answer that is being handed on.
    answer: Option<JoinHandle<()>>,
}

impl Drop for Process {
    fn drop(&mut self) {
        self.close_input();
    }
}

impl Process {
    fn close_input(&mut self) {
        if let Some(answer) = self.answer.take() {
            answer.abort();
        }
        self.input = None;
    }
}

/// The task.
#[derive(Debug)]
pub struct Output {
    iopub: mpsc::Sender<Message>,
    questions: mpsc::Sender<Question>,
    interrupts: Arc<Interrupts>,
    comms: Arc<Comms>,
    screen: Screen,
    process: Option<Process>,
    waiting: HashMap<(u32, StreamKind), UnixStream>,
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
    /// Publishes through `iopub`, whose capacity should be small; what the reader's code asks the
    /// client goes to `questions`.
    pub fn new(
        session: String,
        iopub: mpsc::Sender<Message>,
        questions: mpsc::Sender<Question>,
        interrupts: Arc<Interrupts>,
        comms: Arc<Comms>,
    ) -> Self {
        Self {
            iopub,
            questions,
            interrupts,
            comms,
            screen: Screen::new(session, Instant::now()),
            process: None,
            waiting: HashMap::new(),
        }
    }

    /// Runs until all who could tell it something are gone.
    pub async fn run(mut self, mut inputs: Inputs) {
        let mut flush = interval(BETWEEN_FLUSHES);
        flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let iopub = self.iopub.clone();
        loop {
            let room = self.screen.weight() < MOST_UNSENT;
            let process = self.process.as_ref();
            let due = self.screen.due();
            let next = tokio::select! {
                biased;
                permit = iopub.reserve(), if self.screen.has_message() => Next::Send(permit.ok()),
                command = inputs.commands.recv() => Next::Command(command),
                Some(stream) = inputs.streams.recv() => Next::Stream(stream),
                Some((request, done)) = inputs.updates.recv() => Next::Update(request, done),
                Some((request, done)) = inputs.requests.recv(), if room => {
                    Next::Request(request, done)
                }
                () = readable(process.and_then(|p| p.err.as_ref())), if room => Next::Err,
                () = readable(process.and_then(|p| p.out.as_ref())), if room => Next::Out,
                () = readable(process.map(|p| &p.lines)) => Next::Lines,
                () = readable(process.and_then(|p| p.flush.as_ref())) => Next::Flushed,
                _ = flush.tick(), if self.screen.is_running() => Next::Flush,
                () = wait_until(due) => Next::Due,
            };
            self.screen.at(Instant::now());
            match next {
                Next::Send(None) | Next::Command(None) => return,
                Next::Send(Some(permit)) => {
                    if let Some(message) = self.screen.next_message() {
                        self.comms.published(&message);
                        permit.send(message);
                    }
                }
                Next::Command(Some(command)) => self.obey(command),
                Next::Stream(stream) => self.attach(stream),
                Next::Update(request, done) => {
                    if matches!(&request, Request::Panic(panic) if !panic.thread.is_empty()) {
                        self.read_err(false);
                    }
                    self.screen.take(request);
                    let _ = done.send(());
                }
                Next::Request(request, done) => {
                    // Whatever was printed before the request was sent is here to be read.
                    self.read_all();
                    self.screen.take(request);
                    let _ = done.send(());
                }
                Next::Err => self.read_err(true),
                Next::Out => self.read_out(true),
                Next::Lines => self.read_lines(true),
                Next::Flushed => self.read_flush(),
                Next::Flush => {
                    if self.interrupts.is_wanted() {
                        self.screen.take_input_back();
                    }
                    self.screen.ask_for_flush();
                }
                Next::Due => {
                    self.read_all();
                    self.screen.publish_due();
                }
            }
            self.act();
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Begin(cell) => {
                let opened = self.screen.opened_at(cell.place.as_ref());
                self.screen.begin(cell);
                // A cell that is run again makes its widgets anew, and its old ones would work on unseen.
                for id in self.comms.with_their_parts(&opened) {
                    self.screen.close(&id);
                }
            }
            Command::End(done) => {
                self.read_all();
                self.read_lines(false);
                let _ = done.send(self.screen.end());
            }
            Command::Publish(message) => self.screen.publish(message),
            Command::Show(request) => self.screen.take(request),
            Command::Answer(line) => self.screen.answer(line),
        }
    }

    /// Does what the state machine wants done.
    fn act(&mut self) {
        for effect in self.screen.effects() {
            match (effect, &mut self.process) {
                (Effect::Started, _) => self.interrupts.started(),
                (Effect::Heard, _) => self.interrupts.heard(),
                // The kernel asks one at a time, so that there is room.
                (Effect::Ask(question), _) => drop(self.questions.try_send(question)),
                (Effect::Line(line), Some(process)) => {
                    send(&process.lines, format!("{line}\n").as_bytes());
                }
                (Effect::Flush, Some(process)) => {
                    if let Some(flush) = &process.flush {
                        send(flush, b"f");
                    }
                }
                (Effect::RenewInput, Some(process)) => {
                    if let Some(flush) = &process.flush {
                        send(flush, b"r");
                    }
                }
                (Effect::TakeInputBack, Some(process)) => process.close_input(),
                (Effect::Input(line), Some(process)) => {
                    if let Some(input) = process.input.clone() {
                        process.answer = Some(tokio::spawn(hand_on(input, line)));
                    }
                }
                (_, None) => {}
            }
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
        use StreamKind::{Err, Flush, In, Lines, Out};
        if kind == In
            && let Some(attached) = &mut self.process
            && attached.id == process
        {
            attached.close_input();
            attached.input = Some(Arc::new(stream));
            return;
        }
        self.waiting.insert((process, kind), stream);
        if [Out, Err, Lines, Flush]
            .iter()
            .any(|&k| !self.waiting.contains_key(&(process, k)))
        {
            return;
        }
        let mut take = |kind| self.waiting.remove(&(process, kind));
        let (out, err, lines, flush) = (take(Out), take(Err), take(Lines), take(Flush));
        let input = take(In).map(Arc::new);
        let Some(lines) = lines else {
            return;
        };
        self.waiting.clear();
        send(&lines, b"+");
        self.interrupts.attached(process);
        self.screen.attached();
        self.process = Some(Process {
            id: process,
            out,
            err,
            lines,
            flush,
            input,
            answer: None,
        });
    }

    /// Takes all that is printed by now.
    fn read_all(&mut self) {
        self.read_out(false);
        self.read_err(false);
    }

    /// Reads standard output; with `polled` only what is announced, else whatever is there.
    fn read_out(&mut self, polled: bool) {
        let Some(Process { out: Some(out), .. }) = &self.process else {
            return;
        };
        let mut bytes = Vec::new();
        let ended = read(out, polled, |part| bytes.extend_from_slice(part));
        // What standard error said before a marker explains it.
        self.read_err(false);
        self.screen.out(&bytes);
        if ended && let Some(process) = &mut self.process {
            process.out = None;
        }
    }

    fn read_err(&mut self, polled: bool) {
        let Some(Process { err: Some(err), .. }) = &self.process else {
            return;
        };
        let mut bytes = Vec::new();
        let ended = read(err, polled, |part| bytes.extend_from_slice(part));
        self.screen.err(&bytes);
        if ended && let Some(process) = &mut self.process {
            process.err = None;
        }
    }

    fn read_lines(&mut self, polled: bool) {
        let Some(process) = &self.process else {
            return;
        };
        let mut bytes = Vec::new();
        let ended = read(&process.lines, polled, |part| bytes.extend_from_slice(part));
        if ended {
            self.read_all();
            self.screen.told(&bytes);
            self.screen.gone();
            if let Some(process) = self.process.take() {
                self.interrupts.detached(process.id);
            }
        } else {
            self.screen.told(&bytes);
        }
    }

    fn read_flush(&mut self) {
        let Some(Process {
            flush: Some(flush), ..
        }) = &self.process
        else {
            return;
        };
        let mut bytes = Vec::new();
        let ended = read(flush, true, |part| bytes.extend_from_slice(part));
        self.read_all();
        self.screen.flushed(&bytes);
        if ended && let Some(process) = &mut self.process {
            process.flush = None;
        }
    }
}

/// Writes a line to whoever reads standard input, as soon as there is room.
async fn hand_on(input: Arc<UnixStream>, line: String) {
    let mut rest = line.as_bytes();
    while !rest.is_empty() && input.writable().await.is_ok() {
        match input.try_write(rest) {
            Ok(count) => rest = &rest[count..],
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
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
