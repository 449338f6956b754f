//! What stands at the cursor.

use super::complete::{COMMANDS, path_parts, without_arguments};
use super::cursor::{self, KEYWORDS, Spot, is_keyword};
use super::docs::{self, Links};
use super::index::{Data, Id, Index, Kind};
use super::infer::Infer;
use super::lexer::{self, Code, without_commands};
use super::members::Member;
use super::scope::{Scope, call_before};
use super::ty::Ty;
use super::{Analysis, sysroot};

/// An explanation, in the forms that frontends show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// For a console.
    pub plain: String,
    /// For a page.
    pub html: String,
}

pub fn inspect(known: &Analysis, cell: &str, cursor: usize, whole: bool) -> Option<Explained> {
    let text = without_commands(cell);
    let code = Code::new(&text);
    let at = cursor::at(cell, &code, cursor)?;
    let scope = Scope::at(&code, at.name.start.max(cursor.min(at.name.end)));
    let pairs = known.pairs();
    let mut infer = Infer::new(&known.index, known.root, &scope, &pairs);
    infer.cursor = cursor;
    let asked = Asked {
        known,
        code: &code,
        infer,
        scope: &scope,
        whole,
    };
    if let Spot::Command(line) = &at.spot {
        let word = line.split_whitespace().next().unwrap_or_default();
        let rest = &cell[cursor..];
        let tail = rest
            .find(char::is_whitespace)
            .map_or(rest, |end| &rest[..end]);
        let name = if line.trim_start() == word {
            format!("{word}{tail}")
        } else {
            word.to_owned()
        };
        let (name, meaning) = COMMANDS.iter().find(|(known, _)| *known == name)?;
        return Some(asked.told(name, None, &format!("A command of evcxr: {meaning}."), None));
    }
    // Just behind a bracket that opens a call, the call is meant and not what stands beside it.
    let name = cell.get(at.name.clone()).filter(|name| !name.is_empty());
    name.and_then(|name| asked.name(name, &at))
        .or_else(|| asked.call(cursor))
}

struct Asked<'a> {
    known: &'a Analysis,
    code: &'a Code<'a>,
    infer: Infer<'a>,
    scope: &'a Scope,
    whole: bool,
}

