//! What the playground's eight bits cost: the drawings of a trained model, beside the same with its weights as they are.
//!
//!     cargo run --release -p icvae-core --example eight_bits -- --epochs 10 --seeds 0,1,2
//!
//! It draws all test digits as every class, from the means of their codes.

use std::path::PathBuf;

use clap::Parser;
use icvae_core::data::Digits;
use icvae_core::eval::{self, Reader, Remapped};
use icvae_core::model::{Activation, Dense, Icvae, IcvaeConfig};
use icvae_core::notebook::{Layers, Playground};
use icvae_core::tch::{Kind, Tensor};
use icvae_core::train::{Model, Store, TrainConfig, Trainer};
use icvae_core::{Error, Result, Settings, data, no_grad};

#[derive(Parser)]
struct Args {
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    #[arg(long, value_delimiter = ',', default_value = "0")]
    seeds: Vec<u64>,
    /// Where weights are kept
    #[arg(long, default_value = "target/eight_bits")]
    weights: PathBuf,
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let digits = data::load(&Settings::from_env()?)?;
    println!("{digits}");
    let reader = Reader::train(&digits.train)?;
    let right = 100.0 * reader.accuracy(&digits.test);
    println!("the classifier reads {right:.2} % of the test digits themselves");
    for &seed in &args.seeds {
        let model = Icvae::new(&IcvaeConfig::default(), digits.train.device(), seed)?;
        let config = TrainConfig {
            epochs: args.epochs,
            seed,
            ..Default::default()
        };
        let run = Trainer::new(&config)
            .keep_in(Store::new(&args.weights))
            .fit(&model, &digits.train, None)?;
        println!("seed {seed}: {run}");
        compare(&model, &digits, &reader)?;
    }
    Ok(())
}

/// Prints how far the drawings of 8 bits are from the model's own, and how both are read.
fn compare(model: &Icvae, digits: &Digits, reader: &Reader) -> Result<()> {
    let x = digits.test.x();
    let in_eight_bits = playground(model, digits)?.versions(&x)?; // [N, C, P]
    let z = no_grad(|| model.encode(&x, &digits.test.c()))?.mean;
    let own = |z: &Tensor, c: &Tensor| no_grad(|| model.decode(z, c));
    let packed = |_: &Tensor, c: &Tensor| {
        let class = c.get(0).argmax(0, false).int64_value(&[]);
        Ok(in_eight_bits.select(1, class))
    };

    let (mut apart, mut same) = (Vec::new(), Vec::new());
    for class in 0..digits.test.classes() {
        let c = data::one_hot(
            &digits.test.labels().full_like(class),
            digits.test.classes(),
        )?;
        let (a, b) = (own(&z, &c)?, packed(&z, &c)?);
        same.push(reader.read(&a).eq_tensor(&reader.read(&b)));
        apart.push((a - b).abs().flatten(0, -1));
    }
    let (apart, same) = (Tensor::cat(&apart, 0), Tensor::cat(&same, 0));
    let share = same.to_kind(Kind::Double).mean(Kind::Double);
    let (sorted, _) = apart.sort(0, false);
    let at = |share: f64| sorted.double_value(&[((apart.numel() - 1) as f64 * share) as i64]);
    println!(
        "  a pixel is off by {:.5} at the mean, {:.4} at the 99.9th percentile, {:.4} at most",
        apart.mean(Kind::Double).double_value(&[]),
        at(0.999),
        at(1.0)
    );
    let told = |name: &str, of: &Remapped| {
        println!(
            "  {name:6} {:.3} % read as asked; ink kept {:.3}, slant {:.3}",
            100.0 * of.as_target,
            of.ink,
            of.slant
        );
    };
    told("f32", &eval::remapped(own, &z, &digits.test, reader)?);
    told("8 bits", &eval::remapped(packed, &z, &digits.test, reader)?);
    let differ = 100.0 * (1.0 - share.double_value(&[]));
    println!("  {differ:.3} % of the drawings are read otherwise in 8 bits");
    Ok(())
}

/// The panel of a model, from the parameters that its encoder and decoder have.
fn playground(model: &Icvae, digits: &Digits) -> Result<Playground> {
    let parameters = model.var_store().variables();
    let layer = |name: &str, activation: Activation| -> Result<Dense> {
        let parameter = |of: &str| {
            let found = parameters.get(&format!("{name}.{of}"));
            found
                .map(Tensor::shallow_clone)
                .ok_or_else(|| Error::Invalid(format!("the model has no {name}.{of}")))
        };
        Ok(Dense {
            ws: parameter("weight")?,
            bs: Some(parameter("bias")?),
            activation,
        })
    };
    let config = model.config();
    let stack = |name: &str| -> Result<Vec<Dense>> {
        (1..=config.hidden.len())
            .map(|i| layer(&format!("{name}_h{i}"), config.activation))
            .collect()
    };
    let encoder = stack("enc")?;
    let mut decoder = stack("dec")?;
    decoder.push(layer("x_hat", config.output_activation)?);
    Playground::new(digits.test.image_shape()).model(
        "the ICVAE",
        Layers {
            encoder: &encoder.iter().collect::<Vec<_>>(),
            mean: &layer("z_mean", config.mean_activation)?,
            log_var: &layer("z_log_sigma_sq", Activation::Linear)?,
            decoder: &decoder.iter().collect::<Vec<_>>(),
        },
    )
}
