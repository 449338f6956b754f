"""JupyterLab first: it opens while the compilers are still being compiled, and cells wait for them.

The tool is the real one, in a repository of links. The compiler is made slow: a program named cargo stands before
the real one, and takes its time over what the installation has it compile, until the test lets it finish.
"""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from conftest import KERNEL, PATIENCE, Kernel
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.kernelspec import KernelSpecManager
from test_lifecycle import is_alive, needs_proc, wait_until

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed")
SPEC = KernelSpecManager().get_kernel_spec(KERNEL)
TOOL = pathlib.Path(SPEC.argv[0])
EVCXR = SPEC.env["ICVAE_EVCXR_JUPYTER"]
LIBTORCH = SPEC.env["LIBTORCH"]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
REPOSITORY = pathlib.Path(__file__).parents[3]

# Counts like cargo, one step in a tenth of a second, from where the last one was cut off.
CARGO = r"""#!{python}
import os, pathlib, sys, time
home, real, evcxr, analysis = pathlib.Path({home!r}), {real!r}, {evcxr!r}, {analysis!r}
words = sys.argv[1:]
kind = {{"cell-analysis": "analysis", "evcxr-kernel": "kernel"}}.get(words[words.index("--package") + 1] if "--package" in words else "", words[0])
if kind not in ("kernel", "build", "analysis") or any(w.startswith("--message-format") for w in words):
    os.execv(real, [real, *words])
(home / f"{{kind}}.pid").write_text(str(os.getpid()))
kept = home / f"{{kind}}.count"
count = int(kept.read_text()) if kept.exists() else 0
print(f"begins at {{count}}", flush=True)
while not (home / f"finish-{{kind}}").exists():
    if (home / f"fail-{{kind}}").exists():
        print("error: no space left on device", flush=True)
        sys.exit(101)
    count = min(count + 1, 299)
    # Whole or not at all, whoever is killed meanwhile.
    (home / f"{{kind}}.new").write_text(str(count))
    (home / f"{{kind}}.new").rename(kept)
    print(f"    Building [==>      ] {{count}}/300: slow", end="\r", flush=True)
    time.sleep(0.1)
for made, folder, program in (("kernel", "debug/evcxr_jupyter", evcxr), ("analysis", "analysis/cell-analysis", analysis)):
    if kind == made:
        made = pathlib.Path(words[words.index("--target-dir") + 1]) / folder
        made.parent.mkdir(parents=True, exist_ok=True)
        made.symlink_to(program)
"""


