//! Calling a reader's closure: in its turn, with its output below its widget, and whatever it does.

use std::any::Any;
use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde_json::json;

use crate::channel;

thread_local! {
    /// Where the closure that runs in this thread shows what it shows.
    static AREA: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// The output area of the closure that runs in this thread, if one does.
pub(crate) fn area() -> Option<String> {
    AREA.with_borrow(Clone::clone)
}

/// What a closure may end with.
pub trait Ended {
    /// Its error, as a sentence.
    fn error(self) -> Option<String>;
}

impl Ended for () {
    fn error(self) -> Option<String> {
        None
    }
}

impl<E: std::fmt::Display> Ended for Result<(), E> {
    fn error(self) -> Option<String> {
        self.err().map(|error| error.to_string())
    }
}

/// Why a closure has not ended well.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    name: &'static str,
    value: String,
}

/// Calls it, and bears a panic.
fn call<R: Ended>(closure: impl FnOnce() -> R) -> Option<Failure> {
    match catch_unwind(AssertUnwindSafe(|| closure().error())) {
        Ok(error) => error.map(|value| Failure {
            name: "Error",
            value,
        }),
        Err(payload) => Some(Failure {
            name: "Panic",
            value: said(&*payload),
        }),
    }
}

fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}

/// Calls the closure with its output in `area`. With `captures` all that is printed meanwhile counts as
/// its output, else only what it displays.
pub(super) fn call_in_area<R: Ended>(
    folder: &Path,
    area: &str,
    captures: bool,
    closure: impl FnOnce() -> R,
) -> io::Result<()> {
    channel::request(
        folder,
        &json!({"type": "area_begin", "area": area, "captures": captures}),
    )?;
    let outer = AREA.replace(Some(area.to_owned()));
    let failure = call(closure);
    AREA.set(outer.clone());
    let error = failure.map(|Failure { name, value }| json!({"name": name, "value": value}));
    channel::request(
        folder,
        &json!({"type": "area_end", "area": area, "outer": outer, "error": error}),
    )
}

/// Calls the closure where no kernel takes its output apart.
pub(super) fn call_here<R: Ended>(closure: impl FnOnce() -> R) {
    if let Some(failure) = call(closure)
        && failure.name == "Error"
    {
        eprintln!("Error: {}", failure.value);
    }
}

/// The right to run now. The kernel grants it to one after the other, and takes it back when this is
/// dropped, however that comes about.
#[derive(Debug)]
pub(super) struct Turn {
    _connection: BufReader<UnixStream>,
}

impl Turn {
    /// Waits for it: until no cell runs, or with `beside` only until no other closure runs.
    pub(super) fn wait(folder: &Path, beside: bool) -> io::Result<Self> {
        let mut stream = UnixStream::connect(folder.join("side"))?;
        let kind = if beside { "beside" } else { "turn" };
        stream.write_all(format!("{kind} {}\n", std::process::id()).as_bytes())?;
        let mut connection = BufReader::new(stream);
        let mut granted = String::new();
        connection.read_line(&mut granted)?;
        match granted.as_str() {
            "go\n" => Ok(Self {
                _connection: connection,
            }),
            _ => Err(io::Error::other("the kernel has ended")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::kernel;

    #[test]
    fn errors_and_panics_are_told_and_borne() {
        assert_eq!(call(|| ()), None);
        assert_eq!(call(|| Ok::<(), String>(())), None);
        let failure = |name, value: &str| {
            Some(Failure {
                name,
                value: value.into(),
            })
        };
        assert_eq!(
            call(|| Err::<(), _>("no such digit")),
            failure("Error", "no such digit")
        );
        let empty: Vec<u8> = Vec::new();
        let found = call(|| assert_eq!(empty.len(), 1, "one is wanted"));
        assert!(
            matches!(found, Some(Failure { name: "Panic", value }) if value.contains("one is wanted"))
        );
    }

    #[test]
    fn what_a_closure_displays_names_its_area() -> io::Result<()> {
        let (folder, received) = kernel("ok")?;
        call_in_area(folder.path(), "a", true, || {
            assert_eq!(area().as_deref(), Some("a"));
            call_in_area(folder.path(), "b", true, || Err::<(), _>("oh")).map_err(|e| e.to_string())
        })?;
        assert_eq!(area(), None);
        let told: Vec<String> = received.iter().take(4).collect();
        assert!(told[0].contains("area_begin") && told[0].contains("\"a\""));
        assert!(
            told[2].contains("\"outer\":\"a\"") && told[2].contains("\"value\":\"oh\""),
            "{}",
            told[2]
        );
        assert!(told[3].contains("\"outer\":null") && told[3].contains("\"error\":null"));
        Ok(())
    }
}
