"""`cargo kernel run`'s driver: what it reports, writes and returns. Python's own kernel stands in for ours."""

import json
import pathlib
import resource
import signal
import subprocess
import sys
import time
from random import Random

import nbformat
import pytest

DRIVER = pathlib.Path(__file__).parents[2] / "python" / "run.py"


def start(tmp_path, *cells, source=None, how=(), **options):
    """Start to run a notebook of these cells; return the process and the executed copy's path."""
    notebook = tmp_path / "here" / "a.ipynb"
    notebook.parent.mkdir()
    if source is None:
        nbformat.write(
            nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), notebook
        )
    else:
        notebook.write_text(source)
    copy = tmp_path / "out" / "a.ipynb"
    command = [sys.executable, DRIVER, notebook, copy, "python3", *how]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, **options), copy


def run(tmp_path, *cells, source=None, how=()):
    """Run a notebook of these cells; return the finished process and the executed copy's path."""
    process, copy = start(tmp_path, *cells, source=source, how=how)
    out, err = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err), copy


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


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("", "no JSON"),
        ("{", "no JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"nbformat": 4}', "no list of cells"),
        ("[]", "no JSON object"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 5}', "no list of cells"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [7]}', "entry 1"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": 3}]}', "cell 1"),
        ('{"nbformat": 4, "nbformat_minor": 5, "metadata": 3, "cells": []}', "format"),
        ('{"nbformat": "4", "cells": []}', "no version"),
        ('{"nbformat": 3, "worksheets": []}', "old format 3"),
    ],
)
def test_what_is_not_a_notebook_is_said_and_nothing_is_written(tmp_path, source, fault):
    done, copy = run(tmp_path, source=source)
    assert done.returncode == 1
    assert "a.ipynb is not a notebook" in done.stdout, done.stdout + done.stderr
    assert fault in done.stdout
    assert done.stderr == ""
    assert not copy.parent.exists()


def spoil(value, random):
    """A JSON value with one of its parts replaced."""
    if isinstance(value, (dict, list)) and value and random.random() < 0.8:
        key = random.choice(list(value) if isinstance(value, dict) else range(len(value)))
        value[key] = spoil(value[key], random)
        return value
    return random.choice([None, 5, -1, "x", [], {}, [[]], {"a": 1}, True, 1e300])


def test_broken_notebooks_never_answer_in_raw_python(tmp_path):
    """Three hundred notebooks, each with one part replaced: read, or refused in a sentence."""
    sys.path.insert(0, str(DRIVER.parent))
    import run as driver

    output = nbformat.v4.new_output("display_data", data={"text/plain": "x"})
    random = Random(1)
    refused = 0
    for turn in range(300):
        cells = [nbformat.v4.new_code_cell("1", outputs=[output]), nbformat.v4.new_markdown_cell("a")]
        content = spoil(json.loads(nbformat.writes(nbformat.v4.new_notebook(cells=cells))), random)
        path = tmp_path / "a.ipynb"
        path.write_text(json.dumps(content))
        notebook, fault = driver.read(path)
        assert (notebook is None) != (fault is None)
        refused += fault is not None
        assert fault is None or ("\n" not in fault and "object" not in fault.replace("JSON object", ""))
    assert refused > 100


@pytest.mark.parametrize(("number", "word"), [(signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")])
def test_a_signal_interrupts_the_cell_and_keeps_what_was_done(tmp_path, number, word):
    process, copy = start(tmp_path, "print('kept')", "import time\nprint('begun', flush=True)\ntime.sleep(600)", "print('never')")
    # The second cell runs once the first is reported.
    assert "cell  1/3" in process.stdout.readline()
    time.sleep(1)
    process.send_signal(number)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "Traceback" not in err
    assert f"cell 2 was interrupted by {word}; what was done until then is kept" in out
    cells = nbformat.read(copy, as_version=4).cells
    assert cells[0].outputs[0].text == "kept\n" and cells[1].outputs and cells[2].outputs == []


def test_a_cell_that_ignores_the_interrupt_goes_with_its_kernel(tmp_path):
    process, copy = start(tmp_path, "1", "import time, signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\ntime.sleep(600)")
    assert "cell  1/2" in process.stdout.readline()
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "cell 2 was interrupted by Ctrl-C" in out and "Traceback" not in err
    assert copy.is_file()


def test_a_copy_that_cannot_be_written_leaves_the_old_one(tmp_path):
    copy = tmp_path / "out" / "a.ipynb"
    (copy / "in the way").mkdir(parents=True)
    done, copy = run(tmp_path, "1")
    assert done.returncode == 1
    assert "can't be written" in done.stdout, done.stdout + done.stderr
    assert "cell" not in done.stdout, "it was found out only when the cells had run"
    assert [entry.name for entry in copy.parent.iterdir()] == ["a.ipynb"]


def test_a_disk_without_room_is_found_out_before_the_cells_run(tmp_path):
    def no_room():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))

    process, copy = start(tmp_path, "1", preexec_fn=no_room)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1 and "can't be written: File too large" in out, out + err
    assert "cell" not in out and not list(copy.parent.iterdir())


# Python reads the line that parts answer and asserts as text.
EXERCISE = 'def f():\n    raise NotImplementedError  # todo!()\n"""\n// Right?\n"""\nassert f() == 2'


def solved(tmp_path, solution, wrong=(), how=("solved",)):
    """Run a notebook with one exercise, whose solution this is."""
    text = f"<details><summary>A solution</summary>\n\n```rust\n{solution}\n\"\"\"\n```\n\n</details>"
    tags = ["exercise", "skip-execution", "raises-exception"]
    wrong = [answer + '\n"""' for answer in wrong]
    cells = [
        nbformat.v4.new_code_cell(EXERCISE, metadata={"tags": tags, "wrong": wrong}),
        nbformat.v4.new_markdown_cell(text, metadata={"tags": ["solution"]}),
        nbformat.v4.new_code_cell("print('end')"),
    ]
    source = nbformat.writes(nbformat.v4.new_notebook(cells=cells))
    return run(tmp_path, source=source, how=how)


def test_an_exercise_is_left_to_the_reader(tmp_path):
    done, copy = solved(tmp_path, "def f(): return 3", how=())
    assert done.returncode == 0, done.stdout
    cells = nbformat.read(copy, as_version=4).cells
    assert cells[0].source == EXERCISE and not cells[0].outputs and cells[0].execution_count is None
    assert cells[2].outputs[0].text == "end\n"


def test_a_solution_must_satisfy_its_asserts_and_a_wrong_answer_must_not(tmp_path):
    done, copy = solved(tmp_path, "def f(): return 2", ["def f(): return 1", "def f(): return 3"])
    assert done.returncode == 0, done.stdout
    cells = nbformat.read(copy, as_version=4).cells
    assert [cell.cell_type for cell in cells] == ["code", "markdown", "code"]
    assert "return 2" in cells[0].source and not cells[0].outputs


@pytest.mark.parametrize(
    ("solution", "wrong", "fault"),
    [
        ("def f(): return 3", [], "AssertionError"),
        ("def f(): return 2", ["def f(): return 2.0"], "the asserts of an exercise accept a wrong answer"),
        ("def f(): return 2\n```\n\n```rust\n", [], "needs a todo!()"),
    ],
)
def test_a_faulty_exercise_is_a_failure(tmp_path, solution, wrong, fault):
    done, _ = solved(tmp_path, solution, wrong)
    assert done.returncode == 1 and fault in done.stdout
