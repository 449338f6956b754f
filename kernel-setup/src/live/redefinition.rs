//! Which variables a cell's new definitions would make unreadable.
//!
//! evcxr compiles every definition anew with each cell, and hands variables on by the name of their
//! type. It sees that a type has changed only where the fields' names differ, and never what a
//! field holds: a `struct Q { inner: Vec<P> }` of the old `P` would be read as one of the new `P`.
//! So the kernel keeps the definitions as evcxr does, compares them before a cell runs, and has
//! those variables dropped, by the code that made them, that hold anything which has changed.
//!
//! What counts is what decides a layout or a type's identity: fields, generics, `repr`, constants in
//! array lengths, aliases, imports, traits behind `dyn`, associated types. Beside these, `Drop`,
//! `Hash`, `Eq` and `Ord`, on which stored values and collections rely. Bodies of functions, derives
//! and documentation don't count: a value keeps its meaning. Names are compared, not paths, so two
//! types of one name in two modules are taken for one. A boxed closure keeps what it captured and
//! runs the code it was made with; it goes only where its signature changes.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;

/// Traits that a stored value, or a collection of such, relies on.
const RELIED_UPON: [&str; 7] = [
    "Drop",
    "Hash",
    "PartialEq",
    "Eq",
    "PartialOrd",
    "Ord",
    "Borrow",
];
/// What tokens may name: an identifier, `dyn Trait`, or `head::name` for what stands in a path after its head.
type Mentions = BTreeSet<String>;

/// One thing that a cell defines, reduced to what matters to values that are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Name(Name),
    Impl(Impl),
}

/// A name that types are made of.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    name: String,
    text: String,
    mentions: Mentions,
    /// How many parameters it takes, if it is a type.
    parameters: Option<usize>,
}

impl Name {
    /// Whether values can be of it.
    fn is_type(&self) -> bool {
        let kinds = ["struct ", "enum ", "union "];
        kinds.iter().any(|kind| self.text.starts_with(kind))
    }
}

/// An implementation, derived ones among them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Impl {
    /// The trait's own name.
    of: Option<String>,
    /// What the implementing type mentions.
    types: Mentions,
    /// Whether it is for a type parameter.
    blanket: bool,
    /// Associated types and constants.
    associated: String,
    text: String,
}

/// The definitions so far, as evcxr keeps them: an `impl` belongs to the item before it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Definitions {
    named: BTreeMap<String, Vec<Piece>>,
    unnamed: Vec<Piece>,
}

/// The Rust of a cell, as syn reads it in a block: commands and inner attributes become empty lines, so that all
/// others keep their numbers.
pub fn rust(code: &str) -> String {
    super::completeness::without_commands(code)
        .lines()
        .map(|line| match line.starts_with("#![") {
            true => "\n".to_owned(),
            false => format!("{line}\n"),
        })
        .collect()
}

/// The variables that a cell makes.
pub fn variables(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Ok(statements) = syn::Block::parse_within.parse_str(&rust(code)) {
        for statement in &statements {
            if let syn::Stmt::Local(local) = statement {
                bindings(&local.pat, &mut found);
            }
        }
    }
    found
}

fn bindings(pattern: &syn::Pat, found: &mut Vec<String>) {
    match pattern {
        syn::Pat::Ident(pattern) => found.push(pattern.ident.to_string()),
        syn::Pat::Type(pattern) => bindings(&pattern.pat, found),
        syn::Pat::Tuple(pattern) => pattern.elems.iter().for_each(|p| bindings(p, found)),
        syn::Pat::TupleStruct(pattern) => pattern.elems.iter().for_each(|p| bindings(p, found)),
        syn::Pat::Struct(pattern) => {
            pattern
                .fields
                .iter()
                .for_each(|field| bindings(&field.pat, found));
        }
        _ => {}
    }
}

