//! The kernel's own commands: `:vars` with what each variable holds, `:time` with how long a cell took.
//!
//! evcxr knows `:vars` too, with types alone. What a value holds only the reader's process can say: a line of
//! code is made for each kind of value that has something short to say, and runs after the cell.

use std::time::Duration;

use super::variables::types;

/// What a cell asks of the kernel itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// A list of the variables.
    pub vars: bool,
    /// The time that the cell took.
    pub time: bool,
    /// What is left for evcxr; all lines keep their numbers.
    pub code: String,
}

impl Wanted {
    /// Takes the kernel's own commands out of a cell.
    pub fn of(code: &str) -> Self {
        let mut wanted = Self {
            vars: false,
            time: false,
            code: String::new(),
        };
        for line in code.split_inclusive('\n') {
            match line.trim() {
                ":vars" => wanted.vars = true,
                ":time" => wanted.time = true,
                _ => {
                    wanted.code += line;
                    continue;
                }
            }
            wanted.code += &line[line.trim_end_matches(['\n', '\r']).len()..];
        }
        wanted
    }

    /// The code for evcxr, which is to run something whatever was taken out.
    pub fn for_evcxr(&self) -> &str {
        match (self.vars || self.time) && self.code.trim().is_empty() {
            true => "();",
            false => &self.code,
        }
    }
}

/// Code that prints the variables in evcxr's list: names, types, and what they hold. `plain` leaves that out.
pub fn list(listed: &str, plain: bool) -> String {
    let mut variables = types(listed);
    variables.sort();
    if variables.is_empty() {
        return "println!(\"there are no variables yet\");".to_owned();
    }
    let width = |text: &str| text.chars().count();
    let longest = variables.iter().map(|(name, _)| width(name)).max();
    let longest = longest.unwrap_or(0) + 1;
    let mut code = String::new();
    for (name, type_name) in variables {
        let shown = short(&type_name);
        let column = format!("{:<longest$} {shown}", format!("{name}:"));
        let head = format!("{column:?}");
        code += &match holds(&type_name).filter(|_| !plain) {
            Some(what) => {
                format!(
                    "println!(\"{{}}  {{}}\", {head}, {});\n",
                    what.replace('@', &name)
                )
            }
            None => format!("println!(\"{{}}\", {head});\n"),
        };
    }
    code
}

/// An expression that says in a few words what the variable `@` holds, for types of which that is known.
fn holds(type_name: &str) -> Option<&'static str> {
    let (outer, inner) = type_name.split_once('<').unwrap_or((type_name, ""));
    let own = outer.rsplit("::").next().unwrap_or(outer).trim();
    match own {
        "Tensor" => Some("format!(\"{:?} {:?}\", @.size(), @.kind())"),
        "String" if inner.is_empty() => Some("format!(\"{} bytes\", @.len())"),
        "Vec" | "VecDeque" | "HashMap" | "BTreeMap" | "HashSet" | "BTreeSet" => {
            Some("format!(\"{} entries\", @.len())")
        }
        "Dataset" => Some("format!(\"{} examples\", @.len())"),
        "Digits" => Some("format!(\"{} and {} examples\", @.train.len(), @.test.len())"),
        "bool" | "char" | "f32" | "f64" | "i8" | "i16" | "i32" | "i64" | "i128" | "isize"
        | "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => Some("format!(\"{:?}\", @)"),
        _ => None,
    }
}

/// A type without the paths in it: `Vec<Tensor>` for `std::vec::Vec<tch::Tensor>`.
pub fn short(type_name: &str) -> String {
    let (mut text, mut word) = (String::new(), String::new());
    let mut rest = type_name.split_whitespace().collect::<Vec<_>>().join(" ");
    rest = rest
        .replace("< ", "<")
        .replace(", >", ">")
        .replace(" >", ">");
    rest.push(' ');
    let mut colons = 0;
    for c in rest.chars() {
        match c {
            ':' => colons += 1,
            c if c.is_alphanumeric() || c == '_' => {
                if colons == 2 {
                    word.clear();
                }
                colons = 0;
                word.push(c);
            }
            c => {
                text += &word;
                word.clear();
                text.extend(std::iter::repeat_n(':', colons));
                colons = 0;
                text.push(c);
            }
        }
    }
    text.trim().to_owned()
}

/// How long a cell took, in words.
pub fn time(all: Duration, running: Option<Duration>) -> String {
    let seconds = |time: Duration| format!("{:.2} s", time.as_secs_f64());
    match running.and_then(|running| Some((running, all.checked_sub(running)?))) {
        Some((running, compiling)) => format!(
            "this cell took {}: {} to compile, {} to run\n",
            seconds(all),
            seconds(compiling),
            seconds(running)
        ),
        None => format!("this cell took {}\n", seconds(all)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_taken_out_and_lines_keep_their_numbers() {
        let wanted = Wanted::of("let a = 1;\n  :vars \nlet b = \":vars\";\n:time");
        assert_eq!((wanted.vars, wanted.time), (true, true));
        assert_eq!(wanted.code, "let a = 1;\n\nlet b = \":vars\";\n");
        assert_eq!(wanted.for_evcxr(), wanted.code);
        assert_eq!(Wanted::of(":vars\n").for_evcxr(), "();");
        assert_eq!(Wanted::of("\n").for_evcxr(), "\n");
        let none = Wanted::of(":varsity\n:dep a\n");
        assert_eq!(
            (none.vars, none.time, none.code.as_str()),
            (false, false, ":varsity\n:dep a\n")
        );
    }

    #[test]
    fn a_list_says_what_is_known() {
        let listed = "x: icvae_core::tch::Tensor\nn: usize\nlong_name: std::collections::HashMap<\n    \
                      String,\n    a::B\n>\nf: alloc::boxed::Box<dyn Fn(f64) -> f64>\n";
        assert_eq!(
            list(listed, false),
            "println!(\"{}\", \"f:         Box<dyn Fn(f64) -> f64>\");\nprintln!(\"{}  {}\", \
             \"long_name: HashMap<String, B>\", format!(\"{} entries\", long_name.len()));\nprintln!(\"{}  \
             {}\", \"n:         usize\", format!(\"{:?}\", n));\nprintln!(\"{}  {}\", \"x:         Tensor\", \
             format!(\"{:?} {:?}\", x.size(), x.kind()));\n"
        );
        assert!(!list(listed, true).contains("len()"));
        assert_eq!(list("", false), "println!(\"there are no variables yet\");");
    }

    #[test]
    fn the_time_tells_compiling_from_running() {
        let (two, half) = (Duration::from_secs(2), Duration::from_millis(500));
        assert_eq!(
            time(two, Some(half)),
            "this cell took 2.00 s: 1.50 s to compile, 0.50 s to run\n"
        );
        assert_eq!(time(half, None), "this cell took 0.50 s\n");
    }
}
