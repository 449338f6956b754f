"""The numbers that a notebook's prose quotes, and where they are from.

A *quoted* number is one with a decimal point, or one in front of a unit of measured things (%, nats, s, …), in Markdown
outside code, formulas, links and comments. It must stand in the notebook: among the numbers of its outputs, rounded to
the digits that the prose shows, or literally in its code. What is from elsewhere is marked in the same cell, with the reason:

    <!-- not from this run: 0.268 (the original) -->
"""

import datetime
import html
import pathlib
import re

import nbformat

UNIT = r"(?:\s|\u00a0|\u202f)*(?:%|nats?\b|bits?\b|s\b|seconds?\b|minutes?\b|σ)"
NUMBER = r"\d+(?:,\d{3})*(?:\.\d+)?"
LITERAL = r"\d[\d_]*(?:\.\d+)?(?:e-?\d+)?"  # of Rust: 0.001, 1e-3, 10_000
# Versions (0.22.0), names (l1) and what is part of a longer word are no numbers.
QUOTED = re.compile(rf"(?<![\w.,])[−-]?({NUMBER})(?![\w]*[\d.]*\d)(?!\.\d)({UNIT})?")
ELSEWHERE = re.compile(r"<!--\s*not from this run:(.*?)-->", re.DOTALL)
# In this order: a fence may hold what looks like a formula, a formula what looks like a link.
NO_PROSE = [
    r"```.*?```", r"`[^`]*`", r"\$\$.*?\$\$", r"\$[^$]*\$", r"<!--.*?-->", r"\]\([^)]*\)", r"https?://\S+", r"<[^>]*>",
]  # fmt: skip


def quoted(markdown):
    """The quoted numbers of a Markdown cell as they are written, without sign and thousands' commas."""
    for pattern in NO_PROSE:
        markdown = re.sub(pattern, " \u2061 ", markdown, flags=re.DOTALL)
    found = (match for match in QUOTED.finditer(markdown))
    return [m[1].replace(",", "") for m in found if "." in m[1] or m[2]]


def elsewhere(markdown):
    """The numbers that a Markdown cell marks as not from this run."""
    return {n.replace(",", "") for text in ELSEWHERE.findall(markdown) for n in re.findall(NUMBER, text)}


def numbers(text):
    """All numbers of an output, as floats."""
    text = re.sub(r"(\d)[,\u202f](?=\d{3}\b)", r"\1", text)
    text = re.sub(r"×\s*10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: "e" + m[1].translate(SUPERSCRIPTS), text)
    return [float(n) for n in re.findall(r"\d+(?:\.\d+)?(?:e-?\d+)?", text)]


SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def output_text(output):
    """What an output says in words and numbers."""
    if output.output_type == "stream":
        return output.text
    data = output.get("data", {})
    table = re.sub(r"<[^>]+>", " ", html.unescape(str(data.get("text/html", ""))))
    return f"{data.get('text/plain', '')}\n{table}"


def unfounded(notebook):
    """The quoted numbers that the notebook doesn't hold, each as `cell: number`."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    literals = {float(n.replace("_", "")) for cell in code for n in re.findall(LITERAL, cell.source)}
    printed = [n for cell in code for output in cell.outputs for n in numbers(output_text(output))]
    faults = []
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type != "markdown":
            continue
        marked = elsewhere(cell.source)
        for shown in quoted(cell.source):
            known = shown in marked or float(shown) in literals
            if not known and not any(rounds_to(value, shown) for value in printed):
                faults.append(f"cell {place} ({cell.get('id')}): {shown}")
    return faults


def rounds_to(value, shown):
    """Whether a value, rounded to as many decimals as are shown, is what is shown."""
    decimals = len(shown.partition(".")[2])
    return abs(value - float(shown)) <= 0.5 * 10**-decimals * (1 + 1e-9)


def minutes(notebook):
    """How long a run took, from its first cell to its last."""
    times = [
        datetime.datetime.fromisoformat(time.replace("Z", "+00:00"))
        for cell in notebook.cells
        for time in cell.metadata.get("execution", {}).values()
    ]
    return (max(times) - min(times)).total_seconds() / 60


def told_minutes(readme, name):
    """The minutes at the end of a notebook's row in the README, or None."""
    row = re.search(
        rf"^\|.*\[{re.escape(name)}\]\({re.escape(name)}\).*\|\s*(\d+) minutes?\s*\|$",
        pathlib.Path(readme).read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    return int(row[1]) if row else None


def executed(notebook):
    """Whether any cell has an output."""
    return any(cell.get("outputs") for cell in notebook.cells)


def read(path):
    """A notebook, whatever its minor version."""
    return nbformat.read(path, as_version=4)
