"""The bot's tables: as the schema says, durable, and beside the trainer's in one database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect

from voicemesh_bot.stores.database import TABLES, BotDatabase
from voicemesh_bot.stores.guild_table import GuildTable
from voicemesh_bot.stores.schema import metadata
from voicemesh_chassis.database.limits import DatabaseLimits
from voicemesh_chassis.database.meters import DatabaseMeters
from voicemesh_chassis.database.migrating import migration_config
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_trainer.stores.database import Database as TrainersDatabase

pytestmark = pytest.mark.unit


def differences(connection: Connection) -> list[Any]:
    """What the tables have not of the schema, or have beyond it; other services' are ignored."""
    options = {
        "compare_type": True,
        "version_table": TABLES.version_table,
        "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables,
    }
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))


async def test_the_migrations_make_the_tables_of_the_schema(bot_database: BotDatabase) -> None:
    async with bot_database.transaction() as connection:
        assert await connection.run_sync(differences) == []


async def test_the_first_migration_can_be_undone(bot_database: BotDatabase) -> None:
    def undo(connection: Connection) -> list[str]:
        command.downgrade(migration_config(connection, TABLES), "base")
        return inspect(connection).get_table_names()

    async with bot_database.transaction() as connection:
        assert await connection.run_sync(undo) == [TABLES.version_table]


async def test_what_was_decided_is_there_after_a_restart(
    bot_database: BotDatabase, bot_database_url: str
) -> None:
    table = GuildTable(bot_database)
    await table.change_guild(7, lambda guild: type(guild)(7, captions=True))
    await bot_database.aclose()

    again = BotDatabase(bot_database_url)
    await again.open()
    assert (await GuildTable(again).guild(7)).captions
    await again.aclose()


async def test_shards_may_start_at_once_on_an_empty_database(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    for url in (f"sqlite:///{tmp_path / 'new' / 'bot.db'}", new_database_url()):
        shards = [BotDatabase(url) for _ in range(3)]
        await asyncio.gather(*(each.open() for each in shards))
        found = await asyncio.gather(*(GuildTable(each).guild(1) for each in shards))
        await asyncio.gather(*(each.aclose() for each in shards))
        assert len(set(map(str, found))) == 1


async def test_bot_and_trainer_may_share_a_database(new_database_url: Callable[[], str]) -> None:
    url = new_database_url()
    first, second = TrainersDatabase(url), BotDatabase(url)
    for _ in range(2):
        await first.open()
        await second.open()
        async with second.transaction() as connection:
            assert await connection.run_sync(differences) == []
        await first.aclose()
        await second.aclose()
        first, second = TrainersDatabase(url), BotDatabase(url)


async def test_a_wrong_address_is_told_with_the_name_of_the_setting() -> None:
    with pytest.raises(ConfigurationError, match="VOICEMESH_BOT_STORAGE__DATABASE_URL"):
        BotDatabase("mysql://somewhere/else")


async def test_a_server_that_is_not_there_ends_the_start_with_the_name_of_the_setting(
    tmp_path: Path,
) -> None:
    database = BotDatabase(f"postgresql://u@/n?host={tmp_path}", DatabaseLimits(start_s=0.0))
    with pytest.raises(StartupError, match="VOICEMESH_BOT_STORAGE__DATABASE_URL"):
        await database.open()
    await database.aclose()


async def test_transactions_are_counted_under_the_bots_own_name(bot_database_url: str) -> None:
    registry = new_registry()
    database = BotDatabase(bot_database_url, meters=DatabaseMeters("bot", registry))
    await database.open()
    await GuildTable(database).guild(1)
    await database.aclose()

    count = registry.get_sample_value(
        "voicemesh_bot_database_transactions_total", {"kind": "reading"}
    )
    assert count is not None
    assert count >= 1
    assert registry.get_sample_value("voicemesh_bot_database_up") == 1
