//! From source text to items.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::spanned::Spanned;
use syn::{Attribute, Visibility};

use super::index::{
    Data, Generics, Id, Impl, Index, Item, Kind, Signature, Use, last_name, name_of,
};
use super::lexer::without_bodies;

/// Decides which `#[cfg]` hold.
#[derive(Debug, Clone, Default)]
pub struct Features(pub Vec<String>);

impl Features {
    fn holds(&self, meta: &syn::Meta) -> bool {
        let inner = |list: &syn::MetaList| -> Vec<bool> {
            let parser = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
            list.parse_args_with(parser)
                .map(|metas| metas.iter().map(|meta| self.holds(meta)).collect())
                .unwrap_or_default()
        };
        let name = |path: &syn::Path| {
            path.get_ident()
                .map(ToString::to_string)
                .unwrap_or_default()
        };
        match meta {
            syn::Meta::Path(path) => match name(path).as_str() {
                "unix" => cfg!(unix),
                "windows" => cfg!(windows),
                "debug_assertions" | "panic" => true,
                _ => false,
            },
            syn::Meta::NameValue(pair) => {
                let value = text_of(&pair.value).unwrap_or_default();
                match name(&pair.path).as_str() {
                    "feature" => self.0.contains(&value),
                    "target_os" => value == std::env::consts::OS,
                    "target_arch" => value == std::env::consts::ARCH,
                    "target_family" => value == std::env::consts::FAMILY,
                    "target_pointer_width" => value == usize::BITS.to_string(),
                    "target_endian" => value == "little",
                    "target_has_atomic" => true,
                    "panic" => value == "unwind",
                    _ => false,
                }
            }
            syn::Meta::List(list) => match name(&list.path).as_str() {
                "all" => inner(list).iter().all(|held| *held),
                "any" => inner(list).iter().any(|held| *held),
                "not" => !inner(list).iter().any(|held| *held),
                _ => false,
            },
        }
    }

    fn allow(&self, attributes: &[Attribute]) -> bool {
        attributes.iter().all(|attribute| {
            if !attribute.path().is_ident("cfg") {
                return true;
            }
            attribute
                .parse_args::<syn::Meta>()
                .map_or(true, |meta| self.holds(&meta))
        })
    }
}

fn text_of(value: &syn::Expr) -> Option<String> {
    match value {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(text),
            ..
        }) => Some(text.value()),
        _ => None,
    }
}

/// Reads source text into modules of one crate.
pub struct Reader<'i> {
    pub index: &'i mut Index,
    pub krate: usize,
    pub features: Features,
    /// The text that is being read.
    text: String,
    /// The folder in which `mod x;` is looked for; none in a cell.
    folder: Option<PathBuf>,
    /// Files that are still to be read: the module, and the folder of its own modules.
    queue: Vec<(PathBuf, Id, PathBuf)>,
    /// The cell, and the lines before the text.
    pub cell: Option<(u64, usize)>,
}

impl<'i> Reader<'i> {
    pub fn new(index: &'i mut Index, krate: usize, features: Features) -> Self {
        Self {
            index,
            krate,
            features,
            text: String::new(),
            folder: None,
            queue: Vec::new(),
            cell: None,
        }
    }

    /// Reads a file, and the files of its modules, into a module. What doesn't parse is left out.
    pub fn file(&mut self, path: &Path, module: Id, folder: PathBuf) {
        self.queue.push((path.to_owned(), module, folder));
        // One after the other: the spans of a text are valid only until the next is read.
        while let Some((path, module, folder)) = self.queue.pop() {
            if let Ok(text) = fs::read_to_string(&path) {
                self.folder = Some(folder);
                self.source(&text, module, path.parent());
            }
        }
    }

    fn source(&mut self, text: &str, module: Id, beside: Option<&Path>) {
        // Without the mark that an editor of another system may have set: spans don't count it.
        self.text = without_bodies(text.trim_start_matches('\u{feff}'));
        // Else the texts of all files would be kept for their spans.
        proc_macro2::extra::invalidate_current_thread_spans();
        if let Ok(file) = syn::parse_file(&self.text) {
            let docs = self.docs(&file.attrs, beside);
            if !docs.is_empty() {
                self.index.items[module].docs = docs;
            }
            for item in &file.items {
                self.item(item, module);
            }
        }
    }

