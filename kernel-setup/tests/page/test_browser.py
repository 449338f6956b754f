"""The pages in a real browser, without network: what they draw, and what tools say of them.

Needs Chromium; the accessibility check and the validator also need npm, the Nu checker Java. What
is missing is skipped, and pytest says so.
"""

import io
import json
import shutil
import subprocess

import pytest
from conftest import HOSTILE, ROOT, Publisher, Studio, code, companion, display, text, tutorial
from PIL import Image

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = next(
    filter(
        None,
        map(
            shutil.which,
            (
                "chromium",
                "chromium-browser",
                "google-chrome",
                "google-chrome-stable",
            ),
        ),
    ),
    None,
)
TOOLS = {"axe-core": "4.14.1", "html-validate": "10.17.0", "vnu-jar": "26.9.27"}
SIZES = (375, 1280)
SCHEMES = ("light", "dark")
LARGEST = 2_500_000
# With a playground of two models.
LARGEST_WITH_WEIGHTS = 5_500_000

FORMULAS = """() => {
  const drawn = [...document.querySelectorAll('math')].filter(math => {
    if (!math.checkVisibility()) return true;  // in the table of contents that isn't shown
    const box = math.getBoundingClientRect();
    return box.width > 0 && box.height > 0 && getComputedStyle(math).display.includes('math');
  });
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const left = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest('pre, code, style, script, title')) continue;
    if (/\\\\[a-zA-Z]+|\\$[^$]+\\$/.test(node.data)) left.push(node.data.trim());
  }
  return {all: document.querySelectorAll('math').length, drawn: drawn.length, left};
}"""
FIGURES = """() => [...document.images].filter(image =>
  !(image.complete && image.naturalWidth > 0 && image.alt.trim() && image.width > 0)
).map(image => image.alt)"""
WIDER = """() => document.documentElement.scrollWidth - document.documentElement.clientWidth"""
# What is sound, thousands of places, is neither described nor sent over.
VIOLATIONS = "() => axe.run({resultTypes: ['violations']}).then(found => found.violations)"
OPEN = "() => document.querySelectorAll('details').forEach(details => details.open = true)"


