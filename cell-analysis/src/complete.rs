//! What can stand at the cursor.

use std::ops::Range;

use super::Analysis;
use super::cursor::{self, At, KEYWORDS, Spot};
use super::index::{Data, Id, Item, Kind};
use super::infer::{Infer, names_of};
use super::lexer::{Code, without_commands};
use super::members::Member;
use super::scope::Scope;
use super::ty::Ty;

/// One thing that can be typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// What is inserted.
    pub text: String,
    /// What kind of thing it is, in a word.
    pub kind: &'static str,
    /// Its signature or type, on one line.
    pub signature: String,
}

/// All that can be typed, the most likely first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completions {
    /// The bytes that are replaced.
    pub replaced: Range<usize>,
    /// What can stand there.
    pub items: Vec<Completion>,
}

/// More are of no use to anybody.
const MOST: usize = 2000;

/// A candidate, and how far behind it comes.
struct Candidate {
    rank: u32,
    completion: Completion,
}

struct Collector<'a> {
    known: &'a Analysis,
    prefix: String,
    found: Vec<Candidate>,
}

pub fn complete(known: &Analysis, cell: &str, cursor: usize) -> Completions {
    let text = without_commands(cell);
    let code = Code::new(&text);
    let none = Completions {
        replaced: cursor..cursor,
        items: Vec::new(),
    };
    let Some(at) = cursor::at(cell, &code, cursor) else {
        return none;
    };
    let start = at.name.start.min(cursor);
    let mut collector = Collector {
        known,
        prefix: cell[start..cursor].to_owned(),
        found: Vec::new(),
    };
    collector.collect(&code, &at, cursor);
    Completions {
        replaced: start..cursor,
        items: collector.sorted(),
    }
}

impl<'a> Collector<'a> {
    fn collect(&mut self, code: &Code<'_>, at: &At, cursor: usize) {
        let scope = Scope::at(code, cursor);
        let pairs = self.known.pairs();
        let infer = Infer::new(&self.known.index, self.known.root, &scope, &pairs);
        match &at.spot {
            Spot::Command(line) => self.commands(line),
            Spot::New => {}
            Spot::Member(receiver) => {
                let ty = infer.text(receiver, &infer.env());
                let ty = match ty {
                    Ty::Unknown => infer.text(&without_arguments(receiver), &infer.env()),
                    ty => ty,
                };
                self.members(&ty);
            }
            Spot::Path(path) => self.path(path, &infer),
            Spot::Use(path) => self.imports(path),
            Spot::Field(path, written) => {
                self.fields(path, written, &infer);
                self.names(&scope, &infer, false);
            }
            Spot::Attribute { derive: true } => self.derives(),
            Spot::Attribute { derive: false } => {
                let attributes = [
                    "derive",
                    "allow",
                    "cfg",
                    "test",
                    "inline",
                    "must_use",
                    "repr",
                    "non_exhaustive",
                    "doc",
                    "deprecated",
                ];
                for name in attributes {
                    self.add(0, name, "attribute", String::new());
                }
            }
            Spot::Type => self.names(&scope, &infer, true),
            Spot::Name => self.names(&scope, &infer, false),
        }
    }

    /// Whether a name goes on as what stands there begins.
    fn begins(&self, name: &str) -> bool {
        let folded = || name.to_lowercase().starts_with(&self.prefix.to_lowercase());
        name.starts_with(&self.prefix) || folded()
    }

    fn add(&mut self, rank: u32, text: &str, kind: &'static str, signature: String) {
        let exact = text.starts_with(&self.prefix);
        if !self.begins(text) {
            return;
        }
        self.found.push(Candidate {
            rank: rank + if exact { 0 } else { 1000 },
            completion: Completion {
                text: text.to_owned(),
                kind,
                signature,
            },
        });
    }

    fn sorted(mut self) -> Vec<Completion> {
        // The order in which they were added decides among equals, as with fields.
        self.found.sort_by_key(|candidate| candidate.rank);
        let mut items: Vec<Completion> = Vec::new();
        let mut seen = std::collections::HashSet::new();
        for candidate in self.found {
            if seen.insert(candidate.completion.text.clone()) {
                items.push(candidate.completion);
            }
            if items.len() == MOST {
                break;
            }
        }
        items
    }

