"""A database that is away: calls fail clearly, in time, and go on by themselves once it is back."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import insert, select, text
from sqlalchemy.exc import IntegrityError

from voicemesh_chassis.database.limits import DatabaseLimits
from voicemesh_chassis.database.meters import DatabaseMeters
from voicemesh_chassis.metrics import new_registry
from voicemesh_trainer.errors import DatabaseUnavailableError, StorageFullError
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.schema import tenants

pytestmark = pytest.mark.unit

LIMITS = DatabaseLimits(connections=3, wait_s=0.5, statement_s=1.0)
PATIENCE_S = 30.0
"""Far more than any limit above; what does not end by then never would."""


async def add(database: Database, tenant: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(tenants).values(tenant=tenant))


async def execute(database: Database, statement: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(text(statement))


async def names(database: Database) -> list[str]:
    async with database.reading() as connection:
        found = await connection.scalars(select(tenants.c.tenant).order_by(tenants.c.tenant))
        return list(found)


async def fails(call: Awaitable[object]) -> DatabaseUnavailableError:
    """Checks that a call fails, soon, and with what a caller can go by."""
    with pytest.raises(DatabaseUnavailableError) as failed:
        async with asyncio.timeout(PATIENCE_S):
            await call
    assert (failed.value.code, failed.value.reason) == ("UNAVAILABLE", "DATABASE_UNAVAILABLE")
    assert failed.value.retryable
    assert failed.value.retry_after_s
    return failed.value


@pytest_asyncio.fixture
async def sqlite_file(tmp_path: Path) -> AsyncIterator[tuple[Database, Path]]:
    """An open SQLite database, and its file, alone in a directory."""
    path = tmp_path / "data" / "trainer.db"
    database = Database(f"sqlite:///{path}", LIMITS)
    await database.open()
    await add(database, "before")
    yield database, path
    await database.aclose()


@pytest.fixture(scope="module")
def server(new_postgresql: Callable[[], Any]) -> Any:
    """A PostgreSQL server that may be stopped."""
    return new_postgresql()


@pytest_asyncio.fixture
async def remote(server: Any) -> AsyncIterator[Database]:
    """An open database of that server."""
    registry = new_registry()
    url = server.url(server.new_database())
    database = Database(url, LIMITS, DatabaseMeters("trainer", registry))
    await database.open()
    await add(database, "before")
    yield database
    await database.aclose()


async def test_a_file_that_another_program_has_locked(sqlite_file: tuple[Database, Path]) -> None:
    database, path = sqlite_file
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    await fails(add(database, "during"))
    assert await names(database) == ["before"]

    other.execute("ROLLBACK")
    other.close()
    await add(database, "after")
    assert await names(database) == ["after", "before"]


async def test_a_directory_that_is_gone_and_comes_back(
    sqlite_file: tuple[Database, Path], tmp_path: Path
) -> None:
    database, path = sqlite_file
    path.parent.rename(tmp_path / "elsewhere")

    await fails(add(database, "during"))
    await fails(names(database))
    assert not await database.check()
    assert not path.exists()

    (tmp_path / "elsewhere").rename(path.parent)
    await add(database, "after")
    assert await names(database) == ["after", "before"]
    assert await database.check()


async def test_a_file_that_is_put_back_from_a_backup(
    sqlite_file: tuple[Database, Path], tmp_path: Path
) -> None:
    database, path = sqlite_file
    with sqlite3.connect(path) as source, sqlite3.connect(tmp_path / "backup.db") as backup:
        source.backup(backup)
    source.close()
    backup.close()
    await add(database, "lost")
    shutil.rmtree(path.parent)
    await fails(names(database))

    path.parent.mkdir()
    shutil.copyfile(tmp_path / "backup.db", path)
    await asyncio.gather(*(add(database, f"after {n}") for n in range(3)), names(database))
    assert await names(database) == ["after 0", "after 1", "after 2", "before"]


async def test_a_full_disk_is_said_to_be_full_and_loses_nothing(
    sqlite_file: tuple[Database, Path],
) -> None:
    database, _ = sqlite_file
    async with database.transaction() as connection:
        pages = (await connection.exec_driver_sql("PRAGMA page_count")).scalar_one()
        await connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    async def fill() -> None:
        for number in range(100):
            await add(database, f"{number} {'x' * 10_000}")

    with pytest.raises(StorageFullError) as full:
        await fill()
    assert (full.value.code, full.value.reason) == ("RESOURCE_EXHAUSTED", "STORAGE_FULL")
    kept = await names(database)
    assert "before" in kept

    async with database.transaction() as connection:
        await connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    await add(database, "after")
    assert await names(database) == sorted(["after", *kept])


async def test_all_connections_in_use(sqlite_file: tuple[Database, Path]) -> None:
    database, _ = sqlite_file
    async with database.transaction():
        await fails(add(database, "during"))
    await add(database, "after")


async def test_a_server_that_is_stopped_and_started_again(server: Any, remote: Database) -> None:
    server.stop()
    try:
        for _ in range(3):
            await fails(add(remote, "during"))
            await fails(names(remote))
    finally:
        server.start()
    await add(remote, "after")
    assert await names(remote) == ["after", "before"]


async def test_a_server_that_stops_within_a_transaction(server: Any, remote: Database) -> None:
    async def broken() -> None:
        async with remote.transaction() as connection:
            await connection.execute(insert(tenants).values(tenant="during"))
            await asyncio.to_thread(server.stop)
            await connection.execute(insert(tenants).values(tenant="during, too"))

    try:
        await fails(broken())
    finally:
        server.start()
    await add(remote, "after")
    assert await names(remote) == ["after", "before"]


async def test_a_server_that_does_not_move(server: Any, remote: Database) -> None:
    await asyncio.gather(*(names(remote) for _ in range(3)))
    server.freeze()
    began_s = time.monotonic()
    try:
        await asyncio.gather(*(fails(names(remote)) for _ in range(5)))
    finally:
        server.thaw()
    assert time.monotonic() - began_s < PATIENCE_S

    async def back() -> bool:
        try:
            return await names(remote) == ["before"]
        except DatabaseUnavailableError:
            return False

    async with asyncio.timeout(PATIENCE_S):
        while not await back():
            await asyncio.sleep(0)


async def test_a_statement_that_takes_too_long(remote: Database) -> None:
    await fails(execute(remote, "SELECT pg_sleep(60)"))
    assert await names(remote) == ["before"]


async def test_a_row_that_somebody_else_holds(remote: Database) -> None:
    lock = select(tenants).with_for_update()
    async with remote.transaction() as connection:
        await connection.execute(lock)

        async def second() -> None:
            async with remote.transaction() as other:
                await other.execute(lock)

        await fails(second())


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("53100", StorageFullError),
        ("53300", DatabaseUnavailableError),
        ("25006", DatabaseUnavailableError),
        ("23505", IntegrityError),
    ],
)
async def test_what_the_server_says_is_told_in_our_words(
    remote: Database, code: str, error: type[Exception]
) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$"
    with pytest.raises(error):
        await execute(remote, raising)
    await add(remote, "after")


async def test_it_is_shown_whether_the_database_is_up(server: Any) -> None:
    registry = new_registry()
    database = Database(
        server.url(server.new_database()), LIMITS, DatabaseMeters("trainer", registry)
    )
    await database.open()
    server.stop()
    try:
        assert not await database.check()
        assert registry.get_sample_value("voicemesh_trainer_database_up") == 0
    finally:
        server.start()
    assert await database.check()
    assert registry.get_sample_value("voicemesh_trainer_database_up") == 1
    labels = {"kind": "reading", "reason": "DATABASE_UNAVAILABLE"}
    name = "voicemesh_trainer_database_failures_total"
    assert (registry.get_sample_value(name, labels) or 0) >= 1
    await database.aclose()
