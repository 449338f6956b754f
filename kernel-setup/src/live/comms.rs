//! Comms: what widgets and their frontends say to each other.
//!
//! A comm belongs to the reader's process, which opens it, or to the frontend that asks for the states of
//! all widgets. The kernel keeps each widget's state: it answers who asks for it, also while a cell runs
//! or when the process is gone, and hands what the reader moves on to the process, whose threads take it
//! beside a running cell. What must not run beside a cell waits for its turn ([`Turns`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::sync::{OwnedMutexGuard, mpsc};

use super::jupyter_sockets::{Channel, Replies};
use super::kernel::Shared;
use super::wire::Message;

/// What frontends call the comms of widgets.
const WIDGET: &str = "jupyter.widget";
/// The comm by which a frontend asks for all of them at once.
const WIDGET_CONTROL: &str = "jupyter.widget.control";
/// evcxr's own.
const EVCXR: &str = "evcxr-cargo-check";

/// One comm.
#[derive(Debug, Default)]
struct Comm {
    target: String,
    /// Of a widget: all that is known of its state.
    state: Map<String, Value>,
    /// Where the process hears; none if it doesn't, or is gone.
    tell: Option<mpsc::UnboundedSender<String>>,
}

/// All comms that are open.
#[derive(Debug, Default)]
pub struct Comms(Mutex<BTreeMap<String, Comm>>);

impl Comms {
    fn open(&self) -> MutexGuard<'_, BTreeMap<String, Comm>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The process wants to hear what frontends say to these.
    pub fn listen(&self, ids: &[String], tell: &mpsc::UnboundedSender<String>) {
        let mut open = self.open();
        for id in ids {
            open.entry(id.clone()).or_default().tell = Some(tell.clone());
        }
    }

    /// Keeps in mind what is published about a comm.
    pub fn published(&self, message: &Message) {
        let content = &message.content;
        let Some(id) = content["comm_id"].as_str() else {
            return;
        };
        let mut open = self.open();
        match message.kind() {
            "comm_open" => {
                let comm = open.entry(id.to_owned()).or_default();
                let target = content["target_name"].as_str().unwrap_or_default();
                target.clone_into(&mut comm.target);
                comm.merge(&content["data"]["state"]);
            }
            "comm_msg" => {
                // Echoes too: what counts is the order in which frontends see them.
                let method = content["data"]["method"].as_str();
                if let Some(comm) = open.get_mut(id)
                    && matches!(method, Some("update" | "echo_update"))
                {
                    comm.merge(&content["data"]["state"]);
                }
            }
            "comm_close" => drop(open.remove(id)),
            _ => {}
        }
    }

    /// The process behind these is gone: which of them can be told that nobody hears them.
    pub fn forsake(&self, ids: &[String]) -> Vec<String> {
        let mut open = self.open();
        let mut controls = Vec::new();
        for id in ids {
            if let Some(comm) = open.get_mut(id) {
                comm.tell = None;
                if comm.state.contains_key("disabled") {
                    controls.push(id.clone());
                }
            }
        }
        controls
    }

    /// These and what they are made of, as far as nothing else holds it: a column holds the outputs of closures that
    /// other cells have added, and an output may be in a column that stays.
    pub fn with_their_parts(&self, ids: &[String]) -> Vec<String> {
        let open = self.open();
        let mut all: BTreeSet<String> = BTreeSet::new();
        let mut next = ids.to_vec();
        while let Some(id) = next.pop() {
            if let Some(comm) = open.get(&id)
                && all.insert(id)
            {
                next.extend(comm.references());
            }
        }
        loop {
            let others = open.iter().filter(|(id, _)| !all.contains(*id));
            let held: BTreeSet<String> = others.flat_map(|(_, comm)| comm.references()).collect();
            let before = all.len();
            all.retain(|id| !held.contains(id));
            if all.len() == before {
                return all.into_iter().collect();
            }
        }
    }

    /// The content of a `comm_info_reply`.
    fn info(&self, target: Option<&str>) -> Value {
        let open = self.open();
        let wanted = open
            .iter()
            .filter(|(_, comm)| !comm.target.is_empty())
            .filter(|(_, comm)| target.is_none_or(|target| comm.target == target));
        let comms: Map<String, Value> = wanted
            .map(|(id, comm)| (id.clone(), json!({"target_name": comm.target})))
            .collect();
        json!({"status": "ok", "comms": comms})
    }

