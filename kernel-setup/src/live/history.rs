//! What was executed in this session.

use serde_json::{Value, json};

/// The cells so far, in the order of their numbers.
#[derive(Debug, Default)]
pub struct History(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    number: u64,
    code: String,
    result: Option<String>,
}

/// The number that this session goes by.
const SESSION: i64 = 1;

impl History {
    /// Adds a cell and the text of its result.
    pub fn add(&mut self, number: u64, code: &str, result: Option<String>) {
        self.0.push(Entry {
            number,
            code: code.to_owned(),
            result,
        });
    }

    /// The answer to a `history_request`.
    pub fn reply(&self, request: &Value) -> Value {
        let count = |name: &str| request[name].as_u64();
        let most = count("n").map_or(usize::MAX, |n| usize::try_from(n).unwrap_or(usize::MAX));
        let found: Vec<&Entry> = match request["hist_access_type"].as_str() {
            Some("tail") => last(self.0.iter().collect(), most),
            Some("range") if [0, SESSION].contains(&request["session"].as_i64().unwrap_or(0)) => {
                let start = count("start").unwrap_or(1);
                let stop = count("stop").unwrap_or(u64::MAX);
                self.0
                    .iter()
                    .filter(|entry| (start..stop).contains(&entry.number))
                    .collect()
            }
            Some("search") => {
                let pattern = request["pattern"].as_str().unwrap_or("*");
                let mut found: Vec<&Entry> = self
                    .0
                    .iter()
                    .filter(|entry| matches(pattern, &entry.code))
                    .collect();
                if request["unique"].as_bool() == Some(true) {
                    let mut seen = std::collections::HashSet::new();
                    found.reverse();
                    found.retain(|entry| seen.insert(&entry.code));
                    found.reverse();
                }
                last(found, most)
            }
            _ => Vec::new(),
        };
        let with_output = request["output"].as_bool() == Some(true);
        let history: Vec<Value> = found
            .into_iter()
            .map(|entry| match with_output {
                true => json!([SESSION, entry.number, [entry.code, entry.result]]),
                false => json!([SESSION, entry.number, entry.code]),
            })
            .collect();
        json!({"status": "ok", "history": history})
    }
}

fn last(mut entries: Vec<&Entry>, most: usize) -> Vec<&Entry> {
    entries.drain(..entries.len().saturating_sub(most));
    entries
}

/// Whether a text matches a pattern with `*` and `?`.
fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // `reached[j]`: the pattern so far matches the first j characters.
    let mut reached = vec![false; text.len() + 1];
    reached[0] = true;
    for p in pattern {
        let mut next = vec![false; text.len() + 1];
        for j in 0..=text.len() {
            next[j] = match p {
                '*' => reached[j] || (j > 0 && next[j - 1]),
                '?' => j > 0 && reached[j - 1],
                p => j > 0 && reached[j - 1] && text[j - 1] == p,
            };
        }
        reached = next;
    }
    reached[text.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_ways_of_asking() {
        let mut history = History::default();
        for (number, code) in [(1, "let x = 1;"), (2, "x"), (3, "x"), (4, "y")] {
            history.add(number, code, (number == 2).then(|| "1".into()));
        }
        let ask = |request: Value| history.reply(&request)["history"].clone();
        assert_eq!(
            ask(json!({"hist_access_type": "tail", "n": 2})),
            json!([[1, 3, "x"], [1, 4, "y"]])
        );
        assert_eq!(
            ask(json!({
                "hist_access_type": "range", "session": 0, "start": 2, "stop": 3, "output": true
            })),
            json!([[1, 2, ["x", "1"]]])
        );
        assert_eq!(
            ask(json!({"hist_access_type": "search", "pattern": "x*", "unique": true})),
            json!([[1, 3, "x"]])
        );
        assert_eq!(
            ask(json!({"hist_access_type": "range", "session": 7})),
            json!([])
        );
        assert_eq!(ask(json!({"hist_access_type": "unheard of"})), json!([]));
    }

    #[test]
    fn patterns() {
        for (pattern, text, expected) in [
            ("*", "", true),
            ("l?t *", "let x", true),
            ("x", "xx", false),
            ("*x", "let x", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
