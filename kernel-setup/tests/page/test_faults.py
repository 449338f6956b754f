"""Bad input: one sentence that names the notebook and the cell, and no page."""

import base64
import io
import json
import subprocess
import sys

import pytest
from conftest import ROOT, code, display, figure, new_output, notebook, png, stream, text
from page import command


def run(studio, monkeypatch, capsys, *names, **options):
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(studio.orders(*names, **options))))
    status = command.main()
    return status, capsys.readouterr().err


def refused(studio, content):
    studio.save("a.ipynb", content)
    publisher = studio.publish("a.ipynb")
    assert not studio.site.exists()
    (fault,) = publisher.faults()
    assert "\n" not in fault and fault.startswith("a.ipynb")
    return fault


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"# a text", "it is not JSON (line 1, column 1"),
        (b"\xff\xfe\x00", "it is not UTF-8 text"),
        (b"", "it is not JSON"),
        (b"[1, 2]", "it has no `nbformat`"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "it breaks the notebook format"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}', "it has no cells"),
        (b"[" * 100_000, "it is not"),
    ],
)
def test_what_is_no_notebook(studio, content, said):
    assert said in refused(studio, content)


def test_an_older_format(studio):
    old = b'{"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": []}]}'
    fault = refused(studio, old)
    assert "of notebook format 3" in fault and "jupyter nbconvert" in fault


def test_a_broken_cell(studio):
    broken = notebook(text("a"), code("b"))
    del broken["cells"][1]["source"]
    assert "a.ipynb, cell 2: it breaks" in refused(studio, broken)


def test_no_outputs(studio):
    fresh = notebook(text("# T"), code("let x = 1;"))
    fresh.cells[1].execution_count = None
    fault = refused(studio, fresh)
    assert "cell 2 (“let x = 1;”): the notebook has no outputs" in fault and "--execute" in fault
    # To be executed, it is just right.
    assert studio.publish("a.ipynb", output=False).faults() == []


@pytest.mark.parametrize("damage", ["not base64!", png()[:400], "", "aGVsbG8="])
def test_a_broken_image(studio, damage):
    (fault,) = studio.faults(code("show(&figure)", figure(), display({"image/png": damage})))
    assert "cell 1 (“show(&figure)”): a figure among its outputs is broken" in fault


def test_a_missing_picture_and_one_from_outside(studio):
    (studio.folder / "b.png").write_bytes(base64.b64decode(png())[:500])
    faults = studio.faults(text("# A\n\n![x](gone.png) ![y](../../../etc/passwd) ![z](b.png)"))
    assert "markdown cell 1 (“# A”): there is no picture gone.png" in faults[0]
    assert "lies outside the notebook's folder" in faults[1]
    assert "the picture b.png is broken: the file is cut off or damaged" in faults[2]


def test_an_unclosed_dollar(studio):
    faults = studio.faults(text("fine $x$"), text("a $z = 1 and so on"), text("$$ y = 2\n\nmore"))
    assert "cell 2 (“a $z = 1 and so on”): the `$` in “$z = 1 and so on” opens" in faults[0]
    assert "\\$ for a dollar sign" in faults[0] and "cell 3" in faults[1]


def test_a_formula_that_is_no_tex(studio):
    faults = studio.faults(
        text("$\\frac{1}{2$ and $\\nonsense{x}$"), text("$$\\begin{foo}\\end{foo}$$")
    )
    assert "the formula $\\frac{1}{2$ can't be typeset" in faults[0]
    assert "\\nonsense" in faults[1] and "cell 2" in faults[2]


def test_a_formula_that_takes_forever(studio):
    hidden = "$\\newcommand{\\oo}{((((}$ $" + "\\oo" * 10 + " x$"
    closed_first = "$" + ")" * 60 + "(" * 60 + "$"
    faults = studio.faults(text("$" + "(" * 60 + "x$"), text(hidden), text(closed_first))
    assert len(faults) == 3 and all("it takes too long" in fault for fault in faults)
    studio.page(text("$" + "(" * 60 + ")" * 60 + "$ $[0, 1)$"))


def test_an_unknown_kernel(studio):
    unknown = {
        "kernelspec": {"name": "foo", "display_name": "Foo"},
        "language_info": {"name": "foo"},
    }
    fault = refused(studio, notebook(text("# T"), code("x"), **unknown))
    assert "cell 2 (“x”): the notebook's kernel “foo” is unknown" in fault
    python = {
        "kernelspec": {"name": "python3", "display_name": "P", "language": "python"},
        "language_info": {"name": "python"},
    }
    studio.save("a.ipynb", notebook(code("x"), **python))
    (fault,) = studio.publish("a.ipynb", output=False).faults()
    assert "kernel “python3” is unknown here, so it can't be executed" in fault


def test_one_bad_notebook_keeps_all_pages_from_being_written(studio, monkeypatch, capsys):
    studio.save("good.ipynb", notebook(text("# Good")))
    studio.save("bad.ipynb", b"{")
    status, said = run(studio, monkeypatch, capsys, "good.ipynb", "bad.ipynb")
    assert status == 1 and said.count("\n") == 1 and said.startswith("error: bad.ipynb: ")
    assert not studio.site.exists()


def test_a_page_that_was_there_survives_a_fault(studio, monkeypatch, capsys):
    studio.page(text("# First"))
    before = (studio.site / "a.html").read_bytes()
    studio.save("a.ipynb", notebook(text("$open")))
    status, _ = run(studio, monkeypatch, capsys, "a.ipynb")
    assert status == 1 and (studio.site / "a.html").read_bytes() == before
    assert [file.name for file in studio.site.iterdir()] == ["a.html"]


def test_a_folder_that_cant_be_written(studio, monkeypatch, capsys):
    studio.save("a.ipynb", notebook(text("# A")))
    studio.site.write_text("a file")
    status, said = run(studio, monkeypatch, capsys, "a.ipynb")
    assert status == 1 and "can't be written" in said and said.count("\n") == 1


def test_a_write_cut_off_leaves_nothing_behind(studio, monkeypatch):
    studio.save("a.ipynb", notebook(text("# A")))
    studio.save("b.ipynb", notebook(text("# B")))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.chmod", full)
    with pytest.raises(OSError, match="No space"):
        studio.publish("a.ipynb", "b.ipynb")
    assert list(studio.site.iterdir()) == []


def test_odd_outputs_are_no_fault(studio):
    cells = [
        code("a", stream(""), display({}), display({"application/vnd.x+json": {"a": 1}})),
        code(
            "b", display({"application/json": {"a": 1}}), new_output("error", ename="E", evalue="v")
        ),
        code("c", stream("\x00\x07\x1b[31mopen"), display({"text/plain": "  "})),
    ]
    studio.page(*cells)
    studio.save("a.ipynb", notebook(*cells))
    (note,) = studio.publish("a.ipynb").notes()
    assert "an output of type application/vnd.x+json can't be shown" in note


def test_the_command_starts_without_its_folder_on_the_path(studio):
    studio.save("a.ipynb", notebook(text("# A")))
    start = (
        "import sys; sys.path.insert(0, sys.argv[1]); "
        "from page.command import main; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", start, str(ROOT / "kernel-setup/python")],
        input=json.dumps(studio.orders("a.ipynb")),
        capture_output=True,
        text=True,
        cwd=studio.folder,
    )
    assert done.returncode == 0 and "1 page in " in done.stdout and done.stderr == ""
