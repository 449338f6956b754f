//! The side channel: a Unix socket in a folder that only its user can open.
//!
//! The reader's process connects to it from two places: the prelude ([`PRELUDE`]), which replaces
//! standard output and error by connections to it, and `notebook-live`, which sends requests and
//! listens to widgets. The first line of a connection says what it is.

use super::way::{self, Spot};
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

use super::comms;
use super::kernel::Shared;

/// What attaches the reader's process to the kernel, as a cell.
///
/// From then on cells are compiled without optimisation: that halves the time to their first output, and
/// what they spend time in is a library, which is optimised. `:opt 2` in a cell turns it on for loops of one's own.
pub const PRELUDE: &str = concat!(":opt 0\n", include_str!("prelude.rs"));

/// More than this in one request is refused.
const MOST_BYTES: u64 = 512 << 20;

/// A stream of an attached process.
#[derive(Debug)]
pub struct Stream {
    /// Which one.
    pub kind: StreamKind,
    /// Of which process.
    pub process: u32,
    /// The stream.
    pub stream: UnixStream,
}

/// The streams of an attached process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StreamKind {
    /// Its standard output.
    Out,
    /// Its standard error.
    Err,
    /// Lines for evcxr; a byte comes back when a cell starts.
    Lines,
    /// A byte asks for unfinished lines, and comes back when they are written.
    Flush,
    /// Its standard input.
    In,
}

/// A panic in the reader's process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Panic {
    /// The thread's name; empty for the one that runs the cells.
    pub thread: String,
    /// The source file, as the compiler knows it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1.
    pub column: usize,
    /// Places of the cells' programs on the way there, the nearest first.
    pub way: Vec<Spot>,
    /// What the panic says.
    pub message: String,
}

/// Something to show or to know.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// A new output.
    Display {
        /// Its representations by MIME type.
        data: Value,
        /// About them.
        metadata: Value,
        /// The name under which it can be replaced.
        id: Option<String>,
        /// The area of a widget where it stands; none for the cell's output.
        area: Option<String>,
    },
    /// A replacement.
    Update {
        /// Its representations by MIME type.
        data: Value,
        /// About them.
        metadata: Value,
        /// What it replaces.
        id: String,
    },
    /// All outputs of the cell go.
    Clear {
        /// Only when the next one comes.
        wait: bool,
        /// The area of a widget that is meant.
        area: Option<String>,
    },
    /// A widget's closure begins.
    AreaBegin {
        /// Where its output stands.
        area: String,
        /// Whether all that is printed meanwhile is its output.
        captures: bool,
    },
    /// A widget's closure is over.
    AreaEnd {
        /// Where its output stands.
        area: String,
        /// How it has failed: a name and a sentence.
        error: Option<(String, String)>,
    },
    /// A message of a comm.
    Comm {
        /// Its type.
        kind: &'static str,
        /// The message.
        content: Value,
        /// About it.
        metadata: Value,
    },
    /// A long call has stopped because it was asked to.
    Interrupted {
        /// What it has reached.
        reached: String,
    },
    /// A panic.
    Panic(Panic),
}

/// Where the side channel's traffic goes.
#[derive(Debug, Clone)]
pub struct Handlers {
    /// Streams of processes that attach.
    pub streams: mpsc::Sender<Stream>,
    /// Requests that take their place in the output.
    pub requests: mpsc::Sender<(Request, oneshot::Sender<()>)>,
    /// Requests that never wait.
    pub updates: mpsc::Sender<(Request, oneshot::Sender<()>)>,
    /// What widgets need.
    pub shared: Shared,
}

/// Accepts connections for ever.
pub async fn listen(listener: UnixListener, handlers: Handlers) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                let handlers = handlers.clone();
                tokio::spawn(async move {
                    if let Err(error) = serve(stream, &handlers).await {
                        eprintln!("side channel: {error:#}");
                    }
                });
            }
            Err(error) => {
                eprintln!("side channel: {error}");
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            }
        }
    }
}

/// Makes the socket in `folder`.
///
/// # Errors
/// If the folder's path is too long for a socket or cannot be written.
pub fn bind(folder: &Path) -> Result<UnixListener> {
    let path = folder.join("side");
    UnixListener::bind(&path).with_context(|| format!("cannot listen on {}", path.display()))
}

