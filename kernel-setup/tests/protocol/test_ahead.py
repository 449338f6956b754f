"""What a notebook's first cell needs is loaded before anybody runs it."""

import json
import os
import pathlib

import pytest
from conftest import Kernel

LIBRARY = pathlib.Path(__file__).parents[3] / "icvae-core"
OWN = f':dep icvae-core = {{ path = "{LIBRARY.resolve()}" }}'


def notebook(folder, first):
    path = folder / "a.ipynb"
    cells = [{"cell_type": "markdown", "source": "Read me."}, {"cell_type": "code", "source": first}]
    path.write_text(json.dumps({"cells": cells}))
    return path


@pytest.fixture
def opened(tmp_path):
    kernels = []

    def open(first):
        kernels.append(Kernel(env={**os.environ, "JPY_SESSION_NAME": str(notebook(tmp_path, first))}))
        return kernels[-1]

    yield open
    for kernel in kernels:
        kernel.stop()


def dependencies(kernel):
    return kernel.ok(":show_deps").of("execute_result")


def test_the_dependencies_are_there_before_the_first_cell_and_the_prelude_with_them(opened):
    first = f"{OWN}\nuse icvae_core::tch::Device;\nlet device = Device::Cpu;"
    kernel = opened(first)
    assert "icvae-core" in str(dependencies(kernel))
    # None of the first cell has run.
    assert kernel.run("device").reply["ename"] == "CompileError"
    kernel.ok(first)
    cell = kernel.ok('print!("unfinished"); device')
    assert cell.text() == "unfinished", "the process is not attached"


@pytest.mark.parametrize("first", ["1", ':dep rand = "0.9"\n1', f"{OWN}\n:efmt {{}}\n1", "let a = \"})"])
def test_what_is_not_known_is_left_to_the_reader(opened, first):
    kernel = opened(first)
    assert "icvae-core" not in str(dependencies(kernel)) and "rand" not in str(dependencies(kernel))
    assert kernel.ok("40 + 2").of("execute_result")[0]["data"]["text/plain"] == "42"


def test_a_changed_library_is_seen_by_the_next_cell(own_kernel, tmp_path):
    """Cells are compiled without asking cargo as long as nothing else has changed."""
    crate = tmp_path / "tiny"
    (crate / "src").mkdir(parents=True)
    (crate / "Cargo.toml").write_text('[package]\nname = "tiny"\nversion = "0.1.0"\nedition = "2024"\n')

    def answer(number):
        (crate / "src/lib.rs").write_text(f"pub fn answer() -> i32 {{ {number} }}\n")

    def say(cell):
        return cell.of("execute_result")[0]["data"]["text/plain"]

    answer(1)
    own_kernel.ok(f':dep tiny = {{ path = "{crate}" }}')
    build = pathlib.Path(own_kernel.ok('print!("{}", std::env::var("EVCXR_TMPDIR").unwrap());').text())
    assert say(own_kernel.ok("tiny::answer()")) == "1"
    assert list(build.glob("icvae-compiler-*.json")), "cargo is asked each time"
    assert say(own_kernel.ok("tiny::answer() + 10")) == "11"
    answer(2)
    assert say(own_kernel.ok("tiny::answer() + 20")) == "22"
    assert say(own_kernel.ok("tiny::answer() + 30")) == "32"
    # What the reader's code starts is the real cargo.
    folder, path = own_kernel.ok(
        'print!("{} {}", std::env::var("ICVAE_LIVE").unwrap(), std::env::var("PATH").unwrap());'
    ).text().split(" ", 1)
    assert folder not in path
