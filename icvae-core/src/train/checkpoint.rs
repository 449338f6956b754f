//! A run on disk: weights, the optimiser's moments and how far it is, with its settings beside it.

use std::collections::HashMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor, nn, no_grad};

use super::{Adam, History};
use crate::{Error, Result};

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Progress {
    /// Epochs finished.
    pub epochs_done: usize,
    /// Steps done, in the whole run.
    pub steps_done: u64,
    /// Sums of the terms over the examples of the epoch that is under way, in the model's order.
    pub partial_sums: Vec<f64>,
    /// Examples that these sums are over.
    pub partial_examples: f64,
    /// Seconds spent in the epoch that is under way.
    pub partial_seconds: f64,
    /// All finished epochs.
    pub history: History,
}

/// A checkpoint that was read: a safetensors file of tensors, with [`Progress`] in its header and the
/// settings in a JSON file of the same name beside it.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: HashMap<String, Tensor>,
    progress: Progress,
    settings: serde_json::Value,
}

const FORMAT: &str = "icvae-checkpoint-1";

impl Checkpoint {
    /// Writes a checkpoint, whole or not at all.
    ///
    /// `path` names the safetensors file; the settings go beside it with the extension `json`. `optimisers`
    /// are those of the run's turns, in their order; none keeps the weights alone.
    ///
    /// # Errors
    /// If the folder can't be made or a file can't be written; an earlier checkpoint then stays.
    pub fn save(
        path: &Path,
        vs: &nn::VarStore,
        optimisers: &[Adam],
        progress: &Progress,
        settings: &serde_json::Value,
    ) -> Result<()> {
        let mut tensors: Vec<(String, Tensor)> = vs.variables().into_iter().collect();
        for (turn, adam) in optimisers.iter().enumerate() {
            let state = adam.state().into_iter();
            tensors.extend(state.map(|(name, moment)| (of_turn(turn, name), moment)));
        }
        tensors.sort_by(|a, b| a.0.cmp(&b.0));
        let data: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
            .iter()
            .map(|(name, tensor)| to_bytes(name, tensor))
            .collect::<Result<_>>()?;
        let views = data
            .iter()
            .map(|(name, shape, bytes)| {
                TensorView::new(Dtype::F32, shape.clone(), bytes).map(|view| (name.clone(), view))
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| broken(path, format!("could not be made: {error}")))?;
        let settings = serde_json::to_string_pretty(settings).map_err(|e| json_error(path, &e))?;
        let header = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("settings".to_owned(), fingerprint(&settings)),
            (
                "progress".to_owned(),
                serde_json::to_string(progress).map_err(|e| json_error(path, &e))?,
            ),
        ]);
        let bytes = safetensors::serialize(views, Some(header))
            .map_err(|error| broken(path, format!("could not be made: {error}")))?;
        // The settings of a run never change, so a crash between the two files leaves a pair that fits.
        write_whole(&path.with_extension("json"), settings.as_bytes())?;
        write_whole(path, &bytes)
    }

    /// Reads a checkpoint and checks that its two files belong together.
    ///
    /// # Errors
    /// If a file is missing, cut off, of another format, or the two don't belong together.
    pub fn read(path: &Path) -> Result<Self> {
        let io = |path: &Path, source| Error::Io {
            path: path.to_owned(),
            source,
        };
        let bytes = fs::read(path).map_err(|e| io(path, e))?;
        let cut_off = |error| {
            broken(
                path,
                format!("is cut off or no safetensors file ({error}): delete it and train anew"),
            )
        };
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(cut_off)?;
        let header = header.metadata().clone().unwrap_or_default();
        if header.get("format").map(String::as_str) != Some(FORMAT) {
            return Err(broken(
                path,
                "was not written by this crate: choose another file".into(),
            ));
        }
        let beside = path.with_extension("json");
        let settings = fs::read_to_string(&beside).map_err(|e| io(&beside, e))?;
        if header.get("settings") != Some(&fingerprint(&settings)) {
            return Err(broken(
                path,
                format!(
                    "does not belong to the settings in {}: put both files of one run side by side",
                    beside.display()
                ),
            ));
        }
        let settings = serde_json::from_str(&settings).map_err(|e| json_error(&beside, &e))?;
        let progress = header
            .get("progress")
            .and_then(|text| serde_json::from_str(text).ok())
            .ok_or_else(|| broken(path, "says nothing of its progress: train anew".into()))?;
        let mut tensors = HashMap::new();
        for (name, view) in SafeTensors::deserialize(&bytes).map_err(cut_off)?.tensors() {
            if view.dtype() != Dtype::F32 {
                return Err(broken(
                    path,
                    format!("holds {name} as {:?}, not F32", view.dtype()),
                ));
            }
            let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
            let tensor = Tensor::f_from_data_size(view.data(), &shape, Kind::Float)?;
            tensors.insert(name, tensor);
        }
        Ok(Self {
            path: path.to_owned(),
            tensors,
            progress,
            settings,
        })
    }

    /// How far the run was.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The settings of the run.
    pub fn settings(&self) -> &serde_json::Value {
        &self.settings
    }

    /// Loads the weights into a model, and the moments into the optimisers of its turns where there are any.
    ///
    /// # Errors
    /// If the checkpoint is of a model with other layers or turns; then the weights stay as they are.
    pub fn restore(&self, vs: &nn::VarStore, optimisers: &mut [Adam]) -> Result<()> {
        let variables = vs.variables();
        for (name, variable) in &variables {
            match self.tensors.get(name) {
                None => {
                    return Err(broken(
                        &self.path,
                        format!("has no {name}: it is of a model with other layers"),
                    ));
                }
                Some(saved) if saved.size() != variable.size() => {
                    return Err(broken(
                        &self.path,
                        format!(
                            "holds {name} as {:?}, but the model's is {:?}: it is of other sizes",
                            saved.size(),
                            variable.size()
                        ),
                    ));
                }
                Some(_) => {}
            }
        }
        for (turn, adam) in optimisers.iter_mut().enumerate() {
            adam.restore(self.progress.steps_done, |name| {
                let name = of_turn(turn, name.to_owned());
                self.tensors.get(&name).map(Tensor::shallow_clone)
            })
            .map_err(|error| broken(&self.path, format!("can't be trained further: {error}")))?;
        }
        no_grad(|| {
            for (name, mut variable) in variables {
                variable.copy_(&self.tensors[&name]);
            }
        });
        Ok(())
    }
}

/// The name under which a moment of a turn's optimiser is kept: its own for the first turn, which most
/// models have alone.
fn of_turn(turn: usize, name: String) -> String {
    if turn == 0 {
        name
    } else {
        format!("turn{}.{name}", turn + 1)
    }
}

fn broken(path: &Path, problem: String) -> Error {
    Error::Checkpoint {
        path: path.to_owned(),
        problem,
    }
}

fn json_error(path: &Path, error: &serde_json::Error) -> Error {
    broken(path, format!("has settings that are no JSON ({error})"))
}

fn fingerprint(text: &str) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn to_bytes(name: &str, tensor: &Tensor) -> Result<(String, Vec<usize>, Vec<u8>)> {
    let tensor = tensor
        .detach()
        .to_device(Device::Cpu)
        .to_kind(Kind::Float)
        .contiguous();
    let numbers = Vec::<f32>::try_from(tensor.flatten(0, -1))?;
    let bytes = numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    let shape = tensor.size().iter().map(|&n| n as usize).collect();
    Ok((name.to_owned(), shape, bytes))
}

/// Writes a file under a temporary name in its own folder, then renames it.
pub(super) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path
        .parent()
        .filter(|p| !p.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path)?;
        Ok(())
    };
    write().map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}
