//! The digits that a notebook works with: MNIST where it can be had, drawn ones where it can't.

use std::fmt;
use std::path::PathBuf;

use super::synthetic::{self, Style};
use super::{Archive, Dataset, FetchEvent};
use crate::files::cache_folder;
use crate::settings::DataSource;
use crate::{Error, Result, Settings};

/// How many digits MNIST has, and so how many are drawn in its place: training, test.
const COUNTS: (usize, usize) = (60_000, 10_000);
/// How many are enough to try whether everything runs.
const SMOKE_COUNTS: (usize, usize) = (2_000, 500);

/// Training and test digits, and where they are from. As text: source, counts and shapes.
#[derive(Debug)]
pub struct Digits {
    /// To train on.
    pub train: Dataset,
    /// To judge by.
    pub test: Dataset,
    /// Where both are from.
    pub source: Source,
    /// How each synthetic digit was drawn; `None` for MNIST.
    pub styles: Option<Styles>,
    remark: Option<String>,
}

/// Where digits are from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Files in a folder.
    Mnist {
        /// The folder.
        folder: PathBuf,
    },
    /// MNIST, just fetched, that could not be kept anywhere.
    Fetched,
    /// Drawn by this crate.
    Synthetic {
        /// Why MNIST could not be had; `None` if synthetic digits were asked for.
        because: Option<String>,
    },
}

/// How the digits of two data sets were drawn, in their order.
#[derive(Debug, Clone)]
pub struct Styles {
    /// Of the training digits.
    pub train: Vec<Style>,
    /// Of the test digits.
    pub test: Vec<Style>,
}

/// Loads the digits that the settings ask for, and prints a line for each file that must be
/// fetched.
///
/// MNIST is taken from the folder `ICVAE_MNIST_DIR`, else from the user's cache folder, else from
/// the network into that folder. Where all of that fails, and where `ICVAE_DATA` says so, digits
/// are drawn, and [`Digits::notice`] tells.
///
/// # Errors
/// If `ICVAE_MNIST_DIR` is set and its files are missing or wrong, or the device has no memory for
/// the data.
pub fn load(settings: &Settings) -> Result<Digits> {
    Loader::default().load(settings, &mut |progress| {
        if !matches!(progress, FetchEvent::Receiving { received: 1.., .. }) {
            println!("{progress}");
        }
    })
}

/// [`load`] with another archive, another cache folder, or another listener.
#[derive(Debug, Clone)]
pub struct Loader {
    /// What to look for, and where to fetch it.
    pub archive: Archive,
    /// Where fetched files are kept: `None` keeps them in memory only.
    pub cache: Option<PathBuf>,
}

impl Default for Loader {
    /// MNIST, and `icvae/mnist` in the user's cache folder.
    fn default() -> Self {
        Self {
            archive: Archive::mnist(),
            cache: cache_folder().ok().map(|folder| folder.join("mnist")),
        }
    }
}

impl Loader {
    /// As [`load`], telling `progress` what comes in.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(
        &self,
        settings: &Settings,
        progress: &mut dyn FnMut(FetchEvent),
    ) -> Result<Digits> {
        let (most_train, most_test) = if settings.smoke { SMOKE_COUNTS } else { COUNTS };
        let digits = match (settings.data, &settings.mnist_dir) {
            (DataSource::Synthetic, _) => Digits::synthetic(most_train, most_test, None)?,
            (DataSource::Mnist, Some(folder)) => self.read_folder(folder.clone())?,
            (DataSource::Mnist, None) => {
                match self.archive.fetch(self.cache.as_deref(), progress) {
                    Ok(fetched) => self.assemble(fetched)?,
                    Err(e @ Error::Interrupted(_)) => return Err(e),
                    Err(e) => Digits::synthetic(most_train, most_test, Some(e.to_string()))?,
                }
            }
        };
        let digits = if settings.smoke {
            digits.head(most_train, most_test)
        } else {
            digits
        };
        Ok(Digits {
            train: digits.train.to_device(settings.device),
            test: digits.test.to_device(settings.device),
            ..digits
        })
    }

    fn read_folder(&self, folder: PathBuf) -> Result<Digits> {
        let contents = self.archive.read(&folder)?;
        let remark = (!self.archive.is_genuine(&contents)).then(|| {
            format!(
                "The files in {} are not those of the original MNIST (their checksums differ), \
                 so figures do not compare with published ones.",
                folder.display()
            )
        });
        let (train, test) = self.archive.decode(contents, &folder)?;
        Ok(Digits {
            train,
            test,
            source: Source::Mnist { folder },
            styles: None,
            remark,
        })
    }

    fn assemble(&self, fetched: super::Fetched) -> Result<Digits> {
        let folder = self.cache.clone().unwrap_or_default();
        let (train, test) = self.archive.decode(fetched.contents, &folder)?;
        let remark = fetched.not_kept.map(|why| {
            format!(
                "MNIST was fetched but could not be kept in {} ({why}), so it will be fetched \
                 again next time.",
                folder.display()
            )
        });
        let source = match (&self.cache, &remark) {
            (Some(_), None) => Source::Mnist { folder },
            _ => Source::Fetched,
        };
        Ok(Digits {
            train,
            test,
            source,
            styles: None,
            remark,
        })
    }
}

