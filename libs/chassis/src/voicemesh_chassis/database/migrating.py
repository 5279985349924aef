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

if TYPE_CHECKING:
    from alembic.runtime.environment import EnvironmentContext
    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncEngine

    from voicemesh_chassis.database.tables import Tables

__all__ = ("configure_context", "migrate", "migration_config")

_logger = get_logger(__name__)


async def migrate(engine: AsyncEngine, tables: Tables) -> None:
    """Brings the tables up to date, all of it or nothing.

    Args:
        engine: as `connections.migration_engine` makes it; of SQLite, its transactions exclude each
            other.
        tables: what is to be in the database.

    Raises:
        StartupError: if a newer program has changed the tables, or they are not ours.
        DatabaseUnavailableError: if the database does not answer.
    """
    async with engine.connect() as connection, connection.begin():
        if connection.dialect.name == "postgresql":
            lock = {"lock": tables.lock}
            await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), lock)
        await connection.run_sync(_upgrade, tables)


def migration_config(connection: Connection, tables: Tables) -> Config:
    """What Alembic and the `env.py` of the migrations are told."""
    config = Config(attributes={"connection": connection, "tables": tables})
    config.set_main_option("script_location", tables.migrations)
    return config


def configure_context(context: EnvironmentContext) -> None:
    """What the `env.py` of each service's migrations asks of Alembic, before it runs them.

    Args:
        context: Alembic's, made from a `migration_config`.
    """
    tables: Tables = context.config.attributes["tables"]
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=tables.metadata,
        version_table=tables.version_table,
        # What others keep in the same database is none of our business.
        include_name=lambda name, kind, _: kind != "table" or name in tables.metadata.tables,
        compare_type=True,
        # SQLite can change a column only by making the table anew.
        render_as_batch=True,
    )


def _upgrade(connection: Connection, tables: Tables) -> None:
    config = migration_config(connection, tables)
    scripts = ScriptDirectory.from_config(config)
    newest = scripts.get_current_head()
    noted = {"version_table": tables.version_table}
    current = MigrationContext.configure(connection, opts=noted).get_current_revision()
    if current == newest:
        return
    if current is None:
        _check_empty(connection, tables)
    elif current not in {script.revision for script in scripts.walk_revisions()}:
        msg = (
            f"the database is at revision {current}, of a newer {tables.service} than this one "
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


def _check_empty(connection: Connection, tables: Tables) -> None:
    taken = sorted(tables.metadata.tables.keys() & set(inspect(connection).get_table_names()))
    if taken:
        msg = (
            f"the database has tables that the {tables.service} did not make, such as {taken[0]}: "
            f"give it a database of its own by {tables.url_variable}"
        )
        raise StartupError(msg)
