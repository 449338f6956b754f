//! A model's weights as a file of one's own.

use std::path::Path;

use serde_json::{Value, json};

use super::model::Trained;
use super::{Checkpoint, RunState};
use crate::{Error, Result};

/// Saves a model's weights, with its settings, as a safetensors file.
pub(super) fn save(model: &dyn Trained, path: &Path) -> Result<()> {
    let settings = json!({ "model": model.settings() });
    Checkpoint::save(
        path,
        model.var_store(),
        &[],
        &RunState::default(),
        &settings,
    )
}

/// Loads what [`save`] wrote, or the weights of a checkpoint in a store.
pub(super) fn load(model: &dyn Trained, path: &Path) -> Result<()> {
    let saved = Checkpoint::read(path)?;
    let (there, here) = (&saved.settings()["model"], model.settings());
    if let Some(difference) = difference("", there, &here) {
        return Err(Error::Checkpoint {
            path: path.to_owned(),
            problem: format!(
                "is of a model with other settings: {difference}; make the model with the same ones, or \
                 choose another file"
            ),
        });
    }
    saved.restore(model.var_store(), &mut [])
}

/// The first place where two settings differ, in words.
fn difference(place: &str, there: &Value, here: &Value) -> Option<String> {
    let at = |key: &str| {
        if place.is_empty() {
            key.to_owned()
        } else {
            format!("{place}.{key}")
        }
    };
    match (there, here) {
        (Value::Object(a), Value::Object(b)) => a
            .keys()
            .chain(b.keys().filter(|key| !a.contains_key(*key)))
            .find_map(|key| difference(&at(key), &there[key], &here[key])),
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => a
            .iter()
            .zip(b)
            .enumerate()
            .find_map(|(i, (a, b))| difference(&at(&i.to_string()), a, b)),
        _ if there == here => None,
        _ if place.is_empty() => Some(format!("{there} there, {here} here")),
        _ => Some(format!("{place} is {there} there and {here} here")),
    }
}
