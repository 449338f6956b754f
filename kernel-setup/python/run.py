"""Run a notebook through the Jupyter protocol, and write the executed copy.

Usage: run.py NOTEBOOK TARGET KERNEL [solved]

With `solved`, the exercises are done too, each as its solution in the next cell says: the asserts must refuse the
exercise as it stands, and every wrong answer in its metadata, and must accept the solution.

Each cell is reported with the time from sending it to the start of its own code, where the kernel
tells that time (`metadata.started` of its reply), and the time that it took in all. The exit status
is 1 if a cell failed: the run stops there, and what was done until then is written all the same.
So it is after Ctrl-C and SIGTERM, which interrupt the cell; a second one, or a cell that has not ended
after some seconds, ends the kernel.
"""

import asyncio
import contextlib
import ctypes
import json
import os
import re
import signal
import statistics
import sys
import tempfile
import time
from datetime import datetime

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from whole import write_whole

# How long an interrupted cell may take to end.
GRACE = 15.0
# Signals that come together are one: a terminal sends Ctrl-C to us and to `cargo kernel`, which passes it on.
TOGETHER = 0.5

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
PANIC = re.compile(r"^thread '.*panicked at ", re.MULTILINE)


def end_with_parent():
    """Makes the end of `cargo kernel`, however sudden, an interrupt here: no kernel stays behind."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


class Failure(Exception):
    """A cell that failed, as one line."""


class Client(NotebookClient):
    """A client that interrupts its cell where nbclient's own takes the kernel away."""

    runner = None
    asked = None

    async def async_start_new_kernel(self, **kwargs):
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stop, number)
        await super().async_start_new_kernel(**kwargs)

    def stop(self, number):
        now = time.monotonic()
        if self.asked is not None and now - self.asked < TOGETHER:
            return
        first, self.asked = self.asked is None, now
        self.runner.stopped = "by Ctrl-C" if number == signal.SIGINT else "by SIGTERM"
        if first and self.runner.number > 0:
            self.later(self.km.interrupt_kernel)
            asyncio.get_running_loop().call_later(GRACE, self.end)
        else:
            self.end()

    def end(self):
        self.later(self.km.shutdown_kernel, now=True)

    def later(self, call, **kwargs):
        async def work():
            # The kernel may be gone already, which is what is wanted.
            with contextlib.suppress(Exception):
                result = call(**kwargs)
                if asyncio.iscoroutine(result) or asyncio.isfuture(result):
                    await result

        self.work = asyncio.ensure_future(work())


