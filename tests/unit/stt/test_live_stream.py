"""One live stream with scripted voices: `v` is a voiced frame of 32 ms, `.` a silent one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import pytest

from voicemesh_chassis.errors import ServiceError
from voicemesh_stt.domain import (
    AudioFormat,
    Encoding,
    FinishTurn,
    Language,
    LiveItem,
    Packet,
    RecognitionOptions,
    Segment,
    Silence,
    SpeechModel,
    TurnDetection,
)
from voicemesh_stt.errors import QueueFullError, StreamIdleError
from voicemesh_stt.events import EndReason, Final, Partial, SoftFinal, TurnEvent, TurnResumed
from voicemesh_stt.live_stream import LiveConfig, LiveLimits, LiveStream, LiveStreams
from voicemesh_stt.ports import Job, Lane, Recognition, Samples

pytestmark = pytest.mark.unit

MODEL = SpeechModel("fake", ("en",), "none", "none")
FINISH = FinishTurn()
SPEECH = b"v" * 40
PAUSE = b"." * 40


class ScriptDecoder:
    """Makes a frame of each byte."""

    def decode(self, item: bytes | Packet | Silence) -> Samples:
        if isinstance(item, Silence):
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
    gate: asyncio.Event | None = None

    async def transcribe(self, job: Job) -> Recognition:
        if self.refuse > 0:
            self.refuse -= 1
            raise QueueFullError("full", retry_after_s=1.0)
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
    """A stream and the fakes around it."""

    transcriber: ScriptTranscriber
    observer: Observer
    stream: LiveStream


def bench(
    transcriber: ScriptTranscriber | None = None,
    *,
    partials: bool = False,
    encoding: Encoding = Encoding.PCM_S16LE,
    idle_timeout_s: float = 5.0,
    max_turn_s: float = 30.0,
) -> Bench:
    transcriber = transcriber or ScriptTranscriber()
    observer = Observer()
    streams = LiveStreams(
        transcriber=transcriber,
        new_decoder=lambda _format: ScriptDecoder(),
        new_detector=ScriptDetector,
        threads=ThreadPoolExecutor(1),
        observer=observer,
        limits=LiveLimits(idle_timeout_s=idle_timeout_s, job_timeout_s=5.0),
    )
    config = LiveConfig(
        AudioFormat(encoding, 16_000),
        RecognitionOptions(),
        TurnDetection(max_turn_s=max_turn_s),
        partials,
    )
    return Bench(transcriber, observer, streams.open(config, MODEL))


async def sent(*items: LiveItem | float) -> AsyncIterator[LiveItem]:
    """Items; a number is a wait in seconds."""
    for item in items:
        if isinstance(item, float):
            await asyncio.sleep(item)
        else:
            yield item


async def events_of(made: Bench, *items: LiveItem | float) -> list[TurnEvent]:
    return [event async for event in made.stream.events(sent(*items))]


def names(events: list[TurnEvent]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_a_turn_goes_from_speech_started_to_final() -> None:
    made = bench()

    events = await events_of(made, b"....", SPEECH, PAUSE)

    assert names(events) == ["SpeechStarted", "SoftFinal", "Final"]
    final = events[-1]
    assert isinstance(final, Final)
    assert (final.turn_id, final.revision, final.reason) == (1, 1, EndReason.SILENCE)
    assert final.speech_start_s == pytest.approx(4 * 0.032)
    assert final.speech_end_s == pytest.approx(44 * 0.032)
    assert final.language == Language("en", 1.0)


async def test_the_final_costs_no_second_decoding() -> None:
    made = bench()

    events = await events_of(made, SPEECH, PAUSE)

    soft, final = events[1], events[2]
    assert isinstance(soft, SoftFinal)
    assert isinstance(final, Final)
    assert final.text == soft.text == "words number 1."
    assert len(made.transcriber.jobs) == 1


async def test_segments_are_timed_from_the_start_of_the_stream() -> None:
    made = bench()

    events = await events_of(made, b"." * 100, SPEECH, PAUSE)

    final = events[-1]
    assert isinstance(final, Final)
    assert final.segments[0].start_s == pytest.approx(3.2 - 0.3, abs=0.04)


async def test_a_pause_inside_a_sentence_is_taken_back() -> None:
    made = bench()

    events = await events_of(made, SPEECH, b"." * 10, 0.05, SPEECH, PAUSE)

    assert names(events) == ["SpeechStarted", "SoftFinal", "TurnResumed", "SoftFinal", "Final"]
    assert events[-1].revision == 2
    assert sum(isinstance(event, Final) for event in events) == 1


async def test_a_resumed_turn_is_told_only_if_its_soft_final_was() -> None:
    transcriber = ScriptTranscriber(gate=asyncio.Event())
    made = bench(transcriber)
    assert transcriber.gate is not None
    asyncio.get_running_loop().call_later(0.05, transcriber.gate.set)

    events = await events_of(made, SPEECH, b"." * 5, SPEECH, PAUSE)

    assert not any(isinstance(event, TurnResumed) for event in events)
    assert names(events) == ["SpeechStarted", "SoftFinal", "Final"]


@pytest.mark.parametrize(
    ("text", "pause", "finals"),
    [
        ("Is it time?", 15, 2),  # 480 ms
        ("It is time.", 15, 1),
        ("It is time.", 24, 2),  # 768 ms
        ("It is the", 24, 1),
        ("It is the", 50, 2),  # 1600 ms
    ],
)
async def test_words_decide_how_long_a_pause_may_be_however_fast_the_audio_comes(
    text: str, pause: int, finals: int
) -> None:
    made = bench(ScriptTranscriber(say=lambda _job, _number: text))

    events = await events_of(made, SPEECH, b"." * pause, SPEECH, PAUSE)

    assert sum(isinstance(event, Final) for event in events) == finals


async def test_finish_turn_ends_the_turn_without_waiting() -> None:
    made = bench()

    events = await events_of(made, SPEECH, FINISH, b"." * 3, SPEECH)

    finals = [event for event in events if isinstance(event, Final)]
    assert [final.reason for final in finals] == [
        EndReason.FINISHED_BY_CALLER,
        EndReason.END_OF_STREAM,
    ]


async def test_finish_turn_without_a_turn_does_nothing() -> None:
    assert await events_of(bench(), FINISH, PAUSE, FINISH) == []


async def test_the_end_of_the_stream_finishes_the_open_turn() -> None:
    events = await events_of(bench(), SPEECH)

    assert isinstance(events[-1], Final)
    assert events[-1].reason is EndReason.END_OF_STREAM


async def test_a_turn_that_is_too_long_is_cut() -> None:
    made = bench(max_turn_s=1.0)

    events = await events_of(made, SPEECH * 3, PAUSE)

    reasons = [event.reason for event in events if isinstance(event, Final)]
    assert reasons[:3] == [EndReason.MAX_DURATION] * 3
    assert sum(job.audio_s for job in made.transcriber.jobs) <= 120 * 0.032 + 0.5


async def test_noise_without_words_ends_in_an_empty_final() -> None:
    made = bench(ScriptTranscriber(say=lambda _job, _number: ""))

    events = await events_of(made, SPEECH, PAUSE)

    assert names(events) == ["SpeechStarted", "Final"]
    final = events[-1]
    assert isinstance(final, Final)
    assert (final.text, final.confidence, final.segments) == ("", 0.0, ())


async def test_partials_have_their_lane_and_come_before_the_soft_final() -> None:
    made = bench(partials=True)

    paced: list[LiveItem | float] = [b"vvvvv", 0.002]
    events = await events_of(made, *paced * 30, PAUSE)

    kinds = names(events)
    assert kinds.count("Partial") >= 2
    assert kinds.index("Partial") < kinds.index("SoftFinal")
    partial = next(event for event in events if isinstance(event, Partial))
    assert (partial.turn_id, partial.revision) == (1, 0)
    lanes = [job.lane for job in made.transcriber.jobs]
    assert lanes[-1] is Lane.LIVE
    assert lanes.count(Lane.PARTIAL) <= 150 * 0.032 / 0.3


async def test_a_refused_soft_stop_is_made_good_at_the_end_of_the_turn() -> None:
    made = bench(ScriptTranscriber(refuse=1))

    events = await events_of(made, SPEECH, PAUSE)

    assert names(events) == ["SpeechStarted", "Final"]


async def test_words_that_cannot_be_had_end_the_stream_with_the_reason() -> None:
    made = bench(ScriptTranscriber(refuse=100))

    with pytest.raises(QueueFullError):
        await events_of(made, SPEECH, PAUSE)

    assert made.observer.open == 0


async def test_an_idle_stream_ends_after_the_final_of_its_open_turn() -> None:
    made = bench(idle_timeout_s=0.1)
    events: list[TurnEvent] = []

    async def listen() -> None:
        async for event in made.stream.events(sent(SPEECH, 5.0)):
            events.append(event)  # noqa: PERF401 - those before the error are wanted

    with pytest.raises(StreamIdleError):
        await listen()

    assert isinstance(events[-1], Final)


async def test_packets_that_stop_coming_are_silence() -> None:
    made = bench(encoding=Encoding.OPUS_PACKETS)
    packets = [Packet(b"v" * 2, number, number * 960) for number in range(20)]
    events: list[TurnEvent] = []

    async for event in made.stream.events(sent(*packets, 3.0)):
        events.append(event)
        if isinstance(event, Final):
            break

    assert isinstance(events[-1], Final)
    assert events[-1].reason is EndReason.SILENCE


@pytest.mark.parametrize("items", [(SPEECH,), (SPEECH, b"." * 5), (b"....",), ()])
async def test_a_caller_that_vanishes_leaves_nothing_behind(items: tuple[bytes, ...]) -> None:
    transcriber = ScriptTranscriber(gate=asyncio.Event())
    made = bench(transcriber, partials=True)
    before = asyncio.all_tasks()

    async def listen() -> None:
        async for _ in made.stream.events(sent(*items, 60.0)):
            pass

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0.1)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening

    assert asyncio.all_tasks() == before
    assert made.observer.open == 0


async def test_an_error_of_the_caller_comes_out_as_it_is() -> None:
    made = bench()

    async def broken() -> AsyncIterator[LiveItem]:
        yield SPEECH
        raise ServiceError("broken")

    with pytest.raises(ServiceError, match="broken"):
        _ = [event async for event in made.stream.events(broken())]
