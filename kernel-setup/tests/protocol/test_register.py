"""The kernel for any folder: registered, used twice with a dependency of a notebook's own, and removed."""

import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest
from conftest import KERNEL, PATIENCE
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

INSTALLED = KernelSpecManager().get_kernel_spec(KERNEL)
EVCXR = pathlib.Path(INSTALLED.env["ICVAE_EVCXR_JUPYTER"])
TOOL = INSTALLED.argv[0]
# Compiled slowly enough to be told from what is found.
LIBRARY = "pub fn answer() -> i32 { 42 }\n"


@pytest.fixture
def alone(tmp_path):
    """A folder in which nothing is installed but evcxr, and the variables that lead there."""
    work = tmp_path / "work"
    (work / "little/src").mkdir(parents=True)
    (work / "little/src/lib.rs").write_text(LIBRARY)
    (work / "little/Cargo.toml").write_text('[package]\nname = "little"\nversion = "0.1.0"\nedition = "2024"\n')
    variables = {
        **os.environ,
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "PATH": os.pathsep.join([str(EVCXR.parent), os.environ["PATH"]]),
    }
    return work, tmp_path, {name: value for name, value in variables.items() if not name.startswith("ICVAE_")}


def register(variables, *arguments):
    return subprocess.run([TOOL, "register", *arguments], env=variables, capture_output=True, text=True, timeout=PATIENCE)


def session(tmp_path, work, variables, cells):
    """What a fresh kernel makes of the cells."""
    specs = KernelSpecManager(kernel_dirs=[str(tmp_path / "data/kernels")])
    manager = KernelManager(kernel_name="rust-live", kernel_spec_manager=specs)
    manager.start_kernel(cwd=str(work), env=variables)
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=PATIENCE)
        shown = []

        def hook(message):
            content = message["content"]
            shown.append(content.get("text") or content.get("data", {}).get("text/plain", ""))

        for cell in cells:
            reply = client.execute_interactive(cell, timeout=PATIENCE, output_hook=hook)
            assert reply["content"]["status"] == "ok", reply["content"]
        return shown
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)
        manager.cleanup_resources()


def libraries(folder):
    return {path.name: path.stat().st_ino for path in folder.glob("target/**/deps/*.rlib")}


def test_a_notebook_of_any_folder_finds_what_it_has_compiled(alone):
    work, tmp_path, variables = alone
    done = register(variables)
    assert done.returncode == 0, done.stdout + done.stderr
    spec = json.loads((tmp_path / "data/kernels/rust-live/kernel.json").read_text())
    assert spec["display_name"] == "Rust (live)" and str(tmp_path) in spec["argv"][0]
    assert "Rust (live)" in done.stdout and not re.search("libtorch|tutorial", done.stdout)

    cells = [':dep little = { path = "little" }\nlet n = little::answer();', "println!(\"{n}\"); n + 1"]
    shown = session(tmp_path, work, variables, cells)
    assert [text.strip() for text in shown if text.strip()] == ["42", "43"]
    builds = tmp_path / "cache/icvae/live/builds"
    [kept] = [folder for folder in (builds / "kept").iterdir() if not folder.name.startswith(".")]
    [little] = [name for name in libraries(kept) if name.startswith("liblittle-")]

    # Another kernel, in a build folder that knows nothing: the library is the one that was kept.
    shutil.rmtree(builds / "0")
    assert [text.strip() for text in session(tmp_path, work, variables, cells) if text.strip()] == ["42", "43"]
    assert libraries(builds / "0")[little] == libraries(kept)[little]

    done = register(variables, "--remove")
    assert done.returncode == 0, done.stdout + done.stderr
    assert not (tmp_path / "data/kernels/rust-live").exists() and not builds.exists()


def test_what_cannot_be_registered_is_said_in_a_sentence(alone):
    _, tmp_path, variables = alone
    (tmp_path / "data").write_text("no folder")
    done = register(variables)
    assert done.returncode != 0
    assert "kernels/rust-live" in done.stderr and "panicked" not in done.stderr
