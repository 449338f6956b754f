"""Widgets: moved through the protocol as a frontend moves them."""

import pathlib
import time

import pytest
from conftest import PATIENCE, Kernel

LIVE = pathlib.Path(__file__).resolve().parents[3] / "notebook-live"
VIEW = "application/vnd.jupyter.widget-view+json"


class Widgets:
    """What a frontend keeps: all models, by what is published about them."""

    def __init__(self, kernel):
        self.kernel = kernel
        kernel.on_other = self.hear
        self.models = {}
        self.changes = []

    def hear(self, message):
        content = message["content"]
        match message["msg_type"]:
            case "comm_open":
                assert message["metadata"]["version"].startswith("2.")
                self.models[content["comm_id"]] = dict(content["data"]["state"])
            case "comm_msg" if content["data"]["method"] in ("update", "echo_update"):
                self.models.setdefault(content["comm_id"], {}).update(content["data"]["state"])
                self.changes.append((time.monotonic(), content["comm_id"], content["data"]))
            case "comm_close":
                self.models.pop(content["comm_id"], None)

    def run(self, code):
        return self.kernel.ok(code, on_message=self.hear)

    def shown(self, cell):
        """The control and the areas of the widget that a cell has shown."""
        (data,) = [c["data"][VIEW] for c in cell.of("display_data") + cell.of("execute_result") if VIEW in c["data"]]
        column = self.models[data["model_id"]]
        assert column["_model_name"] == "VBoxModel"
        control, *areas = [name.removeprefix("IPY_MODEL_") for name in column["children"]]
        return control, areas

    def send(self, comm, data):
        message = self.kernel.client.session.msg("comm_msg", {"comm_id": comm, "data": data})
        self.kernel.client.shell_channel.send(message)
        return message["header"]["msg_id"]

    def move(self, comm, **state):
        return self.send(comm, {"method": "update", "state": state, "buffer_paths": []})

    def until(self, true, what):
        """Listens until something has become true."""
        deadline = time.monotonic() + PATIENCE
        while not true():
            assert time.monotonic() < deadline, f"{what}: {self.models}"
            try:
                self.hear(self.kernel.client.get_iopub_msg(timeout=1))
            except Exception as error:
                assert type(error).__name__ == "Empty", error

    def text(self, area):
        return "".join(output.get("text", "") for output in self.models[area]["outputs"])


@pytest.fixture(scope="module")
def kernel_with_widgets():
    kernel = Kernel()
    kernel.ok(f':dep notebook-live = {{ path = "{LIVE}" }}')
    kernel.ok("use notebook_live::*;")
    yield kernel
    kernel.stop()


@pytest.fixture
def widgets(kernel_with_widgets):
    return Widgets(kernel_with_widgets)


def test_what_a_reader_moves_a_later_cell_reads(widgets):
    cell = widgets.run('let digit = slider("digit", 0..=9).at(3);\ndigit')
    control, areas = widgets.shown(cell)
    model = widgets.models[control]
    assert areas == []
    assert (model["_model_name"], model["value"], model["min"], model["max"]) == ("IntSliderModel", 3, 0, 9)
    assert {model[part].startswith("IPY_MODEL_") for part in ("layout", "style")} == {True}
    (text,) = [c["data"]["text/plain"] for c in cell.of("display_data")]
    assert text == "digit: 3 (0 to 9)"
    moved = widgets.move(control, value=7)
    widgets.until(lambda: widgets.models[control]["value"] == 7, "no echo")
    assert widgets.changes[-1][2]["method"] == "echo_update"
    assert widgets.run("digit.value() * 2").of("execute_result")[0]["data"]["text/plain"] == "14"
    widgets.run("digit.set(100);")
    assert widgets.models[control]["value"] == 9
    assert moved


