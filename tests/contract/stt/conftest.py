"""The running service, speech in the forms that callers send it, and what errors look like."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import jiwer
import numpy as np
import numpy.typing as npt
import pytest
import pytest_asyncio
from faster_whisper.audio import decode_audio
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh.stt.v1 import speech_to_text_service_pb2_grpc as pb_grpc
from voicemesh_chassis.testing import RunningService, running
from voicemesh_stt.__main__ import build
from voicemesh_stt.settings import SttSettings

Audio = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Problem:
    """What a caller gets instead of an answer."""

    code: grpc.StatusCode
    message: str
    reason: str
    fields: tuple[str, ...]


@dataclass
class Stt:
    """The service as a caller sees it."""

    running: RunningService
    stub: pb_grpc.SpeechToTextServiceAsyncStub = field(init=False)

    def __post_init__(self) -> None:
        self.stub = pb_grpc.SpeechToTextServiceStub(self.running.channel(max_message_bytes=1 << 28))

    async def listen(
        self, requests: Iterable[pb.StreamTranscribeRequest], *, gap_s: float = 0.0
    ) -> list[pb.StreamTranscribeResponse]:
        """All events of a stream of these messages, sent so many seconds apart."""

        async def sending() -> AsyncIterator[pb.StreamTranscribeRequest]:
            for request in requests:
                yield request
                if gap_s:
                    await asyncio.sleep(gap_s)

        return [event async for event in self.stub.StreamTranscribe(sending())]

    async def problem(self, call: object) -> Problem:
        """What is wrong with a call that must fail; checks what holds for every failure."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call  # type: ignore[misc]
        status = rpc_status.from_call(caught.value)
        message = caught.value.details() or ""
        assert "Traceback" not in message
        assert 'File "' not in message
        if status is None:  # refused by gRPC itself
            return Problem(caught.value.code(), message, "", ())
        reasons, fields = [], []
        for detail in status.details:
            info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                assert info.domain == "stt.voicemesh"
                reasons.append(info.reason)
                fields += [info.metadata["field"]] if "field" in info.metadata else []
            elif detail.Unpack(bad):
                fields += [violation.field for violation in bad.field_violations]
        assert len(reasons) == 1
        return Problem(caught.value.code(), message, reasons[0], tuple(dict.fromkeys(fields)))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stt(models_dir: Path) -> AsyncIterator[Stt]:
    """The service with its real engine, one for each test module."""
    settings = SttSettings(models_dir=models_dir, stream_idle_timeout_s=2.0)
    async with running(build(settings), settings) as service:
        yield Stt(service)


@pytest.fixture(scope="session")
def stt_at() -> Callable[[RunningService], Stt]:
    """Makes a caller of a service that a test runs itself."""
    return Stt


@pytest.fixture(scope="session")
def voice(speech: Path) -> Callable[[str], Audio]:
    """A recording as float32 [samples] at 16 kHz, by file name."""

    def load(name: str) -> Audio:
        audio: Audio = decode_audio(str(speech / name), sampling_rate=16_000)
        return audio

    return load


def _plain(text: str) -> str:
    words = text.lower().replace("mr.", "mister").replace("-", " ")
    return " ".join(re.sub(r"[^\w\s']", " ", words).split())


@pytest.fixture(scope="session")
def wer(transcripts: dict[str, str]) -> Callable[[str, str], float]:
    """The word error rate of a text against what is said in a recording."""

    def rate(name: str, text: str) -> float:
        return float(jiwer.wer(_plain(transcripts[name]), _plain(text)))

    return rate


def s16(audio: Audio) -> bytes:
    """Samples as 16-bit PCM."""
    return (np.clip(audio, -1, 1) * 32767).astype("<i2").tobytes()


@pytest.fixture(scope="session")
def pcm() -> Callable[[Audio], bytes]:
    """Turns samples into 16-bit PCM."""
    return s16


def live(
    audio: bytes,
    *,
    encoding: audio_pb2.AudioEncoding.ValueType = audio_pb2.AUDIO_ENCODING_PCM_S16LE,
    rate: int = 16_000,
    channels: int = 1,
    piece: int = 3_200,
    config: pb.StreamTranscribeConfig | None = None,
) -> Iterable[pb.StreamTranscribeRequest]:
    """The messages of a stream: config, then audio in pieces."""
    message = pb.StreamTranscribeConfig()
    if config is not None:
        message.CopyFrom(config)
    message.format.encoding = encoding
    message.format.sample_rate_hertz = rate
    message.format.channel_count = channels
    yield pb.StreamTranscribeRequest(config=message)
    for start in range(0, len(audio), piece):
        yield pb.StreamTranscribeRequest(audio=audio[start : start + piece])


@pytest.fixture(scope="session")
def stream() -> Callable[..., Iterable[pb.StreamTranscribeRequest]]:
    """Makes the messages of a stream."""
    return live
