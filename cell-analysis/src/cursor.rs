//! What the cursor stands on.

use std::ops::Range;

use super::lexer::{Code, Kind, is_command};
use super::scope::{chain_before, path_start};

/// A place in a cell where a name stands, or would stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Spot {
    /// One of evcxr's commands: the text of its line up to the cursor.
    Command(String),
    /// A member: the text before its dot.
    Member(String),
    /// A name behind `::`: all before it.
    Path(String),
    /// A name in a `use`: the parts of the path before it.
    Use(Vec<String>),
    /// A field of a struct that is written down: the struct's path, and the fields that stand there.
    Field(String, Vec<String>),
    /// An attribute, or what is derived.
    Attribute { derive: bool },
    /// Where a new name is made up.
    New,
    /// Where a type is wanted.
    Type,
    /// Any other name.
    Name,
}

/// A name at the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    pub spot: Spot,
    /// Where the name stands; empty where none does.
    pub name: Range<usize>,
    /// The token that it is, or before which it would stand.
    pub token: usize,
}

/// The words that can be a name's beginning although Rust keeps them for itself.
const NAMES: [&str; 4] = ["self", "Self", "crate", "super"];

/// The name that begins or goes on at the cursor; nothing in comments and texts. `cell` is the cell
/// as it is, `code` the same without commands.
pub fn at(cell: &str, code: &Code<'_>, cursor: usize) -> Option<At> {
    let line_start = cell[..cursor].rfind('\n').map_or(0, |i| i + 1);
    if is_command(&cell[..cursor], line_start) {
        let before = &cell[line_start..cursor];
        let word = before
            .char_indices()
            .rfind(|(_, c)| c.is_whitespace() || *c == '"')
            .map_or(0, |(i, c)| i + c.len_utf8());
        let end = cell[cursor..]
            .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '-')
            .map_or(cell.len(), |i| cursor + i);
        return Some(At {
            spot: Spot::Command(before.to_owned()),
            name: line_start + word..end,
            token: 0,
        });
    }
    let inside = |range: &Range<usize>| range.start < cursor && cursor < range.end;
    let in_comment = code.comments.iter().any(|range| {
        inside(range)
            || cursor == range.end && cell[range.start..].starts_with("//") && cursor > range.start
    });
    if in_comment {
        return None;
    }
    if let Some((i, text)) = code
        .tokens
        .iter()
        .enumerate()
        .find(|(_, t)| t.kind == Kind::Text && inside(&t.at))
    {
        return inline(cell, code, i, &text.at, cursor);
    }
    let word = code
        .tokens
        .iter()
        .position(|t| t.kind == Kind::Ident && t.at.start <= cursor && cursor <= t.at.end);
    let (token, name) = match word {
        Some(i) => (i, code.tokens[i].at.clone()),
        None => {
            let next = code.tokens.iter().position(|t| t.at.start >= cursor);
            (next.unwrap_or(code.tokens.len()), cursor..cursor)
        }
    };
    Some(At {
        spot: spot(code, token),
        name,
        token,
    })
}

/// A variable in a format text.
fn inline(
    cell: &str,
    code: &Code<'_>,
    token: usize,
    text: &Range<usize>,
    cursor: usize,
) -> Option<At> {
    let open = code.enclosing(token)?;
    if !code.sign_before(open, '!') {
        return None;
    }
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let before = &cell[text.start..cursor];
    let start = before.rfind(|c| !is_name(c))?;
    let start = start + before[start..].chars().next()?.len_utf8();
    if !before[..start].ends_with('{') || before[..start].ends_with("{{") {
        return None;
    }
    let start = text.start + start;
    let end = cell[cursor..text.end]
        .find(|c| !is_name(c))
        .map_or(text.end, |i| cursor + i);
    Some(At {
        spot: Spot::Name,
        name: start..end,
        token,
    })
}