    /// Reads the items of a cell, as far as it parses. `text` is one statement.
    pub fn statement(&mut self, text: &str, module: Id) {
        self.text = without_bodies(text);
        proc_macro2::extra::invalidate_current_thread_spans();
        if let Ok(file) = syn::parse_file(&self.text) {
            for item in &file.items {
                self.item(item, module);
            }
        }
    }

    fn docs(&self, attributes: &[Attribute], beside: Option<&Path>) -> String {
        let mut docs = String::new();
        for attribute in attributes {
            let syn::Meta::NameValue(pair) = &attribute.meta else {
                continue;
            };
            if !pair.path.is_ident("doc") {
                continue;
            }
            if let Some(text) = text_of(&pair.value) {
                docs.push_str(text.strip_prefix(' ').unwrap_or(&text));
                docs.push('\n');
            } else if let (syn::Expr::Macro(call), Some(beside)) = (&pair.value, beside)
                && call.mac.path.is_ident("include_str")
                && let Ok(name) = call.mac.parse_body::<syn::LitStr>()
            {
                docs.push_str(&fs::read_to_string(beside.join(name.value())).unwrap_or_default());
            }
        }
        docs.trim_end().to_owned()
    }

    fn slice(&self, part: &impl Spanned) -> String {
        let range = part.span().byte_range();
        let text = self.text.get(range).unwrap_or_default();
        tidy(text)
    }

    fn new_item(
        &self,
        name: &impl ToString,
        kind: Kind,
        attributes: &[Attribute],
        parent: Id,
    ) -> Item {
        let hidden = attributes.iter().any(|attribute| {
            attribute.path().is_ident("deprecated")
                || attribute.path().is_ident("doc")
                    && matches!(&attribute.meta, syn::Meta::List(list)
                        if list.tokens.to_string() == "hidden")
        });
        Item {
            name: name.to_string().trim_start_matches("r#").to_owned(),
            kind,
            docs: self.docs(attributes, None),
            declared: String::new(),
            parent,
            within: None,
            krate: self.krate,
            public: false,
            hidden,
            data: Data::None,
            cell: None,
        }
    }

    fn placed(&self, mut item: Item, at: proc_macro2::Span) -> Item {
        item.cell = self
            .cell
            .map(|(number, lines)| (number, lines + at.start().line));
        item
    }

