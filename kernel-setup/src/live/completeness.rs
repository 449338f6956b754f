//! Whether a piece of Rust is complete, as a console asks on Enter.

use std::borrow::Cow;

use ra_ap_rustc_lexer::{FrontmatterAllowed, LiteralKind, TokenKind, tokenize};
use serde_json::{Value, json};
use syn::parse::Parser;
use syn::spanned::Spanned;

/// The answer to an `is_complete_request`.
pub fn reply(code: &str) -> Value {
    match judge(&without_commands(code)) {
        Judgement::Complete => json!({"status": "complete"}),
        Judgement::Invalid => json!({"status": "invalid"}),
        Judgement::Incomplete(depth) => {
            json!({"status": "incomplete", "indent": "    ".repeat(depth)})
        }
    }
}

/// evcxr's own commands (`:dep …`) and, where no Rust has begun yet, shell commands (`!ls`).
fn is_command(line: &str) -> bool {
    line.starts_with('!')
        || line
            .trim_start()
            .strip_prefix(':')
            .is_some_and(|rest| !rest.starts_with(':'))
}

/// Where evcxr's commands end, and Rust begins.
fn start_of_rust(code: &str) -> usize {
    code.split_inclusive('\n')
        .take_while(|line| is_command(line) || line.starts_with("//") || line.trim().is_empty())
        .map(str::len)
        .sum()
}

/// The Rust of a cell: commands become empty lines, so that all others keep their numbers.
pub fn without_commands(code: &str) -> String {
    let start = start_of_rust(code);
    let mut at = 0;
    code.split_inclusive('\n')
        .map(|line| {
            let in_rust = at >= start;
            at += line.len();
            // `!` may begin a line of an expression.
            match is_command(line) && !(in_rust && line.starts_with('!')) {
                true => "\n",
                false => line,
            }
        })
        .collect()
}

/// Whether a cell ends in an expression, whose value is shown as its result.
pub fn has_result(code: &str) -> bool {
    match syn::Block::parse_within.parse_str(&without_commands(code)) {
        Ok(statements) => match statements.last() {
            Some(syn::Stmt::Expr(_, semicolon)) => semicolon.is_none(),
            Some(syn::Stmt::Macro(call)) => call.semi_token.is_none(),
            _ => false,
        },
        Err(_) => false,
    }
}

/// The same cell, with a semicolon behind a loop that it ends in. Of its value, `()`, evcxr would find out how to show
/// it by having the compiler try all ways.
pub fn without_empty_result(code: &str) -> Cow<'_, str> {
    let rust = without_commands(code);
    let statements = syn::Block::parse_within.parse_str(&rust);
    let last = statements.as_deref().ok().and_then(<[_]>::last);
    let Some(syn::Stmt::Expr(last @ (syn::Expr::ForLoop(_) | syn::Expr::While(_)), None)) = last
    else {
        return code.into();
    };
    let end = last.span().end();
    // Commands have kept their lines, and not their lengths.
    let line: usize = code
        .split_inclusive('\n')
        .take(end.line - 1)
        .map(str::len)
        .sum();
    let column: usize = code[line..]
        .chars()
        .take(end.column)
        .map(char::len_utf8)
        .sum();
    let (before, after) = code.split_at(line + column);
    format!("{before};{after}").into()
}

/// Something that would let a cell's text reach beyond the cell.
#[derive(Debug, PartialEq, Eq)]
pub struct Unbalanced {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub what: String,
}

