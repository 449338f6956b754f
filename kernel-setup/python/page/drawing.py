"""SVG that somebody else drew: shapes and words allowed by list, to stand in the page itself.

What is left runs nothing, fetches nothing, has a name of its own for each id and class, and can't be
made to grow without bound by copies of copies.
"""

import re

from . import css
from .tree import Element, copy, elements, parse, replace, serialise

SPACE = "http://www.w3.org/2000/svg"
ELEMENTS = set(
    "svg g defs symbol use path rect circle ellipse line polyline polygon text tspan textPath title "
    "desc linearGradient radialGradient stop clipPath mask pattern marker style image".split()
)
# Without them what they hold is shown as it is.
UNWRAPPED = {"a", "switch"}
GEOMETRY = set(
    "x y dx dy x1 y1 x2 y2 cx cy r rx ry fx fy fr width height d points transform rotate viewBox "
    "preserveAspectRatio gradientUnits gradientTransform spreadMethod offset pathLength textLength "
    "lengthAdjust startOffset method spacing clipPathUnits maskUnits maskContentUnits "
    "patternUnits patternContentUnits patternTransform markerWidth markerHeight markerUnits refX "
    "refY orient side".split()
)
# What may be said of a drawing, and of its parts.
WORDS = {"role", "aria-label", "aria-hidden", "lang", "direction"}
ROLES = {"img", "group", "presentation", "none", "graphics-document", "graphics-symbol"}
NAMES = {"aria-labelledby", "aria-describedby"}
# Each draws what it refers to again: one within another would do it without end.
REPEATED = {"symbol", "pattern", "mask", "marker", "clipPath", "defs"}
UNMOVED = {"id", "x", "y", "width", "height", "transform", "aria-hidden"}
GRADIENTS = {"linearGradient", "radialGradient"}
# Copies made by `use`, in elements.
MOST_COPIES = 20_000
MOST_ELEMENTS = 50_000
LENGTH = re.compile(r"\s*(\d{1,5}(?:\.\d+)?)(px|pt|in|cm|mm)?\s*$", re.ASCII)
UNITS = {None: 1, "px": 1, "pt": 4 / 3, "in": 96, "cm": 96 / 2.54, "mm": 96 / 25.4}


class Drawing:
    """A drawing that is harmless, with its size in CSS pixels if it says so."""

    def __init__(self, text, image):
        """Reads SVG text; `image(address)` gives the address for a picture in it, or None.

        Raises ValueError with the reason if there is no drawing.
        """
        found = parse(text, _among_drawings)
        self._root = next((one for one in elements(found) if one.name == "svg"), None)
        if self._root is None:
            raise ValueError("it is no SVG drawing")
        if sum(1 for _ in elements([self._root])) > MOST_ELEMENTS:
            raise ValueError(f"it has more than {MOST_ELEMENTS} elements")
        self._image = image
        self.width, self.height = self._size()

    def inline(self, prefix):
        """The `svg` element for a page, where ids and classes that begin with `prefix` are its own."""
        return self._clean(prefix, f"#{prefix}drawing")

    def file(self):
        """The drawing as the text of a file of its own."""
        root = self._clean("", ":root")
        root.attributes = {"xmlns": SPACE, **root.attributes}
        return serialise([root], xml=True)

    def _size(self):
        size = [LENGTH.match(self._root.get(name) or "") for name in ("width", "height")]
        if all(size):
            return tuple(float(found[1]) * UNITS[found[2]] for found in size)
        box = re.findall(r"[-+.\deE]+", self._root.get("viewBox") or "")
        try:
            width, height = float(box[2]), float(box[3])
        except (IndexError, ValueError):
            return None, None
        sound = 0 < width < 1e5 and 0 < height < 1e5
        return (width, height) if sound else (None, None)

    def _clean(self, prefix, scope):
        root, names = copy(self._root), {}
        for element in elements([root]):
            name = element.get("id")
            if name is not None and names.setdefault(name, element) is not element:
                del element.attributes["id"]
        replace([root], _Cleaner(prefix, scope, names, self._image).element)
        # It stands where it stands, and what stands beside it names it.
        kept = {name: value for name, value in root.attributes.items() if name not in UNMOVED}
        if prefix:
            kept = {"id": f"{prefix}drawing", **kept}
        if self.width:
            kept["width"], kept["height"] = (f"{round(one)}" for one in (self.width, self.height))
            kept.setdefault("viewBox", f"0 0 {self.width:g} {self.height:g}")
        root.attributes = kept
        _bound_copies(root, prefix)
        return root


