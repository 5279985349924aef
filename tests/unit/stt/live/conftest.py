"""A live stream with scripted voices: `v` is a voiced frame of 32 ms, `.` a silent one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pytest

from voicemesh_chassis.errors import ServiceError
from voicemesh_stt.domain import (
    AudioFormat,
    Encoding,
    Language,
    LiveItem,
    Lost,
    Packet,
    RecognitionOptions,
    Segment,
    Silence,
    SpeechModel,
    TurnDetection,
)
from voicemesh_stt.errors import QueueFullError
from voicemesh_stt.events import EndReason, TurnEvent
from voicemesh_stt.live.stream import LiveConfig, LiveLimits, LiveStream, LiveStreams
from voicemesh_stt.ports import EndOfTurnModel, Job, Recognition, Samples

MODEL = SpeechModel("fake", ("en",), "none", "none")

Sent: TypeAlias = LiveItem | float | Callable[[], None]
"""What a caller sends; a number is a wait in seconds, a function is called when all before it has
been taken in."""


class ScriptDecoder:
    """Makes a frame of each byte."""

    def decode(self, item: bytes | Packet | Lost | Silence) -> Samples:
        if isinstance(item, Silence | Lost):
            return np.zeros(item.samples // 3, dtype=np.float32)
        script = item if isinstance(item, bytes) else item.data
        return np.repeat(np.array([c == ord("v") for c in script], dtype=np.float32), 512)

    def flush(self) -> Samples:
        return np.zeros(0, dtype=np.float32)


class ScriptDetector:
    """Hears a voice wherever a frame is not silent."""

    def probabilities(self, audio: Samples) -> list[float]:
        return [float(p) for p in audio.reshape(-1, 512).max(axis=1)]


@dataclass
class ScriptTranscriber:
    """Says the same words each time, numbered; can be made to wait, or to refuse."""

    say: Callable[[Job, int], str] = lambda _job, number: f"words number {number}."
    jobs: list[Job] = field(default_factory=list)
    refuse: int = 0
    refusal: ServiceError = field(default_factory=lambda: QueueFullError("full", retry_after_s=1.0))
    gate: asyncio.Event | None = None

    async def transcribe(self, job: Job) -> Recognition:
        if self.refuse > 0:
            self.refuse -= 1
            raise self.refusal
        self.jobs.append(job)
        text = self.say(job, len(self.jobs))
        if self.gate is not None:
            await self.gate.wait()
        segments = (Segment(0.0, job.audio_s, f" {text}", 0.9),) if text else ()
        return Recognition(segments, Language("en", 1.0), 0.01, 0.1)


class Observer:
    """Counts."""

    def __init__(self) -> None:
        self.open = 0
        self.audio_s = 0.0
        self.reasons: list[EndReason] = []

    def stream_opened(self) -> None:
        self.open += 1

    def stream_closed(self) -> None:
        self.open -= 1

    def audio_heard(self, audio_s: float) -> None:
        self.audio_s += audio_s

    def turn_over(self, reason: EndReason, latency_s: float) -> None:
        assert latency_s >= 0
        self.reasons.append(reason)


@dataclass
class Bench:
    """A stream, the fakes around it, and the events that came of it."""

    transcriber: ScriptTranscriber
    observer: Observer
    stream: LiveStream
    heard: list[TurnEvent] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """What kind of event each was."""
        return [type(event).__name__ for event in self.heard]

    def listen(self, *items: Sent) -> AsyncIterator[TurnEvent]:
        """The events of a stream of these items, as they come."""
        return self.stream.events(sent(*items))

    async def events(self, *items: Sent) -> list[TurnEvent]:
        """All events of a stream of these items; where it fails, `heard` has those before."""
        async for event in self.listen(*items):
            self.heard.append(event)
        return self.heard


MakeBench: TypeAlias = Callable[..., Bench]


async def sent(*items: Sent) -> AsyncIterator[LiveItem]:
    for item in items:
        if isinstance(item, float):
            await asyncio.sleep(item)
        elif callable(item):
            item()
        else:
            yield item


def made(
    *,
    partials: bool = False,
    encoding: Encoding = Encoding.PCM_S16LE,
    idle_timeout_s: float = 5.0,
    max_turn_s: float = 30.0,
    end_of_turn: EndOfTurnModel | None = None,
    draining: asyncio.Event | None = None,
    **script: Any,
) -> Bench:
    transcriber = ScriptTranscriber(**script)
    observer = Observer()
    streams = LiveStreams(
        transcriber=transcriber,
        new_decoder=lambda _format: ScriptDecoder(),
        new_detector=ScriptDetector,
        threads=ThreadPoolExecutor(1),
        observer=observer,
        limits=LiveLimits(idle_timeout_s, job_timeout_s=5.0, drain_turn_s=0.3),
        end_of_turn=lambda: end_of_turn,
        draining=draining or asyncio.Event(),
    )
    config = LiveConfig(
        AudioFormat(encoding, 16_000),
        RecognitionOptions(),
        TurnDetection(max_turn_s=max_turn_s),
        partials,
    )
    return Bench(transcriber, observer, streams.open(config, MODEL))


@pytest.fixture(scope="session")
def bench() -> MakeBench:
    """Makes a stream and the fakes around it; what `made` does not know is for its transcriber."""
    return made
