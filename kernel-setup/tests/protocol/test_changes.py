"""What readers change in the tutorial: each change runs or is answered in a sentence, and the process lives.

A part of the table, unless `ICVAE_CHANGES=all` wants all of it, which takes a quarter of an hour.
"""

import json
import os
import pathlib
import re

import changes
import pytest
from changes import BASE, NEVER, TABLE, Edited
from conftest import Kernel

NOTEBOOK = pathlib.Path(__file__).resolve().parents[3] / "notebooks" / "tutorial.ipynb"
ANSI = re.compile("\x1b\\[[0-9;]*m")


#: The layers and what belongs together are always tried.
CHOSEN = [
    change
    for number, change in enumerate(TABLE)
    if os.environ.get("ICVAE_CHANGES") == "all" or change in changes.ALWAYS or number % 6 == 0
]
#: The others are there to be counted, so that nobody takes a part for the whole.
LEFT_OUT = pytest.mark.skip(
    reason=f"by choice: {len(TABLE) - len(CHOSEN)} of {len(TABLE)} readers' changes are left out; "
    "ICVAE_CHANGES=all takes them all"
)


class Notebook(dict):
    """The code cells of the tutorial, each by a text that it alone holds."""

    def __init__(self):
        cells = json.loads(NOTEBOOK.read_text())["cells"]
        self.sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]

    def __missing__(self, key):
        found = [source for source in self.sources if key in source]
        assert len(found) == 1, f"{len(found)} cells of the tutorial hold {key!r}: bring the table up to date"
        self[key] = found[0]
        return found[0]

    def place(self, key):
        return self.sources.index(self[key])


class Reader:
    """Somebody with the tutorial open, who puts right what a change has cost, as the kernel says."""

    def __init__(self, folder):
        self.notebook = Notebook()
        environment = {"ICVAE_DATA": "synthetic", "ICVAE_SMOKE": "1", "XDG_CACHE_HOME": str(folder / "cache")}
        self.kernel = Kernel(cwd=str(NOTEBOOK.parent), env={**os.environ, **environment})
        self.kernel.ok(f'std::env::set_current_dir("{NOTEBOOK.parent}")?;')
        #: which cell of the notebook an execution number belongs to
        self.numbers = {}
        #: cells of the notebook that are not what they were
        self.dirty = set()
        for key in BASE:
            cell = self.run(Edited(key))
            assert cell.reply["status"] == "ok", (key, cell.reply)
        self.kernel.ok(f'std::env::set_current_dir("{folder}")?;')

    def run(self, step):
        """Runs a cell of the notebook, changed or not, or a text."""
        code = step if isinstance(step, str) else step.of(self.notebook)
        if not isinstance(step, str) and step.key == changes.SETUP:
            code = code.replace("../icvae-core", str(NOTEBOOK.parents[1] / "icvae-core"))
        cell = self.kernel.run(code)
        if not isinstance(step, str):
            self.numbers[cell.reply["execution_count"]] = step.key
            if step.pairs:
                self.dirty.add(step.key)
        # What is gone is made again by the cells that the kernel names.
        told = cell.text("stderr") + cell.reply.get("evalue", "")
        for advice in re.findall(r"run cells? ([^.;\n]*?) again", told):
            spans = re.findall(r"\[(\d+)\](?: to \[(\d+)\])?", advice)
            for first, last in spans:
                for number in range(int(first), int(last or first) + 1):
                    if number in self.numbers:
                        self.dirty.add(self.numbers[number])
        return cell

    def tidy(self):
        """Puts the notebook's own cells back."""
        while self.dirty:
            key = min(self.dirty, key=self.notebook.place)
            self.dirty.discard(key)
            cell = self.run(Edited(key))
            assert cell.reply["status"] == "ok", (key, cell.reply)


@pytest.fixture(scope="module")
def reader(tmp_path_factory):
    reader = Reader(tmp_path_factory.mktemp("reader"))
    yield reader
    reader.kernel.stop()


def seen(cell):
    """All that a reader sees of a cell, as text."""
    parts = [cell.text(), cell.text("stderr"), cell.reply.get("evalue", ""), "\n".join(cell.reply.get("traceback", []))]
    for kind in ("execute_result", "display_data", "update_display_data"):
        parts += [content["data"].get("text/plain", "") for content in cell.of(kind)]
    return ANSI.sub("", "\n".join(parts))


@pytest.mark.parametrize(
    "change",
    [pytest.param(change, id=change.name, marks=() if change in CHOSEN else LEFT_OUT) for change in TABLE],
)
def test_a_change_runs_or_says_why(reader, change):
    if not change.goes_on:
        reader.tidy()
    texts, changed = [], False
    for number, step in enumerate(change.cells, 1):
        cell = reader.run(step)
        changed |= isinstance(step, Edited) and bool(step.pairs)
        if changed and isinstance(step, Edited) and step.key in changes.MADE:
            reader.dirty.add(step.key)
        texts.append(seen(cell))
        if number < len(change.cells):
            assert cell.reply["status"] == "ok", texts[-1]
    status = "ok" if cell.reply["status"] == "ok" else cell.reply["ename"]
    assert status == change.status, texts[-1]
    everything = "\n".join(texts)
    for text in change.says:
        assert text in everything, everything
    for text in (*NEVER, *change.never):
        assert text not in texts[-1], texts[-1]
    assert len(texts[-1]) < 8_000, f"{len(texts[-1])} characters"
    if change.line is not None and status != "ok":
        assert re.search(r"cell \[\d+\], line \d+", texts[-1]), texts[-1]
        assert any(change.line in line for line in texts[-1].splitlines() if re.match(r"\s*\d+ [|│]", line)), texts[-1]


def test_the_table_is_as_large_as_it_says():
    assert len({change.name for change in TABLE}) == len(TABLE)
    assert sum(change.form == 1 for change in TABLE) >= 70
    assert sum(change.form == 2 for change in TABLE) >= 30
