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
///
/// Where evcxr hands variables over, only the name of a type can be wrong, and that goes with the variable.
pub fn misfits(json: &str, generated: &str, own: &BTreeSet<String>) -> Option<Vec<Misfit>> {
    let file = syn::parse_file(generated).ok()?;
    let mut found: Vec<Misfit> = Vec::new();
    for (said, line) in places(json) {
        let line = line?;
        if hands_over(generated, line) {
            continue;
        }
        let name = owner(&file, line)?;
        if own.contains(&name) {
            return None;
        }
        if !found.iter().any(|one| one.name == name) {
            found.push(Misfit { name, said });
        }
    }
    (!found.is_empty()).then_some(found)
}

/// Whether the compiler complains about nothing but the types of variables.
pub fn is_about_variables(json: &str, generated: &str) -> bool {
    let places = places(json);
    let about = |line: &Option<usize>| line.is_some_and(|line| hands_over(generated, line));
    // Of a type that takes other parameters evcxr leaves just the note on its definition, which the cell holds.
    let mut notes = errors(json).filter(|error| error["level"] != "error");
    let of_types = notes.all(|note| said(&note).contains(" defined here, with "));
    of_types && errors(json).next().is_some() && places.iter().all(|(_, line)| about(line))
}

fn errors(json: &str) -> impl Iterator<Item = Value> {
    let lines = json.lines().map(serde_json::from_str::<Value>);
    lines.filter_map(Result::ok).filter(Value::is_object)
}

fn said(error: &Value) -> &str {
    error["message"].as_str().unwrap_or_default()
}

/// The sentences and lines of what the compiler complains about; a line in another file is none.
fn places(json: &str) -> Vec<(String, Option<usize>)> {
    let mut found = Vec::new();
    for error in errors(json).filter(|error| error["level"] == "error") {
        let spans = error["spans"].as_array().into_iter().flatten();
        for span in spans.filter(|span| span["is_primary"] == true) {
            found.push((said(&error).to_owned(), line_in_program(span)));
        }
    }
    found
}

/// Whether evcxr takes or puts a variable at a line.
fn hands_over(generated: &str, line: usize) -> bool {
    let text = line.checked_sub(1).and_then(|at| generated.lines().nth(at));
    text.is_some_and(|text| text.contains("evcxr_variable_store."))
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
    aside: BTreeMap<String, (Option<u64>, u64)>,
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
            self.aside.insert(name.clone(), (definer, cell));
            let again = run_again(definer.as_slice());
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
        let again = run_again(definer.as_slice());
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
    fn types_of_variables_go_with_the_variables() {
        let program = PROGRAM.replace(
            "    sample();\n}",
            "    sample();\n    evcxr_variable_store.put_variable::<Net>();\n}",
        );
        let store = error(10, "src/lib.rs");
        let both = format!("{store}\n{}", error(5, "src/lib.rs"));
        let found = misfits(&both, &program, &BTreeSet::new()).expect("a misfit");
        assert_eq!(found.len(), 1);
        assert_eq!(misfits(&store, &program, &BTreeSet::new()), None);
        assert!(is_about_variables(&store, &program));
        let note = store.replace("\"error\"", "\"note\"");
        let parameters = note.replace("wrong", "struct defined here, with 0 generic parameters");
        assert!(is_about_variables(&parameters, &program));
        for other in [&both, "", &note, &error(9, "src/lib.rs")] {
            assert!(!is_about_variables(other, &program), "{other}");
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
