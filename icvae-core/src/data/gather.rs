//! Batches of a data set that lies in this machine's memory, gathered in one pass.

use tch::{Device, Kind, Tensor};

use super::Batch;
use crate::Result;
use crate::cpu::product::MatrixPtr;
use crate::cpu::team::{MOVE, part_of, shared};
use crate::cpu::wide::wide;

/// The numbers of a tensor of kind `kind`, which T must be, where they lie side by side in memory.
fn side_by_side<T>(tensor: &Tensor, kind: Kind) -> Option<&[T]> {
    let fits = tensor.kind() == kind && kind.elt_size_in_bytes() == size_of::<T>();
    if !fits || tensor.device() != Device::Cpu || !tensor.is_contiguous() {
        return None;
    }
    // SAFETY: the tensor holds so many of them, and the borrow keeps it alive.
    Some(unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), tensor.numel()) })
}

/// The numbers of a tensor that was just made.
fn fresh<T>(tensor: &mut Tensor) -> &mut [T] {
    // SAFETY: as above; nobody else has a handle on it yet.
    unsafe { std::slice::from_raw_parts_mut(tensor.data_ptr().cast(), tensor.numel()) }
}

/// Indices that can be looked at one by one.
pub(super) fn indices(tensor: &Tensor) -> Option<&[i64]> {
    side_by_side(tensor, Kind::Int64)
}

/// The examples at some indices, each of which must be of one: images of bytes, `[N, P]`, and labels, `[N]`. None
/// where they lie otherwise.
pub(super) fn gather(
    (images, labels): (&Tensor, &Tensor),
    classes: i64,
    indices: &Tensor,
) -> Result<Option<Batch>> {
    let (Some(pixels), Some(of)) = (
        side_by_side::<u8>(images, Kind::Uint8),
        side_by_side::<i64>(labels, Kind::Int64),
    ) else {
        return Ok(None);
    };
    let Some(indices) = self::indices(indices) else {
        return Ok(None);
    };
    let (batch, width) = (indices.len() as i64, images.size()[1]);
    let mut x = Tensor::f_empty([batch, width], (Kind::Float, Device::Cpu))?;
    let mut c = Tensor::f_zeros([batch, classes], (Kind::Float, Device::Cpu))?;
    let mut of_batch = Tensor::f_empty([batch], (Kind::Int64, Device::Cpu))?;
    let (width, classes) = (width as usize, classes as usize);
    let (to_x, to_c, to_labels) = (fresh(&mut x), fresh(&mut c), fresh(&mut of_batch));
    for (i, &index) in indices.iter().enumerate() {
        let label = of[index as usize];
        let one: &mut f32 = &mut to_c[i * classes + label as usize];
        *one = 1.0;
        to_labels[i] = label;
    }
    let to_x = MatrixPtr {
        first: to_x.as_mut_ptr(),
        row: width,
    };
    shared(indices.len() * width * MOVE, &|part, parts| {
        wide(|| {
            for i in part_of(indices.len(), part, parts) {
                let from = &pixels[indices[i] as usize * width..][..width];
                // SAFETY: threads write to different rows.
                let to = unsafe { to_x.in_row(i, &(0..width)) };
                for (to, &byte) in to.iter_mut().zip(from) {
                    *to = f32::from(byte) / 255.0;
                }
            }
        });
    });
    Ok(Some(Batch {
        x,
        c,
        labels: of_batch,
    }))
}
