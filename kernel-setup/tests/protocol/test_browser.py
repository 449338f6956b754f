"""JupyterLab in a headless browser: a training cell that is watched while it runs, and a panel to draw on."""

import contextlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import KERNEL, PATIENCE
from test_notebook import DIGITS, MODEL, SETUP

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

TRAIN = (
    "let ten = digits.head(10);\n"
    'let view = TrainingView::new("Training").strip((28, 28), || model.reconstruct(&ten.x(), &ten.c()));\n'
    "let outcome = Trainer::new(&TrainConfig { epochs: 200, ..Default::default() })"
    ".listen(view).fit(&model, &digits, None)?;\n"
    'for i in 0..=100 { print!("\\r{i} %"); }'
)
STATUS = "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"


@contextlib.contextmanager
def jupyterlab(tmp_path, path, environment=None):
    """JupyterLab on the folder `root` in `tmp_path`, and a page that shows a notebook in it."""
    settings = tmp_path / "settings"
    settings.mkdir()
    (settings / "overrides.json").write_text(
        json.dumps({
            "@jupyterlab/apputils-extension:notification": {"fetchNews": "false"},
            # All cells in the page, whether in view or not.
            "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
        })
    )
    root = tmp_path / "root"
    token = secrets.token_hex(16)
    log = tmp_path / "server.log"
    server = subprocess.Popen(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
            "--ServerApp.port=0", "--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={root}", "--expose-app-in-browser",
            f"--LabApp.app_settings_dir={settings}",
        ],
        env={**os.environ, "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
             "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "user"), "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
             **(environment or {})},
        stdout=log.open("w"), stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(r"http://127\.0\.0\.1:(\d+)/lab", log.read_text())):
            assert server.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.2)
        with playwright.sync_playwright() as play:
            browser = play.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
            )
            page = browser.new_page(viewport={"width": 1280, "height": 1400})
            page.set_default_timeout(PATIENCE * 1000)
            page.goto(f"http://127.0.0.1:{found[1]}/lab/tree/{path.relative_to(root)}?reset&token={token}")
            yield page
            browser.close()
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)


PANEL = """
use icvae_core::model::{Activation, Dense, dense};
use icvae_core::notebook::{Layers, Playground};
use icvae_core::tch::nn;
fn layer(vs: &nn::VarStore, name: &str, inputs: i64, outputs: i64) -> Dense {
    dense(vs.root() / name, inputs, outputs).with(Activation::Tanh)
}
let vs = nn::VarStore::new(Device::Cpu);
let (hidden, mean, log_var) = (layer(&vs, "h", 784, 64), layer(&vs, "mean", 64, 4), layer(&vs, "log_var", 64, 4));
let x_hat = layer(&vs, "x_hat", 4 + 10, 784).with(Activation::Sigmoid);
let playground = Playground::new((28, 28)).examples(&digits.head(10).x())?.model("untrained", Layers {
    encoder: &[&hidden], mean: &mean, log_var: &log_var, decoder: &[&x_hat],
})?;
display(&playground);
"""
VERSIONS = """
let x: Vec<f32> = icvae_core::serde_json::from_str(&std::fs::read_to_string("x.json")?)?;
let versions = playground.versions(&Tensor::from_slice(&x).view([-1, 784]))?;
let numbers = Vec::<f32>::try_from(versions.flatten(0, -1))?;
std::fs::write("versions.json", icvae_core::serde_json::to_string(&numbers)?)?;
"""


@pytest.fixture
def lab(tmp_path, request):
    """JupyterLab with a notebook, and a page that shows it."""
    with open_lab(tmp_path, request.param) as shown:
        yield shown


