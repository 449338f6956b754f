//! The type of an expression, as far as signatures tell.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use syn::parse::Parser;

use super::index::{Data, Id, Index, Kind, Signature};
use super::members::Member;
use super::scope::{Local, Scope, Source};
use super::ty::{Bound, Place, Subst, Ty, unify};

/// How deep expressions may refer to each other.
const DEPTH: usize = 40;

/// What expressions are read with.
pub struct Infer<'a> {
    pub index: &'a Index,
    pub module: Id,
    pub scope: &'a Scope,
    /// The variables of earlier cells and their types.
    pub variables: &'a [(String, String)],
    /// The byte that is asked about.
    pub cursor: usize,
    depth: Cell<usize>,
    /// The types that locals were found to have, by their number.
    known: RefCell<HashMap<usize, Ty>>,
}

/// The names at hand: the locals up to a number, and those of closures that are being read.
#[derive(Debug, Clone, Default)]
pub struct Env {
    pub upto: usize,
    extra: Vec<(String, Ty)>,
}

impl<'a> Infer<'a> {
    pub fn new(
        index: &'a Index,
        module: Id,
        scope: &'a Scope,
        variables: &'a [(String, String)],
    ) -> Self {
        Self {
            index,
            module,
            scope,
            variables,
            cursor: 0,
            depth: Cell::new(0),
            known: RefCell::default(),
        }
    }

    /// All names that the scope has.
    pub fn env(&self) -> Env {
        Env {
            upto: self.scope.locals.len(),
            extra: Vec::new(),
        }
    }

    /// Where types in the cell stand.
    pub fn place(&self) -> Place {
        let params: Vec<String> = self
            .scope
            .generics
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let mut place = Place {
            module: self.module,
            params,
            self_ty: None,
        };
        place.self_ty = self
            .scope
            .self_ty
            .as_ref()
            .map(|text| self.index.type_of_text(text, &place));
        if place.self_ty.is_none() && place.params.iter().any(|name| name == "Self") {
            place.self_ty = Some(self.generic("Self", &place));
        }
        place
    }

    /// What a type parameter of the cell's function is known for.
    fn generic(&self, name: &str, place: &Place) -> Ty {
        let bounds: Vec<Bound> = self
            .scope
            .generics
            .iter()
            .filter(|(known, _)| known == name)
            .flat_map(|(_, bounds)| self.index.bounds_of_text(bounds, place))
            .collect();
        match bounds.is_empty() {
            true => Ty::Param(name.to_owned()),
            false => Ty::Bounds(bounds, false),
        }
    }

    /// A type that stands in the cell; its function's parameters by what is required of them.
    pub fn type_of_text(&self, text: &str) -> Ty {
        let place = self.place();
        let subst = place
            .params
            .iter()
            .map(|name| (name.clone(), self.generic(name, &place)))
            .collect();
        let ty = self.index.type_of_text(text, &place).with(&subst);
        self.index.projected(&ty, 5)
    }

    /// The type of an expression.
    pub fn text(&self, text: &str, env: &Env) -> Ty {
        match syn::parse_str::<syn::Expr>(text) {
            Ok(expr) => self.expr(&expr, env),
            Err(_) => Ty::Unknown,
        }
    }

    /// The type of a name: a local one, or a variable of an earlier cell.
    pub fn name(&self, name: &str, env: &Env) -> Option<Ty> {
        if let Some((_, ty)) = env.extra.iter().rev().find(|(known, _)| known == name) {
            return Some(ty.clone());
        }
        for number in (0..env.upto).rev() {
            let local = &self.scope.locals[number];
            if !mentions(&local.pattern, name) {
                continue;
            }
            let Ok(pattern) = syn::Pat::parse_multi.parse_str(&local.pattern) else {
                continue;
            };
            if let Some(ty) = self.bound_name(&pattern, local, number, name) {
                return Some(ty);
            }
        }
        if self.scope.in_function {
            return None;
        }
        let (_, text) = self
            .variables
            .iter()
            .rev()
            .find(|(known, _)| known == name)?;
        Some(self.variable(text))
    }

    /// The type of a variable of an earlier cell, from what evcxr says of it.
    pub fn variable(&self, text: &str) -> Ty {
        let place = Place {
            module: self.module,
            ..Place::default()
        };
        self.index.type_of_text(text, &place)
    }

    fn bound_name(
        &self,
        pattern: &syn::Pat,
        local: &Local,
        number: usize,
        name: &str,
    ) -> Option<Ty> {
        if !names_of(pattern).iter().any(|known| known == name) {
            return None;
        }
        let ty = self.local(local, number);
        let mut found = Vec::new();
        self.bind(pattern, &ty, &mut found);
        found
            .into_iter()
            .find(|(known, _)| known == name)
            .map(|(_, ty)| ty)
    }

    /// What a local is made of, looked at once: each may be made of those before it.
    fn local(&self, local: &Local, number: usize) -> Ty {
        if let Some(ty) = self.known.borrow().get(&number) {
            return ty.clone();
        }
        if self.depth.get() == 0 {
            // In their order, none goes deep.
            for (number, local) in self.scope.locals[..number].iter().enumerate() {
                self.local(local, number);
            }
        }
        if self.depth.get() > DEPTH {
            return Ty::Unknown;
        }
        self.depth.set(self.depth.get() + 1);
        let ty = self.source(&local.source, number);
        self.known.borrow_mut().insert(number, ty.clone());
        self.depth.set(self.depth.get() - 1);
        ty
    }

