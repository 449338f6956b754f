"""Starts, stops and sudden deaths: nothing stays behind, nothing is shared."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import pytest
from conftest import PATIENCE, Kernel

needs_proc = pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="needs Linux' /proc")


def children(pid):
    """All descendants of a process."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, queue = [], [pid]
    while queue:
        for child in parents.get(queue.pop(), []):
            found.append(child)
            queue.append(child)
    return found


def name(pid):
    """The first letters of a process' program, or nothing where it has ended."""
    try:
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def is_alive(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in "ZX"


def wait_until(condition, what, seconds=PATIENCE):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


class Traces:
    """Everything that belongs to a kernel and must go with it."""

    def __init__(self, kernel):
        cell = kernel.ok(
            'print!("{}\\n{}\\n{}", std::env::var("ICVAE_LIVE").unwrap(), std::process::id(), '
            'std::env::var("EVCXR_TMPDIR").unwrap());'
        )
        folder, process, build = cell.text().split("\n")
        self.relay = kernel.manager.provisioner.pid
        self.process = int(process)
        self.processes = [self.relay, *children(self.relay)]
        assert self.process in self.processes
        [self.evcxr] = [pid for pid in self.processes if name(pid) == "evcxr_jupyter" and pid != self.process]
        self.folder = pathlib.Path(folder)
        self.build = pathlib.Path(build)
        assert self.folder.is_dir()

    def assert_gone(self, in_order=False):
        for pid in self.processes:
            wait_until(lambda: not is_alive(pid), f"process {pid} is still there")
        wait_until(lambda: not self.folder.exists(), f"{self.folder} is still there")
        if in_order:
            note = self.build.with_name(self.build.name + ".run")
            wait_until(lambda: not note.exists(), f"{note} is still there")


@needs_proc
def test_twenty_starts_and_stops_leave_nothing():
    builds = set()
    for turn in range(20):
        kernel = Kernel()
        if turn % 5 == 0:
            traces = Traces(kernel)
            builds.add(traces.build)
        else:
            # Also while evcxr is still starting.
            pid = kernel.manager.provisioner.pid
            traces = None
        kernel.stop()
        if traces:
            traces.assert_gone(in_order=True)
        else:
            wait_until(lambda: not is_alive(pid), "the kernel is still there")
    assert len(builds) == 1, "the build folder was not free again"


@needs_proc
@pytest.mark.parametrize("code", [None, "loop { std::hint::black_box(()); }", 'loop { println!("to nobody"); }'])
def test_killing_the_relay_ends_all_of_the_kernel(code):
    kernel = Kernel()
    try:
        traces = Traces(kernel)
        if code:
            request = kernel.send(f'println!("running"); {code}')
            kernel.wait_for(request, "stream")
        os.kill(traces.relay, signal.SIGKILL)
        traces.assert_gone()
        wait_until(lambda: not kernel.manager.is_alive(), "Jupyter thinks the kernel is alive")
    finally:
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)


@needs_proc
def test_killing_the_readers_process_five_times_costs_its_variables_only(own_kernel):
    own_kernel.ok("fn kept() -> i32 { 6 }")
    for _ in range(5):
        traces = Traces(own_kernel)
        request = own_kernel.send('println!("running"); loop { std::hint::black_box(()); }')
        own_kernel.wait_for(request, "stream")
        os.kill(traces.process, signal.SIGKILL)
        cell = own_kernel.collect(request)
        assert cell.reply["ename"] == "Crash" and "killed" in cell.reply["evalue"]
        assert own_kernel.ok("kept()").of("execute_result")[0]["data"] == {"text/plain": "6"}
    os.kill(traces.relay, signal.SIGTERM)
    traces.assert_gone()


@needs_proc
def test_a_killed_jupyter_takes_its_kernel_along():
    script = (
        "import sys, time; sys.path.insert(0, sys.argv[1]); from conftest import Kernel; "
        "k = Kernel(); k.ok('1'); "
        "print(k.manager.provisioner.pid, k.ok('print!(\"{}\", std::env::var(\"ICVAE_LIVE\").unwrap())').text(), flush=True); "
        "time.sleep(600)"
    )
    here = os.path.dirname(os.path.abspath(__file__))
    jupyter = subprocess.Popen([sys.executable, "-c", script, here], stdout=subprocess.PIPE, text=True)
    pid, folder = jupyter.stdout.readline().split()
    processes = [int(pid), *children(int(pid))]
    assert [name(process) for process in processes].count("evcxr_jupyter") == 2
    jupyter.kill()
    jupyter.wait()
    for process in processes:
        wait_until(lambda: not is_alive(process), f"process {process} is still there")
    wait_until(lambda: not os.path.exists(folder), f"{folder} is still there")


