//! What a sweep keeps: a file for each point, and the table that they make together.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use icvae_core::serde_json::{self, Map, Value};
use icvae_core::{Error, Result, write_whole};
use serde::{Deserialize, Serialize};

use crate::grid::{Grid, Point};

/// The folder of a sweep.
pub struct Folder {
    path: PathBuf,
}

/// A line of the table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line {
    pub id: String,
    pub settings: Point,
    /// Numbers by name; null where one is none.
    pub measures: Map<String, Value>,
    /// How long training and measuring took, those of earlier sittings included.
    pub seconds: f64,
    pub version: String,
}

impl Line {
    /// A measure that is a number.
    pub fn measure(&self, name: &str) -> Option<f64> {
        self.measures.get(name)?.as_f64()
    }
}

impl Folder {
    pub fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
        }
    }

    /// The table of all points that are done.
    pub fn table(&self) -> PathBuf {
        self.path.join("results.jsonl")
    }

    pub fn figure(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}.png"))
    }

    /// What a point's process prints.
    pub fn log(&self, point: &Point) -> PathBuf {
        self.path.join("logs").join(format!("{}.txt", point.id()))
    }

    /// Where a point's weights are kept.
    pub fn weights(&self, point: &Point) -> PathBuf {
        self.path.join("weights").join(point.id())
    }

    /// What the points of a sweep share, trained once.
    pub fn shared(&self, name: &str) -> PathBuf {
        self.path.join("shared").join(name)
    }

    /// What came of a point, if it is done. A file that can't be read is as good as none.
    pub fn result(&self, point: &Point) -> Option<Line> {
        let text = std::fs::read(self.of_point(point)).ok()?;
        let line: Line = serde_json::from_slice(&text).ok()?;
        (line.settings == *point).then_some(line)
    }

    pub fn keep(&self, line: &Line) -> Result<()> {
        let path = self.of_point(&line.settings);
        write(&path, json(line)?.as_bytes())
    }

    fn of_point(&self, point: &Point) -> PathBuf {
        self.path
            .join("points")
            .join(format!("{}.json", point.id()))
    }

    /// Makes sure that nobody else runs the point, while the file lives.
    ///
    /// # Errors
    /// If somebody does.
    pub fn lock(&self, name: &str) -> Result<File> {
        let path = self.path.join("locks").join(name);
        let file = self.open(&path)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(Error::Invalid(
                "another process is at work on this point: wait for it, or give each machine a shard of its own"
                    .into(),
            )),
            // Some file systems have no locks; results are written whole even so.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
        }
    }

    /// Waits until nobody else does what has this name, and lets nobody while the file lives.
    pub fn turn(&self, name: &str) -> Result<File> {
        let file = self.open(&self.path.join("locks").join(name))?;
        // Some file systems have no locks; files are written whole even so.
        let _ = file.lock();
        Ok(file)
    }

    fn open(&self, path: &Path) -> Result<File> {
        let io = |source| Error::Io {
            path: path.to_owned(),
            source,
        };
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)
            .map_err(io)
    }

    /// Writes the table of all points that are done, in the grid's order, and returns its lines. Machines that do so
    /// at the same time wait for each other, so that the last one's table holds everybody's points.
    pub fn merge(&self, grid: &Grid) -> Result<Vec<Line>> {
        let _turn = self.turn("table")?;
        let lines: Vec<Line> = grid
            .points
            .iter()
            .filter_map(|point| self.result(point))
            .collect();
        let text = lines.iter().map(json).collect::<Result<String>>()?;
        write(&self.table(), text.as_bytes())?;
        Ok(lines)
    }
}

/// A line of JSON.
fn json(line: &Line) -> Result<String> {
    let text = serde_json::to_string(line);
    let text = text.map_err(|error| Error::Invalid(format!("a result is no JSON: {error}")))?;
    Ok(text + "\n")
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_whole(path, bytes).map_err(|source| Error::Io {
        path: path.to_owned(),
        source,
    })
}
