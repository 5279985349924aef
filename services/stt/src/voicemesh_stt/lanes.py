"""The bounded queue in front of the engine: live work before bulk, and nothing without an end.

Pure and single-threaded; `engines.owner` runs it.
"""

from __future__ import annotations

from collections import deque
from typing import Generic, TypeVar

from voicemesh_stt.ports import Lane

__all__ = ("Lanes",)

_LIVE_IN_A_ROW = 4
"""Live jobs taken while bulk waits, before one bulk job is; so bulk never starves."""

T = TypeVar("T")


class Lanes(Generic[T]):
    """Jobs that wait, each in its lane, first come first served within one."""

    def __init__(self, bound: int) -> None:
        """Makes an empty queue.

        Args:
            bound: most jobs that may wait, over all lanes.
        """
        self._bound = bound
        self._waiting: dict[Lane, deque[T]] = {lane: deque() for lane in Lane}
        self._in_a_row = 0

    def __len__(self) -> int:
        """Jobs that wait."""
        return sum(len(lane) for lane in self._waiting.values())

    def offer(self, job: T, lane: Lane) -> bool:
        """Takes a job in, or says that there is no room.

        A partial is taken in only if nothing else waits: under load it is the first to go.
        """
        waiting = len(self)
        if waiting >= self._bound or (lane is Lane.PARTIAL and waiting > 0):
            return False
        self._waiting[lane].append(job)
        return True

    def take(self) -> T | None:
        """The next job to run; None if none waits."""
        lane = self._next_lane()
        if lane is None:
            return None
        starving = lane is not Lane.BULK and bool(self._waiting[Lane.BULK])
        self._in_a_row = self._in_a_row + 1 if starving else 0
        return self._waiting[lane].popleft()

    def discard(self, job: T, lane: Lane) -> None:
        """Removes a job that nobody waits for any more; does nothing if it has been taken."""
        if job in self._waiting[lane]:
            self._waiting[lane].remove(job)

    def _next_lane(self) -> Lane | None:
        if self._in_a_row >= _LIVE_IN_A_ROW and self._waiting[Lane.BULK]:
            return Lane.BULK
        return next((lane for lane in Lane if self._waiting[lane]), None)
