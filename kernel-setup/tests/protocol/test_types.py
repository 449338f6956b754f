"""What a cell may leave out: the types of its variables, which the kernel finds out to keep them."""

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
