"""The tutorial's *Change a number*, done as it says: in JupyterLab in a browser, in the committed notebook's own cells.

Each exercise is typed into its cell and run from the keyboard, then the cells below it that it asks for.
"""

import os
import pathlib
import time

import pytest
from changes import (
    BASE, CODES, CONFIG, DECODER, DRAWN, FEWER, GRID, ICVAE, MAKE, MEANS, MODEL, PROBE, REMAP, TERMS, TRAIN, TRAINED, cell, edited,
)  # fmt: skip
from conftest import KERNEL, PATIENCE
from test_browser import CHROMIUM, STATUS, jupyterlab
from test_changes import ANSI, NOTEBOOK, Notebook

#: The cells above the first that an exercise changes or runs again.
ABOVE = [FEWER, *(cell(key) for key in BASE[1 : BASE.index(MAKE)])]

SHOWN = edited("const SHOWN", ("SHOWN: i64 = 4", "SHOWN: i64 = 8"))
#: In place of the four models of two dimensions, whose training is another matter.
PLANES = "let planes: Vec<_> = (0..4).map(|_| Icvae::new(&Config { latent: 2, ..config.clone() }, device)).collect();"
OWN_LOSS = edited(
    MODEL,
    ("let total = &recon", "let ink = (x_hat.mean(Kind::Float) - batch.x.mean(Kind::Float)).square();\n        let total = &ink * 100.0 + &recon"),
    ('.with("pairwise KL", pairs)', '.with("pairwise KL", pairs)\n            .with("ink", ink)'),
)
STOP = """let run = Trainer::new(&training).listen(|event: &Event<'_>| match event {
    Event::Step { step: 5, .. } => Control::Stop(StopReason::Satisfied("five steps are enough".into())),
    _ => Control::Continue,
}).fit(&icvae, &digits.train, None)?;
println!("{run}");"""
FIGURE = """plot::figure((300, 300), |area| {
    use icvae_core::plotters::prelude::*;
    let mut chart = ChartBuilder::on(area).caption("Mine", ("sans-serif", 16)).build_cartesian_2d(0f32..1.0, 0f32..1.0)?;
    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], BLUE))?;
    Ok(())
})?"""


def shape(name, size):
    """A line of the list of layers."""
    return f"{name:<24}{size}"


#: What the notebook says, what a reader does, and what must be seen. What is said in one line is done in one go.
EXERCISES = [
    (["λ is the trade: with 0"], [edited(CONFIG, ("lambda: 1.0", "lambda: 0.0")), cell(MAKE), cell(TRAIN)], [TRAINED]),
    (
        ["latent: 5", "activation: Activation::Relu"],
        [edited(CONFIG, ("latent: 16", "latent: 5"), ("activation: Activation::Tanh,\n    mean", "activation: Activation::Relu,\n    mean")),
         cell(MAKE)],
        [shape("z_mean.weight", [5, 512])],
    ),
    (["SHOWN = 8"], [PLANES, SHOWN], ["decoded as 8"]),
    (
        ["digits.test.of_class(3)?.head(10)"],
        [cell(REMAP), cell(GRID), 'remapping(&icvae, &digits.test.of_class(3)?.head(10), "Threes")?'],
        ["Threes: 10 rows"],
    ),
    (
        ["Write a loss of your own into `losses`, name it by `.with(…)`", "Any change of `recon_loss` is a legitimate one"],
        [edited(TERMS, ("(x - x_hat).square()", "(x - x_hat).abs()")), OWN_LOSS, cell(TRAIN), cell(DRAWN), cell(MEANS)],
        ["ink is ", TRAINED, "loss of these ten from means"],
    ),
    (
        ["remove the class from the decoder's input, and read the digit from the code again"],
        [edited(DECODER, ("latent + CLASSES", "latent"), ("Tensor::cat(&[z, c], 1)", "z.shallow_clone()")), cell(ICVAE), cell(MODEL),
         cell(MAKE), cell(TRAIN), cell(CODES), cell("fn probe("), cell(PROBE)],
        [shape("dec_h1.weight", [512, 5]), TRAINED, "% of the digits from sampled codes"],
    ),
    (["Stop early"], [STOP], ["stopped there because five steps are enough"]),
    (["Draw a figure of your own"], [FIGURE], ["Mine"]),
]  # fmt: skip

