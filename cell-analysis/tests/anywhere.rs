//! A question may come at any place of any code, finished or not: it is answered, and nothing breaks.

use cell_analysis::{Analysis, Variable};

const PLACES: &str = include_str!("../../kernel-setup/tests/protocol/places.json");

/// A session without any crate.
fn session() -> (Analysis, Vec<String>) {
    let list: serde_json::Value = serde_json::from_str(PLACES).expect("a list");
    let texts = |key: &str| list[key].as_array().expect("a list").clone();
    let mut analysis = Analysis::new();
    for (number, cell) in (1..).zip(texts("setup")) {
        analysis.cell(number, cell.as_str().expect("a text"));
    }
    let variable = |name: &str, ty: &str| Variable {
        name: name.to_owned(),
        ty: ty.to_owned(),
        ..Variable::default()
    };
    analysis.variables(vec![
        variable("values", "Vec<f64>"),
        variable("points", "Vec<Point>"),
        variable("name", "String"),
    ]);
    let codes = texts("places").into_iter();
    let codes = codes.map(|place| place["code"].as_str().expect("a text").to_owned());
    (analysis, codes.collect())
}

#[test]
fn every_beginning_of_every_cell_is_answered() {
    let (mut analysis, codes) = session();
    for code in codes {
        let ends: Vec<usize> = code.char_indices().map(|(at, _)| at).step_by(4).collect();
        for end in ends {
            // The mark is no character of Rust's; a reader may type such.
            analysis.complete(&code[..end], end);
            analysis.inspect(&code, end, false);
        }
    }
}

#[test]
fn a_question_leaves_nothing_behind() {
    let (mut analysis, _) = session();
    let cell = "struct Fleeting;\nfn add() -> Fleeting { Fleeting }\nadd";
    let of_cell = analysis.inspect(cell, cell.len(), false).expect("known");
    assert!(of_cell.plain.contains("fn add() -> Fleeting") && of_cell.plain.contains("this cell"));
    let before = analysis.inspect("add", 3, false).expect("known");
    assert!(
        before.plain.contains("fn add(a: i32, b: i32) -> i32"),
        "{}",
        before.plain
    );
    assert!(before.plain.contains("cell [2], line"), "{}", before.plain);
    assert!(analysis.complete("Fleet", 5).items.is_empty());
}

#[test]
fn what_is_not_known_is_not_guessed() {
    let (mut analysis, _) = session();
    assert!(analysis.complete("nowhere.", 8).items.is_empty());
    assert!(
        analysis
            .complete("points[0].nothing().", 20)
            .items
            .is_empty()
    );
    assert_eq!(analysis.inspect("nowhere::at_all", 10, true), None);
}

#[test]
fn traits_that_are_derived_or_follow_from_others_give_methods() {
    let (mut analysis, _) = session();
    for (code, method) in [
        ("5.to_st", "to_string"),
        ("points[0].clo", "clone"),
        ("1.5f32.to_st", "to_string"),
    ] {
        let found = analysis.complete(code, code.len());
        assert_eq!(
            found.items.first().map(|item| item.text.as_str()),
            Some(method),
            "{code}"
        );
    }
}
