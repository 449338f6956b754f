//! The optimiser.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::Optimizer;
use super::optimizer::{check_gradients, check_learning_rate, trained_variables};
use super::team::{part_of, share};
use crate::wide::wide;
use crate::{Error, Result, no_grad};

/// Where Adam adds ε.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EpsilonConvention {
    /// Keras: to √v before its bias is corrected, the "ε̂" of Kingma and Ba 2015, section 2.
    Keras,
    /// PyTorch: to √v̂, after the correction, as in their algorithm 1.
    Pytorch,
}

/// The numbers that define [`Adam`] but for its learning rate; the defaults are Keras'.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamConfig {
    /// Decay of the first moment, β₁.
    pub beta1: f64,
    /// Decay of the second moment, β₂.
    pub beta2: f64,
    /// ε.
    pub epsilon: f64,
    /// Where ε is added.
    pub convention: EpsilonConvention,
}

impl Default for AdamConfig {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-7,
            convention: EpsilonConvention::Keras,
        }
    }
}

impl AdamConfig {
    /// Checks every number.
    ///
    /// # Errors
    /// One sentence that names the first number that makes no sense.
    pub fn check(&self) -> Result<()> {
        for (name, beta) in [("beta1", self.beta1), ("beta2", self.beta2)] {
            if !(0.0..1.0).contains(&beta) {
                return Err(Error::Invalid(format!(
                    "{name} is {beta}, but must be at least 0 and less than 1"
                )));
            }
        }
        if !(self.epsilon.is_finite() && self.epsilon >= 0.0) {
            return Err(Error::Invalid(format!(
                "epsilon is {}, but must be 0 or more",
                self.epsilon
            )));
        }
        Ok(())
    }
}

/// Adam (Kingma and Ba 2015) over any set of variables, with its state open to be saved.
///
/// On the CPU one pass goes over parameter, gradient and both moments at once, in threads; on other
/// devices the same arithmetic runs as tensor operations that never wait for the device.
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    learning_rate: f64,
    variables: Vec<(String, Tensor)>,
    first: Vec<Tensor>,
    second: Vec<Tensor>,
    steps: u64,
}

impl Adam {
    /// An optimiser for the variables of a store that are trained, in the order of their names.
    ///
    /// # Errors
    /// If a number makes no sense.
    pub fn new(vs: &tch::nn::VarStore, learning_rate: f64, config: &AdamConfig) -> Result<Self> {
        Self::for_variables(trained_variables(vs), learning_rate, config)
    }

    /// An optimiser for named leaf variables.
    ///
    /// # Errors
    /// If a number makes no sense, or a variable holds anything but float32.
    pub fn for_variables(
        variables: Vec<(String, Tensor)>,
        learning_rate: f64,
        config: &AdamConfig,
    ) -> Result<Self> {
        config.check()?;
        check_learning_rate(learning_rate)?;
        if let Some((name, v)) = variables.iter().find(|(_, v)| v.kind() != Kind::Float) {
            return Err(Error::Invalid(format!(
                "the variable {name} holds {:?}, but Adam works on float32",
                v.kind()
            )));
        }
        let zeros = || {
            variables
                .iter()
                .map(|(_, v)| v.zeros_like().detach())
                .collect()
        };
        Ok(Self {
            config: config.clone(),
            learning_rate,
            first: zeros(),
            second: zeros(),
            variables,
            steps: 0,
        })
    }

    /// Steps done.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The names of the variables, in the order that [`Optimizer::apply`] takes gradients in.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|(name, _)| name.as_str())
    }
}

impl Optimizer for Adam {
    fn variables(&self) -> &[(String, Tensor)] {
        &self.variables
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.learning_rate = rate;
    }

    fn apply(&mut self, gradients: &[Tensor]) -> Result<()> {
        check_gradients(gradients, &self.variables)?;
        self.steps += 1;
        let update = Update::new(&self.config, self.learning_rate, self.steps);
        let in_memory = |t: &Tensor| t.device() == Device::Cpu && t.is_contiguous();
        let mut one_pass = Vec::with_capacity(gradients.len());
        for (i, gradient) in gradients.iter().enumerate() {
            if !gradient.defined() {
                continue;
            }
            let variable = &self.variables[i].1;
            let (first, second) = (&mut self.first[i], &mut self.second[i]);
            if [variable, gradient, &*first, &*second]
                .into_iter()
                .all(in_memory)
            {
                one_pass.push(Slices::of(variable, gradient, first, second));
            } else {
                no_grad(|| update.on_device(variable, gradient, first, second));
            }
        }
        if !one_pass.is_empty() {
            update.in_memory(&one_pass);
        }
        Ok(())
    }

    fn state(&self) -> Vec<(String, Tensor)> {
        let named = |prefix: &str, moments: &[Tensor]| {
            self.variables
                .iter()
                .zip(moments)
                .map(|((name, _), moment)| (format!("{prefix}.{name}"), moment.shallow_clone()))
                .collect::<Vec<_>>()
        };
        let mut state = named("adam.first", &self.first);
        state.extend(named("adam.second", &self.second));
        state
    }

