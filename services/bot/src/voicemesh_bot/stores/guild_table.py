"""Keeps the settings of guilds."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select

from voicemesh_bot.guilds.voice import GuildVoice
from voicemesh_bot.stores.rows import insert_unless_there
from voicemesh_bot.stores.schema import (
    consents,
    guild_voices,
    person_voices,
    transcript_lines,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Row

    from voicemesh_bot.stores.database import BotDatabase

__all__ = ("GuildTable",)

_TABLES = (transcript_lines, person_voices, consents, guild_voices)


class GuildTable:
    """A `GuildStore` in the bot's database."""

    def __init__(self, database: BotDatabase) -> None:
        """Takes an opened database."""
        self._database = database

    async def guild(self, guild_id: int) -> GuildVoice:
        """See `GuildStore.guild`."""
        found = select(guild_voices).where(guild_voices.c.guild_id == guild_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(found)).one_or_none()
        return GuildVoice(guild_id) if row is None else _guild(row)

    async def change_guild(
        self, guild_id: int, change: Callable[[GuildVoice], GuildVoice]
    ) -> GuildVoice:
        """See `GuildStore.change_guild`."""
        this = guild_voices.c.guild_id == guild_id
        async with self._database.transaction() as connection:
            # A row of its own makes others wait who change the same guild for the first time.
            await insert_unless_there(connection, guild_voices, [_values(GuildVoice(guild_id))])
            row = (
                await connection.execute(select(guild_voices).where(this).with_for_update())
            ).one()
            changed = change(_guild(row))
            if changed.guild_id != guild_id:
                msg = "the settings of one guild cannot become those of another"
                raise ValueError(msg)
            await connection.execute(guild_voices.update().where(this).values(_values(changed)))
        return changed

    async def delete_guild(self, guild_id: int) -> None:
        """See `GuildStore.delete_guild`."""
        async with self._database.transaction() as connection:
            for table in _TABLES:
                await connection.execute(delete(table).where(table.c.guild_id == guild_id))


def _values(guild: GuildVoice) -> dict[str, Any]:
    values = {each.name: getattr(guild, each.name) for each in fields(guild)}
    return {**values, "names": list(guild.names), "timings": dict(guild.timings)}


def _guild(row: Row[Any]) -> GuildVoice:
    return GuildVoice(**{**row._mapping, "names": tuple(row.names)})