#: What a cell of code and the notebook around it are like, as text.
STATE = f"""place => {{
    const plain = output => ({{...output, data: {{'text/plain': output.data?.['text/plain'] ?? ''}}}});
    const cell = window.jupyterapp.shell.currentWidget.content.widgets.filter(w => w.model.type === 'code')[place];
    return {{
        source: cell.model.sharedModel.getSource(),
        count: cell.model.executionCount,
        outputs: cell.model.outputs.toJSON().map(plain),
        kernel: {STATUS},
        dialog: document.querySelector('.jp-Dialog')?.innerText ?? '',
    }};
}}"""


def text_of(output):
    """What a reader sees of an output, as text."""
    if output["output_type"] == "error":
        return ANSI.sub("", "\n".join([output["evalue"], *output["traceback"]]))
    return ANSI.sub("", "".join(output.get("text") or output["data"]["text/plain"]))


class Page:
    """The notebook in the browser, as a reader uses it: with mouse and keyboard."""

    def __init__(self, page, notebook, pictures):
        self.page, self.notebook, self.pictures = page, notebook, pictures
        self.cells = page.locator(".jp-CodeCell")

    def until(self, place, what, done):
        """Waits until a cell's state is as wanted. An error, a dialog and a dead kernel are told at once."""
        deadline = time.monotonic() + PATIENCE
        while True:
            state = self.page.evaluate(STATE, place)
            failed = any(output["output_type"] == "error" for output in state["outputs"])
            if failed or state["dialog"] or state["kernel"] == "dead" or time.monotonic() > deadline:
                self.page.screenshot(path=self.pictures / "failed.png")
                seen = "\n".join(map(text_of, state.pop("outputs")))
                pytest.fail(f"{what}: {state}\n{seen}\nIt looked like {self.pictures / 'failed.png'}")
            if done(state):
                return state
            self.page.wait_for_timeout(100)

    def run(self, step):
        """Types a cell's text and runs it; returns what is seen below it. What is no cell of the notebook goes into the empty one at its end."""
        own = isinstance(step, str)
        code = step if own else step.of(self.notebook)
        place = len(self.notebook.sources) if own else self.notebook.place(step.key)
        before = self.until(place, "before it runs", lambda state: state["kernel"] == "idle")
        self.cells.nth(place).locator(".cm-content").click()
        if before["source"] != code:
            self.page.keyboard.press("Control+a")
            self.page.keyboard.insert_text(code)
            self.until(place, f"typing {code}", lambda state: state["source"] == code)
        self.page.keyboard.press("Control+Enter")
        after = self.until(
            place, f"running {code}", lambda state: state["count"] not in (None, before["count"]) and state["kernel"] == "idle"
        )
        return "\n".join(map(text_of, after["outputs"]))


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_the_exercises_of_the_tutorial_done_as_they_are_written(tmp_path):
    import nbformat

    committed = nbformat.read(NOTEBOOK, as_version=4)
    prose = "\n".join(each.source for each in committed.cells if each.cell_type == "markdown")
    for text in (text for words, _, _ in EXERCISES for text in words):
        assert text in prose, f"the tutorial says {text!r} no more: bring the exercises up to date"
    root = tmp_path / "root"
    path = root / "notebooks" / "tutorial.ipynb"
    path.parent.mkdir(parents=True)
    (root / "icvae-core").symlink_to(NOTEBOOK.parents[1] / "icvae-core", target_is_directory=True)
    for each in committed.cells:
        if each.cell_type == "code":
            each.outputs, each.execution_count = [], None
    committed.cells.append(nbformat.v4.new_code_cell(""))
    committed.metadata["kernelspec"] = {"name": KERNEL, "display_name": KERNEL, "language": "rust"}
    nbformat.write(committed, path)
    environment = {"ICVAE_DATA": "synthetic", "ICVAE_SMOKE": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with jupyterlab(tmp_path, path, environment) as page:
        page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
        reader = Page(page, Notebook(), pathlib.Path(os.environ.get("ICVAE_SCREENSHOTS", tmp_path)))
        for step in ABOVE:
            reader.run(step)
        for words, steps, expected in EXERCISES:
            seen = "\n".join(map(reader.run, steps))
            for text in expected:
                assert text in seen, f"{words}: {text!r} is not in\n{seen}"