fn spot(code: &Code<'_>, i: usize) -> Spot {
    if let Some(path) = use_path(code, i) {
        return Spot::Use(path);
    }
    if code.path_before(i) {
        let start = path_start(code, i);
        return Spot::Path(code.between(start, i - 2).to_owned());
    }
    if code.sign_before(i, '.') && !code.sign_before(i - 1, '.') {
        let start = chain_before(code, i - 1);
        return Spot::Member(start.map_or_else(String::new, |s| code.between(s, i - 1).to_owned()));
    }
    let open = code.enclosing(i);
    if let Some(open) = open
        && code.is(open, '(')
        && open > 1
        && code.str(open - 1) == "derive"
    {
        return Spot::Attribute { derive: true };
    }
    if let Some(open) = open
        && code.is(open, '[')
        && (code.sign_before(open, '#')
            || code.sign_before(open, '!') && code.sign_before(open - 1, '#'))
        && open + 1 == i
    {
        return Spot::Attribute { derive: false };
    }
    let before = if i > 0 { code.str(i - 1) } else { "" };
    if [
        "fn",
        "struct",
        "enum",
        "trait",
        "mod",
        "type",
        "union",
        "macro_rules",
    ]
    .contains(&before)
    {
        return Spot::New;
    }
    if (before == "let"
        || before == "mut" && i > 1 && code.str(i - 2) == "let"
        || before == "const")
        && !code.str(i).starts_with(char::is_uppercase)
    {
        return Spot::New;
    }
    if let Some(open) = open
        && code.is(open, '{')
        && open > 0
        && let Some(path) = literal_before(code, open)
        && (code.sign_before(i, ',') || i == open + 1)
    {
        let fields = code
            .split(open + 1, code.close(open))
            .iter()
            .filter(|part| part.start != i && code.is_ident(part.start))
            .map(|part| code.str(part.start).to_owned())
            .collect();
        return Spot::Field(path, fields);
    }
    let colon = before == ":" && !code.path_before(i);
    let in_value = open.is_some_and(|open| {
        code.is(open, '{') && literal_before(code, open).is_some() && !is_declaration(code, open)
    });
    let arrow = before == ">" && i > 1 && code.sign_before(i - 1, '-');
    if colon && !in_value
        || arrow
        || ["as", "impl", "dyn", "for"].contains(&before) && !is_loop(code, i)
    {
        return Spot::Type;
    }
    if before == "<" && i > 1 && (code.path_before(i - 1) || starts_upper(code.str(i - 2))) {
        return Spot::Type;
    }
    if before == "&" || before == "mut" {
        // `x: &T`, `-> &T`.
        let back = if before == "mut" && i > 1 && code.is(i - 2, '&') {
            i - 2
        } else {
            i - 1
        };
        if code.is(back, '&') {
            let arrow = code.sign_before(back, '>') && back > 1 && code.sign_before(back - 1, '-');
            let colon = code.sign_before(back, ':') && !code.path_before(back) && !in_value;
            if arrow || colon {
                return Spot::Type;
            }
        }
    }
    Spot::Name
}

