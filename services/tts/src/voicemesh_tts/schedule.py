"""Whose turn it is: two lanes, and equal shares of the engines' time for all callers in a lane.

- Live texts go before whole ones; after four turns in a row that went before it, one of bulk is
  taken. While somebody speaks live, bulk leaves one worker free: a turn that runs cannot be pushed
  aside.
- Within a lane that caller is next who has had the least time. Who comes new is treated like the
  one who has had least among those who are there, so nobody saves up turns, and nobody has to make
  up for having been alone. Calls of the same caller go in the order of asking.
- The last quarter of the room is kept for live callers who have nothing waiting yet.

The shares are those of start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996), with one
difference: what a turn costs is known when it is over, and guessed until then.

Pure and single-threaded, without a clock of its own; `turns` runs it.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ("Lane", "Schedule", "Ticket")

_LIVE_IN_A_ROW = 4
"""Live turns before one of bulk that waits; so bulk never starves."""
_LIVE_FOR_S = 5.0
"""How long after a live turn there is likely to be another, in seconds."""
_COMMON_SHARE = 0.75
"""Share of the room that anyone may fill."""
_FIRST_GUESS_S = 0.1
_SMOOTHING = 0.2

T = TypeVar("T")


class Lane(StrEnum):
    """How urgent work is."""

    LIVE = "live"
    """Somebody listens while it is spoken."""
    BULK = "bulk"
    """The audio is wanted whole."""


@dataclass(eq=False)
class Ticket(Generic[T]):
    """A turn that somebody wants."""

    item: T
    """What it is for."""
    lane: Lane
    """How urgent it is."""
    caller: Hashable
    """Whose share it counts to."""
    charged_s: float = 0.0
    """What it has been counted as so far, in seconds."""


@dataclass(eq=False)
class _LaneQueue(Generic[T]):
    """One lane: callers with what they wait for, and how much each has had."""

    callers: dict[Hashable, deque[Ticket[T]]] = field(default_factory=dict)
    had_s: dict[Hashable, float] = field(default_factory=dict)
    clock_s: float = 0.0
    running: int = 0

    def __len__(self) -> int:
        return sum(map(len, self.callers.values()))

    def add(self, ticket: Ticket[T]) -> None:
        if ticket.caller not in self.callers:
            self.callers[ticket.caller] = deque()
            self.had_s[ticket.caller] = max(self.clock_s, self.had_s.get(ticket.caller, 0.0))
        self.callers[ticket.caller].append(ticket)

    def remove(self, ticket: Ticket[T]) -> bool:
        waiting = self.callers.get(ticket.caller)
        if waiting is None or ticket not in waiting:
            return False
        waiting.remove(ticket)
        if not waiting:
            del self.callers[ticket.caller]
        return True

    def take(self, guess_s: float) -> Ticket[T]:
        """The next ticket; there must be one."""
        caller = min(self.callers, key=self.had_s.__getitem__)
        ticket = self.callers[caller][0]
        self.remove(ticket)
        self.clock_s = max(self.clock_s, self.had_s[caller])
        ticket.charged_s = guess_s
        self.had_s[caller] += guess_s
        self.running += 1
        return ticket

    def done(self, ticket: Ticket[T], worked_s: float) -> None:
        """What it cost is known now."""
        self.running -= 1
        if ticket.caller in self.had_s:
            self.had_s[ticket.caller] += worked_s - ticket.charged_s
        if not self.running and not self.callers:
            self.had_s.clear()
            self.clock_s = 0.0
            return
        for caller in [each for each in self.had_s if self._is_even(each)]:
            del self.had_s[caller]

    def _is_even(self, caller: Hashable) -> bool:
        """Whether nothing would change if the caller were forgotten."""
        return caller not in self.callers and self.had_s[caller] <= self.clock_s


class Schedule(Generic[T]):
    """Tickets that wait, and a count of what runs."""

    def __init__(self, room: int, workers: int) -> None:
        """Makes an empty one.

        Args:
            room: tickets that may wait, as far as `has_room` is asked.
            workers: turns that run at once.
        """
        self._room = room
        self._workers = workers
        self._lanes: dict[Lane, _LaneQueue[T]] = {lane: _LaneQueue() for lane in Lane}
        self._in_a_row = 0
        self._live_s = -math.inf
        self._turn_s = _FIRST_GUESS_S

    def __len__(self) -> int:
        """Tickets that wait."""
        return sum(map(len, self._lanes.values()))

    @property
    def turn_s(self) -> float:
        """What a turn costs, by those of late, in seconds."""
        return self._turn_s

    def has_room(self, lane: Lane, caller: Hashable) -> bool:
        """Whether a new text may wait."""
        waiting = len(self)
        if waiting >= self._room:
            return False
        if waiting < max(1, int(self._room * _COMMON_SHARE)):
            return True
        return lane is Lane.LIVE and caller not in self._lanes[lane].callers

    def add(self, ticket: Ticket[T]) -> None:
        """Takes a ticket in, whatever the room."""
        self._lanes[ticket.lane].add(ticket)

    def discard(self, ticket: Ticket[T]) -> bool:
        """Removes one that nobody waits for any more; says whether it still waited."""
        return self._lanes[ticket.lane].remove(ticket)

    def take(self, now_s: float) -> Ticket[T] | None:
        """The next turn for a worker that is free; `done` must follow. None if there is none.

        Args:
            now_s: the time, on any clock that does not run backwards.
        """
        live, bulk = self._lanes[Lane.LIVE], self._lanes[Lane.BULK]
        bulk_may = bool(bulk.callers) and bulk.running < self._bulk_workers(now_s)
        if live.callers and not (bulk_may and self._in_a_row >= _LIVE_IN_A_ROW):
            self._in_a_row = self._in_a_row + 1 if bulk.callers else 0
            self._live_s = now_s
            return live.take(self._turn_s)
        if not bulk_may:
            return None
        self._in_a_row = 0
        return bulk.take(self._turn_s)

    def done(self, ticket: Ticket[T], worked_s: float) -> None:
        """A turn that was taken is over.

        Args:
            ticket: the turn.
            worked_s: how long it took, in seconds.
        """
        self._turn_s += _SMOOTHING * (worked_s - self._turn_s)
        self._lanes[ticket.lane].done(ticket, worked_s)

    def _bulk_workers(self, now_s: float) -> int:
        is_live = now_s - self._live_s < _LIVE_FOR_S
        return max(1, self._workers - 1) if is_live else self._workers
