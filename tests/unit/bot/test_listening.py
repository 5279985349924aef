"""Hearing one speaker over streams that break, stall and end."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from voicemesh_bot.conversation.events import Event, Heard, HearingLost
from voicemesh_bot.domain import Final, FinishTurn, ListeningEvent, OpusPacket, SpeechStarted
from voicemesh_bot.listening import Listening, ListeningOptions, Manner

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator

pytestmark = [pytest.mark.unit, pytest.mark.timeout(10)]

OPTIONS = ListeningOptions(idle_s=0.01, finish_timeout_s=0.01, turn_timeout_s=5, retry_s=0.001)


class Stt:
    """Opens a turn with the first sound; ends it as asked to, or never."""

    def __init__(self, *, stalls: bool) -> None:
        self.stalls = stalls

    async def listen(
        self,
        audio: AsyncIterable[bytes | OpusPacket | FinishTurn],
        *,
        sample_rate_hertz: int | None,
        held: bool = False,
        language_code: str = "",
    ) -> AsyncGenerator[ListeningEvent, None]:
        async for piece in audio:
            if not isinstance(piece, FinishTurn):
                yield SpeechStarted(1)
            elif self.stalls:
                await asyncio.Event().wait()
            else:
                yield Final(1, 0, "Hello.")


@asynccontextmanager
async def _listening(stt: Stt) -> AsyncIterator[tuple[Listening, asyncio.Queue[Event]]]:
    events: asyncio.Queue[Event] = asyncio.Queue()
    listening = Listening("ann", Manner(16_000), stt, events.put, OPTIONS, first_turn_id=5)
    task = asyncio.create_task(listening.run())
    try:
        yield listening, events
    finally:
        task.cancel()
        await asyncio.wait({task})


async def test_turns_are_numbered_on_over_streams() -> None:
    async with _listening(Stt(stalls=False)) as (listening, events):
        for turn_id in (5, 6):
            listening.hear(b"\1\1")
            listening.finish_turn()
            assert await events.get() == Heard("ann", SpeechStarted(turn_id))
            assert await events.get() == Heard("ann", Final(turn_id, 0, "Hello."))
            assert await events.get() == HearingLost("ann")

        assert listening.next_turn_id == 7


async def test_a_turn_that_is_never_finished_is_given_up_in_words() -> None:
    async with _listening(Stt(stalls=True)) as (listening, events):
        listening.hear(b"\1\1")
        assert await events.get() == Heard("ann", SpeechStarted(5))
        listening.finish_turn()
        lost = await events.get()

        assert isinstance(lost, HearingLost)
        assert lost.problem is not None
        assert "took too long" in lost.problem.sentence
