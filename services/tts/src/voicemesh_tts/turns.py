"""Callers take turns on a bounded pool of engine threads.

A caller asks for one turn at a time (one piece of one clause) and stands in the queue again for the
next, so a long text cannot hold up a short one for more than a turn. `schedule` says who is next.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from voicemesh_chassis.errors import OverloadedError, UnavailableError
from voicemesh_chassis.logs import get_logger
from voicemesh_tts.engine_threads import EngineThreads, Errand
from voicemesh_tts.errors import EngineStalledError
from voicemesh_tts.schedule import Lane, Schedule, Ticket

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from voicemesh_tts.metrics import TtsMetrics

__all__ = ("Turn", "TurnLimits", "Turns")

_logger = get_logger(__name__)

T = TypeVar("T")

_SHORTEST_RETRY_S = 0.25
_CLOSE_S = 5.0


@dataclass(frozen=True)
class TurnLimits:
    """Bounds of the pool."""

    workers: int = 2
    """Turns at once, each on a thread of its own."""

    max_waiting: int = 64
    """Turns waiting, beyond which a new text is refused."""

    wait_timeout_s: float = 30.0
    """Longest wait for a turn, in seconds."""

    turn_timeout_s: float = 60.0
    """Longest turn, in seconds; then its call fails, and its thread is given up."""

    max_stalled: int = 4
    """Threads that hang and are replaced, at a time."""


@dataclass(frozen=True)
class Turn(Generic[T]):
    """What a turn gave."""

    result: T
    """What the work returned."""

    waited_s: float
    """How long it waited for its turn, in seconds."""

    worked_s: float
    """How long it took, in seconds."""


@dataclass(eq=False)
class _Wish:
    """Work that waits for a thread."""

    work: Callable[[], Any]
    begun: asyncio.Future[_Running]


@dataclass(eq=False)
class _Running:
    """Work that a thread does."""

    errand: Errand
    began_s: float


class Turns:
    """The pool. Made in the event loop that uses it; `aclose` it."""

    def __init__(self, limits: TurnLimits, metrics: TtsMetrics) -> None:
        self._limits = limits
        self._metrics = metrics
        self._schedule: Schedule[_Wish] = Schedule(limits.max_waiting, limits.workers)
        self._threads = EngineThreads(limits.workers, limits.max_stalled)
        self._stuck = 0  # threads that hang and could not be replaced
        metrics.watch_turns(lambda: len(self._schedule), lambda: self._threads.lost + self._stuck)

    async def take(
        self,
        work: Callable[[], T],
        *,
        lane: Lane = Lane.LIVE,
        caller: Hashable = None,
        opening: bool = False,
    ) -> Turn[T]:
        """Runs `work` in a thread of the pool when it is the caller's turn.

        If the caller is cancelled meanwhile, work that has begun goes on unheard, and its thread
        is free for others only when it ends: a running engine cannot be stopped from outside.

        Args:
            work: blocks.
            lane: how urgent it is.
            caller: whose share of the engines' time it counts to.
            opening: whether this begins a new text, which may be refused; one that is being
                spoken is not broken off for the sake of others.

        Raises:
            OverloadedError: if too many wait, or the wait is too long.
            EngineStalledError: if the work takes too long.
            UnavailableError: if the engine hangs in every thread there may be.
        """
        if opening:
            self._admit(lane, caller)
        asked_s = time.monotonic()
        running = await self._begin(work, lane, caller)
        waited_s = max(0.0, running.began_s - asked_s)
        self._metrics.queue_wait_seconds.labels(lane.value).observe(waited_s)
        # A cancelled caller must not cancel what a thread is doing.
        result = await asyncio.shield(running.errand.future)
        return Turn(result, waited_s, time.monotonic() - running.began_s)

    async def aclose(self) -> None:
        """Waits a few seconds for the work that runs, and drops the rest."""
        await self._threads.aclose(_CLOSE_S)

    def _admit(self, lane: Lane, caller: Hashable) -> None:
        if self._stuck >= self._limits.workers:
            msg = "the speech engine of this server hangs; another replica may speak"
            raise UnavailableError(msg)
        if not self._threads.free and not self._schedule.has_room(lane, caller):
            raise self._overloaded()

    async def _begin(self, work: Callable[[], T], lane: Lane, caller: Hashable) -> _Running:
        """Waits until a thread does the work."""
        begun: asyncio.Future[_Running] = asyncio.get_running_loop().create_future()
        ticket = Ticket(_Wish(work, begun), lane, caller)
        self._schedule.add(ticket)
        self._dispatch()
        try:
            async with asyncio.timeout(self._limits.wait_timeout_s):
                return await begun
        except TimeoutError as error:
            raise self._overloaded() from error
        finally:
            self._schedule.discard(ticket)

    def _dispatch(self) -> None:
        """Gives free threads to those whose turn it is."""
        while self._threads.free:
            ticket = self._schedule.take(time.monotonic())
            if ticket is None:
                return
            self._run(ticket)

    def _run(self, ticket: Ticket[_Wish]) -> None:
        running = _Running(self._threads.start(ticket.item.work), time.monotonic())
        # Apart from who waits for it: that one may be gone before the work hangs.
        watchdog = asyncio.get_running_loop().call_later(
            self._limits.turn_timeout_s, self._stalled, running
        )

        def over(_: asyncio.Future[Any]) -> None:
            watchdog.cancel()
            self._schedule.done(ticket, time.monotonic() - running.began_s)
            self._dispatch()

        running.errand.future.add_done_callback(over)
        if not ticket.item.begun.done():
            ticket.item.begun.set_result(running)

    def _stalled(self, running: _Running) -> None:
        limit_s = self._limits.turn_timeout_s
        error = EngineStalledError(f"the speech engine gave no answer for {limit_s:g} s")
        replaced = self._threads.give_up(running.errand, error)
        self._metrics.stalls.inc()
        _logger.error("the speech engine hangs", seconds=limit_s, thread_replaced=replaced)
        if not replaced:
            self._stuck += 1
            running.errand.ended.add_done_callback(self._unstuck)

    def _unstuck(self, _: asyncio.Future[None]) -> None:
        self._stuck -= 1
        self._dispatch()

    def _overloaded(self) -> OverloadedError:
        self._metrics.refused.inc()
        waiting = len(self._schedule) + 1
        retry_after_s = max(
            _SHORTEST_RETRY_S, self._schedule.turn_s * waiting / self._limits.workers
        )
        msg = "too many texts wait for the speech engine; try again later"
        return OverloadedError(msg, retry_after_s=round(retry_after_s, 2))
