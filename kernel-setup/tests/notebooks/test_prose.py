"""No number in the prose of a notebook without its origin: see prose.py for the rule."""

import pathlib

import nbformat.v4 as v4
import pytest
from prose import executed, minutes, quoted, read, told_minutes, unfounded

FOLDER = pathlib.Path(__file__).resolve().parents[3] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_every_number_in_prose_is_found(path):
    notebook = read(path)
    if not executed(notebook):
        pytest.skip(f"{path.name} holds no outputs: run it with `cargo kernel run --inplace`")
    faults = unfounded(notebook)
    assert not faults, "in no output and no code: " + "; ".join(faults)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.name)
def test_the_readme_tells_the_time_of_this_run(path):
    notebook = read(path)
    if not executed(notebook):
        pytest.skip(f"{path.name} holds no outputs")
    told, took = told_minutes(FOLDER / "README.md", path.name), minutes(notebook)
    assert told is not None, f"notebooks/README.md has no row for {path.name} that ends in its minutes"
    assert abs(told - took) <= 1, f"the committed run took {took:.1f} minutes, not {told}"


def notebook(prose, printed="", code="f(0.1, 5e-4)"):
    output = v4.new_output("stream", text=printed)
    return v4.new_notebook(cells=[v4.new_markdown_cell(prose), v4.new_code_cell(code, outputs=[output])])


@pytest.mark.parametrize(
    ("prose", "printed", "found"),
    [
        ("the error is 28.84", "reconstruction 28.8391", True),
        ("the error is 28.84", "reconstruction 28.8291", False),
        ("the error is 28.8", "reconstruction 28.8391", True),
        ("it reads 24 % of them", "read 24.4 %", True),
        ("it reads 25 % of them", "read 24.4 %", False),
        ("a rate of 0.1", "", True),  # stands in the code
        ("a rate of 0.2", "", False),
        ("a rate of 0.0005", "", True),  # as 5e-4
        ("1,234.5 s of 60,000 images", "took 1234.5 s", True),
        ("near 8 nats", "7.96 nats", True),
        ("near 8 nats", "9.1", False),
        ("at 4.94 nats", "4.94×10⁻⁸", False),
        ("the original stays at 0.268 <!-- not from this run: 0.268 (the original) -->", "", True),
        ("the original stays at 0.269 <!-- not from this run: 0.268 (the original) -->", "", False),
        ("minus 3.5", "3.5", True),
    ],
)
def test_the_rule(prose, printed, found):
    assert bool(unfounded(notebook(prose, printed))) is not found


def test_what_is_no_quotation():
    prose = "Kingma 2013, `0.5`, $0.25 x$, [0.75](https://a.org/1.5), version 0.22.0, 16 dimensions, x1.5\n```\n2.5\n```"
    assert quoted(prose) == ["0.75"], "a link's text is prose, its address is not"