@contextlib.contextmanager
def open_lab(tmp_path, codes):
    """JupyterLab with a notebook of these cells, and a page that shows it."""
    import nbformat

    cells = [nbformat.v4.new_code_cell(code.strip()) for code in codes]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": KERNEL, "display_name": KERNEL, "language": "rust"}
    (tmp_path / "root").mkdir()
    path = tmp_path / "root" / "live.ipynb"
    nbformat.write(notebook, path)
    with jupyterlab(tmp_path, path) as page:
        yield page, path


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
@pytest.mark.parametrize("lab", [(SETUP, DIGITS + MODEL, TRAIN)], indirect=True, ids=["training"])
def test_jupyterlab_shows_training_while_it_runs(lab):
    import nbformat

    page, path = lab
    pictures = pathlib.Path(os.environ.get("ICVAE_SCREENSHOTS", path.parent))
    page.wait_for_function(f"() => {STATUS} === 'idle'")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    cell = page.locator(".jp-CodeCell").nth(2)
    cell.locator(".jp-OutputArea-output img").first.wait_for()
    page.screenshot(path=pictures / "during.png")
    assert page.evaluate(STATUS) == "busy", "the picture came only when the cell was over"
    early = cell.locator("img").first.get_attribute("src")
    page.wait_for_function(f"() => {STATUS} === 'idle'")
    page.wait_for_timeout(500)
    page.screenshot(path=pictures / "after.png")
    assert cell.locator("img").count() == 1, "a picture was added where one should be replaced"
    assert cell.locator("img").first.get_attribute("src") != early
    assert page.locator("[data-mime-type='application/vnd.jupyter.error']").count() == 0
    text = cell.inner_text()
    assert text.count("4000/4000") == 1 and "100 %" in text and "50 %" not in text

    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")
    page.wait_for_timeout(1000)
    saved = nbformat.read(path, as_version=4).cells[2].outputs
    assert sum("image/png" in output.get("data", {}) for output in saved) == 1
    assert any("4000/4000" in output.get("data", {}).get("text/plain", "") for output in saved)


def run(page, place):
    """Runs a cell of code, and waits for its end."""
    counts = "window.jupyterapp.shell.currentWidget.content.widgets[%d].model.executionCount" % place
    page.evaluate(f"() => {{ window.jupyterapp.shell.currentWidget.content.activeCellIndex = {place}; }}")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-cell')")
    page.wait_for_function(f"() => {counts} && {STATUS} === 'idle'")
    outputs = page.evaluate(f"window.jupyterapp.shell.currentWidget.content.widgets[{place}].model.outputs.toJSON()")
    assert [output for output in outputs if output["output_type"] == "error"] == []


PLAYGROUND = "(({x, images}) => [Array.from(x), images.flatMap((i) => Array.from(i))])(document.querySelector('.icvae-playground').playground)"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
@pytest.mark.parametrize("lab", [(SETUP + DIGITS, PANEL, VERSIONS)], indirect=True, ids=["panel"])
def test_a_panel_in_jupyterlab_draws_what_the_library_computes(lab):
    page, path = lab
    pictures = pathlib.Path(os.environ.get("ICVAE_SCREENSHOTS", path.parent))
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.wait_for_function(f"() => {STATUS} === 'idle'")
    run(page, 0)
    run(page, 1)
    page.wait_for_function("document.querySelector('.icvae-playground')?.playground")
    pad = page.locator(".icvae-playground .pad")

    def drawn(points):
        """The image that a stroke gives, and what the panel makes of it."""
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in points]
        page.mouse.move(*points[0])
        page.mouse.down()
        for point in points[1:]:
            page.mouse.move(*point)
        page.mouse.up()
        page.wait_for_timeout(300)
        return page.evaluate(PLAYGROUND)

    def same_as_the_library(x, images):
        (path.parent / "x.json").write_text(json.dumps(x))
        run(page, 2)
        expected = json.loads((path.parent / "versions.json").read_text())
        assert len(images) == len(expected) == 10 * 784
        assert max(abs(a - b) for a, b in zip(images, expected)) < 1e-4

    x, images = drawn([(0.25, 0.25), (0.75, 0.25), (0.6, 0.5), (0.45, 0.85)])
    assert 20 < sum(x) < 200, "the ink of a digit"
    same_as_the_library(x, images)
    page.locator(".icvae-playground .tests button").nth(3).click()
    page.wait_for_timeout(300)
    digit, images = page.evaluate(PLAYGROUND)
    assert digit != x
    same_as_the_library(digit, images)
    page.locator(".icvae-playground").screenshot(path=pictures / "panel.png")

    # It goes on when the kernel has ended.
    page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    page.get_by_role("button", name="Clear").click()
    again, others = drawn([(0.5, 0.2), (0.5, 0.8)])
    assert sum(again) > 10 and again not in (x, digit)
    assert len(others) == 10 * 784 and others != images
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })")
    page.wait_for_timeout(1000)
    page.locator(".icvae-playground").screenshot(path=pictures / "panel-dark.png")
    assert faults == []
