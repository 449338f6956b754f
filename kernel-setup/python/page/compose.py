"""From a notebook to the parts of its page."""

import re
from dataclasses import dataclass, field
from urllib.parse import quote

from nbconvert.preprocessors import CoalesceStreamsPreprocessor

from . import code, widgets
from .fault import CellName
from .maths import Maths
from .outline import Outline
from .output import Outputs, folded
from .prose import Prose
from .tree import Element, elements, plain

SENTENCE = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“‘(]?[A-ZÀ-Þ0-9])")
# The length that search engines show.
DESCRIPTION = 200


@dataclass
class Part:
    """One cell on the page, each piece of it a list of nodes."""

    kind: str
    text: list = field(default_factory=list)
    input: list = field(default_factory=list)
    outputs: list = field(default_factory=list)

    @property
    def pieces(self):
        return [self.text, self.input, *self.outputs]

    @property
    def empty(self):
        return not any(
            isinstance(node, Element) or node.strip() for piece in self.pieces for node in piece
        )


@dataclass
class Page:
    """All that the template needs to know about one notebook."""

    name: str
    title: str
    title_nodes: list
    description: str
    contents: list
    parts: list
    ids: set
    formulas: int
    thumbnail: Element | None
    playgrounds: dict

    @property
    def file(self):
        return f"{self.name}.html"

    @property
    def address(self):
        """The page's file as a link beside it names it."""
        return quote(self.file)


def compose(notebook, programming, report, surroundings, trust, language):
    """The page of `notebook`; what is wrong with it goes to `report`."""
    prose = Prose(surroundings, report, Maths(), trust, language)
    path = surroundings.path
    outputs = Outputs(prose, report, trust)
    parts, thumbnail = [], None
    widgets.still(notebook)
    for index, cell in enumerate(notebook.cells):
        tags = {tag.replace("_", "-") for tag in cell.metadata.get("tags", [])}
        if "remove-cell" in tags:
            continue
        name = CellName(index, cell)
        before = len(outputs.pictures)
        part = _part(cell, name, tags, programming, prose, outputs)
        if part:
            parts.append(part)
        if "thumbnail" in tags and len(outputs.pictures) > before:
            thumbnail = outputs.pictures[-1]

    outline = Outline(prose.unique)
    for part in parts:
        part.text = outline.apply(part.text)
        # Headings in outputs count too, or they would break the order of the page's own.
        part.outputs = [outline.apply(nodes) for nodes in part.outputs]
    parts = [part for part in parts if not part.empty]

    given = notebook.metadata.get("title")
    title = outline.title or (given if isinstance(given, str) else None) or _readable(path.stem)
    return Page(
        name=path.stem,
        title=title,
        title_nodes=outline.title_nodes or [title],
        description=_description(notebook, parts),
        contents=outline.contents(),
        parts=parts,
        ids=prose.ids,
        formulas=prose.maths.count,
        thumbnail=thumbnail or next(iter(outputs.pictures), None),
        playgrounds=outputs.playgrounds,
    )


def _part(cell, name, tags, programming, prose, outputs):
    if cell.cell_type == "markdown":
        return Part("text", prose.render(cell.source, name, cell.get("attachments")))
    if cell.cell_type == "raw":
        if cell.metadata.get("raw_mimetype", cell.metadata.get("format")) != "text/html":
            return None
        return Part("text", prose.finish(cell.source, name))
    part = Part("code")
    if cell.source.strip() and "remove-input" not in tags:
        part.input = [code.block(cell.source, programming)]
    if cell.outputs and "remove-output" not in tags:
        cell, _ = CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, 0)
        part.outputs = outputs.render(cell.outputs, name)
    if part.input and tags & {"hide-input", "hide-cell"}:
        part.input = [folded("Show the code", part.input)]
    if part.outputs and tags & {"hide-output", "hide-cell"}:
        inner = [node for nodes in part.outputs for node in nodes]
        part.outputs = [[folded("Show the output", inner)]]
    return part if part.input or part.outputs else None


def _description(notebook, parts):
    """What the notebook says of itself, else its first sentences."""
    given = notebook.metadata.get("description")
    if isinstance(given, str) and given.strip():
        return " ".join(given.split())
    for part in parts:
        for element in elements(part.text):
            words = plain(element.children) if element.name == "p" else ""
            if len(words) > 40:
                return _shortened(words)
    return ""


def _shortened(words):
    """As many whole sentences as fit, but at least one."""
    sentences = SENTENCE.split(words)
    text = sentences[0]
    for sentence in sentences[1:]:
        if len(text) + 1 + len(sentence) > DESCRIPTION:
            break
        text += " " + sentence
    return text


def _readable(stem):
    words = stem.replace("_", " ").replace("-", " ").strip()
    return words[:1].upper() + words[1:]
