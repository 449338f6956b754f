//! What evcxr asks of rust-analyzer about a cell. Only the types of variables are answered, by the compiler
//! ([`types`]); for what Tab and Shift+Tab ask there is another program.

use std::sync::OnceLock;

use ra_ap_hir::{ChangeWithProcMacros, PrefixKind, Variables};
use ra_ap_ide_db::imports::insert_use::InsertUseConfig;
use ra_ap_ide_db::{SnippetCap, SymbolKind};
use ra_ap_vfs::FileId;

pub use ra_ap_hir::Semantics;
pub use ra_ap_syntax::{Edition, TextRange, TextSize};

pub mod types;

use types::Answer;

/// Who knows the present cell.
#[derive(Debug, Default)]
pub struct AnalysisHost(RootDatabase);

impl AnalysisHost {
    /// What is known.
    pub fn raw_database(&self) -> &RootDatabase {
        &self.0
    }

    /// Takes another cell.
    pub fn apply_change(&mut self, change: ChangeWithProcMacros) {
        if let Some(graph) = change.graph {
            self.0.folder = Some(graph.folder.as_str().into());
        }
        if let Some(program) = change.program {
            self.0.program = program;
            self.0.answer = OnceLock::new();
        }
    }

    /// Who answers questions about it.
    pub fn analysis(&self) -> Analysis {
        Analysis
    }
}

/// The present cell, and what the compiler said of it.
#[derive(Debug, Default)]
pub struct RootDatabase {
    program: String,
    folder: Option<std::path::PathBuf>,
    answer: OnceLock<Answer>,
}

impl Variables for RootDatabase {
    fn program(&self) -> &str {
        &self.program
    }

    fn type_of(&self, name: &str) -> Option<String> {
        let folder = self.folder.as_ref()?;
        match self
            .answer
            .get_or_init(|| types::ask(&self.program, folder))
        {
            Answer::Types(types) => types.get(name).cloned(),
            // What is wrong the compiler says when evcxr has it compile the cell: any type will do until then.
            Answer::Errors => Some("()".to_owned()),
            Answer::Nothing => None,
        }
    }
}

/// A question that was given up.
#[derive(Debug)]
pub struct Cancelled;

/// Answers to Tab and Shift+Tab: none.
#[derive(Debug)]
pub struct Analysis;

impl Analysis {
    /// How a name could go on.
    ///
    /// # Errors
    /// None.
    pub fn completions(
        &self,
        _: &CompletionConfig<'_>,
        _: FilePosition,
        _: Option<char>,
    ) -> Result<Option<Vec<CompletionItem>>, Cancelled> {
        Ok(None)
    }

    /// What there is to say of a name.
    ///
    /// # Errors
    /// None.
    pub fn hover(
        &self,
        _: &HoverConfig,
        _: FileRange,
    ) -> Result<Option<RangeInfo<HoverResult>>, Cancelled> {
        Ok(None)
    }
}

/// A place in a file.
#[derive(Debug)]
#[expect(missing_docs, reason = "evcxr sets them, and nobody reads them")]
pub struct FilePosition {
    pub file_id: FileId,
    pub offset: TextSize,
}

/// A part of a file.
#[derive(Debug)]
#[expect(missing_docs, reason = "evcxr sets them, and nobody reads them")]
pub struct FileRange {
    pub file_id: FileId,
    pub range: TextRange,
}

/// Snippets for calls.
#[derive(Debug)]
pub enum CallableSnippets {
    /// With names for arguments.
    FillArguments,
}

/// What is to be known of a completion later.
#[derive(Debug)]
pub struct CompletionFieldsToResolve;

impl CompletionFieldsToResolve {
    /// Nothing.
    pub fn empty() -> Self {
        Self
    }
}

/// How texts in Rust are treated.
#[derive(Debug, Default)]
pub struct RaFixtureConfig;

/// How completions are to be.
#[derive(Debug)]
#[expect(missing_docs, reason = "evcxr sets them, and nobody reads them")]
pub struct CompletionConfig<'a> {
    pub enable_postfix_completions: bool,
    pub snippet_cap: Option<SnippetCap>,
    pub enable_imports_on_the_fly: bool,
    pub enable_self_on_the_fly: bool,
    pub enable_private_editable: bool,
    pub prefer_no_std: bool,
    pub full_function_signatures: bool,
    pub snippets: Vec<String>,
    pub insert_use: InsertUseConfig<PrefixKind>,
    pub callable: Option<CallableSnippets>,
    pub limit: Option<usize>,
    pub prefer_prelude: bool,
    pub enable_term_search: bool,
    pub term_search_fuel: u64,
    pub prefer_absolute: bool,
    pub add_semicolon_to_unit: bool,
    pub fields_to_resolve: CompletionFieldsToResolve,
    pub exclude_flyimport: Vec<String>,
    pub exclude_traits: &'a [String],
    pub enable_auto_iter: bool,
    pub enable_auto_await: bool,
    pub ra_fixture: RaFixtureConfig,
    pub add_colons_to_module: bool,
}

/// A way in which a name could go on.
#[derive(Debug)]
pub struct CompletionItem {
    /// How it is shown.
    pub label: CompletionItemLabel,
    /// What it is.
    pub kind: CompletionItemKind,
    /// What it changes.
    pub text_edit: TextEdit,
}

impl CompletionItem {
    /// What has to begin as what is there.
    pub fn lookup(&self) -> &str {
        &self.label.primary
    }
}

/// How a completion is shown.
#[derive(Debug)]
pub struct CompletionItemLabel {
    /// In short.
    pub primary: String,
}

/// Changes of a text.
#[derive(Debug)]
pub struct TextEdit(Vec<Indel>);

impl TextEdit {
    /// One after the other.
    pub fn iter(&self) -> std::slice::Iter<'_, Indel> {
        self.0.iter()
    }
}

/// A change of a text.
#[derive(Debug)]
pub struct Indel {
    /// What comes.
    pub insert: String,
    /// What goes.
    pub delete: TextRange,
}

/// What a completion stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "they say what they are")]
pub enum CompletionItemKind {
    SymbolKind(SymbolKind),
    Binding,
    BuiltinType,
    Expression,
    InferredType,
    Keyword,
    Snippet,
    UnresolvedReference,
}

/// How an explanation is written.
#[derive(Debug)]
pub enum HoverDocFormat {
    /// In Markdown.
    Markdown,
    /// Without any marks.
    PlainText,
}

/// How long a type may be.
#[derive(Debug)]
pub enum SubstTyLen {
    /// As long as it is.
    Unlimited,
}

/// How an explanation is to be.
#[derive(Debug)]
#[expect(missing_docs, reason = "evcxr sets them, and nobody reads them")]
pub struct HoverConfig {
    pub links_in_hover: bool,
    pub memory_layout: Option<()>,
    pub documentation: bool,
    pub keywords: bool,
    pub format: HoverDocFormat,
    pub max_trait_assoc_items_count: Option<usize>,
    pub max_fields_count: Option<usize>,
    pub max_enum_variants_count: Option<usize>,
    pub max_subst_ty_len: SubstTyLen,
    pub show_drop_glue: bool,
    pub ra_fixture: RaFixtureConfig,
}

/// Something said of a part of a text.
#[derive(Debug)]
pub struct RangeInfo<Info> {
    /// What is said.
    pub info: Info,
}

/// An explanation.
#[derive(Debug)]
pub struct HoverResult {
    /// Its text.
    pub markup: String,
}
