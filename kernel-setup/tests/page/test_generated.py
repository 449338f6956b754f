"""Notebooks that nobody would write: drawn at random, whole and broken, from a seed.

`ICVAE_PAGES=10000 pytest test_generated.py` draws more of them, `ICVAE_PAGES_SEED` others.
"""

import copy
import json
import os
import random

import pytest
from conftest import code, companion, display, new_output, notebook, png, stream, text, tutorial
from nbformat.v4 import new_raw_cell
from page import publish
from test_browser import browser  # noqa: F401
from test_hostile import Forced, context, looked_at  # noqa: F401

SEED = int(os.environ.get("ICVAE_PAGES_SEED", "7"))
COUNT = int(os.environ.get("ICVAE_PAGES", "150"))

TAGS = (
    "a b p div span table tr td th ul li ol h1 h2 h6 pre code img br svg math mtext mi mglyph style "
    "script template noscript form input select option title textarea iframe object foreignObject "
    "desc details summary font i em nobr button frameset body html head col caption x-y annotation-xml "
    "use image path g rect animate set marker pattern clipPath text a:b ruby rt plaintext"
).split()
ATTRIBUTES = (
    "href src id class style title onclick onerror onload srcset data-slot xlink:href name action "
    "formaction background ping width height alt fill d points viewBox colspan start type lang dir "
    "open http-equiv content \x00x =y <z \"q 'r"
).split()
VALUES = (
    "javascript:alert(1)", "java\tscript:alert(1)", "#top", "#F1-drawing", "x.png", "attachment:a",
    "http://evil.test/x", "//evil.test", "data:text/html,<script>alert(1)</script>",
    "data:image/svg+xml,<svg onload=alert(1)>", "data:image/png;base64,aGVsbG8=", "url(#a)",
    "url(http://evil.test)", "width:9px;position:fixed;background:url(http://evil.test)", "9" * 5000,
    "-1", "0", "a b", "\"><script>alert(1)</script>", "'", "`", "&quot;", "&#x0;", "", "\x00", "\ud800",
    "$x$", "é\u202e", "\n", "0;url=http://evil.test", "1e999", "%00", "..%2f..%2fetc", "http://[",
)  # fmt: skip
WORDS = (
    "word", "$x^2$", "$$\\sum_i x_i$$", "$", "\\$5", "**b**", "`c`", "```rust\nlet x = 1;\n```", "# H", "## H",
    "- a\n- b", "> q", "| a | b |\n|---|---|\n| 1 | 2 |", "[l](#h)", "![i](attachment:a)", "[r]: javascript:x",
    "<!--", "-->", "<![CDATA[", "]]>", "<?x", "<!DOCTYPE html>", "</", "<", ">", "&", "&lt;", "&notit;", "\"", "'",
    "\x1b[31m", "\x1b]8;;http://evil.test\x07", "\x1b[38;5;999m", "\r", "\x00", "\x0c", "\ufffe", "\ud83d", "\n\n",
    "    code", "\\begin{align}a&=b\\\\\\end{align}", "$\\newcommand{\\x}{<b>}$", "~~s~~", "http://a.test/x", "\ue000",
)  # fmt: skip
WRONG = (
    None, True, False, 0, -1, 1.5, float("nan"), float("inf"), "", "x", "\ud800", "\x00", [], {}, [1], [None],
    ["a"], {"a": 1}, {"text/plain": 1}, [[]], 10**30, "text/html", [{}], "$", "<svg", {"image/png": "!"},
    {"a": {"b": []}}, "9" * 5000,
)  # fmt: skip
KEYS = (
    "tags", "source", "metadata", "outputs", "attachments", "id", "transient", "cells", "name", "kernelspec",
    "pygments_lexer", "output_type", "data", "text", "cell_type", "nbformat_minor",
)  # fmt: skip


def markup(draw, length):
    """HTML as nobody writes it."""
    parts, open_tags = [], []
    for _ in range(draw.randrange(1, length)):
        choice = draw.random()
        if choice < 0.45:
            tag = draw.choice(TAGS)
            pairs = ""
            for _ in range(draw.choice((0, 0, 1, 1, 2, 4))):
                quote = draw.choice(('"', "'", "", '"'))
                pairs += f" {draw.choice(ATTRIBUTES)}={quote}{draw.choice(VALUES)}{quote}"
            parts.append(f"<{tag}{pairs}{draw.choice(('>', '>', '>', '/>', ' ', ''))}")
            open_tags.append(tag)
        elif choice < 0.65 and open_tags:
            tag = draw.choice(open_tags)
            parts.append(f"</{tag}>")
        else:
            parts.append(draw.choice(WORDS))
    return "".join(parts)


