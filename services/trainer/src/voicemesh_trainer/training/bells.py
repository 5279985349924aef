"""Wakes those who wait for what happens in this process, before they look by themselves."""

from __future__ import annotations

import asyncio
from contextlib import suppress

__all__ = ("Bell", "Bells")


class Bell:
    """Tells any number of waiting tasks that there is something to look at.

    What rings between two looks is not lost: `heard` is taken before the look, and a wait ends at
    once if the bell rang since then.
    """

    def __init__(self) -> None:
        self._rings = 0
        self._ringing = asyncio.Event()

    @property
    def heard(self) -> int:
        """How often it has rung."""
        return self._rings

    def ring(self) -> None:
        """Wakes all that wait."""
        self._rings += 1
        self._ringing.set()
        self._ringing = asyncio.Event()

    async def wait(self, heard: int, timeout_s: float) -> None:
        """Waits until it has rung more than `heard` times, at most `timeout_s` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                while self._rings <= heard:
                    await self._ringing.wait()


class Bells:
    """The bells of the training jobs of this process."""

    def __init__(self) -> None:
        self.work = Bell()
        """There may be a job to take or to tidy up after."""
        self.jobs = Bell()
        """Some job changed."""
