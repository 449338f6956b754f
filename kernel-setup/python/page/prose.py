"""Markdown to HTML: formulas typeset, links and pictures resolved, strangers' HTML neutralised."""

import re
import secrets
from dataclasses import dataclass
from html import escape
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from nbconvert.filters.markdown_mistune import (
    IPythonRenderer,
    MarkdownWithMath,
    MathBlockParser,
    MathInlineParser,
)

from . import code, picture
from .clean import SCHEMES, SLOT, clean, scheme
from .tree import Element, elements, parse, plain, replace
from .typography import VERBATIM, curl

# Stands for a dollar sign that is text, until formulas have been found.
DOLLAR = "\ue000"
FORMULA = re.compile(r"(?<!\\)\$\$(.+?)\$\$|(?<![\\$])\$(?!\s)([^$\n]+?)(?<![\s\\])\$(?!\d)")
WIDE = {"class": "wide", "tabindex": "0", "role": "group", "aria-label": "Table"}


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
        self.slots = {}
        # Nobody who wrote a cell could know it.
        self._mark = secrets.token_hex(8)

    def slot(self, nodes, tag="span"):
        name = f"{self._mark}-{len(self.slots)}"
        self.slots[name] = nodes
        return f'<{tag} {SLOT}="{name}"></{tag}>'

    def words(self, html):
        """What the HTML made so far says."""
        return plain(_filled(parse(html), dict(self.slots)))

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
        return self.slot([code.block(code_text, language)], "div") + "\n"

    def link(self, text, url, title=None):
        # Whatever the notebook's author wrote in it is resolved when the cell is cleaned.
        url = self.prose.link(url, self.cell) if self.prose.trust else url
        title = f' title="{escape(title)}"' if title else ""
        return f'<a href="{escape(url)}"{title}>{text}</a>' if url is not None else text

    def image(self, text, url, title=None):
        if scheme(url)[1] in ("http", "https", "//"):
            self.prose.remote(url, self.cell)
            return f'<a href="{escape(url)}">{text or escape(url)}</a>'
        made = self.prose.image(url, self.cell)
        if made is None:
            return text
        image = made.tag(self.words(text))
        if title:
            image.attributes["title"] = title
        return self.slot([image])

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
        # What the template itself is called by.
        self.ids = {"top", "text"}
        self.attachments = {}

    def render(self, source, cell, attachments=None):
        """The nodes of a piece of Markdown."""
        self.attachments = attachments or {}
        renderer = _Renderer(self, cell)
        html = MarkdownWithMath(renderer, MathBlockParser(), _Inline()).render(source)
        nodes = self.finish(html, cell, renderer.slots, self.english)
        self.attachments = {}
        return nodes

    def finish(self, html, cell, slots=None, curled=False):
        """The nodes of a piece of HTML that somebody wrote, by hand or by program."""
        slots = slots or {}
        nodes = parse(html) if self.trust else clean(html, slots)
        if not self.trust:
            for element in elements(nodes):
                if "id" in element.attributes:
                    self._named(element)
            nodes = replace(nodes, lambda element, _: self._resolved(element, cell))
        nodes = self._formulas(nodes, cell)
        if curled:
            curl(nodes)
        nodes = replace(_filled(nodes, slots), _framed)
        return _with_dollars(nodes)

    def formula(self, tex, display, cell):
        """A formula as MathML; one that can't be typeset is a fault."""
        try:
            nodes = self.maths.convert(tex, display)
        except ValueError as error:
            shown = " ".join(tex.split())
            shown = shown if len(shown) <= 50 else shown[:49] + "…"
            mark = "$$" if display else "$"
            self.report.fault(f"the formula {mark}{shown}{mark} can't be typeset ({error})", cell)
            return []
        for element in elements(nodes):
            name = element.attributes.get("id")
            if name in self.ids:
                del element.attributes["id"]
            elif name:
                self.ids.add(name)
        if not (display and nodes):
            return nodes
        about = {"class": "formula", "tabindex": "0", "role": "group", "aria-label": "Formula"}
        return [Element("span", about, nodes)]

    def link(self, url, cell):
        """Where a link leads from the page, or None if it leads nowhere."""
        url, kind = scheme(url)
        if kind in SCHEMES:
            return url
        if kind != "":
            return None
        parts = urlsplit(url)
        fragment = f"#{parts.fragment}" if parts.fragment else ""
        if not parts.path:
            return fragment or None
        target = self._file(parts.path)
        if target is None:
            return None
        page = self.surroundings.pages.get(target)
        if page is not None:
            return page + fragment
        address = self.surroundings.address(target)
        if address:
            return address + fragment
        self.report.note(
            f"the link to {_short(url)} is left out, because the page will stand elsewhere: "
            "name the address of the repository's files as `source` in the configuration",
            cell,
        )
        return None

    def image(self, url, cell):
        """A picture that the page carries in itself, or None if there is none."""
        url, kind = scheme(url)
        if kind == "data":
            return self._loaded(lambda: picture.from_address(url), "in a data address", cell)
        if kind == "attachment":
            return self._attachment(unquote(url[len("attachment:") :]), cell)
        if kind != "":
            self.remote(url, cell)
            return None
        file = self._file(urlsplit(url).path)
        if file is None or not self.surroundings.holds(file):
            self.report.fault(f"the picture {_short(url)} lies outside the notebook's folder", cell)
            return None
        if not file.is_file():
            self.report.fault(f"there is no picture {_short(url)}", cell)
            return None
        return self._loaded(lambda: picture.from_file(file), _short(url), cell)

    def _file(self, path):
        """The file at an address, or None if no file could have it."""
        try:
            file = (self.surroundings.folder / unquote(path)).resolve()
            file.is_file()
        except (OSError, ValueError, RuntimeError):
            return None
        return file

    def remote(self, url, cell):
        self.report.note(
            f"the picture {_short(url)} would be fetched from elsewhere, so the page only links to it: "
            "put it beside the notebook",
            cell,
        )

    def _attachment(self, name, cell):
        attached = self.attachments.get(name, {})
        mime = next((mime for mime in (*picture.RASTER, picture.SVG) if mime in attached), None)
        if mime is None:
            self.report.fault(f"the picture {_short(name)} isn't attached to the cell", cell)
            return None
        load = picture.drawn if mime == picture.SVG else picture.decode
        return self._loaded(lambda: load(attached[mime]), _short(name), cell)

    def _loaded(self, load, name, cell):
        try:
            return load()
        except ValueError as error:
            self.report.fault(f"the picture {name} is broken: {error}", cell)
            return None

    def _resolved(self, element, cell):
        """A stranger's link or picture with the address that it has from the page."""
        if element.name == "a":
            address = self.link(element.attributes.pop("href", ""), cell)
            if address:
                element.attributes["href"] = address
            return None if address or "id" in element.attributes else element.children
        elif element.name == "img":
            alt = element.get("alt") or ""
            made = self.image(element.get("src"), cell) if element.get("src") else None
            if made is None:
                return [alt]
            width, height = (element.get(name) for name in ("width", "height"))
            tag = made.tag(alt, width and int(width), height and int(height))
            kept = {
                name: element.get(name) for name in ("id", "title", "style") if element.get(name)
            }
            tag.attributes |= kept
            return [tag]
        return None

    def _named(self, element):
        name = self.name(element.attributes.pop("id"))
        if name:
            element.attributes["id"] = name

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

    def _formulas(self, nodes, cell):
        """Typesets formulas in HTML blocks, which Markdown leaves alone."""
        top = Element("", None, nodes)
        found, stack = [], [(top, index) for index in reversed(range(len(nodes)))]
        while stack:
            parent, index = stack.pop()
            child = parent.children[index]
            if isinstance(child, str):
                if "$" in child:
                    found.append((parent, index, child))
            elif child.name not in VERBATIM:
                stack += [(child, place) for place in reversed(range(len(child.children)))]
        # In the order of the document, since a formula may define a command for the next.
        made = [(parent, index, self._typeset(text, cell)) for parent, index, text in found]
        for parent, index, parts in reversed(made):
            parent.children[index : index + 1] = parts
        return top.children

    def _typeset(self, text, cell):
        parts, end = [], 0
        for match in FORMULA.finditer(text):
            parts.append(text[end : match.start()])
            parts += self.formula(match[1] or match[2], match[1] is not None, cell)
            end = match.end()
        return [*parts, text[end:]]


