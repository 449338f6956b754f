//! Running other programs: their output goes to a log, a sign of life to the reader.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::announce;

const POLL: Duration = Duration::from_millis(50);
/// How often a long step says that it is still at work.
const SIGN_OF_LIFE: Duration = Duration::from_secs(30);
/// How much of a failed program's output is shown; the rest is in the log.
const SHOWN_LINES: usize = 25;

/// Has cargo say how far it is where there is no terminal.
pub const CARGO_TELLS: [(&str, &str); 2] = [
    ("CARGO_TERM_PROGRESS_WHEN", "always"),
    ("CARGO_TERM_PROGRESS_WIDTH", "100"),
];

/// The whole message of a program that was stopped from outside.
pub const STOPPED: &str = "stopped before its end";

/// Runs `command` to its end, with all it prints going to the file `log`.
///
/// `step` names what is going on in the signs of life. As soon as `cancel` is set the program is
/// stopped.
///
/// # Errors
/// If the program can't be started, is stopped, or fails: then with its last lines.
pub fn logged(command: &mut Command, step: &str, log: &Path, cancel: &AtomicBool) -> Result<()> {
    run(command, Some(step), log, cancel, &|_| {})
}

/// The same without signs of life: `tell` hears each line, those too that a program writes over again
/// to show how far it is.
///
/// # Errors
/// The same.
pub fn watched(
    command: &mut Command,
    log: &Path,
    cancel: &AtomicBool,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<()> {
    run(command, None, log, cancel, tell)
}

fn run(
    command: &mut Command,
    step: Option<&str>,
    log: &Path,
    cancel: &AtomicBool,
    tell: &(dyn Fn(&str) + Sync),
) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    if let Some(dir) = log.parent() {
        fs::create_dir_all(dir).with_context(|| format!("{} can't be made", dir.display()))?;
    }
    let file = File::options()
        .create(true)
        .append(true)
        .open(log)
        .with_context(|| format!("{} can't be written", log.display()))?;
    writeln!(&file, "$ {command:?}")?;
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // What it starts is stopped with it; Ctrl-C is for this program to pass on.
        .process_group(0);
    die_with_this_process(command);
    let mut child = command
        .spawn()
        .with_context(|| format!("{name} can't be started"))?;

    let lines = Mutex::new(Vec::new());
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let status = thread::scope(|scope| {
        scope.spawn(|| collect(stdout, &file, &lines, tell));
        scope.spawn(|| collect(stderr, &file, &lines, tell));
        watch(&mut child, step, &lines, cancel)
    })?;
    if cancel.load(Ordering::Relaxed) && !status.success() {
        bail!(STOPPED);
    }
    if !status.success() {
        let lines = lines.into_inner().unwrap_or_default();
        let shown = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n    ");
        bail!(
            "{name} failed ({status}); all it said is in {}\n    {shown}",
            log.display()
        );
    }
    Ok(())
}

/// Hands each line of `stream` to the log, to the list of last lines and to `tell`; a line that is to be
/// written over goes to `tell` alone.
fn collect(
    stream: Option<impl Read>,
    file: &File,
    lines: &Mutex<Vec<String>>,
    tell: &(dyn Fn(&str) + Sync),
) {
    let Some(mut stream) = stream else { return };
    let (mut bytes, mut begun) = ([0; 8192], Vec::new());
    loop {
        let count = match stream.read(&mut bytes) {
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        for part in bytes[..count].split_inclusive(|byte| matches!(byte, b'\n' | b'\r')) {
            begun.extend_from_slice(part);
            match part.last() {
                Some(b'\n') => line(&begun, file, lines, tell),
                Some(b'\r') => tell(String::from_utf8_lossy(&begun).trim_end()),
                _ => continue,
            }
            begun.clear();
        }
    }
    if !begun.is_empty() {
        line(&begun, file, lines, tell);
    }

    fn line(
        bytes: &[u8],
        mut file: &File,
        lines: &Mutex<Vec<String>>,
        tell: &(dyn Fn(&str) + Sync),
    ) {
        let line = String::from_utf8_lossy(bytes).trim_end().to_owned();
        // A log that can't be written must not stop the installation.
        let _ = writeln!(file, "{line}");
        tell(&line);
        if let Ok(mut lines) = lines.lock() {
            lines.push(line);
            if lines.len() > 4 * SHOWN_LINES {
                lines.drain(..2 * SHOWN_LINES);
            }
        }
    }
}

/// Ends a program and all that it has started.
fn stop(child: &mut Child) -> std::io::Result<()> {
    use rustix::process::{Pid, Signal, kill_process_group};
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        // It may be gone already.
        let _ = kill_process_group(group, Signal::KILL);
    }
    child.kill()
}

/// Has the system end a program when this one is killed. What it has started itself comes to its end.
#[cfg(target_os = "linux")]
pub fn die_with_this_process(command: &mut Command) {
    use rustix::process::{Signal, set_parent_process_death_signal};
    // SAFETY: nothing but one system call happens between fork and exec.
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::TERM))?));
    }
}

#[cfg(not(target_os = "linux"))]
pub fn die_with_this_process(_: &mut Command) {}

