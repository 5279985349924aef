"""Threads for the engines' blocking calls; one that hangs is given up and replaced.

A thread that is in a library cannot be stopped. So it is left alone, ends when its call does, and
another takes its place; as a library that hangs once may do so always, only so many are replaced.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("EngineThreads", "Errand")


class Errand:
    """A call that a thread makes.

    Attributes:
        future: what it returns or raises, in the event loop. Cancelling it stops nothing.
        ended: done when the thread is back, which may be long after the call was given up.
    """

    def __init__(self, thread: _Thread, loop: asyncio.AbstractEventLoop) -> None:
        self.future: asyncio.Future[Any] = loop.create_future()
        self.ended: asyncio.Future[None] = loop.create_future()
        self._thread = thread

    @property
    def thread(self) -> _Thread:
        """Who makes it."""
        return self._thread


class _Thread:
    """One thread with its inbox; daemon, so that a hanging one does not keep the process."""

    def __init__(self, name: str) -> None:
        self.lost = False
        self._inbox: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def give(self, work: Callable[[], None] | None) -> None:
        """Hands over the next call, which raises nothing; None ends the thread."""
        self._inbox.put(work)

    def _work(self) -> None:
        while (work := self._inbox.get()) is not None:
            work()
            del work  # or what it holds lives until the next call


class EngineThreads:
    """So many threads, started as they are needed. Belongs to the event loop that uses it.

    Attributes:
        lost: threads that were given up and whose call has not ended.
    """

    def __init__(self, count: int, most_lost: int) -> None:
        """Starts nothing yet.

        Args:
            count: calls that may run at once.
            most_lost: hanging threads that are replaced at a time.
        """
        self._count = count
        self._most_lost = most_lost
        self._idle: list[_Thread] = []
        self._busy = 0  # threads that work and are not given up
        self._started = 0
        self._running: set[asyncio.Future[Any]] = set()
        self._closed = False
        self.lost = 0

    @property
    def free(self) -> int:
        """Calls that could begin now."""
        return 0 if self._closed else self._count - self._busy

    def start(self, work: Callable[[], Any]) -> Errand:
        """Begins a call; there must be a free thread."""
        loop = asyncio.get_running_loop()
        thread = self._idle.pop() if self._idle else self._new()
        errand = Errand(thread, loop)
        self._busy += 1
        self._running.add(errand.future)

        def call() -> None:
            result, error = None, None
            try:
                result = work()
            except BaseException as raised:
                error = raised
            with suppress(RuntimeError):  # the loop is closed: nobody waits any more
                loop.call_soon_threadsafe(self._ended, errand, result, error)

        thread.give(call)
        return errand

    def give_up(self, errand: Errand, error: Exception) -> bool:
        """Lets a call that hangs fail; says whether its thread could be replaced."""
        _settle(errand.future, None, error)
        if self.lost >= self._most_lost:
            return False
        self.lost += 1
        self._busy -= 1
        errand.thread.lost = True
        return True

    async def aclose(self, timeout_s: float) -> None:
        """Begins nothing any more, and waits so long for the calls that run."""
        self._closed = True
        running = {future for future in self._running if not future.done()}
        if running:
            await asyncio.wait(running, timeout=timeout_s)
        for thread in self._idle:
            thread.give(None)
        self._idle.clear()

    def _new(self) -> _Thread:
        self._started += 1
        return _Thread(f"tts-engine-{self._started}")

    def _ended(self, errand: Errand, result: Any, error: BaseException | None) -> None:
        self._running.discard(errand.future)
        if errand.thread.lost:
            self.lost -= 1
        else:
            self._busy -= 1
        if errand.thread.lost or self._closed:
            errand.thread.give(None)
        else:
            self._idle.append(errand.thread)
        errand.ended.set_result(None)
        _settle(errand.future, result, error)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if isinstance(error, StopIteration):  # which a future cannot hold
        error = RuntimeError("the engine's call ended with StopIteration")
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
        # Nobody may be waiting for it any more; asyncio complains of errors that nobody saw.
        future.exception()