def drawn(draw):
    """A notebook that keeps to its format."""
    cells = []
    for _ in range(draw.randrange(1, 7)):
        kind, words = draw.randrange(6), markup(draw, 24)
        if kind < 2:
            cell = text(draw.choice(("", "\n\n")).join((words, markup(draw, 8))))
            if draw.random() < 0.4:
                cell.attachments = {
                    "a": {"image/png": png(48, 48)},
                    words[:9]: {words[9:20]: words},
                }
        elif kind == 2:
            cell = new_raw_cell(words, metadata={"format": "text/html"})
        else:
            outputs = [
                display({"text/html": words, "text/plain": words}),
                display(
                    {"image/svg+xml": f"<svg {words}>{words}</svg>", "image/png": png(48, 48)},
                    alt=words,
                ),
                display({"text/markdown": words}),
                display({"text/latex": words, words: words}),
                stream(words, draw.choice(("stdout", "stderr"))),
                new_output("error", ename=words, evalue=words, traceback=[words]),
                display(
                    {
                        "application/json": [words, {words: None}],
                        "application/javascript": "alert(1)",
                    }
                ),
            ]
            cell = code(
                words, *draw.sample(outputs, draw.randrange(1, 4)), tags=[words[:5] or "hide-cell"]
            )
        cells.append(cell)
    return notebook(*cells, title=markup(draw, 4))


def places(value, path=()):
    """The way to each part of nested lists and dictionaries."""
    below = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, part in below:
        yield (*path, key)
        yield from places(part, (*path, key))


def broken(draw, sound):
    """A notebook with a few of its parts replaced, removed or added."""
    content = copy.deepcopy(draw.choice(sound))
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        found = list(places(content))
        if not found:
            break
        *way, last = draw.choice(found)
        holder = content
        for key in way:
            holder = holder[key]
        choice, wrong = draw.random(), copy.deepcopy(draw.choice(WRONG))
        if choice < 0.7:
            holder[last] = wrong
        elif choice < 0.85:
            del holder[last]
        elif isinstance(holder, dict):
            holder[draw.choice(KEYS)] = wrong
        else:
            holder.insert(last, wrong)
    return content


@pytest.fixture
def small(monkeypatch):
    """Pages without their fonts, since there are so many of them."""
    monkeypatch.setattr(publish, "_style", lambda: "")


def test_generated_notebooks_become_sound_pages(context, studio, small):  # noqa: F811
    draw, files, made = random.Random(SEED), [], 0
    for number in range(COUNT):
        name = f"g{number}.ipynb"
        studio.save(name, drawn(draw))
        publisher = Forced(studio.orders(name))
        pages = publisher.compose()
        faults = [fault for report in publisher.reports for fault in report.faults]
        assert not any("foresaw" in fault for fault in faults), faults
        if pages:
            publisher.write(pages, studio.site)
            files.append(studio.site / f"g{number}.html")
            made += 1
        (studio.folder / name).unlink()
        if len(files) == 50 or number + 1 == COUNT:
            looked_at(context, files)
            for file in files:
                file.unlink()
            files = []
    assert made == COUNT


def test_broken_notebooks_are_answered_in_sentences(studio, small):
    draw, pages = random.Random(SEED), 0
    whole = notebook(
        text("![a](attachment:x.png)"),
        code(
            "x",
            display(
                {"text/html": "<b>x</b>", "image/svg+xml": "<svg/>"}, **{"image/png": {"width": 3}}
            ),
        ),
        code("y", new_output("error", ename="a", evalue="b", traceback=["c"])),
        code("z", new_output("execute_result", data={"text/plain": "a"}, execution_count=1)),
        title="t",
    )
    whole.cells[0].attachments = {"x.png": {"image/png": png(64, 64)}}
    sound = [json.loads(json.dumps(one)) for one in (tutorial(), companion(), whole)]
    for _ in range(2 * COUNT):
        studio.save("a.ipynb", broken(draw, sound))
        publisher = studio.publish("a.ipynb")
        pages += not publisher.faults()
        for fault in publisher.faults():
            assert fault.startswith("a.ipynb") and "\n" not in fault and "foresaw" not in fault
    assert 0 < pages < 2 * COUNT
