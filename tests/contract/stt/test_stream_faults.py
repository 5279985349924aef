"""What callers may do to live streams: strange sound, strange pace, leaving, all at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import grpc
import numpy as np
import pytest

from voicemesh.common.v1 import audio_pb2
from voicemesh.stt.v1 import speech_to_text_service_pb2 as pb
from voicemesh.stt.v1 import speech_to_text_service_pb2_grpc as pb_grpc
from voicemesh_chassis.channel import error_from_rpc
from voicemesh_chassis.errors import OverloadedError

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="module")]

FIRST, SECOND = "librivox-0930.wav", "librivox-0920.wav"
MULAW = audio_pb2.AUDIO_ENCODING_MULAW
Requests = Iterable[pb.StreamTranscribeRequest]


def silence(seconds: float) -> Any:
    return np.zeros(int(16_000 * seconds), dtype=np.float32)


def finals(events: list[pb.StreamTranscribeResponse]) -> list[pb.FinalTranscript]:
    return [event.final for event in events if event.WhichOneof("event") == "final"]


def chords() -> Any:
    """Eight seconds of struck chords with overtones."""
    time = np.arange(16_000 * 2) / 16_000
    bars = []
    for root in (220.0, 261.6, 174.6, 196.0):
        notes = [root * ratio for ratio in (1, 1.26, 1.5, 2)]
        tones = [np.sin(2 * np.pi * note * k * time) / k for note in notes for k in (1, 2, 3)]
        bars.append(np.sum(tones, axis=0) * np.exp(-2 * (time % 0.5)))
    audio = np.concatenate(bars)
    return (0.5 * audio / np.abs(audio).max()).astype(np.float32)


@pytest.mark.parametrize("kind", ["chords", "loud noise", "square wave", "clicks"])
async def test_what_is_loud_and_not_speech_has_no_words(
    stt: Any, stream: Any, pcm: Any, kind: str
) -> None:
    time = np.arange(16_000 * 8) / 16_000
    clicks = np.zeros_like(time)
    clicks[::4_000] = 0.9
    audio = {
        "chords": chords(),
        "loud noise": np.clip(np.random.default_rng(5).normal(0, 0.5, time.shape), -1, 1),
        "square wave": 0.9 * np.sign(np.sin(2 * np.pi * 200 * time)),
        "clicks": clicks,
    }[kind]

    events = await stt.listen(stream(pcm(np.concatenate([audio, silence(2)]))))

    assert "".join(final.text for final in finals(events)) == ""


async def test_speech_that_is_clipped_is_still_heard(
    stt: Any, stream: Any, pcm: Any, voice: Callable[[str], Any], wer: Callable[[str, str], float]
) -> None:
    audio = np.clip(voice(SECOND) * 20, -1, 1)

    (final,) = finals(await stt.listen(stream(pcm(np.concatenate([audio, silence(2)])))))

    assert wer(SECOND, final.text) <= 0.4


async def test_minutes_of_silence_at_once_are_nothing(stt: Any, stream: Any) -> None:
    minute = bytes(8_000 * 60).replace(b"\x00", b"\xff")  # silence in mu-law

    events = await stt.listen(stream(minute * 5, encoding=MULAW, rate=8_000, piece=1 << 20))

    assert events == []


async def test_audio_that_comes_a_thousand_times_too_fast_is_heard_whole(
    stt: Any, stream: Any, pcm: Any, voice: Callable[[str], Any], wer: Callable[[str, str], float]
) -> None:
    audio = np.concatenate([voice(SECOND), silence(2)] * 8)  # a minute

    found = finals(await stt.listen(stream(pcm(audio), piece=1 << 20)))

    assert len(found) == 8
    assert all(wer(SECOND, final.text) <= 0.2 for final in found)


def mulaw(audio: Any) -> bytes:
    """Samples at 16 kHz as mu-law at 8 kHz (ITU-T G.711)."""
    samples = np.clip(audio[::2] * 32_767, -32_635, 32_635).astype(np.int64)
    size = np.abs(samples) + 132
    exponent = np.floor(np.log2(size)).astype(np.int64) - 7
    mantissa = (size >> (exponent + 3)) & 15
    sign = np.where(samples < 0, 0x80, 0)
    return bytes((~(sign | exponent << 4 | mantissa) & 0xFF).astype(np.uint8).tobytes())


async def test_audio_may_come_byte_by_byte(
    stt: Any, stream: Any, voice: Callable[[str], Any], wer: Callable[[str, str], float]
) -> None:
    audio = mulaw(voice(FIRST))

    (final,) = finals(await stt.listen(stream(audio, encoding=MULAW, rate=8_000, piece=1)))

    assert wer(FIRST, final.text) <= 0.4


async def test_a_second_config_is_refused(stt: Any, stream: Any, pcm: Any, voice: Any) -> None:
    config = next(iter(stream(b"")))

    found = await stt.problem(stt.listen([*stream(pcm(voice(FIRST))), config]))

    assert (found.code, found.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "MESSAGE_ORDER")


async def test_a_stream_that_sends_nothing_ends(stt: Any) -> None:
    async def nothing() -> AsyncIterator[pb.StreamTranscribeRequest]:
        await asyncio.Event().wait()
        yield pb.StreamTranscribeRequest()

    found = await stt.problem(read(stt.stub.StreamTranscribe(nothing())))

    assert (found.code, found.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "STREAM_IDLE")


async def read(call: Any) -> list[pb.StreamTranscribeResponse]:
    return [event async for event in call]


def stream_tasks() -> set[str]:
    """Names of the tasks of live streams; the service runs in this loop."""
    owned = ("stt-listen", "stt-read", "stt-draining", "stt-finish", "stt-words", "stt-partial")
    return {task.get_name() for task in asyncio.all_tasks() if task.get_name() in owned}


@pytest.mark.parametrize(
    ("sends", "until"),
    [
        ("nothing", None),
        ("config", None),
        ("start of speech", None),
        ("speech", "speech_started"),
        ("speech", "partial"),
        ("speech and a pause", "soft_final"),
        ("speech and its end", "speech_started"),
        ("speech and its end", "final"),
    ],
)
async def test_a_caller_may_leave_at_any_time(
    stt: Any, stream: Any, pcm: Any, voice: Callable[[str], Any], sends: str, until: str | None
) -> None:
    config = pb.StreamTranscribeConfig(partials=True)
    speech = voice(SECOND)
    audio = {
        "nothing": speech[:0],
        "config": speech[:0],
        "start of speech": speech[:4_800],
        "speech": speech,
        "speech and a pause": np.concatenate([speech, silence(0.3)]),
        "speech and its end": speech,
    }[sends]
    requests = [] if sends == "nothing" else list(stream(pcm(audio), config=config, piece=3_200))
    if sends == "speech and its end":
        requests.append(pb.StreamTranscribeRequest(finish_turn=pb.FinishTurn()))
    call = stt.stub.StreamTranscribe()
    for request in requests:
        await call.write(request)
        await asyncio.sleep(0.02)  # five times real time, so that there is time for partials
    while until is not None and (await call.read()).WhichOneof("event") != until:
        pass

    call.cancel()

    await stt.running.check_well()
    async with asyncio.timeout(10):
        while stream_tasks():
            await asyncio.sleep(0.01)


async def test_five_hundred_streams_at_once_are_served_or_told_to_come_back(
    stt: Any, stream: Any, pcm: Any, voice: Callable[[str], Any], wer: Callable[[str, str], float]
) -> None:
    requests = list(stream(pcm(silence(1))))

    async def one() -> str:
        try:
            await stt.listen(requests)
        except grpc.aio.AioRpcError as error:
            refused = error_from_rpc(error)
            assert isinstance(refused, OverloadedError)
            assert refused.retry_after_s
            return "refused"
        return "served"

    outcomes = await asyncio.gather(*(one() for _ in range(500)))

    assert outcomes.count("served") >= 50
    await stt.running.check_well()
    (final,) = finals(await stt.listen(stream(pcm(voice(SECOND)))))
    assert wer(SECOND, final.text) <= 0.2


async def test_streams_never_share_text(
    stt: Any, stream: Any, pcm: Any, voice: Callable[[str], Any], wer: Callable[[str, str], float]
) -> None:
    config = pb.StreamTranscribeConfig(partials=True)
    names = [FIRST, SECOND] * 4

    async def one(name: str) -> list[pb.StreamTranscribeResponse]:
        audio = pcm(np.concatenate([voice(name), silence(1.5)]))
        requests = stream(audio, config=config, piece=3_200)
        return list(await stt.listen(requests, gap_s=0.02))

    heard = await asyncio.gather(*(one(name) for name in names))

    for name, events in zip(names, heard, strict=True):
        other = SECOND if name == FIRST else FIRST
        (final,) = finals(events)
        assert wer(name, final.text) <= 0.2
        for event in events:
            text = event.soft_final.text or event.partial.stable_text
            assert not text or wer(other, text) > 0.7


async def test_a_stream_that_is_refused_was_not_opened(stt: Any) -> None:
    before = await stt.running.metric("voicemesh_stt_active_streams")
    call = pb_grpc.SpeechToTextServiceStub(stt.running.channel()).StreamTranscribe()
    await call.write(pb.StreamTranscribeRequest(audio=b"first"))

    with pytest.raises(grpc.aio.AioRpcError):
        await call.read()

    assert await stt.running.metric("voicemesh_stt_active_streams") == before == 0
