//! The optimiser.

use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::Optimizer;
use super::optimizer::{check_gradients, check_learning_rate, gradients, trained_variables};
use crate::cpu::delayed::{self, Factors, Panels, Ready};
use crate::cpu::node::mark_changed;
use crate::cpu::team::{part_of, share_both};
use crate::cpu::wide::wide;
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
/// devices the same arithmetic runs as tensor operations that never wait for the device. The gradient of a
/// dense layer's weights isn't even written to memory: a few rows of it are made, used, and overwritten.
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    learning_rate: f64,
    variables: Vec<(String, Tensor)>,
    first: Vec<Tensor>,
    second: Vec<Tensor>,
    steps: u64,
    panels: Panels,
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
    /// If a number makes no sense, a variable holds anything but float32, or two share memory.
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
        let mut lying: Vec<_> = variables
            .iter()
            .map(|(name, v)| (extent(v), name))
            .collect();
        lying.sort_by_key(|(range, _)| range.start);
        if let Some([(_, a), (_, b)]) = lying.array_windows().find(|[(a, _), (b, _)]| overlap(a, b))
        {
            return Err(Error::Invalid(format!(
                "the variables {a} and {b} share memory, so Adam would move them twice a step: give \
                 it one of them"
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
            panels: Panels::default(),
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

    /// One update from gradients and, to be added to them, gradients that are still factors.
    fn update(&mut self, gradients: &[Tensor], factors: &[Vec<Factors>]) -> Result<()> {
        check_gradients(gradients, &self.variables)?;
        self.steps += 1;
        let update = Update::new(&self.config, self.learning_rate, self.steps);
        let in_memory = |t: &Tensor| t.device() == Device::Cpu && t.is_contiguous();
        let variables: Vec<_> = self.variables.iter().map(|(_, v)| extent(v)).collect();
        let mut one_pass = Vec::with_capacity(gradients.len());
        // What is read while variables are written must be nobody's variable.
        let mut own = Vec::new();
        for gradient in gradients {
            let range = gradient.defined().then(|| extent(gradient));
            let shared = range.is_some_and(|range| variables.iter().any(|v| overlap(v, &range)));
            own.push(if shared {
                gradient.copy()
            } else {
                gradient.shallow_clone()
            });
        }
        let mut in_strips = Vec::new();
        for (i, gradient) in own.iter().enumerate() {
            let variable = &self.variables[i].1;
            let (first, second) = (&mut self.first[i], &mut self.second[i]);
            let factors = factors.get(i).map_or(&[][..], Vec::as_slice);
            let given = gradient.defined();
            if !given && factors.is_empty() {
                continue;
            }
            let lie = |tensors: &[&Tensor]| tensors.iter().all(|t| in_memory(t));
            // Layers leave factors of plain weights only.
            if lie(&[variable, first, second]) && (!given || in_memory(gradient)) {
                let slices = Slices::of(variable, given.then_some(gradient), first, second);
                if factors.is_empty() {
                    one_pass.push(slices);
                } else {
                    in_strips.push((slices, factors));
                }
            } else {
                let mut sum = given.then(|| gradient.shallow_clone());
                for factors in factors {
                    let product = factors.product()?;
                    sum = Some(sum.map_or_else(|| product.shallow_clone(), |sum| sum + &product));
                }
                if let Some(sum) = sum {
                    no_grad(|| update.on_device(variable, &sum, first, second));
                }
            }
        }
        if !one_pass.is_empty() || !in_strips.is_empty() {
            update.in_memory(&one_pass, &in_strips, &mut self.panels);
        }
        for (_, variable) in &self.variables {
            mark_changed(variable);
        }
        Ok(())
    }
}

impl Optimizer for Adam {
    fn variables(&self) -> &[(String, Tensor)] {
        &self.variables
    }

    fn set_learning_rate(&mut self, rate: f64) {
        self.learning_rate = rate;
    }

    fn minimise(&mut self, loss: &Tensor) -> Result<()> {
        let leaves: Vec<&Tensor> = self.variables.iter().map(|(_, v)| v).collect();
        let (gradients, factors) = delayed::collect(&leaves, || gradients(loss, &self.variables));
        self.update(&gradients?, &factors)
    }

    fn apply(&mut self, gradients: &[Tensor]) -> Result<()> {
        self.update(gradients, &[])
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

    /// One pass over all variables, shared between threads: those with gradients, then those whose gradients
    /// are made strip by strip.
    fn in_memory(&self, all: &[Slices], in_strips: &[(Slices, &[Factors])], panels: &mut Panels) {
        let ready = panels.ready(in_strips.iter().flat_map(|(_, factors)| factors.iter()));
        let in_strips: Vec<_> = in_strips
            .iter()
            .map(|(s, factors)| (s, factors.len()))
            .collect();
        let fill = |part, parts| ready.iter().for_each(|ready| ready.fill(part, parts));
        let total: usize = all.iter().map(|slices| slices.count).sum();
        share_both(&fill, &|part, parts| {
            let mine = part_of(total, part, parts);
            let mut start = 0;
            for slices in all {
                let (from, to) = (mine.start.max(start), mine.end.min(start + slices.count));
                if from < to {
                    // SAFETY: the parts of different threads don't overlap.
                    let (p, m, v) = unsafe { slices.range(from - start, to - from) };
                    // SAFETY: nobody writes to a gradient.
                    let g = unsafe { slices.gradient(from - start, to - from) };
                    self.run(p, g.unwrap_or_default(), m, v);
                }
                start += slices.count;
            }
            let mut strip = Vec::new();
            let mut ready = &ready[..];
            for &(slices, products) in &in_strips {
                let (own, others) = ready.split_at(products);
                ready = others;
                self.strips(slices, own, &mut strip, (part, parts));
            }
        });
    }

    /// One part of a variable whose gradient is still factors.
    fn strips(
        &self,
        slices: &Slices,
        factors: &[Ready<'_>],
        strip: &mut Vec<f32>,
        (part, parts): (usize, usize),
    ) {
        let Some(width) = factors.first().map(Ready::width) else {
            return;
        };
        let mine = part_of((slices.count / width).div_ceil(delayed::ROWS), part, parts);
        for number in mine {
            let start = number * delayed::ROWS * width;
            let count = (delayed::ROWS * width).min(slices.count - start);
            strip.resize(strip.len().max(count), 0.0);
            let g = &mut strip[..count];
            // SAFETY: strips of different threads don't overlap, and nobody writes to a gradient.
            let ((p, m, v), given) =
                unsafe { (slices.range(start, count), slices.gradient(start, count)) };
            if let Some(given) = given {
                g.copy_from_slice(given);
            }
            for (i, factors) in factors.iter().enumerate() {
                factors.strip(number * delayed::ROWS, g, given.is_some() || i > 0);
            }
            self.run(p, g, m, v);
        }
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

/// Where the numbers of a tensor lie: addresses of bytes.
fn extent(tensor: &Tensor) -> std::ops::Range<usize> {
    let start = tensor.data_ptr() as usize;
    if tensor.numel() == 0 {
        return start..start;
    }
    let steps = tensor.size().into_iter().zip(tensor.stride());
    let last: i64 = steps.map(|(size, stride)| (size - 1) * stride).sum();
    start..start + (last as usize + 1) * tensor.kind().elt_size_in_bytes()
}

fn overlap(a: &std::ops::Range<usize>, b: &std::ops::Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// A variable, its gradient and both moments, as they lie in memory.
struct Slices {
    variable: *mut f32,
    gradient: Option<*const f32>,
    first: *mut f32,
    second: *mut f32,
    count: usize,
}

// SAFETY: threads work on parts that don't overlap.
unsafe impl Sync for Slices {}

impl Slices {
    /// All are contiguous float32 tensors of one size on the CPU.
    fn of(
        variable: &Tensor,
        gradient: Option<&Tensor>,
        first: &mut Tensor,
        second: &mut Tensor,
    ) -> Self {
        Self {
            variable: variable.data_ptr().cast(),
            gradient: gradient.map(|g| g.data_ptr().cast::<f32>().cast_const()),
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
    ) -> (&'a mut [f32], &'a mut [f32], &'a mut [f32]) {
        use std::slice::from_raw_parts_mut;
        // SAFETY: as the caller promises.
        unsafe {
            (
                from_raw_parts_mut(self.variable.add(start), count),
                from_raw_parts_mut(self.first.add(start), count),
                from_raw_parts_mut(self.second.add(start), count),
            )
        }
    }

    /// # Safety
    /// The range must lie within the gradient, which must live, and nobody may write to it.
    unsafe fn gradient<'a>(&self, start: usize, count: usize) -> Option<&'a [f32]> {
        // SAFETY: as the caller promises.
        self.gradient
            .map(|g| unsafe { std::slice::from_raw_parts(g.add(start), count) })
    }
}
