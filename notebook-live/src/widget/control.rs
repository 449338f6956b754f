//! What all widgets have in common: models at the frontend, a value, and closures that hear of it.

use std::fmt::{self, Debug};
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;

use serde_json::{Value, json};

use super::closure::{Ended, Turn, call_here, call_in_area};
use super::model::{Model, PROTOCOL};
use crate::channel::{self, Place};
use crate::rich::Bundle;

/// How a control's value follows from what the frontend says and the value before; none if it says
/// nothing about it.
type Read<V> = Box<dyn Fn(&Value, &V) -> Option<V> + Send + Sync>;

/// A control, shared by all its handles and threads.
pub(super) struct Control<V>(Arc<Shared<V>>);

struct Shared<V> {
    label: String,
    /// The folder of the live kernel, and the names of the models there; none elsewhere.
    live: Option<Live>,
    now: Mutex<Now<V>>,
    changed: Condvar,
    read: Read<V>,
}

#[derive(Debug)]
struct Live {
    folder: PathBuf,
    /// The control itself.
    control: String,
    /// The column that holds the control and the output of its closures.
    column: String,
}

/// What changes.
#[derive(Debug)]
struct Now<V> {
    value: V,
    /// Counts the changes.
    version: u64,
    /// What the column holds.
    children: Vec<Value>,
    /// All models that are open.
    open: Vec<String>,
    closed: bool,
}

impl<V> Clone for Control<V> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<V: Debug> Debug for Control<V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let now = self.0.now();
        f.debug_struct("Control")
            .field("label", &self.0.label)
            .field("value", &now.value)
            .finish_non_exhaustive()
    }
}

impl<V> Shared<V> {
    fn now(&self) -> MutexGuard<'_, Now<V>> {
        // A closure that panics does not hold it.
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<V: Clone + PartialEq + Send + 'static> Control<V> {
    /// A control whose last model is its own; those before it are what it refers to.
    pub(super) fn new(
        label: &str,
        models: Vec<Model>,
        value: V,
        read: impl Fn(&Value, &V) -> Option<V> + Send + Sync + 'static,
    ) -> Self {
        Self::at(&Place::find(), label, models, value, Box::new(read))
    }

    fn at(place: &Place, label: &str, mut models: Vec<Model>, value: V, read: Read<V>) -> Self {
        let children: Vec<Value> = models.last().map(Model::reference).into_iter().collect();
        let control = models
            .last()
            .map(|model| model.id.clone())
            .unwrap_or_default();
        models.extend(Model::column(&children));
        let column = models
            .last()
            .map(|model| model.id.clone())
            .unwrap_or_default();
        let opened = match place {
            Place::Live(folder) => match open(folder, &models) {
                Ok(connection) => Some((folder.clone(), connection)),
                Err(error) => {
                    eprintln!("the notebook did not take the widget {label:?}: {error}");
                    None
                }
            },
            _ => None,
        };
        let (folder, connection) = opened.unzip();
        let shared = Arc::new(Shared {
            label: label.to_owned(),
            live: folder.map(|folder| Live {
                folder,
                control,
                column,
            }),
            now: Mutex::new(Now {
                value,
                version: 0,
                children,
                open: models.into_iter().map(|model| model.id).collect(),
                closed: false,
            }),
            changed: Condvar::new(),
            read,
        });
        if let Some(connection) = connection {
            let shared = Arc::clone(&shared);
            // For as long as the frontend can show the widget, which no handle needs to outlive.
            thread::spawn(move || shared.hear(connection));
        }
        Self(shared)
    }

    /// What the reader has called it.
    pub(super) fn label(&self) -> &str {
        &self.0.label
    }

    /// The present value.
    pub(super) fn value(&self) -> V {
        self.0.now().value.clone()
    }

    /// Sets the value, and what it is at the frontend.
    pub(super) fn set(&self, value: V, state: &Value) {
        self.set_by(|_| value, state);
    }

    /// Sets the value to what `change` makes of it, and what it is at the frontend.
    pub(super) fn set_by(&self, change: impl FnOnce(&V) -> V, state: &Value) {
        self.0.change(|value| Some(change(value)));
        self.update(state);
    }

    /// Changes the control at the frontend.
    pub(super) fn update(&self, state: &Value) {
        if let Some(live) = &self.0.live {
            tell(&live.folder, update(&live.control, state));
        }
    }

    /// Sends the control something of its own.
    pub(super) fn send(&self, content: &Value) {
        if let Some(live) = &self.0.live {
            let data = json!({"method": "custom", "content": content});
            tell(
                &live.folder,
                json!({"type": "comm_msg", "comm_id": live.control, "data": data}),
            );
        }
    }

