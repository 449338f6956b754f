//! What a cell shows, as a state machine: bytes and requests go in, messages for Jupyter and
//! [`Effect`]s come out. It has no socket and no clock; output.rs carries both.
//!
//! **What is evcxr's.** A cell can print any line, evcxr's markers among them. Its end is therefore
//! told by the prelude alone; the other markers count only together with what comes with them and
//! cannot be printed by chance: the panic hook's word, or the words on standard error that evcxr's
//! code says just before. All others are the reader's text.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::area::Area;
use super::errors::Report;
use super::side_channel::{Panic, Request, is_mime};
use super::stdout::{Parser, StreamItem};
use super::wire::{Message, now};

/// Text that belongs together is collected for this long.
const COLLECT: Duration = Duration::from_millis(15);
/// … or until there is this much of it.
const MOST_TEXT: usize = 64 << 10;
/// Contents for the end of a cell wait this long for the end to come.
const WAIT_FOR_END: Duration = Duration::from_millis(300);
/// How long the end of a cell waits for its unfinished line.
const LAST_FLUSH: Duration = Duration::from_millis(500);
/// Standard error that comes within this time is taken for one report.
const BURST: Duration = Duration::from_millis(40);

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
    /// Whether a `?` in it, or in a macro of the reader's, can end it.
    pub can_return_early: bool,
    /// Whether nobody is to see the result.
    pub silent: bool,
    /// Whether its client can be asked for a line.
    pub allow_stdin: bool,
    /// The frontend's name for the cell's place in the notebook; none where it doesn't tell.
    pub place: Option<String>,
}

/// What is known of a cell when it is over.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// When the reader's code began to run.
    pub started: Option<String>,
    /// The same by the monotonic clock.
    pub began: Option<std::time::Instant>,
    /// The panic that ended the cell.
    pub panic: Option<Panic>,
    /// What a failed `?` said.
    pub early_return: Option<String>,
    /// Variables that evcxr has lost, since their types were compiled anew.
    pub changed: Vec<String>,
    /// Whether the process ended while the code ran.
    pub died: bool,
    /// Whether the process ended at another time.
    pub lost: bool,
    /// What the process said in its last moments.
    pub last_words: String,
    /// What an interrupted call had reached.
    pub reached: Option<String>,
    /// Whether the code wanted input that nobody can give.
    pub input_refused: bool,
    /// The text of the result.
    pub result: Option<String>,
}

/// A line that the client is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// What to ask.
    pub prompt: String,
    /// Whether the answer is to be hidden.
    pub password: bool,
}

/// What is to be done besides publishing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// A line for evcxr.
    Line(String),
    /// The process is asked for its unfinished line.
    Flush,
    /// The reader's code begins to run.
    Started,
    /// The reader's code has said that it stops.
    Heard,
    /// The client is asked for a line of input.
    Ask(Question),
    /// Who waits for input gets it.
    Input(String),
    /// Who waits for input gets an error.
    TakeInputBack,
    /// From now on there is input again.
    RenewInput,
}

/// The attached process.
#[derive(Debug, Default)]
struct Process {
    parser: Parser,
    err_parser: Utf8,
    /// Flushes that were asked for and not done.
    flushes: usize,
    /// Whether a cell runs in it.
    running: bool,
    /// The end of the cell, held back until its unfinished line is here.
    completing: Option<Instant>,
    /// Whether the kernel may not have heard of a panic.
    deaf: bool,
    input: Input,
}

