"""Markdown to HTML: formulas typeset, links and pictures resolved, strangers' HTML neutralised."""

import re
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from nbconvert.filters.markdown_mistune import (
    IPythonRenderer,
    MarkdownWithMath,
    MathBlockParser,
    MathInlineParser,
)

from . import code, picture
from .clean import clean
from .typography import curl, pieces

# Stands for a dollar sign that is text, until formulas have been found.
DOLLAR = "\ue000"
SLOT = re.compile(r'<(span|div) data-slot="(\d+)"></\1>')
IMAGE = re.compile(r'<img((?:\s+[\w-]+(?:="[^"]*")?)*)\s*/?>')
ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
LONE_IMAGE = re.compile(r'<p>\s*(<img(?:\s+[\w-]+(?:="[^"]*")?)*\s*/?>)\s*</p>')
TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
WIDE = r'<div class="wide" tabindex="0" role="group" aria-label="Table">\g<0></div>'
FORMULA = re.compile(r"(?<!\\)\$\$(.+?)\$\$|(?<![\\$])\$(?!\s)([^$\n]+?)(?<![\s\\])\$(?!\d)")
NO_LINK = re.compile(r"<a>(.*?)</a>", re.DOTALL)


@dataclass
class Surroundings:
    """Where a notebook lies, and what lies about it."""

    path: Path
    root: Path
    # The page of each notebook that is published with it.
    pages: dict
    # The address at which the files of the repository can be seen, if there is one.
    source: str | None

    @property
    def folder(self):
        return self.path.parent

    def holds(self, file):
        """Whether a page may carry the file: a stranger's notebook must not publish others."""
        return file.is_relative_to(self.folder) or (
            self.path.is_relative_to(self.root) and file.is_relative_to(self.root)
        )

    def address(self, file):
        """Where the repository's file can be seen, or None."""
        if self.source and file.is_relative_to(self.root):
            return self.source.rstrip("/") + "/" + quote(file.relative_to(self.root).as_posix())
        return None


class _Inline(MathInlineParser):
    """Finds formulas, and dollar signs that open one without closing it."""

    SPECIFICATION = {
        **MathInlineParser.SPECIFICATION,
        # Words in a formula may hold a formula in turn, or a dollar sign behind a backslash.
        "inline_math_tex": r"(?s:(?<![$\\])\$(?!\$)(?P<math_inline_tex>"
        r"(?:\\(?:text|textrm|mbox)\{[^{}]*\}|\\.|[^$\\])+?)\$)",
        "escaped_dollar": r"\\\$",
        "lone_dollar": r"\$",
    }
    DEFAULT_RULES = ("escaped_dollar", *MathInlineParser.DEFAULT_RULES, "lone_dollar")

    def parse_escaped_dollar(self, match, state):
        state.append_token({"type": "text", "raw": DOLLAR})
        return match.end()

    def parse_lone_dollar(self, match, state):
        state.append_token({"type": "lone_dollar", "raw": state.src[match.start() :]})
        return match.end()


class _Renderer(IPythonRenderer):
    """Leaves a slot where a formula or a block of code belongs."""

    def __init__(self, prose, cell):
        super().__init__(escape=False, exclude_anchor_links=True)
        self.prose = prose
        self.cell = cell
        self.slots = []

    def slot(self, html, tag="span"):
        self.slots.append(html)
        return f'<{tag} data-slot="{len(self.slots) - 1}"></{tag}>'

    def formula(self, tex, display):
        return self.slot(self.prose.formula(tex, display, self.cell))

    def inline_math(self, body):
        return self.formula(body, False)

    def block_math(self, body):
        return self.formula(body, True)

    def latex_environment(self, name, body):
        return self.formula(f"\\begin{{{name}}}{body}\\end{{{name}}}", True)

    def lone_dollar(self, text):
        rest = text.split("\n")[0]
        rest = rest if len(rest) <= 30 else rest[:29] + "…"
        self.prose.report.fault(
            f"the `$` in “{rest}” opens a formula that nothing closes: "
            "close it, or write \\$ for a dollar sign",
            self.cell,
        )
        return DOLLAR

    def block_code(self, code_text, info=None):
        language = info.split()[0] if info and info.strip() else ""
        return self.slot(code.block(code_text, language), "div") + "\n"

    def link(self, text, url, title=None):
        # Whatever the notebook's author wrote in it is resolved when the cell is cleaned.
        url = self.prose.link(url, self.cell) if self.prose.trust else url
        title = f' title="{escape(title)}"' if title else ""
        return f'<a href="{escape(url)}"{title}>{text}</a>' if url is not None else text

    def image(self, text, url, title=None):
        if urlsplit(url).scheme in ("http", "https") or url.startswith("//"):
            self.prose.remote(url, self.cell)
            return f'<a href="{escape(url)}">{text or escape(url)}</a>'
        url = self.prose.image(url, self.cell) if self.prose.trust else url
        if not url:
            return text
        title = f' title="{escape(title)}"' if title else ""
        return f'<img src="{escape(url)}" alt="{escape(unescape(text))}"{title}>'

    def task_list_item(self, text, checked=False):
        return f"<li>{'☑' if checked else '☐'} {text}</li>\n"


