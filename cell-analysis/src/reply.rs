//! The questions of Jupyter's protocol, and the replies to them.

use cell_analysis::Analysis;
use serde_json::{Value, json};

/// So deep no cell is read.
const DEEPEST: usize = 500;

/// Whether a cell is no deeper than a person's: what parses it calls itself at each bracket and each sign before a
/// value, and a stack that is full ends the process.
pub fn is_readable(code: &str) -> bool {
    let (mut depth, mut signs, mut most) = (0_usize, 0_usize, 0);
    for sign in code.bytes() {
        match sign {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        signs = match sign {
            b'&' | b'!' | b'-' | b'*' | b'|' | b'<' => signs + 1,
            b' ' | b'\n' => signs,
            _ => 0,
        };
        most = most.max(depth + signs);
    }
    most < DEEPEST
}

/// The protocol counts characters, Rust bytes.
fn byte_of(code: &str, character: usize) -> usize {
    code.char_indices()
        .nth(character)
        .map_or(code.len(), |(byte, _)| byte)
}

fn character_of(code: &str, byte: usize) -> usize {
    code[..byte].chars().count()
}

/// The reply to a question of Jupyter's; null where nothing is known.
pub fn to(analysis: &mut Analysis, question: &Value) -> Value {
    let content = &question["content"];
    let code = content["code"].as_str().unwrap_or_default();
    if !is_readable(code) {
        return Value::Null;
    }
    let position = content["cursor_pos"]
        .as_u64()
        .and_then(|n| usize::try_from(n).ok());
    let cursor = byte_of(code, position.unwrap_or(usize::MAX));
    if question["kind"] == "inspect_request" {
        let whole = content["detail_level"].as_u64().unwrap_or(0) > 0;
        return match analysis.inspect(code, cursor, whole) {
            None => Value::Null,
            Some(told) => json!({
                "status": "ok",
                "found": true,
                "data": {"text/plain": told.plain, "text/html": told.html},
                "metadata": {},
            }),
        };
    }
    let found = analysis.complete(code, cursor);
    let start = character_of(code, found.replaced.start);
    let end = character_of(code, found.replaced.end);
    let matches: Vec<&str> = found.items.iter().map(|item| item.text.as_str()).collect();
    let types: Vec<Value> = found
        .items
        .iter()
        .map(|item| {
            json!({
                "text": item.text,
                "type": item.kind,
                "signature": item.signature,
                "start": start,
                "end": end,
            })
        })
        .collect();
    json!({
        "status": "ok",
        "matches": matches,
        "cursor_start": start,
        "cursor_end": end,
        "metadata": {"_jupyter_types_experimental": types},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_writes_is_not_read() {
        assert!(is_readable(
            "let x = f(&[1, 2], |y| -(!y - 1) * **z);\n"
                .repeat(2000)
                .as_str()
        ));
        for deep in ["(", "[{", "!", "& -", "<"] {
            assert!(
                !is_readable(&format!("let x = {}", deep.repeat(10_000))),
                "{deep}"
            );
        }
    }

    #[test]
    fn positions_are_counted_in_characters() {
        let mut analysis = Analysis::new();
        let code = "let größe = String::fro";
        let question = json!({
            "kind": "complete_request",
            "content": {"code": code, "cursor_pos": 23},
        });
        let reply = to(&mut analysis, &question);
        assert_eq!(
            (&reply["cursor_start"], &reply["cursor_end"]),
            (&json!(20), &json!(23))
        );
        assert_eq!(reply["matches"][0], "from_utf8");
        assert_eq!(
            reply["metadata"]["_jupyter_types_experimental"][0]["type"],
            "function"
        );
    }
}
