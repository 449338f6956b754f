//! The types of a cell's variables, from the compiler.
//!
//! evcxr has made a program of the cell, in whose last lines it hands each variable over. Before those lines go
//!
//! ```text
//! return Ok(());
//! #[warn(dropping_references)] {
//! ::core::mem::drop(&loss);
//! }
//! ```
//!
//! and the compiler warns that `argument has type &tch::Tensor`, a type that is final by then and written so that a
//! program can name it. It hears of nothing behind a `return`: not that `loss` was moved or is borrowed. Where the
//! cell itself has an error it warns of nothing; then it is asked again, by demands that no type meets: `the trait
//! bound tch::Tensor: EvcxrType is not satisfied`. evcxr needs the types then, too: without them the compiler, when it
//! compiles the cell, would stop at what evcxr wrote, before it comes to what its reader borrowed twice.
//!
//! How the compiler is started, cargo knows. It starts this program in its place (`RUSTC_WORKSPACE_WRAPPER`), which
//! gives it the other source, has it make no code, and keeps what it says.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use ra_ap_syntax::ast::{self, AstNode, HasModuleItem, HasName};
use ra_ap_syntax::{Edition, SourceFile};
use serde_json::Value;

/// Where the compiler's words go; set where this program is started as the compiler.
pub const ANSWER: &str = "EVCXR_TYPES";
/// The function that evcxr makes of a cell, and the one to which it hands variables over.
const CELL: &str = "evcxr_analysis_wrapper";
const STORE: &str = "evcxr_variable_store";
/// How evcxr shows a cell's last value: first so, and if its type has no such method, otherwise.
const SHOW: &str = ".evcxr_display();";
/// What cargo calls a cell, and where evcxr puts it.
const CRATE: &str = "ctx";
const SOURCE: &str = "src/lib.rs";
/// The program with the questions, beside evcxr's own.
const QUESTIONS: &str = "src/types.rs";
/// Where the compiler keeps what it has found out, from one cell to the next.
const KEPT: &str = "target/incremental";

/// What the compiler said of a program.
#[derive(Debug)]
pub enum Answer {
    /// The types of its variables.
    Types(HashMap<String, String>),
    /// That it has errors.
    Errors,
    /// Nothing: it could not be asked.
    Nothing,
}

/// A way of asking.
#[derive(Debug)]
struct Way {
    /// What goes before the questions, how each begins, and what the program ends in.
    before: &'static str,
    question: &'static str,
    end: &'static str,
    /// The answer's code, and what stands before and behind the type in its words.
    code: &'static str,
    around: (&'static str, &'static str),
}

/// By a warning: it comes last of all, and the compiler keeps what it has found out for the next cell.
const WARNING: Way = Way {
    before: "#[warn(dropping_references)] {",
    question: "::core::mem::drop",
    end: "",
    code: "dropping_references",
    around: ("argument has type `&", "`"),
};

/// By an error, which comes whatever is borrowed or moved.
const ERROR: Way = Way {
    before: "{",
    question: "evcxr_type",
    end: " trait EvcxrType {} fn evcxr_type<T: EvcxrType + ?Sized>(_: &T) {}",
    code: "E0277",
    around: ("the trait bound `", ": EvcxrType` is not satisfied"),
};

/// Asks for the types of all variables that a program's cell defines.
pub fn ask(program: &str, folder: &Path) -> Answer {
    let Some((start, names, end)) = parts(program) else {
        return Answer::Nothing;
    };
    let mut answer = Answer::Nothing;
    for way in [&WARNING, &ERROR] {
        let text = way.program(start, &names, end);
        let Some(said) = said(&text, folder) else {
            return answer;
        };
        // They stand in the last lines but those behind them.
        let first = text.matches('\n').count() - end.matches('\n').count() - names.len();
        answer = way.read(&said, first, &names);
        if matches!(answer, Answer::Types(_)) {
            return answer;
        }
    }
    answer
}

