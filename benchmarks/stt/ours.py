"""The service as its users run it, reached with the SDK."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.services import Served, serving
from voicemesh_client import AudioEncoding, AudioFormat
from voicemesh_client.stt import SpeechToText

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from benchmarks.stt.corpus import Utterance

__all__ = ("PCM", "Ours", "ours_serving")

PCM = AudioFormat(AudioEncoding.PCM_S16LE, 16_000, 1)
"""How the benchmark sends its audio."""


@dataclass(frozen=True)
class Ours:
    """The running service."""

    stt: SpeechToText
    """Its client."""
    service: Served
    """Its process."""

    async def transcribe(self, utterance: Utterance) -> str:
        """What it hears, over gRPC."""
        return (await self.stt.transcribe(utterance.pcm, format=PCM)).text


@asynccontextmanager
async def ours_serving(**settings: str) -> AsyncIterator[Ours]:
    """The service with its defaults, and `settings` as `VOICEMESH_STT_…`, until the block ends."""
    async with serving("stt", **settings) as service, SpeechToText(service.connection) as stt:
        yield Ours(stt, service)
