//! How a cell that failed is reported: what happened, and where in the reader's code.

use serde_json::{Value, json};
use syn::parse::Parser;
use syn::spanned::Spanned;

use super::completeness::Unbalanced;
use super::hints::{Seen, hint, plainly};
use super::interrupt::Stopped;
use super::misfits::Definers;
use super::screen::Outcome;
use super::side_channel::Panic;
use super::variables::{Variables, run_again};
use super::wire::Message;

/// An error as the protocol wants it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What kind of thing it is.
    pub name: &'static str,
    /// What happened, in a sentence.
    pub value: String,
    /// The same, and where, line by line, with colours.
    pub traceback: Vec<String>,
}

impl Report {
    /// The fields of a reply or of an `error` message.
    pub fn content(&self) -> Value {
        json!({"ename": self.name, "evalue": self.value, "traceback": self.traceback})
    }

    /// A report without a place.
    pub fn new(name: &'static str, value: impl Into<String>) -> Self {
        let value = value.into();
        let traceback = vec![format!("{RED}{name}{PLAIN}: {value}")];
        Self {
            name,
            value,
            traceback,
        }
    }
}

impl Report {
    /// For a cell that evcxr's end has cost its answer, or one that comes after it.
    pub fn without_evcxr(why: &str, before: bool) -> Self {
        let when = match before {
            true => "before this cell, of which nothing has run",
            false => "during this cell",
        };
        Self::new(
            "Crash",
            format!(
                "evcxr_jupyter, which compiles and runs the cells, has ended {when} ({why}). It is \
                 being started again, but all variables, functions, types and imports are gone: \
                 run the cells from the first."
            ),
        )
    }

    /// For a widget's closure: the content of an `error` output.
    pub fn of_closure(name: &str, value: &str) -> Value {
        let traceback = [format!("{RED}{name}{PLAIN}: {value}")];
        json!({"ename": name, "evalue": value, "traceback": traceback})
    }

    /// For a cell that would reach beyond itself.
    pub fn unbalanced(number: u64, problem: &Unbalanced, sources: &Sources) -> Self {
        let mut report = Self::new(
            "CompileError",
            format!("{}. Nothing of this cell has run.", problem.what),
        );
        let place = sources.show(number, problem.line, Some(problem.column));
        report.traceback.extend(place);
        report
    }
}

const RED: &str = "\x1b[1;31m";
const BLUE: &str = "\x1b[34m";
const PLAIN: &str = "\x1b[0m";

/// The cells of this session: where a line of generated code is looked up.
#[derive(Debug, Default)]
pub struct Sources(Vec<(u64, String)>);

impl Sources {
    /// Adds a cell, the latest.
    pub fn add(&mut self, number: u64, code: &str) {
        self.0.push((number, code.to_owned()));
    }

    /// Whether a cell before this one has held this line.
    pub fn held_before(&self, number: u64, line: &str) -> bool {
        let mut before = self.0.iter().filter(|(n, _)| *n < number);
        before.any(|(_, code)| code.lines().any(|other| other.trim() == line))
    }

    /// Whether the library is used in this session.
    fn name_the_library(&self) -> bool {
        let mut cells = self.0.iter();
        cells.any(|(_, code)| code.contains("icvae_core") || code.contains("icvae-core"))
    }

    /// The latest cell that holds this line once, and the line's number in it.
    fn find(&self, line: &str) -> Option<(u64, usize)> {
        let line = line.trim();
        if line.len() < 2 {
            return None;
        }
        self.0.iter().rev().find_map(|(number, code)| {
            let mut found = code
                .lines()
                .enumerate()
                .filter(|(_, other)| other.trim() == line)
                .map(|(i, _)| i);
            match (found.next(), found.next()) {
                (Some(i), None) => Some((*number, i + 1)),
                _ => None,
            }
        })
    }

    /// The report of something wrong at a line of a cell that was not run.
    pub fn refuse(&self, number: u64, value: &str, line: usize) -> Report {
        let mut report = Report::new("CompileError", value);
        report.traceback.extend(self.show(number, line, None));
        report
    }

