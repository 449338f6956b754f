//! Tab and Shift+Tab: answered by a thread of their own, whatever the cells are doing.
//!
//! cell-analysis answers from signatures, so neither evcxr nor the compiler is asked, and a question never
//! stands before a cell. It may stand beside one: the answer comes while a cell runs, and says that the
//! kernel is still busy.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;

use cell_analysis::{Analysis, Graph, Variable};
use serde_json::{Value, json};
use tokio::sync::{mpsc as queue, oneshot};

use super::jupyter_sockets::{Channel, Replies};
use super::kernel::Shared;
use super::wire::Message;

/// Parsing goes deep where code does.
const STACK: usize = 64 << 20;
/// So deep no cell is read.
const DEEPEST: usize = 500;

/// What the thread hears of the session.
#[derive(Debug)]
enum Task {
    /// Crates may have been added to the manifest in this folder.
    Crates(PathBuf),
    /// A cell was accepted.
    Cell(u64, String),
    /// The variables that are there now.
    Variables(Vec<Variable>),
    /// Everything that cells have made is gone.
    Forget,
    /// A question, and where its answer goes.
    Question(Message, oneshot::Sender<Value>),
}

/// The way to the thread.
#[derive(Debug, Clone)]
pub struct Analyst(mpsc::Sender<Task>);

impl Analyst {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system allows no more threads.
    pub fn start() -> std::io::Result<Self> {
        let (sender, tasks) = mpsc::channel();
        std::thread::Builder::new()
            .name("analysis".to_owned())
            .stack_size(STACK)
            .spawn(move || work(&tasks))?;
        Ok(Self(sender))
    }

    fn tell(&self, task: Task) {
        // The thread ends with the kernel and not before.
        let _ = self.0.send(task);
    }

    /// Crates may have been added to the manifest in this folder.
    pub fn crates(&self, folder: &Path) {
        self.tell(Task::Crates(folder.to_owned()));
    }

    /// A cell was accepted.
    pub fn cell(&self, number: u64, code: &str) {
        self.tell(Task::Cell(number, code.to_owned()));
    }

    /// The variables that are there now.
    pub fn variables(&self, variables: Vec<Variable>) {
        self.tell(Task::Variables(variables));
    }

    /// Everything that cells have made is gone.
    pub fn forget(&self) {
        self.tell(Task::Forget);
    }

    async fn ask(&self, question: Message) -> Value {
        let nothing = nothing(&question);
        let (answer, answered) = oneshot::channel();
        self.tell(Task::Question(question, answer));
        answered.await.unwrap_or(nothing)
    }
}

/// Answers the questions among the requests, and passes all others on.
pub async fn serve(
    shared: Shared,
    analyst: Analyst,
    replies: Replies,
    mut requests: queue::UnboundedReceiver<Message>,
    others: queue::UnboundedSender<Message>,
) {
    while let Some(request) = requests.recv().await {
        if !["complete_request", "inspect_request"].contains(&request.kind()) {
            if others.send(request).is_err() {
                return;
            }
            continue;
        }
        let (shared, analyst, mut replies) = (shared.clone(), analyst.clone(), replies.clone());
        tokio::spawn(async move {
            let content = analyst.ask(request.clone()).await;
            replies
                .send(Channel::Shell, &request.reply(&shared.session, content))
                .await;
            shared.answer_beside_cells(&request, Vec::new()).await;
        });
    }
}

fn begun() -> Analysis {
    let mut analysis = Analysis::new();
    if let Some(folder) = documentation() {
        analysis.documented_in(folder);
    }
    analysis.at_hand(crates_at_hand());
    analysis
}

fn work(tasks: &mpsc::Receiver<Task>) {
    let mut analysis = begun();
    while let Ok(task) = tasks.recv() {
        let done = std::panic::AssertUnwindSafe(|| answer(&mut analysis, task));
        // A question that was given up is answered by its sender's end.
        if std::panic::catch_unwind(done).is_err() {
            eprintln!("a question about a cell could not be answered");
            let rest = std::panic::AssertUnwindSafe(|| analysis.recover());
            if std::panic::catch_unwind(rest).is_err() {
                analysis = begun();
            }
        }
    }
}

/// Does one task, and answers it if it is a question.
fn answer(analysis: &mut Analysis, task: Task) {
    match task {
        Task::Crates(folder) => {
            if let Some(graph) = graph(&folder) {
                analysis.load(&graph);
            }
        }
        Task::Cell(number, code) if is_readable(&code) => analysis.cell(number, &code),
        Task::Cell(..) => {}
        Task::Variables(variables) => analysis.variables(variables),
        Task::Forget => analysis.forget(),
        Task::Question(question, answer) => {
            let readable = question.content["code"].as_str().is_some_and(is_readable);
            let reply = match readable {
                true => reply(analysis, &question),
                false => nothing(&question),
            };
            // Whoever has asked may be gone.
            let _ = answer.send(reply);
        }
    }
}