    fn source(&self, source: &Source, number: usize) -> Ty {
        let env = Env {
            upto: number,
            extra: Vec::new(),
        };
        match source {
            Source::Type(text) => self.type_of_text(text),
            Source::Value(value, ty) => {
                let declared = ty
                    .as_ref()
                    .map_or(Ty::Unknown, |text| self.type_of_text(text));
                match has_hole(&declared) {
                    true => fill(&declared, &self.text(value, &env)),
                    false => declared,
                }
            }
            Source::Matched(value) => self.text(value, &env),
            Source::Each(value) => self.element(&self.text(value, &env)),
            Source::Closure {
                receiver,
                function,
                argument,
                parameter,
            } => {
                let called = match receiver {
                    Some(receiver) => {
                        let of = self.text(receiver, &env);
                        self.index.method(&of, function)
                    }
                    None => syn::parse_str::<syn::ExprPath>(function)
                        .ok()
                        .and_then(|path| self.function(&path)),
                };
                called
                    .and_then(|member| self.closure_inputs(&member, *argument, &member.subst))
                    .and_then(|inputs| inputs.get(*parameter).cloned())
                    .unwrap_or_default()
            }
        }
    }

    /// What a loop over a value gives each time.
    pub fn element(&self, ty: &Ty) -> Ty {
        let into = Ty::Assoc(Box::new(ty.clone()), "Item".to_owned());
        self.index.project(into)
    }

    fn place_of(&self, member: &Member, signature: &Signature) -> Place {
        let index = self.index;
        let item = &index.items[member.id];
        let mut params: Vec<String> = Vec::new();
        if let Some(number) = item.within {
            let generics = &index.impls[number].generics;
            params.extend(generics.params.iter().map(|(name, _)| name.clone()));
        }
        if let Data::Trait { generics, .. } = &index.items[item.parent].data {
            params.extend(generics.params.iter().map(|(name, _)| name.clone()));
        }
        params.extend(
            signature
                .generics
                .params
                .iter()
                .map(|(name, _)| name.clone()),
        );
        Place {
            module: index.module_of(item.parent),
            params,
            self_ty: Some(Ty::Param("Self".to_owned())),
        }
    }

    /// What a closure gets that is passed as this argument.
    fn closure_inputs(&self, member: &Member, argument: usize, subst: &Subst) -> Option<Vec<Ty>> {
        let (inputs, _) = self.closure_type(member, argument)?;
        Some(
            inputs
                .iter()
                .map(|ty| self.index.projected(&ty.with(subst), 5))
                .collect(),
        )
    }

    /// The type of a closure that is passed as this argument, by the signature.
    fn closure_type(&self, member: &Member, argument: usize) -> Option<(Vec<Ty>, Ty)> {
        let index = self.index;
        let Data::Function(signature) = &index.items[member.id].data else {
            return None;
        };
        let place = self.with_self(self.place_of(member, signature));
        let (_, text) = signature.inputs.get(argument)?;
        let of = |bounds: Vec<Bound>| bounds.into_iter().find_map(|bound| bound.call);
        match index.type_of_text(text, &place) {
            Ty::Bounds(bounds, _) => of(bounds),
            Ty::Param(name) => {
                let bounds = signature
                    .generics
                    .bounds
                    .iter()
                    .filter(|(known, _)| *known == name);
                bounds
                    .map(|(_, bounds)| index.bounds_of_text(bounds, &place))
                    .find_map(of)
            }
            _ => None,
        }
    }

    fn with_self(&self, mut place: Place) -> Place {
        place.params.push("Self".to_owned());
        place
    }