impl Definitions {
    /// The definitions as they are once this cell is accepted.
    pub fn with(&self, code: &str) -> Self {
        let mut new = self.clone();
        let lines = code.lines().map(str::trim);
        if lines.clone().any(|line| line == ":clear") {
            new = Self::default();
        }
        let rust = rust(code);
        let Ok(statements) = syn::Block::parse_within.parse_str(&rust) else {
            new.add_unparsed(&rust);
            return new;
        };
        let mut before: Option<String> = None;
        for statement in statements {
            let syn::Stmt::Item(item) = statement else {
                continue;
            };
            let mut pieces = Vec::new();
            digest(&item, &mut pieces);
            match &item {
                syn::Item::Use(_) => {
                    for piece in pieces {
                        match piece {
                            Piece::Name(name) => {
                                new.named.insert(name.name.clone(), vec![Piece::Name(name)]);
                            }
                            piece => new.unnamed.push(piece),
                        }
                    }
                }
                _ => match item_name(&item) {
                    Some(name) => {
                        new.named.insert(name.clone(), pieces);
                        if !matches!(item, syn::Item::Macro(_)) {
                            before = Some(name);
                        }
                    }
                    None => match before.as_ref().and_then(|name| new.named.get_mut(name)) {
                        Some(block) => block.extend(pieces),
                        None => new.unnamed.extend(pieces),
                    },
                },
            }
        }
        new
    }

    /// What can't be taken apart is taken for a change of all that it may define.
    fn add_unparsed(&mut self, rust: &str) {
        let mut mentions = Mentions::new();
        let Ok(tokens) = rust.parse::<TokenStream>() else {
            return;
        };
        collect(tokens.clone(), &mut mentions);
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for pair in tokens.windows(2) {
            let (TokenTree::Ident(keyword), TokenTree::Ident(name)) = (&pair[0], &pair[1]) else {
                continue;
            };
            let defines = [
                "struct", "enum", "union", "type", "trait", "mod", "const", "static",
            ];
            if defines.contains(&keyword.to_string().as_str()) {
                let name = name.to_string();
                let piece = Name {
                    name: name.clone(),
                    text: rust.to_owned(),
                    mentions: mentions.clone(),
                    parameters: None,
                };
                self.named.insert(name, vec![Piece::Name(piece)]);
            }
        }
    }

    fn pieces(&self) -> impl Iterator<Item = &Piece> {
        self.named.values().flatten().chain(&self.unnamed)
    }

    fn names(&self) -> impl Iterator<Item = &Name> {
        self.pieces().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name),
            Piece::Impl(_) => None,
        })
    }

    fn impls(&self) -> impl Iterator<Item = &Impl> {
        self.pieces().filter_map(|piece| match piece {
            Piece::Impl(one) => Some(one),
            Piece::Name(_) => None,
        })
    }

    /// What each name stands for, whatever the order.
    fn texts(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut texts = BTreeMap::<&str, BTreeSet<&str>>::new();
        for name in self.names() {
            texts.entry(&name.name).or_default().insert(&name.text);
        }
        texts
    }
}

/// What separates two states of the definitions.
#[derive(Debug)]
pub struct Change<'a> {
    old: &'a Definitions,
    new: &'a Definitions,
    /// Names of which nothing old may be read any more, each with the name that was changed.
    affected: BTreeMap<String, String>,
}

impl<'a> Change<'a> {
    /// From one state to the next.
    pub fn between(old: &'a Definitions, new: &'a Definitions) -> Self {
        let mut change = Self {
            old,
            new,
            affected: BTreeMap::new(),
        };
        if old == new {
            return change;
        }
        let (before, after) = (old.texts(), new.texts());
        for name in before.keys().chain(after.keys()) {
            if before.get(name) != after.get(name) {
                change.add(name, name);
            }
        }
        change.compare_impls(&before, &after);
        change.spread();
        change
    }

    fn add(&mut self, name: &str, cause: &str) -> bool {
        let is_new = !self.affected.contains_key(name);
        if is_new {
            self.affected.insert(name.to_owned(), cause.to_owned());
        }
        is_new
    }

