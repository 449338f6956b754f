//! The output of a widget's closure: a list as notebooks keep it, which stands below the widget.

use serde_json::{Map, Value, json};
use tokio::time::Instant;

/// Frontends see what is new in an area this often while a closure runs.
pub const BETWEEN_UPDATES: std::time::Duration = std::time::Duration::from_millis(100);
/// Text beyond this is left out: nobody reads it below a widget.
const MOST_TEXT: usize = 1 << 20;

/// One area.
#[derive(Debug, Default)]
pub struct Area {
    outputs: Vec<Output>,
    /// Whether the next output takes the place of all others.
    outdated: bool,
    changed: bool,
    shown: Option<Instant>,
}

#[derive(Debug)]
struct Output {
    /// The name under which it can be replaced.
    id: Option<String>,
    content: Value,
}

impl Area {
    /// A closure begins: what it shows takes the place of what was there.
    pub fn begin(&mut self, now: Instant) {
        self.outdated = true;
        self.shown = Some(now);
    }

    /// It is over; what it has not replaced goes.
    pub fn end(&mut self) {
        self.make_room();
    }

    fn make_room(&mut self) {
        if std::mem::take(&mut self.outdated) && !self.outputs.is_empty() {
            self.outputs.clear();
            self.changed = true;
        }
    }

    /// Takes an output as the protocol publishes it.
    pub fn add(&mut self, kind: &str, content: &Value) {
        if kind == "clear_output" {
            self.outdated = true;
            if content["wait"] != true {
                self.make_room();
            }
            return;
        }
        self.make_room();
        self.changed = true;
        if kind == "stream" {
            let (name, text) = (
                &content["name"],
                content["text"].as_str().unwrap_or_default(),
            );
            return self.print(name, text);
        }
        let mut output = Map::new();
        output.insert("output_type".into(), kind.into());
        for field in [
            "data",
            "metadata",
            "execution_count",
            "ename",
            "evalue",
            "traceback",
        ] {
            if let Some(value) = content.get(field) {
                output.insert(field.into(), value.clone());
            }
        }
        let id = content["transient"]["display_id"].as_str();
        self.outputs.push(Output {
            id: id.map(str::to_owned),
            content: output.into(),
        });
    }

    fn print(&mut self, name: &Value, text: &str) {
        if let Some(Output { content, .. }) = self.outputs.last_mut()
            && content["output_type"] == "stream"
            && content["name"] == *name
            && let Value::String(before) = &mut content["text"]
        {
            if before.len() < MOST_TEXT {
                before.push_str(text);
            }
            return;
        }
        let content = json!({"output_type": "stream", "name": name, "text": text});
        self.outputs.push(Output { id: None, content });
    }

    /// Replaces an output; false if there is none of that name.
    pub fn replace(&mut self, id: &str, data: &Value, metadata: &Value) -> bool {
        let named = self
            .outputs
            .iter_mut()
            .find(|output| output.id.as_deref() == Some(id));
        let Some(output) = named else {
            return false;
        };
        output.content["data"] = data.clone();
        output.content["metadata"] = metadata.clone();
        self.changed = true;
        true
    }

    /// When frontends should see it, if it has changed.
    pub fn due(&self) -> Option<Instant> {
        let shown = self.shown.filter(|_| self.changed);
        shown.map(|shown| shown + BETWEEN_UPDATES)
    }

    /// What frontends should see now, unless they do.
    pub fn take_changes(&mut self, now: Instant) -> Option<Value> {
        if !std::mem::take(&mut self.changed) {
            return None;
        }
        self.shown = Some(now);
        let outputs: Vec<&Value> = self.outputs.iter().map(|output| &output.content).collect();
        Some(json!({"outputs": outputs}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(area: &mut Area) -> Value {
        let changes = area.take_changes(Instant::now());
        changes.map_or(Value::Null, |changes| changes["outputs"].clone())
    }

    #[test]
    fn text_runs_together_and_a_new_call_replaces_all_at_once() {
        let mut area = Area::default();
        area.begin(Instant::now());
        for text in ["a", "b\n"] {
            area.add("stream", &json!({"name": "stdout", "text": text}));
        }
        area.add(
            "display_data",
            &json!({"data": {"text/plain": "x"}, "metadata": {}, "transient": {}}),
        );
        area.end();
        let outputs = json!([
            {"output_type": "stream", "name": "stdout", "text": "ab\n"},
            {"output_type": "display_data", "data": {"text/plain": "x"}, "metadata": {}},
        ]);
        assert_eq!(shown(&mut area), outputs);
        assert_eq!(shown(&mut area), Value::Null, "nothing is new");
        area.begin(Instant::now());
        assert_eq!(
            shown(&mut area),
            Value::Null,
            "the old stays until the new comes"
        );
        area.add("stream", &json!({"name": "stderr", "text": "c"}));
        assert_eq!(shown(&mut area).as_array().map(Vec::len), Some(1));
        area.begin(Instant::now());
        area.end();
        assert_eq!(shown(&mut area), json!([]), "a silent call shows nothing");
    }

    #[test]
    fn an_output_is_replaced_by_its_name_and_cleared_when_asked() {
        let mut area = Area::default();
        let transient = json!({"display_id": "one"});
        area.add(
            "display_data",
            &json!({"data": {"a/b": 1}, "metadata": {}, "transient": transient}),
        );
        assert!(area.replace("one", &json!({"a/b": 2}), &json!({})));
        assert!(!area.replace("two", &json!({}), &json!({})));
        assert_eq!(shown(&mut area)[0]["data"], json!({"a/b": 2}));
        area.add("clear_output", &json!({"wait": true}));
        assert_eq!(shown(&mut area), Value::Null);
        area.add("clear_output", &json!({"wait": false}));
        assert_eq!(shown(&mut area), json!([]));
    }
}