def test_every_kind_of_widget_is_read(widgets):
    moves = [
        ('slider("x", 0.0..=1.0)', "FloatSliderModel", {"value": 0.25}, "0.25"),
        ('choice("c", ["a", "b"])', "DropdownModel", {"index": 1}, '"b"'),
        ('checkbox("c", false)', "CheckboxModel", {"value": True}, "true"),
        ('text("t", "x")', "TextModel", {"value": 'Grüße "x"\n'}, r'"Grüße \"x\"\n"'),
        ('any_widget("export default {}", &json!({"n": 1})).css("b {}")', "AnyModel", {"n": 5}, '{"n": Number(5)}'),
    ]
    for code, name, state, expected in moves:
        control, _ = widgets.shown(widgets.run(f"let w = {code};\nw.clone()"))
        assert widgets.models[control]["_model_name"] == name
        widgets.move(control, **state)
        cell = widgets.run("w.value()")
        assert cell.of("execute_result")[0]["data"]["text/plain"] == expected
    assert widgets.models[control]["_css"] == "b {}"
    button, (area,) = widgets.shown(
        widgets.run('let b = button("again"); let mut n = 0; b.on_click(move || { n += 1; println!("pressed {n}") });\nb')
    )
    assert widgets.models[area]["outputs"] == []
    for n in (1, 2):
        widgets.send(button, {"method": "custom", "content": {"event": "click"}})
        widgets.until(lambda n=n: widgets.text(area) == f"pressed {n}\n", "the click")


def test_a_closure_shows_what_it_shows_in_its_own_area(widgets):
    cell = widgets.run(
        'let s = slider("n", 0..=9);\n'
        's.on_change(|n| { print!("text {n} "); display(&Html::new(format!("<b>{n}</b>"), n.to_string())); });\n'
        'println!("of the cell");\ns'
    )
    control, (area,) = widgets.shown(cell)
    assert cell.text() == "of the cell\n" and len(cell.of("display_data")) == 1
    first = widgets.models[area]["outputs"]
    assert [o["output_type"] for o in first] == ["stream", "display_data"]
    assert (first[0]["text"], first[1]["data"]["text/html"]) == ("text 0 ", "<b>0</b>")
    widgets.move(control, value=4)
    widgets.until(lambda: widgets.text(area) == "text 4 ", "no output")
    assert widgets.models[area]["outputs"][1]["data"]["text/plain"] == "4"
    assert widgets.run('print!("next");').text() == "next"


def test_a_closure_may_set_its_own_control(widgets):
    cell = widgets.run(
        'let s = slider("tens", 0..=100);\nlet own = s.clone();\nlet mut calls = 0;\n'
        's.on_change(move |n| { calls += 1; own.set(n / 10 * 10); println!("call {calls} with {n}"); });\ns'
    )
    control, (area,) = widgets.shown(cell)
    widgets.move(control, value=47)
    # The second call sets what it finds, of which nobody hears.
    widgets.until(lambda: widgets.text(area) == "call 3 with 40\n", "no second call")
    time.sleep(0.5)
    widgets.run("1")
    assert widgets.text(area) == "call 3 with 40\n" and widgets.models[control]["value"] == 40


def test_a_button_does_nothing_before_it_is_pressed(widgets):
    button, _ = widgets.shown(widgets.run('let again = button("again");\nagain.clone()'))
    widgets.send(button, {"method": "custom", "content": {"event": "click"}})
    widgets.until(lambda: widgets.run("again.value()").of("execute_result")[0]["data"]["text/plain"] == "1", "no click")
    _, (area,) = widgets.shown(widgets.run('again.on_click(|| println!("pressed"));\nagain.clone()'))
    assert widgets.models[area]["outputs"] == []
    widgets.send(button, {"method": "custom", "content": {"event": "click"}})
    widgets.until(lambda: widgets.text(area) == "pressed\n", "the click")


