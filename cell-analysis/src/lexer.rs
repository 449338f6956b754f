//! Tokens of code that may not parse: what everything here reads first.

use std::ops::Range;

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};

/// What a token is, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A name or a keyword.
    Ident,
    /// A lifetime.
    Lifetime,
    /// A number.
    Number,
    /// A text, a byte text or a character.
    Text,
    /// Any other character; brackets among them.
    Sign(char),
}

/// A token and where it stands, in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub at: Range<usize>,
}

/// Code and its tokens without white space; comments are kept apart.
#[derive(Debug, Clone)]
pub struct Code<'a> {
    pub text: &'a str,
    pub tokens: Vec<Token>,
    pub comments: Vec<Range<usize>>,
}

impl<'a> Code<'a> {
    /// Reads a piece of code.
    pub fn new(text: &'a str) -> Self {
        let mut code = Code {
            text,
            tokens: Vec::new(),
            comments: Vec::new(),
        };
        let mut start = 0;
        for token in tokenize(text, FrontmatterAllowed::No) {
            let end = start + token.len as usize;
            let at = start..end;
            start = end;
            let kind = match token.kind {
                TokenKind::Whitespace => continue,
                TokenKind::LineComment { .. } | TokenKind::BlockComment { .. } => {
                    code.comments.push(at);
                    continue;
                }
                TokenKind::Ident | TokenKind::RawIdent | TokenKind::InvalidIdent => Kind::Ident,
                TokenKind::Lifetime { .. } | TokenKind::RawLifetime => Kind::Lifetime,
                TokenKind::Literal { kind, .. } => match kind {
                    LiteralKind::Int { .. } | LiteralKind::Float { .. } => {
                        // `x.0.` is a field and a dot, not the number `0.`.
                        let after_dot = code.sign_before(code.tokens.len(), '.');
                        if after_dot && text[at.clone()].ends_with('.') {
                            code.push(Kind::Number, at.start..at.end - 1);
                            code.push(Kind::Sign('.'), at.end - 1..at.end);
                            continue;
                        }
                        Kind::Number
                    }
                    _ => Kind::Text,
                },
                TokenKind::UnknownPrefix => Kind::Ident,
                _ => Kind::Sign(text[at.clone()].chars().next().unwrap_or(' ')),
            };
            code.push(kind, at);
        }
        code
    }

    fn push(&mut self, kind: Kind, at: Range<usize>) {
        self.tokens.push(Token { kind, at });
    }

    /// The text of a token, or nothing beyond the ends.
    pub fn str(&self, i: usize) -> &'a str {
        self.tokens.get(i).map_or("", |t| &self.text[t.at.clone()])
    }

    /// Whether this token is that sign.
    pub fn is(&self, i: usize, sign: char) -> bool {
        self.tokens
            .get(i)
            .is_some_and(|t| t.kind == Kind::Sign(sign))
    }

    /// Whether the token before this one is that sign.
    pub fn sign_before(&self, i: usize, sign: char) -> bool {
        i > 0 && self.is(i - 1, sign)
    }

    /// Whether `::` ends just before this token.
    pub fn path_before(&self, i: usize) -> bool {
        i > 1
            && self.is(i - 1, ':')
            && self.is(i - 2, ':')
            && self.tokens[i - 2].at.end == self.tokens[i - 1].at.start
    }

    /// Whether this token is a name or a keyword.
    pub fn is_ident(&self, i: usize) -> bool {
        self.tokens.get(i).is_some_and(|t| t.kind == Kind::Ident)
    }

    /// The bracket that closes the one at `open`, or the end of the code.
    pub fn close(&self, open: usize) -> usize {
        let mut depth = 0usize;
        for i in open..self.tokens.len() {
            match self.tokens[i].kind {
                Kind::Sign('(' | '[' | '{') => depth += 1,
                Kind::Sign(')' | ']' | '}') => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 {
                        return i;
                    }
                }
                _ => {}
            }
        }
        self.tokens.len()
    }

    /// The bracket that opens what is closed at `close`.
    pub fn open(&self, close: usize) -> Option<usize> {
        let mut depth = 0usize;
        for i in (0..=close).rev() {
            match self.tokens[i].kind {
                Kind::Sign(')' | ']' | '}') => depth += 1,
                Kind::Sign('(' | '[' | '{') => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(i);
                    }
                }
                _ => {}
            }
        }
        None
    }

    /// The innermost bracket that is open before this token.
    pub fn enclosing(&self, before: usize) -> Option<usize> {
        let mut depth = 0usize;
        for i in (0..before.min(self.tokens.len())).rev() {
            match self.tokens[i].kind {
                Kind::Sign(')' | ']' | '}') => depth += 1,
                Kind::Sign('(' | '[' | '{') => match depth.checked_sub(1) {
                    Some(less) => depth = less,
                    None => return Some(i),
                },
                _ => {}
            }
        }
        None
    }

    /// The `<` that belongs to the `>` at `close`.
    pub fn open_angle(&self, close: usize) -> Option<usize> {
        let mut depth = 0usize;
        for i in (0..=close).rev() {
            match self.tokens[i].kind {
                Kind::Sign('>') if !self.sign_before(i, '-') && !self.sign_before(i, '=') => {
                    depth += 1;
                }
                Kind::Sign('<') => {
                    depth = depth.checked_sub(1)?;
                    if depth == 0 {
                        return Some(i);
                    }
                }
                Kind::Sign(';' | '{' | '}') => return None,
                _ => {}
            }
        }
        None
    }

    /// The text from one token to before another.
    pub fn between(&self, from: usize, to: usize) -> &'a str {
        if from >= to || from >= self.tokens.len() {
            return "";
        }
        let start = self.tokens[from].at.start;
        let end = self.tokens[to.min(self.tokens.len()) - 1].at.end;
        &self.text[start..end]
    }

    /// The parts of `from..to` that commas separate, outside of all brackets.
    pub fn split(&self, from: usize, to: usize) -> Vec<Range<usize>> {
        let mut parts = Vec::new();
        let (mut start, mut i, mut angle) = (from, from, 0usize);
        while i < to.min(self.tokens.len()) {
            match self.tokens[i].kind {
                Kind::Sign('(' | '[' | '{') => i = self.close(i),
                Kind::Sign('<') if self.path_before(i) || self.type_before(i) => angle += 1,
                Kind::Sign('>') if !self.sign_before(i, '-') && !self.sign_before(i, '=') => {
                    angle = angle.saturating_sub(1);
                }
                Kind::Sign(',') if angle == 0 => {
                    parts.push(start..i);
                    start = i + 1;
                }
                _ => {}
            }
            i += 1;
        }
        if start < to {
            parts.push(start..to);
        }
        parts
    }

    /// Whether `<` behind this would open parameters: a type's name stands before it.
    fn type_before(&self, i: usize) -> bool {
        i > 0
            && self.is_ident(i - 1)
            && self
                .str(i - 1)
                .chars()
                .next()
                .is_some_and(char::is_uppercase)
    }
}