    /// Associated types decide layouts; some traits are relied upon by what is stored.
    fn compare_impls(
        &mut self,
        before: &BTreeMap<&str, BTreeSet<&str>>,
        after: &BTreeMap<&str, BTreeSet<&str>>,
    ) {
        type Key<'k> = (Option<&'k str>, Vec<&'k str>);
        fn key(one: &Impl) -> Key<'_> {
            let types = one.types.iter().map(String::as_str).collect();
            (one.of.as_deref(), types)
        }
        type Contents<'k> = BTreeMap<Key<'k>, (BTreeSet<&'k str>, BTreeSet<&'k str>)>;
        fn contents(definitions: &Definitions) -> Contents<'_> {
            let mut contents = Contents::new();
            for one in definitions.impls() {
                let entry = contents.entry(key(one)).or_default();
                if !one.associated.is_empty() {
                    entry.0.insert(&one.associated);
                }
                entry.1.insert(&one.text);
            }
            contents
        }
        let (old, new) = (contents(self.old), contents(self.new));
        let nothing = (BTreeSet::new(), BTreeSet::new());
        let keys: BTreeSet<&Key<'_>> = old.keys().chain(new.keys()).collect();
        let mut found = Vec::new();
        for key in keys {
            let (was, is) = (
                old.get(key).unwrap_or(&nothing),
                new.get(key).unwrap_or(&nothing),
            );
            let of = key.0.unwrap_or_default();
            let relied_upon =
                RELIED_UPON.contains(&of) && was.1 != is.1 && (of == "Drop" || !was.1.is_empty());
            if was.0 != is.0 {
                found.push(of);
            }
            if was.0 != is.0 || relied_upon {
                found.extend(&key.1);
            }
        }
        let ours = |name: &&str| before.contains_key(name) || after.contains_key(name);
        let found = found.into_iter().map(own_name).filter(ours);
        let found: Vec<String> = found.map(str::to_owned).collect();
        for name in found {
            self.add(&name, &name);
        }
    }

    /// What holds something affected is affected.
    fn spread(&mut self) {
        loop {
            let mut grown = false;
            for name in self.old.names().chain(self.new.names()) {
                if let Some(cause) = self.cause(&name.mentions) {
                    grown |= self.add(&name.name, &cause);
                }
            }
            if !grown {
                return;
            }
        }
    }

    fn cause(&self, mentions: &Mentions) -> Option<String> {
        mentions.iter().find_map(|mention| {
            let hidden = mention.strip_prefix("dyn ").and_then(|of| self.behind(of));
            let named = match mention.split_once("::") {
                Some((head, name)) => self.is_ours(head).then_some(name),
                None => Some(mention.as_str()),
            };
            hidden.or_else(|| named.and_then(|name| self.affected.get(name)).cloned())
        })
    }

    /// Whether a path with this head leads to what cells define; else it leads into another crate.
    fn is_ours(&self, head: &str) -> bool {
        ["crate", "self", "super", "Self"].contains(&head)
            || self.old.named.contains_key(head)
            || self.new.named.contains_key(head)
    }

    /// What may be hidden behind `dyn of` and isn't what it was.
    fn behind(&self, of: &str) -> Option<String> {
        if let Some(cause) = self.affected.get(of) {
            return Some(cause.clone());
        }
        let anything = self.old.names().filter(|name| name.is_type());
        let anything = anything
            .filter_map(|name| self.affected.get(&name.name))
            .next();
        if of == "Any" {
            return anything.cloned();
        }
        let is_of = |one: &&Impl| one.of.as_deref() == Some(of);
        for one in self.old.impls().filter(is_of) {
            let still_there = self.new.impls().any(|other| other == one);
            let mut types = one.types.iter().map(|name| own_name(name));
            let hidden = types.find_map(|name| self.affected.get(name));
            match hidden.or(anything.filter(|_| one.blanket)) {
                Some(cause) => return Some(cause.clone()),
                None if !still_there => return Some(of.to_owned()),
                None => {}
            }
        }
        None
    }

    /// Whether any variable may have to go.
    pub fn matters(&self) -> bool {
        // A changed `impl` alone affects what is behind `dyn`.
        !self.affected.is_empty()
            || !self
                .old
                .impls()
                .all(|one| self.new.impls().any(|n| n == one))
    }

    /// Whether the old types can perhaps not even be named beside the new ones.
    pub fn takes_other_parameters(&self) -> bool {
        self.old.names().any(|old| {
            let same = |new: &&Name| new.name == old.name && new.parameters == old.parameters;
            old.parameters.is_some() && self.new.names().find(same).is_none()
        })
    }

    /// The changed name because of which a value of this type can't be kept.
    pub fn cause_for(&self, type_name: &str) -> Option<String> {
        let mut mentions = Mentions::new();
        match type_name.parse::<TokenStream>() {
            Ok(tokens) => collect(tokens, &mut mentions),
            // Nobody knows what it is.
            Err(_) => return self.affected.values().next().cloned(),
        }
        self.cause(&mentions)
    }
}

