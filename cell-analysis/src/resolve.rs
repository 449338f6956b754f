//! What a path names.

use std::collections::HashSet;
use std::rc::Rc;

use super::index::{Data, Id, Index, Kind};

/// How far imports of imports are followed.
const DEPTH: usize = 12;

impl Index {
    /// The standard library's root.
    pub fn std(&self) -> Id {
        self.crates.first().map_or(0, |krate| krate.root)
    }

    /// The items under a name in a module, imports included, as far as code of `viewer`'s crate may
    /// see them.
    pub fn lookup(&self, module: Id, name: &str, viewer: usize) -> Vec<Id> {
        self.lookup_within(module, name, viewer, DEPTH)
    }

    fn lookup_within(&self, module: Id, name: &str, viewer: usize, depth: usize) -> Vec<Id> {
        let mut found = self.lookup_named(module, name, viewer, depth);
        if found.is_empty() {
            found = self.lookup_in_globs(module, name, viewer, depth);
        }
        found
    }

    /// Those that a module has or imports by their name.
    fn lookup_named(&self, module: Id, name: &str, viewer: usize, depth: usize) -> Vec<Id> {
        let Some(depth) = depth.checked_sub(1) else {
            return Vec::new();
        };
        let own = self.items[module].krate == viewer;
        let visible = |id: &&Id| own || self.items[**id].public;
        let mut found: Vec<Id> = self
            .named(module, name)
            .iter()
            .filter(visible)
            .copied()
            .collect();
        for one in self.uses(module).iter().filter(|one| own || one.public) {
            if one.name == name {
                found.extend(self.resolve_within(module, &one.path, depth));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Those that its imports of whole modules bring in.
    fn lookup_in_globs(&self, module: Id, name: &str, viewer: usize, depth: usize) -> Vec<Id> {
        let Some(depth) = depth.checked_sub(1) else {
            return Vec::new();
        };
        let own = self.items[module].krate == viewer;
        let mut found = Vec::new();
        for one in self.uses(module).iter().filter(|one| own || one.public) {
            if one.name == "*" {
                for from in self.resolve_within(module, &one.path, depth) {
                    if from != module {
                        found.extend(self.member(from, name, viewer, depth));
                    }
                }
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    /// What follows a module or an enumeration after `::`.
    fn member(&self, container: Id, name: &str, viewer: usize, depth: usize) -> Vec<Id> {
        match &self.items[container].data {
            Data::Module { .. } => self.lookup_within(container, name, viewer, depth),
            Data::Type { members, .. } if self.items[container].kind == Kind::Enum => members
                .iter()
                .copied()
                .filter(|id| self.items[*id].name == name)
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The items that a name alone can mean in a module.
    pub fn lookup_open(&self, module: Id, name: &str) -> Vec<Id> {
        self.lookup_open_within(module, name, DEPTH)
    }

    fn lookup_open_within(&self, module: Id, name: &str, depth: usize) -> Vec<Id> {
        let krate = self.items[module].krate;
        let mut found = self.lookup_named(module, name, krate, depth);
        // Before the imports of whole modules: their own paths begin with crates, and would each be looked for in
        // all others.
        if let Some(root) = self.external(krate, name) {
            found.push(root);
        }
        if found.is_empty() {
            found = self.lookup_in_globs(module, name, krate, depth);
        }
        if found.is_empty() || found.iter().all(|id| self.items[*id].kind == Kind::Macro) {
            for prelude in self.preludes() {
                found.extend(self.lookup_within(prelude, name, usize::MAX, DEPTH));
            }
        }
        found.dedup();
        found
    }

    /// The modules of the standard library whose names need no import.
    pub fn preludes(&self) -> Vec<Id> {
        let std = self.std();
        ["prelude", "primitive"]
            .iter()
            .filter_map(|name| self.named(std, name).first().copied())
            .collect()
    }

    /// The root of a crate that another can name.
    pub fn external(&self, krate: usize, name: &str) -> Option<Id> {
        if ["std", "core", "alloc"].contains(&name) {
            return Some(self.std());
        }
        let key = self.crates[krate].externs.get(name)?;
        self.keys.get(key).map(|number| self.crates[*number].root)
    }

    /// What a path names, and how many of its parts were needed for that: the rest are names that
    /// belong to a type.
    pub fn resolve(&self, module: Id, path: &[String]) -> (Vec<Id>, usize) {
        self.resolve_part(module, path, DEPTH)
    }

    fn resolve_within(&self, module: Id, path: &[String], depth: usize) -> Vec<Id> {
        let (found, used) = self.resolve_part(module, path, depth);
        match used == path.len() {
            true => found,
            false => Vec::new(),
        }
    }

    fn resolve_part(&self, module: Id, path: &[String], depth: usize) -> (Vec<Id>, usize) {
        let Some(depth) = depth.checked_sub(1) else {
            return (Vec::new(), 0);
        };
        let Some(first) = path.first() else {
            return (vec![module], 0);
        };
        let krate = self.items[module].krate;
        let mut at = module;
        let mut used = 1;
        let mut found = match first.as_str() {
            "crate" | "$crate" => vec![self.crates[krate].root],
            "self" => vec![module],
            "super" => {
                at = self.module_of(self.items[at].parent);
                while path.get(used).is_some_and(|part| part == "super") {
                    at = self.module_of(self.items[at].parent);
                    used += 1;
                }
                vec![at]
            }
            name => self.lookup_open_within(module, name, depth),
        };
        while let Some(name) = path.get(used) {
            let mut next = Vec::new();
            for container in &found {
                next.extend(self.member(*container, name, krate, depth));
            }
            if next.is_empty() {
                let types = found.iter().any(|id| self.items[*id].kind.is_type());
                return match types {
                    true => (found, used),
                    false => (Vec::new(), used),
                };
            }
            found = next;
            used += 1;
        }
        (found, used)
    }

    /// All that a module shows to code of `viewer`'s crate: names and items, imports included.
    pub fn all_in(&self, module: Id, viewer: usize) -> Vec<(String, Id)> {
        let mut found = Vec::new();
        self.collect(module, viewer, DEPTH, &mut vec![module], &mut found);
        found.sort();
        found.dedup();
        found
    }

    fn collect(
        &self,
        module: Id,
        viewer: usize,
        depth: usize,
        seen: &mut Vec<Id>,
        found: &mut Vec<(String, Id)>,
    ) {
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        let own = self.items[module].krate == viewer;
        match &self.items[module].data {
            Data::Module { names, uses } => {
                for (name, ids) in names {
                    for id in ids.iter().filter(|id| own || self.items[**id].public) {
                        found.push((name.clone(), *id));
                    }
                }
                for one in uses.iter().filter(|one| own || one.public) {
                    for id in self.resolve_within(module, &one.path, depth) {
                        match one.name.as_str() {
                            "*" if !seen.contains(&id) => {
                                seen.push(id);
                                self.collect(id, viewer, depth, seen, found);
                            }
                            "*" | "_" => {}
                            name => found.push((name.to_owned(), id)),
                        }
                    }
                }
            }
            Data::Type { members, .. } if self.items[module].kind == Kind::Enum => {
                found.extend(members.iter().map(|id| (self.items[*id].name.clone(), *id)));
            }
            _ => {}
        }
    }

    /// Whether a trait's methods can be called in a module.
    pub fn trait_in_scope(&self, module: Id, of: Id) -> bool {
        let mut at = module;
        loop {
            if self.module_brings(at, of) {
                return true;
            }
            // A block's or function's imports count as the module's.
            if self.items[at].kind != Kind::Module || self.items[at].parent == at {
                break;
            }
            at = self.items[at].parent;
            if self.items[at].kind == Kind::Crate {
                break;
            }
        }
        self.free_traits().contains(&of)
    }

    /// The traits of the prelude.
    fn free_traits(&self) -> Rc<HashSet<Id>> {
        let found = || {
            let all = self
                .preludes()
                .into_iter()
                .flat_map(|prelude| self.all_in(prelude, usize::MAX));
            all.map(|(_, id)| id)
                .filter(|id| self.items[*id].kind == Kind::Trait)
                .collect()
        };
        Rc::clone(
            self.free_traits
                .borrow_mut()
                .get_or_insert_with(|| Rc::new(found())),
        )
    }

    fn module_brings(&self, module: Id, of: Id) -> bool {
        if self.items[of].parent == module {
            return true;
        }
        let name = &self.items[of].name;
        let krate = self.items[module].krate;
        self.uses(module).iter().any(|one| match one.name.as_str() {
            "*" => self
                .resolve_within(module, &one.path, DEPTH)
                .iter()
                .any(|from| self.member(*from, name, krate, DEPTH).contains(&of)),
            _ => {
                one.path.last() == Some(name)
                    && self.resolve_within(module, &one.path, DEPTH).contains(&of)
            }
        })
    }
}
