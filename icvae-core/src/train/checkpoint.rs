//! A run on disk: weights, the optimiser's memory, how far it is, and the settings it belongs to.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tch::{Device, Kind, Tensor, nn};

use super::{History, Optimizer};
use crate::files::{hex, write_whole};
use crate::{Error, Result, no_grad};

/// How far a run is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct RunState {
    /// Epochs finished.
    pub epochs_done: usize,
    /// Steps done, in the whole run.
    pub steps_done: u64,
    /// The terms of the epoch that is under way, in the model's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partial_names: Vec<String>,
    /// Their sums over the examples of that epoch.
    #[serde(with = "super::history::numbers")]
    pub partial_sums: Vec<f64>,
    /// Examples that these sums are over.
    pub partial_examples: f64,
    /// Seconds spent in the epoch that is under way.
    pub partial_seconds: f64,
    /// All finished epochs.
    pub history: History,
    /// That a listener was satisfied and ended the run here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// The end that a listener gave a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// The listener's reason.
    pub why: String,
    /// Epochs that the run was to have.
    pub of_epochs: usize,
    /// The [rules](super::Listener::rule) of those who listened.
    pub rules: Vec<String>,
}

/// A checkpoint that was read: a safetensors file of tensors, with [`RunState`], settings and a digest of all of
/// it in its header.
#[derive(Debug)]
pub struct Checkpoint {
    path: PathBuf,
    tensors: HashMap<String, Tensor>,
    head: Head,
}

/// What a checkpoint says of itself before its tensors.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) state: RunState,
    pub(super) settings: serde_json::Value,
    digest: String,
    state_text: String,
    settings_text: String,
}

const FORMAT: &str = "icvae-checkpoint-2";
const EARLIER_FORMAT: &str = "icvae-checkpoint-1";
/// No header of ours comes near this; what claims more is no checkpoint.
const LARGEST_HEADER: u64 = 100 << 20;

impl Checkpoint {
    /// Writes a checkpoint, whole or not at all.
    ///
    /// `optimizers` are those of the run's turns, in their order; none keeps the weights alone.
    ///
    /// # Errors
    /// If the folder can't be made or the file can't be written; an earlier checkpoint then stays.
    pub fn save(
        path: &Path,
        vs: &nn::VarStore,
        optimizers: &[Box<dyn Optimizer>],
        state: &RunState,
        settings: &serde_json::Value,
    ) -> Result<()> {
        let mut tensors: Vec<(String, Tensor)> = vs.variables().into_iter().collect();
        for (turn, optimizer) in optimizers.iter().enumerate() {
            let memory = optimizer.state().into_iter();
            tensors.extend(memory.map(|(name, tensor)| (of_turn(turn, name), tensor)));
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
        let text = |value: serde_json::Result<String>| {
            value.map_err(|error| broken(path, format!("has settings that are no JSON ({error})")))
        };
        let settings = text(serde_json::to_string(settings))?;
        let state = text(serde_json::to_string(state))?;
        let parts = data.iter().map(|(n, s, b)| (n.as_str(), &s[..], &b[..]));
        let header = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("sha256".to_owned(), digest(&settings, &state, parts)),
            ("settings".to_owned(), settings),
            ("state".to_owned(), state),
        ]);
        let bytes = safetensors::serialize(views, Some(header))
            .map_err(|error| broken(path, format!("could not be made: {error}")))?;
        write_whole(path, &bytes).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })
    }

    /// Reads a checkpoint and checks every byte of it against the digest that it carries.
    ///
    /// # Errors
    /// If the file is missing, cut off, damaged or of another format.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        let head = Head::read(path, &mut &bytes[..])?;
        let saved = SafeTensors::deserialize(&bytes).map_err(|error| cut_off(path, &error))?;
        let mut views = saved.tensors();
        views.sort_by(|a, b| a.0.cmp(&b.0));
        let parts = views.iter().map(|(n, v)| (n.as_str(), v.shape(), v.data()));
        if digest(&head.settings_text, &head.state_text, parts) != head.digest {
            return Err(broken(
                path,
                "is damaged (its contents don't have the checksum that was written with them): delete it \
                 and train anew"
                    .into(),
            ));
        }
        let mut tensors = HashMap::new();
        for (name, view) in views {
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
            head,
        })
    }

    /// How far the run was.
    pub fn state(&self) -> &RunState {
        &self.head.state
    }

    /// The settings of the run.
    pub fn settings(&self) -> &serde_json::Value {
        &self.head.settings
    }

    /// Loads the weights into a model, and their memory into the optimisers of its turns where there are any.
    ///
    /// # Errors
    /// If the checkpoint is of a model with other layers or turns; then the weights stay as they are.
    pub fn restore(&self, vs: &nn::VarStore, optimizers: &mut [Box<dyn Optimizer>]) -> Result<()> {
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
        for (turn, optimizer) in optimizers.iter_mut().enumerate() {
            let mut find = |name: &str| {
                let name = of_turn(turn, name.to_owned());
                self.tensors.get(&name).map(Tensor::shallow_clone)
            };
            optimizer
                .restore(self.head.state.steps_done, &mut find)
                .map_err(|error| {
                    broken(&self.path, format!("can't be trained further: {error}"))
                })?;
        }
        no_grad(|| {
            for (name, mut variable) in variables {
                variable.f_copy_(&self.tensors[&name])?;
            }
            Ok(())
        })
    }
}

