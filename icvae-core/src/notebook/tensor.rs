//! Tensors as text (shape, type, device and some entries), and as pictures.

use tch::{Kind, Tensor};

use notebook_live::Bundle;

use super::display::Rich;
use crate::plot::{Figure, ImageGrid};
use crate::{Error, Result};

/// Entries shown at each end of a dimension, with an ellipsis between them, as PyTorch does.
const AT_AN_END: i64 = 3;
const SHOWN: i64 = 2 * AT_AN_END;
/// Images in a picture, and in a row of it.
const IMAGES: i64 = 100;
const IN_A_ROW: i64 = 10;

impl Rich for Tensor {
    fn rich(&self) -> Bundle {
        let shape = self.size();
        let head = format!("Tensor {shape:?} {} on {}", kind(self.kind()), device(self));
        if shape.contains(&0) {
            return Bundle::text(format!("{head}, empty"));
        }
        match ends(self) {
            Ok(ends) => Bundle::text(format!("{head}\n{}", entries(&ends, &shape))),
            Err(error) => Bundle::text(format!("{head}\n(its entries cannot be read: {error})")),
        }
    }
}

/// Lets a cell that ends in a tensor, or in a list of them, show it: evcxr calls this where the trait is in scope.
///
/// ```
/// use icvae_core::{notebook::Shown, tch::Tensor};
///
/// // As a cell's last expression, `x` is enough.
/// let x = Tensor::from_slice(&[0.5_f32, 1.0]);
/// x.evcxr_display();
/// ```
pub trait Shown {
    /// Shows shape, kind, device and the entries at the ends.
    fn evcxr_display(&self);
}

impl Shown for Tensor {
    fn evcxr_display(&self) {
        super::display(self);
    }
}

impl Shown for [Tensor] {
    fn evcxr_display(&self) {
        let texts: Vec<String> = self
            .iter()
            .map(|one| one.rich().as_text().to_owned())
            .collect();
        super::display(&texts.join("\n"));
    }
}

/// A tensor of images as a picture, dark on white: `[rows, columns]`, `[N, rows, columns]`, `[N, 1, rows, columns]`,
/// or square images as rows of pixels, `[P]` or `[N, P]`; the first 100 of them.
///
/// ```
/// use icvae_core::{notebook::show_images, tch::{Device, Kind, Tensor}};
///
/// # fn main() -> icvae_core::Result<()> {
/// let noise = Tensor::rand([20, 784], (Kind::Float, Device::Cpu));
/// show_images(&noise)?
/// # ;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// If the shape is none of these.
pub fn show_images(tensor: &Tensor) -> Result<Figure> {
    let (images, image_shape) = as_images(tensor)?;
    let count = images.size()[0].min(IMAGES);
    let columns = count.min(IN_A_ROW);
    let columns = columns.max(1) as usize;
    let grid = ((count as usize).div_ceil(columns), columns);
    ImageGrid::new(&images.narrow(0, 0, count), image_shape, grid)
        .inverted(true)
        .draw()
}

/// Images as `[N, P]`, and the rows and columns of each.
fn as_images(tensor: &Tensor) -> Result<(Tensor, (i64, i64))> {
    let side = |pixels: i64| {
        let side = (pixels as f64).sqrt().round() as i64;
        (side >= 4 && side * side == pixels).then_some((side, side))
    };
    let size = tensor.size();
    let found = match size[..] {
        _ if size.contains(&0) => None,
        [pixels] => side(pixels).map(|shape| (1, shape)),
        [n, pixels] => match side(pixels) {
            // Images are rather square than a hundred times as wide as high.
            Some(shape) if n != pixels && pixels >= 64 => Some((n, shape)),
            _ => Some((1, (n, pixels))),
        },
        [n, rows, columns] | [n, 1, rows, columns] => Some((n, (rows, columns))),
        _ => None,
    };
    let (n, (rows, columns)) = found.ok_or_else(|| Error::Shape {
        what: "the images to show",
        expected: "[N, P] with square images, [rows, columns] or [N, rows, columns]".into(),
        found: size.clone(),
    })?;
    Ok((tensor.f_reshape([n, rows * columns])?, (rows, columns)))
}

