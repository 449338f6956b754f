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
