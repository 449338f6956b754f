//! The `ICVAE_` environment variables, read and checked in one place.

use std::path::PathBuf;

use tch::Device;

use crate::{Error, Result};

/// What the environment asks for.
///
/// | variable | meaning |
/// |---|---|
/// | `ICVAE_DATA` | `mnist` (default) or `synthetic` |
/// | `ICVAE_MNIST_DIR` | a folder that holds the four IDX files, gzipped or not |
/// | `ICVAE_TABULAR_DIR` | a folder that holds UCI's tables, gzipped or not |
/// | `ICVAE_SMOKE` | `1`: a few training steps on a slice of the data, for tests |
/// | `ICVAE_DEVICE` | `cpu`, `cuda`, `cuda:N`; default: CUDA where there is one |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Which digits to load.
    pub data: DataSource,
    /// Where to look for MNIST first.
    pub mnist_dir: Option<PathBuf>,
    /// Where to look for tables first.
    pub tabular_dir: Option<PathBuf>,
    /// Whether this is a quick trial run.
    pub smoke: bool,
    /// Where tensors live.
    pub device: Device,
}

/// The value of `ICVAE_DATA`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataSource {
    /// MNIST where it can be had, synthetic digits (with a word about it) where it can't.
    Mnist,
    /// Digits drawn by this crate.
    Synthetic,
}

impl Settings {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self> {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// How many epochs to train: as many as given, but a single one in a trial run.
    ///
    /// ```
    /// use icvae_core::Settings;
    ///
    /// let trial = Settings { smoke: true, ..Settings::from_env().unwrap() };
    /// assert_eq!(trial.epochs(100), 1);
    /// assert_eq!(Settings { smoke: false, ..trial }.epochs(100), 100);
    /// ```
    pub fn epochs(&self, full: usize) -> usize {
        self.full_or_trial(full, full.min(1))
    }

    /// The first of two values, or in a trial run the second.
    ///
    /// ```
    /// use icvae_core::Settings;
    ///
    /// let settings = Settings { smoke: false, ..Settings::from_env().unwrap() };
    /// let points = settings.full_or_trial(3000, 200);
    /// assert_eq!(points, 3000);
    /// ```
    pub fn full_or_trial<T>(&self, full: T, trial: T) -> T {
        if self.smoke { trial } else { full }
    }

    /// Reads any environment: `lookup` returns a variable's value.
    ///
    /// # Errors
    /// One sentence that names the variable and the values it may take.
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let get = |name| lookup(name).filter(|value| !value.is_empty());
        let data = match get("ICVAE_DATA").as_deref() {
            None | Some("mnist") => DataSource::Mnist,
            Some("synthetic") => DataSource::Synthetic,
            Some(other) => return Err(unknown("ICVAE_DATA", other, "mnist or synthetic")),
        };
        let smoke = match get("ICVAE_SMOKE").as_deref() {
            None | Some("0") => false,
            Some("1") => true,
            Some(other) => return Err(unknown("ICVAE_SMOKE", other, "0 or 1")),
        };
        let device = match get("ICVAE_DEVICE") {
            None => crate::device::best(),
            Some(name) => crate::device::by_name(&name)?,
        };
        Ok(Self {
            data,
            mnist_dir: get("ICVAE_MNIST_DIR").map(PathBuf::from),
            tabular_dir: get("ICVAE_TABULAR_DIR").map(PathBuf::from),
            smoke,
            device,
        })
    }
}

fn unknown(variable: &str, value: &str, allowed: &str) -> Error {
    Error::Invalid(format!("{variable} is {value:?}, but must be {allowed}"))
}