async fn serve(mut stream: UnixStream, handlers: &Handlers) -> Result<()> {
    let mut line = Vec::new();
    loop {
        // Byte by byte, since what follows belongs to somebody else.
        match stream
            .read_u8()
            .await
            .context("a connection without a first line")?
        {
            b'\n' => break,
            byte if line.len() < 64 => line.push(byte),
            _ => anyhow::bail!("a connection whose first line is too long"),
        }
    }
    let line = String::from_utf8_lossy(&line).into_owned();
    let (kind, process) = line.split_once(' ').unwrap_or((&line, ""));
    let kind = match kind {
        "out" => StreamKind::Out,
        "err" => StreamKind::Err,
        "lines" => StreamKind::Lines,
        "flush" => StreamKind::Flush,
        "in" => StreamKind::In,
        "comm" => return comms::attend(stream, &handlers.shared).await,
        "turn" | "beside" => return comms::grant(stream, kind == "beside", &handlers.shared).await,
        "message" | "panic" => {
            let panic = kind == "panic";
            let mut body = Vec::new();
            (&mut stream)
                .take(MOST_BYTES + 1)
                .read_to_end(&mut body)
                .await?;
            let answer = match take(body, panic, handlers).await {
                Ok(()) => "ok".to_owned(),
                Err(error) => {
                    eprintln!("side channel: refused: {error:#}");
                    format!("{error:#}")
                }
            };
            // Who does not wait for the answer has not got to hear it.
            let _ = stream.write_all(answer.as_bytes()).await;
            return Ok(());
        }
        _ => anyhow::bail!("a connection of the unknown kind {kind:?}"),
    };
    let process = process.parse().context("a stream without a process")?;
    handlers
        .streams
        .send(Stream {
            kind,
            process,
            stream,
        })
        .await?;
    Ok(())
}

async fn take(body: Vec<u8>, panic: bool, handlers: &Handlers) -> Result<()> {
    anyhow::ensure!(
        body.len() as u64 <= MOST_BYTES,
        "a request of more than 512 MB"
    );
    let request = if panic {
        Request::Panic(parse_panic(&String::from_utf8_lossy(&body)))
    } else {
        parse(&serde_json::from_slice(&body).context("the request is not JSON")?)?
    };
    drop(body);
    let queue = match request {
        Request::Update { .. } | Request::Interrupted { .. } | Request::Panic(_) => {
            &handlers.updates
        }
        Request::Display { .. }
        | Request::Clear { .. }
        | Request::AreaBegin { .. }
        | Request::AreaEnd { .. }
        | Request::Comm { .. } => &handlers.requests,
    };
    let (done, taken) = oneshot::channel();
    queue.send((request, done)).await?;
    taken.await.context("the kernel is shutting down")
}

fn parse(request: &Value) -> Result<Request> {
    let bundle = || {
        let data = request["data"]
            .as_object()
            .context("`data` is not an object")?;
        anyhow::ensure!(!data.is_empty(), "`data` holds no representation");
        for mime in data.keys() {
            anyhow::ensure!(is_mime(mime), "{mime:?} is not a MIME type");
        }
        let metadata = match &request["metadata"] {
            Value::Null => json!({}),
            metadata if metadata.is_object() => metadata.clone(),
            _ => anyhow::bail!("`metadata` is not an object"),
        };
        Ok((Value::from(data.clone()), metadata))
    };
    let name = |field: &str| match &request[field] {
        Value::Null => Ok(None),
        Value::String(name) => Ok(Some(name.clone())),
        _ => anyhow::bail!("`{field}` is not a string"),
    };
    let (id, area) = (name("id")?, name("area")?);
    let comm = |kind| {
        name("comm_id")?.context("a comm's message must name a `comm_id`")?;
        let mut content = json!({"comm_id": request["comm_id"], "data": request["data"]});
        if kind == "comm_open" {
            content["target_name"] = name("target_name")?.context("no `target_name`")?.into();
        }
        let metadata = match &request["metadata"] {
            metadata if metadata.is_object() => metadata.clone(),
            _ => json!({}),
        };
        Ok(Request::Comm {
            kind,
            content,
            metadata,
        })
    };
    match request["type"].as_str().unwrap_or_default() {
        "display_data" => {
            let (data, metadata) = bundle()?;
            Ok(Request::Display {
                data,
                metadata,
                id,
                area,
            })
        }
        "update_display_data" => {
            let (data, metadata) = bundle()?;
            let id = id.context("an update must name an `id`")?;
            Ok(Request::Update { data, metadata, id })
        }
        "clear_output" => Ok(Request::Clear {
            wait: request["wait"].as_bool() == Some(true),
            area,
        }),
        "area_begin" => Ok(Request::AreaBegin {
            area: area.context("no `area`")?,
            captures: request["captures"].as_bool() == Some(true),
        }),
        "area_end" => {
            let error = &request["error"];
            let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
            Ok(Request::AreaEnd {
                area: area.context("no `area`")?,
                error: error.is_object().then(|| (text("name"), text("value"))),
            })
        }
        "comm_open" => comm("comm_open"),
        "comm_msg" => comm("comm_msg"),
        "comm_close" => comm("comm_close"),
        "interrupted" => Ok(Request::Interrupted {
            reached: request["reached"].as_str().unwrap_or_default().to_owned(),
        }),
        other => anyhow::bail!("requests of the type {other:?} are unknown"),
    }
}

/// Whether this is a type and a subtype, as RFC 6838 writes them.
pub fn is_mime(text: &str) -> bool {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c))
    };
    let text = text.split(';').next().unwrap_or_default();
    text.split_once('/')
        .is_some_and(|(kind, sub)| is_name(kind) && is_name(sub))
}

