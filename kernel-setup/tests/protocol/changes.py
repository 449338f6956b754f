"""What readers change in the tutorial, and what they must see: a table.

A change is what a reader does, cell by cell: runs a cell of the notebook as it is (`cell("fn recon_loss")` names it by
a text that it alone holds), runs one with something replaced in it (`edited`), or writes a new one (a string). The last
of them is looked at: whether it is well or which error it is, what its texts must hold, and the line that an error
must point to. `form=2` marks a second form of a change, which nobody had in mind when the answer to the first was made.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Edited:
    """A cell of the notebook, with something replaced."""

    key: str
    pairs: tuple = ()

    def of(self, notebook):
        text = notebook[self.key]
        for old, new in self.pairs:
            assert old in text, f"the cell {self.key!r} does not hold {old!r} any more: bring the table up to date"
            text = text.replace(old, new)
        return text


@dataclass(frozen=True)
class Change:
    name: str
    cells: tuple
    #: "ok" or the error's name
    status: str
    #: what must be seen, in any of the texts of all these cells
    says: tuple
    #: a piece of the line that the error points to
    line: str | None = None
    #: what must not be seen
    never: tuple = ()
    form: int = 1
    #: whether it goes on where the change before it has left the notebook
    goes_on: bool = False


def cell(key):
    return Edited(key)


def edited(key, *pairs):
    return Edited(key, pairs)


def ok(name, *cells, says=(), never=(), form=1):
    return Change(name, cells, "ok", _all(says), None, _all(never), form)


def error(kind, name, *cells, says=(), line=None, never=(), form=1, goes_on=False):
    return Change(name, cells, kind, _all(says), line, _all(never), form, goes_on)


def _all(texts):
    return (texts,) if isinstance(texts, str) else tuple(texts)


SETUP, TEN, CONFIG = ":dep icvae-core", "let ten =", "struct Config"
ENCODER, SAMPLE, DECODER = "struct Encoder", "fn sample(", "struct Decoder"
TERMS, PAIRS = "fn recon_loss", "fn all_pairs_gaussian_kl"
ICVAE, MODEL, MAKE, TRAIN = "struct Icvae", "impl Model for Icvae", "let icvae =", "const EPOCHS"
CURVES, DRAWN, MEANS, REMAP, GRID = "the loss, epoch by epoch", "let drawn =", "let mean_x_hat", "fn remap(", "fn remapping("
CODES, PROBE = "fn codes(", "let from_samples"

#: The cells that the table begins with, in the notebook's order.
BASE = (SETUP, TEN, CONFIG, "fn dense(", ENCODER, SAMPLE, DECODER, TERMS, PAIRS, ICVAE, MODEL, MAKE, TRAIN, CURVES, DRAWN, MEANS,
        REMAP, GRID, CODES)  # fmt: skip

#: The first cell, with fewer digits, so that a training takes a second.
FEWER = edited(
    SETUP,
    (
        "let digits = data::load(&settings)?;",
        "let mut digits = data::load(&settings)?;\ndigits.train = digits.train.head(320);\ndigits.test = digits.test.head(200);",
    ),
)

#: Cells whose variables are made of what was changed above them.
MADE = (MAKE, TRAIN, DRAWN, MEANS)

#: A short training of the present model, without a store.
FIT = "println!(\"{}\", Trainer::new(&training).fit(&icvae, &digits.train, Some(&digits.test))?);"
TRAINED = "trained 1 epochs"
#: What a reader shouldn't meet in any error: words of the machinery.
NEVER = ("called `Result::unwrap()`", "frame #", "Exception raised from", "rust_begin_unwind", "evcxr_variable_store",
         "VariableStore", "cannot_find_value_in")  # fmt: skip

H3 = (
    ("struct Encoder { h1: Dense,", "struct Encoder { h1: Dense, h3: Dense,"),
    ("h2: dense(path", 'h3: dense(path / "enc_h3", hidden, hidden, activation),\n            h2: dense(path'),
)


def losses(*pairs):
    """The cell with the loss changed, and a training by it."""
    return edited(MODEL, *pairs), FIT


NUMBERS = [
    ok("a smaller code", edited(CONFIG, ("latent: 16", "latent: 5")), cell(MAKE), FIT, says=["z_mean.weight", "[5, 512]", TRAINED]),
    ok("a smaller code, in a new cell", "let small = Icvae::new(&Config { latent: 3, ..config.clone() }, device);\n"
       "Trainer::new(&training).fit(&small, &digits.train, None)?", says=TRAINED, form=2),
    ok("narrower layers", edited(CONFIG, ("hidden: 512", "hidden: 64")), cell(MAKE), FIT, says=["[64, 784]", TRAINED]),
    ok("the old model after the number changed", edited(CONFIG, ("hidden: 512", "hidden: 32")), FIT,
       "println!(\"{} {}\", icvae.config.hidden, icvae.settings()[\"hidden\"]);", says=["512 512", TRAINED]),
    ok("β and λ changed: the old model keeps its own", edited(CONFIG, ("beta: 0.1", "beta: 9.0"), ("lambda: 1.0", "lambda: 7.0")),
       'println!("{} {}", icvae.settings()["beta"], icvae.settings()["lambda"]);', says="0.1 1.0"),
    ok("another activation", edited(CONFIG, ("activation: Activation::Tanh,\n    mean", "activation: Activation::Relu,\n    mean")),
       cell(MAKE), FIT, says=TRAINED),
    ok("a linear mean", edited(CONFIG, ("mean_activation: Activation::Tanh", "mean_activation: Activation::Linear")), cell(MAKE), FIT,
       says=TRAINED),
    error("CompileError", "an activation that isn't there", "let other = Config { activation: Activation::Gelu, ..config.clone() };",
          says="no variant", line="Activation::Gelu"),
    ok("λ = 0", edited(CONFIG, ("lambda: 1.0", "lambda: 0.0")), cell(MAKE), FIT, says=TRAINED),
    ok("a latent dimension of 0", "let none = Icvae::new(&Config { latent: 0, ..config.clone() }, device);\n"
       "Trainer::new(&training).fit(&none, &digits.train, None)?", says=["hold no number at all", "size of the model is 0"]),
    error("Panic", "a hidden layer of 0", "let none = Icvae::new(&Config { hidden: 0, ..config.clone() }, device);",
          says="its size must be 1 at least", form=2),
    ok("another seed", "const SEED: u64 = 1;", 'println!("kept {}", icvae.settings()["seed"]);', cell(CONFIG), cell(MAKE), FIT,
       'println!("seed {}", icvae.settings()["seed"]);', "const SEED: u64 = 0;", cell(CONFIG), cell(MAKE), cell(TRAIN),
       says=["kept 0", "seed 1", TRAINED, "found the weights"]),
    ok("more epochs", "let longer = TrainConfig { epochs: 2, ..training.clone() };\n"
       "Trainer::new(&longer).fit(&icvae, &digits.train, None)?", says="trained 2 epochs"),
    error("Error", "no epoch at all", "Trainer::new(&TrainConfig { epochs: 0, ..training.clone() }).fit(&icvae, &digits.train, None)?;",
          says="epochs is 0", line="epochs: 0", form=2),
    ok("larger batches", edited(TRAIN, ("batch_size: 32", "batch_size: 128")), says=TRAINED),
    error("Error", "batches of 0", "Trainer::new(&TrainConfig { batch_size: 0, ..training.clone() }).fit(&icvae, &digits.train, None)?;",
          says="batch_size is 0, but a step needs at least 1 example", line="batch_size: 0"),
    ok("batches larger than the data", "Trainer::new(&TrainConfig { batch_size: 1_000_000, ..training.clone() })"
       ".fit(&icvae, &digits.train, None)?", says=["batch_size is 1000000", "an epoch is one step on all of them"]),
    ok("batches of one", "Trainer::new(&TrainConfig { batch_size: 1, ..training.clone() }).fit(&icvae, &digits.train.head(40), None)?",
       says="pairwise KL of a single example is 0"),
    error("Error", "a learning rate below 0", "Trainer::new(&TrainConfig { learning_rate: -0.1, ..training.clone() })"
          ".fit(&icvae, &digits.train, None)?;", says="learning_rate", line="learning_rate: -0.1"),
    error("Error", "a learning rate that is far too large",
          "Trainer::new(&TrainConfig { learning_rate: 1e6, epochs: 3, ..training.clone() }).fit(&icvae, &digits.train, None)?;",
          says="a smaller learning rate", form=2),
    ok("another digit shown", 'let threes = digits.test.of_class(3)?.head(10);\nremapping(&icvae, &threes, "Threes")?', says="Threes: 10 rows"),
    error("Error", "a digit that isn't there", "digits.test.of_class(12)?;", says="12", line="of_class(12)"),
    ok("some digits alone", "let few = digits.of_classes(0..5)?;\nlet run = Trainer::new(&training).fit(&icvae, &few.train, Some(&few.test))?;\n"
       'println!("{} {run}", few.train.len());', says=TRAINED),
    error("Error", "no digit at all", "digits.of_classes([])?;", says="no class is named", line="of_classes([])", form=2),
    ok("a subset by a predicate", "let even = digits.train.filter(|_, label| label % 2 == 0)?;\n"
       'println!("{}", Vec::<i64>::try_from(even.labels())?.iter().all(|l| l % 2 == 0));', says="true"),
    error("Error", "a subset that is empty", "let none = digits.train.filter(|_, label| label > 9)?;\n"
          "Trainer::new(&training).fit(&icvae, &none, None)?;", says="the data set is empty", form=2),
    error("Panic", "images that aren't as large", edited(ENCODER, ("const PIXELS: i64 = 28 * 28;", "const PIXELS: i64 = 100;")), cell(ICVAE),
          cell(MODEL), cell(MAKE), FIT, says="mat1 and mat2 shapes cannot be multiplied", line="self.h1.forward(x)"),
    error("Panic", "a class more than there are", edited(DECODER, ("const CLASSES: i64 = 10;", "const CLASSES: i64 = 11;")), cell(ICVAE),
          cell(MODEL), cell(MAKE), FIT, says="mat1 and mat2 shapes cannot be multiplied", line="self.h1.forward(&z_with_c)", form=2),
    error("Error", "pictures of another size", "ImageGrid::new(&test_x, (20, 20), (1, 10)).draw()?", says="784", line="draw()?"),
    error("Error", "a grid that is too small", "ImageGrid::new(&test_x, IMAGE, (0, 10)).draw()?", says="a grid of 0 × 10 has no cell", line="draw()?", form=2),
]

ARCHITECTURE = [
    ok("a layer more", edited(ENCODER, *H3, ("self.h2.forward(&self.h1.forward(x))", "self.h2.forward(&self.h3.forward(&self.h1.forward(x)))")),
       cell(ICVAE), cell(MODEL), cell(MAKE), FIT, says=["made with the former `Encoder`", "enc_h3.weight", TRAINED]),
    error("CompileError", "a layer more, and the old model used",
          edited(ENCODER, *H3, ("self.h2.forward(&self.h1.forward(x))", "self.h2.forward(&self.h3.forward(&self.h1.forward(x)))")),
          "icvae.encoder.h2.forward(&icvae.encoder.h1.forward(&test_x)).size()", says=["`icvae` is gone since cell", "again"]),
    ok("a layer more in the decoder", edited(DECODER, ("struct Decoder { h1: Dense,", "struct Decoder { h0: Dense, h1: Dense,"),
       ("h1: dense(path", 'h0: dense(path / "dec_h0", latent + CLASSES, latent + CLASSES, activation),\n            h1: dense(path'),
       ("self.h1.forward(&z_with_c)", "self.h1.forward(&self.h0.forward(&z_with_c))")), cell(ICVAE), cell(MODEL), cell(MAKE), FIT,
       says=["former `Decoder`", "dec_h0.weight", TRAINED], form=2),
    ok("a layer that the loss doesn't use", edited(ENCODER, *H3), cell(ICVAE), cell(MODEL), cell(MAKE), FIT,
       says=["the loss does not reach enc_h3.bias and enc_h3.weight", TRAINED]),
    ok("a frozen encoder", edited(ICVAE, ("self.encoder.forward(x)", "no_grad(|| self.encoder.forward(x))")), cell(MODEL), cell(MAKE), FIT,
       says=["the loss does not reach enc_h1.bias", TRAINED]),
    ok("a detached mean", edited(ICVAE, ("let x_hat", "let z_mean = z_mean.detach();\n        let x_hat")), cell(MODEL), cell(MAKE), FIT,
       says=["the loss does not reach z_mean.bias", TRAINED], form=2),
    ok("the class is not told", edited(DECODER, ("latent + CLASSES", "latent"), ("Tensor::cat(&[z, c], 1)", "z.shallow_clone()")), cell(ICVAE),
       cell(MODEL), cell(MAKE), FIT, says=TRAINED),
    ok("the class is set to 0", edited(DECODER, ("Tensor::cat(&[z, c], 1)", "Tensor::cat(&[z, &c.zeros_like()], 1)")), cell(ICVAE),
       cell(MODEL), cell(MAKE), FIT, says=TRAINED, form=2),
    error("Panic", "layers that don't fit", edited(ENCODER, ('h2: dense(path / "enc_h2", hidden, hidden', 'h2: dense(path / "enc_h2", 100, hidden')),
          cell(ICVAE), cell(MODEL), cell(MAKE), FIT, says="mat1 and mat2 shapes cannot be multiplied", line="self.h2.forward"),
    ok("dropout", edited(ENCODER, ("self.h2.forward(&self.h1.forward(x))", "self.h2.forward(&self.h1.forward(x).dropout(0.2, true))")),
       cell(ICVAE), cell(MODEL), cell(MAKE), FIT, says=TRAINED),
    ok("a layer of tch's own", edited(ENCODER, ("h1: Dense,", "h1: nn::Linear,"),
       ('h1: dense(path / "enc_h1", PIXELS, hidden, activation)', 'h1: nn::linear(path / "enc_h1", PIXELS, hidden, Default::default())'),
       ("self.h1.forward(x)", "self.h1.forward(x).tanh()")), cell(ICVAE), cell(MODEL), cell(MAKE), FIT, says=TRAINED),
    ok("a convolution before it", edited(ENCODER, ("struct Encoder { h1: Dense,", "struct Encoder { conv: nn::Conv2D, h1: Dense,"),
       ("h1: dense(path", 'conv: nn::conv2d(path / "conv", 1, 1, 3, nn::ConvConfig { padding: 1, ..Default::default() }),\n            h1: dense(path'),
       ("self.h1.forward(x)", "self.h1.forward(&self.conv.forward(&x.view([-1, 1, 28, 28])).view([-1, PIXELS]))")), cell(ICVAE), cell(MODEL),
       cell(MAKE), FIT, says=["conv.weight", TRAINED], form=2),
    ok("a number more in the configuration", edited(CONFIG, ("lambda: f64, ", "lambda: f64, extra: i64, "), ("lambda: 1.0,", "lambda: 1.0, extra: 1,")),
       says="made with the former `Config`"),
    error("CompileError", "a number more, forgotten where a configuration is made", edited(CONFIG, ("lambda: f64, ", "extra: i64, lambda: f64, ")),
          says="missing field `extra`", line="let config = Config", form=2),
    ok("a function that takes one more", edited(SAMPLE, ("z_log_sigma_sq: &Tensor)", "z_log_sigma_sq: &Tensor, temperature: f64)"),
       ("* epsilon", "* epsilon * temperature"), ("sample(&ones, &(&ones * -2.0))", "sample(&ones, &(&ones * -2.0), 1.0)")),
       edited(ICVAE, ("sample(&z_mean, &z_log_sigma_sq)", "sample(&z_mean, &z_log_sigma_sq, 0.5)")), cell(MODEL), cell(MAKE), FIT,
       says=["`Icvae` does not fit what this cell changes", "`impl Model for Icvae` does not fit", TRAINED]),
    error("CompileError", "a function that takes one more, and what called it", edited(SAMPLE, ("z_log_sigma_sq: &Tensor)", "z_log_sigma_sq: &Tensor, temperature: f64)"),
          ("* epsilon", "* epsilon * temperature"), ("sample(&ones, &(&ones * -2.0))", "sample(&ones, &(&ones * -2.0), 1.0)")),
          "let again = Icvae::new(&config, device);", says=["`Icvae` is set aside since cell", "again"], form=2),
    error("CompileError", "a field that isn't there", "icvae.encoder.h7.forward(&test_x)", says="no field `h7`", line="icvae.encoder.h7"),
    ok("an enum of ways, changed", "enum Way { Up(i64), Down }\nlet ways = vec![Way::Up(1), Way::Down];", "enum Way { Down, Up(f64) }",
       says="`ways` was made with the former `Way`", form=2),
    ok("a trait and what is behind a box of it", "trait Act { fn act(&self) -> i64; }\nstruct One(i64);\nimpl Act for One { fn act(&self) -> i64 { self.0 } }\n"
       "let acts: Vec<Box<dyn Act>> = vec![Box::new(One(3))];", "trait Act { fn other(&self) -> i64 { 9 } fn act(&self) -> i64; }\n"
       "struct One(i64);\nimpl Act for One { fn act(&self) -> i64 { self.0 } }", says="`acts` was made with the former", form=2),
]

LOSS = [
    ok("absolute instead of squared error", edited(TERMS, ("(x - x_hat).square()", "(x - x_hat).abs()")), FIT, cell(MEANS), says=["loss of these ten", TRAINED]),
    ok("a power of it", edited(TERMS, ("(x - x_hat).square()", "(x - x_hat).abs().pow_tensor_scalar(1.5)")), FIT, cell(MEANS),
       says=["loss of these ten", TRAINED], form=2),
    ok("a weight inside it", edited(TERMS, ("(x - x_hat).square()", "((x - x_hat) * 2.0).square()")), FIT, cell(MEANS), says=TRAINED, form=2),
    ok("a sum where the others are means", *losses(("recon_loss(&batch.x, &x_hat).mean(Kind::Float)", "recon_loss(&batch.x, &x_hat).sum(Kind::Float)")),
       says="reconstruction grows with the number of examples in a batch"),
    error("Error", "a loss without its mean", *losses(("recon_loss(&batch.x, &x_hat).mean(Kind::Float)", "recon_loss(&batch.x, &x_hat)")),
          says=["the shape [32]", "add .mean(Kind::Float)"], line="fit("),
    error("Error", "a term without its mean", *losses(('.with("prior KL", prior)', '.with("prior KL", prior_loss(&z_mean, &z_log_sigma_sq))')),
          says=["the term prior KL has the shape [32]", "add .mean(Kind::Float)"], line="fit(", form=2),
    error("Error", "the matrix of the pairs, without its mean", *losses(('.with("pairwise KL", pairs)',
          '.with("pairwise KL", all_pairs_gaussian_kl(&z_mean, &z_log_sigma_sq))')), says="pairwise KL has the shape [32, 32]", line="fit(", form=2),
    error("Error", "the same term twice", *losses(('.with("pairwise KL", pairs)', '.with("prior KL", pairs)')), says="two terms named prior KL", line="fit("),
    error("Error", "a term named as the loss itself", *losses(('.with("pairwise KL", pairs)', '.with("total", pairs)')), says="a term is named total",
          line="fit(", form=2),
    error("Error", "the logarithm of a negative number", *losses(("recon_loss(&batch.x, &x_hat).mean(Kind::Float)",
          "(&batch.x - &x_hat).log().mean(Kind::Float)")), says=["look at its formula", "logarithm"], never="learning rate", line="fit("),
    error("Error", "a division by 0", *losses(("let total = &recon", "let total = &recon / (&recon - &recon)")), says="look at its formula",
          never="a smaller learning rate helps", line="fit(", form=2),
    error("Error", "the root of 0", *losses(("recon_loss(&batch.x, &x_hat).mean(Kind::Float)", "(&batch.x - &batch.x + &x_hat * 0.0).square().sqrt().mean(Kind::Float)")),
          says="derivative", line="fit(", form=2),
    ok("a term that is no number", *losses(('.with("pairwise KL", pairs)', '.with("pairwise KL", (&pairs - 1e9).log())')), says="pairwise KL is"),
    error("Error", "a loss without a gradient", *losses(("Losses::new(total)", "Losses::new(total.detach())")), says="the loss has no gradient", line="fit("),
    error("Error", "a loss that is a number of its own", *losses(("Losses::new(total)", "Losses::new(Tensor::from(1.0f32))")), says="the loss has no gradient",
          line="fit(", form=2),
    error("Error", "a loss of whole numbers", *losses(("Losses::new(total)", "Losses::new(total.to_kind(Kind::Int64))")), says="gradient", line="fit(", form=2),
    error("CompileError", "a term used up", edited(MODEL, ("let total = &recon * (1.0 + lambda)", "let total = recon * (1.0 + lambda)")),
          says=["moved value", "write `&recon` there"], line="reconstruction"),
    error("CompileError", "another term used up", edited(MODEL, ("&pairs * lambda", "pairs * lambda")), says="write `&pairs` there", line="pairwise KL", form=2),
    ok("a term of one's own", *losses(('.with("pairwise KL", pairs)', '.with("pairwise KL", pairs)\n            .with("ink", x_hat.mean(Kind::Float))')),
       "println!(\"{}\", Trainer::new(&training).fit(&icvae, &digits.train, Some(&digits.test))?.history.last_test(\"ink\")?);", says=TRAINED),
    ok("a term of one's own in the loss", *losses(("let total = &recon", "let sparse = z_mean.abs().mean(Kind::Float);\n        let total = &sparse + &recon"),
       ('.with("pairwise KL", pairs)', '.with("pairwise KL", pairs)\n            .with("sparsity", sparse)')), says=TRAINED, form=2),
    ok("the prior alone", *losses(("let total = &recon * (1.0 + lambda) + &prior * beta + &pairs * lambda", "let total = &prior * 1.0; let _ = (beta, lambda)")),
       says=["the loss does not reach dec_h1.bias", TRAINED]),
    ok("a loss in double", *losses(("Losses::new(total)", "Losses::new(total.to_kind(Kind::Double))")), says=TRAINED),
    error("CompileError", "a mean without its kind", edited(MODEL, ("prior_loss(&z_mean, &z_log_sigma_sq).mean(Kind::Float)", "prior_loss(&z_mean, &z_log_sigma_sq).mean()")),
          says="`.mean(Kind::Float)`", line=".mean()"),
    error("CompileError", "a sum without its kind", "test_x.sum()", says="`.sum(Kind::Float)`", line="test_x.sum()", form=2),
    ok("a changed loss trains anew and says so; edited back, the first weights are found again",
       edited(MODEL, ("let total = &recon * (1.0 + lambda)", "let total = &recon * (2.0 + lambda)")), edited(TRAIN), cell(MODEL), cell(TRAIN),
       says=["but the loss is another one", "training began anew", TRAINED, "found the weights"]),
    error("Error", "a curve that no term has", 'Curves::new("c").series("recon", &run.history.curve("recon", true)).draw()?',
          says=["no term \"recon\"", "reconstruction, prior KL, pairwise KL, total"], line="draw()?"),
    error("Error", "a last value that no term has", 'run.history.last_test("recon")?;', says=["no term \"recon\"", "reconstruction, prior KL, pairwise KL, total"],
          line="last_test", form=2),
]

TRAINING = [
    ok("trained a second time", FIT, FIT, says=["began anew", ".from_present_weights()"]),
    ok("trained further", "println!(\"{}\", Trainer::new(&training).from_present_weights().fit(&icvae, &digits.train, None)?);", says=TRAINED, never="began anew"),
    ok("trained by hand before", "let mut opt = nn::OptimizerConfig::build(nn::Adam::default(), &icvae.vs, 1e-3)?;\n"
       "let batch = digits.train.batch(&Tensor::arange(32, (Kind::Int64, device)))?;\n"
       "for _ in 0..3 { opt.backward_step(icvae.losses(&batch, true)?.total()); }", FIT, says=["began anew", ".from_present_weights()"], form=2),
    ok("a panic where gradients are off, and then a training", FIT, says=TRAINED),
    ok("a stop by a rule of one's own", "let mut steps = 0;\nlet run = Trainer::new(&training).listen(|event: &Event<'_>| {\n    if let Event::Step { .. } = event { steps += 1; }\n"
       '    if steps == 3 { Control::Stop(StopReason::Satisfied("three are enough".into())) } else { Control::Continue }\n'
       '}).fit(&icvae, &digits.train, None)?;\nprintln!("{run}");', says="stopped there because three are enough"),
    ok("early stopping in a line", "use icvae_core::train::EarlyStopping;\nlet four = TrainConfig { epochs: 4, learning_rate: 1e-12, ..training.clone() };\n"
       'println!("{}", Trainer::new(&four).listen(EarlyStopping::patience(1).min_delta(1e3)).fit(&icvae, &digits.train, Some(&digits.test))?);', says="stopped there because"),
    ok("gradient descent", "use icvae_core::train::OptimizerConfig;\nTrainer::new(&TrainConfig { optimizer: OptimizerConfig::sgd(0.9), learning_rate: 1e-5, ..training.clone() })"
       ".fit(&icvae, &digits.train, None)?", says=TRAINED),
    ok("AdamW", "use icvae_core::train::OptimizerConfig;\nTrainer::new(&TrainConfig { optimizer: OptimizerConfig::adam_w(0.01), ..training.clone() })"
       ".fit(&icvae, &digits.train, None)?", says=TRAINED, form=2),
    ok("RMSProp", "use icvae_core::train::OptimizerConfig;\nTrainer::new(&TrainConfig { optimizer: OptimizerConfig::rms_prop(), ..training.clone() })"
       ".fit(&icvae, &digits.train, None)?", says=TRAINED, form=2),
    ok("Adam's numbers", "Trainer::new(&TrainConfig { optimizer: AdamConfig { beta1: 0.5, ..Default::default() }.into(), ..training.clone() })"
       ".fit(&icvae, &digits.train, None)?", says=TRAINED),
    ok("a schedule by name", "use icvae_core::train::Schedule;\nTrainer::new(&TrainConfig { schedule: Schedule::cosine(2), ..training.clone() })"
       ".fit(&icvae, &digits.train, None)?", says=TRAINED),
    error("Error", "a schedule that makes no sense", "use icvae_core::train::Schedule;\nTrainer::new(&TrainConfig { schedule: Schedule::decay(0.0), ..training.clone() })"
          ".fit(&icvae, &digits.train, None)?;", says="factor", form=2),
    ok("weights saved and loaded", 'icvae.save("icvae.safetensors")?;\nlet other = Icvae::new(&config, device);\nother.load("icvae.safetensors")?;\n'
       'println!("{}", other.encoder.h1.forward(&test_x) == icvae.encoder.h1.forward(&test_x));', says="true"),
    error("Error", "weights of another model", 'icvae.save("icvae.safetensors")?;\nIcvae::new(&Config { latent: 3, ..config.clone() }, device).load("icvae.safetensors")?;',
          says="latent is 16 there and 3 here"),
    error("Error", "weights that aren't there", 'icvae.load("nowhere.safetensors")?;', says="nowhere.safetensors", line="load(", form=2),
    error("Error", "a file that is no checkpoint", 'std::fs::write("text.safetensors", "no weights")?;\nicvae.load("text.safetensors")?;', says="text.safetensors", form=2),
    error("Error", "nothing to train on", "Trainer::new(&training).fit(&icvae, &digits.train.head(0), None)?;", says="the data set is empty", line="fit("),
    ok("a training without test data", "Trainer::new(&training).fit(&icvae, &digits.train.head(64), None)?", says=TRAINED, form=2),
]

PYTHON = [
    error("CompileError", "EPOCHS = 5", "EPOCHS = 5;", says=["invalid left-hand side", "`EPOCHS` is a constant: change its `const EPOCHS"], line="EPOCHS = 5"),
    error("CompileError", "let EPOCHS = 5", "let EPOCHS = 5;", says="a constant has the name `EPOCHS`", line="let EPOCHS"),
    error("CompileError", "let SEED = 5, with a type", "let SEED: u64 = 5;", says="a constant has the name `SEED`", line="let SEED", form=2),
    error("CompileError", "x.mean()", "test_x.mean()", says="`.mean(Kind::Float)`", line="test_x.mean()"),
    error("CompileError", "softmax without a kind", "test_x.softmax(-1)", says="`.softmax(-1, Kind::Float)`", line="softmax", form=2),
    error("CompileError", "test_x[0]", "test_x[0]", says=["cannot index", "`x.get(0)`"], line="test_x[0]"),
    error("CompileError", "a slice", "test_x[0..5]", says="`x.i((.., 0..5))`", line="test_x[0..5]", form=2),
    error("CompileError", ".shape", "test_x.shape", says="`x.size()`", line="test_x.shape"),
    error("CompileError", ".shape()", "test_x.shape()", says="`x.size()`", line="test_x.shape()", form=2),
    ok(".i(…)", "test_x.i((0, 300..310)).size()", says="[10]"),
    error("CompileError", ".numpy()", "test_x.numpy()", says="`Vec::<f32>::try_from", line="numpy"),
    error("CompileError", ".item()", "test_x.item()", says="`x.double_value(&[])`", line="item", form=2),
    error("CompileError", "print(x)", "print(test_x)", says="println!", line="print(test_x)"),
    error("CompileError", "print!(x)", "println!(test_x)", says="println!(\"{", line="println!(test_x)", form=2),
    error("CompileError", "import torch", "import torch", says="use icvae_core::tch", line="import torch"),
    error("CompileError", "from numpy import array", "from numpy import array", says="what NumPy does", line="from numpy", form=2),
    error("CompileError", "def", "def double(x):\n    return 2 * x", says="`fn name(", line="def double"),
    error("CompileError", "for in range", "for i in range(3):\n    print(i)", says="`for i in 0..10", line="for i"),
    error("CompileError", "a comment of Python", "# a comment\n1", says="a comment begins with `//`", line="# a comment"),
    error("CompileError", "len(x)", "len(test_x)", says="`x.size()`", line="len(test_x)"),
    error("CompileError", "x = 5", "width = 5;", says="`let width = …;`", line="width = 5"),
    error("CompileError", "True", "let yes = True;", says="`true`", line="True"),
    error("CompileError", "null", "let nothing = null;", says="`None`, or `Some(x)`", line="null", form=2),
    error("CompileError", "x ** 2", "let nine = 3 ** 2;", says=".powi(2)", line="3 ** 2"),
    error("CompileError", "and, or, not", "let both = true and false;", says="`&&`", line="true and false"),
    error("CompileError", "not", "let no = not true;", says="`!`", line="not true", form=2),
    error("CompileError", "quotes", "let name = 'abc';", says="\"abc\"", line="'abc'", form=2),
    error("CompileError", "a closure that is kept", "let double = |x: f64| -> f64 { 2.0 * x };", says=["`fn double(x: f64) -> f64 { … }`", "Nothing of this cell has run"],
          line="let double"),
    error("CompileError", "a reference that is kept", "let many = vec![1, 2, 3];\nlet first = &many[..2];", says="must own what it holds"),
    error("CompileError", "an iterator that is kept", "let many = vec![1, 2, 3];\nlet all = many.iter();", says="must own what it holds", form=2),
    error("CompileError", "a type that isn't imported", 'Histogram::new("h")', says="`use icvae_core::plot::Histogram;`", line="Histogram"),
    error("CompileError", "another type that isn't imported", "let map: Option<Heatmap> = None;", says="`use icvae_core::plot::Heatmap;`", line="Heatmap", form=2),
    error("CompileError", "a moved tensor", "let a = Tensor::zeros([2], (Kind::Float, device));\nlet b = a * 2.0;\nlet c = a + 1.0;", says="write `&a` there", line="let c"),
    error("CompileError", "a number that can't be changed", "let n = 1;\nn += 1;", says="mut", line="n += 1", form=2),
    error("CompileError", "a field that can't be changed", "config.latent = 5;", says="mut", line="config.latent", form=2),
    error("CompileError", "a whole number among fractions", "let half = 0.5 * 3;", says="cannot multiply", line="0.5 * 3"),
    error("CompileError", "a magic command", "%timeit 1", says="`:time`", line="%timeit", form=2),
]

TENSORS = [
    error("Panic", "shapes that don't fit", "let a = Tensor::zeros([2, 3], (Kind::Float, device));\nlet b = a.matmul(&a);", says="cannot be multiplied (2x3 and 2x3)", line="a.matmul(&a)"),
    error("Panic", "shapes that don't add up", "let b = &test_x + &test_c;", says="must match the size", line="&test_x + &test_c", form=2),
    error("Panic", "a row that isn't there", "test_x.get(99)", says="out of range", line="get(99)"),
    error("Panic", "a view that doesn't fit", "test_x.view([3, 5])", says="invalid for input of size", line="view([3, 5])", form=2),
    error("Panic", "an entry of a vector that isn't there", "let some = vec![1, 2, 3];\nlet n = some.len();\nsome[n + 1]", says="index out of bounds", line="some[n + 1]"),
    error("Panic", "a number of a tensor that holds many", "test_x.double_value(&[])", says="7840 elements", line="double_value"),
    error("Error", "a matrix as a flat vector", "Vec::<f32>::try_from(&test_x)?", says="2 dimensions to flat vector", line="try_from", form=2),
    error("Panic", "CUDA that isn't there", "Tensor::zeros([2], (Kind::Float, Device::Cuda(0)))", says="there is no CUDA device here", line="Cuda(0)"),
    error("Panic", "a tensor sent to CUDA", "test_x.to_device(Device::Cuda(0))", says="there is no CUDA device here", line="Cuda(0)", form=2),
    error("Panic", "unwrap", 'let n: i64 = "four".parse().unwrap();', says="ParseIntError", line="unwrap()"),
    error("Error", "a file that isn't there", 'let text = std::fs::read_to_string("nowhere.txt")?;', says="No such file", line="nowhere.txt", form=2),
    error("Panic", "gradients off, and a panic", "no_grad(|| { let wrong: Option<i64> = None; wrong.unwrap() })", says="None", line="wrong.unwrap()"),
    ok("gradients are on again", FIT, says=TRAINED),
    error("Panic", "gradients off by tch itself, and a panic", "tch::no_grad(|| { let wrong: Option<i64> = None; wrong.unwrap() })", says="None", line="wrong.unwrap()", form=2),
    ok("gradients are on again after that, too", "let w = Tensor::ones([2], (Kind::Float, device)).set_requires_grad(true);\n(&w * 2.0).sum(Kind::Float).backward();\n"
       "println!(\"{}\", w.grad().sum(Kind::Float).double_value(&[]));", says="4", form=2),
    ok("a tensor shown", "use icvae_core::notebook::Shown;\ntest_x", says=["Tensor [10, 784] f32 on cpu", "[[0, 0, 0, …"]),
    ok("a small tensor shown", "Tensor::from_slice(&[0.5f32, 2.0])", says=["0.5", "2", "[2]"], form=2),
    ok("a tensor shown as a picture", "icvae_core::notebook::show_images(&test_x)?", says="10 images"),
    ok("tensors shown", "vec![test_x.i(0), test_c.i(0)]", says=["Tensor [784] f32", "Tensor [10] f32"], form=2),
    ok("the time of a cell", ":time\nstd::thread::sleep(std::time::Duration::from_millis(300));", says=["this cell took", "to compile, 0.3"]),
    ok("a history as a table", "let run = Trainer::new(&training).fit(&icvae, &digits.train, Some(&digits.test))?;", "run.history", says=["epoch", "reconstruction"]),
    ok(":vars", ":vars", says=["icvae:", "test_x:", "Tensor  [10, 784] Float", "Digits  "]),
    ok(":vars beneath other lines", "let fresh_number = 7u8;\n:vars", says=["fresh_number:", "u8  7", "icvae:"], form=2),
    ok("an image of one's own", 'use icvae_core::data::picture;\nlet drawing = Tensor::zeros([60, 60], (Kind::Float, device));\n'
       "let _ = drawing.i((10..50, 28..33)).fill_(1.0);\nlet image = picture::like_mnist(&drawing)?;\nimage.size()", says="[1, 784]"),
    error("Error", "an image without ink", "icvae_core::data::picture::like_mnist(&Tensor::zeros([60, 60], (Kind::Float, device)))?;", says="ink", line="like_mnist", form=2),
]

#: These cost the process, or change what it is made of: they come last.
PROCESS = [
    error("Crash", "an exit", "std::process::exit(3);", says=["exit status: 3", "run cells"]),
    error("CompileError", "a variable after that", "icvae.config.latent", says=["all variables are gone since cell", "again"], goes_on=True),
    error("Crash", "a recursion without end", "fn down(n: u64) -> u64 { if n == u64::MAX { 0 } else { 1 + down(n + 1) + std::hint::black_box(n) } }\ndown(0)",
          says="a recursion without end", form=2),
]

TABLE = [*NUMBERS, *ARCHITECTURE, *LOSS, *TRAINING, *PYTHON, *TENSORS, *PROCESS]

#: Changes whose hint the compiler's own words must find.
HINTED = {"x.mean()", "test_x[0]", "print(x)", "a type that isn't imported", "a closure that is kept", "a reference that is kept"}

#: What is tried each time: layers, what crashed sessions once, and what goes on where the one before it ended; a loss that was edited;
#: the compiler's words that a hint stands under.
ALWAYS = [
    *ARCHITECTURE[:6],
    *PROCESS,
    *(change for change in TENSORS if "radients" in change.name),
    *(change for change in LOSS if "edited back" in change.name or "curve that no term" in change.name),
    *(change for change in PYTHON if change.name in HINTED),
]
