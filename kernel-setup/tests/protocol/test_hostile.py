"""What is malformed, forged or unknown is refused or passed on as the protocol says, and never fatal."""

import json
import os
import socket
import stat
import threading
import time

import pytest
import zmq
from conftest import PATIENCE
from jupyter_client.session import Session


def dealer(kernel, channel):
    """A socket of our own to one of the kernel's channels."""
    info = kernel.manager.get_connection_info()
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.linger = 0
    socket.connect(f"tcp://{info['ip']}:{info[channel + '_port']}")
    return socket


@pytest.mark.parametrize("channel", ["shell", "control", "stdin"])
@pytest.mark.parametrize(
    "frames",
    [
        [b"no delimiter"],
        [b"<IDS|MSG>"],
        [b"<IDS|MSG>", b"00", b"{}", b"{}", b"{}", b"{}"],
        [b"<IDS|MSG>", b"not hex", b"{}", b"{}", b"{}", b"{}"],
        [b"<IDS|MSG>", b"00", b"{", b"", b"", b""],
        [b"", b"", b""],
    ],
)
def test_malformed_and_forged_messages_are_dropped(kernel, channel, frames):
    with dealer(kernel, channel) as socket:
        socket.send_multipart(frames)
        assert kernel.ok("1").reply["status"] == "ok"
        assert not socket.poll(50), "a forged message was answered"


def test_a_forged_cell_does_not_run(kernel, tmp_path):
    forger = Session(key=b"guess")
    target = tmp_path / "forged"
    with dealer(kernel, "shell") as socket:
        code = f'std::fs::write("{target}", "").unwrap();'
        forger.send(socket, "execute_request", {"code": code, "silent": False})
        kernel.ok("1")
    assert not target.exists()


def test_garbage_on_the_sockets_does_no_harm(kernel):
    info = kernel.manager.get_connection_info()
    for name in ("shell", "iopub", "stdin", "control", "hb"):
        with socket.create_connection((info["ip"], info[name + "_port"])) as connection:
            connection.sendall(os.urandom(4000))
    assert kernel.ok("1").reply["status"] == "ok"


def test_an_unknown_message_type_gets_its_idle_and_no_more(kernel):
    for channel in (kernel.client.shell_channel, kernel.client.control_channel):
        message = kernel.client.session.msg("frobnicate_request", {"a": 1})
        channel.send(message)
        states = []
        while states[-1:] != ["idle"]:
            published = kernel.client.get_iopub_msg(timeout=PATIENCE)
            if published["parent_header"].get("msg_id") == message["header"]["msg_id"]:
                states.append(published["content"]["execution_state"])
        assert states == ["busy", "idle"]
    assert kernel.ok("1").reply["status"] == "ok"


@pytest.mark.parametrize(
    "request_text, problem",
    [
        ("not JSON", "not JSON"),
        ("[1]", "unknown"),
        ('{"type": "explode"}', "explode"),
        ('{"type": "display_data", "data": {"png": "x"}}', "not a MIME type"),
        ('{"type": "display_data", "data": {"<b>/x": "x"}}', "not a MIME type"),
        ('{"type": "display_data", "data": {}}', "no representation"),
        ('{"type": "update_display_data", "data": {"text/plain": "x"}}', "`id`"),
    ],
)
def test_display_requests_that_make_no_sense_are_refused(live, request_text, problem):
    cell = live.ok(f"print!(\"{{}}\", side({json.dumps(request_text)}));")
    assert problem in cell.text()
    assert cell.kinds() == ["stream"]


def test_a_mime_type_that_is_none_is_shown_as_text(kernel):
    cell = kernel.ok('println!("EVCXR_BEGIN_CONTENT nonsense\\nx\\nEVCXR_END_CONTENT");')
    assert cell.kinds() == ["stream"] and "x" in cell.text()


def test_content_that_is_never_closed_does_not_hang(kernel):
    kernel.ok('println!("EVCXR_BEGIN_CONTENT text/html\\n<b>");')
    assert kernel.ok("1").reply["status"] == "ok"


