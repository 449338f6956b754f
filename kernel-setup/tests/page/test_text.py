"""What a notebook's cells become."""

import re
from base64 import b64decode

from conftest import (
    HOSTILE,
    body,
    code,
    companion,
    display,
    figure,
    new_output,
    notebook,
    png,
    stream,
    text,
    tutorial,
)


def test_formulas_become_mathml(studio):
    page = body(
        studio.page(
            text("$\\newcommand{\\KL}{\\operatorname{KL}}$"),
            text(
                "a $x_i$ b\n\n$$\\KL[q\\,\\|\\,p]$$\n\n"
                "\\begin{align}a &= b \\\\ &= c\\end{align}\n\n"
                "<div>in a block: $\\sqrt{2}$</div>\n\n`$not$` \\$5 and \\$6 $\\text{if $y$}$"
            ),
            code("latex()", display({"text/latex": "$\\alpha$"})),
        )
    )
    assert page.count("<math") == 6
    assert "<code>$not$</code>" in page and "$5 and $6" in page
    # Without a number, an equation needs no column for one, which would push it off a phone.
    assert "width: 100%" not in page


def test_an_equation_that_is_referred_to_is_numbered(studio):
    page = body(
        studio.page(
            text("\\begin{equation}x\\label{eq:one}\\end{equation}\n\nSee $\\eqref{eq:one}$.")
        )
    )
    assert "(1)" in page and page.count('id="eq-eq:one"') == 1


def test_headings_are_in_order_whatever_their_author_wrote(studio):
    page = studio.page(
        text("# Title\n\n### Deep at once\n\n# Second of rank one\n\n### Below it\n\n## Between"),
        text("## Below it"),
    )
    found = re.findall(r'<h([1-6])(?: id="([^"]*)")?', body(page))
    assert found == [
        ("1", ""),
        ("2", "deep-at-once"),
        ("2", "second-of-rank-one"),
        ("3", "below-it"),
        ("3", "between"),
        ("3", "below-it-2"),
    ]
    assert "<title>Title</title>" in page
    assert page.count('href="#below-it-2"') == 3  # both tables of contents, and the heading itself


def test_links_lead_to_pages_and_headings(studio):
    studio.save("vae.ipynb", companion())
    studio.save("tutorial.ipynb", tutorial())
    publisher = studio.publish(
        "vae.ipynb", "tutorial.ipynb", source="https://example.org/blob/main/"
    )
    page = (studio.site / "tutorial.html").read_text()
    assert publisher.faults() == [] and publisher.notes() == []
    assert 'href="vae.html#the-s-curve"' in page
    assert 'href="#the-end-what-it-shows">the end' in page
    assert 'href="tutorial.html">the tutorial' in (studio.site / "vae.html").read_text()

    (studio.folder / "x.rs").write_text("")
    page = studio.page(
        text("[code](x.rs#L1) [out](../../etc/passwd) [no](#nowhere) [bad](javascript:alert(1))"),
        source="https://example.org/blob/main/",
    )
    assert 'href="https://example.org/blob/main/x.rs#L1">code' in page
    assert "passwd" not in page and "javascript" not in page and 'href="#top">no' in page


def test_quotation_marks_are_curled_but_for_codes(studio):
    cell = text(
        'It\'s "so", *"he"* said: \'the `"x"` of \'90s\' ($x$\'s "[link](http://a/\'b\')").\n\n'
        '```\n"a"\n```'
    )
    page = body(studio.page(cell))
    words = re.sub(r"<math.*?</math>", "x", page)
    assert 'It’s “so”, <em>“he”</em> said: ‘the <code>"x"</code> of ’90s’ (x’s “<a' in words
    assert "link</a>”)." in words and '"a"</code>' in words and 'href="http://a/%27b%27"' in words
    assert '"so"' in body(studio.page(cell, language="fr"))


def test_tags_hide_and_remove(studio):
    page = body(
        studio.page(
            code("let shown = 1;", stream("printed one"), tags=["hide-input"]),
            code("let two = 2;", stream("printed two"), tags=["remove_input"]),
            code("let three = 3;", stream("printed three"), tags=["remove-cell"]),
            code("let four = 4;", stream("printed four"), tags=["hide-output"]),
            code("let five = 5;", stream("printed five"), tags=["remove-output"]),
        )
    )
    words = re.sub(r"<[^>]*>", "", page)
    assert re.search(r"<details><summary>Show the code</summary><pre.*?printed one", page, re.S)
    assert re.search(r"<details><summary>Show the output</summary><pre.*?printed four", page, re.S)
    for gone in ("let two", "let three", "printed three", "printed five"):
        assert gone not in words
    assert "let four" in words and "let five" in words and "printed two" in words