/// The name under which evcxr keeps an item.
pub fn item_name(item: &syn::Item) -> Option<String> {
    let ident = match item {
        syn::Item::Const(item) => &item.ident,
        syn::Item::Enum(item) => &item.ident,
        syn::Item::Fn(item) => &item.sig.ident,
        syn::Item::Macro(item) => item.ident.as_ref()?,
        syn::Item::Mod(item) => &item.ident,
        syn::Item::Static(item) => &item.ident,
        syn::Item::Struct(item) => &item.ident,
        syn::Item::Trait(item) => &item.ident,
        syn::Item::Type(item) => &item.ident,
        syn::Item::Union(item) => &item.ident,
        _ => return None,
    };
    (ident != "_").then(|| ident.to_string())
}

/// Reduces an item to what matters.
fn digest(item: &syn::Item, pieces: &mut Vec<Piece>) {
    match item {
        syn::Item::Struct(item) => {
            let mut mentions = generics(&item.generics);
            let fields = fields(&item.fields, &mut mentions);
            let text = format!("struct {} {fields}", shape(&item.generics, &item.attrs));
            let parameters = Some(item.generics.params.len());
            name(&item.ident, text, mentions, parameters, pieces);
            derives(&item.ident, &item.attrs, pieces);
        }
        syn::Item::Union(item) => {
            let mut mentions = generics(&item.generics);
            let fields = fields(&syn::Fields::Named(item.fields.clone()), &mut mentions);
            let text = format!("union {} {fields}", shape(&item.generics, &item.attrs));
            let parameters = Some(item.generics.params.len());
            name(&item.ident, text, mentions, parameters, pieces);
            derives(&item.ident, &item.attrs, pieces);
        }
        syn::Item::Enum(item) => {
            let mut mentions = generics(&item.generics);
            let mut text = format!("enum {}", shape(&item.generics, &item.attrs));
            for variant in &item.variants {
                let fields = fields(&variant.fields, &mut mentions);
                text += &format!(", {} {fields}", variant.ident);
                if let Some((_, value)) = &variant.discriminant {
                    collect(value.to_token_stream(), &mut mentions);
                    text += &format!("= {}", value.to_token_stream());
                }
            }
            let parameters = Some(item.generics.params.len());
            name(&item.ident, text, mentions, parameters, pieces);
            derives(&item.ident, &item.attrs, pieces);
        }
        syn::Item::Type(item) => {
            let mut mentions = generics(&item.generics);
            collect(item.ty.to_token_stream(), &mut mentions);
            let text = (
                shape(&item.generics, &[]),
                item.ty.to_token_stream().to_string(),
            );
            name(
                &item.ident,
                format!("type {} {}", text.0, text.1),
                mentions,
                Some(item.generics.params.len()),
                pieces,
            );
        }
        syn::Item::Trait(item) => {
            let mut bare = item.clone();
            bare.attrs.clear();
            bare.vis = syn::Visibility::Inherited;
            whole(&item.ident, bare.to_token_stream(), pieces);
        }
        syn::Item::TraitAlias(item) => whole(&item.ident, item.to_token_stream(), pieces),
        syn::Item::Const(item) => {
            let tokens = [item.ty.to_token_stream(), item.expr.to_token_stream()];
            whole(&item.ident, tokens.into_iter().collect(), pieces);
        }
        // Functions are part of a type where they compute an array's length.
        syn::Item::Fn(item) if item.sig.to_token_stream().to_string().starts_with("const ") => {
            whole(
                &item.sig.ident,
                [item.sig.to_token_stream(), item.block.to_token_stream()]
                    .into_iter()
                    .collect(),
                pieces,
            );
        }
        syn::Item::Macro(item) => {
            if let Some(ident) = &item.ident {
                whole(ident, item.mac.to_token_stream(), pieces);
            }
        }
        syn::Item::Mod(item) => {
            if let Some((_, items)) = &item.content {
                items.iter().for_each(|item| digest(item, pieces));
            }
        }
        syn::Item::Use(item) => imports(&item.tree, &mut Vec::new(), pieces),
        syn::Item::Impl(item) => {
            let mut types = Mentions::new();
            collect(item.self_ty.to_token_stream(), &mut types);
            let parameters: Vec<String> = item
                .generics
                .type_params()
                .map(|one| one.ident.to_string())
                .collect();
            let mut associated = String::new();
            for one in &item.items {
                if matches!(one, syn::ImplItem::Const(_) | syn::ImplItem::Type(_)) {
                    associated += &one.to_token_stream().to_string();
                }
            }
            let of = item
                .trait_
                .as_ref()
                .and_then(|(path, _)| path.segments.last());
            pieces.push(Piece::Impl(Impl {
                of: of.map(|segment| segment.ident.to_string()),
                blanket: parameters.iter().any(|one| types.contains(one)),
                types,
                associated,
                text: item.to_token_stream().to_string(),
            }));
        }
        _ => {}
    }
}

