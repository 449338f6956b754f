//! Names that evcxr's questions are made of.

/// A map.
pub type FxHashMap<Key, Value> = std::collections::HashMap<Key, Value>;

/// Whether an editor takes snippets.
#[derive(Debug, Clone, Copy)]
pub struct SnippetCap;

impl SnippetCap {
    /// If it does.
    pub fn new(allowed: bool) -> Option<Self> {
        allowed.then_some(Self)
    }
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say what they are")]
pub enum SymbolKind {
    Attribute,
    BuiltinAttr,
    Const,
    ConstParam,
    CrateRoot,
    Derive,
    DeriveHelper,
    Enum,
    Field,
    Function,
    Label,
    Local,
    Macro,
    Method,
    Module,
    ProcMacro,
    SelfParam,
    SelfType,
    Static,
    Struct,
    ToolModule,
    Trait,
    TypeAlias,
    TypeParam,
    Union,
    ValueParam,
    Variant,
}

/// How a completion would import what it names.
pub mod imports {
    /// Where, and how.
    pub mod insert_use {
        /// What one `use` holds.
        #[derive(Debug, Clone, Copy)]
        pub enum ImportGranularity {
            /// One item.
            Item,
        }

        /// How a `use` is written; the prefix as `Prefix` says.
        #[derive(Debug, Clone)]
        #[expect(missing_docs, reason = "evcxr sets them, and nobody reads them")]
        pub struct InsertUseConfig<Prefix> {
            pub prefix_kind: Prefix,
            pub group: bool,
            pub granularity: ImportGranularity,
            pub enforce_granularity: bool,
            pub skip_glob_imports: bool,
        }
    }
}
