//! Which local names are in scope at a place of a cell, parsed or not.

use std::collections::HashMap;

use super::lexer::{Code, Kind};

/// Where a local name gets its type from; parts are kept as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Its type stands there.
    Type(String),
    /// `let`, with a type if one stands there.
    Value(String, Option<String>),
    /// The elements of this.
    Each(String),
    /// Parts of this.
    Matched(String),
    /// A closure's parameter: the receiver and name of the function that takes the closure, and the
    /// numbers of the argument and of the parameter.
    Closure {
        receiver: Option<String>,
        function: String,
        argument: usize,
        parameter: usize,
    },
}

/// A pattern with the names that it brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Local {
    pub pattern: String,
    pub source: Source,
    /// The byte at which it stands.
    pub at: usize,
}

/// What is known at a place.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    pub locals: Vec<Local>,
    /// Type parameters, each with its bounds.
    pub generics: Vec<(String, String)>,
    /// What `Self` is.
    pub self_ty: Option<String>,
    /// Whether it is inside a function, where variables of earlier cells are not to be had.
    pub in_function: bool,
}

struct Frame {
    /// What to come back to when its bracket closes.
    before: Scope,
    open: usize,
    /// What the arms in it match.
    matched: Option<String>,
}

impl Scope {
    /// The scope at a byte.
    pub fn at(code: &Code<'_>, cursor: usize) -> Scope {
        Scan {
            code,
            cursor,
            now: Scope::default(),
            frames: Vec::new(),
            brought: HashMap::new(),
        }
        .run()
    }
}

struct Scan<'c> {
    code: &'c Code<'c>,
    cursor: usize,
    now: Scope,
    frames: Vec<Frame>,
    /// What the `{` of these tokens bring: heads may hold other brackets before theirs.
    brought: HashMap<usize, Brought>,
}

/// What a block knows beside what is known around it.
#[derive(Debug, Default)]
struct Brought {
    locals: Vec<Local>,
    generics: Vec<(String, String)>,
    self_ty: Option<String>,
    /// Whether the locals around it are hidden.
    replaces: bool,
    /// What its arms match.
    matched: Option<String>,
}

