"""Open the tutorial in JupyterLab in headless Chromium, run all cells, and look at the result.

Usage: browser.py CHROMIUM NOTEBOOK LIBRARY FOLDER

The notebook is copied below FOLDER, beside a link to the library that its first cell names, so that the
original stays as it is. Screenshots of the page's figures go to FOLDER too. The exit status is 1 if a
cell failed, a figure is missing, or the page reported an error of the kernel.
"""

import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import nbformat
from playwright.sync_api import sync_playwright

START_SECONDS = 60
RUN_SECONDS = 900
SETTINGS = {
    # All cells in the page, whether in view or not; no questions about news.
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
}


def main(chromium, notebook, library, folder):
    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    copy = folder / "notebooks" / pathlib.Path(notebook).name
    copy.parent.mkdir(parents=True)
    strip(notebook, copy)
    for beside in pathlib.Path(notebook).parent.iterdir():
        if beside.is_dir() and not beside.name.startswith("."):
            (copy.parent / beside.name).symlink_to(beside, target_is_directory=True)
    (folder / "icvae-core").symlink_to(library, target_is_directory=True)
    with tempfile.TemporaryDirectory() as home:
        server, address = start_server(folder, pathlib.Path(home))
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"]
                )
                page = browser.new_page(viewport={"width": 1280, "height": 1000})
                try:
                    run_all(page, address.format(path=f"notebooks/{copy.name}"))
                    faults = look(page, folder)
                finally:
                    page.screenshot(path=folder / "page.png")
                    browser.close()
        finally:
            stop(server)
    faults += check_saved(copy)
    for fault in faults:
        print(f"  {fault}")
    print(f"  screenshots are in {os.path.relpath(folder)}")
    return 1 if faults else 0


def strip(source, target):
    """Copy the notebook without its outputs, so that none is taken for a fresh one, and without what is left to the reader."""
    notebook = nbformat.read(source, as_version=4)
    notebook.cells = [cell for cell in notebook.cells if "exercise" not in cell.metadata.get("tags", [])]
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, target)


def start_server(folder, home):
    """Start JupyterLab on a free port; return it with its address, `{path}` left open."""
    overrides = home / "app-settings" / "overrides.json"
    overrides.parent.mkdir()
    overrides.write_text(json.dumps(SETTINGS))
    token = secrets.token_hex(16)
    log = open(folder / "server.log", "w")
    environment = dict(
        os.environ,
        JUPYTER_CONFIG_DIR=str(home / "config"),
        JUPYTER_DATA_DIR=str(home / "data"),
        JUPYTERLAB_SETTINGS_DIR=str(home / "user-settings"),
        JUPYTERLAB_WORKSPACES_DIR=str(home / "workspaces"),
        IPYTHONDIR=str(home / "ipython"),
    )
    server = subprocess.Popen(
        [
            sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
            "--ServerApp.port=0", "--ServerApp.ip=127.0.0.1", f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={folder}", "--expose-app-in-browser",
            f"--LabApp.app_settings_dir={overrides.parent}",
        ],
        env=environment, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip
    deadline = time.time() + START_SECONDS
    while time.time() < deadline and server.poll() is None:
        found = re.search(r"http://127\.0\.0\.1:(\d+)/lab", (folder / "server.log").read_text())
        if found:
            address = f"http://127.0.0.1:{found[1]}/lab/tree/{{path}}?reset&token={token}"
            return server, address
        time.sleep(0.2)
    stop(server)
    raise SystemExit(f"  JupyterLab didn't start: see {folder / 'server.log'}")


def stop(server):
    """End the server, and with it the kernels."""
    server.send_signal(signal.SIGTERM)
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)


def run_all(page, address):
    page.goto(address)
    page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell", timeout=START_SECONDS * 1000)
    page.wait_for_function(
        """() => {
            const panel = window.jupyterapp.shell.currentWidget;
            return panel?.sessionContext?.session?.kernel?.status === 'idle';
        }""",
        timeout=START_SECONDS * 1000,
    )
    page.set_default_timeout(RUN_SECONDS * 1000)
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    page.wait_for_function(
        """() => {
            const panel = window.jupyterapp.shell.currentWidget;
            const waiting = [...panel.content.widgets].some(
                cell => cell.model.type === 'code' && cell.model.executionState === 'running');
            return !waiting && panel.sessionContext.session?.kernel?.status === 'idle';
        }"""
    )
    page.evaluate("window.jupyterapp.commands.execute('docmanager:save')")


def look(page, folder):
    """The faults that can be seen, with a screenshot of every figure."""
    faults = []
    images = page.locator(".jp-OutputArea-output img")
    for number in range(images.count()):
        image = images.nth(number)
        image.scroll_into_view_if_needed()
        if image.evaluate("image => image.naturalWidth") == 0:
            faults.append(f"figure {number + 1} is broken")
        page.screenshot(path=folder / f"figure-{number + 1:02}.png")
    errors = page.locator("[data-mime-type='application/vnd.jupyter.error']")
    if errors.count() > 0:
        faults.append(f"a cell shows an error: {errors.first.inner_text().strip()[:200]}")
    if images.count() < 2:
        faults.append(f"{images.count()} figures are shown: both grids are missing")
    return faults


def check_saved(notebook):
    """The faults of the notebook as JupyterLab saved it."""
    cells = nbformat.read(notebook, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code" and cell.source.strip()]
    return [
        f"cell {number} was not run"
        for number, cell in enumerate(code, 1)
        if cell.execution_count is None
    ]


sys.exit(main(*sys.argv[1:]))
