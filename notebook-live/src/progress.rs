//! One line that tells how far a long call has come.

use std::time::{Duration, Instant};

use crate::channel::{self, Place};
use crate::display::DisplayHandle;
use crate::rich::Bundle;

/// Updates closer together than this are skipped where a line can be overwritten …
const BETWEEN_UPDATES: Duration = Duration::from_millis(100);
/// … and where it cannot.
const BETWEEN_LINES: Duration = Duration::from_secs(5);
/// Cells of the bar.
const WIDTH: u64 = 24;

/// A progress bar: one line with the share that is done, the rate and the time left.
///
/// In the live kernel the line is updated in place, at most ten times a second, and its last state
/// stays in the notebook. On a terminal it is overwritten. Elsewhere a plain line comes every five
/// seconds, and one at the end.
#[derive(Debug)]
pub struct Progress {
    label: String,
    total: u64,
    done: u64,
    /// What was done before the clock started.
    before: u64,
    note: String,
    started: Instant,
    shown: Option<Instant>,
    line: Line,
}

/// How the line is drawn.
#[derive(Debug)]
enum Line {
    /// Replaced in place; made with the first update.
    Display(Place, Option<DisplayHandle>),
    Terminal,
    Plain,
    Finished,
}

impl Progress {
    /// Starts a bar over `total` steps.
    pub fn new(label: impl Into<String>, total: u64) -> Self {
        Self::at(Place::find(), label.into(), total)
    }

    fn at(place: Place, label: String, total: u64) -> Self {
        let line = match place {
            Place::Live(_) => Line::Display(place, None),
            Place::Terminal => Line::Terminal,
            Place::Evcxr | Place::Plain => Line::Plain,
        };
        Self {
            label,
            total,
            done: 0,
            before: 0,
            note: String::new(),
            started: Instant::now(),
            shown: None,
            line,
        }
    }

    /// Says that `done` steps were done earlier: they don't count in the rate.
    #[must_use]
    pub fn resumed_at(mut self, done: u64) -> Self {
        (self.before, self.done) = (done, done);
        self
    }

    /// Says that `done` steps of the total are behind us.
    pub fn set(&mut self, done: u64) {
        self.done = done;
        let now = Instant::now();
        let pause = match self.line {
            Line::Plain => BETWEEN_LINES,
            _ => BETWEEN_UPDATES,
        };
        let last = match (self.shown, &self.line) {
            (None, Line::Plain) => self.started,
            (None, _) => return self.draw(now),
            (Some(shown), _) => shown,
        };
        if now.duration_since(last) >= pause {
            self.draw(now);
        }
    }

    /// One step more is behind us.
    pub fn step(&mut self) {
        self.set(self.done + 1);
    }

    /// Sets what stands at the end of the line, such as the loss; shown with the next update.
    pub fn note(&mut self, note: impl Into<String>) {
        self.note = note.into();
    }

    /// Shows the last state and lets it stand. Going out of scope does the same.
    pub fn finish(&mut self) {
        if !matches!(self.line, Line::Finished) {
            self.draw(Instant::now());
            if matches!(self.line, Line::Terminal) {
                channel::print("\n");
            }
            self.line = Line::Finished;
        }
    }

    fn draw(&mut self, now: Instant) {
        self.shown = Some(now);
        let text = self.text(now.duration_since(self.started));
        match &mut self.line {
            Line::Display(_, Some(handle)) => handle.update(text.as_str()),
            Line::Display(place, handle) => {
                *handle = Some(DisplayHandle::at(place.clone(), Bundle::text(text)));
            }
            Line::Terminal => channel::print(&format!("\r{text}\x1b[K")),
            Line::Plain => channel::print(&format!("{text}\n")),
            Line::Finished => {}
        }
    }

    /// The line after `elapsed` time.
    fn text(&self, elapsed: Duration) -> String {
        let done = self.done.min(self.total);
        let full = (done * WIDTH).checked_div(self.total).unwrap_or(WIDTH);
        let bar: String = (0..WIDTH)
            .map(|i| if i < full { '━' } else { '─' })
            .collect();
        let percent = (done * 100).checked_div(self.total).unwrap_or(100);
        let seconds = elapsed.as_secs_f64();
        let now = done.saturating_sub(self.before);
        let rate = now as f64 / seconds.max(1e-9);
        let time = if done == self.total {
            format!("took {}", clock(seconds))
        } else if now == 0 {
            String::new()
        } else {
            format!("{} left", clock((self.total - done) as f64 / rate))
        };
        let rate = if now == 0 || seconds == 0.0 {
            String::new()
        } else if rate >= 10.0 {
            format!("{rate:.0}/s")
        } else {
            format!("{rate:.2}/s")
        };
        let total = self.total;
        [
            self.label.as_str(),
            &bar,
            &format!("{percent:3} %"),
            &format!("{done}/{total}"),
            &rate,
            &time,
            &self.note,
        ]
        .into_iter()
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join("  ")
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Seconds as hours, minutes and seconds.
fn clock(seconds: f64) -> String {
    let seconds = seconds.round() as u64;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::tests::kernel;

    #[test]
    fn the_line_tells_share_rate_and_time_left() {
        let mut progress = Progress::at(Place::Plain, "epoch 2".into(), 1875);
        progress.done = 625;
        progress.note("loss 38.2");
        assert_eq!(
            progress.text(Duration::from_secs(2)),
            "epoch 2  ━━━━━━━━────────────────   33 %  625/1875  312/s  0:04 left  loss 38.2"
        );
        progress.done = 1875;
        assert_eq!(
            progress.text(Duration::from_secs(3700)),
            "epoch 2  ━━━━━━━━━━━━━━━━━━━━━━━━  100 %  1875/1875  0.51/s  took 1:01:40  loss 38.2"
        );
    }

    #[test]
    fn what_was_done_earlier_does_not_count_in_the_rate() {
        let mut progress = Progress::at(Place::Plain, "epoch 2".into(), 1000).resumed_at(500);
        assert!(
            progress
                .text(Duration::from_secs(5))
                .ends_with(" 50 %  500/1000")
        );
        progress.done = 600;
        let text = progress.text(Duration::from_secs(5));
        assert!(text.ends_with("600/1000  20/s  0:20 left"), "{text}");
    }

    #[test]
    fn nothing_to_do_and_too_much_done_are_both_complete() {
        let progress = Progress::at(Place::Plain, "copy".into(), 0);
        assert!(progress.text(Duration::ZERO).contains("100 %  0/0"));
        let mut progress = Progress::at(Place::Plain, "copy".into(), 2);
        progress.set(5);
        assert!(progress.text(Duration::from_secs(1)).contains("100 %  2/2"));
    }

    #[test]
    fn updates_are_few_and_the_last_state_is_kept() -> std::io::Result<()> {
        let (folder, received) = kernel("ok")?;
        let place = Place::Live(folder.path().into());
        let mut progress = Progress::at(place, "epoch 1".into(), 100_000);
        for done in 1..=100_000 {
            progress.set(done);
        }
        let tenths = progress.started.elapsed().as_millis() / 100;
        drop(progress);
        drop(folder);
        let requests: Vec<String> = received.try_iter().collect();
        assert!(
            requests.len() as u128 <= 3 + tenths,
            "{} updates",
            requests.len()
        );
        assert!(requests[0].contains("\"display_data\""));
        let last = requests.last().map(String::as_str).unwrap_or_default();
        assert!(last.contains("update_display_data") && last.contains("100000/100000"));
        Ok(())
    }
}
