"""Blocking work that may hang, each in a thread of its own.

Not in the event loop's pool of threads: a few loads that hang would take all of its threads from
the rest of the service, and the end of the process would wait for them.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ("Outcome", "in_thread")

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome(Generic[T]):
    """What came of the work."""

    results: tuple[T, ...]
    """What it returned; empty if it failed."""
    error: Exception | None = None
    """Why it failed."""


def in_thread(work: Callable[[], T], name: str) -> asyncio.Future[Outcome[T]]:
    """Begins the work; the future has what came of it, and never an exception.

    The thread ends with the work, or with the process, which does not wait for it. To cancel the
    future does not end the work.

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

    threading.Thread(target=run, name=name, daemon=True).start()
    return future
