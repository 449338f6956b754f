//! The way out of the process: to the live kernel, to a plain evcxr, or to a terminal.
//!
//! The live kernel names a folder in `ICVAE_LIVE`. Its socket `side` takes one request a connection
//! (the word `message` on a line of its own, then JSON to the end) and answers `ok` or a sentence.
//! Answering means that the request has its place in the cell's output, so what is printed before
//! and after it comes out before and after it.
//!
//! Each cell holds its own copy of this crate's statics, so nothing here may depend on them.

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

/// How long to wait for a kernel that does not answer, before going on without it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where output goes: what shows itself may look, and say more or less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// The live kernel, reached through this folder.
    Live(PathBuf),
    /// A plain evcxr_jupyter, which reads standard output.
    Evcxr,
    /// A terminal: a line can be overwritten.
    Terminal,
    /// A file, a pipe, a test.
    Plain,
}

impl Place {
    /// Looks where this process runs.
    pub fn find() -> Self {
        match std::env::var_os("ICVAE_LIVE") {
            Some(folder) if Path::new(&folder).join("side").exists() => Self::Live(folder.into()),
            _ if std::env::var_os("EVCXR_IS_RUNTIME").is_some() => Self::Evcxr,
            _ if std::io::stdout().is_terminal() => Self::Terminal,
            _ => Self::Plain,
        }
    }
}

/// Sends one request to the live kernel and waits until it has its place in the output.
///
/// # Errors
/// What the kernel has against the request, or that it cannot be reached.
pub(crate) fn request(folder: &Path, request: &Value) -> std::io::Result<()> {
    // What was printed so far comes first.
    std::io::stdout().flush()?;
    let mut stream = UnixStream::connect(folder.join("side"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(b"message\n")?;
    stream.write_all(&serde_json::to_vec(request)?)?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    match answer.as_str() {
        "ok" => Ok(()),
        problem => Err(std::io::Error::other(problem.to_owned())),
    }
}

/// Opens a connection that stays: the kernel writes to it what concerns these comms.
///
/// # Errors
/// If the kernel cannot be reached, or refuses.
pub(crate) fn listen(folder: &Path, comms: &Value) -> std::io::Result<BufReader<UnixStream>> {
    let mut stream = UnixStream::connect(folder.join("side"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(format!("comm {}\n{comms}\n", std::process::id()).as_bytes())?;
    let mut stream = BufReader::new(stream);
    let mut answer = String::new();
    stream.read_line(&mut answer)?;
    stream.get_ref().set_read_timeout(None)?;
    match answer.trim_end() {
        "ok" => Ok(stream),
        problem => Err(std::io::Error::other(problem.to_owned())),
    }
}

/// Prints to standard output, and is content if nobody reads it.
pub(crate) fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    /// A kernel that answers every request with `answer`, and hands over what it got.
    pub(crate) fn kernel(
        answer: &'static str,
    ) -> std::io::Result<(tempfile::TempDir, std::sync::mpsc::Receiver<String>)> {
        let folder = tempfile::tempdir()?;
        let listener = UnixListener::bind(folder.path().join("side"))?;
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut text = String::new();
                let Ok(mut stream) = stream else { return };
                if stream.read_to_string(&mut text).is_err() || sender.send(text).is_err() {
                    return;
                }
                let _ = stream.write_all(answer.as_bytes());
            }
        });
        Ok((folder, receiver))
    }

    #[test]
    fn a_request_waits_for_its_answer_and_hands_on_a_refusal() -> std::io::Result<()> {
        let (folder, received) = kernel("ok")?;
        request(folder.path(), &serde_json::json!({"type": "clear"}))?;
        assert_eq!(
            received.recv().as_deref(),
            Ok("message\n{\"type\":\"clear\"}")
        );

        let (folder, _received) = kernel("no such type")?;
        let error = request(folder.path(), &Value::Null).expect_err("a refusal");
        assert_eq!(error.to_string(), "no such type");
        Ok(())
    }

    #[test]
    fn a_kernel_that_is_gone_is_an_error() {
        assert!(request(Path::new("/nowhere"), &Value::Null).is_err());
    }
}