    fn item(&mut self, item: &syn::Item, module: Id) {
        use syn::Item as I;
        match item {
            I::Mod(m) if self.features.allow(&m.attrs) => self.module(m, module),
            I::Use(u) if self.features.allow(&u.attrs) => {
                let mut found = Vec::new();
                flatten(&u.tree, &mut Vec::new(), &mut found);
                let public = is_public(&u.vis);
                for (path, name) in found {
                    self.add_use(module, Use { path, name, public });
                }
            }
            I::ExternCrate(e) if self.features.allow(&e.attrs) => {
                let own = e.ident.to_string();
                let name = e
                    .rename
                    .as_ref()
                    .map_or(own.clone(), |(_, name)| name.to_string());
                let public = is_public(&e.vis);
                let path = vec![if own == "self" { "crate".into() } else { own }];
                self.add_use(module, Use { path, name, public });
            }
            I::Struct(s) if self.features.allow(&s.attrs) => {
                let item = self.new_item(&s.ident, Kind::Struct, &s.attrs, module);
                let tuple = matches!(s.fields, syn::Fields::Unnamed(_));
                let primitive = s.attrs.iter().any(|a| a.path().is_ident("primitive"));
                let head = format!(
                    "{}struct {}{}",
                    vis(&s.vis),
                    s.ident,
                    self.slice(&s.generics)
                );
                let id = self.add_type(item, &s.vis, &s.generics, &s.attrs, tuple, s.ident.span());
                self.fields(id, &s.fields, None);
                let declared = head + &self.show_fields(id, &s.fields);
                self.index.items[id].declared = declared;
                if primitive {
                    self.index.items[id].kind = Kind::Primitive;
                    self.index.items[id].declared = format!("primitive type {}", s.ident);
                }
            }
            I::Union(u) if self.features.allow(&u.attrs) => {
                let item = self.new_item(&u.ident, Kind::Union, &u.attrs, module);
                let id = self.add_type(item, &u.vis, &u.generics, &u.attrs, false, u.ident.span());
                self.fields(id, &syn::Fields::Named(u.fields.clone()), None);
                self.index.items[id].declared = format!("{}union {}", vis(&u.vis), u.ident);
            }
            I::Enum(e) if self.features.allow(&e.attrs) => self.enumeration(e, module),
            I::Trait(t) if self.features.allow(&t.attrs) => self.trait_(t, module),
            I::Impl(i) if self.features.allow(&i.attrs) => self.implementation(i, module),
            I::Fn(f) if self.features.allow(&f.attrs) => {
                let mut item = self.new_item(&f.sig.ident, Kind::Function, &f.attrs, module);
                item.declared = vis(&f.vis) + &self.slice(&f.sig);
                item.public = is_public(&f.vis);
                item.data = Data::Function(self.signature(&f.sig, &f.attrs));
                item = self.placed(item, f.sig.ident.span());
                self.redefine(item);
            }
            I::Const(c) if self.features.allow(&c.attrs) => {
                let mut item = self.new_item(&c.ident, Kind::Constant, &c.attrs, module);
                let value = self.slice(&c.expr);
                let value = if value.len() < 80 {
                    value
                } else {
                    "…".into()
                };
                let ty = self.slice(&c.ty);
                item.declared = format!("{}const {}: {ty} = {value}", vis(&c.vis), c.ident);
                item.public = is_public(&c.vis);
                item.data = Data::Typed(ty);
                item = self.placed(item, c.ident.span());
                self.redefine(item);
            }
            I::Static(s) if self.features.allow(&s.attrs) => {
                let mut item = self.new_item(&s.ident, Kind::Static, &s.attrs, module);
                let ty = self.slice(&s.ty);
                item.declared = format!("{}static {}: {ty}", vis(&s.vis), s.ident);
                item.public = is_public(&s.vis);
                item.data = Data::Typed(ty);
                item = self.placed(item, s.ident.span());
                self.redefine(item);
            }
            I::Type(t) if self.features.allow(&t.attrs) => {
                let mut item = self.new_item(&t.ident, Kind::Alias, &t.attrs, module);
                item.declared = vis(&t.vis)
                    + &format!(
                        "type {}{} = {}",
                        t.ident,
                        self.slice(&t.generics),
                        self.slice(&t.ty)
                    );
                item.public = is_public(&t.vis);
                item.data = Data::Alias {
                    generics: self.generics(&t.generics),
                    target: self.slice(&t.ty),
                };
                item = self.placed(item, t.ident.span());
                self.redefine(item);
            }
            I::Macro(m) if self.features.allow(&m.attrs) => self.macro_(m, module),
            _ => {}
        }
    }

    fn macro_(&mut self, m: &syn::ItemMacro, module: Id) {
        let Some(name) = m
            .ident
            .as_ref()
            .filter(|_| m.mac.path.is_ident("macro_rules"))
        else {
            return;
        };
        let exported = m.attrs.iter().any(|a| a.path().is_ident("macro_export"));
        let at = match exported {
            true => self.index.crates[self.krate].root,
            false => module,
        };
        let mut item = self.new_item(name, Kind::Macro, &m.attrs, at);
        let code = super::lexer::Code::new(&self.text[m.mac.tokens.span().byte_range()]);
        let mut arms = Vec::new();
        let mut i = 0;
        while i < code.tokens.len() && arms.len() < 4 {
            let end = code.close(i);
            arms.push(format!("    {} => …", tidy(code.between(i, end + 1))));
            // `=> { … };`
            i = code.close(end + 3) + 2;
        }
        item.declared = format!("macro_rules! {name} {{\n{}\n}}", arms.join(";\n"));
        item.public = exported;
        item = self.placed(item, name.span());
        self.redefine(item);
    }

