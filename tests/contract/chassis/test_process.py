"""A service as a process: signals, exit status and what it says when it cannot start."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import grpc
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.contract

PATIENCE_S = 20.0

PROGRAM = """
import asyncio, sys, time
import grpc
from voicemesh_chassis.app import main
from voicemesh_chassis.errors import FailedPreconditionError
from voicemesh_chassis.service import Api, Service, StartupError
from voicemesh_chassis.settings import ServiceSettings, service_settings_config

class Settings(ServiceSettings):
    model_config = service_settings_config("VOICEMESH_PROBE_")
    mode: str = "plain"

async def hang(requests, context):
    await asyncio.Event().wait()
    return b""

def register(server):
    handlers = {"Hang": grpc.unary_unary_rpc_method_handler(hang)}
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("test.Probe", handlers),)
    )

def build(settings):
    asyncio.get_running_loop()
    async def start():
        if settings.mode == "thread":
            await asyncio.to_thread(time.sleep, 300)
        if settings.mode == "missing":
            raise StartupError("model x is not in /m; run `voicemesh models pull x`")
        if settings.mode == "refused":
            raise FailedPreconditionError("the database is too old")
        if settings.mode == "fault":
            raise KeyError("a fault")
    async def stop():
        print("released", flush=True)
    return Service("probe", [Api("test.Probe", register)], start, stop)

main(Settings, build)
"""


class Process:
    """The program above, running."""

    def __init__(self, popen: subprocess.Popen[str], log: Path) -> None:
        self.popen = popen
        self._log = log

    def lines(self) -> list[dict[str, Any]]:
        """The log so far; what is not JSON is under `text`."""
        lines = self._log.read_text().splitlines()
        return [json.loads(line) if line[:1] == "{" else {"text": line} for line in lines]

    def event(self, name: str) -> dict[str, Any]:
        """The first log line with that event, when it has come."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            for line in self.lines():
                if line.get("event", "").startswith(name):
                    return line
            time.sleep(0.02)
        raise AssertionError(self._log.read_text())

    def end(self) -> tuple[int, str]:
        """The exit status and the plain text on standard error, when it has ended."""
        status = self.popen.wait(PATIENCE_S)
        return status, "\n".join(line["text"] for line in self.lines() if "text" in line)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Starts the program with settings given without their prefix."""
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    running: list[subprocess.Popen[str]] = []

    def begin(**settings: str) -> Process:
        given = {"LOG__FORMAT": "json", **settings}
        clean = {k: v for k, v in os.environ.items() if not k.startswith("VOICEMESH_")}
        environ = clean | {f"VOICEMESH_PROBE_{key}": value for key, value in given.items()}
        log = tmp_path / f"{len(running)}.log"
        with log.open("w") as stderr:
            popen = subprocess.Popen(
                [sys.executable, str(program)],
                env=environ,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        running.append(popen)
        return Process(popen, log)

    yield begin
    for popen in running:
        if popen.poll() is None:
            popen.kill()
            popen.wait(PATIENCE_S)
        if popen.stdout is not None:
            popen.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_status_0(
    number: signal.Signals, start: Callable[..., Process]
) -> None:
    process = start()
    process.event("serving")

    process.popen.send_signal(number)
    status, text = process.end()

    assert (status, text) == (0, "")
    assert process.popen.stdout is not None
    assert process.popen.stdout.read() == "released\n"
    events = [line["event"] for line in process.lines()]
    assert events[0] == "listening"
    assert events[-2:] == ["draining", "stopped"]
    assert all(line["service"] == "probe" for line in process.lines())


def test_a_signal_while_a_model_loads_ends_the_start_though_its_thread_is_busy(
    start: Callable[..., Process],
) -> None:
    process = start(MODE="thread")
    port = process.event("listening")["metrics_port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
        alive = response.status
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5)
    caught.value.close()

    process.popen.terminate()
    status, _ = process.end()

    assert (alive, caught.value.code) == (200, 503)
    assert status == 0


def test_a_second_signal_ends_at_once(start: Callable[..., Process]) -> None:
    process = start(SERVER__DRAIN_TIMEOUT_S="3600")
    port = process.event("listening")["port"]
    process.event("serving")
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        hang: Any = channel.unary_unary("/test.Probe/Hang")
        call = hang.future(b"", timeout=60)
        while not is_hanging(process):
            time.sleep(0.02)
        process.popen.terminate()
        process.event("draining")

        process.popen.terminate()
        status, _ = process.end()
        call.cancel()

    assert status == 128 + signal.SIGTERM


def is_hanging(process: Process) -> bool:
    """Whether the call of `Hang` is being served."""
    port = process.event("listening")["metrics_port"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as response:
        text: str = response.read().decode()
    return re.search(r'grpc_server_in_flight\{[^}]*"Hang"[^}]*\} 1', text) is not None


@pytest.mark.parametrize(
    ("mode", "status", "sentence"),
    [
        ("missing", 69, "model x is not in /m; run `voicemesh models pull x`"),
        ("refused", 69, "the database is too old"),
    ],
)
def test_a_start_that_cannot_be_says_why_in_one_sentence(
    mode: str, status: int, sentence: str, start: Callable[..., Process]
) -> None:
    assert start(MODE=mode).end() == (status, sentence)


def test_a_fault_at_start_has_its_traceback_in_the_log_and_a_sentence_after_it(
    start: Callable[..., Process],
) -> None:
    process = start(MODE="fault")

    status, text = process.end()

    assert status == 70
    assert text == (
        "the service failed by a fault of its own (KeyError): the log above has the cause."
    )
    assert "KeyError" in process.event("the service failed")["exception"]


@pytest.mark.parametrize("setting", ["SERVER__PORT", "SERVER__METRICS_PORT"])
def test_a_taken_port_ends_the_start_with_status_69(
    setting: str, start: Callable[..., Process]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        status, text = start(**{setting: str(port)}).end()

    assert status == 69
    assert text == (
        f"port {port} on 127.0.0.1 is taken: stop the program that has it, "
        f"or set VOICEMESH_PROBE_{setting}."
    )


def test_a_bad_setting_ends_the_start_with_status_78(start: Callable[..., Process]) -> None:
    status, text = start(SERVER__PORT="many").end()

    assert status == 78
    assert text.startswith("VOICEMESH_PROBE_SERVER__PORT = 'many' cannot be used: ")
    assert "\n" not in text


def test_a_missing_certificate_ends_the_start_with_status_78(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing.pem")

    process = start(SERVER__TLS__CERTIFICATE_FILE=missing, SERVER__TLS__KEY_FILE=missing)

    status, text = process.end()
    assert status == 78
    assert "VOICEMESH_PROBE_SERVER__TLS__CERTIFICATE_FILE" in text
    assert "\n" not in text
