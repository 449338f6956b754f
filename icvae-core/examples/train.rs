//! The whole story without a notebook: train, measure, save, draw.
//!
//!     cargo run --release -p icvae-core --example train -- --epochs 10 --output target/train

use std::path::PathBuf;

use clap::Parser;
use icvae_core::model::{Icvae, IcvaeConfig};
use icvae_core::plot::ImageGrid;
use icvae_core::tch::Tensor;
use icvae_core::train::{Control, Event, Store, TrainConfig, Trainer};
use icvae_core::{Settings, data, device, eval};

#[derive(Parser)]
struct Args {
    #[arg(long, default_value_t = 10)]
    epochs: usize,
    #[arg(long, default_value_t = 32)]
    batch_size: usize,
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// cpu, cuda or cuda:N; CUDA where there is one
    #[arg(long)]
    device: Option<String>,
    /// Where weights and figures go
    #[arg(long, default_value = "target/train")]
    output: PathBuf,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let mut settings = Settings::from_env()?;
    if let Some(name) = &args.device {
        settings.device = device::by_name(name)?;
    }
    let digits = data::load(&settings)?;
    println!("{digits}");
    let model = Icvae::new(&IcvaeConfig::default(), settings.device, args.seed)?;
    let Args {
        epochs,
        batch_size,
        seed,
        ..
    } = args;
    let config = TrainConfig {
        epochs,
        batch_size,
        seed,
        ..Default::default()
    };
    let run = Trainer::new(&config)
        .keep_in(Store::new(args.output.join("weights")))
        .listen(|event: &Event<'_>| {
            if let Event::EpochEnd { record, .. } = event {
                let test = record
                    .test
                    .as_ref()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                println!(
                    "epoch {:3} in {:.1} s: {test}",
                    record.epoch, record.seconds
                );
            }
            Control::Continue
        })
        .fit(&model, &digits.train, Some(&digits.test))?;
    println!(
        "{run}\ntest: {}",
        eval::report(&model, &digits.test, 32, seed)?
    );

    let ten = digits.test.head(10);
    let (x, c) = (
        ten.x().to_device(settings.device),
        ten.c().to_device(settings.device),
    );
    let pairs = Tensor::cat(&[&x, &model.reconstruct(&x, &c)?], 0);
    let shape = digits.test.image_shape();
    let grid =
        ImageGrid::new(&pairs, shape, (2, 10)).title("Ten test digits, and what is left of them");
    grid.inverted(true)
        .draw()?
        .save(args.output.join("reconstructions.png"))?;
    let rows = eval::remap(&model, &x, &c, false)?;
    let grid = ImageGrid::new(&rows, shape, (10, 12)).title("Digit, reconstruction, and as 0 to 9");
    grid.inverted(true)
        .draw()?
        .save(args.output.join("remapping.png"))?;
    println!("figures and weights are in {}", args.output.display());
    Ok(())
}
