"""Events on their way to one caller: bounded, in order, and closed exactly once."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from voicemesh_stt.events import TurnEvent

__all__ = ("Outbox",)


class Outbox:
    """A bounded queue with an end. All methods belong to one event loop."""

    def __init__(self, bound: int = 32) -> None:
        self._bound = bound
        self._events: deque[TurnEvent] = deque()
        self._failure: BaseException | None = None
        self._closed = False
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def put(self, event: TurnEvent) -> None:
        """Adds an event; waits while the caller does not take the ones before it."""
        while len(self._events) >= self._bound:
            self._room.clear()
            await self._room.wait()
        self._events.append(event)
        self._arrived.set()

    def offer(self, event: TurnEvent) -> bool:
        """Adds an event that can be done without, unless others wait already."""
        if self._events:
            return False
        self._events.append(event)
        self._arrived.set()
        return True

    def close(self) -> None:
        """Says that no event follows."""
        self._closed = True
        self._arrived.set()

    def fail(self, error: BaseException) -> None:
        """Says that the stream ends with `error`, after the events that wait; the first counts."""
        self._failure = self._failure or error
        self.close()

    async def events(self) -> AsyncGenerator[TurnEvent]:
        """All events, until `close`.

        Raises:
            BaseException: what `fail` was given.
        """
        while True:
            while self._events:
                event = self._events.popleft()
                self._room.set()
                yield event
            if self._closed:
                break
            self._arrived.clear()
            await self._arrived.wait()
        if self._failure is not None:
            raise self._failure
