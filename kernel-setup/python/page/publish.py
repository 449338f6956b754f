"""Pages and index: composed, linked with each other, written whole or not at all."""

import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote, unquote

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup
from whole import write_whole

from . import compose, playground, source
from .fault import Report, Unpublishable
from .maths import Maths
from .prose import Prose, Surroundings, slug
from .tree import NO_TEXT, elements, serialise

HERE = Path(__file__).parent
LISTED = re.compile(r"\(\s*(?:\./)?([^)\s]+\.ipynb)[^)]*\)")
# A page runs and fetches nothing, even if something got past the cleaning.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)


class Publisher:
    """Makes the pages of a list of notebooks."""

    def __init__(self, orders):
        self.orders = orders
        self.notebooks = [
            (Path(notebook["path"]), Path(notebook["content"])) for notebook in orders["notebooks"]
        ]
        self.reports = [Report(notebook["name"]) for notebook in orders["notebooks"]]
        self.config = {name: value for name, value in orders["config"].items() if value is not None}
        self.language = self.config.setdefault("language", "en")
        self.root = Path(orders["root"]).resolve()
        self.trust = orders["trust"]
        self.execute = not orders["output"]

    def faults(self):
        """Sentences about what keeps the pages from being written."""
        return [fault for report in self.reports for fault in report.faults]

    def notes(self):
        """Sentences about what a page leaves out."""
        return [note for report in self.reports for note in report.notes]

    def compose(self):
        """The pages in the reading order, or None if a notebook has a fault."""
        pages = {path.resolve(): quote(f"{path.stem}.html") for path, _ in self.notebooks}
        composed = []
        for (path, content), report in zip(self.notebooks, self.reports):
            try:
                notebook = source.read(content, report, outputs_wanted=not self.execute)
                programming = source.language(notebook, report, self.execute)
                if self.execute:
                    for cell in notebook.cells:
                        if cell.cell_type == "code":
                            cell.outputs = []
                surroundings = Surroundings(path, self.root, pages, self.config.get("source"))
                page = compose.compose(
                    notebook, programming, report, surroundings, self.trust, self.language
                )
            except Unpublishable:
                continue
            except (MemoryError, RecursionError):
                report.fault("it can't become a page: it is too large, or nested too deep")
                continue
            except Exception as error:
                what = " ".join(str(error).split())[:200]
                report.fault(
                    f"it can't become a page, and nobody foresaw why ({what}): please tell us"
                )
                continue
            composed.append((path, page, report))
        if self.faults():
            return None
        names = {page.address: page.ids for _, page, _ in composed}
        for _, page, report in composed:
            _link(page, names, report)
        return [page for _, page, _ in _in_reading_order(composed)]

    def write(self, pages, folder):
        """Writes the pages, and an index if there are several; the names of the files."""
        files = {}
        several = len(pages) > 1
        for index, page in enumerate(pages):
            files[page.file] = self._render(
                "page.html.j2",
                page.playgrounds,
                page=page,
                address=self._address(page.address),
                index="index.html" if several else None,
                previous=pages[index - 1] if index else None,
                following=pages[index + 1] if index + 1 < len(pages) else None,
            )
        if several:
            files["index.html"] = self._render(
                "overview.html.j2", {}, pages=pages, address=self._address("")
            )
        write_whole({folder / name: html for name, html in files.items()})
        return {name: len(html.encode()) for name, html in files.items()}

    def _render(self, template, playgrounds, **values):
        # Whatever is put into a template is escaped there, but for trees, which are written once.
        environment = Environment(
            loader=FileSystemLoader(HERE / "template"),
            autoescape=True,
            finalize=lambda value: NO_TEXT.sub("", value) if type(value) is str else value,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters["written"] = lambda nodes: Markup(serialise(nodes))
        style, policy, script = _style(), POLICY, None
        if playgrounds:
            style, script = style + playground.style(), playground.script()
            # This script alone, and the WebAssembly in it.
            policy += f"; script-src {playground.source(script)} 'wasm-unsafe-eval'"
        html = environment.get_template(template).render(
            **values,
            playgrounds={name: Markup(text) for name, text in playgrounds.items()},
            script=Markup(script) if script else None,
            site=self.config,
            header=self._piece("header"),
            footer=self._piece("footer"),
            style=Markup(style),
            policy=None if self.trust else Markup(policy),
            icon=_data("icon.svg", "image/svg+xml"),
        )
        return html.strip() + "\n"

    def _piece(self, name):
        """The author's header or footer, as nodes; it is Markdown of one or several lines."""
        text = self.config.get(name)
        if not text:
            return []
        report = Report(f"the configuration's `{name}`")
        surroundings = Surroundings(self.root / name, self.root, {}, self.config.get("source"))
        prose = Prose(surroundings, report, Maths(), True, self.language)
        return prose.render(text, None)

    def _address(self, file):
        base = self.config.get("canonical")
        return base.rstrip("/") + "/" + file if base else None


def _link(page, names, report):
    """Leads each link with a `#` to the heading that is meant, however its author spelt it."""

    def meant(address):
        file, mark, wanted = address.partition("#")
        file = file or page.address
        if not mark or file not in names:
            return address
        before = "" if address.startswith("#") else file
        ids = names[file]
        # Jupyter keeps punctuation, which other tools drop or turn into dashes.
        tight = slug(wanted).replace("-", "")
        alike = (name for name in ids if name.replace("-", "") == tight)
        for name in (unquote(wanted), slug(wanted), next(alike, None)):
            if name in ids:
                return f"{before}#{name}"
        shown = unquote(wanted)
        report.note(f"the link to #{shown[:100]} leads to no heading")
        return before or "#top"

    for part in page.parts:
        for element in elements([node for piece in part.pieces for node in piece]):
            if element.name == "a" and element.get("href"):
                element.attributes["href"] = meant(element.get("href"))


def _in_reading_order(composed):
    """The order in which the folder's README names the notebooks, else that of the command."""
    order = []
    for folder in dict.fromkeys(path.parent for path, _, _ in composed):
        readme = folder / "README.md"
        try:
            text = readme.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        order += [(folder / unquote(name)).resolve() for name in LISTED.findall(text)]
    place = {path: index for index, path in reversed(list(enumerate(order)))}
    return sorted(composed, key=lambda item: place.get(item[0], len(order)))


def _style():
    css = (HERE / "template/page.css").read_text(encoding="utf-8")
    return re.sub(
        r"url\(fonts/([\w-]+\.woff2)\)",
        lambda font: f"url({_data('../fonts/' + font[1], 'font/woff2')})",
        css,
    )


def _data(file, mime):
    content = (HERE / "template" / file).read_bytes()
    return f"data:{mime};base64,{b64encode(content).decode()}"