fn starts_upper(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

fn is_loop(code: &Code<'_>, i: usize) -> bool {
    // `for x in`: a new name, and no type; after `impl A` it is one.
    code.str(i - 1) == "for"
        && !(0..i - 1)
            .rev()
            .take_while(|j| !code.is(*j, ';') && !code.is(*j, '}') && !code.is(*j, '{'))
            .any(|j| code.str(j) == "impl")
}

/// The path before a `{` that opens the fields of a struct.
fn literal_before(code: &Code<'_>, open: usize) -> Option<String> {
    let mut last = open.checked_sub(1)?;
    if code.is(last, '>') {
        last = code.open_angle(last)?.checked_sub(1)?;
        if code.path_before(last + 1) {
            last = last.checked_sub(2)?;
        }
    }
    if !code.is_ident(last) || !starts_upper(code.str(last)) || is_declaration(code, open) {
        return None;
    }
    let start = path_start(code, last);
    let before = if start > 0 { code.str(start - 1) } else { "" };
    // `if x == LIMIT {`, `impl A for B {`, `-> B {` and the like open blocks.
    let opens_block = [
        "match", "in", "impl", "for", "trait", "enum", "union", "mod",
    ]
    .contains(&before)
        || code.sign_before(start, '>') && start > 1 && code.sign_before(start - 1, '-')
        || code.str(last).chars().all(|c| !c.is_lowercase()) && code.str(last).len() > 1;
    (!opens_block).then(|| code.between(start, last + 1).to_owned())
}

/// Whether a `{` opens the fields of a type that is being declared.
fn is_declaration(code: &Code<'_>, open: usize) -> bool {
    (0..open)
        .rev()
        .take_while(|j| !code.is(*j, ';') && !code.is(*j, '}') && !code.is(*j, '{'))
        .any(|j| ["struct", "enum", "union", "trait", "impl", "fn"].contains(&code.str(j)))
}

/// The parts of the path before a name in a `use`, braces included.
fn use_path(code: &Code<'_>, i: usize) -> Option<Vec<String>> {
    let mut path = Vec::new();
    let mut at = i;
    loop {
        // `a::b::` before the name or brace at `at`.
        while code.path_before(at) {
            match at.checked_sub(3) {
                Some(name) if code.is_ident(name) => {
                    path.push(code.str(name).to_owned());
                    at = name;
                }
                _ => break,
            }
        }
        let before = at.checked_sub(1)?;
        if code.str(before) == "use" && code.is_ident(before) {
            path.reverse();
            return Some(path);
        }
        if !code.is(before, '{') && !code.is(before, ',') {
            return None;
        }
        let open = code.enclosing(at)?;
        if !code.is(open, '{')
            || !(code.path_before(open) || open > 0 && code.str(open - 1) == "use")
        {
            return None;
        }
        at = open;
    }
}

/// The call that the cursor is in: the token of its `(`, and the number of the argument.
pub fn call_at(code: &Code<'_>, cursor: usize) -> Option<(usize, usize)> {
    let next = code
        .tokens
        .iter()
        .position(|t| t.at.start >= cursor)
        .unwrap_or(code.tokens.len());
    let mut at = next;
    loop {
        let open = code.enclosing(at)?;
        if code.is(open, '(') && open > 0 && !code.sign_before(open, '!') {
            let commas = code.split(open + 1, next);
            let ended = next > 0 && code.is(next - 1, ',') && code.enclosing(next) == Some(open);
            let number = commas.len().saturating_sub(1) + usize::from(ended);
            return Some((open, number));
        }
        if code.is(open, '{') || code.sign_before(open, '!') {
            return None;
        }
        at = open;
    }
}

/// Whether a word is one that Rust keeps for itself.
pub fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|(known, _)| *known == word) && !NAMES.contains(&word)
}

