//! One point, from its settings to its line.

use std::time::Instant;

use icvae_core::data::Dataset;
use icvae_core::train::{Control, Event, Model, Outcome, Store, TrainConfig, Trainer};
use icvae_core::{Error, Result, Settings, tch};

use crate::folder::{Folder, Line};
use crate::grid::Point;
use crate::{digits, tables};

/// Trains and measures a point, and keeps its line. What was trained in an earlier sitting is not repeated.
///
/// # Errors
/// If the data can't be had, training fails, or something can't be written.
pub fn run(point: &Point, folder: &Folder, keep_weights: bool) -> Result<()> {
    let _lock = folder.lock(&point.id())?;
    if folder.result(point).is_some() {
        return Ok(());
    }
    tch::set_num_threads(point.threads);
    let settings = Settings::from_env()?;
    let (measures, training, began) = if point.data.is_table() {
        tables::measured(point, &settings, folder)?
    } else {
        digits::measured(point, &settings, folder)?
    };
    let line = Line {
        id: point.id(),
        settings: point.clone(),
        measures: measures.done(),
        seconds: training + began.elapsed().as_secs_f64(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    folder.keep(&line)?;
    if !keep_weights {
        // They lie there for the sake of a run that is cut off; what stays does no harm.
        let _ = std::fs::remove_dir_all(folder.weights(point));
    }
    Ok(())
}

/// Trains a point's model; returns the seconds that it took in all sittings, and when measuring begins.
pub fn train<M: Model>(
    point: &Point,
    model: &M,
    data: &Dataset,
    folder: &Folder,
) -> Result<(f64, Instant)> {
    let config = TrainConfig {
        epochs: point.epochs,
        batch_size: point.batch_size,
        learning_rate: point.learning_rate,
        seed: point.seed,
        ..Default::default()
    };
    let outcome: Outcome = Trainer::new(&config)
        .keep_in(Store::new(folder.weights(point)))
        .listen(|event: &Event<'_>| {
            if let Event::EpochEnd { record, .. } = event {
                println!("epoch {} of {}", record.epoch, point.epochs);
            }
            Control::Continue
        })
        .fit(model, data, None)?;
    for remark in &outcome.remarks {
        println!("{remark}");
    }
    println!("measuring");
    Ok((outcome.history.seconds(), Instant::now()))
}

/// A setting that the grid has checked to be there.
pub fn given<T>(value: Option<T>, name: &str) -> Result<T> {
    value.ok_or_else(|| Error::Invalid(format!("the point has no {name}")))
}
