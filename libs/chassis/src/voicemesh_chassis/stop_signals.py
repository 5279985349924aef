"""SIGTERM and SIGINT: the first asks for a drain, the second ends the process at once."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

__all__ = ("stop_signals",)

_logger = get_logger(__name__)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def stop_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Calls `stop` in the running loop on the first signal, while the block runs.

    Does nothing outside the main thread, where Python delivers no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()

    def first(number: signal.Signals) -> None:
        _logger.info("signal received, draining; a second one ends at once", signal=number.name)
        # Not the default action: the kernel ignores it for process 1 of a container.
        for each in _SIGNALS:
            signal.signal(each, _end_at_once)
        stop()

    for number in _SIGNALS:
        loop.add_signal_handler(number, first, number)
    try:
        yield
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


def _end_at_once(number: int, _frame: FrameType | None) -> None:
    os._exit(128 + number)
