"""Removes what nobody needs any more, so that database and files do not grow for ever."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from sqlalchemy import select

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.domain.ids import time_of
from voicemesh_trainer.errors import (
    DatabaseUnavailableError,
    FilesUnavailableError,
    StorageFullError,
)
from voicemesh_trainer.stores.requests import forget_requests
from voicemesh_trainer.stores.schema import archives, models, training_jobs

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_trainer.stores.database import Database
    from voicemesh_trainer.stores.files import FileStore

__all__ = ("Upkeep",)

_logger = get_logger(__name__)

_FIRST_S = 60.0
_PAUSE_S = 3600.0
_KEPT_S = 7 * 24 * 3600.0
"""Requests are repeated, and rows that name a new file are written, long before."""


class Upkeep:
    """Tidies up, every hour. Any number of replicas may do so at once."""

    def __init__(
        self, database: Database, files: FileStore, now: Callable[[], float] = time.time
    ) -> None:
        """Takes what to tidy up, and a clock (seconds since 1970)."""
        self._database = database
        self._files = files
        self._now = now
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins; returns at once."""
        self._task = asyncio.create_task(self._run(), name="upkeep of storage")

    async def aclose(self) -> None:
        """Ends. Safe to call twice, and before `start`."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def tidy(self) -> tuple[int, int]:
        """Forgets old requests, and deletes old files that no row names.

        Such files are left behind by programs that were killed, and by models that were deleted.

        Returns:
            How many requests, and how many files.

        Raises:
            DatabaseUnavailableError: if the database cannot be reached.
            FilesUnavailableError: if the store of files cannot be reached.
        """
        before_s = self._now() - _KEPT_S
        requests = await forget_requests(self._database, before_s)
        # First the files, then the rows: a file that got its row in between is not taken for one
        # without.
        old = [name for name in await self._files.names() if _made(name) < before_s]
        unneeded = set(old) - await self._named() if old else set()
        for name in sorted(unneeded):
            await self._files.delete(name)
        return requests, len(unneeded)

    async def _named(self) -> set[str]:
        columns = (archives.c.file, models.c.adapter_file, training_jobs.c.curve_file)
        named: set[str] = set()
        async with self._database.reading() as connection:
            for column in columns:
                named.update(await connection.scalars(select(column).where(column.is_not(None))))
            for run in await connection.scalars(select(training_jobs.c.run)):
                named.add(run.get("checkpoint_file", ""))
        return named

    async def _run(self) -> None:
        pause_s = _FIRST_S
        while True:
            await asyncio.sleep(pause_s)
            pause_s = _PAUSE_S
            try:
                requests, files = await self.tidy()
            except (DatabaseUnavailableError, FilesUnavailableError, StorageFullError) as error:
                _logger.warning("storage cannot be tidied up now", reason=error.reason)
            else:
                if requests or files:
                    _logger.info("storage tidied up", requests=requests, files=files)


def _made(name: str) -> float:
    """When a file was made, by its name; in seconds since 1970."""
    return time_of(name.split("-")[-2])
