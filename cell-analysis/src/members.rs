//! What belongs to a type: fields, methods, associated items.

use std::rc::Rc;

use super::index::{Data, Id, Impl, Index, Kind, ReadImpl, Text};
use super::ty::{Bound, Place, Subst, Ty, unify};

/// How many implementations may lead to each other.
const DEPTH: usize = 5;

/// Which implementations are asked for.
#[derive(Debug, Clone, Copy)]
enum Wanted<'a> {
    All,
    /// Those of a trait.
    By(Id),
    /// Those that give a type of this name.
    With(&'a str),
}

/// Something that belongs to a type.
#[derive(Debug, Clone)]
pub struct Member {
    pub id: Id,
    /// What the implementation's parameters stand for; `Self` among them.
    pub subst: Subst,
    /// The trait that it comes from.
    pub by: Option<Id>,
}

impl Index {
    /// A type and all that it dereferences to.
    pub fn autoderef(&self, ty: &Ty) -> Vec<Ty> {
        let mut steps = vec![ty.clone()];
        while steps.len() < 8 {
            let next = match steps.last() {
                Some(Ty::Ref(_, inner)) => Some((**inner).clone()),
                Some(Ty::Adt(id, args)) if self.items[*id].name == "array" => {
                    Some(self.known("primitive::slice", args.clone()))
                }
                Some(ty @ Ty::Adt(..)) => self.deref_target(ty),
                _ => None,
            };
            match next {
                Some(next) if next.is_known() && !steps.contains(&next) => steps.push(next),
                _ => break,
            }
        }
        steps
    }

    fn deref_target(&self, ty: &Ty) -> Option<Ty> {
        let by = self.std_trait("Deref")?;
        self.impls_for(ty, 1, Wanted::By(by))
            .into_iter()
            .find_map(|(number, subst)| {
                let one = &self.impls[number];
                let (_, target) = one.types.iter().find(|(name, _)| name == "Target")?;
                let target = self.type_of_text(target, &self.impl_place(one, ty));
                Some(target.with(&subst))
            })
    }

    /// A trait of the standard library's operators.
    fn std_trait(&self, name: &str) -> Option<Id> {
        match self.known(&format!("ops::{name}"), Vec::new()) {
            Ty::Bounds(bounds, _) => bounds.first().map(|bound| bound.id),
            _ => None,
        }
    }

    fn impl_place(&self, one: &Impl, self_ty: &Ty) -> Place {
        Place {
            module: one.module,
            params: one.generics.names(),
            self_ty: Some(self_ty.clone()),
        }
    }

    /// An implementation, its texts read.
    fn read_impl(&self, number: usize) -> Rc<ReadImpl> {
        if let Some(known) = self.read.borrow().get(&number) {
            return Rc::clone(known);
        }
        // What it requires may lead back to it.
        self.read.borrow_mut().insert(number, Rc::default());
        let one = &self.impls[number];
        let place = Place {
            module: one.module,
            params: one.generics.names(),
            self_ty: None,
        };
        let bounds = one.generics.bounds.iter().map(|(of, bounds)| {
            (
                self.type_of_text(of, &place),
                self.bounds_of_text(bounds, &place),
            )
        });
        let read = Rc::new(ReadImpl {
            of: self.type_of_text(&one.of, &place),
            by: self.trait_of(number),
            bounds: bounds.collect(),
            params: place.params,
        });
        self.read.borrow_mut().insert(number, Rc::clone(&read));
        read
    }

    /// The implementations for a type, references to it not counted, with what their parameters
    /// stand for.
    fn impls_for(&self, ty: &Ty, depth: usize, wanted: Wanted<'_>) -> Vec<(usize, Subst)> {
        let key = match ty.peeled() {
            Ty::Adt(id, _) => self.items[*id].name.as_str(),
            Ty::Tuple(_) => "tuple",
            Ty::Bounds(bounds, true) => bounds.first().map_or("*", |b| &self.items[b.id].name),
            _ => "*",
        };
        let numbers = |key: &str| self.impls_of.get(key).into_iter().flatten().copied();
        let mut found = Vec::new();
        let own = numbers(key).filter(|_| key != "*");
        for number in own.chain(numbers("*")) {
            if self.impls[number].gone.is_some() {
                continue;
            }
            if let Wanted::With(name) = wanted
                && self.impls[number]
                    .types
                    .iter()
                    .all(|(known, _)| known != name)
            {
                continue;
            }
            let one = self.read_impl(number);
            if one.of == Ty::Unknown || matches!(wanted, Wanted::By(by) if one.by != Some(by)) {
                continue;
            }
            let mut subst = Subst::new();
            if !unify(&one.of, ty, &one.params, &mut subst) {
                continue;
            }
            let blanket = matches!(one.of.peeled(), Ty::Param(_));
            if blanket && !self.meets(&one, &subst, depth) {
                continue;
            }
            found.push((number, subst));
        }
        found
    }