    /// What a call gives.
    fn call<'e>(
        &self,
        member: &Member,
        args: impl Iterator<Item = &'e syn::Expr>,
        turbofish: &[Ty],
        env: &Env,
    ) -> Ty {
        let index = self.index;
        let item = &index.items[member.id];
        let Data::Function(signature) = &item.data else {
            return Ty::Unknown;
        };
        let place = self.with_self(self.place_of(member, signature));
        let mut subst = member.subst.clone();
        for ((name, _), ty) in signature.generics.params.iter().zip(turbofish) {
            subst.insert(name.clone(), ty.clone());
        }
        let unknown: Vec<String> = place.params.clone();
        for (number, (argument, (_, text))) in args.zip(&signature.inputs).enumerate() {
            if let syn::Expr::Closure(closure) = argument {
                if let Some((inputs, output)) = self.closure_type(member, number) {
                    let inputs: Vec<Ty> = inputs
                        .iter()
                        .map(|ty| index.projected(&ty.with(&subst), 5))
                        .collect();
                    let body = self.closure_body(closure, &inputs, env);
                    unify(&output, &body, &unknown, &mut subst);
                }
                continue;
            }
            let wanted = index.type_of_text(text, &place);
            let given = self.expr(argument, env);
            if let Ty::Fn(_, output) = &given
                && let Some((_, result)) = self.closure_type(member, number)
            {
                unify(&result, output, &unknown, &mut subst);
            }
            unify(&wanted, &given, &unknown, &mut subst);
        }
        let output = signature.taken_for.as_ref().or(signature.output.as_ref());
        let output = match output {
            Some(text) => index.type_of_text(text, &place),
            None => Ty::Tuple(Vec::new()),
        };
        // A parameter that nothing tells of is unknown outside.
        for name in &unknown {
            subst.entry(name.clone()).or_default();
        }
        // What a parameter stands for may be made of parameters that were found later.
        let output = index.projected(&output.with(&subst).with(&subst), 5);
        match signature.is_async {
            true => self.future(output),
            false => output,
        }
    }

    fn future(&self, output: Ty) -> Ty {
        match self.index.known("future::Future", Vec::new()) {
            Ty::Bounds(mut bounds, _) => {
                for bound in &mut bounds {
                    bound.types.push(("Output".to_owned(), output.clone()));
                }
                Ty::Bounds(bounds, false)
            }
            _ => Ty::Unknown,
        }
    }

    fn closure_body(&self, closure: &syn::ExprClosure, inputs: &[Ty], env: &Env) -> Ty {
        let mut env = env.clone();
        for (number, pattern) in closure.inputs.iter().enumerate() {
            let known = inputs.get(number).cloned().unwrap_or_default();
            let (pattern, ty) = match pattern {
                syn::Pat::Type(typed) => {
                    let declared = self.lower(&typed.ty);
                    (&*typed.pat, fill(&declared, &known))
                }
                pattern => (pattern, known),
            };
            self.bind(pattern, &ty, &mut env.extra);
        }
        match &closure.output {
            syn::ReturnType::Type(_, ty) => self.lower(ty),
            syn::ReturnType::Default => self.expr(&closure.body, &env),
        }
    }

    fn lower(&self, ty: &syn::Type) -> Ty {
        self.index.lower(ty, &self.place())
    }

    /// The types of the names in a pattern.
    pub fn bind(&self, pattern: &syn::Pat, ty: &Ty, found: &mut Vec<(String, Ty)>) {
        match pattern {
            syn::Pat::Ident(one) => {
                let ty = match one.by_ref {
                    Some(_) => Ty::Ref(one.mutability.is_some(), Box::new(ty.clone())),
                    None => ty.clone(),
                };
                if let Some((_, inner)) = &one.subpat {
                    self.bind(inner, &ty, found);
                }
                found.push((one.ident.to_string(), ty));
            }
            syn::Pat::Type(typed) => {
                let declared = self.lower(&typed.ty);
                self.bind(&typed.pat, &fill(&declared, ty), found);
            }
            syn::Pat::Reference(inner) => match ty {
                Ty::Ref(_, ty) => self.bind(&inner.pat, ty, found),
                _ => self.bind(&inner.pat, &Ty::Unknown, found),
            },
            syn::Pat::Paren(inner) => self.bind(&inner.pat, ty, found),
            syn::Pat::Tuple(tuple) => {
                let (parts, wrap) = match ty.peeled() {
                    Ty::Tuple(parts) => (parts.clone(), matches!(ty, Ty::Ref(..))),
                    _ => (Vec::new(), false),
                };
                for (number, pattern) in tuple.elems.iter().enumerate() {
                    let part = parts.get(number).cloned().unwrap_or_default();
                    self.bind(pattern, &reference(part, wrap), found);
                }
            }
            syn::Pat::Slice(slice) => {
                let element = match ty.peeled() {
                    Ty::Adt(_, args) => args.first().cloned().unwrap_or_default(),
                    _ => Ty::Unknown,
                };
                for pattern in &slice.elems {
                    let part = reference(element.clone(), matches!(ty, Ty::Ref(..)));
                    self.bind(pattern, &part, found);
                }
            }
            syn::Pat::TupleStruct(part) => {
                let fields = self.pattern_fields(&part.path, ty);
                for (number, pattern) in part.elems.iter().enumerate() {
                    let ty = fields.iter().find(|(name, _)| *name == number.to_string());
                    let ty = ty.map(|(_, ty)| ty.clone()).unwrap_or_default();
                    self.bind(pattern, &ty, found);
                }
            }
            syn::Pat::Struct(part) => {
                let fields = self.pattern_fields(&part.path, ty);
                for field in &part.fields {
                    let name = match &field.member {
                        syn::Member::Named(name) => name.to_string(),
                        syn::Member::Unnamed(number) => number.index.to_string(),
                    };
                    let ty = fields.iter().find(|(known, _)| *known == name);
                    let ty = ty.map(|(_, ty)| ty.clone()).unwrap_or_default();
                    self.bind(&field.pat, &ty, found);
                }
            }
            syn::Pat::Or(or) => {
                if let Some(first) = or.cases.first() {
                    self.bind(first, ty, found);
                }
            }
            _ => {}
        }
    }

    /// The fields of what a pattern's path names, for a value of this type.
    fn pattern_fields(&self, path: &syn::Path, ty: &Ty) -> Vec<(String, Ty)> {
        let index = self.index;
        let parts = parts_of(path);
        let (found, used) = index.resolve(self.module, &parts);
        let mut id = found
            .into_iter()
            .find(|id| used == parts.len() && matches!(index.items[*id].data, Data::Type { .. }));
        if parts.first().is_some_and(|first| first == "Self")
            && let Some(Ty::Adt(own, _)) = self.place().self_ty
        {
            id = match parts.get(1) {
                None => Some(own),
                Some(name) => self.variant(own, name),
            };
        }
        let Some(id) = id else { return Vec::new() };
        let owner = match index.items[id].kind {
            Kind::Variant => index.items[id].parent,
            _ => id,
        };
        let Data::Type { generics, .. } = &index.items[owner].data else {
            return Vec::new();
        };
        let args = match ty.peeled() {
            Ty::Adt(known, args) if *known == owner => args.as_slice(),
            _ => &[],
        };
        let mut subst: Subst = generics
            .params
            .iter()
            .zip(args)
            .map(|((name, _), ty)| (name.clone(), ty.clone()))
            .collect();
        for (name, _) in &generics.params {
            subst.entry(name.clone()).or_default();
        }
        let Data::Type { members, .. } = &index.items[id].data else {
            return Vec::new();
        };
        let place = index.place(owner, generics);
        let by_reference = matches!(ty, Ty::Ref(..));
        members
            .iter()
            .filter_map(|field| match &index.items[*field].data {
                Data::Typed(text) => {
                    let ty = index.type_of_text(text, &place).with(&subst);
                    let name = index.items[*field].name.clone();
                    Some((name, reference(ty, by_reference)))
                }
                _ => None,
            })
            .collect()
    }

    fn variant(&self, of: Id, name: &str) -> Option<Id> {
        match &self.index.items[of].data {
            Data::Type { members, .. } => members
                .iter()
                .copied()
                .find(|id| self.index.items[*id].name == name),
            _ => None,
        }
    }

    /// The function that a path names, with what is known of its type's parameters.
    pub fn function(&self, path: &syn::ExprPath) -> Option<Member> {
        let index = self.index;
        let parts = parts_of(&path.path);
        let name = parts.last()?;
        if parts.len() > 1 || path.qself.is_some() {
            let of = match &path.qself {
                Some(of) => self.lower(&of.ty),
                None => {
                    let mut prefix = path.path.clone();
                    prefix.segments.pop();
                    prefix.segments.pop_punct();
                    let text = quote::ToTokens::to_token_stream(&prefix).to_string();
                    self.type_of_text(&text.replace(":: <", "<"))
                }
            };
            let found = index
                .behind_type(&of)
                .into_iter()
                .find(|member| index.items[member.id].name == *name);
            if let Some(mut found) = found {
                self.open_parameters(&mut found, &of);
                return Some(found);
            }
        }
        let (found, used) = index.resolve(self.module, &parts);
        let id = found.into_iter().find(|id| {
            used == parts.len()
                && matches!(
                    index.items[*id].kind,
                    Kind::Function | Kind::Variant | Kind::Struct | Kind::Constant | Kind::Static
                )
        })?;
        Some(Member {
            id,
            subst: Subst::new(),
            by: None,
        })
    }

    /// Lets a call find out what nobody has said: the parameters of `Vec` in `Vec::new()`.
    fn open_parameters(&self, member: &mut Member, of: &Ty) {
        let index = self.index;
        let Ty::Adt(id, args) = of else { return };
        let Data::Type { generics, .. } = &index.items[*id].data else {
            return;
        };
        if args.iter().all(Ty::is_known) {
            return;
        }
        let number = index.items[member.id].within;
        let one = number.map(|number| &index.impls[number]);
        let open: Vec<Ty> = match one.map(|one| {
            (
                one,
                index.type_of_text(
                    &one.of,
                    &Place {
                        module: one.module,
                        params: one
                            .generics
                            .params
                            .iter()
                            .map(|(name, _)| name.clone())
                            .collect(),
                        self_ty: None,
                    },
                ),
            )
        }) {
            Some((_, Ty::Adt(known, params))) if known == *id => params,
            _ => generics
                .params
                .iter()
                .map(|(name, _)| Ty::Param(name.clone()))
                .collect(),
        };
        let mixed: Vec<Ty> = args
            .iter()
            .zip(open)
            .map(|(known, open)| {
                if known.is_known() {
                    known.clone()
                } else {
                    open
                }
            })
            .collect();
        member.subst.insert("Self".to_owned(), Ty::Adt(*id, mixed));
    }

    /// The value that a path names.
    fn path(&self, path: &syn::ExprPath, env: &Env) -> Ty {
        let index = self.index;
        if let Some(name) = path.path.get_ident()
            && path.qself.is_none()
            && let Some(ty) = self.name(&name.to_string(), env)
        {
            return ty;
        }
        let Some(member) = self.function(path) else {
            return Ty::Unknown;
        };
        let item = &index.items[member.id];
        match (&item.data, item.kind) {
            (Data::Typed(text), _) => {
                let place = Place {
                    module: index.module_of(item.parent),
                    params: vec!["Self".to_owned()],
                    self_ty: Some(Ty::Param("Self".to_owned())),
                };
                index.type_of_text(text, &place).with(&member.subst)
            }
            (Data::Type { .. }, Kind::Variant) => self.variant_type(member.id, &Subst::new()),
            (Data::Type { tuple: false, .. }, _) => index.with_arguments(member.id, Vec::new()),
            (Data::Function(_) | Data::Type { .. }, _) => Ty::Fn(
                Vec::new(),
                Box::new(self.call(&member, std::iter::empty(), &[], env)),
            ),
            _ => Ty::Unknown,
        }
    }

    fn variant_type(&self, variant: Id, subst: &Subst) -> Ty {
        let index = self.index;
        let owner = index.items[variant].parent;
        match &index.items[owner].data {
            Data::Type { generics, .. } => {
                let args = generics
                    .params
                    .iter()
                    .map(|(name, _)| subst.get(name).cloned().unwrap_or_default())
                    .collect();
                Ty::Adt(owner, args)
            }
            _ => Ty::Unknown,
        }
    }

    /// What `Type(…)` makes.
    fn construct<'e>(&self, id: Id, args: impl Iterator<Item = &'e syn::Expr>, env: &Env) -> Ty {
        let index = self.index;
        let is_variant = index.items[id].kind == Kind::Variant;
        let owner = if is_variant {
            index.items[id].parent
        } else {
            id
        };
        let (Data::Type { generics, .. }, Data::Type { members, .. }) =
            (&index.items[owner].data, &index.items[id].data)
        else {
            return Ty::Unknown;
        };
        let place = index.place(owner, generics);
        let mut subst = Subst::new();
        for (field, argument) in members.iter().zip(args) {
            if let Data::Typed(text) = &index.items[*field].data {
                let wanted = index.type_of_text(text, &place);
                unify(
                    &wanted,
                    &self.expr(argument, env),
                    &place.params,
                    &mut subst,
                );
            }
        }
        if is_variant {
            return self.variant_type(id, &subst);
        }
        let args = place
            .params
            .iter()
            .map(|name| subst.get(name).cloned().unwrap_or_default());
        Ty::Adt(id, args.collect())
    }

    /// The type of an expression.
    pub fn expr(&self, expr: &syn::Expr, env: &Env) -> Ty {
        if self.depth.get() > DEPTH {
            return Ty::Unknown;
        }
        self.depth.set(self.depth.get() + 1);
        let ty = self.expr_within(expr, env);
        self.depth.set(self.depth.get() - 1);
        ty
    }

    fn expr_within(&self, expr: &syn::Expr, env: &Env) -> Ty {
        use syn::Expr as E;
        let index = self.index;
        match expr {
            E::Lit(literal) => self.literal(&literal.lit),
            E::Path(path) => self.path(path, env),
            E::Paren(inner) => self.expr(&inner.expr, env),
            E::Group(inner) => self.expr(&inner.expr, env),
            E::Reference(inner) => Ty::Ref(
                inner.mutability.is_some(),
                Box::new(self.expr(&inner.expr, env)),
            ),
            E::Unary(unary) => {
                let of = self.expr(&unary.expr, env);
                match (&unary.op, of) {
                    (syn::UnOp::Deref(_), Ty::Ref(_, inner)) => *inner,
                    (syn::UnOp::Deref(_), of) => {
                        index.autoderef(&of).get(1).cloned().unwrap_or_default()
                    }
                    (_, of) => of.peeled().clone(),
                }
            }
            E::Binary(binary) => self.binary(binary, env),
            E::Cast(cast) => fill(&self.lower(&cast.ty), &Ty::Unknown),
            E::Tuple(tuple) => Ty::Tuple(
                tuple
                    .elems
                    .iter()
                    .map(|part| self.expr(part, env))
                    .collect(),
            ),
            E::Array(array) => {
                let first = array.elems.first();
                let of = first.map_or(Ty::Unknown, |first| self.expr(first, env));
                index.known("primitive::array", vec![of])
            }
            E::Repeat(repeat) => {
                index.known("primitive::array", vec![self.expr(&repeat.expr, env)])
            }
            E::Range(range) => {
                let of = range.start.as_ref().or(range.end.as_ref());
                let of = of.map_or(Ty::Unknown, |of| self.expr(of, env));
                match (&range.start, &range.end, &range.limits) {
                    (Some(_), Some(_), syn::RangeLimits::HalfOpen(_)) => {
                        index.known("ops::Range", vec![of])
                    }
                    (Some(_), Some(_), _) => index.known("ops::RangeInclusive", vec![of]),
                    (Some(_), None, _) => index.known("ops::RangeFrom", vec![of]),
                    _ => Ty::Unknown,
                }
            }
            E::Struct(literal) => {
                let text = quote::ToTokens::to_token_stream(&literal.path).to_string();
                let parts = parts_of(&literal.path);
                let (found, used) = index.resolve(self.module, &parts);
                let variant = found
                    .iter()
                    .find(|id| index.items[**id].kind == Kind::Variant);
                match variant {
                    Some(id) if used == parts.len() => self.variant_type(*id, &Subst::new()),
                    _ => self.type_of_text(&text),
                }
            }
            E::Field(field) => {
                let of = self.expr(&field.base, env);
                match &field.member {
                    syn::Member::Unnamed(number) => {
                        if let Ty::Tuple(parts) = of.peeled() {
                            return parts
                                .get(number.index as usize)
                                .cloned()
                                .unwrap_or_default();
                        }
                        self.field(&of, &number.index.to_string())
                    }
                    syn::Member::Named(name) => self.field(&of, &name.to_string()),
                }
            }
            E::Index(indexed) => self.indexed(indexed, env),
            E::Try(inner) => match self.expr(&inner.expr, env) {
                Ty::Adt(id, args) if ["Result", "Option"].contains(&&*index.items[id].name) => {
                    args.into_iter().next().unwrap_or_default()
                }
                _ => Ty::Unknown,
            },
            E::Await(inner) => {
                let of = self.expr(&inner.base, env);
                index.project(Ty::Assoc(Box::new(of), "Output".to_owned()))
            }
            E::Call(call) => self.called(call, env),
            E::MethodCall(call) => self.method_called(call, env),
            E::Closure(closure) => {
                let inputs: Vec<Ty> = closure
                    .inputs
                    .iter()
                    .map(|input| match input {
                        syn::Pat::Type(typed) => self.lower(&typed.ty),
                        _ => Ty::Unknown,
                    })
                    .collect();
                let output = self.closure_body(closure, &inputs, env);
                Ty::Fn(inputs, Box::new(output))
            }
            E::Block(block) => self.block(&block.block, env),
            E::Unsafe(block) => self.block(&block.block, env),
            E::Async(block) => self.future(self.block(&block.block, env)),
            E::If(branch) => match self.block(&branch.then_branch, env) {
                Ty::Unknown => branch
                    .else_branch
                    .as_ref()
                    .map_or(Ty::Unknown, |(_, other)| self.expr(other, env)),
                ty => ty,
            },
            E::Match(of) => {
                let scrutinee = self.expr(&of.expr, env);
                of.arms
                    .iter()
                    .map(|arm| {
                        let mut env = env.clone();
                        self.bind(&arm.pat, &scrutinee, &mut env.extra);
                        self.expr(&arm.body, &env)
                    })
                    .find(Ty::is_known)
                    .unwrap_or_default()
            }
            E::Macro(call) => self.macro_call(&call.mac, env),
            E::Assign(_) | E::ForLoop(_) | E::While(_) => Ty::Tuple(Vec::new()),
            _ => Ty::Unknown,
        }
    }

    fn literal(&self, literal: &syn::Lit) -> Ty {
        let index = self.index;
        let suffixed = |suffix: &str, other: &str| match suffix {
            "" => index.primitive(other),
            suffix => index.primitive(suffix),
        };
        match literal {
            syn::Lit::Str(_) => Ty::Ref(false, Box::new(index.primitive("str"))),
            syn::Lit::ByteStr(_) => {
                let bytes = index.known("primitive::array", vec![index.primitive("u8")]);
                Ty::Ref(false, Box::new(bytes))
            }
            syn::Lit::Byte(_) => index.primitive("u8"),
            syn::Lit::Char(_) => index.primitive("char"),
            syn::Lit::Bool(_) => index.primitive("bool"),
            syn::Lit::Int(number) => suffixed(number.suffix(), "i32"),
            syn::Lit::Float(number) => suffixed(number.suffix(), "f64"),
            _ => Ty::Unknown,
        }
    }

    fn block(&self, block: &syn::Block, env: &Env) -> Ty {
        let mut env = env.clone();
        let mut last = Ty::Tuple(Vec::new());
        for statement in &block.stmts {
            last = Ty::Tuple(Vec::new());
            match statement {
                syn::Stmt::Local(local) => {
                    let value = local.init.as_ref().map(|init| self.expr(&init.expr, &env));
                    self.bind(&local.pat, &value.unwrap_or_default(), &mut env.extra);
                }
                syn::Stmt::Expr(expr, None) => last = self.expr(expr, &env),
                syn::Stmt::Macro(call) if call.semi_token.is_none() => {
                    last = self.macro_call(&call.mac, &env);
                }
                _ => {}
            }
        }
        last
    }

    fn field(&self, of: &Ty, name: &str) -> Ty {
        self.index
            .fields(of)
            .into_iter()
            .find(|(id, _)| self.index.items[*id].name == name)
            .map(|(_, ty)| ty)
            .unwrap_or_default()
    }

    fn indexed(&self, indexed: &syn::ExprIndex, env: &Env) -> Ty {
        let index = self.index;
        let of = self.expr(&indexed.expr, env);
        let by_range = matches!(&*indexed.index, syn::Expr::Range(_));
        for step in index.autoderef(&of) {
            let Ty::Adt(id, args) = &step else { continue };
            match (index.items[*id].name.as_str(), &args[..]) {
                ("slice", [_]) if by_range => return step,
                ("slice", [of]) => return of.clone(),
                ("str", _) => return step,
                ("HashMap" | "BTreeMap", [_, value, ..]) => return value.clone(),
                ("VecDeque", [of, ..]) => return of.clone(),
                _ => {}
            }
        }
        index.project(Ty::Assoc(
            Box::new(of.peeled().clone()),
            "Output".to_owned(),
        ))
    }

    fn binary(&self, binary: &syn::ExprBinary, env: &Env) -> Ty {
        use syn::BinOp as B;
        let index = self.index;
        let name = match binary.op {
            B::And(_)
            | B::Or(_)
            | B::Eq(_)
            | B::Ne(_)
            | B::Lt(_)
            | B::Le(_)
            | B::Gt(_)
            | B::Ge(_) => return index.primitive("bool"),
            B::Add(_) => "Add",
            B::Sub(_) => "Sub",
            B::Mul(_) => "Mul",
            B::Div(_) => "Div",
            B::Rem(_) => "Rem",
            B::BitAnd(_) => "BitAnd",
            B::BitOr(_) => "BitOr",
            B::BitXor(_) => "BitXor",
            B::Shl(_) => "Shl",
            B::Shr(_) => "Shr",
            _ => return Ty::Tuple(Vec::new()),
        };
        let (left, right) = (self.expr(&binary.left, env), self.expr(&binary.right, env));
        let is_primitive = |ty: &Ty| match ty.peeled() {
            Ty::Adt(id, _) => index.items[*id].kind == Kind::Primitive,
            _ => false,
        };
        if is_primitive(&left) {
            // `2.0 * x`, where x is a tensor or an f32.
            let open = right.is_known() && is_open(&binary.left);
            return match open || right.is_known() && !is_primitive(&right) {
                true => right.peeled().clone(),
                false => left.peeled().clone(),
            };
        }
        match index.operator(&left, &right, name) {
            // Most libraries' operators are made by macros, and most give what they take.
            Ty::Unknown => left.peeled().clone(),
            ty => ty,
        }
    }

    fn called(&self, call: &syn::ExprCall, env: &Env) -> Ty {
        let index = self.index;
        let syn::Expr::Path(path) = &*call.func else {
            return match self.expr(&call.func, env) {
                Ty::Fn(_, output) => *output,
                _ => Ty::Unknown,
            };
        };
        let local = path
            .path
            .get_ident()
            .and_then(|name| self.name(&name.to_string(), env));
        if let Some(of) = local {
            return match of.peeled() {
                Ty::Fn(_, output) => (**output).clone(),
                Ty::Bounds(bounds, _) => bounds
                    .iter()
                    .find_map(|bound| bound.call.as_ref().map(|(_, output)| output.clone()))
                    .unwrap_or_default(),
                _ => self
                    .index
                    .autoderef(&of)
                    .iter()
                    .find_map(|step| match step {
                        Ty::Bounds(bounds, _) => bounds.iter().find_map(|bound| {
                            bound.call.as_ref().map(|(_, output)| output.clone())
                        }),
                        _ => None,
                    })
                    .unwrap_or_default(),
            };
        }
        let parts = parts_of(&path.path);
        if parts == ["Self"]
            && let Some(own) = self.place().self_ty
        {
            return own;
        }
        let Some(member) = self.function(path) else {
            return Ty::Unknown;
        };
        let item = &index.items[member.id];
        if let Data::Type { .. } = item.data {
            return self.construct(member.id, call.args.iter(), env);
        }
        let turbofish = match path.path.segments.last().map(|part| &part.arguments) {
            Some(syn::PathArguments::AngleBracketed(list)) => index.turbofish(list, &self.place()),
            _ => Vec::new(),
        };
        // `Trait::method(value, …)` takes the receiver as its first argument.
        let skip = usize::from(item.kind == Kind::Method);
        let mut member = member;
        if let (1, Some(first), true) = (skip, call.args.first(), member.by.is_some()) {
            let of = self.expr(first, env).peeled().clone();
            member.subst.insert("Self".to_owned(), of);
        }
        self.call(&member, call.args.iter().skip(skip), &turbofish, env)
    }

    fn method_called(&self, call: &syn::ExprMethodCall, env: &Env) -> Ty {
        let index = self.index;
        let of = self.expr(&call.receiver, env);
        let name = call.method.to_string();
        let Some(member) = index.method(&of, &name) else {
            return Ty::Unknown;
        };
        let place = self.place();
        let turbofish = call
            .turbofish
            .as_ref()
            .map_or_else(Vec::new, |list| index.turbofish(list, &place));
        let ty = self.call(&member, call.args.iter(), &turbofish, env);
        if name == "collect" || name == "sum" || name == "product" {
            // `Vec<_>` of what the iterator gives.
            let element = index.projected(&Ty::Assoc(Box::new(of), "Item".to_owned()), 5);
            return match (&ty, name.as_str()) {
                (Ty::Unknown, "sum" | "product") => element.peeled().clone(),
                _ => collected(index, ty, &element),
            };
        }
        ty
    }

    fn macro_call(&self, call: &syn::Macro, env: &Env) -> Ty {
        let index = self.index;
        let name = call.path.segments.last().map(|part| part.ident.to_string());
        let arguments = || {
            call.parse_body_with(
                syn::punctuated::Punctuated::<syn::Expr, syn::Token![,]>::parse_terminated,
            )
            .map(|list| list.into_iter().collect::<Vec<_>>())
            .unwrap_or_default()
        };
        match name.as_deref().unwrap_or_default() {
            "vec" => {
                let text = call.tokens.to_string();
                let of = match syn::parse_str::<syn::Expr>(&format!("[{text}]")) {
                    Ok(syn::Expr::Array(array)) => array.elems.into_iter().next(),
                    Ok(syn::Expr::Repeat(repeat)) => Some(*repeat.expr),
                    _ => None,
                };
                let of = of.map_or(Ty::Unknown, |of| self.expr(&of, env));
                index.known("vec::Vec", vec![of])
            }
            "format" => index.known("string::String", Vec::new()),
            "matches" => index.primitive("bool"),
            "concat" | "stringify" | "env" | "include_str" | "file" => {
                Ty::Ref(false, Box::new(index.primitive("str")))
            }
            "dbg" => arguments()
                .first()
                .map_or(Ty::Unknown, |first| self.expr(first, env)),
            "json" => self
                .function_type("serde_json::Value")
                .unwrap_or_else(|| self.type_of_text("Value")),
            "println" | "print" | "eprintln" | "eprint" | "assert" | "assert_eq" | "assert_ne" => {
                Ty::Tuple(Vec::new())
            }
            _ => Ty::Unknown,
        }
    }

    fn function_type(&self, path: &str) -> Option<Ty> {
        Some(self.type_of_text(path)).filter(Ty::is_known)
    }
}