impl Scan<'_> {
    fn run(mut self) -> Scope {
        let code = self.code;
        let mut i = 0;
        while i < code.tokens.len() && code.tokens[i].at.start < self.cursor {
            i = match code.tokens[i].kind {
                Kind::Sign(sign @ ('(' | '[' | '{')) => self.open(i, sign),
                Kind::Sign(')' | ']' | '}') => {
                    if let Some(frame) = self.frames.pop() {
                        self.now = frame.before;
                    }
                    i + 1
                }
                Kind::Sign('=') if code.is(i + 1, '>') => self.arm(i),
                Kind::Sign('|') if self.begins_closure(i) => self.closure(i),
                Kind::Ident => self.word(i),
                _ => i + 1,
            };
        }
        self.now
    }

    fn open(&mut self, i: usize, sign: char) -> usize {
        let before = self.now.clone();
        let mut matched = None;
        if sign == '{'
            && let Some(brought) = self.brought.remove(&i)
        {
            if brought.replaces {
                self.now.locals.clear();
                self.now.in_function = true;
            }
            self.now.locals.extend(brought.locals);
            self.now.generics.extend(brought.generics);
            if brought.self_ty.is_some() {
                self.now.self_ty = brought.self_ty;
            }
            matched = brought.matched;
        }
        self.frames.push(Frame {
            before,
            open: i,
            matched,
        });
        i + 1
    }

    /// The first token from `i` on that stands outside of brackets and is one of these.
    fn find(&self, mut i: usize, wanted: impl Fn(usize) -> bool) -> usize {
        let code = self.code;
        while i < code.tokens.len() {
            if wanted(i) {
                return i;
            }
            i = match code.tokens[i].kind {
                Kind::Sign('(' | '[' | '{') => code.close(i) + 1,
                Kind::Sign(')' | ']' | '}') => return code.tokens.len(),
                _ => i + 1,
            };
        }
        code.tokens.len()
    }

    fn is_plain_equals(&self, i: usize) -> bool {
        let code = self.code;
        // In `Option<i32> = …` they stand apart.
        let joined = i > 0 && code.tokens[i - 1].at.end == code.tokens[i].at.start;
        let signs = ['=', '<', '>', '!', '+', '-', '*', '/', '.'];
        let longer = joined && signs.iter().any(|sign| code.sign_before(i, *sign));
        code.is(i, '=') && !code.is(i + 1, '=') && !code.is(i + 1, '>') && !longer
    }

    fn is_single_colon(&self, i: usize) -> bool {
        let code = self.code;
        code.is(i, ':') && !code.is(i + 1, ':') && !code.sign_before(i, ':')
    }

    fn word(&mut self, i: usize) -> usize {
        match self.code.str(i) {
            "fn" if self.code.is_ident(i + 1) => self.function(i),
            "impl" | "trait" if self.frames.iter().all(|f| self.code.is(f.open, '{')) => {
                self.implementation(i)
            }
            "let" => self.binding(i),
            "for" => self.each(i),
            "match" => {
                let open = self.find(i + 1, |j| self.code.is(j, '{'));
                let matched = self.code.between(i + 1, open).to_owned();
                self.brought.entry(open).or_default().matched = Some(matched);
                i + 1
            }
            _ => i + 1,
        }
    }

    fn generics(&self, from: usize, to: usize) -> Vec<(String, String)> {
        let code = self.code;
        let mut found = Vec::new();
        for part in code.split(from, to) {
            let start = part.start;
            if code.is_ident(start) && code.str(start) != "const" {
                let bounds = match code.is(start + 1, ':') {
                    true => code.between(start + 2, part.end).to_owned(),
                    false => String::new(),
                };
                found.push((code.str(start).to_owned(), bounds));
            }
        }
        found
    }

    /// The end of the `<…>` that begins at `i`, if one does, and what stands in it.
    fn angle(&self, i: usize) -> (usize, Vec<(String, String)>) {
        let code = self.code;
        if !code.is(i, '<') {
            return (i, Vec::new());
        }
        let (mut depth, mut j) = (0usize, i);
        while j < code.tokens.len() {
            match code.tokens[j].kind {
                Kind::Sign('<') => depth += 1,
                Kind::Sign('>') if !code.sign_before(j, '-') => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                Kind::Sign('{' | ';') => break,
                _ => {}
            }
            j += 1;
        }
        (j + 1, self.generics(i + 1, j))
    }

    fn function(&mut self, i: usize) -> usize {
        let code = self.code;
        let (open, mut generics) = self.angle(i + 2);
        if !code.is(open, '(') {
            return i + 2;
        }
        let close = code.close(open);
        let end = self.find(close + 1, |j| code.is(j, '{') || code.is(j, ';'));
        if !code.is(end, '{') || code.tokens[end].at.start >= self.cursor {
            return i + 2;
        }
        let clause = self.find(close + 1, |j| j >= end || code.str(j) == "where");
        if clause < end {
            generics.extend(self.generics(clause + 1, end));
        }
        let mut brought = Brought {
            replaces: true,
            ..Brought::default()
        };
        for part in code.split(open + 1, close) {
            let whole = code.between(part.start, part.end);
            let colon = (part.start..part.end).find(|j| self.is_single_colon(*j));
            let at = code.tokens[part.start].at.start;
            let local = match colon {
                Some(colon) => Local {
                    pattern: code.between(part.start, colon).to_owned(),
                    source: Source::Type(code.between(colon + 1, part.end).to_owned()),
                    at,
                },
                None if whole.ends_with("self") => Local {
                    pattern: "self".to_owned(),
                    source: Source::Type(whole.replace("mut self", "self").replace("self", "Self")),
                    at,
                },
                None => continue,
            };
            brought.locals.push(local);
        }
        brought.generics = generics;
        self.brought.insert(end, brought);
        end
    }

    fn implementation(&mut self, i: usize) -> usize {
        let code = self.code;
        let end = self.find(i + 1, |j| code.is(j, '{') || code.is(j, ';'));
        if !code.is(end, '{') {
            return i + 1;
        }
        if code.str(i) == "trait" {
            let name = code.str(i + 1).to_owned();
            self.brought.entry(end).or_default().generics = vec![("Self".to_owned(), name)];
            return end;
        }
        let (start, generics) = self.angle(i + 1);
        let by = self.find(start, |j| j >= end || code.str(j) == "for");
        let start = if by < end { by + 1 } else { start };
        let clause = self.find(start, |j| j >= end || code.str(j) == "where");
        let of = code.between(start, clause.min(end)).to_owned();
        let brought = self.brought.entry(end).or_default();
        brought.self_ty = Some(of);
        brought.generics = generics;
        end
    }

    fn binding(&mut self, i: usize) -> usize {
        let code = self.code;
        let before = if i > 0 { code.str(i - 1) } else { "" };
        let at = code.tokens[i].at.start;
        if before == "if" || before == "while" || before == "&" {
            let equals = self.find(i + 1, |j| self.is_plain_equals(j));
            let end = self.find(equals + 1, |j| {
                code.is(j, '{') || code.is(j, '&') && code.is(j + 1, '&')
            });
            let open = self.find(end, |j| code.is(j, '{'));
            if code.is(open, '{') {
                self.brought.entry(open).or_default().locals.push(Local {
                    pattern: code.between(i + 1, equals).to_owned(),
                    source: Source::Matched(code.between(equals + 1, end).to_owned()),
                    at,
                });
            }
            return i + 1;
        }
        let is_end = |j: usize| {
            code.is(j, ';')
                || j > i
                    && ["let", "fn", "struct", "enum", "use", "const"].contains(&code.str(j))
                    && code.text[..code.tokens[j].at.start]
                        .rsplit('\n')
                        .next()
                        .is_some_and(|line| line.trim().is_empty())
        };
        let end = self.find(i + 1, is_end);
        if end >= code.tokens.len() || code.tokens[end].at.start >= self.cursor {
            return i + 1;
        }
        let equals = self.find(i + 1, |j| j >= end || self.is_plain_equals(j));
        let colon = self.find(i + 1, |j| j >= equals || self.is_single_colon(j));
        let ty = (colon < equals).then(|| code.between(colon + 1, equals).to_owned());
        let otherwise = self.find(equals + 1, |j| {
            j >= end || code.str(j) == "else" && !code.sign_before(j, '}')
        });
        let value = match equals < end {
            true => code.between(equals + 1, otherwise.min(end)).to_owned(),
            false => String::new(),
        };
        self.now.locals.push(Local {
            pattern: code.between(i + 1, colon.min(equals)).to_owned(),
            source: Source::Value(value, ty),
            at,
        });
        end + usize::from(code.is(end, ';'))
    }

    fn each(&mut self, i: usize) -> usize {
        let code = self.code;
        if code.is(i + 1, '<') {
            return i + 1;
        }
        let within = self.find(i + 1, |j| code.str(j) == "in");
        let open = self.find(within + 1, |j| code.is(j, '{'));
        if code.is(open, '{') {
            self.brought.entry(open).or_default().locals.push(Local {
                pattern: code.between(i + 1, within).to_owned(),
                source: Source::Each(code.between(within + 1, open).to_owned()),
                at: code.tokens[i].at.start,
            });
        }
        i + 1
    }

    fn arm(&mut self, i: usize) -> usize {
        let code = self.code;
        let Some(frame) = self.frames.last() else {
            return i + 2;
        };
        let Some(matched) = frame.matched.clone() else {
            return i + 2;
        };
        let mut start = frame.open + 1;
        let mut j = i;
        while j > frame.open + 1 {
            j -= 1;
            match code.tokens[j].kind {
                Kind::Sign(')' | ']') => j = code.open(j).unwrap_or(0),
                Kind::Sign('}') => {
                    // A pattern with fields belongs to the name before it.
                    let open = code.open(j).unwrap_or(0);
                    match open > 0 && code.is_ident(open - 1) && j + 1 == i {
                        true => j = open,
                        false => {
                            start = j + 1;
                            break;
                        }
                    }
                }
                Kind::Sign(',') => {
                    start = j + 1;
                    break;
                }
                _ => {}
            }
        }
        let guard = (start..i).find(|j| code.str(*j) == "if").unwrap_or(i);
        self.now = frame.before.clone();
        self.now.locals.push(Local {
            pattern: code.between(start, guard).to_owned(),
            source: Source::Matched(matched),
            at: code.tokens[start].at.start,
        });
        i + 2
    }

    fn begins_closure(&self, i: usize) -> bool {
        i == 0
            || matches!(
                self.code.tokens[i - 1].kind,
                Kind::Sign('(' | ',' | '=' | '{' | ';' | '[' | '>' | '}')
            )
            || ["move", "return"].contains(&self.code.str(i - 1))
    }

    fn closure(&mut self, i: usize) -> usize {
        let code = self.code;
        let end = self.find(i + 1, |j| code.is(j, '|'));
        if end >= code.tokens.len() || code.tokens[end].at.start >= self.cursor {
            return i + 1;
        }
        let taker = self
            .frames
            .last()
            .map(|frame| frame.open)
            .filter(|open| code.is(*open, '('));
        let argument = taker.map_or(0, |open| code.split(open + 1, i).len().max(1) - 1);
        let argument = argument + usize::from(code.sign_before(i, ','));
        let call = taker.and_then(|open| call_before(code, open));
        for (parameter, part) in code.split(i + 1, end).into_iter().enumerate() {
            let colon = (part.start..part.end).find(|j| self.is_single_colon(*j));
            let source = match (colon, &call) {
                (Some(colon), _) => Source::Type(code.between(colon + 1, part.end).to_owned()),
                (None, Some((receiver, function))) => Source::Closure {
                    receiver: receiver.clone(),
                    function: function.clone(),
                    argument,
                    parameter,
                },
                (None, None) => Source::Type("_".to_owned()),
            };
            self.now.locals.push(Local {
                pattern: code
                    .between(part.start, colon.unwrap_or(part.end))
                    .to_owned(),
                source,
                at: code.tokens[part.start].at.start,
            });
        }
        end + 1
    }
}

