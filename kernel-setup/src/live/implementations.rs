//! Lets an `impl` that stands in a cell without its type be run again, changed or not.
//!
//! evcxr keeps what a cell defines by name, and an `impl` with the named item before it in its cell. One
//! that has no such item is kept for good, and the same cell, run again, conflicts with itself. So the
//! kernel puts an empty module before it, whose name is kept as long as the same thing is implemented:
//! a trait for a type, or functions of a type of which one was there before.

use proc_macro2::LineColumn;
use quote::ToTokens;
use syn::parse::Parser;
use syn::spanned::Spanned;

use super::redefinition::rust;

/// What an `impl` implements.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subject {
    /// The trait and the type with their parameters, as tokens.
    header: String,
    /// Names of the functions, constants and types; only those of a type's own `impl` tell it from another.
    members: Vec<String>,
    of_trait: bool,
}

impl Subject {
    fn of(item: &syn::ItemImpl) -> Self {
        let of = item.trait_.as_ref();
        let of = of.map(|(path, _)| path.to_token_stream().to_string());
        let parameters = item.generics.params.to_token_stream();
        let header = format!(
            "<{parameters}> {} for {}",
            of.as_deref().unwrap_or_default(),
            item.self_ty.to_token_stream()
        );
        let members = item.items.iter().filter_map(|item| match item {
            syn::ImplItem::Const(item) => Some(item.ident.to_string()),
            syn::ImplItem::Fn(item) => Some(item.sig.ident.to_string()),
            syn::ImplItem::Type(item) => Some(item.ident.to_string()),
            _ => None,
        });
        Self {
            header,
            members: members.collect(),
            of_trait: of.is_some(),
        }
    }

    fn called(&self) -> String {
        let header = self.header.replace(" < ", "<").replace(" >", ">");
        let header = header.trim_start_matches("<> ");
        format!("impl {}", header.strip_prefix(" for ").unwrap_or(header))
    }

    /// Whether both can't stand at once.
    fn excludes(&self, other: &Self) -> bool {
        let shares = || self.members.iter().any(|name| other.members.contains(name));
        let empty = || self.members.is_empty() && other.members.is_empty();
        self.header == other.header && (self.of_trait || shares() || empty())
    }
}

/// The modules before `impl`s so far, each with what stands behind it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Implementations {
    /// Each module's number, and what it holds.
    held: Vec<(usize, Subject)>,
    made: usize,
}

/// A cell as evcxr gets it.
#[derive(Debug, PartialEq, Eq)]
pub struct Placed {
    pub code: String,
    /// The line of this code that the reader's cell doesn't have, counted from 1.
    pub added: Option<usize>,
}

const MODULE: &str = "implementation_";

fn module(number: usize) -> String {
    format!("mod {MODULE}{number} {{}}")
}

impl Implementations {
    /// The cell with a module before each `impl` that needs one, and what holds once evcxr has taken it.
    /// `aside` are names whose former definitions go, with what was kept with them.
    pub fn place(&self, code: &str, aside: &[&str]) -> (Placed, Self) {
        let mut new = match code.lines().any(|line| line.trim() == ":clear") {
            true => Self::default(),
            false => self.clone(),
        };
        let unchanged = Placed {
            code: code.to_owned(),
            added: None,
        };
        let Ok(statements) = syn::Block::parse_within.parse_str(&rust(code)) else {
            return (unchanged, new);
        };
        // What goes on a line before everything, and what behind a place in one.
        let mut first: Vec<String> = aside
            .iter()
            .map(|name| format!("mod {name} {{}}"))
            .collect();
        let mut behind: Vec<(LineColumn, String)> = Vec::new();
        let mut named = false;
        let mut last: Option<LineColumn> = None;
        for statement in &statements {
            match statement {
                syn::Stmt::Item(syn::Item::Impl(item)) => {
                    let (emptied, own) = new.make_room(&Subject::of(item), named);
                    first.extend(emptied.into_iter().map(module));
                    match (own.map(module), last) {
                        (Some(own), Some(end)) => behind.push((end, own)),
                        (own, _) => first.extend(own),
                    }
                }
                syn::Stmt::Item(item) => named |= has_name(item),
                _ => {}
            }
            last = Some(statement.span().end());
        }
        let added = match (first.is_empty(), statements.first()) {
            (false, Some(statement)) => Some(statement.span().start().line),
            _ => None,
        };
        let mut lines: Vec<String> = code.lines().map(str::to_owned).collect();
        for (place, text) in behind.iter().rev() {
            let Some(line) = lines.get_mut(place.line - 1) else {
                return (unchanged, new);
            };
            let at = line.char_indices().nth(place.column);
            line.insert_str(at.map_or(line.len(), |(at, _)| at), &format!(" {text}"));
        }
        if let Some(line) = added {
            lines.insert((line - 1).min(lines.len()), first.join(" "));
        }
        let code = match added.is_some() || !behind.is_empty() {
            true => lines.join("\n"),
            false => code.to_owned(),
        };
        (Placed { code, added }, new)
    }

