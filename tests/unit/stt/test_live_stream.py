"""One live stream with scripted voices: `v` is a voiced frame of 32 ms, `.` a silent one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import pytest

from voicemesh_chassis.errors import ServiceError
from voicemesh_stt.domain import (
    AudioFormat,
    Encoding,
    FinishTurn,
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
from voicemesh_stt.errors import DrainingError, JobExpiredError, QueueFullError, StreamIdleError
from voicemesh_stt.events import EndReason, Final, Partial, SoftFinal, TurnEvent, TurnResumed
from voicemesh_stt.live_stream import LiveConfig, LiveLimits, LiveStream, LiveStreams
from voicemesh_stt.ports import EndOfTurnModel, Job, Lane, Recognition, Samples

pytestmark = pytest.mark.unit

MODEL = SpeechModel("fake", ("en",), "none", "none")
FINISH = FinishTurn()
SPEECH = b"v" * 40
PAUSE = b"." * 40


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
    end_of_turn: EndOfTurnModel | None = None,
    draining: asyncio.Event | None = None,
    options: RecognitionOptions | None = None,
) -> Bench:
    transcriber = transcriber or ScriptTranscriber()
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
        options or RecognitionOptions(),
        TurnDetection(max_turn_s=max_turn_s),
        partials,
    )
    return Bench(transcriber, observer, streams.open(config, MODEL))


Sent: TypeAlias = LiveItem | float | Callable[[], None]
"""What a caller sends; a number is a wait in seconds, a function is called when all before it has
been taken in."""


async def sent(*items: Sent) -> AsyncIterator[LiveItem]:
    for item in items:
        if isinstance(item, float):
            await asyncio.sleep(item)
        elif callable(item):
            item()
        else:
            yield item


async def events_of(made: Bench, *items: Sent) -> list[TurnEvent]:
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


@pytest.mark.parametrize(
    "refusal", [QueueFullError("full", retry_after_s=1.0), JobExpiredError("late")]
)
async def test_a_refused_soft_stop_is_made_good_at_the_end_of_the_turn(
    refusal: ServiceError,
) -> None:
    made = bench(ScriptTranscriber(refuse=1, refusal=refusal))

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


@dataclass
class Ear:
    """An `EndOfTurnModel` that always hears the same, and remembers what it was given."""

    says: float
    heard_s: list[float] = field(default_factory=list)

    def probability(self, audio: Samples) -> float:
        self.heard_s.append(len(audio) / 16_000)
        return self.says


@pytest.mark.parametrize(
    ("says", "text", "pause", "finals"),
    [
        (0.9, "It is time.", 12, 1),  # 384 ms
        (0.9, "It is time.", 15, 2),  # 480 ms
        (0.3, "Is it time?", 15, 1),
        (0.3, "It is time.", 24, 2),  # 768 ms
        (0.1, "It is time.", 24, 1),
        (0.1, "It is time.", 50, 2),  # 1600 ms
        (0.9, "It is the", 24, 1),  # the words are unfinished
    ],
)
async def test_the_sound_decides_how_long_a_pause_may_be(
    says: float, text: str, pause: int, finals: int
) -> None:
    made = bench(ScriptTranscriber(say=lambda _job, _number: text), end_of_turn=Ear(says))

    events = await events_of(made, SPEECH, b"." * pause, SPEECH, PAUSE)

    assert sum(isinstance(event, Final) for event in events) == finals
    soft = [event for event in events if isinstance(event, SoftFinal)]
    assert {event.end_of_turn_probability for event in soft} == {says}


async def test_the_sound_is_the_last_seconds_of_the_turn_up_to_the_soft_stop() -> None:
    ear = Ear(0.9)

    await events_of(bench(end_of_turn=ear), SPEECH, PAUSE, b"v" * 400, PAUSE)

    assert ear.heard_s == [pytest.approx(43 * 0.032), pytest.approx(8.0)]


LONG_SPEECH = b"v" * 220  # 7 s
SHORT_PAUSE = b"." * 10  # 320 ms: no gate is near, so nothing waits for words


async def test_words_before_a_pause_of_a_long_turn_are_not_recognised_again() -> None:
    made = bench()
    pause: list[Sent] = [SHORT_PAUSE, 0.05]

    events = await events_of(made, LONG_SPEECH, *pause, SPEECH, *pause, SPEECH, PAUSE)

    # The second pause comes too soon after the first.
    lengths = [job.audio_s for job in made.transcriber.jobs]
    assert lengths == pytest.approx([7.1, 1.7, 3.3], abs=0.1)
    first, second, third = (event for event in events if isinstance(event, SoftFinal))
    assert first.text == "words number 1."
    assert second.text == "words number 1. words number 2."
    assert third.text == "words number 1. words number 3."
    final = events[-1]
    assert isinstance(final, Final)
    assert final.text == third.text
    assert final.timings.inference_s == pytest.approx(0.2)


async def test_segments_after_settled_words_are_timed_from_the_start_of_the_stream() -> None:
    made = bench()

    events = await events_of(made, LONG_SPEECH, SHORT_PAUSE, SPEECH, PAUSE)

    final = events[-1]
    assert isinstance(final, Final)
    first, second = final.segments
    assert first.start_s == 0.0
    assert first.end_s == pytest.approx(223 * 0.032)
    assert second.start_s == pytest.approx((230 - 7) * 0.032)
    assert second.end_s == pytest.approx((230 + 40 + 3) * 0.032)


@pytest.mark.parametrize(
    ("speech", "pause"), [(LONG_SPEECH, b"." * 8), (SPEECH, SHORT_PAUSE), (b"v" * 180, SHORT_PAUSE)]
)
async def test_words_are_not_settled_at_short_pauses_nor_in_short_turns(
    speech: bytes, pause: bytes
) -> None:
    made = bench()

    await events_of(made, speech, pause, SPEECH, PAUSE)

    assert made.transcriber.jobs[-1].audio_s > len(speech) * 0.032


async def test_a_click_after_a_pause_is_not_recognised_alone() -> None:
    made = bench()

    await events_of(made, LONG_SPEECH, SHORT_PAUSE, b"vvv", PAUSE)

    assert made.transcriber.jobs[-1].audio_s > 7


async def test_words_that_come_late_are_settled_when_they_come() -> None:
    transcriber = ScriptTranscriber(gate=asyncio.Event())
    made = bench(transcriber)
    assert transcriber.gate is not None

    events = await events_of(
        made, LONG_SPEECH, SHORT_PAUSE, b"vv", transcriber.gate.set, SPEECH, PAUSE
    )

    assert [job.audio_s for job in transcriber.jobs] == pytest.approx([7.1, 1.7], abs=0.1)
    assert names(events) == ["SpeechStarted", "SoftFinal", "Final"]  # nobody heard of the first


async def test_words_of_a_pause_that_cannot_be_had_are_part_of_the_tail() -> None:
    made = bench(ScriptTranscriber(refuse=1))

    events = await events_of(made, LONG_SPEECH, SHORT_PAUSE, SPEECH, PAUSE)

    assert [job.audio_s for job in made.transcriber.jobs] == pytest.approx([8.8], abs=0.1)
    assert isinstance(events[-1], Final)


async def test_a_voice_that_never_pauses_is_cut_and_partials_go_on() -> None:
    made = bench(partials=True, max_turn_s=120.0)

    paced: list[LiveItem | float] = [b"v" * 10, 0.001]
    events = await events_of(made, *paced * 190, PAUSE)  # 61 s

    assert max(job.audio_s for job in made.transcriber.jobs) < 28
    live = [job for job in made.transcriber.jobs if job.lane is Lane.LIVE]
    assert sum(job.audio_s for job in live) == pytest.approx(61, abs=0.5)  # each second once
    final = events[-1]
    assert isinstance(final, Final)
    assert len(final.segments) == len(live) >= 3
    edges = [(segment.start_s, segment.end_s) for segment in final.segments]
    assert all(end == pytest.approx(start) for (_, end), (start, _) in pairwise(edges))
    stable = [event.stable_text for event in events if isinstance(event, Partial)]
    assert len(stable) > 20
    assert all(later.startswith(earlier) for earlier, later in pairwise(stable))
    assert "number" in stable[-1]


async def test_a_detected_language_holds_for_the_rest_of_the_turn() -> None:
    made = bench()

    await events_of(made, LONG_SPEECH, SHORT_PAUSE, SPEECH, PAUSE)

    assert [job.options.language for job in made.transcriber.jobs] == [None, "en"]


async def test_jobs_say_whose_they_are() -> None:
    made = bench()

    await events_of(made, SPEECH, PAUSE, SPEECH, PAUSE)

    first, second = made.transcriber.jobs
    assert first.model == MODEL.name
    assert first.caller == second.caller
    assert first.turn != second.turn


async def drained(made: Bench, *items: Sent) -> list[TurnEvent]:
    """The events until the stream ends because the service is about to stop."""
    events: list[TurnEvent] = []

    async def listen() -> None:
        async for event in made.stream.events(sent(*items)):
            events.append(event)  # noqa: PERF401 - those before the error are wanted

    with pytest.raises(DrainingError):
        await listen()
    return events


async def test_a_stream_without_a_turn_ends_as_soon_as_the_service_drains() -> None:
    draining = asyncio.Event()
    made = bench(draining=draining)

    async with asyncio.timeout(5):
        events = await drained(made, SPEECH, PAUSE, draining.set, 60.0)

    assert names(events) == ["SpeechStarted", "SoftFinal", "Final"]


async def test_an_open_turn_is_finished_before_the_stream_drains() -> None:
    draining = asyncio.Event()
    draining.set()
    made = bench(draining=draining)

    events = await drained(bench(draining=draining), SPEECH, 60.0)
    assert events == []  # nothing was said yet when the drain began

    draining.clear()
    events = await drained(made, SPEECH, draining.set, PAUSE, SPEECH, PAUSE, 60.0)

    assert names(events) == ["SpeechStarted", "SoftFinal", "Final"]
    final = events[-1]
    assert isinstance(final, Final)
    assert final.reason is EndReason.SILENCE


async def test_a_turn_that_does_not_end_in_time_is_ended_by_the_drain() -> None:
    draining = asyncio.Event()
    made = bench(draining=draining)

    async with asyncio.timeout(5):
        events = await drained(made, SPEECH, draining.set, 60.0)

    final = events[-1]
    assert isinstance(final, Final)
    assert final.text == "words number 1."


async def test_a_caller_that_is_done_while_the_service_drains_gets_a_plain_end() -> None:
    draining = asyncio.Event()
    made = bench(draining=draining)

    events = await events_of(made, SPEECH, draining.set)

    assert isinstance(events[-1], Final)
    assert events[-1].reason is EndReason.END_OF_STREAM
