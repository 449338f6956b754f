//! The hand-derived training step of [`Icvae`]: the fast twin of its readable losses.
//!
//! The model is a chain of matrix products with point-wise functions between them, and its gradients are
//! written down here once instead of being found anew in every step. The products go into buffers that
//! are made once; what lies between two products is one pass over memory.

mod buffers;
mod layer;
mod matrix;
mod terms;

use tch::{Device, Tensor};

use super::{Activation, Icvae, IcvaeConfig};
use crate::Result;
use crate::data::{Batches, Dataset};
use crate::train::{Model, Step, TermMeans, step_seed};

use buffers::Buffers;
use layer::{Back, Layer, activate, derive};
use matrix::Matrix;
use terms::{compare, pairwise_kl, prior_kl};

/// Examples that an evaluation decodes at a time: as many as stay in the cache from layer to layer.
const EVALUATED_AT_ONCE: usize = 256;

/// The fast step of a model without dropout and batch normalisation, on the CPU.
pub(super) struct IcvaeStep<'a> {
    config: &'a IcvaeConfig,
    encoder: Vec<Layer>,
    mean: Layer,
    log_var: Layer,
    decoder: Vec<Layer>,
    gradients: Vec<Tensor>,
    buffers: Vec<Buffers>,
    values: Vec<f32>,
}

impl<'a> IcvaeStep<'a> {
    /// The fast step of a model, if there is one.
    pub(super) fn new(model: &'a Icvae) -> Option<Self> {
        let config = model.config();
        let vs = model.var_store();
        if config.dropout > 0.0 || config.batch_norm || vs.device() != Device::Cpu {
            return None;
        }
        let mut names: Vec<String> = vs.variables().into_keys().collect();
        names.sort();
        let mut gradients: Vec<Tensor> = Vec::with_capacity(names.len());
        for name in &names {
            gradients.push(vs.variables().get(name)?.detach().zeros_like());
        }
        let layer = |name: String| Layer::new(vs, &names, &gradients, &name);
        let hidden = |name: &str| {
            (1..=config.hidden.len())
                .map(|i| layer(format!("{name}_h{i}")))
                .collect::<Option<_>>()
        };
        let (encoder, mut decoder): (Vec<_>, Vec<_>) = (hidden("enc")?, hidden("dec")?);
        decoder.push(layer("x_hat".into())?);
        let (mean, log_var) = (layer("z_mean".into())?, layer("z_log_sigma_sq".into())?);
        Some(Self {
            config,
            encoder,
            mean,
            log_var,
            decoder,
            gradients,
            buffers: Vec::new(),
            values: Vec::new(),
        })
    }

    /// The buffers for a batch of this size, taken out while they are used.
    fn take_buffers(&mut self, batch: usize) -> Buffers {
        match self.buffers.iter().position(|b| b.batch == batch) {
            Some(at) => self.buffers.swap_remove(at),
            None => Buffers::new(self.config, batch),
        }
    }

    /// Encodes, samples and decodes; ε is drawn group by group, as the slow form draws it.
    fn forward(&mut self, b: &mut Buffers, group: usize) -> Result<()> {
        let config = self.config;
        hidden_forward(&mut self.encoder, config.activation, &b.x, &mut b.encoder)?;
        let top = b.encoder.last().unwrap_or(&b.x);
        self.mean.forward(top, &mut b.mean)?;
        activate(config.mean_activation, &b.mean)?;
        self.log_var.forward(top, &mut b.log_var)?;
        for start in (0..b.batch).step_by(group) {
            let rows = group.min(b.batch - start) as i64;
            let _ = b
                .epsilon
                .tensor
                .narrow(0, start as i64, rows)
                .f_normal_(0.0, 1.0)?;
        }
        let (z, width) = (config.latent as usize, b.code.columns);
        let q = b
            .mean
            .numbers()
            .iter()
            .zip(b.log_var.numbers())
            .zip(b.epsilon.numbers());
        let codes = b
            .code
            .numbers_mut()
            .chunks_exact_mut(width)
            .flat_map(|row| &mut row[..z]);
        for (code, ((mean, log_var), epsilon)) in codes.zip(q) {
            *code = mean + (0.5 * log_var).exp() * epsilon;
        }
        let activation = config.decoder_stack().activation;
        hidden_forward(&mut self.decoder, activation, &b.code, &mut b.decoder)?;
        let top = b.decoder.last().unwrap_or(&b.code);
        self.decoder[b.decoder.len()].forward(top, &mut b.output)?;
        activate(config.output_activation, &b.output)
    }

    /// From the derivative with respect to the decoder's output, which lies in `b.output`, back to every
    /// variable. `b.output` holds x̂ before.
    fn backward(&mut self, b: &mut Buffers) -> Result<()> {
        let config = self.config;
        let activation = config.decoder_stack().activation;
        let hidden = b.decoder.len();
        let (input, d_input) = match hidden {
            0 => (&b.code, &mut b.d_code),
            n => (&b.decoder[n - 1], &mut b.d_decoder[n - 1]),
        };
        let through = b.decoder.last().map(|h| (activation, h));
        self.decoder[hidden].backward(input, &b.output, Some(Back::to(d_input, through)))?;
        let bottom = Some(Back::to(&mut b.d_code, None));
        let (layers, inputs) = (&mut self.decoder, (&b.code, &b.decoder[..]));
        hidden_backward(layers, activation, inputs, &mut b.d_decoder, bottom)?;

        self.through_code(b);
        let top = b.encoder.last().unwrap_or(&b.x);
        let back = b
            .d_encoder
            .last_mut()
            .map(|d_input| Back::to(d_input, None));
        self.mean.backward(top, &b.d_mean, back)?;
        let back = b.d_encoder.last_mut().map(|d_input| Back {
            d_input,
            add: true,
            through: Some((config.activation, top)),
        });
        self.log_var.backward(top, &b.d_log_var, back)?;
        let (layers, inputs) = (&mut self.encoder, (&b.x, &b.encoder[..]));
        hidden_backward(layers, config.activation, inputs, &mut b.d_encoder, None)
    }