    /// A place in a cell, with the line before it and a mark below.
    fn show(&self, number: u64, line: usize, column: Option<usize>) -> Vec<String> {
        let Some((_, code)) = self.0.iter().rev().find(|(n, _)| *n == number) else {
            return Vec::new();
        };
        let mut shown = vec![match column {
            Some(column) => format!("  {BLUE}cell [{number}], line {line}, column {column}{PLAIN}"),
            None => format!("  {BLUE}cell [{number}], line {line}{PLAIN}"),
        }];
        for (i, text) in code
            .lines()
            .enumerate()
            .skip(line.saturating_sub(2))
            .take(2)
        {
            if i < line {
                shown.push(format!("  {BLUE}{:4} |{PLAIN} {text}", i + 1));
            }
        }
        if let Some(column) = column {
            let gap = " ".repeat(column.saturating_sub(1));
            shown.push(format!("  {BLUE}     |{PLAIN} {gap}{RED}^{PLAIN}"));
        }
        shown
    }
}

/// What is known when a cell is over.
#[derive(Debug)]
pub struct Facts<'a> {
    /// What the output task has seen.
    pub outcome: &'a Outcome,
    /// How the cell was stopped, if it was.
    pub stopped: Option<Stopped>,
    /// Whether evcxr reports a failure.
    pub failed: bool,
    /// The errors that evcxr has published.
    pub errors: &'a [Message],
    /// The number of the cell.
    pub number: u64,
    /// evcxr's own number for it.
    pub evcxr_number: u64,
    /// The line that evcxr's cell has and the reader's has not.
    pub added: Option<usize>,
    /// The program that evcxr made of the cell.
    pub generated: &'a str,
    /// The cells so far, this one included.
    pub sources: &'a Sources,
    /// The imports that the compiler proposes, each with its error's message.
    pub imports: &'a [(String, String)],
    /// What is set aside.
    pub definers: &'a Definers,
    /// The variables, this cell's effect on them included.
    pub variables: &'a Variables,
}

/// The report, if the cell has failed in any way.
pub fn report(facts: &Facts<'_>) -> Option<Report> {
    let outcome = facts.outcome;
    match facts.stopped {
        Some(Stopped::Killed) => {
            return Some(Report::new(
                "Interrupted",
                format!(
                    "this code did not stop by itself, so its process was ended: all variables \
                     are gone. Functions, types and imports are kept; {}",
                    again(facts)
                ),
            ));
        }
        Some(Stopped::Compiling) if facts.failed => {
            return Some(Report::new(
                "Interrupted",
                "the compiler was stopped. Nothing of this cell has run, and all variables are \
                 kept.",
            ));
        }
        Some(Stopped::Heard | Stopped::Compiling) if !outcome.died => {
            let reached = [outcome.early_return.as_ref(), outcome.reached.as_ref()];
            let reached = reached.into_iter().flatten().find(|text| !text.is_empty());
            let reached = reached.map_or_else(
                || "the cell was interrupted and has come to its end".to_owned(),
                |text| text.trim_end_matches('.').to_owned(),
            );
            let kept = match (&outcome.early_return, &outcome.panic) {
                (None, None) => "All variables are kept.",
                _ => "The variables of earlier cells are kept.",
            };
            return Some(Report::new("Interrupted", format!("{reached}. {kept}")));
        }
        _ => {}
    }
    if outcome.died {
        return Some(crash_in_code(facts));
    }
    if outcome.lost && facts.failed {
        return Some(crash(
            facts.errors,
            outcome,
            "while this cell was compiled, ",
        ));
    }
    if outcome.input_refused {
        return Some(Report::new(
            "NoInput",
            "this cell reads standard input, and whoever has sent it takes no questions: run it \
             where somebody can answer, or have it read from somewhere else.",
        ));
    }
    if let Some(panic) = &outcome.panic {
        let message = match panic.message.as_str() {
            // The reader's code has put its own hook in the place of the kernel's.
            "" => "the cell has panicked",
            message => &plainly(message),
        };
        return Some(located("Panic", message, panic, facts));
    }
    if let Some(said) = &outcome.early_return {
        return Some(early_return(said, facts));
    }
    facts.failed.then(|| evcxr_errors(facts))
}

