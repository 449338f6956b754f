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

/// The kernel isn't to read crates that stay inside (`package.metadata.kernel.unseen`): then they have to.
#[test]
fn crates_that_cells_need_not_know_are_no_part_of_the_public_face() {
    const PUBLIC: [&str; 9] = [
        "pub const ",
        "pub enum ",
        "pub fn ",
        "pub static ",
        "pub struct ",
        "pub trait ",
        "pub type ",
        "pub use ",
        "impl ",
    ];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let names = &manifest["package"]["metadata"]["kernel"]["unseen"]["icvae-core"];
    let mut faults = Vec::new();
    for name in names.as_array().unwrap() {
        let name = name.as_str().unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        assert!(dependencies.contains_key(name), "{name} is no dependency");
        let path = format!("{}::", name.replace('-', "_"));
        for file in sources(&root.join("src")) {
            let text = fs::read_to_string(&file).unwrap();
            let shown = text.lines().map(str::trim_start).filter(|line| {
                let inside = |at: usize| {
                    let before = line[..at].chars().next_back();
                    before.is_some_and(|c| c.is_alphanumeric() || "_:".contains(c))
                };
                PUBLIC.iter().any(|start| line.starts_with(start))
                    && line.match_indices(&path).any(|(at, _)| !inside(at))
            });
            faults.extend(shown.map(|line| format!("{}: {line}", file.display())));
        }
    }
    assert_eq!(faults, [""; 0]);
}
