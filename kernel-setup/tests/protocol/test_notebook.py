"""The library's notebook side in the kernel: figures, tensors, progress, a training run that is watched."""

import pathlib
import re
import time

import pytest
from conftest import PATIENCE, Kernel

LIBRARY = pathlib.Path(__file__).resolve().parents[3] / "icvae-core"

SETUP = f"""
:dep icvae-core = {{ path = "{LIBRARY}" }}
use icvae_core::notebook::{{DisplayHandle, Progress, TrainingView, clear_output, display, show}};
use icvae_core::data::synthetic;
use icvae_core::model::{{Icvae, IcvaeConfig}};
use icvae_core::plot::Curves;
use icvae_core::tch::{{Device, Tensor}};
use icvae_core::train::{{TrainConfig, Trainer}};
"""

DIGITS = "let (digits, _styles) = synthetic::draw(640, 0)?;"

MODEL = """
let config = IcvaeConfig { hidden: vec![64], latent: 4, ..Default::default() };
let model = Icvae::new(&config, Device::Cpu, 0)?;
"""


@pytest.fixture(scope="module")
def notebook():
    kernel = Kernel()
    # Minutes, if nothing is compiled yet.
    kernel.ok(SETUP)
    kernel.ok(DIGITS)
    kernel.ok(MODEL)
    yield kernel
    kernel.stop()


def test_figures_are_shown_while_the_cell_runs_and_as_its_result(notebook):
    cell = notebook.ok(
        'let figure = Curves::new("Loss").series("total", &[3.0, 2.0, 1.0]).draw()?;'
        'println!("before"); display(&figure); println!("after");'
    )
    assert cell.kinds() == ["stream", "display_data", "stream"]
    content = cell.of("display_data")[0]
    assert content["data"]["image/png"].startswith("iVBOR")
    size = content["metadata"]["image/png"]
    assert size["width"] == 720 and "Loss" in size["alt"]
    shown = notebook.ok("figure")
    [result] = shown.of("display_data") or shown.of("execute_result")
    assert result["data"]["image/png"] == content["data"]["image/png"]


def test_a_chart_of_plotters_is_drawn_in_a_cell_as_its_gallery_draws_it(notebook):
    cell = notebook.ok(
        "use icvae_core::plot; use icvae_core::plotters::prelude::*;\n"
        "plot::figure((640, 480), |root| {\n"
        "    let mut chart = ChartBuilder::on(root)\n"
        '        .caption("y = x²", ("sans-serif", 30).into_font())\n'
        "        .margin(5).x_label_area_size(30).y_label_area_size(40)\n"
        "        .build_cartesian_2d(-1f32..1f32, -0.1f32..1f32)?;\n"
        "    chart.configure_mesh().draw()?;\n"
        "    chart.draw_series(LineSeries::new((-50..=50).map(|x| x as f32 / 50.0).map(|x| (x, x * x)), &RED))?\n"
        '        .label("a parabola").legend(|(x, y)| PathElement::new(vec![(x, y), (x + 20, y)], &RED));\n'
        "    chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;\n"
        "    root.present()?;\n"
        "    Ok(())\n"
        "})?"
    )
    [content] = cell.of("display_data") or cell.of("execute_result")
    assert content["data"]["image/png"].startswith("iVBOR")
    assert content["data"]["image/svg+xml"].startswith("<svg ") and "a parabola" in content["data"]["image/svg+xml"]
    assert content["metadata"]["image/png"]["width"] == 640 and "y = x²" in content["metadata"]["image/png"]["alt"]


def test_a_tensor_tells_shape_type_device_and_a_few_entries(notebook):
    cell = notebook.ok("show(&Tensor::from_slice(&[0.5_f32, 1.0]))")
    [content] = cell.of("display_data") or cell.of("execute_result")
    assert content["data"]["text/plain"] == "Tensor [2] f32 on cpu\n[0.5000, 1]"


def test_a_handle_updates_in_place_and_output_can_be_cleared(notebook):
    cell = notebook.ok(
        'let mut handle = DisplayHandle::new("one"); handle.update("two"); clear_output(true);'
    )
    assert cell.kinds() == ["display_data", "update_display_data", "clear_output"]


def test_progress_is_one_line_that_is_overwritten(notebook):
    cell = notebook.ok(
        'let mut progress = Progress::new("counting", 200); for _ in 0..200 { progress.step(); '
        "std::thread::sleep(std::time::Duration::from_millis(5)); } progress.finish();"
    )
    first, *updates = cell.of("display_data") + cell.of("update_display_data")
    seconds = cell.times[-1] - cell.times[0]
    assert 2 <= len(updates) <= 10 * seconds + 3
    ids = {c["transient"]["display_id"] for c in [first, *updates]}
    assert len(ids) == 1
    assert "200/200" in updates[-1]["data"]["text/plain"]
    assert all("\n" not in c["data"]["text/plain"] for c in updates)