@needs_proc
def test_a_terminated_kernel_cleans_up(own_kernel):
    traces = Traces(own_kernel)
    os.kill(traces.relay, signal.SIGTERM)
    traces.assert_gone(in_order=True)


@needs_proc
def test_temporary_files_of_evcxr_go_with_it_and_those_of_the_reader_stay(own_kernel):
    traces = Traces(own_kernel)
    environment = pathlib.Path(f"/proc/{traces.evcxr}/environ").read_bytes().split(b"\0")
    assert b"TMPDIR=" + bytes(traces.folder) in environment
    assert own_kernel.ok('print!("{}", std::env::temp_dir().display());').text() == tempfile.gettempdir()


def test_threads_sleep_soon_and_pages_are_large_unless_the_reader_says_otherwise():
    advice = {"GOMP_SPINCOUNT": "1000", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    own = {"GOMP_SPINCOUNT": "7", "GLIBC_TUNABLES": "glibc.malloc.mxfast=0"}
    print_all = "; ".join(f'println!("{{}}", std::env::var("{name}").unwrap())' for name in advice)
    for said, expected in [({}, advice), (own, own)]:
        others = {name: value for name, value in os.environ.items() if name not in advice}
        kernel = Kernel(env=others | said)
        assert kernel.ok(print_all + ";").text().split() == list(expected.values())
        kernel.stop()


@needs_proc
def test_a_kernel_killed_while_it_starts_is_cleaned_up_after_by_the_next():
    kernel = Kernel()
    pid = kernel.manager.provisioner.pid
    wait_until(lambda: "evcxr_jupyter" in map(name, children(pid)), "evcxr was not started")
    processes = [pid, *children(pid)]
    os.kill(pid, signal.SIGKILL)
    for process in processes:
        wait_until(lambda: not is_alive(process), f"process {process} is still there")
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)
    again = Kernel()
    traces = Traces(again)
    assert len(list(traces.folder.parent.glob("icvae-*/interrupt"))) >= 1
    again.stop()
    traces.assert_gone()


@needs_proc
def test_two_notebooks_share_nothing(kernel, own_kernel):
    kernel.ok("let mine = 1;")
    own_kernel.ok("let mine = 2;")
    first, second = Traces(kernel), Traces(own_kernel)
    assert first.build != second.build and first.folder != second.folder
    assert not set(first.processes) & set(second.processes)
    requests = [k.send(f'for i in 0..50 {{ println!("{{i}} {{mine}}"); std::thread::sleep(std::time::Duration::from_millis(5)); }}') for k in (kernel, own_kernel)]
    for k, request, mine in zip((kernel, own_kernel), requests, (1, 2)):
        assert k.collect(request).text() == "".join(f"{i} {mine}\n" for i in range(50))
    # An interrupt of one is none of the other.
    request = own_kernel.send('println!("running"); loop {}')
    own_kernel.wait_for(request, "stream")
    other = kernel.send("std::thread::sleep(std::time::Duration::from_secs(5)); mine")
    own_kernel.interrupt()
    assert own_kernel.collect(request).reply["ename"] == "Interrupted"
    assert kernel.collect(other).reply["status"] == "ok"


@needs_proc
def test_restart_gives_a_fresh_kernel(own_kernel):
    own_kernel.ok("let gone = 1;")
    traces = Traces(own_kernel)
    own_kernel.manager.restart_kernel(now=False)
    own_kernel.client.wait_for_ready(timeout=PATIENCE)
    traces.assert_gone()
    assert own_kernel.run("gone").reply["ename"] == "CompileError"
    assert own_kernel.ok("1").reply["execution_count"] == 2


def test_a_kernel_that_cannot_start_says_why(tmp_path):
    from conftest import KERNEL
    from jupyter_client.kernelspec import KernelSpecManager

    spec = KernelSpecManager().get_kernel_spec(KERNEL)
    missing = tmp_path / "connection.json"
    command = [part.format(connection_file=missing) for part in spec.argv]
    run = subprocess.run(command, env={**os.environ, **spec.env}, capture_output=True, text=True)
    assert run.returncode != 0 and "connection.json" in run.stderr
    missing.write_text("{}")
    run = subprocess.run(command, env={**os.environ, **spec.env}, capture_output=True, text=True)
    assert run.returncode != 0 and "not a connection file" in run.stderr


@needs_proc
def test_a_damaged_build_folder_is_made_anew():
    """A compiler that is killed can leave one in which nothing links any more."""
    kernel = Kernel()
    traces = Traces(kernel)
    kernel.stop()
    traces.assert_gone()
    [deps] = traces.build.glob("target/*-*-*/debug/deps")
    shutil.rmtree(deps)
    deps.write_text("in the way")
    again = Kernel()
    try:
        assert Traces(again).build == traces.build
        assert deps.is_dir()
    finally:
        again.stop()