fn parse_panic(body: &str) -> Panic {
    let mut fields = body.splitn(6, '\0').map(str::to_owned);
    let mut next = || fields.next().unwrap_or_default();
    Panic {
        thread: next(),
        file: next(),
        line: next().parse().unwrap_or(0),
        column: next().parse().unwrap_or(0),
        way: way::parse(&next()),
        message: next(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::interrupt::Interrupts;
    use super::*;
    use crate::cases::cases;
    use proptest::prelude::*;

    fn json_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z/]{0,12}".prop_map(Value::from),
            Just(json!("display_data")),
            Just(json!("update_display_data")),
            Just(json!("comm_open")),
            Just(json!("area_end")),
            Just(json!("text/plain")),
        ];
        leaf.prop_recursive(3, 24, 5, |inner| {
            let key = prop_oneof![
                Just("type"),
                Just("data"),
                Just("metadata"),
                Just("id"),
                Just("area"),
                Just("comm_id"),
                Just("error"),
                Just("reached"),
                Just("text/plain"),
            ];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..6)
                    .prop_map(|fields| fields.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #![proptest_config(cases(500))]

        #[test]
        fn any_request_is_taken_or_refused_in_a_sentence(request in json_value()) {
            match parse(&request) {
                Ok(Request::Display { data, metadata, .. } | Request::Update { data, metadata, .. }) => {
                    let data = data.as_object().unwrap();
                    prop_assert!(!data.is_empty() && data.keys().all(|mime| is_mime(mime)));
                    prop_assert!(metadata.is_object());
                }
                Ok(_) => {}
                Err(error) => prop_assert!(!error.to_string().contains('\n')),
            }
        }

        #[test]
        fn any_panic_is_taken(body in "(\\PC|\0){0,60}") {
            parse_panic(&body);
        }

        /// Whatever a connection says first: it is served or refused, and the next one is heard.
        #[test]
        fn any_connection_is_borne(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0u8..7) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let (streams, _streams) = mpsc::channel(4);
                let (requests, mut request_queue) = mpsc::channel::<(Request, oneshot::Sender<()>)>(4);
                let updates = requests.clone();
                tokio::spawn(async move {
                    while let Some((_, done)) = request_queue.recv().await {
                        let _ = done.send(());
                    }
                });
                let (mut client, server) = UnixStream::pair().unwrap();
                let first: &[u8] = [
                    &b"message\n"[..], b"out 1\n", b"panic\n", b"", b"comm 1\n", b"turn 1\n", b"beside 1\n",
                ][kind as usize];
                client.write_all(first).await.unwrap();
                client.write_all(&bytes).await.unwrap();
                client.shutdown().await.unwrap();
                // Served to its end, in bounded time.
                let folder = tempfile::tempdir().unwrap();
                let (output, _output) = mpsc::channel(64);
                let interrupts = Interrupts::new(folder.path()).unwrap();
                let shared = Shared::new(String::new(), output, interrupts, folder.path().into());
                let handlers = Handlers { streams, requests, updates, shared };
                let served = tokio::time::timeout(
                    std::time::Duration::from_secs(20),
                    serve(server, &handlers),
                );
                let _ = served.await.expect("a connection that never ends");
            });
        }
    }

    #[test]
    fn requests_that_make_no_sense_are_refused_with_a_reason() {
        for (request, problem) in [
            (json!([]), "type \"\" are unknown"),
            (json!({"type": "frobnicate"}), "\"frobnicate\""),
            (json!({"type": "display_data"}), "`data` is not an object"),
            (
                json!({"type": "display_data", "data": {}}),
                "no representation",
            ),
            (
                json!({"type": "display_data", "data": {"png": ""}}),
                "\"png\" is not a MIME type",
            ),
            (
                json!({"type": "display_data", "data": {"a/": ""}}),
                "\"a/\" is not a MIME type",
            ),
            (
                json!({"type": "update_display_data", "data": {"text/plain": ""}}),
                "`id`",
            ),
            (
                json!({"type": "display_data", "data": {"text/plain": ""}, "id": 3}),
                "a string",
            ),
            (
                json!({"type": "display_data", "data": {"text/plain": ""}, "metadata": 3}),
                "`metadata`",
            ),
        ] {
            let error = parse(&request).unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
        }
    }

    #[test]
    fn a_panic_keeps_all_its_fields() {
        let panic = parse_panic("worker\0src/lib.rs\x0012\x005\x0012 /a.so\n\0it\0broke");
        assert_eq!(panic.thread, "worker");
        assert_eq!(
            (panic.file.as_str(), panic.line, panic.column),
            ("src/lib.rs", 12, 5)
        );
        assert_eq!(panic.way, way::parse("12 /a.so"));
        assert_eq!(panic.way.len(), 1);
        assert_eq!(panic.message, "it\0broke");
        assert_eq!(parse_panic(""), Panic::default());
    }

    #[test]
    fn mime_types() {
        for good in [
            "text/plain",
            "image/svg+xml",
            "application/vnd.vega.v5+json",
        ] {
            assert!(is_mime(good), "{good}");
        }
        for bad in [
            "",
            "text",
            "/",
            "text/",
            "te xt/plain",
            "text/pl/ain",
            "<b>/x",
        ] {
            assert!(!is_mime(bad), "{bad}");
        }
    }
}
