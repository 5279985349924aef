"""The bot's database with all that is kept in it, and the work that keeps it small."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from voicemesh_bot.stores.database import BotDatabase
from voicemesh_bot.stores.guild_table import GuildTable
from voicemesh_bot.stores.people_table import PeopleTable
from voicemesh_bot.stores.transcript_table import TranscriptTable
from voicemesh_bot.transcripts.keeping import TranscriptExpiry
from voicemesh_chassis.database.meters import DatabaseMeters

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

    from voicemesh_bot.settings import StorageSettings

__all__ = ("Storage",)


class Storage:
    """What the bot keeps, and its life.

    Attributes:
        guilds: settings of guilds, a `GuildStore`.
        people: a `ConsentStore` and a `PersonStore`.
        transcripts: what was said, a `TranscriptStore`.
    """

    def __init__(self, settings: StorageSettings, registry: CollectorRegistry) -> None:
        """Puts it together; nothing is touched before `open`.

        Raises:
            ConfigurationError: if the address cannot be used.
        """
        meters = DatabaseMeters("bot", registry)
        self._database = BotDatabase(settings.database, settings.limits, meters)
        self.guilds = GuildTable(self._database)
        self.people = PeopleTable(self._database)
        self.transcripts = TranscriptTable(self._database)
        self._expiring: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connects, brings the tables up to date and lets transcripts expire from now on.

        Raises:
            StartupError: if the database cannot be used.
        """
        await self._database.open()
        expiry = TranscriptExpiry(self.transcripts)
        self._expiring = asyncio.create_task(expiry.run(), name="expiry of transcripts")

    async def aclose(self) -> None:
        """Closes it, after all who use it. Safe to call twice, and before `open`."""
        if self._expiring is not None:
            self._expiring.cancel()
            await asyncio.wait({self._expiring})
        await self._database.aclose()