    /// All widgets' states, as the frontend that has just been opened wants them.
    fn states(&self) -> Value {
        let open = self.open();
        let widgets = open.iter().filter(|(_, comm)| comm.target == WIDGET);
        let states: Map<String, Value> = widgets
            .map(|(id, comm)| {
                let state = json!({
                    "model_name": comm.state.get("_model_name"),
                    "model_module": comm.state.get("_model_module"),
                    "model_module_version": comm.state.get("_model_module_version"),
                    "state": comm.state,
                });
                (id.clone(), state)
            })
            .collect();
        json!({"method": "update_states", "states": states, "buffer_paths": []})
    }

    /// Hands a frontend's word on, and returns what is to be published for it: kind and data.
    fn hear(&self, id: &str, kind: &str, data: &Value) -> Option<(&'static str, Value)> {
        let mut open = self.open();
        let comm = open.get_mut(id)?;
        if kind == "comm_close" {
            let comm = open.remove(id)?;
            comm.pass_on(&json!({"kind": "close", "comm_id": id}));
            return None;
        }
        match data["method"].as_str() {
            Some("request_state") => {
                let data = json!({"method": "update", "state": comm.state, "buffer_paths": []});
                return Some(("comm_msg", data));
            }
            Some("request_states") if comm.target == WIDGET_CONTROL => {
                drop(open);
                return Some(("comm_msg", self.states()));
            }
            _ => {}
        }
        if data["buffer_paths"]
            .as_array()
            .is_some_and(|paths| !paths.is_empty())
        {
            // Without its bytes an echo would end the model at the frontend.
            eprintln!("a widget's binary state was left out: only JSON is passed on");
            return None;
        }
        comm.pass_on(&json!({"kind": "msg", "comm_id": id, "data": data}));
        if data["method"] == "update" {
            comm.merge(&data["state"]);
            // Other frontends, and other views, follow.
            let echo = json!({
                "method": "echo_update", "state": data["state"], "buffer_paths": data["buffer_paths"],
            });
            return Some(("comm_msg", echo));
        }
        None
    }

    /// A frontend opens one: whether it may.
    fn opened_by_frontend(&self, id: &str, target: &str) -> bool {
        let known = target == WIDGET_CONTROL;
        if known {
            let comm = Comm {
                target: target.to_owned(),
                ..Comm::default()
            };
            self.open().insert(id.to_owned(), comm);
        }
        known
    }
}

impl Comm {
    /// The models that its state names.
    fn references(&self) -> Vec<String> {
        let name = |value: &Value| Some(value.as_str()?.strip_prefix("IPY_MODEL_")?.to_owned());
        self.state
            .values()
            .flat_map(|value| match value {
                Value::Array(all) => all.iter().filter_map(name).collect(),
                one => name(one).into_iter().collect::<Vec<String>>(),
            })
            .collect()
    }

    fn merge(&mut self, changes: &Value) {
        for (name, value) in changes.as_object().into_iter().flatten() {
            self.state.insert(name.clone(), value.clone());
        }
    }

    fn pass_on(&self, message: &Value) {
        if let Some(tell) = &self.tell {
            // The process may have just ended.
            let _ = tell.send(message.to_string());
        }
    }
}

/// Who may run the reader's code.
#[derive(Debug, Default)]
pub struct Turns {
    /// A cell, or a closure that doesn't run beside one.
    code: Arc<tokio::sync::Mutex<()>>,
    /// Any closure.
    closure: Arc<tokio::sync::Mutex<()>>,
}

/// Somebody's turn, until this is dropped.
#[derive(Debug)]
pub struct Turn {
    _code: Option<OwnedMutexGuard<()>>,
    _closure: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits until no closure runs that must not run beside a cell.
    pub async fn of_cell(&self) -> Turn {
        Turn {
            _code: Some(Arc::clone(&self.code).lock_owned().await),
            _closure: None,
        }
    }

    /// Waits until no other closure runs, and unless it may run `beside` one, no cell.
    pub async fn of_closure(&self, beside: bool) -> Turn {
        if beside {
            return Turn {
                _code: None,
                _closure: Some(Arc::clone(&self.closure).lock_owned().await),
            };
        }
        loop {
            let code = Arc::clone(&self.code).lock_owned().await;
            if let Ok(closure) = Arc::clone(&self.closure).try_lock_owned() {
                return Turn {
                    _code: Some(code),
                    _closure: Some(closure),
                };
            }
            // One runs beside the cells, which must not wait for it too.
            drop(code);
            drop(self.closure.lock().await);
        }
    }
}

