"""What a stranger's notebook can't do: strange HTML, SVG and CSS wherever a notebook can hold some.

Each page is loaded by Chromium with scripts on and without the page's own policy, and everything
that the browser made of it must stand on a list that is written down here once more.
"""

import base64

import corpora
import pytest
from conftest import Publisher, code, display, new_output, notebook, png, stream, text
from nbformat.v4 import new_raw_cell
from page import tree
from test_browser import browser  # noqa: F401

SVG_QUOTE = "data:image/svg+xml;base64,\"><script>alert(1)</script><meta http-equiv='refresh' content='0;url=http://evil.test/'>"
B64 = base64.b64encode
SCRIPTED = "<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(1)</script><a href='javascript:alert(1)'><rect width='9' height='9'/></a></svg>"
CELLS = [
    # A quotation mark in an address that nobody looked at.
    f"<img src='{SVG_QUOTE}'>",
    f"![x](<{SVG_QUOTE.replace('>', '%3E')}>)",
    "<img src='data:image/svg+xml;base64," + B64(SCRIPTED.encode()).decode() + "'>",
    "<img src='data:image/svg+xml," + SCRIPTED.replace("'", "%27") + "'>",
    "<img src='data:image/png;base64," + B64(SCRIPTED.encode()).decode() + "'>",
    "<img src='data:text/html;base64," + B64(b"<script>alert(1)</script>").decode() + "'>",
    "<img src='DATA:image/svg+xml;BASE64,\"onerror=alert(1)//'>",
    '<img src="x` `<script>alert(1)</script>"` `>',
    # Addresses.
    "<a href='java\nscript:alert(1)'>x</a><a href=' \x01javascript:alert(1)'>x</a>",
    "<a href='&#106;avascript&colon;alert(1)'>x</a><a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href='vbscript:x'>x</a><a href='data:text/html,<script>alert(1)</script>'>x</a><a href='blob:x'>x</a>",
    "<a href='\\\\evil.test/x'>x</a><a href='//evil.test'>x</a><a href='/\\evil.test'>x</a>",
    "[x](javascript&#58;alert(1)) [y](\x00javascript:alert(1)) [z](java\tscript:alert(1))",
    "<javascript:alert(1)> <data:text/html,x> [x]: javascript:alert(1)",
    "<a href='http://[::1'>x</a><a href='http://a:b:c'>x</a> ![x](http://[) [y](http://[)",
    "<a href='x.rs' ping='http://evil.test' target=_blank rel=opener download>x</a>",
    "<img srcset='http://evil.test/1 1x' src=x><picture><source srcset='http://evil.test/2'><img></picture>",
    "<img src='%00.png'><img src='" + "a" * 5000 + ".png'><img src='//evil.test/x.png'>",
    "<table background='http://evil.test'><tr><td background='http://evil.test'>x</table>",
    "<video src='http://evil.test' poster='http://evil.test' autoplay></video><audio src='http://evil.test'>",
    "<link rel=stylesheet href='http://evil.test'><link rel=prefetch href='http://evil.test'>",
    "<base href='http://evil.test/'><base target=_blank>",
    "<meta http-equiv=refresh content='0;url=http://evil.test'><meta name=referrer content=unsafe-url>",
    "<form action='http://evil.test'><button formaction='javascript:alert(1)'>x</button><input autofocus onfocus=alert(1)></form>",
    "<isindex action='javascript:alert(1)' type=image><keygen autofocus onfocus=alert(1)>",
    "<object data='http://evil.test'></object><embed src='http://evil.test'><applet code=x></applet>",
    "<iframe src='javascript:alert(1)' srcdoc='<script>alert(1)</script>'></iframe><frameset><frame src=x></frameset>",
    # CSS.
    "<p style='background:url(http://evil.test/1);list-style:url(http://evil.test/2)'>x</p>",
    "<p style=\"width:expression(alert(1));font-family:'x';margin-top:-999px;position:fixed\">x</p>",
    "<p style='width:\\75rl(http://evil.test);behavior:url(x);-moz-binding:url(x)'>x</p>",
    "<style>@import 'http://evil.test';*{background:url(http://evil.test)}</style>",
    "<p style='--x:url(http://evil.test);width:image-set(\"http://evil.test\" 1x)'>x</p>",
    f"<p style='width:{'9' * 5000}px;height:{'calc(' * 5000}1px;margin:1px'>x</p>",
    # Handlers.
    "<details open ontoggle=alert(1)><summary onclick=alert(1)>x</summary></details>",
    "<p onmouseover=alert(1) tabindex=1 onfocus=alert(1) autofocus contenteditable accesskey=x>x</p>",
    "<body onload=alert(1)><html onclick=alert(1)></main></body></html><script>alert(1)</script>",
    "<img src=x onerror=alert(1)><img/src/onerror=alert(1)><image src=x onerror=alert(1)>",
    "<svg onload=alert(1)><svg/onload=alert(1)//<p title='</svg><script>alert(1)</script>'>",
    "<marquee onstart=alert(1)>x</marquee><custom-element onclick=alert(1) is=x>x</custom-element>",
    # Read one way and written another.
    '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
    '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    "<math><annotation-xml encoding='text/html'><script>alert(1)</script></annotation-xml></math>",
    "<svg><foreignObject><iframe src='javascript:alert(1)'></iframe></foreignObject></svg>",
    "<svg><title><a id='</title><img src=x onerror=alert(1)>'></a></title></svg>",
    "<template><script>alert(1)</script><div><template shadowrootmode=open><script>alert(1)</script></template></div></template>",
    "<!--><script>alert(1)</script>--><!--[if gte IE 4]><script>alert(1)</script><![endif]--><?php x ?><![CDATA[<script>alert(1)</script>]]>",
    "<xmp><p title='</xmp><img src=x onerror=alert(1)>'></xmp><plaintext><script>alert(1)</script>",
    "<textarea><script>alert(1)</textarea><title><script>alert(1)</title><noembed><img src=x></noembed>",
    "<select><template><style><!--</style><a rel='--></style></template></select><img src=x onerror=alert(1)>'>",
    "<b><p><table><b><a><td></b><p><a><b></table></a></p><a href='http://a.test/'><a href='http://b.test/'>x",
    "<div>" * 700 + "<svg><style><img src=x onerror=alert(1)></style>",
    "<p\x00title='x'>\x00\x0b\x1f\ufffe</p>&#0;&#x80;&#xD800;&#x10FFFF;<a\x0chref='javascript:alert(1)'>x</a>",
    # This tool's own marks.
    f"<span data-slot='{'9' * 5000}'></span><div data-slot='0'></div><span data-slot='-1'>$x$</span>",
    "<h2 id='top'>top</h2><h2 id='text'>text</h2><h3 id='\"><script>alert(1)</script>'>x</h3><a id=F1-drawing name=x>y</a>",
    "<p class='toc side' style='display:block'>x</p><nav class=skip>y</nav>\ue000",
    '```mermaid\ngraph TD; A-->B; click A "javascript:alert(1)"\n```\n\n```<script>\nx\n```\n\n```"onclick=alert(1)\ny\n```',
    "# <img src=x onerror=alert(1)> $x$ <a href='javascript:alert(1)'>x</a>\n\n## <svg onload=alert(1)>\n\n<details><summary><h2>in a fold</h2></summary></details> <a href='http://a.test'><h2>in a link</h2></a>",
    '$\\text{<img src=x onerror=alert(1)>}$ $\\href{javascript:alert(1)}{x}$ $$\\label{"><script>}x$$ $<script>alert(1)</script>$',
    '![a $x$ "<b>" `<i>`](attachment:x "t \\" onload=alert(1)") ![<script>](attachment:<script>)',
]
DRAWINGS = [
    "<svg><image href='http://evil.test/1'/><image xlink:href='http://evil.test/2'/><use href='http://evil.test/3#x'/></svg>",
    "<svg><style>@import 'http://evil.test'; * { fill: url(http://evil.test#x) } p, .toc { display: none } svg ~ *, svg + p { display: none } :root { --ink: url(//evil.test) }</style><rect/></svg>",
    "<svg><set attributeName='href' to='javascript:alert(1)'/><animate attributeName='href' values='javascript:alert(1)' onbegin=alert(1) /><a href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><filter id=f><feImage href='http://evil.test'/></filter><rect filter='url(#f)' fill='url(http://evil.test#x)' style='fill:url(\"http://evil.test\")'/></svg>",
    "<svg><foreignObject><p>x</p><script>alert(1)</script></foreignObject><script href='http://evil.test'/><handler>alert(1)</handler></svg>",
    "<svg id='top' class='toc side' style='position:fixed;display:block' transform='translate(-999)'><g id='text'/><g id='text'/><text class='skip'>x</text></svg>",
    "<?xml version='1.0'?><!DOCTYPE svg [<!ENTITY x '<script>alert(1)</script>'>]><svg>&x;<desc><p>x</desc></svg>",
    "<svg><g id=a><use href='#a'/></g><g id=b>" + "<use href='#c'/>" * 50 + "</g><g id=c>" + "<rect/>" * 900 + "</g></svg>",
    "<svg><pattern id=p><rect fill='url(#q)'/></pattern><pattern id=q><rect fill='url(#p)'/></pattern><rect fill='url(#p)'/></svg>",
    f"<svg><style>text{{stroke-width:{'9' * 5000};fill:{'var(--x,' * 5000}red}}</style><g style='opacity:{'9' * 5000}' "
    f"stroke-width='{'9' * 5000}'/></svg>",
    "<svg width='1e9' height='100000000000' viewBox='0 0 1e400 nan'><path d='M0 0'/></svg>",
]  # fmt: skip