    /// Calls the closure with the present value, and with every newer one.
    pub(super) fn on_change<R: Ended>(
        &self,
        beside: bool,
        mut closure: impl FnMut(V) -> R + Send + 'static,
    ) {
        let (value, seen) = {
            let now = self.0.now();
            (now.value.clone(), now.version)
        };
        let Some(live) = &self.0.live else {
            return call_here(|| closure(value));
        };
        let area = match self.new_area(live) {
            Ok(area) => area,
            Err(error) => {
                eprintln!(
                    "the notebook did not take the output of {:?}: {error}",
                    self.0.label
                );
                return call_here(|| closure(value));
            }
        };
        // Here and now the cell itself runs it, whose turn it is.
        if let Err(error) = call_in_area(&live.folder, &area, true, || closure(value)) {
            eprintln!(
                "the notebook did not take the output of {:?}: {error}",
                self.0.label
            );
        }
        let shared = Arc::clone(&self.0);
        let name = format!("widget {}", self.0.label);
        let named = thread::Builder::new().name(name.replace('\0', " "));
        let started = named.spawn(move || shared.follow(&area, beside, seen, closure));
        if let Err(error) = started {
            eprintln!("{:?} calls no closure: {error}", self.0.label);
        }
    }

    /// One more place for output in the column.
    fn new_area(&self, live: &Live) -> io::Result<String> {
        let models = Model::output();
        let [_, output] = &models;
        let (area, reference) = (output.id.clone(), output.reference());
        // Nothing is to be heard from an output.
        for model in &models {
            channel::request(&live.folder, &opening(model))?;
        }
        let children = {
            let mut now = self.0.now();
            now.children.push(reference);
            now.open.extend(models.iter().map(|model| model.id.clone()));
            now.children.clone()
        };
        let state = json!({"children": children});
        channel::request(&live.folder, &update(&live.column, &state))?;
        Ok(area)
    }

    pub(super) fn close(&self) {
        let open = {
            let mut now = self.0.now();
            now.closed = true;
            std::mem::take(&mut now.open)
        };
        self.0.changed.notify_all();
        if let Some(live) = &self.0.live {
            for id in open.iter().rev() {
                tell(
                    &live.folder,
                    json!({"type": "comm_close", "comm_id": id, "data": {}}),
                );
            }
        }
    }

    /// The widget for a frontend that can draw it, and `line` for the others.
    pub(super) fn rich(&self, line: String) -> Bundle {
        let bundle = Bundle::text(line);
        match &self.0.live {
            Some(live) => bundle.and(
                "application/vnd.jupyter.widget-view+json",
                json!({"version_major": 2, "version_minor": 0, "model_id": live.column}),
            ),
            None => bundle,
        }
    }
}

impl<V: Clone + PartialEq + Send + 'static> Shared<V> {
    /// Changes the value, of which nobody hears if it stays the same: a closure may set its own control.
    fn change(&self, change: impl FnOnce(&V) -> Option<V>) {
        let mut now = self.now();
        let value = change(&now.value).filter(|value| *value != now.value);
        if let Some(value) = value {
            now.value = value;
            now.version += 1;
            self.changed.notify_all();
        }
    }

    /// Takes what the frontend says, until the widget is closed or the kernel ends.
    fn hear(&self, connection: impl BufRead) {
        for line in connection.lines().map_while(Result::ok) {
            let Ok(message) = serde_json::from_str::<Value>(&line) else {
                continue;
            };
            if message["kind"] == "close" {
                break;
            }
            self.change(|value| (self.read)(&message["data"], value));
        }
        self.now().closed = true;
        self.changed.notify_all();
    }

    /// Calls the closure whenever the value is newer than the one it has seen.
    fn follow<R: Ended>(
        &self,
        area: &str,
        beside: bool,
        mut seen: u64,
        mut closure: impl FnMut(V) -> R,
    ) {
        let Some(live) = &self.live else { return };
        loop {
            {
                let waiting = self
                    .changed
                    .wait_while(self.now(), |now| now.version == seen && !now.closed);
                if waiting.unwrap_or_else(PoisonError::into_inner).closed {
                    return;
                }
            }
            let Ok(_turn) = Turn::wait(&live.folder, beside) else {
                return;
            };
            // Only now: what has changed while this closure waited counts.
            let value = {
                let now = self.now();
                if now.closed {
                    return;
                }
                seen = now.version;
                now.value.clone()
            };
            let called = call_in_area(&live.folder, area, !beside, || closure(value));
            if let Err(error) = called {
                eprintln!("{:?} calls its closure no more: {error}", self.label);
                return;
            }
        }
    }
}

/// Opens the models, in this order, and listens to what is said about them.
fn open(folder: &Path, models: &[Model]) -> io::Result<impl BufRead + Send + use<>> {
    let ids: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
    let connection = channel::listen(folder, &json!(ids))?;
    for model in models {
        channel::request(folder, &opening(model))?;
    }
    Ok(connection)
}

fn opening(model: &Model) -> Value {
    json!({
        "type": "comm_open",
        "comm_id": model.id,
        "target_name": "jupyter.widget",
        "metadata": {"version": PROTOCOL},
        "data": {"state": model.state, "buffer_paths": []},
    })
}

fn update(id: &str, state: &Value) -> Value {
    let data = json!({"method": "update", "state": state, "buffer_paths": []});
    json!({"type": "comm_msg", "comm_id": id, "data": data})
}

/// Tells the kernel; a refusal is told on standard error, since no widget may stop the caller's work.
fn tell(folder: &Path, request: Value) {
    if let Err(error) = channel::request(folder, &request) {
        eprintln!("the notebook did not take a widget's change: {error}");
    }
}
