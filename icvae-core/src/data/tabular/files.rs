//! UCI's files: which they are, where they are, and whether they are the true ones.

use std::io::{Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use ureq::Agent;

use crate::data::fetch::{LARGEST, download, told};
use crate::data::{DataError, FetchEvent, idx};
use crate::files::{hex, write_whole};
use crate::interrupt::interrupted;
use crate::{Error, Result};

/// A file of a table.
#[derive(Debug, Clone)]
pub struct TableFile {
    /// Its name.
    pub name: String,
    /// SHA-256 of its content, in hexadecimal.
    pub sha256: String,
    /// Where it can be fetched, in the order in which it is tried.
    pub addresses: Vec<Address>,
}

/// Where a file can be fetched.
#[derive(Debug, Clone)]
pub enum Address {
    /// The file itself, gzipped or not.
    Plain(String),
    /// A zip archive that holds it under its name, in whatever folder.
    Zip(String),
}

impl TableFile {
    /// The three files of UCI that the tasks need.
    pub fn uci() -> Vec<Self> {
        let file = |name: &str, sha256: &str, folder: &str, zip: &str| Self {
            name: name.to_owned(),
            sha256: sha256.to_owned(),
            addresses: vec![
                Address::Zip(format!(
                    "https://archive.ics.uci.edu/static/public/{zip}.zip"
                )),
                Address::Plain(format!(
                    "https://archive.ics.uci.edu/ml/machine-learning-databases/{folder}/{name}"
                )),
            ],
        };
        vec![
            file(
                "adult.data",
                "5b00264637dbfec36bdeaab5676b0b309ff9eb788d63554ca0a249491c86603d",
                "adult",
                "2/adult",
            ),
            file(
                "adult.test",
                "a2a9044bc167a35b2361efbabec64e89d69ce82d9790d2980119aac5fd7e9c05",
                "adult",
                "2/adult",
            ),
            file(
                "german.data",
                "b21f3d81db8071257d5ff1deaeba1fd4303b62712e6fcc9715c7a86202cb5871",
                "statlog/german",
                "144/statlog+german+credit+data",
            ),
        ]
    }

    /// The content of the file in `folder`, gzipped or not.
    ///
    /// # Errors
    /// If it is missing, unreadable, empty, or not the file that its checksum names.
    pub fn read(&self, folder: &Path) -> Result<Vec<u8>> {
        let mut problem = None;
        for name in [self.name.clone(), format!("{}.gz", self.name)] {
            let path = folder.join(name);
            let shown = path.display().to_string();
            let content = match std::fs::read(&path) {
                Ok(raw) => idx::unpacked(&shown, raw).map_err(Error::from),
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    continue;
                }
                Err(source) => Err(Error::Io { path, source }),
            };
            match content.and_then(|content| self.checked(&shown, content)) {
                Ok(content) => return Ok(content),
                // A damaged file must not hide a good one beside it.
                Err(error) => problem = problem.or(Some(error)),
            }
        }
        Err(problem.unwrap_or_else(|| {
            let name = &self.name;
            let told = format!(
                "holds neither {name} nor {name}.gz: point ICVAE_TABULAR_DIR at a folder with UCI's files, or unset it"
            );
            DataError::file(folder.display().to_string(), told).into()
        }))
    }

    fn checked(&self, shown: &str, content: Vec<u8>) -> Result<Vec<u8>> {
        if content.is_empty() {
            let problem = "is empty: replace it by a whole copy of UCI's file";
            return Err(DataError::file(shown, problem).into());
        }
        let found = hex(&Sha256::digest(&content));
        if !found.eq_ignore_ascii_case(&self.sha256) {
            let problem = format!(
                "is not UCI's file: its SHA-256 begins with {} instead of {}; replace it by a whole copy",
                &found[..8],
                self.sha256.get(..8).unwrap_or(&self.sha256)
            );
            return Err(DataError::file(shown, problem).into());
        }
        Ok(content)
    }

    /// The file from `folder` where it is there, else from the first address that gives it, and then kept in `folder`;
    /// why it could not be kept comes second.
    ///
    /// # Errors
    /// If no address gives it, or somebody interrupts.
    pub(super) fn fetch(
        &self,
        agent: &Agent,
        folder: Option<&Path>,
        progress: &mut dyn FnMut(FetchEvent),
    ) -> Result<(Vec<u8>, Option<String>)> {
        if let Some(kept) = folder.and_then(|folder| self.read(folder).ok()) {
            return Ok((kept, None));
        }
        let mut failures = Vec::new();
        for address in &self.addresses {
            let (Address::Plain(url) | Address::Zip(url)) = address;
            let received = download(agent, url, &self.name, url, progress)
                .and_then(|raw| self.unpacked(address, raw));
            if interrupted() {
                let told = format!("fetching {} was interrupted", self.name);
                return Err(Error::Interrupted(told));
            }
            match received {
                Ok(content) => {
                    let kept = folder.map_or(Ok(()), |folder| {
                        write_whole(&folder.join(&self.name), &content)
                    });
                    return Ok((content, kept.err().map(|e| e.kind().to_string())));
                }
                Err(problem) => {
                    progress(FetchEvent::Failed {
                        file: self.name.clone(),
                        mirror: url.clone(),
                        problem: problem.clone(),
                    });
                    failures.push((url.clone(), problem));
                }
            }
        }
        Err(DataError::Unreachable {
            name: self.name.clone(),
            problems: told(failures),
        }
        .into())
    }

    /// The file in what an address sent, or what is wrong with it.
    fn unpacked(&self, address: &Address, raw: Vec<u8>) -> Result<Vec<u8>, String> {
        let content = match address {
            Address::Plain(_) => {
                idx::unpacked("what it sent", raw).map_err(|error| error.to_string())
            }
            Address::Zip(_) => self.member(raw),
        }?;
        self.checked("what it sent", content)
            .map_err(|error| error.to_string())
    }

    fn member(&self, raw: Vec<u8>) -> Result<Vec<u8>, String> {
        let wrong = |error| format!("what it sent is no whole zip archive ({error})");
        let mut archive = zip::ZipArchive::new(Cursor::new(raw)).map_err(wrong)?;
        let named = |path: &str| Path::new(path).file_name() == Some(self.name.as_ref());
        let path = archive
            .file_names()
            .find(|path| named(path))
            .map(str::to_owned)
            .ok_or_else(|| format!("what it sent holds no {}", self.name))?;
        let file = archive.by_name(&path).map_err(wrong)?;
        let mut content = Vec::new();
        file.take(LARGEST)
            .read_to_end(&mut content)
            .map_err(|error| format!("{} in what it sent is damaged ({error})", self.name))?;
        Ok(content)
    }
}

/// Where files are kept by default.
pub(super) fn cache() -> Option<PathBuf> {
    crate::files::cache_folder()
        .ok()
        .map(|folder| folder.join("tabular"))
}
