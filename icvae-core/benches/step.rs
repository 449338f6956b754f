//! One training step, in parts, and one epoch of the tutorial's model.
//!
//!     cargo bench -p icvae-core                  # Criterion's report
//!     cargo bench -p icvae-core -- --times 300   # medians as JSON, for peers/compare.py
//!     cargo bench -p icvae-core -- --times 300 --batches 16,32,64
//!     cargo bench -p icvae-core -- --times 300 --only CVAE     # of the companions' models, for a profiler
//!     cargo bench -p icvae-core -- --epochs 3 --images 30000   # a whole run, for peers/runs.py
//!
//! Digits are MNIST where `ICVAE_MNIST_DIR` or the cache has them, else drawn ones: the work is the same.

mod models;
mod peak;

use std::time::{Duration, Instant};

use criterion::Criterion;
use icvae_core::data::{self, Batches, Dataset, Digits};
use icvae_core::model::{Icvae, IcvaeConfig};
use icvae_core::tch::{self, Device, Kind, Tensor};
use icvae_core::train::{Adam, AdamConfig, Model, Optimizer, TrainConfig, Trainer, Turn};
use icvae_core::{Settings, settings::DataSource};

/// A model under training, step by step as the trainer does it.
struct Bench<'a, M: Model> {
    model: &'a M,
    data: &'a Dataset,
    /// One for each turn, or the one of a model without turns.
    optimisers: Vec<Adam>,
    batches: Vec<Tensor>,
    next: usize,
}

impl<'a, M: Model> Bench<'a, M> {
    fn new(model: &'a M, data: &'a Dataset, batch: usize) -> icvae_core::Result<Self> {
        let (vs, config) = (model.var_store(), AdamConfig::default());
        let turns = model.turns();
        let of_turn = |turn: &Turn| Adam::for_variables(turn.variables(vs)?, 5e-4, &config);
        let mut optimisers = turns
            .iter()
            .map(of_turn)
            .collect::<icvae_core::Result<Vec<_>>>()?;
        if turns.is_empty() {
            optimisers.push(Adam::new(vs, 5e-4, &config)?);
        }
        let batches = Batches::shuffled(data.len(), batch, 0, 1)?.collect();
        Ok(Self {
            model,
            data,
            optimisers,
            batches,
            next: 0,
        })
    }

    fn indices(&mut self) -> Tensor {
        self.next = (self.next + 1) % (self.batches.len() - 1);
        tch::manual_seed(self.next as i64);
        self.batches[self.next].shallow_clone()
    }

    fn step(&mut self) -> icvae_core::Result<()> {
        let indices = self.indices();
        let batch = self.data.batch(&indices)?;
        let turns = self.model.turns();
        if turns.is_empty() {
            let losses = self.model.losses(&batch, true)?;
            return self.optimisers[0].minimise(losses.total());
        }
        for (turn, adam) in turns.iter().zip(&mut self.optimisers) {
            adam.minimise(self.model.turn_losses(turn, &batch)?.total())?;
        }
        Ok(())
    }
}

/// The median time of a step of a model, in milliseconds.
fn step_of<M: Model>(
    model: &M,
    data: &Dataset,
    batch: usize,
    times: usize,
) -> icvae_core::Result<f64> {
    let mut bench = Bench::new(model, data, batch)?;
    Ok(median(times, || bench.step().expect("the data fit")))
}

fn digits() -> icvae_core::Result<Digits> {
    let mut settings = Settings {
        device: Device::Cpu,
        smoke: false,
        ..Settings::from_env()?
    };
    if settings.mnist_dir.is_none() {
        settings.data = DataSource::Synthetic;
    }
    data::load(&settings)
}

/// A number of the process in megabytes, `VmRSS` (now) or `VmHWM` (at most so far); 0 where Linux doesn't say.
fn resident(what: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with(what));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1e3
}

/// Trains and evaluates as the tutorial does, and prints times and memory as JSON.
fn run(epochs: usize, images: usize) -> Result<(), Box<dyn std::error::Error>> {
    // libtorch itself: loaded, its threads awake, its products set up.
    let square = Tensor::ones([512, 512], (Kind::Float, Device::Cpu));
    let _ = square.matmul(&square);
    let libtorch = resident("VmRSS");
    let digits = digits()?;
    let model = Icvae::new(&IcvaeConfig::default(), Device::Cpu, 0)?;
    let config = TrainConfig {
        epochs,
        ..Default::default()
    };
    let since = Instant::now();
    let run = Trainer::new(&config).fit(&model, &digits.train.head(images), Some(&digits.test))?;
    let seconds = since.elapsed().as_secs_f64();
    let last = run.history.epochs.last().and_then(|e| e.test.as_ref());
    let total = last.and_then(|t| t.get("total")).unwrap_or(f64::NAN);
    let memory = resident("VmHWM") - libtorch;
    println!(
        r#"{{"epochs": {epochs}, "images": {images}, "seconds": {seconds:.3}, "test total": {total:.2}, "memory beyond libtorch": {memory:.0}}}"#
    );
    Ok(())
}

