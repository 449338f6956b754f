"""CSS that somebody else wrote: declarations allowed by list, which fetch nothing and cover nothing."""

from functools import wraps

import tinycss2

# No colours and no places: a page has a light and a dark look, and what it says stays in sight.
TEXT = {
    "font-style", "font-weight", "font-variant", "text-align", "text-decoration", "vertical-align",
    "white-space", "width", "max-width", "height", "margin", "margin-top", "margin-bottom",
    "margin-left", "margin-right", "padding", "padding-left", "padding-right", "display", "gap",
    "font-family", "font-size", "line-height", "flex", "flex-wrap", "align-items",
    "justify-content", "grid-template-columns", "overflow", "overflow-x", "border-collapse",
}  # fmt: skip
FORMULA = {
    "width", "padding-left", "padding-right", "text-align", "justify-items", "math-depth",
    "math-style", "font-weight", "font-style", "border-left", "border-right", "border-top",
    "border-bottom", "border", "padding", "padding-top", "padding-bottom", "color",
    "margin-left", "margin-right",
}  # fmt: skip
DRAWING = {
    "fill", "fill-opacity", "fill-rule", "stroke", "stroke-width", "stroke-opacity",
    "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin",
    "stroke-miterlimit", "opacity", "color", "stop-color", "stop-opacity", "font", "font-family",
    "font-size", "font-style", "font-weight", "font-variant", "letter-spacing", "word-spacing",
    "text-anchor", "dominant-baseline", "alignment-baseline", "baseline-shift", "text-decoration",
    "visibility", "display", "paint-order", "shape-rendering", "text-rendering", "vector-effect",
    "clip-path", "clip-rule", "mask", "marker", "marker-start", "marker-mid", "marker-end",
    "white-space", "writing-mode", "line-height", "font-variant-numeric",
}  # fmt: skip
FUNCTIONS = {
    "var", "calc", "min", "max", "clamp", "repeat", "minmax", "fit-content", "rgb", "rgba", "hsl",
    "hsla", "hwb", "lab", "lch", "oklab", "oklch", "color-mix", "light-dark",
}  # fmt: skip
PLAIN = {"ident", "percentage", "dimension", "number", "hash", "string", "whitespace", "literal"}


def _refused(default):
    """Makes CSS that the tokeniser can't take, such as a number of 5,000 digits, `default`."""

    def made(function):
        @wraps(function)
        def guarded(*arguments):
            try:
                return function(*arguments)
            except (ValueError, RecursionError):
                return default

        return guarded

    return made


@_refused("")
def declarations(style, allowed, reference=None):
    """The style's declarations of properties in `allowed`, as text.

    `reference` gives the address for `url(#name)`, or None to refuse it; without it every `url` is
    refused. Custom properties are kept where references are, in drawings.
    """
    kept = []
    for node in tinycss2.parse_declaration_list(style, skip_comments=True, skip_whitespace=True):
        if node.type != "declaration":
            continue
        name = node.lower_name
        if name not in allowed and not (reference and name.startswith("--")):
            continue
        value = _value(node.value, reference)
        # A negative margin would lay a cell over what the page itself says.
        if value is None or (allowed is TEXT and name.startswith("margin") and "-" in value):
            continue
        kept.append(f"{node.name if name.startswith('--') else name}: {value}")
    return "; ".join(kept)


@_refused(None)
def value(text, reference=None):
    """A property's value as an attribute has it, or None if it isn't harmless."""
    return _value(tinycss2.parse_component_value_list(text, skip_comments=True), reference)


def _value(tokens, reference):
    parts = []
    for token in tokens:
        if token.type == "url":
            address = reference and token.value.startswith("#") and reference(token.value[1:])
            if not address:
                return None
            parts.append(f"url({address})")
        elif token.type == "function":
            if token.lower_name == "url" and reference:
                inner = [part for part in token.arguments if part.type != "whitespace"]
                if len(inner) != 1 or inner[0].type != "string":
                    return None
                address = inner[0].value.startswith("#") and reference(inner[0].value[1:])
                if not address:
                    return None
                parts.append(f"url({address})")
                continue
            inner = _value(token.arguments, reference)
            if token.lower_name not in FUNCTIONS or inner is None:
                return None
            parts.append(f"{token.lower_name}({inner})")
        elif token.type == "comment":
            continue
        elif token.type in PLAIN and not (token.type == "literal" and token.value in "<;{}\\"):
            parts.append(token.serialize())
        else:
            return None
    return "".join(parts).strip() or None


@_refused("")
def sheet(style, scope, prefix, reference):
    """A drawing's style sheet, whose rules hold below the selector `scope` only."""
    rules = tinycss2.parse_stylesheet(style, skip_comments=True, skip_whitespace=True)
    return _rules(rules, scope, prefix, reference, True)


def _rules(rules, scope, prefix, reference, media):
    text = ""
    for rule in rules:
        if rule.type == "at-rule" and rule.lower_at_keyword == "media" and media and rule.content:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            condition = _condition(rule.prelude)
            body = _rules(inner, scope, prefix, reference, False)
            if condition and body:
                text += f"@media {condition} {{ {body} }} "
        elif rule.type == "qualified-rule":
            selectors = _selectors(rule.prelude, scope, prefix)
            body = declarations(tinycss2.serialize(rule.content), DRAWING, reference)
            if selectors and body:
                text += f"{selectors} {{ {body} }} "
    return text.strip()


def _condition(tokens):
    """A media query of names and sizes."""
    for token in tokens:
        inner = token.content if token.type == "() block" else [token]
        for part in inner:
            if part.type not in ("ident", "dimension", "number", "whitespace", "literal"):
                return None
            if part.type == "literal" and part.value not in (":", ",", ">", "<", "="):
                return None
    return tinycss2.serialize(tokens).strip() if tokens else None


def _selectors(tokens, scope, prefix):
    """Selectors of names, classes and ids, each led by the scope; None if there is another.

    None of them may reach a sibling of the drawing, which is the page.
    """
    selectors, current, before = [], "", None
    for token in [*tokens, None]:
        if token is None or (token.type == "literal" and token.value == ","):
            current = current.strip()
            if not current:
                return None
            selectors.append(current if current.startswith(scope) else f"{scope} {current}")
            current, before = "", None
            continue
        if token.type == "whitespace":
            current += " "
        elif token.type == "ident":
            if before == ":":
                if token.lower_value != "root" or current != ":":
                    return None
                current = scope
            elif before == ".":
                current += prefix + token.serialize()
            else:
                # The drawing itself, as against a drawing in it.
                lone = token.lower_value == "svg" and not current.strip()
                current += scope if lone else token.serialize()
        elif token.type == "hash":
            current += f"#{prefix}{tinycss2.ast.IdentToken(0, 0, token.value).serialize()}"
        elif token.type == "literal" and token.value in (".", ">", "*", ":"):
            current += token.value
        else:
            return None
        before = token.value if token.type == "literal" else None
    return ", ".join(selectors)
