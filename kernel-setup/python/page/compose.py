"""From a notebook to the parts of its page."""

import re
from dataclasses import dataclass, field
from html import escape

from nbconvert.preprocessors import CoalesceStreamsPreprocessor

from . import code
from .fault import CellName
from .maths import Maths
from .outline import Outline, plain
from .output import Outputs, folded
from .prose import Prose

PARAGRAPH = re.compile(r"<p>(.*?)</p>", re.DOTALL)
SENTENCE = re.compile(r"(?<=[.!?])[\"”’)]*\s+(?=[\"“‘(]?[A-ZÀ-Þ0-9])")
# The length that search engines show.
DESCRIPTION = 200


@dataclass
class Part:
    """One cell on the page."""

    kind: str
    html: str = ""
    input: str = ""
    outputs: list = field(default_factory=list)
    hide_input: bool = False
    hide_output: bool = False


@dataclass
class Page:
    """All that the template needs to know about one notebook."""

    name: str
    title: str
    title_html: str
    description: str
    contents: str
    parts: list
    notebook: object
    ids: set
    formulas: int
    thumbnail: str

    @property
    def file(self):
        return f"{self.name}.html"


def compose(notebook, programming, report, surroundings, trust, language):
    """The page of `notebook`; what is wrong with it goes to `report`."""
    prose = Prose(surroundings, report, Maths(), trust, language)
    path = surroundings.path
    outputs = Outputs(prose, report, trust)
    parts, thumbnail = [], None
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
        part.html = outline.apply(part.html)
        # Headings in outputs count too, or they would break the order of the page's own.
        part.outputs = [outline.apply(html) for html in part.outputs]
    parts = [part for part in parts if part.html.strip() or part.input or part.outputs]

    given = notebook.metadata.get("title")
    title = outline.title or (given if isinstance(given, str) else None) or _readable(path.stem)
    return Page(
        name=path.stem,
        title=title,
        title_html=outline.title_html or escape(title),
        description=_description(notebook, parts),
        contents=outline.contents(),
        parts=parts,
        notebook=notebook,
        ids=prose.ids,
        formulas=prose.maths.count,
        thumbnail=thumbnail or next(iter(outputs.pictures), ""),
    )


def _part(cell, name, tags, programming, prose, outputs):
    if cell.cell_type == "markdown":
        html = prose.render(cell.source, name, cell.get("attachments"))
        return Part("text", html)
    if cell.cell_type == "raw":
        if cell.metadata.get("raw_mimetype", cell.metadata.get("format")) != "text/html":
            return None
        return Part("text", prose.finish(cell.source, name))
    part = Part("code")
    if cell.source.strip() and "remove-input" not in tags:
        part.input = code.block(cell.source, programming)
    if cell.outputs and "remove-output" not in tags:
        cell, _ = CoalesceStreamsPreprocessor().preprocess_cell(cell, {}, 0)
        part.outputs = outputs.render(cell.outputs, name)
    part.hide_input = bool(tags & {"hide-input", "hide-cell"})
    part.hide_output = bool(tags & {"hide-output", "hide-cell"})
    if part.input and part.hide_input:
        part.input = folded("Show the code", part.input)
    if part.outputs and part.hide_output:
        part.outputs = [folded("Show the output", "".join(part.outputs))]
    return part if part.input or part.outputs else None


def _description(notebook, parts):
    """What the notebook says of itself, else its first sentences."""
    given = notebook.metadata.get("description")
    if isinstance(given, str) and given.strip():
        return " ".join(given.split())
    for part in parts:
        for paragraph in PARAGRAPH.findall(part.html) if part.kind == "text" else ():
            words = plain(paragraph)
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