HTML = (
    "html head body meta title link style a header div nav p main h1 h2 h3 h4 h5 h6 pre code span details "
    "summary footer ol ul li figure figcaption img table tbody thead tfoot tr td th caption col colgroup br "
    "hr em strong b i u s sub sup small mark kbd samp var abbr bdi bdo blockquote cite dd dl dt del dfn ins q "
    "rp rt ruby section time wbr"
)
SVG = (
    "svg g defs symbol use path rect circle ellipse line polyline polygon text tspan textPath title desc "
    "linearGradient radialGradient stop clipPath mask pattern marker style image"
)
LOOK = """([html, svg]) => {
  const wrong = [];
  const known = {'http://www.w3.org/1999/xhtml': new Set(html.split(' ')), 'http://www.w3.org/2000/svg': new Set(svg.split(' '))};
  const main = document.querySelector('main');
  if (document.querySelectorAll('main').length !== 1 || !document.querySelector('body > footer')) wrong.push('the page is not whole');
  const ids = new Set();
  for (const element of document.querySelectorAll('*')) {
    const space = element.namespaceURI, name = element.localName;
    const inside = main.contains(element);
    if (space === 'http://www.w3.org/1998/Math/MathML') {
      if (!/^(math|m[a-z]+|a)$/.test(name) || /^(maction|mglyph|malignmark|semantics)$/.test(name)) wrong.push('element ' + name);
    } else if (!known[space] || !known[space].has(name)) wrong.push('element ' + name);
    if (inside && space.endsWith('xhtml') && /^(meta|link|title|style|base)$/.test(name)) wrong.push('element in main ' + name);
    if (element.id && ids.has(element.id)) wrong.push('twice #' + element.id);
    ids.add(element.id);
    for (const {name: attribute, value} of element.attributes) {
      const where = name + ' ' + attribute + '=' + value.slice(0, 60);
      if (!/^[a-zA-Z][a-zA-Z0-9:-]*$/.test(attribute) || /^on|^formaction|^xmlns:|^ping$|^srcset$|^srcdoc$|^background$|^action$|^data-|^is$|^slot$|^name$|^http-equiv$/i.test(attribute) && inside) wrong.push('attribute ' + where);
      if (inside && space.endsWith('xhtml') && /^(href|src)$/.test(attribute)) {
        const ok = name === 'img' ? /^data:image\\/(png|jpeg|gif|webp|svg\\+xml);base64,[A-Za-z0-9+/=]+$/.test(value)
          : name === 'a' && (/^#/.test(value) || ['http:', 'https:', 'mailto:'].includes(element.protocol) && /^(https?|mailto):/i.test(value));
        if (!ok) wrong.push('address ' + where);
      }
      if (inside && !space.endsWith('xhtml') && /href$/.test(attribute) && !/^(#(F\\d+-|eq-)|data:image\\/(png|jpeg|gif|webp);base64,)/.test(value)) wrong.push('address ' + where);
      if (attribute === 'style' && /url\\((?!["']?#)|expression|position|@import|:\\s*-\\d.*margin/i.test(value)) wrong.push('style ' + where);
    }
  }
  for (const style of main.querySelectorAll('style'))
    for (const rule of style.sheet.cssRules) if (!/^(#F\\d+-drawing|@media)/.test(rule.cssText) || /url\\((?!["']?#)/.test(rule.cssText)) wrong.push('rule ' + rule.cssText);
  const shape = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_ELEMENT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) shape.push(node.localName);
  return [wrong.slice(0, 20), shape];
}"""


