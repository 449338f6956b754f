//! The items in a cell that may not parse as a whole.

use super::lexer::{Code, Kind};

/// A piece of a cell, and the lines before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'a> {
    pub text: &'a str,
    pub lines: usize,
}

/// The items of a cell, each with its documentation; `use` inside of blocks too.
pub fn items<'a>(code: &Code<'a>) -> Vec<Piece<'a>> {
    let mut found = Vec::new();
    let (mut i, mut end) = (0, 0);
    while i < code.tokens.len() {
        let start = i;
        let mut first = i;
        while code.is(first, '#') {
            let open = first + 1 + usize::from(code.is(first + 1, '!'));
            first = code.close(open) + 1;
        }
        while ["pub", "async", "unsafe", "extern", "default"].contains(&code.str(first)) {
            first += 1;
            if code.is(first, '(') {
                first = code.close(first) + 1;
            }
            if code
                .tokens
                .get(first)
                .is_some_and(|token| token.kind == Kind::Text)
            {
                first += 1;
            }
        }
        let word = match (code.str(first), code.str(first + 1)) {
            ("const", "fn" | "unsafe") => "fn",
            (word, _) => word,
        };
        let (is_item, by_semicolon) = match word {
            "use" | "static" | "type" | "const" | "crate" => (true, true),
            "fn" | "enum" | "union" | "trait" | "impl" | "mod" | "struct" => (true, false),
            "macro_rules" => (true, false),
            "let" => (false, true),
            _ => (false, false),
        };
        let mut j = first;
        let last = loop {
            if j >= code.tokens.len() {
                break code.tokens.len();
            }
            match code.tokens[j].kind {
                Kind::Sign(';') => break j,
                Kind::Sign('{') if !by_semicolon => {
                    let close = code.close(j);
                    let goes_on = !is_item
                        && (["else", "as"].contains(&code.str(close + 1))
                            || code.is(close + 1, '.')
                            || code.is(close + 1, '?'));
                    if !goes_on {
                        break close;
                    }
                    j = close;
                }
                Kind::Sign('(' | '[' | '{') => j = code.close(j),
                Kind::Sign(')' | ']' | '}') => break j,
                Kind::Ident if j > first && begins_line(code, j) && is_keyword(code.str(j)) => {
                    break j - 1;
                }
                _ => {}
            }
            j += 1;
        };
        let from = end;
        end = code.tokens.get(last).map_or(code.text.len(), |t| t.at.end);
        if is_item && last < code.tokens.len() {
            found.push(piece(code, from, end));
        } else {
            inner_uses(code, start, last.min(code.tokens.len()), &mut found);
        }
        if is_item && word != "use" {
            inner_uses(code, first, last.min(code.tokens.len()), &mut found);
        }
        i = last + 1;
    }
    found
}

fn piece<'a>(code: &Code<'a>, from: usize, to: usize) -> Piece<'a> {
    Piece {
        text: &code.text[from..to],
        lines: code.text[..from].matches('\n').count(),
    }
}

fn inner_uses<'a>(code: &Code<'a>, from: usize, to: usize, found: &mut Vec<Piece<'a>>) {
    for i in from..to {
        let begins = i == 0 || code.sign_before(i, '{') || code.sign_before(i, ';');
        if begins && i > from && code.str(i) == "use" {
            let end = (i..to).find(|j| code.is(*j, ';'));
            if let Some(end) = end {
                found.push(piece(
                    code,
                    code.tokens[i].at.start,
                    code.tokens[end].at.end,
                ));
            }
        }
    }
}

fn begins_line(code: &Code<'_>, i: usize) -> bool {
    code.text[..code.tokens[i].at.start]
        .rsplit('\n')
        .next()
        .is_some_and(|line| line.trim().is_empty())
}

fn is_keyword(word: &str) -> bool {
    [
        "let", "fn", "struct", "enum", "trait", "impl", "use", "const", "static", "type", "mod",
        "pub",
    ]
    .contains(&word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn items_are_found_in_a_cell_that_does_not_parse() {
        let text = "let a = 1\nuse x::{y, z};\n/// Doc.\n#[derive(Clone)]\nstruct P { x: i32 }\n\
                    let b = if a { 1 } else { 2 };\nfn f() -> i32 { let q = p.; use k::l; 1 }\nprintln!(\"{a}\" ";
        let found: Vec<&str> = items(&Code::new(text))
            .iter()
            .map(|p| p.text.trim())
            .collect();
        assert_eq!(
            found,
            [
                "use x::{y, z};",
                "/// Doc.\n#[derive(Clone)]\nstruct P { x: i32 }",
                "fn f() -> i32 { let q = p.; use k::l; 1 }",
                "use k::l;"
            ]
        );
    }
}