/// The receiver, if any, and the name or path of what is called at the `(` at `open`.
pub fn call_before(code: &Code<'_>, open: usize) -> Option<(Option<String>, String)> {
    let mut end = open;
    if code.sign_before(end, '>') {
        end = code.open_angle(end - 1)?.checked_sub(2)?;
    }
    let name = end.checked_sub(1).filter(|i| code.is_ident(*i))?;
    if code.sign_before(name, '.') {
        let start = chain_before(code, name - 1)?;
        let receiver = code.between(start, name - 1).to_owned();
        return Some((Some(receiver), code.str(name).to_owned()));
    }
    let start = path_start(code, name);
    Some((None, code.between(start, end).to_owned()))
}

/// The first token of the path that ends with the name at `i`.
pub fn path_start(code: &Code<'_>, i: usize) -> usize {
    let mut start = i;
    while code.path_before(start) {
        let before = start - 2;
        if before == 0 {
            return before;
        }
        if code.is_ident(before - 1) {
            start = before - 1;
        } else if code.is(before - 1, '>') {
            match code.open_angle(before - 1) {
                Some(open) if code.path_before(open) && open > 2 => start = open - 3,
                Some(open) if open > 0 && code.is_ident(open - 1) => start = open - 1,
                Some(open) => return open,
                None => return start,
            }
        } else {
            return before;
        }
    }
    start
}