impl Index {
    /// What an operator gives.
    fn operator(&self, left: &Ty, right: &Ty, name: &str) -> Ty {
        let traits = self.known(&format!("ops::{name}"), Vec::new());
        let Ty::Bounds(bounds, _) = traits else {
            return Ty::Unknown;
        };
        let Some(by) = bounds.first().map(|bound| bound.id) else {
            return Ty::Unknown;
        };
        self.output_of(left, right, by)
    }
}

/// Fills what is unknown in the result of `collect` with what is collected.
fn collected(index: &Index, ty: Ty, element: &Ty) -> Ty {
    match ty {
        Ty::Adt(id, args) => {
            let of = match (index.items[id].name.as_str(), element) {
                ("HashMap" | "BTreeMap", Ty::Tuple(parts)) => parts.clone(),
                _ => vec![element.clone()],
            };
            let args = args
                .into_iter()
                .zip(of.into_iter().chain(std::iter::repeat(Ty::Unknown)))
                .map(|(known, found)| match known {
                    Ty::Unknown => found,
                    known => match (&known, &found) {
                        // `Result<Vec<_>>`.
                        (Ty::Adt(..), Ty::Adt(_, inner)) if has_hole(&known) => {
                            collected(index, known, inner.first().unwrap_or(&Ty::Unknown))
                        }
                        _ => known,
                    },
                })
                .collect();
            Ty::Adt(id, args)
        }
        ty => ty,
    }
}