def test_terminal_text_is_shown_as_a_terminal_shows_it(studio):
    page = body(
        studio.page(
            code(
                "a",
                stream("1 %\r50 %\r100 %\n"),
                stream(
                    "\x1b[1;31mred\x1b[0m \x1b[38;5;200mpink\x1b[0m"
                    " <b> \x1b[2K\x1b]8;;http://x\x07link\x1b]8;;\x07\n"
                ),
            ),
            code("b", stream("".join(f"line {n}.\n" for n in range(100)))),
            code(
                "c",
                stream("   Compiling a v1\nwarning: unused\n", "stderr"),
                stream("late\n", "stderr"),
            ),
            code("d", stream("one word\n", "stderr")),
        )
    )
    assert "50 %" not in page and "100 %" in page
    assert 'ansi-red-intense-fg ansi-bold">red' in page and " pink &lt;b&gt; link" in page
    assert "\x1b" not in page and "style=" not in page and "http://x" not in page
    assert "<summary>82 lines more</summary>" in page
    assert "<summary>Messages, 3 lines</summary>" in page
    assert page.count("<summary>Messages") == 1


def test_an_updated_display_shows_its_last_state(studio):
    def state(content):
        output = display({"text/plain": content})
        output["transient"] = {"display_id": "progress"}
        return output

    page = body(studio.page(code("a", state("10 %"), stream("between\n"), state("100 %"))))
    assert "10 %" not in page.replace("100 %", "")
    assert page.index("100 %") < page.index("between")


def test_figures_carry_their_words_and_size(studio):
    studio.save("drawing.png", b64decode(png(100, 50)))
    page = body(
        studio.page(
            code("a", figure('Loss "falls" & rests.', title="The loss")),
            code("b", display({"image/png": png(), "text/plain": "words beside it"})),
            code("c", display({"image/png": png(), "text/plain": "<Figure size 640x480>"})),
            text('![a drawing](drawing.png "Drawn by hand")'),
            code("d", display({"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'/>"})),
            code("e", display({"image/svg+xml": "<svg width=9 height=9/>", "image/png": png()})),
            code("f", display({"image/svg+xml": "no drawing", "image/png": png()})),
        )
    )
    alts = re.findall(r'<(?:img|svg) [^>]*(?:alt|role="img" aria-label)="([^"]*)"', page)
    assert alts == [
        "Loss &quot;falls&quot; &amp; rests.",
        "words beside it",
        "Figure 3",
        "a drawing",
        "Figure 4",
        "Figure 5",
        "Figure 6",
    ]
    assert 'width="320" height="160"' in page and 'width="100" height="50"' in page
    assert "<figcaption>The loss</figcaption>" in page
    assert "<figcaption>Drawn by hand</figcaption>" in page
    assert page.count('src="data:image/') == 5 and page.count("<svg") == 2


def test_a_strangers_html_runs_nothing_and_fetches_nothing(studio):
    cells = [
        text(HOSTILE),
        text(
            "a <span onmouseover='alert(1)'>b</span> [c](javascript:alert(1)) "
            "![d](http://evil/7) <https://example.org/'onclick='alert(1)>"
        ),
        text("[x]: javascript:alert(1)\n\n[e][x] ![f][x]\n\n```text\n<script>shown</script>\n```"),
        code("a", display({"text/html": HOSTILE, "text/plain": "p"})),
        code("b", display({"text/markdown": HOSTILE})),
        code("c", display({"application/javascript": "alert(1)", "text/plain": "plain"})),
        code("d", display({"text/html": "<script>alert(1)</script>", "text/plain": "instead"})),
        code("e", stream("<script>alert(1)</script>")),
        code("f", figure('"><script>alert(1)</script>', title="<script>alert(1)</script>")),
        code(
            "g", new_output("error", ename="<script>", evalue="x", traceback=["<script>y</script>"])
        ),
    ]
    page = studio.page(*cells, metadata={"title": "<script>alert(1)</script>"}, author="<script>")
    shown = body(page)
    assert "<script" not in page.lower() and "<iframe" not in shown and "<style" not in shown
    assert not re.search(r"<[^>]*\son\w+\s*=", re.sub(r'"[^"]*"', '""', shown))
    for link in re.findall(r'(?:href|src|action)="([^"]*)"', shown):
        assert link.startswith(("#", "https://", "http://evil/7", "data:image/")), link
    assert not re.search(r'src="http', shown) and "url(" not in shown and "position" not in shown
    assert shown.count("&lt;script&gt;shown") == 1 and "instead" in shown and "plain" in shown
    assert "default-src 'none'" in page and page.rstrip().endswith("</html>")
    assert page.count("</main>") == 1