def _filled(nodes, slots):
    """Puts what this tool made where it belongs."""

    def fill(element, _):
        name = element.get(SLOT)
        return slots.pop(name) if name in slots else None

    return replace(nodes, fill)


def _framed(element, parents):
    """A picture alone in its paragraph as a figure, a wide table in a frame that scrolls."""
    if element.name == "table" and "table" not in parents:
        return [Element("div", WIDE, [element])]
    if element.name == "p":
        inner = [child for child in element.children if not isinstance(child, str) or child.strip()]
        if len(inner) == 1 and isinstance(inner[0], Element) and inner[0].name == "img":
            return [picture.figure(inner[0], inner[0].attributes.pop("title", ""))]
    return None


def _with_dollars(nodes):
    top = Element("", None, nodes)
    for element in elements([top]):
        for name, value in element.attributes.items():
            if DOLLAR in value:
                element.attributes[name] = value.replace(DOLLAR, "$")
        element.children = [
            child.replace(DOLLAR, "$") if isinstance(child, str) else child
            for child in element.children
        ]
    return top.children


def _short(address):
    return address if len(address) <= 100 else address[:99] + "…"


def slug(text):
    """How headings and links to them meet: `Loss Construction` is `loss-construction`."""
    return re.sub(r"[^\w]+", "-", unquote(text).lower()).strip("-_")