    /// Adds an item; in a cell it takes the place of an earlier one.
    fn redefine(&mut self, item: Item) -> Id {
        if let Some((cell, _)) = self.cell
            && item.kind.is_type()
        {
            // evcxr keeps implementations with the type before them in its cell, and drops both.
            let by = self.index.impls.len();
            let earlier = self.index.named(item.parent, &item.name).first();
            let of = earlier.and_then(|id| self.index.items[*id].cell);
            for one in &mut self.index.impls {
                let with_it = of.is_some_and(|(of, _)| one.cell == Some(of) && of != cell);
                if with_it && last_name(&one.of) == item.name {
                    one.gone.get_or_insert(by);
                }
            }
        }
        if self.cell.is_some()
            && let Data::Module { names, uses } = &mut self.index.items[item.parent].data
        {
            names.remove(&item.name);
            uses.retain(|one| one.name != item.name);
        }
        self.index.add(item)
    }

    fn add_use(&mut self, module: Id, new: Use) {
        let in_cell = self.cell.is_some();
        if let Data::Module { uses, names } = &mut self.index.items[module].data {
            if in_cell && new.name != "*" && new.name != "_" {
                names.remove(&new.name);
                uses.retain(|one| one.name != new.name);
            }
            if !uses.contains(&new) {
                uses.push(new);
            }
        }
    }

    fn module(&mut self, m: &syn::ItemMod, module: Id) {
        let mut item = self.new_item(&m.ident, Kind::Module, &m.attrs, module);
        item.declared = format!("{}mod {}", vis(&m.vis), m.ident);
        item.public = is_public(&m.vis);
        item.data = Data::Module {
            names: HashMap::new(),
            uses: Vec::new(),
        };
        item = self.placed(item, m.ident.span());
        let id = self.redefine(item);
        let name = m.ident.to_string().trim_start_matches("r#").to_owned();
        let below = self.folder.as_ref().map(|folder| folder.join(&name));
        if let Some((_, items)) = &m.content {
            let before = std::mem::replace(&mut self.folder, below);
            for item in items {
                self.item(item, id);
            }
            self.folder = before;
            return;
        }
        let (Some(folder), Some(below)) = (&self.folder, below) else {
            return;
        };
        let named = m.attrs.iter().find_map(|attribute| match &attribute.meta {
            syn::Meta::NameValue(pair) if pair.path.is_ident("path") => text_of(&pair.value),
            _ => None,
        });
        let (file, below) = match named {
            Some(name) => {
                let file = folder.join(name);
                let beside = file.parent().unwrap_or(folder).to_owned();
                (file, beside)
            }
            None => {
                let file = folder.join(format!("{name}.rs"));
                match file.is_file() {
                    true => (file, below),
                    false => (below.join("mod.rs"), below),
                }
            }
        };
        self.queue.push((file, id, below));
    }

    fn add_type(
        &mut self,
        mut item: Item,
        visibility: &Visibility,
        generics: &syn::Generics,
        attributes: &[Attribute],
        tuple: bool,
        at: proc_macro2::Span,
    ) -> Id {
        let derives = attributes
            .iter()
            .filter(|attribute| attribute.path().is_ident("derive"))
            .filter_map(|attribute| {
                attribute
                    .parse_args_with(
                        syn::punctuated::Punctuated::<syn::Path, syn::Token![,]>::parse_terminated,
                    )
                    .ok()
            })
            .flatten()
            .filter_map(|path| path.segments.last().map(|s| s.ident.to_string()))
            .collect();
        item.public = is_public(visibility);
        item.data = Data::Type {
            generics: self.generics(generics),
            members: Vec::new(),
            derives,
            tuple,
        };
        let item = self.placed(item, at);
        self.redefine(item)
    }

    fn fields(&mut self, of: Id, fields: &syn::Fields, public: Option<bool>) {
        let mut members = Vec::new();
        for (number, field) in fields.iter().enumerate() {
            if !self.features.allow(&field.attrs) {
                continue;
            }
            let name = field
                .ident
                .as_ref()
                .map_or_else(|| number.to_string(), ToString::to_string);
            let mut item = self.new_item(&name, Kind::Field, &field.attrs, of);
            let ty = self.slice(&field.ty);
            item.declared = format!("{}{name}: {ty}", vis(&field.vis));
            item.public = public.unwrap_or_else(|| is_public(&field.vis));
            item.data = Data::Typed(ty);
            let at = field.span();
            let item = self.placed(item, at);
            members.push(self.index.add(item));
        }
        if let Data::Type { members: known, .. } = &mut self.index.items[of].data {
            *known = members;
        }
    }

