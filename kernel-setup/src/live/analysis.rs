//! Tab and Shift+Tab: answered by a program of its own, whatever the cells are doing.
//!
//! `cell-analysis` answers from signatures, so neither evcxr nor the compiler is asked, and a question never
//! stands before a cell. It may stand beside one: the answer comes while a cell runs, and says that the
//! kernel is still busy. The program lies beside this one; while it is not compiled yet, the answer is that
//! nothing is known. When it ends, the next question starts it anew and it hears all once more.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout};
use tokio::sync::{mpsc, oneshot};

use super::jupyter_sockets::{Channel, Replies};
use super::kernel::Shared;
use super::wire::Message;
use crate::{analysis_program, process};

/// How long one answer may take: at first all crates are read.
const PATIENCE: Duration = Duration::from_secs(60);

/// A variable that earlier cells have made.
#[derive(Debug, Clone, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type, as the compiler writes it: with whole paths.
    #[serde(rename = "type")]
    pub ty: String,
    /// The same for a reader.
    pub shown: String,
    /// Its value, where that is short.
    pub value: Option<String>,
    /// The cell that made it.
    pub cell: Option<u64>,
}

/// What is told and asked.
#[derive(Debug)]
enum Task {
    Told(News),
    Question(Message, oneshot::Sender<Value>),
}

#[derive(Debug)]
enum News {
    Crates(PathBuf),
    Cell(u64, String),
    Variables(Vec<Variable>),
    Forget,
}

/// The way to the program.
#[derive(Debug, Clone)]
pub struct Analyst(mpsc::UnboundedSender<Task>);

impl Analyst {
    /// Starts the program, if it is there, and what speaks with it.
    pub fn start() -> Self {
        let (sender, tasks) = mpsc::unbounded_channel();
        let program = analysis_program::beside_this_one();
        tokio::spawn(Work::new(program).serve(tasks));
        Self(sender)
    }

    fn tell(&self, news: News) {
        // The other end goes with the kernel and not before.
        let _ = self.0.send(Task::Told(news));
    }

    /// Crates may have been added to the manifest in this folder.
    pub fn crates(&self, folder: &Path) {
        self.tell(News::Crates(folder.to_owned()));
    }

    /// A cell was accepted.
    pub fn cell(&self, number: u64, code: &str) {
        self.tell(News::Cell(number, code.to_owned()));
    }

    /// The variables that are there now.
    pub fn variables(&self, variables: Vec<Variable>) {
        self.tell(News::Variables(variables));
    }

    /// Everything that cells have made is gone.
    pub fn forget(&self) {
        self.tell(News::Forget);
    }

    async fn ask(&self, question: Message) -> Value {
        let nothing = nothing(&question);
        let (answer, answered) = oneshot::channel();
        // Where the other end has gone, so has the answer.
        let _ = self.0.send(Task::Question(question, answer));
        answered.await.unwrap_or(nothing)
    }
}