OWN = sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Each file with the number of its formulas: of the tests' notebooks and the repository's."""
    studio = Studio(tmp_path_factory.mktemp("notebooks"))
    studio.save("tutorial.ipynb", tutorial())
    studio.save("vae.ipynb", companion())
    about = {"title": "The site", "author": "A. Author", "description": "Two pages."}
    found = _published(studio, "tutorial.ipynb", "vae.ipynb", **about)
    studio = Studio(ROOT / "notebooks")
    studio.site = tmp_path_factory.mktemp("site")
    # One with a fault has a test of its own; the others are to be seen all the same.
    sound = [name for name in OWN if Publisher(studio.orders(name)).compose()]
    return found + (_published(studio, *sound) if sound else [])


def _published(studio, *names, **config):
    publisher = studio.publish(*names, **config)
    assert publisher.faults() == []
    formulas = {page.file: page.formulas for page in publisher.compose()}
    return [(file, formulas.get(file.name, 0)) for file in sorted(studio.site.iterdir())]


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("Chromium isn't installed")
    with sync_api.sync_playwright() as playwright:
        # In a container Chromium's own sandbox can't be set up.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def tools():
    """The folder of the npm packages, fetched once."""
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm isn't installed, so axe-core and html-validate can't be had")
    folder = ROOT / ".icvae/npm"
    wanted = [f"{name}@{version}" for name, version in TOOLS.items()]
    stamp = folder / "installed"
    if not stamp.is_file() or stamp.read_text() != " ".join(wanted):
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [
                npm,
                "install",
                "--prefix",
                folder,
                "--no-save",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--loglevel",
                "error",
                *wanted,
            ],
            capture_output=True,
            text=True,
        )
        if done.returncode:
            pytest.skip(f"npm can't fetch axe-core and html-validate: {done.stderr[-200:]}")
        stamp.write_text(" ".join(wanted))
    return folder / "node_modules"


def visit(browser, file, width=1280, scheme="light", **options):
    """The page, opened without network, and all that it asked for or complained of."""
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True, **options
    )
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(file.as_uri())
    outside = [url for url in asked if url != file.as_uri() and not url.startswith("data:")]
    return page, outside, said


@pytest.mark.parametrize("name", OWN)
def test_the_repositorys_notebooks_become_pages(name, tmp_path):
    studio = Studio(ROOT / "notebooks")
    studio.site = tmp_path / "site"
    cells = json.loads((ROOT / "notebooks" / name).read_text(encoding="utf-8"))["cells"]
    if not any(cell.get("execution_count") for cell in cells):
        pytest.skip(f"{name} holds no outputs: run it with `cargo kernel run --inplace`")
    assert studio.publish(name).faults() == []


def test_pages_are_small(pages):
    for file, _ in pages:
        weights = b'<script type="application/json"' in file.read_bytes()
        assert file.stat().st_size <= (LARGEST_WITH_WEIGHTS if weights else LARGEST), file


def test_without_network_and_script_everything_is_drawn(browser, pages):
    for file, formulas in pages:
        for width in SIZES:
            # Without JavaScript a page can't be asked, so it is asked by the browser itself.
            page, outside, _ = visit(browser, file, width, java_script_enabled=False)
            assert outside == [], file
            session = page.context.new_cdp_session(page)

            def ask(script):
                answer = session.send(
                    "Runtime.evaluate",
                    {
                        "expression": f"({script})()",
                        "returnByValue": True,
                    },
                )
                assert "exceptionDetails" not in answer, answer
                return answer["result"].get("value")

            found = ask(FORMULAS)
            assert found["left"] == [], file
            assert found["drawn"] == found["all"] >= formulas, file
            assert ask(FIGURES) == [], file
            assert ask(WIDER) <= 0, f"{file} is wider than {width} pixels"
            page.context.close()


def test_braces_are_drawn_from_end_to_end(browser, pages):
    # Chromium cuts a stretched operator off at the edge of a tile unless its room is made known.
    file = next(file for file, _ in pages if file.name == "tutorial.html")
    page, _, _ = visit(browser, file)
    picture = Image.open(io.BytesIO(page.screenshot(full_page=True))).convert("L")
    boxes = page.evaluate("""() => [...document.querySelectorAll('munder > munder')].map(brace => {
      const box = brace.getBoundingClientRect();
      return [box.left, box.top, box.right, box.bottom + 1].map(Math.round);
    })""")
    assert len(boxes) >= 3
    for box in boxes:
        part = picture.crop(box)
        rows = (part.crop((0, y, part.width, y + 1)).tobytes() for y in range(part.height))
        longest = max(sum(value < 160 for value in row) for row in rows)
        assert longest > 0.75 * part.width, box
    page.context.close()


def test_with_script_nothing_complains(browser, pages):
    for file, _ in pages:
        page, outside, said = visit(browser, file)
        assert (outside, said) == ([], []), file
        page.context.close()


def test_a_strangers_page_does_nothing(browser, tmp_path):
    studio = Studio(tmp_path)
    studio.page(text(HOSTILE), code("a", display({"text/html": HOSTILE, "text/plain": "p"})))
    # Not even without the policy, with script and with every event that a reader might cause.
    file = studio.site / "a.html"
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    happened = []
    page.on("dialog", lambda dialog: (happened.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: happened.append(request.url))
    page.goto(file.as_uri())
    page.evaluate("""() => document.querySelectorAll('main *').forEach(element =>
      ['mouseover', 'focus', 'toggle', 'load', 'error', 'animationstart'].forEach(kind =>
        element.dispatchEvent(new Event(kind, {bubbles: true}))))""")
    page.wait_for_timeout(200)
    assert [what for what in happened if what != file.as_uri() and "data:" not in what] == []
    context.close()


def test_axe_finds_nothing_serious(browser, pages, tools):
    axe = (tools / "axe-core/axe.min.js").read_text(encoding="utf-8")
    for file, _ in pages:
        for width in SIZES:
            for scheme in SCHEMES:
                page, _, _ = visit(browser, file, width, scheme, bypass_csp=True)
                page.evaluate(OPEN)
                page.evaluate(axe)
                found = page.evaluate(VIOLATIONS)
                worst = [
                    (fault["id"], fault["nodes"][0]["html"][:200])
                    for fault in found
                    if fault["impact"] in ("serious", "critical")
                ]
                assert worst == [], (file, width, scheme)
                page.context.close()


def test_html_validate_accepts_the_pages(pages, tools, tmp_path):
    config = tmp_path / "config.json"
    config.write_text('{"root": true, "extends": ["html-validate:standard"]}')
    program = [tools / ".bin/html-validate", "--config", config]
    done = subprocess.run([*program, *(file for file, _ in pages)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def test_the_nu_checker_accepts_the_pages(pages, tools):
    java = shutil.which("java")
    if java is None:
        pytest.skip("Java isn't installed, so the Nu checker can't run")
    jar = tools / "vnu-jar/build/dist/vnu.jar"
    done = subprocess.run(
        [java, "-jar", jar, "--errors-only", *(file for file, _ in pages)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-4000:]


def test_the_contents_are_folded_on_a_phone_and_beside_the_text_on_a_desk(browser, pages):
    file = next(file for file, _ in pages if file.name == "tutorial.html")
    shown = """() => ['side', 'fold'].map(kind =>
      document.querySelector('.toc.' + kind).checkVisibility())"""
    for width, expected in zip(SIZES, ([False, True], [True, False])):
        page, _, _ = visit(browser, file, width)
        assert page.evaluate(shown) == expected
        page.context.close()


def test_a_printed_page_is_dark_on_white(browser, pages):
    file = next(file for file, count in pages if count)
    page, _, _ = visit(browser, file, scheme="dark")
    page.emulate_media(media="print")
    style = "getComputedStyle(document.body)"
    assert page.evaluate(f"[{style}.color, {style}.backgroundColor]") == [
        "rgb(0, 0, 0)",
        "rgb(255, 255, 255)",
    ]
    page.context.close()
