//! The decoder p(x|z, c), or p(x|z).

use tch::Tensor;
use tch::nn::{self, Module, ModuleT};

use super::{Activation, Dense, DenseStack, StackConfig, dense};
use crate::Result;

/// A dense stack from a code (and a condition beside it) to an image.
///
/// Its parameters are `dec_h1`, `dec_h2`, … and `x_hat`.
#[derive(Debug)]
pub struct Decoder {
    trunk: DenseStack,
    output: Dense,
}

impl Decoder {
    /// Builds a decoder of `[B, inputs]` to `[B, outputs]`; `inputs` counts code and condition.
    ///
    /// # Errors
    /// If the configuration makes no sense.
    pub fn new(
        path: &nn::Path,
        inputs: i64,
        outputs: i64,
        output_activation: Activation,
        config: &StackConfig,
    ) -> Result<Self> {
        let trunk = DenseStack::new(path, "dec", inputs, config)?;
        let output = dense(path / "x_hat", trunk.outputs(), outputs).with(output_activation);
        Ok(Self { trunk, output })
    }

    /// Decodes z, `[B, Z]`, with the condition c, `[B, C]`, beside it where the model has one.
    pub fn forward_t(&self, z: &Tensor, c: Option<&Tensor>, train: bool) -> Tensor {
        let input = match c {
            Some(c) => Tensor::cat(&[z, c], 1),
            None => z.shallow_clone(),
        };
        let h = self.trunk.forward_t(&input, train);
        self.output.forward(&h)
    }
}
