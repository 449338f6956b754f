//! What to write instead: hints for readers who come from Python, under the compiler's own words.

use syn::parse::Parser;

use super::borrowed::owned;
use super::redefinition::rust;

/// An error of the compiler, and the cell that it is about.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// What the compiler says, without places.
    pub message: &'a str,
    /// All that it says.
    pub all: &'a str,
    /// The cell.
    pub cell: &'a str,
}

type Rule = fn(&Seen<'_>) -> Option<String>;

/// The hints; the first that has something to say is told.
const RULES: [Rule; 15] = [
    python_import,
    magic,
    python_words,
    python_operators,
    quotes,
    assigned_constant,
    shadowed_constant,
    print,
    without_kind,
    indexed_tensor,
    method_of_numpy,
    not_a_value,
    used_up,
    not_kept,
    implemented_twice,
];

/// The hint for an error, if there is one.
pub fn hint(seen: &Seen<'_>) -> Option<String> {
    RULES.iter().find_map(|rule| rule(seen))
}

/// What stands between the first backticks.
fn quoted(text: &str) -> Option<&str> {
    text.split('`').nth(1)
}

fn statements(cell: &str) -> Vec<syn::Stmt> {
    syn::Block::parse_within
        .parse_str(&rust(cell))
        .unwrap_or_default()
}

fn python_import(seen: &Seen<'_>) -> Option<String> {
    let line = seen.cell.lines().map(str::trim).find(|line| {
        line.starts_with("import ") || line.starts_with("from ") && line.contains(" import ")
    })?;
    let library = line.split_whitespace().nth(1)?;
    let instead = match library.split('.').next()? {
        "torch" => "PyTorch is the crate `tch` here: `use icvae_core::tch::{self, Kind, Tensor};`",
        "numpy" => "what NumPy does, tensors do: `use icvae_core::tch::{self, Kind, Tensor};`",
        "matplotlib" => "figures are in `icvae_core::plot`: `use icvae_core::plot::Curves;`",
        _ => "a name is brought in by `use path::Name;`, another crate by `:dep name`",
    };
    Some(instead.to_owned())
}

fn python_words(seen: &Seen<'_>) -> Option<String> {
    let starts = |word: &str| {
        seen.cell
            .lines()
            .any(|line| line.trim_start().starts_with(word))
    };
    if starts("def ") {
        return Some("a function is written `fn name(x: &Tensor) -> Tensor { … }`".to_owned());
    }
    if starts("for ") && seen.cell.contains("range(") {
        return Some("a loop is written `for i in 0..10 { … }`".to_owned());
    }
    let is_comment =
        |line: &str| line.starts_with('#') && !line.starts_with("#[") && !line.starts_with("#!");
    if seen.cell.lines().any(|line| is_comment(line.trim_start())) {
        return Some("a comment begins with `//`".to_owned());
    }
    None
}

/// `%timeit f(x)`, `!pip install x`.
fn magic(seen: &Seen<'_>) -> Option<String> {
    let line = seen
        .cell
        .lines()
        .map(str::trim)
        .find(|line| line.starts_with('%'))?;
    let word = line
        .trim_start_matches('%')
        .split_whitespace()
        .next()
        .unwrap_or_default();
    Some(match word {
        "time" | "timeit" => "a line `:time` in a cell has it say how long it took".to_owned(),
        "who" | "whos" => "a cell with `:vars` lists all variables and their types".to_owned(),
        _ => "commands begin with a colon here: `:help` lists them".to_owned(),
    })
}

/// `x ** 2`, `a and b`, `not a`, `a // b`.
fn python_operators(seen: &Seen<'_>) -> Option<String> {
    if seen.cell.contains("**") && seen.message.contains("cannot be dereferenced") {
        return Some(
            "a power is written `x.powi(2)`, of a fraction `x.powf(0.5)`, of a tensor `x.square()` or \
             `x.pow_tensor_scalar(2)`"
                .to_owned(),
        );
    }
    let has = |word: &str| {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        seen.cell.split(|c| !is_part(c)).any(|part| part == word)
    };
    let parsed = statements(seen.cell).is_empty();
    let instead = match () {
        () if !parsed => return None,
        () if has("and") => "`a and b` is written `a && b`",
        () if has("or") => "`a or b` is written `a || b`",
        () if has("not") => "`not a` is written `!a`",
        () if has("elif") => "`elif` is written `else if`",
        () if has("lambda") => "`lambda x: …` is written `|x| …`",
        () => return None,
    };
    Some(instead.to_owned())
}

/// `'text'`.
fn quotes(seen: &Seen<'_>) -> Option<String> {
    let single = seen
        .message
        .starts_with("character literal may only contain one codepoint");
    let text = seen.cell.split('\'').nth(1)?;
    (single && seen.cell.matches('\'').count() >= 2 && !text.contains('\n'))
        .then(|| format!("a text stands between double quotes: `\"{text}\"`"))
}

fn is_constant(name: &str) -> bool {
    name.chars().any(char::is_alphabetic) && !name.chars().any(char::is_lowercase)
}

/// `LATENT = 5`.
fn assigned_constant(seen: &Seen<'_>) -> Option<String> {
    if !seen
        .message
        .starts_with("invalid left-hand side of assignment")
    {
        return None;
    }
    let assigned = statements(seen.cell)
        .into_iter()
        .find_map(|statement| match statement {
            syn::Stmt::Expr(syn::Expr::Assign(assign), _) => match *assign.left {
                syn::Expr::Path(path) => path.path.get_ident().map(ToString::to_string),
                _ => None,
            },
            _ => None,
        });
    let name = assigned.filter(|name| is_constant(name))?;
    Some(format!(
        "`{name}` is a constant: change its `const {name}: … = …;` and run that cell again, then \
         those that use it"
    ))
}

/// `let LATENT = 5`.
fn shadowed_constant(seen: &Seen<'_>) -> Option<String> {
    let compares = seen
        .message
        .starts_with("refutable pattern in local binding")
        || seen.message.starts_with("mismatched types");
    let name = super::redefinition::variables(seen.cell)
        .into_iter()
        .find(|name| is_constant(name));
    let name = name.filter(|_| compares)?;
    Some(format!(
        "a constant has the name `{name}`, so `let` compares with it: change it by `const {name}: \
         … = …;`, or choose another name in small letters"
    ))
}

fn print(seen: &Seen<'_>) -> Option<String> {
    let is_print = [
        "function `print`",
        "found macro `print`",
        "found macro `println`",
        "format argument must be a string literal",
    ]
    .iter()
    .any(|what| seen.message.contains(what));
    is_print.then(|| "print by `println!(\"{x:?}\")`, or end the cell with `x`".to_owned())
}

/// `x.mean()`.
fn without_kind(seen: &Seen<'_>) -> Option<String> {
    let few = seen.message.contains("argument") && seen.message.contains("supplied");
    let name = ["mean", "sum", "softmax", "cumsum", "prod"]
        .into_iter()
        .find(|name| seen.cell.contains(&format!(".{name}(")))?;
    let kind = few && (seen.all.contains("Kind") || seen.all.contains("dtype"));
    kind.then(|| match name {
        "softmax" | "cumsum" => {
            format!("`{name}` wants a dimension and a kind: `.{name}(-1, Kind::Float)`")
        }
        _ => format!("`{name}` wants the kind of its result: `.{name}(Kind::Float)`"),
    })
}

/// `x[0]`.
fn indexed_tensor(seen: &Seen<'_>) -> Option<String> {
    let indexed = seen
        .message
        .starts_with("cannot index into a value of type");
    (indexed && seen.message.contains("Tensor")).then(|| {
        "a tensor's first row is `x.get(0)`; with `use icvae_core::tch::IndexOp;` also `x.i(0)`, \
         `x.i((.., 0..5))`"
            .to_owned()
    })
}

/// `.shape`, `.numpy()` and others that tensors have in Python.
fn method_of_numpy(seen: &Seen<'_>) -> Option<String> {
    let missing = [
        "no field `",
        "no method named `",
        "attempted to take value of method `",
    ];
    let name = missing.iter().find_map(|start| {
        seen.message
            .strip_prefix(start)?
            .split_once('`')
            .map(|(name, _)| name)
    })?;
    let takes_value = seen.message.starts_with("attempted");
    if !takes_value && !seen.message.contains("Tensor") {
        return None;
    }
    let instead = match name {
        "i" => "`i` comes with `use icvae_core::tch::IndexOp;`",
        "shape" => "a tensor's shape is `x.size()`",
        "dtype" => "a tensor's type is `x.kind()`",
        "T" | "mT" => "the transpose is `x.tr()`",
        "item" => "a tensor's one number is `x.double_value(&[])`",
        "numpy" | "tolist" => "the numbers are `Vec::<f32>::try_from(x.flatten(0, -1))?`",
        "astype" | "type" | "float" | "double" | "long" => {
            "another kind is `x.to_kind(Kind::Float)`"
        }
        "ndim" => "the number of dimensions is `x.dim()`",
        "cuda" => "another device is `x.to_device(device)`",
        "cpu" => "the CPU's copy is `x.to_device(tch::Device::Cpu)`",
        "len" => "the length of the first dimension is `x.size()[0]`",
        "clone" => {
            "another handle on the same numbers is `x.shallow_clone()`, other numbers `x.copy()`"
        }
        _ => return None,
    };
    Some(instead.to_owned())
}

/// Names that Python knows by itself.
fn not_a_value(seen: &Seen<'_>) -> Option<String> {
    if !seen.message.starts_with("cannot find ")
        && !seen.message.contains("undeclared")
        && !seen.message.contains("unresolved")
    {
        return None;
    }
    let instead = match quoted(seen.message)? {
        "len" => "a length is `x.len()`, a tensor's shape `x.size()`",
        "range" => "numbers from 0 to 9 are `0..10`",
        "True" => "it is written `true`",
        "False" => "it is written `false`",
        "null" | "nil" | "none" => {
            "a value that may be missing is an `Option`: `None`, or `Some(x)`"
        }
        "self" => return None,
        "enumerate" | "zip" => {
            "a loop over both is `for (i, x) in xs.iter().enumerate()`, or `.zip(&ys)`"
        }
        "abs" | "max" | "min" | "sum" => {
            "it is a method: `x.abs()`, `a.max(b)`, `xs.iter().sum::<f64>()`"
        }
        "sqrt" | "exp" | "log" => {
            "it is a method: `x.sqrt()`, `x.exp()`, `x.ln()`; of a tensor `x.log()`"
        }
        "str" => "as text it is `x.to_string()` or `format!(\"{x}\")`",
        "int" | "float" => "another kind of number is `x as i64`, `x as f64`",
        "torch" => "PyTorch is `tch` here: `Tensor::zeros([2, 3], (Kind::Float, device))`",
        "np" | "numpy" => "what NumPy does, tensors do: `Tensor::from_slice(&[1.0, 2.0])`",
        "plt" => "figures are in `icvae_core::plot`: `use icvae_core::plot::Curves;`",
        "type" => "a cell with `:vars` lists all variables and their types",
        name => {
            // `x = 5` as the first mention of `x`.
            let start = [format!("{name} ="), format!("{name}=")];
            let assigned = seen.cell.lines().any(|line| {
                start
                    .iter()
                    .any(|start| line.trim_start().starts_with(start.as_str()))
                    && !line.contains("==")
            });
            return (assigned && seen.message.starts_with("cannot find value"))
                .then(|| format!("a new variable begins with `let`: `let {name} = …;`"));
        }
    };
    Some(instead.to_owned())
}

/// A value that has been moved.
fn used_up(seen: &Seen<'_>) -> Option<String> {
    let moved = [
        "use of moved value",
        "borrow of moved value",
        "use of partially moved value",
    ];
    moved.iter().any(|what| seen.message.starts_with(what)).then(|| {
        let name = quoted(seen.message).unwrap_or("x");
        format!(
            "its first use has used `{name}` up: write `&{name}` there, as in `&{name} * 2.0`, and \
             it stays"
        )
    })
}

/// References can't outlive a cell.
fn not_kept(seen: &Seen<'_>) -> Option<String> {
    let cannot = seen
        .message
        .contains("contains a reference with a non-static lifetime")
        || seen.message.contains("cannot be persisted");
    let name = quoted(seen.message)?;
    if !cannot {
        return None;
    }
    if let Some(line) = owned(seen.cell, name) {
        return Some(format!(
            "a variable that later cells see must own what it holds: write `{line}`, or put the cell \
             into `{{ … }}` so that `{name}` ends with it"
        ));
    }
    Some(format!(
        "a variable that later cells see must own what it holds: end its line with `.clone()`, \
             `.to_vec()`, `.to_owned()` or `.collect::<Vec<_>>()`, or put the cell into `{{ … }}` so \
             that `{name}` ends with it"
    ))
}

/// An `impl` that stands in another cell below its type.
fn implemented_twice(seen: &Seen<'_>) -> Option<String> {
    let twice = seen
        .message
        .starts_with("conflicting implementations of trait")
        || seen.message.starts_with("duplicate definitions with name");
    twice.then(|| {
        "the former `impl` still stands, in the cell of the item that it follows there: change it \
         there, or take it out there and run that cell first"
            .to_owned()
    })
}

/// The imports that the compiler proposes, in what `:last_error_json` says: messages and paths.
pub fn imports(json: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for line in json.lines() {
        let Ok(error) = serde_json::from_str::<serde_json::Value>(line) else {
            continue;
        };
        let helps = error["children"].as_array().into_iter().flatten();
        let mut paths: Vec<String> = helps
            .filter(|help| {
                let message = help["message"].as_str().unwrap_or_default();
                message.contains("import") || message.contains("trait")
            })
            .flat_map(|help| help["spans"].as_array().into_iter().flatten())
            .filter_map(|span| span["suggested_replacement"].as_str())
            .map(|text| text.trim().to_owned())
            .filter(|text| text.starts_with("use ") && text.ends_with(';'))
            .collect();
        // The library's own name for it comes first.
        paths.sort_by_key(|path| (!path.starts_with("use icvae_core"), path.len()));
        paths.dedup();
        if let (Some(message), false) = (error["message"].as_str(), paths.is_empty()) {
            paths.truncate(3);
            let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
            found.push((message.to_owned(), paths.join(" or ")));
        }
    }
    found
}

/// A closure that a cell would keep, which evcxr never can: what to write instead.
pub fn closure(cell: &str) -> Option<(String, usize)> {
    statements(cell).into_iter().find_map(|statement| {
        let syn::Stmt::Local(local) = statement else {
            return None;
        };
        let (syn::Pat::Ident(name), Some(init)) = (&local.pat, &local.init) else {
            return None;
        };
        let syn::Expr::Closure(closure) = &*init.expr else {
            return None;
        };
        let line = name.ident.span().start().line;
        let inputs: Vec<(String, String)> = closure
            .inputs
            .iter()
            .map(|input| match input {
                syn::Pat::Type(typed) => (source(&typed.pat), source(&typed.ty)),
                other => (source(other), "f64".to_owned()),
            })
            .collect();
        let output = match &closure.output {
            syn::ReturnType::Type(_, ty) => source(ty),
            syn::ReturnType::Default => "f64".to_owned(),
        };
        let named: Vec<String> = inputs.iter().map(|(n, t)| format!("{n}: {t}")).collect();
        let types: Vec<&str> = inputs.iter().map(|(_, t)| t.as_str()).collect();
        let name = &name.ident;
        Some((
            format!(
                "`{name}` is a closure, which can't be kept for later cells. Write a function, `fn \
                 {name}({}) -> {output} {{ … }}`; or, if it uses variables, `let {name}: Box<dyn \
                 Fn({}) -> {output}> = Box::new(move |…| …);`; or put the cell into `{{ … }}` if no \
                 later cell needs it. Nothing of this cell has run.",
                named.join(", "),
                types.join(", ")
            ),
            line,
        ))
    })
}

fn source(part: &impl quote::ToTokens) -> String {
    let text = part.to_token_stream().to_string();
    text.replace("& ", "&")
        .replace(" ,", ",")
        .replace(" :: ", "::")
}

/// What libtorch or a `Result` says in a panic, in plain words.
pub fn plainly(message: &str) -> String {
    let called = "called `Result::unwrap()` on an `Err` value: ";
    let mut text = message.to_owned();
    if let Some(value) = message.strip_prefix(called) {
        let inner = value
            .split_once("(\"")
            .filter(|(kind, _)| kind.chars().all(|c| c.is_alphanumeric() || c == '_'));
        text = match inner {
            Some((_, inner)) => unescaped(inner.trim_end_matches("\")")),
            None => value.to_owned(),
        };
    }
    let text = text
        .split("Exception raised from ")
        .next()
        .unwrap_or_default();
    let text = text.trim_end_matches("\\n").trim_end();
    if text.ends_with("is out of bounds for float") {
        return format!(
            "{text}: a layer without inputs has no scale for its first weights, so its size must be 1 at least"
        );
    }
    if is_about_cuda(text) {
        return "there is no CUDA device here: make tensors on `device`, or on `tch::Device::Cpu`"
            .to_owned();
    }
    text.to_owned()
}

fn is_about_cuda(text: &str) -> bool {
    let absent = [
        "with arguments from the 'CUDA' backend",
        "Cannot initialize CUDA without",
        "Torch not compiled with CUDA",
        "not linked with support for cuda",
        "Found no NVIDIA driver",
        "No CUDA GPUs are available",
        "PyTorch is not linked with support for cuda devices",
    ];
    absent.iter().any(|words| text.contains(words))
}

/// Undoes what `{:?}` does to a text.
fn unescaped(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match (c, c == '\\') {
            (_, false) => plain.push(c),
            _ => match characters.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some(other) => plain.push(other),
                None => {}
            },
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each hint beside what the compiler says of a cell that needs it.
    const TABLE: [(&str, &str, &str); 35] = [
        (
            "invalid left-hand side of assignment",
            "LATENT = 5;",
            "change its `const LATENT",
        ),
        (
            "refutable pattern in local binding",
            "let LATENT = 5;",
            "has the name `LATENT`",
        ),
        ("mismatched types", "let BETA = 5;", "has the name `BETA`"),
        (
            "this method takes 1 argument but 0 arguments were supplied ... of type `Option<Kind>`",
            "x.mean()",
            "`.mean(Kind::Float)`",
        ),
        (
            "this method takes 2 arguments but 1 argument was supplied ... Kind",
            "x.softmax(-1)",
            "`.softmax(-1, Kind::Float)`",
        ),
        (
            "cannot index into a value of type `tch::Tensor`",
            "x[0]",
            "`x.get(0)`",
        ),
        (
            "no field `shape` on type `tch::Tensor`",
            "x.shape",
            "`x.size()`",
        ),
        ("no field `T` on type `&tch::Tensor`", "x.T", "`x.tr()`"),
        (
            "no method named `i` found for struct `tch::Tensor` in the current scope",
            "x.i(0)",
            "`use icvae_core::tch::IndexOp;`",
        ),
        (
            "no method named `item` found for struct `tch::Tensor` in the current scope",
            "x.item()",
            "`x.double_value(&[])`",
        ),
        (
            "borrow of moved value: `recon`",
            "recon * 2.0; recon",
            "write `&recon` there",
        ),
        (
            "use of moved value: `h`",
            "let a = h; h",
            "write `&h` there",
        ),
        (
            "expected function, found macro `print`",
            "print(x)",
            "`println!",
        ),
        (
            "cannot find function `print` in this scope",
            "print(x)",
            "`println!",
        ),
        (
            "expected one of `!` or `::`, found `torch`",
            "import torch",
            "the crate `tch`",
        ),
        (
            "expected one of `!` or `::`",
            "from numpy import array",
            "what NumPy does",
        ),
        ("expected one of", "def f(x):\n    x", "`fn name("),
        (
            "expected `{`",
            "for i in range(3):\n    i",
            "`for i in 0..10",
        ),
        ("cannot find value `True` in this scope", "True", "`true`"),
        (
            "cannot find function `len` in this scope",
            "len(x)",
            "`x.len()`",
        ),
        (
            "cannot find value `y` in this scope",
            "y = 5;",
            "`let y = …;`",
        ),
        (
            "The variable `r` contains a reference with a non-static lifetime so\ncan't be persisted.",
            "let r = &v[1..];",
            "so that `r` ends with it",
        ),
        (
            "conflicting implementations of trait `A` for type `B`",
            "impl A for B {}",
            "take it out there",
        ),
        (
            "duplicate definitions with name `f`",
            "impl B { fn f() {} }",
            "take it out there",
        ),
        (
            "format argument must be a string literal",
            "println!(x)",
            "`println!(\"{x:?}\")`",
        ),
        ("expected expression, found `%`", "%whos", "`:vars`"),
        ("expected expression, found `%`", "%timeit f(x)", "`:time`"),
        ("expected expression, found `%`", "%load_ext x", "`:help`"),
        (
            "type `{integer}` cannot be dereferenced",
            "let nine = 3 ** 2;",
            "`x.powi(2)`",
        ),
        ("`and` is not a logical operator", "a and b", "`a && b`"),
        ("expected `;`", "let b = not a;", "`!a`"),
        ("expected `;`", "let f = lambda x: x", "`|x| …`"),
        (
            "character literal may only contain one codepoint",
            "let s = 'abc';",
            "`\"abc\"`",
        ),
        (
            "cannot find value `null` in this scope",
            "let a = null;",
            "`None`",
        ),
        (
            "cannot find function `float` in this scope",
            "float(x)",
            "`x as f64`",
        ),
    ];

    fn of(message: &str, cell: &str) -> Option<String> {
        hint(&Seen {
            message,
            all: message,
            cell,
        })
    }

    #[test]
    fn each_hint_says_what_to_write() {
        for (message, cell, expected) in TABLE {
            let said = of(message, cell).unwrap_or_else(|| panic!("no hint for {message}"));
            assert!(said.contains(expected), "{message}: {said}");
        }
    }

    #[test]
    fn other_errors_get_no_hint() {
        for (message, cell) in [
            ("mismatched types", "let x: i64 = 1.0;"),
            ("cannot find value `nowhere` in this scope", "nowhere + 1"),
            (
                "no method named `frobnicate` found for struct `tch::Tensor`",
                "x.frobnicate()",
            ),
            ("no field `shape` on type `Dataset`", "d.shape"),
            (
                "this function takes 1 argument but 0 arguments were supplied",
                "f()",
            ),
            ("cannot index into a value of type `i64`", "n[0]"),
            ("invalid left-hand side of assignment", "f() = 5;"),
            ("mismatched types", "let and: i64 = \"\";"),
            (
                "lifetime may not live long enough",
                "fn f<'a>(x: &'a str) {}",
            ),
        ] {
            assert_eq!(of(message, cell), None, "{message}");
        }
    }

    #[test]
    fn the_compilers_imports_are_told_the_librarys_first() {
        let json = serde_json::json!({
            "message": "cannot find type `AdamConfig` in this scope",
            "children": [{"message": "consider importing one of these structs", "spans": [
                {"suggested_replacement": "use a::AdamConfig;\n"},
                {"suggested_replacement": "use icvae_core::train::AdamConfig;\n"},
            ]}, {"message": "there is another", "spans": [{"suggested_replacement": "use b;"}]}],
        });
        let said = imports(&format!("nothing\n{json}\n"));
        assert_eq!(
            said[0].1,
            "`use icvae_core::train::AdamConfig;` or `use a::AdamConfig;`"
        );
        assert_eq!(imports("{}"), []);
    }

    #[test]
    fn a_closure_is_seen_before_anything_is_compiled() {
        let (said, line) =
            closure("let n = 1;\nlet twice = |x: i64| -> i64 { 2 * x };").unwrap_or_default();
        assert_eq!(line, 2);
        assert!(said.contains("`fn twice(x: i64) -> i64 { … }`"), "{said}");
        assert!(said.contains("`let twice: Box<dyn Fn(i64) -> i64> = Box::new(move |…| …);`"));
        for kept in [
            "let f: Box<dyn Fn()> = Box::new(|| ());",
            "{ let f = |x| x; }",
            "fn g() { let f = || 1; }",
            "let n = v.iter().map(|x| x + 1).count();",
        ] {
            assert_eq!(closure(kept), None, "{kept}");
        }
    }

    #[test]
    fn a_panic_of_libtorch_is_told_in_its_own_words() {
        let said = "called `Result::unwrap()` on an `Err` value: Torch(\"mat1 and mat2 shapes cannot \
                    be multiplied (2x3 and \\\"2x3\\\")\\nException raised from f at x.cpp:1\\nframe #0\")";
        assert_eq!(
            plainly(said),
            "mat1 and mat2 shapes cannot be multiplied (2x3 and \"2x3\")"
        );
        assert_eq!(
            plainly("called `Result::unwrap()` on an `Err` value: ParseIntError { kind: Empty }"),
            "ParseIntError { kind: Empty }"
        );
        assert_eq!(plainly("index out of bounds"), "index out of bounds");
        let cuda = "called `Result::unwrap()` on an `Err` value: Torch(\"Could not run 'aten::empty' \
                    with arguments from the 'CUDA' backend. This could be\")";
        assert!(plainly(cuda).starts_with("there is no CUDA device here"));
    }
}
