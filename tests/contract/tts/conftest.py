"""The tts service with the real Piper voice, over real gRPC."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jiwer
import numpy as np
import pytest
import pytest_asyncio
import soxr
from faster_whisper import WhisperModel
from numpy.typing import NDArray

from voicemesh.common.v1 import audio_pb2
from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc
from voicemesh_chassis.testing import RunningService, running
from voicemesh_tts.__main__ import build
from voicemesh_tts.settings import TtsSettings

Hear = Callable[[NDArray[np.float32], int], str]


@pytest.fixture(scope="session")
def hear(models_dir: Path) -> Hear:
    """What a speech recogniser understands: samples and their rate → text."""
    model = WhisperModel(str(models_dir / "whisper-tiny.en"), device="cpu", compute_type="int8")

    def transcribe(samples: NDArray[np.float32], rate: int) -> str:
        at_16k = soxr.resample(samples, rate, 16_000).astype(np.float32)
        segments, _ = model.transcribe(
            at_16k, language="en", beam_size=5, condition_on_previous_text=False
        )
        return " ".join(segment.text for segment in segments)

    return transcribe


@pytest.fixture(scope="session")
def word_error_rate() -> Callable[[str, str], float]:
    """Share of words wrong, without regard to case and marks."""

    def plain(text: str) -> str:
        return " ".join(re.sub(r"[^\w\s']", " ", text.lower()).split())

    return lambda said, heard: float(jiwer.wer(plain(said), plain(heard)))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tts(models_dir: Path) -> AsyncIterator[RunningService]:
    """The service, with every setting as it is by default."""
    settings = TtsSettings()
    async with running(build(settings), settings) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stub(tts: RunningService) -> pb_grpc.TextToSpeechServiceAsyncStub:
    """A client of the service."""
    return pb_grpc.TextToSpeechServiceStub(tts.channel(max_message_bytes=64 * 1024 * 1024))


@dataclass
class Talk:
    """What came of a stream."""

    events: list[pb.StreamSynthesizeResponse] = field(default_factory=list)

    @property
    def kinds(self) -> list[str]:
        return [str(event.WhichOneof("event")) for event in self.events]

    @property
    def audio(self) -> list[pb.SynthesizedAudio]:
        return [event.audio for event in self.events if event.HasField("audio")]

    @property
    def data(self) -> bytes:
        return b"".join(event.audio for event in self.audio)

    @property
    def packets(self) -> list[audio_pb2.OpusPacket]:
        return [packet for event in self.audio for packet in event.packets]

    @property
    def finished(self) -> pb.SynthesisFinished:
        return self.events[-1].finished


@pytest.fixture
def say(stub: pb_grpc.TextToSpeechServiceAsyncStub) -> Callable[..., Awaitable[Talk]]:
    """Sends messages on one stream, half-closes, and gives what comes back."""

    async def stream(
        config: pb.SynthesisConfig, *messages: str | pb.StreamSynthesizeRequest
    ) -> Talk:
        async def requests() -> AsyncIterator[pb.StreamSynthesizeRequest]:
            yield pb.StreamSynthesizeRequest(config=config)
            for message in messages:
                yield (
                    pb.StreamSynthesizeRequest(text=message)
                    if isinstance(message, str)
                    else message
                )

        return Talk([event async for event in stub.StreamSynthesize(requests(), timeout=60)])

    return stream


@pytest.fixture(scope="session")
def largest_step() -> Callable[[NDArray[np.float32], Sequence[int]], float]:
    """The largest jump from one sample to the next within 5 ms of some places."""

    def measure(samples: NDArray[np.float32], places: Sequence[int]) -> float:
        steps = np.abs(np.diff(samples))
        return max(float(steps[max(0, place - 110) : place + 110].max()) for place in places)

    return measure
