//! MNIST in its four files: which they are, how they are read, and whether they are the true ones.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use tch::Tensor;

use super::idx::{self, Idx};
use super::{DataError, Dataset};
use crate::files::hex;
use crate::{Error, Result};

/// Digits, 0 to 9.
const CLASSES: i64 = 10;

/// A data set of the form of MNIST: four IDX files, and where the world keeps them.
#[derive(Debug, Clone)]
pub struct Archive {
    /// Training images, training labels, test images, test labels.
    pub files: [ArchiveFile; 4],
    /// Addresses of folders that hold the files, gzipped, in the order in which they are tried.
    pub mirrors: Vec<String>,
    /// How long a mirror may take to accept a connection.
    pub connect_timeout: Duration,
    /// How long a mirror may send nothing.
    pub stall_timeout: Duration,
}

/// A file of an [`Archive`].
#[derive(Debug, Clone)]
pub struct ArchiveFile {
    /// Its name, without `.gz`.
    pub name: String,
    /// SHA-256 of its content, unpacked, in hexadecimal: mirrors may pack it differently.
    pub sha256: String,
}

impl Archive {
    /// MNIST (LeCun, Cortes, Burges) and its two public mirrors.
    pub fn mnist() -> Self {
        let file = |name: &str, sha256: &str| ArchiveFile {
            name: name.to_owned(),
            sha256: sha256.to_owned(),
        };
        Self {
            files: [
                file(
                    "train-images-idx3-ubyte",
                    "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                ),
                file(
                    "train-labels-idx1-ubyte",
                    "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                ),
                file(
                    "t10k-images-idx3-ubyte",
                    "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                ),
                file(
                    "t10k-labels-idx1-ubyte",
                    "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
                ),
            ],
            mirrors: vec![
                "https://ossci-datasets.s3.amazonaws.com/mnist".into(),
                "https://storage.googleapis.com/cvdf-datasets/mnist".into(),
            ],
            connect_timeout: Duration::from_secs(8),
            stall_timeout: Duration::from_secs(15),
        }
    }

    /// The unpacked content of the four files in `folder`, gzipped or not.
    ///
    /// # Errors
    /// If a file is missing, unreadable, or a damaged gzip file.
    pub fn read(&self, folder: &Path) -> Result<[Vec<u8>; 4]> {
        let mut contents = [const { Vec::new() }; 4];
        for (content, file) in contents.iter_mut().zip(&self.files) {
            *content = file.read(folder)?;
        }
        Ok(contents)
    }

    /// Whether each content is the one that its checksum names.
    pub fn is_genuine(&self, contents: &[Vec<u8>; 4]) -> bool {
        self.files
            .iter()
            .zip(contents)
            .all(|(file, content)| file.is_genuine(content))
    }

    /// Training and test data, on the CPU; errors say that the files lie in `folder`.
    ///
    /// # Errors
    /// If a content is not IDX of the right form, counts differ, or a label is not a digit.
    pub fn decode(&self, contents: [Vec<u8>; 4], folder: &Path) -> Result<(Dataset, Dataset)> {
        let [train_images, train_labels, test_images, test_labels] = contents;
        let [a, b, c, d] = self
            .files
            .each_ref()
            .map(|f| folder.join(&f.name).display().to_string());
        let train = decode((&a, train_images), (&b, train_labels))?;
        let test = decode((&c, test_images), (&d, test_labels))?;
        if train.image_shape() != test.image_shape() {
            return Err(DataError::Mismatch(format!(
                "the training images have {:?} pixels and the test images {:?}: they are of two \
                 data sets",
                train.image_shape(),
                test.image_shape()
            ))
            .into());
        }
        Ok((train, test))
    }
}

impl ArchiveFile {
    /// The name under which mirrors and the cache keep it.
    pub(super) fn packed_name(&self) -> String {
        format!("{}.gz", self.name)
    }

    pub(super) fn read(&self, folder: &Path) -> Result<Vec<u8>> {
        // A damaged file must not hide a good one beside it, nor a foreign one the genuine.
        let mut best = None;
        for name in [&self.name, &self.packed_name()] {
            let path = folder.join(name);
            let read = match std::fs::read(&path) {
                Ok(raw) => idx::unpacked(&path.display().to_string(), raw).map_err(Error::from),
                Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                    continue;
                }
                Err(source) => Err(Error::Io { path, source }),
            };
            match (&read, &best) {
                (Ok(content), _) if self.is_genuine(content) => return read,
                (_, None) | (Ok(_), Some(Err(_))) => best = Some(read),
                _ => {}
            }
        }
        let (folder, name) = (PathBuf::from(folder), self.name.clone());
        best.unwrap_or(Err(DataError::Missing { folder, name }.into()))
    }

    pub(super) fn is_genuine(&self, content: &[u8]) -> bool {
        let sum = Sha256::digest(content);
        hex(&sum).eq_ignore_ascii_case(&self.sha256)
    }
}

fn decode(
    (images_name, images): (&str, Vec<u8>),
    (labels_name, labels): (&str, Vec<u8>),
) -> Result<Dataset> {
    let images = Idx::decode(images_name, images, 3)?;
    let labels = Idx::decode(labels_name, labels, 1)?;
    let [n, rows, columns] = [images.sizes[0], images.sizes[1], images.sizes[2]];
    if n != labels.sizes[0] {
        return Err(DataError::Mismatch(format!(
            "{images_name} holds {n} images, but {labels_name} {} labels: they do not belong \
             together",
            labels.sizes[0]
        ))
        .into());
    }
    if images.bytes().is_empty() {
        return Err(
            DataError::file(images_name, "holds no image: replace it by a whole copy").into(),
        );
    }
    if let Some(at) = labels
        .bytes()
        .iter()
        .position(|&label| i64::from(label) >= CLASSES)
    {
        return Err(DataError::file(
            labels_name,
            format!(
                "says that image {at} is a {}, but labels are 0 to 9: replace it by a whole copy",
                labels.bytes()[at]
            ),
        )
        .into());
    }
    let [rows, columns] = [rows as i64, columns as i64];
    Dataset::new(
        Tensor::f_from_slice(images.bytes())?.f_view([n as i64, rows * columns])?,
        Tensor::f_from_slice(labels.bytes())?.f_to_kind(tch::Kind::Int64)?,
        (rows, columns),
        CLASSES,
    )
}