/// The first token of the expression whose member is named after the dot at `dot`.
pub fn chain_before(code: &Code<'_>, dot: usize) -> Option<usize> {
    let mut end = dot;
    loop {
        let last = end.checked_sub(1)?;
        match code.tokens[last].kind {
            Kind::Sign('?') => {
                end = last;
                continue;
            }
            Kind::Sign(')' | ']') => {
                let open = code.open(last)?;
                match callee(code, open) {
                    Some(start) => end = start,
                    None => return Some(open),
                }
            }
            Kind::Sign('}') => {
                let open = code.open(last)?;
                return Some(match open > 0 && code.is_ident(open - 1) {
                    true => path_start(code, open - 1),
                    false => open,
                });
            }
            Kind::Ident | Kind::Number | Kind::Text => end = path_start(code, last) + 1,
            _ => return None,
        }
        // `end` is behind the first token of an operand, or behind a bracket that continues one.
        let first = end - 1;
        if matches!(code.tokens[first].kind, Kind::Sign(')' | ']' | '?')) {
            continue;
        }
        if code.sign_before(first, '.') && !code.sign_before(first - 1, '.') {
            end = first - 1;
            continue;
        }
        return Some(first);
    }
}

/// Behind the first token of what a bracket belongs to, or behind another bracket; nothing if it
/// stands alone.
fn callee(code: &Code<'_>, open: usize) -> Option<usize> {
    let before = open.checked_sub(1)?;
    let found = match code.tokens[before].kind {
        Kind::Ident if !is_operator_word(code.str(before)) => path_start(code, before) + 1,
        Kind::Sign('!') if before > 0 && code.is_ident(before - 1) => {
            path_start(code, before - 1) + 1
        }
        Kind::Sign(')' | ']' | '?') => before + 1,
        Kind::Sign('>') => match code.open_angle(before) {
            Some(angle) if code.path_before(angle) && angle > 2 => path_start(code, angle - 3) + 1,
            _ => return None,
        },
        _ => return None,
    };
    Some(found)
}

