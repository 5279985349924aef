"""`voicemesh-run` and `voicemesh-demo` as a person uses them: installed commands, real services."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import wave
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

BIN = Path(sys.executable).parent
DATA = Path(__file__).parent.parent / "data" / "speech"
START_S = 180
STOP_S = 60
NAMES = ("stt", "tts", "trainer", "bot")
APIS = {
    "stt": ("voicemesh.stt.v1.SpeechToTextService",),
    "tts": ("voicemesh.tts.v1.TextToSpeechService",),
    "trainer": ("voicemesh.trainer.v1.TrainerService",),
    "bot": (),
}


def free_ports(count: int) -> list[int]:
    """Ports that are free now."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@dataclass
class Launch:
    """A running `voicemesh-run`."""

    process: subprocess.Popen[str]
    ports: dict[str, int]
    output: Path
    environ: dict[str, str] = field(repr=False)

    def text(self) -> str:
        """What it has written so far."""
        return self.output.read_text()

    def children(self) -> dict[str, int]:
        """Process ids of the services by name."""
        found: dict[str, int] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and parent_of(entry) == self.process.pid:
                module = (entry / "cmdline").read_bytes().split(b"\0")[2].decode()
                found[module.removeprefix("voicemesh_")] = int(entry.name)
        return found


def parent_of(entry: Path) -> int:
    try:
        return int((entry / "stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def is_running(pid: int) -> bool:
    """Whether the process is there and not only waiting to be reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_for(condition: Callable[[], object], within_s: float, what: Callable[[], str]) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail(f"not within {within_s:.0f} s:\n{what()}")
        time.sleep(0.05)


@contextmanager
def launched(directory: Path, **settings: str) -> Iterator[Launch]:
    """`voicemesh-run` on free ports; killed at the end if it still runs."""
    ports = dict(zip((*NAMES, *(f"{n}-metrics" for n in NAMES), "console"), free_ports(9),
                     strict=True))  # fmt: skip
    environ = {
        key: value
        for key, value in os.environ.items()
        # Those of the tests are not settings, and would be said to be none.
        if key != "DISCORD_TOKEN" and not key.startswith("VOICEMESH_REQUIRE_")
    }
    for name in NAMES:
        environ[f"VOICEMESH_{name.upper()}_SERVER__PORT"] = str(ports[name])
        environ[f"VOICEMESH_{name.upper()}_SERVER__METRICS_PORT"] = str(ports[f"{name}-metrics"])
    environ |= {
        "VOICEMESH_BOT_CONSOLE__PORT": str(ports["console"]),
        "VOICEMESH_TRAINER_BACKEND": "local",
        "XDG_STATE_HOME": str(directory),
        "PYTHONUNBUFFERED": "1",
    }
    environ |= settings
    output = directory / "output.txt"
    with output.open("w") as written:
        process = subprocess.Popen(
            [BIN / "voicemesh-run"], env=environ, stdout=written, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
    try:
        yield Launch(process, ports, output, environ)
    finally:
        process.kill()
        process.wait(10)


def wait_until_ready(launch: Launch) -> None:
    def done() -> bool:
        return "press Ctrl-C" in launch.text() or launch.process.poll() is not None

    wait_for(done, START_S, launch.text)
    assert launch.process.poll() is None, launch.text()


def check_metrics(page: str, *, required: bool) -> None:
    """Lets `promtool` read a metrics page."""
    promtool = shutil.which("promtool")
    if promtool is None:
        assert not required, "promtool is not installed"
        return
    checked = subprocess.run(
        [promtool, "check", "metrics"], input=page, capture_output=True, text=True, timeout=30
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_run_serves_all_services_until_ctrl_c(models_dir: Path, tmp_path: Path) -> None:
    required = os.environ.get("VOICEMESH_REQUIRE_TOOLS") == "1"
    with launched(tmp_path, VOICEMESH_MODELS_DIR=str(models_dir)) as launch:
        wait_until_ready(launch)
        lines = launch.text()
        for name in NAMES:
            port = launch.ports[name]
            assert re.search(rf"^{name} +127\.0\.0\.1:{port} +ready in [\d.]+ s$", lines, re.M)
            check_is_serving(name, port)
            metrics_url = f"http://127.0.0.1:{launch.ports[f'{name}-metrics']}"
            page = httpx.get(f"{metrics_url}/metrics", trust_env=False).text
            assert f'voicemesh_build_info{{service="{name}"' in page
            check_metrics(page, required=required)
        console = f"http://127.0.0.1:{launch.ports['console']}"
        assert f"The console is at {console} - press Ctrl-C to stop." in lines
        assert httpx.get(console, trust_env=False).status_code == 200
        children = launch.children()
        assert set(children) == set(NAMES)

        launch.process.send_signal(signal.SIGINT)
        assert launch.process.wait(STOP_S) == 0, launch.text()

    assert not any(map(is_running, children.values()))
    ended = re.findall(r"^(\w+) +stopped$", launch.text(), re.M)
    assert ended[0] == "bot"
    assert set(ended) == set(NAMES)


def check_is_serving(name: str, port: int) -> None:
    """Asks the standard gRPC health check of the process and of each of its services."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for service in ("", *APIS[name]):
            request = health_pb2.HealthCheckRequest(service=service)
            answer = stub.Check(request, timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


def test_killing_the_launcher_leaves_no_child(models_dir: Path, tmp_path: Path) -> None:
    with launched(tmp_path, VOICEMESH_MODELS_DIR=str(models_dir)) as launch:
        wait_until_ready(launch)
        children = launch.children()
        assert set(children) == set(NAMES)
        launch.process.send_signal(signal.SIGKILL)
        launch.process.wait(10)

        wait_for(lambda: not any(map(is_running, children.values())), 10, lambda: str(children))


def test_a_service_that_is_killed_comes_back(models_dir: Path, tmp_path: Path) -> None:
    with launched(tmp_path, VOICEMESH_MODELS_DIR=str(models_dir)) as launch:
        wait_until_ready(launch)
        os.kill(launch.children()["tts"], signal.SIGKILL)
        wait_for(lambda: "ready again" in launch.text(), START_S, launch.text)

        assert "tts      was ended by SIGKILL; starting it again in 1 s" in launch.text()
        check_is_serving("tts", launch.ports["tts"])
        launch.process.send_signal(signal.SIGTERM)
        assert launch.process.wait(STOP_S) == 0


def test_a_taken_port_is_said_before_anything_is_started(models_dir: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        settings = {"VOICEMESH_TRAINER_SERVER__PORT": port, "VOICEMESH_MODELS_DIR": str(models_dir)}
        with launched(tmp_path, **settings) as launch:
            assert launch.process.wait(START_S) == 1

    assert launch.text() == (
        f"trainer (grpc): port {port} on 127.0.0.1 is taken: "
        "stop the program that has it, or set VOICEMESH_TRAINER_SERVER__PORT.\n"
    )


def test_missing_models_are_said_with_the_command_that_gets_them(tmp_path: Path) -> None:
    with launched(tmp_path, VOICEMESH_MODELS_DIR=str(tmp_path / "none")) as launch:
        assert launch.process.wait(START_S) == 1

    assert "voicemesh-models pull --dir" in launch.text()
    assert "whisper-tiny.en silero-vad piper-en_US-joe-medium gemma-3-270m`" in launch.text()
    assert "Traceback" not in launch.text()


def test_a_misspelt_setting_is_said_once_and_the_models_that_are_set_are_checked(
    tmp_path: Path,
) -> None:
    settings = {
        "VOICEMESH_MODELS_DIR": str(tmp_path / "none"),
        "VOICEMESH_SST_MODEL": "x",
        "VOICEMESH_STT_MODEL": "whisper-base",
    }
    with launched(tmp_path, **settings) as launch:
        assert launch.process.wait(START_S) == 1

    warning = "VOICEMESH_SST_MODEL is not a setting and is ignored: did you mean "
    assert launch.text().count(warning + "VOICEMESH_STT_MODEL?\n") == 1
    assert "models whisper-base, silero-vad, " in launch.text()


def test_services_with_tokens_let_the_bot_in(models_dir: Path, tmp_path: Path) -> None:
    settings = {
        f"VOICEMESH_{name.upper()}_SERVER__AUTH_TOKENS": f"token-of-{name}, another"
        for name in ("stt", "tts", "trainer")
    }
    with launched(tmp_path, VOICEMESH_MODELS_DIR=str(models_dir), **settings) as launch:
        wait_until_ready(launch)
        given = Path(f"/proc/{launch.children()['bot']}/environ").read_bytes().split(b"\0")
        for name in ("stt", "tts", "trainer"):
            assert f"VOICEMESH_BOT_{name.upper()}__TOKEN=token-of-{name}".encode() in given
        stt = [str(BIN / "voicemesh"), "transcribe", str(DATA / "jfk.flac")]
        environ = launch.environ | {
            "VOICEMESH_CLIENT_STT_TARGET": f"127.0.0.1:{launch.ports['stt']}",
            "VOICEMESH_CLIENT_TOKEN": "token-of-stt",
        }
        heard = subprocess.run(stt, env=environ, capture_output=True, text=True, timeout=60)
        assert "ask not what your country can do for you" in heard.stdout.lower()
        launch.process.send_signal(signal.SIGTERM)
        assert launch.process.wait(STOP_S) == 0


def test_a_bad_setting_shows_the_last_words_of_the_service(
    models_dir: Path, tmp_path: Path
) -> None:
    settings = {"VOICEMESH_TTS_LOG__LEVEL": "loud", "VOICEMESH_MODELS_DIR": str(models_dir)}
    with launched(tmp_path, **settings) as launch:
        assert launch.process.wait(START_S) == 1
        text = launch.text()

    assert "tts      ended with status 78 before everything was ready" in text
    assert "tts | VOICEMESH_TTS_LOG__LEVEL" in text
    assert "Traceback" not in text


def test_the_demo_hears_answers_and_is_understood(models_dir: Path, tmp_path: Path) -> None:
    environ = {**os.environ, "VOICEMESH_MODELS_DIR": str(models_dir), "COLUMNS": "120"}
    environ["XDG_STATE_HOME"] = str(tmp_path / "state")
    demo = subprocess.run(
        [BIN / "voicemesh-demo"], cwd=tmp_path, env=environ, capture_output=True, text=True,
        timeout=350,
    )  # fmt: skip

    logs = "".join(log.read_text() for log in tmp_path.rglob("*.log"))
    assert demo.returncode == 0, demo.stdout + demo.stderr + logs
    assert "Ask not what your country can do for you" in demo.stdout
    assert demo.stdout.count("word error rate 0.") == 2
    assert re.search(r"hear the answer +\d+ ms", demo.stdout)
    assert (tmp_path / "demo.png").read_bytes().startswith(b"\x89PNG")
    with wave.open(str(tmp_path / "reply.wav")) as reply:
        assert reply.getnframes() > reply.getframerate() / 2
