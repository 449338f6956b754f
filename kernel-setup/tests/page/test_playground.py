"""The panel to draw on: what reaches a page of it, and what it computes in a browser."""

import base64
import json
import math
import random
import re
import shutil
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

import pytest
from conftest import ROOT, body, code, display, png

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FIREFOX = next(filter(None, map(shutil.which, ("firefox", "firefox-esr"))), None)
HEIGHT = WIDTH = 28
PIXELS = HEIGHT * WIDTH
ACTIVATIONS = {
    "linear": lambda a: a,
    "tanh": math.tanh,
    "leaky_relu": lambda a: a if a > 0 else 0.2 * a,
    "sigmoid": lambda a: 1 / (1 + math.exp(-a)),
}


class Toy:
    """A model with random weights: an implementation of its own of what the panel computes."""

    def __init__(self, latent=4, classes=10, hidden=(40, "tanh"), out="linear", told=False, plane=None):
        draw = random.Random(7)
        self.layers, self.latent, self.classes, self.told, self.plane = {}, latent, classes, told, plane
        units, activation = hidden
        for name, inputs, outputs, act in (
            ("encoder", PIXELS + (classes if told else 0), units, activation), ("mean", units, latent, "tanh"), ("log_var", units, latent, "linear"),
            ("hidden", latent + classes, units, activation), ("x_hat", units, PIXELS, out),
        ):  # fmt: skip
            weights = [[draw.gauss(0, inputs**-0.5) for _ in range(inputs)] for _ in range(outputs)]
            self.layers[name] = (weights, [draw.gauss(0, 0.1) for _ in range(outputs)], act)

    def layer(self, name, x):
        weights, bias, activation = self.layers[name]
        sums = (sum(w * v for w, v in zip(row, x)) + b for row, b in zip(weights, bias))
        return [ACTIVATIONS[activation](a) for a in sums]

    def versions(self, x, drawn=None):
        """x decoded from the mean of its code as every class, a list of images."""
        told = [[float(c == k) for k in range(self.classes)] for c in range(max(self.classes, 1))]

        def decode(z):
            return [self.layer("x_hat", self.layer("hidden", z + c)) for c in told]

        if not self.told:
            return decode(self.layer("mean", self.layer("encoder", x)))
        each = [decode(self.layer("mean", self.layer("encoder", list(x) + c))) for c in told]
        if drawn is None:
            far = [sum((a - b) ** 2 for a, b in zip(images[c], x)) for c, images in enumerate(each)]
            drawn = far.index(min(far))
        return each[drawn]

    def description(self, name="toy"):
        packed = b""
        described = {}
        for key, (weights, bias, activation) in self.layers.items():
            scales = [max(map(abs, row)) / 127 for row in weights]
            packed += struct.pack(f"<{2 * len(bias)}f", *scales, *bias)
            for row, scale in zip(weights, scales):
                packed += bytes(round(w / scale) & 255 for w in row)
            described[key] = {"in": len(weights[0]), "out": len(weights), "act": activation, "slope": 0.2}
        deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        model = {
            "name": name, "latent": self.latent, "classes": self.classes, "told": self.told, "plane": self.plane,
            "encoder": [described["encoder"]],
            "mean": described["mean"], "log_var": described["log_var"],
            "decoder": [described["hidden"], described["x_hat"]],
        }  # fmt: skip
        ramp = bytes(i * 255 // PIXELS for i in range(PIXELS))
        return {
            "version": 1, "shape": [HEIGHT, WIDTH], "classes": [str(c) for c in range(self.classes)], "models": [model],
            "examples": base64.b64encode(ramp).decode(),
            "weights": base64.b64encode(deflate.compress(packed) + deflate.flush()).decode(),
        }  # fmt: skip


def output(description, picture=None):
    """The output as the library makes it, with a script of the notebook's own that must not come through."""
    text = description if isinstance(description, str) else json.dumps(description)
    picture = picture or f'<img src="data:image/png;base64,{png()}" width="320" height="160" alt="What it makes of digits">'
    return display({
        "text/html": f'<div class="icvae-playground" data-weights="w">{picture}</div>'
        f'<script type="application/json" id="w">{text}</script><style>p {{}}</style><script>alert("theirs")</script>',
        "text/plain": "A panel to draw on",
    })  # fmt: skip


def test_a_page_has_the_panel_with_its_own_script_after_all_text(studio):
    page = studio.page(code("playground", output(Toy().description())))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    assert "script-src &#39;sha256-" in policy or "script-src 'sha256-" in policy
    assert "alert(" not in page
    assert page.count('<div class="icvae-playground"') == 1
    assert 'alt="What it makes of digits"' in body(page), "without scripts there is the picture"
    assert page.index('<script type="application/json"') > page.index("</main>")


def test_a_page_without_a_panel_runs_no_script(studio):
    page = studio.page(code("1"))
    assert "script-src" not in page and "<script" not in page


HOSTILE = {
    "a billion rows": lambda d: d["models"][0]["mean"].update(out=10**9),
    "more rows than weights": lambda d: d["models"][0]["encoder"][0].update(out=60_000),
    "no whole number": lambda d: d["models"][0].update(latent=2.5),
    "a cut-off archive": lambda d: d.update(weights=d["weights"][: len(d["weights"]) // 8 * 4]),
    "an archive that grows": lambda d: d.update(
        weights=base64.b64encode(zlib.compress(bytes(80_000_000), wbits=-15)).decode()
    ),
    "weights that are no text": lambda d: d.update(weights={"a": 1}),
    "an unknown activation": lambda d: d["models"][0]["mean"].update(act="constructor"),
    "an activation that is a list": lambda d: d["models"][0]["mean"].update(act=["tanh"]),
    "an endless slope": lambda d: d["models"][0]["mean"].update(slope=1e300),
    "layers that don't fit": lambda d: d["models"][0]["decoder"].reverse(),
    "a name that is none": lambda d: d["models"][0].update(name={"toString": "x"}),
    "a name without end": lambda d: d["models"][0].update(name="x" * 10_000),
    "no models": lambda d: d.update(models=[]),
    "examples of another size": lambda d: d.update(examples=base64.b64encode(b"abc").decode()),
    "an encoder that is told something else": lambda d: d["models"][0].update(told=True),
    "a plane of dimensions that aren't there": lambda d: d["models"][0].update(plane=[0, 4]),
    "a plane that is none": lambda d: d["models"][0].update(plane={"length": 2}),
    "another version": lambda d: d.update(version=2),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_hostile_panel_is_left_out_and_its_cell_is_named(studio, what):
    description = Toy().description()
    HOSTILE[what](description)
    studio.save("a.ipynb", _one(code("playground", output(description))))
    publisher = studio.publish("a.ipynb")
    page = (studio.site / "a.html").read_text(encoding="utf-8")
    assert "icvae-playground" not in body(page) and "<script" not in page
    assert any("cell 1" in note and "panel to draw on" in note for note in publisher.notes()), publisher.notes()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_weights_that_are_no_numbers_are_refused(studio, number):
    toy = Toy()
    weights, bias, activation = toy.layers["mean"]
    bias[1] = float(number)
    studio.save("a.ipynb", _one(code("playground", output(toy.description()))))
    publisher = studio.publish("a.ipynb")
    assert any("aren't all numbers" in note for note in publisher.notes())


def test_script_in_a_label_stays_words(studio):
    description = Toy().description(name="</script><script>document.title='theirs'</script>")
    page = studio.page(code("playground", output(json.dumps(description).replace("<", "\\u003c"))))
    assert "<script>document" not in page and "\\u003cscript>document" in page
    # Not escaped, it ends its element: then there is no panel, and nothing of it runs either.
    page = studio.page(code("playground", output(description)))
    assert "<script" not in page and 'class="icvae-playground"' not in body(page)


def _one(cell):
    from conftest import notebook

    return notebook(cell)


READY = (
    "new Promise((done) => { const look = () => "
    "document.querySelector('.icvae-playground').playground ? done(1) : setTimeout(look, 20); look(); })"
)


class Chromium:
    def __init__(self, file):
        playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
        self.driver = playwright.sync_playwright().start()
        self.browser = self.driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        self.page = self.browser.new_page()
        self.said, self.requests = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        try:
            self.page.goto(file.as_uri())
            # Not by wait_for_function: it evaluates a text again in each frame, which the page's policy refuses.
            self.eval(READY)
        except Exception:
            self.close()  # a driver left running would fail the tests that follow
            raise

    def eval(self, script):
        return self.page.evaluate(script)

    def stroke(self, points):
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point)
        self.page.mouse.up()
        self.page.wait_for_timeout(300)

    def close(self):
        self.browser.close()
        self.driver.stop()


class Firefox:
    """Firefox by WebDriver BiDi, which it speaks by itself."""

    def __init__(self, file):
        websocket = pytest.importorskip("websocket", reason="websocket-client is not installed")
        self.profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self.process = subprocess.Popen(
            [FIREFOX, "--headless", "--no-remote", "--profile", self.profile.name, "--remote-debugging-port", "0"],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        address = None
        for line in self.process.stderr:
            if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                address = found[1]
                break
        assert address, "Firefox didn't say where it listens"
        self.socket = websocket.create_connection(f"{address}/session", timeout=60, suppress_origin=True)
        self.number, self.said, self.requests = 0, [], []
        self.do("session.new", capabilities={})
        self.context = self.do("browsingContext.getTree")["contexts"][0]["context"]
        self.do("session.subscribe", events=["log.entryAdded", "network.beforeRequestSent"])
        self.do("browsingContext.navigate", context=self.context, url=file.as_uri(), wait="complete")
        self.eval(READY)

    def do(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            answer = json.loads(self.socket.recv())
            if answer.get("id") == self.number:
                assert answer["type"] == "success", answer
                return answer["result"]
            if answer.get("method") == "log.entryAdded":
                self.said.append(answer["params"]["text"])
            elif answer.get("method") == "network.beforeRequestSent":
                self.requests.append(answer["params"]["request"]["url"])

    def eval(self, script):
        answer = self.do(
            "script.evaluate", expression=f"Promise.resolve({script}).then(JSON.stringify)",
            target={"context": self.context}, awaitPromise=True,
        )  # fmt: skip
        return json.loads(answer["result"].get("value", "null"))

    def stroke(self, points):
        (x, y), *others = [(round(x), round(y)) for x, y in points]
        actions = [{"type": "pointerMove", "x": x, "y": y}, {"type": "pointerDown", "button": 0}]
        actions += [{"type": "pointerMove", "x": x, "y": y, "duration": 20} for x, y in others]
        actions += [{"type": "pointerUp", "button": 0}, {"type": "pause", "duration": 300}]
        source = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self.do("input.performActions", context=self.context, actions=[source])

    def close(self):
        self.socket.close()
        self.process.terminate()
        self.process.wait(30)
        self.profile.cleanup()


BROWSERS = [
    pytest.param(Chromium, marks=pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed"), id="Chromium"),
    pytest.param(Firefox, marks=pytest.mark.skipif(not FIREFOX, reason="Firefox is not installed"), id="Firefox"),
]


def apart(images, others):
    return max(abs(a - b) for image, other in zip(images, others, strict=True) for a, b in zip(image, other, strict=True))


STATE = "(({x, images}) => [Array.from(x), images.map((i) => Array.from(i))])(document.querySelector('.icvae-playground').playground)"


@pytest.mark.parametrize("browser", BROWSERS)
@pytest.mark.parametrize(
    "toy",
    [Toy(), Toy(2, 0, (33, "leaky_relu"), "sigmoid"), Toy(3, 4, told=True, plane=[2, 0])],
    ids=["decoder told", "not told", "both told"],
)
def test_strokes_give_the_models_images(studio, browser, toy):
    studio.page(code("playground", output(toy.description())))
    browser = browser(studio.site / "a.html")
    try:
        left, top, width, height = browser.eval(
            "((r) => [r.left, r.top, r.width, r.height])(document.querySelector('.pad').getBoundingClientRect())"
        )
        seven = [(0.25, 0.25), (0.75, 0.25), (0.6, 0.5), (0.45, 0.85)]
        browser.stroke([(left + x * width, top + y * height) for x, y in seven])
        x, images = browser.eval(STATE)
        assert 20 < sum(x) < 200, "the ink of a digit"
        middle = [sum(v * (i % WIDTH + 0.5) for i, v in enumerate(x)), sum(v * (i // WIDTH + 0.5) for i, v in enumerate(x))]
        assert [m / sum(x) for m in middle] == pytest.approx([14, 14], abs=0.3), "its centre of mass"
        expected = toy.versions(x)
        assert len(images) == len(expected)
        assert apart(images, expected) < 0.03, "eight bits are off by less"
        browser.eval("document.querySelector('.tests button').click()")
        browser.eval("new Promise((done) => setTimeout(() => done(1), 300))")
        x, images = browser.eval(STATE)
        assert x == pytest.approx([i * 255 // PIXELS / 255 for i in range(PIXELS)])
        assert apart(images, toy.versions(x)) < 0.03
        if toy.told:
            browser.eval("((s) => { s.selectedIndex = 2; s.onchange(); })(document.querySelectorAll('.bar select')[1])")
            browser.eval("new Promise((done) => setTimeout(() => done(1), 300))")
            x, images = browser.eval(STATE)
            assert apart(images, toy.versions(x, 1)) < 0.03, "the class that the reader names"
        assert browser.eval("document.querySelector('.plane').offsetParent !== null") == (toy.plane is not None or toy.latent == 2)
        assert browser.said == []
        assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []
    finally:
        browser.close()


@pytest.mark.skipif(not shutil.which("npx"), reason="npm isn't installed")
def test_the_short_script_is_what_its_source_gives(tmp_path):
    parts = ROOT / "icvae-core/playground"
    done = subprocess.run([parts / "minify.sh", tmp_path / "short.js"], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"npm can't fetch esbuild: {done.stderr[-200:]}")
    assert (tmp_path / "short.js").read_bytes() == (parts / "panel.min.js").read_bytes()
    assert (parts / "panel.min.js").stat().st_size + (parts / "dense.wasm").stat().st_size * 4 / 3 < 15_000


@pytest.mark.skipif(not shutil.which("rustc"), reason="Rust is not installed")
def test_the_webassembly_is_what_its_source_gives(tmp_path):
    parts = ROOT / "icvae-core/playground"
    version = subprocess.check_output(["rustc", "--version"], text=True).split()[1]
    if f"rustc {version}" not in (parts / "README.md").read_text(encoding="utf-8"):
        pytest.skip(f"it was compiled by another rustc than {version}")
    sysroot = subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip()
    if not Path(sysroot, "lib/rustlib/src/rust/library/core").is_dir():
        pytest.skip("rust-src is not installed: rustup component add rust-src")
    subprocess.run([parts / "build.sh", tmp_path / "dense.wasm"], check=True)
    assert (tmp_path / "dense.wasm").read_bytes() == (parts / "dense.wasm").read_bytes()
    assert (parts / "dense.wasm").stat().st_size < 2000
