//! A pad to draw on, and what a trained model makes of the drawing: in the browser alone.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, write::DeflateEncoder};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tch::nn::Module;
use tch::{Device, Kind, Tensor};

use super::rich::{Bundle, Rich};
use crate::model::{Activation, Dense};
use crate::plot::ImageGrid;
use crate::{Error, Result};

/// What runs in the browser; `icvae-core/playground` holds its parts.
const SCRIPT: &str = include_str!("../../playground/panel.js");
const STYLE: &str = include_str!("../../playground/panel.css");
const DENSE: &[u8] = include_bytes!("../../playground/dense.wasm");
/// Test digits offered to start from.
const MOST_EXAMPLES: i64 = 10;

/// The layers of a trained model, as the playground runs them.
///
/// The encoder maps pixels `[B, P]` through `encoder` to the heads `mean` and `log_var`, `[B, Z]`. The decoder
/// maps z, with the one-hot class beside it where it is told one, `[B, Z + C]`, to pixels `[B, P]`. Each layer
/// brings its activation ([`Dense::with`]).
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

    /// Offers images to start from, `[N, P]` with values in [0, 1]; the first ten are taken.
    ///
    /// # Errors
    /// If the shape doesn't fit the panel's.
    pub fn examples(mut self, images: &Tensor) -> Result<Self> {
        let pixels = self.shape.0 * self.shape.1;
        if images.dim() != 2 || images.size()[1] != pixels {
            return Err(Error::Shape {
                what: "the playground's examples",
                expected: format!("[N, {pixels}]"),
                found: images.size(),
            });
        }
        let some = images.narrow(0, 0, images.size()[0].min(MOST_EXAMPLES));
        self.examples = Some(some.detach().to_device(Device::Cpu).to_kind(Kind::Float));
        self.picture.clear();
        Ok(self)
    }

    /// Shows the panel as the last expression of a cell (evcxr calls this).
    pub fn evcxr_display(&self) {
        super::display(self);
    }

    /// What the first model makes of the examples: what stands where no script runs.
    fn still(&self) -> Result<String> {
        let (Some(model), Some(x)) = (self.models.first(), &self.examples) else {
            return Ok(String::new());
        };
        let versions = crate::no_grad(|| model.versions(x))?; // [N, C or 1, P]
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
            return Err(Error::Invalid(
                "the playground has no model: add one with .model(name, layers)".into(),
            ));
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

/// The script with its WebAssembly, without indentation and comments.
fn script() -> String {
    let lines = SCRIPT.lines().map(str::trim);
    let kept = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    let text = kept.collect::<Vec<_>>().join("\n");
    text.replace("@WASM@", &STANDARD.encode(DENSE))
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
        let mut packing = Packing::default();
        let encoder = packing.stack("the encoder", layers.encoder, Some(pixels))?;
        let top = packing.width.unwrap_or(pixels);
        let mean = packing.layer("the mean's layer", layers.mean, Some(top))?;
        let latent = layers.mean.ws.size()[0];
        let log_var = packing.layer("the log-variance's layer", layers.log_var, Some(top))?;
        if layers.log_var.ws.size()[0] != latent {
            return Err(Error::Invalid(
                "the mean and the log-variance differ in their dimensions".into(),
            ));
        }
        let told = layers.decoder.first().map_or(0, |first| first.ws.size()[1]);
        let classes = told - latent;
        if classes < 0 {
            return Err(Error::Invalid(format!(
                "the decoder takes {told} numbers, fewer than the code's {latent}"
            )));
        }
        packing.width = None;
        let decoder = packing.stack("the decoder", layers.decoder, None)?;
        if packing.width != Some(pixels) {
            return Err(Error::Invalid(format!(
                "the decoder must end with {pixels} pixels"
            )));
        }
        let description = json!({
            "name": name, "latent": latent, "classes": classes,
            "encoder": encoder, "mean": mean, "log_var": log_var, "decoder": decoder,
        });
        Ok(Self {
            description,
            weights: packing.bytes,
            classes,
            layers: packing.layers,
            hidden: layers.encoder.len(),
        })
    }

    /// Each image decoded from the mean of its code as every class, `[N, C, P]`; `[N, 1, P]` where the
    /// decoder is told none.
    fn versions(&self, x: &Tensor) -> Result<Tensor> {
        let (encoder, rest) = self.layers.split_at(self.hidden);
        let (mean, decoder) = (&rest[0], &rest[2..]);
        let through = |layers: &[Dense], x: &Tensor| {
            let start = x.shallow_clone();
            layers.iter().fold(start, |h, layer| layer.forward(&h))
        };
        let z = mean.forward(&through(encoder, x)); // [N, Z]
        let (count, classes) = (x.size()[0], self.classes.max(1));
        let z = z.repeat_interleave_self_int(classes, 0, None); // [N · C, Z]
        let input = match self.classes {
            0 => z,
            _ => {
                let each = Tensor::eye(classes, (Kind::Float, Device::Cpu)).repeat([count, 1]);
                Tensor::cat(&[z, each], 1)
            }
        };
        Ok(through(decoder, &input).view([count, classes, -1]))
    }
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
        assert!(html.contains("WebAssembly.instantiate(bytes(\"AGFzbQ"));
        Ok(())
    }
}