    fn item(&mut self, rank: u32, name: &str, id: Id) {
        let item = &self.known.index.items[id];
        if item.hidden && !self.is_own(item) {
            return;
        }
        let text = match item.kind {
            Kind::Macro => format!("{name}!"),
            _ => name.to_owned(),
        };
        let signature = match item.kind {
            Kind::Struct | Kind::Enum | Kind::Macro => item
                .declared
                .lines()
                .next()
                .unwrap_or_default()
                .trim_end_matches(" {")
                .to_owned(),
            _ => one_line(&item.declared),
        };
        self.add(rank, &text, item.kind.name(), signature);
    }

    fn is_own(&self, item: &Item) -> bool {
        item.krate == self.known.index.items[self.known.root].krate
    }

    fn sees(&self, id: Id) -> bool {
        let item = &self.known.index.items[id];
        item.public || self.is_own(item)
    }

    /// Fields first, then methods of the type, then those of traits.
    fn members(&mut self, ty: &Ty) {
        let index = &self.known.index;
        if let Ty::Tuple(parts) = ty.peeled() {
            for (number, ty) in parts.iter().enumerate() {
                self.add(0, &number.to_string(), "field", index.show(ty));
            }
        }
        for (id, ty) in index.fields(ty) {
            if self.sees(id) && !index.items[id].hidden {
                self.add(0, &index.items[id].name.clone(), "field", index.show(&ty));
            }
        }
        let mut methods: Vec<Member> = index
            .methods(ty)
            .into_iter()
            .filter(|member| self.sees(member.id) && !index.items[member.id].hidden)
            .filter(|member| {
                member.by.is_none_or(|by| {
                    self.is_local_bound(ty, by) || index.trait_in_scope(self.known.root, by)
                })
            })
            .collect();
        methods.sort_by(|a, b| index.items[a.id].name.cmp(&index.items[b.id].name));
        for member in methods {
            let item = &index.items[member.id];
            let rank = match member.by {
                // What its author has explained comes before what a program has written.
                None => 100 + seldom(&item.name) + u32::from(item.docs.is_empty()),
                Some(by) if index.items[by].krate == 0 => 300 + self.common(by),
                Some(_) => 200,
            };
            let name = item.name.clone();
            self.item(rank, &name, member.id);
        }
        if let Ty::Bounds(bounds, _) = ty
            && bounds
                .iter()
                .any(|bound| index.items[bound.id].name == "Future")
        {
            self.add(50, "await", "keyword", "waits for the future".to_owned());
        }
    }

    /// Traits that every type has come last.
    fn common(&self, by: Id) -> u32 {
        match self.known.index.items[by].name.as_str() {
            "Iterator" => 0,
            "Clone" | "ToString" => 10,
            _ => 20,
        }
    }

    /// Methods of `impl Trait` and of bounded parameters need no import.
    fn is_local_bound(&self, ty: &Ty, by: Id) -> bool {
        match ty.peeled() {
            Ty::Bounds(bounds, _) => bounds.iter().any(|bound| {
                self.known
                    .index
                    .with_supers(bound, ty)
                    .iter()
                    .any(|one| one.id == by)
            }),
            _ => false,
        }
    }

    fn path(&mut self, path: &str, infer: &Infer<'_>) {
        let index = &self.known.index;
        let parts = path_parts(path);
        let viewer = index.items[self.known.root].krate;
        let (found, used) = index.resolve(self.known.root, &parts);
        let mut types = Vec::new();
        for id in found.iter().filter(|_| used == parts.len()) {
            match &index.items[*id].data {
                Data::Module { .. } => {
                    for (name, id) in index.all_in(*id, viewer) {
                        let rank = rank_in_module(index.items[id].kind);
                        self.item(rank, &name, id);
                    }
                }
                _ => types.push(*id),
            }
        }
        let ty = infer.type_of_text(path);
        if types.is_empty() && !ty.is_known() {
            return;
        }
        let ty = match (&ty, types.first()) {
            (Ty::Unknown, Some(id)) => index.with_arguments(*id, Vec::new()),
            _ => ty,
        };
        for member in index.behind_type(&ty) {
            let item = &index.items[member.id];
            if !self.sees(member.id) {
                continue;
            }
            let base = match (item.kind, item.kind == Kind::Method) {
                (Kind::Variant, _) => 0,
                (_, false) => 10,
                _ => 30,
            };
            let from_trait = match member.by {
                None => seldom(&item.name),
                Some(by) if !index.trait_in_scope(self.known.root, by) => continue,
                Some(_) => 100,
            };
            let name = item.name.clone();
            self.item(base + from_trait, &name, member.id);
        }
    }