def test_a_cell_that_is_run_again_leaves_no_widget_behind(widgets):
    def run(place, code):
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
        client = widgets.kernel.client
        request = client.session.msg("execute_request", content, metadata={"cellId": place})
        client.shell_channel.send(request)
        cell = widgets.kernel.collect(request["header"]["msg_id"], widgets.hear)
        assert cell.reply["status"] == "ok", cell.reply
        return cell

    made = 'let s = slider("n", 0..=9);\ns.on_change(|n| println!("one {n}"));\ns.clone()'
    threads = 'std::fs::read_dir("/proc/self/task").map(|all| all.count()).unwrap_or(0)'
    before = None
    for _ in range(4):
        control, (area,) = widgets.shown(run("a", made))
        shown = run("b", 's.on_change(|n| println!("two {n}"));\ns.clone()')
        assert len(widgets.shown(shown)[1]) == 2
        widgets.run("1")
        # Its threads end by themselves.
        time.sleep(0.3)
        state = (len(widgets.models), widgets.run(threads).of("execute_result")[0]["data"]["text/plain"])
        before = before or state
    assert state == before, "models and threads pile up"
    widgets.move(control, value=3)
    widgets.until(lambda: widgets.text(area) == "one 3\n", "the last one is heard")


def test_the_newest_value_wins(widgets):
    control, (area,) = widgets.shown(
        widgets.run(
            'let s = slider("n", 0..=1000); let mut calls = 0;\n'
            's.on_change(move |n| { calls += 1; std::thread::sleep(std::time::Duration::from_millis(60)); println!("{calls} {n}") });\ns'
        )
    )
    for value in range(1, 201):
        widgets.move(control, value=value)
    widgets.until(lambda: widgets.text(area).endswith(" 200\n"), "the last value")
    calls = int(widgets.text(area).split()[0])
    assert 2 <= calls < 100, "values that nobody sees any more were computed"


def test_a_closure_waits_for_the_cell_and_the_value_does_not(widgets):
    control, areas = widgets.shown(
        widgets.run(
            'let s = slider("n", 0..=9);\n'
            's.on_change(|n| println!("after {n}"));\n'
            's.on_change_beside_cells(|n| display(&format!("beside {n}")));\ns.clone()'
        )
    )
    after, beside = areas
    request = widgets.kernel.send(
        'println!("begun"); while s.value() == 0 { std::thread::sleep(std::time::Duration::from_millis(5)); }\n'
        'println!("seen {}", s.value()); std::thread::sleep(std::time::Duration::from_millis(1500)); println!("over");'
    )
    widgets.kernel.wait_for(request, "stream")
    widgets.move(control, value=5)
    order = []

    def note(message):
        widgets.hear(message)
        if message["msg_type"] == "stream":
            order.append(message["content"]["text"].strip())
        for area in areas:
            now = "".join(str(o.get("text") or o["data"]["text/plain"]) for o in widgets.models[area]["outputs"])
            if "5" in now and now.strip() not in order:
                order.append(now.strip())

    cell = widgets.kernel.collect(request, note)
    assert cell.reply["status"] == "ok"
    widgets.until(lambda: widgets.text(after) == "after 5\n", "the closure after the cell")
    assert "after 5" not in order, "it ran beside the cell"
    assert order.index("seen 5") < order.index("over") and order.index("beside 5") < order.index("over")
    assert widgets.models[beside]["outputs"][0]["data"]["text/plain"] == "beside 5"


def test_errors_in_closures_show_and_do_not_kill(widgets):
    control, (area,) = widgets.shown(
        widgets.run(
            'let v = vec![1, 2, 3]; let kept = 42; let s = slider("n", 0..=9_usize);\n'
            's.on_change(move |n| -> Result<(), String> { if n == 9 { Err("nine is too many")?; } println!("{}", v[n]); Ok(()) });\ns'
        )
    )

    def error():
        return [o for o in widgets.models[area]["outputs"] if o["output_type"] == "error"]

    widgets.move(control, value=5)
    widgets.until(error, "the panic")
    assert error()[0]["ename"] == "Panic" and "index is 5" in error()[0]["evalue"]
    widgets.move(control, value=9)
    widgets.until(lambda: error() and error()[0]["ename"] == "Error", "the error")
    assert error()[0]["evalue"] == "nine is too many"
    widgets.move(control, value=2)
    widgets.until(lambda: widgets.text(area) == "3\n", "a good value after a bad one")
    assert error() == []
    assert widgets.run("kept").of("execute_result")[0]["data"]["text/plain"] == "42"