/// The first bracket, text or comment that is not closed or closes nothing. evcxr puts a cell into
/// a function of its own, which such a cell would leave, or leave open.
pub fn unbalanced(code: &str) -> Option<Unbalanced> {
    let start = start_of_rust(code);
    let at = |byte: usize, what: String| {
        let before = &code[..byte];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|&c| c != '\n').count() + 1;
        Some(Unbalanced { line, column, what })
    };
    let mut open: Vec<(usize, char, char)> = Vec::new();
    let mut byte = start;
    for token in tokenize(&code[start..], FrontmatterAllowed::No) {
        match token.kind {
            TokenKind::OpenBrace => open.push((byte, '{', '}')),
            TokenKind::OpenParen => open.push((byte, '(', ')')),
            TokenKind::OpenBracket => open.push((byte, '[', ']')),
            TokenKind::CloseBrace | TokenKind::CloseParen | TokenKind::CloseBracket => {
                let this = code[byte..].chars().next().unwrap_or_default();
                match open.pop() {
                    Some((.., close)) if close == this => {}
                    Some((_, opened, _)) => {
                        return at(
                            byte,
                            format!("this `{this}` does not close the last `{opened}`"),
                        );
                    }
                    None => return at(byte, format!("this `{this}` closes nothing")),
                }
            }
            TokenKind::BlockComment {
                terminated: false, ..
            } => return at(byte, "this comment is never closed".to_owned()),
            TokenKind::Literal { kind, .. } if !is_closed(kind) => {
                return at(byte, "this text is never closed".to_owned());
            }
            _ => {}
        }
        byte += token.len as usize;
    }
    open.last()
        .and_then(|(byte, opened, _)| at(*byte, format!("this `{opened}` is never closed")))
}

/// Whether a `?` can end the cell: one in it, or one in a macro that is not of the standard library.
pub fn can_return_early(code: &str) -> bool {
    const STANDARD: [&str; 21] = [
        "assert",
        "assert_eq",
        "assert_ne",
        "concat",
        "dbg",
        "env",
        "eprint",
        "eprintln",
        "format",
        "include_str",
        "line",
        "matches",
        "panic",
        "print",
        "println",
        "stringify",
        "todo",
        "unreachable",
        "vec",
        "write",
        "writeln",
    ];
    let mut byte = 0;
    let (mut name, mut call) = ("", "");
    for token in tokenize(code, FrontmatterAllowed::No) {
        let text = &code[byte..byte + token.len as usize];
        byte += text.len();
        match token.kind {
            TokenKind::Question => return true,
            TokenKind::Ident => (name, call) = (text, ""),
            TokenKind::Bang => (name, call) = ("", name),
            TokenKind::OpenBrace | TokenKind::OpenParen | TokenKind::OpenBracket
                if !call.is_empty() && !STANDARD.contains(&call) =>
            {
                return true;
            }
            TokenKind::Whitespace => {}
            _ => (name, call) = ("", ""),
        }
    }
    false
}

enum Judgement {
    Complete,
    /// With as many open brackets.
    Incomplete(usize),
    Invalid,
}

fn judge(code: &str) -> Judgement {
    let mut open = Vec::new();
    for token in tokenize(code, FrontmatterAllowed::No) {
        match token.kind {
            TokenKind::OpenBrace => open.push('{'),
            TokenKind::OpenParen => open.push('('),
            TokenKind::OpenBracket => open.push('['),
            TokenKind::CloseBrace if open.pop() != Some('{') => return Judgement::Invalid,
            TokenKind::CloseParen if open.pop() != Some('(') => return Judgement::Invalid,
            TokenKind::CloseBracket if open.pop() != Some('[') => return Judgement::Invalid,
            TokenKind::BlockComment {
                terminated: false, ..
            } => {
                return Judgement::Incomplete(open.len());
            }
            TokenKind::Literal { kind, .. } if !is_closed(kind) => {
                return Judgement::Incomplete(0);
            }
            _ => {}
        }
    }
    if !open.is_empty() {
        return Judgement::Incomplete(open.len());
    }
    match syn::Block::parse_within.parse_str(code) {
        Ok(_) => Judgement::Complete,
        Err(error) if error.to_string().starts_with("unexpected end of input") => {
            Judgement::Incomplete(0)
        }
        Err(_) => Judgement::Invalid,
    }
}