    fn imports(&mut self, path: &[String]) {
        let index = &self.known.index;
        let viewer = index.items[self.known.root].krate;
        if path.is_empty() {
            for name in self.known.externs.keys() {
                if let Some(id) = index.external(viewer, name) {
                    self.item(0, name, id);
                } else {
                    self.add(0, name, "crate", String::new());
                }
            }
            self.item(1, "std", index.std());
            for word in ["crate", "self"] {
                self.add(2, word, "keyword", String::new());
            }
            for (name, id) in index.all_in(self.known.root, viewer) {
                if index.items[id].kind.is_container() {
                    self.item(3, &name, id);
                }
            }
            return;
        }
        let (found, used) = index.resolve(self.known.root, path);
        for id in found.into_iter().filter(|_| used == path.len()) {
            for (name, id) in index.all_in(id, viewer) {
                let rank = rank_in_module(index.items[id].kind);
                // A macro is imported without its mark.
                if index.items[id].kind == Kind::Macro {
                    let signature = index.items[id].declared.lines().next().unwrap_or_default();
                    self.add(rank, &name, "macro", signature.to_owned());
                } else {
                    self.item(rank, &name, id);
                }
            }
        }
        self.add(90, "self", "keyword", "the module itself".to_owned());
    }

    fn fields(&mut self, path: &str, written: &[String], infer: &Infer<'_>) {
        let index = &self.known.index;
        let (found, used) = index.resolve(self.known.root, &path_parts(path));
        let variant = found
            .iter()
            .copied()
            .find(|id| index.items[*id].kind == Kind::Variant && used == path_parts(path).len());
        let id = variant.or(match infer.type_of_text(path) {
            Ty::Adt(id, _) => Some(id),
            _ => None,
        });
        let Some(id) = id else { return };
        if let Data::Type { members, .. } = &index.items[id].data {
            for field in members {
                let item = &index.items[*field];
                if self.sees(*field) && !written.contains(&item.name) {
                    self.item(0, &item.name.clone(), *field);
                }
            }
        }
    }

    fn derives(&mut self) {
        let index = &self.known.index;
        let own = [
            "Clone",
            "Copy",
            "Debug",
            "Default",
            "PartialEq",
            "Eq",
            "PartialOrd",
            "Ord",
            "Hash",
        ];
        for name in own {
            self.add(0, name, "derive", format!("implements {name}"));
        }
        for (name, id) in index.all_in(self.known.root, index.items[self.known.root].krate) {
            if index.items[id].kind == Kind::Trait && index.items[id].krate != 0 {
                self.item(10, &name, id);
            }
        }
    }

    /// Names that stand alone.
    fn names(&mut self, scope: &Scope, infer: &Infer<'_>, types: bool) {
        let index = &self.known.index;
        let viewer = index.items[self.known.root].krate;
        let behind = if types { 500 } else { 0 };
        let mut seen = std::collections::HashSet::new();
        for local in scope.locals.iter().rev() {
            let Ok(pattern) = syn::parse::Parser::parse_str(syn::Pat::parse_multi, &local.pattern)
            else {
                continue;
            };
            for name in names_of(&pattern) {
                // To tell a type takes time.
                if !self.begins(&name) || !seen.insert(name.clone()) {
                    continue;
                }
                let env = infer.env();
                let ty = infer.name(&name, &env).unwrap_or_default();
                self.add(behind, &name, "variable", index.show(&ty));
            }
        }
        if !scope.in_function {
            for variable in self.known.variables.iter().rev() {
                self.add(
                    10 + behind,
                    &variable.name,
                    "variable",
                    variable.shown.clone(),
                );
            }
        }
        for (name, _) in &scope.generics {
            self.add(5, name, "type", "type parameter".to_owned());
        }
        let wanted =
            |kind: Kind| kind.is_type() || matches!(kind, Kind::Module | Kind::Crate) || !types;
        for (name, id) in index.all_in(self.known.root, viewer) {
            let kind = index.items[id].kind;
            if !wanted(kind) {
                continue;
            }
            let own = self.is_own(&index.items[id]);
            self.item(if own { 20 } else { 30 }, &name, id);
        }
        for prelude in index.preludes() {
            for (name, id) in index.all_in(prelude, usize::MAX) {
                if wanted(index.items[id].kind) {
                    self.item(40, &name, id);
                }
            }
        }
        for name in self.known.externs.keys().map(String::as_str).chain(["std"]) {
            if let Some(id) = index.external(viewer, name) {
                self.item(60, name, id);
            }
        }
        for (word, meaning) in KEYWORDS {
            let in_types = ["impl", "dyn", "fn", "Self", "crate"].contains(&word);
            if !types || in_types {
                self.add(50, word, "keyword", meaning.to_owned());
            }
        }
    }

