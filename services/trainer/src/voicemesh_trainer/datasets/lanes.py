"""Blocking work of one call, on the threads of many."""

from __future__ import annotations

import asyncio
import io
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from concurrent.futures import Executor
    from typing import BinaryIO

__all__ = ("Lane",)

T = TypeVar("T")

_BLOCK_BYTES = 1 << 16


class _Watched(io.RawIOBase):
    """A file whose reader is interrupted when the call is over."""

    def __init__(self, file: BinaryIO, lane: Lane) -> None:
        self._file = file
        self._lane = lane

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._lane.stopped:
            raise InterruptedError
        view = memoryview(buffer)
        data = self._file.read(len(view))
        view[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


class Lane:
    """Runs the pieces of a call's work on threads, one at a time.

    A cancelled call does not wait for the thread that works for it. What that works on is freed by
    `end`, once the thread has come out.
    """

    def __init__(self, threads: Executor) -> None:
        self._threads = threads
        self._inside = threading.Lock()
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether the call is over: work that takes long looks at this now and then, and ends."""
        return self._stopped

    async def run(self, work: Callable[[], T]) -> T:
        """The result of `work`, which runs on a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._go, work)

    async def iterate(self, items: Iterator[T]) -> AsyncIterator[T]:
        """Items, each of which is made on a thread; none is None."""
        while (item := await self.run(lambda: next(items, None))) is not None:
            yield item

    def watched(self, file: BinaryIO) -> BinaryIO:
        """A file from its beginning; reading raises `InterruptedError` once the call is over."""
        file.seek(0)
        return io.BufferedReader(_Watched(file, self), _BLOCK_BYTES)

    def end(self, *closing: Callable[[], object]) -> None:
        """The call is over. Returns at once; runs `closing` when nobody works on it any more."""
        self._stopped = True
        self._threads.submit(self._close, closing)

    def _go(self, work: Callable[[], T]) -> T:
        with self._inside:
            if self._stopped:  # nobody waits for the result
                raise InterruptedError
            return work()

    def _close(self, closing: tuple[Callable[[], object], ...]) -> None:
        with self._inside:
            for close in closing:
                close()
