//! A dense layer and an activation, forward and backward, in place.

use std::ops::Range;

use tch::{Tensor, nn};

use super::super::Activation;
use super::matrix::Matrix;
use crate::Result;
use crate::cpu::choice::kernel_for;
use crate::cpu::product::{Kernel, Panel, Target, multiply};
use crate::cpu::team::{part_of, share};
use crate::cpu::wide::wide;

/// Examples of a batch that the choice of a kernel is made for.
const USUAL_BATCH: usize = 32;
/// Columns that two threads share out are multiples of this: a cache line belongs to one thread.
const LINE: usize = 16;
/// Products of fewer multiplications are done before a second thread has begun.
const WORTH_SHARING: usize = 500_000;
/// Multiplications that take as long as to move one number.
const MOVE: usize = 32;

/// One dense layer: views of its variables, and of its gradients.
pub(super) struct Layer {
    weight: Matrix,   // [out, in]
    bias: Matrix,     // [1, out]
    d_weight: Matrix, // [out, in]
    d_bias: Matrix,   // [1, out]
    // What the products read, each laid out for one of them: of the input, examples beside each other and
    // units beside each other; of the derivative, examples.
    input_examples: Panel,
    input_units: Panel,
    derivative_examples: Panel,
    /// None where libtorch multiplies.
    kernel: Option<Kernel>,
}

/// Where the derivative with respect to a layer's input goes.
pub(super) struct Back<'a> {
    pub(super) d_input: &'a mut Matrix,
    /// Whether it is added to what lies there.
    pub(super) add: bool,
    /// The function that gave the input, and the input: the derivative goes on through it.
    pub(super) through: Option<(Activation, &'a Matrix)>,
}

impl<'a> Back<'a> {
    pub(super) fn to(d_input: &'a mut Matrix, through: Option<(Activation, &'a Matrix)>) -> Self {
        Self {
            d_input,
            add: false,
            through,
        }
    }
}

impl Layer {
    pub(super) fn new(
        vs: &nn::VarStore,
        names: &[String],
        gradients: &[Tensor],
        name: &str,
    ) -> Option<Self> {
        let variables = vs.variables();
        let variable = |kind: &str| Some(variables.get(&format!("{name}.{kind}"))?.detach());
        let gradient = |kind: &str| {
            let at = names.binary_search(&format!("{name}.{kind}")).ok()?;
            Some(gradients[at].shallow_clone())
        };
        Some(Self {
            weight: Matrix::of(variable("weight")?),
            bias: Matrix::of(variable("bias")?.unsqueeze(0)),
            d_weight: Matrix::of(gradient("weight")?),
            d_bias: Matrix::of(gradient("bias")?.unsqueeze(0)),
            input_examples: Panel::default(),
            input_units: Panel::default(),
            derivative_examples: Panel::default(),
            kernel: kernel_for(USUAL_BATCH),
        })
    }

    /// output = input · Wᵀ + b.
    pub(super) fn forward(&mut self, input: &Matrix, output: &mut Matrix) -> Result<()> {
        let Some(kernel) = self.kernel else {
            let _ = self.bias.tensor.f_addmm_out(
                &output.tensor,
                &input.tensor,
                &self.weight.transposed,
            )?;
            return Ok(());
        };
        let (rows, inner, columns) = (input.rows, input.columns, output.columns);
        let x = self.input_examples.resize(inner, rows);
        let source = input.place().transposed();
        let moves = rows * inner * MOVE;
        // SAFETY: threads write to different rows of the panel.
        shared(moves, &|part, parts| unsafe {
            x.fill(source, part_of(inner, part, parts))
        });
        let others = self.weight.place().transposed();
        let target = Target {
            place: output.place_mut(),
            lanes_are_rows: true,
            bias: Some(self.bias.numbers()),
            add: false,
        };
        shared(rows * inner * columns, &|part, parts| {
            let mine = lines_of(columns, part, parts);
            // SAFETY: threads write to different columns, and nothing else is written to.
            unsafe { multiply(kernel, x, others, mine, target) }
        });
        Ok(())
    }

