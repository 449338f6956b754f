//! What is known: the items of all crates that were read, and of the cells.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use super::ty::{Bound, Ty};

/// The number of an item.
pub type Id = usize;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Crate,
    Module,
    Struct,
    Union,
    Enum,
    Variant,
    Field,
    Trait,
    Alias,
    AssociatedType,
    Primitive,
    Function,
    Method,
    Constant,
    Static,
    Macro,
}

impl Kind {
    /// Its name for a reader.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crate => "crate",
            Self::Module => "module",
            Self::Struct => "struct",
            Self::Union => "union",
            Self::Enum => "enum",
            Self::Variant => "variant",
            Self::Field => "field",
            Self::Trait => "trait",
            Self::Alias | Self::AssociatedType => "type",
            Self::Primitive => "primitive",
            Self::Function => "function",
            Self::Method => "method",
            Self::Constant => "constant",
            Self::Static => "static",
            Self::Macro => "macro",
        }
    }

    /// Whether it can stand where a type is wanted.
    pub fn is_type(self) -> bool {
        use Kind::{Alias, AssociatedType, Enum, Primitive, Struct, Trait, Union};
        matches!(
            self,
            Struct | Union | Enum | Trait | Alias | AssociatedType | Primitive
        )
    }

    /// Whether names can follow it after `::`.
    pub fn is_container(self) -> bool {
        self.is_type() || matches!(self, Self::Crate | Self::Module)
    }
}

/// Parameters of types, without lifetimes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Generics {
    /// Their names, and their defaults.
    pub params: Vec<(String, Option<String>)>,
    /// What is required of them, or of types made of them: the type and its bounds.
    pub bounds: Vec<(String, String)>,
}

impl Generics {
    /// The parameters' names.
    pub fn names(&self) -> Vec<String> {
        self.params.iter().map(|(name, _)| name.clone()).collect()
    }
}

/// What a function takes and gives.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    pub generics: Generics,
    /// `self`, `&self` and so on.
    pub receiver: Option<String>,
    /// Patterns and types.
    pub inputs: Vec<(String, String)>,
    pub output: Option<String>,
    pub is_async: bool,
    /// What the result is taken for where its type says too little: adapters of iterators.
    pub taken_for: Option<String>,
}

/// An import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Use {
    pub path: Vec<String>,
    /// The name that it brings in; `_` for none, `*` for all.
    pub name: String,
    pub public: bool,
}

/// What belongs to an item.
#[derive(Debug, Clone, Default)]
pub enum Data {
    #[default]
    None,
    /// A module or a crate.
    Module {
        names: HashMap<String, Vec<Id>>,
        uses: Vec<Use>,
    },
    /// A type with its fields or variants.
    Type {
        generics: Generics,
        members: Vec<Id>,
        derives: Vec<String>,
        /// Whether values are made by a call.
        tuple: bool,
    },
    /// A field, a constant, a static.
    Typed(String),
    /// A name for another type.
    Alias { generics: Generics, target: String },
    /// A function or method.
    Function(Signature),
    /// A trait.
    Trait {
        generics: Generics,
        members: Vec<Id>,
        supers: String,
    },
}

/// One thing that has a name.
#[derive(Debug, Clone)]
pub struct Item {
    pub name: String,
    pub kind: Kind,
    /// Its documentation, as Markdown.
    pub docs: String,
    /// How it is declared.
    pub declared: String,
    /// The module, type or trait that it stands in.
    pub parent: Id,
    /// The implementation that it stands in.
    pub within: Option<usize>,
    pub krate: usize,
    pub public: bool,
    /// Kept out of documentation by its author, or deprecated.
    pub hidden: bool,
    pub data: Data,
    /// The cell that it stands in, and the line.
    pub cell: Option<(u64, usize)>,
}

/// An implementation.
#[derive(Debug, Clone)]
pub struct Impl {
    pub module: Id,
    pub generics: Generics,
    /// The implementing type.
    pub of: String,
    /// The trait.
    pub by: Option<String>,
    pub members: Vec<Id>,
    pub types: Vec<(String, String)>,
    /// The cell that it stands in.
    pub cell: Option<u64>,
    /// How many implementations there were when another one took its place.
    pub gone: Option<usize>,
}

/// A crate.
#[derive(Debug, Clone, Default)]
pub struct Crate {
    /// As code names it.
    pub name: String,
    pub version: String,
    pub root: Id,
    /// The crates that it can name, and their keys.
    pub externs: BTreeMap<String, String>,
    /// Whether docs.rs has its documentation.
    pub published: bool,
    /// What was read: its features, and when a crate that may be edited was changed last.
    pub state: String,
}

/// Everything.
#[derive(Debug, Default)]
pub struct Index {
    pub items: Vec<Item>,
    pub impls: Vec<Impl>,
    /// Implementations by the last name of their type; `*` for those of a parameter.
    pub impls_of: HashMap<String, Vec<usize>>,
    pub crates: Vec<Crate>,
    /// The crates by their keys.
    pub keys: HashMap<String, usize>,
    /// What was found out of implementations.
    pub read: RefCell<HashMap<usize, Rc<ReadImpl>>>,
    /// The traits that need no import.
    pub free_traits: RefCell<Option<Rc<HashSet<Id>>>>,
    /// What is being read just now: a type whose text leads back to itself is not known.
    pub reading: RefCell<Vec<Text>>,
}

/// A text that is read as a type each time that it is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Text {
    /// An alias's target, or the defaults of a type's parameters.
    Item(Id),
    /// What an implementation says that a type belongs to.
    Impl(usize),
}

