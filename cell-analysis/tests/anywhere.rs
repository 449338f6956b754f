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
        shown: ty.to_owned(),
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

/// What Shift+Tab says at the mark.
fn told(analysis: &mut Analysis, code: &str) -> String {
    let at = code.find('¦').expect("a mark");
    let told = analysis.inspect(&code.replace('¦', ""), at, false);
    told.map(|told| told.plain).unwrap_or_default()
}

/// What Tab offers at the mark.
fn offered(analysis: &mut Analysis, code: &str) -> Vec<String> {
    let at = code.find('¦').expect("a mark");
    let found = analysis.complete(&code.replace('¦', ""), at);
    found.items.into_iter().map(|item| item.text).collect()
}

#[test]
fn types_that_lead_back_to_themselves_end() {
    for code in [
        "type Result<T> = Result<T, String>;\nfn f() -> Result<i32> { Ok(1) }\nf().¦",
        "type A = B;\ntype B = A;\nfn f() -> A { todo!() }\nf().¦",
        "type A<T> = (A<T>, A<T>, A<T>);\nfn f() -> A<i32> { todo!() }\nf().¦",
        "struct A<T = A>(T);\nfn f() -> A { todo!() }\nf().0.¦",
        "struct C;\nimpl Iterator for C {\n    type Item = Self::Item;\n    fn next(&mut self) -> Option<Self::Item> { None }\n}\nC.next().¦",
        "trait T: T {}\nfn f(t: &impl T) { t.¦ }",
    ] {
        offered(&mut Analysis::new(), code);
    }
    // The name of an earlier cell's struct, taken for one of its types.
    let mut analysis = Analysis::new();
    analysis.cell(1, "struct Point<T> { x: T }");
    offered(
        &mut analysis,
        "type Point = Point<f64>;\nlet p: Point = todo!();\np.¦",
    );
}

#[test]
fn many_imports_of_whole_modules_and_long_chains_take_no_time() {
    let mut code: String = (0..8)
        .map(|n| format!("mod m{n} {{ pub mod all {{ pub trait T{n} {{ fn t{n}(&self); }} }} }}\nuse m{n}::all::*;\n"))
        .collect();
    code += "let values = vec![1.0];\nvalues.iter().ma¦";
    assert_eq!(
        offered(&mut Analysis::new(), &code)
            .first()
            .map(String::as_str),
        Some("map")
    );

    let mut code = "let x0 = 1.5;\n".to_owned();
    for n in 1..35 {
        code += &format!("let x{n} = x{0} * x{0} + x{0};\n", n - 1);
    }
    assert!(told(&mut Analysis::new(), &(code + "x3¦4")).contains("x34: f64"));
}

#[test]
fn a_cell_that_is_run_again_replaces_what_it_had_implemented() {
    let mut analysis = Analysis::new();
    let cell = |method: &str| {
        format!("struct P {{ x: f64 }}\nimpl P {{ fn {method}(&self) -> f64 {{ self.x }} }}")
    };
    analysis.cell(1, &cell("old"));
    analysis.cell(
        2,
        "impl P { fn kept(&self) -> i32 { 1 } fn changed(&self) -> i32 { 1 } }",
    );
    analysis.cell(3, &cell("new"));
    analysis.cell(
        4,
        "impl P { fn changed(&self) -> String { String::new() } }",
    );
    let ask = "fn f(p: &P) { p.¦ }";
    let methods = offered(&mut analysis, ask);
    assert!(methods.contains(&"new".to_owned()) && !methods.contains(&"old".to_owned()));
    assert!(told(&mut analysis, "fn f(p: &P) { p.chan¦ged() }").contains("-> String"));
    // While it is edited, and when the question is over.
    let edited = format!("{}\n{ask}", cell("newest"));
    assert!(offered(&mut analysis, &edited).contains(&"newest".to_owned()));
    assert_eq!(offered(&mut analysis, ask), methods);
}

#[test]
fn what_a_name_is_at_its_place() {
    let mut analysis = Analysis::new();
    analysis.variables(vec![Variable {
        name: "s".to_owned(),
        ty: "std::string::String".to_owned(),
        shown: "String".to_owned(),
        ..Variable::default()
    }]);
    for (code, expected) in [
        ("let s = s¦.len();", "s: String"),
        ("let s¦ = s.len();", "s: usize"),
        ("let e: f32 = 1.0;\nlet x¦x = 0.9 * e;", "xx: f32"),
        ("let n¦n = 2 * s.len();", "nn: usize"),
        ("let m: Option<String> = None;\nm¦", "m: Option<String>"),
        (
            "struct C;\nimpl Clone for C { fn clone(&self) -> C { C } }\nfn f(c: &C) { let d¦d = c.clone(); }",
            "dd: C",
        ),
        (
            "fn f(v: &[f64]) -> bool {\n    !v.is_em¦pty()\n}",
            "is_empty",
        ),
        (
            "let v = vec![1.0];\nfor x in v.iter().map(|y| { y * 2.0 }) { let z¦z = x; }",
            "zz: f64",
        ),
        (
            "let m: Option<String> = None;\nif let Some(p) = m.or_else(|| { None }) { let q¦q = p; }",
            "qq: String",
        ),
    ] {
        let told = told(&mut analysis, code);
        assert!(told.contains(expected), "{code}: {told}");
    }
    // A space of another kind, which some keyboards type.
    analysis.complete(":dep\u{a0}ra", 8);
}
