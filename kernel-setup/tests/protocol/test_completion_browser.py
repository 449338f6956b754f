"""Tab and Shift+Tab as a reader presses them, in JupyterLab in a headless browser."""

import contextlib
import os
import pathlib

import pytest
from test_browser import CHROMIUM, STATUS, open_lab, playwright, run
from test_notebook import LIBRARY

SETUP = f':dep icvae-core = {{ path = "{LIBRARY}" }}\nuse icvae_core::plot::ImageGrid;'
SOURCE = "window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.source"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium")
def test_tab_types_code_and_shift_tab_explains_it(tmp_path):
    with open_lab(tmp_path, [SETUP, "1"]) as (page, path):
        pictures = pathlib.Path(os.environ.get("ICVAE_SCREENSHOTS", path.parent))
        page.wait_for_function(f"() => {STATUS} === 'idle'")
        run(page, 0)
        page.locator(".jp-CodeCell .cm-content").nth(1).click()
        page.keyboard.press("Control+A")
        page.keyboard.type("ImageGrid::ne")
        offer = page.locator(".jp-Completer")
        typed = f"() => document.querySelector('.jp-Completer:not(.lm-mod-hidden)') || {SOURCE} === 'ImageGrid::new'"
        for _ in range(10):
            # JupyterLab drops an answer that comes while it still takes in what was typed.
            page.wait_for_timeout(500)
            page.keyboard.press("Tab")
            with contextlib.suppress(playwright.TimeoutError):
                page.wait_for_function(typed, timeout=5000)
                break
        if offer.is_visible():
            page.screenshot(path=pictures / "tab.png")
            page.keyboard.press("Enter")
        page.wait_for_function(f"() => {SOURCE} === 'ImageGrid::new'")
        # In the middle of the name.
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Shift+Tab")
        told = page.locator(".jp-Tooltip")
        told.wait_for()
        page.wait_for_function("() => document.querySelector('.jp-Tooltip').textContent.includes('fn new')")
        assert "images: &Tensor" in told.inner_text()
        page.screenshot(path=pictures / "shift-tab.png")
        # Several: the list, with what each is.
        page.keyboard.press("Escape")
        page.locator(".jp-CodeCell .cm-content").nth(1).click()
        page.keyboard.press("Control+A")
        page.keyboard.type("ImageGrid::")
        page.wait_for_timeout(500)
        page.keyboard.press("Tab")
        offer.wait_for()
        page.screenshot(path=pictures / "tab-list.png")
        assert "new" in offer.inner_text()
