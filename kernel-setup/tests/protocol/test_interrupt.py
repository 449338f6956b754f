"""Stopping a cell, in order or the hard way."""

import time

from conftest import SIDE


def test_code_that_listens_keeps_its_variables(live):
    live.ok("let mut steps = 0u64;")
    request = live.send(
        'let flag = std::env::var("ICVAE_LIVE").unwrap() + "/interrupt";\n'
        'println!("running");\n'
        'while std::fs::read(&flag).unwrap() != b"1" { steps += 1; }\n'
        'side("{\\"type\\": \\"interrupted\\", \\"reached\\": \\"counting stopped\\"}");\n'
        "let reached = steps;"
    )
    live.wait_for(request, "stream")
    live.interrupt()
    cell = live.collect(request)
    assert cell.reply["status"] == "error" and cell.reply["ename"] == "Interrupted"
    assert cell.reply["evalue"] == "counting stopped. All variables are kept."
    assert live.ok("steps > 0 && reached == steps").of("execute_result")[0]["data"] == {
        "text/plain": "true"
    }


def test_code_that_says_it_stops_gets_the_time_it_needs(live):
    request = live.send(
        'let flag = std::env::var("ICVAE_LIVE").unwrap() + "/interrupt";\n'
        'println!("running");\n'
        'while std::fs::read(&flag).unwrap() != b"1" {}\n'
        'side("{\\"type\\": \\"interrupted\\", \\"reached\\": \\"saving\\"}");\n'
        "std::thread::sleep(std::time::Duration::from_secs(4));\n"
        "let saved = 7;"
    )
    live.wait_for(request, "stream")
    live.interrupt()
    assert live.collect(request).reply["evalue"].startswith("saving")
    assert live.ok("saved").of("execute_result")[0]["data"] == {"text/plain": "7"}


def test_code_that_does_not_listen_is_stopped_the_hard_way(kernel):
    kernel.ok("fn kept() -> i32 { 3 }")
    request = kernel.send('println!("running"); loop { std::hint::black_box(()); }')
    kernel.wait_for(request, "stream")
    kernel.interrupt()
    cell = kernel.collect(request)
    assert cell.reply["ename"] == "Interrupted"
    assert "all variables are gone" in cell.reply["evalue"]
    assert kernel.ok("kept()").of("execute_result")[0]["data"] == {"text/plain": "3"}


def test_an_interrupt_stops_the_compiler(kernel):
    kernel.ok("let kept = 11;")
    # The compiler would be at this constant for years; the code would be done at once.
    request = kernel.send(
        "#[allow(long_running_const_eval)]\n"
        "const YEARS: u64 = { let mut i = 0; while i < u64::MAX { i += 1; } i };\n"
        'println!("ran {YEARS}");'
    )
    time.sleep(1.5)
    kernel.interrupt()
    cell = kernel.collect(request)
    assert cell.reply["ename"] == "Interrupted", cell.reply
    assert "Nothing of this cell has run" in cell.reply["evalue"]
    assert kernel.ok("kept").of("execute_result")[0]["data"] == {"text/plain": "11"}


def test_an_interrupt_of_nothing_does_nothing(kernel):
    kernel.interrupt()
    assert kernel.ok("1").of("execute_result")[0]["data"] == {"text/plain": "1"}


def test_an_interrupt_ends_a_wait_for_input(kernel):
    request = kernel.send(
        'println!("EVCXR_INPUT_REQUEST:? "); let mut l = String::new(); '
        "std::io::stdin().read_line(&mut l).unwrap();",
        allow_stdin=True,
    )
    kernel.client.get_stdin_msg(timeout=120)
    kernel.interrupt()
    assert kernel.collect(request).reply["ename"] == "Interrupted"
    assert kernel.ok("1").reply["status"] == "ok"


def test_an_interrupted_cell_stops_run_all(live):
    requests = [live.send('println!("running"); loop {}'), live.send("2")]
    live.wait_for(requests[0], "stream")
    live.interrupt()
    replies = [live.client.get_shell_msg(timeout=120) for _ in requests]
    assert [r["content"]["status"] for r in replies] == ["error", "aborted"]