/// A panic, or a crash that began with one.
fn located(name: &'static str, value: &str, panic: &Panic, facts: &Facts<'_>) -> Report {
    let mut report = Report::new(name, value);
    // Where evcxr puts the cells.
    let own = panic.file == "src/lib.rs";
    if !own && !panic.file.is_empty() {
        let (file, line) = (short(&panic.file), panic.line);
        let place = format!("  {BLUE}{file}, line {line}{PLAIN}");
        report.traceback.push(place);
    }
    let nearest = own.then_some((panic.line, Some(panic.column)));
    let way = super::way::lines(&panic.way);
    let way = way.into_iter().map(|line| (line, None));
    let mut seen = Vec::new();
    for (line, column) in nearest.into_iter().chain(way) {
        let Some((cell, line, column)) = in_a_cell(line, column, facts) else {
            continue;
        };
        // A closure and what it stands in are of one line.
        if seen.contains(&(cell, line)) {
            continue;
        }
        match seen.is_empty() {
            true => report
                .traceback
                .extend(facts.sources.show(cell, line, column)),
            false => report.traceback.push(format!(
                "  {BLUE}called from cell [{cell}], line {line}{PLAIN}"
            )),
        }
        seen.push((cell, line));
    }
    if seen.is_empty() {
        let cell = format!("  {BLUE}in cell [{}]{PLAIN}", facts.number);
        report.traceback.push(cell);
    }
    report
}

/// Which cell, line and column a place in the generated program comes from.
fn in_a_cell(
    line: usize,
    column: Option<usize>,
    facts: &Facts<'_>,
) -> Option<(u64, usize, Option<usize>)> {
    let at = |line: usize| facts.generated.lines().nth(line.checked_sub(1)?);
    let found = |text: &str| facts.sources.find(text);
    let mut text = at(line)?;
    // evcxr puts brackets around a cell's last expression, and the compiler may take their line for its place.
    if found(text).is_none() {
        text = match text.trim() {
            bracket if bracket.ends_with('(') => at(line + 1)?,
            bracket if bracket.starts_with(')') => at(line - 1)?,
            _ => text,
        };
    }
    let (number, line) = found(text)?;
    // The generated line may be indented in another way.
    let indent = |text: &str| text.len() - text.trim_start().len();
    let original = facts.sources.0.iter().rev().find(|(n, _)| *n == number);
    let original = original
        .and_then(|(_, code)| code.lines().nth(line - 1))
        .unwrap_or("");
    let column = column.map(|column| {
        (column + indent(original))
            .saturating_sub(indent(text))
            .max(1)
    });
    Some((number, line, column))
}

/// A library's source file without the folders in which compilers and Cargo keep it.
fn short(file: &str) -> &str {
    let from_registry = file.split_once("/registry/src/").map(|(_, rest)| rest);
    let from_compiler = file.strip_prefix("/rustc/");
    from_registry
        .or(from_compiler)
        .and_then(|rest| rest.split_once('/'))
        .map_or(file, |(_, rest)| rest)
}

/// What a failed `?` has said, and which `?` it may have been.
fn early_return(said: &str, facts: &Facts<'_>) -> Report {
    let said = if said.is_empty() {
        "a `?` has ended the cell".to_owned()
    } else {
        plainly(said)
    };
    let mut report = Report::new("Error", said);
    let code = facts
        .sources
        .0
        .last()
        .map(|(_, code)| code.as_str())
        .unwrap_or_default();
    let lines = lines_with_question_mark(code);
    if let [(line, column)] = lines[..] {
        report
            .traceback
            .extend(facts.sources.show(facts.number, line, Some(column)));
    } else if !lines.is_empty() {
        let lines: Vec<String> = lines.iter().map(|(line, _)| line.to_string()).collect();
        let lines = lines.join(", ");
        report.traceback.push(format!(
            "  {BLUE}cell [{}], one of the `?` in lines {lines}{PLAIN}",
            facts.number
        ));
    }
    report
}

/// Lines and columns of the question marks that can end a cell: those outside functions and closures.
fn lines_with_question_mark(code: &str) -> Vec<(usize, usize)> {
    let rust = super::completeness::without_commands(code);
    let Ok(statements) = syn::Block::parse_within.parse_str(&rust) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for statement in &statements {
        if !matches!(statement, syn::Stmt::Item(_)) {
            let mut tokens = Vec::new();
            flatten(statement.span(), &rust, &mut tokens);
            found.extend(tokens);
        }
    }
    found.sort_unstable();
    found.dedup_by_key(|(line, _)| *line);
    found
}

