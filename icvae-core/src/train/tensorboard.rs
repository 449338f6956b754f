//! Curves for [TensorBoard](https://www.tensorflow.org/tensorboard).
//!
//! An event file is a row of records, each a length, its checksum, the data and their checksum: the framing
//! of TensorFlow's `TFRecord`. The data are `Event` messages of Protocol Buffers, of which scalars need six
//! fields; so they are written here rather than by a code generator.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Control, EpochRecord, Event, History, Listener, TrainConfig};
use crate::files::cache_folder;
use crate::{Error, Result};

/// What our files end in, by which an earlier run's are known.
const SUFFIX: &str = ".icvae";

/// A listener that writes the terms of the loss for TensorBoard: `train/…` and `test/…` with a point an
/// epoch, and `learning_rate`.
///
/// Look at them, also while the run goes on, with `tensorboard --logdir FOLDER`. A folder holds one run: when
/// another one starts there, its file replaces the old one, and begins with the epochs that were trained in
/// earlier sittings.
///
/// ```no_run
/// # use icvae_core::{data::Digits, model::Icvae};
/// # fn example(model: &Icvae, digits: &Digits) -> icvae_core::Result<()> {
/// use icvae_core::train::{TensorBoard, TrainConfig, Trainer};
///
/// let config = TrainConfig { epochs: 30, ..Default::default() };
/// Trainer::new(&config)
///     .listen(TensorBoard::new("logs/first", &config)?)
///     .fit(model, &digits.train, Some(&digits.test))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    config: TrainConfig,
    file: Option<File>,
}

impl TensorBoard {
    /// Writes into a folder, which is made if need be; `config` is that of the run, for its learning rates.
    ///
    /// # Errors
    /// If the folder can't be made.
    pub fn new(folder: impl Into<PathBuf>, config: &TrainConfig) -> Result<Self> {
        let folder = folder.into();
        fs::create_dir_all(&folder).map_err(|source| Error::Io {
            path: folder.clone(),
            source,
        })?;
        Ok(Self {
            folder,
            config: config.clone(),
            file: None,
        })
    }

    /// Writes into the user's cache folder: `logs/NAME` beside the [`Store`](super::Store)'s models.
    ///
    /// # Errors
    /// If the folder is not known or can't be made.
    pub fn in_cache(name: &str, config: &TrainConfig) -> Result<Self> {
        Self::new(cache_folder()?.join("logs").join(name), config)
    }

    /// Starts a file with what is known of earlier epochs, and takes away the one of an earlier run.
    fn start(&mut self, history: &History) -> std::io::Result<()> {
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.starts_with("events.out.tfevents.") && name.ends_with(SUFFIX) {
                fs::remove_file(&path)?;
            }
        }
        let now = now();
        let name = format!("events.out.tfevents.{:010}{SUFFIX}", now as u64);
        self.file = Some(File::create(self.folder.join(name))?);
        // When the earlier epochs ended is not recorded; they are laid before now, one after the other.
        let mut ended = now - history.seconds();
        self.write(&record(&version(ended)))?;
        for epoch in &history.epochs {
            ended += epoch.seconds + epoch.evaluation_seconds;
            self.epoch(ended, epoch, history)?;
        }
        Ok(())
    }

    fn epoch(&mut self, time: f64, epoch: &EpochRecord, history: &History) -> std::io::Result<()> {
        let mut values = Vec::new();
        for (side, means) in [("train", Some(&epoch.train)), ("test", epoch.test.as_ref())] {
            for (name, value) in means.into_iter().flat_map(|means| &means.0) {
                values.push((format!("{side}/{name}"), *value as f32));
            }
        }
        let rates = self.config.learning_rates(history);
        let rate = epoch.epoch.checked_sub(1).and_then(|i| rates.get(i));
        values.extend(rate.map(|&rate| ("learning_rate".to_owned(), rate as f32)));
        self.write(&record(&scalars(time, epoch.epoch as u64, &values)))
    }

    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        match &mut self.file {
            Some(file) => file.write_all(bytes),
            None => Ok(()),
        }
    }
}

impl Listener for TensorBoard {
    fn on_event(&mut self, event: &Event<'_>) -> Control {
        let written = match event {
            Event::Started { history, .. } => self.start(history),
            Event::EpochEnd { record, history } => self.epoch(now(), record, history),
            _ => Ok(()),
        };
        if let Err(error) = written {
            // A curve that can't be written must not end a run of hours; it is said once.
            let folder = self.folder.display();
            eprintln!("the curves for TensorBoard can't be written to {folder}: {error}");
            self.file = None;
        }
        Control::Continue
    }
}

/// Seconds since 1970.
fn now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64())
}

/// One record of an event file.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let parts = [&length[..], &masked_crc(&length), data, &masked_crc(data)];
    parts.concat()
}