class Clone:
    """A repository in which nothing is installed but the Python packages."""

    def __init__(self, folder):
        self.folder, self.root = folder, folder / "repository"
        self.state = self.root / ".icvae"
        (self.root / "notebooks").mkdir(parents=True)
        for name in ("environment.yml", "locks", "icvae-core", "notebook-live", "cell-analysis", "evcxr-kernel", "Cargo.lock", "Cargo.toml"):
            (self.root / name).symlink_to(REPOSITORY / name)
        self.environment()
        bin = folder / "bin"
        bin.mkdir()
        cargo = CARGO.format(
            python=sys.executable, home=str(folder), real=shutil.which("cargo"), evcxr=EVCXR,
            analysis=str(TOOL.with_name("cell-analysis")),
        )  # fmt: skip
        (bin / "cargo").write_text(cargo)
        (bin / "cargo").chmod(0o755)
        shutil.copy(TOOL, folder / "kernel-setup")
        self.variables = {
            **{k: v for k, v in os.environ.items() if k not in ("VIRTUAL_ENV", "CONDA_PREFIX", "LIBTORCH")},
            "PATH": f"{bin}:{os.environ['PATH']}",
            "XDG_CACHE_HOME": str(folder / "cache"),
            "CARGO_HOME": os.environ.get("CARGO_HOME", str(pathlib.Path.home() / ".cargo")),
            "HOME": str(folder),
            "RUSTUP_HOME": os.environ.get("RUSTUP_HOME", str(pathlib.Path.home() / ".rustup")),
        }
        self.lab = None

    def environment(self):
        """This environment's packages under a prefix of its own, so that its kernelspecs are its own."""
        env, own = self.state / "env", pathlib.Path(sys.prefix)
        (env / "bin").mkdir(parents=True)
        (env / "bin/python").symlink_to(os.path.realpath(sys.executable))
        shutil.copy(own / "pyvenv.cfg", env / "pyvenv.cfg")
        (env / "lib").symlink_to(own / "lib")
        (env / "bin/jupyter-lab").write_text(f"#!{env}/bin/python\nfrom jupyterlab.labapp import main\nmain()\n")
        (env / "bin/jupyter-lab").chmod(0o755)
        (env / "share/jupyter").mkdir(parents=True)
        for part in (own / "share/jupyter").iterdir():
            if part.name not in ("kernels", "lab"):
                (env / "share/jupyter" / part.name).symlink_to(part)
        (env / "share/jupyter/lab").mkdir()
        for part in (own / "share/jupyter/lab").iterdir():
            if part.name != "settings":
                (env / "share/jupyter/lab" / part.name).symlink_to(part)

    def start(self, notebook, *options):
        """Starts `cargo kernel lab` and waits for the server; returns after how many seconds it stood."""
        begun = time.monotonic()
        self.log = self.folder / "lab.log"
        self.lab = subprocess.Popen(
            [self.folder / "kernel-setup", "lab", notebook, "--", "--no-browser", "--ServerApp.port=0", *options],
            cwd=self.root, env=self.variables, stdin=subprocess.DEVNULL,
            stdout=self.log.open("w"), stderr=subprocess.STDOUT,
        )  # fmt: skip
        pattern = r"(http://(?:localhost|127\.0\.0\.1):\d+)/lab\S*token=(\w+)"
        wait_until(lambda: re.search(pattern, self.said()) or self.lab.poll() is not None, "no JupyterLab")
        found = re.search(pattern, self.said())
        assert found, self.said()
        self.address, self.token = found[1], found[2]
        # It tells its address a moment before it listens.
        wait_until(self.answers, "JupyterLab does not answer")
        return time.monotonic() - begun

    def answers(self):
        try:
            return self.ask("/api/status")
        except OSError:
            return False

    def said(self):
        return self.log.read_text()

    def ask(self, path, content=None):
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(
            self.address + path, data, {"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or "null")

    def open(self, notebook):
        """Opens a notebook as JupyterLab does; returns a client of its kernel."""
        session = self.ask(
            "/api/sessions",
            {"path": notebook, "name": notebook.split("/")[-1], "type": "notebook", "kernel": {"name": "icvae-rust"}},
        )
        file = self.state / "runtime" / f"kernel-{session['kernel']['id']}.json"
        return Client(file)

    def let(self, what):
        (self.folder / what).write_text("")

    def pid(self, kind):
        file = self.folder / f"{kind}.pid"
        wait_until(file.exists, f"cargo {kind} was not started")
        return int(file.read_text())

    def stop(self):
        if self.lab and self.lab.poll() is None:
            self.lab.send_signal(signal.SIGTERM)
            try:
                self.lab.wait(60)
            except subprocess.TimeoutExpired:
                self.lab.kill()


class Client(Kernel):
    """A client of a kernel that another has started."""

    def __init__(self, file, ready=True):
        self.client = BlockingKernelClient(connection_file=str(file))
        self.client.load_connection_file()
        self.client.start_channels()
        # While a cell waits, what comes on the same channel waits behind it, as in any kernel.
        if ready:
            self.client.wait_for_ready(timeout=PATIENCE)

    def completed(self, code):
        self.client.complete(code, len(code))
        return self.client.get_shell_msg(timeout=30)["content"]["matches"]

    def line(self, request):
        """The next line below a cell that waits."""
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == request and "data" in message["content"]:
                return message["content"]["data"]["text/plain"]


@pytest.fixture
def clone(tmp_path):
    import nbformat

    clone = Clone(tmp_path)
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in ("let a = 20;", "a + 1")])
    notebook.metadata["kernelspec"] = {"name": "icvae-rust", "display_name": "Rust (ICVAE)", "language": "rust"}
    nbformat.write(notebook, clone.root / "notebooks/a.ipynb")
    # torch is there, and its links are made by the tool as for a newcomer.
    yield clone
    clone.stop()


