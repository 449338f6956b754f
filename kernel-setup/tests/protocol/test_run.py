"""`cargo kernel run`'s driver: what it reports, writes and returns. Python's own kernel stands in for ours."""

import pathlib
import subprocess
import sys

import nbformat
import pytest

DRIVER = pathlib.Path(__file__).parents[2] / "python" / "run.py"


def run(tmp_path, *cells, source=None):
    """Run a notebook of these cells; return the finished process and the executed copy's path."""
    notebook = tmp_path / "here" / "a.ipynb"
    notebook.parent.mkdir()
    if source is None:
        nbformat.write(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), notebook
        )
    else:
        notebook.write_text(source)
    copy = tmp_path / "out" / "a.ipynb"
    command = [sys.executable, DRIVER, notebook, copy, "python3"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done, copy


def test_every_cell_is_reported_and_the_copy_holds_the_outputs(tmp_path):
    done, copy = run(tmp_path, "x = 20", "x + 1", "import os; print(os.path.basename(os.getcwd()))")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cell  3/3" in done.stdout and "median start of 2 cells" in done.stdout
    cells = nbformat.read(copy, as_version=4).cells
    assert cells[1].outputs[0].data["text/plain"] == "21"
    assert cells[2].outputs[0].text == "here\n", "cells run in the notebook's folder"


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        ("raise ValueError('first\\nsecond')", "cell 2 failed: ValueError: second"),
        (
            "import sys; print(\"thread 'main' panicked at src/lib.rs:1:2:\\nouch\", file=sys.stderr)",
            "cell 2 failed: panic: thread 'main' panicked at src/lib.rs:1:2: ouch",
        ),
        ("import os; os._exit(3)", "cell 2 failed: the kernel died"),
    ],
)
def test_the_first_failing_cell_ends_the_run_and_what_was_done_is_kept(tmp_path, cell, fault):
    done, copy = run(tmp_path, "print('kept')", cell, "print('never')")
    assert done.returncode == 1
    assert fault in done.stdout
    cells = nbformat.read(copy, as_version=4).cells
    assert cells[0].outputs[0].text == "kept\n"
    assert cells[2].outputs == []


@pytest.mark.parametrize("source", ["", "{", '{"nbformat": 4}', "[]"])
def test_what_is_not_a_notebook_is_said_and_nothing_is_written(tmp_path, source):
    done, copy = run(tmp_path, source=source)
    assert done.returncode == 1
    assert "a.ipynb is not a notebook" in done.stdout, done.stdout + done.stderr
    assert done.stderr == ""
    assert not copy.parent.exists()


def test_a_copy_that_cannot_be_written_leaves_the_old_one(tmp_path):
    copy = tmp_path / "out" / "a.ipynb"
    (copy / "in the way").mkdir(parents=True)
    done, copy = run(tmp_path, "1")
    assert done.returncode == 1
    assert "can't be written" in done.stdout, done.stdout + done.stderr
    assert [entry.name for entry in copy.parent.iterdir()] == ["a.ipynb"]