/// Answers what concerns comms, also while a cell runs, and passes on all other requests.
pub async fn serve(
    shared: Shared,
    mut replies: Replies,
    mut requests: mpsc::UnboundedReceiver<Message>,
    others: mpsc::UnboundedSender<Message>,
) {
    while let Some(request) = requests.recv().await {
        let content = &request.content;
        let ours = match request.kind() {
            "comm_open" => content["target_name"] != EVCXR,
            kind => ["comm_msg", "comm_close", "comm_info_request"].contains(&kind),
        };
        if !ours {
            if others.send(request).is_err() {
                return;
            }
            continue;
        }
        let id = content["comm_id"].as_str().unwrap_or_default();
        let (mut reply, mut published) = (None, None);
        match request.kind() {
            "comm_info_request" => {
                reply = Some(shared.comms.info(content["target_name"].as_str()));
            }
            "comm_open" => {
                let target = content["target_name"].as_str().unwrap_or_default();
                if !shared.comms.opened_by_frontend(id, target) {
                    published = Some(("comm_close", json!({})));
                }
            }
            kind => published = shared.comms.hear(id, kind, &content["data"]),
        }
        let published = published
            .map(|(kind, data)| (kind, json!({"comm_id": id, "data": data})))
            .into_iter()
            .collect();
        shared.answer_beside_cells(&request, published).await;
        if let Some(reply) = reply {
            replies
                .send(Channel::Shell, &request.reply(&shared.session, reply))
                .await;
        }
    }
}

/// A connection by which the process hears of some comms, as long as it and they are there.
///
/// # Errors
/// If it doesn't say which.
pub async fn attend(stream: UnixStream, shared: &Shared) -> Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    let mut line = String::new();
    (&mut reader).take(1 << 20).read_line(&mut line).await?;
    let ids: Vec<String> = serde_json::from_str(&line).context("no list of comms")?;
    let (tell, mut told) = mpsc::unbounded_channel();
    shared.comms.listen(&ids, &tell);
    drop(tell);
    writer.write_all(b"ok\n").await?;
    loop {
        tokio::select! {
            line = told.recv() => match line {
                Some(line) => writer.write_all(format!("{line}\n").as_bytes()).await?,
                // The last of them is closed.
                None => return Ok(()),
            },
            count = reader.read_u8() => if count.is_err() { break },
        }
    }
    for id in shared.comms.forsake(&ids) {
        let state = json!({"disabled": true});
        let data = json!({"method": "update", "state": state, "buffer_paths": []});
        let content = json!({"comm_id": id, "data": data});
        shared.publish("comm_msg", &Value::Null, content).await;
    }
    Ok(())
}