    /// dW = d_outputᵀ · input, db = Σ_rows d_output, d_input = d_output · W.
    pub(super) fn backward(
        &mut self,
        input: &Matrix,
        d_output: &Matrix,
        back: Option<Back<'_>>,
    ) -> Result<()> {
        let Some(kernel) = self.kernel else {
            return self.backward_by_libtorch(input, d_output, back);
        };
        let (rows, inner, outer) = (input.rows, input.columns, d_output.columns);
        let (x, dy, w) = (input.place(), d_output.place(), self.weight.place());
        let db = self.d_bias.place_mut();
        let dw = Target {
            place: self.d_weight.place_mut(),
            lanes_are_rows: false,
            bias: None,
            add: false,
        };
        let back = back.map(|back| {
            let target = Target {
                place: back.d_input.place_mut(),
                lanes_are_rows: true,
                bias: None,
                add: back.add,
            };
            let through = back.through.map(|(f, h)| (f, h.numbers()));
            (
                self.derivative_examples.resize(outer, rows),
                target,
                through,
            )
        });
        let units = self.input_units.resize(rows, inner);
        shared(rows * inner.max(outer) * MOVE, &|part, parts| {
            // SAFETY: threads write to different rows of the panels.
            unsafe {
                units.fill(x, part_of(rows, part, parts));
                if let Some((examples, ..)) = back {
                    examples.fill(dy.transposed(), part_of(outer, part, parts));
                }
            }
        });
        let derivatives = d_output.numbers();
        shared(rows * inner * outer, &|part, parts| {
            let mine = lines_of(outer, part, parts);
            // SAFETY: threads write to different rows of dW, numbers of db and columns of d_input.
            unsafe {
                let db = db.in_row(0, &mine);
                sum_rows(db, derivatives.chunks_exact(outer), &mine);
                multiply(kernel, units, dy, mine, dw);
                if let Some((examples, dx, through)) = back {
                    let mine = lines_of(inner, part, parts);
                    multiply(kernel, examples, w, mine.clone(), dx);
                    if let Some((activation, h)) = through {
                        for (row, h) in h.chunks_exact(inner).enumerate() {
                            derive(activation, &h[mine.clone()], dx.place.in_row(row, &mine));
                        }
                    }
                }
            }
        });
        Ok(())
    }

    fn backward_by_libtorch(
        &mut self,
        input: &Matrix,
        d_output: &Matrix,
        back: Option<Back<'_>>,
    ) -> Result<()> {
        let _ = d_output
            .transposed
            .f_mm_out(&self.d_weight.tensor, &input.tensor)?;
        let columns = d_output.columns;
        let rows = d_output.numbers().chunks_exact(columns);
        sum_rows(self.d_bias.numbers_mut(), rows, &(0..columns));
        if let Some(Back {
            d_input,
            add,
            through,
        }) = back
        {
            let (dy, w) = (&d_output.tensor, &self.weight.tensor);
            if add {
                let _ = d_input.tensor.f_addmm_(dy, w)?;
            } else {
                let _ = dy.f_mm_out(&d_input.tensor, w)?;
            }
            if let Some((activation, h)) = through {
                derive(activation, h.numbers(), d_input.numbers_mut());
            }
        }
        Ok(())
    }
}

/// Columns for a part, whole cache lines where there are enough.
fn lines_of(columns: usize, part: usize, parts: usize) -> Range<usize> {
    let lines = part_of(columns.div_ceil(LINE), part, parts);
    (lines.start * LINE).min(columns)..(lines.end * LINE).min(columns)
}

/// Shares out work that is worth it.
fn shared(multiplications: usize, work: &(dyn Fn(usize, usize) + Sync)) {
    if multiplications < WORTH_SHARING {
        work(0, 1);
    } else {
        share(work);
    }
}

/// The sums over the rows of some columns.
fn sum_rows<'a>(sums: &mut [f32], rows: impl Iterator<Item = &'a [f32]>, columns: &Range<usize>) {
    wide(|| {
        sums.fill(0.0);
        for row in rows {
            for (sum, number) in sums.iter_mut().zip(&row[columns.clone()]) {
                *sum += number;
            }
        }
    });
}

/// h ← f(h).
pub(super) fn activate(activation: Activation, h: &Matrix) -> Result<()> {
    let mut h = h.tensor.shallow_clone();
    match activation {
        Activation::Linear => {}
        Activation::Tanh => drop(h.f_tanh_()?),
        Activation::Relu => drop(h.f_relu_()?),
        Activation::Sigmoid => drop(h.f_sigmoid_()?),
        Activation::LeakyRelu(_) | Activation::Elu | Activation::Softplus => {
            let activated = activation.apply(&h);
            h.f_copy_(&activated)?;
        }
    }
    Ok(())
}

/// d ← d · f′(a), written with h = f(a).
pub(super) fn derive(activation: Activation, h: &[f32], d: &mut [f32]) {
    wide(|| {
        let pairs = d.iter_mut().zip(h);
        match activation {
            Activation::Linear => {}
            Activation::Tanh => pairs.for_each(|(d, h)| *d *= 1.0 - h * h),
            Activation::Relu => pairs.for_each(|(d, &h)| *d = if h > 0.0 { *d } else { 0.0 }),
            Activation::LeakyRelu(slope) => {
                let slope = slope as f32;
                pairs.for_each(|(d, &h)| *d *= if h > 0.0 { 1.0 } else { slope });
            }
            Activation::Elu => pairs.for_each(|(d, &h)| *d *= if h > 0.0 { 1.0 } else { h + 1.0 }),
            Activation::Sigmoid => pairs.for_each(|(d, h)| *d *= h * (1.0 - h)),
            Activation::Softplus => pairs.for_each(|(d, h)| *d *= 1.0 - (-h).exp()),
        }
    });
}
