//! Points on tables: predictions that should not know a group.

use std::time::Instant;

use icvae_core::data::Batch;
use icvae_core::data::tabular::{self, Rows, Tabular, TabularSource, Task};
use icvae_core::eval;
use icvae_core::model::{
    Activation, Dense, DenseStack, InvariantPredictor, PredictorConfig, StackConfig, dense,
};
use icvae_core::settings::DataSource;
use icvae_core::tch::nn::{self, Module, ModuleT};
use icvae_core::tch::{self, Device, Tensor};
use icvae_core::train::{Losses, Model};
use icvae_core::{Error, Result, Settings, no_grad, seeded, serde_json};

use crate::folder::Folder;
use crate::grid::{Data, Kind, Point};
use crate::measures::Measures;
use crate::point::{given, train};

/// Trains a prediction, and measures on the test rows how good it is and what it knows of the group.
///
/// The adversaries learn from the training rows, as those of the authors' experiments: a table of a thousand rows
/// leaves no others.
pub fn measured(
    point: &Point,
    settings: &Settings,
    folder: &Folder,
) -> Result<(Measures, f64, Instant)> {
    let table = table(point, settings)?;
    let data = table.train.dataset()?;
    let (learnt, test) = (&table.train, &table.test);
    let mut measures = Measures::of(settings);
    measures.put("majority_outcome", test.majority_outcome());
    measures.put("majority_group", test.majority_group());
    let probes = |measures: &mut Measures, name: &str, of: &dyn Fn(&Rows) -> Result<Tensor>| {
        let (seen, unseen) = (of(learnt)?, of(test)?);
        let (train, test) = ((&seen, learnt.c()), (&unseen, test.c()));
        measures.put_probes(name, train, test, Rows::GROUPS, point.seed)?;
        measures.put_code_length(name, test, Rows::GROUPS, point.seed)
    };
    let (training, began, log_odds) = match point.model {
        Kind::Predictor => {
            let config = PredictorConfig {
                features: table.widths(),
                hidden: point.hidden.clone(),
                latent: given(point.latent, "latent")?,
                dropout: given(point.dropout, "dropout")?,
                beta: given(point.beta, "beta")?,
                lambda: given(point.lambda, "lambda")?,
                ..Default::default()
            };
            let model = InvariantPredictor::new(&config, settings.device, point.seed)?;
            let (training, began) = train(point, &model, &data, folder)?;
            let encode = |rows: &Rows| no_grad(|| model.encode(rows.x()));
            let q = encode(test)?;
            let samples = seeded(point.seed, || q.sample());
            let bounds = eval::information_bounds(&q, &samples, point.batch_size)?;
            measures.put_all("", &bounds)?;
            probes(&mut measures, "samples", &|rows| {
                let q = encode(rows)?;
                // Other noise for rows that probes learn from and for those that they are judged by.
                Ok(seeded(point.seed + rows.len() as u64, || q.sample()))
            })?;
            probes(&mut measures, "means", &|rows| Ok(encode(rows)?.mean))?;
            probes(&mut measures, "prediction", &|rows| {
                model.log_odds(rows.x())
            })?;
            (training, began, model.log_odds(test.x())?)
        }
        _ => {
            let model = Classifier::new(point, &table, settings.device)?;
            let (training, began) = train(point, &model, &data, folder)?;
            probes(&mut measures, "x", &|rows| Ok(rows.x().shallow_clone()))?;
            probes(&mut measures, "prediction", &|rows| {
                Ok(model.log_odds(rows.x()))
            })?;
            (training, began, model.log_odds(test.x()))
        }
    };
    let predicted = log_odds.argmax(-1, false);
    measures.put_all("gap_", &eval::group_gaps(&predicted, test.y(), test.c())?)?;
    let right = predicted.eq_tensor(test.y()).to_kind(tch::Kind::Double);
    measures.put("accuracy", right.mean(None).double_value(&[]));
    let nats = log_odds.cross_entropy_for_logits(test.y());
    measures.put("cross_entropy", nats.double_value(&[]));
    Ok((measures, training, began))
}

fn table(point: &Point, settings: &Settings) -> Result<Tabular> {
    let task = match point.data {
        Data::AdultSpouses => Task::AdultSpouses,
        Data::GermanAge => Task::GermanAge,
        Data::GermanSex => Task::GermanSex,
        _ => Task::Adult,
    };
    let settings = Settings {
        data: match point.data {
            Data::Drawn => DataSource::Synthetic,
            _ => DataSource::Mnist,
        },
        ..settings.clone()
    };
    let table = tabular::load(&settings, task, point.seed)?;
    if let TabularSource::Drawn { because: Some(why) } = &table.source {
        return Err(Error::Invalid(format!(
            "the table could not be had, because {why}: point ICVAE_TABULAR_DIR at UCI's files, or let the grid say \
             data = \"drawn\""
        )));
    }
    Ok(table)
}

/// A prediction from x itself: what to compare with. It is not given the group's column, and forgets nothing else.
struct Classifier {
    point: Point,
    columns: i64,
    vs: nn::VarStore,
    trunk: DenseStack,
    outcome: Dense,
}

impl Classifier {
    fn new(point: &Point, table: &Tabular, device: Device) -> Result<Self> {
        Self::of_columns(point, table.widths().iter().sum(), device)
    }

    fn of_columns(point: &Point, columns: i64, device: Device) -> Result<Self> {
        tch::manual_seed(point.seed as i64);
        let vs = nn::VarStore::new(device);
        let stack = StackConfig {
            hidden: point.hidden.clone(),
            activation: Activation::Tanh,
            dropout: given(point.dropout, "dropout")?,
            batch_norm: false,
        };
        let trunk = DenseStack::new(&vs.root(), "h", columns, &stack)?;
        let outcome = dense(vs.root() / "y", trunk.outputs(), Rows::OUTCOMES);
        Ok(Self {
            point: point.clone(),
            columns,
            vs,
            trunk,
            outcome,
        })
    }

    fn log_odds(&self, x: &Tensor) -> Tensor {
        no_grad(|| self.outcome.forward(&self.trunk.forward_t(x, false)))
    }
}

impl Model for Classifier {
    fn var_store(&self) -> &nn::VarStore {
        &self.vs
    }

    fn losses(&self, batch: &Batch, train: bool) -> Result<Losses> {
        let y = batch.labels.divide_scalar_mode(Rows::GROUPS, "floor");
        let log_odds = self.trunk.forward_t(&batch.x, train).apply(&self.outcome);
        Ok(Losses::new(log_odds.cross_entropy_for_logits(&y)))
    }

    fn settings(&self) -> serde_json::Value {
        serde_json::json!({ "model": "classifier", "point": self.point, "columns": self.columns })
    }

    fn rebuild(&self) -> Result<Self> {
        Self::of_columns(&self.point, self.columns, self.vs.device())
    }
}
