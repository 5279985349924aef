"""Live streams of a service that is about to stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from voicemesh_stt.errors import DrainingError
from voicemesh_stt.events import EndReason, Final, TurnEvent

if TYPE_CHECKING:
    from tests.unit.stt.live.conftest import Bench, MakeBench, Sent

pytestmark = pytest.mark.unit

SPEECH = b"v" * 40
PAUSE = b"." * 40


async def drained(made: Bench, *items: Sent) -> list[TurnEvent]:
    """The events until the stream ends because the service is about to stop."""
    with pytest.raises(DrainingError):
        await made.events(*items)
    return made.heard


async def test_a_stream_without_a_turn_ends_as_soon_as_the_service_drains(bench: MakeBench) -> None:
    draining = asyncio.Event()
    made = bench(draining=draining)

    async with asyncio.timeout(5):
        await drained(made, SPEECH, PAUSE, draining.set, 60.0)

    assert made.names == ["SpeechStarted", "SoftFinal", "Final"]


async def test_an_open_turn_is_finished_before_the_stream_drains(bench: MakeBench) -> None:
    draining = asyncio.Event()
    draining.set()
    made = bench(draining=draining)

    events = await drained(bench(draining=draining), SPEECH, 60.0)
    assert events == []  # nothing was said yet when the drain began

    draining.clear()
    events = await drained(made, SPEECH, draining.set, PAUSE, SPEECH, PAUSE, 60.0)

    assert made.names == ["SpeechStarted", "SoftFinal", "Final"]
    final = events[-1]
    assert isinstance(final, Final)
    assert final.reason is EndReason.SILENCE


async def test_a_turn_that_does_not_end_in_time_is_ended_by_the_drain(bench: MakeBench) -> None:
    draining = asyncio.Event()
    made = bench(draining=draining)

    async with asyncio.timeout(5):
        events = await drained(made, SPEECH, draining.set, 60.0)

    final = events[-1]
    assert isinstance(final, Final)
    assert final.text == "words number 1."


async def test_a_caller_that_is_done_while_the_service_drains_gets_a_plain_end(
    bench: MakeBench,
) -> None:
    draining = asyncio.Event()
    made = bench(draining=draining)

    events = await made.events(SPEECH, draining.set)

    assert isinstance(events[-1], Final)
    assert events[-1].reason is EndReason.END_OF_STREAM
