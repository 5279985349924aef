"""An engine that raises or hangs, more callers than there is room for, and a drain."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc.aio
import numpy as np
import pytest
import pytest_asyncio

from voicemesh.tts.v1 import text_to_speech_service_pb2 as pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as pb_grpc
from voicemesh_chassis.channel import error_from_rpc
from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import Service
from voicemesh_chassis.settings import ServerSettings
from voicemesh_chassis.testing import RunningService, running
from voicemesh_tts.dictionaries import Dictionaries
from voicemesh_tts.domain import Utterance, Voice
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.ports import Piece
from voicemesh_tts.rpc.servicer import api
from voicemesh_tts.settings import TtsSettings
from voicemesh_tts.studio import Studio, StudioLimits
from voicemesh_tts.turns import TurnLimits

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

RATE = 16_000
STALL_S = 0.2


@dataclass
class MoodyEngine:
    """Half a second of noise for everything but "raise" and "hang"."""

    name: str = "moody"
    let_go: threading.Event = field(default_factory=threading.Event)

    def voices(self) -> Sequence[Voice]:
        return [Voice("moody:a", "A", ("en",), RATE)]

    def is_loaded(self, voice: str) -> bool:
        return True

    def load(self, voice: str) -> None:
        return None

    def unload(self, voice: str) -> None:
        return None

    def memory_bytes(self, voice: str) -> int:
        return 0

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        if "raise" in utterance.text:
            msg = f"secret words: {utterance.text}"
            raise RuntimeError(msg)
        if "hang" in utterance.text:
            self.let_go.wait(30)
        noise = np.random.default_rng(1).standard_normal(RATE // 2)
        yield Piece((0.1 * noise).astype(np.float32), last=True)

    def close(self) -> None:
        return None


@dataclass
class Bench:
    """The service with the moody engine."""

    running: RunningService
    engine: MoodyEngine
    stub: Any

    async def synthesize(self, text: str) -> pb.SynthesizeResponse:
        request = pb.SynthesizeRequest(text=text)
        answer: pb.SynthesizeResponse = await self.stub.Synthesize(request, timeout=20)
        return answer

    async def refused(self, text: str) -> ServiceError:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await self.synthesize(text)
        return error_from_rpc(raised.value)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench() -> AsyncIterator[Bench]:
    engine, registry = MoodyEngine(), new_registry()
    turns = TurnLimits(workers=2, max_waiting=8, turn_timeout_s=STALL_S, max_stalled=2)
    limits = StudioLimits(turns=turns, cache_bytes=0)
    studio = Studio([engine], "moody:a", limits, TtsMetrics(registry))
    service = Service(
        name="tts",
        apis=[api(studio, Dictionaries(None), None)],
        start=studio.open,
        stop=studio.aclose,
        registry=registry,
        drain=studio.drain,
    )
    settings = TtsSettings(server=ServerSettings(max_concurrent=100))
    async with running(service, settings) as service_:
        yield Bench(service_, engine, pb_grpc.TextToSpeechServiceStub(service_.channel()))
        engine.let_go.set()


async def test_an_engine_that_raises_fails_its_call_alone_and_says_nothing(bench: Bench) -> None:
    error = await bench.refused("Please raise something.")

    assert error.code == "INTERNAL"
    assert "secret" not in error.message
    assert (await bench.synthesize("Good morning.")).audio


async def test_an_engine_that_hangs_is_given_up_and_others_are_served(bench: Bench) -> None:
    for _ in range(2):
        error = await bench.refused("Please hang about.")
        assert (error.code, error.reason) == ("INTERNAL", "ENGINE_STALLED")

    answers = await asyncio.gather(*[bench.synthesize(f"Text {n}.") for n in range(4)])

    assert all(answer.audio for answer in answers)
    assert await bench.running.metric("voicemesh_tts_stalled_threads") == 2


async def test_when_every_thread_hangs_callers_are_sent_elsewhere_until_one_is_back(
    bench: Bench,
) -> None:
    for _ in range(4):
        error = await bench.refused("Please hang about.")
        if error.code == "UNAVAILABLE":
            break

    assert error.code == "UNAVAILABLE" or (await bench.refused("Good day.")).code == "UNAVAILABLE"
    bench.engine.let_go.set()

    async def none_hang() -> bool:
        return not await bench.running.metric("voicemesh_tts_stalled_threads")

    await bench.running.until(none_hang)
    assert (await bench.synthesize("Good morning.")).audio


async def test_two_hundred_callers_at_once_are_served_or_told_when_to_come_back(
    bench: Bench,
) -> None:
    answers = await asyncio.gather(
        *[
            bench.synthesize(f"Text number {n} is long enough to keep an engine busy. " * 4)
            for n in range(200)
        ],
        return_exceptions=True,
    )

    served = [answer for answer in answers if isinstance(answer, pb.SynthesizeResponse)]
    refused = [
        error_from_rpc(answer) for answer in answers if isinstance(answer, grpc.aio.AioRpcError)
    ]
    assert len(served) + len(refused) == 200
    assert len(served) >= 8
    assert {error.code for error in refused} == {"RESOURCE_EXHAUSTED"}
    assert all(error.retry_after_s for error in refused)
    await bench.running.check_well()
