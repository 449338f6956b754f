//! Types, as far as they are known.

use std::collections::HashMap;

use quote::ToTokens;

use super::index::{Data, Generics, Id, Index, Kind, Text};

/// What type parameters stand for.
pub type Subst = HashMap<String, Ty>;

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Ty {
    /// Nothing is known.
    #[default]
    Unknown,
    /// A struct, enumeration, union or primitive, with its parameters; arrays and slices too.
    Adt(Id, Vec<Ty>),
    /// A reference, mutable or not.
    Ref(bool, Box<Ty>),
    Tuple(Vec<Ty>),
    /// A parameter.
    Param(String),
    /// `impl Trait` or `dyn Trait`.
    Bounds(Vec<Bound>, bool),
    /// A function or closure.
    Fn(Vec<Ty>, Box<Ty>),
    /// A type that belongs to another by a trait: `I::Item`.
    Assoc(Box<Ty>, String),
}

/// A trait that something implements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    pub id: Id,
    pub args: Vec<Ty>,
    pub types: Vec<(String, Ty)>,
    /// What a function takes and gives, of `Fn` and its like.
    pub call: Option<(Vec<Ty>, Ty)>,
}

/// Where a type stands: its names are meant there.
#[derive(Debug, Clone, Default)]
pub struct Place {
    pub module: Id,
    pub params: Vec<String>,
    pub self_ty: Option<Ty>,
}

impl Ty {
    /// Without references around it.
    pub fn peeled(&self) -> &Ty {
        match self {
            Ty::Ref(_, inner) => inner.peeled(),
            other => other,
        }
    }

    /// Whether something is known of it.
    pub fn is_known(&self) -> bool {
        *self != Ty::Unknown
    }

    /// With its parameters replaced.
    pub fn with(&self, subst: &Subst) -> Ty {
        match self {
            Ty::Param(name) => subst.get(name).cloned().unwrap_or_else(|| self.clone()),
            Ty::Adt(id, args) => Ty::Adt(*id, args.iter().map(|arg| arg.with(subst)).collect()),
            Ty::Ref(mutable, inner) => Ty::Ref(*mutable, Box::new(inner.with(subst))),
            Ty::Tuple(parts) => Ty::Tuple(parts.iter().map(|part| part.with(subst)).collect()),
            Ty::Bounds(bounds, is_dyn) => Ty::Bounds(
                bounds.iter().map(|bound| bound.with(subst)).collect(),
                *is_dyn,
            ),
            Ty::Fn(inputs, output) => Ty::Fn(
                inputs.iter().map(|input| input.with(subst)).collect(),
                Box::new(output.with(subst)),
            ),
            Ty::Assoc(of, name) => Ty::Assoc(Box::new(of.with(subst)), name.clone()),
            Ty::Unknown => Ty::Unknown,
        }
    }
}

impl Bound {
    fn with(&self, subst: &Subst) -> Bound {
        Bound {
            id: self.id,
            args: self.args.iter().map(|arg| arg.with(subst)).collect(),
            types: self
                .types
                .iter()
                .map(|(name, ty)| (name.clone(), ty.with(subst)))
                .collect(),
            call: self.call.as_ref().map(|(inputs, output)| {
                let inputs = inputs.iter().map(|input| input.with(subst)).collect();
                (inputs, output.with(subst))
            }),
        }
    }
}

