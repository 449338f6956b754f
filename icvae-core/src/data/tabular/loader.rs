//! Tables where they can be had, drawn ones where they can't.

use std::path::PathBuf;
use std::time::Duration;

use super::files::cache;
use super::{TableFile, Tabular, TabularSource, Task};
use crate::data::FetchEvent;
use crate::data::fetch::agent;
use crate::settings::DataSource;
use crate::{Error, Result, Settings};

/// How many rows are drawn in place of a table, training and test.
const DRAWN: (usize, usize) = (8_000, 4_000);
/// How many rows are enough to try whether everything runs.
const SMOKE: (usize, usize) = (1_000, 500);

/// Loads the table of a task, and prints a line for each file that must be fetched.
///
/// The files are taken from the folder `ICVAE_TABULAR_DIR`, else from the user's cache folder, else from the network
/// into that folder. Where all of that fails, and where `ICVAE_DATA` is `synthetic`, a table is drawn, and
/// [`Tabular::notice`] tells. `split` chooses the test rows of German credit, which its authors did not choose; Adult
/// has a file of them.
///
/// # Errors
/// If `ICVAE_TABULAR_DIR` is set and its files are missing or wrong, or the device has no memory for the data.
pub fn load(settings: &Settings, task: Task, split: u64) -> Result<Tabular> {
    TabularLoader::default().load(settings, task, split, &mut |progress| {
        if !matches!(progress, FetchEvent::Receiving { received: 1.., .. }) {
            println!("{progress}");
        }
    })
}

/// [`load`] with other files, another cache folder, or another listener.
#[derive(Debug, Clone)]
pub struct TabularLoader {
    /// The files that tasks need, and where to fetch them.
    pub files: Vec<TableFile>,
    /// Where fetched files are kept: `None` keeps them in memory only.
    pub cache: Option<PathBuf>,
    /// How long an address may take to accept a connection.
    pub connect_timeout: Duration,
    /// How long it may send nothing.
    pub stall_timeout: Duration,
}

impl Default for TabularLoader {
    /// UCI's files, and `icvae/tabular` in the user's cache folder.
    fn default() -> Self {
        Self {
            files: TableFile::uci(),
            cache: cache(),
            connect_timeout: Duration::from_secs(8),
            stall_timeout: Duration::from_secs(15),
        }
    }
}

impl TabularLoader {
    /// As [`load`], telling `progress` what comes in.
    ///
    /// # Errors
    /// As [`load`].
    pub fn load(
        &self,
        settings: &Settings,
        task: Task,
        split: u64,
        progress: &mut dyn FnMut(FetchEvent),
    ) -> Result<Tabular> {
        let (train, test) = if settings.smoke { SMOKE } else { DRAWN };
        let table = match (settings.data, &settings.tabular_dir) {
            (DataSource::Synthetic, _) => Tabular::drawn(task, train, test, None)?,
            (DataSource::Mnist, Some(folder)) => {
                let contents = self
                    .needed(task)?
                    .into_iter()
                    .map(|file| {
                        let path = folder.join(&file.name).display().to_string();
                        Ok((path, file.read(folder)?))
                    })
                    .collect::<Result<Vec<_>>>()?;
                let folder = folder.clone();
                Tabular::read(
                    task,
                    &contents,
                    split,
                    TabularSource::Files { folder },
                    None,
                )?
            }
            (DataSource::Mnist, None) => match self.fetched(task, split, progress) {
                Ok(table) => table,
                Err(e @ Error::Interrupted(_)) => return Err(e),
                Err(e) => Tabular::drawn(task, train, test, Some(e.to_string()))?,
            },
        };
        let table = if settings.smoke {
            table.head(train, test)
        } else {
            table
        };
        Ok(table.to_device(settings.device))
    }

    fn needed(&self, task: Task) -> Result<Vec<&TableFile>> {
        let names = task.about().files;
        names
            .iter()
            .map(|name| {
                let file = self.files.iter().find(|file| file.name == *name);
                file.ok_or_else(|| Error::Invalid(format!("the loader's files lack {name}")))
            })
            .collect()
    }

    fn fetched(
        &self,
        task: Task,
        split: u64,
        progress: &mut dyn FnMut(FetchEvent),
    ) -> Result<Tabular> {
        let agent = agent(self.connect_timeout, self.stall_timeout);
        let mut contents = Vec::new();
        let mut not_kept = None;
        for file in self.needed(task)? {
            let (content, problem) = file.fetch(&agent, self.cache.as_deref(), progress)?;
            not_kept = not_kept.or(problem);
            contents.push((file.name.clone(), content));
        }
        let remark = not_kept.and_then(|why| {
            let folder = self.cache.as_ref()?.display();
            Some(format!(
                "{} was fetched but could not be kept in {folder} ({why}), so it will be fetched again next time.",
                task.about().name
            ))
        });
        let source = match (&self.cache, &remark) {
            (Some(folder), None) => TabularSource::Files {
                folder: folder.clone(),
            },
            _ => TabularSource::Fetched,
        };
        Tabular::read(task, &contents, split, source, remark)
    }
}
