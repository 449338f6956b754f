//! The order in which examples are seen: an epoch cut into batches of indices.

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use tch::Tensor;

use crate::{Error, Result};

/// The batches of one epoch: an iterator over index tensors, i64 `[B]`, on the CPU.
///
/// The last batch is smaller where the batch size does not divide the number of examples, as in
/// Keras.
///
/// ```
/// # fn main() -> icvae_core::Result<()> {
/// use icvae_core::data::Batches;
///
/// let sizes: Vec<_> = Batches::shuffled(10, 4, 0, 1)?.map(|batch| batch.size()[0]).collect();
/// assert_eq!(sizes, [4, 4, 2]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Batches {
    order: Tensor, // i64 [N]
    batch_size: i64,
    next: i64,
}

impl Batches {
    /// All of `n` examples in random order: a pure function of `n`, `seed` and `epoch`, so that a
    /// run that was cut off goes on with the very batches it would have seen.
    ///
    /// # Errors
    /// If there is no example, or the batch size is 0.
    pub fn shuffled(n: usize, batch_size: usize, seed: u64, epoch: u64) -> Result<Self> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(epoch);
        let mut order: Vec<i64> = (0..n as i64).collect();
        order.shuffle(&mut rng);
        Self::of(&order, batch_size)
    }

    /// All of `n` examples as they come.
    ///
    /// # Errors
    /// If there is no example, or the batch size is 0.
    pub fn in_order(n: usize, batch_size: usize) -> Result<Self> {
        Self::of(&(0..n as i64).collect::<Vec<_>>(), batch_size)
    }

    fn of(order: &[i64], batch_size: usize) -> Result<Self> {
        if order.is_empty() {
            return Err(Error::Invalid(
                "there is no example to make batches of: the data set is empty".into(),
            ));
        }
        if batch_size == 0 {
            return Err(Error::Invalid(
                "the batch size is 0, but a batch needs at least one example".into(),
            ));
        }
        Ok(Self {
            order: Tensor::f_from_slice(order)?,
            batch_size: batch_size.min(order.len()) as i64,
            next: 0,
        })
    }

    fn remaining(&self) -> i64 {
        self.order.size()[0] - self.next
    }
}

impl Iterator for Batches {
    type Item = Tensor;

    fn next(&mut self) -> Option<Tensor> {
        let size = self.batch_size.min(self.remaining());
        (size > 0).then(|| {
            let batch = self.order.narrow(0, self.next, size);
            self.next += size;
            batch
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = (self.remaining() as usize).div_ceil(self.batch_size as usize);
        (left, Some(left))
    }
}

/// `len()` is the number of batches that are left.
impl ExactSizeIterator for Batches {}
