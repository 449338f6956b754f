"""Tab and Shift+Tab, in places.json: the kinds of place, the code with the cursor as ¦, what has to come.

`python test_completion.py` prints the share of right answers and the latencies of any kernel that
ICVAE_KERNEL names.
"""

import json
import os
import pathlib
import signal
import statistics
import time

import pytest
from conftest import PATIENCE, Kernel
from test_lifecycle import children, is_alive, name, needs_proc, wait_until
from test_notebook import LIBRARY

LIST = json.loads((pathlib.Path(__file__).parent / "places.json").read_text())


def ask(kernel, place):
    """The answer to a place's question, and how long it took."""
    cursor = place["code"].index("¦")
    content = {"code": place["code"].replace("¦", ""), "cursor_pos": cursor}
    if place["ask"] == "inspect":
        content["detail_level"] = place["detail"]
    begun = time.monotonic()
    request = kernel.client.session.msg(f"{place['ask']}_request", content)
    kernel.client.shell_channel.send(request)
    while True:
        reply = kernel.client.get_shell_msg(timeout=PATIENCE)
        if reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
            return reply["content"], time.monotonic() - begun


def judge(place, content):
    """What is wrong with an answer, or nothing."""
    if place["ask"] == "complete":
        got = content.get("matches", [])
        if place["first"] and got[:1] != [place["first"]]:
            return f"first is not {place['first']}"
    else:
        got = content.get("data", {}).get("text/plain", "")
    for wanted in place["has"]:
        if wanted not in got:
            return f"lacks {wanted}"
    for unwanted in place["lacks"]:
        if unwanted in got:
            return f"has {unwanted}"
    return None


def prepare(kernel):
    for code in LIST["setup"]:
        kernel.ok(code.replace("{core}", str(LIBRARY)))


@pytest.fixture(scope="module")
def prepared(kernel):
    prepare(kernel)
    return kernel


def test_every_place_is_answered_right(prepared):
    assert len(LIST["places"]) >= 60
    wrong = []
    for place in LIST["places"]:
        content, _ = ask(prepared, place)
        assert content["status"] == "ok"
        problem = judge(place, content)
        if problem:
            wrong.append(f"{place['ask']} {place['code']!r}: {problem}")
    assert not wrong, "\n".join(wrong)


def test_what_is_inserted_is_code_and_replaces_the_word(prepared):
    code = "let größe = 1; ImageGrid::ne(&test_x)"
    reply = prepared.client.complete(code, code.index("(&"), reply=True, timeout=PATIENCE)["content"]
    start, end = reply["cursor_start"], reply["cursor_end"]
    assert code[:start] + reply["matches"][0] + code[end:] == "let größe = 1; ImageGrid::new(&test_x)"
    [first, *_] = reply["metadata"]["_jupyter_types_experimental"]
    assert first["type"] == "function" and "images: &Tensor" in first["signature"]


def test_an_explanation_is_formatted_and_its_links_lead_somewhere(prepared):
    reply = prepared.client.inspect("ImageGrid", 4, 1, reply=True, timeout=PATIENCE)["content"]
    page, text = reply["data"]["text/html"], reply["data"]["text/plain"]
    assert "<pre><code>" in page and "row_labels" in page and "```" not in page + text
    assert "# Ok::" not in text, "the lines that an example hides are shown"
    reply = prepared.client.inspect("Tensor", 4, 0, reply=True, timeout=PATIENCE)["content"]
    assert 'href="https://docs.rs/tch/' in reply["data"]["text/html"]


def test_questions_are_answered_beside_a_running_cell_and_hold_no_cell_up(prepared):
    running = prepared.send("std::thread::sleep(std::time::Duration::from_secs(4)); 1")
    prepared.wait_for(running, "execute_input")
    content, _ = ask(prepared, {"ask": "complete", "code": "values.pu¦"})
    assert content["matches"] == ["push"]
    states = []
    messages = []
    while True:
        message = prepared.client.get_iopub_msg(timeout=PATIENCE)
        if message["msg_type"] == "status":
            states.append(message["content"]["execution_state"])
            if message["parent_header"].get("msg_id") == running and states[-1] == "idle":
                break
        messages.append(message["msg_type"])
    # The question's own idle is not the last word as long as the cell runs.
    assert "idle" in states[:-1] and states[-2] == "busy"
    assert "execute_result" in messages, "the answer came only when the cell was over"


def test_names_of_a_new_cell_are_known_and_those_that_are_gone_are_not(prepared):
    prepared.ok("fn freshly_made() -> u8 { 1 }\nlet fresh_value = freshly_made();")
    # Variables are listed when no cell waits, so a moment after it.
    deadline = time.monotonic() + 10
    while (matches := ask(prepared, {"ask": "complete", "code": "fresh¦"})[0]["matches"]) != ["fresh_value", "freshly_made"]:
        assert time.monotonic() < deadline, matches
        time.sleep(0.1)
    told = ask(prepared, {"ask": "inspect", "code": "fresh_¦value", "detail": 0})[0]["data"]["text/plain"]
    assert "fresh_value: u8 = 1" in told and "cell [" in told


@needs_proc
def test_what_answers_may_die_and_nothing_is_lost(own_kernel):
    own_kernel.ok("fn made_before() -> u8 { 1 }\nlet kept = made_before();")
    place = {"ask": "complete", "code": "made_b¦"}
    assert ask(own_kernel, place)[0]["matches"] == ["made_before"]
    below = children(own_kernel.manager.provisioner.pid)
    [program] = [pid for pid in below if name(pid) == "cell-analysis"]
    os.kill(program, signal.SIGKILL)
    wait_until(lambda: not is_alive(program), "it was not killed")
    answers = [ask(own_kernel, place)[0]["matches"] for _ in range(2)]
    assert answers[1] == ["made_before"], answers
    assert own_kernel.ok("kept").of("execute_result")[0]["data"]["text/plain"] == "1"


if __name__ == "__main__":
    kernel = Kernel()
    try:
        prepare(kernel)
        first = ask(kernel, LIST["places"][0])[1]
        right, times, wrong = 0, [], []
        for place in LIST["places"]:
            content, seconds = ask(kernel, place)
            problem = judge(place, content)
            right += problem is None
            times.append(seconds)
            if problem:
                wrong.append(f"{place['ask']} {place['code']!r}: {problem}")
        print("\n".join(wrong))
        times = [1000 * t for t in times]
        print(f"{right} of {len(times)} right; first {1000 * first:.0f} ms; median {statistics.median(times):.0f} ms, "
              f"95 % below {statistics.quantiles(times, n=20)[-1]:.0f} ms, longest {max(times):.0f} ms")
    finally:
        kernel.stop()
