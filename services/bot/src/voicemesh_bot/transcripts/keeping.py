"""Hands lines of transcripts to the store in the background, and lets them expire there."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING

from voicemesh_chassis.database import DatabaseUnavailableError, StorageFullError
from voicemesh_chassis.logs import get_logger

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_bot.guilds.ports import TranscriptStore
    from voicemesh_bot.guilds.transcripts import TranscriptLine

__all__ = ("TranscriptExpiry", "TranscriptKeeper")

_logger = get_logger(__name__)

_MOST_WAITING = 1000
_LAST_TRY_S = 5.0
_EXPIRY_PAUSE_S = 300.0


class TranscriptKeeper:
    """Keeps the lines of one session; `run` it as a task.

    A conversation never waits for the database. While that is away, lines wait in memory; of more
    than 1,000 the oldest are lost, which the log says.
    """

    def __init__(
        self, store: TranscriptStore, kept_s: float, *, now: Callable[[], float] = time.time
    ) -> None:
        """Takes where to keep lines, for how many seconds each, and a clock (since 1970).

        With 0 seconds nothing is kept, not even for a moment. `kept_s` may be set later; lines that
        wait then go by the new value.
        """
        self._store = store
        self.kept_s = kept_s
        self._now = now
        self._waiting: deque[TranscriptLine] = deque()
        self._news = asyncio.Event()
        self._writing = asyncio.Lock()

    def keep(self, line: TranscriptLine) -> None:
        """Takes a line; never waits."""
        if self.kept_s <= 0:
            return
        if len(self._waiting) == _MOST_WAITING:
            self._waiting.popleft()
            _logger.warning("a line of a transcript is lost: too many wait for the database")
        self._waiting.append(line)
        self._news.set()

    async def run(self) -> None:
        """Keeps lines until cancelled; then tries once more, for some seconds at most."""
        try:
            while True:
                await self._news.wait()
                try:
                    await self.flush()
                except (DatabaseUnavailableError, StorageFullError) as error:
                    _logger.warning("transcript cannot be kept now", reason=error.reason)
                    await asyncio.sleep(error.retry_after_s or 1.0)
        finally:
            await self._flush_at_last()

    async def flush(self) -> None:
        """Hands over all lines that wait, so that they can be read from the store.

        Raises:
            DatabaseUnavailableError: if the database is away; the lines wait on.
            StorageFullError: if it has no room; the lines wait on.
        """
        # One at a time: lines leave the queue only when they are kept.
        async with self._writing:
            while self._waiting:
                batch = tuple(self._waiting)
                await self._store.add(batch, expire_time=self._now() + self.kept_s)
                kept = set(map(id, batch))
                while self._waiting and id(self._waiting[0]) in kept:
                    self._waiting.popleft()
            self._news.clear()

    async def _flush_at_last(self) -> None:
        try:
            async with asyncio.timeout(_LAST_TRY_S):
                await self.flush()
        except (DatabaseUnavailableError, StorageFullError, TimeoutError):
            _logger.warning("lines of a transcript are lost", lines=len(self._waiting))


class TranscriptExpiry:
    """Deletes lines whose time is over; `run` it as a task, in any number of replicas."""

    def __init__(self, store: TranscriptStore, pause_s: float = _EXPIRY_PAUSE_S) -> None:
        """Takes where lines are kept, and how many seconds to wait between two looks."""
        self._store = store
        self._pause_s = pause_s

    async def run(self) -> None:
        """Looks at once and then every few minutes, until cancelled."""
        while True:
            try:
                deleted = await self._store.expire()
            except (DatabaseUnavailableError, StorageFullError) as error:
                _logger.warning("transcripts cannot expire now", reason=error.reason)
            else:
                if deleted:
                    _logger.info("transcripts expired", lines=deleted)
            await asyncio.sleep(self._pause_s)
