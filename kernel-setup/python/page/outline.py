"""Headings: their levels put in order, their anchors, the table of contents."""

import re
from dataclasses import dataclass
from html import escape, unescape

HEADING = re.compile(r"<h([1-6])\b([^>]*)>(.*?)</h\1>", re.DOTALL)
ID = re.compile(r'\bid="([^"]*)"')
MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
TAG = re.compile(r"<[^>]*>")
ANCHOR = re.compile(r"</?a\b[^>]*>")
FORMULA_BLOCK = re.compile(r' tabindex="0" role="group" aria-label="Formula"')


@dataclass
class Entry:
    """A heading as the table of contents shows it."""

    level: int
    id: str
    html: str


class Outline:
    """Follows the headings of one page in their order."""

    def __init__(self, unique):
        self._unique = unique
        self._levels = []
        self.title = None
        self.title_html = None
        self.entries = []

    def apply(self, html):
        """`html` with its headings in order and linked; the page's title is taken out."""
        return HEADING.sub(self._heading, html)

    def _heading(self, found):
        level, inner = int(found[1]), found[3].strip()
        words = plain(inner)
        if not words:
            return ""
        if self.title is None and level == 1 and not self.entries:
            self.title, self.title_html = words, ANCHOR.sub("", inner)
            return ""
        # A heading belongs to the nearest one above it that is of a higher rank; the title is
        # above all, whatever rank the others were given.
        while self._levels and self._levels[-1] >= level:
            self._levels.pop()
        self._levels.append(level)
        rank = min(len(self._levels) + 1, 6)
        given = ID.search(found[2])
        name = given[1] if given else self._unique(words)
        shown = FORMULA_BLOCK.sub("", ANCHOR.sub("", inner))
        self.entries.append(Entry(rank, name, shown))
        label = f"Link to {escape(words)}"
        link = f'<a class="anchor" href="#{name}" aria-label="{label}">#</a>'
        return f'<h{rank} id="{name}">{inner}{link}</h{rank}>'

    def contents(self):
        """The table of contents as nested lists, two ranks deep; "" if there is little to list."""
        entries = [entry for entry in self.entries if entry.level <= 3]
        if len(entries) < 2:
            return ""
        html, depth = "", 1
        for entry in entries:
            if entry.level > depth:
                html += "<ol>"
            else:
                html += "</li>" + "</ol></li>" * (depth - entry.level)
            html += f'<li><a href="#{entry.id}">{entry.html}</a>'
            depth = entry.level
        return html + "</li></ol>" * (depth - 1)


def plain(html):
    """The words of a piece of HTML on one line, formulas with their letters."""
    html = MATH.sub(lambda math: TAG.sub("", math[0]), html)
    return " ".join(unescape(TAG.sub("", html)).split())
