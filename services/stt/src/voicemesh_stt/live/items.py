"""What a caller sends on a live stream, with the times at which nothing came made visible."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_stt.domain import FinishTurn, LiveItem, Packet
from voicemesh_stt.errors import StreamIdleError
from voicemesh_stt.live.patience import Patience

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

__all__ = ("Leave", "LiveItems", "Quiet")

_TICK_S = 0.02
"""Time between two `Quiet` of one silence: as long as a packet."""


@dataclass(frozen=True)
class Quiet:
    """No packet came for so long."""

    seconds: float
    """How long, in seconds, since the last packet or the last `Quiet`."""


@dataclass(frozen=True)
class Leave:
    """The service is about to stop."""

    at_once: bool
    """Whether there is no time left for an open turn either."""


class LiveItems:
    """Reads one stream; `aclose` ends a read that is under way.

    Its clocks run only in `read`: what the reader does in between is not the caller's silence.
    """

    def __init__(
        self,
        items: AsyncIterator[LiveItem],
        idle_timeout_s: float,
        draining: asyncio.Event,
        drain_turn_s: float,
    ) -> None:
        """Begins with the idle clock at zero.

        Args:
            items: what the caller sends.
            idle_timeout_s: longest time without audio, in seconds.
            draining: set when the service is about to stop.
            drain_turn_s: how long an open turn may go on after that, in seconds.
        """
        self._items = items
        self._idle_timeout_s = idle_timeout_s
        self._draining = draining
        self._drain_turn_s = drain_turn_s
        self._drained_s: float | None = None
        self._patience = Patience()
        self._reading: asyncio.Task[LiveItem | None] | None = None
        self._stopping: asyncio.Task[bool] | None = None
        self._audio_s = time.monotonic()
        self._told_s = self._audio_s
        self._left_s = self._audio_s

    async def read(self, wants_quiet: Callable[[], bool]) -> LiveItem | Quiet | Leave | None:
        """The next item; None at the end; `Leave` once at the start of the drain and once late.

        Args:
            wants_quiet: whether silence is worth telling of now.

        Raises:
            StreamIdleError: if no audio came for the longest time allowed.
        """
        if self._reading is None:
            self._reading = asyncio.create_task(self._next(), name="stt-read")
        if self._stopping is None:
            self._stopping = asyncio.create_task(self._draining.wait(), name="stt-draining")
        away_s = time.monotonic() - self._left_s
        self._audio_s += away_s
        self._told_s += away_s
        try:
            return await self._wait(self._reading, self._stopping, wants_quiet)
        finally:
            self._left_s = time.monotonic()

    async def aclose(self) -> None:
        """Ends a read that is under way."""
        tasks = {task for task in (self._reading, self._stopping) if task is not None}
        for task in tasks:
            task.cancel()
        # What a read that nobody waits for any more ends with is of no interest.
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _wait(
        self,
        reading: asyncio.Task[LiveItem | None],
        stopping: asyncio.Task[bool],
        wants_quiet: Callable[[], bool],
    ) -> LiveItem | Quiet | Leave | None:
        while True:
            now = time.monotonic()
            # Before what was sent: a caller that never rests must hear of it too.
            if (leave := self._leave(now)) is not None:
                return leave
            left_s = self._audio_s + self._idle_timeout_s - now
            wait_s = min(left_s, self._quiet_s() - now) if wants_quiet() else left_s
            if self._drained_s is not None:
                wait_s = min(wait_s, self._drained_s + self._drain_turn_s - now)
            first: set[asyncio.Task[LiveItem | None] | asyncio.Task[bool]] = {reading}
            if self._drained_s is None:
                first.add(stopping)
            await asyncio.wait(first, timeout=max(0.0, wait_s), return_when=asyncio.FIRST_COMPLETED)
            if reading.done():
                return self._taken(reading)
            if time.monotonic() - self._audio_s >= self._idle_timeout_s:
                msg = f"no audio came for {self._idle_timeout_s:g} s"
                raise StreamIdleError(msg)
            if wants_quiet() and time.monotonic() >= self._quiet_s():
                return self._quiet()

    def _leave(self, now: float) -> Leave | None:
        if not self._draining.is_set():
            return None
        if self._drained_s is None:
            self._drained_s = now
            return Leave(at_once=False)
        return Leave(at_once=True) if now - self._drained_s >= self._drain_turn_s else None

    async def _next(self) -> LiveItem | None:
        return await anext(self._items, None)

    def _taken(self, reading: asyncio.Task[LiveItem | None]) -> LiveItem | None:
        self._reading = None
        item = reading.result()
        if item is not None and not isinstance(item, FinishTurn) and item != b"":
            self._audio_s = self._told_s = time.monotonic()
        if isinstance(item, Packet):
            self._patience.packet(item, self._audio_s)
        return item

    def _quiet_s(self) -> float:
        """When the next `Quiet` is due, if nothing comes."""
        told = self._told_s > self._audio_s
        return self._told_s + (_TICK_S if told else self._patience.wait_s)

    def _quiet(self) -> Quiet:
        now = time.monotonic()
        seconds, self._told_s = now - self._told_s, now
        return Quiet(seconds)