    /// The fields of a type as its declaration shows them.
    fn show_fields(&self, of: Id, fields: &syn::Fields) -> String {
        let Data::Type { members, .. } = &self.index.items[of].data else {
            return String::new();
        };
        let all = self.cell.is_some();
        let shown: Vec<&str> = members
            .iter()
            .map(|id| &self.index.items[*id])
            .filter(|item| item.public || all)
            .map(|item| item.declared.as_str())
            .collect();
        let rest = shown.len() < members.len();
        match fields {
            syn::Fields::Unit => String::new(),
            syn::Fields::Unnamed(_) => {
                let types = shown.iter().map(|text| text.replacen(": ", " ", 1));
                let types: Vec<String> = types
                    .map(|text| {
                        text.trim_start_matches(|c: char| c.is_ascii_digit() || c == ' ')
                            .to_owned()
                    })
                    .map(|text| match text.strip_prefix("pub ") {
                        Some(rest) => {
                            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
                            format!("pub{rest}")
                        }
                        None => text,
                    })
                    .collect();
                format!("({}{})", types.join(", "), if rest { "…" } else { "" })
            }
            syn::Fields::Named(_) if shown.is_empty() && rest => " { … }".to_owned(),
            syn::Fields::Named(_) => {
                let mut lines: Vec<String> =
                    shown.iter().map(|text| format!("    {text},\n")).collect();
                if rest {
                    lines.push("    …\n".to_owned());
                }
                format!(" {{\n{}}}", lines.concat())
            }
        }
    }

    fn enumeration(&mut self, e: &syn::ItemEnum, module: Id) {
        let item = self.new_item(&e.ident, Kind::Enum, &e.attrs, module);
        let id = self.add_type(item, &e.vis, &e.generics, &e.attrs, false, e.ident.span());
        let (mut variants, mut shown) = (Vec::new(), Vec::new());
        for v in &e.variants {
            if !self.features.allow(&v.attrs) {
                continue;
            }
            let mut item = self.new_item(&v.ident, Kind::Variant, &v.attrs, id);
            let text = self.slice(&VariantHead(v));
            item.declared = format!("{}::{text}", e.ident);
            item.public = true;
            item.data = Data::Type {
                generics: Generics::default(),
                members: Vec::new(),
                derives: Vec::new(),
                tuple: matches!(v.fields, syn::Fields::Unnamed(_)),
            };
            let item = self.placed(item, v.ident.span());
            let variant = self.index.add(item);
            self.fields(variant, &v.fields, Some(true));
            variants.push(variant);
            shown.push(format!("    {text},\n"));
        }
        if shown.len() > 12 {
            let more = shown.len() - 12;
            shown.truncate(12);
            shown.push(format!("    … and {more} more\n"));
        }
        let generics = self.slice(&e.generics);
        self.index.items[id].declared = format!(
            "{}enum {}{generics} {{\n{}}}",
            vis(&e.vis),
            e.ident,
            shown.concat()
        );
        if let Data::Type { members, .. } = &mut self.index.items[id].data {
            *members = variants;
        }
    }

    fn trait_(&mut self, t: &syn::ItemTrait, module: Id) {
        let mut item = self.new_item(&t.ident, Kind::Trait, &t.attrs, module);
        let supers = t.supertraits.to_token_stream();
        let supers = if supers.is_empty() {
            String::new()
        } else {
            self.slice(&t.supertraits)
        };
        let generics = self.slice(&t.generics);
        item.declared = format!("{}trait {}{generics}", vis(&t.vis), t.ident);
        if !supers.is_empty() {
            item.declared = format!("{}: {supers}", item.declared);
        }
        item.public = is_public(&t.vis);
        item = self.placed(item, t.ident.span());
        let id = self.redefine(item);
        let mut members = Vec::new();
        for member in &t.items {
            let item = match member {
                syn::TraitItem::Fn(f) if self.features.allow(&f.attrs) => {
                    self.method(&f.sig, &f.attrs, id, String::new())
                }
                syn::TraitItem::Const(c) => {
                    let mut item = self.new_item(&c.ident, Kind::Constant, &c.attrs, id);
                    let ty = self.slice(&c.ty);
                    item.declared = format!("const {}: {ty}", c.ident);
                    item.data = Data::Typed(ty);
                    item
                }
                syn::TraitItem::Type(ty) => {
                    let mut item = self.new_item(&ty.ident, Kind::AssociatedType, &ty.attrs, id);
                    item.declared = format!("type {}", ty.ident);
                    item.data = Data::Typed(match ty.bounds.is_empty() {
                        true => String::new(),
                        false => self.slice(&ty.bounds),
                    });
                    item
                }
                _ => continue,
            };
            let item = Item {
                public: true,
                ..item
            };
            members.push(self.index.add(item));
        }
        self.index.items[id].data = Data::Trait {
            generics: self.generics(&t.generics),
            members,
            supers,
        };
    }

