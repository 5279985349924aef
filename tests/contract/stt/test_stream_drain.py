"""SIGTERM while streams and uploads are open: each gets its words or is told; none hangs."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh.stt.v1 import speech_to_text_service_pb2_grpc as pb_grpc
from voicemesh_chassis.channel import error_from_rpc
from voicemesh_chassis.errors import UnavailableError
from voicemesh_client.call_status import CallStatus

pytestmark = pytest.mark.contract

COMMAND = Path(sys.executable).with_name("voicemesh-stt")
NAME = "librivox-0920.wav"
PIECE = 3_200


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def service(models_dir: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The installed command, on free ports, and where it listens."""
    port = free_port()
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith("VOICEMESH_")},
        "VOICEMESH_MODELS_DIR": str(models_dir),
        "VOICEMESH_STT_SERVER__PORT": str(port),
        "VOICEMESH_STT_SERVER__METRICS_PORT": "0",
        "VOICEMESH_STT_DRAIN_TURN_S": "3",
    }
    process = subprocess.Popen([str(COMMAND)], env=environ, stderr=subprocess.PIPE)
    try:
        yield process, f"127.0.0.1:{port}"
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@dataclass
class Caller:
    """One caller and what it was told."""

    audio: bytes
    """Sent before the signal."""
    rest: bytes = b""
    """Sent after it."""
    configured: bool = True
    events: list[str | None] = field(default_factory=list)
    error: BaseException | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when what it waits for before the signal has come."""
    waits_for: str | None = None

    async def call(self, stub: Any, told: asyncio.Event) -> None:
        """Speaks until there is no more, never closes its side, and listens to the end."""

        async def sending() -> AsyncIterator[pb.StreamTranscribeRequest]:
            if self.configured:
                config = pb.StreamTranscribeConfig()
                config.format.encoding = audio_pb2.AUDIO_ENCODING_PCM_S16LE
                config.format.sample_rate_hertz = 16_000
                yield pb.StreamTranscribeRequest(config=config)
                for start in range(0, len(self.audio), PIECE):
                    yield pb.StreamTranscribeRequest(audio=self.audio[start : start + PIECE])
            if self.waits_for is None:
                self.settled.set()
            await told.wait()
            for start in range(0, len(self.rest), PIECE):
                yield pb.StreamTranscribeRequest(audio=self.rest[start : start + PIECE])
                await asyncio.sleep(0.02)
            await asyncio.Event().wait()

        call = stub.StreamTranscribe(sending())
        status = CallStatus(call)  # a piece may be on its way when the service ends the stream
        try:
            async for event in call:
                self.events.append(event.WhichOneof("event"))
                if self.events[-1] == self.waits_for:
                    self.settled.set()
        except grpc.aio.AioRpcError as error:
            told_by_service = await status.of(error)
            self.error = told_by_service and error_from_rpc(told_by_service)


def callers(speech: Any) -> list[Caller]:
    """Twenty: some say nothing, some are in the middle of a turn, some between two."""

    def pcm(audio: Any) -> bytes:
        return bytes((np.clip(audio, -1, 1) * 32_767).astype("<i2").tobytes())

    silence = np.zeros(16_000 * 2, dtype=np.float32)
    half = len(speech) // 2
    return [
        *(Caller(b"", configured=False) for _ in range(3)),
        *(Caller(pcm(silence)) for _ in range(4)),
        *(
            Caller(
                pcm(speech[:half]),
                pcm(np.concatenate([speech[half:], silence])),
                waits_for="speech_started",
            )
            for _ in range(7)
        ),
        *(Caller(pcm(speech), waits_for="speech_started") for _ in range(2)),  # then falls silent
        *(Caller(pcm(np.concatenate([speech, silence])), waits_for="final") for _ in range(4)),
    ]


async def serving(stub: Any) -> None:
    """Returns once the service has loaded its models."""
    while True:
        try:
            await stub.ListModels(pb.ListModelsRequest(), wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            if error.code() is not grpc.StatusCode.UNAVAILABLE:
                raise
            await asyncio.sleep(0.05)
        else:
            return


async def test_every_open_stream_gets_its_final_or_is_told_to_go_elsewhere(
    service: tuple[subprocess.Popen[bytes], str], voice: Callable[[str], Any]
) -> None:
    process, target = service
    told = asyncio.Event()
    everyone = callers(voice(NAME))
    assert len(everyone) == 20
    async with grpc.aio.insecure_channel(target) as channel, asyncio.timeout(60):
        stub = pb_grpc.SpeechToTextServiceStub(channel)
        await serving(stub)
        calls = [asyncio.create_task(caller.call(stub, told)) for caller in everyone]
        await asyncio.gather(*(caller.settled.wait() for caller in everyone))

        process.send_signal(signal.SIGTERM)
        await asyncio.sleep(0.2)
        told.set()
        await asyncio.gather(*calls)
        _, errors = await asyncio.to_thread(process.communicate, timeout=20)

    assert process.returncode == 0
    assert b"Traceback" not in errors
    for caller in everyone:
        assert isinstance(caller.error, UnavailableError)
        assert caller.error.reason == "DRAINING"
        assert caller.error.retryable
        assert caller.events.count("speech_started") == caller.events.count("final")
        assert caller.events.count("final") == (0 if caller.waits_for is None else 1)
        assert caller.events[-1:] in ([], ["final"])


async def test_an_upload_that_does_not_end_is_told_to_be_resumed_elsewhere(
    service: tuple[subprocess.Popen[bytes], str], voice: Callable[[str], Any]
) -> None:
    process, target = service

    async def uploading() -> AsyncIterator[pb.TranscribeFileRequest]:
        config = pb.TranscribeFileConfig()
        config.format.encoding = audio_pb2.AUDIO_ENCODING_PCM_S16LE
        config.format.sample_rate_hertz = 16_000
        yield pb.TranscribeFileRequest(config=config)
        audio = (np.tile(voice(NAME), 10) * 32_767).astype("<i2").tobytes()
        for start in range(0, len(audio), 1 << 20):
            yield pb.TranscribeFileRequest(audio=audio[start : start + (1 << 20)])
        await asyncio.Event().wait()

    async with grpc.aio.insecure_channel(target) as channel, asyncio.timeout(60):
        stub = pb_grpc.SpeechToTextServiceStub(channel)
        await serving(stub)
        told: list[str | None] = []

        async def listening() -> None:
            async for event in stub.TranscribeFile(uploading()):
                told.append(event.WhichOneof("event"))
                if told[-1] == "segment" and told.count("segment") == 1:
                    process.send_signal(signal.SIGTERM)

        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await listening()
        _, errors = await asyncio.to_thread(process.communicate, timeout=20)

    error = error_from_rpc(caught.value)
    assert isinstance(error, UnavailableError)
    assert error.reason == "DRAINING"
    assert error.retryable
    assert "summary" not in told
    assert process.returncode == 0
    assert b"Traceback" not in errors