    /// Whether what an implementation requires of its parameters holds.
    fn meets(&self, one: &ReadImpl, subst: &Subst, depth: usize) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        one.bounds.iter().all(|(of, bounds)| {
            let of = of.with(subst);
            matches!(of, Ty::Param(_) | Ty::Unknown)
                || bounds.iter().all(|bound| {
                    let assumed = ["Sized", "Send", "Sync", "Unpin"];
                    assumed.contains(&self.items[bound.id].name.as_str())
                        || self.implements_within(&of, bound.id, depth)
                })
        })
    }

    /// Whether a type implements a trait.
    fn implements_within(&self, ty: &Ty, by: Id, depth: usize) -> bool {
        if depth == 0 {
            return false;
        }
        match ty {
            Ty::Bounds(bounds, _) => {
                return bounds
                    .iter()
                    .any(|bound| self.with_supers(bound, ty).iter().any(|one| one.id == by));
            }
            Ty::Adt(id, _) if self.derived(*id).contains(&by) => return true,
            Ty::Unknown => return false,
            _ => {}
        }
        !self.impls_for(ty, depth, Wanted::By(by)).is_empty()
    }

    /// The traits that a type derives.
    fn derived(&self, id: Id) -> Vec<Id> {
        let Data::Type { derives, .. } = &self.items[id].data else {
            return Vec::new();
        };
        let module = self.module_of(id);
        derives
            .iter()
            .flat_map(|name| {
                let mut found = self.lookup_open(module, name);
                // What is derived needs no import.
                for room in ["fmt", "hash", "cmp", "clone", "marker", "default"] {
                    if let Ty::Bounds(bounds, _) =
                        self.known(&format!("{room}::{name}"), Vec::new())
                    {
                        found.extend(bounds.iter().map(|bound| bound.id));
                    }
                }
                found
            })
            .filter(|id| self.items[*id].kind == Kind::Trait)
            .collect()
    }

    /// The trait that an implementation is of.
    fn trait_of(&self, number: usize) -> Option<Id> {
        let one = &self.impls[number];
        let path = syn::parse_str::<syn::Path>(one.by.as_deref()?).ok()?;
        let parts: Vec<String> = path
            .segments
            .iter()
            .map(|part| part.ident.to_string())
            .collect();
        let (found, used) = self.resolve(one.module, &parts);
        found
            .into_iter()
            .find(|id| used == parts.len() && self.items[*id].kind == Kind::Trait)
    }

    /// A bound and all that it requires in turn.
    pub fn with_supers(&self, bound: &Bound, self_ty: &Ty) -> Vec<Bound> {
        let mut all = vec![bound.clone()];
        let mut next = 0;
        while next < all.len() && all.len() < 32 {
            let one = all[next].clone();
            next += 1;
            if let Data::Trait {
                supers, generics, ..
            } = &self.items[one.id].data
                && !supers.is_empty()
            {
                let mut place = self.place(one.id, generics);
                place.self_ty = Some(self_ty.clone());
                for more in self.bounds_of_text(supers, &place) {
                    if all.iter().all(|known| known.id != more.id) {
                        all.push(more);
                    }
                }
            }
        }
        all
    }

    /// The type that another has by a trait, where it can be told.
    pub fn project(&self, ty: Ty) -> Ty {
        self.project_within(ty, DEPTH)
    }

    fn project_within(&self, ty: Ty, depth: usize) -> Ty {
        let Ty::Assoc(of, name) = &ty else { return ty };
        let Some(depth) = depth.checked_sub(1) else {
            return Ty::Unknown;
        };
        match &**of {
            Ty::Param(_) => return ty,
            Ty::Assoc(..) => {
                let of = self.project_within((**of).clone(), depth);
                return match of {
                    Ty::Assoc(..) | Ty::Param(_) => ty,
                    of => self.project_within(Ty::Assoc(Box::new(of), name.clone()), depth),
                };
            }
            Ty::Bounds(bounds, _) => {
                for bound in bounds {
                    for one in self.with_supers(bound, of) {
                        if let Some((_, ty)) = one.types.iter().find(|(known, _)| known == name) {
                            return ty.clone();
                        }
                    }
                }
                // An iterator gives itself as one.
                return match name.as_str() {
                    "IntoIter" => (**of).clone(),
                    _ => Ty::Unknown,
                };
            }
            _ => {}
        }
        for (number, subst) in self.impls_for(of, depth, Wanted::With(name)) {
            let one = &self.impls[number];
            if let Some((_, target)) = one.types.iter().find(|(known, _)| known == name) {
                let target = self
                    .once(Text::Impl(number), || {
                        self.type_of_text(target, &self.impl_place(one, of))
                    })
                    .with(&subst);
                return self.projected(&target, depth);
            }
        }
        Ty::Unknown
    }

    /// A type, all that belongs to others in it looked up.
    pub fn projected(&self, ty: &Ty, depth: usize) -> Ty {
        let all = |types: &[Ty]| types.iter().map(|ty| self.projected(ty, depth)).collect();
        match ty {
            Ty::Assoc(of, name) => {
                let of = self.projected(of, depth);
                self.project_within(Ty::Assoc(Box::new(of), name.clone()), depth)
            }
            Ty::Adt(id, args) => Ty::Adt(*id, all(args)),
            Ty::Ref(mutable, inner) => Ty::Ref(*mutable, Box::new(self.projected(inner, depth))),
            Ty::Tuple(parts) => Ty::Tuple(all(parts)),
            Ty::Fn(inputs, output) => Ty::Fn(all(inputs), Box::new(self.projected(output, depth))),
            Ty::Bounds(bounds, is_dyn) => Ty::Bounds(
                bounds
                    .iter()
                    .map(|bound| Bound {
                        types: bound
                            .types
                            .iter()
                            .map(|(name, ty)| (name.clone(), self.projected(ty, depth)))
                            .collect(),
                        ..bound.clone()
                    })
                    .collect(),
                *is_dyn,
            ),
            other => other.clone(),
        }
    }

    /// The methods and associated items of a type itself, its own before those of traits.
    pub fn associated(&self, ty: &Ty) -> Vec<Member> {
        let mut found = Vec::new();
        let mut traits: Vec<(Bound, Subst)> = Vec::new();
        let plain = |id: Id| Bound {
            id,
            args: Vec::new(),
            types: Vec::new(),
            call: None,
        };
        match ty {
            Ty::Bounds(bounds, _) => {
                for bound in bounds {
                    for one in self.with_supers(bound, ty) {
                        traits.push((one, Subst::new()));
                    }
                }
            }
            Ty::Adt(id, _) => {
                for by in self.derived(*id) {
                    traits.push((plain(by), Subst::new()));
                }
            }
            Ty::Unknown => return found,
            _ => {}
        }
        for (number, mut subst) in self.impls_for(ty, DEPTH, Wanted::All) {
            let one = &self.impls[number];
            subst.insert("Self".to_owned(), ty.clone());
            if one.by.is_none() {
                found.extend(one.members.iter().map(|id| Member {
                    id: *id,
                    subst: subst.clone(),
                    by: None,
                }));
            } else if let Some(by) = self.read_impl(number).by {
                let place = self.impl_place(one, ty);
                let text = one.by.as_deref().unwrap_or_default();
                let bound = self.bounds_of_text(text, &place).into_iter().next();
                traits.push((bound.unwrap_or_else(|| plain(by)), subst));
            }
        }
        for (bound, mut subst) in traits {
            let Data::Trait {
                generics, members, ..
            } = &self.items[bound.id].data
            else {
                continue;
            };
            subst.insert("Self".to_owned(), ty.clone());
            for ((name, _), arg) in generics.params.iter().zip(&bound.args) {
                let arg = arg.with(&subst);
                subst.insert(name.clone(), arg);
            }
            for id in members {
                if found.iter().all(|known: &Member| known.id != *id) {
                    found.push(Member {
                        id: *id,
                        subst: subst.clone(),
                        by: Some(bound.id),
                    });
                }
            }
        }
        found
    }

    /// Methods that can be called on a value of a type, the nearest first.
    pub fn methods(&self, ty: &Ty) -> Vec<Member> {
        let mut found: Vec<Member> = Vec::new();
        if !ty.peeled().is_known() {
            return found;
        }
        let mut steps = self.autoderef(ty);
        // `&T` may implement what `T` doesn't; that comes last.
        if !matches!(ty, Ty::Ref(..)) {
            steps.push(Ty::Ref(false, Box::new(ty.clone())));
        }
        for step in self.nearest(steps) {
            for member in step {
                let item = &self.items[member.id];
                let known = found.iter().any(|one| self.items[one.id].name == item.name);
                if item.kind == Kind::Method && !known {
                    found.push(member);
                }
            }
        }
        found
    }

    /// The method of a name.
    pub fn method(&self, ty: &Ty, name: &str) -> Option<Member> {
        if !ty.peeled().is_known() {
            return None;
        }
        let mut steps = self.autoderef(ty);
        if !matches!(ty, Ty::Ref(..)) {
            steps.push(Ty::Ref(false, Box::new(ty.clone())));
        }
        self.nearest(steps).into_iter().flatten().find(|member| {
            let item = &self.items[member.id];
            item.kind == Kind::Method && item.name == name
        })
    }

    /// What belongs to each step, in the order in which methods are looked for: those that a reference itself has by
    /// reference come after those that what it points to has so, as `clone` of `&T` after that of `T`.
    fn nearest(&self, steps: Vec<Ty>) -> Vec<Vec<Member>> {
        let mut order = Vec::new();
        let mut later: Vec<Member> = Vec::new();
        for step in steps {
            let members = self.associated(&step);
            let after = std::mem::take(&mut later);
            if matches!(step, Ty::Ref(..)) {
                let (by_reference, rest): (Vec<Member>, Vec<Member>) = members
                    .into_iter()
                    .partition(|member| self.takes_a_reference(member.id));
                order.push(rest);
                order.push(after);
                later = by_reference;
            } else {
                order.push(members);
                order.push(after);
            }
        }
        order.push(later);
        order
    }

    fn takes_a_reference(&self, id: Id) -> bool {
        match &self.items[id].data {
            Data::Function(signature) => signature
                .receiver
                .as_ref()
                .is_some_and(|receiver| receiver.starts_with('&')),
            _ => false,
        }
    }

    /// The fields of a value, with their types.
    pub fn fields(&self, ty: &Ty) -> Vec<(Id, Ty)> {
        let mut found: Vec<(Id, Ty)> = Vec::new();
        for step in self.autoderef(ty) {
            let Ty::Adt(id, args) = &step else { continue };
            let Data::Type {
                generics, members, ..
            } = &self.items[*id].data
            else {
                continue;
            };
            if self.items[*id].kind == Kind::Enum {
                continue;
            }
            let subst: Subst = generics
                .params
                .iter()
                .zip(args)
                .map(|((name, _), ty)| (name.clone(), ty.clone()))
                .collect();
            let mut place = self.place(*id, generics);
            place.self_ty = Some(step.clone());
            for field in members {
                if let Data::Typed(text) = &self.items[*field].data {
                    let ty = self.type_of_text(text, &place).with(&subst);
                    found.push((*field, self.projected(&ty, DEPTH)));
                }
            }
        }
        found
    }

    /// The items that follow a type after `::`: variants, functions, constants.
    pub fn behind_type(&self, ty: &Ty) -> Vec<Member> {
        let mut found = Vec::new();
        if let Ty::Adt(id, _) = ty
            && self.items[*id].kind == Kind::Enum
            && let Data::Type { members, .. } = &self.items[*id].data
        {
            found.extend(members.iter().map(|id| Member {
                id: *id,
                subst: Subst::new(),
                by: None,
            }));
        }
        found.extend(self.associated(ty));
        found
    }
}

