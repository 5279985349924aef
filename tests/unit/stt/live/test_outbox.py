"""Events that wait for their caller."""

from __future__ import annotations

import pytest

from voicemesh_stt.errors import CallerNotReadingError
from voicemesh_stt.events import SpeechStarted
from voicemesh_stt.live.outbox import Outbox

pytestmark = pytest.mark.unit


def event(number: int) -> SpeechStarted:
    return SpeechStarted(number, 0, 0.0)


async def test_a_caller_that_does_not_read_is_waited_for_only_so_long() -> None:
    outbox = Outbox(bound=2, patience_s=0.05)
    await outbox.put(event(1))
    await outbox.put(event(2))

    with pytest.raises(CallerNotReadingError, match=r"2 events wait.*0\.05 s") as caught:
        await outbox.put(event(3))

    assert caught.value.reason == "NOT_READING"


async def test_the_failure_comes_after_the_events_that_wait() -> None:
    outbox = Outbox()
    await outbox.put(event(1))
    outbox.fail(ValueError("first"))
    outbox.fail(KeyError("second"))

    events = outbox.events()

    assert await anext(events) == event(1)
    with pytest.raises(ValueError, match="first"):
        await anext(events)


async def test_what_can_be_done_without_is_dropped_while_others_wait() -> None:
    outbox = Outbox()

    assert outbox.offer(event(1))
    assert not outbox.offer(event(2))
