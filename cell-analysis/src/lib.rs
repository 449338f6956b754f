//! What a notebook's reader gets on Tab and Shift+Tab: completion and explanation of Rust in cells.
//!
//! ```text
//! cells ──lexer.rs, statements.rs──▶ items of the cells ─┐
//! crates' sources ──crates.rs, read.rs─▶ index.rs ◀──────┤
//! assets/std.rs (the standard library's signatures) ─────┘
//!                        │ resolve.rs: paths   ty.rs, members.rs, infer.rs: types
//! code, cursor ──cursor.rs, scope.rs──▶ complete.rs, inspect.rs ──docs.rs, sysroot.rs──▶ answer
//! ```
//!
//! **Why not rust-analyzer.** The one that evcxr usually has in it answers from the thread that compiles the
//! cells, so each question is waited for by the next cell, the first one for seconds, it explains a
//! name only at its end, and it takes minutes to compile; one of the reader's own would be another program to have, and would load the
//! same sources once more. This crate reads the sources of the crates that the notebook names, leaves
//! function bodies out, and answers from signatures. It needs no compiler and a second of one core, in
//! the program beside the kernel that `main.rs` makes of it. (The standard library's it brings along: macros make most of its numbers'
//! methods, and not every toolchain has its sources.) What it does not do: expand macros, check borrows,
//! infer backwards from later lines. It answers with nothing rather than guess.
//!
//! A cell need not parse: names in scope come from the tokens before the cursor, the receiver of a method
//! from the brackets before its dot, and only such small pieces are parsed. The types of variables of
//! earlier cells are known exactly, since evcxr tells them.

mod complete;
mod crates;
mod cursor;
mod docs;
mod index;
mod infer;
mod inspect;
mod lexer;
mod members;
mod read;
mod resolve;
mod scope;
mod statements;
mod sysroot;
mod ty;

use std::path::PathBuf;

pub use complete::{Completion, Completions};
pub use crates::Graph;
use index::{Crate, Data, Id, Index, Mark};
pub use inspect::Explained;
use lexer::{Code, without_commands};
use read::{Features, Reader};

/// The signatures of the standard library that this crate brings along.
const STD: &str = include_str!("../assets/std.rs");

/// A variable that earlier cells have made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its type, as the compiler writes it: with whole paths.
    pub ty: String,
    /// The same for a reader.
    pub shown: String,
    /// Its value, where that is short.
    pub value: Option<String>,
    /// The cell that made it.
    pub cell: Option<u64>,
}

/// All that is known of a notebook's session.
#[derive(Debug)]
pub struct Analysis {
    index: Index,
    /// Up to here is the standard library.
    std: Mark,
    /// Up to here are the crates.
    crates: Mark,
    externs: std::collections::BTreeMap<String, String>,
    /// The cells so far.
    cells: Vec<(u64, String)>,
    root: Id,
    /// Up to here are the cells so far.
    session: Mark,
    variables: Vec<Variable>,
    /// Crates that can be had without a network, each with its version.
    at_hand: Vec<(String, String)>,
    /// The folder of the standard library's documentation.
    documentation: Option<PathBuf>,
}

impl Default for Analysis {
    fn default() -> Self {
        Self::new()
    }
}

impl Analysis {
    /// Knows the standard library, and nothing else yet.
    pub fn new() -> Self {
        let mut index = Index::default();
        let std = index.add_crate(
            "std",
            Crate {
                name: "std".to_owned(),
                ..Crate::default()
            },
        );
        let root = index.crates[std].root;
        Reader::new(&mut index, std, Features::default()).statement(&expanded(STD), root);
        let mark = index.mark();
        let mut new = Self {
            index,
            std: mark,
            crates: mark,
            externs: std::collections::BTreeMap::default(),
            cells: Vec::new(),
            root,
            session: mark,
            variables: Vec::new(),
            at_hand: Vec::new(),
            documentation: None,
        };
        new.read_cells();
        new
    }

    /// Names the folder of the standard library's documentation, as `rustup` installs it
    /// (`share/doc/rust/html` of a toolchain).
    pub fn documented_in(&mut self, folder: PathBuf) {
        self.documentation = Some(folder).filter(|folder| folder.join("std/index.html").is_file());
    }

    /// Names crates that `:dep` can have at once, each with its version.
    pub fn at_hand(&mut self, crates: Vec<(String, String)>) {
        self.at_hand = crates;
    }

