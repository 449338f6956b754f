//! One training step, in parts, and one epoch of the tutorial's model.
//!
//!     cargo bench -p icvae-core                  # Criterion's report
//!     cargo bench -p icvae-core -- --times 300   # medians as JSON, for peers/compare.py
//!
//! Digits are MNIST where `ICVAE_MNIST_DIR` or the cache has them, else drawn ones: the work is the same.

use std::time::{Duration, Instant};

use criterion::Criterion;
use icvae_core::data::{self, Batches, Dataset};
use icvae_core::model::{Icvae, IcvaeConfig};
use icvae_core::tch::{self, Device, Tensor};
use icvae_core::train::{Adam, AdamConfig, Model, TrainConfig, Trainer};
use icvae_core::{Settings, settings::DataSource};

/// A model under training, step by step as the trainer does it.
struct Bench<'a> {
    model: &'a Icvae,
    data: &'a Dataset,
    adam: Adam,
    batches: Vec<Tensor>,
    next: usize,
}

impl<'a> Bench<'a> {
    fn new(model: &'a Icvae, data: &'a Dataset, batch: usize) -> icvae_core::Result<Self> {
        let adam = Adam::new(model.var_store(), &AdamConfig::default())?;
        let batches = Batches::shuffled(data.len(), batch, 0, 1)?.collect();
        Ok(Self {
            model,
            data,
            adam,
            batches,
            next: 0,
        })
    }

    fn indices(&mut self) -> Tensor {
        self.next = (self.next + 1) % (self.batches.len() - 1);
        tch::manual_seed(self.next as i64);
        self.batches[self.next].shallow_clone()
    }

    fn by_autograd(&mut self) -> icvae_core::Result<()> {
        let indices = self.indices();
        let losses = self.model.losses(&self.data.batch(&indices)?, true)?;
        self.adam.minimise(losses.total())
    }
}

fn digits() -> icvae_core::Result<Dataset> {
    let mut settings = Settings {
        device: Device::Cpu,
        smoke: false,
        ..Settings::from_env()?
    };
    if settings.mnist_dir.is_none() {
        settings.data = DataSource::Synthetic;
    }
    Ok(data::load(&settings)?.train)
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
    let times = arguments
        .iter()
        .position(|a| a == "--times")
        .and_then(|i| arguments.get(i + 1));
    let digits = digits()?;
    let model = Icvae::new(&IcvaeConfig::default(), Device::Cpu, 0)?;
    if let Some(times) = times {
        let times = times.parse()?;
        for batch in [32, 128] {
            let mut bench = Bench::new(&model, &digits, batch)?;
            let mut fast = model
                .fast_step()
                .ok_or("the tutorial's model has a fast step")?;
            let ours = median(times, || {
                let indices = bench.indices();
                fast.run(&digits, &indices).expect("the data fit the model");
                bench
                    .adam
                    .apply(fast.gradients())
                    .expect("the gradients fit the variables");
            });
            let readable = median(times, || bench.by_autograd().expect("the data fit"));
            println!(
                r#"{{"batch": {batch}, "ours": {ours:.4}, "ours, by autograd": {readable:.4}}}"#
            );
        }
        return Ok(());
    }

    let mut criterion = Criterion::default().configure_from_args();
    for batch in [32, 128] {
        let mut group = criterion.benchmark_group(format!("batch {batch}"));
        let mut bench = Bench::new(&model, &digits, batch)?;
        let mut fast = model
            .fast_step()
            .ok_or("the tutorial's model has a fast step")?;
        group.bench_function("step", |b| {
            b.iter(|| {
                let indices = bench.indices();
                fast.run(&digits, &indices).expect("the data fit the model");
                bench
                    .adam
                    .apply(fast.gradients())
                    .expect("the gradients fit the variables");
            });
        });
        group.bench_function("gather, forward and backward", |b| {
            b.iter(|| {
                let indices = bench.indices();
                fast.run(&digits, &indices)
                    .expect("the data fit the model")
                    .len()
            });
        });
        group.bench_function("optimiser", |b| {
            b.iter(|| {
                bench
                    .adam
                    .apply(fast.gradients())
                    .expect("the gradients fit")
            });
        });
        group.bench_function("gather", |b| {
            let indices = bench.indices();
            b.iter(|| digits.batch(&indices).expect("the indices are in range"));
        });
        group.bench_function("step by autograd", |b| {
            b.iter(|| bench.by_autograd().expect("the data fit"));
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
