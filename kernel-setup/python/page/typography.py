"""Quotation marks and apostrophes as English sets them."""

import re

TAG = re.compile(r"""(<(?:"[^"]*"|'[^']*'|[^'">])*>)""")
NAME = re.compile(r"<(/?)([a-zA-Z0-9]+)")
QUOTE = re.compile(r"""["']""")
# Their content is to be read letter by letter.
VERBATIM = {"code", "pre", "kbd", "samp", "script", "style", "math"}
# What stands before such a tag stands before what follows it, too.
INLINE = {
    "a", "abbr", "b", "cite", "del", "dfn", "em", "i", "ins", "mark", "q", "s", "small", "span",
    "strong", "sub", "sup", "u", "var",
}  # fmt: skip
OPENING = set(" \t\n\xa0([{—–-/“‘")


def pieces(html):
    """`html` as text and tags in turn, with the places of the text that isn't verbatim."""
    parts, places, depth = TAG.split(html), [], 0
    for index, part in enumerate(parts):
        if index % 2 == 0:
            if depth == 0:
                places.append(index)
        elif (name := NAME.match(part)) and name[2].lower() in VERBATIM:
            depth = max(0, depth - 1) if name[1] else depth + 1
    return parts, places


def curl(html):
    """`html` with its straight quotation marks and apostrophes curled, but for code's."""
    parts, places = pieces(html)
    places, before = set(places), ""
    for index, part in enumerate(parts):
        if index in places:
            parts[index] = text = _curled(part.replace("&quot;", '"').replace("&#39;", "'"), before)
            before = text[-1:] or before
        elif index % 2 == 0 or "data-slot" in part:
            # Code and formulas count as words.
            before = "x"
        elif name := NAME.match(part):
            before = before if name[2].lower() in INLINE | VERBATIM else ""
    return "".join(parts)


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
