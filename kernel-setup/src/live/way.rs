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
        .position(|frame| frame.function.contains("run_user_code_") && frame.is_own())
        .unwrap_or(frames.len());
    for frame in frames.get(begin..end).unwrap_or_default() {
        if let Some(step) = in_cell(frame, generated, sources) {
            if steps.last() != Some(&step) {
                steps.push(step);
            }
            continue;
        }
        let krate = frame.krate();
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

impl Frame {
    /// Whether it lies in the program that evcxr makes of the cells.
    fn is_own(&self) -> bool {
        self.file.ends_with("/src/lib.rs") && self.library().is_none()
    }

    /// The library whose source it lies in: `tch-0.26.0`, `core`.
    fn library(&self) -> Option<&str> {
        let after = |mark| self.file.split_once(mark).map(|(_, rest)| rest);
        let registry = after("/registry/src/").and_then(|rest| rest.split_once('/'));
        let rest = registry
            .map(|(_, rest)| rest)
            .or(after("/git/checkouts/"))
            .or(after("/library/"))?;
        rest.split('/').next()
    }

    /// The crate that it lies in.
    fn krate(&self) -> String {
        if let Some(library) = self.library() {
            let version = library
                .match_indices('-')
                .find(|(i, _)| library[i + 1..].starts_with(|c: char| c.is_ascii_digit()));
            return version.map_or(library, |(i, _)| &library[..i]).to_owned();
        }
        if let Some((folder, _)) = self.file.split_once("/src/") {
            return folder.rsplit('/').next().unwrap_or_default().to_owned();
        }
        self.function
            .trim_start_matches(['<', '&', '*', ' '])
            .split("::")
            .next()
            .unwrap_or_default()
            .to_owned()
    }
}

fn in_cell(frame: &Frame, generated: &str, sources: &Sources) -> Option<Step> {
    if !frame.is_own() {
        return None;
    }
    let text = generated.lines().nth(frame.line.checked_sub(1)?)?;
    let (number, line, column) = sources
        .place(text, frame.column)
        .or_else(|| sources.within(text))?;
    // A cell's own code is a closure to the compiler, and so is a reader's closure.
    let name = frame.function.split('<').next().unwrap_or_default();
    let function = match name.contains("closure") {
        true => String::new(),
        false => name.rsplit("::").next().unwrap_or_default().to_owned(),
    };
    Some(Step::Cell {
        number,
        line,
        column,
        function,
    })
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
        let own = "/b/0/src/lib.rs";
        let core = "/r/lib/rustlib/src/rust/library/core/src/iter.rs";
        let stack = format!(
            "   0: std::backtrace::Backtrace::create\n   1: {{closure#1}}\n             at {own}:9:9\n\
             2: std::panicking::panic_with_hook\n   3: core::panicking::panic_fmt\n             at /rustc/x/library/core/src/panicking.rs:75:14\n\
             4: {{closure#0}}\n             at {own}:3:22\n\
             5: map_fold<i32, f>\n             at {core}:88:28\n\
             6: forward\n             at /c/registry/src/i-1/tch-0.26.0/src/lib.rs:1:1\n   7: pick\n             at {own}:3:5\n\
             8: {{closure#0}}\n             at {own}:6:1\n   9: catch_unwind\n             at {core}:1:1\n\
             10: run_user_code_4\n             at {own}:5:1\n  11: icvae_cells\n  12: main\n"
        );
        let cell = |number, line, column, function: &str| Step::Cell {
            number,
            line,
            column,
            function: function.to_owned(),
        };
        assert_eq!(
            steps(&stack, generated, &sources),
            [
                cell(1, 2, 22, ""),
                Step::Folded(2, vec!["core".into(), "tch".into()]),
                cell(1, 2, 5, "pick"),
                cell(2, 2, 1, ""),
            ]
        );
    }
}
