"""A notebook with a large crate: its first start, its second, and a cell, on this kernel and on evcxr_jupyter.

Usage: starts.py TOOL EVCXR_JUPYTER, the two programs, in a Python with jupyter_client; downloads the crate if cargo hasn't
it yet. Everything else is done in a temporary folder, with builds of its own.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

DEPENDENCY = ':dep nalgebra = "0.33"\nuse nalgebra::DMatrix;'
FIRST = "let matrix = DMatrix::from_fn(64, 64, |i, j| (i * j % 7) as f64);\nmatrix.norm()"
CELLS = [f"let total_{i}: f64 = matrix.iter().map(|x| x + {i}.0).sum();\ntotal_{i}" for i in range(9)]


def session(folder, name, variables):
    """Seconds from the kernel's start to the first result, and of each cell after it."""
    specs = KernelSpecManager(kernel_dirs=[str(folder / "data/kernels")])
    manager = KernelManager(kernel_name=name, kernel_spec_manager=specs)
    begun = time.monotonic()
    manager.start_kernel(cwd=str(folder), env=variables)
    client = manager.client()
    client.start_channels()

    def run(code):
        start = time.monotonic()
        reply = client.execute_interactive(code, timeout=3600, output_hook=lambda _: None)
        if reply["content"]["status"] != "ok":
            raise SystemExit(f"{name}: {reply['content'].get('evalue')}")
        return time.monotonic() - start

    try:
        client.wait_for_ready(timeout=120)
        run(DEPENDENCY)
        run(FIRST)
        first = time.monotonic() - begun
        return first, statistics.median(run(cell) for cell in CELLS)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=False)
        manager.cleanup_resources()


def main(tool, evcxr):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        variables = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ICVAE_")},
            "XDG_CACHE_HOME": str(folder / "cache"),
            "JUPYTER_DATA_DIR": str(folder / "data"),
            "PATH": os.pathsep.join([str(pathlib.Path(evcxr).parent), os.environ["PATH"]]),
        }
        subprocess.run([tool, "register"], env=variables, check=True, stdout=subprocess.DEVNULL)
        stock = folder / "data/kernels/stock"
        stock.mkdir()
        (stock / "kernel.json").write_text(
            f'{{"argv": ["{evcxr}", "--control_file", "{{connection_file}}"], "display_name": "Rust", "language": "rust"}}'
        )
        for name in ("stock", "rust-live"):
            for which in ("first", "second"):
                start, cell = session(folder, name, variables)
                print(f"{name}, {which} start: first result after {start:.1f} s, a cell {cell:.2f} s", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