/// What becomes of standard input.
#[derive(Debug, Default, PartialEq, Eq)]
enum Input {
    #[default]
    Open,
    /// The client is being asked.
    Asked,
    /// Nobody is asked any more.
    TakenBack,
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

/// The state machine.
#[derive(Debug)]
pub struct Screen {
    session: String,
    now: Instant,
    unsent: VecDeque<Message>,
    weight: usize,
    effects: Vec<Effect>,
    cell: Cell,
    outcome: Outcome,
    process: Option<Process>,
    pending: Option<Pending>,
    bundle: Option<Bundle>,
    /// The last report on standard error, and when it went on last.
    burst: (Instant, String),
    /// A panic whose consequences are not known yet.
    panic: Option<Panic>,
    /// Standard error after evcxr's crash handler has spoken.
    crash: Option<String>,
    /// A marker whose meaning the next event decides.
    held: Option<StreamItem>,
    /// The last words of a process that ended between two cells.
    last_words: String,
    /// The output of widgets' closures.
    areas: BTreeMap<String, Area>,
    /// The closures that run: their areas, and whether all that is printed is theirs.
    calls: Vec<(String, bool)>,
    /// The comms that cells have opened, by the cells' places.
    opened: BTreeMap<String, Vec<String>>,
    /// A panic in one of them.
    call_panic: Option<Panic>,
}

impl Screen {
    /// Nothing is shown yet.
    pub fn new(session: String, now: Instant) -> Self {
        Self {
            session,
            now,
            unsent: VecDeque::new(),
            weight: 0,
            effects: Vec::new(),
            cell: Cell::default(),
            outcome: Outcome::default(),
            process: None,
            pending: None,
            bundle: None,
            burst: (now, String::new()),
            panic: None,
            crash: None,
            held: None,
            last_words: String::new(),
            areas: BTreeMap::new(),
            calls: Vec::new(),
            opened: BTreeMap::new(),
            call_panic: None,
        }
    }

    /// Time goes on.
    pub fn at(&mut self, now: Instant) {
        self.now = now;
    }

    /// What is to be done by now, in this order.
    pub fn effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    /// How much memory the unpublished messages take.
    pub fn weight(&self) -> usize {
        self.weight
    }

