"""Connects to the database, and says in the errors of services what is wrong with it."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.pool import QueuePool

from voicemesh_chassis.database.connections import (
    migration_engine,
    postgresql_engine,
    read_url,
    sqlite_engine,
    sqlite_lookup_engine,
)
from voicemesh_chassis.database.errors import DatabaseUnavailableError, StorageFullError
from voicemesh_chassis.database.faults import cause_of, unavailable_error
from voicemesh_chassis.database.limits import DatabaseLimits
from voicemesh_chassis.database.lookups import SqliteLookups
from voicemesh_chassis.database.meters import DatabaseMeters
from voicemesh_chassis.database.migrating import migrate
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.service import ConfigurationError, StartupError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from sqlalchemy import Connection
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from voicemesh_chassis.database.tables import Tables

__all__ = ("Database",)

_logger = get_logger(__name__)

_AGAIN_S = 0.5
_RETURN_S = 0.01
_WATCH_S = 5.0
_LOOKUP_THREADS = 4

T = TypeVar("T")


class Database:
    """A service's database; any number of tasks of one event loop may use it at once.

    If it goes away, calls fail until it is back, and then go on by themselves.
    """

    def __init__(
        self,
        url: str,
        tables: Tables,
        limits: DatabaseLimits | None = None,
        meters: DatabaseMeters | None = None,
    ) -> None:
        """Takes where it is; connects to nothing yet.

        Args:
            url: such as `sqlite:///trainer.db` or `postgresql://user@host/name`.
            tables: what is in it.
            limits: how many connections there are and how long anything may take.
            meters: count what is asked of it.

        Raises:
            ConfigurationError: if the URL is none of these.
        """
        self._url = read_url(url, tables)
        self._tables = tables
        self._limits = limits or DatabaseLimits()
        self._meters = meters or DatabaseMeters(tables.service)
        is_file = self._url.get_backend_name() == "sqlite"
        self._path = Path(self._url.database or "").absolute() if is_file else None
        self._file: tuple[int, int] | None = None
        self._writer: AsyncEngine | None = None
        self._reader: AsyncEngine | None = None
        self._lookups: SqliteLookups | None = None
        self._up = False
        self._is_open = False
        self._watch: asyncio.Task[None] | None = None
        self._reopening = asyncio.Lock()

    async def open(self) -> None:
        """Connects and brings the tables up to date.

        Waits for a server that is not there yet.

        Raises:
            StartupError: if it cannot be reached or is newer than this program.
        """
        until_s = time.monotonic() + self._limits.start_s
        while True:
            try:
                await self._connect()
                break
            except (DatabaseUnavailableError, StorageFullError) as error:
                _refuse_if_final(error, self._path, self._tables)
                if time.monotonic() >= until_s:
                    msg = (
                        f"the database did not answer within {self._limits.start_s:g} s: see that "
                        f"it runs, or set {self._tables.url_variable} to another one"
                    )
                    raise StartupError(msg) from error
                _logger.warning("waiting for the database", cause=cause_of(error))
            await asyncio.sleep(_AGAIN_S)
        self._is_open = True
        self._note(up=True)
        self._watch = asyncio.create_task(self._keep_watch(), name="database watch")

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is durable when the block ends, and undone if it raises.

        On SQLite one runs at a time, and nothing else may be begun in the block: do slow work
        before it.

        Raises:
            DatabaseUnavailableError: if the database cannot be reached or does not answer in time;
                nothing was changed then, unless the connection broke in the commit.
            StorageFullError: if it has no room; nothing was changed.
        """
        async with self._begun("writing") as connection:
            yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """A consistent view, for reading only. Raises as `transaction` does."""
        async with self._begun("reading") as connection:
            yield connection

    async def look(self, look: Callable[[Connection], T]) -> T:
        """What `look` makes of a consistent view: the quickest way to read a few rows.

        Args:
            look: reads, and does nothing else; it may be called on a thread.

        Raises:
            DatabaseUnavailableError: as `reading` does.
        """
        if self._path is None:
            async with self.reading() as connection:
                return await connection.run_sync(look)
        with self._watched("reading"):
            if self._file != _identity(self._path):
                await self._follow_file(self._path)
            if self._lookups is None:
                raise unavailable_error()
            try:
                return await self._lookups.run(look)
            except (OSError, PoolTimeoutError) as error:
                raise unavailable_error() from error

    async def check(self) -> bool:
        """Whether the database answers."""
        try:
            async with self.reading() as connection:
                await connection.execute(text("SELECT 1"))
        except (DatabaseUnavailableError, StorageFullError):
            return False
        return True

    async def aclose(self) -> None:
        """Closes all connections. Safe to call twice, and before `open`."""
        if self._watch is not None:
            self._watch.cancel()
            await asyncio.wait({self._watch})
        self._is_open = False
        async with self._reopening:
            await self._disconnect()

    @asynccontextmanager
    async def _begun(self, kind: str) -> AsyncIterator[AsyncConnection]:
        with self._watched(kind):
            async with AsyncExitStack() as stack:
                yield await self._begin(stack, kind)

    @contextmanager
    def _watched(self, kind: str) -> Iterator[None]:
        with self._meters.measure(kind):
            try:
                yield
            except DatabaseUnavailableError as error:
                self._note(up=False, cause=cause_of(error))
                raise
        self._note(up=True)

    async def _begin(self, stack: AsyncExitStack, kind: str) -> AsyncConnection:
        if self._path is not None and self._file != _identity(self._path):
            await self._follow_file(self._path)
        engine = self._writer if kind == "writing" else self._reader
        if engine is None:
            raise unavailable_error()
        try:
            connection = await stack.enter_async_context(engine.connect())
            await stack.enter_async_context(connection.begin())
        except (OSError, PoolTimeoutError) as error:
            raise unavailable_error() from error
        return connection

    async def _connect(self) -> None:
        if self._path is not None:
            await asyncio.to_thread(_make_directory, self._path.parent, self._tables)
        engine = migration_engine(self._url, self._path, self._limits)
        try:
            await migrate(engine, self._tables)
        except (OSError, PoolTimeoutError) as error:
            raise unavailable_error() from error
        finally:
            await engine.dispose()
        if self._path is not None:
            self._file = _identity(self._path)
            self._writer = sqlite_engine(self._path, self._limits, for_reading=False)
            self._reader = sqlite_engine(self._path, self._limits, for_reading=True)
            looking = sqlite_lookup_engine(self._path, self._limits, _LOOKUP_THREADS)
            self._lookups = SqliteLookups(looking, _LOOKUP_THREADS)
        else:
            self._writer = postgresql_engine(self._url, self._limits, service=self._tables.service)
            self._reader = self._writer.execution_options(
                isolation_level="REPEATABLE READ", postgresql_readonly=True
            )

    async def _follow_file(self, path: Path) -> None:
        """SQLite would go on with a file that was taken away, and what it wrote would be lost."""
        async with self._reopening:
            found = _identity(path)
            if found == self._file:
                return
            await self._disconnect()
            if found is None or not self._is_open:
                raise unavailable_error()
            _logger.warning("the database is another file than before")
            await self._connect()

    async def _disconnect(self) -> None:
        writer, reader, lookups = self._writer, self._reader, self._lookups
        self._writer = self._reader = self._lookups = self._file = None
        if lookups is not None:
            await lookups.aclose()
        for engine in (writer, reader):
            if engine is not None:
                await _all_returned(engine, self._limits.wait_s)
                await engine.dispose()

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_S)
            await self.check()

    def _note(self, *, up: bool, cause: str = "") -> None:
        self._meters.up.set(up)
        if up is not self._up:
            self._up = up
            if up:
                _logger.info("the database answers")
            else:
                _logger.warning("the database does not answer", cause=cause)