def test_training_is_watched_while_it_goes_on(notebook):
    cell = notebook.ok(
        "let ten = digits.head(10);\n"
        "let view = TrainingView::new(\"Training\").strip((28, 28), || Ok(ten.x()));\n"
        "let outcome = Trainer::new(&TrainConfig { epochs: 30, ..Default::default() }).listen(view)"
        ".fit(&model, &digits, None)?;\n"
        "println!(\"{outcome}\");"
    )
    pictures = [
        (t, m)
        for t, m in zip(cell.times, cell.messages)
        if m["msg_type"].endswith("display_data") and "image/png" in m["content"]["data"]
    ]
    assert pictures[0][1]["msg_type"] == "display_data"
    assert len({m["content"]["transient"]["display_id"] for _, m in pictures}) == 1
    assert pictures[0][0] < pictures[-1][0], "the picture did not grow"
    lines = [c["data"]["text/plain"] for c in cell.of("update_display_data") if "image/png" not in c["data"]]
    assert "600/600" in lines[-1] and "epoch 30: total" in lines[-1]
    assert "trained 30 epochs" in cell.text()


LONG = (
    "let endless = TrainConfig { epochs: 100_000, ..Default::default() };\n"
    "let run = Trainer::new(&endless).listen(TrainingView::new(\"Long\")).fit(&model, &digits, None)"
)


def begun(kernel, code):
    """Sends a training cell, and waits until it trains."""
    request = kernel.send(code)
    while True:
        message = kernel.wait_for(request, "update_display_data")
        if re.search(r"[1-9]\d*/", message["content"]["data"]["text/plain"]):
            return request


def test_an_interrupted_training_keeps_the_half_trained_model(notebook):
    request = begun(notebook, "let stays = 1;\n" + LONG + ";\nlet also_stays = 2;")
    pressed = time.monotonic()
    notebook.interrupt()
    cell = notebook.collect(request)
    took = time.monotonic() - pressed
    assert cell.reply["status"] == "error" and cell.reply["ename"] == "Interrupted"
    assert re.search(r"epoch \d+ of 100000, after step \d+", cell.reply["evalue"])
    assert took < 10, f"{took:.1f} s"
    # All is there: what the cell made before and after, and the model.
    drawn = notebook.ok("display(&Curves::new(\"z\").series(\"x\", &[(stays + also_stays) as f64, 4.0]).draw()?);")
    assert "image/png" in drawn.of("display_data")[0]["data"]
    assert notebook.ok("run.is_err()").of("execute_result")[0]["data"] == {"text/plain": "true"}
    notebook.ok("let again = Trainer::new(&TrainConfig { epochs: 1, ..Default::default() }).fit(&model, &digits, None)?;")


def test_an_interrupted_training_with_a_question_mark_keeps_earlier_variables(notebook):
    request = begun(notebook, LONG + "?;")
    notebook.interrupt()
    cell = notebook.collect(request)
    assert cell.reply["ename"] == "Interrupted"
    assert "the model keeps its weights" in cell.reply["evalue"]
    assert "The variables of earlier cells are kept" in cell.reply["evalue"]
    notebook.ok("let again = Trainer::new(&TrainConfig { epochs: 1, ..Default::default() }).fit(&model, &digits, None)?;")


def test_errors_of_the_library_are_one_sentence(notebook):
    cell = notebook.run("TrainConfig { batch_size: 0, ..Default::default() }.check()?;")
    assert cell.reply["ename"] == "Error"
    assert "batch_size is 0, but a step needs at least 1 example" in cell.reply["evalue"]
    cell = notebook.run("synthetic::draw(10, 0)?.0.head(1).x().matmul(&Tensor::zeros([3, 3], (icvae_core::tch::Kind::Float, Device::Cpu)));")
    assert cell.reply["ename"] == "Panic"
    assert "frame #" not in cell.traceback and "Exception raised" not in cell.traceback


def test_what_is_compiled_for_all_kernels_serves_this_one(notebook):
    folder = pathlib.Path(notebook.ok('print!("{}", std::env::var("EVCXR_TMPDIR").unwrap());').text())

    def libraries(folder):
        return {path.name for path in folder.glob("target/**/*.rlib")}

    warm = libraries(folder.parent / "warm")
    crates = {name.rpartition("-")[0] for name in warm}
    assert "libicvae_core" in crates
    again = {name for name in libraries(folder) - warm if name.rpartition("-")[0] in crates}
    assert not again, "compiled once more for this kernel"


def test_a_cell_may_ask_for_speed_and_no_library_is_compiled_anew(notebook):
    folder = pathlib.Path(notebook.ok('print!("{}", std::env::var("EVCXR_TMPDIR").unwrap());').text())
    libraries = {path: path.stat().st_mtime_ns for path in folder.glob("target/**/libicvae_core-*.rlib")}
    assert libraries
    manifest = folder / "Cargo.toml"
    assert "opt-level = 0" in manifest.read_text(), "cells are compiled for a quick start"
    try:
        loop = "(0..1_000_000u64).fold(0, |a, b| a ^ (b * b))"
        fast = notebook.ok(f":opt 2\nuse icvae_core::plot::Curves;\n{loop}")
        assert "opt-level = 2" in manifest.read_text()
        assert not fast.of("display_data"), "nothing is said of crates that are compiled"
        now = {path: path.stat().st_mtime_ns for path in folder.glob("target/**/libicvae_core-*.rlib")}
        assert now == libraries
    finally:
        notebook.ok(":opt 0")
