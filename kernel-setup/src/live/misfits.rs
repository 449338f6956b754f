//! Definitions of earlier cells that don't fit a changed one any more.
//!
//! evcxr compiles all definitions with each cell. A function can't get other parameters while an earlier
//! cell calls it as it was, and that cell can't be changed first either: both would have to stand in one
//! cell. So when all that the compiler complains about lies in what earlier cells have defined, the
//! kernel sets that aside (an empty module takes its place), runs the cell, and says what to run again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use syn::spanned::Spanned;

use super::variables::run_again;

/// How often more may be set aside for one cell: what used the first may not fit without it.
pub const ROUNDS: usize = 6;

/// Something that doesn't fit: the name under which evcxr keeps it, and the compiler's sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    pub name: String,
    pub said: String,
}

/// What the compiler complains about (evcxr's `:last_error_json`), if all of it lies in what other cells have
/// defined: `own` are the names that this cell defines, and `generated` is the program that was compiled.
pub fn misfits(json: &str, generated: &str, own: &BTreeSet<String>) -> Option<Vec<Misfit>> {
    let file = syn::parse_file(generated).ok()?;
    let mut found = Vec::new();
    for line in json.lines() {
        let Ok(error) = serde_json::from_str::<Value>(line) else {
            continue;
        };
        let spans = error["spans"].as_array().into_iter().flatten();
        let primary: Vec<&Value> = spans.filter(|span| span["is_primary"] == true).collect();
        if error["level"] != "error" || primary.is_empty() {
            continue;
        }
        for span in primary {
            let name = owner(&file, line_in_program(span)?)?;
            if own.contains(&name) {
                return None;
            }
            let said = error["message"].as_str().unwrap_or_default().to_owned();
            if !found.iter().any(|one: &Misfit| one.name == name) {
                found.push(Misfit { name, said });
            }
        }
    }
    (!found.is_empty()).then_some(found)
}

/// The line of a place in the program, or of the macro call that it comes from.
fn line_in_program(span: &Value) -> Option<usize> {
    let mut span = span;
    while !span["file_name"].as_str()?.ends_with("src/lib.rs") {
        span = &span["expansion"]["span"];
    }
    usize::try_from(span["line_start"].as_u64()?).ok()
}

/// The name under which evcxr keeps what stands at a line: an `impl` belongs to the item before it.
fn owner(file: &syn::File, line: usize) -> Option<String> {
    let mut name = None;
    for item in &file.items {
        let span = item.span();
        if span.start().line > line {
            return None;
        }
        if let syn::Item::Fn(item) = item
            && item.sig.abi.is_some()
        {
            // The cell itself.
            return None;
        }
        if let Some(own) = super::redefinition::item_name(item) {
            name = Some(own);
        } else if !matches!(item, syn::Item::Impl(_)) {
            name = None;
        }
        if span.end().line >= line {
            return name;
        }
    }
    None
}

/// The names that a cell defines.
pub fn defined(code: &str) -> BTreeSet<String> {
    use syn::parse::Parser;
    let rust = super::redefinition::rust(code);
    let statements = syn::Block::parse_within
        .parse_str(&rust)
        .unwrap_or_default();
    let items = statements.iter().filter_map(|statement| match statement {
        syn::Stmt::Item(item) => super::redefinition::item_name(item),
        _ => None,
    });
    items.collect()
}

/// Which cells have defined what, and what is set aside.
#[derive(Debug, Default)]
pub struct Definers {
    cells: BTreeMap<String, (u64, String)>,
    aside: BTreeMap<String, (u64, u64)>,
}

impl Definers {
    /// A cell has defined these, each with what a reader would call it.
    pub fn defined(&mut self, names: BTreeMap<String, String>, cell: u64) {
        for (name, called) in names {
            self.aside.remove(&name);
            self.cells.insert(name, (cell, called));
        }
    }

