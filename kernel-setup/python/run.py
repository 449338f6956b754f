"""Run a notebook through the Jupyter protocol, and write the executed copy.

Usage: run.py NOTEBOOK TARGET KERNEL

Each cell is reported with the time from sending it to the start of its own code, where the kernel
tells that time (`metadata.started` of its reply), and the time that it took in all. The exit status
is 1 if a cell failed: the run stops there, and what was done until then is written all the same.
"""

import ctypes
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

ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
PANIC = re.compile(r"^thread '.*panicked at ", re.MULTILINE)


def end_with_parent():
    """Makes the end of `cargo kernel`, however sudden, an interrupt here: no kernel stays behind."""
    if sys.platform == "linux":
        PR_SET_PDEATHSIG = 1
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


class Failure(Exception):
    """A cell that failed, as one line."""


class Runner:
    """Reports cells as they are done, and finds the failures that a kernel doesn't report."""

    def __init__(self, notebook):
        self.notebook = notebook
        self.code_cells = sum(is_code(cell) for cell in notebook.cells)
        self.number = 0
        self.sent = 0.0
        self.waits = []
        self.failure = None

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
        if execute_reply["content"]["status"] == "ok":
            self.failure = hidden_failure(cell)
            if self.failure:
                raise Failure(self.failure)

    def describe(self, error):
        """The failure of the present cell in one line."""
        if isinstance(error, CellExecutionError):
            what = f"{error.ename}: {last_line(error.evalue)}"
        elif isinstance(error, DeadKernelError):
            what = "the kernel died"
        else:
            what = str(error)
        return f"cell {self.number} failed: {ANSI.sub('', what)}"


def is_code(cell):
    return cell.cell_type == "code" and cell.source.strip() != ""


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


def write_whole(notebook, target):
    folder = os.path.dirname(os.path.abspath(target))
    os.makedirs(folder, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder, prefix=".run.", suffix=".ipynb")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            nbformat.write(notebook, file)
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, target)
    except BaseException:
        os.unlink(name)
        raise


def main(source, target, kernel):
    try:
        notebook = nbformat.read(source, as_version=4)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        print(f"  {source} is not a notebook: {reason}")
        return 1
    runner = Runner(notebook)
    client = NotebookClient(
        notebook,
        timeout=None,
        startup_timeout=120,
        kernel_name=kernel,
        resources={"metadata": {"path": os.path.dirname(os.path.abspath(source))}},
        on_cell_execute=runner.send,
        on_cell_executed=runner.done,
    )
    failure = None
    start = time.time()
    try:
        client.execute()
    except Exception as error:
        failure = runner.describe(error)
    except KeyboardInterrupt:
        failure = f"cell {runner.number} was interrupted"
    try:
        write_whole(notebook, target)
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


if __name__ == "__main__":
    end_with_parent()
    sys.exit(main(*sys.argv[1:]))