impl Asked<'_> {
    fn index(&self) -> &Index {
        &self.known.index
    }

    fn name(&self, name: &str, at: &cursor::At) -> Option<Explained> {
        let i = at.token;
        let is_macro = self.code.is(i + 1, '!') && !self.code.is(i + 2, '=');
        match &at.spot {
            Spot::Member(receiver) => self.member(receiver, name),
            Spot::Path(path) => self.path(path, name, is_macro),
            Spot::Use(path) => {
                let mut path = path.clone();
                if name != "self" || path.is_empty() {
                    path.push(name.to_owned());
                }
                let (found, used) = self.index().resolve(self.known.root, &path);
                self.items(&found, used == path.len(), false)
            }
            Spot::Field(path, _) if !is_macro => {
                self.field(path, name).or_else(|| self.open(name, is_macro))
            }
            Spot::Attribute { .. } => {
                let (found, _) = self.index().resolve(self.known.root, &[name.to_owned()]);
                let std = self.index().lookup(self.index().std(), name, usize::MAX);
                self.items(&[found, std].concat(), true, false)
            }
            _ => self.open(name, is_macro),
        }
    }

    fn open(&self, name: &str, is_macro: bool) -> Option<Explained> {
        if is_macro {
            let found = self.index().lookup_open(self.known.root, name);
            return self.items(&found, true, true);
        }
        if let Some(told) = self.variable(name) {
            return Some(told);
        }
        if name == "Self"
            && let Some(Ty::Adt(id, _)) = self.infer.place().self_ty
        {
            return Some(self.item(id, None));
        }
        if is_keyword(name) || ["self", "Self", "crate", "super"].contains(&name) {
            let (_, meaning) = KEYWORDS.iter().find(|(known, _)| *known == name)?;
            let page = self
                .known
                .documentation
                .as_ref()
                .filter(|_| self.whole)
                .and_then(|folder| sysroot::keyword(folder, name));
            return Some(self.told(name, Some("keyword"), meaning, page));
        }
        let found = self.index().lookup_open(self.known.root, name);
        self.items(&found, true, false)
    }

    /// A local name, or a variable of an earlier cell.
    fn variable(&self, name: &str) -> Option<Explained> {
        let ty = self.infer.name(name, &self.infer.env());
        let local = self.scope.locals.iter().any(|local| {
            syn::parse::Parser::parse_str(syn::Pat::parse_multi, &local.pattern)
                .is_ok_and(|pattern| super::infer::names_of(&pattern).iter().any(|n| n == name))
        });
        let binding = self.new_binding(name);
        let variable = self
            .known
            .variables
            .iter()
            .rev()
            .find(|one| one.name == name);
        let variable = variable.filter(|_| !local && !self.scope.in_function);
        if let (Some(variable), None) = (variable, &binding) {
            let mut text = format!("let {name}: {}", variable.shown);
            if let Some(value) = &variable.value {
                text = format!("{text} = {value}");
            }
            let mut about = match variable.cell {
                Some(cell) => format!("A variable of cell [{cell}]."),
                None => "A variable of an earlier cell.".to_owned(),
            };
            about.push_str(&self.about_type(&self.infer.variable(&variable.ty)));
            return Some(self.told(&text, None, &about, None));
        }
        let ty = binding.or(ty.filter(|_| local))?;
        let about = self.about_type(&ty);
        Some(self.told(
            &format!("let {name}: {}", self.index().show(&ty)),
            None,
            about.trim(),
            None,
        ))
    }

    /// The type of a name where it is just being made: `let na|me = …`.
    fn new_binding(&self, name: &str) -> Option<Ty> {
        // The binding counts once its statement is over or its block has begun, so it is looked at from behind.
        [self.end(|sign| sign == ';'), self.end(|sign| sign == '{')]
            .into_iter()
            .find_map(|behind| self.binding_seen_from(behind, name))
    }

    /// The byte behind the first such sign after the cursor, outside of brackets that open after it.
    fn end(&self, wanted: impl Fn(char) -> bool) -> usize {
        let code = self.code;
        let tokens = &code.tokens;
        let mut i = tokens.partition_point(|token| token.at.end < self.infer.cursor);
        while let Some(token) = tokens.get(i) {
            i = match token.kind {
                lexer::Kind::Sign(sign) if wanted(sign) => return token.at.end,
                lexer::Kind::Sign('(' | '[' | '{') => code.close(i) + 1,
                _ => i + 1,
            };
        }
        code.text.len() + 1
    }

    fn binding_seen_from(&self, behind: usize, name: &str) -> Option<Ty> {
        let later = Scope::at(self.code, behind);
        let cursor = self.infer.cursor;
        let number = later.locals.iter().position(|local| {
            // Behind `let`, `for` or nothing stands the pattern as it is.
            let start = self.code.text[local.at..].find(local.pattern.as_str());
            start.is_some_and(|start| {
                let start = local.at + start;
                local.pattern.contains(name)
                    && start <= cursor
                    && cursor <= start + local.pattern.len()
            })
        })?;
        let infer = Infer::new(
            &self.known.index,
            self.known.root,
            &later,
            self.infer.variables,
        );
        let mut env = infer.env();
        env.upto = number + 1;
        infer.name(name, &env)
    }

    /// The first sentence about a variable's type.
    fn about_type(&self, ty: &Ty) -> String {
        let Ty::Adt(id, _) = ty.peeled() else {
            return String::new();
        };
        let item = &self.index().items[*id];
        let first = docs::first_sentence(&item.docs);
        match first.is_empty() {
            true => String::new(),
            false => format!("\n\n`{}`: {first}", item.name),
        }
    }

    fn receiver(&self, text: &str) -> Ty {
        match self.infer.text(text, &self.infer.env()) {
            Ty::Unknown => self.infer.text(&without_arguments(text), &self.infer.env()),
            ty => ty,
        }
    }

    fn member(&self, receiver: &str, name: &str) -> Option<Explained> {
        let ty = self.receiver(receiver);
        let index = self.index();
        let field = index
            .fields(&ty)
            .into_iter()
            .find(|(id, _)| index.items[*id].name == name);
        if let Some((id, ty)) = field
            && !self.is_call(name)
        {
            return Some(self.item(id, Some(&index.show(&ty))));
        }
        if name == "await" {
            return self.told_keyword("await");
        }
        let member = index.method(&ty, name)?;
        Some(self.member_item(&member))
    }

    fn is_call(&self, name: &str) -> bool {
        let cursor = self.infer.cursor;
        let token = self.code.tokens.iter().position(|t| {
            t.at.start <= cursor && cursor <= t.at.end && self.code.text[t.at.clone()] == *name
        });
        token.is_some_and(|i| self.code.is(i + 1, '('))
    }

    fn told_keyword(&self, name: &str) -> Option<Explained> {
        let (_, meaning) = KEYWORDS.iter().find(|(known, _)| *known == name)?;
        Some(self.told(name, Some("keyword"), meaning, None))
    }

    fn path(&self, path: &str, name: &str, is_macro: bool) -> Option<Explained> {
        let index = self.index();
        let mut parts = path_parts(path);
        parts.push(name.to_owned());
        let (found, used) = index.resolve(self.known.root, &parts);
        if used == parts.len()
            && let Some(told) = self.items(&found, true, is_macro)
        {
            return Some(told);
        }
        let ty = match self.infer.type_of_text(path) {
            Ty::Unknown => {
                let (found, used) = index.resolve(self.known.root, &parts[..parts.len() - 1]);
                let id = found
                    .into_iter()
                    .find(|id| index.items[*id].kind.is_type())?;
                (used == parts.len() - 1).then(|| index.with_arguments(id, Vec::new()))?
            }
            ty => ty,
        };
        let members = index.behind_type(&ty);
        let member = members
            .iter()
            .find(|member| index.items[member.id].name == name)?;
        Some(self.member_item(member))
    }

    fn field(&self, path: &str, name: &str) -> Option<Explained> {
        let index = self.index();
        let (found, _) = index.resolve(self.known.root, &path_parts(path));
        let id = found
            .into_iter()
            .find(|id| index.items[*id].kind == Kind::Variant);
        let id = id.or(match self.infer.type_of_text(path) {
            Ty::Adt(id, _) => Some(id),
            _ => None,
        })?;
        let Data::Type { members, .. } = &index.items[id].data else {
            return None;
        };
        let field = members
            .iter()
            .find(|field| index.items[**field].name == name)?;
        Some(self.item(*field, None))
    }

    fn member_item(&self, member: &Member) -> Explained {
        self.item(member.id, None)
    }

    /// The first of several items that can be meant.
    fn items(&self, found: &[Id], all: bool, macros: bool) -> Option<Explained> {
        let index = self.index();
        let mut found: Vec<Id> = found
            .iter()
            .copied()
            .filter(|_| all)
            .filter(|id| macros == (index.items[*id].kind == Kind::Macro))
            .collect();
        // A type rather than a function or module of its name.
        found.sort_by_key(|id| match index.items[*id].kind {
            kind if kind.is_type() => 0,
            Kind::Module | Kind::Crate => 2,
            _ => 1,
        });
        found.first().map(|id| self.item(*id, None))
    }

    /// An item; `ty` is its type where that is known better than its declaration says.
    fn item(&self, id: Id, ty: Option<&str>) -> Explained {
        let index = self.index();
        let item = &index.items[id];
        let path = index.path(id);
        let shown = match (ty, item.kind) {
            (Some(ty), Kind::Field) => {
                let visible = if item.declared.starts_with("pub ") {
                    "pub "
                } else {
                    ""
                };
                format!("{visible}{}: {ty}", item.name)
            }
            _ => docs::wrapped(&item.declared),
        };
        let place = match item.cell {
            Some((0, _)) => "this cell".to_owned(),
            Some((number, line)) => format!("cell [{number}], line {line}"),
            None => path[..path.len() - 1].join("::"),
        };
        let std = self
            .known
            .documentation
            .as_ref()
            .filter(|_| item.krate == 0);
        let page = std.and_then(|folder| sysroot::item(index, id, folder));
        self.explained(&shown, Some(&place), &item.docs, page, Some(id))
    }

    fn told(
        &self,
        shown: &str,
        place: Option<&str>,
        docs: &str,
        page: Option<String>,
    ) -> Explained {
        self.explained(shown, place, docs, page, None)
    }

    fn explained(
        &self,
        shown: &str,
        place: Option<&str>,
        docs: &str,
        page: Option<String>,
        id: Option<Id>,
    ) -> Explained {
        let links = Links {
            index: self.index(),
            of: id,
        };
        let part = match self.whole {
            true => docs.to_owned(),
            false => docs::summary(docs),
        };
        let address = id.and_then(|id| links.address(id));
        let (plain, html) = match page {
            // The standard library's own pages say more than the line that this crate has.
            Some(page) => {
                let page = if self.whole {
                    page
                } else {
                    sysroot::summary(&page)
                };
                (sysroot::plain(&page), page)
            }
            None => (docs::plain(&part), docs::html(&part, &links)),
        };
        let mut text = shown.to_owned();
        let mut page = format!("<pre><code>{}</code></pre>", docs::escaped(shown));
        if let Some(place) = place.filter(|place| !place.is_empty()) {
            text = format!("{text}\n\n{place}");
            let place = docs::escaped(place);
            page.push_str(&match &address {
                Some(address) => format!("<p><a href=\"{address}\"><code>{place}</code></a></p>"),
                None => format!("<p><code>{place}</code></p>"),
            });
        }
        if !plain.is_empty() {
            text = format!("{text}\n\n{plain}");
            page.push_str(&html);
        }
        if !self.whole && docs.trim().len() > part.trim().len() {
            text.push_str("\n…");
        }
        Explained {
            plain: text,
            html: page,
        }
    }

    /// The call that the cursor is in, with its parameter marked.
    fn call(&self, cursor: usize) -> Option<Explained> {
        let (open, number) = cursor::call_at(self.code, cursor)?;
        let (receiver, function) = call_before(self.code, open)?;
        let index = self.index();
        let (id, skip) = match receiver {
            Some(receiver) => (index.method(&self.receiver(&receiver), &function)?.id, 0),
            None => {
                let path = syn::parse_str::<syn::ExprPath>(&function).ok()?;
                let member = self.infer.function(&path)?;
                (
                    member.id,
                    usize::from(index.items[member.id].kind == Kind::Method),
                )
            }
        };
        let told = self.item(id, None);
        let Data::Function(signature) = &index.items[id].data else {
            return Some(told);
        };
        let Some((name, ty)) = number
            .checked_sub(skip)
            .and_then(|n| signature.inputs.get(n))
        else {
            return Some(told);
        };
        let hint = format!("{name}: {ty}");
        Some(Explained {
            plain: format!("→ {hint}\n\n{}", told.plain),
            html: format!(
                "<p>→ <strong><code>{}</code></strong></p>{}",
                docs::escaped(&hint),
                told.html
            ),
        })
    }
}
