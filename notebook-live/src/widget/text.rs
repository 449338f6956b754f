//! A line of text.

use serde_json::{Value, json};

use super::control::Control;
use super::handle;
use super::model::Model;

/// A line that the reader writes.
#[derive(Debug, Clone)]
pub struct Text {
    control: Control<String>,
}

/// A line of text, with what stands there at first.
///
/// ```
/// let name = notebook_live::text("name", "Ada");
/// assert_eq!(name.value(), "Ada");
/// ```
pub fn text(label: &str, value: &str) -> Text {
    let state = json!({"value": value, "placeholder": "", "continuous_update": true});
    let models = Model::control("Text", "TextStyleModel", label, state);
    let read = |data: &Value, _: &String| data["state"]["value"].as_str().map(str::to_owned);
    Text {
        control: Control::new(label, models.into(), value.to_owned(), read),
    }
}

impl Text {
    /// What the reader has written.
    pub fn value(&self) -> String {
        self.control.value()
    }

    /// Writes it; its closures hear of it.
    pub fn set(&self, value: &str) {
        self.control.set(value.to_owned(), &json!({"value": value}));
    }

    fn line(&self) -> String {
        format!("{}: {}", self.control.label(), self.value())
    }
}

handle!([] Text, String);