/// Has a program and all that it starts give way to others, as far as the system allows.
pub fn stand_back(command: &mut Command) {
    // SAFETY: nothing but system calls happens between fork and exec.
    unsafe {
        command.pre_exec(|| {
            // Where that isn't allowed it runs all the same.
            let _ = rustix::process::nice(10);
            Ok(())
        });
    }
}

fn watch(
    child: &mut Child,
    step: Option<&str>,
    lines: &Mutex<Vec<String>>,
    cancel: &AtomicBool,
) -> Result<ExitStatus> {
    let start = Instant::now();
    let mut next = SIGN_OF_LIFE;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if cancel.load(Ordering::Relaxed) {
            stop(child)?;
        }
        if let Some(step) = step
            && start.elapsed() >= next
        {
            next += SIGN_OF_LIFE;
            let last = lines.lock().ok().and_then(|lines| lines.last().cloned());
            announce::alive(step, start.elapsed(), last.as_deref().unwrap_or_default());
        }
        thread::sleep(POLL);
    }
}

/// What `command` prints, if it ends well within `limit`.
///
/// # Errors
/// If it can't be started, fails, or takes longer (it is stopped then).
pub fn output(command: &mut Command, limit: Duration) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .with_context(|| format!("{name} can't be started"))?;
    // Read while it runs: a full pipe would hold it up.
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > limit {
            child.kill()?;
            child.wait()?;
            bail!("{name} took longer than {} s", limit.as_secs());
        }
        thread::sleep(Duration::from_millis(5));
    };
    let (stdout, stderr) = (
        stdout.join().unwrap_or_default(),
        stderr.join().unwrap_or_default(),
    );
    if !status.success() {
        bail!(
            "{name} failed ({status}): {}",
            String::from_utf8_lossy(&stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
}

/// Reads a stream to its end in a thread of its own.
fn drain(stream: Option<impl Read + Send + 'static>) -> thread::JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut stream) = stream {
            // What was read before an error is all that can be had.
            let _ = stream.read_to_end(&mut bytes);
        }
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn a_failure_shows_the_last_lines_and_names_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log/x.log");
        let script = "exec 2>&1; for i in $(seq 500); do echo line $i; done; echo why >&2; exit 3";
        let error = logged(&mut sh(script), "x", &log, &AtomicBool::new(false)).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("exit status: 3") && text.contains("x.log"),
            "{text}"
        );
        assert!(
            text.contains("why") && text.lines().count() <= SHOWN_LINES + 1,
            "{text}"
        );
        assert!(fs::read_to_string(log).unwrap().contains("line 1\n"));
    }

    #[test]
    fn cancelling_stops_the_program_and_what_it_has_started() {
        let dir = tempfile::tempdir().unwrap();
        let cancelled = AtomicBool::new(false);
        let log = dir.path().join("x.log");
        let start = Instant::now();
        let tell = |line: &str| cancelled.store(line == "ready", Ordering::Relaxed);
        // The second one holds the pipe open for as long as it lives.
        let error = watched(
            &mut sh("sleep 60 & echo ready; wait"),
            &log,
            &cancelled,
            &tell,
        );
        let error = error.unwrap_err();
        assert!(start.elapsed() < Duration::from_secs(30));
        assert!(error.to_string().contains(STOPPED));
    }

    #[test]
    fn lines_that_are_written_over_are_told_and_not_kept() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("x.log");
        let told = Mutex::new(Vec::new());
        let tell = |line: &str| told.lock().unwrap().push(line.to_owned());
        let mut script = sh(r"printf 'a\nBuilding 1/2\r'; sleep 0.1; printf 'Building 2/2\rb\nc'");
        watched(&mut script, &log, &AtomicBool::new(false), &tell).unwrap();
        assert_eq!(
            *told.lock().unwrap(),
            ["a", "Building 1/2", "Building 2/2", "b", "c"]
        );
        let kept = fs::read_to_string(log).unwrap();
        assert_eq!(kept.lines().skip(1).collect::<Vec<_>>(), ["a", "b", "c"]);
    }

    #[test]
    fn much_output_holds_nobody_up() {
        let script = "head -c 3000000 /dev/zero | tr '\\\\0' x; head -c 3000000 /dev/zero >&2";
        let text = output(&mut sh(script), Duration::from_secs(60)).unwrap();
        assert_eq!(text.len(), 3_000_000);
    }

    #[test]
    fn a_program_that_stands_back_has_a_lower_priority() {
        let priority = |change: fn(&mut Command)| {
            let mut command = sh("nice");
            change(&mut command);
            let text = output(&mut command, Duration::from_secs(60)).unwrap();
            text.parse::<i32>().unwrap()
        };
        let usual = priority(|_| {});
        assert_eq!(priority(stand_back), (usual + 10).min(19));
    }

    #[test]
    fn a_slow_or_missing_program_is_an_error() {
        let limit = Duration::from_millis(100);
        let slow = output(Command::new("sleep").arg("60"), limit).unwrap_err();
        assert!(slow.to_string().contains("took longer"));
        let missing = output(&mut Command::new("no-such-program"), limit).unwrap_err();
        assert!(missing.to_string().contains("can't be started"));
    }
}
