//! The types of a cell's variables, as evcxr asks for them.

use ra_ap_base_db::{EditionedFileId, SourceRoot};
use ra_ap_project_model::CrateGraph;
use ra_ap_syntax::ast::{self, HasName};
use ra_ap_syntax::{SourceFile, SyntaxNode};
use ra_ap_vfs::FileId;

/// Who knows the cell and its variables.
pub trait Variables {
    /// The program that evcxr made of the cell.
    fn program(&self) -> &str;
    /// The type of a variable at the cell's end, if the compiler can tell it.
    fn type_of(&self, name: &str) -> Option<String>;
}

/// What is new since the last cell.
#[derive(Debug, Default)]
pub struct ChangeWithProcMacros {
    /// The program that evcxr made of the cell.
    pub program: Option<String>,
    /// The folder in which it is compiled.
    pub graph: Option<CrateGraph>,
}

impl ChangeWithProcMacros {
    /// A file is new or other.
    pub fn change_file(&mut self, _: FileId, text: Option<String>) {
        self.program = text;
    }

    /// Sets of files.
    pub fn set_roots(&mut self, _: Vec<SourceRoot>) {}

    /// The folder is new.
    pub fn set_crate_graph(&mut self, graph: CrateGraph) {
        self.graph = Some(graph);
    }
}

/// How a completion would begin a path.
#[derive(Debug, Clone, Copy)]
pub enum PrefixKind {
    /// With the crate's name.
    ByCrate,
}

/// Does something with a database at hand.
pub fn attach_db<Database, Done>(_: &Database, work: impl FnOnce() -> Done) -> Done {
    work()
}

/// What a program means.
#[derive(Debug)]
pub struct Semantics<'db, Database> {
    /// Who knows it.
    pub db: &'db Database,
}

impl<'db, Database: Variables> Semantics<'db, Database> {
    /// What the present program means.
    pub fn new(db: &'db Database) -> Self {
        Self { db }
    }

    /// The present program.
    pub fn parse(&self, file: EditionedFileId) -> SourceFile {
        SourceFile::parse(self.db.program(), file.edition).tree()
    }

    /// Where something stands.
    pub fn scope(&self, _: &SyntaxNode) -> Option<SemanticsScope> {
        Some(SemanticsScope)
    }

    /// The type of what a pattern binds.
    pub fn type_of_pat(&self, pattern: &ast::Pat) -> Option<TypeInfo> {
        let ast::Pat::IdentPat(pattern) = pattern else {
            return None;
        };
        let name = pattern.name()?;
        self.db.type_of(name.text().as_ref()).map(TypeInfo)
    }
}

/// A place in the program.
#[derive(Debug)]
pub struct SemanticsScope;

impl SemanticsScope {
    /// Its module: there is one.
    pub fn module(&self) -> Module {
        Module
    }
}

/// A module.
#[derive(Debug, Clone, Copy)]
pub struct Module;

/// Its number.
#[derive(Debug, Clone, Copy)]
pub struct ModuleId;

impl From<Module> for ModuleId {
    fn from(_: Module) -> Self {
        Self
    }
}

/// What is known of a type.
#[derive(Debug)]
pub struct TypeInfo(String);

impl TypeInfo {
    /// The type before anything is made of it.
    pub fn original(self) -> Type {
        Type(self.0)
    }
}

/// A type, as the compiler writes it.
#[derive(Debug)]
pub struct Type(String);

impl Type {
    /// Whether it is a closure's, which has no name.
    pub fn is_closure(&self) -> bool {
        self.0.starts_with("{closure@")
    }
}

/// A type that can't be written.
#[derive(Debug)]
pub struct DisplaySourceCodeError;

/// How something is written.
pub trait HirDisplay {
    /// As a program would name it.
    ///
    /// # Errors
    /// If a program can't.
    fn display_source_code<Database>(
        &self,
        db: &Database,
        module: ModuleId,
        allow_opaque: bool,
    ) -> Result<String, DisplaySourceCodeError>;
}

impl HirDisplay for Type {
    fn display_source_code<Database>(
        &self,
        _: &Database,
        _: ModuleId,
        _: bool,
    ) -> Result<String, DisplaySourceCodeError> {
        // `Map<Range<i32>, {closure@…}>` and `{async block@…}` have no name.
        match self.0.contains('@') {
            true => Err(DisplaySourceCodeError),
            false => Ok(self.0.clone()),
        }
    }
}