    fn method(
        &self,
        sig: &syn::Signature,
        attributes: &[Attribute],
        parent: Id,
        vis: String,
    ) -> Item {
        let kind = match sig.receiver() {
            Some(_) => Kind::Method,
            None => Kind::Function,
        };
        let mut item = self.new_item(&sig.ident, kind, attributes, parent);
        item.declared = vis + &self.slice(sig);
        item.data = Data::Function(self.signature(sig, attributes));
        self.placed(item, sig.ident.span())
    }

    fn implementation(&mut self, i: &syn::ItemImpl, module: Id) {
        let generics = self.generics(&i.generics);
        let of = self.slice(&i.self_ty);
        let mut key = name_of(&i.self_ty);
        if generics.params.iter().any(|(name, _)| *name == key) {
            key = "*".to_owned();
        }
        let by = i.trait_.as_ref().map(|(path, _)| self.slice(path));
        let in_trait = by.is_some();
        let number = self.index.add_impl(
            &key,
            Impl {
                module,
                generics,
                of,
                by,
                members: Vec::new(),
                types: Vec::new(),
                cell: self.cell.map(|(cell, _)| cell),
                gone: None,
            },
        );
        let (mut members, mut types) = (Vec::new(), Vec::new());
        for member in &i.items {
            let (mut item, visibility) = match member {
                syn::ImplItem::Fn(f) if self.features.allow(&f.attrs) => {
                    (self.method(&f.sig, &f.attrs, module, vis(&f.vis)), &f.vis)
                }
                syn::ImplItem::Const(c) if self.features.allow(&c.attrs) => {
                    let mut item = self.new_item(&c.ident, Kind::Constant, &c.attrs, module);
                    let ty = self.slice(&c.ty);
                    item.declared = format!("{}const {}: {ty}", vis(&c.vis), c.ident);
                    item.data = Data::Typed(ty);
                    (item, &c.vis)
                }
                syn::ImplItem::Type(t) => {
                    types.push((t.ident.to_string(), self.slice(&t.ty)));
                    continue;
                }
                _ => continue,
            };
            item.public = in_trait || is_public(visibility);
            item.within = Some(number);
            // It belongs to the implementation, and has no name in the module.
            let id = self.index.items.len();
            self.index.items.push(item);
            members.push(id);
        }
        let known = &mut self.index.impls[number];
        (known.members, known.types) = (members, types);
        if self.cell.is_some() {
            self.replaces(&key, number);
        }
    }

    /// Takes away what can't stand beside a new implementation: the same trait for the same type, or functions of the
    /// type of which one has the same name.
    fn replaces(&mut self, key: &str, number: usize) {
        let index = &mut *self.index;
        let names = |one: &Impl| -> Vec<String> {
            let members = one.members.iter();
            members.map(|id| index.items[*id].name.clone()).collect()
        };
        let new = &index.impls[number];
        let (header, own) = ((new.of.clone(), new.by.clone()), names(new));
        let earlier: Vec<usize> = index
            .impls_of
            .get(key)
            .into_iter()
            .flatten()
            .copied()
            .filter(|other| {
                let one = &index.impls[*other];
                *other != number
                    && one.cell.is_some()
                    && (one.of.clone(), one.by.clone()) == header
                    && (header.1.is_some() || names(one).iter().any(|name| own.contains(name)))
            })
            .collect();
        for other in earlier {
            index.impls[other].gone.get_or_insert(number);
        }
    }

