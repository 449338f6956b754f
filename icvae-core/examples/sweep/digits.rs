//! Points on digits: autoencoders whose code should not know the class.

use std::time::Instant;

use icvae_core::data::{self, Dataset, Source};
use icvae_core::eval::{self, Reader};
use icvae_core::model::{Censored, CensoredConfig, Echo, EchoConfig, Gaussian, Icvae, IcvaeConfig};
use icvae_core::settings::DataSource;
use icvae_core::tch::{Kind as Number, Tensor};
use icvae_core::train::Model as _;
use icvae_core::{Error, Result, Settings, loss, no_grad, seeded};

use crate::folder::Folder;
use crate::grid::{Data, Kind, Point};
use crate::measures::Measures;
use crate::point::{given, train};

/// The share of the training digits that models don't see: probes learn on their codes, so that no code is one that
/// its model was fitted to.
const HELD_OUT: f64 = 1.0 / 6.0;
/// Examples whose codes are compared with one another.
const BATCH: usize = 100;
/// Test digits that are drawn as each of the other classes.
const REMAPPED: usize = 1_000;

/// A model of any kind.
#[expect(clippy::large_enum_variant, reason = "there is one at a time")]
enum Model {
    Gaussian(Icvae),
    Adversary(Censored),
    Echo(Echo),
}

/// The codes of a data set.
struct Codes {
    samples: Tensor,
    means: Tensor,
}

impl Model {
    fn new(point: &Point, digits: &Dataset) -> Result<Self> {
        let device = digits.device();
        let classes = match point.model {
            Kind::Vae => 0,
            _ => digits.classes(),
        };
        let config = IcvaeConfig {
            pixels: digits.pixels(),
            classes,
            hidden: point.hidden.clone(),
            latent: given(point.latent, "latent")?,
            beta: given(point.beta, "beta")?,
            lambda: point.lambda.unwrap_or(0.0),
            ..Default::default()
        };
        Ok(match point.model {
            Kind::Adversary => {
                let config = CensoredConfig {
                    vae: config,
                    alpha: given(point.alpha, "alpha")?,
                    ..Default::default()
                };
                Self::Adversary(Censored::new(&config, device, point.seed)?)
            }
            Kind::Echo => {
                let config = EchoConfig {
                    pixels: config.pixels,
                    classes,
                    hidden: config.hidden,
                    latent: config.latent,
                    beta: config.beta,
                    ..Default::default()
                };
                Self::Echo(Echo::new(&config, device, point.seed)?)
            }
            _ => Self::Gaussian(Icvae::new(&config, device, point.seed)?),
        })
    }

    fn train(&self, point: &Point, data: &Dataset, folder: &Folder) -> Result<(f64, Instant)> {
        match self {
            Self::Gaussian(model) => train(point, model, data, folder),
            Self::Adversary(model) => train(point, model, data, folder),
            Self::Echo(model) => train(point, model, data, folder),
        }
    }

    /// q(z|x), where it is a Gaussian.
    fn encode(&self, data: &Dataset) -> Result<Option<Gaussian>> {
        let encode = |model: &Icvae| no_grad(|| model.encode(&data.x(), &data.c()));
        Ok(match self {
            Self::Gaussian(model) => Some(encode(model)?),
            Self::Adversary(model) => Some(encode(model.vae())?),
            Self::Echo(_) => None,
        })
    }

    fn codes(&self, data: &Dataset, seed: u64) -> Result<Codes> {
        seeded(seed, || match (self, self.encode(data)?) {
            (Self::Echo(model), _) => Ok(Codes {
                samples: model.sample(&data.x(), BATCH as i64)?,
                means: no_grad(|| Ok::<_, Error>(model.encode(&data.x())?.mean()))?,
            }),
            (_, Some(q)) => Ok(Codes {
                samples: q.sample(),
                means: q.mean,
            }),
            (_, None) => Err(Error::Invalid("the model has no code".into())),
        })
    }

