"""An engine that raises or hangs: one call fails with a clear status, and the service goes on."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import numpy as np
import pytest

from voicemesh.tts.v1 import text_to_speech_service_pb2 as tts_pb
from voicemesh_chassis.service import StartupError
from voicemesh_tts.domain import Utterance, Voice
from voicemesh_tts.ports import Piece
from voicemesh_tts.studio import StudioLimits
from voicemesh_tts.turns import TurnLimits

if TYPE_CHECKING:
    from tests.integration.conftest import Called

Serve = Callable[..., AbstractAsyncContextManager["Called"]]

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="function"),
    pytest.mark.timeout(60),
]

TURN_S = 0.5
LIMITS = StudioLimits(
    cache_bytes=0, turns=TurnLimits(workers=1, turn_timeout_s=TURN_S, max_stalled=2)
)
SECRET = "/secret/path of the engine"


@dataclass
class Moody:
    """Makes a tone of every word but two: at `raise` it raises, at `hang` it waits for `gate`."""

    name: str = "moody"
    gate: threading.Event = field(default_factory=threading.Event)

    def voices(self) -> Sequence[Voice]:
        return [Voice("moody:a", "A", ("en-US",), 16_000), Voice("moody:b", "B", ("en",), 16_000)]

    def is_loaded(self, voice: str) -> bool:
        return voice == "moody:a"

    def load(self, voice: str) -> None:
        if voice != "moody:a":
            raise StartupError(SECRET)

    def unload(self, voice: str) -> None:
        """Keeps it."""

    def memory_bytes(self, voice: str) -> int:
        return 1_000

    def speak(self, utterance: Utterance) -> Iterator[Piece]:
        for number, word in enumerate(utterance.words, start=1):
            if word.text.startswith("raise"):
                raise ValueError(SECRET)
            if word.text.startswith("hang"):
                self.gate.wait(30)
            tone = 0.3 * np.sin(np.arange(8_000, dtype=np.float32) / 6)
            yield Piece(tone.astype(np.float32), last=number == len(utterance.words))

    def close(self) -> None:
        self.gate.set()


def whole(text: str, voice: str = "") -> tts_pb.SynthesizeRequest:
    return tts_pb.SynthesizeRequest(text=text, config=tts_pb.SynthesisConfig(voice=voice))


def streamed(text: str) -> Any:
    request = tts_pb.StreamSynthesizeRequest
    return iter([request(config=tts_pb.SynthesisConfig()), request(text=text)])


async def check_serves(tts: Called) -> None:
    assert (await tts.stub.Synthesize(whole("All is well."), timeout=10)).audio
    await tts.running.check_well()


async def test_an_engine_that_raises_fails_one_call_and_is_not_quoted(serve_engine: Serve) -> None:
    async with serve_engine(Moody(), LIMITS) as tts:
        first, later = await asyncio.gather(
            tts.refusal(tts.stub.Synthesize(whole("Please raise now."), timeout=10)),
            tts.refusal(tts.stub.StreamSynthesize(streamed("Please raise now."), timeout=10)),
        )

        assert {first.code, later.code} == {"INTERNAL"}
        assert SECRET not in first.message + later.message
        await check_serves(tts)


async def test_what_was_spoken_before_the_engine_raised_is_heard(serve_engine: Serve) -> None:
    async with serve_engine(Moody(), LIMITS) as tts:
        text = "This is the first sentence of two. And now it will raise."
        call = tts.stub.StreamSynthesize(timeout=10)
        for message in streamed(text):
            await call.write(message)
        await call.done_writing()
        heard: list[bytes] = []

        async def listen() -> None:
            while (event := await call.read()) is not grpc.aio.EOF:
                heard.append(event.audio.audio)

        error = await tts.refusal(listen())

        assert error.code == "INTERNAL"
        assert sum(map(len, heard)) >= 8_000 * 2
        await check_serves(tts)


async def test_a_voice_that_cannot_be_loaded_is_said_to_be_unusable(serve_engine: Serve) -> None:
    async with serve_engine(Moody(), LIMITS) as tts:
        error = await tts.refusal(tts.stub.Synthesize(whole("Hello.", "moody:b"), timeout=10))

        assert (error.code, error.reason) == ("FAILED_PRECONDITION", "VOICE_UNUSABLE")
        assert SECRET not in error.message
        await check_serves(tts)


async def test_an_engine_that_hangs_fails_the_call_in_time_and_is_replaced(
    serve_engine: Serve,
) -> None:
    async with serve_engine(Moody(), LIMITS) as tts:
        begin = time.monotonic()
        hanging = asyncio.create_task(
            tts.refusal(tts.stub.Synthesize(whole("Please hang now."), timeout=10))
        )
        waiting = asyncio.create_task(check_serves(tts))

        error = await hanging
        await waiting

        assert (error.code, error.reason) == ("INTERNAL", "ENGINE_STALLED")
        assert TURN_S <= time.monotonic() - begin < 10 * TURN_S


async def test_an_engine_that_always_hangs_is_unavailable_until_it_comes_back(
    serve_engine: Serve,
) -> None:
    engine = Moody()
    async with serve_engine(engine, LIMITS) as tts:
        stub = tts.stub
        stalled = [
            await tts.refusal(stub.Synthesize(whole("Please hang now."), timeout=10))
            for _ in range(3)  # one thread, replaced twice
        ]
        begin = time.monotonic()
        turned_away = await tts.refusal(stub.Synthesize(whole("Hello."), timeout=10))
        refused_s = time.monotonic() - begin

        engine.gate.set()
        await tts.running.until(lambda: _speaks(stub))

        assert {error.reason for error in stalled} == {"ENGINE_STALLED"}
        assert turned_away.code == "UNAVAILABLE"
        assert refused_s < TURN_S
        await check_serves(tts)


async def _speaks(stub: Any) -> bool:
    try:
        return bool((await stub.Synthesize(whole("Hello."), timeout=10)).audio)
    except grpc.aio.AioRpcError:
        return False