    /// Whether a message is to be published.
    pub fn has_message(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// The next message to publish.
    pub fn next_message(&mut self) -> Option<Message> {
        let message = self.unsent.pop_front()?;
        self.weight -= message.weight();
        Some(message)
    }

    /// Whether the reader's code runs.
    pub fn is_running(&self) -> bool {
        self.process.as_ref().is_some_and(|process| process.running)
    }

    /// The comms that the cell at this place has opened when it was run before.
    pub fn opened_at(&mut self, place: Option<&String>) -> Vec<String> {
        place
            .and_then(|place| self.opened.remove(place))
            .unwrap_or_default()
    }

    /// A comm whose cell is run again, or was only part of one.
    pub fn close(&mut self, id: &str) {
        self.comm("comm_close", json!({"comm_id": id, "data": {}}), json!({}));
    }

    /// A cell begins.
    pub fn begin(&mut self, cell: Cell) {
        self.publish_all(false);
        self.cell = cell;
        // No closure that takes all output runs beside a cell; what is left is one whose end was not heard.
        self.calls.retain(|(_, captures)| !captures);
        self.outcome = Outcome::default();
        if !self.last_words.is_empty() {
            self.outcome.last_words = std::mem::take(&mut self.last_words);
        }
        self.panic = None;
        self.burst.1.clear();
        if let Some(process) = &mut self.process
            && process.input != Input::Open
        {
            if process.input == Input::Asked {
                self.effects.push(Effect::TakeInputBack);
            }
            process.input = Input::Open;
            self.effects.push(Effect::RenewInput);
        }
    }

    /// A cell is over: what is known of it.
    pub fn end(&mut self) -> Outcome {
        self.release();
        self.tell_of_caught_panic();
        if let Some(text) = self.crash.take() {
            self.print("stderr", &text);
        }
        self.publish_all(true);
        // What a closure opens from now on is no cell's.
        self.cell.place = None;
        std::mem::take(&mut self.outcome)
    }

    /// A message that takes its place among the outputs.
    pub fn publish(&mut self, message: Message) {
        self.publish_all(false);
        self.push(message);
    }

    /// A process is attached.
    pub fn attached(&mut self) {
        self.process = Some(Process {
            running: true,
            ..Process::default()
        });
    }

    /// The process is gone.
    pub fn gone(&mut self) {
        self.release();
        let Some(mut process) = self.process.take() else {
            return;
        };
        if let Some(StreamItem::Text(text)) = process.parser.rest() {
            self.print("stdout", &text);
        }
        self.calls.clear();
        self.outcome.died = process.running;
        self.outcome.lost = !process.running;
        self.outcome.last_words = self
            .crash
            .take()
            .unwrap_or_else(|| std::mem::take(&mut self.burst.1));
        if !process.running {
            self.last_words.clone_from(&self.outcome.last_words);
        }
        self.outcome.panic = self.panic.take().or(self.outcome.panic.take());
    }

    /// The client's answer; none if it cannot be had.
    pub fn answer(&mut self, line: Option<String>) {
        let Some(process) = &mut self.process else {
            return;
        };
        // Taken back meanwhile, it has no reader.
        if process.input == Input::Asked {
            match line {
                Some(line) => {
                    process.input = Input::Open;
                    self.effects.push(Effect::Input(line + "\n"));
                }
                None => self.take_input_back(),
            }
        }
    }

    /// Who waits for input gets an error; until the next cell, whoever asks for it too.
    pub fn take_input_back(&mut self) {
        if let Some(process) = &mut self.process
            && process.input != Input::TakenBack
        {
            process.input = Input::TakenBack;
            self.effects.push(Effect::TakeInputBack);
        }
    }

    /// Something to show or to know.
    pub fn take(&mut self, request: Request) {
        match request {
            Request::Display {
                data,
                metadata,
                id,
                area,
            } => {
                let transient = id.map_or(json!({}), |id| json!({"display_id": id}));
                let content = json!({"data": data, "metadata": metadata, "transient": transient});
                self.publish_all(false);
                self.show_in(area, "display_data", content);
            }
            Request::Update { data, metadata, id } => {
                let of_area = |area: &mut Area| area.replace(&id, &data, &metadata);
                if self.areas.values_mut().any(of_area) {
                    return;
                }
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
            Request::Clear { wait, area } => {
                self.publish_all(false);
                self.show_in(area, "clear_output", json!({"wait": wait}));
            }
            Request::AreaBegin { area, captures } => {
                self.publish_all(false);
                let now = self.now;
                self.areas.entry(area.clone()).or_default().begin(now);
                self.calls.push((area, captures));
            }
            Request::AreaEnd { area, error } => self.end_call(&area, error),
            Request::Comm {
                kind,
                content,
                metadata,
            } => self.comm(kind, content, metadata),
            Request::Panic(panic) if self.is_of_call(&panic) => self.call_panic = Some(panic),
            Request::Interrupted { reached } => {
                self.effects.push(Effect::Heard);
                self.outcome.reached = Some(reached);
            }
            Request::Panic(panic) if panic.thread.is_empty() => self.panic = Some(panic),
            Request::Panic(panic) => self.print("stderr", &panic_text(&panic)),
        }
    }

    /// The area to which all output goes at the moment.
    fn capturing(&self) -> Option<&String> {
        let captures = self.calls.iter().rev().find(|(_, captures)| *captures);
        captures.map(|(area, _)| area)
    }

    /// Whether a widget's closure has panicked, and not the cell beside which it runs.
    fn is_of_call(&self, panic: &Panic) -> bool {
        match panic.thread.as_str() {
            "" => self.calls.last().is_some_and(|(_, captures)| *captures),
            name => !self.calls.is_empty() && name.starts_with("widget "),
        }
    }

    /// A widget's closure is over.
    fn end_call(&mut self, area: &str, error: Option<(String, String)>) {
        match (self.call_panic.take(), &error) {
            // Told below.
            (Some(_), Some((name, _))) if name == "Panic" => {}
            (Some(panic), _) => self.print("stderr", &panic_text(&panic)),
            (None, _) => {}
        }
        self.publish_all(false);
        let call = self.calls.iter().rposition(|(name, _)| name == area);
        call.map(|at| self.calls.remove(at));
        if let Some(shown) = self.areas.get_mut(area) {
            if let Some((name, value)) = error {
                let content = Report::of_closure(&name, &value);
                shown.add("error", &content);
            }
            shown.end();
        }
        self.show_area(area);
    }

    /// Has frontends see what is new in an area.
    fn show_area(&mut self, id: &str) {
        let area = self.areas.get_mut(id);
        if let Some(state) = area.and_then(|area| area.take_changes(self.now)) {
            let data = json!({"method": "update", "state": state, "buffer_paths": []});
            let content = json!({"comm_id": id, "data": data});
            self.comm("comm_msg", content, json!({}));
        }
    }

    /// A message of a comm. Of a state that Jupyter is behind to take, it need not see what is out of date.
    fn comm(&mut self, kind: &'static str, content: Value, metadata: Value) {
        self.publish_all(false);
        if kind == "comm_open"
            && let (Some(place), Some(id)) = (&self.cell.place, content["comm_id"].as_str())
        {
            let opened = self.opened.entry(place.clone()).or_default();
            opened.push(id.to_owned());
        }
        if kind == "comm_close"
            && let Some(id) = content["comm_id"].as_str()
        {
            self.areas.remove(id);
        }
        let is_update = |content: &Value| content["data"]["method"] == "update";
        if kind == "comm_msg" && is_update(&content) {
            // Only into the last word about it: an echo between the two is older than this one.
            let unsent = self
                .unsent
                .iter_mut()
                .rev()
                .find(|message| message.content["comm_id"] == content["comm_id"])
                .filter(|message| message.kind() == kind && is_update(&message.content));
            if let Some(message) = unsent
                && let (Some(old), Some(new)) = (
                    message.content["data"]["state"].as_object().cloned(),
                    content["data"]["state"].as_object(),
                )
            {
                self.weight -= message.weight();
                let state = old.into_iter().chain(new.clone());
                message.content["data"]["state"] = state.collect::<Map<_, _>>().into();
                self.weight += message.weight();
                return;
            }
        }
        let message = Message::new(&self.session, kind, &self.cell.parent, content);
        self.push(Message {
            metadata,
            ..message
        });
    }

    /// Bytes of standard output. All of standard error that was written before them has been taken.
    pub fn out(&mut self, bytes: &[u8]) {
        let Some(process) = &mut self.process else {
            return;
        };
        for piece in process.parser.push(bytes) {
            self.handle(piece);
        }
    }

    fn handle(&mut self, piece: StreamItem) {
        match piece {
            StreamItem::Text(text) => {
                self.release();
                self.print("stdout", &text);
            }
            StreamItem::Content(mime, content) => {
                self.release();
                self.add_content(&mime, content);
            }
            // The panic hook has told of it before.
            StreamItem::Panic if self.panic.is_some() => {
                self.release();
                self.outcome.panic = self.panic.take();
                self.line(&StreamItem::Panic);
            }
            // The reader may have put a hook of their own in its place; or they print this line.
            StreamItem::Panic | StreamItem::Question { .. } => {
                self.release();
                self.held = Some(piece);
                if !cfg!(target_os = "linux")
                    && matches!(self.held, Some(StreamItem::Question { .. }))
                {
                    self.wants_input();
                }
            }
            StreamItem::EarlyReturn if self.cell.can_return_early && !self.burst.1.is_empty() => {
                self.release();
                self.outcome.early_return = Some(self.take_burst());
                self.line(&StreamItem::EarlyReturn);
            }
            StreamItem::ChangedType(ref name) if self.burst.1.contains(&changed_type(name)) => {
                self.release();
                self.hide_loss(name);
                self.outcome.changed.push(name.clone());
                self.line(&piece);
            }
            // evcxr's own, at the end of the prelude.
            StreamItem::Complete if self.cell.hidden => {}
            StreamItem::Complete | StreamItem::EarlyReturn | StreamItem::ChangedType(_) => {
                self.release();
                self.print("stdout", &(piece.line() + "\n"));
            }
        }
    }

    /// A marker that has turned out to be the reader's text.
    fn release(&mut self) {
        if let Some(piece) = self.held.take() {
            self.print("stdout", &(piece.line() + "\n"));
        }
    }

    fn line(&mut self, piece: &StreamItem) {
        self.effects.push(Effect::Line(piece.line()));
    }

    /// Bytes of standard error.
    pub fn err(&mut self, bytes: &[u8]) {
        let Some(process) = &mut self.process else {
            return;
        };
        let text = process.err_parser.push(bytes);
        if !text.is_empty() {
            self.report(&text);
        }
    }

    /// What the prelude tells: a cell starts, a cell ends.
    pub fn told(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let Some(process) = &mut self.process else {
                return;
            };
            match byte {
                b's' => {
                    process.running = true;
                    self.effects.push(Effect::Started);
                    self.outcome.started.get_or_insert_with(now);
                    self.outcome.began.get_or_insert(self.now.into_std());
                }
                b'e' | b'E' => {
                    process.deaf = *byte == b'E';
                    process.completing = Some(self.now + LAST_FLUSH);
                    process.flushes += 1;
                    self.effects.push(Effect::Flush);
                }
                _ => {}
            }
        }
    }

    /// Asks for the unfinished line, unless it is asked for.
    pub fn ask_for_flush(&mut self) {
        if let Some(process) = &mut self.process
            && process.flushes == 0
        {
            process.flushes += 1;
            self.effects.push(Effect::Flush);
        }
    }

    /// What the flushing thread answers. All that was printed before has been taken.
    pub fn flushed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match (byte, &mut self.process) {
                (b'f', Some(process)) => {
                    process.flushes = process.flushes.saturating_sub(1);
                    if process.flushes == 0 && process.completing.is_some() {
                        self.finish_cell();
                    }
                }
                (b'i', Some(_)) => self.wants_input(),
                _ => {}
            }
        }
    }

