"""Longer runs against a kernel than a test may take: what is lost, in numbers.

    ICVAE_TEST_PATIENCE=120 .icvae/env/bin/python kernel-setup/tests/faults/run.py PART [COUNT]

Each part ends with one line that says what was tried, how often, and what was lost, or fails.
"""

import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "protocol"))

from conftest import SIDE, Kernel  # noqa: E402
from test_lifecycle import Traces, is_alive, wait_until  # noqa: E402
from test_notebook import DIGITS, MODEL, SETUP  # noqa: E402


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
    print(f"{count} kernels started and ended: no process, folder or note left")


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


def updates(seconds=10, displays=8):
    """Ten thousand updates a second: each waits for its answer, so several displays are updated at once, by a thread each."""
    kernel = Kernel()
    kernel.ok(SIDE)
    relay = kernel.manager.provisioner.pid
    most = 0

    def look(_):
        nonlocal most
        most = max(most, resident(relay))

    code = f"""
let threads: Vec<_> = (0..{displays}u64).map(|which| std::thread::spawn(move || {{
    let id = format!("u{{which}}");
    show("display_data", "text/plain", "0", &id);
    let (begun, mut sent) = (std::time::Instant::now(), 0u64);
    while begun.elapsed().as_secs() < {seconds} {{
        sent += 1;
        show("update_display_data", "text/plain", &sent.to_string(), &id);
        let due = std::time::Duration::from_micros({displays} * 100 * sent);
        if let Some(rest) = due.checked_sub(begun.elapsed()) {{ std::thread::sleep(rest); }}
    }}
    sent
}})).collect();
println!("{{:?}}", threads.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>());
"""
    cell = kernel.run(code, look)
    assert cell.reply["status"] == "ok", cell.reply
    sent = json.loads(cell.text())
    shown = [[] for _ in sent]
    for content in cell.of("update_display_data"):
        shown[int(content["transient"]["display_id"][1:])].append(int(content["data"]["text/plain"]))
    assert all(numbers == sorted(numbers) and numbers[-1] == last for numbers, last in zip(shown, sent, strict=True))
    kernel.stop()
    print(
        f"{sum(sent) / seconds:.0f} updates a second for {seconds} s, of {displays} displays: {sum(map(len, shown))} of {sum(sent)} "
        f"delivered, in order, the last one of each always; relay at most {most} MB"
    )


def strike(kernel, traces, victim, request):
    """`kill -9` of one of the three processes while a request runs: what the client hears, and whether the kernel lives on."""
    os.kill(getattr(traces, victim), signal.SIGKILL)
    if victim == "relay":
        traces.assert_gone()
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)
        return None, False
    cell = kernel.collect(request)
    wait_until(lambda: not is_alive(traces.process), "the reader's process is still there")
    return cell, True


def kills(victim, count=20):
    """`kill -9` of one of the three processes (`relay`, `evcxr`, `process`) at random moments of a cell."""
    chance = random.Random(victim)
    kernel, lost = None, 0
    for _ in range(count):
        kernel = kernel or Kernel()
        traces = Traces(kernel)
        request = kernel.send('println!("begun"); let mut v = vec![0u64; 1 << 20]; loop { for x in &mut v { *x += 1; } }')
        if chance.random() < 0.7:
            kernel.wait_for(request, "stream")
        time.sleep(chance.random() * 1.5)
        cell, lives = strike(kernel, traces, victim, request)
        if not lives:
            kernel = None
            continue
        if cell.reply["status"] != "error" or cell.reply["ename"] != "Crash" or not cell.of("error"):
            lost += 1
            print("unheard:", cell.reply)
        kernel.ok("1")
    if kernel is not None:
        kernel.stop()
    print(f"kill -9 of the {victim} at {count} moments: {lost} unheard, nothing left behind, the next cell runs")


def reader(folder):
    """A kernel with a small model and its data, whose weights are kept below a folder."""
    kernel = Kernel(env={**os.environ, "XDG_CACHE_HOME": str(folder)})
    kernel.ok(SETUP + "use icvae_core::train::{Model, Store};")
    kernel.ok(DIGITS)
    kernel.ok(MODEL)
    return kernel


def train(epochs):
    return (
        f"let run = Trainer::new(&TrainConfig {{ epochs: {epochs}, ..Default::default() }}).keep_in(Store::in_cache()?)"
        '.listen(TrainingView::new("t").without_curves()).fit(&model, &digits, None)?;\n'
        'println!("{run}");'
    )


WEIGHTS = (
    "let mut all: Vec<_> = model.var_store().variables().into_iter().collect();\nall.sort_by(|a, b| a.0.cmp(&b.0));\n"
    "let sum: u64 = all.iter().flat_map(|(_, t)| Vec::<f32>::try_from(t.flatten(0, -1)).unwrap()).enumerate()"
    ".fold(0u64, |sum, (i, w)| sum.wrapping_mul(31).wrapping_add(u64::from(w.to_bits()) ^ i as u64));\n"
    'println!("{sum}");'
)


