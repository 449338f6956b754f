//! The grid: which points there are.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use icvae_core::{Error, Result, serde_json};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use toml::{Table, Value};

/// All points of a grid, those of the first seed before those of the second, so that a sweep that is not done
/// shows every curve.
pub struct Grid {
    pub points: Vec<Point>,
}

/// What one run is made of. What a model has no use for is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The name of the curve that it is a point of.
    pub curve: String,
    pub model: Kind,
    pub data: Data,
    /// Sets initial weights, order, every random draw, and the test rows of German credit.
    #[serde(default)]
    pub seed: u64,
    pub epochs: usize,
    pub batch_size: usize,
    pub learning_rate: f64,
    /// Threads of libtorch: sums come out differently, in their last bits, with another number.
    #[serde(default = "one")]
    pub threads: i32,
    /// Units of each hidden layer.
    pub hidden: Vec<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latent: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beta: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lambda: Option<f64>,
    /// Weight α of the adversary's failure in the loss of the encoder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dropout: Option<f64>,
    /// Whether the run was a short trial, by ICVAE_SMOKE.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub smoke: bool,
}

fn one() -> i32 {
    1
}

/// The models of a sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// An autoencoder whose decoder is told nothing: β.
    Vae,
    /// One whose decoder is told the class: β.
    ConditionalVae,
    /// The same with the invariance terms: β, λ.
    Icvae,
    /// The same with an adversary that reads the class from the code: β, α.
    Adversary,
    /// Echo noise, the decoder told the class: β.
    Echo,
    /// A prediction from a code that forgets the group: β, λ.
    Predictor,
    /// A prediction from x itself; without a hidden layer, logistic regression.
    Classifier,
}

/// What is learned from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Data {
    Mnist,
    /// Drawn digits.
    Synthetic,
    Adult,
    AdultSpouses,
    GermanAge,
    GermanSex,
    /// A drawn table.
    Drawn,
}

impl Data {
    pub fn is_table(self) -> bool {
        !matches!(self, Self::Mnist | Self::Synthetic)
    }
}

/// A value as it stands in the grid.
pub fn word(value: &impl Serialize) -> String {
    let json = serde_json::to_string(value).unwrap_or_default();
    json.trim_matches('"').to_owned()
}

impl Point {
    /// A name for the point, made from everything that it is.
    pub fn id(&self) -> String {
        let json = serde_json::to_string(self).unwrap_or_default();
        let sum = Sha256::digest(json.as_bytes());
        sum[..6].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Refuses what a model has no use for, and what it lacks.
    fn check(&self) -> Result<()> {
        let (needed, tabular): (&[&str], _) = match self.model {
            Kind::Vae | Kind::ConditionalVae | Kind::Echo => (&["latent", "beta"], false),
            Kind::Icvae => (&["latent", "beta", "lambda"], false),
            Kind::Adversary => (&["latent", "beta", "alpha"], false),
            Kind::Predictor => (&["latent", "beta", "lambda", "dropout"], true),
            Kind::Classifier => (&["dropout"], true),
        };
        let model = word(&self.model);
        for (name, given) in [
            ("latent", self.latent.is_some()),
            ("beta", self.beta.is_some()),
            ("lambda", self.lambda.is_some()),
            ("alpha", self.alpha.is_some()),
            ("dropout", self.dropout.is_some()),
        ] {
            let needs = needed.contains(&name);
            if needs != given {
                let told = if needs { "needs a" } else { "has no use for" };
                return Err(Error::Invalid(format!("the model {model} {told} {name}")));
            }
        }
        if tabular != self.data.is_table() {
            return Err(Error::Invalid(format!(
                "the model {model} can't learn from {}: give it {}",
                word(&self.data),
                if tabular { "a table" } else { "digits" }
            )));
        }
        if self.threads < 1 {
            return Err(Error::Invalid(format!(
                "threads is {}, but a point needs at least 1",
                self.threads
            )));
        }
        Ok(())
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.curve, word(&self.data))?;
        for (name, value) in [("β", self.beta), ("λ", self.lambda), ("α", self.alpha)] {
            if let Some(value) = value {
                write!(f, ", {name} {value}")?;
            }
        }
        write!(f, ", seed {}", self.seed)
    }
}

