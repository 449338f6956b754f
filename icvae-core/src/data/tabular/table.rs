//! A table ready to learn from: one-hot and standardised columns, split into training and test rows.

use std::fmt;
use std::path::PathBuf;

use sha2::{Digest, Sha256};
use tch::{Device, Tensor};

use super::adult::ADULT;
use super::german::{FEMALE, GERMAN};
use super::schema::{Field, Parsed, Schema, words};
use super::{Rows, Task, drawn};
use crate::Result;

/// Rows of German credit that are kept for the test.
const GERMAN_TEST: usize = 300;

/// Training and test rows of a [`Task`]. As text: what they are, where they are from, and whom to cite.
#[derive(Debug)]
pub struct Tabular {
    /// To train on.
    pub train: Rows,
    /// To judge by.
    pub test: Rows,
    /// The features that x is made of, in order.
    pub features: Vec<Feature>,
    /// What is to be predicted and forgotten.
    pub task: Task,
    /// Training and test rows with a value that is not known, `?`, which were left out.
    pub left_out: (usize, usize),
    /// Where the rows are from.
    pub source: TabularSource,
    pub(super) remark: Option<String>,
}

/// Where rows are from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TabularSource {
    /// UCI's files in a folder.
    Files {
        /// The folder.
        folder: PathBuf,
    },
    /// UCI's files, just fetched, that could not be kept anywhere.
    Fetched,
    /// Drawn by this crate.
    Drawn {
        /// Why the files could not be had; `None` if a drawn table was asked for.
        because: Option<String>,
    },
}

/// What one value of a row became in x.
#[derive(Debug, Clone, PartialEq)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// One column or several.
    pub kind: Kind,
}

/// How a feature stands in x.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// One column, (value − mean) / deviation.
    Number {
        /// Mean over the training rows.
        mean: f64,
        /// Standard deviation over the training rows (their number in the denominator), 1 where all are the same.
        deviation: f64,
    },
    /// One column for each level, with a single 1.
    Category {
        /// The levels, in the order of their columns.
        levels: Vec<String>,
    },
}

impl Feature {
    /// How many columns it takes.
    pub fn width(&self) -> usize {
        match &self.kind {
            Kind::Number { .. } => 1,
            Kind::Category { levels } => levels.len(),
        }
    }
}

impl Tabular {
    /// The names of x's columns: `age`, `workclass=Private`, …
    pub fn columns(&self) -> Vec<String> {
        let names = self.features.iter().flat_map(|feature| {
            let name = &feature.name;
            match &feature.kind {
                Kind::Number { .. } => vec![name.clone()],
                Kind::Category { levels } => levels.iter().map(|l| format!("{name}={l}")).collect(),
            }
        });
        names.collect()
    }

    /// The columns of each feature, in order: 1 for a number, more for one-hot levels.
    pub fn widths(&self) -> Vec<i64> {
        self.features.iter().map(|f| f.width() as i64).collect()
    }

    /// The sentence that a reader must see: what stands in for UCI's files and why, or what else is unusual.
    pub fn notice(&self) -> Option<String> {
        self.remark.clone()
    }

    /// A drawn table of so many training and test rows, `because` the files could not be had or because it is wanted.
    ///
    /// Group c = 1 has two of three rows. `merit` tells nothing of the group, `habit` lies one deviation higher or
    /// lower by it, and `club` is chosen by it, so that how much x gives away is known:
    /// [`LEAK_ACCURACY`](super::LEAK_ACCURACY), [`LEAK_NATS`](super::LEAK_NATS). The outcome depends on merit, on
    /// chance, and, unfairly, on the group.
    ///
    /// # Errors
    /// If there is no memory for it.
    pub fn drawn(task: Task, train: usize, test: usize, because: Option<String>) -> Result<Self> {
        let remark = because.as_ref().map(|why| {
            format!(
                "A drawn table stands in for {}, because {why}; point ICVAE_TABULAR_DIR at a folder with UCI's \
                 files ({}) to use them.",
                task.about().name,
                task.about().files.join(", ")
            )
        });
        let fields: Vec<Named> = drawn::FIELDS.iter().map(Named::from).collect();
        let drawn = drawn::draw(train + test);
        let places: Vec<bool> = (0..train + test).map(|i| i >= train).collect();
        let (features, train, test) = encode(&fields, &drawn.rows, &places)?;
        let source = TabularSource::Drawn { because };
        Ok(Self {
            train: rows(train, &drawn.outcomes, &drawn.groups, &places, false)?,
            test: rows(test, &drawn.outcomes, &drawn.groups, &places, true)?,
            features,
            task,
            left_out: (0, 0),
            source,
            remark,
        })
    }

