"""Events on their way to one caller: bounded, in order, and closed exactly once."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from voicemesh_stt.errors import CallerNotReadingError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from voicemesh_stt.events import TurnEvent

__all__ = ("Outbox",)


class Outbox:
    """A bounded queue with an end. All methods belong to one event loop."""

    def __init__(self, bound: int = 32, patience_s: float = 30.0) -> None:
        """Makes an empty one.

        Args:
            bound: most events that may wait for the caller.
            patience_s: longest time that one more waits for room, in seconds.
        """
        self._bound = bound
        self._patience_s = patience_s
        self._events: deque[TurnEvent] = deque()
        self._failure: BaseException | None = None
        self._closed = False
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()

    async def put(self, event: TurnEvent) -> None:
        """Adds an event; waits while the caller does not take the ones before it.

        Raises:
            CallerNotReadingError: if there was no room for the longest time allowed.
        """
        try:
            async with asyncio.timeout(self._patience_s):
                while len(self._events) >= self._bound:
                    self._room.clear()
                    await self._room.wait()
        except TimeoutError as error:
            msg = f"{self._bound} events wait, and none was read for {self._patience_s:g} s"
            raise CallerNotReadingError(msg) from error
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