impl Digits {
    /// Draws `train` and `test` digits, `because` MNIST could not be had or because they are
    /// wanted.
    ///
    /// # Errors
    /// If there is no memory for them.
    pub fn synthetic(train: usize, test: usize, because: Option<String>) -> Result<Self> {
        let (train, train_styles) = synthetic::draw(train, 0)?;
        let (test, test_styles) = synthetic::draw(test, 1)?;
        let remark = because.as_ref().map(|why| {
            format!(
                "Synthetic digits stand in for MNIST, because {why}; point ICVAE_MNIST_DIR at a \
                 folder with the four MNIST files to use them."
            )
        });
        Ok(Self {
            train,
            test,
            source: Source::Synthetic { because },
            styles: Some(Styles {
                train: train_styles,
                test: test_styles,
            }),
            remark,
        })
    }

    /// Only the digits of some classes: `digits.of_classes(0..5)?` leaves 0 to 4. A model still has a place for
    /// all ten.
    ///
    /// # Errors
    /// If there is no such class.
    pub fn of_classes(&self, classes: impl IntoIterator<Item = i64>) -> Result<Self> {
        let classes: Vec<i64> = classes.into_iter().collect();
        let styles_of = |data: &Dataset, styles: &[Style]| -> Result<Vec<Style>> {
            let labels = Vec::<i64>::try_from(data.labels().to_device(tch::Device::Cpu))?;
            let both = labels.iter().zip(styles);
            Ok(both
                .filter(|(label, _)| classes.contains(label))
                .map(|(_, style)| *style)
                .collect())
        };
        let styles = match &self.styles {
            Some(styles) => Some(Styles {
                train: styles_of(&self.train, &styles.train)?,
                test: styles_of(&self.test, &styles.test)?,
            }),
            None => None,
        };
        Ok(Self {
            train: self.train.of_classes(classes.iter().copied())?,
            test: self.test.of_classes(classes.iter().copied())?,
            source: self.source.clone(),
            styles,
            remark: self.remark.clone(),
        })
    }

    /// The sentence that a reader must see: what stands in for MNIST and why, or what else is
    /// unusual.
    pub fn notice(&self) -> Option<String> {
        self.remark.clone()
    }

    fn head(mut self, train: usize, test: usize) -> Self {
        self.train = self.train.head(train);
        self.test = self.test.head(test);
        if let Some(styles) = &mut self.styles {
            styles.train.truncate(train);
            styles.test.truncate(test);
        }
        self
    }
}

impl fmt::Display for Digits {
    /// What was loaded, and on a line of its own the [notice](Digits::notice) where there is one.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match &self.source {
            // A notebook that is passed on should not tell where its author keeps files.
            Source::Mnist { .. } | Source::Fetched => write!(f, "MNIST")?,
            Source::Synthetic { .. } => write!(f, "Synthetic digits")?,
        }
        let (rows, columns) = self.train.image_shape();
        write!(
            f,
            ": {} training and {} test images of {rows}×{columns} pixels, {} classes, on {:?}",
            self.train.len(),
            self.test.len(),
            self.train.classes(),
            self.train.device()
        )?;
        match self.notice() {
            Some(notice) => write!(f, "\n{notice}"),
            None => Ok(()),
        }
    }
}
