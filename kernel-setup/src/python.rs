//! The Python side: finding an interpreter, choosing and filling an environment.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::layout::Layout;
use crate::lock::{self, Locks, Part};
use crate::pins::{Pin, Pins, parse_version};
use crate::process;

/// A Python environment: a virtual or conda environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// Its folder.
    pub prefix: PathBuf,
}

impl Environment {
    /// Its interpreter.
    pub fn python(&self) -> PathBuf {
        self.prefix.join("bin/python")
    }

    /// A program that a package brought.
    pub fn program(&self, name: &str) -> PathBuf {
        self.prefix.join("bin").join(name)
    }

    /// The folder of installed packages; `None` where the environment is missing or broken.
    pub fn site_packages(&self) -> Option<PathBuf> {
        let version =
            |dir: &Path| parse_version(dir.file_name()?.to_str()?.strip_prefix("python")?);
        fs::read_dir(self.prefix.join("lib"))
            .ok()?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|dir| dir.join("site-packages").is_dir())
            .max_by_key(|dir| version(dir))
            .map(|dir| dir.join("site-packages"))
    }

    /// The version of an installed package, without a local part such as `+cpu`.
    ///
    /// It is read from the names of the packages' metadata folders: asking Python takes too long
    /// for a check made at every start. A folder without `INSTALLER`, the last file that pip
    /// writes, is an installation that was cut off.
    pub fn version_of(&self, package: &str) -> Option<String> {
        let wanted = normalised(package);
        fs::read_dir(self.site_packages()?).ok()?.find_map(|entry| {
            let path = entry.ok()?.path();
            let (name, version) = path
                .file_name()?
                .to_str()?
                .strip_suffix(".dist-info")?
                .split_once('-')?;
            let found = normalised(name) == wanted && path.join("INSTALLER").is_file();
            found.then(|| version.split('+').next().unwrap_or(version).to_owned())
        })
    }

    /// The pins that aren't met, in their order.
    pub fn unmet<'a>(&self, pins: impl IntoIterator<Item = &'a Pin>) -> Vec<&'a Pin> {
        let met = |pin: &Pin| self.version_of(&pin.name).as_deref() == Some(&pin.version);
        pins.into_iter().filter(|pin| !met(pin)).collect()
    }

    /// A pip command, to be given its arguments.
    pub fn pip(&self) -> Command {
        let mut command = Command::new(self.python());
        command.args(["-m", "pip", "--disable-pip-version-check", "--no-input"]);
        command
    }
}

/// A package's name in the form in which names are compared.
fn normalised(name: &str) -> String {
    name.to_lowercase().replace(['-', '.'], "_")
}

/// The environment to use: the active one where it meets every pin, else the repository's own.
///
/// The second value says why an active one was passed over.
pub fn choose(
    layout: &Layout,
    pins: &Pins,
    var: impl Fn(&str) -> Option<PathBuf>,
) -> (Environment, Option<String>) {
    let own = Environment {
        prefix: layout.env(),
    };
    let mut passed_over = None;
    for name in ["VIRTUAL_ENV", "CONDA_PREFIX"] {
        let Some(prefix) = var(name).filter(|prefix| *prefix != own.prefix) else {
            continue;
        };
        let active = Environment { prefix };
        let unmet = active.unmet(&pins.packages);
        if unmet.is_empty() {
            return (active, None);
        }
        let missing: Vec<_> = unmet.iter().map(|pin| pin.requirement()).collect();
        passed_over.get_or_insert(format!(
            "the active environment {} isn't used: it lacks {}",
            active.prefix.display(),
            missing.join(", ")
        ));
    }
    (own, passed_over)
}

/// The value of one of this process's variables that name folders.
pub fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}

/// The first interpreter of the search path that is new enough, with its version.
///
/// # Errors
/// If there is none: what was found instead, and what to do.
pub fn interpreter(layout: &Layout, oldest: (u32, u32)) -> Result<(PathBuf, (u32, u32))> {
    let mut seen = Vec::new();
    for name in [
        "python3",
        "python",
        "python3.13",
        "python3.12",
        "python3.11",
    ] {
        let Some(path) = layout.program(name) else {
            continue;
        };
        match version(&path) {
            Ok(version) if version >= oldest => return Ok((path, version)),
            Ok((major, minor)) => seen.push(format!("{} is {major}.{minor}", path.display())),
            Err(_) => seen.push(format!("{} doesn't run", path.display())),
        }
    }
    let (major, minor) = oldest;
    let found = match seen.is_empty() {
        true => "no Python was found".to_owned(),
        false => seen.join("; "),
    };
    bail!(
        "{found}: install Python {major}.{minor} or newer, or activate an environment that has it"
    )
}

