//! The kernel that Jupyter talks to: answers what it can, and has evcxr evaluate the cells.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use tokio::sync::{Mutex, Notify, mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::analysis::{Analyst, Variable};
use super::commands::{self, Wanted};
use super::comms::{Comms, Turns};
use super::completeness;
use super::errors::{Facts, Report, Sources, crash, report};
use super::evcxr::{Evcxr, Event, Exchange, Gone};
use super::hints;
use super::history::History;
use super::implementations::{Implementations, Placed};
use super::info::kernel_info;
use super::interrupt::{Interrupts, When, kill};
use super::jupyter_sockets::{Channel, Replies};
use super::kept::Kept;
use super::life::{Life, MOST_STARTS, Next, Process, Turn};
use super::misfits::{Definers, Misfit, ROUNDS, defined, is_about_variables, misfits};
use super::output::Command;
use super::redefinition::{Change, Definitions, variables as made_by};
use super::screen::{Cell, Outcome, Question};
use super::side_channel::{PRELUDE, Request};
use super::variables::{self, Order, Outdated, Variables, Why};
use super::wire::Message;
use crate::preparation::Readiness;

/// How long the first request waits for somebody to subscribe to its effects.
const WAIT_FOR_SUBSCRIBER: Duration = Duration::from_secs(3);
/// A list of compiled crates is shown if it takes longer than this.
const LONG_COMPILATION: Duration = Duration::from_secs(2);

/// How often it is looked how far the preparation is.
const BETWEEN_LOOKS: Duration = Duration::from_millis(500);

/// What all parts of the kernel share.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The identifier of this session.
    pub session: String,
    /// The way to the output task.
    pub output: mpsc::Sender<Command>,
    /// The cell that runs.
    pub interrupts: Arc<Interrupts>,
    /// The folder of the side channel.
    pub folder: PathBuf,
    /// Told when the kernel shall end.
    pub shutdown: Arc<Notify>,
    /// The widgets' comms.
    pub comms: Arc<Comms>,
    /// Whose code runs.
    pub turns: Arc<Turns>,
    /// The header of the request that the shell channel is busy with.
    busy: Arc<Mutex<Option<Value>>>,
}

impl Shared {
    /// What the parts share at the beginning.
    pub fn new(
        session: String,
        output: mpsc::Sender<Command>,
        interrupts: Arc<Interrupts>,
        folder: PathBuf,
    ) -> Self {
        Self {
            session,
            output,
            interrupts,
            folder,
            shutdown: Arc::default(),
            comms: Arc::default(),
            turns: Arc::default(),
            busy: Arc::default(),
        }
    }

    /// Publishes a message at its place among the outputs.
    pub async fn publish(&self, kind: &str, parent: &Value, content: Value) {
        self.pass_on(Message::new(&self.session, kind, parent, content))
            .await;
    }

    async fn pass_on(&self, message: Message) {
        self.tell(Command::Publish(message)).await;
    }

    /// Has the output task do something.
    pub async fn tell(&self, command: Command) {
        // The output task ends with the kernel and not before.
        let _ = self.output.send(command).await;
    }

    /// Tells that a request is worked on, beside a cell maybe, and all that comes of it. Frontends keep one
    /// state for the whole kernel, so they hear again of the cell that goes on.
    pub async fn answer_beside_cells(&self, request: &Message, published: Vec<(&str, Value)>) {
        let busy = self.busy.lock().await;
        self.state(&request.header, "busy").await;
        for (kind, content) in published {
            self.publish(kind, &request.header, content).await;
        }
        self.state(&request.header, "idle").await;
        if let Some(cell) = &*busy {
            self.state(cell, "busy").await;
        }
    }

    /// The state of a request on the shell channel.
    async fn shell_state(&self, parent: &Value, state: &str) {
        let mut busy = self.busy.lock().await;
        *busy = (state == "busy").then(|| parent.clone());
        self.state(parent, state).await;
    }

    /// Publishes a state.
    pub async fn state(&self, parent: &Value, state: &str) {
        self.publish("status", parent, json!({"execution_state": state}))
            .await;
    }
}

/// Answers the control channel, whatever the shell channel is doing.
pub async fn control(
    shared: Shared,
    mut replies: Replies,
    mut requests: mpsc::UnboundedReceiver<Message>,
) {
    while let Some(request) = requests.recv().await {
        shared.state(&request.header, "busy").await;
        let content = match request.kind() {
            "kernel_info_request" => Some(kernel_info()),
            "interrupt_request" => {
                shared.interrupts.interrupt(When::of(&request));
                Some(json!({"status": "ok"}))
            }
            "shutdown_request" => {
                let restart = request.content["restart"].as_bool() == Some(true);
                Some(json!({"status": "ok", "restart": restart}))
            }
            other => {
                eprintln!("requests of the type {other:?} are unknown on the control channel");
                None
            }
        };
        if let Some(content) = content {
            replies
                .send(Channel::Control, &request.reply(&shared.session, content))
                .await;
        }
        shared.state(&request.header, "idle").await;
        if request.kind() == "shutdown_request" {
            shared.shutdown.notify_one();
        }
    }
}

