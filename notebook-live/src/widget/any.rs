//! Any module of anywidget: a widget whose look is a piece of JavaScript.

use serde_json::{Map, Value, json};

use super::control::Control;
use super::handle;
use super::model::Model;

/// A widget that a JavaScript module draws, by the rules of [anywidget](https://anywidget.dev).
///
/// Module and closures share a state, an object of JSON: what one of them changes, the other sees. Binary parts
/// of a state, and messages that the module sends (`model.send`), don't reach Rust.
/// The frontend needs anywidget itself, which is a Python package.
#[derive(Debug, Clone)]
pub struct AnyWidget {
    control: Control<Map<String, Value>>,
    label: String,
}

/// A widget drawn by the module `esm`, with the state that it begins with (an object).
///
/// ```
/// use notebook_live::{any_widget, json};
///
/// let counter = any_widget(
///     "export default { render({ model, el }) {
///         const button = document.createElement('button');
///         const write = () => { button.textContent = model.get('count'); };
///         button.onclick = () => { model.set('count', model.get('count') + 1); model.save_changes(); };
///         model.on('change:count', write);
///         write();
///         el.append(button);
///     } }",
///     &json!({"count": 3}),
/// );
/// assert_eq!(counter.value()["count"], 3);
/// ```
pub fn any_widget(esm: &str, state: &Value) -> AnyWidget {
    let state = state.as_object().cloned().unwrap_or_default();
    let read = |data: &Value, before: &Map<String, Value>| {
        let changes = data["state"]
            .as_object()
            .filter(|changes| !changes.is_empty())?;
        let mut state = before.clone();
        for (name, value) in changes {
            state.insert(name.clone(), value.clone());
        }
        Some(state)
    };
    let models = Model::any(esm, "", state.clone());
    AnyWidget {
        control: Control::new("anywidget", models.into(), state, read),
        label: "a widget of JavaScript".to_owned(),
    }
}

impl AnyWidget {
    /// The style sheet that goes with the module.
    #[must_use]
    pub fn css(self, css: &str) -> Self {
        self.control.update(&json!({"_css": css}));
        self
    }

    /// What stands for it where it can't be drawn.
    #[must_use]
    pub fn label(mut self, label: &str) -> Self {
        label.clone_into(&mut self.label);
        self
    }

    /// The state.
    pub fn value(&self) -> Map<String, Value> {
        self.control.value()
    }

    /// Changes parts of the state (an object); its closures hear of it.
    pub fn set(&self, changes: &Value) {
        // What the module changes meanwhile stays.
        let changed = |state: &Map<String, Value>| {
            let mut state = state.clone();
            for (name, value) in changes.as_object().into_iter().flatten() {
                state.insert(name.clone(), value.clone());
            }
            state
        };
        self.control.set_by(changed, changes);
    }

    /// Sends the module a message of its own (`model.on("msg:custom", …)`).
    pub fn send(&self, content: &Value) {
        self.control.send(content);
    }

    fn line(&self) -> String {
        format!("{} {}", self.label, Value::from(self.value()))
    }
}

handle!([] AnyWidget, Map<String, Value>);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rich;

    #[test]
    fn changes_leave_the_rest_of_the_state() {
        let widget = any_widget("export default {}", &json!({"a": 1, "b": 2})).label("plot");
        widget.set(&json!({"b": 3}));
        assert_eq!(widget.rich().as_text(), r#"plot {"a":1,"b":3}"#);
    }
}