class Forced(Publisher):
    """Makes the page whatever is wrong with its pictures and formulas."""

    def faults(self):
        return []


def cells(vector):
    """The vector wherever a notebook can hold somebody's text."""
    raw = new_raw_cell(vector, metadata={"raw_mimetype": "text/html"})
    held = text(
        f"![x](attachment:x) {vector}\n\n[{vector}](y) ![{vector}](attachment:{vector[:40]})"
    )
    held.attachments = {"x": {"image/svg+xml": vector}, vector[:40]: {"image/png": png(64, 64)}}
    said = {"alt": vector, "title": vector, "caption": vector}
    return [
        text(vector),
        text(
            f"word {vector}\n\n- {vector}\n\n| {vector} | x |\n|---|---|\n| y | {vector} |\n\n# {vector}"
        ),
        raw,
        held,
        code(
            vector,
            display({"text/html": vector, "text/plain": vector}),
            display({"text/markdown": f"> {vector}"}),
            display({"image/svg+xml": f"<svg>{vector}</svg>", "image/png": png(64, 64)}, **said),
            display({"image/svg+xml": vector, "image/png": png(64, 64)}, **{"image/png": said}),
            display({"text/latex": vector}),
            stream(vector + "\x1b[31m" + vector),
            new_output(
                "error", ename=vector, evalue=vector, traceback=[vector, "\x1b[1m" + vector]
            ),
            display({"application/json": {vector: vector}}),
        ),
    ]


