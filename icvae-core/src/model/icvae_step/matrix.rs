//! A float matrix that is both a libtorch tensor and a Rust slice.

use tch::{Device, Kind, Tensor};

use crate::cpu::product::Place;

/// Rows and columns of float32 on the CPU, in memory that nothing else writes to.
pub(super) struct Matrix {
    /// The matrix, `[rows, columns]`, contiguous.
    pub(super) tensor: Tensor,
    /// A view of it, `[columns, rows]`.
    pub(super) transposed: Tensor,
    /// Numbers in a column.
    pub(super) rows: usize,
    /// Numbers in a row.
    pub(super) columns: usize,
}

impl Matrix {
    pub(super) fn zeros(rows: usize, columns: i64) -> Self {
        Self::of(Tensor::zeros(
            [rows as i64, columns],
            (Kind::Float, Device::Cpu),
        ))
    }

    /// Wraps a contiguous float32 matrix on the CPU.
    pub(super) fn of(tensor: Tensor) -> Self {
        debug_assert!(tensor.is_contiguous() && tensor.kind() == Kind::Float);
        let (rows, columns) = (tensor.size()[0] as usize, tensor.size()[1] as usize);
        Self {
            transposed: tensor.tr(),
            tensor,
            rows,
            columns,
        }
    }

    pub(super) fn numbers(&self) -> &[f32] {
        // SAFETY: contiguous float32 on the CPU, alive as long as `self`; who writes holds `&mut self`, or
        // calls libtorch, which is done when it returns.
        unsafe { std::slice::from_raw_parts(self.tensor.data_ptr().cast(), self.tensor.numel()) }
    }

    pub(super) fn numbers_mut(&mut self) -> &mut [f32] {
        // SAFETY: as above, and `&mut self` says that nobody else looks.
        unsafe {
            std::slice::from_raw_parts_mut(self.tensor.data_ptr().cast(), self.tensor.numel())
        }
    }

    pub(super) fn place(&self) -> Place<*const f32> {
        Place {
            first: self.tensor.data_ptr().cast::<f32>().cast_const(),
            row: self.columns,
            column: 1,
        }
    }

    pub(super) fn place_mut(&mut self) -> Place<*mut f32> {
        Place {
            first: self.tensor.data_ptr().cast(),
            row: self.columns,
            column: 1,
        }
    }
}
