//! The rooms of this crate know each other in one direction, as ARCHITECTURE.md says.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

/// Each may use those before it. `error` stands apart: every room uses it, and it gathers their errors.
const ORDER: [&str; 14] = [
    "activation",
    "gaussian",
    "autograd",
    "device",
    "files",
    "interrupt",
    "settings",
    "cpu",
    "data",
    "train",
    "loss",
    "model",
    "plot",
    "eval",
];
const LAST: &str = "notebook";

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    entries
        .flat_map(|entry| {
            let path = entry.path();
            if path.is_dir() {
                sources(&path)
            } else {
                vec![path]
            }
        })
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .collect()
}

/// The first names after each `crate::`, those in braces too.
fn used(text: &str) -> Vec<String> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let word = |text: &str| {
        let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let after = code.split("crate::").skip(1);
    after
        .flat_map(|after| match after.strip_prefix('{') {
            Some(list) => {
                let list = &list[..list.find(';').unwrap_or(list.len())];
                list.split(['{', ',', '\n', ' '])
                    .map(word)
                    .collect::<Vec<_>>()
            }
            None => vec![word(after)],
        })
        .collect()
}

#[test]
fn no_arrow_goes_back() {
    let order: Vec<_> = ORDER.into_iter().chain([LAST]).collect();
    let place = |room: &str| order.iter().position(|known| *known == room);
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut arrows = 0;
    for file in sources(&src) {
        let inside = file.strip_prefix(&src).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap();
        let room = room.trim_end_matches(".rs");
        if ["lib", "error"].contains(&room) {
            continue;
        }
        let from = place(room).unwrap_or_else(|| panic!("{room} has no place in the order"));
        for name in used(&fs::read_to_string(&file).unwrap()) {
            if let Some(to) = place(&name) {
                assert!(to <= from, "{}: {room} uses {name}", inside.display());
                arrows += usize::from(to < from);
            }
        }
    }
    assert!(arrows > 50, "{arrows} arrows");
}
