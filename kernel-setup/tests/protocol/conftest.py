"""A kernel for the tests, started as Jupyter starts it.

The kernel under test is the one registered under the name in ICVAE_KERNEL (default: icvae-rust).
"""

import os
import queue
import time

import pytest
from jupyter_client.manager import KernelManager

KERNEL = os.environ.get("ICVAE_KERNEL", "icvae-rust")
PATIENCE = float(os.environ.get("ICVAE_TEST_PATIENCE", "300"))


class Cell:
    """What came of one request: its reply and all that was published for it, with times."""

    def __init__(self, reply, messages, times):
        self.reply = reply["content"]
        self.metadata = reply["metadata"]
        self.messages = messages
        self.times = times

    def kinds(self):
        return [m["msg_type"] for m in self.messages if m["msg_type"] not in ("status", "execute_input")]

    def of(self, kind):
        return [m["content"] for m in self.messages if m["msg_type"] == kind]

    def text(self, name="stdout"):
        return "".join(c["text"] for c in self.of("stream") if c["name"] == name)

    @property
    def traceback(self):
        import re

        return re.sub("\x1b\\[[0-9;]*m", "", "\n".join(self.reply["traceback"]))


class Kernel:
    """A running kernel and a client."""

    @staticmethod
    def on_other(message):
        """Told of what is published for nothing that is waited for."""

    def __init__(self, **kwargs):
        self.manager = KernelManager(kernel_name=KERNEL)
        self.manager.start_kernel(**kwargs)
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=PATIENCE)

    def send(self, code, **kwargs):
        return self.client.execute(code, **kwargs)

    def collect(self, request, on_message=None):
        """Waits for the reply to a request and for the end of what is published for it."""
        messages, times = [], []
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") != request:
                self.on_other(message)
                continue
            messages.append(message)
            times.append(time.monotonic())
            if on_message:
                on_message(message)
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
        while True:
            reply = self.client.get_shell_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == request:
                return Cell(reply, messages, times)

    def run(self, code, on_message=None, **kwargs):
        return self.collect(self.send(code, **kwargs), on_message)

    def ok(self, code, **kwargs):
        cell = self.run(code, **kwargs)
        assert cell.reply["status"] == "ok", cell.reply
        return cell

    def wait_for(self, request, kind):
        """Waits until a message of this kind is published for a request."""
        while True:
            message = self.client.get_iopub_msg(timeout=PATIENCE)
            if message["parent_header"].get("msg_id") == request and message["msg_type"] == kind:
                return message

    def interrupt(self):
        """Interrupts, and waits for the answer: the next cell comes after it on another socket."""
        request = self.client.session.msg("interrupt_request", {})
        self.client.control_channel.send(request)
        while True:
            reply = self.client.get_control_msg(timeout=PATIENCE)
            if reply["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                return

    def stop(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=False)
        self.manager.cleanup_resources()


@pytest.fixture(scope="session")
def kernel():
    kernel = Kernel()
    yield kernel
    kernel.stop()


@pytest.fixture
def own_kernel():
    """A kernel of a test that may leave it broken."""
    kernel = Kernel()
    yield kernel
    try:
        kernel.stop()
    except (RuntimeError, queue.Empty):
        kernel.manager.shutdown_kernel(now=True)


# Sends a request to the side channel as a library would, with the standard library alone.
SIDE = r"""
fn side(request: &str) -> String {
    use std::io::{Read, Write};
    std::io::stdout().flush().unwrap();
    let folder = std::env::var("ICVAE_LIVE").unwrap();
    let mut side = std::os::unix::net::UnixStream::connect(folder + "/side").unwrap();
    side.write_all(b"message\n").unwrap();
    side.write_all(request.as_bytes()).unwrap();
    side.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = String::new();
    side.read_to_string(&mut answer).unwrap();
    answer
}
fn show(kind: &str, mime: &str, content: &str, id: &str) -> String {
    side(&format!(
        r#"{{"type": "{kind}", "data": {{"{mime}": "{content}"}}, "id": "{id}"}}"#
    ))
}
"""


@pytest.fixture
def live(kernel):
    """The shared kernel, with the function `side` in its cells."""
    kernel.ok(SIDE)
    return kernel