def pages(studio, vectors, size):
    """The files of pages with `size` vectors each."""
    files = []
    for start in range(0, len(vectors), size):
        name = f"p{start}.ipynb"
        some = vectors[start : start + size]
        studio.save(
            name, notebook(*[cell for vector in some for cell in cells(vector)], title=some[0])
        )
        publisher = Forced(studio.orders(name, author=some[0], description=some[0]))
        made = publisher.compose()
        foreseen = [
            fault for report in publisher.reports for fault in report.faults if "foresaw" in fault
        ]
        assert made is not None and foreseen == [], foreseen
        publisher.write(made, studio.site)
        files.append(studio.site / f"p{start}.html")
    return files


def looked_at(context, files):
    """Loads each page and finds nothing that isn't on the list, and nothing that happened."""
    page = context.new_page()
    happened = []
    page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: happened.append(request.url))
    page.on("framenavigated", lambda frame: happened.append(frame.url))
    page.on("popup", lambda popup: happened.append(popup.url))
    for file in files:
        page.goto(file.as_uri(), wait_until="load")
        wrong, shape = page.evaluate(LOOK, [HTML, SVG])
        assert wrong == [], file
        # The browser sees the tree that was written.
        body = next(one for one in tree.elements(_document(file)) if one.name == "body")
        assert shape == [one.name for one in tree.elements(body.children)], file
        page.evaluate("""() => document.querySelectorAll('main *').forEach(element =>
          ['mouseover', 'focus', 'toggle', 'load', 'error', 'begin', 'click'].forEach(kind => {
            if (element.localName !== 'a' || kind !== 'click')
              element.dispatchEvent(new Event(kind, {bubbles: true}))}))""")
    page.wait_for_timeout(100)
    own = {file.as_uri() for file in files}
    assert [one for one in happened if one not in own and not one.startswith("data:image/")] == []
    page.close()


def _document(file):
    from justhtml import JustHTML

    root = JustHTML(file.read_text(encoding="utf-8"), sanitize=False).root

    def twin(node):
        element = tree.Element(node.name)
        element.children = [
            twin(child) for child in node.children or () if not child.name.startswith(("#", "!"))
        ]
        return element

    return [twin(child) for child in root.children if not child.name.startswith(("#", "!"))]


@pytest.fixture(scope="module")
def context(browser):  # noqa: F811
    # Without the policy, which would hide what got past the lists.
    context = browser.new_context(bypass_csp=True)
    yield context
    context.close()


def test_hostile_cells(context, studio):
    looked_at(context, pages(studio, CELLS, 12))
    # Each alone, so that none is made harmless by the one before it.
    looked_at(context, pages(studio, CELLS[:8] + CELLS[39:53], 1))


def test_hostile_drawings(context, studio):
    looked_at(context, pages(studio, DRAWINGS, 5))


def test_dompurifys_vectors(context, studio):
    vectors = corpora.dompurify()
    assert len(vectors) > 150
    looked_at(context, pages(studio, vectors, 40))


def test_html5libs_vectors(context, studio):
    vectors = corpora.html5lib()
    assert len(vectors) > 1_000
    looked_at(context, pages(studio, vectors, 200))