def training(victim, count=20, epochs=400):
    """`kill -9` of one of the three processes at random moments of a training, which then goes on from its last epoch."""
    chance = random.Random(victim)
    with tempfile.TemporaryDirectory() as whole, tempfile.TemporaryDirectory() as cut:
        kernel = reader(pathlib.Path(whole))
        kernel.ok(train(epochs))
        expected = kernel.ok(WEIGHTS).text()
        kernel.stop()
        kernel, kept = None, 0
        for _ in range(count):
            kernel = kernel or reader(pathlib.Path(cut))
            traces = Traces(kernel)
            request = kernel.send(train(epochs))
            kernel.wait_for(request, "display_data")
            time.sleep(chance.random() * 1.5)
            cell, lives = strike(kernel, traces, victim, request)
            # It may have come to its end in time.
            assert cell is None or cell.reply["status"] == "ok" or cell.reply["ename"] == "Crash", cell.reply
            if victim == "process":
                kernel.ok(DIGITS)
                kernel.ok(MODEL)
            else:
                if lives:
                    kernel.stop()
                kernel = None
            kept += any(pathlib.Path(cut).rglob("*.safetensors"))
        if kernel is not None:
            kernel.stop()
        left = [file.name for file in pathlib.Path(cut).rglob(".tmp*")]
        kernel = reader(pathlib.Path(cut))
        told = kernel.ok(train(epochs)).text()
        assert re.search(r"went on from step \d+|found the weights", told), told
        assert kernel.ok(WEIGHTS).text() == expected, "the weights are other ones"
        kernel.stop()
    print(
        f"kill -9 of the {victim} at {count} moments of a training: it ends with the weights of a run that was never cut off, to the last "
        f"bit ({told.strip()}); {len(left)} half-written files left; a checkpoint was there after {kept} of {count}"
    )


#: The wall clock of a process, as far from the true one as a file says. (Under libfaketime rustc never ends: its allocator asks
#: for the time before that library is ready.)
CLOCK = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void) {
    char text[32] = {0};
    const char *path = getenv("CLOCK_OFFSET");
    int file = path ? syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return 0;
    syscall(SYS_read, file, text, sizeof text - 1);
    syscall(SYS_close, file);
    return atol(text);
}
int clock_gettime(clockid_t clock, struct timespec *to) {
    int result = syscall(SYS_clock_gettime, clock, to);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) to->tv_sec += offset();
    return result;
}
int gettimeofday(struct timeval *to, void *zone) {
    int result = syscall(SYS_gettimeofday, to, zone);
    if (result == 0) to->tv_sec += offset();
    return result;
}
time_t time(time_t *to) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to) *to = now.tv_sec;
    return now.tv_sec;
}
"""


def clock(jumps=10):
    """A wall clock that is set back and forth while cells run."""
    with tempfile.TemporaryDirectory() as folder:
        offset, library = pathlib.Path(folder) / "offset", pathlib.Path(folder) / "clock.so"
        compiler = ["cc", "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", str(library)]
        subprocess.run(compiler, input=CLOCK, text=True, check=True)

        def jump(seconds):
            offset.write_text(str(seconds))

        jump(0)
        kernel = Kernel(env={**os.environ, "LD_PRELOAD": str(library), "CLOCK_OFFSET": str(offset)})
        now = "std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs()"
        kernel.ok(f"let first = {now}; let mut sum = 0;")
        kernel.ok(SIDE)
        for number in range(jumps):
            jump(-3600 * (number + 1) if number % 2 == 0 else 86400)
            cell = kernel.ok(f'sum += {number}; print!("{number}"); show("display_data", "text/plain", "{number}", "u{number}");')
            assert cell.text() == str(number) and cell.of("display_data"), cell.messages
            request = kernel.send("std::thread::sleep(std::time::Duration::from_millis(200)); loop { std::hint::black_box(()); }"
                                  if number == 4 else "std::thread::sleep(std::time::Duration::from_millis(600));")  # fmt: skip
            if number == 4:
                # A cell that is interrupted while the clock goes back.
                time.sleep(2)
                jump(-7200)
                kernel.interrupt()
                cell = kernel.collect(request)
                assert cell.reply["ename"] == "Interrupted", cell.reply
                kernel.ok("let mut sum = 10;")
                kernel.ok(SIDE)
            else:
                assert kernel.collect(request).reply["status"] == "ok"
        seen = int(kernel.ok(f"{now}").of("execute_result")[0]["data"]["text/plain"])
        assert abs(seen - time.time()) > 3000, "the clock was never set"
        assert kernel.ok("sum").of("execute_result")[0]["data"]["text/plain"] == str(jumps * (jumps - 1) // 2)
        kernel.stop()
    print(f"the clock set back or forth {jumps} times: every cell ran, outputs and an interrupt came as ever")


def main(part, *count):
    parts = {"starts": starts, "cells": cells, "output": output, "updates": updates, "clock": clock}
    if part in parts:
        parts[part](*map(int, count))
    elif part == "training":
        training(count[0], *map(int, count[1:]))
    else:
        kills(part, *map(int, count))


if __name__ == "__main__":
    main(*sys.argv[1:])
