"""The database: what is acknowledged is durable, and what is not is undone."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Column, Connection, Text, func, insert, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from voicemesh_chassis.database.connections import migration_engine, read_url
from voicemesh_chassis.database.limits import DatabaseLimits
from voicemesh_chassis.database.meters import DatabaseMeters
from voicemesh_chassis.metrics import new_registry
from voicemesh_chassis.service import ConfigurationError, StartupError
from voicemesh_trainer.stores.database import TABLES, Database
from voicemesh_trainer.stores.schema import dataset_names, metadata, tenants

pytestmark = pytest.mark.unit

OPEN = """
import asyncio, sys
from voicemesh_trainer.stores.database import Database
async def main():
    database = Database(sys.argv[1])
    await database.open()
    await database.aclose()
asyncio.run(main())
"""


async def add(database: Database, tenant: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(tenants).values(tenant=tenant))


async def count(database: Database) -> int:
    async with database.reading() as connection:
        counted = await connection.execute(select(func.count()).select_from(tenants))
        return int(counted.scalar_one())


async def test_what_a_transaction_wrote_is_there_when_it_is_opened_again(
    database: Database, database_url: str
) -> None:
    await add(database, "t")
    await database.aclose()

    again = Database(database_url)
    await again.open()
    assert await count(again) == 1
    await again.aclose()


async def test_what_raises_is_undone(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            await connection.execute(insert(tenants).values(tenant="t"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await count(database) == 0


async def test_what_is_cancelled_is_undone_and_blocks_nobody(database: Database) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        async with database.transaction() as connection:
            await connection.execute(insert(tenants).values(tenant="t"))
            begun.set()
            await asyncio.Event().wait()

    for _ in range(3):
        task = asyncio.create_task(hang())
        await begun.wait()
        task.cancel()
        await asyncio.wait({task})
        begun.clear()
    await add(database, "u")
    assert await count(database) == 1


async def test_a_reading_view_stays_as_it_was_while_others_write(database: Database) -> None:
    counting = select(func.count()).select_from(tenants)
    async with database.reading() as connection:
        before = (await connection.execute(counting)).scalar_one()
        await add(database, "t")
        after = (await connection.execute(counting)).scalar_one()
    assert (before, after) == (0, 0)
    assert await count(database) == 1


async def test_who_reads_cannot_write(database: Database) -> None:
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        async with database.reading() as connection:
            await connection.execute(insert(tenants).values(tenant="t"))
    await add(database, "t")


async def test_rows_refer_to_rows_that_are_there(database: Database) -> None:
    row = {"tenant": "t", "name_key": "n", "dataset_id": "0" * 26}
    with pytest.raises(IntegrityError):
        async with database.transaction() as connection:
            await connection.execute(insert(dataset_names).values(row))


async def test_many_writers_wait_for_each_other(database: Database) -> None:
    async def raise_name() -> None:
        async with database.transaction() as connection:
            await connection.execute(
                tenants.update().values(
                    persona_name=func.coalesce(tenants.c.persona_name, "") + "x"
                )
            )

    await add(database, "t")
    await asyncio.gather(*(raise_name() for _ in range(20)))
    async with database.reading() as connection:
        name = (await connection.execute(select(tenants.c.persona_name))).scalar_one()
    assert name == "x" * 20


async def test_the_migrations_make_the_tables_of_the_schema(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        options = {"compare_type": True}
        return list(
            compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
        )

    async with database.transaction() as connection:
        assert await connection.run_sync(differences) == []


async def test_replicas_may_start_at_once_on_an_empty_database(
    tmp_path: Path, new_database_url: Callable[[], str]
) -> None:
    for url in (f"sqlite:///{tmp_path / 'new' / 'trainer.db'}", new_database_url()):
        replicas = [Database(url) for _ in range(4)]
        await asyncio.gather(*(each.open() for each in replicas))
        await asyncio.gather(*(add(each, f"{n}") for n, each in enumerate(replicas)))
        assert [await count(each) for each in replicas] == [4, 4, 4, 4]
        await asyncio.gather(*(each.aclose() for each in replicas))


async def test_a_start_waits_for_another_that_has_just_made_the_file(tmp_path: Path) -> None:
    path = tmp_path / "trainer.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        database = Database(f"sqlite:///{path}")
        opening = asyncio.create_task(database.open())
        done, _ = await asyncio.wait({opening}, timeout=0.2)
        assert not done
        other.execute("COMMIT")
        await opening
    await add(database, "t")
    assert await count(database) == 1
    await database.aclose()


def test_programs_may_start_at_once_on_a_file_that_is_not_there(tmp_path: Path) -> None:
    command = [sys.executable, "-c", OPEN, f"sqlite:///{tmp_path / 'trainer.db'}"]
    programs = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for program in programs:
        _, words = program.communicate(timeout=60)
        assert program.returncode == 0, words.decode()


async def test_a_database_of_a_newer_program_is_refused(
    database: Database, database_url: str
) -> None:
    async with database.transaction() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StartupError, match="revision 9999, of a newer trainer"):
        await Database(database_url).open()


async def test_tables_of_somebody_else_are_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE models (name TEXT)")
    connection.close()
    with pytest.raises(StartupError, match="tables that the trainer did not make, such as models"):
        await Database(f"sqlite:///{path}").open()


async def test_sqlite_writes_to_the_disk_before_it_acknowledges(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'trainer.db'}")
    await database.open()
    async with database.transaction() as connection:
        for pragma, wanted in (("synchronous", 2), ("journal_mode", "wal"), ("foreign_keys", 1)):
            assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one() == wanted
    await database.aclose()


async def test_sqlite_keeps_rows_whose_tables_refer_to_a_table_that_is_made_anew(
    tmp_path: Path,
) -> None:
    path = tmp_path / "trainer.db"
    engine = migration_engine(read_url(f"sqlite:///{path}", TABLES), path, DatabaseLimits())

    def make(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE a (x TEXT PRIMARY KEY)")
        connection.exec_driver_sql("CREATE TABLE b (x REFERENCES a (x) ON DELETE CASCADE)")
        connection.exec_driver_sql("INSERT INTO a VALUES ('1')")
        connection.exec_driver_sql("INSERT INTO b VALUES ('1')")

    def change(connection: Connection) -> int:
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("a", recreate="always") as table:
            table.add_column(Column("y", Text))
        return int(connection.exec_driver_sql("SELECT count(*) FROM b").scalar_one())

    async with engine.connect() as connection, connection.begin():
        await connection.run_sync(make)
    async with engine.connect() as connection, connection.begin():
        assert await connection.run_sync(change) == 1
    await engine.dispose()


async def test_postgresql_acknowledges_what_is_written_even_if_set_otherwise(
    postgresql: Any, new_database_url: Callable[[], str]
) -> None:
    url = new_database_url()
    name = url.split("@/")[1].split("?")[0]
    postgresql.execute(f"ALTER DATABASE {name} SET synchronous_commit = off")
    database = Database(url)
    await database.open()
    async with database.transaction() as connection:
        shown = await connection.exec_driver_sql("SHOW synchronous_commit")
        assert shown.scalar_one() == "on"
    await database.aclose()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "trainer.db",
        "mysql://host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///a?mode=ro",
    ],
)
def test_what_is_no_address_of_a_database_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="sqlite:///FILE"):
        Database(url)


def test_a_password_is_not_quoted() -> None:
    with pytest.raises(ConfigurationError) as refused:
        Database("oracle://scott:tiger@host/name")
    assert "tiger" not in str(refused.value)


async def test_a_file_that_is_no_database_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "trainer.db"
    path.write_bytes(b"not a database at all" * 100)
    with pytest.raises(StartupError, match="see that it is a SQLite file"):
        await Database(f"sqlite:///{path}").open()


async def test_a_server_that_does_not_come_ends_the_start(tmp_path: Path) -> None:
    database = Database(f"postgresql://u@/n?host={tmp_path}", DatabaseLimits(start_s=0.0))
    with pytest.raises(StartupError, match="did not answer within 0 s"):
        await database.open()
    await database.aclose()


async def test_a_database_that_the_server_does_not_have_ends_the_start_at_once(
    postgresql: Any,
) -> None:
    with pytest.raises(ConfigurationError, match="3D000"):
        await Database(postgresql.url("nowhere")).open()


async def test_transactions_are_counted(database_url: str) -> None:
    registry = new_registry()
    database = Database(database_url, meters=DatabaseMeters("trainer", registry))
    await database.open()
    await add(database, "t")
    await count(database)
    name = "voicemesh_trainer_database_transactions_total"
    assert registry.get_sample_value(name, {"kind": "writing"}) == 1
    assert registry.get_sample_value(name, {"kind": "reading"}) == 1
    assert registry.get_sample_value("voicemesh_trainer_database_up") == 1
    await database.aclose()
