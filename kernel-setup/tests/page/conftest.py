"""Notebooks to make pages of, and the pages made of them."""

import base64
import io
import json
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image, ImageDraw

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "kernel-setup/python"))

from page.publish import Publisher  # noqa: E402

RUST = {
    "kernelspec": {"name": "icvae-rust", "display_name": "Rust", "language": "rust"},
    "language_info": {"name": "rust", "pygments_lexer": "rust"},
}


def text(source):
    return new_markdown_cell(source)


def code(source, *outputs, tags=()):
    metadata = {"tags": list(tags)} if tags else {}
    cell = new_code_cell(source, execution_count=1, metadata=metadata)
    cell.outputs = list(outputs)
    return cell


def stream(content, name="stdout"):
    return new_output("stream", name=name, text=content)


def display(data, **metadata):
    return new_output("display_data", data=data, metadata=metadata)


def png(width=640, height=320, mark="7"):
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((20, 20, width - 20, height - 20), outline="black", width=3)
    draw.text((width // 2, height // 3), mark, fill="black", font_size=height // 4)
    file = io.BytesIO()
    image.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def figure(alt="A seven in a frame.", **said):
    said = {"width": 320, "height": 160, "alt": alt, **said}
    return display({"image/png": png(), "text/plain": alt}, **{"image/png": said})


def notebook(*cells, **metadata):
    made = new_notebook(metadata={**RUST, **metadata})
    made.cells = list(cells)
    return made


class Studio:
    """A folder of notebooks and the pages made of them."""

    def __init__(self, folder):
        self.folder = folder
        self.site = folder / "site"

    def save(self, name, content):
        path = self.folder / name
        # Not by nbformat, which would put right what is to be found wrong.
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())

    def orders(self, *names, trust=False, output=True, **config):
        path = self.folder.resolve()
        return {
            "notebooks": [
                {"name": name, "path": str(path / name), "content": str(path / name)}
                for name in names
            ],
            "output": str(self.site) if output else None,
            "root": str(path),
            "config": config,
            "trust": trust,
        }

    def publish(self, *names, **options):
        """The publisher, after it has written its pages if there was no fault."""
        publisher = Publisher(self.orders(*names, **options))
        pages = publisher.compose()
        if pages is not None and publisher.orders["output"]:
            publisher.write(pages, self.site)
        return publisher

    def page(self, *cells, metadata=None, **options):
        """The page of one notebook, which must be without faults."""
        self.save("a.ipynb", notebook(*cells, **(metadata or {})))
        publisher = self.publish("a.ipynb", **options)
        assert publisher.faults() == []
        return (self.site / "a.html").read_text(encoding="utf-8")

    def faults(self, *cells):
        """The faults of a notebook; no page may come of it."""
        self.save("a.ipynb", notebook(*cells))
        faults = self.publish("a.ipynb").faults()
        assert faults and not self.site.exists()
        return faults


@pytest.fixture
def studio(tmp_path):
    return Studio(tmp_path)


def body(page):
    """The page without its head, where the style sheet would match many a word."""
    return page[page.index("<main") : page.index("</main>")]


BOUND = r"""$$I(z, c) \leq
\underbrace{- \mathbb{E}_{x,c,z\sim q}[ \log p(x|z,c)]}_{\text{Reconstruction}}
+ \underbrace{\mathbb{E}_{x}[~KL[~q(z|x)~\|~q(z)~]~ ]}_{\text{Compression}}
- \underbrace{\vphantom{\mathbb{E}_{x,q}[]}H(x|c)}_{\text{Const}}$$"""


def tutorial():
    """A notebook with everything that a page has to cope with."""
    table = "<table border=1><tr><th>term</th></tr><tr><td>66.02</td></tr></table>"
    return notebook(
        text(
            "# A code that forgets\n\nAn autoencoder squeezes an image $x$ into a code $z$ and "
            "draws it again. It follows [Moyer et al.](https://arxiv.org/abs/1805.09458)."
        ),
        text(
            "## The bound\n\nSince $z \\perp c$ is too much to ask,\n\n" + BOUND + "\n\n"
            "1. usually $\\|x - \\hat{x}\\|_2^2$;\n2. then\n   $$-\\tfrac12\\sum_{d=1}^D "
            "\\left(1 + \\log\\sigma_d^2 - \\mu_d^2 - \\sigma_d^2\\right)$$\n\n"
            "\\begin{align}\nKL &= \\log\\frac{\\det\\Sigma_1}{\\det\\Sigma_0} \\\\\n&\\geq 0\n"
            "\\end{align}\n\n| epochs | total |\n|---:|---:|\n| 1 | 78.91 |\n"
        ),
        code(
            ':dep icvae-core = { path = "../icvae-core" }\nuse icvae_core::prelude::*;',
            stream("   Compiling icvae-core v0.1.0\n    Finished in 4.6s\n", "stderr"),
            stream("on the CPU\n"),
            tags=["hide-input"],
        ),
        text(
            "### All pairs of $z$\n\nSee [the end](#The-End:-what-it-shows) and "
            "[the companion](vae.ipynb#the-s-curve)."
        ),
        code(
            "fn all_pairs(mean: &Tensor) -> Result<Tensor> {\n    // [batch, z]\n"
            "    Ok(mean.matmul(&mean.tr()) * 0.5)\n}",
            stream("".join(f"epoch {n}  total {99 - n}\n" for n in range(60))),
            stream("step 1/9\rstep 9/9  done\n"),
        ),
        code("show(&figure)", figure(title="A title"), figure("Another seven.")),
        code(
            'let n: i32 = "a";',
            new_output(
                "error",
                ename="E0308",
                evalue="mismatched types",
                traceback=[
                    "\x1b[31m[E0308]\x1b[0m mismatched types",
                    '\x1b[38;5;246m 1 │\x1b[0m let n: i32 = "a";',
                ],
            ),
        ),
        code("table()", display({"text/html": table, "text/plain": "66.02"})),
        text(
            '# The End: what it shows\n\nAt a price of \\$5. <b onclick="alert(1)">Bold</b> '
            "<script>alert(2)</script>"
        ),
    )


def companion():
    return notebook(
        text(
            "# Variational autoencoders\n\nWhat each part of the loss does to digits, one by one."
        ),
        text(
            "## The S-curve\n\n$$\\int e^{-x^2}\\,dx = \\sqrt{\\pi}$$\n\n"
            "Back to [the tutorial](./tutorial.ipynb)."
        ),
        code("show()", figure("A curve.")),
    )


HOSTILE = """
<script>alert(1)</script><img src="http://evil/0" onerror="alert(2)" style="background:url(http://evil/1)">
<a href="javascript:alert(3)" onclick="alert(4)">a</a><iframe src="http://evil/2"></iframe>
<svg onload="alert(5)"><script>alert(6)</script></svg><style>@import "http://evil/3"</style>
<form action="http://evil/4"><input name="q" autofocus onfocus="alert(7)"></form>
<a href="data:text/html,<script>alert(8)</script>">b</a><math><mtext></p><img src onerror=alert(9)>
<base href="http://evil/5"><meta http-equiv="refresh" content="0;http://evil/6"><h2 id="top">h</h2>
<div data-slot="99" class="toc" style="position:fixed;color:red">c</div></main></body></html>
<a href="jav&#x09;ascript:alert(10)">d</a><svg><animate onbegin="alert(11)"></svg>
<noscript><p title="</noscript><b onclick='alert(12)'>"></noscript><table><td background="http://evil/7">
<details open ontoggle="alert(13)"><summary>s</summary>x</details>
<span data-slot="0"><script>alert(14)</script></span><math><mi href="javascript:alert(15)">x</mi></math>
"""
