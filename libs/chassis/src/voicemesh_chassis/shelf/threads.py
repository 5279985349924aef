"""Blocking work that may hang, each in a thread of its own.

Not in the event loop's pool of threads: a few loads that hang would take all of its threads from
the rest of the service, and the end of the process would wait for them.
"""

from __future__ import annotations

import asyncio
import atexit
import contextvars
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("Outcome", "in_thread")

T = TypeVar("T")

_LAST_WAIT_S = 2.0

_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came of the work."""

    results: tuple[T, ...]
    """What it returned; empty if it failed."""
    error: Exception | None = None
    """Why it failed."""


def in_thread(work: Callable[[], T], name: str) -> asyncio.Future[Outcome[T]]:
    """Begins the work; the future has what came of it, and never an exception.

    The thread ends with the work, or with the process, which does not wait for it for long. To
    cancel the future does not end the work.

    Args:
        work: what to do.
        name: of the thread.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Outcome[T]] = loop.create_future()
    context = contextvars.copy_context()

    def settle(outcome: Outcome[T]) -> None:
        if not future.done():
            future.set_result(outcome)

    def run() -> None:
        try:
            outcome = Outcome((context.run(work),))
        except Exception as error:  # whatever a library raises is for who waits
            outcome = Outcome[T]((), error)
        with suppress(RuntimeError):  # the loop was closed meanwhile: nobody waits any more
            loop.call_soon_threadsafe(settle, outcome)

    thread = threading.Thread(target=run, name=name, daemon=True)
    _threads.add(thread)
    thread.start()
    return future


@atexit.register
def _wait_for_the_last() -> None:
    """Lets threads end that are about to: they may be in the middle of freeing a model.

    The interpreter ends daemon threads wherever they are, which C++ answers with an abort.
    """
    until_s = time.monotonic() + _LAST_WAIT_S
    for thread in list(_threads):
        if thread.is_alive():
            thread.join(max(0.0, until_s - time.monotonic()))
