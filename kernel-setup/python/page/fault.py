"""What is wrong with a notebook, in sentences that name the notebook and the cell."""


class Unpublishable(Exception):
    """The notebook can't become a page; the report says why."""


class Report:
    """Collects what is wrong with one notebook.

    A fault keeps the page from being written; a note doesn't.
    """

    def __init__(self, name):
        self.name = name
        self.faults = []
        self.notes = []

    def fault(self, sentence, cell=None):
        self._add(self.faults, sentence, cell)

    def note(self, sentence, cell=None):
        self._add(self.notes, sentence, cell)

    def stop(self, sentence, cell=None):
        """A fault after which nothing more can be found out."""
        self.fault(sentence, cell)
        raise Unpublishable

    def _add(self, sentences, sentence, cell):
        place = self.name if cell is None else f"{self.name}, {cell}"
        text = f"{place}: {sentence}"
        if text not in sentences:
            sentences.append(text)


class CellName:
    """How a sentence names a cell: by its place in the notebook and its first words."""

    def __init__(self, index, cell):
        self.index = index
        line = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
        short = line if len(line) <= 40 else line[:39].rstrip() + "…"
        kind = "" if cell.cell_type == "code" else f"{cell.cell_type} "
        self.text = f"{kind}cell {index + 1}" + (f" (“{short}”)" if short else "")

    def __str__(self):
        return self.text