/// Finds what the parameters of a pattern stand for where a type matches it.
pub fn unify(pattern: &Ty, ty: &Ty, params: &[String], subst: &mut Subst) -> bool {
    match (pattern, ty) {
        (Ty::Param(name), ty) if params.contains(name) => {
            let known = subst.get(name).is_some_and(Ty::is_known);
            if !known && ty.is_known() {
                subst.insert(name.clone(), ty.clone());
            }
            true
        }
        (Ty::Unknown, _) | (_, Ty::Unknown) | (Ty::Assoc(..), _) => true,
        (Ty::Adt(a, these), Ty::Adt(b, those)) => {
            // All parts are looked at, since each may tell of a parameter.
            *a == *b
                && these.iter().zip(those).fold(true, |all, (this, that)| {
                    unify(this, that, params, subst) && all
                })
        }
        (Ty::Ref(_, this), Ty::Ref(_, that)) => unify(this, that, params, subst),
        (Ty::Tuple(these), Ty::Tuple(those)) => {
            these.len() == those.len()
                && these.iter().zip(those).fold(true, |all, (this, that)| {
                    unify(this, that, params, subst) && all
                })
        }
        (Ty::Fn(these, this), Ty::Fn(those, that)) => {
            for (a, b) in these.iter().zip(those) {
                unify(a, b, params, subst);
            }
            unify(this, that, params, subst)
        }
        (Ty::Bounds(these, _), Ty::Bounds(those, _)) => these
            .iter()
            .all(|this| those.iter().any(|that| that.id == this.id)),
        (Ty::Param(a), Ty::Param(b)) => a == b,
        _ => false,
    }
}

impl Index {
    /// A type of the standard library.
    pub fn known(&self, path: &str, args: Vec<Ty>) -> Ty {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        let (found, used) = self.resolve(self.std(), &path);
        match found.iter().find(|id| self.items[**id].kind.is_type()) {
            Some(id) if used == path.len() && self.items[*id].kind == Kind::Trait => {
                self.with_arguments(*id, args)
            }
            Some(id) if used == path.len() => Ty::Adt(*id, args),
            _ => Ty::Unknown,
        }
    }

    /// A primitive type.
    pub fn primitive(&self, name: &str) -> Ty {
        self.known(&format!("primitive::{name}"), Vec::new())
    }

    /// Reads a type.
    pub fn type_of_text(&self, text: &str, place: &Place) -> Ty {
        syn::parse_str::<syn::Type>(text).map_or(Ty::Unknown, |ty| self.lower(&ty, place))
    }

    /// Reads a type.
    pub fn lower(&self, ty: &syn::Type, place: &Place) -> Ty {
        match ty {
            syn::Type::Path(path) => self.lower_path(path, place),
            syn::Type::Reference(inner) => Ty::Ref(
                inner.mutability.is_some(),
                Box::new(self.lower(&inner.elem, place)),
            ),
            syn::Type::Tuple(tuple) => {
                Ty::Tuple(tuple.elems.iter().map(|ty| self.lower(ty, place)).collect())
            }
            syn::Type::Slice(slice) => {
                self.known("primitive::slice", vec![self.lower(&slice.elem, place)])
            }
            syn::Type::Array(array) => {
                self.known("primitive::array", vec![self.lower(&array.elem, place)])
            }
            syn::Type::Paren(inner) => self.lower(&inner.elem, place),
            syn::Type::Group(inner) => self.lower(&inner.elem, place),
            syn::Type::ImplTrait(of) => Ty::Bounds(self.bounds(&of.bounds, place), false),
            syn::Type::TraitObject(of) => Ty::Bounds(self.bounds(&of.bounds, place), true),
            _ => Ty::Unknown,
        }
    }

    fn lower_path(&self, path: &syn::TypePath, place: &Place) -> Ty {
        let parts: Vec<String> = path
            .path
            .segments
            .iter()
            .map(|part| part.ident.to_string().trim_start_matches("r#").to_owned())
            .collect();
        if let Some(of) = &path.qself {
            let of = self.lower(&of.ty, place);
            let name = parts.last().cloned().unwrap_or_default();
            return self.project(Ty::Assoc(Box::new(of), name));
        }
        let first = parts.first().map_or("", String::as_str);
        let base = match first {
            "Self" => place.self_ty.clone(),
            name if place.params.iter().any(|param| param == name) => {
                Some(Ty::Param(name.to_owned()))
            }
            _ => None,
        };
        if let Some(base) = base {
            return parts[1..].iter().fold(base, |of, name| {
                self.project(Ty::Assoc(Box::new(of), name.clone()))
            });
        }
        let (found, used) = self.resolve(place.module, &parts);
        let Some(id) = found
            .iter()
            .copied()
            .find(|id| self.items[*id].kind.is_type())
        else {
            return Ty::Unknown;
        };
        let arguments = path.path.segments.get(used.saturating_sub(1));
        let args = arguments.map_or_else(Vec::new, |part| self.arguments(&part.arguments, place));
        let ty = self.with_arguments(id, args);
        parts[used..].iter().fold(ty, |of, name| {
            self.project(Ty::Assoc(Box::new(of), name.clone()))
        })
    }