fn name(
    ident: &syn::Ident,
    text: String,
    mentions: Mentions,
    parameters: Option<usize>,
    pieces: &mut Vec<Piece>,
) {
    let name = ident.to_string();
    pieces.push(Piece::Name(Name {
        name,
        text,
        mentions,
        parameters,
    }));
}

fn whole(ident: &syn::Ident, tokens: TokenStream, pieces: &mut Vec<Piece>) {
    let text = tokens.to_string();
    let mut mentions = Mentions::new();
    collect(tokens, &mut mentions);
    // What names itself says nothing by that.
    mentions.remove(&ident.to_string());
    name(ident, text, mentions, None, pieces);
}

/// What an item's head says about its layout.
fn shape(generics: &syn::Generics, attributes: &[syn::Attribute]) -> String {
    let mut text = generics.to_token_stream().to_string();
    text += &generics.where_clause.to_token_stream().to_string();
    for attribute in attributes.iter().filter(|one| one.path().is_ident("repr")) {
        text += &attribute.to_token_stream().to_string();
    }
    text
}

fn generics(generics: &syn::Generics) -> Mentions {
    let mut mentions = Mentions::new();
    collect(generics.to_token_stream(), &mut mentions);
    collect(generics.where_clause.to_token_stream(), &mut mentions);
    mentions
}

/// Fields with their visibility, which is part of a type's identity.
fn fields(fields: &syn::Fields, mentions: &mut Mentions) -> String {
    let mut text = match fields {
        syn::Fields::Unit => ";".to_owned(),
        _ => String::new(),
    };
    for field in fields {
        collect(field.ty.to_token_stream(), mentions);
        let (vis, ident) = (field.vis.to_token_stream(), field.ident.to_token_stream());
        text += &format!("{vis} {ident}: {}, ", field.ty.to_token_stream());
    }
    text
}

