"""The outputs of a cell as HTML."""

import json
import re
from html import escape

from nbconvert.filters.ansi import ansi2html, strip_ansi

from . import picture

# Text longer than this is folded, but for its first and last lines.
LONGEST, HEAD, TAIL = 30, 12, 6
# What a shell or a build tool says, as against what a reader's program says.
CHATTER = re.compile(
    r"^\s*(Compiling|Updating|Downloading|Downloaded|Locking|Adding|Blocking|Finished|Checking|"
    r"Fresh|Fetch|Building|warning:|note:|= (note|help):|-->|\d* *\|)",
    re.MULTILINE,
)
# Colours by number have no light and dark twin.
NUMBERED_COLOUR = re.compile(r' style="[^"]*"')
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f\ufffe\uffff]")
LINK = re.compile(r"\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)")
# The richest that a page can show comes first.
PRIORITY = (
    "text/html", "text/markdown", *picture.RASTER, picture.SVG, "text/latex", "text/plain",
)  # fmt: skip


class Outputs:
    """Renders the outputs of one notebook's cells."""

    def __init__(self, prose, report, trust):
        self.prose = prose
        self.report = report
        self.trust = trust
        self.pictures = []

    def render(self, outputs, cell):
        """A list of blocks, in the order in which they were made."""
        return [html for output in latest(outputs) if (html := self._one(output, cell))]

    def _one(self, output, cell):
        kind = output.output_type
        if kind == "stream":
            return _stream(output)
        if kind == "error":
            text = "\n".join(output.traceback) or f"{output.ename}: {output.evalue}"
            return terminal(text, "Error", "error")
        return self._bundle(output.data, output.metadata, cell)

    def _bundle(self, data, metadata, cell):
        for mime in PRIORITY:
            if mime not in data:
                continue
            html = self._as(mime, data[mime], data, metadata, cell)
            if html:
                return html
        if self.trust and "application/javascript" in data:
            return f"<script>{data['application/javascript']}</script>"
        for mime, content in data.items():
            if mime.endswith("json") and not mime.startswith("application/vnd."):
                return terminal(json.dumps(content, indent=2), "Output")
        if data and "text/plain" not in data:
            self.report.note(f"an output of type {', '.join(sorted(data))} can't be shown", cell)
        return ""

    def _as(self, mime, content, data, metadata, cell):
        if mime == "text/html":
            return _html(self.prose.finish(content, cell), content)
        if mime == "text/markdown":
            return f'<div class="rich">{self.prose.render(content, cell)}</div>'
        if mime == "text/latex":
            return self._latex(content, cell)
        if mime == "text/plain":
            return terminal(content, "Output")
        return self._picture(mime, content, data, metadata, cell)

    def _latex(self, content, cell):
        tex = content.strip()
        display = not (tex.startswith("$") and not tex.startswith("$$"))
        return f"<p>{self.prose.formula(tex.strip('$'), display, cell)}</p>"

    def _picture(self, mime, content, data, metadata, cell):
        try:
            made = picture.vector(content) if mime == picture.SVG else picture.decode(content)
        except ValueError as error:
            self.report.fault(f"a figure among its outputs is broken: {error}", cell)
            return ""
        alt = picture.alternative(metadata, mime, data.get("text/plain"))
        if not alt:
            alt = f"Figure {len(self.pictures) + 1}"
            self.report.note(f"a figure has no alternative text, so it is called “{alt}”", cell)
        said = metadata.get(mime)
        said = said if isinstance(said, dict) else metadata
        width, height = (_pixels(said.get(name)) for name in ("width", "height"))
        image = made.tag(alt, width, height)
        self.pictures.append(image)
        caption = said.get("caption") or said.get("title")
        return picture.figure(image, escape(caption) if isinstance(caption, str) else "")


def latest(outputs):
    """The outputs without those that a later one updated: each display shows its last state."""
    shown, places = [], {}
    for output in outputs:
        name = (output.get("transient") or {}).get("display_id")
        name = name or output.get("metadata", {}).get("display_id")
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
        return ""
    if output.name != "stderr":
        return terminal(text, "Output")
    lines = len(text.strip("\n").splitlines())
    if lines <= 3 and not CHATTER.search(strip_ansi(text)):
        return terminal(text, "Messages", "messages")
    return folded(f"Messages, {_lines(lines)}", _pre(text, "Messages", "messages"))


def terminal(text, label, kind="output"):
    """Text as a terminal shows it, its middle folded if it is long."""
    lines = text.strip("\n").splitlines()
    if not any(line.strip() for line in lines):
        return ""
    if len(lines) <= LONGEST:
        return _pre(text, label, kind)
    head, middle, tail = lines[:HEAD], lines[HEAD:-TAIL], lines[-TAIL:]
    return (
        '<div class="long">'
        + _pre("\n".join(head), label, kind)
        + folded(f"{_lines(len(middle))} more", _pre("\n".join(middle), label, kind))
        + _pre("\n".join(tail), label, kind)
        + "</div>"
    )


def folded(summary, html):
    """`html` behind a line that opens it."""
    return f"<details><summary>{escape(summary)}</summary>{html}</details>"


def _pre(text, label, kind):
    # A line or two may be a sentence, and is wrapped; more may be a table, which that would spoil.
    kind = f"{kind} short" if text.strip("\n").count("\n") < 2 and kind != "error" else kind
    text = CONTROL.sub("", LINK.sub("", text.strip("\n")).replace("\r", ""))
    html = NUMBERED_COLOUR.sub("", str(ansi2html(text))).replace("\x1b", "")
    return f'<pre class="{kind}" tabindex="0" role="group" aria-label="{label}">{html}</pre>'


def _html(html, content):
    """HTML that shows something: a script alone, once neutralised, leaves the plain text."""
    if not html.strip() and content.strip():
        return ""
    return f'<div class="rich">{html}</div>'


def _lines(count):
    return f"{count} line" + ("" if count == 1 else "s")


def _pixels(value):
    try:
        value = float(value)
    except (TypeError, ValueError):
        return None
    return value if 0 < value < 20_000 else None