/// A connection by which a closure waits for its turn, and has it until the connection ends.
///
/// # Errors
/// If the process is gone.
pub async fn grant(mut stream: UnixStream, beside: bool, shared: &Shared) -> Result<()> {
    let (mut reader, mut writer) = stream.split();
    let turn = tokio::select! {
        biased;
        turn = shared.turns.of_closure(beside) => turn,
        // Nothing comes, but an end.
        _ = reader.read_u8() => return Ok(()),
    };
    if !beside {
        shared.interrupts.begin_closure();
    }
    if writer.write_all(b"go\n").await.is_ok() {
        let _ = reader.read_u8().await;
    }
    if !beside {
        shared.interrupts.end();
    }
    drop(turn);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn published(comms: &Comms, kind: &str, content: Value) {
        comms.published(&Message::new("s", kind, &Value::Null, content));
    }

    fn slider(comms: &Comms) -> mpsc::UnboundedReceiver<String> {
        let (tell, heard) = mpsc::unbounded_channel();
        comms.listen(&["a".to_owned()], &tell);
        let state = json!({"_model_name": "IntSliderModel", "value": 1, "disabled": false});
        published(
            comms,
            "comm_open",
            json!({"comm_id": "a", "target_name": WIDGET, "data": {"state": state}}),
        );
        heard
    }

    #[test]
    fn what_a_reader_moves_is_heard_and_kept_and_echoed() {
        let comms = Comms::default();
        let mut heard = slider(&comms);
        let moved = json!({"method": "update", "state": {"value": 5}, "buffer_paths": []});
        let (kind, echo) = comms.hear("a", "comm_msg", &moved).unwrap();
        assert_eq!(
            (kind, &echo["method"], &echo["state"]["value"]),
            ("comm_msg", &json!("echo_update"), &json!(5))
        );
        let told: Value = serde_json::from_str(&heard.try_recv().unwrap()).unwrap();
        assert_eq!(told, json!({"kind": "msg", "comm_id": "a", "data": moved}));
        let asked = json!({"method": "request_state"});
        let (_, state) = comms.hear("a", "comm_msg", &asked).unwrap();
        assert_eq!(
            (&state["method"], &state["state"]["value"]),
            (&json!("update"), &json!(5))
        );
        assert_eq!(state["state"]["_model_name"], "IntSliderModel");
        assert!(
            heard.try_recv().is_err(),
            "the process was asked for what the kernel knows"
        );
        published(
            &comms,
            "comm_msg",
            json!({"comm_id": "a", "data": {"method": "update", "state": {"value": 7}}}),
        );
        assert_eq!(comms.states()["states"]["a"]["state"]["value"], 7);
    }

    #[test]
    fn a_new_frontend_learns_of_all_widgets() {
        let comms = Comms::default();
        let _heard = slider(&comms);
        assert_eq!(
            comms.info(None)["comms"],
            json!({"a": {"target_name": WIDGET}})
        );
        assert_eq!(comms.info(Some("other"))["comms"], json!({}));
        assert!(comms.opened_by_frontend("c", WIDGET_CONTROL));
        assert!(!comms.opened_by_frontend("d", "unknown"));
        let (_, states) = comms
            .hear("c", "comm_msg", &json!({"method": "request_states"}))
            .unwrap();
        assert_eq!(states["states"].as_object().unwrap().len(), 1);
        assert_eq!(states["states"]["a"]["model_name"], "IntSliderModel");
    }

    #[test]
    fn a_widget_is_closed_with_its_parts_and_without_those_of_others() {
        let comms = Comms::default();
        let open = |id: &str, state: Value| {
            let content = json!({"comm_id": id, "target_name": WIDGET, "data": {"state": state}});
            published(&comms, "comm_open", content);
        };
        open("layout", json!({}));
        open(
            "slider",
            json!({"layout": "IPY_MODEL_layout", "value": "IPY_MODEL"}),
        );
        open("area", json!({}));
        open(
            "column",
            json!({"children": ["IPY_MODEL_slider", "IPY_MODEL_area", 3]}),
        );
        let parts = |ids: &[&str]| {
            let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
            comms.with_their_parts(&ids)
        };
        assert_eq!(
            parts(&["slider", "column"]),
            ["area", "column", "layout", "slider"]
        );
        assert_eq!(parts(&["area", "gone"]), [""; 0], "its column stays");
        open("other", json!({"layout": "IPY_MODEL_layout"}));
        assert_eq!(parts(&["column", "slider"]), ["area", "column", "slider"]);
    }

    #[test]
    fn a_widget_outlives_its_process_without_being_heard() {
        let comms = Comms::default();
        let mut heard = slider(&comms);
        let all = ["a".to_owned(), "gone".to_owned()];
        assert_eq!(comms.forsake(&all), ["a"]);
        assert!(
            comms
                .hear(
                    "a",
                    "comm_msg",
                    &json!({"method": "update", "state": {"value": 2}})
                )
                .is_some()
        );
        assert!(heard.try_recv().is_err());
        assert!(comms.hear("a", "comm_close", &Value::Null).is_none());
        assert_eq!(comms.info(None)["comms"], json!({}));
        assert!(comms.hear("nobody", "comm_msg", &Value::Null).is_none());
    }

    #[tokio::test]
    async fn a_closure_waits_for_the_cell_unless_it_may_run_beside_one() {
        use std::time::Duration;
        let soon = |future| tokio::time::timeout(Duration::from_millis(50), future);
        let turns = Turns::default();
        let cell = turns.of_cell().await;
        let beside = turns.of_closure(true).await;
        assert!(
            soon(turns.of_closure(true)).await.is_err(),
            "two closures at a time"
        );
        assert!(
            soon(turns.of_closure(false)).await.is_err(),
            "beside a cell"
        );
        drop(cell);
        assert!(
            soon(turns.of_closure(false)).await.is_err(),
            "beside another closure"
        );
        let waiting = turns.of_closure(false);
        tokio::pin!(waiting);
        assert!(
            tokio::time::timeout(Duration::from_millis(50), &mut waiting)
                .await
                .is_err()
        );
        let cell = tokio::time::timeout(Duration::from_millis(50), turns.of_cell()).await;
        assert!(
            cell.is_ok(),
            "a cell waits for a closure that runs beside it"
        );
        drop(cell);
        drop(beside);
        let closure = waiting.await;
        assert!(
            tokio::time::timeout(Duration::from_millis(50), turns.of_cell())
                .await
                .is_err()
        );
        drop(closure);
        turns.of_cell().await;
    }
}