/// The program up to the place for questions, the names of the variables, and the rest; nothing where there is no variable.
fn parts(program: &str) -> Option<(&str, Vec<String>, &str)> {
    let file = SourceFile::parse(program, Edition::Edition2024).tree();
    let cell = file.items().find_map(|item| match item {
        ast::Item::Fn(function) if function.name()?.text() == CELL => function.body(),
        _ => None,
    })?;
    let mut names: Vec<String> = Vec::new();
    let mut end = cell.tail_expr()?.syntax().text_range().start();
    for statement in cell.statements() {
        match &statement {
            ast::Stmt::LetStmt(variables) => {
                for pattern in variables.pat()?.syntax().descendants() {
                    let name = ast::IdentPat::cast(pattern).and_then(|pattern| pattern.name());
                    names.extend(name.map(|name| name.text().to_string()));
                }
            }
            ast::Stmt::ExprStmt(call) if is_store(call) => {
                end = end.min(statement.syntax().text_range().start());
            }
            _ => {}
        }
    }
    names.sort();
    names.dedup();
    // The path of an enum's variant or a constant looks like a name.
    names.retain(|name| !name.starts_with(|letter: char| letter.is_uppercase()));
    if names.is_empty() {
        return None;
    }
    let (before, after) = program.split_at(end.into());
    let before = before.trim_end();
    // Without it the value is as good, and no error if it can't be shown so.
    let before = before.strip_suffix(SHOW).unwrap_or(before);
    Some((before, names, after))
}

impl Way {
    /// The program with questions, each in a line.
    fn program(&self, start: &str, names: &[String], end: &str) -> String {
        let ask = |name: &String| format!("{}(&{name});\n", self.question);
        let questions: String = names.iter().map(ask).collect();
        format!(
            "{start};\nreturn Ok(());\n{}\n{questions}}}\n{end}{}",
            self.before, self.end
        )
    }

    /// Reads the compiler's messages; the first question stands in line `first`.
    fn read(&self, said: &str, first: usize, names: &[String]) -> Answer {
        let messages = said.lines().map(serde_json::from_str::<Value>);
        let messages: Vec<Value> = messages.filter_map(Result::ok).collect();
        let mut types = HashMap::new();
        for message in &messages {
            if message["code"]["code"] != self.code {
                continue;
            }
            let spans = message["spans"].as_array();
            for span in spans.into_iter().flatten() {
                let line = span["line_start"].as_u64();
                let index = line.and_then(|line| usize::try_from(line).ok()?.checked_sub(first));
                let words = [&span["label"], &message["message"]];
                let found = words.iter().find_map(|words| {
                    let (_, ty) = words.as_str()?.split_once(self.around.0)?;
                    Some(ty.rsplit_once(self.around.1)?.0)
                });
                if let (Some(name), Some(ty)) = (index.and_then(|index| names.get(index)), found) {
                    types.insert(name.clone(), of_function(ty).to_owned());
                }
            }
        }
        // One without a place is not about the program: the compiler may not know an option any more.
        let placed = |message: &Value| message["spans"].as_array().is_some_and(|at| !at.is_empty());
        let mut wrong = messages.iter().filter(|one| one["level"] == "error");
        let errors = wrong.any(placed);
        if types.is_empty() && errors {
            return Answer::Errors;
        }
        if errors {
            // Of what has an error itself nothing is said. Then any type will do: the compiler says what is wrong
            // when evcxr has it compile the cell.
            for name in names {
                types.entry(name.clone()).or_insert_with(|| "()".to_owned());
            }
        }
        Answer::Types(types)
    }
}

/// Whether evcxr hands a variable over here.
fn is_store(statement: &ast::ExprStmt) -> bool {
    let Some(ast::Expr::CallExpr(call)) = statement.expr() else {
        return false;
    };
    call.expr()
        .is_some_and(|function| function.syntax().text() == STORE)
}