/// A start of evcxr, with the folder in which it compiles.
pub type Starting = JoinHandle<Result<(Evcxr, PathBuf)>>;

/// What the kernel needs to have an evcxr.
pub struct Backing {
    /// Looks whether one can be started.
    pub look: Box<dyn Fn() -> Readiness + Send>,
    /// Starts one.
    pub start: Box<dyn Fn() -> Starting + Send>,
}

/// evcxr, which takes seconds to start, and minutes to be made.
enum Backend {
    Unprepared,
    Starting(Starting),
    Ready(Box<Evcxr>),
}

/// The shell channel and what belongs to it.
pub struct Kernel {
    shared: Shared,
    replies: Replies,
    stdin: mpsc::UnboundedReceiver<Message>,
    /// What the reader's code asks the client.
    questions: mpsc::Receiver<Question>,
    backing: Backing,
    life: Life,
    backend: Backend,
    /// Where evcxr compiles.
    build: PathBuf,
    number: u64,
    history: History,
    sources: Sources,
    definitions: Definitions,
    implementations: Implementations,
    definers: Definers,
    variables: Variables,
    analyst: Analyst,
    /// Whether a cell may have changed the variables since they were last listed.
    unlisted: bool,
    /// Compiled dependencies.
    kept: Kept,
}

impl Kernel {
    /// A kernel whose evcxr is started as soon as it can be, and whenever it has ended.
    pub fn new(
        shared: Shared,
        replies: Replies,
        stdin: mpsc::UnboundedReceiver<Message>,
        questions: mpsc::Receiver<Question>,
        backing: Backing,
        analyst: Analyst,
        kept: Kept,
    ) -> Self {
        let backend = match (backing.look)() {
            Readiness::Ready => Backend::Starting((backing.start)()),
            _ => Backend::Unprepared,
        };
        Self {
            shared,
            replies,
            stdin,
            questions,
            backend,
            backing,
            life: Life::begun(),
            build: PathBuf::new(),
            number: 0,
            history: History::default(),
            sources: Sources::default(),
            definitions: Definitions::default(),
            implementations: Implementations::default(),
            definers: Definers::default(),
            variables: Variables::default(),
            analyst,
            unlisted: false,
            kept,
        }
    }

    /// Answers the shell channel.
    ///
    /// # Errors
    /// If evcxr cannot be started.
    pub async fn serve(
        mut self,
        mut requests: mpsc::UnboundedReceiver<Message>,
        mut subscribed: watch::Receiver<bool>,
    ) -> Result<()> {
        self.shared
            .publish(
                "status",
                &Value::Null,
                json!({"execution_state": "starting"}),
            )
            .await;
        let mut first = true;
        loop {
            let request = tokio::select! {
                request = requests.recv() => request.context("the shell channel is closed")?,
                event = self.event() => {
                    self.on_event(event?).await?;
                    continue;
                }
            };
            if std::mem::take(&mut first) {
                // Some clients ask before they listen, and then wait for what they have missed.
                let wait = subscribed.wait_for(|yes| *yes);
                let _ = tokio::time::timeout(WAIT_FOR_SUBSCRIBER, wait).await;
            }
            let failed = self.handle(&request).await?;
            if failed && request.content["stop_on_error"].as_bool() != Some(false) {
                // "Run all" has sent the cells behind this one already.
                while let Ok(request) = requests.try_recv() {
                    if request.kind() == "execute_request" {
                        self.abort(&request).await;
                    } else {
                        self.handle(&request).await?;
                    }
                }
            }
            if matches!(self.backend, Backend::Ready(_)) {
                self.attach_or_revive().await?;
                // No cell waits for it.
                if requests.is_empty() && std::mem::take(&mut self.unlisted) {
                    self.list_variables().await?;
                }
            }
        }
    }

    /// Tells the analyst of the variables.
    async fn list_variables(&mut self) -> Result<()> {
        let listed = match self.listed().await {
            Ok(listed) => listed,
            Err(error) => return self.without_answer(error),
        };
        let values = variables::values(&self.shared.folder);
        let known = variables::types(&listed)
            .into_iter()
            .map(|(name, ty)| Variable {
                value: values.get(&name).cloned(),
                cell: self.variables.cell(&name),
                shown: commands::short(&ty),
                name,
                ty,
            });
        self.analyst.variables(known.collect());
        Ok(())
    }

