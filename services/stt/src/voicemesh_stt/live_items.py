"""What a caller sends on a live stream, with the times at which nothing came made visible."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_stt.domain import FinishTurn, LiveItem
from voicemesh_stt.errors import StreamIdleError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ("LiveItems", "Quiet")

_QUIET_AFTER_S = 0.1
"""Time without a packet after which it is silence and not the network; packets come every 20 ms."""


@dataclass(frozen=True)
class Quiet:
    """No packet came for so long."""

    seconds: float
    """How long, in seconds, since the last packet or the last `Quiet`."""


class LiveItems:
    """Reads one stream; `aclose` ends a read that is under way.

    Its clocks run only in `read`: what the reader does in between is not the caller's silence.
    """

    def __init__(self, items: AsyncIterator[LiveItem], idle_timeout_s: float) -> None:
        """Begins with the idle clock at zero.

        Args:
            items: what the caller sends.
            idle_timeout_s: longest time without audio, in seconds.
        """
        self._items = items
        self._idle_timeout_s = idle_timeout_s
        self._reading: asyncio.Task[LiveItem | None] | None = None
        self._audio_s = time.monotonic()
        self._told_s = self._audio_s
        self._left_s = self._audio_s

    async def read(self, wants_quiet: Callable[[], bool]) -> LiveItem | Quiet | None:
        """The next item; None at the end.

        Args:
            wants_quiet: whether silence is worth telling of now.

        Raises:
            StreamIdleError: if no audio came for the longest time allowed.
        """
        if self._reading is None:
            self._reading = asyncio.create_task(self._next(), name="stt-read")
        away_s = time.monotonic() - self._left_s
        self._audio_s += away_s
        self._told_s += away_s
        try:
            return await self._wait(self._reading, wants_quiet)
        finally:
            self._left_s = time.monotonic()

    async def aclose(self) -> None:
        """Ends a read that is under way."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    async def _wait(
        self, reading: asyncio.Task[LiveItem | None], wants_quiet: Callable[[], bool]
    ) -> LiveItem | Quiet | None:
        while True:
            now = time.monotonic()
            left_s = self._audio_s + self._idle_timeout_s - now
            wait_s = min(left_s, _QUIET_AFTER_S) if wants_quiet() else left_s
            await asyncio.wait({reading}, timeout=max(0.0, wait_s))
            if reading.done():
                return self._taken(reading)
            if time.monotonic() - self._audio_s >= self._idle_timeout_s:
                msg = f"no audio came for {self._idle_timeout_s:g} s"
                raise StreamIdleError(msg)
            if wants_quiet():
                return self._quiet()

    async def _next(self) -> LiveItem | None:
        return await anext(self._items, None)

    def _taken(self, reading: asyncio.Task[LiveItem | None]) -> LiveItem | None:
        self._reading = None
        item = reading.result()
        if item is not None and not isinstance(item, FinishTurn) and item != b"":
            self._audio_s = self._told_s = time.monotonic()
        return item

    def _quiet(self) -> Quiet:
        now = time.monotonic()
        seconds, self._told_s = now - self._told_s, now
        return Quiet(seconds)