fn reference(ty: Ty, wrap: bool) -> Ty {
    match wrap && !matches!(ty, Ty::Ref(..) | Ty::Unknown) {
        true => Ty::Ref(false, Box::new(ty)),
        false => ty,
    }
}

/// Whether part of a type is unknown.
fn has_hole(ty: &Ty) -> bool {
    match ty {
        Ty::Unknown => true,
        Ty::Adt(_, args) | Ty::Tuple(args) => args.iter().any(has_hole),
        Ty::Ref(_, inner) => has_hole(inner),
        _ => false,
    }
}

/// A declared type, its `_` filled from what was found.
fn fill(declared: &Ty, found: &Ty) -> Ty {
    match (declared, found) {
        (Ty::Unknown, found) => found.clone(),
        (Ty::Adt(a, these), Ty::Adt(b, those)) if a == b => Ty::Adt(
            *a,
            these
                .iter()
                .zip(those)
                .map(|(this, that)| fill(this, that))
                .collect(),
        ),
        (Ty::Tuple(these), Ty::Tuple(those)) if these.len() == those.len() => Ty::Tuple(
            these
                .iter()
                .zip(those)
                .map(|(this, that)| fill(this, that))
                .collect(),
        ),
        (Ty::Ref(mutable, this), Ty::Ref(_, that)) => Ty::Ref(*mutable, Box::new(fill(this, that))),
        (declared, _) => declared.clone(),
    }
}