def _identity(path: Path) -> tuple[int, int] | None:
    # A local file's entry is in memory: this takes a few microseconds.
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _make_directory(directory: Path, tables: Tables) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        msg = (
            f"the {tables.service}'s directory {directory} cannot be made ({error.strerror}): set "
            f"{tables.settings_prefix}__DATA_DIR to one that can be written to"
        )
        raise StartupError(msg) from error


async def _all_returned(engine: AsyncEngine, wait_s: float) -> None:
    """Waits until no task has a connection: what comes back after `dispose` is never closed.

    Who was cancelled gives its connection back a moment later.
    """
    pool = engine.sync_engine.pool
    until_s = time.monotonic() + wait_s
    while time.monotonic() < until_s:
        if not isinstance(pool, QueuePool) or pool.checkedout() == 0:
            return
        await asyncio.sleep(_RETURN_S)


def _refuse_if_final(error: Exception, path: Path | None, tables: Tables) -> None:
    """Raises `StartupError` for what waiting does not mend."""
    if path is not None:
        msg = (
            f"the database {path} cannot be used: see that it is a SQLite file, that this user may "
            "write to it, that there is room, and that nothing else has locked it"
        )
        raise StartupError(msg) from error
    if isinstance(error, StorageFullError):
        msg = "the database server has no room left: make room there"
        raise StartupError(msg) from error
    state = getattr(error.__cause__, "sqlstate", None) or ""
    if state[:2] in {"28", "3D"}:
        msg = (
            f"the database server refuses this user, password or database ({state}): correct "
            f"{tables.url_variable}"
        )
        raise ConfigurationError(msg) from error
