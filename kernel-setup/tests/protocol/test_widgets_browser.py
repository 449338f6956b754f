"""Widgets in JupyterLab in a headless browser: a slider that is dragged, a page that is opened again."""

import os
import pathlib
import re
import time

import pytest
from test_browser import CHROMIUM, STATUS, open_lab

LIVE = pathlib.Path(__file__).resolve().parents[3] / "notebook-live"
SETUP = f':dep notebook-live = {{ path = "{LIVE}" }}\nuse notebook_live::*;'
# A picture of about the size of a figure of the tutorial: 200 × 200 squares, a tenth of a megabyte of SVG.
SLIDER = """
let s = slider("shade", 0..=400);
s.on_change(|n| {
    let squares: String = (0..1600).map(|i| format!("<rect x='{}' y='{}' width='5' height='5' fill='rgb({},{},120)'/>",
        i % 40 * 5, i / 40 * 5, (i * n) % 255, n % 255)).collect();
    display(&Html::new(format!("<svg class='picture' width='200' height='200' data-n='{n}'>{squares}</svg>"), n.to_string()))
});
s.clone()
"""
# Counts the pictures that are drawn, each when the browser shows it.
WATCH = """() => {
    window.seen = [];
    const look = () => {
        const picture = document.querySelector('svg.picture');
        const n = picture && picture.dataset.n;
        if (n && (!window.seen.length || window.seen.at(-1)[1] !== n)) window.seen.push([performance.now(), n]);
        requestAnimationFrame(look);
    };
    look();
}"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_slider_that_is_dragged_draws_and_ends_on_its_last_value(tmp_path):
    with open_lab(tmp_path, [SETUP, SLIDER, "s.value()"]) as (page, path):
        pictures = pathlib.Path(os.environ.get("ICVAE_SCREENSHOTS", path.parent))
        page.wait_for_function(f"() => {STATUS} === 'idle'")
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        cell = page.locator(".jp-CodeCell").nth(1)
        cell.locator("svg.picture").wait_for()
        page.locator(".jp-CodeCell").nth(2).locator(".jp-OutputArea-output").wait_for()
        page.screenshot(path=pictures / "slider-before.png")
        page.evaluate(WATCH)
        box = cell.locator(".noUi-connects").bounding_box()
        middle = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + 1, middle)
        page.mouse.down()
        begun, step = time.monotonic(), 0
        while (spent := time.monotonic() - begun) < 5:
            # To and fro, and a little further each time.
            step += 1
            share = abs((spent * 0.4) % 2 - 1)
            page.mouse.move(box["x"] + 2 + (box["width"] - 4) * share, middle)
            time.sleep(0.01)
        page.mouse.move(box["x"] + box["width"] * 0.75, middle)
        page.mouse.up()
        page.wait_for_timeout(1500)
        page.screenshot(path=pictures / "slider-after.png")
        seen = page.evaluate("() => window.seen")
        rate = sum(1 for at, _ in seen if at <= seen[0][0] + 5000) / 5
        value = int(cell.locator(".widget-readout").inner_text())
        last = int(cell.locator("svg.picture").get_attribute("data-n"))
        print(f"{len(seen)} pictures, {rate:.1f} a second, {step} moves of the mouse")
        (tmp_path / "rate.txt").write_text(f"{rate:.1f}")
        assert last == value and abs(value - 300) < 10, (last, value)
        assert len(seen) > 5, seen

        # A later cell reads it, and a page that is opened again shows it.
        page.locator(".jp-CodeCell").nth(2).click()
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-cell') }")
        page.wait_for_function(
            "([n]) => document.querySelectorAll('.jp-CodeCell')[2].innerText.includes(n)", arg=[str(value)]
        )
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        page.wait_for_timeout(1000)
        page.reload()
        page.locator(".jp-CodeCell").nth(1).locator("svg.picture").wait_for()
        readout = page.locator(".jp-CodeCell").nth(1).locator(".widget-readout")
        readout.wait_for()
        assert int(readout.inner_text()) == value
        page.screenshot(path=pictures / "slider-reopened.png")


PAD = """
let w = any_widget("export default { render({ model, el }) {
    const b = document.createElement('button'); b.className = 'ours';
    const write = () => { b.textContent = 'pressed ' + model.get('n'); };
    b.onclick = () => { model.set('n', model.get('n') + 1); model.save_changes(); };
    model.on('change:n', write); write(); el.append(b);
} }", &json!({"n": 0}));
w.on_change(|state| println!("Rust has seen {}", state["n"]));
w.clone()
"""


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_a_module_of_anywidget_and_rust_share_a_state(tmp_path):
    pytest.importorskip("anywidget", reason="anywidget is not installed")
    with open_lab(tmp_path, [SETUP, PAD, 'w.set(&json!({"n": 41}));']) as (page, path):
        page.wait_for_function(f"() => {STATUS} === 'idle'")
        page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
        button = page.locator("button.ours")
        button.wait_for()
        page.wait_for_function("() => document.querySelector('button.ours').textContent === 'pressed 41'")
        button.click()
        page.get_by_text(re.compile("Rust has seen 42")).wait_for()
        pictures = pathlib.Path(os.environ.get("ICVAE_SCREENSHOTS", path.parent))
        page.screenshot(path=pictures / "anywidget.png")
