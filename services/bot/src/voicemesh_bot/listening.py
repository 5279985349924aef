"""Hears one speaker for as long as a session lasts, over as many streams as it takes.

A stream is opened when sound comes and closed when none has come for a while. If it breaks, what
is left is dropped, the conversation is told, and the next sound opens another.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_bot.conversation.events import Heard, HearingLost
from voicemesh_bot.domain import Backend, Final, FinishTurn
from voicemesh_bot.feeds import PACKET_RATE_HERTZ, AudioFeed, Sound
from voicemesh_bot.problems import problem_from
from voicemesh_chassis.errors import DeadlineExceededError, ServiceError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable

    from voicemesh_bot.conversation.events import Event
    from voicemesh_bot.domain import ListeningEvent
    from voicemesh_bot.ports import SpeechToText

__all__ = ("Listening", "ListeningOptions", "Manner")

_BYTES_PER_SAMPLE = 2

_logger = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class ListeningOptions:
    """How a speaker is listened to."""

    buffer_s: float = 5.0
    """Sound kept while it cannot be sent, in seconds; older sound is dropped."""

    idle_s: float = 20.0
    """Time without sound after which a stream is closed, in seconds."""

    turn_timeout_s: float = 60.0
    """Longest time between two events of an open turn, in seconds."""

    finish_timeout_s: float = 15.0
    """Longest time from the end of a turn to its words, in seconds."""

    retry_s: float = 0.5
    """Pause after a broken stream, in seconds; doubles each time up to ten times as long."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How a speaker's sound comes."""

    sample_rate_hertz: int | None
    """Samples a second; None for Opus packets."""

    held: bool = False
    """Whether a talk button is held, so that `finish_turn` and not silence ends a turn."""

    language_code: str = ""
    """BCP-47 code of what they speak; empty for the one that is set up."""


class Listening:
    """One speaker's way to speech recognition; `run` it as a task."""

    def __init__(
        self,
        speaker: str,
        manner: Manner,
        stt: SpeechToText,
        post: Callable[[Event], Awaitable[None]],
        options: ListeningOptions,
        *,
        first_turn_id: int = 1,
    ) -> None:
        rate = manner.sample_rate_hertz or PACKET_RATE_HERTZ
        most_bytes = int(options.buffer_s * rate) * _BYTES_PER_SAMPLE
        self._feed = AudioFeed(most_bytes=most_bytes)
        self._speaker = speaker
        self._manner = manner
        self._stt = stt
        self._post = post
        self._options = options
        self._turns_before = first_turn_id - 1
        self._last_turn_id = first_turn_id - 1
        self._turn_is_open = False
        self._deadline: asyncio.Timeout | None = None

    @property
    def manner(self) -> Manner:
        """How the speaker is listened to."""
        return self._manner

    @property
    def next_turn_id(self) -> int:
        """A turn id that has not been used."""
        return self._last_turn_id + 1

    def hear(self, audio: Sound) -> None:
        """Takes sound; never waits."""
        self._feed.put(audio)

    def finish_turn(self) -> None:
        """Ends the open turn at the sound taken so far."""
        self._feed.put(FinishTurn())

    async def run(self) -> None:
        """Listens until cancelled."""
        failures = 0
        while True:
            await self._feed.wait()
            try:
                await self._listen_once()
                failures = 0
            except ServiceError as error:
                problem = problem_from(Backend.STT, error)
                await self._post(HearingLost(self._speaker, problem))
                pause_s = self._options.retry_s * min(2**failures, 10)
                failures = min(failures + 1, 10)
                await asyncio.sleep(pause_s)
                self._feed.clear()
            else:
                await self._post(HearingLost(self._speaker))

    async def _listen_once(self) -> None:
        self._turns_before, self._turn_is_open = self._last_turn_id, False
        manner = self._manner
        try:
            async with asyncio.timeout(None) as self._deadline:
                turns = self._stt.listen(
                    self._audio(),
                    sample_rate_hertz=manner.sample_rate_hertz,
                    held=manner.held,
                    language_code=manner.language_code,
                )
                async with aclosing(turns) as events:
                    async for event in events:
                        await self._pass_on(event)
        except TimeoutError:
            msg = "speech recognition did not finish a turn in time"
            # Our own deadline: nobody else has seen a failure that could be logged.
            _logger.warning("speech recognition did not finish a turn in time")
            raise DeadlineExceededError(msg) from None
        finally:
            self._deadline = None

    async def _pass_on(self, event: ListeningEvent) -> None:
        # Each stream counts its turns from 1; the conversation's go on.
        event = replace(event, turn_id=self._turns_before + event.turn_id)
        self._last_turn_id = max(self._last_turn_id, event.turn_id)
        self._turn_is_open = not isinstance(event, Final)
        self._expect_event(self._options.turn_timeout_s if self._turn_is_open else None)
        await self._post(Heard(self._speaker, event))

    async def _audio(self) -> AsyncGenerator[Sound | FinishTurn, None]:
        async with aclosing(self._feed.items(idle_s=self._options.idle_s)) as items:
            async for item in items:
                if isinstance(item, FinishTurn) and self._turn_is_open:
                    self._expect_event(self._options.finish_timeout_s)
                yield item

    def _expect_event(self, within_s: float | None) -> None:
        if self._deadline is not None:
            now_s = asyncio.get_running_loop().time()
            self._deadline.reschedule(None if within_s is None else now_s + within_s)