/// What the compiler says of a program; nothing if it was not even started.
fn said(text: &str, folder: &Path) -> Option<String> {
    static HOST: OnceLock<Option<String>> = OnceLock::new();
    let host = HOST.get_or_init(host).as_ref()?;
    let answer = folder.join("types.json");
    fs::write(folder.join(QUESTIONS), text).ok()?;
    let _ = fs::remove_file(&answer);
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--target", host, "--message-format=json"])
        .current_dir(folder)
        // As evcxr itself sets them.
        .env("CARGO_TARGET_DIR", "target")
        .env("CARGO_BUILD_BUILD_DIR", "target")
        .env("RUSTFLAGS", "-Cprefer-dynamic")
        .env("RUSTC_WORKSPACE_WRAPPER", env::current_exe().ok()?)
        .env(ANSWER, &answer)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut cargo = cargo.spawn().ok()?;
    for line in BufReader::new(cargo.stderr.take()?).lines() {
        let line = line.ok()?;
        // It may be the first to compile a crate, which takes its time; that it made no program it need not say.
        if line.trim_start().starts_with("Compiling ") {
            eprintln!("{line}");
        }
    }
    cargo.wait().ok()?;
    fs::read_to_string(answer).ok()
}

/// The compiler's name for this machine.
fn host() -> Option<String> {
    let said = Command::new("rustc").arg("-vV").output().ok()?;
    let said = String::from_utf8(said.stdout).ok()?;
    let mut lines = said.lines();
    lines.find_map(|line| Some(line.strip_prefix("host: ")?.to_owned()))
}

/// The type of a function, `fn(i32) -> i32 {twice}`, as one that can be written.
fn of_function(ty: &str) -> &str {
    match ty.strip_suffix('}').and_then(|ty| ty.rsplit_once(" {")) {
        Some((pointer, _)) if pointer.contains("fn(") => pointer,
        _ => ty,
    }
}

/// Acts as the compiler, if this program was started as that: how it ended.
pub fn act() -> Option<i32> {
    let answer = env::var_os(ANSWER)?;
    let mut arguments = env::args().skip(1);
    let compiler = arguments.next()?;
    let arguments: Vec<String> = arguments.collect();
    let is_cell = arguments
        .windows(2)
        .any(|pair| pair == ["--crate-name", CRATE]);
    let mut command = Command::new(compiler);
    if !is_cell {
        // cargo asks who it is.
        let ended = command.args(arguments).status().ok()?;
        return Some(ended.code().unwrap_or(1));
    }
    let kept = Path::new(&answer).parent()?.join(KEPT);
    fs::create_dir_all(&kept).ok()?;
    let told = command
        .args(without_code(arguments, &kept))
        // Full paths, as a program can name them, are an option of the next compiler.
        .args(["--verbose", "-Ztrim-diagnostic-paths=no"])
        .env("RUSTC_BOOTSTRAP", "1")
        // Where evcxr has the compiler started by this program, too (`:cache`), that is what it is from here on.
        .env_remove(ANSWER)
        .stderr(Stdio::piped())
        .output()
        .ok()?;
    let _ = fs::write(&answer, told.stderr);
    // Nothing was made that cargo could keep.
    Some(1)
}