@needs_proc
def test_a_cell_waits_for_the_compilers_and_runs_by_itself(clone):
    clone.start("notebooks/a.ipynb")
    kernel = clone.open("notebooks/a.ipynb")
    try:
        # What answers Tab is compiled last; until then nobody waits for it.
        begun = time.monotonic()
        assert kernel.completed("le") == []
        assert time.monotonic() - begun < 10

        taken_back = kernel.send('println!("never")')
        assert "compiling the Rust kernel" in kernel.line(taken_back)
        doctor = subprocess.run(
            [clone.folder / "kernel-setup", "doctor"], cwd=clone.root, env=clone.variables, capture_output=True, text=True
        )
        assert "at work" in doctor.stdout and "compiling the Rust kernel" in doctor.stdout
        kernel.interrupt()
        cell = kernel.collect(taken_back)
        assert cell.reply["ename"] == "Interrupted" and "never" not in cell.text()
        assert cell.kinds()[-2:] == ["clear_output", "error"]

        waiting = kernel.send("let a = 20; a + 1")
        counts = []
        while len(set(counts)) < 3:
            line = kernel.line(waiting)
            counts += re.findall(r"Rust kernel, (\d+) of 300", line)
            assert re.search(r"; .+ left", line), line
        assert counts == sorted(counts, key=int)
        # The page is loaded anew: another client comes, and the cell still waits.
        Client(kernel.client.connection_file, ready=False).client.stop_channels()
        clone.let("finish-kernel")
        lines = []
        while not any("what the notebooks use" in line and "Rust kernel" not in line for line in lines):
            lines.append(kernel.line(waiting))
        clone.let("finish-build")
        cell = kernel.collect(waiting)
        assert cell.of("execute_result")[0]["data"]["text/plain"] == "21"
        assert cell.kinds()[-2:] == ["clear_output", "execute_result"]
        kernel.ok("fn said_before() {}")
        assert kernel.ok("a + 2").of("execute_result")[0]["data"]["text/plain"] == "22"
        # Cells run, and Tab is silent until its program is there.
        clone.pid("analysis")
        assert kernel.completed("le") == [] and "Ready after" not in clone.said()
        clone.let("finish-analysis")
        wait_until(lambda: "Ready after" in clone.said(), "the installation did not finish")
        assert kernel.completed("le") == ["let"]
        # It knows what was said before it came.
        assert kernel.completed("said_be") == ["said_before"]
    finally:
        kernel.client.stop_channels()


@needs_proc
def test_closing_the_lab_ends_the_work_and_the_next_start_goes_on(clone):
    clone.start("notebooks/a.ipynb")
    compilers = [clone.pid("kernel"), clone.pid("build")]
    clone.lab.send_signal(signal.SIGTERM)
    assert clone.lab.wait(60) is not None
    assert "the next start goes on from here" in clone.said()
    for pid in compilers:
        wait_until(lambda: not is_alive(pid), "a compiler is still at work")
    clone.let("finish-kernel")
    clone.let("finish-build")
    clone.let("finish-analysis")
    clone.start("notebooks/a.ipynb")
    wait_until(lambda: "Ready after" in clone.said(), "the second start did not finish")
    assert "begins at 0" not in (clone.state / "log/evcxr.log").read_text().split("begins")[-1]


