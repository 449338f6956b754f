//! What the tables of the tutorial are made of: models of several seeds, trained and measured, one line of CSV each.
//! The commands that made them stand in `notebooks/results/README.md`.
//!
//!     cargo run --release -p icvae-core --example invariance -- --lambda 0 --beta 1.6 --seeds 0,1,2 --epochs 30 \
//!         --output notebooks/results/invariance.csv

mod distances;

use std::io::Write;
use std::path::PathBuf;

use clap::Parser;
use icvae_core::data::{Batch, Dataset, Digits};
use icvae_core::eval::{self, ProbeConfig, Reader, Remapped};
use icvae_core::model::{Activation, Gaussian, Icvae, IcvaeConfig};
use icvae_core::tch::{self, Kind, Tensor, nn};
use icvae_core::train::{Losses, Model, Outcome, Store, TrainConfig, Trainer};
use icvae_core::{Result, Settings, data, loss, no_grad, serde_json};

#[derive(Parser)]
struct Args {
    #[arg(long, default_value_t = 1.0)]
    lambda: f64,
    #[arg(long, default_value_t = 0.1)]
    beta: f64,
    #[arg(long, default_value_t = 16)]
    latent: i64,
    /// Activation of the code's mean: tanh or linear
    #[arg(long, default_value = "tanh")]
    mean: Activation,
    /// Adds λ times the entropy term of the paper's first version to the loss
    #[arg(long)]
    entropy: bool,
    #[arg(long, default_value_t = 30)]
    epochs: usize,
    #[arg(long, value_delimiter = ',', default_value = "0")]
    seeds: Vec<u64>,
    /// Where weights are kept
    #[arg(long, default_value = "target/invariance")]
    weights: PathBuf,
    /// The table that the lines are added to
    #[arg(long)]
    output: PathBuf,
}

/// Test codes that the information is a mean over.
const MEASURED: usize = 2_000;
/// Test digits that are remapped to the nine other classes.
const SOURCES: usize = 2_000;

type Row = Vec<(&'static str, String)>;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let settings = Settings::from_env()?;
    let digits = data::load(&settings)?;
    println!("{digits}");
    let reader = Reader::train(&digits.train)?;
    println!(
        "the classifier reads {:.2} % of the test digits",
        100.0 * reader.accuracy(&digits.test)
    );
    for &seed in &args.seeds {
        let row = measured(&args, seed, &digits, &reader)?;
        append(&args.output, &row)?;
        let told: Vec<_> = row
            .iter()
            .map(|(name, value)| format!("{name} {value}"))
            .collect();
        println!("{}", told.join(", "));
    }
    Ok(())
}

/// Trains one model, and measures it.
fn measured(args: &Args, seed: u64, digits: &Digits, reader: &Reader) -> Result<Row> {
    let config = IcvaeConfig {
        lambda: args.lambda,
        beta: args.beta,
        latent: args.latent,
        mean_activation: args.mean,
        ..Default::default()
    };
    let device = digits.train.device();
    let model = Icvae::new(&config, device, seed)?;
    let model = if args.entropy {
        let model = WithEntropyPenalty(model);
        fit(args, seed, &model, digits)?;
        model.0
    } else {
        fit(args, seed, &model, digits)?;
        model
    };

    let report = eval::report(&model, &digits.test, 32, seed)?;
    let encode = |data: &Dataset| no_grad(|| model.encode(&data.x(), &data.c()));
    let (train, test) = (encode(&digits.train)?, encode(&digits.test)?);
    tch::manual_seed(seed as i64);
    let (train_samples, test_samples) = (train.sample(), test.sample());
    let probe = |train: &Tensor, test: &Tensor| {
        let (train, test) = ((train, digits.train.labels()), (test, digits.test.labels()));
        eval::probe_accuracy(train, test, digits.test.classes(), &ProbeConfig::default())
    };
    let known = {
        let few = |t: &Tensor| t.narrow(0, 0, MEASURED.min(digits.test.len()) as i64);
        let own = Gaussian::new(few(&test.mean), few(&test.log_var))?;
        let labels = few(digits.test.labels());
        let seen = (&train, digits.train.labels());
        let unseen = (&own, &few(&test_samples), &labels);
        eval::mixture_information(seen, unseen, digits.train.classes())?
    };
    let apart = distances::distances(&test, digits.test.labels());
    let from_samples = remapped(&model, reader, digits, false)?;
    let from_means = remapped(&model, reader, digits, true)?;
    let percent = |share: f64| format!("{:.2}", 100.0 * share);
    Ok(vec![
        ("lambda", args.lambda.to_string()),
        ("beta", args.beta.to_string()),
        ("latent", args.latent.to_string()),
        ("mean", args.mean.to_string()),
        ("entropy_penalty", u8::from(args.entropy).to_string()),
        ("epochs", args.epochs.to_string()),
        ("seed", seed.to_string()),
        ("reconstruction", format!("{:.3}", report.reconstruction)),
        (
            "reconstruction_of_mean",
            format!("{:.3}", report.reconstruction_mean),
        ),
        ("prior_kl", format!("{:.3}", report.prior_kl)),
        ("pairwise_kl", format!("{:.3}", report.pairwise_kl)),
        ("information_x", format!("{:.3}", known.about_image)),
        ("information_c", format!("{:.3}", known.about_class)),
        (
            "probe_samples",
            percent(probe(&train_samples, &test_samples)?),
        ),
        ("probe_means", percent(probe(&train.mean, &test.mean)?)),
        (
            "sigma",
            format!("{:.3}", test.std().mean(Kind::Double).double_value(&[])),
        ),
        ("used_dimensions", apart.used_dimensions.to_string()),
        ("images_apart", format!("{:.3}", apart.images)),
        ("classes_apart", format!("{:.3}", apart.classes)),
        ("read_as_target", percent(from_samples.as_target)),
        ("read_as_target_of_mean", percent(from_means.as_target)),
        ("read_as_source_of_mean", percent(from_means.as_source)),
        ("ink_kept", format!("{:.3}", from_samples.ink)),
        ("ink_kept_of_mean", format!("{:.3}", from_means.ink)),
        ("slant_kept", format!("{:.3}", from_samples.slant)),
        ("slant_kept_of_mean", format!("{:.3}", from_means.slant)),
    ])
}

