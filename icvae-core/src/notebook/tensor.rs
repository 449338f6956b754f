//! Tensors as text: shape, type, device and a few entries.

use tch::{Kind, Tensor};

use super::rich::{Bundle, Rich};

/// Entries shown along each dimension: the first ones, then an ellipsis.
const SHOWN: i64 = 6;

impl Rich for Tensor {
    fn rich(&self) -> Bundle {
        let shape = self.size();
        let head = format!("Tensor {shape:?} {} on {}", kind(self.kind()), device(self));
        if shape.contains(&0) {
            return Bundle::text(format!("{head}, empty"));
        }
        match corner(self) {
            Ok(corner) => Bundle::text(format!("{head}\n{}", entries(&corner, &shape))),
            Err(error) => Bundle::text(format!("{head}\n(its entries cannot be read: {error})")),
        }
    }
}

/// The first entries along every dimension, as numbers that can be printed.
fn corner(tensor: &Tensor) -> Result<Tensor, tch::TchError> {
    let mut corner = tensor.f_detach()?;
    for (dim, &length) in (0_i64..).zip(&tensor.size()) {
        corner = corner.f_narrow(dim, 0, length.min(SHOWN))?;
    }
    corner
        .f_to_device(tch::Device::Cpu)?
        .f_to_kind(Kind::Double)
}

fn entries(corner: &Tensor, shape: &[i64]) -> String {
    let Some((&length, rest)) = shape.split_first() else {
        return number(corner.double_value(&[]));
    };
    let shown = length.min(SHOWN);
    let mut parts: Vec<String> = (0..shown).map(|i| entries(&corner.get(i), rest)).collect();
    if length > shown {
        parts.push("…".into());
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
    fn a_matrix_shows_its_corner() {
        let x = Tensor::arange(20, (Kind::Float, tch::Device::Cpu)).view([2, 10]) / 8.0;
        assert_eq!(
            x.rich().as_text(),
            "Tensor [2, 10] f32 on cpu\n\
             [[0, 0.1250, 0.2500, 0.3750, 0.5000, 0.6250, …],\n \
             [1.2500, 1.3750, 1.5000, 1.6250, 1.7500, 1.8750, …]]"
        );
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
