"""Pieces of a page as trees: read as a browser reads HTML, written once.

A child is a string or an `Element`. Between reading and writing nothing is done with text that
looks like tags, so no quotation mark and no `<` of a stranger's can become a page's own.
"""

import re

from justhtml import JustHTML

# Chromium moves what is nested deeper than 512 elements to another place; a page has some of its own.
DEEPEST = 200
VOID = set("area base br col embed hr img input link meta source track wbr".split())
# Their text is written as it is. Only an author who is trusted has them.
LITERAL = {"script", "style", "xmp", "iframe", "noembed", "noframes", "noscript", "plaintext"}
# What no HTML may hold: control characters, halves of pairs, and what isn't a character.
NO_TEXT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff"
    + "".join(
        f"{chr(0x10000 * plane + 0xFFFE)}{chr(0x10000 * plane + 0xFFFF)}" for plane in range(1, 17)
    )
    + "]"
)
NAME = re.compile(r"[A-Za-z][\w.:-]*$", re.ASCII)


class Element:
    """An element with its attributes and children."""

    __slots__ = ("name", "attributes", "children", "namespace")

    def __init__(self, name, attributes=None, children=(), namespace="html"):
        self.name = name
        self.attributes = dict(attributes or {})
        self.children = list(children)
        self.namespace = namespace

    def get(self, attribute):
        return self.attributes.get(attribute)


def elements(nodes):
    """All elements of `nodes` in the order of the document."""
    stack = list(reversed(nodes))
    while stack:
        node = stack.pop()
        if isinstance(node, Element):
            yield node
            stack.extend(reversed(node.children))


def copy(node):
    """The node and all below it anew."""
    if isinstance(node, str):
        return node
    whole = Element(node.name, node.attributes, (), node.namespace)
    stack = [(node, whole)]
    while stack:
        old, new = stack.pop()
        for child in old.children:
            if isinstance(child, Element):
                twin = Element(child.name, child.attributes, (), child.namespace)
                stack.append((child, twin))
                child = twin
            new.children.append(child)
    return whole


def replace(nodes, change):
    """`nodes` with each element replaced by the list that `change` gives, from the inside out.

    `change(element, parents)` gives None to leave an element as it is; `parents` are the names of
    the elements around it.
    """
    result = []
    # For each open element: its children that are still to come, those that are done, itself.
    stack = [(iter(list(nodes)), result, None)]
    parents = []
    while stack:
        waiting, done, element = stack[-1]
        child = next(waiting, None)
        if child is None:
            stack.pop()
            if element is None:
                break
            parents.pop()
            element.children = done
            changed = change(element, parents)
            stack[-1][1].extend([element] if changed is None else changed)
        elif isinstance(child, str):
            done.append(child)
        else:
            stack.append((iter(list(child.children)), [], child))
            parents.append(child.name)
    return result


def parse(html, rule=None):
    """The HTML as a list of nodes, with what `rule(element, parents)` makes of each element.

    The rule may change the element and gives True to keep it, False to drop it with all that it
    holds, and None to keep only what it holds. Without a rule everything stays but comments.
    """
    root = JustHTML(html, fragment=True, sanitize=False).root
    top = Element("", namespace=None)
    stack = [(child, top, (), 0) for child in reversed(root.children)]
    while stack:
        node, parent, parents, depth = stack.pop()
        if node.name == "#text":
            if node.data:
                parent.children.append(node.data)
            continue
        if node.name.startswith(("#", "!")):
            continue
        attributes = {name: value or "" for name, value in (node.attrs or {}).items()}
        element = Element(node.name, attributes, (), node.namespace)
        below = node.children or []
        if node.name == "template" and getattr(node, "template_content", None):
            below = node.template_content.children
        kept = True if rule is None else rule(element, parents)
        if kept is False:
            continue
        if kept and depth < DEEPEST:
            parent.children.append(element)
            parent, parents, depth = element, (*parents, element.name), depth + 1
        stack.extend((child, parent, parents, depth) for child in reversed(below))
    return top.children


def plain(nodes):
    """The words of `nodes` on one line, formulas with their letters."""
    parts, stack = [], list(reversed(nodes))
    while stack:
        node = stack.pop()
        if isinstance(node, str):
            parts.append(node)
        elif node.name not in ("script", "style"):
            stack.extend(reversed(node.children))
    return " ".join("".join(parts).split())


def text(value):
    return NO_TEXT.sub("", value).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def attribute(value):
    return text(value).replace('"', "&quot;")


def serialise(nodes, xml=False):
    """The nodes as HTML, or as XML for a file of its own."""
    parts, stack = [], list(reversed(nodes))
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            parts.append(node[0])
        elif isinstance(node, str):
            parts.append(text(node))
        else:
            pairs = "".join(
                f' {name}="{attribute(value)}"' if value or xml or name == "alt" else f" {name}"
                for name, value in node.attributes.items()
                if NAME.match(name)
            )
            parts.append(f"<{node.name}{pairs}>")
            html = node.namespace == "html" and not xml
            if html and node.name in VOID:
                continue
            # A parser drops the first line break of such an element.
            if html and node.name in ("pre", "textarea") and str(*node.children[:1])[:1] == "\n":
                parts.append("\n")
            stack.append((f"</{node.name}>",))
            if html and node.name in LITERAL:
                parts.extend(child for child in node.children if isinstance(child, str))
            else:
                stack.extend(reversed(node.children))
    return "".join(parts)
