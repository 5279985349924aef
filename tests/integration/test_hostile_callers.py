"""Callers who leave at any moment, all come at once, or still listen when tts is told to end."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import grpc.aio
import pytest

from voicemesh.tts.v1 import text_to_speech_service_pb2 as tts_pb
from voicemesh.tts.v1 import text_to_speech_service_pb2_grpc as tts_grpc
from voicemesh_chassis.channel import error_from_rpc

if TYPE_CHECKING:
    from tests.integration.conftest import Called

pytestmark = [
    pytest.mark.integration,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(90),
]

ENDS_S = 30.0
CALLERS = 200
Message = tts_pb.StreamSynthesizeRequest
CONFIG = Message(config=tts_pb.SynthesisConfig())
TEXT = Message(text="This sentence is one of very many of them, and it goes on. " * 40)


async def _nothing(call: Any) -> None:
    """Opens the call only."""


async def _config(call: Any) -> None:
    await call.write(CONFIG)


async def _started(call: Any) -> None:
    await call.write(CONFIG)
    assert (await call.read()).HasField("started")


async def _text(call: Any) -> None:
    await _started(call)
    await call.write(TEXT)


async def _sound(call: Any) -> None:
    await _text(call)
    assert (await call.read()).HasField("audio")


async def _flush(call: Any) -> None:
    await _sound(call)
    await call.write(Message(flush=tts_pb.Flush(flush_id=1)))


async def _half_closed(call: Any) -> None:
    await _text(call)
    await call.done_writing()
    assert (await call.read()).HasField("audio")


async def _rest(call: Any) -> list[Any]:
    events = []
    while (event := await call.read()) is not grpc.aio.EOF:
        events.append(event)
    return events


STAGES = (_nothing, _config, _started, _text, _sound, _flush, _half_closed)


@pytest.mark.parametrize("reach", STAGES, ids=[stage.__name__[1:] for stage in STAGES])
async def test_a_caller_who_leaves_at_any_stage_leaves_nothing(
    tts: Called, reach: Callable[[Any], Awaitable[None]]
) -> None:
    call = tts.stub.StreamSynthesize(timeout=ENDS_S)
    await reach(call)

    call.cancel()

    await tts.running.check_well()
    assert await tts.running.metric("voicemesh_tts_active_streams") == 0
    after = await tts.stub.Synthesize(tts_pb.SynthesizeRequest(text="Next."), timeout=ENDS_S)
    assert after.audio


@pytest.mark.parametrize("reach", STAGES[2:-1], ids=[stage.__name__[1:] for stage in STAGES[2:-1]])
async def test_a_cancel_at_any_stage_is_answered_and_the_stream_goes_on(
    tts: Called, reach: Callable[[Any], Awaitable[None]]
) -> None:
    call = tts.stub.StreamSynthesize(timeout=ENDS_S)
    await reach(call)

    begin = time.monotonic()
    for number in (1, 2):
        await call.write(Message(cancel=tts_pb.Cancel(cancel_id=number)))
    seen = []
    while (event := await call.read()).cancelled.cancel_id != 2:
        seen.append(event)
    answered_s = time.monotonic() - begin
    await call.write(Message(text="Something else."))
    await call.done_writing()
    rest = await _rest(call)

    assert [event.cancelled.cancel_id for event in seen if event.HasField("cancelled")] == [1]
    assert answered_s < 5
    assert any(event.audio.audio for event in rest)
    assert rest[-1].HasField("finished")


async def test_a_whole_text_that_is_cancelled_gives_the_engine_back(tts: Called) -> None:
    calls = [
        tts.stub.Synthesize(tts_pb.SynthesizeRequest(text=TEXT.text), timeout=ENDS_S)
        for _ in range(8)
    ]
    await tts.running.until(lambda: tts.running.metric("voicemesh_tts_synthesis_seconds_total"))

    for call in calls:
        call.cancel()

    begin = time.monotonic()
    await tts.running.check_well()
    assert time.monotonic() - begin < 5


async def test_200_callers_at_once_are_all_answered(tts: Called) -> None:
    outcomes: Counter[str] = Counter()
    retries_s: list[float | None] = []

    async def call(number: int) -> None:
        messages = iter([CONFIG, Message(text=f"I am caller number {number}.")])
        try:
            events = await tts.collected(stub.StreamSynthesize(messages, timeout=ENDS_S))
        except grpc.aio.AioRpcError as raised:
            error = error_from_rpc(raised)
            outcomes[error.code] += 1
            retries_s.append(error.retry_after_s)
        else:
            assert any(event.audio.audio for event in events)
            outcomes["OK"] += events[-1].HasField("finished")

    stub = tts.stub
    await asyncio.gather(*(call(number) for number in range(CALLERS)))

    assert outcomes.keys() <= {"OK", "RESOURCE_EXHAUSTED"}
    assert outcomes.total() == CALLERS
    assert outcomes["OK"] >= 8
    assert all(retry_s is not None and 0 < retry_s <= 60 for retry_s in retries_s)
    await tts.running.check_well()


@asynccontextmanager
async def _process(log: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, int]]:
    """The installed command, and its port."""
    command = str(Path(sys.executable).with_name("voicemesh-tts"))
    settings = {"SERVER__PORT": "0", "SERVER__METRICS_PORT": "0", "LOG__FORMAT": "json"}
    environment = os.environ | {f"VOICEMESH_TTS_{key}": value for key, value in settings.items()}
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            command, env=environment, stdout=out, stderr=out
        )
    try:
        async with asyncio.timeout(ENDS_S):
            while '"serving"' not in (said := await asyncio.to_thread(log.read_text, "utf-8")):
                assert process.returncode is None
                await asyncio.sleep(0.05)
        port = re.search(r'"port": ?(\d+)', said)
        assert port
        yield process, int(port[1])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_a_signal_while_it_speaks_lets_streams_finish_and_takes_no_more(
    models_dir: Path, tmp_path: Path
) -> None:
    assert models_dir
    async with (
        _process(tmp_path / "log") as (process, port),
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        stub = tts_grpc.TextToSpeechServiceStub(channel)
        call = stub.StreamSynthesize(timeout=ENDS_S)
        await call.write(CONFIG)
        await call.write(Message(text="This sentence is one of many. " * 10))
        await call.read()
        first: Any = await call.read()
        assert first.audio.audio

        process.send_signal(signal.SIGTERM)
        await call.write(Message(text="And this is the last one."))
        await call.done_writing()
        events = await _rest(call)
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await stub.Synthesize(tts_pb.SynthesizeRequest(text="Me too."), timeout=5)

        assert events[-1].finished.character_count == 30 * 10 + 25
        assert raised.value.code() is grpc.StatusCode.UNAVAILABLE
        assert await asyncio.wait_for(process.wait(), ENDS_S) == 0