@needs_proc
@pytest.mark.parametrize("whom", ["tool", "kernel", "build"])
def test_whoever_is_killed_the_next_start_goes_on(clone, whom):
    clone.start("notebooks/a.ipynb")
    compilers = {kind: clone.pid(kind) for kind in ("kernel", "build")}
    kernel = clone.open("notebooks/a.ipynb")
    try:
        waiting = kernel.send("1")
        kernel.line(waiting)
        os.kill(clone.lab.pid if whom == "tool" else compilers[whom], signal.SIGKILL)
        for pid in compilers.values():
            wait_until(lambda: not is_alive(pid), "a compiler is still at work")
        if whom == "tool":
            # JupyterLab goes with it, and the kernel with that.
            clone.lab.wait(60)
        else:
            cell = kernel.collect(waiting)
            assert cell.reply["ename"] == "NotInstalled" and "cargo kernel install" in cell.reply["evalue"]
            clone.stop()
    finally:
        kernel.client.stop_channels()
    clone.let("finish-kernel")
    clone.let("finish-build")
    clone.start("notebooks/a.ipynb")
    kernel = clone.open("notebooks/a.ipynb")
    try:
        assert kernel.ok("40 + 2").of("execute_result")[0]["data"]["text/plain"] == "42"
    finally:
        kernel.client.stop_channels()


@needs_proc
def test_a_full_disk_is_told_below_the_cell_and_cells_run_once_there_is_room(clone):
    clone.start("notebooks/a.ipynb")
    kernel = clone.open("notebooks/a.ipynb")
    try:
        waiting = kernel.send("1")
        kernel.line(waiting)
        clone.let("fail-kernel")
        cell = kernel.collect(waiting)
        assert cell.reply["ename"] == "NotInstalled" and "failed" in cell.reply["evalue"]
        assert "no space left on device" in clone.said()
        (clone.folder / "fail-kernel").unlink()
        clone.let("finish-kernel")
        clone.let("finish-build")
        # What only Tab needs may fail.
        clone.let("fail-analysis")
        # In a second terminal, while JupyterLab is still open.
        command = [clone.folder / "kernel-setup", "install"]
        run = subprocess.run(command, cwd=clone.root, env=clone.variables, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout + run.stderr
        assert "note  Tab and Shift+Tab will say nothing" in run.stdout
        assert kernel.ok("40 + 2").of("execute_result")[0]["data"]["text/plain"] == "42"
    finally:
        kernel.client.stop_channels()


@needs_proc
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_a_cell_that_waits_outlives_the_page(clone):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    clone.start("notebooks/a.ipynb", "--expose-app-in-browser")
    kernel = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status"
    # Not waited for: the command ends with its cell.
    run = "() => { window.jupyterapp.commands.execute('notebook:run-cell'); }"
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            page = browser.new_page()
            page.on("dialog", lambda dialog: dialog.accept())
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(f"{clone.address}/lab/tree/notebooks/a.ipynb?reset&token={clone.token}")
            page.wait_for_selector(".jp-CodeCell")
            page.wait_for_function(f"() => {kernel} === 'idle'")
            page.evaluate(run)
            page.wait_for_selector(".jp-OutputArea-output >> text=Rust is not ready yet")
            page.reload()
            page.wait_for_selector(".jp-CodeCell")
            [of_server] = clone.ask("/api/kernels")
            assert of_server["execution_state"] == "busy", "the cell waits without its page"
            assert page.evaluate(f"() => {kernel}") != "idle"
            clone.let("finish-kernel")
            clone.let("finish-build")
            page.wait_for_function(f"() => {kernel} === 'idle'")
            # The second cell, with what the first has left.
            page.evaluate("() => { window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1; }")
            page.evaluate(run)
            page.wait_for_selector(".jp-OutputArea-executeResult >> text=21")
        finally:
            browser.close()
