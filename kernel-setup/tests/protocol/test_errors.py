"""A cell that fails says so, says where, and leaves a kernel that works."""

import pytest


def check(cell, name):
    """The reply and the published error agree and are complete."""
    assert cell.reply["status"] == "error"
    [error] = cell.of("error")
    for field in ("ename", "evalue", "traceback"):
        assert cell.reply[field] == error[field]
    assert cell.reply["ename"] == name
    assert cell.reply["evalue"] and cell.reply["traceback"]
    return cell.reply["evalue"], cell.traceback


def test_a_panic(kernel):
    kernel.ok("let before = vec![1, 2, 3];")
    value, traceback = check(kernel.run("let a = 1;\nlet b = before[7];"), "Panic")
    assert value == "index out of bounds: the len is 3 but the index is 7"
    assert "line 2" in traceback and "let b = before[7];" in traceback
    assert "rust_begin_unwind" not in traceback and "evcxr" not in traceback
    assert kernel.ok("before").of("execute_result")[0]["data"] == {"text/plain": "[1, 2, 3]"}


def test_a_panic_in_a_function_of_an_earlier_cell(kernel):
    cell = kernel.ok("// Somewhere else.\nfn pick(i: usize) -> i32 {\n    [1, 2, 3][i]\n}")
    number = cell.reply["execution_count"]
    _, traceback = check(kernel.run("pick(std::hint::black_box(5))"), "Panic")
    assert f"cell [{number}], line 3" in traceback


def test_a_panic_in_a_library_shows_the_way_to_it(kernel):
    kernel.ok("fn first(v: &[i64]) -> i64 {\n    let n: Result<i64, String> = v.first().copied().ok_or(\"it is empty\".into());\n    n.map(|n| n + 1).unwrap()\n}")
    here = kernel.ok("1").reply["execution_count"]
    # More than once: the standard library alone knows no cell that was loaded after its first look.
    for number in range(3):
        cell = kernel.run(f'let n = {number};\nlet mut empty = String::new();\nempty.insert(5, \'a\');')
        assert cell.reply["ename"] == "Panic" and f"cell [{cell.reply['execution_count']}], line 3" in cell.traceback, cell.traceback
    cell = kernel.run("let a = 1;\n\nfirst(&[])")
    assert f"cell [{here - 1}], line 3" in cell.traceback, cell.traceback
    assert f"called from cell [{cell.reply['execution_count']}], line 3" in cell.traceback, cell.traceback


def test_a_failed_question_mark(kernel):
    kernel.ok("let kept = 5;")
    value, traceback = check(kernel.run('let n: i32 = "four".parse()?;\nprintln!("{n}");'), "Error")
    assert value == "invalid digit found in string"
    assert "line 1" in traceback and '"four".parse()?' in traceback
    assert kernel.ok("kept").of("execute_result")[0]["data"] == {"text/plain": "5"}


def test_what_was_printed_before_an_error_stays(kernel):
    cell = kernel.run('print!("so far"); eprintln!("careful"); panic!("no further")')
    check(cell, "Panic")
    assert cell.text() == "so far" and "careful" in cell.text("stderr")


def test_a_compile_error(kernel):
    value, traceback = check(kernel.run('let a = 1;\nlet b: i32 = "text";'), "CompileError")
    assert "mismatched types" in value
    assert "expected `i32`, found `&str`" in traceback
    number = kernel.ok("1").reply["execution_count"] - 1
    assert f"cell [{number}]" in traceback


def test_errors_of_one_kind_are_one_message(kernel):
    _, traceback = check(kernel.run("nowhere + nowhere + nowhere"), "CompileError")
    assert "cannot find value `nowhere`" in traceback


def test_an_unknown_command(kernel):
    value, _ = check(kernel.run(":frobnicate"), "CompileError")
    assert ":frobnicate" in value