    fn generics(&self, generics: &syn::Generics) -> Generics {
        let mut read = Generics::default();
        for param in &generics.params {
            match param {
                syn::GenericParam::Type(param) => {
                    let name = param.ident.to_string();
                    let default = param.default.as_ref().map(|(_, ty)| self.slice(ty));
                    if !param.bounds.is_empty() {
                        read.bounds.push((name.clone(), self.slice(&param.bounds)));
                    }
                    read.params.push((name, default));
                }
                syn::GenericParam::Const(param) => {
                    read.params.push((param.ident.to_string(), None))
                }
                syn::GenericParam::Lifetime(_) => {}
            }
        }
        for clause in generics
            .where_clause
            .iter()
            .flat_map(|clause| &clause.predicates)
        {
            if let syn::WherePredicate::Type(clause) = clause
                && !clause.bounds.is_empty()
            {
                let (of, bounds) = (self.slice(&clause.bounded_ty), self.slice(&clause.bounds));
                read.bounds.push((of, bounds));
            }
        }
        read
    }

    fn signature(&self, sig: &syn::Signature, attributes: &[Attribute]) -> Signature {
        let mut read = Signature {
            generics: self.generics(&sig.generics),
            is_async: sig.asyncness.is_some(),
            ..Signature::default()
        };
        for input in &sig.inputs {
            match input {
                syn::FnArg::Receiver(receiver) => read.receiver = Some(self.slice(receiver)),
                syn::FnArg::Typed(typed) => {
                    read.inputs
                        .push((self.slice(&typed.pat), self.slice(&typed.ty)));
                }
            }
        }
        if let syn::ReturnType::Type(_, ty) = &sig.output {
            read.output = Some(self.slice(ty));
        }
        read.taken_for = attributes
            .iter()
            .find_map(|attribute| match &attribute.meta {
                syn::Meta::NameValue(pair) if pair.path.is_ident("taken_for") => {
                    text_of(&pair.value)
                }
                _ => None,
            });
        read
    }
}

/// A variant without its attributes.
struct VariantHead<'a>(&'a syn::Variant);

impl ToTokens for VariantHead<'_> {
    fn to_tokens(&self, tokens: &mut proc_macro2::TokenStream) {
        self.0.ident.to_tokens(tokens);
        self.0.fields.to_tokens(tokens);
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn vis(visibility: &Visibility) -> String {
    match visibility {
        Visibility::Public(_) => "pub ".to_owned(),
        _ => String::new(),
    }
}

/// Joins lines, where one line is enough, and takes comments and attributes out.
fn tidy(text: &str) -> String {
    let code = super::lexer::Code::new(text);
    if !text.contains('\n') && code.comments.is_empty() {
        return text.to_owned();
    }
    let mut line = String::new();
    let mut end = 0;
    for token in &code.tokens {
        let gap = &text[end..token.at.start];
        if !line.is_empty() && gap.contains(char::is_whitespace) {
            line.push(' ');
        }
        line.push_str(&text[token.at.clone()]);
        end = token.at.end;
    }
    line.replace("( ", "(")
        .replace(", )", ")")
        .replace(",)", ")")
        .replace(" )", ")")
}

fn flatten(tree: &syn::UseTree, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    let text = |ident: &syn::Ident| ident.to_string().trim_start_matches("r#").to_owned();
    match tree {
        syn::UseTree::Path(part) => {
            path.push(text(&part.ident));
            flatten(&part.tree, path, found);
            path.pop();
        }
        syn::UseTree::Name(name) => {
            let name = text(&name.ident);
            match name.as_str() {
                "self" => {
                    let last = path.last().cloned().unwrap_or_default();
                    found.push((path.clone(), last));
                }
                _ => {
                    let mut whole = path.clone();
                    whole.push(name.clone());
                    found.push((whole, name));
                }
            }
        }
        syn::UseTree::Rename(part) => {
            let mut whole = path.clone();
            if part.ident != "self" {
                whole.push(text(&part.ident));
            }
            found.push((whole, text(&part.rename)));
        }
        syn::UseTree::Glob(_) => found.push((path.clone(), "*".to_owned())),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, path, found);
            }
        }
    }
}
