//! Work ahead: what the notebook's first cell needs is known before the reader runs it.
//!
//! A kernel starts when its notebook is opened, and then its reader reads. Meanwhile the prelude is run
//! together with the notebook's `:dep` lines, as one cell: cargo looks at all crates whenever they change.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::evcxr::Evcxr;
use super::kernel::{Shared, end_of_cell};
use super::output::Command;
use super::screen::Cell;
use super::side_channel::PRELUDE;
use crate::builds;

/// What there is to do ahead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ahead {
    /// The `:dep` lines, all of them compiled already.
    dependencies: Vec<String>,
}

impl Ahead {
    /// For the notebook of this kernel, as far as it is known: Jupyter's server and `cargo kernel run`
    /// say which it is.
    pub fn of_this_kernel(builds: &Path) -> Self {
        let notebook = std::env::var_os("JPY_SESSION_NAME").map(PathBuf::from);
        notebook
            .and_then(|notebook| Self::read(&notebook, builds))
            .unwrap_or_default()
    }

    /// For a notebook, if it begins with dependencies that are compiled.
    fn read(notebook: &Path, builds: &Path) -> Option<Self> {
        let content: Value = serde_json::from_slice(&fs::read(notebook).ok()?).ok()?;
        let first = content["cells"]
            .as_array()?
            .iter()
            .find(|cell| cell["cell_type"] == "code")?;
        let source = builds::source(first);
        let commands: Vec<&str> = source
            .lines()
            .filter(|line| line.starts_with(':'))
            .collect();
        let warm = fs::read_to_string(builds.join("warm/Cargo.toml")).ok()?;
        let folder = notebook.parent()?;
        // Another crate would be compiled unseen, for minutes perhaps; another command may do anything.
        let known = |line: &&str| {
            let wanted = builds::dependency(line, folder);
            line.starts_with(":dep ") && warm.lines().any(|line| line == wanted)
        };
        if commands.is_empty() || !commands.iter().all(known) {
            return None;
        }
        Some(Self {
            dependencies: commands.into_iter().map(str::to_owned).collect(),
        })
    }

    /// Does it in an evcxr that has just started. What fails is left to the cells.
    pub async fn work(&self, evcxr: &mut Evcxr, shared: &Shared) {
        if self.dependencies.is_empty() {
            return;
        }
        let hidden = Cell {
            hidden: true,
            ..Cell::default()
        };
        shared.tell(Command::Begin(hidden)).await;
        let code = format!("{}\n{PRELUDE}", self.dependencies.join("\n"));
        let content = json!({"code": code, "silent": true, "allow_stdin": false});
        let loaded = evcxr.exchange("execute_request", content, async |_, _| {});
        if let Err(error) = loaded.await {
            eprintln!("nothing could be loaded ahead: {error:#}");
        }
        end_of_cell(shared).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notebook(dir: &Path, first: &str) -> PathBuf {
        let path = dir.join("notebooks/a.ipynb");
        let content = json!({"cells": [
            {"cell_type": "markdown", "source": [":dep none = \"1\""]},
            {"cell_type": "code", "source": first},
            {"cell_type": "code", "source": ":dep later = \"1\""},
        ]});
        fs::write(&path, content.to_string()).unwrap();
        path
    }

    #[test]
    fn only_what_is_compiled_is_loaded_ahead() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        for folder in ["notebooks", "core", "builds/warm"] {
            fs::create_dir_all(root.join(folder)).unwrap();
        }
        let warm = format!(
            "[dependencies]\ncore = {{ path = \"{}/core\" }}\n",
            root.display()
        );
        fs::write(root.join("builds/warm/Cargo.toml"), warm).unwrap();
        let read = |first: &str| Ahead::read(&notebook(&root, first), &root.join("builds"));

        let own = ":dep core = { path = \"../core\" }";
        let ahead = read(&format!("{own}\n\nuse core::x;\nlet y = x();")).unwrap();
        assert_eq!(ahead.dependencies, [own]);
        assert_eq!(read("let y = 1;"), None);
        assert_eq!(read(&format!("{own}\n:dep rand = \"0.9\"")), None);
        assert_eq!(read(&format!("{own}\n:clear")), None);
        assert_eq!(
            Ahead::read(&root.join("none.ipynb"), &root.join("builds")),
            None
        );
    }
}