/// Whether a literal that may span lines has its end.
fn is_closed(kind: LiteralKind) -> bool {
    match kind {
        LiteralKind::Str { terminated }
        | LiteralKind::ByteStr { terminated }
        | LiteralKind::CStr { terminated } => terminated,
        LiteralKind::RawStr { n_hashes }
        | LiteralKind::RawByteStr { n_hashes }
        | LiteralKind::RawCStr { n_hashes } => n_hashes.is_some(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_cells_are_complete() {
        for code in [
            "",
            "1 + 1",
            "let x = 1;",
            "let x = \"}\"; // {",
            "fn f<'a>(x: &'a str) -> char { '{' }",
            ":dep tch = \"0.26\"\nuse tch::Tensor;",
            "!ls",
            "for i in 0..3 {\n    print!(\"{i}\");\n}",
            "r#\"a \" b\"#",
            "/* a /* nested */ comment */",
        ] {
            assert_eq!(reply(code), json!({"status": "complete"}), "{code}");
        }
    }

    #[test]
    fn unfinished_cells_say_how_far_to_indent() {
        for (code, indent) in [
            ("fn f() {", 4),
            ("fn f() {\n    if x {", 8),
            ("println!(\n", 4),
            ("let x = \"abc", 0),
            ("r##\"a\"#", 0),
            ("/* a", 0),
            ("let x =", 0),
            ("1 +", 0),
            ("fn f()", 0),
            ("#[derive(Debug)]", 0),
        ] {
            let expected = json!({"status": "incomplete", "indent": " ".repeat(indent)});
            assert_eq!(reply(code), expected, "{code}");
        }
    }

    #[test]
    fn a_cell_has_a_result_if_it_ends_in_an_expression() {
        for code in [
            "1",
            "let x = 1;\nx // the end",
            "vec![1]",
            ":dep x\nif a { 1 } else { 2 }",
        ] {
            assert!(has_result(code), "{code}");
        }
        for code in ["", "1;", "let x = 1;", "fn f() {}", "println!();", "let"] {
            assert!(!has_result(code), "{code}");
        }
    }

    #[test]
    fn a_loop_at_the_end_shows_nothing() {
        for (code, expected) in [
            ("for i in 0..3 {}", "for i in 0..3 {};"),
            (
                ":dep x = \"1\"\nlet ä = 1;\n'a: while ä > 2 { /* ü */ } // the end\n",
                ":dep x = \"1\"\nlet ä = 1;\n'a: while ä > 2 { /* ü */ }; // the end\n",
            ),
        ] {
            assert_eq!(without_empty_result(code), expected);
            assert!(!has_result(expected));
        }
        for code in [
            "",
            "for i in 0..3 {};",
            "loop { break 1 }",
            "for",
            "fn f() { for i in 0..3 {} }",
            "if a { 1 } else { 2 }",
        ] {
            assert_eq!(without_empty_result(code), code);
        }
    }

    #[test]
    fn what_would_leave_the_cell_is_found() {
        for (code, line, column, what) in [
            ("}}} 1", 1, 1, "this `}` closes nothing"),
            ("} panic!(\"never\")", 1, 1, "this `}` closes nothing"),
            (":dep x\nlet ä = 1; )", 2, 12, "this `)` closes nothing"),
            ("f(1]", 1, 4, "this `]` does not close the last `(`"),
            ("{\n  if x {\n}", 1, 1, "this `{` is never closed"),
            ("1 /* }", 1, 3, "this comment is never closed"),
            ("let a = \"}", 1, 9, "this text is never closed"),
        ] {
            let what = what.to_owned();
            let expected = Unbalanced { line, column, what };
            assert_eq!(unbalanced(code), Some(expected), "{code}");
        }
        for code in [
            "",
            "let x = \"}\"; // }",
            ":dep a = { path = \"(\" }\n'}'",
            ":dep broken = {\n1",
            "fn f<'a>() {} /* } */",
            "!echo )",
        ] {
            assert_eq!(unbalanced(code), None, "{code}");
        }
    }

    #[test]
    fn a_question_mark_can_hide_in_a_macro() {
        for code in ["a()?;", "check!(a)", "println!(\"{}\", a?)"] {
            assert!(can_return_early(code), "{code}");
        }
        for code in [
            "1",
            "println!(\"?\"); // ?",
            "vec![1]",
            "if a != (b) {}",
            "!a",
        ] {
            assert!(!can_return_early(code), "{code}");
        }
    }

    #[test]
    fn what_can_never_become_rust_is_invalid() {
        for code in ["}", "(]", "let let = 1;", "fn 1() {}"] {
            assert_eq!(reply(code), json!({"status": "invalid"}), "{code}");
        }
    }
}