impl Index {
    /// The `Output` that a type has by a trait of an operator, with this on its right.
    pub fn output_of(&self, left: &Ty, right: &Ty, by: Id) -> Ty {
        let flipped = match left {
            Ty::Ref(_, inner) => (**inner).clone(),
            other => Ty::Ref(false, Box::new(other.clone())),
        };
        for of in [left, &flipped] {
            for (number, mut subst) in self.impls_for(of, DEPTH, Wanted::By(by)) {
                let one = &self.impls[number];
                let place = self.impl_place(one, of);
                let bound = self.bounds_of_text(one.by.as_deref().unwrap_or_default(), &place);
                let wanted = bound.first().and_then(|bound| bound.args.first());
                // Without one it is the type itself.
                let wanted = wanted.unwrap_or(of).clone();
                if !unify(wanted.peeled(), right.peeled(), &place.params, &mut subst) {
                    continue;
                }
                if let Some((_, target)) = one.types.iter().find(|(name, _)| name == "Output") {
                    let target = self.once(Text::Impl(number), || {
                        self.type_of_text(target, &self.impl_place(one, of))
                    });
                    return self.projected(&target.with(&subst), DEPTH);
                }
            }
        }
        Ty::Unknown
    }
}

impl Index {
    /// The type that an implementation is for.
    pub fn impl_target(&self, number: usize) -> Option<Id> {
        match self.read_impl(number).of.peeled() {
            Ty::Adt(id, _) => Some(*id),
            _ => None,
        }
    }
}
