"""Clients that go away, and services with too much to do, leave nothing behind."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc
from voicemesh_chassis.channel import error_from_rpc
from voicemesh_chassis.errors import DeadlineExceededError, OverloadedError
from voicemesh_chassis.testing import RunningService, running
from voicemesh_tts.__main__ import build
from voicemesh_tts.settings import QueueSettings, StreamSettings, TtsSettings

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

CONFIG = pb.StreamSynthesizeRequest(config=pb.SynthesisConfig())
LONG = pb.StreamSynthesizeRequest(text="This sentence is one of very many of them. " * 100)


def stream_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if "tts-stream" in task.get_name()}


async def gone() -> None:
    async with asyncio.timeout(10):
        while stream_tasks():
            await asyncio.sleep(0.01)


async def read_to_the_end(call: Any) -> None:
    while await call.read() is not grpc.aio.EOF:
        pass


@pytest.mark.parametrize("reads", [0, 1, 2, 5])
async def test_a_client_that_vanishes_leaves_no_task(tts: RunningService, reads: int) -> None:
    channel = grpc.aio.insecure_channel(tts.target)
    call = pb_grpc.TextToSpeechServiceStub(channel).StreamSynthesize()
    await call.write(CONFIG)
    await call.write(LONG)
    for _ in range(reads):
        await call.read()

    await channel.close()

    await gone()


async def test_a_client_that_stops_reading_and_is_cancelled_leaves_no_task(stub: Any) -> None:
    call = stub.StreamSynthesize()
    await call.write(CONFIG)
    await call.write(LONG)
    await call.read()
    assert stream_tasks()

    call.cancel()

    await gone()


async def test_a_passed_deadline_ends_the_work(stub: Any) -> None:
    # Not what another test has had spoken: that would be there at once.
    text = " ".join(f"This is sentence number {number} of very many." for number in range(90))

    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.Synthesize(pb.SynthesizeRequest(text=text), timeout=0.3)

    assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    answer = await stub.Synthesize(pb.SynthesizeRequest(text="And on we go."), timeout=10)
    assert answer.audio


async def test_more_texts_than_can_wait_are_told_when_to_come_back(models_dir: Path) -> None:
    settings = TtsSettings(queue=QueueSettings(workers=1, max_waiting=1))
    async with running(build(settings), settings) as service:
        stub = pb_grpc.TextToSpeechServiceStub(service.channel())
        request = pb.SynthesizeRequest(text="This sentence is one of very many of them. " * 5)
        answers = await asyncio.gather(
            *[stub.Synthesize(request, timeout=30) for _ in range(8)], return_exceptions=True
        )

    refused = [
        error_from_rpc(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)
    ]
    assert 0 < len(refused) < 8
    for error in refused:
        assert isinstance(error, OverloadedError)
        assert error.retry_after_s
    assert sum(isinstance(answer, pb.SynthesizeResponse) for answer in answers) >= 2


async def test_a_silent_client_is_sent_away(models_dir: Path) -> None:
    settings = TtsSettings(stream=StreamSettings(idle_timeout_s=0.2))
    async with running(build(settings), settings) as service:
        stub = pb_grpc.TextToSpeechServiceStub(service.channel())
        for first in ([], [CONFIG]):
            call = stub.StreamSynthesize(timeout=10)
            for message in first:
                await call.write(message)
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await read_to_the_end(call)
            error = error_from_rpc(raised.value)
            assert isinstance(error, DeadlineExceededError)
            assert error.reason == "STREAM_IDLE"
