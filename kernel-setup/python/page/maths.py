"""TeX to MathML, which browsers draw by themselves."""

import os
import re
import resource

from math_core import LatexError, LatexToMathML

from .clean import formula
from .tree import elements

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
SMALL = re.compile(r"[+-]?\d{1,2}$", re.ASCII)
# What makes a formula long that looks short.
DEFINES = re.compile(r"\\(?:(?:re)?newcommand|providecommand|[gex]?def|let)\b")
BRACKET = re.compile(
    r"(?P<opening>[(\[⟨⌊⌈]|\\\{|\\l(?:brace|brack|angle|floor|ceil|paren|group)\b)"
    r"|[)\]⟩⌋⌉]|\\\}|\\r(?:brace|brack|angle|floor|ceil|paren|group)\b"
)
SECONDS = 3
MEMORY = 8 << 30
# Where every version of MathML has these attributes.
ANCIENT = {"displaystyle": {"math", "mstyle", "mtable"}, "scriptlevel": {"mstyle"}}


class Maths:
    """Converts a notebook's formulas in their order: a `\\newcommand` holds in later cells too."""

    def __init__(self):
        self.count = 0
        self._defines = False
        self._converter = LatexToMathML(
            macros=MACROS,
            global_group=True,
            allow_unreliable_rendering=True,
            fancy_error=False,
            id_prefix="eq-",
        )

    def convert(self, tex, display):
        """The formula as nodes, a `math` element; none if it only defines commands.

        Raises ValueError with the reason if it isn't TeX that can be typeset.
        """
        tex = _adapted(tex)
        self._defines = self._defines or DEFINES.search(tex) is not None
        if (self._defines or _is_long(tex)) and not self._is_quick(tex, display):
            raise ValueError(
                "it takes too long: is each bracket closed, and no command without end?"
            )
        try:
            mathml = self._converter.convert_with_global_state(tex, displaystyle=display)
        except LatexError as error:
            # The message starts with an offset, which counts in the adapted text.
            reason = " ".join(re.sub(r"^\d+: ", "", str(error)).split())
            raise ValueError(reason.rstrip(".")) from None
        nodes = formula(mathml)
        if not any(node.children for node in nodes if not isinstance(node, str)):
            return []
        for element in elements(nodes):
            _as_style(element)
        self.count += 1
        return nodes

    def _is_quick(self, tex, display):
        """Tries the conversion in a process whose time and memory are bounded."""
        child = os.fork()
        if child == 0:
            try:
                resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                self._converter.convert_with_global_state(tex, displaystyle=display)
            except LatexError:
                pass  # said by the conversion itself
            except BaseException:
                os._exit(1)
            os._exit(0)
        return os.waitpid(child, 0)[1] == 0


def _is_long(tex):
    """Whether a conversion might take long: each bracket that nothing closes doubles its time."""
    depth = deepest = 0
    for found in BRACKET.finditer(tex):
        depth = depth + 1 if found["opening"] else max(0, depth - 1)
        deepest = max(deepest, depth)
    return len(tex) > 2_000 or deepest > 8


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


def _as_style(element):
    """Gives CSS for the attributes that MathML Core has and validators don't know."""
    attributes = element.attributes
    styles = [attributes.pop("style")] if "style" in attributes else []
    for name, known in ANCIENT.items():
        if name in attributes and element.name not in known:
            value = attributes.pop(name)
            if name == "scriptlevel":
                styles.append(f"math-depth: {int(value)}" if SMALL.match(value) else "")
            else:
                styles.append(f"math-style: {'normal' if value == 'true' else 'compact'}")
    if any(styles):
        attributes["style"] = "; ".join(filter(None, styles))
