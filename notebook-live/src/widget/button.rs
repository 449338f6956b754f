//! Something to press.

use serde_json::{Value, json};

use super::control::Control;
use super::handle;
use super::model::Model;

/// Something that the reader presses. Its value says how often that has been.
#[derive(Debug, Clone)]
pub struct Button {
    control: Control<u64>,
}

/// A button; [`on_click`](Button::on_click) says what it does.
///
/// ```
/// let again = notebook_live::button("again");
/// again.on_click(|| println!("once more"));
/// assert_eq!(again.value(), 0);
/// ```
pub fn button(label: &str) -> Button {
    let state = json!({"button_style": "", "icon": ""});
    let models = Model::control("Button", "ButtonStyleModel", label, state);
    let read = |data: &Value, clicks: &u64| {
        let clicked = data["method"] == "custom" && data["content"]["event"] == "click";
        clicked.then_some(clicks + 1)
    };
    Button {
        control: Control::new(label, models.into(), 0, read),
    }
}

impl Button {
    /// How often it was pressed.
    pub fn value(&self) -> u64 {
        self.control.value()
    }

    /// Calls `closure` when it is pressed. Pressed several times while the closure or a cell runs, it
    /// calls it once more.
    pub fn on_click<R: super::Ended>(&self, mut closure: impl FnMut() -> R + Send + 'static) {
        // Other widgets begin with a call; here nobody has pressed yet, whatever was before.
        let mut begun = false;
        self.control
            .on_change(false, move |_| match std::mem::replace(&mut begun, true) {
                false => Ok(()),
                true => closure().error().map_or(Ok(()), Err),
            });
    }

    fn line(&self) -> String {
        format!("[{}]", self.control.label())
    }
}

handle!([] Button, u64);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rich;

    #[test]
    fn nobody_has_pressed_it() {
        let again = button("again");
        again.control.set(2, &Value::Null);
        again.on_click(|| -> () { panic!("nobody has pressed it") });
        assert_eq!(again.rich().as_text(), "[again]");
    }
}
