"""The tutorial's cells on evcxr_jupyter without the relay: what the library says there by itself.

There an error is a line on standard error, and the reply is well. What a cell prints may be published after its reply, and even
for the next request; so each change is followed by a cell that prints a mark on both streams, and all up to the marks is its text.
"""

import json
import os
import pathlib
import queue
import re
import shutil

import pytest
from changes import BASE, CURVES, FEWER, MODEL, TABLE, Edited, cell
from conftest import KERNEL, PATIENCE, Kernel
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from test_changes import ANSI, NOTEBOOK, Notebook

#: Changes of the table to which the library has the answer. A list is one after the other.
CHANGES = [
    ["a latent dimension of 0"],
    ["batches larger than the data"],
    ["batches of one"],
    ["a loss without its mean"],
    ["a term without its mean"],
    ["the same term twice"],
    ["the logarithm of a negative number"],
    ["a frozen encoder"],
    ["a curve that no term has"],
    ["trained a second time"],
    ["gradients off, and a panic", "gradients are on again"],
    ["a tensor shown"],
]


class Plain(Notebook):
    """evcxr alone keeps an `impl` without its type for good; behind something with a name it can be run again."""

    def __missing__(self, key):
        found = super().__missing__(key)
        self[key] = f"mod model_of_icvae {{}}\n{found}" if key == MODEL else found
        return self[key]


class PlainKernel(Kernel):
    """A plain evcxr_jupyter in a copy of the warm build folder."""

    def __init__(self, folder, program, installed):
        environment = {name: value for name, value in installed.env.items() if name != "ICVAE_EVCXR_JUPYTER"}
        warm = pathlib.Path(installed.argv[0]).parents[1] / "builds" / "warm"
        if warm.is_dir():
            shutil.copytree(warm, folder / "build", symlinks=True)
            # Cargo looks for the profile in the folders above; another one would compile every dependency anew.
            shutil.copytree(warm.parent / ".cargo", folder / ".cargo")
            environment["EVCXR_TMPDIR"] = str(folder / "build")
        spec = folder / "kernels" / "plain"
        spec.mkdir(parents=True)
        argv = [program, "--control_file", "{connection_file}"]
        (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "plain", "language": "rust", "env": environment}))
        own = {"ICVAE_DATA": "synthetic", "ICVAE_SMOKE": "1", "XDG_CACHE_HOME": str(folder / "cache")}
        specs = KernelSpecManager(kernel_dirs=[str(folder / "kernels")])
        self.manager = KernelManager(kernel_name="plain", kernel_spec_manager=specs)
        self.manager.start_kernel(cwd=str(NOTEBOOK.parent), env={**os.environ, **own})
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)
        if warm.is_dir():
            # Its first build, without dependencies, has struck them all from the lock, and it would compile newer ones.
            shutil.copy(warm / "Cargo.lock", folder / "build" / "Cargo.lock")
        self.marks = 0

    def seen(self, *codes):
        """Runs cells one after the other; all that a reader sees of them, and the number of the process at their end."""
        self.marks += 1
        mark = f"mark {self.marks} of process "
        requests = [self.send(code, stop_on_error=False) for code in codes]
        requests.append(self.send(f'println!("{mark}{{}}.", std::process::id());\neprintln!("{mark}{{}}.", std::process::id());'))
        texts = {"stdout": "", "stderr": "", "shown": ""}
        running = set(requests)
        while running or any(mark not in texts[name] for name in ("stdout", "stderr")):
            try:
                message = self.client.get_iopub_msg(timeout=PATIENCE)
            except queue.Empty:
                pytest.fail(f"nothing came any more, {len(running)} of {len(requests)} cells are running, and so far there was\n{texts}")
            content, kind = message["content"], message["msg_type"]
            if kind == "stream":
                texts[content["name"]] += content["text"]
            elif kind == "error":
                texts["shown"] += "\n".join([content["evalue"], *content["traceback"]])
            elif "text/plain" in content.get("data", {}):
                texts["shown"] += content["data"]["text/plain"] + "\n"
            elif kind == "status" and content["execution_state"] == "idle":
                running.discard(message["parent_header"].get("msg_id"))
        return ANSI.sub("", "\n".join(texts.values())), re.search(mark + r"(\d+)", texts["stdout"])[1]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A plain kernel with the tutorial's cells run, its notebook, and the number of its process."""
    installed = KernelSpecManager().get_kernel_spec(KERNEL)
    program = installed.env.get("ICVAE_EVCXR_JUPYTER")
    if not program or not os.access(program, os.X_OK):
        pytest.skip(f"the kernel {KERNEL} names no evcxr_jupyter that is there, but {program}")
    kernel = PlainKernel(tmp_path_factory.mktemp("plain"), program, installed)
    try:
        notebook = Plain()
        for step in (FEWER, *map(cell, BASE[1 : BASE.index(CURVES)])):
            kernel.ok(step.of(notebook))
        _, process = kernel.seen()
        yield kernel, notebook, process
    finally:
        kernel.stop()


@pytest.mark.parametrize("names", CHANGES, ids=", then ".join)
def test_the_library_says_it_by_itself(plain, names):
    kernel, notebook, process = plain
    changes = [change for name in names for change in TABLE if change.name == name]
    assert len(changes) == len(names), "the table has other names now: bring the list up to date"
    steps = [step for change in changes for step in change.cells]
    text, after = kernel.seen(*(step if isinstance(step, str) else step.of(notebook) for step in steps))
    for change in changes:
        for wanted in change.says:
            assert wanted in text, text
        for unwanted in change.never:
            assert unwanted not in text, text
    assert after == process, f"the process has ended, and another one goes on\n{text}"
    for step in steps:
        if isinstance(step, Edited):
            kernel.ok(notebook[step.key])
