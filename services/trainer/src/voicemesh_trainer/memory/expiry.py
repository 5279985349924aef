"""Forgets answers when their time is over."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.errors import DatabaseUnavailableError, StorageFullError

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_trainer.ports.memory import LessonStore

__all__ = ("ResponseExpiry",)

_logger = get_logger(__name__)

_DAY_S = 24 * 3600.0
_PAUSE_S = 600.0


class ResponseExpiry:
    """Deletes answers older than a number of days, now and every ten minutes."""

    def __init__(
        self, store: LessonStore, days: float, now: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._kept_s = days * _DAY_S
        self._now = now
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins; returns at once."""
        self._task = asyncio.create_task(self._run(), name="expiry of answers")

    async def aclose(self) -> None:
        """Ends. Safe to call before `start`."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                count = await self._store.forget_responses(self._now() - self._kept_s)
            except (DatabaseUnavailableError, StorageFullError) as error:
                # To delete takes room, too.
                _logger.warning("answers cannot be forgotten now", reason=error.reason)
            else:
                if count:
                    _logger.info("answers forgotten", count=count)
            await asyncio.sleep(_PAUSE_S)
