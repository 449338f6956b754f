//! Fetching an [`Archive`] from its mirrors into a folder, file by file.

use std::fmt;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use ureq::Agent;

use super::mnist::ArchiveFile;
use super::{Archive, DataError, idx};
use crate::files::write_whole;
use crate::interrupt::interrupted;
use crate::{Error, Result};

/// More than any file that is fetched; a mirror that sends more sends something else.
pub(super) const LARGEST: u64 = 64 << 20;

/// What [`Archive::fetch`] is doing. As text: a line for a log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FetchEvent {
    /// Bytes are coming in.
    Receiving {
        /// The file.
        file: String,
        /// Where it comes from.
        mirror: String,
        /// Bytes so far; 0 in the first report of a file.
        received: u64,
        /// Bytes in all, where the mirror says so.
        total: Option<u64>,
    },
    /// A mirror has failed; the next one, where there is one, is tried.
    Failed {
        /// The file.
        file: String,
        /// The mirror.
        mirror: String,
        /// What went wrong.
        problem: String,
    },
}

impl fmt::Display for FetchEvent {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Receiving {
                file,
                mirror,
                received: 0,
                total,
            } => {
                let size = total
                    .map(|total| format!(" ({})", size(total)))
                    .unwrap_or_default();
                write!(f, "Fetching {file}{size} from {}", host(mirror))
            }
            Self::Receiving { file, received, .. } => write!(f, "{file}: {}", size(*received)),
            Self::Failed {
                file,
                mirror,
                problem,
            } => {
                write!(f, "{} did not give {file}: {problem}", host(mirror))
            }
        }
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        _ => format!("{:.1} MB", bytes as f64 / 1e6),
    }
}

/// What [`Archive::fetch`] gives.
#[derive(Debug)]
pub struct Fetched {
    /// The unpacked content of the four files, each with the right checksum.
    pub contents: [Vec<u8>; 4],
    /// Why the files could not be kept, where they couldn't.
    pub not_kept: Option<String>,
}

impl Archive {
    /// The four files: those that `folder` holds whole, and the others from the mirrors.
    ///
    /// What is fetched is checked, then kept in `folder` (made where it is missing), each file
    /// whole or not at all, so that a fetch that was cut off goes on at the first missing file. A
    /// folder that can't be written does no harm but that.
    ///
    /// # Errors
    /// If no mirror gives a file, or somebody interrupts.
    pub fn fetch(
        &self,
        folder: Option<&Path>,
        progress: &mut dyn FnMut(FetchEvent),
    ) -> Result<Fetched> {
        let agent = agent(self.connect_timeout, self.stall_timeout);
        let mut mirrors: Vec<&str> = self.mirrors.iter().map(String::as_str).collect();
        let mut contents = [const { Vec::new() }; 4];
        let mut not_kept = None;
        for (content, file) in contents.iter_mut().zip(&self.files) {
            let kept = folder.and_then(|folder| file.read(folder).ok());
            if let Some(kept) = kept.filter(|kept| file.is_genuine(kept)) {
                *content = kept;
                continue;
            }
            let mut failures = Vec::new();
            *content = loop {
                if interrupted() {
                    return Err(Error::Interrupted(format!(
                        "fetching {} was interrupted; the files before it are kept",
                        file.name
                    )));
                }
                if failures.len() == mirrors.len() {
                    let name = file.name.clone();
                    return Err(DataError::Unreachable {
                        name,
                        problems: told(failures),
                    }
                    .into());
                }
                let mirror = mirrors[0];
                match receive(&agent, mirror, file, progress) {
                    Ok((raw, unpacked)) => {
                        let kept = folder.map_or(Ok(()), |folder| {
                            write_whole(&folder.join(file.packed_name()), &raw)
                        });
                        // The error itself would name the temporary file, which is gone.
                        not_kept = not_kept.or(kept.err().map(|e| e.kind().to_string()));
                        break unpacked;
                    }
                    // The next turn of the loop says so.
                    Err(_) if interrupted() => {}
                    Err(problem) => {
                        failures.push((mirror.to_owned(), problem.clone()));
                        progress(FetchEvent::Failed {
                            file: file.name.clone(),
                            mirror: mirror.to_owned(),
                            problem,
                        });
                        // The next file is asked of the other first: a failure may have cost a
                        // time-out.
                        mirrors.rotate_left(1);
                    }
                }
            };
        }
        Ok(Fetched { contents, not_kept })
    }
}

/// A file from one mirror, as it came and unpacked, or what is wrong.
fn receive(
    agent: &Agent,
    mirror: &str,
    file: &ArchiveFile,
    progress: &mut dyn FnMut(FetchEvent),
) -> Result<(Vec<u8>, Vec<u8>), String> {
    let address = format!("{}/{}", mirror.trim_end_matches('/'), file.packed_name());
    let raw = download(agent, &address, &file.name, mirror, progress)?;
    let content = idx::unpacked("what it sent", raw.clone()).map_err(|e| e.to_string())?;
    if !file.is_genuine(&content) {
        return Err("what it sent has another checksum".into());
    }
    Ok((raw, content))
}

/// An agent that waits no longer than so for a connection, and for whatever comes next.
pub(super) fn agent(connect: Duration, stall: Duration) -> Agent {
    Agent::config_builder()
        .timeout_resolve(Some(connect))
        .timeout_connect(Some(connect))
        .timeout_recv_response(Some(stall))
        .timeout_per_read(Some(stall))
        .build()
        .into()
}

/// What an address sends, or what is wrong; progress is reported of `file` from `mirror`.
pub(super) fn download(
    agent: &Agent,
    address: &str,
    file: &str,
    mirror: &str,
    progress: &mut dyn FnMut(FetchEvent),
) -> Result<Vec<u8>, String> {
    let response = agent.get(address).call().map_err(|e| match e {
        ureq::Error::Io(e) => e.to_string(),
        ureq::Error::StatusCode(status) => format!("it answered with status {status}"),
        e => e.to_string(),
    })?;
    let total = response.body().content_length();
    let mut report = |received: u64| {
        progress(FetchEvent::Receiving {
            file: file.to_owned(),
            mirror: mirror.to_owned(),
            received,
            total,
        });
    };
    report(0);
    let mut raw = Vec::new();
    let mut chunk = vec![0; 64 << 10];
    let mut body = response.into_body().into_reader().take(LARGEST);
    loop {
        if interrupted() {
            return Err("it was interrupted".into());
        }
        match body
            .read(&mut chunk)
            .map_err(|e| format!("after {} bytes: {e}", raw.len()))?
        {
            0 => break,
            n => {
                raw.extend_from_slice(&chunk[..n]);
                report(raw.len() as u64);
            }
        }
    }
    if total.is_some_and(|total| total != raw.len() as u64) {
        return Err(format!("the connection closed after {} bytes", raw.len()));
    }
    if raw.trim_ascii_start().starts_with(b"<") {
        return Err("it answered with a web page instead of the file".into());
    }
    Ok(raw)
}

/// The host of an address, which is what a reader cares for.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// Who failed and how, without saying the same twice.
pub(super) fn told(failures: Vec<(String, String)>) -> String {
    let mut told: Vec<(String, String)> = Vec::new();
    for (address, problem) in failures {
        let host = host(&address).to_owned();
        match told.last_mut().filter(|(_, last)| *last == problem) {
            Some((hosts, _)) => *hosts = format!("{hosts} and {host}"),
            None => told.push((host, problem)),
        }
    }
    let told: Vec<_> = told
        .into_iter()
        .map(|(hosts, why)| format!("{hosts}: {why}"))
        .collect();
    told.join("; ")
}
