"""The service as its users run it: a process of its own, reached over gRPC with the SDK."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from voicemesh_client import AudioEncoding, AudioFormat, Connection
from voicemesh_client.health import Health, check_health
from voicemesh_client.stt import SpeechToText

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.stt.corpus import Utterance

__all__ = ("PCM", "Ours", "free_ports", "serving")

PCM = AudioFormat(AudioEncoding.PCM_S16LE, 16_000, 1)
"""How the benchmark sends its audio."""
_START_S = 60.0


@dataclass(frozen=True)
class Ours:
    """The running service."""

    stt: SpeechToText
    """Its client."""
    http_url: str
    """Where its metrics are."""

    async def transcribe(self, utterance: Utterance) -> str:
        """What it hears, over gRPC."""
        return (await self.stt.transcribe(utterance.pcm, format=PCM)).text

    async def metric(self, name: str) -> float:
        """A figure of its metrics, added up over labels."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.http_url}/metrics") as page:
            found = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", await page.text(), re.MULTILINE)
        return sum(map(float, found))

    async def cpu_s(self) -> float:
        """Processor time it has used, in seconds."""
        return await self.metric("process_cpu_seconds_total")

    async def memory_mib(self) -> float:
        """Memory it holds."""
        return await self.metric("process_resident_memory_bytes") / 2**20


@asynccontextmanager
async def serving(**settings: str) -> AsyncIterator[Ours]:
    """The service with its defaults, and `settings` as `VOICEMESH_STT_…`, until the block ends."""
    port, metrics_port = free_ports()
    environment = {
        **os.environ,
        "VOICEMESH_STT_SERVER__PORT": str(port),
        "VOICEMESH_STT_SERVER__METRICS_PORT": str(metrics_port),
        "VOICEMESH_STT_LOG__LEVEL": "warning",
        **{f"VOICEMESH_STT_{name.upper()}": value for name, value in settings.items()},
    }
    command = Path(sys.executable).parent / "voicemesh-stt"
    process = await asyncio.create_subprocess_exec(str(command), env=environment)
    try:
        connection = Connection(f"127.0.0.1:{port}", timeout_s=120)
        async with asyncio.timeout(_START_S):
            while await check_health(connection) is not Health.SERVING:
                await asyncio.sleep(0.1)
        async with SpeechToText(connection) as stt:
            yield Ours(stt, f"http://127.0.0.1:{metrics_port}")
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 60)


def free_ports() -> tuple[int, int]:
    """Two ports of this machine that nobody listens on."""
    with socket.socket() as first, socket.socket() as second:
        first.bind(("127.0.0.1", 0))
        second.bind(("127.0.0.1", 0))
        return first.getsockname()[1], second.getsockname()[1]