def test_with_trust_the_notebooks_html_is_its_authors(studio):
    cells = [
        text("<script>own()</script>"),
        code("a", display({"text/html": "<b onclick='x()'>y</b>"})),
    ]
    page = studio.page(*cells, trust=True)
    assert "<script>own()</script>" in page and 'onclick="x()"' in page
    assert "Content-Security-Policy" not in page


def test_several_pages_have_an_index_in_the_reading_order(studio):
    studio.save("vae.ipynb", companion())
    studio.save("tutorial.ipynb", tutorial())
    (studio.folder / "README.md").write_text("1. [t](tutorial.ipynb)\n2. [v](vae.ipynb)\n")
    studio.publish(
        "vae.ipynb",
        "tutorial.ipynb",
        title="Site",
        author="A. Author",
        canonical="https://example.org/x",
        header="*Head*",
        footer="Foot $x$",
    )
    index = (studio.site / "index.html").read_text()
    assert index.index("A code that forgets") < index.index("Variational autoencoders")
    assert "squeezes an image x into a code z and draws it again." in index
    assert index.count('<img src="data:image/png') == 2
    page = (studio.site / "tutorial.html").read_text()
    assert '<link rel="canonical" href="https://example.org/x/tutorial.html">' in page
    assert '<meta name="author" content="A. Author">' in page and "<em>Head</em>" in page
    assert '<meta name="description" content="An autoencoder squeezes' in page
    assert "<span>Next</span> Variational autoencoders" in page and "Foot <math" in page
    assert sorted(file.name for file in studio.site.iterdir()) == [
        "index.html",
        "tutorial.html",
        "vae.html",
    ]


def test_the_same_notebook_becomes_the_same_page(studio):
    studio.save("tutorial.ipynb", tutorial())
    studio.publish("tutorial.ipynb")
    first = (studio.site / "tutorial.html").read_bytes()
    studio.publish("tutorial.ipynb")
    assert (studio.site / "tutorial.html").read_bytes() == first


def test_code_of_every_kind_is_coloured(studio):
    page = body(
        studio.page(
            code(":dep tch = \"0.26\"\nfn f<'a>(x: &'a str) -> Tensor { 1_u8 as usize } // why"),
            text("```python\nimport numpy\n```\n\n```nonsense\n<x>\n```"),
        )
    )
    assert '<span class="cp">:dep tch = "0.26"<' in page
    for kind in ("k", "nf", "c1", "kt", "nc"):
        assert f'class="{kind}"' in page, kind
    assert "&lt;x&gt;" in page and 'class="err"' not in page


def test_a_notebook_in_another_language(studio):
    python = {
        "kernelspec": {"name": "python3", "display_name": "P", "language": "python"},
        "language_info": {"name": "python"},
    }
    page = body(studio.page(code("import numpy"), metadata=python))
    assert '<span class="kn">import</span>' in page


def test_a_notebook_without_title_or_headings(studio):
    studio.save("my_notes.ipynb", notebook(text("Only a *paragraph* that says something short.")))
    studio.publish("my_notes.ipynb")
    page = (studio.site / "my_notes.html").read_text()
    assert "<h1>My notes</h1>" in page and "Contents" not in body(page)


def test_a_link_in_code_or_in_words_stays_as_it_is_written(studio):
    words = 'href="#nowhere"'
    cell = text(f"# T\n\n`{words}` <b title='{words}'>x</b>\n\n```html\n<a {words}>\n```")
    page = body(studio.page(cell, code("a", stream(words))))
    assert re.sub(r"<[^>]*>", "", page).count("#nowhere") == 3 and "#top" not in page


def test_a_files_name_is_only_a_name(studio):
    names = [
        "javascript:alert(1)&<img src=x onerror=alert(2)>.ipynb",
        'b" onclick="x#y?z %41.ipynb',
    ]
    for name in names:
        studio.save(name, notebook(text("Only words, but enough of them to be worth reading.")))
    studio.publish(*names)
    assert len(list(studio.site.iterdir())) == 3
    for file in studio.site.iterdir():
        page = file.read_text()
        assert not re.search(r"<img|<[^>]*\sonclick=|href=\"javascript:", page.split("</style>")[1])
    index = (studio.site / "index.html").read_text()
    assert 'href="javascript%3Aalert' in index and 'href="b%22%20onclick%3D%22x%23y%3Fz' in index


