"""Longer runs against a kernel than a test may take: what is lost, in numbers.

    ICVAE_TEST_PATIENCE=120 .icvae/env/bin/python kernel-setup/tests/faults/run.py PART [COUNT]

Each part ends with one line that says what was tried, how often, and what was lost, or fails.
"""

import os
import pathlib
import random
import signal
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "protocol"))

from conftest import SIDE, Kernel  # noqa: E402
from test_lifecycle import Traces, is_alive, wait_until  # noqa: E402


def resident(pid):
    """Megabytes of memory that a process holds."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) // 1024
    return 0


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def starts(count=50):
    """Kernels started, used and ended."""
    for _ in range(count):
        kernel = Kernel()
        traces = Traces(kernel)
        kernel.stop()
        traces.assert_gone(in_order=True)
    left = [p.name for p in pathlib.Path(tempfile.gettempdir()).glob("rust-analyzer*")]
    print(f"{count} kernels started and ended: no process, folder or note left; rust-analyzer folders: {len(left)}")


def cells(count=1000):
    """Small cells in one kernel, in handfuls, so that other work gets its turn."""
    kernel = Kernel()
    traces = Traces(kernel)
    kernel.ok("let mut sum = 0u64;")
    before = resident(traces.relay), descriptors(traces.relay)
    began = time.monotonic()
    for number in range(count):
        cell = kernel.ok(f"sum += {number}; print!(\"{number}\");")
        assert cell.text() == str(number), cell.messages
    assert kernel.ok("sum").of("execute_result")[0]["data"]["text/plain"] == str(count * (count - 1) // 2)
    after = resident(traces.relay), descriptors(traces.relay)
    each = (time.monotonic() - began) / count
    kernel.stop()
    print(
        f"{count} cells: every output whole, {each:.2f} s each; relay {before[0]} → {after[0]} MB, "
        f"{before[1]} → {after[1]} descriptors"
    )


def output(megabytes=200):
    """One cell that prints much."""
    kernel = Kernel()
    relay = kernel.manager.provisioner.pid
    most, length = 0, 0

    def look(message):
        nonlocal most, length
        most = max(most, resident(relay))
        if message["msg_type"] == "stream":
            length += len(message["content"]["text"])
            message["content"]["text"] = ""

    began = time.monotonic()
    lines = megabytes << 14
    cell = kernel.run(f'let line = "x".repeat(63); for _ in 0..{lines} {{ println!("{{line}}"); }}', look)
    assert cell.reply["status"] == "ok" and length == lines * 64, length
    kernel.stop()
    print(f"{megabytes} MB of output: all there after {time.monotonic() - began:.0f} s; relay at most {most} MB")


def updates(seconds=10):
    """Ten thousand updates of one display a second."""
    kernel = Kernel()
    kernel.ok(SIDE)
    relay = kernel.manager.provisioner.pid
    most = 0

    def look(_):
        nonlocal most
        most = max(most, resident(relay))

    code = (
        'show("display_data", "text/plain", "0", "u"); let begun = std::time::Instant::now(); let mut sent = 0u64; '
        f"while begun.elapsed().as_secs() < {seconds} {{ sent += 1; "
        'show("update_display_data", "text/plain", &sent.to_string(), "u"); '
        "let due = std::time::Duration::from_micros(100 * sent); "
        "if let Some(rest) = due.checked_sub(begun.elapsed()) { std::thread::sleep(rest); } } sent"
    )
    cell = kernel.run(code, look)
    assert cell.reply["status"] == "ok", cell.reply
    sent = int(cell.of("execute_result")[0]["data"]["text/plain"])
    shown = [c["data"]["text/plain"] for c in cell.of("update_display_data")]
    assert shown[-1] == str(sent) and shown == sorted(shown, key=int)
    kernel.stop()
    print(
        f"{sent / seconds:.0f} updates a second for {seconds} s: {len(shown)} delivered, in order, "
        f"the last one always; relay at most {most} MB"
    )


def kills(victim, count=20):
    """`kill -9` of one of the three processes (`relay`, `evcxr`, `process`) at random moments of a cell."""
    chance = random.Random(victim)
    kernel, lost = None, 0
    for turn in range(count):
        if kernel is None:
            kernel = Kernel()
        traces = Traces(kernel)
        code = 'println!("begun"); let mut v = vec![0u64; 1 << 20]; loop { for x in &mut v { *x += 1; } }'
        request = kernel.send(code)
        if chance.random() < 0.7:
            kernel.wait_for(request, "stream")
        time.sleep(chance.random() * 1.5)
        os.kill(getattr(traces, victim), signal.SIGKILL)
        if victim == "relay":
            traces.assert_gone()
            kernel.client.stop_channels()
            kernel.manager.shutdown_kernel(now=True)
            kernel = None
            continue
        cell = kernel.collect(request)
        if cell.reply["status"] != "error" or cell.reply["ename"] != "Crash" or not cell.of("error"):
            lost += 1
            print("unheard:", cell.reply)
        wait_until(lambda: not is_alive(traces.process), "the reader's process is still there")
        kernel.ok("1")
    if kernel is not None:
        kernel.stop()
    print(f"kill -9 of the {victim} at {count} moments: {lost} unheard, nothing left behind, the next cell runs")


def main(part, *count):
    parts = {"starts": starts, "cells": cells, "output": output, "updates": updates}
    if part in parts:
        parts[part](*map(int, count))
    else:
        kills(part, *map(int, count))


if __name__ == "__main__":
    main(*sys.argv[1:])