/// The question marks in a part of the code, as the lexer sees them.
fn flatten(span: proc_macro2::Span, code: &str, found: &mut Vec<(usize, usize)>) {
    let range = span.byte_range();
    let Some(text) = code.get(range.clone()) else {
        return;
    };
    let mut at = range.start;
    for token in ra_ap_rustc_lexer::tokenize(text, ra_ap_rustc_lexer::FrontmatterAllowed::No) {
        if token.kind == ra_ap_rustc_lexer::TokenKind::Question {
            let before = &code[..at];
            let line = before.matches('\n').count() + 1;
            let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
            found.push((line, column));
        }
        at += token.len as usize;
    }
}

/// What to do when all variables are gone.
fn again(facts: &Facts<'_>) -> String {
    let advice = run_again(&facts.variables.cells_of_the_lost());
    match advice.strip_prefix("; ") {
        Some(advice) => format!("{advice}."),
        None => "run the cells again that make the variables.".to_owned(),
    }
}

/// What ended the process, as far as can be told.
fn cause(errors: &[Message], words: &str) -> String {
    let status = errors
        .iter()
        .filter_map(|message| message.content["evalue"].as_str())
        .find_map(|value| {
            value
                .split_once("status: ")
                .map(|(_, status)| status.trim())
        })
        .unwrap_or("unknown");
    if words.contains("memory allocation of") {
        "memory ran out".to_owned()
    } else if words.contains("has overflowed its stack") {
        "the stack has overflowed, most likely by a recursion without end".to_owned()
    } else if status.contains("SIGSEGV") || words.starts_with("Segmentation fault") {
        "segmentation fault: memory was used that is not there (a recursion without end does that too)"
            .to_owned()
    } else if words.starts_with("Illegal instruction") || status.contains("SIGILL") {
        "illegal instruction".to_owned()
    } else if words.starts_with("Bus error") || status.contains("SIGBUS") {
        "bus error".to_owned()
    } else if status.contains("SIGABRT") {
        "the code has aborted".to_owned()
    } else if status.contains("SIGKILL") {
        "the process was killed, most likely because memory ran out".to_owned()
    } else {
        format!("the code has ended its process ({status})")
    }
}

const GONE: &str =
    "the process that held your variables is gone. Functions, types and imports are kept;";

/// The end of the process at a time when none of the cell's code ran.
pub fn crash(errors: &[Message], outcome: &Outcome, when: &str) -> Report {
    let what = cause(errors, &outcome.last_words);
    let mut report = Report::new(
        "Crash",
        format!(
            "{when}{what}: {GONE} run the cells again that make the variables. Nothing of this \
             cell has run."
        ),
    );
    report.traceback.extend(last_words(outcome));
    report
}

/// The end of the process by the cell's code.
fn crash_in_code(facts: &Facts<'_>) -> Report {
    let outcome = facts.outcome;
    let what = cause(facts.errors, &outcome.last_words);
    let value = format!("{what}: {GONE} {}", again(facts));
    let mut report = match &outcome.panic {
        Some(panic) => {
            let mut report = located("Crash", &value, panic, facts);
            report
                .traceback
                .insert(1, format!("  after a panic: {}", panic.message));
            report
        }
        None => Report::new("Crash", value),
    };
    report.traceback.extend(last_words(outcome));
    report
}

/// What the process has said, without the crash handler's stack, which is evcxr's own.
fn last_words(outcome: &Outcome) -> impl Iterator<Item = String> {
    let words = outcome
        .last_words
        .lines()
        .take_while(|line| !line.trim_start().starts_with("0: ") && *line != "stack backtrace:");
    words.take(20).map(|line| format!("  {line}"))
}