    fn commands(&mut self, line: &str) {
        let text = line.trim_start();
        if let Some(rest) = text.strip_prefix(":dep ") {
            if rest.contains(['=', ' ', '{']) {
                return;
            }
            for (name, version) in &self.known.at_hand {
                self.add(0, name, "crate", version.clone());
            }
            return;
        }
        if text.contains(' ') {
            return;
        }
        for (name, meaning) in COMMANDS {
            self.add(0, name, "command", meaning.to_owned());
        }
    }
}

/// evcxr's commands, and what each does.
pub const COMMANDS: [(&str, &str); 24] = [
    (
        ":dep",
        "adds a crate: `:dep name`, `:dep name = \"1.0\"`, `:dep name = { path = \"…\" }`",
    ),
    (":vars", "lists the variables and their types"),
    (":type", "the type of a variable"),
    (
        ":clear",
        "forgets all variables, functions, types and imports",
    ),
    (
        ":restart",
        "starts the process that holds the variables anew, and runs the definitions again",
    ),
    (":opt", "sets how far cells are optimised: 0, 1 or 2"),
    (":timing", "shows or hides how long each cell takes"),
    (
        ":time_passes",
        "shows how long the compiler's passes take (nightly only)",
    ),
    (":fmt", "sets how results are shown: `{:?}`, `{:#?}`, `{}`"),
    (
        ":last_compile_dir",
        "the folder in which the last cell was compiled",
    ),
    (
        ":last_error_json",
        "the compiler's last errors, as it gave them",
    ),
    (":explain", "explains the last error of the compiler"),
    (":internal_debug", "shows or hides evcxr's own messages"),
    (
        ":preserve_vars_on_panic",
        "whether variables outlive a panic: 0 or 1",
    ),
    (":quit", "ends the kernel"),
    (":help", "lists the commands"),
    (":load_config", "reads evcxr.toml again"),
    (":linker", "sets the linker"),
    (":offline", "whether Cargo may use the network: 0 or 1"),
    (":toolchain", "sets the toolchain"),
    (":cache", "sets how many MiB of compiled crates are kept"),
    (":clear_cache", "empties the cache of compiled crates"),
    (":show_deps", "lists the crates that were added"),
    (":version", "evcxr's version"),
];

/// Names that are seldom meant: those that answer with a `Result` beside a plain one, that change in
/// place, or that are internal to a binding.
fn seldom(name: &str) -> u32 {
    match name {
        _ if name.starts_with("internal_") || name.starts_with('_') => 60,
        _ if name.starts_with("f_") => 50,
        _ if name.ends_with('_') => 40,
        _ if name.ends_with("_out") || name.ends_with("_backward") => 45,
        _ => 0,
    }
}

fn rank_in_module(kind: Kind) -> u32 {
    match kind {
        Kind::Variant | Kind::Field => 0,
        Kind::Function => 10,
        Kind::Struct | Kind::Enum | Kind::Union | Kind::Alias | Kind::Trait => 10,
        Kind::Macro => 15,
        Kind::Constant | Kind::Static => 20,
        _ => 25,
    }
}

/// The names of a path that may have parameters, without them.
pub fn path_parts(path: &str) -> Vec<String> {
    let code = Code::new(path);
    let (mut parts, mut depth) = (Vec::new(), 0usize);
    for i in 0..code.tokens.len() {
        if code.is(i, '<') {
            depth += 1;
        } else if code.is(i, '>') {
            depth = depth.saturating_sub(1);
        } else if depth == 0 && code.is_ident(i) {
            parts.push(code.str(i).to_owned());
        }
    }
    parts
}

/// An expression whose arguments, which may not parse, are left out.
pub fn without_arguments(text: &str) -> String {
    let code = Code::new(text);
    let mut kept = String::new();
    let (mut from, mut i) = (0, 0);
    while i < code.tokens.len() {
        if code.is(i, '(') && i > 0 && (code.is_ident(i - 1) || code.is(i - 1, '>')) {
            let close = code.close(i);
            kept.push_str(&text[from..code.tokens[i].at.end]);
            from = code.tokens.get(close).map_or(text.len(), |t| t.at.start);
            i = close;
        }
        i += 1;
    }
    kept.push_str(&text[from..]);
    kept
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