/// Answers the questions among the requests, and passes all others on.
pub async fn serve(
    shared: Shared,
    analyst: Analyst,
    replies: Replies,
    mut requests: mpsc::UnboundedReceiver<Message>,
    others: mpsc::UnboundedSender<Message>,
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

fn nothing(question: &Message) -> Value {
    let cursor = &question.content["cursor_pos"];
    match question.kind() {
        "complete_request" => json!({
            "status": "ok", "matches": [], "cursor_start": cursor, "cursor_end": cursor, "metadata": {},
        }),
        _ => json!({"status": "ok", "found": false, "data": {}, "metadata": {}}),
    }
}

/// All that the program has to know, for the case that it must be started anew.
#[derive(Debug, Default)]
struct Known {
    crates: Option<PathBuf>,
    cells: Vec<(u64, String)>,
    variables: Vec<Variable>,
}

impl Known {
    /// Keeps in mind what is told and gives its line.
    fn line(&mut self, news: News) -> Value {
        match news {
            News::Crates(folder) => {
                let line = json!({"crates": folder});
                self.crates = Some(folder);
                line
            }
            News::Cell(number, code) => {
                let line = json!({"cell": [number, code]});
                self.cells.push((number, code));
                line
            }
            News::Variables(variables) => {
                let line = json!({"variables": variables});
                self.variables = variables;
                line
            }
            News::Forget => {
                self.cells.clear();
                self.variables.clear();
                json!({"forget": true})
            }
        }
    }

    fn lines(&self) -> Vec<Value> {
        let crates = self.crates.iter().map(|folder| json!({"crates": folder}));
        let cells = self.cells.iter().map(|cell| json!({"cell": cell}));
        let variables = std::iter::once(json!({"variables": self.variables}));
        crates.chain(cells).chain(variables).collect()
    }
}

/// The program while it runs.
#[derive(Debug)]
struct Running {
    /// Ends with this.
    _child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
}

impl Running {
    async fn start(program: &Path, known: &Known) -> std::io::Result<Self> {
        let mut command = Command::new(program);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        process::die_with_this_process(&mut command);
        let mut child = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .spawn()?;
        let missing = || std::io::Error::other("it has no standard streams");
        let mut running = Self {
            input: child.stdin.take().ok_or_else(missing)?,
            output: BufReader::new(child.stdout.take().ok_or_else(missing)?).lines(),
            _child: child,
        };
        for line in known.lines() {
            running.write(&line).await?;
        }
        Ok(running)
    }

    async fn write(&mut self, line: &Value) -> std::io::Result<()> {
        self.input.write_all(format!("{line}\n").as_bytes()).await
    }

    async fn answer(&mut self, number: u64, question: &Message) -> std::io::Result<Value> {
        let line =
            json!({"question": number, "kind": question.kind(), "content": question.content});
        self.write(&line).await?;
        let ended = || std::io::Error::other("it has ended");
        loop {
            let line = self.output.next_line().await?.ok_or_else(ended)?;
            let mut answer: Value = serde_json::from_str(&line)?;
            if answer["answer"] == number {
                return Ok(answer["content"].take());
            }
        }
    }
}

/// What speaks with the program.
#[derive(Debug)]
struct Work {
    program: PathBuf,
    known: Known,
    running: Option<Running>,
    asked: u64,
}

impl Work {
    fn new(program: PathBuf) -> Self {
        Self {
            program,
            known: Known::default(),
            running: None,
            asked: 0,
        }
    }

    async fn serve(mut self, mut tasks: mpsc::UnboundedReceiver<Task>) {
        self.start().await;
        while let Some(task) = tasks.recv().await {
            match task {
                Task::Question(question, answer) => {
                    // Whoever has asked may be gone.
                    let _ = answer.send(self.answer(&question).await);
                }
                Task::Told(news) => {
                    let line = self.known.line(news);
                    if let Some(running) = &mut self.running
                        && running.write(&line).await.is_err()
                    {
                        self.running = None;
                    }
                }
            }
        }
    }

    async fn start(&mut self) {
        if self.running.is_none() && self.program.is_file() {
            match Running::start(&self.program, &self.known).await {
                Ok(running) => self.running = Some(running),
                Err(error) => eprintln!("{} does not start: {error}", self.program.display()),
            }
        }
    }

    async fn answer(&mut self, question: &Message) -> Value {
        self.start().await;
        let Some(running) = &mut self.running else {
            return nothing(question);
        };
        self.asked += 1;
        let answered = tokio::time::timeout(PATIENCE, running.answer(self.asked, question)).await;
        let why = match answered {
            Ok(Ok(Value::Null)) => return nothing(question),
            Ok(Ok(answer)) => return answer,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "it took too long".to_owned(),
        };
        eprintln!("a question about a cell could not be answered: {why}");
        self.running = None;
        nothing(question)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(kind: &str) -> Message {
        Message {
            header: json!({"msg_type": kind}),
            content: json!({"code": "x", "cursor_pos": 1}),
            ..Message::default()
        }
    }

    fn program(folder: &Path, script: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = folder.join("analysis");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn told(folder: &Path) -> String {
        std::fs::read_to_string(folder.join("told")).unwrap_or_default()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_program_that_ends_is_started_anew_and_hears_all_once_more() {
        let folder = tempfile::tempdir().unwrap();
        // Answers the first question that it hears, and ends at the second.
        let script = format!(
            r#"n=0
while read -r line; do
    echo "$line" >> {}
    case "$line" in *question*)
        n=$((n + 1)); [ $n = 1 ] || exit 1
        number=$(echo "$line" | sed 's/.*"question":\([0-9]*\).*/\1/')
        echo "{{\"answer\": $number, \"content\": {{\"status\": \"ok\", \"matches\": [\"$number\"]}}}}" ;;
    esac
done"#,
            folder.path().join("told").display()
        );
        let (sender, tasks) = mpsc::unbounded_channel();
        tokio::spawn(Work::new(program(folder.path(), &script)).serve(tasks));
        let analyst = Analyst(sender);
        analyst.cell(3, "let x = 1;");
        let matches = async |analyst: &Analyst| {
            let mut reply = analyst.ask(question("complete_request")).await;
            assert_eq!(reply["status"], "ok");
            reply["matches"].take()
        };
        assert_eq!(matches(&analyst).await, json!(["1"]));
        assert_eq!(matches(&analyst).await, json!([]), "it ended over this one");
        assert_eq!(matches(&analyst).await, json!(["3"]));
        assert_eq!(told(folder.path()).matches("let x = 1;").count(), 2);

        analyst.forget();
        assert_eq!(matches(&analyst).await, json!([]));
        assert_eq!(matches(&analyst).await, json!(["5"]));
        assert_eq!(told(folder.path()).matches("let x = 1;").count(), 2);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn without_the_program_nothing_is_known_and_nobody_waits() {
        let (sender, tasks) = mpsc::unbounded_channel();
        tokio::spawn(Work::new("/nowhere/cell-analysis".into()).serve(tasks));
        let reply = Analyst(sender).ask(question("inspect_request")).await;
        assert_eq!(reply["found"], false);
    }
}