fn derives(ident: &syn::Ident, attributes: &[syn::Attribute], pieces: &mut Vec<Piece>) {
    for attribute in attributes
        .iter()
        .filter(|one| one.path().is_ident("derive"))
    {
        let _ = attribute.parse_nested_meta(|meta| {
            if let Some(of) = meta.path.segments.last() {
                pieces.push(Piece::Impl(Impl {
                    of: Some(of.ident.to_string()),
                    types: [ident.to_string()].into(),
                    blanket: false,
                    associated: String::new(),
                    text: "derive".to_owned(),
                }));
            }
            Ok(())
        });
    }
}

/// The names that an import brings.
fn imports(tree: &syn::UseTree, path: &mut Vec<String>, pieces: &mut Vec<Piece>) {
    let mut add = |own: &syn::Ident, last: &syn::Ident, path: &[String]| {
        let own = if own == "self" {
            path.last().cloned()
        } else {
            Some(own.to_string())
        };
        let last = (last != "self").then(|| last.to_string());
        let path: Vec<String> = path.iter().cloned().chain(last).collect();
        // However it is written: `use a::{self}` is `use a`.
        let text = format!("use {}", path.join("::"));
        let mut mentions = Mentions::new();
        for (i, name) in path.iter().enumerate() {
            mentions.insert(match i {
                0 => name.clone(),
                _ => format!("{}::{name}", path[0]),
            });
        }
        if let Some(name) = own {
            mentions.retain(|mention| own_name(mention) != name);
            pieces.push(Piece::Name(Name {
                name,
                text,
                mentions,
                parameters: None,
            }));
        }
    };
    match tree {
        syn::UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            imports(&inner.tree, path, pieces);
            path.pop();
        }
        syn::UseTree::Name(inner) => add(&inner.ident, &inner.ident, path),
        syn::UseTree::Rename(inner) => add(&inner.rename, &inner.ident, path),
        syn::UseTree::Group(inner) => {
            inner
                .items
                .iter()
                .for_each(|tree| imports(tree, path, pieces));
        }
        _ => {}
    }
}

/// Collects what tokens mention: names, and traits behind `dyn`.
fn collect(tokens: TokenStream, mentions: &mut Mentions) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    // The head of the path that is being read, and whether `::` has just been.
    let (mut head, mut joined) = (None::<String>, false);
    for (i, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(ident) if ident == "dyn" => behind_dyn(&tokens[i + 1..], mentions),
            TokenTree::Ident(ident) => {
                let name = ident.to_string().trim_start_matches("r#").to_owned();
                match &head {
                    Some(head) if joined => mentions.insert(format!("{head}::{name}")),
                    _ => {
                        head = Some(name.clone());
                        mentions.insert(name)
                    }
                };
            }
            TokenTree::Group(group) => collect(group.stream(), mentions),
            _ => {}
        }
        let colon = |i: Option<usize>| {
            i.and_then(|i| tokens.get(i))
                .is_some_and(|t| matches!(t, TokenTree::Punct(p) if p.as_char() == ':'))
        };
        joined = colon(Some(i)) && colon(i.checked_sub(1));
    }
}

/// A name without the path to it.
fn own_name(mention: &str) -> &str {
    mention.rsplit("::").next().unwrap_or(mention)
}