/// Draws test digits as every other class, and measures the drawings.
fn remapped(model: &Icvae, reader: &Reader, digits: &Digits, mean: bool) -> Result<Remapped> {
    tch::manual_seed(0);
    let data = digits.test.head(SOURCES);
    let q = no_grad(|| model.encode(&data.x(), &data.c()))?;
    let z = if mean { q.mean } else { q.sample() };
    eval::remapped(|z, c| model.decode(z, c), &z, &data, reader)
}

fn fit<M: Model>(args: &Args, seed: u64, model: &M, digits: &Digits) -> Result<Outcome> {
    let config = TrainConfig {
        epochs: args.epochs,
        batch_size: 32,
        seed,
        ..Default::default()
    };
    let run = Trainer::new(&config)
        .keep_in(Store::new(&args.weights))
        .fit(model, &digits.train, None)?;
    println!("seed {seed}: {run}");
    Ok(run)
}

/// The tutorial's model with the loss of the paper's first version.
struct WithEntropyPenalty(Icvae);

impl Model for WithEntropyPenalty {
    fn losses(&self, batch: &Batch, _train: bool) -> Result<Losses> {
        let model = &self.0;
        let q = model.encode(&batch.x, &batch.c)?;
        let x_hat = model.decode(&q.sample(), &batch.c)?;
        let recon = loss::squared_error(&batch.x, &x_hat)?.mean(None);
        let (prior, pairs) = (
            loss::prior_kl(&q).mean(None),
            loss::marginal_bound(&q).mean(None),
        );
        let entropy = loss::entropy_penalty(&q);
        let (beta, lambda) = (model.config().beta, model.config().lambda);
        let total = loss::total(&recon, &prior, &(&pairs + &entropy), beta, lambda);
        Ok(Losses::new(total)
            .with("reconstruction", recon)
            .with("prior KL", prior)
            .with("pairwise KL", pairs)
            .with("entropy term", entropy))
    }

    fn var_store(&self) -> &nn::VarStore {
        self.0.var_store()
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "with_entropy_penalty": self.0.settings() })
    }

    fn rebuild(&self) -> Result<Self> {
        self.0.rebuild().map(Self)
    }
}

/// Adds a line to a table, under a heading where the table is new.
fn append(path: &std::path::Path, row: &Row) -> std::io::Result<()> {
    let new = !path.exists();
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)?;
    let line = |of: &dyn Fn(&(&'static str, String)) -> String| {
        row.iter().map(of).collect::<Vec<_>>().join(",") + "\n"
    };
    let mut text = if new {
        line(&|(name, _)| (*name).to_owned())
    } else {
        String::new()
    };
    text += &line(&|(_, value)| value.clone());
    file.write_all(text.as_bytes())
}