/// The compiler's arguments, for the program with questions, of which no code is made.
fn without_code(arguments: Vec<String>, kept: &Path) -> Vec<String> {
    arguments
        .into_iter()
        .map(|argument| {
            if argument == SOURCE {
                QUESTIONS.to_owned()
            } else if argument.starts_with("--emit=") {
                format!("--emit=metadata={}", kept.join("types.rmeta").display())
            } else if argument.starts_with("incremental=") {
                // What the compiler remembers of a cell that it makes code of stays that.
                format!("incremental={}", kept.join("types").display())
            } else {
                argument
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "\
async fn evcxr_analysis_wrapper(mut old: u8,) -> Result<(), EvcxrUserCodeError> {
    let (b, Some(a)) = pair else { return Ok(()) };
    let Point { x, y: z } = { let hidden = 1; point };
    if let Some(inner) = old { let deeper = inner; }
evcxr_variable_store(old);
evcxr_variable_store(a);
Ok(())
}";

    #[test]
    fn variables_are_asked_for_before_they_are_handed_over() {
        let shown = PROGRAM.replace(
            "\nevcxr_variable_store(old)",
            "\n(b + 1).evcxr_display();\nevcxr_variable_store(old)",
        );
        let (start, names, end) = parts(&shown).unwrap();
        let text = WARNING.program(start, &names, end);
        assert!(text.contains("(b + 1);\nreturn Ok(());\n"), "{text}");
        let (start, names, end) = parts(PROGRAM).unwrap();
        assert_eq!(names, ["a", "b", "x", "z"]);
        let text = ERROR.program(start, &names, end);
        let (before, after) = text.split_once("evcxr_type(&a);\n").unwrap();
        assert!(before.ends_with("return Ok(());\n{\n"));
        assert!(after.find("(&z)").unwrap() < after.find("evcxr_variable_store(old)").unwrap());
        assert_eq!(parts("fn evcxr_analysis_wrapper() { Ok(()) }"), None);
        assert_eq!(parts("fn other() { let a = 1; Ok(()) }"), None);
    }

    #[test]
    fn each_type_goes_to_its_line() {
        let told = |line: u32, ty: &str| {
            format!(
                r#"{{"level": "warning", "code": {{"code": "dropping_references"}},
                    "spans": [{{"line_start": {line}, "label": null}},
                              {{"line_start": {line}, "label": "argument has type `{ty}`"}}]}}"#
            )
            .replace('\n', " ")
        };
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let said = [
            told(8, "&std::vec::Vec<&str>"),
            told(9, "&fn(i32) -> i32 {twice}"),
            told(10, "&&dyn for<'a> std::ops::Fn(&'a u8)"),
            told(99, "&u8"),
            "no JSON".to_owned(),
        ];
        let Answer::Types(types) = WARNING.read(&said.join("\n"), 8, &names) else {
            panic!("no types");
        };
        assert_eq!(types["a"], "std::vec::Vec<&str>");
        assert_eq!(types["b"], "fn(i32) -> i32");
        assert_eq!(types["c"], "&dyn for<'a> std::ops::Fn(&'a u8)");
        assert_eq!(types.len(), 3);
        let error = |code: &str, line: u32, message: &str| {
            format!(
                r#"{{"level": "error", "code": {{"code": "{code}"}}, "message": "{message}",
                    "spans": [{{"line_start": {line}, "label": "the trait"}}]}}"#
            )
            .replace('\n', " ")
        };
        let own = error("E0382", 3, "use of moved value");
        assert!(matches!(WARNING.read(&own, 8, &names), Answer::Errors));
        let general = r#"{"level": "error", "code": null, "message": "unknown unstable option", "spans": []}"#;
        let Answer::Types(none) = ERROR.read(general, 8, &names) else {
            panic!("taken for an error of the cell");
        };
        assert!(none.is_empty());
        let met = error(
            "E0277",
            9,
            "the trait bound `[f64; 2]: EvcxrType` is not satisfied",
        );
        let Answer::Types(types) = ERROR.read(&format!("{own}\n{met}"), 8, &names) else {
            panic!("no types");
        };
        assert_eq!((&*types["b"], &*types["c"]), ("[f64; 2]", "()"));
    }

    #[test]
    fn no_code_is_made() {
        let arguments = "--crate-name ctx src/lib.rs --emit=dep-info,link -C incremental=/b/target/i -C opt-level=0";
        let arguments = arguments.split(' ').map(str::to_owned).collect();
        let expected = "--crate-name ctx src/types.rs --emit=metadata=/k/types.rmeta -C incremental=/k/types -C opt-level=0";
        assert_eq!(without_code(arguments, Path::new("/k")).join(" "), expected);
    }
}