    /// A cell has had these set aside; returns what to tell the reader, a line for each.
    pub fn set_aside(&mut self, misfits: &[Misfit], cell: u64) -> String {
        let mut note = String::new();
        for Misfit { name, said } in misfits {
            let (definer, called) = match self.cells.remove(name) {
                Some((definer, called)) => (Some(definer), called),
                None => (None, name.clone()),
            };
            self.aside
                .insert(name.clone(), (definer.unwrap_or_default(), cell));
            let again = run_again(&definer.into_iter().collect::<Vec<_>>());
            let said = said.lines().next().unwrap_or_default();
            note += &format!(
                "`{called}` does not fit what this cell changes ({said}): it is set aside{again}.\n"
            );
        }
        note
    }

    /// Whether this cell has had it set aside.
    pub fn is_aside_since(&self, name: &str, cell: u64) -> bool {
        self.aside
            .get(name)
            .is_some_and(|(_, since)| *since == cell)
    }

    /// What to tell somebody who uses something that is set aside.
    pub fn explain(&self, name: &str) -> Option<String> {
        let (definer, cell) = self.aside.get(name)?;
        let again = run_again(&[*definer]);
        Some(format!(
            "`{name}` is set aside since cell [{cell}], whose change it does not fit{again}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: &str = "fn sample(x: i64) -> i64 { x }\nstruct Net;\n\nimpl Net {\n    fn go(&self) -> i64 { sample() }\n}\nuse a::b;\n\
                           pub extern \"C\" fn run_user_code() {\n    sample();\n}\n";

    fn error(line: usize, file: &str) -> String {
        let span = serde_json::json!({"file_name": file, "line_start": line, "is_primary": true,
            "expansion": {"span": {"file_name": "src/lib.rs", "line_start": 5}}});
        serde_json::json!({"level": "error", "message": "wrong", "spans": [span]}).to_string()
    }

    fn names(json: &str, own: &[&str]) -> Option<Vec<String>> {
        let own = own.iter().map(|&name| name.to_owned()).collect();
        let found = misfits(json, PROGRAM, &own)?;
        Some(found.into_iter().map(|misfit| misfit.name).collect())
    }

    #[test]
    fn what_does_not_fit_is_found_by_its_place() {
        let net = Some(vec!["Net".to_owned()]);
        assert_eq!(names(&error(5, "src/lib.rs"), &["sample"]), net);
        assert_eq!(names(&error(5, "/rustc/macros.rs"), &["sample"]), net);
        let twice = format!("{}\n{}", error(5, "src/lib.rs"), error(4, "src/lib.rs"));
        assert_eq!(names(&twice, &[]), net);
    }

    #[test]
    fn a_cell_with_an_error_of_its_own_sets_nothing_aside() {
        let both = format!("{}\n{}", error(5, "src/lib.rs"), error(9, "src/lib.rs"));
        assert_eq!(names(&both, &[]), None);
        assert_eq!(names(&error(5, "src/lib.rs"), &["Net"]), None);
        for json in [
            "",
            "{}",
            "no json",
            &error(7, "src/lib.rs"),
            &error(99, "src/lib.rs"),
        ] {
            assert_eq!(names(json, &[]), None, "{json}");
        }
    }

    #[test]
    fn the_reader_is_told_once_and_again_where_it_is_used() {
        let mut definers = Definers::default();
        let called = |name: &str| BTreeMap::from([(name.to_owned(), name.to_owned())]);
        definers.defined(called("go"), 3);
        let misfit = Misfit {
            name: "go".into(),
            said: "wrong\nmore".into(),
        };
        assert_eq!(
            definers.set_aside(&[misfit], 7),
            "`go` does not fit what this cell changes (wrong): it is set aside; run cell [3] again.\n"
        );
        assert_eq!(
            definers.explain("go").as_deref(),
            Some(
                "`go` is set aside since cell [7], whose change it does not fit; run cell [3] again"
            )
        );
        definers.defined(called("go"), 8);
        assert_eq!(definers.explain("go"), None);
    }
}
