"""The tutorial's cells on a plain evcxr_jupyter, which has nothing but the library: what it says there by itself.

There an error is a line on standard error, and the reply is well; so all texts together are looked at.
"""

import json
import os
import pathlib
import shutil

import pytest
from changes import BASE, MODEL, NEVER, TABLE, Edited
from conftest import KERNEL, Kernel
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager
from test_changes import NOTEBOOK, Notebook, seen

#: Changes of the table to which the library has the answer.
CHANGES = (
    "a latent dimension of 0",
    "batches of 0",
    "batches larger than the data",
    "batches of one",
    "a learning rate that is far too large",
    "a digit that isn't there",
    "a frozen encoder",
    "a loss without its mean",
    "a term without its mean",
    "the same term twice",
    "a sum where the others are means",
    "the logarithm of a negative number",
    "a loss without a gradient",
    "the prior alone",
    "a curve that no term has",
    "trained a second time",
    "early stopping in a line",
    "weights of another model",
    "gradients off, and a panic",
    "gradients are on again",
    "a tensor shown",
    "tensors shown",
    "a history as a table",
    "an image of one's own",
)


class Plain(Notebook):
    """evcxr alone keeps an `impl` without its type for good; behind something with a name it can be run again."""

    def __missing__(self, key):
        found = super().__missing__(key)
        self[key] = f"mod model_of_icvae {{}}\n{found}" if key == MODEL else found
        return self[key]


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A plain kernel in a copy of the warm build folder, with the tutorial's cells run."""
    folder = tmp_path_factory.mktemp("plain")
    installed = KernelSpecManager().get_kernel_spec(KERNEL)
    environment = dict(installed.env)
    relay = pathlib.Path(installed.argv[0])
    warm = relay.parents[1] / "builds" / "warm"
    if warm.is_dir():
        shutil.copytree(warm, folder / "build", symlinks=True)
        environment["EVCXR_TMPDIR"] = str(folder / "build")
    spec = folder / "kernels" / "plain"
    spec.mkdir(parents=True)
    argv = [environment.pop("ICVAE_EVCXR_JUPYTER"), "--control_file", "{connection_file}"]
    (spec / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "plain", "language": "rust", "env": environment}))

    kernel = Kernel.__new__(Kernel)
    manager = KernelSpecManager(kernel_dirs=[str(folder / "kernels")])
    kernel.manager = KernelManager(kernel_name="plain", kernel_spec_manager=manager)
    own = {"ICVAE_DATA": "synthetic", "ICVAE_SMOKE": "1", "XDG_CACHE_HOME": str(folder / "cache")}
    kernel.manager.start_kernel(cwd=str(NOTEBOOK.parent), env={**os.environ, **own})
    kernel.client = kernel.manager.client()
    kernel.client.start_channels()
    notebook = Plain()
    try:
        kernel.client.wait_for_ready(timeout=300)
        for key in BASE:
            cell = kernel.run(notebook[key])
            assert cell.reply["status"] == "ok" and "panicked" not in seen(cell), (key, seen(cell))
        kernel.ok(f'std::env::set_current_dir("{folder}").unwrap();')
        yield kernel, notebook
    finally:
        kernel.stop()


@pytest.mark.parametrize("name", CHANGES)
def test_the_library_says_it_by_itself(plain, name):
    kernel, notebook = plain
    [change] = [change for change in TABLE if change.name == name]
    texts = []
    for step in change.cells:
        cell = kernel.run(step if isinstance(step, str) else step.of(notebook))
        texts.append(seen(cell))
    for step in change.cells:
        if isinstance(step, Edited) and step.pairs:
            kernel.ok(notebook[step.key])
    everything = "\n".join(texts)
    for text in change.says:
        assert text in everything, everything
    # A panic of tch has its own words here.
    for text in set(NEVER) - {"called `Result::unwrap()`", "frame #", "Exception raised from", "rust_begin_unwind"}:
        assert text not in texts[-1], texts[-1]
    kernel.ok("1 + 1")