    /// Waits for something to happen in evcxr; while it starts, for its start.
    async fn event(&mut self) -> Result<Option<Event>> {
        while matches!(self.backend, Backend::Unprepared) {
            tokio::time::sleep(BETWEEN_LOOKS).await;
            self.start_if_prepared();
        }
        match &mut self.backend {
            Backend::Unprepared => bail!("evcxr_jupyter has not started"),
            Backend::Ready(evcxr) => {
                Ok(Some(evcxr.event().await.unwrap_or_else(|| {
                    Event::Ended("it cannot be heard any more".to_owned())
                })))
            }
            Backend::Starting(starting) => {
                let (evcxr, build) = starting.await??;
                self.build = build;
                self.analyst.crates(&self.build);
                self.backend = Backend::Ready(Box::new(evcxr));
                Ok(None)
            }
        }
    }

    /// Starts evcxr if there is one now; says what stands in the way otherwise.
    fn start_if_prepared(&mut self) -> Readiness {
        let readiness = (self.backing.look)();
        if readiness == Readiness::Ready && matches!(self.backend, Backend::Unprepared) {
            self.backend = Backend::Starting((self.backing.start)());
        }
        readiness
    }

    async fn on_event(&mut self, event: Option<Event>) -> Result<()> {
        match event {
            None => self.attach_or_revive().await?,
            Some(Event::Ended(why)) => {
                self.ended_between_cells(&why)?;
            }
            Some(Event::Published(message)) if message.kind().starts_with("comm_") => {
                let message = Message::new(
                    &self.shared.session,
                    message.kind(),
                    &Value::Null,
                    message.content.clone(),
                );
                self.shared.pass_on(message).await;
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// The running evcxr.
    async fn evcxr(&mut self) -> Result<&mut Evcxr> {
        if !matches!(self.backend, Backend::Ready(_)) {
            self.event().await?;
        }
        match &mut self.backend {
            Backend::Ready(evcxr) => Ok(evcxr),
            _ => bail!("evcxr_jupyter has not started"),
        }
    }

    /// Starts evcxr anew; the next cell tells why, as it is returned.
    ///
    /// # Errors
    /// If it has ended several times before it ran a cell.
    fn ended_between_cells(&mut self, why: &str) -> Result<Report> {
        let report = Report::without_evcxr(why, true);
        let next = self.life.ended(Some(report.clone()));
        self.revive(why, next)?;
        Ok(report)
    }

    /// Starts evcxr anew, if that is what is decided.
    ///
    /// # Errors
    /// If it is given up.
    fn revive(&mut self, why: &str, next: Next) -> Result<()> {
        eprintln!("evcxr_jupyter has ended ({why}) and is started again");
        if next == Next::GiveUp {
            bail!("evcxr_jupyter has ended {MOST_STARTS} times: {why}");
        }
        self.shared.interrupts.evcxr(None);
        if let Some(process) = self.shared.interrupts.process() {
            kill(process);
            self.shared.interrupts.detached(process);
        }
        self.definitions = Definitions::default();
        self.implementations = Implementations::default();
        self.definers = Definers::default();
        self.variables = Variables::default();
        self.analyst.forget();
        self.kept.restart();
        self.backend = Backend::Starting((self.backing.start)());
        Ok(())
    }

    /// Attaches the reader's process; an evcxr that is gone is started again, and the next cell
    /// tells of it.
    async fn attach_or_revive(&mut self) -> Result<()> {
        match self.attach().await {
            Err(error) => {
                let Gone(why) = error.downcast()?;
                self.ended_between_cells(&why).map(drop)
            }
            Ok(()) => Ok(()),
        }
    }

    /// Attaches the reader's process to the side channel, if it is a new one.
    async fn attach(&mut self) -> Result<()> {
        // evcxr hears of the end of a process when it sends something, and only then has another.
        for _ in 0..2 {
            let process = self.life.look(self.shared.interrupts.process().is_some());
            if process == Process::There {
                break;
            }
            let shared = self.shared.clone();
            shared
                .tell(Command::Begin(Cell {
                    hidden: true,
                    ..Cell::default()
                }))
                .await;
            let content = json!({"code": PRELUDE, "silent": true, "allow_stdin": false});
            let exchange = self
                .evcxr()
                .await?
                .exchange("execute_request", content, async |_, _| {})
                .await;
            let outcome = end_of_cell(&shared).await;
            let exchange = exchange?;
            if process == Process::Lost {
                let report = crash(&exchange.published, &outcome, "between two cells, ");
                self.life.lost(report);
                let cell = self.number;
                self.variables.all_gone(&Why::Ended { cell });
            } else if shared.interrupts.process().is_none() {
                for error in &exchange.published {
                    eprintln!("the live kernel cannot attach: {}", error.content["evalue"]);
                }
            }
        }
        self.life
            .attached(self.shared.interrupts.process().is_some());
        Ok(())
    }

    /// Answers one request; returns whether it was a cell that failed.
    async fn handle(&mut self, request: &Message) -> Result<bool> {
        let shared = self.shared.clone();
        shared.shell_state(&request.header, "busy").await;
        let content = match request.kind() {
            "execute_request" => {
                let failed = self.execute(request).await?;
                shared.shell_state(&request.header, "idle").await;
                return Ok(failed);
            }
            "kernel_info_request" => Some(kernel_info()),
            "is_complete_request" => Some(completeness::reply(
                request.content["code"].as_str().unwrap_or_default(),
            )),
            "history_request" => Some(self.history.reply(&request.content)),
            // evcxr's own; widgets' are answered in comms.rs.
            "comm_open" if !matches!(self.backend, Backend::Unprepared) => {
                let content = request.content.clone();
                let asked = self
                    .evcxr()
                    .await?
                    .exchange("comm_open", content, async |_, _| {})
                    .await;
                if let Err(error) = asked {
                    self.without_answer(error)?;
                }
                None
            }
            "shutdown_request" => {
                shared.shutdown.notify_one();
                let restart = request.content["restart"].as_bool() == Some(true);
                Some(json!({"status": "ok", "restart": restart}))
            }
            other => {
                eprintln!("requests of the type {other:?} are unknown on the shell channel");
                None
            }
        };
        if let Some(content) = content {
            self.replies
                .send(Channel::Shell, &request.reply(&shared.session, content))
                .await;
        }
        shared.shell_state(&request.header, "idle").await;
        Ok(false)
    }

    /// Starts evcxr anew if it has ended over a question.
    fn without_answer(&mut self, error: anyhow::Error) -> Result<()> {
        let Gone(why) = error.downcast()?;
        self.ended_between_cells(&why).map(drop)
    }

    /// Tells a client that its cell is not run, since one before it has failed.
    async fn abort(&mut self, request: &Message) {
        self.shared.shell_state(&request.header, "busy").await;
        let content = json!({"status": "aborted", "execution_count": self.number});
        self.replies
            .send(
                Channel::Shell,
                &request.reply(&self.shared.session, content),
            )
            .await;
        self.shared.shell_state(&request.header, "idle").await;
    }

    /// Runs a cell, and answers whatever becomes of it; returns whether it has failed.
    async fn execute(&mut self, request: &Message) -> Result<bool> {
        let shared = self.shared.clone();
        let code = request.content["code"].as_str().unwrap_or_default();
        let silent = request.content["silent"].as_bool() == Some(true);
        let store = !silent && request.content["store_history"].as_bool() != Some(false);
        if store {
            self.number += 1;
        }
        let number = self.number;
        if !silent {
            let content = json!({"code": code, "execution_count": number});
            shared
                .publish("execute_input", &request.header, content)
                .await;
        }
        self.sources.add(number, code);
        let turn = shared.turns.of_cell().await;
        shared.interrupts.begin(When::of(request));
        let ran = self.run(request, code, silent).await;
        shared.interrupts.end();
        drop(turn);
        let (ran, fatal) = match ran {
            Ok(ran) => (ran, None),
            Err(error) => {
                end_of_cell(&shared).await;
                let (report, fatal) = match error.downcast() {
                    Ok(Gone(why)) => {
                        let next = self.life.ended(None);
                        let fatal = self.revive(&why, next).err();
                        (Report::without_evcxr(&why, false), fatal)
                    }
                    Err(error) => {
                        let why = format!("the kernel cannot start: {error:#}");
                        (Report::new("Error", why), Some(error))
                    }
                };
                (Ran::refused(report), fatal)
            }
        };
        if store {
            self.history.add(number, code, ran.result);
        }
        let content = match &ran.report {
            None => json!({
                "status": "ok",
                "execution_count": number,
                "payload": [],
                "user_expressions": {},
            }),
            Some(report) => {
                shared
                    .publish("error", &request.header, report.content())
                    .await;
                let mut content = report.content();
                content["status"] = "error".into();
                content["execution_count"] = number.into();
                content
            }
        };
        let mut reply = request.reply(&shared.session, content);
        if let Some(started) = ran.started {
            reply.metadata["started"] = started.into();
        }
        self.replies.send(Channel::Shell, &reply).await;
        if let Some(error) = fatal {
            shared.shell_state(&request.header, "idle").await;
            return Err(error);
        }
        Ok(ran.report.is_some())
    }

    /// Runs a cell as far as it can be run.
    ///
    /// # Errors
    /// If evcxr cannot be started ([`Gone`] if it has ended meanwhile).
    async fn run(&mut self, request: &Message, code: &str, silent: bool) -> Result<Ran> {
        let (shared, number) = (self.shared.clone(), self.number);
        if let Some(problem) = completeness::unbalanced(code) {
            return Ok(Ran::refused(Report::unbalanced(
                number,
                &problem,
                &self.sources,
            )));
        }
        if let Some((said, line)) = hints::closure(code) {
            return Ok(Ran::refused(self.sources.refuse(number, &said, line)));
        }
        if let Some(report) = self.wait_for_evcxr(request, silent).await? {
            return Ok(Ran::refused(report));
        }
        if !shared.interrupts.is_wanted() {
            self.attach().await?;
        }
        match self.life.turn(shared.interrupts.is_wanted()) {
            Turn::Runs => {}
            Turn::TakenBack { untold } => {
                let rest = match untold {
                    true => "What was lost before it, the next one tells.",
                    false => "All variables are kept.",
                };
                let why = format!("the cell was taken back before it began. {rest}");
                return Ok(Ran::refused(Report::new("Interrupted", why)));
            }
            Turn::Refused(report) => return Ok(Ran::refused(report)),
        }
        let since = Instant::now();
        let wanted = Wanted::of(code);
        let code = &*completeness::without_empty_result(wanted.for_evcxr());
        let cell = Cell {
            parent: request.header.clone(),
            number,
            hidden: false,
            has_result: completeness::has_result(code),
            can_return_early: completeness::can_return_early(code),
            silent,
            allow_stdin: request.content["allow_stdin"].as_bool() == Some(true),
            place: request.metadata["cellId"].as_str().map(str::to_owned),
        };
        let depends = self.kept.before(code, &self.build).await;
        shared.tell(Command::Begin(cell)).await;
        let (mut placed, mut implementations) = self.implementations.place(code, &[]);
        let mut exchange = self.evaluate(request, &placed.code).await?;
        if exchange.reply["status"] != "ok"
            && let Some(fitting) = self
                .without_misfits(request, code, &placed, &exchange)
                .await?
        {
            (placed, implementations, exchange) = fitting;
        }
        let ended = Instant::now();
        if depends && exchange.reply["status"] == "ok" {
            self.kept.after(&self.build);
        }
        if exchange.reply["status"] == "ok" {
            if self.adds_crate(code) {
                // evcxr notices what that has cost at the next thing that it runs; better at once.
                self.exchange(request, "();").await?;
            }
            if wanted.vars && !shared.interrupts.is_wanted() {
                self.list(request).await?;
            }
        }
        let stopped = shared.interrupts.end();
        let outcome = end_of_cell(&shared).await;
        // A command may have restarted it on purpose.
        self.life.ran(shared.interrupts.process().is_some());
        self.note_variables(&placed.code, &exchange, &outcome);
        if exchange.reply["status"] == "ok" {
            self.implementations = implementations;
            let mut names = defined(&placed.code);
            names.retain(|name| !self.definers.is_aside_since(name, number));
            let names = names.into_iter();
            let called = names.map(|name| (name.clone(), self.implementations.called(&name)));
            self.definers.defined(called.collect(), number);
        }
        if !outcome.changed.is_empty() {
            let text = self.variables.note_recompiled(&outcome.changed);
            let content = json!({"name": "stderr", "text": text});
            shared.publish("stream", &request.header, content).await;
            for name in &outcome.changed {
                self.variables.gone(name, Why::Recompiled { cell: number });
            }
        }
        let (errors, others): (Vec<Message>, Vec<Message>) = exchange
            .published
            .into_iter()
            .partition(|message| message.kind() == "error");
        let mut result = outcome.result.clone();
        for message in others {
            let kind = message.kind().to_owned();
            let mut content = message.content;
            if kind == "execute_result" {
                content["execution_count"] = number.into();
                result = content["data"]["text/plain"].as_str().map(str::to_owned);
            }
            shared.publish(&kind, &request.header, content).await;
        }
        if wanted.time && exchange.reply["status"] == "ok" {
            let running = outcome
                .began
                .map(|began| ended.saturating_duration_since(began));
            let text = commands::time(ended.saturating_duration_since(since), running);
            let content = json!({"name": "stdout", "text": text});
            shared.publish("stream", &request.header, content).await;
        }
        let imports = match exchange.reply["status"] == "ok" || outcome.started.is_some() {
            true => Vec::new(),
            false => self.imports().await?,
        };
        let generated = self.generated();
        let report = report(&Facts {
            outcome: &outcome,
            stopped,
            failed: exchange.reply["status"] != "ok",
            errors: &errors,
            number,
            evcxr_number: exchange.reply["execution_count"].as_u64().unwrap_or(0),
            generated: &generated,
            added: placed.added,
            definers: &self.definers,
            sources: &self.sources,
            imports: &imports,
            variables: &self.variables,
        });
        Ok(Ran {
            report,
            started: outcome.started,
            result,
        })
    }

    /// Waits until evcxr is there or the cell is interrupted; returns why it will not come by itself.
    /// While it is still being made, a line below the cell says how far that is.
    async fn wait_for_evcxr(&mut self, request: &Message, silent: bool) -> Result<Option<Report>> {
        let shared = self.shared.clone();
        let mut line = Waiting::default();
        let mut refused = None;
        while matches!(self.backend, Backend::Unprepared) && !shared.interrupts.is_wanted() {
            match self.start_if_prepared() {
                Readiness::Ready => break,
                Readiness::Missing(why) => {
                    refused = Some(Report::new("NotInstalled", why));
                    break;
                }
                Readiness::Working(status) if !silent => {
                    let text = format!(
                        "Rust is not ready yet: {}.\nThis cell runs by itself when it is.",
                        status.line()
                    );
                    line.show(&shared, request, text).await;
                }
                Readiness::Working(_) => {}
            }
            tokio::select! {
                () = shared.interrupts.wanted() => {}
                () = tokio::time::sleep(BETWEEN_LOOKS) => {}
            }
        }
        if refused.is_none() {
            if line.is_shown() {
                line.show(&shared, request, "Rust starts.".to_owned()).await;
            }
            tokio::select! {
                biased;
                () = shared.interrupts.wanted() => {}
                ready = self.evcxr() => drop(ready?),
            }
        }
        line.clear(&shared, request).await;
        Ok(refused)
    }

    /// Has evcxr run a cell without the variables that the cell makes unreadable.
    async fn evaluate(&mut self, request: &Message, code: &str) -> Result<Exchange> {
        let outdated = self.outdated(code).await?;
        if outdated.is_empty() {
            return self.exchange(request, code).await;
        }
        let note = outdated.note(&self.variables);
        let order = Order::give(&self.shared.folder, &outdated, &note)
            .context("the side channel's folder cannot be written")?;
        let mut exchange = self.exchange(request, code).await?;
        if order.wants_another_turn() {
            exchange = self.exchange(request, code).await?;
        } else if order.is_untouched()
            && outdated.unnameable
            && exchange.reply["status"] != "ok"
            && is_about_variables(&self.last_error().await?, &self.generated())
        {
            // A type's parameters have changed: the old type can't even be named beside the new.
            order.give_all(&note)?;
            self.exchange(request, "();").await?;
            if order.is_done() {
                exchange = self.exchange(request, code).await?;
            }
        }
        for (variable, name) in order.withdraw() {
            let cell = self.number;
            self.variables.gone(&variable, Why::Changed { name, cell });
        }
        Ok(exchange)
    }

    /// Has evcxr run a cell that failed, without what earlier cells have defined and the compiler complains about, if
    /// that is all there is to complain about; tells the reader. Nothing of the cell has run before.
    async fn without_misfits(
        &mut self,
        request: &Message,
        code: &str,
        placed: &Placed,
        failed: &Exchange,
    ) -> Result<Option<(Placed, Implementations, Exchange)>> {
        let mut aside: Vec<Misfit> = Vec::new();
        let mut own = defined(&placed.code);
        let mut published = failed.published.clone();
        for _ in 0..ROUNDS {
            if self.shared.interrupts.is_wanted() {
                return Ok(None);
            }
            let json = self.last_error().await?;
            let Some(found) = misfits(&json, &self.generated(), &own) else {
                return Ok(None);
            };
            // What evcxr remembers may be an error of an earlier cell, and this one's may be of another kind.
            let said = |one: &Misfit| {
                let same = |message: &Message| message.content["evalue"] == one.said.as_str();
                published.iter().any(same)
            };
            if !found.iter().any(said) {
                return Ok(None);
            }
            own.extend(found.iter().map(|misfit| misfit.name.clone()));
            aside.extend(found);
            let names: Vec<&str> = aside.iter().map(|misfit| misfit.name.as_str()).collect();
            let (placed, implementations) = self.implementations.place(code, &names);
            let exchange = self.evaluate(request, &placed.code).await?;
            if exchange.reply["status"] == "ok" {
                let text = self.definers.set_aside(&aside, self.number);
                let content = json!({"name": "stderr", "text": text});
                self.shared
                    .publish("stream", &request.header, content)
                    .await;
                return Ok(Some((placed, implementations, exchange)));
            }
            published = exchange.published;
        }
        Ok(None)
    }

    /// The program that evcxr has last made of a cell.
    fn generated(&self) -> String {
        std::fs::read_to_string(self.build.join("src/lib.rs")).unwrap_or_default()
    }

    /// Whether a cell adds a crate while there are variables that may be made of others.
    fn adds_crate(&self, code: &str) -> bool {
        let is_new =
            |line: &str| line.starts_with(":dep") && !self.sources.held_before(self.number, line);
        code.lines().any(|line| is_new(line.trim())) && !self.variables.is_empty()
    }

    /// Has the reader's process list the variables and what they hold.
    async fn list(&mut self, request: &Message) -> Result<()> {
        let listed = self.listed().await?;
        for plain in [false, true] {
            // A type may have a name that is known and be another one; then the types alone are listed.
            let told = self
                .exchange(request, &commands::list(&listed, plain))
                .await?;
            if told.reply["status"] == "ok" {
                break;
            }
        }
        Ok(())
    }

    /// What evcxr's `:vars` says.
    async fn listed(&mut self) -> Result<String> {
        let content = json!({"code": ":vars", "silent": false, "store_history": false});
        let evcxr = self.evcxr().await?;
        let listed = evcxr.exchange("execute_request", content, async |_, _| {});
        let listed = listed.await?.published;
        let listed = listed
            .iter()
            .find_map(|message| message.content["data"]["text/plain"].as_str());
        Ok(listed.unwrap_or_default().to_owned())
    }

    /// The variables that this cell makes unreadable.
    async fn outdated(&mut self, code: &str) -> Result<Outdated> {
        let new = self.definitions.with(code);
        if !Change::between(&self.definitions, &new).matters() {
            return Ok(Outdated::default());
        }
        let listed = self.listed().await?;
        Ok(Outdated::of(&self.definitions, &new, code, &listed))
    }

    /// What the compiler proposes to import.
    async fn imports(&mut self) -> Result<Vec<(String, String)>> {
        Ok(hints::imports(&self.last_error().await?))
    }

    /// What the compiler has last complained about, a line of JSON each.
    async fn last_error(&mut self) -> Result<String> {
        let content = json!({"code": ":last_error_json", "silent": false, "store_history": false});
        let evcxr = self.evcxr().await?;
        let said = evcxr.exchange("execute_request", content, async |_, _| {});
        let said = said.await?.published;
        let texts: Vec<&str> = said
            .iter()
            .filter_map(|message| message.content["evalue"].as_str())
            .collect();
        Ok(texts.join("\n"))
    }

    /// Keeps in mind what a cell has defined, made and lost.
    fn note_variables(&mut self, code: &str, exchange: &Exchange, outcome: &Outcome) {
        let cell = self.number;
        self.unlisted = true;
        if exchange.reply["status"] == "ok" {
            self.definitions = self.definitions.with(code);
            self.analyst.cell(cell, code);
            if code
                .lines()
                .any(|line| line.trim_start().starts_with(":dep"))
            {
                self.analyst.crates(&self.build);
            }
            if outcome.panic.is_none() && outcome.early_return.is_none() {
                self.variables.made(&made_by(code), cell);
            }
        }
        if outcome.died || outcome.lost {
            self.variables.all_gone(&Why::Ended { cell });
        }
    }

    /// Has evcxr run a cell, and asks the client for input meanwhile.
    async fn exchange(&mut self, request: &Message, code: &str) -> Result<Exchange> {
        let content = json!({
            "code": code,
            "silent": false,
            "store_history": false,
            "allow_stdin": false,
            "user_expressions": {},
        });
        let shared = self.shared.clone();
        let Backend::Ready(evcxr) = &mut self.backend else {
            bail!("evcxr_jupyter has not started")
        };
        let (replies, stdin, questions) = (&mut self.replies, &mut self.stdin, &mut self.questions);
        while questions.try_recv().is_ok() {}
        let asking = async {
            while let Some(question) = questions.recv().await {
                let answer = ask(&shared, replies, stdin, request, question).await;
                shared.tell(Command::Answer(answer)).await;
            }
            std::future::pending().await
        };
        let mut crates = Crates::default();
        shared.interrupts.compiling();
        let exchange = evcxr.exchange("execute_request", content, async |_, event| {
            match event {
                // Only what is not attached to the side channel prints by this way.
                Event::Published(message) if message.kind() == "stream" => {
                    shared
                        .publish("stream", &request.header, message.content)
                        .await;
                }
                Event::Compiling(name) => {
                    if let Some(request) = crates.compiling(&name) {
                        shared.tell(Command::Show(request)).await;
                    }
                }
                _ => {}
            }
        });
        let exchange = tokio::select! {
            exchange = exchange => exchange?,
            exchange = asking => exchange,
        };
        if let Some(request) = crates.done() {
            shared.tell(Command::Show(request)).await;
        }
        Ok(exchange)
    }
}

/// What became of a cell.
struct Ran {
    report: Option<Report>,
    started: Option<String>,
    result: Option<String>,
}

impl Ran {
    /// Nothing of it has run.
    fn refused(report: Report) -> Self {
        Self {
            report: Some(report),
            started: None,
            result: None,
        }
    }
}

/// The line below a cell that waits for the kernel's preparation.
#[derive(Debug, Default)]
struct Waiting {
    /// The output that shows it, and what it says.
    shown: Option<(String, String)>,
}

impl Waiting {
    fn is_shown(&self) -> bool {
        self.shown.is_some()
    }

    async fn show(&mut self, shared: &Shared, request: &Message, text: String) {
        let (kind, id) = match &self.shown {
            Some((_, said)) if *said == text => return,
            Some((id, _)) => ("update_display_data", id.clone()),
            None => ("display_data", uuid::Uuid::new_v4().to_string()),
        };
        let content = json!({
            "data": plain(text.clone()),
            "metadata": {},
            "transient": {"display_id": id},
        });
        self.shown = Some((id, text));
        shared.publish(kind, &request.header, content).await;
    }

    /// The outputs of the cell begin afresh.
    async fn clear(self, shared: &Shared, request: &Message) {
        if self.is_shown() {
            let content = json!({"wait": false});
            shared
                .publish("clear_output", &request.header, content)
                .await;
        }
    }
}

/// Waits for the end of all that a cell shows.
pub async fn end_of_cell(shared: &Shared) -> Outcome {
    let (done, outcome) = oneshot::channel();
    shared.tell(Command::End(done)).await;
    outcome.await.unwrap_or_default()
}

/// Asks the client whose cell runs for a line; an interrupt takes the question back.
async fn ask(
    shared: &Shared,
    replies: &mut Replies,
    stdin: &mut mpsc::UnboundedReceiver<Message>,
    request: &Message,
    question: Question,
) -> Option<String> {
    while stdin.try_recv().is_ok() {}
    let Question { prompt, password } = question;
    let content = json!({"prompt": prompt, "password": password});
    let mut asked = Message::new(&shared.session, "input_request", &request.header, content);
    asked.addresses.clone_from(&request.addresses);
    replies.send(Channel::Stdin, &asked).await;
    loop {
        tokio::select! {
            answer = stdin.recv() => match answer {
                Some(answer) if answer.kind() == "input_reply" => {
                    return answer.content["value"].as_str().map(str::to_owned);
                }
                Some(_) => {}
                None => return None,
            },
            () = shared.interrupts.wanted() => return None,
        }
    }
}

/// Shows that crates are being compiled, if that takes long.
#[derive(Debug, Default)]
struct Crates {
    first: Option<Instant>,
    count: usize,
    /// The output that tells of it, and when it was last changed.
    shown: Option<(String, Instant)>,
}

impl Crates {
    fn compiling(&mut self, name: &str) -> Option<Request> {
        let now = Instant::now();
        let first = *self.first.get_or_insert(now);
        self.count += 1;
        let text = format!("compiling crates: {} so far, now {name}", self.count);
        match &mut self.shown {
            None if now.duration_since(first) < LONG_COMPILATION => None,
            None => {
                let id = uuid::Uuid::new_v4().to_string();
                self.shown = Some((id.clone(), now));
                Some(Request::Display {
                    data: plain(text),
                    metadata: json!({}),
                    id: Some(id),
                    area: None,
                })
            }
            Some((id, shown)) if now.duration_since(*shown).as_millis() >= 200 => {
                *shown = now;
                Some(Request::Update {
                    data: plain(text),
                    metadata: json!({}),
                    id: id.clone(),
                })
            }
            Some(_) => None,
        }
    }

    fn done(self) -> Option<Request> {
        let (id, _) = self.shown?;
        let seconds = self.first?.elapsed().as_secs();
        let text = format!("compiled {} crates in {seconds} s", self.count);
        Some(Request::Update {
            data: plain(text),
            metadata: json!({}),
            id,
        })
    }
}

fn plain(text: String) -> Value {
    json!({"text/plain": text})
}
