"""Storage: the database and the files, and the work that keeps them small."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_chassis.database.meters import DatabaseMeters
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.files import FileStore
from voicemesh_trainer.stores.upkeep import Upkeep

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from voicemesh_trainer.settings import TrainerSettings

__all__ = ("Storage",)


class Storage:
    """The database and the files, and their life.

    Attributes:
        database: where rows are kept.
        files: where files are kept.
    """

    def __init__(self, settings: TrainerSettings, registry: CollectorRegistry) -> None:
        """Puts them together; nothing is touched before `open`.

        Raises:
            ConfigurationError: if an address cannot be used.
        """
        storage = settings.storage
        self.database = Database(
            storage.database, storage.limits, DatabaseMeters("trainer", registry)
        )
        self.files = FileStore(storage.files, storage.directory, cache_bytes=storage.cache_bytes)
        self._upkeep = Upkeep(self.database, self.files)

    async def open(self) -> None:
        """Brings the tables up to date, and sees that files can be kept.

        Raises:
            StartupError: if one of them cannot be used.
        """
        await self.database.open()
        await self.files.prepare()
        self._upkeep.start()

    async def aclose(self) -> None:
        """Closes both, after all who use them. Safe to call twice, and before `open`."""
        await self._upkeep.aclose()
        await self.files.aclose()
        await self.database.aclose()
