//! A pad to draw on, and what a trained model makes of the drawing: in the browser alone.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::DeflateEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tch::nn::Module;
use tch::{Device, Kind, Tensor};

use crate::model::{Activation, Dense};
use crate::plot::ImageGrid;
use crate::{Error, Result};
use notebook_live::{Bundle, Rich, display};

/// What runs in the browser; `icvae-core/playground` holds its parts.
const SCRIPT: &str = include_str!("../../playground/panel.min.js");
const STYLE: &str = include_str!("../../playground/panel.css");
const DENSE: &[u8] = include_bytes!("../../playground/dense.wasm");
/// Test digits offered to start from.
const MOST_EXAMPLES: i64 = 10;

/// The layers of a trained model, as the playground runs them.
///
/// The encoder maps pixels, with the one-hot class beside them where it is told one, `[B, P]` or `[B, P + C]`,
/// through `encoder` to the heads `mean` and `log_var`, `[B, Z]`. The decoder maps z, with the one-hot class
/// beside it where it is told one, `[B, Z + C]`, to pixels `[B, P]`. Each layer brings its activation
/// ([`Dense::with`]); a batch norm before it becomes a part of it by [`fold_batch_norm`](crate::model::fold_batch_norm).
#[derive(Debug, Clone, Copy)]
pub struct Layers<'a> {
    /// The hidden layers of the encoder.
    pub encoder: &'a [&'a Dense],
    /// The head that gives the mean of q(z|x).
    pub mean: &'a Dense,
    /// The head that gives log σ².
    pub log_var: &'a Dense,
    /// All layers of the decoder.
    pub decoder: &'a [&'a Dense],
}

/// A panel with a pad to draw on, the reconstruction of the drawing, and the drawing as every class, live.
///
/// It holds the weights in 8 bits, so it goes on working when the kernel has ended, and on a published page.
///
/// ```
/// use icvae_core::model::{Activation, dense};
/// use icvae_core::notebook::{Layers, Playground};
/// use icvae_core::tch::{Device, Kind, Tensor, nn};
///
/// let vs = nn::VarStore::new(Device::Cpu);
/// let hidden = dense(vs.root() / "enc_h1", 784, 32).with(Activation::Tanh);
/// let (mean, log_var) = (dense(vs.root() / "mean", 32, 2), dense(vs.root() / "log_var", 32, 2));
/// let x_hat = dense(vs.root() / "x_hat", 2 + 10, 784);
/// let layers = Layers { encoder: &[&hidden], mean: &mean, log_var: &log_var, decoder: &[&x_hat] };
/// let playground = Playground::new((28, 28))
///     .classes(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
///     .model("untrained", layers)?
///     .examples(&Tensor::rand([3, 784], (Kind::Float, Device::Cpu)))?;
/// # let _ = playground;
/// # Ok::<(), icvae_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Playground {
    shape: (i64, i64),
    classes: Vec<String>,
    models: Vec<Packed>,
    examples: Option<Tensor>,
    picture: String,
}

/// A model in 8 bits, and what the numbers in them stand for.
#[derive(Debug)]
struct Packed {
    description: Value,
    weights: Vec<u8>,
    classes: i64,
    latent: i64,
    /// Whether the encoder is told the class.
    told: bool,
    /// The layers as the browser computes them, for the picture.
    layers: Vec<Dense>,
    hidden: usize,
}

impl Playground {
    /// A panel for images of this height and width, without a model.
    pub fn new(shape: (i64, i64)) -> Self {
        Self {
            shape,
            classes: Vec::new(),
            models: Vec::new(),
            examples: None,
            picture: String::new(),
        }
    }