/// An implementation, its texts read.
#[derive(Debug, Default)]
pub struct ReadImpl {
    /// The implementing type.
    pub of: Ty,
    pub params: Vec<String>,
    /// The trait.
    pub by: Option<Id>,
    /// What is required of which types.
    pub bounds: Vec<(Ty, Vec<Bound>)>,
}

/// How far the index went at a time.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    items: usize,
    impls: usize,
    crates: usize,
}

impl Index {
    /// Reads a text, unless it is being read already.
    pub fn once(&self, text: Text, read: impl FnOnce() -> Ty) -> Ty {
        if self.reading.borrow().contains(&text) {
            return Ty::Unknown;
        }
        self.reading.borrow_mut().push(text);
        let ty = read();
        self.reading.borrow_mut().pop();
        ty
    }

    /// Adds an item to its module.
    pub fn add(&mut self, item: Item) -> Id {
        let id = self.items.len();
        let (name, parent) = (item.name.clone(), item.parent);
        self.items.push(item);
        if parent != id
            && let Data::Module { names, .. } = &mut self.items[parent].data
        {
            names.entry(name).or_default().push(id);
        }
        id
    }

    /// Adds an implementation; `key` is the last name of its type.
    pub fn add_impl(&mut self, key: &str, of: Impl) -> usize {
        self.impls.push(of);
        let number = self.impls.len() - 1;
        self.impls_of
            .entry(key.to_owned())
            .or_default()
            .push(number);
        number
    }

    /// Adds a crate with an empty root.
    pub fn add_crate(&mut self, key: &str, mut krate: Crate) -> usize {
        let number = self.crates.len();
        let root = self.items.len();
        krate.root = root;
        self.items.push(Item {
            name: krate.name.clone(),
            kind: Kind::Crate,
            docs: String::new(),
            declared: format!("crate {}", krate.name),
            parent: root,
            within: None,
            krate: number,
            public: true,
            hidden: false,
            data: Data::Module {
                names: HashMap::new(),
                uses: Vec::new(),
            },
            cell: None,
        });
        self.keys.insert(key.to_owned(), number);
        self.crates.push(krate);
        number
    }

    /// A point to come back to.
    pub fn mark(&self) -> Mark {
        Mark {
            items: self.items.len(),
            impls: self.impls.len(),
            crates: self.crates.len(),
        }
    }

    /// Forgets everything that was added since.
    pub fn back_to(&mut self, mark: Mark) {
        self.items.truncate(mark.items);
        self.impls.truncate(mark.impls);
        for one in &mut self.impls {
            one.gone = one.gone.filter(|by| *by < mark.impls);
        }
        self.read.get_mut().retain(|number, _| *number < mark.impls);
        self.crates.truncate(mark.crates);
        self.keys.retain(|_, number| *number < mark.crates);
        for numbers in self.impls_of.values_mut() {
            while numbers.last().is_some_and(|last| *last >= mark.impls) {
                numbers.pop();
            }
        }
    }

    /// Forgets what was found out of implementations since.
    pub fn forget_read(&mut self, mark: Mark) {
        self.read.get_mut().retain(|number, _| *number < mark.impls);
    }

    /// The module that an item stands in.
    pub fn module_of(&self, id: Id) -> Id {
        let mut at = id;
        while !matches!(self.items[at].kind, Kind::Module | Kind::Crate) {
            at = self.items[at].parent;
        }
        at
    }

    /// The path of an item, as its declaration has it.
    pub fn path(&self, id: Id) -> Vec<String> {
        let item = &self.items[id];
        if item.parent == id {
            return vec![item.name.clone()];
        }
        let mut path = self.path(item.parent);
        if let Some(number) = item.within {
            path.push(last_name(&self.impls[number].of));
        }
        path.push(item.name.clone());
        path
    }

    /// What a module brings in.
    pub fn uses(&self, module: Id) -> &[Use] {
        match &self.items[module].data {
            Data::Module { uses, .. } => uses,
            _ => &[],
        }
    }

    /// Items that stand under this name in a module itself.
    pub fn named(&self, module: Id, name: &str) -> &[Id] {
        match &self.items[module].data {
            Data::Module { names, .. } => names.get(name).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }
}

/// The last name in a type: `Vec` of `std::vec::Vec<T>`, and `*` where it has none.
pub fn last_name(of: &str) -> String {
    match syn::parse_str::<syn::Type>(of) {
        Ok(of) => name_of(&of),
        Err(_) => "*".to_owned(),
    }
}

/// The name under which implementations of a type are found.
pub fn name_of(of: &syn::Type) -> String {
    match of {
        syn::Type::Path(path) => match path.path.segments.last() {
            Some(last) => last.ident.to_string(),
            None => "*".to_owned(),
        },
        syn::Type::Reference(inner) => name_of(&inner.elem),
        syn::Type::Paren(inner) => name_of(&inner.elem),
        syn::Type::Group(inner) => name_of(&inner.elem),
        syn::Type::Slice(_) => "slice".to_owned(),
        syn::Type::Array(_) => "array".to_owned(),
        syn::Type::Tuple(_) => "tuple".to_owned(),
        syn::Type::TraitObject(object) => object
            .bounds
            .iter()
            .find_map(|bound| match bound {
                syn::TypeParamBound::Trait(bound) => bound.path.segments.last(),
                _ => None,
            })
            .map_or_else(|| "*".to_owned(), |last| last.ident.to_string()),
        _ => "*".to_owned(),
    }
}