def test_a_closure_that_does_not_end_is_interrupted(widgets):
    control, (area,) = widgets.shown(
        widgets.run(
            'let kept = 1; let s = slider("n", 0..=9);\n'
            's.on_change(|n| { if n == 1 { println!("begun"); while !interrupted() {} println!("stopped"); } });\ns'
        )
    )
    widgets.move(control, value=1)
    widgets.until(lambda: "begun" in widgets.text(area), "its first line")
    request = widgets.kernel.send("kept + 1")
    time.sleep(0.5)
    widgets.kernel.interrupt()
    cell = widgets.kernel.collect(request, widgets.hear)
    assert cell.reply["status"] == "ok"
    assert cell.of("execute_result")[0]["data"]["text/plain"] == "2"
    assert widgets.text(area) == "begun\nstopped\n"


def test_a_frontend_that_comes_later_learns_of_all_widgets(widgets):
    control, _ = widgets.shown(widgets.run('let s = slider("n", 0..=9);\ns.clone()'))
    widgets.move(control, value=6)
    client = widgets.kernel.client
    request = client.comm_info("jupyter.widget")
    reply = client.get_shell_msg(timeout=PATIENCE)
    while reply["parent_header"]["msg_id"] != request:
        reply = client.get_shell_msg(timeout=PATIENCE)
    assert set(reply["content"]["comms"]) >= set(widgets.models)
    opening = {"comm_id": "new", "target_name": "jupyter.widget.control", "data": {}}
    client.shell_channel.send(client.session.msg("comm_open", opening))
    asked = widgets.send("new", {"method": "request_states"})
    while True:
        message = client.get_iopub_msg(timeout=PATIENCE)
        if message["msg_type"] == "comm_msg" and message["parent_header"]["msg_id"] == asked:
            break
    states = message["content"]["data"]["states"]
    assert message["content"]["data"]["method"] == "update_states"
    assert states[control]["state"]["value"] == 6 and states[control]["model_name"] == "IntSliderModel"
    widgets.run("s.close();")
    assert widgets.models == {}


def test_an_executed_notebook_keeps_the_last_state():
    import nbformat
    from conftest import KERNEL
    from nbclient import NotebookClient

    cells = [
        f':dep notebook-live = {{ path = "{LIVE}" }}\nuse notebook_live::*;',
        'let s = slider("digit", 0..=9).at(3);\ns.on_change(|n| println!("n is {n}"));\ns.clone()',
        "s.set(8);",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(notebook, kernel_name=KERNEL, timeout=PATIENCE).execute()
    states = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"]["state"].values()
    (slider,) = [s["state"] for s in states if s["model_name"] == "IntSliderModel"]
    (area,) = [s["state"] for s in states if s["model_name"] == "OutputModel"]
    assert slider["value"] == 8
    assert area["outputs"][0]["text"] in ("n is 3\n", "n is 8\n")


def test_a_widget_whose_process_has_ended_cannot_be_moved(widgets):  # The last: its kernel forgets all.
    control, _ = widgets.shown(widgets.run('let s = slider("n", 0..=9);\ns.clone()'))
    widgets.kernel.run("std::process::abort();", on_message=widgets.hear)
    widgets.until(lambda: widgets.models[control]["disabled"], "still enabled")
    widgets.move(control, value=2)
    assert widgets.kernel.run("1 + 1").reply["status"] in ("ok", "error")
    assert widgets.kernel.ok("1 + 1").reply["status"] == "ok"