    /// Reads the crates of a notebook; those that are known already, and are what they were, are kept.
    pub fn load(&mut self, graph: &Graph) {
        let keep = match crates::changed(&self.index, graph) {
            true => self.std,
            false => self.crates,
        };
        self.index.back_to(keep);
        // A crate that was read may name one that comes only now.
        self.index.read.get_mut().clear();
        crates::load(&mut self.index, graph);
        self.crates = self.index.mark();
        self.externs.clone_from(&graph.externs);
        self.read_cells();
    }

    /// Adds a cell that was accepted.
    pub fn cell(&mut self, number: u64, code: &str) {
        if code.lines().any(|line| line.trim() == ":clear") {
            self.cells.clear();
        }
        self.cells.push((number, code.to_owned()));
        self.read_cells();
    }

    /// Forgets the cells and their variables.
    pub fn forget(&mut self) {
        self.cells.clear();
        self.variables.clear();
        self.read_cells();
    }

    /// Makes sure that nothing of a question is left that was given up.
    pub fn recover(&mut self) {
        self.index.reading.get_mut().clear();
        self.read_cells();
    }

    /// The variables that are there now.
    pub fn variables(&mut self, variables: Vec<Variable>) {
        self.variables = variables;
    }

    fn read_cells(&mut self) {
        self.index.back_to(self.crates);
        let krate = self.index.add_crate(
            "cells",
            Crate {
                name: "crate".to_owned(),
                externs: self.externs.clone(),
                ..Crate::default()
            },
        );
        self.root = self.index.crates[krate].root;
        for (number, code) in &self.cells {
            read_cell(&mut self.index, krate, self.root, *number, code);
        }
        self.session = self.index.mark();
    }

    /// The variables, as names and types.
    fn pairs(&self) -> Vec<(String, String)> {
        let pair = |one: &Variable| (one.name.clone(), one.ty.clone());
        self.variables.iter().map(pair).collect()
    }

    /// Answers a question with the items of the cell at hand added.
    fn with_cell<T>(&mut self, code: &str, answer: impl FnOnce(&Self) -> T) -> T {
        let before = self.index.items[self.root].data.clone();
        let krate = self.index.items[self.root].krate;
        read_cell(&mut self.index, krate, self.root, 0, code);
        let answer = answer(self);
        self.index.back_to(self.session);
        self.index.items[self.root].data = before;
        // What was read of the cells' implementations may name what stands in this cell alone.
        let crates = self.crates;
        self.index.forget_read(crates);
        // Else each text that was parsed is kept for its spans.
        proc_macro2::extra::invalidate_current_thread_spans();
        answer
    }

    /// What can stand at the cursor, given in bytes.
    pub fn complete(&mut self, code: &str, cursor: usize) -> Completions {
        let cursor = floor(code, cursor);
        self.with_cell(code, |known| complete::complete(known, code, cursor))
    }

    /// What stands at the cursor, given in bytes; all of its documentation if `whole`.
    pub fn inspect(&mut self, code: &str, cursor: usize, whole: bool) -> Option<Explained> {
        let cursor = floor(code, cursor);
        self.with_cell(code, |known| inspect::inspect(known, code, cursor, whole))
    }
}

/// The text with what stands between `// each: …` and `// end` once for each word.
fn expanded(text: &str) -> String {
    let mut whole = String::with_capacity(text.len() * 2);
    let mut each: Option<(Vec<&str>, String)> = None;
    for line in text.lines() {
        match (line.trim().strip_prefix("// each: "), &mut each) {
            (Some(words), _) => each = Some((words.split(' ').collect(), String::new())),
            (None, Some((words, body))) if line.trim() == "// end" => {
                whole.extend(words.iter().map(|word| body.replace('$', word)));
                each = None;
            }
            (None, Some((_, body))) => {
                body.push_str(line);
                body.push('\n');
            }
            (None, None) => {
                whole.push_str(line);
                whole.push('\n');
            }
        }
    }
    whole
}

fn read_cell(index: &mut Index, krate: usize, root: Id, number: u64, code: &str) {
    let text = without_commands(code);
    let tokens = Code::new(&text);
    for piece in statements::items(&tokens) {
        let mut reader = Reader::new(index, krate, Features::default());
        reader.cell = Some((number, piece.lines));
        reader.statement(piece.text, root);
    }
    debug_assert!(matches!(index.items[root].data, Data::Module { .. }));
}

/// The last boundary of a character that is not behind this byte.
fn floor(code: &str, mut byte: usize) -> usize {
    byte = byte.min(code.len());
    while !code.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}