/// Runs `step` again and again, and returns the median time in milliseconds.
fn median(times: usize, mut step: impl FnMut()) -> f64 {
    for _ in 0..20 {
        step();
    }
    let mut taken: Vec<Duration> = (0..times)
        .map(|_| {
            let since = Instant::now();
            step();
            since.elapsed()
        })
        .collect();
    taken.sort();
    taken[times / 2].as_secs_f64() * 1e3
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |name: &str| {
        let at = arguments.iter().position(|a| a == name)?;
        arguments.get(at + 1).cloned()
    };
    if let Some(epochs) = after("--epochs") {
        let images = after("--images").map_or(Ok(60_000), |n| n.parse())?;
        return run(epochs.parse()?, images);
    }
    let digits = digits()?.train;
    let model = Icvae::new(&IcvaeConfig::default(), Device::Cpu, 0)?;
    if let Some(times) = after("--times") {
        let times = times.parse()?;
        let batches = after("--batches").unwrap_or_else(|| "32,128".into());
        let tutorials = after("--only").is_none();
        for batch in batches.split(',').filter(|_| tutorials) {
            let batch = batch.parse()?;
            let ours = step_of(&model, &digits, batch, times)?;
            let cell = step_of(&models::Cell::new(), &digits, batch, times)?;
            // Measured beside the steps: what a machine gives may change within minutes.
            let threads = usize::try_from(tch::get_num_threads())?;
            let arithmetic =
                peak::rate(threads).map_or(0.0, |rate| 1e3 * peak::operations(batch) / rate);
            println!(
                r#"{{"model": "ICVAE", "batch": {batch}, "ours": {ours:.4}, "ours, as the cells write it": {cell:.4}, "the arithmetic alone, by AVX2": {arithmetic:.4}}}"#
            );
        }
        if after("--batches").is_none() {
            let only = after("--only");
            let wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
            let mut companions = Vec::new();
            if wanted("VAE") {
                let ours = step_of(&models::vae()?, &digits, 100, times)?;
                companions.push(("VAE", 100, ours));
            }
            if wanted("CVAE") {
                let ours = step_of(&models::cvae()?, &digits, 500, times)?;
                companions.push(("CVAE", 500, ours));
            }
            if wanted("AAE") {
                let ours = step_of(&models::adversarial()?, &digits, 100, times)?;
                companions.push(("AAE", 100, ours));
            }
            for (name, batch, ours) in companions {
                println!(r#"{{"model": "{name}", "batch": {batch}, "ours": {ours:.4}}}"#);
            }
        }
        return Ok(());
    }

    let mut criterion = Criterion::default().configure_from_args();
    for batch in [32, 128] {
        let mut group = criterion.benchmark_group(format!("batch {batch}"));
        let mut bench = Bench::new(&model, &digits, batch)?;
        group.bench_function("step", |b| {
            b.iter(|| bench.step().expect("the data fit"));
        });
        let cell = models::Cell::new();
        let mut as_cells = Bench::new(&cell, &digits, batch)?;
        group.bench_function("step, as the cells write it", |b| {
            b.iter(|| as_cells.step().expect("the data fit"));
        });
        group.bench_function("gather", |b| {
            b.iter(|| {
                let indices = bench.indices();
                bench.data.batch(&indices).expect("the data fit")
            });
        });
        group.bench_function("gather and forward", |b| {
            b.iter(|| {
                let indices = bench.indices();
                let batch = bench.data.batch(&indices).expect("the data fit");
                model.losses(&batch, true).expect("the data fit")
            });
        });
        let gradients: Vec<Tensor> = bench.optimisers[0]
            .variables()
            .iter()
            .map(|(_, v)| v.detach().zeros_like())
            .collect();
        group.bench_function("optimiser alone", |b| {
            b.iter(|| {
                bench.optimisers[0]
                    .apply(&gradients)
                    .expect("the gradients fit")
            });
        });
    }
    let mut group = criterion.benchmark_group("60,000 images, batch 32");
    group.sample_size(10);
    let one = TrainConfig {
        epochs: 1,
        ..Default::default()
    };
    group.bench_function("epoch", |b| {
        b.iter(|| {
            Trainer::new(&one)
                .fit(&model, &digits, None)
                .expect("training works")
        });
    });
    group.finish();
    criterion.final_summary();
    Ok(())
}
