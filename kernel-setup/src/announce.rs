//! What the tool says while it works: one line when a step begins, one when it ends.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// A step that is already done: said in one line.
pub fn ready(step: &str, detail: &str) {
    println!("  ok    {step}: {detail}");
}

/// A step that is left out, and why.
pub fn skipped(step: &str, why: &str) {
    println!("  skip  {step}: {why}");
}

/// Something that the reader should know.
pub fn note(text: &str) {
    println!("  note  {text}");
}

/// How far long steps are.
pub fn progress(line: &str) {
    println!("  ...   {line}");
}

/// That a long step is still at work.
pub fn alive(step: &str, elapsed: Duration, detail: &str) {
    let detail: String = detail.trim().chars().take(60).collect();
    println!("  ...   {step}: {} so far; {detail}", seconds(elapsed));
}

/// Announces a step, does it, and says how long it took.
///
/// # Errors
/// Those of `work`, with the step's name in front.
pub fn step<T>(step: &str, what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    println!("  >     {step}: {what}");
    let start = Instant::now();
    let value = work().with_context(|| format!("{step} failed"))?;
    println!("  done  {step}: {}", seconds(start.elapsed()));
    Ok(value)
}

/// A duration as a reader says it: `8.4 s`, `3 min 55 s`.
pub fn seconds(duration: Duration) -> String {
    let total = duration.as_secs_f64();
    if total < 60.0 {
        format!("{total:.1} s")
    } else {
        format!(
            "{} min {:02} s",
            duration.as_secs() / 60,
            duration.as_secs() % 60
        )
    }
}

/// A size as a reader says it: `812 MB`, `1.4 GB`.
pub fn bytes(size: u64) -> String {
    let megabytes = size as f64 / 1e6;
    if megabytes < 1000.0 {
        format!("{megabytes:.0} MB")
    } else {
        format!("{:.1} GB", megabytes / 1000.0)
    }
}
