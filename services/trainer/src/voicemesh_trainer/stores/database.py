"""The trainer's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_chassis.database.database import Database as ServiceDatabase
from voicemesh_chassis.database.tables import Tables
from voicemesh_trainer.stores.schema import metadata

if TYPE_CHECKING:
    from voicemesh_chassis.database.limits import DatabaseLimits
    from voicemesh_chassis.database.meters import DatabaseMeters

__all__ = ("TABLES", "Database")

TABLES = Tables(
    service="trainer",
    metadata=metadata,
    migrations="voicemesh_trainer.stores:migrations",
    lock=0x76_6D_74_72,  # "vmtr"
    settings_prefix="VOICEMESH_TRAINER_STORAGE",
)


class Database(ServiceDatabase):
    """A `voicemesh_chassis.database` with the trainer's tables."""

    def __init__(
        self,
        url: str,
        limits: DatabaseLimits | None = None,
        meters: DatabaseMeters | None = None,
    ) -> None:
        """Takes where it is; connects to nothing yet.

        Args:
            url: such as `sqlite:///trainer.db` or `postgresql://user@host/name`.
            limits: how many connections there are and how long anything may take.
            meters: count what is asked of it.

        Raises:
            ConfigurationError: if the URL is none of these.
        """
        super().__init__(url, TABLES, limits, meters)
