"""The bot's database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_bot.stores.schema import metadata
from voicemesh_chassis.database.database import Database
from voicemesh_chassis.database.tables import Tables

if TYPE_CHECKING:
    from voicemesh_chassis.database.limits import DatabaseLimits
    from voicemesh_chassis.database.meters import DatabaseMeters

__all__ = ("TABLES", "BotDatabase")

TABLES = Tables(
    service="bot",
    metadata=metadata,
    migrations="voicemesh_bot.stores:migrations",
    lock=0x76_6D_62_74,  # "vmbt"
    settings_prefix="VOICEMESH_BOT_STORAGE",
    version_table="voicemesh_bot_revision",
)


class BotDatabase(Database):
    """A `voicemesh_chassis.database` with the bot's tables."""

    def __init__(
        self,
        url: str,
        limits: DatabaseLimits | None = None,
        meters: DatabaseMeters | None = None,
    ) -> None:
        """Takes where it is; connects to nothing yet.

        Args:
            url: such as `sqlite:///bot.db` or `postgresql://user@host/name`.
            limits: how many connections there are and how long anything may take.
            meters: count what is asked of it.

        Raises:
            ConfigurationError: if the URL is none of these.
        """
        super().__init__(url, TABLES, limits, meters)
