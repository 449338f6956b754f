//! One of several names.

use serde_json::{Value, json};

use super::control::Control;
use super::handle;
use super::model::Model;

/// One of several names, which the reader picks from a list.
#[derive(Debug, Clone)]
pub struct Choice {
    control: Control<String>,
    options: Vec<String>,
}

/// A list of names, of which the first is chosen: [`at`](Choice::at) chooses another.
///
/// ```
/// let method = notebook_live::choice("method", ["PCA", "t-SNE"]);
/// assert_eq!(method.value(), "PCA");
/// ```
pub fn choice<S: Into<String>>(label: &str, options: impl IntoIterator<Item = S>) -> Choice {
    let options: Vec<String> = options.into_iter().map(Into::into).collect();
    let first = options.first().cloned().unwrap_or_default();
    let index = (!options.is_empty()).then_some(0);
    let state = json!({"_options_labels": options, "index": index});
    let models = Model::control("Dropdown", "DescriptionStyleModel", label, state);
    let names = options.clone();
    let read = move |data: &Value, _: &String| {
        let index = data["state"]["index"].as_u64()?;
        names.get(usize::try_from(index).ok()?).cloned()
    };
    Choice {
        control: Control::new(label, models.into(), first, read),
        options,
    }
}

impl Choice {
    /// Chooses another before it is shown.
    #[must_use]
    pub fn at(self, name: &str) -> Self {
        self.set(name);
        self
    }

    /// What the reader has chosen last.
    pub fn value(&self) -> String {
        self.control.value()
    }

    /// Its place in the list, from 0.
    pub fn index(&self) -> usize {
        let value = self.value();
        self.options
            .iter()
            .position(|name| *name == value)
            .unwrap_or(0)
    }

    /// Chooses; a name that is not in the list changes nothing.
    pub fn set(&self, name: &str) {
        match self.options.iter().position(|option| option == name) {
            Some(index) => self.control.set(name.to_owned(), &json!({"index": index})),
            None => eprintln!(
                "{:?} offers no {name:?}: {}",
                self.control.label(),
                self.options.join(", ")
            ),
        }
    }

    fn line(&self) -> String {
        format!(
            "{}: {} (of {})",
            self.control.label(),
            self.value(),
            self.options.join(", ")
        )
    }
}

handle!([] Choice, String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Rich;

    #[test]
    fn only_what_is_offered_can_be_chosen() {
        let method = choice("method", ["PCA", "t-SNE"]).at("t-SNE");
        assert_eq!((method.value().as_str(), method.index()), ("t-SNE", 1));
        method.set("UMAP");
        assert_eq!(method.rich().as_text(), "method: t-SNE (of PCA, t-SNE)");
        let nothing = choice("nothing", Vec::<String>::new());
        assert_eq!((nothing.value().as_str(), nothing.index()), ("", 0));
    }
}
