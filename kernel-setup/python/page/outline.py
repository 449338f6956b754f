"""Headings: their levels put in order, their anchors, the table of contents."""

from dataclasses import dataclass

from .tree import Element, copy, plain, replace

HEADINGS = {f"h{rank}" for rank in range(1, 7)}
# What a heading brings along to the table of contents.
BRIEF = set(
    "abbr b bdi bdo cite code del dfn em i ins kbd mark q s samp small span strong sub sup u var".split()
)
FORMULA_BLOCK = ("tabindex", "role", "aria-label")


@dataclass
class Entry:
    """A heading as the table of contents shows it."""

    level: int
    id: str
    nodes: list


class Outline:
    """Follows the headings of one page in their order."""

    def __init__(self, unique):
        self._unique = unique
        self._levels = []
        self.title = None
        self.title_nodes = None
        self.entries = []

    def apply(self, nodes):
        """`nodes` with their headings in order and linked; the page's title is taken out."""
        return replace(nodes, self._heading)

    def _heading(self, element, parents):
        if element.name not in HEADINGS or element.namespace != "html":
            return None
        words, level = plain(element.children), int(element.name[1])
        if not words:
            return []
        if self.title is None and level == 1 and not self.entries:
            self.title, self.title_nodes = words, brief(element.children)
            return []
        # A heading belongs to the nearest one above it that is of a higher rank; the title is
        # above all, whatever rank the others were given.
        while self._levels and self._levels[-1] >= level:
            self._levels.pop()
        self._levels.append(level)
        rank = min(len(self._levels) + 1, 6)
        name = element.get("id") or self._unique(words)
        self.entries.append(Entry(rank, name, brief(element.children)))
        inner = _trimmed(element.children)
        # A link in a link, or in what opens a fold, would be none.
        if not {"a", "summary"}.intersection(parents):
            label = {"class": "anchor", "href": f"#{name}", "aria-label": f"Link to {words}"}
            inner.append(Element("a", label, ["#"]))
        return [Element(f"h{rank}", {"id": name}, inner)]

    def contents(self):
        """The table of contents as nested lists, two ranks deep; `[]` if there is little to list."""
        entries = [entry for entry in self.entries if entry.level <= 3]
        if len(entries) < 2:
            return []
        top = Element("ol")
        lists = [top]
        for entry in entries:
            depth = min(entry.level - 1, len(lists) + (1 if lists[-1].children else 0))
            del lists[depth:]
            if depth > len(lists):
                lists.append(Element("ol"))
                lists[-2].children[-1].children.append(lists[-1])
            link = Element("a", {"href": f"#{entry.id}"}, entry.nodes)
            lists[-1].children.append(Element("li", None, [link]))
        return [top]


def brief(nodes):
    """A copy of `nodes` that can stand in a link a second time: words, their looks and formulas."""

    def shortened(element, parents):
        if element.namespace == "math" or "math" in parents:
            element.attributes.pop("id", None)
            return element.children if element.name == "a" else None
        if element.name == "img":
            return [element.get("alt") or ""]
        if element.name not in BRIEF:
            return element.children
        gone = ("id", "title", *(FORMULA_BLOCK if element.get("class") == "formula" else ()))
        for name in gone:
            element.attributes.pop(name, None)
        return None

    return _trimmed(replace([copy(node) for node in nodes], shortened))


def _trimmed(nodes):
    nodes = list(nodes)
    if nodes and isinstance(nodes[0], str):
        nodes[0] = nodes[0].lstrip()
    if nodes and isinstance(nodes[-1], str):
        nodes[-1] = nodes[-1].rstrip()
    return nodes