    /// The type that an item is with these parameters.
    pub fn with_arguments(&self, id: Id, mut args: Vec<Ty>) -> Ty {
        match &self.items[id].data {
            Data::Alias { generics, target } => {
                let place = self.place(id, generics);
                self.fill_in(id, generics, &mut args);
                let subst = generics
                    .params
                    .iter()
                    .zip(args)
                    .map(|((name, _), ty)| (name.clone(), ty))
                    .collect();
                self.once(Text::Item(id), || self.type_of_text(target, &place))
                    .with(&subst)
            }
            Data::Type { generics, .. } => {
                self.fill_in(id, generics, &mut args);
                args.truncate(generics.params.len());
                Ty::Adt(id, args)
            }
            Data::Trait { .. } => Ty::Bounds(
                vec![Bound {
                    id,
                    args,
                    types: Vec::new(),
                    call: None,
                }],
                true,
            ),
            _ => Ty::Unknown,
        }
    }

    /// Adds the defaults of the parameters that are not given.
    fn fill_in(&self, id: Id, generics: &Generics, args: &mut Vec<Ty>) {
        for (_, default) in generics.params.iter().skip(args.len()) {
            args.push(match default {
                Some(text) => self.once(Text::Item(id), || {
                    self.type_of_text(text, &self.place(id, generics))
                }),
                None => Ty::Unknown,
            });
        }
    }

    /// The place of an item's own text.
    pub fn place(&self, id: Id, generics: &Generics) -> Place {
        Place {
            module: self.module_of(id),
            params: generics.names(),
            self_ty: None,
        }
    }

    fn arguments(&self, arguments: &syn::PathArguments, place: &Place) -> Vec<Ty> {
        let syn::PathArguments::AngleBracketed(list) = arguments else {
            return Vec::new();
        };
        list.args
            .iter()
            .filter_map(|argument| match argument {
                syn::GenericArgument::Type(ty) => Some(self.lower(ty, place)),
                syn::GenericArgument::Const(_) => Some(Ty::Unknown),
                _ => None,
            })
            .collect()
    }

    /// Reads the parameters after a `::` in an expression.
    pub fn turbofish(&self, list: &syn::AngleBracketedGenericArguments, place: &Place) -> Vec<Ty> {
        self.arguments(&syn::PathArguments::AngleBracketed(list.clone()), place)
    }

    /// Reads `A + B<C>`.
    pub fn bounds_of_text(&self, text: &str, place: &Place) -> Vec<Bound> {
        match syn::parse_str::<syn::Type>(&format!("impl {text}")) {
            Ok(syn::Type::ImplTrait(of)) => self.bounds(&of.bounds, place),
            _ => Vec::new(),
        }
    }

    fn bounds(
        &self,
        bounds: &syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>,
        place: &Place,
    ) -> Vec<Bound> {
        bounds
            .iter()
            .filter_map(|bound| match bound {
                syn::TypeParamBound::Trait(bound) => self.bound(&bound.path, place),
                _ => None,
            })
            .collect()
    }