/// TensorFlow's mask, by which a checksum of data that hold checksums stays a good one.
fn masked_crc(data: &[u8]) -> [u8; 4] {
    let crc = crc32c::crc32c(data);
    crc.rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

/// The first message of a file: `Event { wall_time = 1, file_version = 3 }`.
fn version(time: f64) -> Vec<u8> {
    let mut event = double(1, time);
    event.extend(bytes(3, b"brain.Event:2"));
    event
}

/// `Event { wall_time = 1, step = 2, summary = 5 }`, where a summary's `value = 1` holds
/// `tag = 1` and `simple_value = 2`.
fn scalars(time: f64, step: u64, values: &[(String, f32)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in values {
        let mut one = bytes(1, tag.as_bytes());
        one.push(2 << 3 | 5);
        one.extend(value.to_le_bytes());
        summary.extend(bytes(1, &one));
    }
    let mut event = double(1, time);
    event.push(2 << 3);
    event.extend(varint(step));
    event.extend(bytes(5, &summary));
    event
}

/// A field of eight bytes.
fn double(field: u8, value: f64) -> Vec<u8> {
    let mut encoded = vec![field << 3 | 1];
    encoded.extend(value.to_le_bytes());
    encoded
}

/// A field of any length.
fn bytes(field: u8, value: &[u8]) -> Vec<u8> {
    let mut encoded = vec![field << 3 | 2];
    encoded.extend(varint(value.len() as u64));
    encoded.extend(value);
    encoded
}

/// Seven bits a byte, the lowest first.
fn varint(mut value: u64) -> Vec<u8> {
    let mut encoded = Vec::new();
    while value >= 0x80 {
        encoded.push(value as u8 | 0x80);
        value >>= 7;
    }
    encoded.push(value as u8);
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::TermMeans;

    /// The numbers of `tests/golden/events.py`, whose file TensorBoard's own package wrote.
    #[test]
    fn a_file_is_byte_for_byte_that_of_tensorboards_own_writer() {
        let mut file = record(&version(1_700_000_000.25));
        for step in [1_u64, 2, 300] {
            let values: Vec<_> = [
                ("train/total", 0.1 * step as f32),
                ("test/prior KL", -2.5),
                ("learning_rate", 1e-3),
                (
                    "a tag of more than one hundred and twenty-seven bytes, whose length takes two \
                  bytes: δ, ε, ζ, and so on until there are enough of them",
                    f32::NAN,
                ),
            ]
            .map(|(tag, value)| (tag.to_owned(), value))
            .into();
            file.extend(record(&scalars(
                1_700_000_000.25 + step as f64,
                step,
                &values,
            )));
        }
        let golden = include_bytes!("../../tests/golden/events.tfevents");
        assert!(
            file == golden,
            "{} bytes, golden {}",
            file.len(),
            golden.len()
        );
    }

    fn history(epochs: usize) -> History {
        let means = |epoch| TermMeans(vec![("total".into(), 80.0 - epoch as f64)]);
        let epochs = (1..=epochs).map(|epoch| EpochRecord {
            epoch,
            train: means(epoch),
            test: Some(means(epoch)),
            seconds: 1.0,
            evaluation_seconds: 0.1,
        });
        History {
            epochs: epochs.collect(),
        }
    }

    #[test]
    fn a_run_that_goes_on_has_one_file_with_every_epoch() -> Result<()> {
        let folder = tempfile::tempdir().map_err(|source| Error::Io {
            path: "a temporary folder".into(),
            source,
        })?;
        let other = folder.path().join("events.out.tfevents.1.somebody-elses");
        let io = |source| Error::Io {
            path: other.clone(),
            source,
        };
        fs::write(&other, "theirs").map_err(io)?;
        for done in [0, 2] {
            let mut board = TensorBoard::new(folder.path(), &TrainConfig::default())?;
            board.on_event(&Event::Started {
                epochs: 3,
                steps_per_epoch: 1,
                steps_done: done as u64,
                history: &history(done),
            });
            let history = history(done + 1);
            let record = &history.epochs[done];
            board.on_event(&Event::EpochEnd {
                record,
                history: &history,
            });
        }
        assert!(other.exists(), "a file of others stays");
        let mut files = Vec::new();
        for entry in fs::read_dir(folder.path()).map_err(io)? {
            files.push(entry.map_err(io)?.path());
        }
        files.retain(|path| *path != other);
        assert_eq!(files.len(), 1, "the new file replaced the old one");
        let bytes = fs::read(&files[0]).map_err(io)?;
        let (mut at, mut steps) = (0, Vec::new());
        while at < bytes.len() {
            let field = |from: usize| bytes[from..from + 8].try_into().unwrap_or([0; 8]);
            let length = u64::from_le_bytes(field(at)) as usize;
            // After the eight bytes of the time and its key comes the step, if the event has one.
            steps.push((bytes[at + 21] == 2 << 3).then(|| bytes[at + 22]));
            at += length + 16;
        }
        assert_eq!(steps, [None, Some(1), Some(2), Some(3)]);
        Ok(())
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_refused_and_one_that_is_lost_ends_no_run() -> Result<()> {
        let file = tempfile::NamedTempFile::new().map_err(|source| Error::Io {
            path: "a temporary file".into(),
            source,
        })?;
        let error = TensorBoard::new(file.path().join("logs"), &TrainConfig::default());
        assert!(error.is_err_and(|error| error.to_string().contains("logs")));
        let mut board = TensorBoard {
            folder: "/nowhere/at/all".into(),
            config: TrainConfig::default(),
            file: None,
        };
        let empty = History::default();
        let started = Event::Started {
            epochs: 1,
            steps_per_epoch: 1,
            steps_done: 0,
            history: &empty,
        };
        assert_eq!(board.on_event(&started), Control::Continue);
        Ok(())
    }
}