    /// From z and the two divergences back to the heads of the encoder.
    fn through_code(&self, b: &mut Buffers) {
        let IcvaeConfig {
            beta,
            lambda,
            latent,
            mean_activation,
            ..
        } = *self.config;
        let (z, width, batch) = (latent as usize, b.code.columns, b.batch as f32);
        let (mean, log_var, epsilon) = (b.mean.numbers(), b.log_var.numbers(), b.epsilon.numbers());
        let d_code = b.d_code.numbers();
        let (d_mean, d_log_var) = (b.d_mean.numbers_mut(), b.d_log_var.numbers_mut());
        let beta = beta as f32 / batch;
        for row in 0..b.batch {
            for d in 0..z {
                let (i, dz) = (row * z + d, d_code[row * width + d]);
                d_mean[i] = dz + beta * mean[i];
                d_log_var[i] = 0.5
                    * (dz * epsilon[i] * (0.5 * log_var[i]).exp()
                        + beta * (log_var[i].exp() - 1.0));
            }
        }
        pairwise_kl(mean, log_var, z, Some((d_mean, d_log_var, lambda)));
        derive(mean_activation, b.mean.numbers(), b.d_mean.numbers_mut());
    }
}

/// Hidden layers, from the input up.
fn hidden_forward(
    layers: &mut [Layer],
    activation: Activation,
    input: &Matrix,
    hidden: &mut [Matrix],
) -> Result<()> {
    let mut input = input;
    for (layer, h) in layers.iter_mut().zip(hidden) {
        layer.forward(input, h)?;
        activate(activation, h)?;
        input = h;
    }
    Ok(())
}

/// Hidden layers, from the top down; `bottom` says what the lowest owes to its input.
fn hidden_backward(
    layers: &mut [Layer],
    activation: Activation,
    (input, hidden): (&Matrix, &[Matrix]),
    d_hidden: &mut [Matrix],
    mut bottom: Option<Back<'_>>,
) -> Result<()> {
    for i in (0..hidden.len()).rev() {
        let (below, d) = d_hidden.split_at_mut(i);
        let (input, back) = match below.last_mut() {
            Some(d_input) => {
                let h = &hidden[i - 1];
                (h, Some(Back::to(d_input, Some((activation, h)))))
            }
            None => (input, bottom.take()),
        };
        layers[i].backward(input, &d[0], back)?;
    }
    Ok(())
}

impl Step for IcvaeStep<'_> {
    fn names(&self) -> Vec<String> {
        ["reconstruction", "prior KL", "pairwise KL", "total"]
            .map(str::to_owned)
            .into()
    }

    fn run(&mut self, data: &Dataset, indices: &Tensor) -> Result<&[f32]> {
        let mut b = self.take_buffers(indices.size()[0] as usize);
        b.gather(self.config, data, indices)?;
        let group = b.batch;
        self.forward(&mut b, group)?;
        let batch = b.batch as f64;
        let reconstruction = compare(
            self.config,
            &mut b,
            Some((1.0 + self.config.lambda) / batch),
        ) / batch;
        let prior = prior_kl(b.mean.numbers(), b.log_var.numbers()) / batch;
        let z = self.config.latent as usize;
        let pairwise = pairwise_kl(b.mean.numbers(), b.log_var.numbers(), z, None);
        self.values = self.with_total(reconstruction, prior, pairwise);
        self.backward(&mut b)?;
        self.buffers.push(b);
        Ok(&self.values)
    }

    fn gradients(&self) -> &[Tensor] {
        &self.gradients
    }

    fn evaluate(&mut self, data: &Dataset, batch_size: usize, seed: u64) -> Result<TermMeans> {
        tch::manual_seed(step_seed(seed, u64::MAX));
        let group = batch_size.clamp(1, data.len().max(1));
        let at_once = group * (EVALUATED_AT_ONCE / group).max(1);
        let z = self.config.latent as usize;
        let mut sums = [0.0; 3];
        for indices in Batches::in_order(data.len(), at_once)? {
            let mut b = self.take_buffers(indices.size()[0] as usize);
            b.gather(self.config, data, &indices)?;
            self.forward(&mut b, group)?;
            sums[0] += compare(self.config, &mut b, None);
            let (mean, log_var) = (b.mean.numbers(), b.log_var.numbers());
            sums[1] += prior_kl(mean, log_var);
            for (mean, log_var) in mean.chunks(group * z).zip(log_var.chunks(group * z)) {
                sums[2] += pairwise_kl(mean, log_var, z, None) * (mean.len() / z) as f64;
            }
            self.buffers.push(b);
        }
        let [reconstruction, prior, pairwise] = sums.map(|sum| sum / data.len() as f64);
        let values = self.with_total(reconstruction, prior, pairwise);
        Ok(TermMeans(
            self.names()
                .into_iter()
                .zip(values.into_iter().map(f64::from))
                .collect(),
        ))
    }
}

impl IcvaeStep<'_> {
    fn with_total(&self, reconstruction: f64, prior: f64, pairwise: f64) -> Vec<f32> {
        let IcvaeConfig { beta, lambda, .. } = *self.config;
        let total = (1.0 + lambda) * reconstruction + beta * prior + lambda * pairwise;
        [reconstruction, prior, pairwise, total]
            .map(|value| value as f32)
            .into()
    }
}
