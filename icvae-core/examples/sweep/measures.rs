//! Numbers by name, as they stand in a line of the table, and those that all models share.

use icvae_core::eval::{self, ProbeConfig, Reading};
use icvae_core::serde_json::{self, Map, Value};
use icvae_core::tch::Tensor;
use icvae_core::{Error, Result, Settings};
use serde::Serialize;

/// Layers of the probe that code lengths are measured with.
const LAYERS: usize = 1;

/// What is known of a point.
pub struct Measures {
    known: Map<String, Value>,
    /// Whether the probes of code lengths are to be quick and not good.
    smoke: bool,
}

impl Measures {
    /// Nothing yet.
    pub fn of(settings: &Settings) -> Self {
        Self {
            known: Map::new(),
            smoke: settings.smoke,
        }
    }

    /// Adds a number; what is none, as a correlation of nothing with something, becomes null.
    pub fn put(&mut self, name: &str, value: f64) {
        self.known.insert(name.to_owned(), value.into());
    }

    /// Adds the numbers of a structure, each behind a prefix.
    pub fn put_all(&mut self, prefix: &str, values: &impl Serialize) -> Result<()> {
        let json = serde_json::to_value(values)
            .map_err(|error| Error::Invalid(format!("a measure is no JSON: {error}")))?;
        for (name, value) in json.as_object().into_iter().flatten() {
            if value.is_number() || value.is_null() {
                self.known.insert(format!("{prefix}{name}"), value.clone());
            }
        }
        Ok(())
    }

    /// What probes with 0 to 3 hidden layers read from codes: their accuracy, and nats.
    pub fn put_probes(
        &mut self,
        name: &str,
        train: (&Tensor, &Tensor),
        test: (&Tensor, &Tensor),
        classes: i64,
        seed: u64,
    ) -> Result<()> {
        let readings = eval::probes(train, test, classes, seed)?;
        for (layers, reading) in readings.iter().enumerate() {
            let Reading {
                accuracy,
                information,
                ..
            } = reading;
            self.put(&format!("probe_{name}_{layers}"), *accuracy);
            self.put(&format!("information_{name}_{layers}"), *information);
        }
        Ok(())
    }

    /// How many nats an example its class costs, by the online code given the code; `label` says of what.
    pub fn put_code_length(
        &mut self,
        label: &str,
        (codes, labels): (&Tensor, &Tensor),
        classes: i64,
        seed: u64,
    ) -> Result<()> {
        let mut config = ProbeConfig {
            seed,
            ..ProbeConfig::of_layers(LAYERS)
        };
        if self.smoke {
            config.least_steps = 50;
        }
        let length = eval::code_length(codes, labels, classes, &config)?;
        self.put(&format!("code_length_{label}"), length.per_example());
        Ok(())
    }

    pub fn done(self) -> Map<String, Value> {
        self.known
    }
}