    /// The code waits for a line of standard input.
    fn wants_input(&mut self) {
        let Some(process) = &mut self.process else {
            return;
        };
        if process.input != Input::Open || !process.running {
            return;
        }
        let question = match self.held.take() {
            Some(StreamItem::Question { prompt, password }) => Question { prompt, password },
            other => {
                self.held = other;
                Question::default()
            }
        };
        if self.cell.allow_stdin {
            process.input = Input::Asked;
            self.publish_all(false);
            self.effects.push(Effect::Ask(question));
        } else {
            self.outcome.input_refused = true;
            self.take_input_back();
        }
    }

    /// Lets evcxr know that the cell is over.
    fn finish_cell(&mut self) {
        let Some(process) = &mut self.process else {
            return;
        };
        process.completing = None;
        process.running = false;
        let (out, err) = (process.parser.rest(), process.err_parser.rest());
        let deaf = process.deaf;
        if let Some(piece) = out {
            self.handle(piece);
        }
        if !err.is_empty() {
            self.report(&err);
        }
        if deaf && self.held == Some(StreamItem::Panic) {
            self.held = None;
            self.outcome.panic = Some(Panic::default());
            self.line(&StreamItem::Panic);
        }
        self.release();
        self.line(&StreamItem::Complete);
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

    /// Takes what the process says on standard error.
    fn report(&mut self, text: &str) {
        if self.now.duration_since(self.burst.0) > BURST {
            self.burst.1.clear();
        }
        self.burst.0 = self.now;
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

    /// Takes back what evcxr's code says of a variable that it has lost: the kernel says it for all at once.
    fn hide_loss(&mut self, variable: &str) {
        if let Some(pending) = &mut self.pending
            && pending.name == "stderr"
        {
            let sentence = changed_type(variable) + ", so was lost.\n";
            pending.text = pending.text.replace(&sentence, "");
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

    fn print(&mut self, name: &'static str, text: &str) {
        if self.cell.hidden && self.capturing().is_none() {
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
            due: self.now + COLLECT,
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
        let due = self.now + wait;
        let bundle = self.bundle.get_or_insert_with(|| Bundle {
            data: Map::new(),
            due,
        });
        bundle.data.insert(mime.to_owned(), content);
        bundle.due = due;
    }

    /// When the next thing must happen that nothing else will cause.
    pub fn due(&self) -> Option<Instant> {
        let completing = self.process.as_ref().and_then(|process| process.completing);
        let pending = self.pending.as_ref().map(|pending| pending.due);
        let bundle = self.bundle.as_ref().map(|bundle| bundle.due);
        let areas = self.areas.values().filter_map(Area::due);
        let others = [completing, pending, bundle].into_iter().flatten();
        others.chain(areas).min()
    }

    /// Does what is due. If a cell ends, all that was printed has been taken.
    pub fn publish_due(&mut self) {
        if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.due <= self.now)
        {
            self.publish_text();
        }
        if self
            .bundle
            .as_ref()
            .is_some_and(|bundle| bundle.due <= self.now)
        {
            self.publish_bundle(false);
        }
        let is_due = |area: &Area| area.due().is_some_and(|due| due <= self.now);
        let due = self.areas.iter().filter(|(_, area)| is_due(area));
        for id in due.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.show_area(&id);
        }
        let completing = self.process.as_ref().and_then(|process| process.completing);
        if completing.is_some_and(|due| due <= self.now) {
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

    /// Shows something in an area, if one is named.
    fn show_in(&mut self, area: Option<String>, kind: &str, content: Value) {
        match area.and_then(|id| self.areas.get_mut(&id)) {
            Some(area) => area.add(kind, &content),
            None => self.show(kind, content),
        }
    }

    fn show(&mut self, kind: &str, content: Value) {
        if let Some(id) = self.capturing().cloned()
            && let Some(area) = self.areas.get_mut(&id)
        {
            return area.add(kind, &content);
        }
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

/// What evcxr's code says on standard error before the marker.
fn changed_type(name: &str) -> String {
    format!("The type of the variable {name} was redefined")
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

    fn rest(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.0)).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::cases;
    use proptest::prelude::*;

    /// What may happen while a cell runs.
    #[derive(Debug, Clone)]
    enum Step {
        Out(String),
        Err(String),
        Show(String),
        Update(String),
        Wait(u64),
        Flush,
        Waits,
        Answer,
        Interrupt,
    }

    fn step() -> impl Strategy<Value = Step> {
        let line = prop_oneof![
            "[a-zß€\\r ]{0,12}\n?",
            Just("EVCXR_EXECUTION_COMPLETE\n".to_owned()),
            Just("EVCXR_PANIC_NOTIFICATION\n".to_owned()),
            Just("EVCXR_ERROR_OCCURRED\n".to_owned()),
            Just("EVCXR_VARIABLE_CHANGED_TYPE:x\n".to_owned()),
            Just("EVCXR_".to_owned()),
        ];
        prop_oneof![
            6 => line.prop_map(Step::Out),
            3 => "[a-zß€]{1,9}\n?".prop_map(Step::Err),
            1 => "[a-z]{3}".prop_map(Step::Show),
            1 => "[a-z]{3}".prop_map(Step::Update),
            1 => (0u64..700).prop_map(Step::Wait),
            1 => Just(Step::Flush),
            1 => Just(Step::Waits),
            1 => Just(Step::Answer),
            1 => Just(Step::Interrupt),
        ]
    }

    struct Bench {
        screen: Screen,
        now: Instant,
        effects: Vec<Effect>,
        published: Vec<Message>,
    }

    impl Bench {
        fn new() -> Self {
            let now = Instant::now();
            let mut screen = Screen::new("s".into(), now);
            screen.attached();
            screen.told(b"e");
            screen.flushed(b"f");
            screen.effects();
            Self {
                screen,
                now,
                effects: Vec::new(),
                published: Vec::new(),
            }
        }

        fn wait(&mut self, milliseconds: u64) {
            self.now += Duration::from_millis(milliseconds);
            self.screen.at(self.now);
            self.screen.publish_due();
            self.look();
        }

        fn look(&mut self) {
            self.effects.extend(self.screen.effects());
            while let Some(message) = self.screen.next_message() {
                self.published.push(message);
            }
        }

        fn begin(&mut self, number: u64, allow_stdin: bool) {
            self.screen.begin(Cell {
                parent: json!({"msg_id": number.to_string()}),
                number,
                allow_stdin,
                ..Cell::default()
            });
            self.screen.told(b"s");
            self.look();
        }

        fn end(&mut self) -> Outcome {
            self.screen.told(b"e");
            // The one that may be under way, and the last.
            self.screen.flushed(b"ff");
            self.look();
            let outcome = self.screen.end();
            self.look();
            outcome
        }

        fn text(&self, name: &str, parent: u64) -> String {
            let parent = parent.to_string();
            self.published
                .iter()
                .filter(|m| m.kind() == "stream" && m.content["name"] == name)
                .filter(|m| m.parent_id() == parent)
                .map(|m| m.content["text"].as_str().unwrap_or_default())
                .collect()
        }

        fn lines(&self) -> Vec<&str> {
            self.effects
                .iter()
                .filter_map(|effect| match effect {
                    Effect::Line(line) => Some(line.as_str()),
                    _ => None,
                })
                .collect()
        }
    }

    proptest! {
        #![proptest_config(cases(400))]

        /// Whatever cells print and in whichever pieces it comes: it is shown whole, in order and
        /// under its own cell, and evcxr hears of the cells' ends and of nothing else.
        #[test]
        fn nothing_is_lost_and_nothing_is_taken_for_evcxrs(
            cells in prop::collection::vec(
                (prop::collection::vec((step(), 1usize..9), 0..25), any::<bool>()), 1..4),
        ) {
            let mut bench = Bench::new();
            for (number, (steps, allow_stdin)) in cells.iter().enumerate() {
                let number = number as u64;
                bench.begin(number, *allow_stdin);
                let (mut out, mut err, mut shown) = (String::new(), String::new(), 0);
                for (step, size) in steps {
                    match step {
                        Step::Out(text) => {
                            out.push_str(text);
                            for part in text.as_bytes().chunks(*size) {
                                bench.screen.out(part);
                            }
                        }
                        Step::Err(text) => {
                            err.push_str(text);
                            for part in text.as_bytes().chunks(*size) {
                                bench.screen.err(part);
                            }
                        }
                        Step::Show(text) => {
                            shown += 1;
                            let data = json!({"text/plain": text});
                            bench.screen.take(Request::Display { data, metadata: json!({}), id: None, area: None });
                        }
                        Step::Update(text) => {
                            let data = json!({"text/plain": text});
                            let id = "x".to_owned();
                            bench.screen.take(Request::Update { data, metadata: json!({}), id });
                        }
                        Step::Wait(milliseconds) => bench.wait(*milliseconds),
                        Step::Flush => {
                            bench.screen.ask_for_flush();
                            bench.screen.flushed(b"f");
                        }
                        Step::Waits => bench.screen.flushed(b"i"),
                        Step::Answer => bench.screen.answer(Some("answer".into())),
                        Step::Interrupt => bench.screen.take_input_back(),
                    }
                    bench.look();
                }
                bench.end();
                prop_assert_eq!(bench.text("stdout", number), out);
                prop_assert_eq!(bench.text("stderr", number), err);
                let displays = bench.published.iter()
                    .filter(|m| m.kind() == "display_data" && m.parent_id() == number.to_string());
                prop_assert_eq!(displays.count(), shown);
                prop_assert_eq!(bench.screen.weight(), 0);
                prop_assert!(bench.screen.due().is_none() && !bench.screen.is_running());
            }
            prop_assert_eq!(bench.lines(), vec!["EVCXR_EXECUTION_COMPLETE"; cells.len()]);
        }

        /// However a process, a client and an interrupt take turns: every question has one answer
        /// at most, no answer comes without a question, and what was taken back is renewed.
        #[test]
        fn input_is_asked_for_and_handed_on_in_turns(
            steps in prop::collection::vec(0u8..6, 0..40), allow_stdin: bool,
        ) {
            let mut bench = Bench::new();
            bench.begin(0, allow_stdin);
            for (number, step) in (1u64..).zip(&steps) {
                match step {
                    0 => bench.screen.flushed(b"i"),
                    1 => bench.screen.answer(Some("yes".into())),
                    2 => bench.screen.answer(None),
                    3 => bench.screen.take_input_back(),
                    4 => { bench.end(); bench.begin(number, allow_stdin); }
                    _ => bench.screen.out(b"EVCXR_INPUT_REQUEST:? \n"),
                }
                bench.look();
            }
            let (mut asked, mut open) = (false, true);
            for effect in &bench.effects {
                match effect {
                    Effect::Ask(_) => {
                        prop_assert!(allow_stdin && open && !asked);
                        asked = true;
                    }
                    Effect::Input(line) => {
                        prop_assert!(asked && line == "yes\n");
                        asked = false;
                    }
                    Effect::TakeInputBack => {
                        prop_assert!(open);
                        (asked, open) = (false, false);
                    }
                    Effect::RenewInput => {
                        prop_assert!(!open);
                        open = true;
                    }
                    _ => {}
                }
            }
        }

        /// No bytes make it panic or hold on to more than they are.
        #[test]
        fn any_bytes_are_borne(
            parts in prop::collection::vec(
                (0u8..4, prop::collection::vec(any::<u8>(), 0..200)), 0..20),
        ) {
            let mut bench = Bench::new();
            bench.begin(0, true);
            for (stream, bytes) in &parts {
                match stream {
                    0 => bench.screen.out(bytes),
                    1 => bench.screen.err(bytes),
                    2 => bench.screen.flushed(bytes),
                    _ => bench.screen.out(b"EVCXR_BEGIN_CONTENT text/html\n"),
                }
            }
            bench.end();
            prop_assert_eq!(bench.screen.weight(), 0);
        }
    }

    fn panic(message: &str) -> Request {
        Request::Panic(Panic {
            message: message.into(),
            ..Panic::default()
        })
    }

    #[test]
    fn a_panic_is_told_when_the_hook_has_spoken_or_cannot_have() {
        let mut bench = Bench::new();
        bench.begin(0, false);
        bench.screen.take(panic("told"));
        bench.screen.out(b"EVCXR_PANIC_NOTIFICATION\n");
        let outcome = bench.end();
        assert_eq!(outcome.panic.unwrap().message, "told");

        bench.begin(1, false);
        bench.screen.out(b"EVCXR_PANIC_NOTIFICATION\n");
        bench.screen.told(b"E");
        bench.screen.flushed(b"f");
        assert!(bench.screen.end().panic.is_some());
        bench.look();
        let (told, over) = ("EVCXR_PANIC_NOTIFICATION", "EVCXR_EXECUTION_COMPLETE");
        assert_eq!(bench.lines(), [told, over, told, over]);
        assert_eq!(bench.text("stdout", 1), "");
    }

    #[test]
    fn a_failed_question_mark_takes_its_words_back() {
        let mut bench = Bench::new();
        bench.screen.begin(Cell {
            can_return_early: true,
            ..Cell::default()
        });
        bench.screen.told(b"s");
        bench.screen.err(b"no such file\n");
        bench.screen.out(b"EVCXR_ERROR_OCCURRED\n");
        let outcome = bench.end();
        assert_eq!(outcome.early_return.as_deref(), Some("no such file"));
        assert!(bench.published.is_empty(), "{:?}", bench.published);
    }

    #[test]
    fn a_process_that_ends_is_told_by_the_time_at_which_it_does() {
        let mut bench = Bench::new();
        bench.begin(0, false);
        bench.screen.err(b"last words");
        bench.screen.gone();
        let outcome = bench.screen.end();
        assert!(outcome.died && !outcome.lost);
        assert_eq!(outcome.last_words, "last words");

        let mut bench = Bench::new();
        bench.screen.err(b"memory allocation of 9 bytes failed");
        bench.screen.gone();
        bench.screen.begin(Cell::default());
        let outcome = bench.screen.end();
        assert!(outcome.last_words.starts_with("memory allocation"));
    }

    #[test]
    fn an_end_without_its_last_flush_comes_all_the_same() {
        let mut bench = Bench::new();
        bench.begin(0, false);
        bench.screen.out(b"half");
        bench.screen.told(b"e");
        bench.look();
        assert!(bench.lines().is_empty());
        bench.wait(600);
        assert_eq!(bench.lines(), ["EVCXR_EXECUTION_COMPLETE"]);
        assert_eq!(bench.text("stdout", 0), "half");
    }
}
