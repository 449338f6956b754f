//! Trained weights, found again by the settings they belong to.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest, Sha256};

use super::checkpoint::Head;
use super::rehearsal::Formula;
use super::{Checkpoint, OptimizerConfig, RunState, TrainConfig};
use crate::files::{cache_folder, hex, remove_partial, write_whole};
use crate::{Error, Result};

/// A folder of checkpoints, each under a name made from everything that decides its weights: the
/// model's settings, the training's, and the data's fingerprint.
///
/// A changed number therefore finds nothing and trains anew. Only the number of epochs is left out of the
/// name: a longer run goes on where a shorter one of the same settings ended.
///
/// A formula can change without any setting. So the loss, its terms and the norms of its gradients on the first
/// batch, at the first weights, are kept beside the checkpoints: where they differ by more than a thousandth, the
/// run begins anew in a folder of its own, and both are found again later.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
}

impl Store {
    /// A store in a folder, which is made when something is saved.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self {
            folder: folder.into(),
        }
    }

    /// The store in the user's cache folder: `$XDG_CACHE_HOME/icvae/models`, else
    /// `~/.cache/icvae/models`.
    ///
    /// # Errors
    /// If neither variable says where that is.
    pub fn in_cache() -> Result<Self> {
        Ok(Self::new(cache_folder()?.join("models")))
    }

    /// Where the store is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What decides a run's weights, but for the number of its epochs and the loss's formula.
    pub(super) fn identity(
        model: &Value,
        training: &TrainConfig,
        data: &str,
        first_weights: Option<String>,
    ) -> Value {
        let mut identity = serde_json::json!({
            "model": model,
            "training": {
                "batch_size": training.batch_size,
                "seed": training.seed,
            },
            "data": data,
        });
        let about = &mut identity["training"];
        match &training.optimizer {
            OptimizerConfig::Adam(adam) => {
                about["adam"] = serde_json::json!(adam);
                about["adam"]["learning_rate"] = training.learning_rate.into();
            }
            other => {
                about["optimizer"] = serde_json::json!(other);
                about["learning_rate"] = training.learning_rate.into();
            }
        }
        if !training.schedule.is_constant() {
            about["schedule"] = serde_json::json!(training.schedule);
        }
        if let Some(weights) = first_weights {
            identity["first_weights"] = weights.into();
        }
        identity
    }

    /// The place of the runs with these settings and this formula; and, where it is a new one beside runs of
    /// another formula, a sentence about that.
    pub(super) fn place(&self, identity: Value, formula: Formula) -> (RunFolder, Option<String>) {
        let digest = hex(&Sha256::digest(identity.to_string().as_bytes())[..8]);
        let mut other = None;
        for number in 1.. {
            let name = match number {
                1 => digest.clone(),
                _ => format!("{digest}-{number}"),
            };
            let folder = self.folder.join(name);
            let known = std::fs::read(folder.join(FORMULA)).ok();
            let known = known.and_then(|text| serde_json::from_slice::<Formula>(&text).ok());
            let difference = match &known {
                Some(known) => formula.differs_from(known),
                // Weights that nothing confirms stay where they are, unused.
                None if checkpoints(&folder).is_empty() => None,
                None => Some("nothing beside the earlier weights confirms it".into()),
            };
            match difference {
                Some(difference) => other = Some(difference),
                None => {
                    let place = RunFolder {
                        known: known.is_some(),
                        folder,
                        identity,
                        formula,
                    };
                    let sentence = other.filter(|_| !place.known).map(|difference| {
                        format!(
                            "these settings have been trained before, but the loss is another one ({difference}, \
                             on the first batch with the first weights): training began anew, and the earlier \
                             weights are kept"
                        )
                    });
                    return (place, sentence);
                }
            }
        }
        unreachable!("there is always a folder that does not exist yet")
    }
}

/// The file with the values that a loss is recognised by.
const FORMULA: &str = "formula.json";

/// Where the runs of one identity and one formula are kept.
#[derive(Debug)]
pub(super) struct RunFolder {
    folder: PathBuf,
    pub(super) identity: Value,
    formula: Formula,
    known: bool,
}

impl RunFolder {
    /// The file of a run after `epochs` epochs.
    pub(super) fn after(&self, epochs: usize) -> PathBuf {
        self.folder.join(format!("epoch-{epochs:04}.safetensors"))
    }

    /// The file of a run of so many epochs wherever it was cut off. A longer run has another one, so neither
    /// overwrites the other.
    pub(super) fn cut_off(&self, epochs: usize) -> PathBuf {
        self.folder.join(format!("cut-off-{epochs:04}.safetensors"))
    }

    /// Writes down by what the formula is recognised, before the first checkpoint.
    ///
    /// # Errors
    /// If it can't be written.
    pub(super) fn remember_formula(&mut self) -> Result<()> {
        if !self.known {
            let path = self.folder.join(FORMULA);
            let io = |source| Error::Io {
                path: path.clone(),
                source,
            };
            let text = serde_json::to_vec_pretty(&self.formula).map_err(|e| io(e.into()))?;
            write_whole(&path, &text).map_err(io)?;
            self.known = true;
        }
        Ok(())
    }

    /// Keeps every other process from training the same run, until the value is dropped or the process ends.
    ///
    /// `None` where nothing can be written: then nothing can be overwritten either.
    ///
    /// # Errors
    /// If another process, or another thread, is training it.
    pub(super) fn lock(&self) -> Result<Option<File>> {
        let open = || {
            std::fs::create_dir_all(&self.folder)?;
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(self.folder.join("lock"))
        };
        let Ok(mut file) = open() else {
            return Ok(None);
        };
        match file.try_lock() {
            Ok(()) => {
                remove_partial(&self.folder);
                let id = std::process::id().to_string();
                let _ = file.set_len(0).and_then(|()| file.write_all(id.as_bytes()));
                Ok(Some(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut id = String::new();
                let _ = file.rewind().and_then(|()| file.read_to_string(&mut id));
                Err(Error::Invalid(format!(
                    "the same run is being trained right now, by process {id}: wait until it is done, or \
                     interrupt it there, and run this again"
                )))
            }
            // A file system without locks.
            Err(TryLockError::Error(_)) => Ok(None),
        }
    }

    /// The checkpoint to go on from: the most advanced one that `fits`, which is asked about every state there
    /// is.
    ///
    /// A file that can't be read is passed over, with a sentence for the reader.
    pub(super) fn find(
        &self,
        fits: impl Fn(&RunState) -> bool,
    ) -> (Option<Checkpoint>, Vec<String>) {
        let (mut found, mut remarks) = (Vec::new(), Vec::new());
        for path in checkpoints(&self.folder) {
            match Head::of(&path) {
                Err(error) => remarks.push(format!("passed over: {error}")),
                Ok(head) if head.settings != self.identity => {
                    remarks.push(format!("passed over: {} is of another run", path.display()));
                }
                Ok(head) if fits(&head.state) => {
                    let ended = head.state.ended.is_some();
                    found.push(((head.state.steps_done, ended), path));
                }
                Ok(_) => {}
            }
        }
        found.sort();
        while let Some((_, path)) = found.pop() {
            match Checkpoint::read(&path) {
                Ok(checkpoint) => return (Some(checkpoint), remarks),
                Err(error) => remarks.push(format!("passed over: {error}")),
            }
        }
        (None, remarks)
    }
}

fn checkpoints(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
        .collect();
    paths.sort();
    paths
}