def _among_drawings(element, parents):
    """The parser's rule: of foreign elements those on the list, of HTML's the way to them only."""
    if element.namespace != "svg":
        return None if "svg" not in parents else False
    if element.name in ELEMENTS:
        return True
    return None if element.name in UNWRAPPED else False


class _Cleaner:
    def __init__(self, prefix, scope, names, image):
        self.prefix = prefix
        self.scope = scope
        self.names = names
        self.image = image

    def element(self, element, parents):
        """The element with the attributes on the list; `[]` if nothing is left of it."""
        old, element.attributes = element.attributes, {}
        if element.name == "style":
            words = "".join(child for child in element.children if isinstance(child, str))
            rules = css.sheet(words, self.scope, self.prefix, self._reference(parents))
            element.children = [rules]
            return None if rules else []
        if element.name not in ("title", "desc", "text", "tspan", "textPath"):
            element.children = [child for child in element.children if isinstance(child, Element)]
        for name, value in old.items():
            name, value = self._attribute(element, name.removeprefix("xlink:"), value, parents)
            if value is not None and name not in element.attributes:
                element.attributes[name] = value
        wants = element.name in ("use", "image", "textPath")
        return [] if wants and not element.get("href") else None

    def _attribute(self, element, name, value, parents):
        if name in GEOMETRY:
            return name, value if "(" not in value or "transform" in name.lower() else None
        if name in WORDS:
            return name, value if name != "role" or value in ROLES else None
        if name in NAMES:
            known = [self.prefix + word for word in value.split() if word in self.names]
            return name, " ".join(known) or None
        if name == "id":
            return name, self.prefix + value if not re.search(r"\s", value) else None
        if name == "class":
            words = [self.prefix + word for word in value.split()]
            return name, " ".join(words) or None
        if name == "href":
            return name, self._href(element, value.strip(), parents)
        if name == "style":
            return name, css.declarations(value, css.DRAWING, self._reference(parents)) or None
        if name in css.DRAWING:
            return name, css.value(value, self._reference(parents))
        return name, None

    def _reference(self, parents):
        repeated = REPEATED.intersection(parents)

        def address(name):
            target = self.names.get(name)
            if target is None or (repeated and target.name not in GRADIENTS):
                return None
            return f"#{self.prefix}{name}" if re.match(r"[\w.:-]+$", name) else None

        return address

    def _href(self, element, value, parents):
        if element.name == "image":
            return self.image(value)
        target = self.names.get(value[1:]) if value.startswith("#") else None
        if target is None:
            return None
        if element.name == "use":
            # What is copied holds no copies.
            if REPEATED.difference(("symbol", "defs")).intersection(parents) or any(
                one.name in ("use", "svg") for one in elements([target])
            ):
                return None
        elif element.name in GRADIENTS:
            if target.name not in GRADIENTS:
                return None
        elif element.name != "textPath" or target.name != "path":
            return None
        return f"#{self.prefix}{value[1:]}"


def _bound_copies(root, prefix):
    """Drops the copies beyond the bound."""
    names = {one.get("id"): one for one in elements([root]) if one.get("id")}
    sizes, total = {}, 0

    def bounded(element, _):
        nonlocal total
        if element.name != "use":
            return None
        name = element.get("href")[1:]
        if name not in names:
            return []
        if name not in sizes:
            sizes[name] = sum(1 for _ in elements([names[name]]))
        total += sizes[name]
        return None if total <= MOST_COPIES else []

    replace([root], bounded)
