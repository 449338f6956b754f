//! `cargo kernel html`: notebooks as pages that can be published.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tempfile::TempDir;

use super::{install, lab, run};
use crate::jupyter;
use crate::layout::Layout;
use crate::program::{self, File, WHOLE};
use crate::python::Environment;

/// The file that is read where no other configuration is named: in the folder where the command was
/// started, never beside a notebook, which may be a stranger's.
const CONFIG: &str = "page.toml";

/// How many letters of a faulty configuration are shown.
const LONGEST: usize = 300;

macro_rules! program {
    ($($name:literal),* $(,)?) => {
        &[$((concat!("page/", $name), include_bytes!(concat!("../../python/page/", $name)))),*]
    };
}

/// The program that makes the pages, with its templates and fonts.
const PROGRAM: &[File] = program!(
    "__init__.py",
    "clean.py",
    "code.py",
    "command.py",
    "compose.py",
    "css.py",
    "drawing.py",
    "fault.py",
    "maths.py",
    "outline.py",
    "output.py",
    "picture.py",
    "playground.py",
    "prose.py",
    "publish.py",
    "source.py",
    "tree.py",
    "typography.py",
    "widgets.py",
    "template/head.html.j2",
    "template/icon.svg",
    "template/overview.html.j2",
    "template/page.css",
    "template/page.html.j2",
    "fonts/math.woff2",
    "fonts/text.woff2",
    "fonts/text-italic.woff2",
);

/// The panel to draw on: the library's, so that a page runs what a cell runs.
const PLAYGROUND: &[File] = &[
    (
        "page/playground/panel.min.js",
        include_bytes!("../../../icvae-core/playground/panel.min.js"),
    ),
    (
        "page/playground/panel.css",
        include_bytes!("../../../icvae-core/playground/panel.css"),
    ),
    (
        "page/playground/dense.wasm",
        include_bytes!("../../../icvae-core/playground/dense.wasm"),
    ),
];

/// Starts the program from the folder that is its first argument.
const START: &str = "import sys; sys.path.insert(0, sys.argv[1]); \
                     from page.command import main; sys.exit(main())";

const SETTINGS: &str = "\
The configuration is a TOML file; every line of it may be left out:
  title       = \"My notebooks\"                 the name of the whole, on the index and above each page
  author      = \"A. N. Author\"
  description = \"What they are about.\"         one sentence, on the index
  language    = \"en\"
  canonical   = \"https://example.org/blog/\"    where the pages will stand
  source      = \"https://example.org/repo/\"    where links to the repository's other files lead
  header      = \"Markdown, above each page\"
  footer      = \"Markdown, below each page\"
HTML in header and footer is let through, so one that lies beside a notebook is read only if it is named
or if the command is started there.

Several notebooks get an index, in the order in which the README.md beside them names them; its picture
of a notebook is the first, or that of the cell with the tag `thumbnail`. The tags hide-input,
hide-output, hide-cell, remove-input, remove-output and remove-cell do what they do in Jupyter Book.";

/// What to publish, and how.
#[derive(Debug, clap::Args)]
#[command(after_help = SETTINGS)]
pub struct Args {
    /// The notebooks
    #[arg(required = true)]
    notebooks: Vec<PathBuf>,
    /// The folder for the pages
    #[arg(long, default_value = "site")]
    output: PathBuf,
    /// Run the notebooks first; the first failing cell ends it
    #[arg(long)]
    execute: bool,
    /// Let HTML and scripts in the notebooks through: only for notebooks whose author you trust
    #[arg(long)]
    trust: bool,
    /// Title, author, address, header and footer [default: page.toml in the current folder]
    #[arg(long)]
    config: Option<PathBuf>,
}

/// What stands on every page.
#[derive(Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// The name of the whole, as the index shows it.
    title: Option<String>,
    author: Option<String>,
    /// A sentence about the whole, for the index.
    description: Option<String>,
    /// The language of the text, such as `en`.
    language: Option<String>,
    /// The address of the folder in which the pages will stand.
    canonical: Option<String>,
    /// The address at which the repository's files can be seen: links to them lead there.
    source: Option<String>,
    /// Markdown above each page.
    header: Option<String>,
    /// Markdown below each page.
    footer: Option<String>,
}

/// A notebook on its way to a page.
#[derive(Debug)]
struct Notebook {
    /// As the reader named it.
    name: PathBuf,
    /// Where it lies: what its links and pictures are relative to.
    path: PathBuf,
    /// The file with its cells and outputs: the notebook itself, or an executed copy.
    content: PathBuf,
}