/// Rust's keywords, and what each is for.
pub const KEYWORDS: [(&str, &str); 38] = [
    (
        "as",
        "Converts between primitive types, or renames an import.",
    ),
    ("async", "A function or block whose result is a future."),
    ("await", "Waits for a future."),
    (
        "break",
        "Leaves a loop or a labelled block, with a value if one follows.",
    ),
    (
        "const",
        "A constant, whose value is known when the code is compiled.",
    ),
    ("continue", "Goes to the next turn of a loop."),
    ("crate", "The root of the crate that the code stands in."),
    (
        "dyn",
        "A value of any type that implements the trait, behind a pointer.",
    ),
    (
        "else",
        "What is done where an `if` or a `let` pattern doesn't hold.",
    ),
    ("enum", "A type that is one of several variants."),
    (
        "extern",
        "A crate from outside, or code of another language.",
    ),
    ("false", "The `bool` that doesn't hold."),
    ("fn", "A function."),
    (
        "for",
        "A loop over an iterator; in `impl Trait for Type`, the type.",
    ),
    (
        "if",
        "Code that runs if a condition holds, or if a pattern matches.",
    ),
    (
        "impl",
        "Methods of a type, or its implementation of a trait; as a type: some type with that trait.",
    ),
    (
        "in",
        "Stands between the pattern and the iterator of a `for` loop.",
    ),
    ("let", "A new variable."),
    ("loop", "A loop without end, left by `break`."),
    ("match", "Chooses by patterns; every value must be covered."),
    ("mod", "A module."),
    ("move", "Has a closure own what it uses."),
    (
        "mut",
        "A variable, reference or pointer through which values can be changed.",
    ),
    ("pub", "Visible outside of its module."),
    ("ref", "Binds by reference in a pattern."),
    ("return", "Leaves a function with a value."),
    (
        "self",
        "The value that a method is called on; in a path, the current module.",
    ),
    ("Self", "The type that is being implemented."),
    ("static", "A global value with one place in memory."),
    ("struct", "A type with fields."),
    ("super", "The module around this one."),
    ("trait", "Methods that several types have in common."),
    ("true", "The `bool` that holds."),
    ("type", "Another name for a type."),
    ("unsafe", "Code whose soundness the compiler can't check."),
    ("use", "Brings names into scope."),
    ("where", "What is required of type parameters."),
    (
        "while",
        "A loop that goes on as long as a condition holds, or a pattern matches.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn spot_of(text: &str) -> Option<Spot> {
        let cursor = text.find('¦').unwrap_or(text.len());
        let text = text.replace('¦', "");
        at(&text, &Code::new(&text), cursor).map(|at| at.spot)
    }

    #[test]
    fn the_kind_of_place_is_seen() {
        let member = |s: &str| Some(Spot::Member(s.into()));
        let path = |s: &str| Some(Spot::Path(s.into()));
        for (text, expected) in [
            ("let y = x.si¦ze();", member("x")),
            ("let y = a::b().¦", member("a::b()")),
            ("ImageGrid::ne¦", path("ImageGrid")),
            ("Vec::<i32>::ne¦", path("Vec::<i32>")),
            (
                "use a::b::c¦",
                Some(Spot::Use(vec!["a".into(), "b".into()])),
            ),
            (
                "use a::{b, c::{self, d¦",
                Some(Spot::Use(vec!["a".into(), "c".into()])),
            ),
            ("use a¦", Some(Spot::Use(vec![]))),
            (
                "P { x: 1, y¦ }",
                Some(Spot::Field("P".into(), vec!["x".into()])),
            ),
            ("P { x: y¦ }", Some(Spot::Name)),
            ("fn f(x: &Te¦", Some(Spot::Type)),
            ("fn f() -> Te¦", Some(Spot::Type)),
            ("let x: Ve¦", Some(Spot::Type)),
            ("Vec<i¦", Some(Spot::Type)),
            ("fn na¦", Some(Spot::New)),
            ("let na¦", Some(Spot::New)),
            ("#[derive(Cl¦", Some(Spot::Attribute { derive: true })),
            ("// com¦", None),
            ("\"te¦xt\"", None),
            ("println!(\"{na¦me}\")", Some(Spot::Name)),
            ("println!(\"{{na¦me}\")", None),
            ("println!(\"{}\", na¦", Some(Spot::Name)),
            ("if x == y { z¦ }", Some(Spot::Name)),
            (":dep te¦", Some(Spot::Command(":dep te".into()))),
            ("0..n¦", Some(Spot::Name)),
        ] {
            assert_eq!(spot_of(text), expected, "{text}");
        }
    }

    #[test]
    fn the_argument_at_the_cursor_is_counted() {
        for (text, expected) in [
            ("f(¦)", Some(0)),
            ("f(a, ¦", Some(1)),
            ("f(g(b, c), (1, ¦", Some(1)),
            ("f(a, b¦)", Some(1)),
            ("f()¦", None),
        ] {
            let cursor = text.find('¦').unwrap_or(0);
            let text = text.replace('¦', "");
            let code = Code::new(&text);
            assert_eq!(
                call_at(&code, cursor).map(|(_, number)| number),
                expected,
                "{text}"
            );
        }
    }
}
