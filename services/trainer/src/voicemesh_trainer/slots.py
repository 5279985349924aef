"""Bounds how many answers are written at once, and how many wait for their turn."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import OverloadedError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("Slots",)

_RETRY_AFTER_S = 1.0


class Slots:
    """A semaphore with a short, bounded queue; whoever comes when that is full is refused.

    First come, first served. For use in one event loop.
    """

    def __init__(self, count: int, *, max_waiting: int, max_wait_s: float) -> None:
        self._count = count
        self._free = asyncio.Semaphore(count)
        self._taken = 0
        self._waiting = 0
        self._max_waiting = max_waiting
        self._max_wait_s = max_wait_s

    @property
    def taken(self) -> int:
        """How many slots are in use."""
        return self._taken

    async def take(self) -> Callable[[], None]:
        """Waits for a slot and returns what frees it; calling that again does nothing.

        Raises:
            OverloadedError: if too many wait already, or none came free in time.
        """
        if self._free.locked() and self._waiting >= self._max_waiting:
            msg = f"all {self._count} answer slots are in use and {self._waiting} callers wait"
            raise OverloadedError(msg, retry_after_s=_RETRY_AFTER_S)
        self._waiting += 1
        try:
            async with asyncio.timeout(self._max_wait_s):
                await self._free.acquire()
        except TimeoutError:
            msg = f"none of the {self._count} answer slots came free in {self._max_wait_s:g} s"
            raise OverloadedError(msg, retry_after_s=_RETRY_AFTER_S) from None
        finally:
            self._waiting -= 1
        self._taken += 1
        return self._release_once()

    def _release_once(self) -> Callable[[], None]:
        freed = False

        def free() -> None:
            nonlocal freed
            if not freed:
                freed = True
                self._taken -= 1
                self._free.release()

        return free