/// The first and last entries along every dimension, as numbers that can be printed.
fn ends(tensor: &Tensor) -> Result<Tensor, tch::TchError> {
    let mut ends = tensor.f_detach()?;
    for (dim, &length) in (0_i64..).zip(&tensor.size()) {
        if length > SHOWN {
            let first = ends.f_narrow(dim, 0, AT_AN_END)?;
            let last = ends.f_narrow(dim, length - AT_AN_END, AT_AN_END)?;
            ends = Tensor::f_cat(&[first, last], dim)?;
        }
    }
    ends.f_to_device(tch::Device::Cpu)?.f_to_kind(Kind::Double)
}

fn entries(ends: &Tensor, shape: &[i64]) -> String {
    let Some((&length, rest)) = shape.split_first() else {
        return number(ends.double_value(&[]));
    };
    let shown = length.min(SHOWN);
    let mut parts: Vec<String> = (0..shown).map(|i| entries(&ends.get(i), rest)).collect();
    if length > shown {
        parts.insert(AT_AN_END as usize, "…".into());
    }
    let separator = if rest.is_empty() { ", " } else { ",\n " };
    format!("[{}]", parts.join(separator))
}

fn number(value: f64) -> String {
    let size = value.abs();
    if value == value.trunc() && size < 1e7 {
        format!("{value:.0}")
    } else if (1e-3..1e5).contains(&size) {
        format!("{value:.4}")
    } else {
        format!("{value:.3e}")
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Float => "f32",
        Kind::Double => "f64",
        Kind::Half => "f16",
        Kind::BFloat16 => "bf16",
        Kind::Int64 => "i64",
        Kind::Int => "i32",
        Kind::Int16 => "i16",
        Kind::Int8 => "i8",
        Kind::Uint8 => "u8",
        Kind::Bool => "bool",
        _ => "of another type",
    }
}

fn device(tensor: &Tensor) -> String {
    match tensor.device() {
        tch::Device::Cpu => "cpu".into(),
        tch::Device::Cuda(index) => format!("cuda:{index}"),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_shows_its_ends() {
        let x = Tensor::arange(20, (Kind::Float, tch::Device::Cpu)).view([2, 10]) / 8.0;
        assert_eq!(
            x.rich().as_text(),
            "Tensor [2, 10] f32 on cpu\n\
             [[0, 0.1250, 0.2500, …, 0.8750, 1, 1.1250],\n \
             [1.2500, 1.3750, 1.5000, …, 2.1250, 2.2500, 2.3750]]"
        );
    }

    #[test]
    fn image_shaped_tensors_are_pictures_and_others_say_what_they_need() -> Result<()> {
        let zeros = |size: &[i64]| Tensor::zeros(size, (Kind::Float, tch::Device::Cpu));
        for (size, expected) in [
            (&[784][..], (1, (28, 28))),
            (&[5, 784], (5, (28, 28))),
            (&[20, 30], (1, (20, 30))),
            (&[7, 12, 9], (7, (12, 9))),
            (&[7, 1, 12, 9], (7, (12, 9))),
        ] {
            let (images, shape) = as_images(&zeros(size))?;
            assert_eq!((images.size()[0], shape), expected, "{size:?}");
        }
        assert!(show_images(&zeros(&[3, 64]))?.png().len() > 100);
        for size in [&[10][..], &[], &[0, 784], &[2, 3, 8, 8]] {
            let error = show_images(&zeros(size))
                .map(|_| ())
                .expect_err("no images");
            assert!(error.to_string().contains("[N, P]"), "{error}");
        }
        Ok(())
    }

    #[test]
    fn a_single_number_an_empty_tensor_and_one_that_needs_gradients_are_shown() {
        assert_eq!(
            Tensor::from(3_i64).rich().as_text(),
            "Tensor [] i64 on cpu\n3"
        );
        let empty = Tensor::zeros([0, 3], (Kind::Float, tch::Device::Cpu));
        assert_eq!(empty.rich().as_text(), "Tensor [0, 3] f32 on cpu, empty");
        let leaf = Tensor::from_slice(&[1e-9_f32, f32::NAN]).set_requires_grad(true);
        assert_eq!(
            leaf.rich().as_text(),
            "Tensor [2] f32 on cpu\n[1.000e-9, NaN]"
        );
    }
}
