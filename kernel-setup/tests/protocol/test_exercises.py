"""The tutorial's *Change a number*, done as it says: in JupyterLab in a browser, in the committed notebook's own cells.

Each exercise is typed into its cell and run with Shift+Enter, then the cells below it that it asks for.
"""

import json

import pytest
from changes import BASE, CONFIG, DECODER, ICVAE, MAKE, MODEL, TRAIN, TRAINED, Edited, cell, edited
from conftest import KERNEL
from test_browser import CHROMIUM, STATUS, jupyterlab
from test_changes import NOTEBOOK, Notebook

CHOSEN = (CONFIG, ("activation: Activation::Tanh,\n    mean", "activation: Activation::Relu,\n    mean"))

#: What the notebook says, what a reader does, and what must be seen at the end.
EXERCISES = [
    ("λ is the trade: with 0", [edited(CONFIG, ("lambda: 1.0", "lambda: 0.0")), cell(MAKE), cell(TRAIN)], TRAINED),
    ("with 5 the opposite", [edited(CONFIG, ("lambda: 1.0", "lambda: 5.0")), cell(MAKE), cell(TRAIN)], TRAINED),
    ("latent: 5", [edited(CONFIG, ("latent: 16", "latent: 5")), cell(MAKE), cell(TRAIN)], TRAINED),
    ("activation: Activation::Relu", [edited(*CHOSEN), cell(MAKE), cell(TRAIN)], TRAINED),
    ("digits.test.of_class(3)?.head(10)", [cell(CONFIG), cell(MAKE), 'remapping(&icvae, &digits.test.of_class(3)?.head(10), "Threes")?'], "Threes"),
    (
        "remove the class from the decoder's input",
        [edited(DECODER, ("latent + CLASSES", "latent"), ("Tensor::cat(&[z, c], 1)", "z.shallow_clone()")), cell(ICVAE), cell(MODEL),
         cell(MAKE), cell(TRAIN)],
        TRAINED,
    ),
    (
        "Write a loss of your own",
        [cell(DECODER), cell(ICVAE),
         edited(MODEL, ("let total = &recon", "let ink = (x_hat.mean(Kind::Float) - batch.x.mean(Kind::Float)).square();\n        let total = &ink * 100.0 + &recon"),
                ('.with("pairwise KL", pairs)', '.with("pairwise KL", pairs)\n            .with("ink", ink)')),
         cell(MAKE), cell(TRAIN)],
        TRAINED,
    ),
    (
        "Any change of `recon_loss` is a legitimate one",
        [edited("fn recon_loss", ("(x - x_hat).square()", "(x - x_hat).abs()")), cell(MAKE), cell(TRAIN), cell("let mean_x_hat")],
        "loss of these ten",
    ),
    (
        "Stop early",
        [cell("fn recon_loss"),
         "let run = Trainer::new(&training).listen(|event: &Event<'_>| match event {\n    Event::Step { step: 5, .. } => "
         'Control::Stop(StopReason::Satisfied("five steps are enough".into())),\n    _ => Control::Continue,\n'
         "}).fit(&icvae, &digits.train, None)?;\nprintln!(\"{run}\");"],
        "five steps are enough",
    ),
    (
        "Draw a figure of your own",
        ['plot::figure((300, 300), |area| {\n    use icvae_core::plotters::prelude::*;\n    let mut chart = ChartBuilder::on(area).caption("Mine", '
         '("sans-serif", 16)).build_cartesian_2d(0f32..1.0, 0f32..1.0)?;\n    chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], BLUE))?;\n'
         "    Ok(())\n})?"],
        "Mine",
    ),
]  # fmt: skip


CODE_CELLS = "window.jupyterapp.shell.currentWidget.content.widgets.filter(w => w.model.type === 'code')"


class Page:
    """The notebook in the browser, as a reader uses it: with mouse and keyboard."""

    def __init__(self, page, notebook):
        self.page, self.notebook = page, notebook
        self.cells = page.locator(".jp-CodeCell")

    def wait(self):
        self.page.wait_for_function(f"() => {STATUS} === 'idle'")

    def run(self, place, code=None):
        """Types a cell's text, if there is one, and runs it; returns what is seen below it."""
        cell = self.cells.nth(place)
        cell.scroll_into_view_if_needed()
        editor = cell.locator(".cm-content")
        editor.click()
        if code is not None:
            self.page.keyboard.press("Control+a")
            self.page.keyboard.insert_text(code)
        count = f"place => ({CODE_CELLS})[place].model.executionCount"
        before = self.page.evaluate(count, place)
        self.page.keyboard.press("Control+Enter")
        self.page.wait_for_function(f"([place, before]) => {{ const now = ({count})(place); return now !== null && now !== before; }}", arg=[place, before])
        self.wait()
        assert cell.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0, cell.inner_text()
        outputs = self.page.evaluate(f"place => ({CODE_CELLS})[place].model.outputs.toJSON()", place)
        texts = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in outputs]
        return "\n".join("".join(text) for text in texts)

    def step(self, step, free):
        """Does one thing of an exercise; a text of one's own goes into the notebook's last, empty cell."""
        if isinstance(step, str):
            return self.run(free, step)
        return self.run(self.notebook.place(step.key), step.of(self.notebook))


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_the_exercises_of_the_tutorial_done_as_they_are_written(tmp_path):
    import nbformat

    prose = "\n".join("".join(c["source"]) for c in json.loads(NOTEBOOK.read_text())["cells"] if c["cell_type"] == "markdown")
    for words, _, _ in EXERCISES:
        assert words in prose, f"the tutorial says {words!r} no more: bring the exercises up to date"
    root = tmp_path / "root"
    path = root / "notebooks" / "tutorial.ipynb"
    path.parent.mkdir(parents=True)
    (root / "icvae-core").symlink_to(NOTEBOOK.parents[1] / "icvae-core", target_is_directory=True)
    committed = nbformat.read(NOTEBOOK, as_version=4)
    for each in committed.cells:
        if each.cell_type == "code":
            each.outputs, each.execution_count = [], None
    committed.cells.append(nbformat.v4.new_code_cell(""))
    committed.metadata["kernelspec"] = {"name": KERNEL, "display_name": KERNEL, "language": "rust"}
    nbformat.write(committed, path)
    environment = {"ICVAE_DATA": "synthetic", "ICVAE_SMOKE": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    notebook = Notebook()
    free = len(notebook.sources)
    with jupyterlab(tmp_path, path, environment) as page:
        page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
        reader = Page(page, notebook)
        reader.wait()
        for key in BASE:
            reader.run(notebook.place(key))
        for words, steps, expected in EXERCISES:
            seen = "\n".join(reader.step(step, free) for step in steps)
            assert expected in seen, (words, seen)
