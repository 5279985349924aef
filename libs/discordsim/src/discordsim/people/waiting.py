"""Waiting for something that happens on the same event loop, without asking again and again."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from discordsim.errors import NotSeenError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("Bell",)

T = TypeVar("T")


class Bell:
    """Rings when something has changed; who waits looks whether it was what they wait for."""

    def __init__(self) -> None:
        """Begin with nobody waiting."""
        self._waiting: set[asyncio.Future[None]] = set()

    def ring(self) -> None:
        """Wake all who wait."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    async def wait_for(self, look: Callable[[], T | None], timeout_s: float, what: str) -> T:
        """Return what `look` finds as soon as that is something.

        Args:
            look: returns None while there is nothing yet.
            timeout_s: how long to wait at most.
            what: what is waited for, for the error.

        Raises:
            NotSeenError: the time is over.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while (found := look()) is None:
                    future = asyncio.get_running_loop().create_future()
                    self._waiting.add(future)
                    try:
                        await future
                    finally:
                        self._waiting.discard(future)
        except TimeoutError as error:
            raise NotSeenError(f"{what}: not within {timeout_s:g} s") from error
        return found
