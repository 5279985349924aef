"""Callers take turns on a bounded pool of engine threads.

A caller asks for one turn at a time (one piece of one clause) and waiting turns are served in the
order of asking. So callers go round robin by themselves: who has had a turn stands behind everyone
who waits, and a long text cannot hold up a short one for more than a turn.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from voicemesh_chassis.errors import OverloadedError
from voicemesh_tts.errors import EngineStalledError

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_tts.metrics import TtsMetrics

__all__ = ("Turn", "TurnLimits", "Turns")

T = TypeVar("T")

_SMOOTHING = 0.2
_SHORTEST_RETRY_S = 0.25


@dataclass(frozen=True)
class TurnLimits:
    """Bounds of the pool."""

    workers: int = 2
    """Threads."""

    max_waiting: int = 32
    """Turns waiting, beyond which a new text is refused."""

    wait_timeout_s: float = 30.0
    """Longest wait for a turn, in seconds."""

    turn_timeout_s: float = 60.0
    """Longest turn, in seconds."""


@dataclass(frozen=True)
class Turn(Generic[T]):
    """What a turn gave."""

    result: T
    """What the work returned."""

    waited_s: float
    """How long it waited for its turn, in seconds."""

    worked_s: float
    """How long it took, in seconds."""


class Turns:
    """The pool. Made in the event loop that uses it; `aclose` it."""

    def __init__(self, limits: TurnLimits, metrics: TtsMetrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._free = asyncio.Semaphore(limits.workers)  # wakes in the order of asking
        self._pool = ThreadPoolExecutor(limits.workers, thread_name_prefix="tts-engine")
        self._waiting = 0
        self._turn_s = 0.1  # of late, smoothed; for the advice when to come back

    async def take(self, work: Callable[[], T], *, opening: bool = False) -> Turn[T]:
        """Runs `work` in a thread of the pool when it is the caller's turn.

        If the caller is cancelled meanwhile, work that has begun goes on unheard, and its thread
        is free for others only when it ends: a running engine cannot be stopped from outside.

        Args:
            work: blocks.
            opening: whether this begins a new text, which may be refused; one that is being
                spoken is not broken off for the sake of others.

        Raises:
            OverloadedError: if too many wait, or the wait is too long.
            EngineStalledError: if the work takes too long.
        """
        if opening and self._free.locked() and self._waiting >= self._limits.max_waiting:
            raise self._overloaded()
        begin = time.monotonic()
        await self._wait()
        started = time.monotonic()
        self._metrics.queue_wait_seconds.observe(started - begin)
        future = asyncio.get_running_loop().run_in_executor(self._pool, work)
        future.add_done_callback(self._leave)
        try:
            async with asyncio.timeout(self._limits.turn_timeout_s):
                result = await asyncio.shield(future)
        except TimeoutError as error:
            if future.done():
                raise  # the engine's own
            msg = f"the speech engine gave no answer for {self._limits.turn_timeout_s:g} s"
            raise EngineStalledError(msg) from error
        worked_s = time.monotonic() - started
        self._turn_s += _SMOOTHING * (worked_s - self._turn_s)
        return Turn(result, started - begin, worked_s)

    async def aclose(self) -> None:
        """Waits for the work that runs and drops the rest."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)

    async def _wait(self) -> None:
        self._waiting += 1
        self._metrics.waiting.set(self._waiting)
        try:
            async with asyncio.timeout(self._limits.wait_timeout_s):
                await self._free.acquire()
        except TimeoutError as error:
            raise self._overloaded() from error
        finally:
            self._waiting -= 1
            self._metrics.waiting.set(self._waiting)

    def _leave(self, future: asyncio.Future[T]) -> None:
        self._free.release()
        # Nobody may be waiting for it any more; asyncio complains of errors that nobody saw.
        if not future.cancelled():
            future.exception()

    def _overloaded(self) -> OverloadedError:
        self._metrics.refused.inc()
        retry_after_s = max(
            _SHORTEST_RETRY_S, self._turn_s * (self._waiting + 1) / self._limits.workers
        )
        msg = "too many texts wait for the speech engine; try again later"
        return OverloadedError(msg, retry_after_s=round(retry_after_s, 2))