    /// The table of a task from the contents of its files, with their names; `split` chooses the test rows where the
    /// files don't.
    pub(super) fn read(
        task: Task,
        files: &[(String, Vec<u8>)],
        split: u64,
        source: TabularSource,
        remark: Option<String>,
    ) -> Result<Self> {
        let schema = match task {
            Task::Adult | Task::AdultSpouses => &ADULT,
            Task::GermanAge | Task::GermanSex => &GERMAN,
        };
        let parts = files
            .iter()
            .map(|(name, content)| schema.parse(name, content))
            .collect::<Result<Vec<Parsed>>>()?;
        let left_out = |i: usize| parts.get(i).map_or(0, |part| part.left_out);
        let left_out = (left_out(0), left_out(1));
        let places: Vec<bool> = match &parts[..] {
            [only] => test_places(only.rows.len(), split),
            several => several
                .iter()
                .enumerate()
                .flat_map(|(i, part)| vec![i > 0; part.rows.len()])
                .collect(),
        };
        let all: Vec<Vec<f64>> = parts.into_iter().flat_map(|part| part.rows).collect();
        let (outcomes, groups) = outcomes_and_groups(task, schema, &all);
        let (fields, all) = known(task, schema, all);
        let (features, train, test) = encode(&fields, &all, &places)?;
        Ok(Self {
            train: rows(train, &outcomes, &groups, &places, false)?,
            test: rows(test, &outcomes, &groups, &places, true)?,
            features,
            task,
            left_out,
            source,
            remark,
        })
    }

    pub(super) fn head(self, train: usize, test: usize) -> Self {
        Self {
            train: self.train.head(train),
            test: self.test.head(test),
            ..self
        }
    }

    /// The same on another device.
    #[must_use]
    pub fn to_device(self, device: Device) -> Self {
        Self {
            train: self.train.to_device(device),
            test: self.test.to_device(device),
            ..self
        }
    }
}

impl fmt::Display for Tabular {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let about = self.task.about();
        let (outcome, group) = match &self.source {
            TabularSource::Drawn { .. } => {
                write!(f, "A drawn table")?;
                ("1", "1")
            }
            TabularSource::Files { .. } | TabularSource::Fetched => {
                write!(f, "{} ({})", about.name, about.citation)?;
                (about.outcome, about.group)
            }
        };
        write!(
            f,
            ": {} training and {} test rows of {} columns; y: {outcome}, c: {group}; majorities in the test rows \
             {:.1} % (y) and {:.1} % (c)",
            self.train.len(),
            self.test.len(),
            self.train.x().size()[1],
            100.0 * self.test.majority_outcome(),
            100.0 * self.test.majority_group(),
        )?;
        if self.left_out != (0, 0) {
            write!(
                f,
                "; {} and {} rows with an unknown value (?) left out",
                self.left_out.0, self.left_out.1
            )?;
        }
        match self.notice() {
            Some(notice) => write!(f, "\n{notice}"),
            None => Ok(()),
        }
    }
}

/// Which of `n` rows are for the test: those with the smallest SHA-256 of the text `SPLIT:ROW`, rows counted from 0.
/// So the choice depends on the row's place in the file alone, and any other program can repeat it.
fn test_places(n: usize, split: u64) -> Vec<bool> {
    let mut order: Vec<_> = (0..n)
        .map(|row| (Sha256::digest(format!("{split}:{row}")).to_vec(), row))
        .collect();
    order.sort();
    let mut places = vec![false; n];
    // Small tables are split in the same proportion.
    for (_, row) in order.iter().take(GERMAN_TEST.min(n * 3 / 10)) {
        places[*row] = true;
    }
    places
}

/// y and c of each row.
fn outcomes_and_groups(task: Task, schema: &Schema, all: &[Vec<f64>]) -> (Vec<i64>, Vec<i64>) {
    let column = |name: &str, of: &dyn Fn(f64) -> bool| {
        let at = schema.position(name);
        all.iter().map(|row| i64::from(of(row[at]))).collect()
    };
    match task {
        Task::Adult | Task::AdultSpouses => (
            column("income", &|level| level == 1.0),
            column("sex", &|level| level == 1.0),
        ),
        Task::GermanAge => (
            column("credit", &|level| level == 0.0),
            column("age", &|years| years > 25.0),
        ),
        Task::GermanSex => (
            column("credit", &|level| level == 0.0),
            column("personal status and sex", &|level| !FEMALE.contains(&level)),
        ),
    }
}