impl Grid {
    /// Reads a grid.
    ///
    /// # Errors
    /// If the file can't be read, or one of its curves makes no sense.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|source| Error::Io {
            path: path.to_owned(),
            source,
        })?;
        let smoke = std::env::var_os("ICVAE_SMOKE").is_some_and(|value| value == "1");
        Self::parse(&text, smoke)
            .map_err(|error| Error::Invalid(format!("{}: {error}", path.display())))
    }

    fn parse(text: &str, smoke: bool) -> Result<Self> {
        // A problem in TOML is shown with its line, over several lines.
        let invalid = |error: toml::de::Error| Error::Invalid(error.message().replace('\n', " "));
        let mut common: Table = toml::from_str(text).map_err(|error| {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start].matches('\n').count() + 1);
            Error::Invalid(format!(
                "line {line}: {}",
                error.message().replace('\n', " ")
            ))
        })?;
        let curves = match common.remove("curve") {
            Some(Value::Array(curves)) if !curves.is_empty() => curves,
            _ => {
                return Err(Error::Invalid(
                    "the grid has no curve: begin one with [[curve]]".into(),
                ));
            }
        };
        let mut points = Vec::new();
        for (number, curve) in (1..).zip(curves) {
            let mut settings = common.clone();
            settings.extend(curve.try_into::<Table>().map_err(invalid)?);
            if smoke {
                settings.insert("smoke".into(), true.into());
                settings.insert("epochs".into(), 1.into());
            }
            for combination in product(settings) {
                let told =
                    |why: &dyn fmt::Display| Error::Invalid(format!("curve {number}: {why}"));
                let point: Point = Value::Table(combination)
                    .try_into()
                    .map_err(|error: toml::de::Error| told(&invalid(error)))?;
                point.check().map_err(|error| told(&error))?;
                points.push(point);
            }
        }
        // Stable: within a seed in the order of the file.
        points.sort_by_key(|point| point.seed);
        for (i, point) in points.iter().enumerate() {
            if points[..i].contains(point) {
                return Err(Error::Invalid(format!("there are two points {point}")));
            }
        }
        Ok(Self { points })
    }

    /// The points of a shard.
    pub fn of_shard(&self, shard: Shard) -> Vec<&Point> {
        self.points
            .iter()
            .enumerate()
            .filter(|(i, _)| i % shard.count == shard.index)
            .map(|(_, point)| point)
            .collect()
    }
}

/// Every combination of the values of those settings that are lists. `hidden` is a list by itself: lists of lists are
/// its values.
fn product(settings: Table) -> Vec<Table> {
    let mut all = vec![Table::new()];
    for (name, value) in settings {
        let values = match value {
            Value::Array(values) if name != "hidden" || values.iter().any(Value::is_array) => {
                values
            }
            value => vec![value],
        };
        all = all
            .into_iter()
            .flat_map(|table| {
                let name = name.clone();
                values.iter().map(move |value| {
                    let mut table = table.clone();
                    table.insert(name.clone(), value.clone());
                    table
                })
            })
            .collect();
    }
    all
}

/// A machine's part of the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    count: usize,
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parts = text.split_once('/');
        let numbers =
            parts.and_then(|(index, count)| Some((index.parse().ok()?, count.parse().ok()?)));
        match numbers {
            Some((index, count)) if index < count => Ok(Self { index, count }),
            _ => Err(format!(
                "{text:?} must be I/N with I from 0 to N − 1, as 0/4 to 3/4 for four machines"
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRID: &str = r#"
        seed = [0, 1]
        epochs = 2
        batch_size = 100
        learning_rate = 1e-3
        hidden = [64, 64]
        latent = 4

        [[curve]]
        curve = "λ"
        model = "icvae"
        data = "mnist"
        beta = 0.1
        lambda = [0.3, 1]
        hidden = [[64], [64, 64]]

        [[curve]]
        curve = "β"
        model = "vae"
        data = "mnist"
        beta = [0.5, 1, 2]
    "#;

    #[test]
    fn lists_are_multiplied_and_shards_share_no_point() {
        let grid = Grid::parse(GRID, false).unwrap();
        assert_eq!(grid.points.len(), 2 * (2 * 2 + 3));
        assert!(grid.points[..7].iter().all(|point| point.seed == 0));
        assert_eq!(grid.points[0].hidden, [64]);
        assert_eq!(grid.points[6].hidden, [64, 64]);
        let mut ids: Vec<String> = grid.points.iter().map(Point::id).collect();
        let mut of_shards: Vec<String> = Vec::new();
        for index in 0..4 {
            let shard = Shard { index, count: 4 };
            of_shards.extend(grid.of_shard(shard).iter().map(|point| point.id()));
        }
        assert_eq!("2/4".parse(), Ok(Shard { index: 2, count: 4 }));
        ids.sort();
        ids.dedup();
        of_shards.sort();
        assert_eq!((ids.len(), &ids), (14, &of_shards));
        // A trial run is no result.
        let trial = Grid::parse(GRID, true).unwrap();
        assert!(trial.points.iter().all(|point| point.epochs == 1));
        assert_ne!(trial.points[0].id(), grid.points[0].id());
    }

    #[test]
    fn what_makes_no_sense_is_refused_in_one_sentence() {
        for (from, to, expected) in [
            ("[[curve]]", "[[curves]]", "the grid has no curve"),
            ("beta = 0.1", "", "curve 1: the model icvae needs a beta"),
            (
                "beta = [0.5, 1, 2]",
                "beta = 1\nlambda = 1",
                "curve 2: the model vae has no use for lambda",
            ),
            ("beta = 0.1", "beta = \"much\"", "curve 1: invalid type"),
            (
                "beta = 0.1",
                "betta = 0.1",
                "curve 1: unknown field `betta`",
            ),
            (
                "data = \"mnist\"",
                "data = \"adult\"",
                "curve 1: the model icvae can't learn from adult: give it digits",
            ),
            ("seed = [0, 1]", "seed = [0, 0]", "there are two points"),
            ("epochs = 2", "epochs = ", "line 3: "),
        ] {
            let text = GRID.replace(from, to);
            let Err(error) = Grid::parse(&text, false) else {
                panic!("{expected}")
            };
            let error = error.to_string();
            assert!(error.contains(expected) && !error.contains('\n'), "{error}");
        }
        for text in ["4/4", "1", "-1/2", "a/b", "0/0"] {
            assert!(text.parse::<Shard>().unwrap_err().contains("must be I/N"));
        }
    }
}
