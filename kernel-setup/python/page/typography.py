"""Quotation marks and apostrophes as English sets them."""

import re

from .tree import Element

QUOTE = re.compile(r"""["']""")
# Their content is to be read letter by letter.
VERBATIM = {"code", "pre", "kbd", "samp", "script", "style", "math", "svg"}
# What stands before such an element stands before what follows it, too.
INLINE = {
    "a", "abbr", "b", "cite", "del", "dfn", "em", "i", "ins", "mark", "q", "s", "small", "span",
    "strong", "sub", "sup", "u", "var",
}  # fmt: skip
OPENING = set(" \t\n\xa0([{—–-/“‘")


def curl(nodes):
    """Curls the straight quotation marks and apostrophes in `nodes`, but for code's."""
    before = ""
    # Each list of children with the place of the next, and the element it belongs to.
    stack = [(nodes, 0, None)]
    while stack:
        children, index, parent = stack.pop()
        if index == len(children):
            if parent is not None:
                before = before if parent.name in INLINE else ""
            continue
        stack.append((children, index + 1, parent))
        child = children[index]
        if not isinstance(child, Element):
            children[index] = _curled(child, before)
            before = children[index][-1:] or before
        elif child.name in VERBATIM or "data-slot" in child.attributes:
            # Code and formulas count as words.
            before = "x"
        else:
            before = before if child.name in INLINE else ""
            stack.append((child.children, 0, child))


def _curled(text, before):
    def mark(found):
        place = found.start()
        previous = text[place - 1] if place else before
        opens = previous == "" or previous in OPENING
        if found[0] == '"':
            return "“" if opens else "”"
        # A year without its century begins with an apostrophe.
        return "‘" if opens and not text[place + 1 : place + 2].isdigit() else "’"

    return QUOTE.sub(mark, text)