class Prose:
    """Renders the text of one notebook."""

    def __init__(self, surroundings, report, maths, trust, language="en"):
        self.surroundings = surroundings
        self.report = report
        self.maths = maths
        self.trust = trust
        self.english = language.split("-")[0] == "en"
        self.ids = set()
        self.attachments = {}

    def render(self, source, cell, attachments=None):
        """HTML for a piece of Markdown."""
        self.attachments = attachments or {}
        renderer = _Renderer(self, cell)
        html = MarkdownWithMath(renderer, MathBlockParser(), _Inline()).render(source)
        return self.finish(html, cell, renderer.slots, curl if self.english else str)

    def finish(self, html, cell, slots=(), refine=str):
        """HTML for a piece of HTML that somebody wrote, by hand or by program."""
        if not self.trust:
            html = clean(
                html,
                lambda url: self.link(url, cell),
                lambda url: self.image(url, cell),
                self.name,
            )
        html = refine(NO_LINK.sub(r"\1", html))
        html = self._formulas_in_html(html, cell)
        html = LONE_IMAGE.sub(self._figure, html)
        html = IMAGE.sub(self._sized, html)
        html = TABLE.sub(WIDE, html)
        html = SLOT.sub(lambda slot: self._fill(slot, slots), html)
        return html.replace(DOLLAR, "$")

    def formula(self, tex, display, cell):
        """A formula as MathML; one that can't be typeset is a fault."""
        try:
            mathml = self.maths.convert(tex, display)
        except ValueError as error:
            shown = " ".join(tex.split())
            shown = shown if len(shown) <= 50 else shown[:49] + "…"
            mark = "$$" if display else "$"
            self.report.fault(f"the formula {mark}{shown}{mark} can't be typeset ({error})", cell)
            return ""
        if display and mathml:
            return (
                '<span class="formula" tabindex="0" role="group" aria-label="Formula">'
                f"{mathml}</span>"
            )
        return mathml

    def link(self, url, cell):
        """Where a link leads from the page, or None if it leads nowhere."""
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "mailto"):
            return url
        if parts.scheme or url.startswith("//"):
            return None
        if not parts.path:
            return url if parts.fragment else None
        target = (self.surroundings.folder / unquote(parts.path)).resolve()
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        page = self.surroundings.pages.get(target)
        if page is not None:
            return page + fragment
        address = self.surroundings.address(target)
        if address:
            return address + fragment
        self.report.note(
            f"the link to {url} is left out, because the page will stand elsewhere: "
            "name the address of the repository's files as `source` in the configuration",
            cell,
        )
        return None

    def image(self, url, cell):
        """The address of a picture that the page carries in itself, or "" if there is none."""
        if url.startswith("data:"):
            return self._data(url, cell)
        if url.startswith("attachment:"):
            return self._attachment(unquote(url[len("attachment:") :]), cell)
        if urlsplit(url).scheme or url.startswith("//"):
            self.remote(url, cell)
            return ""
        file = (self.surroundings.folder / unquote(urlsplit(url).path)).resolve()
        if not self.surroundings.holds(file):
            self.report.fault(f"the picture {url} lies outside the notebook's folder", cell)
            return ""
        if not file.is_file():
            self.report.fault(f"there is no picture {url}", cell)
            return ""
        return self._address(lambda: picture.from_file(file), url, cell)

    def remote(self, url, cell):
        self.report.note(
            f"the picture {url} would be fetched from elsewhere, so the page only links to it: "
            "put it beside the notebook",
            cell,
        )

    def _data(self, url, cell):
        head, _, body = url.partition(",")
        if head.lower() == f"data:{picture.SVG};base64":
            return url
        if not head.lower().endswith(";base64"):
            self.report.fault("a picture's data address is not in base64", cell)
            return ""
        return self._address(lambda: picture.decode(unquote(body)), "in a data address", cell)

    def _attachment(self, name, cell):
        attached = self.attachments.get(name, {})
        mime = next((mime for mime in picture.RASTER if mime in attached), None)
        if mime is None:
            self.report.fault(f"the picture {name} isn't attached to the cell", cell)
            return ""
        return self._address(lambda: picture.decode(attached[mime]), name, cell)

    def _address(self, load, name, cell):
        try:
            return load().address
        except ValueError as error:
            self.report.fault(f"the picture {name} is broken: {error}", cell)
            return ""

    def name(self, wanted):
        """An id that no other element of the page has, or None."""
        name = slug(wanted)
        if not name or name in self.ids:
            return None
        self.ids.add(name)
        return name

    def unique(self, wanted):
        """`wanted`, numbered if it is taken."""
        base = slug(wanted) or "section"
        name, number = base, 2
        while name in self.ids:
            name, number = f"{base}-{number}", number + 1
        self.ids.add(name)
        return name

    def _formulas_in_html(self, html, cell):
        """Typesets formulas in HTML blocks, which Markdown leaves alone."""
        if "$" not in html:
            return html
        parts, places = pieces(html)
        for place in places:
            parts[place] = FORMULA.sub(
                lambda found: self.formula(
                    unescape(found[1] or found[2]), found[1] is not None, cell
                ),
                parts[place],
            )
        return "".join(parts)

    @staticmethod
    def _figure(found):
        attributes = dict(ATTRIBUTE.findall(found[1]))
        return picture.figure(found[1], attributes.pop("title", ""))

    @staticmethod
    def _sized(found):
        attributes = {name: unescape(value) for name, value in ATTRIBUTE.findall(found[1])}
        address, alt = attributes.get("src"), attributes.get("alt", "")
        if not address:
            return escape(alt)
        if not address.startswith("data:"):
            return found[0]
        width, height = (_number(attributes.get(name)) for name in ("width", "height"))
        if address.startswith(f"data:{picture.SVG}"):
            return picture.Picture(address, None, None).tag(alt, width, height)
        return picture.decode(address.partition(",")[2]).tag(alt, width, height)

    def _fill(self, slot, slots):
        number = int(slot[2])
        return slots[number] if number < len(slots) else ""


def _number(text):
    return int(text) if text and text.isdigit() else None


def slug(text):
    """How headings and links to them meet: `Loss Construction` is `loss-construction`."""
    return re.sub(r"[^\w]+", "-", unquote(text).lower()).strip("-_")