    fn restore(&mut self, steps: u64, find: &mut dyn FnMut(&str) -> Option<Tensor>) -> Result<()> {
        let mut restored = Vec::new();
        for (name, own) in self.state() {
            match find(&name) {
                Some(saved) if saved.size() == own.size() => restored.push((own, saved)),
                _ => {
                    return Err(Error::Invalid(format!(
                        "the optimiser's state {name} is missing or of another shape"
                    )));
                }
            }
        }
        for (mut own, saved) in restored {
            own.copy_(&saved);
        }
        self.steps = steps;
        Ok(())
    }
}

/// The numbers of one step: p ← p − rate · m / (√v · scale + ε).
struct Update {
    rate: f32,
    scale: f32,
    epsilon: f32,
    beta1: f32,
    beta2: f32,
}

impl Update {
    fn new(config: &AdamConfig, learning_rate: f64, step: u64) -> Self {
        let correction1 = 1.0 - config.beta1.powf(step as f64);
        let correction2 = (1.0 - config.beta2.powf(step as f64)).sqrt();
        let (rate, scale) = match config.convention {
            EpsilonConvention::Keras => (learning_rate * correction2 / correction1, 1.0),
            EpsilonConvention::Pytorch => (learning_rate / correction1, 1.0 / correction2),
        };
        Self {
            rate: rate as f32,
            scale: scale as f32,
            epsilon: config.epsilon as f32,
            beta1: config.beta1 as f32,
            beta2: config.beta2 as f32,
        }
    }

    /// One pass over all variables, shared between threads; nothing is allocated.
    fn in_memory(&self, all: &[Slices]) {
        let total: usize = all.iter().map(|slices| slices.count).sum();
        share(&|part, parts| {
            let mine = part_of(total, part, parts);
            let mut start = 0;
            for slices in all {
                let (from, to) = (mine.start.max(start), mine.end.min(start + slices.count));
                if from < to {
                    // SAFETY: the parts of different threads don't overlap.
                    let (p, g, m, v) = unsafe { slices.range(from - start, to - from) };
                    self.run(p, g, m, v);
                }
                start += slices.count;
            }
        });
    }

    fn run(&self, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        wide(|| self.each(p, g, m, v));
    }

    #[inline(always)]
    fn each(&self, p: &mut [f32], g: &[f32], m: &mut [f32], v: &mut [f32]) {
        let Self {
            rate,
            scale,
            epsilon,
            beta1,
            beta2,
        } = *self;
        for (((p, &g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = beta2 * *v + (1.0 - beta2) * g * g;
            *p -= rate * *m / (v.sqrt() * scale + epsilon);
        }
    }

    fn on_device(&self, variable: &Tensor, g: &Tensor, first: &mut Tensor, second: &mut Tensor) {
        let beta1 = f64::from(self.beta1);
        let beta2 = f64::from(self.beta2);
        let _ = first.g_mul_scalar_(beta1).g_add_(&(g * (1.0 - beta1)));
        let _ = second.g_mul_scalar_(beta2).g_add_(&(g * g * (1.0 - beta2)));
        let denominator = second.sqrt() * f64::from(self.scale) + f64::from(self.epsilon);
        let _ = variable
            .shallow_clone()
            .g_sub_(&(&*first / denominator * f64::from(self.rate)));
    }
}

/// A variable, its gradient and both moments, as they lie in memory.
struct Slices {
    variable: *mut f32,
    gradient: *const f32,
    first: *mut f32,
    second: *mut f32,
    count: usize,
}

// SAFETY: threads work on parts that don't overlap.
unsafe impl Sync for Slices {}

impl Slices {
    /// All four are contiguous float32 tensors of one size on the CPU.
    fn of(variable: &Tensor, gradient: &Tensor, first: &mut Tensor, second: &mut Tensor) -> Self {
        Self {
            variable: variable.data_ptr().cast(),
            gradient: gradient.data_ptr().cast(),
            first: first.data_ptr().cast(),
            second: second.data_ptr().cast(),
            count: variable.numel(),
        }
    }

    /// # Safety
    /// The range must lie within the tensors, the tensors must live, and nobody else may touch the
    /// range: the moments are the optimiser's own, and the variable's graph is done with once its
    /// gradient is there.
    unsafe fn range<'a>(
        &self,
        start: usize,
        count: usize,
    ) -> (&'a mut [f32], &'a [f32], &'a mut [f32], &'a mut [f32]) {
        use std::slice::{from_raw_parts, from_raw_parts_mut};
        // SAFETY: as the caller promises.
        unsafe {
            (
                from_raw_parts_mut(self.variable.add(start), count),
                from_raw_parts(self.gradient.add(start), count),
                from_raw_parts_mut(self.first.add(start), count),
                from_raw_parts_mut(self.second.add(start), count),
            )
        }
    }
}
