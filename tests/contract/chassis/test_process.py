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
from contextlib import suppress
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
from voicemesh_chassis.app import main
import grpc
from voicemesh_chassis.errors import FailedPreconditionError
from voicemesh_chassis.service import Api, Service, StartupError
from voicemesh_chassis.settings import ServiceSettings, service_settings_config

class Settings(ServiceSettings):
    model_config = service_settings_config("VOICEMESH_PROBE_")
    mode: str = "plain"

class Misspelt(Exception):
    exit_code = 78

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
        if settings.mode == "catalogue":
            raise StartupError("the catalogue cannot be read") from Misspelt()
        if settings.mode == "fault":
            raise KeyError("a fault")
    async def stop():
        print("released", flush=True)
    return Service("probe", [Api("test.Probe", register)], start, stop)

main(Settings, build)
"""

CLIENT = """
import asyncio, sys
from voicemesh_chassis.channel import ChannelOptions, ClientTls, open_channel
import grpc

async def call():
    options = ChannelOptions(target=sys.argv[1], tls=ClientTls(), attempts=1)
    async with open_channel(options) as channel:
        try:
            await channel.unary_unary("/test.Probe/Hang")(b"", timeout=5)
        except grpc.aio.AioRpcError as error:
            print(error.code().name)

asyncio.run(call())
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

    def reason(self) -> str:
        """Why it could not start, where logs are JSON."""
        return str(self.event("the service cannot start")["reason"])

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
        # The chassis, imported in this process, has set GRPC_VERBOSITY for those that it starts.
        ours = ("VOICEMESH_", "GRPC_VERBOSITY")
        clean = {k: v for k, v in os.environ.items() if not k.startswith(ours)}
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
    ended, text = start(MODE=mode, LOG__FORMAT="console").end()

    *log, last = text.splitlines()
    assert (ended, last) == (status, sentence)
    assert len(log) == 1
    assert "listening" in log[0]


def test_where_logs_are_json_the_sentence_is_an_event_and_nothing_is_said_of_a_drain(
    start: Callable[..., Process],
) -> None:
    process = start(MODE="missing")

    assert process.end() == (69, "")
    assert [line["event"] for line in process.lines()] == ["listening", "the service cannot start"]
    assert process.lines()[-1]["level"] == "error"
    assert process.reason() == "model x is not in /m; run `voicemesh models pull x`"


def test_a_wrong_setting_that_a_library_found_ends_the_start_with_its_status(
    start: Callable[..., Process],
) -> None:
    process = start(MODE="catalogue")

    assert process.end() == (78, "")
    assert process.reason() == "the catalogue cannot be read"


def test_a_fault_at_start_has_its_traceback_in_the_log_and_a_sentence_after_it(
    start: Callable[..., Process],
) -> None:
    status, text = start(MODE="fault", LOG__FORMAT="console").end()

    assert status == 70
    assert "Traceback" in text
    assert text.splitlines()[-1] == (
        "the service failed by a fault of its own (KeyError): the log above has the cause."
    )


def test_a_fault_at_start_is_one_event_where_logs_are_json(start: Callable[..., Process]) -> None:
    process = start(MODE="fault")

    assert process.end() == (70, "")
    assert "KeyError" in process.event("the service failed")["exception"]


def test_what_is_no_tls_on_a_tls_port_leaves_no_line_of_grpcs_own_in_the_log(
    start: Callable[..., Process], certificates: Any
) -> None:
    process = start(
        SERVER__TLS__CERTIFICATE_FILE=str(certificates.certificate_file),
        SERVER__TLS__KEY_FILE=str(certificates.key_file),
    )
    process.event("serving")
    port = process.event("listening")["port"]
    for greeting in (b"GET / HTTP/1.1\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(greeting)
            with suppress(ConnectionResetError):
                while connection.recv(4096):
                    pass

    process.popen.terminate()

    assert process.end() == (0, "")


def test_a_client_has_no_line_of_grpcs_own_on_its_standard_error(
    start: Callable[..., Process], certificates: Any
) -> None:
    process = start(
        SERVER__TLS__CERTIFICATE_FILE=str(certificates.certificate_file),
        SERVER__TLS__KEY_FILE=str(certificates.key_file),
    )
    process.event("serving")
    target = f"127.0.0.1:{process.event('listening')['port']}"

    environ = {name: value for name, value in os.environ.items() if name != "GRPC_VERBOSITY"}

    quiet, loud = (
        subprocess.run(
            [sys.executable, "-c", CLIENT, target],
            env=environ | chosen,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        for chosen in ({}, {"GRPC_VERBOSITY": "INFO"})
    )

    assert (quiet.stdout, quiet.stderr) == ("UNAVAILABLE\n", "")
    assert "handshake" in loud.stderr.lower()


@pytest.mark.parametrize(
    ("settings", "warnings"),
    [
        ({"SERVER__HOST": "0.0.0.0"}, 1),  # noqa: S104
        ({"SERVER__HOST": "0.0.0.0", "SERVER__AUTH_TOKENS": "abc"}, 0),  # noqa: S104
        ({"SERVER__HOST": "localhost"}, 0),
        ({}, 0),
    ],
)
def test_a_port_that_is_open_to_anybody_is_warned_of_once(
    settings: dict[str, str], warnings: int, start: Callable[..., Process]
) -> None:
    process = start(**settings)
    process.event("serving")
    process.popen.terminate()
    process.end()

    warned = [line for line in process.lines() if line["level"] == "warning"]
    assert len(warned) == warnings
    assert all("anybody who reaches the port" in line["event"] for line in warned)


@pytest.mark.parametrize("setting", ["SERVER__PORT", "SERVER__METRICS_PORT"])
def test_a_taken_port_ends_the_start_with_status_69(
    setting: str, start: Callable[..., Process]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        process = start(**{setting: str(port)})
        status, text = process.end()

    assert (status, text) == (69, "")
    assert process.reason() == (
        f"port {port} on 127.0.0.1 is taken: stop the program that has it, "
        f"or set VOICEMESH_PROBE_{setting}."
    )


def test_a_bad_setting_ends_the_start_with_status_78(start: Callable[..., Process]) -> None:
    status, text = start(SERVER__PORT="many", LOG__FORMAT="console").end()

    assert status == 78
    assert text.startswith("VOICEMESH_PROBE_SERVER__PORT = 'many' cannot be used: ")
    assert "\n" not in text


@pytest.mark.parametrize("log", [{"LOG__FORMAT": "json"}, {"LOG": '{"format": "json"}'}])
def test_a_bad_setting_is_an_event_where_logs_are_json(
    log: dict[str, str], start: Callable[..., Process]
) -> None:
    process = start(**{"LOG__FORMAT": "", "SERVER__PORT": "many", **log})  # empty is unset

    assert process.end() == (78, "")
    assert process.reason().startswith("VOICEMESH_PROBE_SERVER__PORT = 'many' cannot be used: ")
    assert process.lines()[0]["service"] == "probe"


def test_a_missing_certificate_ends_the_start_with_status_78(
    start: Callable[..., Process], tmp_path: Path
) -> None:
    missing = str(tmp_path / "missing.pem")

    process = start(SERVER__TLS__CERTIFICATE_FILE=missing, SERVER__TLS__KEY_FILE=missing)

    status, text = process.end()
    assert (status, text) == (78, "")
    assert "VOICEMESH_PROBE_SERVER__TLS__CERTIFICATE_FILE" in process.reason()
    assert "\n" not in process.reason()