    fn bound(&self, path: &syn::Path, place: &Place) -> Option<Bound> {
        let parts: Vec<String> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        let (found, used) = self.resolve(place.module, &parts);
        let id = found
            .into_iter()
            .find(|id| used == parts.len() && self.items[*id].kind == Kind::Trait)?;
        let mut bound = Bound {
            id,
            args: Vec::new(),
            types: Vec::new(),
            call: None,
        };
        match &path.segments.last()?.arguments {
            syn::PathArguments::AngleBracketed(list) => {
                for argument in &list.args {
                    match argument {
                        syn::GenericArgument::Type(ty) => bound.args.push(self.lower(ty, place)),
                        syn::GenericArgument::AssocType(assoc) => {
                            let ty = self.lower(&assoc.ty, place);
                            bound.types.push((assoc.ident.to_string(), ty));
                        }
                        _ => {}
                    }
                }
            }
            syn::PathArguments::Parenthesized(call) => {
                let inputs = call
                    .inputs
                    .iter()
                    .map(|ty| self.lower_input(ty, place))
                    .collect();
                let output = match &call.output {
                    syn::ReturnType::Type(_, ty) => self.lower(ty, place),
                    syn::ReturnType::Default => Ty::Tuple(Vec::new()),
                };
                bound.call = Some((inputs, output));
            }
            syn::PathArguments::None => {}
        }
        Some(bound)
    }

    fn lower_input(&self, part: &impl ToTokens, place: &Place) -> Ty {
        self.type_of_text(&part.to_token_stream().to_string(), place)
    }

    /// A type as a reader writes it.
    pub fn show(&self, ty: &Ty) -> String {
        let list = |types: &[Ty]| {
            let shown: Vec<String> = types.iter().map(|ty| self.show(ty)).collect();
            shown.join(", ")
        };
        match ty {
            Ty::Unknown => "_".to_owned(),
            Ty::Param(name) => name.clone(),
            Ty::Ref(mutable, inner) => {
                format!(
                    "&{}{}",
                    if *mutable { "mut " } else { "" },
                    self.show(inner)
                )
            }
            Ty::Tuple(parts) => match &parts[..] {
                [one] => format!("({},)", self.show(one)),
                parts => format!("({})", list(parts)),
            },
            Ty::Fn(inputs, output) => {
                let output = match **output {
                    Ty::Tuple(ref parts) if parts.is_empty() => String::new(),
                    ref output => format!(" -> {}", self.show(output)),
                };
                format!("fn({}){output}", list(inputs))
            }
            Ty::Assoc(of, name) => format!("{}::{name}", self.show(of)),
            Ty::Bounds(bounds, is_dyn) => {
                let shown: Vec<String> =
                    bounds.iter().map(|bound| self.show_bound(bound)).collect();
                format!(
                    "{} {}",
                    if *is_dyn { "dyn" } else { "impl" },
                    shown.join(" + ")
                )
            }
            Ty::Adt(id, args) => {
                let item = &self.items[*id];
                match (item.name.as_str(), &args[..]) {
                    ("slice", [of]) if item.kind == Kind::Primitive => {
                        format!("[{}]", self.show(of))
                    }
                    ("array", [of]) if item.kind == Kind::Primitive => {
                        format!("[{}; _]", self.show(of))
                    }
                    (name, []) => name.to_owned(),
                    (name, args) => format!("{name}<{}>", list(args)),
                }
            }
        }
    }

    fn show_bound(&self, bound: &Bound) -> String {
        let name = &self.items[bound.id].name;
        if let Some((inputs, output)) = &bound.call {
            let shown = self.show(&Ty::Fn(inputs.clone(), Box::new(output.clone())));
            return shown.replacen("fn", name, 1);
        }
        let mut args: Vec<String> = bound.args.iter().map(|ty| self.show(ty)).collect();
        args.extend(
            bound
                .types
                .iter()
                .map(|(name, ty)| format!("{name} = {}", self.show(ty))),
        );
        match args.is_empty() {
            true => name.clone(),
            false => format!("{name}<{}>", args.join(", ")),
        }
    }
}