impl Head {
    /// Reads the head of a file and not its tensors.
    pub(super) fn of(path: &Path) -> Result<Self> {
        let mut file = File::open(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        Self::read(path, &mut file)
    }

    fn read(path: &Path, from: &mut impl Read) -> Result<Self> {
        /// The header of a safetensors file, of which only our own part is read here.
        #[derive(Deserialize)]
        struct Header {
            #[serde(rename = "__metadata__", default)]
            metadata: HashMap<String, String>,
        }
        let mut length = [0; 8];
        from.read_exact(&mut length)
            .map_err(|error| cut_off(path, &error))?;
        let length = u64::from_le_bytes(length);
        let mut header = Vec::new();
        from.take(length.min(LARGEST_HEADER))
            .read_to_end(&mut header)
            .map_err(|error| cut_off(path, &error))?;
        if header.len() as u64 != length {
            return Err(cut_off(path, &"its header is incomplete"));
        }
        let mut header: Header =
            serde_json::from_slice(&header).map_err(|error| cut_off(path, &error))?;
        match header.metadata.get("format").map(String::as_str) {
            Some(FORMAT) => {}
            Some(EARLIER_FORMAT) => {
                return Err(broken(
                    path,
                    "was written by an earlier version of this crate: train anew".into(),
                ));
            }
            _ => {
                return Err(broken(
                    path,
                    "was not written by this crate: choose another file".into(),
                ));
            }
        }
        let mut field = |name: &str| {
            header
                .metadata
                .remove(name)
                .ok_or_else(|| broken(path, format!("says nothing of its {name}: train anew")))
        };
        let (digest, state_text, settings_text) =
            (field("sha256")?, field("state")?, field("settings")?);
        let unreadable =
            |error: serde_json::Error| broken(path, format!("is damaged ({error}): train anew"));
        Ok(Self {
            state: serde_json::from_str(&state_text).map_err(unreadable)?,
            settings: serde_json::from_str(&settings_text).map_err(unreadable)?,
            digest,
            state_text,
            settings_text,
        })
    }
}

/// Of all that a checkpoint holds.
fn digest<'a>(
    settings: &str,
    state: &str,
    tensors: impl Iterator<Item = (&'a str, &'a [usize], &'a [u8])>,
) -> String {
    let mut hash = Sha256::new();
    // Every part behind its length, so that nothing can move from one to the next.
    let mut add = |part: &[u8]| {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    };
    add(settings.as_bytes());
    add(state.as_bytes());
    for (name, shape, bytes) in tensors {
        add(name.as_bytes());
        add(format!("{shape:?}").as_bytes());
        add(bytes);
    }
    hex(&hash.finalize())
}

/// The name under which a turn's optimiser keeps a tensor: its own for the first turn, which most models have
/// alone.
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

fn cut_off(path: &Path, error: &dyn std::fmt::Display) -> Error {
    broken(
        path,
        format!("is cut off or no safetensors file ({error}): delete it and train anew"),
    )
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
