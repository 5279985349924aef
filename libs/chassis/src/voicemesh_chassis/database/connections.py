"""Connections to SQLite and PostgreSQL, as services want them.

Every wait on them ends: for a free connection, for a lock, for the server's answer.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, AsyncAdaptedQueuePool, NullPool, QueuePool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util.concurrency import await_only, in_greenlet

from voicemesh_chassis.database.faults import translate_faults
from voicemesh_chassis.service import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine
    from sqlalchemy.ext.asyncio import AsyncEngine

    from voicemesh_chassis.database.limits import DatabaseLimits
    from voicemesh_chassis.database.tables import Tables

__all__ = (
    "migration_engine",
    "postgresql_engine",
    "read_url",
    "sqlite_engine",
    "sqlite_lookup_engine",
)

_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "sqlite+aiosqlite": "sqlite+aiosqlite",
    "postgres": "postgresql+asyncpg",
    "postgresql": "postgresql+asyncpg",
    "postgresql+asyncpg": "postgresql+asyncpg",
}
_RECYCLE_S = 1800
_MIGRATION_WAIT_S = 60
_SWITCH_AGAIN_S = 0.01


def read_url(text: str, tables: Tables) -> URL:
    """The address of a database, with the driver that is used here.

    Args:
        text: what the settings say.
        tables: what is to be in the database.

    Raises:
        ConfigurationError: if it is not one of SQLite or PostgreSQL. Its message does not quote it,
            as there may be a password in it.
    """
    try:
        url = make_url(text)
        driver = _DRIVERS[url.drivername]
    except (ArgumentError, KeyError) as error:
        msg = (
            "the database's address is none of sqlite:///FILE and postgresql://USER@HOST/NAME; "
            f"set {tables.url_variable} to one of these"
        )
        raise ConfigurationError(msg) from error
    url = url.set(drivername=driver)
    if driver.startswith("sqlite"):
        if url.query or not url.database or url.database == ":memory:":
            msg = (
                f"the {tables.service}'s SQLite database is a file: sqlite:///FILE, without "
                "parameters"
            )
            raise ConfigurationError(msg)
        return url
    # What other programs call `sslmode`, asyncpg calls `ssl`.
    if mode := url.query.get("sslmode"):
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return url


def sqlite_engine(path: Path, limits: DatabaseLimits, *, for_reading: bool) -> AsyncEngine:
    """An engine on a SQLite file that exists.

    That for writing has one connection, so who waits for it waits in order.
    """
    engine = create_async_engine(
        _sqlite_url(path, "rw"),
        poolclass=AsyncAdaptedQueuePool,
        pool_size=limits.connections if for_reading else 1,
        max_overflow=0,
        pool_timeout=limits.wait_s,
        connect_args={"timeout": limits.wait_s},
    )
    _prepare_sqlite(engine.sync_engine, path, limits.wait_s, for_reading=for_reading)
    return engine


def sqlite_lookup_engine(path: Path, limits: DatabaseLimits, threads: int) -> Engine:
    """An engine for reading a SQLite file that exists, for so many threads."""
    engine = create_engine(
        _sqlite_url(path, "rw", driver="sqlite+pysqlite"),
        poolclass=QueuePool,
        pool_size=threads,
        max_overflow=0,
        pool_timeout=limits.wait_s,
        # Any of the threads may be given any of the connections, though never two the same.
        connect_args={"timeout": limits.wait_s, "check_same_thread": False},
    )
    _prepare_sqlite(engine, path, limits.wait_s, for_reading=True)
    return engine


def postgresql_engine(url: URL, limits: DatabaseLimits, *, service: str) -> AsyncEngine:
    """An engine on a PostgreSQL database, which sees `voicemesh-SERVICE` among its clients."""
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=limits.connections,
        max_overflow=0,
        pool_timeout=limits.wait_s,
        pool_pre_ping=True,
        pool_recycle=_RECYCLE_S,
        connect_args={
            "timeout": limits.wait_s,
            # The server ends a statement by itself; this is for one that does not answer at all.
            "command_timeout": limits.statement_s + limits.wait_s,
            "server_settings": {
                "application_name": f"voicemesh-{service}",
                "statement_timeout": _milliseconds(limits.statement_s),
                "lock_timeout": _milliseconds(limits.wait_s),
                "idle_in_transaction_session_timeout": _milliseconds(4 * limits.statement_s),
            },
        },
    )
    _prepare_postgresql(engine)
    return engine


def migration_engine(url: URL, path: Path | None, limits: DatabaseLimits) -> AsyncEngine:
    """An engine for changing tables: without bounds on statements, and SQLite's file is made.

    Args:
        url: of the database.
        path: SQLite's file; None of PostgreSQL.
        limits: bounds the wait for a connection.
    """
    if path is None:
        engine = create_async_engine(
            url, poolclass=NullPool, connect_args={"timeout": limits.wait_s}
        )
        _prepare_postgresql(engine)
        return engine
    wait_s = max(limits.wait_s, _MIGRATION_WAIT_S)
    engine = create_async_engine(
        _sqlite_url(path, "rwc"), poolclass=NullPool, connect_args={"timeout": wait_s}
    )
    # To change a column, SQLite makes the table anew and drops the old one, which would take the
    # rows with it that refer to it.
    _prepare_sqlite(engine.sync_engine, path, wait_s, for_reading=False, foreign_keys=False)
    return engine


def _sqlite_url(path: Path, mode: str, driver: str = "sqlite+aiosqlite") -> URL:
    # Without a mode, SQLite would put an empty database where the file has vanished.
    query = {"mode": mode, "uri": "true"}
    return URL.create(driver, database=path.absolute().as_uri(), query=query)


def _prepare_sqlite(
    engine: Engine, path: Path, wait_s: float, *, for_reading: bool, foreign_keys: bool = True
) -> None:
    begin = "BEGIN" if for_reading else "BEGIN IMMEDIATE"

    def on_connect(connection: Any, _record: object) -> None:
        # Python's module shall not begin transactions by itself.
        connection.isolation_level = None
        cursor = connection.cursor()
        _write_ahead(cursor, wait_s)
        for pragma in (
            "synchronous=FULL",  # what is committed is on the disk
            "fullfsync=ON",  # also on macOS
            f"foreign_keys={'ON' if foreign_keys else 'OFF'}",
            "trusted_schema=OFF",
            f"query_only={'ON' if for_reading else 'OFF'}",
            # In KiB: a large import holds up other writers for half as long if its indexes fit.
            f"cache_size={-2_000 if for_reading else -32_000}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    def on_begin(connection: Connection) -> None:
        # Who reads first and writes later would be refused if another had written in between.
        connection.exec_driver_sql(begin)

    def on_close(connection: Any, _record: object) -> None:
        # A task that was cancelled leaves its transaction open. SQLite keeps a closed connection,
        # with its locks, for as long as a cursor of it is held, as by the traceback of that task.
        if in_greenlet():
            with suppress(sqlite3.Error, ValueError):  # it may be closed already
                connection.rollback()

    event.listen(engine, "connect", on_connect)
    event.listen(engine, "begin", on_begin)
    event.listen(engine, "close", on_close)
    translate_faults(engine, path.parent, for_reading=for_reading)


def _write_ahead(cursor: Any, wait_s: float) -> None:
    """Switches the file to a write-ahead log, if it is not yet.

    Where another program is about to write, SQLite refuses that at once instead of waiting: two
    that switch a new file together would otherwise wait for each other.
    """
    until_s = time.monotonic() + wait_s
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() >= until_s:
                raise
        else:
            return
        if in_greenlet():
            await_only(asyncio.sleep(_SWITCH_AGAIN_S))
        else:
            time.sleep(_SWITCH_AGAIN_S)


def _prepare_postgresql(engine: AsyncEngine) -> None:
    def on_connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        # A server may be set to acknowledge before it has written; what we acknowledge is durable.
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) "
            "WHERE current_setting('synchronous_commit') = 'off'"
        )
        cursor.close()
        connection.commit()

    event.listen(engine.sync_engine, "connect", on_connect)
    translate_faults(engine.sync_engine)


def _milliseconds(seconds: float) -> str:
    return str(round(seconds * 1000))
