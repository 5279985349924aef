"""Storage is tidied up: nothing that is needed goes, and nothing that may yet be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert

from voicemesh_trainer.domain.ids import is_id, new_id, time_of
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.files import FileStore
from voicemesh_trainer.stores.requests import once
from voicemesh_trainer.stores.schema import archives, models, training_jobs
from voicemesh_trainer.stores.upkeep import Upkeep

pytestmark = pytest.mark.unit

WEEK_S = 7 * 24 * 3600.0


@pytest.fixture
async def files(tmp_path: Path) -> AsyncIterator[FileStore]:
    """A store of files."""
    store = FileStore(str(tmp_path / "files"), tmp_path)
    yield store
    await store.aclose()


async def keep_rows(database: Database, names: list[str]) -> None:
    """Writes one row of each kind that names a file."""
    archive, adapter, curve, checkpoint = names
    common = {"tenant": "t", "create_time": 0.0}
    async with database.transaction() as connection:
        await connection.execute(
            insert(archives).values(
                archive_id=new_id(),
                dataset_id=new_id(),
                dataset_name="d",
                file=archive,
                sha256="",
                byte_count=1,
                example_count=1,
                **common,
            )
        )
        await connection.execute(
            insert(models).values(
                name="m",
                backend="local",
                base_model="b",
                job_id=new_id(),
                state="candidate",
                adapter_file=adapter,
                **common,
            )
        )
        await connection.execute(
            insert(training_jobs).values(
                job_id=new_id(),
                dataset_id=new_id(),
                backend="local",
                base_model="b",
                settings={},
                state="running",
                progress={},
                run={"checkpoint_file": checkpoint},
                curve_file=curve,
                **common,
            )
        )


async def test_old_files_that_no_row_names_are_deleted(
    database: Database, files: FileStore
) -> None:
    named = [(await files.write(f"kind{number}", b"x")).name for number in range(4)]
    unnamed = (await files.write("kind", b"x")).name
    await keep_rows(database, named)

    made = time_of(unnamed.split("-")[-2])
    assert await Upkeep(database, files, now=lambda: made + WEEK_S - 1).tidy() == (0, 0)
    assert await Upkeep(database, files, now=lambda: made + WEEK_S + 1).tidy() == (0, 1)
    assert sorted(await files.names()) == sorted(named)


async def test_old_requests_are_forgotten(database: Database, files: FileStore) -> None:
    async def make() -> dict[str, str]:
        return {}

    async with database.transaction() as connection:
        await once(connection, "t", "Do", "r", "f", make)
    assert await Upkeep(database, files, now=lambda: 0.0).tidy() == (0, 0)
    assert await Upkeep(database, files, now=lambda: 1e12).tidy() == (1, 0)


def test_ids_sort_as_they_were_made(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [new_id() for _ in range(1_000)]
    assert made == sorted(set(made))
    assert all(map(is_id, made))

    now = round(time_of(made[-1]) * 1000)
    for earlier in (now + 5_000, now + 1_000, now - 1_000):
        monkeypatch.setattr("time.time_ns", lambda at=earlier: at * 1_000_000)
        made.append(new_id())
    assert made == sorted(made)
    assert time_of(made[-1]) == pytest.approx((now + 5_000) / 1000)


@pytest.mark.parametrize(
    "text",
    ["", "0" * 25, "0" * 27, "8" + "0" * 25, "u" * 26, "I" * 26, "../../../etc/passwd", "é" * 26],
)
def test_other_texts_are_no_ids(text: str) -> None:
    assert not is_id(text)
