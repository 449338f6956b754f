//! The models of ipywidgets 8 that a widget is made of, as its protocol wants them.
//!
//! [The protocol](https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/schema/messages.md),
//! [the models](https://github.com/jupyter-widgets/ipywidgets/blob/main/packages/schema/jupyterwidgetmodels.latest.md).

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Map, Value, json};

/// The version of the protocol.
pub(super) const PROTOCOL: &str = "2.1.0";

/// A model's first state, and its name.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) id: String,
    pub(super) state: Map<String, Value>,
}

/// Where a model comes from.
#[derive(Debug, Clone, Copy)]
enum Module {
    Base,
    Controls,
    Output,
}

impl Module {
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::Base => ("@jupyter-widgets/base", "2.0.0"),
            Self::Controls => ("@jupyter-widgets/controls", "2.0.0"),
            Self::Output => ("@jupyter-widgets/output", "1.0.0"),
        }
    }
}

/// A name that no other model has.
pub(super) fn new_id() -> String {
    // Two cells hold two copies of this counter, so it is not enough alone.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    format!(
        "{:032x}",
        (now.unwrap_or_default().as_nanos() << 40)
            ^ (u128::from(std::process::id()) << 16)
            ^ u128::from(NEXT.fetch_add(1, Ordering::Relaxed))
    )
}

impl Model {
    fn new(model: (Module, &str), view: Option<(Module, &str)>, state: Value) -> Self {
        let (module, version) = model.0.name();
        let view_module = view.map_or(Module::Base, |view| view.0).name();
        let mut all = json!({
            "_model_module": module,
            "_model_module_version": version,
            "_model_name": model.1,
            "_view_module": view_module.0,
            "_view_module_version": view_module.1,
            "_view_name": view.map(|view| view.1),
            "_view_count": null,
        });
        if let (Some(all), Value::Object(state)) = (all.as_object_mut(), state) {
            all.extend(state);
        }
        Self {
            id: new_id(),
            state: all.as_object().cloned().unwrap_or_default(),
        }
    }

    /// How the cell's others refer to it.
    pub(super) fn reference(&self) -> Value {
        format!("IPY_MODEL_{}", self.id).into()
    }

    /// Where something stands, with the defaults.
    pub(super) fn layout() -> Self {
        Self::new(
            (Module::Base, "LayoutModel"),
            Some((Module::Base, "LayoutView")),
            json!({}),
        )
    }

    /// How a control looks.
    fn style(name: &str) -> Self {
        let description = json!({"description_width": ""});
        let model = (Module::Controls, name);
        Self::new(model, Some((Module::Base, "StyleView")), description)
    }

    /// A control named `kind`, such as `IntSlider`, with its layout and its style before it.
    pub(super) fn control(kind: &str, style: &str, label: &str, state: Value) -> [Self; 3] {
        let (layout, style) = (Self::layout(), Self::style(style));
        let mut control = Self::new(
            (Module::Controls, &format!("{kind}Model")),
            Some((Module::Controls, &format!("{kind}View"))),
            json!({
                "description": label,
                "description_allow_html": false,
                "disabled": false,
                "layout": layout.reference(),
                "style": style.reference(),
                "tabbable": null,
                "tooltip": null,
                "_dom_classes": [],
            }),
        );
        if let Value::Object(state) = state {
            control.state.extend(state);
        }
        [layout, style, control]
    }

    /// A place for output, with its layout before it.
    pub(super) fn output() -> [Self; 2] {
        let layout = Self::layout();
        let output = Self::new(
            (Module::Output, "OutputModel"),
            Some((Module::Output, "OutputView")),
            json!({
                "_dom_classes": [],
                "layout": layout.reference(),
                "msg_id": "",
                "outputs": [],
                "tabbable": null,
                "tooltip": null,
            }),
        );
        [layout, output]
    }

    /// What stands below each other, with its layout before it.
    pub(super) fn column(children: &[Value]) -> [Self; 2] {
        let layout = Self::layout();
        let column = Self::new(
            (Module::Controls, "VBoxModel"),
            Some((Module::Controls, "VBoxView")),
            json!({
                "_dom_classes": [],
                "box_style": "",
                "children": children,
                "layout": layout.reference(),
                "tabbable": null,
                "tooltip": null,
            }),
        );
        [layout, column]
    }

    /// A module of anywidget, with its layout before it.
    pub(super) fn any(esm: &str, css: &str, state: Map<String, Value>) -> [Self; 2] {
        let layout = Self::layout();
        let mut all = json!({
            "_model_module": "anywidget",
            // Whatever version the frontend has: the two states below are all of its protocol.
            "_model_module_version": "*",
            "_model_name": "AnyModel",
            "_view_module": "anywidget",
            "_view_module_version": "*",
            "_view_name": "AnyView",
            "_view_count": null,
            "_dom_classes": [],
            "_anywidget_id": "notebook_live.AnyWidget",
            "_esm": esm,
            "_css": css,
            "layout": layout.reference(),
            "tabbable": null,
            "tooltip": null,
        });
        let id = new_id();
        let mut model = Self { id, state };
        if let Some(all) = all.as_object_mut() {
            model.state.append(all);
        }
        [layout, model]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_hexadecimal_and_differ() {
        let (one, two) = (new_id(), new_id());
        assert_ne!(one, two);
        assert_eq!(one.len(), 32);
        assert!(one.chars().all(|c| c.is_ascii_hexdigit()));
    }

    #[test]
    fn a_control_comes_after_what_it_refers_to() {
        let state = json!({"value": 3});
        let [layout, style, control] =
            Model::control("IntSlider", "SliderStyleModel", "digit", state);
        assert_eq!(control.state["layout"], layout.reference());
        assert_eq!(control.state["style"], style.reference());
        assert_eq!(control.state["_model_name"], "IntSliderModel");
        assert_eq!(
            (&control.state["value"], &control.state["description"]),
            (&json!(3), &json!("digit"))
        );
        let own = json!({"count": 1, "_esm": "theirs"});
        let [_, any] = Model::any(
            "export default {}",
            "",
            own.as_object().cloned().unwrap_or_default(),
        );
        assert_eq!(
            (&any.state["_esm"], &any.state["count"]),
            (&json!("export default {}"), &json!(1))
        );
    }
}