    fn decode(&self, z: &Tensor, c: &Tensor) -> Result<Tensor> {
        no_grad(|| match self {
            Self::Gaussian(model) => model.decode(z, c),
            Self::Adversary(model) => model.vae().decode(z, c),
            Self::Echo(model) => model.decode(z, c),
        })
    }
}

/// Trains a model, and measures it on digits that it has not seen.
pub fn measured(
    point: &Point,
    settings: &Settings,
    folder: &Folder,
) -> Result<(Measures, f64, Instant)> {
    let settings = Settings {
        data: match point.data {
            Data::Synthetic => DataSource::Synthetic,
            _ => DataSource::Mnist,
        },
        ..settings.clone()
    };
    let digits = data::load(&settings)?;
    if let Source::Synthetic { because: Some(why) } = &digits.source {
        return Err(Error::Invalid(format!(
            "MNIST could not be had, because {why}: point ICVAE_MNIST_DIR at its files, or let the grid say \
             data = \"synthetic\""
        )));
    }
    let seen = digits.train.len() - (digits.train.len() as f64 * HELD_OUT) as usize;
    let (held_out, test) = (
        digits.train.filter(|i, _| i >= seen)?,
        digits.test.to_device(settings.device),
    );
    let classes = test.classes();

    let model = Model::new(point, &digits.train)?;
    let (training, began) = model.train(point, &digits.train.head(seen), folder)?;

    let mut measures = Measures::of(&settings);
    let (learnt, codes) = (
        model.codes(&held_out, point.seed)?,
        model.codes(&test, point.seed + 1)?,
    );
    for (name, z) in [
        ("reconstruction", &codes.samples),
        ("reconstruction_mean", &codes.means),
    ] {
        let errors = loss::squared_error(&test.x(), &model.decode(z, &test.c())?)?;
        measures.put(name, mean(&errors));
    }
    match (&model, model.encode(&test)?) {
        (Model::Echo(model), _) => {
            let code = no_grad(|| model.encode(&test.x()))?;
            measures.put("rate", mean(&loss::echo_rate(&code.log_scale)));
        }
        (_, Some(q)) => {
            let bounds = eval::information_bounds(&q, &codes.samples, BATCH)?;
            measures.put_all("", &bounds)?;
        }
        (_, None) => {}
    }
    for (name, of) in [
        ("samples", (&learnt.samples, &codes.samples)),
        ("means", (&learnt.means, &codes.means)),
    ] {
        let (train, labels) = ((of.0, held_out.labels()), test.labels());
        measures.put_probes(name, train, (of.1, labels), classes, point.seed)?;
        measures.put_code_length(name, (of.1, labels), classes, point.seed)?;
    }
    let control = eval::shuffled_labels(test.labels(), point.seed)?;
    measures.put_code_length("control", (&codes.samples, &control), classes, point.seed)?;

    if point.model != Kind::Vae {
        let reader = reader(&digits.train, folder)?;
        let few = test.head(REMAPPED);
        for (prefix, z) in [
            ("remapped_", &codes.samples),
            ("remapped_mean_", &codes.means),
        ] {
            let z = z.narrow(0, 0, few.len() as i64);
            let decode = |z: &Tensor, c: &Tensor| model.decode(z, c);
            measures.put_all(prefix, &eval::remapped(decode, &z, &few, &reader)?)?;
        }
    }
    Ok((measures, training, began))
}

fn mean(values: &Tensor) -> f64 {
    values.mean(Number::Double).double_value(&[])
}

/// The classifier that reads remapped digits, the same for all points of a sweep: trained by the first that needs it.
fn reader(digits: &Dataset, folder: &Folder) -> Result<Reader> {
    let data = digits.fingerprint();
    let path = folder.shared(&format!(
        "reader-{}.safetensors",
        data.get(..12).unwrap_or(&data)
    ));
    let _turn = folder.turn("reader")?;
    let reader = Reader::new(digits.pixels(), digits.classes(), digits.device())?;
    if path.is_file() && reader.load(&path).is_ok() {
        return Ok(reader);
    }
    let reader = Reader::train(digits)?;
    reader.save(&path)?;
    Ok(reader)
}
