"""One live stream, from what its caller sends to the events of its turns."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import pytest

from voicemesh_chassis.errors import ServiceError
from voicemesh_stt.domain import Encoding, FinishTurn, Language, LiveItem, Packet
from voicemesh_stt.errors import JobExpiredError, QueueFullError, StreamIdleError
from voicemesh_stt.events import EndReason, Final, Partial, SoftFinal
from voicemesh_stt.ports import Lane

if TYPE_CHECKING:
    from tests.unit.stt.live.conftest import MakeBench

pytestmark = pytest.mark.unit

SPEECH = b"v" * 40
PAUSE = b"." * 40
FINISH = FinishTurn()


async def test_a_turn_goes_from_speech_started_to_final(bench: MakeBench) -> None:
    made = bench()

    events = await made.events(b"....", SPEECH, PAUSE)

    assert made.names == ["SpeechStarted", "SoftFinal", "Final"]
    final = events[-1]
    assert isinstance(final, Final)
    assert (final.turn_id, final.revision, final.reason) == (1, 1, EndReason.SILENCE)
    assert final.speech_start_s == pytest.approx(4 * 0.032)
    assert final.speech_end_s == pytest.approx(44 * 0.032)
    assert final.language == Language("en", 1.0)


async def test_the_final_costs_no_second_decoding(bench: MakeBench) -> None:
    made = bench()

    events = await made.events(SPEECH, PAUSE)

    soft, final = events[1], events[2]
    assert isinstance(soft, SoftFinal)
    assert isinstance(final, Final)
    assert final.text == soft.text == "words number 1."
    assert len(made.transcriber.jobs) == 1


async def test_segments_are_timed_from_the_start_of_the_stream(bench: MakeBench) -> None:
    made = bench()

    events = await made.events(b"." * 100, SPEECH, PAUSE)

    final = events[-1]
    assert isinstance(final, Final)
    assert final.segments[0].start_s == pytest.approx(3.2 - 0.3, abs=0.04)


async def test_finish_turn_ends_the_turn_without_waiting(bench: MakeBench) -> None:
    made = bench()

    events = await made.events(SPEECH, FINISH, b"." * 3, SPEECH)

    finals = [event for event in events if isinstance(event, Final)]
    assert [final.reason for final in finals] == [
        EndReason.FINISHED_BY_CALLER,
        EndReason.END_OF_STREAM,
    ]


async def test_finish_turn_without_a_turn_does_nothing(bench: MakeBench) -> None:
    assert await bench().events(FINISH, PAUSE, FINISH) == []


async def test_the_end_of_the_stream_finishes_the_open_turn(bench: MakeBench) -> None:
    events = await bench().events(SPEECH)

    assert isinstance(events[-1], Final)
    assert events[-1].reason is EndReason.END_OF_STREAM


async def test_a_turn_that_is_too_long_is_cut(bench: MakeBench) -> None:
    made = bench(max_turn_s=1.0)

    events = await made.events(SPEECH * 3, PAUSE)

    reasons = [event.reason for event in events if isinstance(event, Final)]
    assert reasons[:3] == [EndReason.MAX_DURATION] * 3
    assert sum(job.audio_s for job in made.transcriber.jobs) <= 120 * 0.032 + 0.5


async def test_noise_without_words_ends_in_an_empty_final(bench: MakeBench) -> None:
    made = bench(say=lambda _job, _number: "")

    events = await made.events(SPEECH, PAUSE)

    assert made.names == ["SpeechStarted", "Final"]
    final = events[-1]
    assert isinstance(final, Final)
    assert (final.text, final.confidence, final.segments) == ("", 0.0, ())


async def test_partials_have_their_lane_and_come_before_the_soft_final(bench: MakeBench) -> None:
    made = bench(partials=True)

    paced: list[LiveItem | float] = [b"vvvvv", 0.002]
    events = await made.events(*paced * 30, PAUSE)

    kinds = made.names
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
    bench: MakeBench, refusal: ServiceError
) -> None:
    made = bench(refuse=1, refusal=refusal)

    await made.events(SPEECH, PAUSE)

    assert made.names == ["SpeechStarted", "Final"]


async def test_words_that_cannot_be_had_end_the_stream_with_the_reason(bench: MakeBench) -> None:
    made = bench(refuse=100)

    with pytest.raises(QueueFullError):
        await made.events(SPEECH, PAUSE)

    assert made.observer.open == 0


async def test_an_idle_stream_ends_after_the_final_of_its_open_turn(bench: MakeBench) -> None:
    made = bench(idle_timeout_s=0.1)

    with pytest.raises(StreamIdleError):
        await made.events(SPEECH, 5.0)

    assert isinstance(made.heard[-1], Final)


async def test_packets_that_stop_coming_are_silence(bench: MakeBench) -> None:
    made = bench(encoding=Encoding.OPUS_PACKETS)
    packets = [Packet(b"v" * 2, number, number * 960) for number in range(20)]

    async for event in made.listen(*packets, 3.0):
        if isinstance(event, Final):
            break

    assert isinstance(event, Final)
    assert event.reason is EndReason.SILENCE


@pytest.mark.parametrize("items", [(SPEECH,), (SPEECH, b"." * 5), (b"....",), ()])
async def test_a_caller_that_vanishes_leaves_nothing_behind(
    bench: MakeBench, items: tuple[bytes, ...]
) -> None:
    made = bench(gate=asyncio.Event(), partials=True)
    before = asyncio.all_tasks()

    listening = asyncio.create_task(made.events(*items, 60.0))
    await asyncio.sleep(0.1)
    listening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await listening

    assert asyncio.all_tasks() == before
    assert made.observer.open == 0


async def test_an_error_of_the_caller_comes_out_as_it_is(bench: MakeBench) -> None:
    made = bench()

    async def broken() -> AsyncIterator[LiveItem]:
        yield SPEECH
        raise ServiceError("broken")

    with pytest.raises(ServiceError, match="broken"):
        _ = [event async for event in made.stream.events(broken())]


async def test_jobs_say_whose_they_are(bench: MakeBench) -> None:
    made = bench()

    await made.events(SPEECH, PAUSE, SPEECH, PAUSE)

    first, second = made.transcriber.jobs
    assert first.model == "fake"
    assert first.caller == second.caller
    assert first.turn != second.turn
