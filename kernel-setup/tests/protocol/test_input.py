"""Standard input: the code asks, the client answers, and nobody waits for ever."""

import queue
import sys

import pytest

linux = pytest.mark.skipif(sys.platform != "linux", reason="who waits for input is seen on Linux only")

READ = 'let mut line = String::new(); std::io::stdin().read_line(&mut line)'


def question(kernel):
    return kernel.client.get_stdin_msg(timeout=120)["content"]


@linux
def test_a_plain_read_asks_the_client(kernel):
    request = kernel.send('println!("Name?"); ' + READ + '?; print!("hello {line}");', allow_stdin=True)
    assert question(kernel) == {"prompt": "", "password": False}
    kernel.client.input("Ada")
    assert kernel.collect(request).text() == "Name?\nhello Ada\n"


@linux
def test_every_line_is_asked_for_also_by_other_threads(kernel):
    request = kernel.send(
        "let lines: Vec<String> = std::thread::spawn(|| std::io::stdin().lines().take(3)"
        ".collect::<Result<_, _>>()).join().unwrap()?; lines.join(\"+\")",
        allow_stdin=True,
    )
    for line in ("eins", "größer", ""):
        question(kernel)
        kernel.client.input(line)
    cell = kernel.collect(request)
    assert cell.of("execute_result")[0]["data"] == {"text/plain": '"eins+größer+"'}


@linux
@pytest.mark.parametrize("handled", [False, True])
def test_where_nobody_can_be_asked_it_is_an_error_at_once(kernel, handled):
    kernel.ok("let kept = 8;")
    read = f"{{ {READ}.is_err() }}" if handled else READ + ".unwrap();"
    cell = kernel.run(read, allow_stdin=False)
    assert cell.reply["ename"] == "NoInput" and "standard input" in cell.reply["evalue"]
    assert cell.times[-1] - cell.times[0] < 20
    assert kernel.ok("kept").of("execute_result")[0]["data"] == {"text/plain": "8"}
    # The next cell may ask again.
    request = kernel.send(READ + '?; print!("{line}");', allow_stdin=True)
    question(kernel)
    kernel.client.input("again")
    assert kernel.collect(request).text() == "again\n"


@linux
def test_an_interrupt_takes_the_question_back_and_keeps_the_variables(kernel):
    kernel.ok("let kept = 9;")
    request = kernel.send(READ + ".unwrap();", allow_stdin=True)
    question(kernel)
    kernel.interrupt()
    cell = kernel.collect(request)
    assert cell.reply["ename"] == "Interrupted" and "are kept" in cell.reply["evalue"]
    # An answer that comes too late is nobody's.
    kernel.client.input("late")
    assert kernel.ok("kept").of("execute_result")[0]["data"] == {"text/plain": "9"}
    with pytest.raises(queue.Empty):
        kernel.client.get_stdin_msg(timeout=0.2)


def test_a_prompt_that_nothing_reads_is_text(kernel):
    cell = kernel.ok('println!("EVCXR_INPUT_REQUEST:x"); println!("y");')
    assert cell.text() == "EVCXR_INPUT_REQUEST:x\ny\n"