/// A field whose levels may be others than the file's.
struct Named {
    name: &'static str,
    levels: Vec<&'static str>,
}

impl From<&Field> for Named {
    fn from(field: &Field) -> Self {
        Self {
            name: field.name,
            levels: field.levels.iter().map(|level| words(level)).collect(),
        }
    }
}

/// What x is made of: all fields but the outcome and the group.
fn known(task: Task, schema: &Schema, all: Vec<Vec<f64>>) -> (Vec<Named>, Vec<Vec<f64>>) {
    let without = match task {
        Task::Adult | Task::AdultSpouses => ["income", "sex"],
        Task::GermanAge => ["credit", "age"],
        Task::GermanSex => ["credit", "personal status and sex"],
    };
    let kept: Vec<usize> = (0..schema.fields.len())
        .filter(|&i| !without.contains(&schema.fields[i].name))
        .collect();
    let mut fields: Vec<Named> = kept.iter().map(|&i| (&schema.fields[i]).into()).collect();
    let mut all: Vec<Vec<f64>> = all
        .iter()
        .map(|row| kept.iter().map(|&i| row[i]).collect())
        .collect();
    if task == Task::AdultSpouses {
        merge_spouses(&mut fields, &mut all);
    }
    (fields, all)
}

/// Makes one level of husband and wife, in the place of the wife.
fn merge_spouses(fields: &mut [Named], all: &mut [Vec<f64>]) {
    let find = |levels: &[&str], word| levels.iter().position(|level| *level == word);
    for (at, field) in fields.iter_mut().enumerate() {
        let (Some(wife), Some(husband)) =
            (find(&field.levels, "Wife"), find(&field.levels, "Husband"))
        else {
            continue;
        };
        field.levels[wife] = "Spouse";
        field.levels.remove(husband);
        for row in &mut *all {
            let level = row[at] as usize;
            let merged = match level {
                _ if level == husband => wife,
                _ if level > husband => level - 1,
                _ => level,
            };
            row[at] = merged as f64;
        }
    }
}

type Encoded = (Vec<Feature>, Tensor, Tensor);

/// Fields as features, and rows as x: training rows, test rows. Numbers are standardised by the training rows alone.
fn encode(fields: &[Named], all: &[Vec<f64>], is_test: &[bool]) -> Result<Encoded> {
    let seen = || all.iter().zip(is_test).filter(|(_, test)| !**test);
    let n = seen().count().max(1) as f64;
    let features: Vec<Feature> = fields
        .iter()
        .enumerate()
        .map(|(at, field)| {
            let kind = if field.levels.is_empty() {
                let mean = seen().map(|(row, _)| row[at]).sum::<f64>() / n;
                let square = seen().map(|(row, _)| (row[at] - mean).powi(2)).sum::<f64>() / n;
                let deviation = if square > 0.0 { square.sqrt() } else { 1.0 };
                Kind::Number { mean, deviation }
            } else {
                let levels = field.levels.iter().map(ToString::to_string).collect();
                Kind::Category { levels }
            };
            let name = field.name.to_owned();
            Feature { name, kind }
        })
        .collect();
    let x = |test: bool| -> Result<Tensor> {
        let mut values: Vec<f32> = Vec::new();
        let rows = all.iter().zip(is_test).filter(|(_, of)| **of == test);
        let mut count = 0;
        for (row, _) in rows {
            count += 1;
            for (value, feature) in row.iter().zip(&features) {
                match &feature.kind {
                    Kind::Number { mean, deviation } => {
                        values.push(((value - mean) / deviation) as f32);
                    }
                    Kind::Category { levels } => values
                        .extend((0..levels.len()).map(|i| f32::from(u8::from(i as f64 == *value)))),
                }
            }
        }
        let width: usize = features.iter().map(Feature::width).sum();
        Ok(Tensor::f_from_slice(&values)?.f_view([count, width as i64])?)
    };
    let (train, test) = (x(false)?, x(true)?);
    Ok((features, train, test))
}

fn rows(x: Tensor, outcomes: &[i64], groups: &[i64], is_test: &[bool], test: bool) -> Result<Rows> {
    let of = |labels: &[i64]| {
        let chosen = labels.iter().zip(is_test).filter(|(_, of)| **of == test);
        Tensor::f_from_slice(&chosen.map(|(label, _)| *label).collect::<Vec<_>>())
    };
    Rows::new(x, of(outcomes)?, of(groups)?)
}