/// Code in which every function's body is `{}`: it says all that others see, and reads much faster.
pub fn without_bodies(text: &str) -> String {
    let code = Code::new(text);
    let mut kept = String::with_capacity(text.len() / 3);
    let (mut from, mut i) = (0, 0);
    while i < code.tokens.len() {
        if code.is_ident(i) && code.str(i) == "fn" && code.is_ident(i + 1) {
            let mut body = i + 2;
            while body < code.tokens.len() && !code.is(body, '{') && !code.is(body, ';') {
                body = match code.tokens[body].kind {
                    Kind::Sign('(' | '[') => code.close(body) + 1,
                    _ => body + 1,
                };
            }
            if code.is(body, '{') {
                let end = code.close(body);
                kept.push_str(&text[from..code.tokens[body].at.end]);
                from = code.tokens.get(end).map_or(text.len(), |t| t.at.start);
                i = end;
                if i == code.tokens.len() {
                    kept.push('}');
                }
                continue;
            }
            i = body;
        }
        i += 1;
    }
    kept.push_str(&text[from..]);
    kept
}

/// Whether the line that begins at this byte is one of evcxr's commands, or a shell command: those stand before
/// all Rust, where `!` may begin a line of an expression.
pub fn is_command(cell: &str, start: usize) -> bool {
    let begins = |line: &str| {
        let command = line.trim_start().strip_prefix(':');
        command.is_some_and(|rest| !rest.starts_with(':'))
    };
    let is_none = |line: &str| {
        !(line.starts_with('!') || line.starts_with("//") || line.trim().is_empty() || begins(line))
    };
    let line = &cell[start..];
    let line = line.lines().next().unwrap_or_default();
    begins(line) || line.starts_with('!') && !cell[..start].lines().any(is_none)
}

/// The cell with its commands as blanks, so that everything else keeps its place.
pub fn without_commands(cell: &str) -> String {
    let mut start = 0;
    cell.split_inclusive('\n')
        .map(|line| {
            let at = start;
            start += line.len();
            (is_command(cell, at), line)
        })
        .map(|(command, line)| match command {
            true => line
                .chars()
                .map(|c| {
                    if c == '\n' {
                        "\n".to_owned()
                    } else {
                        " ".repeat(c.len_utf8())
                    }
                })
                .collect(),
            false => line.to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_left_out_and_nothing_else() {
        let text = "/// One.\npub fn f<T: Fn(i32) -> [u8; 2]>(x: [u8; { 3 }]) -> T where T: A { g({}); }\n\
                    trait A { fn a(&self); fn b() { 1 } const C: fn(i32) -> i32; }\nstruct S { x: i32 }";
        assert_eq!(
            without_bodies(text),
            "/// One.\npub fn f<T: Fn(i32) -> [u8; 2]>(x: [u8; { 3 }]) -> T where T: A {}\n\
             trait A { fn a(&self); fn b() {} const C: fn(i32) -> i32; }\nstruct S { x: i32 }"
        );
        assert_eq!(without_bodies("fn f() { if x {"), "fn f() {}");
    }

    #[test]
    fn a_field_by_number_and_a_dot_are_no_number() {
        let code = Code::new("pair.0.");
        assert_eq!(
            (0..4).map(|i| code.str(i)).collect::<Vec<_>>(),
            ["pair", ".", "0", "."]
        );
        assert_eq!(Code::new("1.5").tokens.len(), 1);
    }

    #[test]
    fn commas_in_brackets_do_not_separate() {
        let code = Code::new("a, f(b, c), Vec::<(u8, i8)>::new(), HashMap<K, V>, x < y, z > w");
        let parts = code.split(0, code.tokens.len());
        let texts: Vec<&str> = parts.iter().map(|p| code.between(p.start, p.end)).collect();
        assert_eq!(
            texts,
            [
                "a",
                "f(b, c)",
                "Vec::<(u8, i8)>::new()",
                "HashMap<K, V>",
                "x < y",
                "z > w"
            ]
        );
    }
}