/// Makes a page of each notebook, and an index of several.
///
/// # Errors
/// If a notebook or the configuration can't be used; a fault inside a notebook, or a cell that
/// fails, makes the exit status 1.
pub fn run(layout: &Layout, arguments: &Args) -> Result<ExitCode> {
    let mut notebooks = notebooks(&arguments.notebooks)?;
    let here = env::current_dir().context("the current folder can't be found")?;
    let config = config(arguments.config.as_deref(), &here)?;
    for file in passed_over(arguments.config.as_deref(), &here, &notebooks) {
        eprintln!(
            "note: {} is not read, since the command was started elsewhere: \
             if it is yours, name it with --config",
            file.display()
        );
    }
    ensure!(
        !arguments.output.is_file(),
        "{} is a file, and --output takes a folder: name another",
        arguments.output.display()
    );
    let program = unpacked()?;
    let maker = Maker {
        layout,
        config,
        program: program.path(),
        trust: arguments.trust,
    };
    if !arguments.execute {
        let environment = install::python_packages(layout)?.environment;
        return maker
            .publish(&environment, &notebooks, Some(&arguments.output))
            .map(status);
    }
    let environment = install::run(layout)?.environment;
    // What can't become a page is better known before a run of many minutes than after it.
    if !maker.publish(&environment, &notebooks, None)? {
        return Ok(ExitCode::FAILURE);
    }
    // Kept: a run of many minutes is not to be lost to a fault in its page.
    let copies = layout.root.join("target/html");
    for notebook in &mut notebooks {
        notebook.content = copies.join(notebook.path.file_name().unwrap_or_default());
        if !run::execute(
            layout,
            &environment,
            &notebook.path,
            &notebook.content,
            run::Exercises::Left,
            &[],
        )? {
            return Ok(ExitCode::FAILURE);
        }
    }
    maker
        .publish(&environment, &notebooks, Some(&arguments.output))
        .map(status)
}

fn status(success: bool) -> ExitCode {
    if success {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Makes pages of notebooks that have been executed elsewhere, each given with its executed copy;
/// `false` if one has a fault.
///
/// # Errors
/// If the pages can't be made or written.
pub fn publish_copies(
    layout: &Layout,
    environment: &Environment,
    executed: &[(PathBuf, PathBuf)],
    output: &Path,
) -> Result<bool> {
    let names: Vec<PathBuf> = executed.iter().map(|(name, _)| name.clone()).collect();
    let mut notebooks = notebooks(&names)?;
    for (notebook, (_, copy)) in notebooks.iter_mut().zip(executed) {
        notebook.content = copy.clone();
    }
    if notebooks.is_empty() {
        return Ok(true);
    }
    let program = unpacked()?;
    let maker = Maker {
        layout,
        config: config(None, &layout.root)?,
        program: program.path(),
        trust: false,
    };
    maker.publish(environment, &notebooks, Some(output))
}

/// The notebooks that exist, each with a page of its own.
fn notebooks(named: &[PathBuf]) -> Result<Vec<Notebook>> {
    let mut notebooks: Vec<Notebook> = Vec::new();
    for name in named {
        let path = lab::absolute(name)?;
        let stem = path.file_stem();
        if let Some(other) = notebooks
            .iter()
            .find(|other| other.path.file_stem() == stem)
        {
            bail!(
                "{} and {} would become the same page: rename one of them",
                other.name.display(),
                name.display()
            );
        }
        if named.len() > 1 && stem.is_some_and(|stem| stem == "index") {
            bail!(
                "{} would become the page of the index: rename it",
                name.display()
            );
        }
        notebooks.push(Notebook {
            name: name.clone(),
            content: path.clone(),
            path,
        });
    }
    Ok(notebooks)
}

/// The configurations beside the notebooks that nobody said to read.
fn passed_over(named: Option<&Path>, here: &Path, notebooks: &[Notebook]) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = notebooks
        .iter()
        .map(|notebook| notebook.path.with_file_name(CONFIG))
        .filter(|file| file.is_file() && fs::canonicalize(file).ok() != chosen(named, here))
        .collect();
    files.sort();
    files.dedup();
    files
}

/// The configuration that is read, if it is there.
fn chosen(named: Option<&Path>, here: &Path) -> Option<PathBuf> {
    fs::canonicalize(named.map_or_else(|| here.join(CONFIG), Path::to_path_buf)).ok()
}

/// The configuration in `named`, else in the folder `here`, else none.
fn config(named: Option<&Path>, here: &Path) -> Result<Config> {
    let own = here.join(CONFIG);
    let file = match named {
        Some(file) => file,
        None if own.is_file() => &own,
        None => return Ok(Config::default()),
    };
    let text = fs::read_to_string(file)
        .with_context(|| format!("the configuration {} can't be read", file.display()))?;
    let config = toml::from_str::<Config>(&text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text[..start].matches('\n').count() + 1;
        anyhow!(
            "{}, line {line}: {}",
            file.display(),
            plain(error.message())
        )
    })?;
    for (name, address) in [("canonical", &config.canonical), ("source", &config.source)] {
        if let Some(address) = address {
            ensure!(
                address.starts_with("https://") || address.starts_with("http://"),
                "{}: `{name}` is {:?}, but it must begin with https:// or http://",
                file.display(),
                plain(address)
            );
        }
    }
    Ok(config)
}