def test_an_unfinished_connection_to_the_side_channel_does_no_harm(live):
    live.ok(
        "{ use std::io::Write; use std::os::unix::net::UnixStream;"
        'let path = std::env::var("ICVAE_LIVE").unwrap() + "/side";'
        "UnixStream::connect(&path).unwrap();"
        'UnixStream::connect(&path).unwrap().write_all(b"out 1\\n").unwrap();'
        'UnixStream::connect(&path).unwrap().write_all(&[b\'x\'; 5000]).ok();'
        'UnixStream::connect(&path).unwrap().write_all(b"message\\n{").unwrap(); }'
    )
    assert live.ok('show("display_data", "text/plain", "still here", "u")').kinds()


def test_only_the_user_can_reach_the_kernel(kernel):
    cell = kernel.ok('print!("{}", std::env::var("ICVAE_LIVE").unwrap());')
    folder = cell.text()
    assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(os.path.join(folder, "evcxr.json")).st_mode) == 0o600


@pytest.mark.skipif(not os.path.exists("/proc/net/tcp"), reason="needs Linux' /proc")
def test_sockets_listen_on_loopback_only(kernel):
    ports = {v for k, v in kernel.manager.get_connection_info().items() if k.endswith("_port")}
    folder = kernel.ok('print!("{}", std::env::var("ICVAE_LIVE").unwrap());').text()
    with open(os.path.join(folder, "evcxr.json")) as file:
        ports |= {v for k, v in json.load(file).items() if k.endswith("_port")}
    found = 0
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(table) as file:
            for line in list(file)[1:]:
                address, state = line.split()[1], line.split()[3]
                host, port = address.split(":")
                if state == "0A" and int(port, 16) in ports:
                    found += 1
                    assert host in ("0100007F", "0" * 24 + "01000000"), address
    assert found == len(ports)


def test_a_request_before_the_subscription_still_gets_its_idle(own_kernel):
    """Some clients ask on the shell channel first, and then wait for the idle they have missed."""
    from conftest import KERNEL
    from jupyter_client.manager import KernelManager

    manager = KernelManager(kernel_name=KERNEL)
    manager.start_kernel()
    try:
        info = manager.get_connection_info()
        session = Session(key=info["key"])
        context = zmq.Context.instance()
        with context.socket(zmq.DEALER) as shell, context.socket(zmq.SUB) as iopub:
            shell.linger = iopub.linger = 0
            shell.connect(f"tcp://{info['ip']}:{info['shell_port']}")
            request = session.send(shell, "kernel_info_request", {})
            time.sleep(1)
            iopub.subscribe(b"")
            iopub.connect(f"tcp://{info['ip']}:{info['iopub_port']}")
            deadline = time.monotonic() + PATIENCE
            while time.monotonic() < deadline:
                assert iopub.poll(PATIENCE * 1000), "no idle"
                _, frames = session.feed_identities(iopub.recv_multipart())
                message = session.deserialize(frames)
                idle = message["content"].get("execution_state") == "idle"
                if idle and message["parent_header"].get("msg_id") == request["header"]["msg_id"]:
                    break
            assert shell.poll(PATIENCE * 1000)
    finally:
        manager.shutdown_kernel(now=True)


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="needs Linux' /proc")
def test_memory_stays_bounded_when_the_client_does_not_read(own_kernel):
    """A subscriber that never reads holds the cell up rather than filling the kernel's memory."""
    own_kernel.ok("1")
    info = own_kernel.manager.get_connection_info()
    # A plain TCP peer that subscribes by hand and then never reads again.
    greeting = b"\xff" + b"\0" * 8 + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" * 32
    ready = b"\x05READY\x0bSocket-Type\x00\x00\x00\x03SUB"
    stalled = socket.create_connection((info["ip"], info["iopub_port"]))
    stalled.sendall(greeting)
    time.sleep(0.5)
    stalled.sendall(b"\x04" + bytes([len(ready)]) + ready + b"\x00\x01\x01")
    time.sleep(0.5)
    try:
        request = own_kernel.send(
            'let line = "x".repeat(1 << 20); for _ in 0..400 { println!("{line}"); }'
        )
        time.sleep(8)
        pid = own_kernel.manager.provisioner.pid
        with open(f"/proc/{pid}/status") as file:
            resident = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        assert resident < 350_000, f"{resident} kB"
    finally:
        # Once it is gone, the cell goes on.
        threading.Timer(0.1, stalled.close).start()
    cell = own_kernel.collect(request)
    assert len(cell.text()) == 400 * ((1 << 20) + 1)
