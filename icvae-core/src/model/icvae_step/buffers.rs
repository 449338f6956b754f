//! All that a step writes to, made once for a batch size.

use tch::{Device, Kind, Tensor};

use super::super::IcvaeConfig;
use super::matrix::Matrix;
use crate::cpu::wide::wide;
use crate::data::Dataset;
use crate::{Error, Result};

/// Values of a forward pass and, prefixed `d_`, the derivatives of the loss with respect to them.
pub(super) struct Buffers {
    /// Examples, B.
    pub(super) batch: usize,
    /// What the encoder sees: pixels, and the condition where it is told.
    pub(super) x: Matrix,
    pub(super) encoder: Vec<Matrix>,
    pub(super) mean: Matrix,
    pub(super) log_var: Matrix,
    pub(super) epsilon: Matrix,
    /// What the decoder sees: z, and the condition where it is told.
    pub(super) code: Matrix,
    pub(super) decoder: Vec<Matrix>,
    /// x̂, and later the derivative with respect to what the last layer gives before its activation.
    pub(super) output: Matrix,
    pub(super) d_encoder: Vec<Matrix>,
    pub(super) d_mean: Matrix,
    pub(super) d_log_var: Matrix,
    pub(super) d_code: Matrix,
    pub(super) d_decoder: Vec<Matrix>,
}

impl Buffers {
    pub(super) fn new(config: &IcvaeConfig, batch: usize) -> Self {
        let matrix = |columns| Matrix::zeros(batch, columns);
        let hidden = || {
            config
                .hidden
                .iter()
                .map(|&units| matrix(units))
                .collect::<Vec<_>>()
        };
        let told = if config.condition_encoder {
            config.classes
        } else {
            0
        };
        Self {
            batch,
            x: matrix(config.pixels + told),
            encoder: hidden(),
            mean: matrix(config.latent),
            log_var: matrix(config.latent),
            epsilon: matrix(config.latent),
            code: matrix(config.latent + config.classes),
            decoder: hidden(),
            output: matrix(config.pixels),
            d_encoder: hidden(),
            d_mean: matrix(config.latent),
            d_log_var: matrix(config.latent),
            d_code: matrix(config.latent + config.classes),
            d_decoder: hidden(),
        }
    }

    /// Writes the examples at `indices` into the inputs of encoder and decoder.
    pub(super) fn gather(
        &mut self,
        config: &IcvaeConfig,
        data: &Dataset,
        indices: &Tensor,
    ) -> Result<()> {
        let (pixels, classes) = (config.pixels as usize, config.classes as usize);
        let fits = data.pixels() == config.pixels
            && (classes == 0 || data.classes() == config.classes)
            && data.device() == Device::Cpu;
        if !fits || indices.kind() != Kind::Int64 || indices.size() != [self.batch as i64] {
            return Err(Error::Invalid(format!(
                "the data set has {} pixels and {} classes on {:?}, but the model takes {pixels} \
                 and {classes} on the CPU",
                data.pixels(),
                data.classes(),
                data.device()
            )));
        }
        let images = data.images().contiguous();
        if images.kind() == Kind::Uint8 {
            // SAFETY: bytes, and contiguous on the CPU.
            let bytes = unsafe { slice_of::<u8>(&images) };
            self.write(config, bytes, data.labels(), indices, |x| {
                f32::from(x) / 255.0
            })
        } else {
            // SAFETY: a data set that holds no bytes holds floats.
            let numbers = unsafe { slice_of::<f32>(&images) };
            self.write(config, numbers, data.labels(), indices, |x| x)
        }
    }

    fn write<T: Copy>(
        &mut self,
        config: &IcvaeConfig,
        images: &[T],
        labels: &Tensor,
        indices: &Tensor,
        scaled: impl Fn(T) -> f32,
    ) -> Result<()> {
        let pixels = config.pixels as usize;
        let (labels, indices) = (labels.contiguous(), indices.contiguous());
        // SAFETY: both hold i64, and are contiguous on the CPU.
        let (labels, indices) = unsafe { (slice_of::<i64>(&labels), slice_of::<i64>(&indices)) };
        let (seen, width) = (self.x.columns, self.code.columns);
        let rows = self.x.numbers_mut().chunks_exact_mut(seen);
        let codes = self.code.numbers_mut().chunks_exact_mut(width);
        for ((row, code), &index) in rows.zip(codes).zip(indices) {
            let at = usize::try_from(index).ok().filter(|&at| at < labels.len());
            let at = at.ok_or_else(|| {
                Error::Invalid(format!(
                    "the index {index} is outside a data set of {} examples",
                    labels.len()
                ))
            })?;
            let (shown, told) = row.split_at_mut(pixels);
            let image = &images[at * pixels..][..pixels];
            wide(|| {
                for (x, &stored) in shown.iter_mut().zip(image) {
                    *x = scaled(stored);
                }
            });
            for condition in [told, &mut code[config.latent as usize..]] {
                condition.fill(0.0);
                if let Some(told) = condition.get_mut(labels[at] as usize) {
                    *told = 1.0;
                }
            }
        }
        Ok(())
    }
}

/// The numbers of a tensor.
///
/// # Safety
/// It must be contiguous, on the CPU, and hold numbers of type `T`.
unsafe fn slice_of<T>(tensor: &Tensor) -> &[T] {
    // SAFETY: by the contract; the slice cannot outlive the tensor.
    unsafe { std::slice::from_raw_parts(tensor.data_ptr().cast(), tensor.numel()) }
}