fn version(python: &Path) -> Result<(u32, u32)> {
    let script = "import sys; print('%d.%d' % sys.version_info[:2])";
    let text = process::output(
        Command::new(python).args(["-c", script]),
        Duration::from_secs(20),
    )?;
    parse_version(&text).with_context(|| format!("{text:?} is not a version"))
}

/// Whether the environment is there and can install packages.
pub fn usable(environment: &Environment) -> bool {
    environment.python().exists() && environment.version_of("pip").is_some()
}

/// Makes the repository's own environment.
///
/// # Errors
/// If no interpreter is new enough, or it lacks the `venv` module (as Debian's does at first).
pub fn create(
    layout: &Layout,
    environment: &Environment,
    pins: &Pins,
    log: &Path,
    cancel: &AtomicBool,
) -> Result<()> {
    let (python, _) = interpreter(layout, pins.python)?;
    let mut command = Command::new(&python);
    command
        .args(["-m", "venv", "--clear"])
        .arg(&environment.prefix);
    process::logged(&mut command, "Python environment", log, cancel).with_context(|| {
        format!(
            "{} can't make an environment: on Debian or Ubuntu run `apt install python3-venv`",
            python.display()
        )
    })
}

/// Installs what the lock of the notebooks' packages says, as far as it isn't there.
///
/// # Errors
/// If pip fails.
pub fn install(
    environment: &Environment,
    locks: &Locks,
    log: &Path,
    cancel: &AtomicBool,
) -> Result<()> {
    let mut command = environment.pip();
    command
        .arg("install")
        .args(lock::arguments(&locks.path(Part::Notebook)));
    process::logged(&mut command, "Python packages", log, cancel)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(dir: &Path, packages: &[&str]) -> Environment {
        let site = dir.join("lib/python3.11/site-packages");
        for package in packages {
            let info = site.join(format!("{package}.dist-info"));
            fs::create_dir_all(&info).unwrap();
            fs::write(info.join("INSTALLER"), "pip").unwrap();
        }
        Environment {
            prefix: dir.to_owned(),
        }
    }

    fn pins() -> Pins {
        let pin = |name: &str, version: &str| Pin {
            name: name.into(),
            version: version.into(),
        };
        Pins {
            python: (3, 10),
            packages: vec![pin("torch", "2.13.0"), pin("jupyter-client", "8.10.0")],
        }
    }

    #[test]
    fn names_and_local_versions_are_compared_as_pip_does() {
        let dir = tempfile::tempdir().unwrap();
        let here = environment(dir.path(), &["torch-2.13.0+cpu", "jupyter_client-8.10.0"]);
        assert!(here.unmet(&pins().packages).is_empty());
    }

    #[test]
    fn a_package_cut_off_while_it_was_installed_is_unmet() {
        let dir = tempfile::tempdir().unwrap();
        let here = environment(dir.path(), &["torch-2.13.0", "jupyter_client-8.10.0"]);
        fs::remove_file(
            dir.path()
                .join("lib/python3.11/site-packages/torch-2.13.0.dist-info/INSTALLER"),
        )
        .unwrap();
        assert_eq!(here.unmet(&pins().packages)[0].name, "torch");
    }

    #[test]
    fn an_active_environment_is_used_only_if_it_meets_the_pins() {
        let dir = tempfile::tempdir().unwrap();
        let layout = Layout {
            root: dir.path().join("repo"),
            cache: dir.path().join("cache"),
            search: "".into(),
        };
        let good = environment(
            &dir.path().join("good"),
            &["torch-2.13.0", "jupyter_client-8.10.0"],
        );
        let old = environment(
            &dir.path().join("old"),
            &["torch-2.12.0", "jupyter_client-8.10.0"],
        );

        let conda = |name: &str| (name == "CONDA_PREFIX").then(|| good.prefix.clone());
        assert_eq!(choose(&layout, &pins(), conda), (good.clone(), None));

        let venv = |name: &str| (name == "VIRTUAL_ENV").then(|| old.prefix.clone());
        let (chosen, why) = choose(&layout, &pins(), venv);
        assert_eq!(chosen.prefix, layout.env());
        assert!(why.unwrap().contains("lacks torch==2.13.0"));
    }
}