/// The names that a pattern brings.
pub fn names_of(pattern: &syn::Pat) -> Vec<String> {
    let mut found = Vec::new();
    collect_names(pattern, &mut found);
    found
}

fn collect_names(pattern: &syn::Pat, found: &mut Vec<String>) {
    use syn::Pat as P;
    match pattern {
        P::Ident(one) => {
            let name = one.ident.to_string();
            // A constant or a unit variant is no new name.
            if name == "self" || name.starts_with(|c: char| c.is_lowercase() || c == '_') {
                found.push(name);
            }
            if let Some((_, inner)) = &one.subpat {
                collect_names(inner, found);
            }
        }
        P::Type(typed) => collect_names(&typed.pat, found),
        P::Reference(inner) => collect_names(&inner.pat, found),
        P::Paren(inner) => collect_names(&inner.pat, found),
        P::Tuple(tuple) => tuple
            .elems
            .iter()
            .for_each(|part| collect_names(part, found)),
        P::TupleStruct(part) => part
            .elems
            .iter()
            .for_each(|part| collect_names(part, found)),
        P::Slice(slice) => slice
            .elems
            .iter()
            .for_each(|part| collect_names(part, found)),
        P::Struct(part) => part
            .fields
            .iter()
            .for_each(|field| collect_names(&field.pat, found)),
        P::Or(or) => or
            .cases
            .iter()
            .take(1)
            .for_each(|part| collect_names(part, found)),
        _ => {}
    }
}

/// Whether a text has this name in it as a word.
fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word == name)
}

/// The names of a path, without parameters.
pub fn parts_of(path: &syn::Path) -> Vec<String> {
    path.segments
        .iter()
        .map(|part| part.ident.to_string().trim_start_matches("r#").to_owned())
        .collect()
}

/// Whether an expression is a number without a type of its own: `2`, `-1.0`.
fn is_open(expr: &syn::Expr) -> bool {
    match expr {
        syn::Expr::Lit(literal) => match &literal.lit {
            syn::Lit::Int(number) => number.suffix().is_empty(),
            syn::Lit::Float(number) => number.suffix().is_empty(),
            _ => false,
        },
        syn::Expr::Unary(unary) => is_open(&unary.expr),
        syn::Expr::Paren(inner) => is_open(&inner.expr),
        _ => false,
    }
}
