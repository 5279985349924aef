"""Turns so long that their first words are settled before they are over."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from voicemesh_stt.domain import LiveItem
from voicemesh_stt.events import Final, Partial, SoftFinal
from voicemesh_stt.ports import Lane

if TYPE_CHECKING:
    from tests.unit.stt.live.conftest import MakeBench, Sent

pytestmark = pytest.mark.unit

SPEECH = b"v" * 40
PAUSE = b"." * 40


LONG_SPEECH = b"v" * 220  # 7 s
SHORT_PAUSE = b"." * 10  # 320 ms: no gate is near, so nothing waits for words


async def test_words_before_a_pause_of_a_long_turn_are_not_recognised_again(
    bench: MakeBench,
) -> None:
    made = bench()
    pause: list[Sent] = [SHORT_PAUSE, 0.05]

    events = await made.events(LONG_SPEECH, *pause, SPEECH, *pause, SPEECH, PAUSE)

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


async def test_segments_after_settled_words_are_timed_from_the_start_of_the_stream(
    bench: MakeBench,
) -> None:
    made = bench()

    events = await made.events(LONG_SPEECH, SHORT_PAUSE, SPEECH, PAUSE)

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
    bench: MakeBench, speech: bytes, pause: bytes
) -> None:
    made = bench()

    await made.events(speech, pause, SPEECH, PAUSE)

    assert made.transcriber.jobs[-1].audio_s > len(speech) * 0.032


async def test_a_click_after_a_pause_is_not_recognised_alone(bench: MakeBench) -> None:
    made = bench()

    await made.events(LONG_SPEECH, SHORT_PAUSE, b"vvv", PAUSE)

    assert made.transcriber.jobs[-1].audio_s > 7


async def test_words_that_come_late_are_settled_when_they_come(bench: MakeBench) -> None:
    gate = asyncio.Event()
    made = bench(gate=gate)

    await made.events(LONG_SPEECH, SHORT_PAUSE, b"vv", gate.set, SPEECH, PAUSE)

    assert [job.audio_s for job in made.transcriber.jobs] == pytest.approx([7.1, 1.7], abs=0.1)
    assert made.names == ["SpeechStarted", "SoftFinal", "Final"]  # nobody heard of the first


async def test_words_of_a_pause_that_cannot_be_had_are_part_of_the_tail(bench: MakeBench) -> None:
    made = bench(refuse=1)

    events = await made.events(LONG_SPEECH, SHORT_PAUSE, SPEECH, PAUSE)

    assert [job.audio_s for job in made.transcriber.jobs] == pytest.approx([8.8], abs=0.1)
    assert isinstance(events[-1], Final)


async def test_a_voice_that_never_pauses_is_cut_and_partials_go_on(bench: MakeBench) -> None:
    made = bench(partials=True, max_turn_s=120.0)

    paced: list[LiveItem | float] = [b"v" * 10, 0.001]
    events = await made.events(*paced * 190, PAUSE)  # 61 s

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


async def test_a_detected_language_holds_for_the_rest_of_the_turn(bench: MakeBench) -> None:
    made = bench()

    await made.events(LONG_SPEECH, SHORT_PAUSE, SPEECH, PAUSE)

    assert [job.options.language for job in made.transcriber.jobs] == [None, "en"]