def test_a_chart_takes_on_the_pages_colours_and_keeps_its_names_to_itself(studio):
    chart = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360" viewBox="0 0 640 360" '
        'role="img" aria-label="x" font-family="Ubuntu, \'Open Sans\', sans-serif">'
        '<defs><linearGradient id="a"/></defs><g transform="translate(1 2)">'
        '<path d="M0 0h9" stroke="var(--figure-ink,#202020)" fill="url(#a)" stroke-width="1.5"/>'
        '<text x="1" y="2" textLength="9" lengthAdjust="spacingAndGlyphs" class="note" '
        'transform="rotate(-90 1 2)">loss &lt; 1</text></g><style>.note, text { fill: red } '
        "@media (prefers-color-scheme: dark) { :root > g { opacity: .5 } }</style></svg>"
    )
    said = {"image/png": {"alt": "The loss falls.", "caption": "Loss"}}
    both = display({"image/svg+xml": chart, "image/png": png(), "text/plain": "p"}, **said)
    page = body(studio.page(code("a", both), code("b", both)))
    assert page.count("<svg") == 2 and "<img" not in page
    assert page.count('role="img" aria-label="The loss falls."') == 2
    assert 'viewBox="0 0 640 360"' in page and 'stroke="var(--figure-ink,#202020)"' in page
    assert "<figcaption>Loss</figcaption>" in page and 'class="light' not in page
    assert ">loss &lt; 1</text>" in page and 'transform="rotate(-90 1 2)"' in page
    for number in (1, 2):
        name = f"F{number}-"
        assert f'id="{name}a"' in page and f'fill="url(#{name}a)"' in page
        assert f"#{name}drawing .{name}note, #{name}drawing text {{ fill: red }}" in page
        assert f"#{name}drawing &gt; g {{ opacity: .5 }}" in page


def widget(model, **state):
    return {"model_name": model, "model_module": "x", "model_module_version": "1", "state": state}


def saved(models):
    return {"application/vnd.jupyter.widget-state+json": {"version_major": 2, "version_minor": 0, "state": models}}


def view(name, said):
    shown = {"model_id": name, "version_major": 2, "version_minor": 0}
    return display({"application/vnd.jupyter.widget-view+json": shown, "text/plain": said})


def test_a_widget_shows_how_it_was_left(studio):
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "the square is 49"},
        {"output_type": "display_data", "data": {"image/png": png(), "text/plain": "seven"}, "metadata": {}},
        {"output_type": "nonsense"},
        "no output",
    ]
    children = ["IPY_MODEL_slider", "IPY_MODEL_area", "IPY_MODEL_missing", 3]
    models = {
        "column": widget("VBoxModel", children=children),
        "slider": widget("IntSliderModel", description="digit <b>", value=7, min=0, max=9),
        "area": widget("OutputModel", outputs=outputs),
        "list": widget("DropdownModel", description="by", _options_labels=["PCA", "t-SNE"], index=1),
        "loop": widget("VBoxModel", children=["IPY_MODEL_loop"]),
        "other": widget("VBoxModel", children=["IPY_MODEL_any"]),
        "any": widget("AnyModel", _esm="alert(1)"),
    }
    page = body(
        studio.page(
            code("a", view("column", "digit: 3 (0 to 9)")),
            code("b", view("list", "by: PCA"), stream("beside it")),
            code("c", view("other", "a pad"), view("nowhere", "as it was"), view("loop", "round")),
            metadata={"widgets": saved(models)},
        )
    )
    assert "digit &lt;b&gt;: 7 (0 to 9)" in page and "digit: 3" not in page
    assert "the square is 49" in page and page.count("<img") == 1
    assert "by: t-SNE (of PCA, t-SNE)" in page and "beside it" in page
    assert "a pad" in page and "as it was" in page and "round" in page and "alert" not in page


def test_boxes_that_name_each_other_a_thousand_times_are_shown_once(studio):
    boxes = {f"box{n}": widget("VBoxModel", children=[f"IPY_MODEL_box{n + 1}"] * 1000) for n in range(4)}
    models = {**boxes, "box4": widget("IntSliderModel", description="n", value=1, min=0, max=9)}
    page = body(studio.page(code("a", view("box0", "boxes")), metadata={"widgets": saved(models)}))
    assert page.count("n: 1 (0 to 9)") == 1
