//! Showing a value now, and changing it later.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::json;

use crate::channel::{self, Place};
use crate::rich::{Bundle, Rich};
use crate::widget::area;

/// Shows a value at once.
///
/// On a plain evcxr_jupyter only the last picture of a cell is seen, when the cell ends; elsewhere
/// the value's text is printed.
pub fn display<T: Rich + ?Sized>(value: &T) {
    show_at(&Place::find(), &value.rich());
}

/// Makes any value that a notebook can show fit to be the last expression of a cell.
///
/// evcxr shows a last expression richly only if its type has a method `evcxr_display`; a [`Bundle`] has.
pub fn show<T: Rich + ?Sized>(value: &T) -> Bundle {
    value.rich()
}

/// Takes away the outputs that the cell has made so far; with `wait`, only when the next one comes.
///
/// Nothing happens outside the live kernel.
pub fn clear_output(wait: bool) {
    if let Place::Live(folder) = Place::find() {
        send(
            &folder,
            &json!({"type": "clear_output", "wait": wait, "area": area()}),
        );
    }
}

fn show_at(place: &Place, bundle: &Bundle) {
    match place {
        Place::Live(folder) => {
            let request = json!({
                "type": "display_data",
                "data": bundle.data(),
                "metadata": bundle.metadata(),
                "area": area(),
            });
            if !send(folder, &request) {
                show_at(&Place::Evcxr, bundle);
            }
        }
        Place::Evcxr => channel::print(&bundle.evcxr_blocks()),
        Place::Terminal | Place::Plain => channel::print(&format!("{}\n", bundle.as_text())),
    }
}

/// Sends a request; a refusal is told on standard error, since no output may stop the caller's work.
fn send(folder: &Path, request: &serde_json::Value) -> bool {
    match channel::request(folder, request) {
        Ok(()) => true,
        Err(error) => {
            eprintln!("the notebook did not take an output: {error}");
            false
        }
    }
}

/// An output that can be replaced in place.
///
/// Outside the live kernel nothing can be replaced, so the last value is shown once, when the handle
/// goes out of scope.
#[derive(Debug)]
pub struct DisplayHandle {
    place: Place,
    id: String,
    last: Bundle,
}

impl DisplayHandle {
    /// Shows the first value.
    pub fn new<T: Rich + ?Sized>(value: &T) -> Self {
        Self::at(Place::find(), value.rich())
    }

    /// Shows the first value somewhere else than where this process runs.
    pub fn at(place: Place, bundle: Bundle) -> Self {
        // Two cells hold two copies of this counter, so it is not enough alone.
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = format!(
            "live-{}-{:?}-{}",
            std::process::id(),
            std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .unwrap_or_default()
                .as_nanos(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        let mut handle = Self {
            place,
            id,
            last: bundle,
        };
        handle.send("display_data");
        handle
    }

    /// Replaces what is shown.
    pub fn update<T: Rich + ?Sized>(&mut self, value: &T) {
        self.last = value.rich();
        self.send("update_display_data");
    }

    fn send(&mut self, kind: &str) {
        if let Place::Live(folder) = &self.place {
            let request = json!({
                "type": kind,
                "data": self.last.data(),
                "metadata": self.last.metadata(),
                "id": self.id,
                "area": area(),
            });
            if !send(folder, &request) {
                self.place = Place::Evcxr;
            }
        }
    }
}

impl Drop for DisplayHandle {
    fn drop(&mut self) {
        if !matches!(self.place, Place::Live(_)) {
            show_at(&self.place, &self.last);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::kernel;

    #[test]
    fn an_update_names_the_output_that_it_replaces() -> std::io::Result<()> {
        let (folder, received) = kernel("ok")?;
        let place = Place::Live(folder.path().into());
        let mut handle = DisplayHandle::at(place.clone(), Bundle::text("one"));
        handle.update("two");
        let other = DisplayHandle::at(place, Bundle::text("other"));
        let requests: Vec<serde_json::Value> = received
            .iter()
            .take(3)
            .map(|text| serde_json::from_str(text.trim_start_matches("message\n")))
            .collect::<Result<_, _>>()?;
        assert_eq!(requests[0]["type"], "display_data");
        assert_eq!(requests[1]["type"], "update_display_data");
        assert_eq!(requests[1]["data"]["text/plain"], "two");
        assert_eq!(requests[0]["id"], requests[1]["id"]);
        assert_ne!(requests[0]["id"], requests[2]["id"]);
        drop(other);
        Ok(())
    }
}