SKIPPED = "skip-execution"  # nbclient passes over cells with this tag
MAY_FAIL = "raises-exception"  # and goes on after a failure of those with this one
ASSERTS = "// Right?\n"
SOLUTION = re.compile(r"^```rust\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def solve(notebook):
    """Puts in place of each exercise its refused answers and its solution."""
    cells = []
    for cell, following in zip(notebook.cells, [*notebook.cells[1:], None]):
        if "exercise" not in tags(cell):
            cells.append(cell)
            continue
        asserts = cell.source.partition(ASSERTS)[2]
        found = SOLUTION.findall(following.source) if following and "solution" in tags(following) else []
        if "todo!(" not in cell.source or "assert" not in asserts or len(found) != 1:
            raise Failure(
                f"the exercise {first_line(cell.source)!r} needs a todo!(), a line {ASSERTS.strip()!r} with asserts "
                "below it, and a next cell, tagged solution, with one block of Rust"
            )
        wrong = [f"{answer}\n{ASSERTS}{asserts}" for answer in cell.metadata.get("wrong", [])]
        for source in [cell.source, *wrong]:
            cells.append(nbformat.v4.new_code_cell(source, metadata={"tags": [MAY_FAIL], "refused": True}))
        cells.append(nbformat.v4.new_code_cell(found[0] + ASSERTS + asserts))
    notebook.cells = cells


def tags(cell):
    return cell.metadata.get("tags", [])


class Runner:
    """Reports cells as they are done, and finds the failures that a kernel doesn't report."""

    def __init__(self, notebook):
        self.notebook = notebook
        self.code_cells = sum(is_code(cell) for cell in notebook.cells)
        self.number = 0
        self.sent = 0.0
        self.waits = []
        self.failure = None
        self.stopped = None

    def send(self, cell, cell_index):
        if is_code(cell):
            self.number += 1
            self.sent = time.time()

    def done(self, cell, cell_index, execute_reply):
        took = time.time() - self.sent
        started = started_at(execute_reply)
        wait = None if started is None else max(0.0, started - self.sent)
        # The first cell loads the dependencies; the median is about the cells of a working notebook.
        if wait is not None and self.number > 1:
            self.waits.append(wait)
        start = "      -" if wait is None else f"{wait:6.2f} s"
        title = first_line(cell.source)
        print(
            f"  cell {self.number:>2}/{self.code_cells}  start {start}  took {took:7.2f} s  {title}",
            flush=True,
        )
        failed = execute_reply["content"]["status"] != "ok"
        if cell.metadata.get("refused"):
            if not (failed or hidden_failure(cell)):
                raise Failure("the asserts of an exercise accept a wrong answer")
            if execute_reply["content"].get("ename") == "CompileError":
                raise Failure(f"an answer that is to be refused doesn't compile: {execute_reply['content']['evalue']}")
        elif not failed:
            self.failure = hidden_failure(cell)
            if self.failure:
                raise Failure(self.failure)

    def describe(self, error):
        """The failure of the present cell in one line."""
        if self.stopped:
            where = f"cell {self.number}" if self.number else "the run, before its first cell,"
            return f"{where} was interrupted {self.stopped}; what was done until then is kept"
        if isinstance(error, CellExecutionError):
            what = f"{error.ename}: {last_line(error.evalue)}"
        elif isinstance(error, DeadKernelError):
            what = "the kernel died"
        else:
            what = str(error) or type(error).__name__
        return f"cell {self.number} failed: {ANSI.sub('', what)}"


def is_code(cell):
    return cell.cell_type == "code" and cell.source.strip() != "" and SKIPPED not in tags(cell)


def started_at(reply):
    """When the cell's own code began to run, in seconds, if the kernel tells."""
    text = reply.get("metadata", {}).get("started")
    if text is None:
        return None
    if isinstance(text, datetime):
        return text.timestamp()
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def hidden_failure(cell):
    """A panic that the kernel reported as success."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream" and output.name == "stderr":
            text = ANSI.sub("", output.text)
            found = PANIC.search(text)
            if found:
                rest = text[found.start():].splitlines()
                return "panic: " + " ".join(line.strip() for line in rest[:2])
    return None


def first_line(source):
    line = next((line for line in source.splitlines() if line.strip()), "")
    return line.strip()[:40]


def last_line(text):
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else ""


def fault_of(content):
    """What keeps a JSON value from being a notebook, or None."""
    if not isinstance(content, dict):
        return "it is no JSON object"
    if not isinstance(content.get("nbformat"), int):
        return "it has no version (`nbformat`)"
    if content["nbformat"] < 4:
        return f"it is of the old format {content['nbformat']}: open and save it in JupyterLab once"
    cells = content.get("cells")
    if not isinstance(cells, list):
        return "it has no list of cells"
    for number, cell in enumerate(cells, 1):
        if not isinstance(cell, dict) or not isinstance(cell.get("cell_type"), str):
            return f"entry {number} of its cells is none"
        text = cell.get("source")
        lines = text if isinstance(text, list) else [text]
        if not all(isinstance(line, str) for line in lines):
            return f"cell {number} has no text"
    return None


def read(source):
    """The notebook, or what is wrong with it."""
    try:
        with open(source, encoding="utf-8") as file:
            content = json.load(file)
    except OSError as error:
        return None, f"it can't be read: {error.strerror}"
    except RecursionError:
        return None, "it is nested too deeply"
    except ValueError:
        return None, "it is no JSON"
    fault = fault_of(content)
    if fault:
        return None, fault
    try:
        # Its own words on what is wrong go to nobody: the check below says it once.
        notebook = nbformat.reads(json.dumps(content), as_version=4)
        nbformat.validate(notebook)
        return notebook, None
    except nbformat.ValidationError as error:
        place = ".".join(str(part) for part in error.absolute_path or ()) if hasattr(error, "absolute_path") else ""
        where = f" at {place}" if place else ""
        return None, f"it does not keep to the format{where}"
    except Exception as error:
        return None, f"it does not keep to the format ({type(error).__name__})"


def fault_of_target(target, size):
    """What will keep a copy of this size from being written, or None: known before an hour is spent on it."""
    if os.path.isdir(target):
        return "there is a folder of that name"
    folder = os.path.dirname(os.path.abspath(target))
    try:
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(size))
            file.flush()
            os.fsync(file.fileno())
        return None
    except OSError as error:
        return error.strerror


def main(source, target, kernel, *what):
    notebook, fault = read(source)
    if fault:
        print(f"  {source} is not a notebook: {fault}")
        return 1
    fault = fault_of_target(target, os.path.getsize(source))
    if fault:
        print(f"  {target} can't be written: {fault}")
        return 1
    if "solved" in what:
        try:
            solve(notebook)
        except Failure as error:
            print(f"  {error}")
            return 1
    runner = Runner(notebook)
    client = Client(
        notebook,
        timeout=None,
        startup_timeout=120,
        kernel_name=kernel,
        resources={"metadata": {"path": os.path.dirname(os.path.abspath(source))}},
        on_cell_execute=runner.send,
        on_cell_executed=runner.done,
    )
    client.runner = runner
    failure = None
    start = time.time()
    try:
        client.execute()
        failure = runner.describe(None) if runner.stopped else None
    except (Exception, KeyboardInterrupt, asyncio.CancelledError) as error:
        failure = runner.describe(error)
    finally:
        # What is written now is written to its end.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
    # What was refused has done its work; the copy is for readers.
    notebook.cells = [cell for cell in notebook.cells if not cell.metadata.get("refused")]
    try:
        write_whole({target: nbformat.writes(notebook) + "\n"})
    except OSError as error:
        print(f"  {target} can't be written: {error.strerror}")
        return 1
    if runner.waits:
        median = statistics.median(runner.waits)
        print(f"  median start of {len(runner.waits)} cells after the first: {median:.2f} s")
    print(f"  {time.time() - start:.1f} s in all; written to {os.path.relpath(target)}")
    if failure:
        print(f"  {failure}")
    return 1 if failure else 0


def command():
    end_with_parent()
    sys.exit(main(*sys.argv[1:]))


if __name__ == "__main__":
    command()