/// evcxr's own errors: of the compiler, or of a command.
fn evcxr_errors(facts: &Facts<'_>) -> Report {
    let name = if facts.outcome.started.is_some() {
        "Error"
    } else {
        "CompileError"
    };
    let mut values: Vec<&str> = Vec::new();
    let mut traceback: Vec<String> = Vec::new();
    let own_name = format!("command_{}", facts.evcxr_number);
    let our_name = format!("cell [{}]", facts.number);
    let mut seen = Vec::new();
    for error in facts.errors {
        let lines: Vec<String> = error.content["traceback"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(|line| line.replace(&own_name, &our_name))
            .collect();
        let lines = match lines.iter().any(|line| line.contains(&our_name)) {
            true => with_own_lines(lines, &our_name, facts.added),
            false => with_a_place(lines, facts.sources),
        };
        let value = error.content["evalue"].as_str().unwrap_or_default();
        // A name that is missing is reported once for each use.
        if !seen.contains(&(value, lines.clone())) {
            values.push(value);
            traceback.extend(lines.iter().cloned());
            seen.push((value, lines));
        }
    }
    if let Some(name_and_hint) = seen
        .first()
        .filter(|(said, _)| said.contains("cannot be persisted"))
    {
        // evcxr's own advice names nothing of the cell.
        let said = name_and_hint
            .0
            .lines()
            .next()
            .unwrap_or_default()
            .to_owned();
        let mut report = Report::new(name, said);
        let hints = hints(&seen, facts);
        report.traceback.extend(
            hints
                .iter()
                .map(|told| format!("  {BLUE}hint:{PLAIN} {told}")),
        );
        return report;
    }
    if let Some(value) = gone(&values, facts) {
        return Report::new(name, value);
    }
    // Names stand between backticks.
    let named = values
        .iter()
        .flat_map(|value| value.split('`').skip(1).step_by(2));
    if let Some(value) = named
        .into_iter()
        .find_map(|name| facts.definers.explain(name))
    {
        return Report::new(name, value);
    }
    let value = match values[..] {
        [] => "evcxr could not run the cell, and says no more".to_owned(),
        [value] => value.to_owned(),
        [first, ..] => format!("{first} (and {} more)", values.len() - 1),
    };
    if traceback.is_empty() {
        traceback = Report::new(name, value.clone()).traceback;
    }
    for told in hints(&seen, facts) {
        traceback.push(format!("  {BLUE}hint:{PLAIN} {told}"));
    }
    Report {
        name,
        value,
        traceback,
    }
}

/// The compiler's picture of a place with the reader's own lines: their numbers, and in the heads, where evcxr
/// always says 1:1, the first of them.
fn with_own_lines(lines: Vec<String>, cell: &str, added: Option<usize>) -> Vec<String> {
    let head = format!("{cell}:1:1");
    let mut number = None;
    let mut own: Vec<String> = Vec::new();
    // From below, so that a head knows what comes after it.
    for line in lines.into_iter().rev() {
        if line.contains(&head) {
            let place = match number {
                Some(number) => format!("{cell}, line {number}"),
                None => cell.to_owned(),
            };
            own.push(line.replace(&head, &place));
            continue;
        }
        let Some((start, end)) = numbered(&line) else {
            own.push(line);
            continue;
        };
        let (Ok(theirs), width) = (line[start..end].parse::<usize>(), end - start) else {
            own.push(line);
            continue;
        };
        let ours = theirs - usize::from(added.is_some_and(|added| theirs > added));
        number = Some(ours);
        own.push(format!("{}{ours:>width$}{}", &line[..start], &line[end..]));
    }
    own.reverse();
    own
}

/// The same where evcxr gives no numbers: a line of code, perhaps with marks below.
fn with_a_place(lines: Vec<String>, sources: &Sources) -> Vec<String> {
    let first = lines.first().map(String::as_str).unwrap_or_default();
    let Some((cell, line)) = sources.find(first) else {
        return lines;
    };
    let mut own = vec![format!("  {BLUE}cell [{cell}], line {line}{PLAIN}")];
    for (i, text) in lines.iter().enumerate() {
        own.push(match i {
            0 => format!("  {BLUE}{line:4} |{PLAIN} {text}"),
            _ if text.contains('^') => format!("  {BLUE}     |{PLAIN} {text}"),
            _ => text.clone(),
        });
    }
    own
}

/// Where the number stands in a line that shows one of the cell's.
fn numbered(line: &str) -> Option<(usize, usize)> {
    let bar = line.find(" │")?;
    let start = line[..bar]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + 1);
    let gutter = &line[..start];
    let colour = gutter
        .rfind("\u{1b}[")
        .and_then(|at| gutter[at..].find('m').map(|m| at + m + 1));
    let blank = gutter[colour.unwrap_or(0)..].trim().is_empty();
    (start < bar && blank).then_some((start, bar))
}