/// What may quote a whole file, as a part of a sentence.
fn plain(text: &str) -> String {
    let mut plain: String = text.chars().take(LONGEST).collect();
    if plain.len() < text.len() {
        plain.push('…');
    }
    plain.replace(char::is_control, " ")
}

/// The program in a folder of its own.
fn unpacked() -> Result<TempDir> {
    program::unpacked(PROGRAM.iter().chain(PLAYGROUND).chain([&WHOLE]))
}

/// Makes pages with one set of settings.
struct Maker<'a> {
    layout: &'a Layout,
    config: Config,
    program: &'a Path,
    trust: bool,
}

impl Maker<'_> {
    /// Writes the pages into `output`; without one, only finds out whether executing the notebooks
    /// could lead to pages. `false` if a notebook has a fault, which was printed then.
    fn publish(
        &self,
        environment: &Environment,
        notebooks: &[Notebook],
        output: Option<&Path>,
    ) -> Result<bool> {
        let orders = json!({
            "notebooks": notebooks
                .iter()
                .map(|notebook| json!({
                    "name": notebook.name, "path": notebook.path, "content": notebook.content,
                }))
                .collect::<Vec<_>>(),
            "output": output.map(std::path::absolute).transpose()?,
            "root": self.layout.root,
            "config": self.config,
            "trust": self.trust,
        });
        let mut command = Command::new(environment.python());
        jupyter::environment(&mut command, self.layout, environment);
        command
            .args(["-c", START])
            .arg(self.program)
            .stdin(Stdio::piped());
        let mut child = command.spawn().context("the page can't be made")?;
        if let Some(mut stdin) = child.stdin.take() {
            // If it ended before it read its orders, its exit status says so.
            let _ = stdin.write_all(orders.to_string().as_bytes());
        }
        Ok(child.wait().context("the page can't be made")?.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cases::cases;
    use proptest::prelude::*;

    const GOOD: &str = r#"title = "Meine \u00dcbersicht"
author = 'A. N. Author'
language = "de" # a word
canonical = "https://example.org/blog/"
source = "https://example.org/repo/"
header = """
Of **all** pages ü"""
"#;

    /// What a file of settings may hold: anything, what TOML is made of, or a good one that was damaged.
    fn settings() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop_oneof![
            4 => "[a-z]{1,9} ?= ?(\"[a-zü\\\\\"]{0,9}\"|'[^']{0,9}'|[0-9:.TZ+-]{1,20}|true|nan)\n",
            2 => "(title|author|canonical|source|header|\"[\\\\a-z0-9]{0,9}\") ?= ?\"\\PC{0,9}\"\n",
            1 => "[=.,\"'\\[\\]{}#\\\\ \r\n\tü]{0,9}",
            1 => "\"([a-z]|\\\\[nrtb\"]|\\\\u008[0-9]){1,9}\" ?= ?1\n",
            1 => (1usize..6_000).prop_map(|times| format!("{} = 1\n", "k".repeat(times))),
            1 => (1usize..6_000).prop_map(|times| format!("source = \"{}\"\n", "k".repeat(times))),
            2 => (1usize..6_000, prop_oneof![
                Just("["), Just("a."), Just("{a="), Just("[["), Just("\""), Just("\n"), Just("ü"),
            ]).prop_map(|(times, text)| text.repeat(times)),
        ];
        let change = (any::<prop::sample::Index>(), any::<u8>());
        prop_oneof![
            prop::collection::vec(any::<u8>(), 0..200),
            prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat().into_bytes()),
            (
                prop::collection::vec(change, 1..6),
                any::<prop::sample::Index>()
            )
                .prop_map(|(changes, cut)| {
                    let mut bytes = GOOD.as_bytes().to_vec();
                    for (at, byte) in changes {
                        let at = at.index(bytes.len());
                        bytes[at] = byte;
                    }
                    bytes.truncate(cut.index(bytes.len() * 4));
                    bytes
                }),
        ]
    }

    proptest! {
        #![proptest_config(cases(500))]

        /// Whatever a configuration holds: it is read, or refused in a sentence with its name.
        #[test]
        fn any_bytes_are_borne(bytes in settings()) {
            let dir = tempfile::tempdir().unwrap();
            fs::write(dir.path().join(CONFIG), bytes).unwrap();
            match config(None, dir.path()) {
                Ok(config) => for address in [config.canonical, config.source].into_iter().flatten() {
                    prop_assert!(address.starts_with("http"));
                }
                Err(error) => {
                    let said = format!("{error:#}");
                    prop_assert!(said.contains(CONFIG), "{said}");
                    prop_assert!(!said.contains(char::is_control), "{said:?}");
                    // The path, and no more of the file than a sentence bears.
                    prop_assert!(said.len() < 1_000, "{} bytes", said.len());
                }
            }
        }
    }

    #[test]
    fn the_good_one_of_them_is_read() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(CONFIG), GOOD).unwrap();
        let config = config(None, dir.path()).unwrap();
        assert_eq!(config.title.as_deref(), Some("Meine Übersicht"));
        assert_eq!(config.header.as_deref(), Some("Of **all** pages ü"));
    }

    fn error<T: std::fmt::Debug>(result: Result<T>) -> String {
        format!("{:#}", result.unwrap_err())
    }

    #[test]
    fn every_file_of_the_program_is_carried_along() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("python");
        let mut found = Vec::new();
        for part in ["page", "page/template", "page/fonts"] {
            for entry in fs::read_dir(folder.join(part)).unwrap() {
                let path = entry.unwrap().path();
                let name = path.strip_prefix(&folder).unwrap().display().to_string();
                // What the fonts are made with isn't needed to make a page.
                let needed = !["page/fonts/make.py", "page/fonts/OFL.txt"].contains(&name.as_str());
                if path.is_file() && needed {
                    found.push(name);
                }
            }
        }
        found.sort();
        let mut carried: Vec<_> = PROGRAM.iter().map(|(name, _)| (*name).to_owned()).collect();
        carried.sort();
        assert_eq!(carried, found);
    }

    #[test]
    fn a_page_belongs_to_one_notebook() {
        let dir = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "{}").unwrap();
            path
        };
        let (a, same, index) = (make("a.ipynb"), make("b/a.ipynb"), make("index.ipynb"));
        assert!(error(notebooks(&[a.clone(), same])).contains("would become the same page"));
        assert!(error(notebooks(&[a.clone(), index.clone()])).contains("the page of the index"));
        assert_eq!(notebooks(&[index]).unwrap().len(), 1);
        assert!(
            error(notebooks(&[dir.path().join("gone.ipynb")])).contains("there is no notebook")
        );
    }

    #[test]
    fn a_configuration_is_found_and_its_faults_are_named() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(config(None, dir.path()).unwrap(), Config::default());

        let file = dir.path().join(CONFIG);
        let with = |text: &str| {
            fs::write(&file, text).unwrap();
            config(None, dir.path())
        };
        assert_eq!(with("title = 'T'").unwrap().title.as_deref(), Some("T"));
        let unknown = error(with("title = 'T'\nanalytics = 'x'"));
        assert!(
            unknown.contains("line 2") && unknown.contains("analytics"),
            "{unknown}"
        );
        assert!(error(with("title = ")).contains("page.toml, line 1"));
        assert!(error(with("source = 'ftp://x'")).contains("must begin with https://"));

        let elsewhere = dir.path().join("gone.toml");
        let missing = error(config(Some(&elsewhere), dir.path()));
        assert!(missing.contains("gone.toml can't be read"), "{missing}");
    }

    #[test]
    fn a_configuration_beside_a_strangers_notebook_is_not_read_but_named() {
        let (here, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, file) = (theirs.path().join("a.ipynb"), theirs.path().join(CONFIG));
        fs::write(&path, "{}").unwrap();
        fs::write(&file, "header = '<script>theirs()</script>'").unwrap();
        let found = notebooks(&[path]).unwrap();
        assert_eq!(config(None, here.path()).unwrap(), Config::default());
        assert_eq!(
            passed_over(None, here.path(), &found),
            std::slice::from_ref(&file)
        );

        // Named, or in the folder where the command was started, it is the author's.
        assert!(passed_over(Some(&file), here.path(), &found).is_empty());
        assert!(passed_over(None, theirs.path(), &found).is_empty());
        let header = config(Some(&file), here.path()).unwrap().header;
        assert!(header.is_some_and(|header| header.contains("theirs")));
    }
}
