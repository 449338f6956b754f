"""The outputs of a cell as HTML."""

import json
import re

from nbconvert.filters.ansi import ansi2html, strip_ansi

from . import clean, picture, playground
from .tree import Element, elements, plain, serialise

# Text longer than this is folded, but for its first and last lines.
LONGEST, HEAD, TAIL = 30, 12, 6
# What a shell or a build tool says, as against what a reader's program says.
CHATTER = re.compile(
    r"^\s*(Compiling|Updating|Downloading|Downloaded|Locking|Adding|Blocking|Finished|Checking|"
    r"Fresh|Fetch|Building|warning:|note:|= (note|help):|-->|\d* *\|)",
    re.MULTILINE,
)
LINK = re.compile(r"\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)")
# Such a drawing has colours for a dark page.
ADAPTIVE = re.compile(r"var\(\s*--figure-|currentColor|prefers-color-scheme", re.IGNORECASE)
# They show something without words.
SEEN = {"img", "svg", "hr", "math"}
# The richest that a page can show comes first.
PRIORITY = (
    "text/html", "text/markdown", picture.SVG, *picture.RASTER, "text/latex", "text/plain",
)  # fmt: skip


class Outputs:
    """Renders the outputs of one notebook's cells."""

    def __init__(self, prose, report, trust):
        self.prose = prose
        self.report = report
        self.trust = trust
        self.pictures = []
        # What the page's playgrounds read, by name.
        self.playgrounds = {}

    def render(self, outputs, cell):
        """A list of blocks, each a list of nodes, in the order in which they were made."""
        return [nodes for output in latest(outputs) if (nodes := self._one(output, cell))]

    def _one(self, output, cell):
        kind = output.output_type
        if kind == "stream":
            return _stream(output)
        if kind == "error":
            text = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
            return terminal(text, "Error", "error")
        return self._bundle(output.data, output.metadata, cell)

    def _bundle(self, data, metadata, cell):
        """The richest of the forms that an output offers, of those that show something."""
        for mime in PRIORITY:
            if mime not in data:
                continue
            nodes = self._as(mime, data[mime], data, metadata, cell)
            if nodes:
                return nodes
        if self.trust and "application/javascript" in data:
            script = str(data["application/javascript"]).replace("</", "<\\/")
            return [Element("script", None, [script])]
        for mime, content in data.items():
            if mime.endswith("json") and not mime.startswith("application/vnd."):
                return terminal(json.dumps(content, indent=2), "Output")
        if data and "text/plain" not in data:
            self.report.note(f"an output of type {', '.join(sorted(data))} can't be shown", cell)
        return []

    def _as(self, mime, content, data, metadata, cell):
        if mime == "text/html":
            found = playground.find(content)
            if found:
                return self._playground(*found, cell)
            return _html(self.prose.finish(content, cell), content)
        if mime == "text/markdown":
            return [Element("div", {"class": "rich"}, self.prose.render(content, cell))]
        if mime == "text/latex":
            return self._latex(content, cell)
        if mime == "text/plain":
            return terminal(content, "Output")
        return self._picture(mime, content, data, metadata, cell)

    def _playground(self, text, children, cell):
        """The panel with what its output brings, or the picture alone."""
        still = self.prose.finish(serialise(children), cell)
        try:
            panel, name, text = playground.panel(playground.read(text), still)
        except ValueError as error:
            self.report.note(f"the panel to draw on is left out: {error}", cell)
            return still
        self.playgrounds[name] = text
        return [panel]

    def _latex(self, content, cell):
        tex = content.strip()
        display = not (tex.startswith("$") and not tex.startswith("$$"))
        return [Element("p", None, self.prose.formula(tex.strip("$"), display, cell))]

    def _picture(self, mime, content, data, metadata, cell):
        try:
            made = picture.vector(content) if mime == picture.SVG else picture.decode(content)
        except ValueError as error:
            # What stands beside a drawing shows the same.
            if mime != picture.SVG or not any(other in data for other in picture.RASTER):
                self.report.fault(f"a figure among its outputs is broken: {error}", cell)
            return []
        # A drawing and the picture beside it are one figure, and are described once.
        kinds = (mime, *picture.RASTER) if mime == picture.SVG else (mime,)
        alt = picture.alternative(metadata, kinds, data.get("text/plain"))
        if not alt:
            alt = f"Figure {len(self.pictures) + 1}"
            self.report.note(f"a figure has no alternative text, so it is called “{alt}”", cell)
        said = (metadata.get(kind) for kind in kinds)
        said = next((one for one in said if isinstance(one, dict)), metadata)
        width, height = (_pixels(said.get(name)) for name in ("width", "height"))
        if mime == picture.SVG:
            image = self._drawing(made, alt)
            self.pictures.append(picture.drawn(content).tag(alt, width, height))
        else:
            image = made.tag(alt, width, height)
            self.pictures.append(image)
        caption = said.get("caption") or said.get("title")
        return [picture.figure(image, caption if isinstance(caption, str) else "")]

    def _drawing(self, drawing, alt):
        """The drawing in the page itself, where it takes on the page's colours."""
        # No anchor has a capital letter, so no id of a drawing is one.
        svg = drawing.inline(f"F{len(self.pictures) + 1}-")
        svg.attributes |= {"role": "img", "aria-label": " ".join(alt.split())}
        words = (
            word
            for element in elements([svg])
            for word in [*element.attributes.values(), *element.children]
            if isinstance(word, str)
        )
        if not any(ADAPTIVE.search(word) for word in words):
            svg.attributes["class"] = f"light {svg.get('class') or ''}".strip()
        return svg