@pytest.mark.parametrize(
    "code, what",
    [
        ("std::process::abort();", "aborted"),
        ("unsafe { *(8 as *mut i32) = 1 }", "segmentation fault"),
        ("std::process::exit(3);", "exit status: 3"),
        ("let b: Vec<u8> = vec![1; 1usize << 46]; b.len()", "memory ran out"),
        (
            "struct Twice; impl Drop for Twice { fn drop(&mut self) { panic!(\"again\") } } "
            "{ let _t = Twice; panic!(\"first\") }",
            "aborted",
        ),
    ],
)
def test_a_crash_is_told_as_what_it_is(kernel, code, what):
    kernel.ok("fn kept() -> i32 { 4 }\nlet lost = 1;")
    value, traceback = check(kernel.run(code), "Crash")
    assert what in value and "variables is gone" in value
    assert "stack backtrace" not in traceback
    assert kernel.ok("kept()").of("execute_result")[0]["data"] == {"text/plain": "4"}
    assert check(kernel.run("lost"), "CompileError")
    # What is shown while a cell runs works in the new process too.
    assert kernel.ok('print!("part"); kept()').text() == "part"


def test_panics_of_other_threads_and_caught_ones_are_no_errors(kernel):
    cell = kernel.ok('std::thread::spawn(|| panic!("elsewhere")).join().is_err()')
    assert "elsewhere" in cell.text("stderr")
    cell = kernel.ok('std::panic::catch_unwind(|| panic!("caught")).is_err()')
    assert "caught" in cell.text("stderr")
    assert cell.of("execute_result")[0]["data"] == {"text/plain": "true"}


def test_run_all_stops_at_an_error(kernel):
    requests = [kernel.send(code) for code in ('println!("1");', 'panic!("2")', 'println!("3");', "4")]
    replies = {}
    while len(replies) < len(requests):
        reply = kernel.client.get_shell_msg(timeout=120)
        replies[reply["parent_header"]["msg_id"]] = reply["content"]["status"]
    assert [replies[r] for r in requests] == ["ok", "error", "aborted", "aborted"]
    assert kernel.ok("5").of("execute_result")[0]["data"] == {"text/plain": "5"}


def test_a_client_may_want_to_go_on_after_an_error(kernel):
    requests = [kernel.send('panic!("1")', stop_on_error=False), kernel.send("2")]
    statuses = [kernel.collect(r).reply["status"] for r in requests]
    assert statuses == ["error", "ok"]


def test_nbclient_stops_at_a_panic(tmp_path):
    import nbclient
    import nbformat
    from conftest import KERNEL

    cells = [nbformat.v4.new_code_cell(code) for code in ("1", 'panic!("stop here")', "3")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": KERNEL, "display_name": "", "language": "rust"}
    with pytest.raises(nbclient.exceptions.CellExecutionError, match="stop here"):
        nbclient.NotebookClient(notebook, timeout=120).execute()
    assert not notebook.cells[2].outputs


def test_errors_in_several_places_have_each_its_own_mark(kernel):
    cell = kernel.run('let a: i32 = "one";\nlet b = nowhere;\nlet c: bool = 2;')
    number = cell.reply["execution_count"]
    value, traceback = check(cell, "CompileError")
    for line in (1, 2, 3):
        assert f"cell [{number}], line {line} " in traceback, traceback
    for mark in ("expected `i32`, found `&str`", "cannot find value `nowhere`", "expected `bool`"):
        assert mark in traceback, traceback


@pytest.mark.parametrize(
    "line, instead",
    [
        ("let part = &numbers[1..];", "let part = numbers[1..].to_vec();"),
        ("let word = text.trim();", "let word = text.trim().to_owned();"),
        ("let first = numbers.first().unwrap();", "let first = numbers.first().unwrap().clone();"),
        ("let it = numbers.iter();", "let it: Vec<_> = numbers.iter().cloned().collect();"),
        ("let words: Vec<&str> = text.split(' ').collect();", "let words: Vec<String> = text.split(' ').map(str::to_owned).collect();"),
    ],
)
def test_a_borrowed_variable_says_what_to_write_for_its_line(kernel, line, instead):
    kernel.ok('let numbers = vec![1, 2, 3];\nlet text = String::from("a b");')
    _, traceback = check(kernel.run(line), "CompileError")
    assert f"`{instead}`" in traceback, traceback
    kernel.ok('let numbers = vec![1, 2, 3];\nlet text = String::from("a b");')
    kernel.ok(instead)