/// Whether a cell is no deeper than a person's: what parses it calls itself at each bracket and each sign before a
/// value, and a stack that is full ends the process.
fn is_readable(code: &str) -> bool {
    let (mut depth, mut signs, mut most) = (0_usize, 0_usize, 0);
    for sign in code.bytes() {
        match sign {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        signs = match sign {
            b'&' | b'!' | b'-' | b'*' | b'|' | b'<' => signs + 1,
            b' ' | b'\n' => signs,
            _ => 0,
        };
        most = most.max(depth + signs);
    }
    most < DEEPEST
}

fn nothing(question: &Message) -> Value {
    let cursor = &question.content["cursor_pos"];
    match question.kind() {
        "complete_request" => json!({
            "status": "ok", "matches": [], "cursor_start": cursor, "cursor_end": cursor, "metadata": {},
        }),
        _ => json!({"status": "ok", "found": false, "data": {}, "metadata": {}}),
    }
}

/// The protocol counts characters, Rust bytes.
fn byte_of(code: &str, character: usize) -> usize {
    code.char_indices()
        .nth(character)
        .map_or(code.len(), |(byte, _)| byte)
}

fn character_of(code: &str, byte: usize) -> usize {
    code[..byte].chars().count()
}

fn reply(analysis: &mut Analysis, question: &Message) -> Value {
    let content = &question.content;
    let code = content["code"].as_str().unwrap_or_default();
    let position = content["cursor_pos"]
        .as_u64()
        .and_then(|n| usize::try_from(n).ok());
    let cursor = byte_of(code, position.unwrap_or(usize::MAX));
    if question.kind() == "inspect_request" {
        let whole = content["detail_level"].as_u64().unwrap_or(0) > 0;
        return match analysis.inspect(code, cursor, whole) {
            None => nothing(question),
            Some(told) => json!({
                "status": "ok",
                "found": true,
                "data": {"text/plain": told.plain, "text/html": told.html},
                "metadata": {},
            }),
        };
    }
    let found = analysis.complete(code, cursor);
    let start = character_of(code, found.replaced.start);
    let end = character_of(code, found.replaced.end);
    let matches: Vec<&str> = found.items.iter().map(|item| item.text.as_str()).collect();
    let types: Vec<Value> = found
        .items
        .iter()
        .map(|item| {
            json!({
                "text": item.text,
                "type": item.kind,
                "signature": item.signature,
                "start": start,
                "end": end,
            })
        })
        .collect();
    json!({
        "status": "ok",
        "matches": matches,
        "cursor_start": start,
        "cursor_end": end,
        "metadata": {"_jupyter_types_experimental": types},
    })
}

/// The crates of the notebook, without a network.
fn graph(folder: &Path) -> Option<Graph> {
    // Crates of other systems may not have been downloaded.
    let version = Command::new("rustc")
        .arg("-vV")
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))?;
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--format-version",
            "1",
            "--offline",
            "--filter-platform",
            host,
        ])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    Graph::read(&String::from_utf8_lossy(&output.stdout))
}

/// The folder of the toolchain's documentation; not everybody has installed it.
fn documentation() -> Option<PathBuf> {
    let output = Command::new("rustc")
        .args(["--print", "sysroot"])
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let sysroot = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    Some(sysroot.join("share/doc/rust/html"))
}

/// The crates that Cargo has downloaded before, each with its newest version.
fn crates_at_hand() -> Vec<(String, String)> {
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home =
        home.or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cargo")));
    let Some(registries) = home.and_then(|home| std::fs::read_dir(home.join("registry/src")).ok())
    else {
        return Vec::new();
    };
    let mut found = std::collections::BTreeMap::<String, String>::new();
    for registry in registries.flatten() {
        for folder in std::fs::read_dir(registry.path())
            .into_iter()
            .flatten()
            .flatten()
        {
            let folder = folder.file_name().to_string_lossy().into_owned();
            let split = folder
                .match_indices('-')
                .find(|(i, _)| folder[i + 1..].starts_with(|c: char| c.is_ascii_digit()));
            if let Some((i, _)) = split {
                let (name, version) = (&folder[..i], &folder[i + 1..]);
                let known = found.entry(name.to_owned()).or_default();
                if numbers(known) < numbers(version) {
                    *known = version.to_owned();
                }
            }
        }
    }
    found.into_iter().collect()
}

fn numbers(version: &str) -> Vec<u64> {
    version
        .split(['.', '-', '+'])
        .map_while(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_writes_is_not_read() {
        assert!(is_readable(
            "let x = f(&[1, 2], |y| -(!y - 1) * **z);\n"
                .repeat(2000)
                .as_str()
        ));
        for deep in ["(", "[{", "!", "& -", "<"] {
            assert!(
                !is_readable(&format!("let x = {}", deep.repeat(10_000))),
                "{deep}"
            );
        }
    }

    #[test]
    fn positions_are_counted_in_characters() {
        let mut analysis = Analysis::new();
        let code = "let größe = String::fro";
        let question = Message {
            header: json!({"msg_type": "complete_request"}),
            content: json!({"code": code, "cursor_pos": 23}),
            ..Message::default()
        };
        let reply = reply(&mut analysis, &question);
        assert_eq!(
            (&reply["cursor_start"], &reply["cursor_end"]),
            (&json!(20), &json!(23))
        );
        assert_eq!(reply["matches"][0], "from_utf8");
        assert_eq!(
            reply["metadata"]["_jupyter_types_experimental"][0]["type"],
            "function"
        );
    }
}