    /// What a reader would call what is kept under a name.
    pub fn called(&self, name: &str) -> String {
        let number = name.strip_prefix(MODULE).and_then(|n| n.parse().ok());
        let held = self.held.iter().find(|(held, _)| Some(*held) == number);
        held.map_or_else(|| name.to_owned(), |(_, subject)| subject.called())
    }

    /// The modules whose `impl`s an `impl` takes the place of, and its own; it has none of its own if evcxr keeps it
    /// with a named item of its cell.
    fn make_room(&mut self, subject: &Subject, named: bool) -> (Vec<usize>, Option<usize>) {
        let excluded = |(_, held): &&(usize, Subject)| held.excludes(subject);
        let former = self.held.iter().filter(excluded);
        let mut former: Vec<usize> = former.map(|(number, _)| *number).collect();
        self.held.retain(|(number, _)| !former.contains(number));
        if named {
            return (former, None);
        }
        let own = former.pop().unwrap_or_else(|| {
            self.made += 1;
            self.made
        });
        self.held.push((own, subject.clone()));
        (former, Some(own))
    }
}

/// Whether evcxr keeps with this item what comes after it.
fn has_name(item: &syn::Item) -> bool {
    let nameless = matches!(item, syn::Item::Const(item) if item.ident == "_");
    let separate = matches!(
        item,
        syn::Item::Use(_)
            | syn::Item::Impl(_)
            | syn::Item::Macro(_)
            | syn::Item::ExternCrate(_)
            | syn::Item::ForeignMod(_)
            | syn::Item::Verbatim(_)
    );
    !nameless && !separate
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(cells: &[&str]) -> Vec<Placed> {
        let mut held = Implementations::default();
        let mut placed = Vec::new();
        for cell in cells {
            let (one, new) = held.place(cell, &[]);
            placed.push(one);
            held = new;
        }
        placed
    }

    fn codes(cells: &[&str]) -> Vec<String> {
        place(cells).into_iter().map(|one| one.code).collect()
    }

    #[test]
    fn a_lonely_impl_keeps_its_module() {
        let [first, again, other, own, changed] = [
            "impl Tell for Dog { fn tell(&self) {} }",
            "/// Changed.\nimpl Tell for Dog { fn tell(&self) { bark() } }",
            "impl Tell for Cat { fn tell(&self) {} }",
            "impl Dog { fn a(&self) {} }",
            "impl Dog { fn b(&self) {} fn a(&self) -> u8 { 1 } }",
        ];
        let placed = codes(&[
            first,
            again,
            other,
            own,
            "impl Dog { fn c(&self) {} }",
            changed,
        ]);
        let module = |n, code| format!("mod implementation_{n} {{}}\n{code}");
        assert_eq!(
            placed,
            [
                module(1, first),
                module(1, again),
                module(2, other),
                module(3, own),
                module(4, "impl Dog { fn c(&self) {} }"),
                module(3, changed),
            ]
        );
    }

    #[test]
    fn lines_stay_where_they_are_but_for_the_first() {
        let code = "\n:dep a\nimpl A { fn a() {} } // a word\n\nlet x = 1;\nimpl B for A {}";
        let placed = &place(&[code])[0];
        assert_eq!(placed.added, Some(3));
        assert_eq!(
            placed.code,
            "\n:dep a\nmod implementation_1 {}\nimpl A { fn a() {} } // a word\n\nlet x = 1; mod implementation_2 {}\nimpl B for A {}"
        );
    }

    #[test]
    fn an_impl_below_its_type_is_left_to_evcxr_and_ends_a_lonely_one() {
        let whole = "struct A;\nimpl B for A {}";
        assert_eq!(codes(&[whole]), [whole]);
        let after = &place(&["impl B for A {}", whole, whole])[1..];
        assert_eq!(
            after[0].code,
            "mod implementation_1 {}\nstruct A;\nimpl B for A {}"
        );
        assert_eq!(after[1].code, whole);
    }

    #[test]
    fn two_that_become_one_leave_no_other_behind() {
        let merged = "impl A { fn a() {} fn b() {} }";
        let placed = codes(&["impl A { fn a() {} }", "impl A { fn b() {} }", merged]);
        assert_eq!(
            placed[2],
            format!("mod implementation_1 {{}} mod implementation_2 {{}}\n{merged}")
        );
    }

    #[test]
    fn what_is_set_aside_goes_first() {
        let (_, held) = Implementations::default().place("impl B for A {}", &[]);
        let (placed, new) = held.place("// a word\nlet x = 1;", &["implementation_1", "sample"]);
        assert_eq!(
            placed.code,
            "// a word\nmod implementation_1 {} mod sample {}\nlet x = 1;"
        );
        assert_eq!(
            (new.called("implementation_1"), new.called("sample")),
            ("impl B for A".into(), "sample".into())
        );
    }

    #[test]
    fn what_cannot_be_taken_apart_or_implements_nothing_stays_as_it_is() {
        for code in ["impl {", "let x = 1;", "", ":vars", "use a::b;\nlet y = 2;"] {
            assert_eq!(codes(&[code]), [code]);
        }
    }
}
