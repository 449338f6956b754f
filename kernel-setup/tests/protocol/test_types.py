"""What a cell may leave out: the types of its variables, which the kernel finds out to keep them."""

import pytest
from conftest import Kernel

# Each: how a variable is made, how a later cell uses it, and what that prints.
VARIABLES = {
    "a list": ('vec!["a", "bb", "cc"]', "{}.len()", "3"),
    "a string": ('"abc".chars().rev().collect::<String>()', "{}", "cba"),
    "a list that is collected": ("(1..4).map(|x| x * x).collect::<Vec<i64>>()", "{}.iter().sum::<i64>()", "14"),
    "a list of what can be read": (
        '"1 2 x".split(\' \').filter_map(|part| part.parse::<i64>().ok()).collect::<Vec<_>>()',
        "{}.len()",
        "2",
    ),
    "pairs": ("[1.5, 2.5].into_iter().zip(1..).collect::<Vec<(f64, i32)>>()", "{}[1].0", "2.5"),
    "a map": (
        '["a", "b", "a"].iter().fold(std::collections::BTreeMap::new(), |mut map, word| '
        "{ *map.entry(word.to_string()).or_insert(0) += 1; map })",
        '{}["a"]',
        "2",
    ),
    "a hash map": ("(0..3).map(|x| (x, x * 2)).collect::<std::collections::HashMap<i32, i32>>()", "{}[&2]", "4"),
    "a queue": ("std::collections::VecDeque::from([1, 2])", "{}.len()", "2"),
    "an option": ("[3, 9, 4].iter().max().copied()", "{}.unwrap()", "9"),
    "an error": ('"x".parse::<i32>().unwrap_err()', "{}", "invalid digit found in string"),
    "an ordering": ("1.cmp(&2)", "{} == std::cmp::Ordering::Less", "true"),
    "a tuple": ("(2.0_f64.sqrt().powi(2) > 1.9, 'c', [0_u8; 4])", "{}.2.len()", "4"),
    "a shared number": ("std::sync::Arc::new(std::sync::Mutex::new(1.5_f64))", "*{}.lock().unwrap()", "1.5"),
    "a counted cell": ("std::rc::Rc::new(std::cell::RefCell::new(None::<String>))", "{}.borrow().is_none()", "true"),
    "a time": ("std::time::Instant::now()", "{}.elapsed().as_secs() < 3600", "true"),
    "a duration": ("std::time::Duration::from_millis(3) * 2", "{}.as_millis()", "6"),
    "a path": ('std::path::Path::new("/a").join("b.txt")', "{}.display()", "/a/b.txt"),
    "a thread": ("std::thread::spawn(|| 41 + 1)", "{}.join().unwrap()", "42"),
    "a channel": ("std::sync::mpsc::channel::<u8>()", "{}.0.send(1).is_ok()", "true"),
    "a closure in a box": ("Box::new(|x: i32| x + 1) as Box<dyn Fn(i32) -> i32>", "{}(1)", "2"),
}


def test_variables_of_the_standard_library_are_kept_without_their_types(kernel):
    names = {what: "kept_" + what.replace(" ", "_") for what in VARIABLES}
    made = [f"let {names[what]} = {how};" for what, (how, _, _) in VARIABLES.items()]
    kernel.ok("\n".join(made))
    uses = [f'println!("{{}}", {use.replace("{}", names[what])});' for what, (_, use, _) in VARIABLES.items()]
    printed = kernel.ok("\n".join(uses)).text().splitlines()
    assert dict(zip(VARIABLES, printed)) == {what: shown for what, (_, _, shown) in VARIABLES.items()}


#: Types that only the compiler knows for certain: a cell that makes variables, what uses them later, and what that prints.
CELLS = {
    "destructured": (
        "struct At { x: u8, y: i64 }\nlet (first, At { x, y: below }) = (vec![Some(1.5)], At { x: 3, y: 4 });",
        "(first[0].unwrap(), x, below)",
        "(1.5, 3, 4)",
    ),
    "or else": ('let Ok(parsed) = "12".parse::<u16>() else { panic!("no number") };', "parsed + u16::MAX / u16::MAX", "13"),
    "a type in a module": (
        "mod inner {\n    #[derive(Debug)]\n    pub enum Colour { Red(i8) }\n}\nlet colour = inner::Colour::Red(3);",
        "colour",
        "Red(3)",
    ),
    "a generic type": (
        "struct Grid<T, const N: usize>([T; N]);\nimpl<T, const N: usize> Grid<T, N> { fn size(&self) -> usize { N } }\nlet grid = Grid(['a', 'b']);",
        "grid.size()",
        "2",
    ),
    "a function": ("fn twice(x: i32) -> i32 { 2 * x }\nlet function = twice;", "function(21)", "42"),
    "settled by a later line": ("let mut later = Vec::new();\nlater.push(2u8);", "later", "[2]"),
    "twice in a cell": ("let again = 1;\nlet again = format!(\"{again}{again}\");", "again.len()", "2"),
    "what fails early": ('let length = "7".parse::<f32>()?;', "length * 2.0", "14.0"),
    "a trait's type": ("let made: Vec<_> = [1u8].iter().map(|x| Box::new(*x) as Box<dyn std::fmt::Debug>).collect();", "made", "[1]"),
    "a long type": (
        "let long = (1..3).map(|x| (x, std::collections::BTreeMap::from([(x, vec![Some(Ok::<i64, std::num::ParseIntError>(1)); 2])]))).collect::<std::collections::HashMap<_, _>>();",
        "long[&2][&2].len()",
        "2",
    ),
    "behind an allow": ("#![allow(dropping_references)]\nlet allowed = 0x10_u64;", "allowed", "16"),
    "beside a function of the question's name": ("fn drop(_: &u8) {}\nlet dropped = 5_u8;\ndrop(&dropped);", "dropped", "5"),
}


@pytest.fixture(scope="module")
def own():
    """A kernel whose other names these cells don't disturb."""
    kernel = Kernel()
    yield kernel
    kernel.stop()


def test_the_compiler_says_what_a_variable_is(own):
    for what, (cell, use, shown) in CELLS.items():
        own.ok(cell)
        assert own.ok(f'println!("{{:?}}", {use});').text() == shown + "\n", what


def refused(kernel, code):
    reply = kernel.run(code).reply
    assert reply["status"] == "error", reply
    return reply["evalue"]


def test_a_variable_that_was_moved_is_gone_and_another_stays(own):
    own.ok('let moved = String::from("m");\nlet stays = 1;\nstd::mem::drop(moved);')
    assert own.ok('println!("{stays}");').text() == "1\n"
    assert "cannot find value `moved`" in refused(own, "moved.len()")


def test_what_cannot_be_kept_says_what_to_do(own):
    assert "is a closure" in refused(own, "let adds = |x: i32| x + 1;")
    unnamed = refused(own, "let mapped = (0..3).map(|x| x + 1);")
    assert "`mapped`" in unnamed and "type" in unnamed
    # What is wrong with a cell is said, and not that types are unknown because of it.
    assert "cannot find function `nothing`" in refused(own, "let made = nothing();\nlet other = 1;")
    assert "type annotations needed" in refused(own, "let open = Vec::new();")
