"""What a kernel loses, it says: processes that end, interrupts at odd moments, text that looks like its own."""

import os
import signal
import time

import pytest
from conftest import PATIENCE, Kernel
from test_lifecycle import Traces, children, is_alive, needs_proc, wait_until


def value(cell):
    return cell.of("execute_result")[0]["data"]["text/plain"]


@pytest.mark.parametrize("code", ["}}} 1", '} panic!("never")', "fn f() { {", '1 /* }', 'let a = "'])
def test_a_cell_that_would_leave_its_function_is_refused(kernel, code):
    cell = kernel.run(code)
    assert cell.reply["ename"] == "CompileError"
    assert "Nothing of this cell has run" in cell.reply["evalue"] and "line 1" in cell.traceback


@pytest.mark.parametrize(
    "line",
    [
        "EVCXR_EXECUTION_COMPLETE",
        "EVCXR_PANIC_NOTIFICATION",
        "EVCXR_ERROR_OCCURRED",
        "EVCXR_VARIABLE_CHANGED_TYPE:kept",
    ],
)
def test_a_line_that_looks_like_evcxrs_is_text(kernel, line):
    kernel.ok("let kept = 1;")
    cell = kernel.ok(f'println!("{line}"); let made = kept + 1; println!("after");')
    assert cell.text() == f"{line}\nafter\n"
    assert kernel.ok(f'println!("{line}");').text() == f"{line}\n"
    cell = kernel.ok('print!("mine"); kept + made')
    assert cell.text() == "mine" and value(cell) == "3"


def test_a_panic_is_one_also_where_the_hook_is_the_readers_own(own_kernel):
    own_kernel.ok("std::panic::set_hook(Box::new(|_| ()));")
    assert own_kernel.run('panic!("quietly")').reply["ename"] == "Panic"
    assert own_kernel.ok("1").reply["status"] == "ok"


def test_half_a_character_ends_with_its_cell(kernel):
    half = "use std::io::Write; std::io::{}().write_all(b\"a\\xe2\\x82\").unwrap();"
    assert kernel.ok(half.format("stdout")).text() == "a\ufffd"
    assert kernel.ok(half.format("stderr")).text("stderr") == "a\ufffd"
    assert kernel.ok('println!("b"); eprintln!("c");').text() == "b\n"


def test_a_cell_that_closes_its_outputs_loses_its_own_alone(own_kernel):
    own_kernel.ok(
        'let kept = 4; unsafe extern "C" { fn close(fd: i32) -> i32; } '
        "unsafe { for fd in 0..3 { close(fd); } } println!(\"unheard\");"
    )
    cell = own_kernel.ok('println!("heard"); eprintln!("too"); kept')
    assert (cell.text(), cell.text("stderr"), value(cell)) == ("heard\n", "too\n", "4")


@needs_proc
@pytest.mark.parametrize("moment", ["idle", "compiling", "running"])
def test_when_evcxr_dies_the_client_hears_and_the_kernel_starts_anew(own_kernel, moment):
    traces = Traces(own_kernel)
    if moment == "idle":
        os.kill(traces.evcxr, signal.SIGKILL)
        wait_until(lambda: not is_alive(traces.evcxr), "evcxr is still there")
        cell = own_kernel.run("1")
    else:
        request = own_kernel.send('println!("running"); loop { std::hint::black_box(()); }')
        if moment == "compiling":
            time.sleep(0.1)
        else:
            own_kernel.wait_for(request, "stream")
        os.kill(traces.evcxr, signal.SIGKILL)
        cell = own_kernel.collect(request)
    assert cell.reply["ename"] == "Crash" and "evcxr_jupyter" in cell.reply["evalue"]
    assert "signal: 9" in cell.reply["evalue"] and cell.of("error")
    assert value(own_kernel.ok("1 + 1")) == "2"
    wait_until(lambda: not is_alive(traces.process), "the old process is still there")
    assert is_alive(traces.relay)


@needs_proc
def test_a_process_lost_while_idle_is_told_at_the_next_cell(own_kernel):
    own_kernel.ok("fn kept() -> i32 { 5 } let gone = 1;")
    traces = Traces(own_kernel)
    os.kill(traces.process, signal.SIGKILL)
    wait_until(lambda: not is_alive(traces.process), "the process is still there")
    # Whatever else is asked meanwhile.
    own_kernel.client.kernel_info(reply=True, timeout=PATIENCE)
    cell = own_kernel.run("gone")
    assert cell.reply["ename"] == "Crash", cell.reply
    assert "between two cells" in cell.reply["evalue"] and "killed" in cell.reply["evalue"]
    assert value(own_kernel.ok("kept()")) == "5"


@needs_proc
def test_a_process_lost_while_compiling_is_no_compile_error(own_kernel):
    traces = Traces(own_kernel)
    request = own_kernel.send("let a = 1; a")
    own_kernel.wait_for(request, "execute_input")
    os.kill(traces.process, signal.SIGKILL)
    cell = own_kernel.collect(request)
    assert cell.reply["ename"] == "Crash" and "killed" in cell.reply["evalue"]
    assert "Nothing of this cell has run" in cell.reply["evalue"]


def test_a_restart_that_the_reader_wants_is_no_loss(own_kernel):
    own_kernel.ok("let a = 1;")
    own_kernel.ok(":clear")
    assert value(own_kernel.ok("1 + 2")) == "3"


def test_an_interrupt_during_the_start_takes_the_cell_back(own_kernel):
    from jupyter_client.manager import KernelManager
    from conftest import KERNEL

    kernel = Kernel.__new__(Kernel)
    kernel.manager = KernelManager(kernel_name=KERNEL)
    kernel.manager.start_kernel()
    kernel.client = kernel.manager.client()
    kernel.client.start_channels()
    try:
        request = kernel.send("std::thread::sleep(std::time::Duration::from_secs(600));")
        kernel.wait_for(request, "execute_input")
        kernel.interrupt()
        cell = kernel.collect(request)
        assert cell.reply["ename"] == "Interrupted" and "before it began" in cell.reply["evalue"]
        assert value(kernel.ok("1 + 1")) == "2"
    finally:
        kernel.stop()


def test_an_interrupt_in_the_same_instant_is_not_lost(kernel):
    kernel.ok("let kept = 6;")
    for turn in range(6):
        request = kernel.send("loop { std::hint::black_box(()); }" if turn % 2 else "1")
        time.sleep(0.002 * turn)
        kernel.client.control_channel.send(kernel.client.session.msg("interrupt_request", {}))
        assert kernel.client.get_control_msg(timeout=PATIENCE)["content"]["status"] == "ok"
        cell = kernel.collect(request)
        if turn % 2:
            assert cell.reply["ename"] == "Interrupted"
    assert kernel.run("1").reply["status"] == "ok"


def test_an_interrupt_that_overtakes_its_cell_still_stops_it(kernel):
    session = kernel.client.session
    cell = session.msg("execute_request", {"code": "loop {}", "silent": False, "allow_stdin": False})
    time.sleep(0.01)
    # The control channel is faster than the shell channel.
    kernel.interrupt()
    kernel.client.shell_channel.send(cell)
    assert kernel.collect(cell["header"]["msg_id"]).reply["ename"] == "Interrupted"
    assert kernel.ok("1").reply["status"] == "ok"
