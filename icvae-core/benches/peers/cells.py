"""How long the cells of a notebook take in the live kernel, and who spends the processor's time.

    .icvae/env/bin/python icvae-core/benches/peers/cells.py [--notebook tutorial] [--level 0] [--level 2]

Runs the notebook's cells one after the other in smoke mode, on drawn data, after an empty first cell; exercises are left
out. Levels are those of evcxr's `:opt`, each in a kernel of its own, in the order given. The processor's time, in seconds, is
that of evcxr, of the compilers it starts, and of the process in which cells run. Linux only.
"""

import argparse
import json
import os
import pathlib
import statistics
import time

from jupyter_client.manager import KernelManager

ROOT = pathlib.Path(__file__).resolve().parents[3]
TICKS = os.sysconf("SC_CLK_TCK")
WHO = ("evcxr", "compilers", "cells")


def spent(relay):
    """Seconds of the processor by those who work for a kernel."""
    processes = {}
    for file in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            before, _, after = file.read_text().rpartition(")")
        except OSError:
            continue
        number, _, name = before.partition(" (")
        fields = after.split()
        own, of_ended = (sum(map(int, fields[at : at + 2])) / TICKS for at in (11, 13))
        processes[int(number)] = (name, int(fields[1]), own, of_ended)
    total = dict.fromkeys(WHO, 0.0)
    for name, parent, own, of_ended in processes.values():
        if not name.startswith("evcxr_jupyter"):
            continue
        if parent == relay:
            total["evcxr"] += own
            total["compilers"] += of_ended
        elif processes.get(parent, ("", 0))[1] == relay:
            total["cells"] += own
    return total


def measure(name, level):
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())["cells"]
    codes = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    manager = KernelManager(kernel_name=os.environ.get("ICVAE_KERNEL", "icvae-rust"))
    manager.start_kernel(
        env=os.environ | {"ICVAE_DATA": "synthetic", "ICVAE_SMOKE": "1"}, cwd=str(ROOT / "notebooks")
    )
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=300)
    print(f"{name}, level {level}\n  cell    s  {'  '.join(f'{who:>9}' for who in WHO)}")
    times, total, relay = [], dict.fromkeys(WHO, 0.0), manager.provisioner.pid
    try:
        for number, code in enumerate(["1", f":opt {level}", *codes], -1):
            if "todo!()" in code:
                continue
            begun, before = time.monotonic(), spent(relay)
            reply = client.execute_interactive(code, output_hook=lambda _: None, timeout=900)
            taken, after = time.monotonic() - begun, spent(relay)
            shares = [max(0.0, after[who] - before[who]) for who in WHO]
            failed = "  (failed: it needs an exercise)" if reply["content"]["status"] != "ok" else ""
            print(f"{number:6} {taken:5.2f}  {'  '.join(f'{share:9.2f}' for share in shares)}{failed}")
            for who, share in zip(WHO, shares):
                total[who] += share
            if number > 0:
                times.append(taken)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print(
        f"median of the cells after the first: {statistics.median(times[1:]):.2f} s; all of them {sum(times[1:]):.1f} s; "
        + ", ".join(f"{who} {seconds:.1f} s" for who, seconds in total.items())
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--notebook", default="tutorial")
    parser.add_argument("--level", type=int, action="append", choices=(0, 1, 2))
    arguments = parser.parse_args()
    for level in arguments.level or [0]:
        measure(arguments.notebook, level)


if __name__ == "__main__":
    main()
