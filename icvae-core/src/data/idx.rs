//! IDX, the file format of MNIST: a magic number, the sizes of the dimensions, then one byte a
//! value.
//!
//! <http://yann.lecun.com/exdb/mnist/> describes it. All numbers are big-endian. Files may be
//! gzipped.

use std::io::Read;

use flate2::read::GzDecoder;

use super::DataError;

/// No file of this format that we read comes near this; a header that claims more is wrong.
const LARGEST: u64 = 1 << 31;

/// A decoded IDX file of unsigned bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Idx {
    /// The size of each dimension: `[N]` for labels, `[N, rows, columns]` for images.
    pub sizes: Vec<usize>,
    content: Vec<u8>,
}

impl Idx {
    /// Decodes the content of the file called `name`.
    ///
    /// # Errors
    /// If it is not IDX, holds other than unsigned bytes in `dimensions` dimensions, or is shorter
    /// or longer than its header says.
    pub fn decode(name: &str, content: Vec<u8>, dimensions: usize) -> Result<Self, DataError> {
        let wrong = |problem: String| DataError::file(name, problem);
        let cut_off = || {
            let found = content.len();
            wrong(format!(
                "is only {found} bytes long, too short for an IDX file: replace it by a whole copy"
            ))
        };
        let magic = content.get(..4).ok_or_else(cut_off)?;
        let expected = [0, 0, 8, u8::try_from(dimensions).unwrap_or(u8::MAX)];
        if magic != expected {
            return Err(wrong(format!(
                "starts with {magic:02x?} where IDX with {dimensions} dimensions has \
                 {expected:02x?}: it is another file, or a damaged one"
            )));
        }
        let (header, values) = content
            .split_at_checked(4 + 4 * dimensions)
            .ok_or_else(cut_off)?;
        let sizes: Vec<u64> = header[4..]
            .chunks_exact(4)
            .map(|b| u64::from(u32::from_be_bytes([b[0], b[1], b[2], b[3]])))
            .collect();
        let claimed = sizes
            .iter()
            .try_fold(1_u64, |product, &size| product.checked_mul(size))
            .filter(|&total| total <= LARGEST)
            .ok_or_else(|| {
                wrong(format!(
                    "claims the absurd size {sizes:?}: replace it by a whole copy"
                ))
            })?;
        let found = values.len() as u64;
        if found != claimed {
            let what = if found < claimed {
                "is cut off"
            } else {
                "is too long"
            };
            return Err(wrong(format!(
                "{what}: its header promises {claimed} values and {found} follow; replace it by \
                 a whole copy"
            )));
        }
        Ok(Self {
            sizes: sizes.into_iter().map(|size| size as usize).collect(),
            content,
        })
    }

    /// The values, last dimension fastest.
    pub fn bytes(&self) -> &[u8] {
        &self.content[4 + 4 * self.sizes.len()..]
    }
}

/// The content of a file that may be gzipped.
///
/// # Errors
/// If it starts like gzip and does not end like it, or unpacks to an absurd size.
pub fn unpacked(name: &str, raw: Vec<u8>) -> Result<Vec<u8>, DataError> {
    if !raw.starts_with(&[0x1f, 0x8b]) {
        return Ok(raw);
    }
    let mut content = Vec::new();
    GzDecoder::new(raw.as_slice())
        .take(LARGEST)
        .read_to_end(&mut content)
        .map_err(|e| {
            DataError::file(
                name,
                format!("is cut off or damaged (gzip: {e}): replace it by a whole copy"),
            )
        })?;
    Ok(content)
}
