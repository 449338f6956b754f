//! A dense layer and an activation, forward and backward, in place.

use tch::{Tensor, nn};

use super::super::Activation;
use super::matrix::Matrix;
use crate::Result;

/// One dense layer: views of its variables, and of its gradients.
pub(super) struct Layer {
    pub(super) weight: Tensor, // [out, in]
    weight_transposed: Tensor, // [in, out]
    bias: Tensor,              // [out]
    d_weight: Tensor,          // [out, in]
    d_bias: Matrix,            // [1, out]
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
        let weight = variable("weight")?;
        Some(Self {
            weight_transposed: weight.tr(),
            weight,
            bias: variable("bias")?,
            d_weight: gradient("weight")?,
            d_bias: Matrix::of(gradient("bias")?.unsqueeze(0)),
        })
    }

    /// output = input · Wᵀ + b.
    pub(super) fn forward(&self, input: &Matrix, output: &Matrix) -> Result<()> {
        let _ = self
            .bias
            .f_addmm_out(&output.tensor, &input.tensor, &self.weight_transposed)?;
        Ok(())
    }

    /// dW = d_outputᵀ · input, db = Σ_rows d_output, d_input = d_output · W.
    pub(super) fn backward(
        &mut self,
        input: &Matrix,
        d_output: &Matrix,
        d_input: Option<&Matrix>,
    ) -> Result<()> {
        let _ = d_output
            .transposed
            .f_mm_out(&self.d_weight, &input.tensor)?;
        let d_bias = self.d_bias.numbers_mut();
        d_bias.fill(0.0);
        for row in d_output.numbers().chunks_exact(d_bias.len()) {
            for (sum, d) in d_bias.iter_mut().zip(row) {
                *sum += d;
            }
        }
        if let Some(d_input) = d_input {
            let _ = d_output.tensor.f_mm_out(&d_input.tensor, &self.weight)?;
        }
        Ok(())
    }
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
pub(super) fn through(activation: Activation, h: &Matrix, d: &mut Matrix) {
    let pairs = d.numbers_mut().iter_mut().zip(h.numbers());
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
}
