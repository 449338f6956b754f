"""TeX to MathML, which browsers draw by themselves."""

import re

from math_core import LatexError, LatexToMathML

# What the converter lacks and a notebook may use.
MACROS = {"substack": r"\begin{matrix}#1\end{matrix}"}
REWRITTEN = [
    (re.compile(r"\\(begin|end)\{split\}"), r"\\\1{aligned}"),
    (re.compile(r"\\(begin|end)\{smallmatrix\}"), r"\\\1{matrix}"),
    (re.compile(r"\\begin\{eqnarray\*?\}"), r"\\begin{array}{rcl}"),
    (re.compile(r"\\end\{eqnarray\*?\}"), r"\\end{array}"),
    (
        re.compile(r"\\DeclareMathOperator(\*?)\s*\{?(\\[A-Za-z]+)\}?\s*\{([^{}]*)\}"),
        r"\\newcommand{\2}{\\operatorname\1{\3}}",
    ),
]
# Jupyter numbers an equation only on demand; without a number it needs no room for one.
UNNUMBERED = [
    (re.compile(r"\\(begin|end)\{align\*?\}"), r"\\\1{aligned}"),
    (re.compile(r"\\(begin|end)\{gather\*?\}"), r"\\\1{gathered}"),
    (re.compile(r"\\(begin|end)\{equation\*?\}"), ""),
]
TEXT = re.compile(r"\\(text|textrm|mbox)\{([^{}$]*)\$([^$]*)\$([^{}]*)\}")
OPENING = re.compile(r"<(m\w+)((?:\s+[\w-]+=\"[^\"]*\")+)\s*>")
ATTRIBUTE = re.compile(r'\s+([\w-]+)="([^"]*)"')
# Where every version of MathML has these attributes.
ANCIENT = {"displaystyle": {"math", "mstyle", "mtable"}, "scriptlevel": {"mstyle"}}


class Maths:
    """Converts a notebook's formulas in their order: a `\\newcommand` holds in later cells too."""

    def __init__(self):
        self.count = 0
        self._converter = LatexToMathML(
            macros=MACROS,
            global_group=True,
            allow_unreliable_rendering=True,
            fancy_error=False,
            id_prefix="eq-",
        )

    def convert(self, tex, display):
        """The formula as a `math` element; empty if it only defines commands.

        Raises ValueError with the reason if it isn't TeX that can be typeset.
        """
        try:
            mathml = self._converter.convert_with_global_state(_adapted(tex), displaystyle=display)
        except LatexError as error:
            # The message starts with an offset, which counts in the adapted text.
            reason = " ".join(re.sub(r"^\d+: ", "", str(error)).split())
            raise ValueError(reason.rstrip(".")) from None
        if re.fullmatch(r"<math[^>]*></math>", mathml):
            return ""
        self.count += 1
        return OPENING.sub(_as_style, mathml)


def _adapted(tex):
    """The formula as the converter wants it."""
    for pattern, replacement in REWRITTEN:
        tex = pattern.sub(replacement, tex)
    if not re.search(r"\\(label|tag)\b", tex):
        for pattern, replacement in UNNUMBERED:
            tex = pattern.sub(replacement, tex)
    previous = None
    while previous != tex:
        previous = tex
        tex = TEXT.sub(r"\\\1{\2}\3\\\1{\4}", tex)
    return tex


def _as_style(found):
    """The element with CSS for the attributes that MathML Core has and validators don't know."""
    element, attributes = found[1], dict(ATTRIBUTE.findall(found[2]))
    styles = [attributes.pop("style").rstrip(";")] if "style" in attributes else []
    for name, elements in ANCIENT.items():
        if name in attributes and element not in elements:
            value = attributes.pop(name)
            if name == "scriptlevel":
                styles.append(f"math-depth: {value}")
            else:
                styles.append(f"math-style: {'normal' if value == 'true' else 'compact'}")
    if styles:
        attributes["style"] = "; ".join(styles)
    return f"<{element}" + "".join(f' {name}="{value}"' for name, value in attributes.items()) + ">"
