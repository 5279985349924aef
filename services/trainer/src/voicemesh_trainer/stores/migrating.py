"""Brings the tables up to date at the start, under a lock: several replicas may start at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import StartupError
from voicemesh_trainer.stores.schema import metadata

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ("migrate",)

_logger = get_logger(__name__)

_LOCK = 0x76_6D_74_72
"""Any number, as long as nobody else locks it: "vmtr"."""


async def migrate(engine: AsyncEngine) -> None:
    """Brings the tables up to date, all of it or nothing.

    Args:
        engine: as `connections.migration_engine` makes it; of SQLite, its transactions exclude each
            other.

    Raises:
        StartupError: if a newer program has changed the tables, or they are not ours.
        DatabaseUnavailableError: if the database does not answer.
    """
    async with engine.connect() as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        await connection.run_sync(_upgrade)


def _upgrade(connection: Connection) -> None:
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", "voicemesh_trainer.stores:migrations")
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == newest:
        return
    if current is None:
        _check_empty(connection)
    elif current not in {script.revision for script in scripts.walk_revisions()}:
        msg = (
            f"the database is at revision {current}, of a newer trainer than this one "
            f"({newest}): run that one, or restore a backup from before"
        )
        raise StartupError(msg)
    command.upgrade(config, "head")
    if connection.dialect.name == "sqlite":
        _check_references(connection)
    _logger.info("tables brought up to date", before=current, now=newest)


def _check_references(connection: Connection) -> None:
    """SQLite does not look after references while tables are changed."""
    if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
        msg = (
            "the database has rows that refer to nothing, so it is left as it is: restore a backup"
        )
        raise StartupError(msg)


def _check_empty(connection: Connection) -> None:
    taken = sorted(metadata.tables.keys() & set(inspect(connection).get_table_names()))
    if taken:
        msg = (
            f"the database has tables that the trainer did not make, such as {taken[0]}: give it "
            "a database of its own by VOICEMESH_TRAINER_STORAGE__DATABASE_URL"
        )
        raise StartupError(msg)
