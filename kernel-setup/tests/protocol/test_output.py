"""Output while a cell runs: in order, in place, whole."""

import json
import time

SLEEP = "std::thread::sleep(std::time::Duration::from_millis(300));"


def test_cells_are_numbered_from_one(own_kernel):
    first = own_kernel.ok("1")
    assert first.reply["execution_count"] == 1
    assert first.of("execute_input")[0]["execution_count"] == 1
    assert first.of("execute_result")[0]["execution_count"] == 1
    assert own_kernel.ok("2").reply["execution_count"] == 2
    assert own_kernel.ok("3", store_history=False).reply["execution_count"] == 2
    silent = own_kernel.ok("4", silent=True)
    assert silent.reply["execution_count"] == 2
    assert silent.kinds() == [] and not silent.of("execute_input")


def test_three_images_arrive_in_order_while_the_cell_runs(live):
    code = "".join(
        f'println!("text {i}"); show("display_data", "image/png", "AAA{i}", "three-{i}"); {SLEEP}'
        for i in range(3)
    )
    cell = live.ok(code + "print!(\"end\");")
    outputs = [
        m["content"].get("text") or m["content"]["data"]["image/png"]
        for m in cell.messages
        if m["msg_type"] in ("stream", "display_data")
    ]
    assert outputs == ["text 0\n", "AAA0", "text 1\n", "AAA1", "text 2\n", "AAA2", "end"]
    shown = [t for t, m in zip(cell.times, cell.messages) if m["msg_type"] == "display_data"]
    assert cell.times[-1] - shown[0] > 0.5, "the first image came only when the cell was over"


def test_text_and_images_keep_their_order_however_fast_they_come(live):
    cell = live.ok('for i in 0..200 { print!("<{i}"); show("display_data", "text/html", &i.to_string(), "fast"); print!(">"); }')
    order = "".join(
        m["content"].get("text") or m["content"]["data"]["text/html"]
        for m in cell.messages
        if m["msg_type"] in ("stream", "display_data")
    )
    assert order == "".join(f"<{i}{i}>" for i in range(200))


def test_an_update_replaces(live):
    cell = live.ok(
        'show("display_data", "text/plain", "one", "x"); '
        + SLEEP
        + 'show("update_display_data", "text/plain", "two", "x");'
    )
    assert cell.kinds() == ["display_data", "update_display_data"]
    first, second = cell.of("display_data")[0], cell.of("update_display_data")[0]
    assert first["transient"] == second["transient"] == {"display_id": "x"}
    assert (first["data"], second["data"]) == ({"text/plain": "one"}, {"text/plain": "two"})


def test_output_can_be_cleared(live):
    cell = live.ok('println!("a"); side("{\\"type\\": \\"clear_output\\", \\"wait\\": true}"); println!("b");')
    assert cell.kinds() == ["stream", "clear_output", "stream"]
    assert cell.of("clear_output") == [{"wait": True}]


def test_unfinished_lines_appear_at_once_and_carriage_returns_survive(kernel):
    cell = kernel.ok('for i in 0..4 { print!("\\r{i}"); ' + SLEEP + "}")
    assert cell.text() == "\r0\r1\r2\r3"
    streams = [t for t, m in zip(cell.times, cell.messages) if m["msg_type"] == "stream"]
    assert len(streams) > 1 and streams[-1] - streams[0] > 0.4


def test_an_unfinished_line_belongs_to_its_own_cell(kernel):
    assert kernel.ok('print!("no end");').text() == "no end"
    assert kernel.ok('println!("next");').text() == "next\n"


def test_evcxrs_own_rich_output_works_any_number_of_times(kernel):
    block = 'println!("EVCXR_BEGIN_CONTENT text/html\\n<b>{}</b>\\nEVCXR_END_CONTENT", i);'
    cell = kernel.ok("for i in 0..3 { " + block + " }")
    assert [c["data"]["text/html"] for c in cell.of("display_data")] == ["<b>0</b>", "<b>1</b>", "<b>2</b>"]


def test_the_value_of_a_cell_is_its_result(kernel):
    kernel.ok(
        "struct Page; impl Page { fn evcxr_display(&self) { "
        'println!("EVCXR_BEGIN_CONTENT text/html\\n<b>p</b>\\nEVCXR_END_CONTENT\\n'
        'EVCXR_BEGIN_CONTENT text/plain\\np\\nEVCXR_END_CONTENT"); } }'
    )
    cell = kernel.ok("Page")
    assert [c["data"] for c in cell.of("execute_result")] == [
        {"text/html": "<b>p</b>", "text/plain": "p"}
    ]
    assert kernel.ok('println!("x"); 1 + 1').kinds() == ["stream", "execute_result"]


def test_a_hundred_thousand_lines_arrive_whole(kernel):
    cell = kernel.ok('for i in 0..100_000 { println!("line {i}"); }')
    assert cell.text() == "".join(f"line {i}\n" for i in range(100_000))


def test_a_picture_of_twenty_megabytes_arrives_whole(live):
    cell = live.ok('show("display_data", "image/png", &"iVBO".repeat(5 << 20), "big")')
    assert len(cell.of("display_data")[0]["data"]["image/png"]) == 20 << 20
    block = 'println!("EVCXR_BEGIN_CONTENT image/png\\n{}\\nEVCXR_END_CONTENT", "iVBO".repeat(5 << 20));'
    assert len(live.ok(block).of("display_data")[0]["data"]["image/png"]) == 20 << 20


def test_bytes_that_are_no_text_do_no_harm(kernel):
    cell = kernel.ok('use std::io::Write; std::io::stdout().write_all(b"a\\xffb\\n").unwrap();')
    assert cell.text() == "a\ufffdb\n"


def test_input_is_asked_for(kernel):
    request = kernel.send(
        'println!("EVCXR_INPUT_REQUEST:Name? "); let mut line = String::new(); '
        'std::io::stdin().read_line(&mut line).unwrap(); print!("hello {line}");',
        allow_stdin=True,
    )
    question = kernel.client.get_stdin_msg(timeout=120)
    assert question["content"] == {"prompt": "Name? ", "password": False}
    kernel.client.input("Ada")
    assert kernel.collect(request).text() == "hello Ada\n"


def test_the_reply_tells_when_the_code_began_to_run(kernel):
    before = time.time()
    cell = kernel.ok("1 + 2")
    import datetime

    started = datetime.datetime.fromisoformat(cell.metadata["started"].replace("Z", "+00:00"))
    assert before <= started.timestamp() <= time.time()
    assert "started" not in kernel.run("let x: i32 = \"a\";").metadata


def test_output_of_a_thread_that_outlives_its_cell_is_shown(kernel):
    kernel.ok(
        "std::thread::spawn(|| { std::thread::sleep(std::time::Duration::from_millis(700)); "
        'println!("late"); });'
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        message = kernel.client.get_iopub_msg(timeout=60)
        if message["msg_type"] == "stream" and "late" in message["content"]["text"]:
            return
    raise AssertionError("nothing came")


def test_json_stays_json(kernel):
    cell = kernel.ok(
        'println!("EVCXR_BEGIN_CONTENT application/json\\n{{\\"a\\": [1]}}\\nEVCXR_END_CONTENT");'
    )
    assert cell.of("display_data")[0]["data"] == {"application/json": {"a": [1]}}
    assert json.dumps(cell.reply)
