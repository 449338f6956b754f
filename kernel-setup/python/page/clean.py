"""What a stranger's HTML may hold: elements, attributes and addresses by list, nothing else.

What is left runs nothing, fetches nothing and covers nothing.
"""

import re
from urllib.parse import urlsplit

from . import css
from .tree import elements, parse, serialise

ELEMENTS = set(
    "a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt em "
    "figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp "
    "section small span strong sub summary sup table tbody td tfoot th thead time tr u ul var "
    "wbr".split()
)
# Neither they nor what they hold is for reading.
DROPPED = set(
    "script style iframe object embed applet svg math template noscript noembed noframes xmp "
    "plaintext textarea title select audio video canvas frameset head".split()
)
EVERYWHERE = {"id", "title", "lang", "dir", "style"}
ATTRIBUTES = {
    "a": {"href"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "img": {"src", "alt", "width", "height"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "time": {"datetime"},
}
VALUES = {
    "dir": re.compile(r"(ltr|rtl|auto)$", re.I),
    "lang": re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$"),
    "width": re.compile(r"[1-9]\d{0,4}$", re.ASCII),
    "height": re.compile(r"[1-9]\d{0,4}$", re.ASCII),
    "span": re.compile(r"[1-9]\d{0,2}$", re.ASCII),
    "colspan": re.compile(r"[1-9]\d{0,2}$", re.ASCII),
    "rowspan": re.compile(r"\d{1,3}$", re.ASCII),
    "value": re.compile(r"-?\d{1,6}$", re.ASCII),
    "start": re.compile(r"-?\d{1,6}$", re.ASCII),
    "type": re.compile(r"[1aAiI]$"),
    "scope": re.compile(r"(row|col|rowgroup|colgroup)$"),
}
# Attributes that are there or not.
BARE = {"open", "reversed"}
HOST = re.compile(r"[^\s%<>^|\\`{}\"]+$")
SCHEMES = {"http", "https", "mailto"}
MATHML = set(
    "math mrow mi mn mo ms mspace mtext mfrac msqrt mroot mstyle merror mpadded mphantom menclose "
    "msub msup msubsup munder mover munderover mmultiscripts mprescripts mtable mtr mtd a".split()
)
MATHML_ATTRIBUTES = set(
    "display displaystyle scriptlevel mathvariant stretchy fence separator lspace rspace minsize "
    "maxsize symmetric largeop movablelimits form accent accentunder linethickness width height "
    "depth voffset notation columnalign rowalign columnlines rowlines columnspacing rowspacing "
    "columnspan rowspan intent arg class".split()
)
ANSI = re.compile(r"ansi-[a-z-]+$")
# The element that stands for something of this tool's own until the cell is whole.
SLOT = "data-slot"


def clean(html, slots=()):
    """The HTML as a tree with only harmless elements and attributes, but for addresses and ids.

    It is read again as it would be written until nothing changes, so that a browser sees just this
    tree.
    """

    def rule(element, parents):
        return _harmless(element, slots)

    nodes = parse(html, rule)
    text = serialise(nodes)
    for _ in range(3):
        again = parse(text, rule)
        before, text = text, serialise(again)
        if text == before:
            return again
    # Nothing that is worth reading takes so many turns.
    return [text for node in again for text in _words(node)]


def _words(node):
    if isinstance(node, str):
        return [node]
    return [child for one in elements([node]) for child in one.children if isinstance(child, str)]


def _harmless(element, slots):
    if element.name in DROPPED or element.namespace != "html":
        return False
    if element.name not in ELEMENTS:
        return None
    slot = element.get(SLOT)
    if slot is not None and slot in slots:
        element.attributes = {SLOT: slot}
        return True
    allowed = EVERYWHERE | ATTRIBUTES.get(element.name, set())
    kept = {}
    for name, value in element.attributes.items():
        if name not in allowed:
            continue
        if name == "style":
            value = css.declarations(value, css.TEXT)
            if value:
                kept[name] = value
        elif name in BARE:
            kept[name] = ""
        elif name not in VALUES or VALUES[name].match(value):
            kept[name] = value
    element.attributes = kept
    # Without an address it is no link; with a name it is the end of one.
    return None if element.name == "a" and not ("href" in kept or "id" in kept) else True


def formula(mathml):
    """The nodes of a formula that this tool's converter made of somebody's TeX."""

    def rule(element, parents):
        ours = element.namespace == "math" or (element.name == "a" and "math" in parents)
        if not ours or element.name not in MATHML:
            return False
        kept = {}
        for name, value in element.attributes.items():
            if name == "style":
                value = css.declarations(value, css.FORMULA)
            elif name == "id" or (name == "href" and element.name == "a"):
                if not value.removeprefix("#").startswith("eq-") or " " in value:
                    continue
            elif name not in MATHML_ATTRIBUTES:
                continue
            if value:
                kept[name] = value
        element.attributes = kept
        return True

    return parse(mathml, rule)


def terminal(html):
    """The nodes of terminal text with its colours."""

    def rule(element, parents):
        names = [name for name in (element.get("class") or "").split() if ANSI.match(name)]
        element.attributes = {"class": " ".join(names)} if names else {}
        # Colours by number have no light and dark twin.
        return True if names and element.name == "span" else None

    return parse(html, rule)


def scheme(address):
    """The address as a browser takes it, and its scheme: "" if it has none, None if it can't be one."""
    # Browsers skip these wherever they stand.
    address = re.sub(r"[\t\n\r]", "", address).strip("".join(map(chr, range(33))))
    try:
        parts = urlsplit(address)
        whole = parts.scheme not in ("http", "https") or (
            HOST.match(parts.hostname or "") and (parts.port is None or parts.port >= 0)
        )
    except ValueError:
        return address, None
    if not whole:
        return address, None
    if parts.scheme or address.startswith(("//", "\\\\", "/\\", "\\/")):
        return address, parts.scheme or "//"
    # A colon before any slash may still be read as the end of a scheme.
    head = re.split(r"[/?#]", address, maxsplit=1)[0]
    return address, None if ":" in head else ""