fn is_operator_word(word: &str) -> bool {
    [
        "in", "return", "match", "if", "while", "else", "as", "move", "let", "mut", "ref",
    ]
    .contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names in scope at the `¦`.
    fn names(text: &str) -> Vec<(String, Source)> {
        let cursor = text.find('¦').unwrap_or(text.len());
        let text = text.replace('¦', "");
        let scope = Scope::at(&Code::new(&text), cursor);
        scope
            .locals
            .into_iter()
            .map(|l| (l.pattern, l.source))
            .collect()
    }

    fn patterns(text: &str) -> Vec<String> {
        names(text)
            .into_iter()
            .map(|(pattern, _)| pattern)
            .collect()
    }

    #[test]
    fn a_name_is_known_after_its_statement_and_in_its_block() {
        assert_eq!(patterns("let a = 1; { let b = 2; ¦ }"), ["a", "b"]);
        assert_eq!(patterns("let a = 1; { let b = 2; } let c = b¦;"), ["a"]);
        assert_eq!(
            patterns("let a = 1;\nfn f(x: i32, (y, z): (u8, u8)) -> i32 { ¦"),
            ["x", "(y, z)"]
        );
        assert_eq!(
            patterns("let a = (1\nlet b = 2;\nb¦"),
            ["b"],
            "a bracket is open"
        );
        assert_eq!(patterns("let a = 1\nlet b = 2;\nb¦"), ["a", "b"]);
    }

    #[test]
    fn loops_matches_and_closures_bring_names() {
        let got = names("for (i, x) in v.iter().enumerate() { ¦");
        assert_eq!(
            got,
            [("(i, x)".into(), Source::Each("v.iter().enumerate()".into()))]
        );
        let got = names("if let Some(x) = find() { ¦ }");
        assert_eq!(got, [("Some(x)".into(), Source::Matched("find()".into()))]);
        let got = names("match get(1) { None => 1, Some(n) if n > 2 => ¦");
        assert_eq!(got, [("Some(n)".into(), Source::Matched("get(1)".into()))]);
        let got = names("v.iter().fold(0, |sum, x| ¦");
        let closure = |parameter| Source::Closure {
            receiver: Some("v.iter()".into()),
            function: "fold".into(),
            argument: 1,
            parameter,
        };
        assert_eq!(got, [("sum".into(), closure(0)), ("x".into(), closure(1))]);
    }

    #[test]
    fn an_expression_before_a_dot_is_found_in_broken_code() {
        for (text, expected) in [
            ("let y = x", "x"),
            ("f(a, b).c?.d::<Vec<_>>()[1]", "f(a, b).c?.d::<Vec<_>>()[1]"),
            ("a + b.c(|x| x + 1)", "b.c(|x| x + 1)"),
            ("if (x + 1)", "(x + 1)"),
            ("&Tensor::randn([2], k)", "Tensor::randn([2], k)"),
            ("vec![1, 2]", "vec![1, 2]"),
            ("Vec::<i32>::new()", "Vec::<i32>::new()"),
            ("return x.0", "x.0"),
            ("1.0 * \"a\"", "\"a\""),
            ("0..n", "n"),
            ("P { x: 1 }", "P { x: 1 }"),
            ("} foo(x)?", "foo(x)?"),
        ] {
            let code = Code::new(text);
            let start =
                chain_before(&code, code.tokens.len()).map(|s| code.between(s, code.tokens.len()));
            assert_eq!(start, Some(expected), "{text}");
        }
    }
}
