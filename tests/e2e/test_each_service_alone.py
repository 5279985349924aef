"""Each service, started alone by its own installed command, is healthy and exports metrics."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import create_server

import pytest

from voicemesh_client import (
    Health,
    Role,
    SpeechToText,
    TextToSpeech,
    Trainer,
    Turn,
    check_health,
)

pytestmark = pytest.mark.e2e

START_S = 60
STOP_S = 30
APIS = {
    "stt": "voicemesh.stt.v1.SpeechToTextService",
    "tts": "voicemesh.tts.v1.TextToSpeechService",
    "trainer": "voicemesh.trainer.v1.TrainerService",
    "bot": "",
}


async def hear(target: str) -> None:
    async with SpeechToText(target) as stt:
        await stt.models()


async def speak(target: str) -> None:
    async with TextToSpeech(target) as tts:
        await tts.synthesize("Good evening.")


async def answer(target: str) -> None:
    async with Trainer(target) as trainer:
        async for _ in trainer.generate([Turn(Role.USER, "Hello!")], tenant="t"):
            pass


async def nothing(target: str) -> None:
    """The bot serves people, and health."""


USES: dict[str, Callable[[str], Coroutine[None, None, None]]] = {
    "stt": hear,
    "tts": speak,
    "trainer": answer,
    "bot": nothing,
}


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def page(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as response:
        text: str = response.read().decode()
        return text


@contextmanager
def alone(service: str) -> Iterator[tuple[subprocess.Popen[bytes], int, int]]:
    """The service by its installed command, ready, with its two ports."""
    port, metrics_port = free_port(), free_port()
    prefix = f"VOICEMESH_{service.upper()}_"
    settings = {
        f"{prefix}SERVER__PORT": str(port),
        f"{prefix}SERVER__METRICS_PORT": str(metrics_port),
        "VOICEMESH_BOT_CONSOLE__PORT": "0",
        "VOICEMESH_TRAINER_BACKEND": "local",
    }
    environ = {key: value for key, value in os.environ.items() if key != "DISCORD_TOKEN"}
    command = Path(sys.executable).parent / f"voicemesh-{service}"
    process = subprocess.Popen([command], env=environ | settings)
    try:
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            assert process.poll() is None, f"{service} ended with {process.returncode}"
            try:
                page(metrics_port, "/readyz")
                break
            except urllib.error.URLError:
                time.sleep(0.1)
        yield process, port, metrics_port
    finally:
        process.kill()
        process.wait(STOP_S)


@pytest.mark.parametrize("service", APIS)
def test_a_service_alone_is_healthy_exports_metrics_and_stops(
    service: str, models_dir: Path
) -> None:
    promtool = shutil.which("promtool")
    assert promtool or not os.environ.get("VOICEMESH_REQUIRE_TOOLS"), "promtool is not installed"

    with alone(service) as (process, port, metrics_port):
        target = f"127.0.0.1:{port}"
        for name in ("", APIS[service]):
            assert asyncio.run(check_health(target, service=name)) is Health.SERVING
        asyncio.run(USES[service](target))
        metrics = page(metrics_port, "/metrics")
        process.send_signal(signal.SIGTERM)
        status = process.wait(STOP_S)

    assert f'voicemesh_build_info{{service="{service}"' in metrics
    assert "grpc_server_handled_total" in metrics
    if promtool:
        checked = subprocess.run(
            [promtool, "check", "metrics"], input=metrics, capture_output=True, text=True
        )
        assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    assert status == 0
