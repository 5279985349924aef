"""Asks the end-of-turn model on the audio threads, and does without it where that would queue up.

The model's word is worth having only if it comes before the silence has decided.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Executor

    from voicemesh_stt.ports import EndOfTurnModel, Samples

__all__ = ("TurnSound",)

_logger = get_logger(__name__)

_MOST_WAITING = 6
"""Questions that may wait: more than 40 ms each on one thread come too late, and keep decoding and
voice activity of all streams waiting."""


class TurnSound:
    """Shared by the streams of a service; belongs to one event loop."""

    def __init__(self, model: Callable[[], EndOfTurnModel | None], threads: Executor) -> None:
        """Makes it.

        Args:
            model: the model, or None if there is none.
            threads: where it runs.
        """
        self._model = model
        self._threads = threads
        self._waiting = 0

    async def probability(self, audio: Samples) -> float | None:
        """The probability that a turn is complete; None if nothing can say so in time."""
        model = self._model()
        if model is None or self._waiting >= _MOST_WAITING:
            return None
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, model.probability, audio)
        except Exception as error:  # whatever a library raises: timing decides without it
            _logger.error("the end-of-turn model failed", exc_info=error)
            return None
        finally:
            self._waiting -= 1