def latest(outputs):
    """The outputs without those that a later one updated: each display shows its last state."""
    shown, places = [], {}
    for output in outputs:
        said = (output.get("transient"), output.get("metadata"))
        name = next(
            (one["display_id"] for one in said if isinstance(one, dict) and "display_id" in one),
            None,
        )
        if isinstance(name, str) and name in places:
            shown[places[name]] = output
            continue
        if isinstance(name, str):
            places[name] = len(shown)
        shown.append(output)
    return shown


def _stream(output):
    text = output.text
    if not text.strip():
        return []
    if output.name != "stderr":
        return terminal(text, "Output")
    lines = len(text.strip("\n").splitlines())
    if lines <= 3 and not CHATTER.search(strip_ansi(text)):
        return terminal(text, "Messages", "messages")
    return [folded(f"Messages, {_lines(lines)}", [_pre(text, "Messages", "messages")])]


def terminal(text, label, kind="output"):
    """Text as a terminal shows it, its middle folded if it is long."""
    lines = text.strip("\n").splitlines()
    if not any(line.strip() for line in lines):
        return []
    if len(lines) <= LONGEST:
        return [_pre(text, label, kind)]
    head, middle, tail = lines[:HEAD], lines[HEAD:-TAIL], lines[-TAIL:]
    parts = [
        _pre("\n".join(head), label, kind),
        folded(f"{_lines(len(middle))} more", [_pre("\n".join(middle), label, kind)]),
        _pre("\n".join(tail), label, kind),
    ]
    return [Element("div", {"class": "long"}, parts)]


def folded(summary, nodes):
    """`nodes` behind a line that opens them."""
    return Element("details", None, [Element("summary", None, [summary]), *nodes])


def _pre(text, label, kind):
    # A line or two may be a sentence, and is wrapped; more may be a table, which that would spoil.
    kind = f"{kind} short" if text.strip("\n").count("\n") < 2 and kind != "error" else kind
    text = LINK.sub("", text.strip("\n")).replace("\r", "")
    nodes = clean.terminal(str(ansi2html(text))) if "\x1b" in text else [text]
    about = {"class": kind, "tabindex": "0", "role": "group", "aria-label": label}
    return Element("pre", about, nodes)


def _html(nodes, content):
    """HTML that shows something: a script alone, once neutralised, leaves the plain text."""
    seen = plain(nodes) or any(element.name in SEEN for element in elements(nodes))
    if not seen and content.strip():
        return []
    return [Element("div", {"class": "rich"}, nodes)]


def _lines(count):
    return f"{count} line" + ("" if count == 1 else "s")


def _pixels(value):
    try:
        value = float(value)
    except (TypeError, ValueError):
        return None
    return value if 1 <= value < 20_000 else None
