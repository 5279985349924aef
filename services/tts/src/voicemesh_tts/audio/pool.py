"""Threads for encoding, apart from the engine's, so that sound that exists is not kept waiting."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("EncodingPool",)

T = TypeVar("T")


class EncodingPool:
    """Runs short work off the event loop. Each call has one piece of work in it at most."""

    def __init__(self, workers: int = 2) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="tts-encode")

    async def run(self, work: Callable[[], T]) -> T:
        """What `work` returns; if cancelled, work that has begun goes on unheard."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    async def aclose(self) -> None:
        """Waits for the work that runs and drops the rest."""
        await asyncio.to_thread(self._pool.shutdown, wait=True, cancel_futures=True)
