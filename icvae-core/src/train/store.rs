//! Trained weights, found again by the settings they belong to.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::{Checkpoint, TrainConfig};
use crate::{Error, Result};

/// A folder of checkpoints, each under a name made from everything that decides its weights: the
/// model's settings, the training's, and the data's fingerprint.
///
/// A changed number therefore finds nothing and trains anew. Only the number of epochs is left out of the
/// name: a longer run goes on where a shorter one of the same settings ended.
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

    /// What decides a run's weights, but for the number of its epochs.
    pub(super) fn identity(
        model: &serde_json::Value,
        training: &TrainConfig,
        data: &str,
    ) -> serde_json::Value {
        let mut identity = serde_json::json!({
            "model": model,
            "training": {
                "batch_size": training.batch_size,
                "adam": training.adam,
                "seed": training.seed,
            },
            "data": data,
        });
        // A constant rate stands in Adam's own settings already.
        if !training.schedule.is_constant() {
            identity["training"]["schedule"] = serde_json::json!(training.schedule);
        }
        identity
    }

    /// The files of an identity, after `epochs` epochs or (`None`) wherever the run was cut off.
    pub(super) fn path(&self, identity: &serde_json::Value, epochs: Option<usize>) -> PathBuf {
        let digest = Sha256::digest(identity.to_string().as_bytes());
        let name: String = digest
            .iter()
            .take(8)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let file = match epochs {
            Some(epochs) => format!("epoch-{epochs:04}.safetensors"),
            None => "cut-off.safetensors".to_owned(),
        };
        self.folder.join(name).join(file)
    }

    /// Removes what a cut-off run left, once the run is complete.
    pub(super) fn remove_cut_off(&self, identity: &serde_json::Value) {
        let path = self.path(identity, None);
        for path in [path.with_extension("json"), path] {
            // A file that stays does no harm: the complete run is found first.
            let _ = std::fs::remove_file(path);
        }
    }

    /// The checkpoint of an identity that is nearest to `epochs` without being past it.
    ///
    /// A file that can't be read is passed over, with a sentence for the reader.
    pub(super) fn find(
        &self,
        identity: &serde_json::Value,
        epochs: usize,
    ) -> (Option<Checkpoint>, Vec<String>) {
        let (mut best, mut remarks) = (None::<Checkpoint>, Vec::new());
        let folder = self.path(identity, None);
        let Some(entries) = folder.parent().and_then(|f| std::fs::read_dir(f).ok()) else {
            return (best, remarks);
        };
        let mut paths: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "safetensors"))
            .collect();
        // Where the very run is, no other has to be read.
        let exact = self.path(identity, Some(epochs));
        paths.sort_by_key(|path| (*path != exact, path.clone()));
        for path in paths {
            match Checkpoint::read(&path) {
                Err(error) => remarks.push(format!("passed over: {error}")),
                Ok(found) if found.settings() != identity => {
                    remarks.push(format!("passed over: {} is of another run", path.display()));
                }
                Ok(found) => {
                    let steps = |c: &Checkpoint| c.progress().steps_done;
                    let fits = found.progress().epochs_done < epochs
                        || (found.progress().epochs_done == epochs
                            && found.progress().partial_examples == 0.0);
                    if fits && best.as_ref().is_none_or(|b| steps(b) < steps(&found)) {
                        let last = found.progress().epochs_done == epochs;
                        best = Some(found);
                        if last {
                            break;
                        }
                    }
                }
            }
        }
        (best, remarks)
    }
}

/// `$XDG_CACHE_HOME/icvae`, else `~/.cache/icvae`.
pub(super) fn cache_folder() -> Result<PathBuf> {
    let from = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    from("XDG_CACHE_HOME")
        .or_else(|| from("HOME").map(|home| home.join(".cache")))
        .map(|cache| cache.join("icvae"))
        .ok_or_else(|| {
            Error::Invalid(
                "there is no cache folder to keep anything in: set HOME or XDG_CACHE_HOME".into(),
            )
        })
}