    /// Names the classes that the decoder is told; without a call they are numbered.
    #[must_use]
    pub fn classes<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.classes = names.into_iter().map(Into::into).collect();
        self
    }

    /// Adds a model; with several the reader switches between them.
    ///
    /// # Errors
    /// If the layers don't fit each other or the images, or a weight is not a finite number.
    pub fn model(mut self, name: impl Into<String>, layers: Layers<'_>) -> Result<Self> {
        let name = name.into();
        let packed = Packed::new(&name, layers, self.shape.0 * self.shape.1).map_err(|error| {
            Error::Invalid(format!("the playground can't take {name}: {error}"))
        })?;
        self.models.push(packed);
        self.picture.clear();
        Ok(self)
    }

    /// Lets the panel say what a probe of the last model's code reads: layers that map z `[B, Z]` to one score a
    /// class, `[B, C]`.
    ///
    /// # Errors
    /// If there is no model yet, the layers don't fit its code, or a weight is not a finite number.
    pub fn probe(mut self, layers: &[&Dense]) -> Result<Self> {
        let packed = self.models.last_mut().ok_or_else(no_model)?;
        let mut packing = Packing::default();
        let described = packing.stack("the probe", layers, Some(packed.latent))?;
        if layers.is_empty() {
            return Err(Error::Invalid(
                "the playground's probe has no layers: pass at least the one that gives the scores"
                    .into(),
            ));
        }
        if packed.description.get("probe").is_some() {
            return Err(Error::Invalid(
                "the playground's model has a probe already: one is shown".into(),
            ));
        }
        packed.description["probe"] = Value::from(described);
        packed.weights.extend(packing.bytes);
        Ok(self)
    }

    /// Shows the plane of two dimensions of the last model's code, counted from 0, with a point to drag over it. A
    /// code of two dimensions has it by itself.
    ///
    /// # Errors
    /// If there is no model yet, or its code doesn't have these two dimensions.
    pub fn plane(mut self, right: i64, up: i64) -> Result<Self> {
        let packed = self.models.last_mut().ok_or_else(no_model)?;
        let fits = |d: i64| (0..packed.latent).contains(&d);
        if !fits(right) || !fits(up) || right == up {
            return Err(Error::Invalid(format!(
                "the playground can't show the plane of the dimensions {right} and {up}: name two \
                 different ones from 0 to {}",
                packed.latent - 1
            )));
        }
        packed.description["plane"] = json!([right, up]);
        Ok(self)
    }

    /// Offers images to start from, `[N, P]` with values in [0, 1]; the first ten are taken.
    ///
    /// # Errors
    /// If the shape doesn't fit the panel's.
    pub fn examples(mut self, images: &Tensor) -> Result<Self> {
        self.check("the playground's examples", images)?;
        let some = images.narrow(0, 0, images.size()[0].min(MOST_EXAMPLES));
        self.examples = Some(some.detach().to_device(Device::Cpu).to_kind(Kind::Float));
        self.picture.clear();
        Ok(self)
    }

    /// What the panel shows of images `[N, P]`: each decoded by the first model, with its weights of 8 bits, from the
    /// mean of its code as every class, `[N, C, P]`; `[N, 1, P]` where the decoder is told none. An encoder that is
    /// told the class is told the one whose reconstruction comes nearest.
    ///
    /// # Errors
    /// If there is no model yet, or the images have another shape.
    pub fn versions(&self, images: &Tensor) -> Result<Tensor> {
        self.check("the images for the playground", images)?;
        let model = self.models.first().ok_or_else(no_model)?;
        let x = images.to_device(Device::Cpu).to_kind(Kind::Float);
        Ok(crate::no_grad(|| model.versions(&x)))
    }

    fn check(&self, what: &'static str, images: &Tensor) -> Result<()> {
        let pixels = self.shape.0 * self.shape.1;
        if images.dim() == 2 && images.size()[1] == pixels {
            return Ok(());
        }
        Err(Error::Shape {
            what,
            expected: format!("[N, {pixels}]"),
            found: images.size(),
        })
    }

    /// Shows the panel as the last expression of a cell (evcxr calls this).
    pub fn evcxr_display(&self) {
        display(self);
    }

    /// What the first model makes of the examples: what stands where no script runs.
    fn still(&self) -> Result<String> {
        let (Some(model), Some(x)) = (self.models.first(), &self.examples) else {
            return Ok(String::new());
        };
        let versions = self.versions(x)?; // [N, C or 1, P]
        let count = x.size()[0] as usize;
        let columns = 1 + versions.size()[1] as usize;
        let all = Tensor::cat(&[x.unsqueeze(1), versions], 1).flatten(0, 1);
        let mut labels = vec!["digit".to_owned()];
        labels.extend((0..model.classes as usize).map(|c| self.class_name(c)));
        if model.classes == 0 {
            labels.push("again".into());
        }
        let figure = ImageGrid::new(&all, self.shape, (count, columns))
            .title("What the model makes of each digit")
            .column_labels(labels)
            .split_after_column(1)
            .inverted(true)
            .draw()?;
        let (width, height) = figure.size();
        Ok(format!(
            "<img src=\"data:image/png;base64,{}\" width=\"{width}\" height=\"{height}\" alt=\"{}\">",
            STANDARD.encode(figure.png()),
            escaped(figure.alt()),
        ))
    }

    fn class_name(&self, class: usize) -> String {
        let name = self.classes.get(class).cloned();
        name.unwrap_or_else(|| class.to_string())
    }

    /// What the panel's script reads.
    fn description(&self) -> Result<String> {
        let mut deflate = DeflateEncoder::new(Vec::new(), Compression::best());
        for model in &self.models {
            deflate.write_all(&model.weights).map_err(unpacked)?;
        }
        let examples = match &self.examples {
            Some(x) => {
                let bytes = (x.clamp(0.0, 1.0) * 255.0).round().to_kind(Kind::Uint8);
                let bytes = Vec::<u8>::try_from(bytes.flatten(0, -1))?;
                Value::from(STANDARD.encode(bytes))
            }
            None => Value::Null,
        };
        let models: Vec<_> = self.models.iter().map(|m| &m.description).collect();
        let description = json!({
            "version": 1,
            "shape": [self.shape.0, self.shape.1],
            "classes": self.classes,
            "models": models,
            "examples": examples,
            "weights": STANDARD.encode(deflate.finish().map_err(unpacked)?),
        });
        // Text that ends a script element must not stand in one.
        Ok(description.to_string().replace('<', "\\u003c"))
    }

    fn html(&self) -> Result<String> {
        if self.models.is_empty() {
            return Err(no_model());
        }
        let description = self.description()?;
        let mut id = String::from("playground-");
        for byte in Sha256::digest(&description).iter().take(6) {
            let _ = write!(id, "{byte:02x}");
        }
        let picture = self.still()?;
        let script = script();
        Ok(format!(
            "<div class=\"icvae-playground\" data-weights=\"{id}\">{picture}</div>\n\
             <script type=\"application/json\" id=\"{id}\">{description}</script>\n\
             <style>{STYLE}</style>\n<script>{script}</script>"
        ))
    }
}

