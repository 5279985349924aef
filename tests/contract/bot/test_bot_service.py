"""The bot as a service: health, metrics, and a start without anybody to talk to."""

from __future__ import annotations

import socket

import aiohttp
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from voicemesh_bot.bot import build
from voicemesh_bot.settings import BackendSettings, BotSettings, ConsoleSettings
from voicemesh_chassis.service import StartupError
from voicemesh_chassis.testing import running

pytestmark = [pytest.mark.contract, pytest.mark.timeout(30)]


def _settings(port: int = 0) -> BotSettings:
    nobody = BackendSettings(target="127.0.0.1:1")
    return BotSettings(console=ConsoleSettings(port=port), stt=nobody, tts=nobody, trainer=nobody)


@pytest.fixture(autouse=True)
def without_discord(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)


async def test_the_bot_is_healthy_though_no_service_is_there() -> None:
    settings = _settings()
    async with running(build(settings), settings) as bot:
        health = health_pb2_grpc.HealthStub(bot.channel())
        answer = await health.Check(health_pb2.HealthCheckRequest())

        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_metrics_have_the_bots_prefix() -> None:
    settings = _settings()
    async with (
        running(build(settings), settings) as bot,
        aiohttp.ClientSession() as client,
        client.get(f"{bot.http_url}/metrics") as answer,
    ):
        text = await answer.text()

    for name in ("turns_total", "stage_seconds", "sessions", "problems_total"):
        assert f"# TYPE voicemesh_bot_{name}" in text


async def test_a_taken_console_port_ends_the_start_and_frees_the_others() -> None:

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = _settings(port)
        with pytest.raises(StartupError, match=f"port {port} on 127.0.0.1 is taken"):
            async with running(build(settings), settings):
                pass
