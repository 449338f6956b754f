"""Neutralises HTML that somebody else wrote: what is left runs nothing and fetches nothing."""

import re

import nh3

TAGS = set(
    "a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details dfn div dl dt em "
    "figcaption figure h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q rp rt ruby s samp "
    "section small span strong sub summary sup table tbody td tfoot th thead time tr u ul var "
    "wbr".split()
)
ATTRIBUTES = {
    "*": {"id", "title", "lang", "dir", "style"},
    "a": {"href"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "img": {"src", "alt", "width", "height"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope"},
    "time": {"datetime"},
    # Where a formula or a block of code goes that this tool made itself.
    "span": {"data-slot"},
    "div": {"data-slot"},
}
# No colours: a page has a light and a dark look, and both must be legible.
STYLES = {
    "font-style", "font-weight", "font-variant", "text-align", "text-decoration", "vertical-align",
    "white-space", "width", "max-width", "height", "margin", "margin-top", "margin-bottom",
    "margin-left", "margin-right", "padding", "padding-left", "padding-right", "display", "gap",
    "font-family", "font-size", "line-height", "flex", "flex-wrap", "align-items",
    "justify-content", "grid-template-columns", "overflow", "overflow-x", "border-collapse",
}  # fmt: skip
SCHEMES = {"http", "https", "mailto", "data"}
SIZE = re.compile(r"\d{1,5}$")


def clean(html, link, image, name):
    """`html` with only harmless elements, balanced.

    `link`, `image` and `name` give the address to use for a link, a picture and an id, or None
    to drop it.
    """

    def attribute(tag, attribute, value):
        if attribute == "href":
            return link(value)
        if attribute == "src":
            return image(value)
        if attribute == "id":
            return name(value)
        if tag == "img" and attribute in ("width", "height") and not SIZE.match(value):
            return None
        return value

    return nh3.clean(
        html,
        tags=TAGS,
        clean_content_tags={"script", "style", "iframe", "object", "svg", "math", "template"},
        attributes=ATTRIBUTES,
        attribute_filter=attribute,
        filter_style_properties=STYLES,
        link_rel=None,
        url_schemes=SCHEMES,
    )