/// What to write instead, each hint once.
fn hints(seen: &[(&str, Vec<String>)], facts: &Facts<'_>) -> Vec<String> {
    let cell = facts.sources.0.last().map(|(_, code)| code.as_str());
    let mut told = Vec::new();
    for (message, lines) in seen {
        let all = lines.join("\n");
        let cell = cell.unwrap_or_default();
        let own = hint(&Seen {
            message,
            all: &all,
            cell,
        });
        let imports = facts.imports.iter().filter(|(error, _)| error == message);
        let imports = imports.map(|(_, paths)| format!("bring it in by {paths}"));
        let mut proposed: Vec<String> = own.into_iter().chain(imports).collect();
        if proposed.is_empty() && facts.sources.name_the_library() {
            let path = super::library::path(message);
            proposed.extend(path.map(|path| format!("bring it in by `use {path};`")));
        }
        for one in proposed {
            if !told.contains(&one) {
                told.push(one);
            }
        }
    }
    told
}

/// What to say where all that fails is that variables of earlier cells are gone.
fn gone(values: &[&str], facts: &Facts<'_>) -> Option<String> {
    let missing = values.iter().map(|value| {
        let rest = value.strip_prefix("cannot find value `")?;
        rest.split_once('`').map(|(name, _)| name)
    });
    let missing: Vec<&str> = missing.collect::<Option<_>>()?;
    facts.variables.explain(&missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(outcome: &'a Outcome, sources: &'a Sources) -> Facts<'a> {
        static VARIABLES: std::sync::LazyLock<Variables> =
            std::sync::LazyLock::new(Variables::default);
        static DEFINERS: std::sync::LazyLock<Definers> =
            std::sync::LazyLock::new(Definers::default);
        Facts {
            definers: &DEFINERS,
            imports: &[],
            variables: &VARIABLES,
            outcome,
            stopped: None,
            failed: false,
            errors: &[],
            number: 2,
            evcxr_number: 4,
            generated: "",
            added: None,
            sources,
        }
    }

    fn plain(lines: &[String]) -> String {
        lines
            .join("\n")
            .replace(RED, "")
            .replace(BLUE, "")
            .replace(PLAIN, "")
    }

    #[test]
    fn a_panic_points_at_the_cell_it_came_from() {
        let mut sources = Sources::default();
        sources.add(1, "fn f(v: &[i32]) -> i32 {\n    v[7]\n}");
        sources.add(2, "f(&[1])");
        let panic = Panic {
            file: "src/lib.rs".into(),
            line: 3,
            column: 5,
            message: "index out of bounds".into(),
            ..Panic::default()
        };
        let outcome = Outcome {
            panic: Some(panic),
            ..Outcome::default()
        };
        let mut facts = facts(&outcome, &sources);
        facts.generated = "#![allow()]\nfn f(v: &[i32]) -> i32 {\n    v[7]\n}\n";
        let report = report(&facts).expect("a report");
        assert_eq!(
            (report.name, report.value.as_str()),
            ("Panic", "index out of bounds")
        );
        assert_eq!(
            plain(&report.traceback),
            "Panic: index out of bounds\n  cell [1], line 2, column 5\n     1 | fn f(v: &[i32]) -> \
             i32 {\n     2 |     v[7]\n       |     ^"
        );
    }

    #[test]
    fn a_panic_in_a_library_names_its_place_there_and_the_cell() {
        let sources = Sources::default();
        let panic = Panic {
            file: "/home/x/.cargo/registry/src/index.crates.io-1/tch-0.26.0/src/t.rs".into(),
            line: 7,
            message: "Torch(\"sizes differ\\nException raised from f at x.cpp:1".into(),
            ..Panic::default()
        };
        let outcome = Outcome {
            panic: Some(panic),
            ..Outcome::default()
        };
        let report = report(&facts(&outcome, &sources)).expect("a report");
        assert_eq!(
            plain(&report.traceback),
            "Panic: Torch(\"sizes differ\n  tch-0.26.0/src/t.rs, line 7\n  in cell [2]"
        );
        assert_eq!(
            short("/rustc/abc/library/core/src/x.rs"),
            "library/core/src/x.rs"
        );
        assert_eq!(short("../icvae-core/src/x.rs"), "../icvae-core/src/x.rs");
    }

    #[test]
    fn a_question_mark_is_pointed_at_where_there_is_one() {
        let mut sources = Sources::default();
        sources.add(
            2,
            ":dep x\nfn g() -> Option<i32> { None? }\nlet c = \"?\"; // ?\nlet n: i32 = c.parse()?;",
        );
        let outcome = Outcome {
            early_return: Some("ParseIntError".into()),
            ..Outcome::default()
        };
        let report = report(&facts(&outcome, &sources)).expect("a report");
        assert_eq!(report.name, "Error");
        assert!(plain(&report.traceback).contains("cell [2], line 4, column 23"));
    }

    #[test]
    fn equal_errors_of_the_compiler_are_told_once_under_the_cells_own_number() {
        let error = |text: &str| Message {
            content: json!({"evalue": text, "traceback": [format!("[command_4:1:1] {text}")]}),
            ..Message::default()
        };
        let errors = [error("no x"), error("no x"), error("no y")];
        let (outcome, sources) = (Outcome::default(), Sources::default());
        let mut facts = facts(&outcome, &sources);
        (facts.failed, facts.errors) = (true, &errors);
        let report = report(&facts).expect("a report");
        assert_eq!(report.name, "CompileError");
        assert_eq!(report.value, "no x (and 1 more)");
        assert_eq!(report.traceback, ["[cell [2]] no x", "[cell [2]] no y"]);
    }

    #[test]
    fn a_line_of_the_compiler_has_the_readers_number() {
        let theirs = [
            "   \u{1b}[38;5;246m╭─[\u{1b}[0m cell [3]:1:1 ]",
            " \u{1b}[38;5;246m10 │\u{1b}[0m let a = 12 │ 3;",
            " \u{1b}[38;5;240m   │\u{1b}[0m      ─┬─",
            " \u{1b}[38;5;246m 2 │\u{1b}[0m x",
        ];
        let lines = |added| {
            let theirs = theirs.iter().map(|&line| line.to_owned()).collect();
            plain(&with_own_lines(theirs, "cell [3]", added))
        };
        assert_eq!(
            lines(Some(2)),
            "   \u{1b}[38;5;246m╭─[ cell [3], line 9 ]\n \u{1b}[38;5;246m 9 │ let a = 12 │ 3;\n \u{1b}[38;5;240m   │      ─┬─\n \u{1b}[38;5;246m 2 │ x"
        );
        assert_eq!(
            lines(None),
            "   \u{1b}[38;5;246m╭─[ cell [3], line 10 ]\n \u{1b}[38;5;246m10 │ let a = 12 │ 3;\n \u{1b}[38;5;240m   │      ─┬─\n \u{1b}[38;5;246m 2 │ x"
        );
    }

    #[test]
    fn an_error_without_a_number_is_found_by_its_line() {
        let mut sources = Sources::default();
        sources.add(4, "let a = 1;\nlet b = C {\n};");
        let lines = ["let b = C {", "        ^ missing `x`", "missing field"].map(String::from);
        assert_eq!(
            plain(&with_a_place(lines.to_vec(), &sources)),
            "  cell [4], line 2\n     2 | let b = C {\n       |         ^ missing `x`\nmissing field"
        );
        let elsewhere = vec!["let z = 1;".to_owned()];
        assert_eq!(with_a_place(elsewhere.clone(), &sources), elsewhere);
    }

    #[test]
    fn a_crash_is_told_as_what_it_is() {
        let sources = Sources::default();
        for (status, words, what) in [
            ("signal: 6 (SIGABRT)", "", "has aborted"),
            (
                "signal: 6 (SIGABRT)",
                "memory allocation of 9 bytes failed",
                "memory ran out",
            ),
            (
                "signal: 11 (SIGSEGV)",
                "Segmentation fault.\n   0: x",
                "segmentation fault",
            ),
            ("signal: 9 (SIGKILL)", "", "was killed"),
            ("exit status: 3", "", "ended its process (exit status: 3)"),
        ] {
            let errors = [Message {
                content: json!({"evalue": format!("Subprocess terminated with status: {status}")}),
                ..Message::default()
            }];
            let outcome = Outcome {
                died: true,
                last_words: words.into(),
                ..Outcome::default()
            };
            let mut facts = facts(&outcome, &sources);
            (facts.failed, facts.errors) = (true, &errors);
            let report = report(&facts).expect("a report");
            assert_eq!(report.name, "Crash");
            assert!(report.value.contains(what), "{}", report.value);
            assert!(!plain(&report.traceback).contains("0: x"));
        }
    }

    #[test]
    fn nothing_is_reported_where_nothing_failed() {
        let (outcome, sources) = (Outcome::default(), Sources::default());
        assert_eq!(report(&facts(&outcome, &sources)), None);
    }
}
