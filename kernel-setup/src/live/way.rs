//! The way from a cell to a panic: the reader's own frames, and others folded.

use super::report::Sources;

/// The calls between two of the reader's frames are named up to this many crates.
const NAMED: usize = 3;

/// A call on the way, the innermost first.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    function: String,
    file: String,
    line: usize,
    column: usize,
}

/// A step of the way that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A place in a cell: its number, line and column, and the function there.
    Cell {
        number: u64,
        line: usize,
        column: usize,
        function: String,
    },
    /// Calls of others: how many, and in which crates.
    Folded(usize, Vec<String>),
}

/// Reads a stack as the standard library prints it: `5: crate::function`, then `at file:line:column`.
fn frames(stack: &str) -> Vec<Frame> {
    let mut frames: Vec<Frame> = Vec::new();
    for line in stack.lines().map(str::trim) {
        if let Some(place) = line.strip_prefix("at ") {
            let mut parts = place.rsplitn(3, ':');
            let column = parts.next().and_then(|n| n.parse().ok());
            let line = parts.next().and_then(|n| n.parse().ok());
            if let (Some(frame), Some(column), Some(line), Some(file)) =
                (frames.last_mut(), column, line, parts.next())
            {
                (frame.file, frame.line, frame.column) = (file.to_owned(), line, column);
            }
        } else if let Some((number, function)) = line.split_once(": ")
            && number.chars().all(|c| c.is_ascii_digit())
        {
            frames.push(Frame {
                function: function.to_owned(),
                file: String::new(),
                line: 0,
                column: 0,
            });
        }
    }
    frames
}

/// The steps from the panic back to the cell. `generated` is the program that evcxr made of the cells.
pub fn steps(stack: &str, generated: &str, sources: &Sources) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let frames = frames(stack);
    // What reports and begins a panic comes first, and evcxr's own loop last.
    let begin = frames
        .iter()
        .rposition(|frame| is_machinery(&frame.function))
        .map_or(0, |last| last + 1);
    let end = frames
        .iter()
        .position(|frame| frame.function.contains("run_user_code_"))
        .map_or(frames.len(), |i| i + 1);
    for frame in frames.get(begin..end).unwrap_or_default() {
        match in_cell(frame, generated, sources) {
            Some(step) => {
                if steps.last() != Some(&step) {
                    steps.push(step);
                }
            }
            None if frame.function.contains("run_user_code_") => {}
            None => {
                let krate = krate(&frame.function);
                match steps.last_mut() {
                    Some(Step::Folded(count, crates)) => {
                        *count += 1;
                        if !crates.contains(&krate) && crates.len() < NAMED {
                            crates.push(krate);
                        }
                    }
                    _ => steps.push(Step::Folded(1, vec![krate])),
                }
            }
        }
    }
    while matches!(steps.last(), Some(Step::Folded(..))) {
        steps.pop();
    }
    steps
}

/// What leads from a panic to the hook, and the hook itself.
fn is_machinery(function: &str) -> bool {
    [
        "std::panicking",
        "core::panicking",
        "std::backtrace",
        "rust_begin_unwind",
        "__rustc::rust_begin_unwind",
        "std::sys::backtrace::__rust_end_short_backtrace",
        "core::option::expect_failed",
        "core::option::unwrap_failed",
        "core::result::unwrap_failed",
        "core::slice::index::slice_",
        "core::str::slice_error_fail",
    ]
    .iter()
    .any(|start| function.trim_start_matches('<').starts_with(start))
}

fn in_cell(frame: &Frame, generated: &str, sources: &Sources) -> Option<Step> {
    if !frame.file.ends_with("src/lib.rs") || krate(&frame.function) != "ctx" {
        return None;
    }
    let text = generated.lines().nth(frame.line.checked_sub(1)?)?;
    let (number, line, column) = sources.place(text, frame.column)?;
    Some(Step::Cell {
        number,
        line,
        column,
        function: own_name(&frame.function),
    })
}

/// The name of a function in a cell; empty for the cell itself.
fn own_name(function: &str) -> String {
    if function.contains("run_user_code_") {
        return String::new();
    }
    let name = function.trim_start_matches('<').trim_start_matches("ctx::");
    let name = name.replace("ctx::", "").replace('>', "");
    name.replace("::{{closure}}", ", a closure")
}

/// The crate of a function: `tch` of `<tch::Tensor as core::ops::Add>::add`.
fn krate(function: &str) -> String {
    function
        .trim_start_matches(['<', '&', '*', ' '])
        .split("::")
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_readers_frames_are_shown_and_others_folded() {
        let mut sources = Sources::default();
        sources.add(
            1,
            "fn pick(v: &[i32]) -> i32 {\n    v.iter().map(|i| 1 / i).sum()\n}",
        );
        sources.add(2, "let a = 1;\npick(&[0])");
        let generated = "#![allow()]\nfn pick(v: &[i32]) -> i32 {\n    v.iter().map(|i| 1 / i).sum()\n}\n\
                         pub extern \"C\" fn run_user_code_4() {\npick(&[0])\n}";
        let stack = "   0: std::backtrace::Backtrace::create\n   1: ctx::attach::{{closure}}\n             at ./src/lib.rs:9:9\n\
                        2: std::panicking::panic_with_hook\n   3: core::panicking::panic_fmt\n             at /rustc/x/core/src/panicking.rs:75:14\n\
                        4: ctx::pick::{{closure}}\n             at ./src/lib.rs:3:22\n\
                        5: core::iter::adapters::map::map_fold::{{closure}}\n             at /rustc/x/map.rs:88:28\n\
                        6: <alloc::vec::Vec<T> as x>::y\n   7: ctx::pick\n             at ./src/lib.rs:3:5\n\
                        8: ctx::run_user_code_4::{{closure}}\n             at ./src/lib.rs:6:1\n\
                        9: run_user_code_4\n             at ./src/lib.rs:5:1\n  10: icvae_cells\n  11: main\n";
        let cell = |number, line, column, function: &str| Step::Cell {
            number,
            line,
            column,
            function: function.to_owned(),
        };
        assert_eq!(
            steps(stack, generated, &sources),
            [
                cell(1, 2, 22, "pick, a closure"),
                Step::Folded(2, vec!["core".into(), "alloc".into()]),
                cell(1, 2, 5, "pick"),
                cell(2, 2, 1, ""),
            ]
        );
    }
}