impl Rich for Playground {
    fn rich(&self) -> Bundle {
        match self.html() {
            Ok(html) => Bundle::html(html, "A panel to draw on: it is shown in a browser."),
            Err(error) => Bundle::text(error.to_string()),
        }
    }
}

/// The script with its WebAssembly.
fn script() -> String {
    SCRIPT.trim_end().replace("@WASM@", &STANDARD.encode(DENSE))
}

fn no_model() -> Error {
    Error::Invalid("the playground has no model: add one with .model(name, layers)".into())
}

fn unpacked(error: std::io::Error) -> Error {
    Error::Invalid(format!("the playground's weights can't be packed: {error}"))
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('"', "&quot;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

impl Packed {
    fn new(name: &str, layers: Layers<'_>, pixels: i64) -> Result<Self> {
        let latent = layers.mean.ws.size2()?.0;
        if layers.log_var.ws.size2()?.0 != latent {
            return Err(Error::Invalid(
                "the mean and the log-variance differ in their dimensions".into(),
            ));
        }
        let inputs = |layer: Option<&&Dense>| layer.map_or(Ok(0), |l| l.ws.size2().map(|s| s.1));
        let given = inputs(layers.decoder.first())?;
        let classes = given - latent;
        if classes < 0 {
            return Err(Error::Invalid(format!(
                "the decoder takes {given} numbers, fewer than the code's {latent}"
            )));
        }
        let told = classes > 0
            && inputs(layers.encoder.first().or(Some(&layers.mean)))? == pixels + classes;
        let seen = if told { pixels + classes } else { pixels };
        let mut packing = Packing::default();
        let encoder = packing.stack("the encoder", layers.encoder, Some(seen))?;
        let top = packing.width.unwrap_or(seen);
        let mean = packing.layer("the mean's layer", layers.mean, Some(top))?;
        let log_var = packing.layer("the log-variance's layer", layers.log_var, Some(top))?;
        packing.width = None;
        let decoder = packing.stack("the decoder", layers.decoder, None)?;
        if packing.width != Some(pixels) {
            return Err(Error::Invalid(format!(
                "the decoder must end with {pixels} pixels"
            )));
        }
        let description = json!({
            "name": name, "latent": latent, "classes": classes, "told": told,
            "encoder": encoder, "mean": mean, "log_var": log_var, "decoder": decoder,
        });
        Ok(Self {
            description,
            weights: packing.bytes,
            classes,
            latent,
            told,
            layers: packing.layers,
            hidden: layers.encoder.len(),
        })
    }

    /// As [`Playground::versions`].
    fn versions(&self, x: &Tensor) -> Tensor {
        if !self.told {
            return self.decode(&self.code(x, 0));
        }
        let each = (0..self.classes).map(|c| {
            let all = self.decode(&self.code(x, c)); // [N, C, P]
            let far = (all.select(1, c) - x).square();
            (all, far.sum_dim_intlist(-1, true, Kind::Float)) // [N, 1]
        });
        let (all, far): (Vec<_>, Vec<_>) = each.unzip();
        let nearest = Tensor::cat(&far, 1).argmin(1, false); // [N]
        let all = Tensor::stack(&all, 1); // [N, C, C, P]
        let index = nearest.view([-1, 1, 1, 1]).expand_as(&all.narrow(1, 0, 1));
        all.gather(1, &index, false).squeeze_dim(1)
    }

    /// The mean of q(z|x) or q(z|x, c), `[N, Z]`.
    fn code(&self, x: &Tensor, class: i64) -> Tensor {
        let input = match self.told {
            true => beside(x, class, self.classes),
            false => x.shallow_clone(),
        };
        let hidden = through(&self.layers[..self.hidden], &input);
        self.layers[self.hidden].forward(&hidden)
    }

    /// Codes `[N, Z]` as every class, `[N, C, P]`; `[N, 1, P]` where the decoder is told none.
    fn decode(&self, z: &Tensor) -> Tensor {
        let decoder = &self.layers[self.hidden + 2..];
        let images = (0..self.classes.max(1)).map(|c| {
            through(
                decoder,
                &match self.classes {
                    0 => z.shallow_clone(),
                    classes => beside(z, c, classes),
                },
            )
        });
        Tensor::stack(&images.collect::<Vec<_>>(), 1)
    }
}

fn through(layers: &[Dense], x: &Tensor) -> Tensor {
    let start = x.shallow_clone();
    layers.iter().fold(start, |h, layer| layer.forward(&h))
}

/// The one-hot class beside each row.
fn beside(rows: &Tensor, class: i64, classes: i64) -> Tensor {
    let c = Tensor::eye(classes, (Kind::Float, Device::Cpu)).narrow(0, class, 1);
    Tensor::cat(&[rows, &c.expand([rows.size()[0], classes], false)], 1)
}

/// Layers on their way into bytes: each its scales, its biases, then its weights row by row.
#[derive(Debug, Default)]
struct Packing {
    bytes: Vec<u8>,
    layers: Vec<Dense>,
    width: Option<i64>,
}

impl Packing {
    fn stack(&mut self, what: &str, layers: &[&Dense], inputs: Option<i64>) -> Result<Vec<Value>> {
        self.width = inputs;
        layers
            .iter()
            .map(|layer| {
                let described = self.layer(what, layer, self.width)?;
                self.width = Some(layer.ws.size()[0]);
                Ok(described)
            })
            .collect()
    }

    fn layer(&mut self, what: &str, layer: &Dense, inputs: Option<i64>) -> Result<Value> {
        let weights = layer
            .ws
            .detach()
            .to_device(Device::Cpu)
            .to_kind(Kind::Float);
        let (rows, columns) = weights.size2()?;
        if inputs.is_some_and(|inputs| inputs != columns) {
            return Err(Error::Invalid(format!(
                "{what} takes {columns} numbers where {} come",
                inputs.unwrap_or_default()
            )));
        }
        let bias = match &layer.bs {
            Some(bias) => bias.detach().to_device(Device::Cpu).to_kind(Kind::Float),
            None => Tensor::zeros([rows], (Kind::Float, Device::Cpu)),
        };
        if !bool::try_from(weights.isfinite().all())? || !bool::try_from(bias.isfinite().all())? {
            return Err(Error::Invalid(format!(
                "{what} has weights that are not finite numbers"
            )));
        }
        // A row of zeros may have any scale but 0.
        let scale = weights.abs().amax([1], true).clamp_min(1e-30) / 127.0; // [out, 1]
        let eighth = (&weights / &scale).round(); // −127 … 127
        for numbers in [scale.flatten(0, -1), bias.shallow_clone()] {
            for number in Vec::<f32>::try_from(&numbers)? {
                self.bytes.extend(number.to_le_bytes());
            }
        }
        let bytes = Vec::<i8>::try_from(eighth.to_kind(Kind::Int8).flatten(0, -1))?;
        self.bytes.extend(bytes.into_iter().map(i8::cast_unsigned));
        self.layers.push(Dense {
            ws: eighth * scale,
            bs: Some(bias),
            activation: layer.activation,
        });
        let (name, slope) = match layer.activation {
            Activation::LeakyRelu(slope) => ("leaky_relu".to_owned(), slope),
            other => (other.to_string(), 0.0),
        };
        Ok(json!({"in": columns, "out": rows, "act": name, "slope": slope}))
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use flate2::read::DeflateDecoder;
    use tch::nn::VarStore;

    use super::*;
    use crate::model::dense;

    /// A model of 3 × 4 pixels with a code of 2 and 3 classes.
    fn layers(vs: &VarStore) -> [Dense; 5] {
        let root = vs.root();
        [
            dense(&root / "h", 12, 5).with(Activation::LeakyRelu(0.2)),
            dense(&root / "mean", 5, 2).with(Activation::Tanh),
            dense(&root / "log_var", 5, 2),
            dense(&root / "d", 5, 6).with(Activation::Elu),
            dense(&root / "x", 6, 12).with(Activation::Sigmoid),
        ]
    }

    fn playground(name: &str, vs: &VarStore) -> Result<Playground> {
        let [h, mean, log_var, d, x] = layers(vs);
        Playground::new((3, 4)).model(
            name,
            Layers {
                encoder: &[&h],
                mean: &mean,
                log_var: &log_var,
                decoder: &[&d, &x],
            },
        )
    }

    fn described(playground: &Playground) -> Result<Value> {
        let text = playground.description()?;
        assert!(!text.contains('<'), "nothing may end the script element");
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    #[test]
    fn weights_come_out_as_they_went_in_but_for_eight_bits() -> Result<()> {
        crate::seeded(3, || {
            let vs = VarStore::new(Device::Cpu);
            let playground = playground("</script>", &vs)?;
            let description = described(&playground)?;
            assert_eq!(description["models"][0]["name"], "</script>");
            assert_eq!(description["models"][0]["classes"], 3);
            assert_eq!(description["models"][0]["encoder"][0]["slope"], 0.2);
            let packed = STANDARD
                .decode(description["weights"].as_str().unwrap_or_default())
                .unwrap_or_default();
            let mut bytes = Vec::new();
            DeflateDecoder::new(packed.as_slice())
                .read_to_end(&mut bytes)
                .map_err(unpacked)?;
            // The first layer: five scales, five biases, then five rows of twelve.
            let number = |i: usize| f32::from_le_bytes([0, 1, 2, 3].map(|k| bytes[4 * i + k]));
            let ws = vs.variables()["h.weight"].shallow_clone();
            for row in 0..5 {
                for column in 0..12 {
                    let eighth = bytes[40 + 12 * row + column].cast_signed();
                    let found = f64::from(number(row)) * f64::from(eighth);
                    let expected = ws.double_value(&[row as i64, column as i64]);
                    let step = f64::from(number(row));
                    assert!(
                        (found - expected).abs() <= 0.501 * step,
                        "{found} for {expected}"
                    );
                }
            }
            let sizes = [(12, 5), (5, 2), (5, 2), (5, 6), (6, 12)];
            let expected: usize = sizes.iter().map(|(i, o)| 8 * o + i * o).sum();
            assert_eq!(bytes.len(), expected);
            Ok(())
        })
    }

    #[test]
    fn a_told_encoder_is_told_the_class_that_comes_nearest() -> Result<()> {
        crate::seeded(5, || {
            let vs = VarStore::new(Device::Cpu);
            let root = vs.root();
            let h = dense(&root / "h", 12 + 3, 5).with(Activation::Tanh);
            let (mean, log_var) = (dense(&root / "m", 5, 4), dense(&root / "v", 5, 4));
            let x_hat = dense(&root / "x", 4 + 3, 12);
            let layers = Layers {
                encoder: &[&h],
                mean: &mean,
                log_var: &log_var,
                decoder: &[&x_hat],
            };
            let reader = dense(&root / "probe", 4, 3);
            let playground = Playground::new((3, 4))
                .model("told", layers)?
                .plane(3, 1)?
                .probe(&[&reader])?;
            let model = &described(&playground)?["models"][0];
            assert_eq!(
                (&model["told"], &model["classes"]),
                (&json!(true), &json!(3))
            );
            assert_eq!(
                (&model["plane"], &model["probe"][0]["out"]),
                (&json!([3, 1]), &json!(3))
            );

            let x = Tensor::rand([6, 12], (Kind::Float, Device::Cpu));
            let shown = playground.versions(&x)?; // [6, 3, 12]
            let one_hot = |c| {
                Tensor::eye(3, (Kind::Float, Device::Cpu))
                    .get(c)
                    .repeat([6, 1])
            };
            let code = |c| mean.forward(&h.forward(&Tensor::cat(&[&x, &one_hot(c)], 1)));
            let image = |z: &Tensor, c| x_hat.forward(&Tensor::cat(&[z, &one_hot(c)], 1));
            for i in 0..6 {
                let far = |c| {
                    (image(&code(c), c) - &x)
                        .square()
                        .get(i)
                        .sum(Kind::Float)
                        .double_value(&[])
                };
                let nearest = (0..3)
                    .min_by(|&a, &b| far(a).total_cmp(&far(b)))
                    .unwrap_or_default();
                for c in 0..3 {
                    let expected = image(&code(nearest), c).get(i);
                    let apart = (shown.get(i).get(c) - expected)
                        .abs()
                        .max()
                        .double_value(&[]);
                    assert!(apart < 0.05, "image {i} as {c}: off by {apart}");
                }
            }
            assert!(Playground::new((3, 4)).plane(0, 1).is_err(), "no model");
            assert!(playground.plane(1, 4).is_err(), "four dimensions");
            Ok(())
        })
    }

    #[test]
    fn what_does_not_fit_is_said_in_a_sentence() -> Result<()> {
        let vs = VarStore::new(Device::Cpu);
        let [h, mean, log_var, d, x] = layers(&vs);
        let fit = |decoder: &[&Dense]| {
            Playground::new((3, 4))
                .model(
                    "m",
                    Layers {
                        encoder: &[&h],
                        mean: &mean,
                        log_var: &log_var,
                        decoder,
                    },
                )
                .map(drop)
                .map_err(|error| error.to_string())
        };
        assert_eq!(fit(&[&d, &x]), Ok(()));
        let error = fit(&[&x, &d]).unwrap_err();
        assert!(error.contains("the playground can't take m"), "{error}");
        let error = fit(&[&d]).unwrap_err();
        assert!(error.contains("end with 12 pixels"), "{error}");
        crate::no_grad(|| {
            let _ = d.ws.get(0).fill_(f64::NAN);
        });
        let error = fit(&[&d, &x]).unwrap_err();
        assert!(error.contains("not finite"), "{error}");
        let empty = Playground::new((3, 4)).html().unwrap_err().to_string();
        assert!(empty.contains(".model(name, layers)"), "{empty}");
        let wrong = Tensor::zeros([2, 5], (Kind::Float, Device::Cpu));
        assert!(Playground::new((3, 4)).examples(&wrong).is_err());
        Ok(())
    }

    #[test]
    fn without_a_script_there_is_a_picture_of_every_class() -> Result<()> {
        let vs = VarStore::new(Device::Cpu);
        let examples = Tensor::rand([2, 12], (Kind::Float, Device::Cpu));
        let html = playground("m", &vs)?.examples(&examples)?.html()?;
        assert!(html.contains("2 rows of 4 images"), "{}", &html[..200]);
        assert!(html.contains("<img src=\"data:image/png;base64,"));
        assert!(html.contains("WebAssembly.instantiate(") && html.contains("AGFzbQ"));
        Ok(())
    }
}