/// The traits of a `dyn a::B<C> + D`, by their own names.
fn behind_dyn(tokens: &[TokenTree], mentions: &mut Mentions) {
    let (mut depth, mut last, mut arrow) = (0usize, None, false);
    for token in tokens {
        match token {
            TokenTree::Punct(punct) => match punct.as_char() {
                '<' => depth += 1,
                '>' if arrow => {}
                '>' if depth > 0 => depth -= 1,
                '+' if depth == 0 => mentions.extend(last.take().map(|of| format!("dyn {of}"))),
                ',' | ';' | '=' | '>' if depth == 0 => break,
                _ => {}
            },
            TokenTree::Ident(ident) if depth == 0 && ident != "for" => last = Some(ident.clone()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Parenthesis => {
                // `dyn Fn(A) -> B`, or a bound in parentheses.
                match last.take() {
                    Some(of) => return mentions.extend([format!("dyn {of}")]),
                    None => {
                        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                        behind_dyn(&inner, mentions);
                    }
                }
            }
            _ => {}
        }
        arrow = matches!(token, TokenTree::Punct(punct) if punct.as_char() == '-');
    }
    mentions.extend(last.map(|of| format!("dyn {of}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which of these types can't be kept when the second cell follows the first.
    fn lost<'t>(first: &str, second: &str, types: &[&'t str]) -> Vec<&'t str> {
        let old = Definitions::default().with(first);
        let new = old.with(second);
        let change = Change::between(&old, &new);
        let lost: Vec<&str> = types
            .iter()
            .copied()
            .filter(|one| change.cause_for(one).is_some())
            .collect();
        assert!(lost.is_empty() || change.matters());
        lost
    }

    #[test]
    fn what_holds_a_changed_type_at_any_depth_is_lost() {
        let first = "struct P { a: i64 }\nstruct Q { inner: Vec<P> }\ntype A = Option<Q>;\n\
                     enum E { One(A), Two }\nstruct Other { a: i64 }\nmod m { pub struct R; }";
        let holding = [
            "P",
            "Vec<P>",
            "Q",
            "A",
            "std::rc::Rc<E>",
            "fn(P) -> i64",
            "m::P",
        ];
        let others = ["i64", "Other", "Vec<Other>", "Box<dyn Fn() -> i64>"];
        let all = [&holding[..], &others].concat();
        assert_eq!(lost(first, "struct P { a: f64 }", &all), holding);
        assert_eq!(lost(first, "struct P { pub a: i64 }", &all), holding);
        assert_eq!(lost(first, "#[repr(C)] struct P { a: i64 }", &all), holding);
        assert_eq!(lost(first, "use elsewhere::P;", &all), holding);
        assert_eq!(
            lost(first, "struct Q { inner: P }", &all),
            ["Q", "A", "std::rc::Rc<E>"]
        );
        assert_eq!(
            lost(first, "enum E { Two, One(A) }", &all),
            ["std::rc::Rc<E>"]
        );
    }

    #[test]
    fn a_name_in_a_path_of_another_crate_is_not_ours() {
        let first =
            "use library::plot::{self, Figure};\nstruct P { figure: Figure, of: plot::Axis }";
        let types = [
            "Vec<library::plot::Figure>",
            "P",
            "plot::Axis",
            "other::P",
            "Figure",
        ];
        assert_eq!(lost(first, "use library::plot;", &types), [""; 0]);
        assert_eq!(
            lost(first, "use library::plot::{Figure, Scatter};", &types),
            [""; 0]
        );
        assert_eq!(
            lost(first, "use elsewhere::plot;", &types),
            ["P", "plot::Axis"]
        );
        assert_eq!(lost(first, "struct P(i64);", &types), ["P"]);
        assert_eq!(
            lost(first, "use library::graph::Figure;", &types),
            ["P", "Figure"]
        );
    }

    #[test]
    fn what_changes_no_value_loses_none() {
        let first = "struct P { a: i64 }\nimpl P { fn f(&self) -> i64 { self.a } }\n\
                     const N: usize = 3;\nfn g(p: &P) -> usize { N }\nmod m { pub struct M(i64); }";
        for second in [
            first,
            "/// Documented.\n#[derive(Clone, Debug, PartialEq)]\npub struct P { a: i64 }",
            "struct P { a: i64 }\nimpl P { fn f(&self) -> i64 { self.a + 1 } }",
            "fn g(p: &P) -> f64 { 1.0 }",
            "const N: usize = 4;",
            "mod m { pub struct M(i64); pub fn f() {} }",
            "struct New { p: P }",
            "use std::fmt::Debug;",
            "let p = P { a: 1 };",
        ] {
            let types = [
                "P",
                "Vec<P>",
                "m::M",
                "fn(&P) -> usize",
                "Box<dyn std::any::Any>",
            ];
            assert_eq!(lost(first, second, &types), [""; 0], "{second}");
        }
    }

    #[test]
    fn traits_are_part_of_what_they_hide() {
        let first = "trait Shape { fn area(&self) -> f64; }\nstruct C(f64);\n\
                     impl Shape for C { fn area(&self) -> f64 { self.0 } }\nstruct D(f64);";
        let types = [
            "Box<dyn Shape>",
            "Vec<Box<dyn Shape + Send>>",
            "Box<dyn std::any::Any>",
            "Box<dyn Fn(&C) -> f64>",
            "Box<dyn Fn(f64) -> f64>",
            "C",
            "D",
        ];
        let dyns = &types[..2];
        let changed_trait = "trait Shape { fn name(&self); fn area(&self) -> f64; }";
        assert_eq!(lost(first, changed_trait, &types), dyns);
        let changed_impl = "struct C(f64);\nimpl Shape for C { fn area(&self) -> f64 { 0.0 } }";
        assert_eq!(lost(first, changed_impl, &types), dyns);
        let changed_type = "struct C(i64);\nimpl Shape for C { fn area(&self) -> f64 { 0.0 } }";
        assert_eq!(
            lost(first, changed_type, &types),
            [&types[..4], &["C"]].concat()
        );
        assert_eq!(
            lost(first, "struct D(i64);", &types),
            ["Box<dyn std::any::Any>", "D"]
        );
    }

    #[test]
    fn lengths_and_associated_types_decide_layouts() {
        let first = "const N: usize = 2;\nconst fn twice() -> usize { 2 * N }\n\
                     struct A { a: [u8; N] }\nstruct B([u8; twice()]);\nstruct C;\n\
                     trait Has { type T; }\nimpl Has for C { type T = u8; }\n\
                     struct G<T: Has>(T::T);";
        let types = ["A", "B", "G<C>", "library::Holder<C>", "u8"];
        assert_eq!(lost(first, "const N: usize = 3;", &types), ["A", "B"]);
        let associated = "trait Has { type T; }\nimpl Has for C { type T = u64; }";
        assert_eq!(
            lost(first, associated, &types),
            ["G<C>", "library::Holder<C>"]
        );
    }

    #[test]
    fn a_collection_relies_on_how_its_elements_compare() {
        let first = "#[derive(Hash)] struct K(i64);\nstruct L(i64);";
        let second = "struct K(i64);\nimpl std::hash::Hash for K { fn hash() {} }";
        assert_eq!(
            lost(first, second, &["HashMap<K, L>", "L"]),
            ["HashMap<K, L>"]
        );
        let second = "struct L(i64);\nimpl Drop for L { fn drop(&mut self) {} }";
        assert_eq!(
            lost(first, second, &["HashMap<K, L>", "K"]),
            ["HashMap<K, L>"]
        );
    }

    #[test]
    fn a_cell_that_cannot_be_taken_apart_changes_what_it_names() {
        let first = "struct P(i64);\nstruct Q(i64);";
        assert_eq!(lost(first, "struct P(i64); let = ;", &["P", "Q"]), ["P"]);
        assert_eq!(lost(first, ":clear", &["P", "Q"]), ["P", "Q"]);
    }

    #[test]
    fn the_variables_of_a_cell() {
        let code = ":dep x\nlet (a, mut b) = f(); let P { c, d: Some(e) } = p; { let f = 1; }\n\
                    let g: i64 = 1; let _ = 2; x";
        assert_eq!(variables(code), ["a", "b", "c", "e", "g"]);
        assert_eq!(variables("let ="), [""; 0]);
    }
}
