//! Yes or no.

use serde_json::{Value, json};

use super::control::Control;
use super::handle;
use super::model::Model;

/// Something that the reader switches on and off.
#[derive(Debug, Clone)]
pub struct Checkbox {
    control: Control<bool>,
}

/// A box that is ticked if `value` says so.
///
/// ```
/// let sampled = notebook_live::checkbox("sampled", true);
/// assert!(sampled.value());
/// ```
pub fn checkbox(label: &str, value: bool) -> Checkbox {
    let state = json!({"value": value, "indent": true});
    let models = Model::control("Checkbox", "CheckboxStyleModel", label, state);
    let read = |data: &Value, _: &bool| data["state"]["value"].as_bool();
    Checkbox {
        control: Control::new(label, models.into(), value, read),
    }
}

impl Checkbox {
    /// What the reader has set last.
    pub fn value(&self) -> bool {
        self.control.value()
    }

    /// Sets it; its closures hear of it.
    pub fn set(&self, value: bool) {
        self.control.set(value, &json!({"value": value}));
    }

    fn line(&self) -> String {
        let mark = if self.value() { 'x' } else { ' ' };
        format!("[{mark}] {}", self.control.label())
    }
}

handle!([] Checkbox, bool);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rich;

    #[test]
    fn it_shows_whether_it_is_ticked() {
        let sampled = checkbox("sampled", true);
        assert_eq!(sampled.rich().as_text(), "[x] sampled");
        sampled.set(false);
        assert_eq!(sampled.rich().as_text(), "[ ] sampled");
    }
}
