//! The Python pins, read from `environment.yml`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use saphyr::{LoadableYamlNode, Yaml};

/// A Python package at an exact version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The package's name, as written.
    pub name: String,
    /// The exact version.
    pub version: String,
}

impl Pin {
    /// The requirement in pip's notation.
    pub fn requirement(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }
}

/// What `environment.yml` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pins {
    /// The oldest Python that will do: major, minor.
    pub python: (u32, u32),
    /// The packages that pip installs.
    pub packages: Vec<Pin>,
}

impl Pins {
    /// Reads the file.
    ///
    /// # Errors
    /// If it can't be read, isn't YAML, or pins a package otherwise than by `==`.
    pub fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("{} can't be read", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not usable", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let documents = Yaml::load_from_str(text).context("it is not valid YAML")?;
        let dependencies = documents
            .first()
            .and_then(|root| root.as_mapping_get("dependencies"))
            .and_then(Yaml::as_sequence)
            .context("it has no list `dependencies`")?;
        let python = dependencies
            .iter()
            .filter_map(Yaml::as_str)
            .find_map(|line| line.strip_prefix("python>="))
            .and_then(parse_version)
            .context("it has no line `python>=X.Y`")?;
        let packages = dependencies
            .iter()
            .filter_map(|entry| entry.as_mapping_get("pip"))
            .filter_map(Yaml::as_sequence)
            .flatten()
            .map(|entry| parse_pin(entry.as_str().unwrap_or_default()))
            .collect::<Result<Vec<_>>>()?;
        ensure!(!packages.is_empty(), "it has no list `pip`");
        Ok(Self { python, packages })
    }
}

/// `3.11` or `3.11.7` as (3, 11).
pub fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn parse_pin(line: &str) -> Result<Pin> {
    match line.split_once("==") {
        Some((name, version)) if !name.is_empty() && !version.is_empty() => Ok(Pin {
            name: name.trim().to_owned(),
            version: version.trim().to_owned(),
        }),
        _ => bail!("{line:?} is not an exact pin: write name==version"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::TORCH_VERSION;

    #[test]
    fn the_file_of_the_repository_pins_torch() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../environment.yml");
        let pins = Pins::read(&path).unwrap();
        assert_eq!(pins.python, (3, 11));
        let torch = pins
            .packages
            .iter()
            .find(|pin| pin.name == "torch")
            .unwrap();
        assert_eq!(torch.version, TORCH_VERSION);
    }

    #[test]
    fn unusable_files_say_what_is_wrong() {
        for (text, fault) in [
            ("dependencies: [", "not valid YAML"),
            ("name: x", "no list `dependencies`"),
            (
                "dependencies:\n  - pip:\n    - a==1",
                "no line `python>=X.Y`",
            ),
            (
                "dependencies:\n  - python>=3.10\n  - pip:\n    - a>=1",
                "not an exact pin",
            ),
            ("dependencies:\n  - python>=3.10", "no list `pip`"),
        ] {
            let error = format!("{:#}", Pins::parse(text).unwrap_err());
            assert!(error.contains(fault), "{error}");
        }
    }
}
