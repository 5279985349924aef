"""Short looks into the database: what an answer waits for."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import DBAPIError

from voicemesh_chassis.database.errors import DatabaseUnavailableError
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.schema import tenants

pytestmark = pytest.mark.unit

WAIT_S = 20


async def add(database: Database, tenant: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(tenants).values(tenant=tenant))


def count(view: Connection) -> int:
    return int(view.execute(select(func.count()).select_from(tenants)).scalar_one())


async def test_what_was_written_is_seen_by_the_next_look(database: Database) -> None:
    for number in range(3):
        await add(database, f"{number}")
        assert await database.look(count) == number + 1


async def test_a_look_sees_nothing_that_is_written_meanwhile(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'trainer.db'}")
    await database.open()
    looked, written = threading.Event(), threading.Event()

    def twice(view: Connection) -> tuple[int, int]:
        before = count(view)
        looked.set()
        assert written.wait(WAIT_S)
        return before, count(view)

    looking = asyncio.create_task(database.look(twice))
    assert await asyncio.to_thread(looked.wait, WAIT_S)
    await add(database, "t")
    written.set()

    assert await looking == (0, 0)
    assert await database.look(count) == 1
    await database.aclose()


async def test_nothing_can_be_written_by_a_look(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
        await database.look(lambda view: view.execute(insert(tenants).values(tenant="t")))

    assert await database.look(count) == 0


async def test_any_number_may_look_at_once(database: Database) -> None:
    await add(database, "t")

    assert await asyncio.gather(*(database.look(count) for _ in range(50))) == [1] * 50


async def test_who_is_cancelled_keeps_no_place(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'trainer.db'}")
    await database.open()
    go_on = threading.Event()

    def wait(_: Connection) -> bool:
        return go_on.wait(WAIT_S)

    waiting = [asyncio.create_task(database.look(wait)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    go_on.set()

    assert await database.look(count) == 0
    await add(database, "t")
    assert await database.look(count) == 1
    await database.aclose()


async def test_a_file_that_was_taken_away_is_not_looked_into(tmp_path: Path) -> None:
    path = tmp_path / "trainer.db"
    database = Database(f"sqlite:///{path}")
    await database.open()
    await add(database, "t")

    path.rename(tmp_path / "elsewhere.db")
    with pytest.raises(DatabaseUnavailableError):
        await database.look(count)

    (tmp_path / "elsewhere.db").rename(path)
    assert await database.look(count) == 1
    await database.aclose()


async def test_a_closed_database_is_not_looked_into(database: Database) -> None:
    await database.aclose()

    with pytest.raises(DatabaseUnavailableError):
        await database.look(count)
