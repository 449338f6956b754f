//! `cell-analysis`: answers what Jupyter asks on Tab and Shift+Tab, line by line on its standard streams.
//!
//! A program of its own and no thread of the kernel: what an odd cell does to it costs an answer and not the
//! reader's variables, and the kernel, which every newcomer waits for, is compiled without it.
//!
//! Each line that it reads is an object with one of these keys:
//!
//! | key | meaning |
//! |---|---|
//! | `crates` | a folder: crates may have been added to the manifest in it |
//! | `cell` | `[number, code]` of a cell that was accepted |
//! | `variables` | the variables that are there now: `name`, `type`, and where they are known `value` and `cell` |
//! | `forget` | everything that cells have made is gone |
//! | `question` | a number, with `kind` and `content` of a request of Jupyter's |
//!
//! Each question is answered by a line with its number as `answer` and the reply as `content`, or null
//! where nothing is known.

mod reply;
mod toolchain;

use std::io::{BufRead, Write};
use std::panic::AssertUnwindSafe;
use std::path::Path;

use cell_analysis::{Analysis, Variable};
use serde_json::{Value, json};

/// Parsing goes deep where code does.
const STACK: usize = 64 << 20;

fn main() -> std::io::Result<()> {
    let thread = std::thread::Builder::new()
        .stack_size(STACK)
        .spawn(|| work(std::io::stdin().lock(), std::io::stdout().lock()))?;
    thread
        .join()
        .unwrap_or_else(|_| Err(std::io::Error::other("the analysis has broken off")))
}

fn begun() -> Analysis {
    let mut analysis = Analysis::new();
    if let Some(folder) = toolchain::documentation() {
        analysis.documented_in(folder);
    }
    analysis.at_hand(toolchain::crates_at_hand());
    analysis
}

/// Does what the lines say, until there are no more.
fn work(lines: impl BufRead, mut answers: impl Write) -> std::io::Result<()> {
    let mut analysis = begun();
    for line in lines.lines() {
        let task: Value = serde_json::from_str(&line?).unwrap_or_default();
        let done = AssertUnwindSafe(|| act(&mut analysis, &task));
        let answer = std::panic::catch_unwind(done).unwrap_or_else(|_| {
            eprintln!("a question about a cell could not be answered");
            let rest = AssertUnwindSafe(|| analysis.recover());
            if std::panic::catch_unwind(rest).is_err() {
                analysis = begun();
            }
            Value::Null
        });
        if task["question"].is_u64() {
            let answer = json!({"answer": task["question"], "content": answer});
            writeln!(answers, "{answer}")?;
            answers.flush()?;
        }
    }
    Ok(())
}

/// Does one task; what it returns is the reply if it is a question.
fn act(analysis: &mut Analysis, task: &Value) -> Value {
    if task["question"].is_u64() {
        return reply::to(analysis, task);
    }
    if let Some(folder) = task["crates"].as_str() {
        if let Some(graph) = toolchain::graph(Path::new(folder)) {
            analysis.load(&graph);
        }
    } else if let (Some(number), Some(code)) = (task["cell"][0].as_u64(), task["cell"][1].as_str())
    {
        if reply::is_readable(code) {
            analysis.cell(number, code);
        }
    } else if let Some(variables) = task["variables"].as_array() {
        analysis.variables(variables.iter().map(variable).collect());
    } else if !task["forget"].is_null() {
        analysis.forget();
    }
    Value::Null
}

fn variable(told: &Value) -> Variable {
    let text = |key: &str| told[key].as_str().map(str::to_owned);
    Variable {
        name: text("name").unwrap_or_default(),
        ty: text("type").unwrap_or_default(),
        shown: text("shown").unwrap_or_default(),
        value: text("value"),
        cell: told["cell"].as_u64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(lines: &[Value]) -> Vec<Value> {
        let text: Vec<String> = lines.iter().map(Value::to_string).collect();
        let mut written = Vec::new();
        work(text.join("\n").as_bytes(), &mut written).unwrap();
        let read = |line: &str| serde_json::from_str(line).unwrap();
        String::from_utf8(written)
            .unwrap()
            .lines()
            .map(read)
            .collect()
    }

    fn complete(number: u64, code: &str) -> Value {
        let content = json!({"code": code, "cursor_pos": code.chars().count()});
        json!({"question": number, "kind": "complete_request", "content": content})
    }

    #[test]
    fn questions_are_answered_by_what_was_told_before_them() {
        let told = answers(&[
            json!({"cell": [1, "fn twice(x: f64) -> f64 { 2.0 * x }"]}),
            json!({"variables": [{"name": "strength", "type": "f64", "shown": "f64", "value": "1.5", "cell": 2}]}),
            complete(7, "let y = twi"),
            complete(8, "let y = stren"),
            json!({"forget": true}),
            complete(9, "let y = twi"),
        ]);
        assert_eq!(told[0]["answer"], 7);
        assert_eq!(told[0]["content"]["matches"][0], "twice");
        assert_eq!(told[1]["content"]["matches"][0], "strength");
        assert_eq!(
            (&told[2]["answer"], &told[2]["content"]["matches"]),
            (&json!(9), &json!([]))
        );
    }

    #[test]
    fn lines_that_say_nothing_are_passed_over() {
        let mut written = Vec::new();
        let question = complete(1, "String::fro").to_string();
        let lines = format!("\n{{\n[]\n{{\"cell\": 3}}\n{{\"question\": \"x\"}}\n{question}\n");
        work(lines.as_bytes(), &mut written).unwrap();
        assert_eq!(String::from_utf8(written).unwrap().lines().count(), 1);
    }
}
