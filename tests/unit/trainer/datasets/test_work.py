"""Work on threads, packing while others write, and what is not installed."""

from __future__ import annotations

import asyncio
import io
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from voicemesh_chassis.errors import LimitExceededError
from voicemesh_trainer.datasets.archives import Archives
from voicemesh_trainer.datasets.content import EMPTY, content_key, with_content
from voicemesh_trainer.datasets.errors import (
    ArchiveDamagedError,
    DatasetChangedError,
    ParquetMissingError,
)
from voicemesh_trainer.datasets.lanes import Lane
from voicemesh_trainer.datasets.parquet import ParquetWriter
from voicemesh_trainer.datasets.spool import Spool
from voicemesh_trainer.datasets.staging import BATCH, Staging
from voicemesh_trainer.domain.datasets import Archive, Dataset, DatasetLimits, Draft, Example
from voicemesh_trainer.domain.lessons import Polarity

pytestmark = pytest.mark.unit


def draft(number: int) -> Draft:
    return Draft(f"q{number}", f"a{number}", Polarity.POSITIVE)


async def test_a_cancelled_call_frees_its_files_when_the_thread_has_come_out() -> None:
    inside, go, closed = threading.Event(), threading.Event(), threading.Event()
    with ThreadPoolExecutor(2) as threads:
        lane = Lane(threads)

        def work() -> bool:
            inside.set()
            go.wait(10)
            return lane.stopped

        running = asyncio.ensure_future(lane.run(work))
        await asyncio.to_thread(inside.wait, 10)
        running.cancel()
        lane.end(closed.set)
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not closed.is_set()
        go.set()
        assert await asyncio.to_thread(closed.wait, 10)


async def test_nothing_new_is_begun_for_a_call_that_is_over() -> None:
    with ThreadPoolExecutor(1) as threads:
        lane = Lane(threads)
        lane.end()
        with pytest.raises(InterruptedError):
            await lane.run(lambda: pytest.fail("begun"))


async def test_a_file_is_not_read_on_for_a_call_that_is_over() -> None:
    with ThreadPoolExecutor(1) as threads:
        lane = Lane(threads)
        file = lane.watched(io.BytesIO(bytes(1 << 20)))
        assert len(file.read(1 << 10)) == 1 << 10
        lane.end()
        with pytest.raises(InterruptedError):
            file.read()


async def test_items_are_made_on_threads_in_their_order() -> None:
    with ThreadPoolExecutor(1) as threads:
        made = (threading.current_thread() for _ in range(3))
        found = [thread async for thread in Lane(threads).iterate(made)]
    assert len(found) == 3
    assert threading.main_thread() not in found


def test_a_spool_takes_no_more_than_it_may(tmp_path: Path) -> None:
    spool = Spool(3 << 20, tmp_path)
    spool.append(b"x" * (3 << 20))
    with pytest.raises(LimitExceededError):
        spool.append(b"x")
    assert not list(tmp_path.iterdir())  # it has no name, so nothing can be left of it
    spool.close()
    spool.close()


def test_staged_examples_come_back_each_once() -> None:
    staging = Staging(1 << 20)
    drafts = [draft(number) for number in range(BATCH + 1)]
    for each in [*drafts, drafts[0]]:
        staging.add(each)
    batches = list(staging.batches())
    assert [len(batch) for batch in batches] == [BATCH, 1]
    assert [each.draft for batch in batches for each in batch] == drafts
    assert (staging.count, staging.duplicate_count) == (BATCH + 1, 1)
    staging.close()


def test_without_pyarrow_parquet_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ParquetMissingError, match=r"voicemesh-trainer\[parquet\]"):
        ParquetWriter()


@dataclass(frozen=True)
class Kept:
    """A file of `Shelf`."""

    name: str
    sha256: str = "0" * 64
    byte_count: int = 1


class Shelf:
    """A dataset to which somebody adds examples while it is packed, and the files and archives."""

    def __init__(self, changes: int) -> None:
        self.changes = changes
        self.examples_there = [Example("", 0, draft(0))]
        self.kept: list[str] = []
        self.recorded: list[Archive] = []

    async def find(self, tenant: str, dataset_id: str) -> Dataset:
        keys = [content_key(each.draft) for each in self.examples_there]
        content = with_content(EMPTY, keys)
        return Dataset(dataset_id, tenant, "facts", 1, 0, 1, False, False, content, 0, 0)

    async def examples(
        self, tenant: str, dataset_id: str, after: int, count: int
    ) -> Sequence[Example]:
        return [each for each in self.examples_there if each.position > after]

    async def write(self, name_prefix: str, source: AsyncIterator[bytes] | bytes) -> Kept:
        assert not isinstance(source, bytes)
        assert b"".join([piece async for piece in source])
        if self.changes:
            self.changes -= 1
            number = len(self.examples_there)
            self.examples_there.append(Example("", number, draft(number)))
        self.kept.append(f"{name_prefix}-{len(self.recorded)}-{self.changes}")
        return Kept(self.kept[-1])

    async def delete(self, name: str) -> None:
        self.kept.remove(name)

    async def put_away(self, archive: Archive, content_sha256: str) -> None:
        if content_sha256 != (await self.find("", "")).content_sha256:
            raise DatasetChangedError("changed")
        self.recorded.append(archive)


def archives_of(shelf: Any) -> Archives:
    return Archives((shelf, shelf), shelf, shelf, DatasetLimits())


@pytest.mark.parametrize("changes", [0, 2])
async def test_a_dataset_that_is_changed_meanwhile_is_packed_again(changes: int) -> None:
    shelf = Shelf(changes)
    archives = archives_of(shelf)
    archive = await archives.pack("guild", "facts")
    await archives.aclose()
    assert shelf.recorded == [archive]
    assert shelf.kept == [archive.file]


async def test_a_dataset_that_never_rests_is_not_packed_and_no_file_is_left() -> None:
    shelf = Shelf(9)
    archives = archives_of(shelf)
    with pytest.raises(DatasetChangedError):
        await archives.pack("guild", "facts")
    await archives.aclose()
    assert not shelf.kept
    assert not shelf.recorded


class Restoring(Shelf):
    """Archives whose files come when `gate` opens; counts how many are being fetched."""

    def __init__(self) -> None:
        super().__init__(0)
        self.gate = asyncio.Event()
        self.begun = asyncio.Semaphore(0)
        self.open_now = 0
        self.most_open = 0

    async def find(self, tenant: str, dataset_id: str) -> Any:
        name = f"archives-{dataset_id}"
        return Archive(dataset_id, tenant, "facts", "facts", name, "0" * 64, 1, 1, 0.0)

    async def open(self, name: str) -> AsyncIterator[bytes]:
        self.open_now += 1
        self.most_open = max(self.most_open, self.open_now)
        self.begun.release()
        await self.gate.wait()
        self.open_now -= 1
        yield b"x"


async def test_no_more_archives_are_restored_at_once_than_there_are_threads() -> None:
    shelf = Restoring()
    archives = archives_of(shelf)
    restores = [asyncio.ensure_future(archives.restore("guild", str(n), "")) for n in range(5)]
    for _ in range(2):
        await asyncio.wait_for(shelf.begun.acquire(), 10)
    shelf.gate.set()
    done = await asyncio.gather(*restores, return_exceptions=True)
    await archives.aclose()
    assert all(isinstance(each, ArchiveDamagedError) for each in done)
    assert shelf.most_open == 2
