"""Keeps what is known of archives; the archives themselves are files."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select, update

from voicemesh_trainer.datasets.errors import (
    ArchiveNotFoundError,
    DatasetChangedError,
    LastArchiveError,
)
from voicemesh_trainer.domain.datasets import Archive
from voicemesh_trainer.domain.lessons import Subject
from voicemesh_trainer.errors import DatasetNotFoundError
from voicemesh_trainer.stores.authors import author_key, forgotten_since
from voicemesh_trainer.stores.changes import announce
from voicemesh_trainer.stores.dataset_rows import (
    Filling,
    check_not_archived,
    check_room,
    create_dataset,
    emptied,
    lock_dataset,
    remove_examples,
    unselect,
)
from voicemesh_trainer.stores.schema import archives, datasets

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from voicemesh_trainer.domain.datasets import Dataset, DatasetLimits, Staged
    from voicemesh_trainer.stores.database import Database

__all__ = ("ArchiveTable",)


class ArchiveTable:
    """An `ArchiveStore` in the trainer's database."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        """Takes an opened database and a clock (seconds since 1970)."""
        self._database = database
        self._now = now

    async def put_away(self, archive: Archive, content_sha256: str) -> None:
        """See `ArchiveStore.put_away`."""
        async with self._database.transaction() as connection:
            dataset = await lock_dataset(connection, archive.tenant, archive.dataset_id)
            check_not_archived(dataset)
            if dataset.content_sha256 != content_sha256:
                msg = "the dataset was changed while it was being packed; nothing was archived"
                raise DatasetChangedError(msg)
            await connection.execute(insert(archives).values(_values(archive)))
            await remove_examples(connection, archive.dataset_id)
            await unselect(connection, archive.tenant, archive.dataset_id)
            await connection.execute(
                update(datasets)
                .where(datasets.c.dataset_id == archive.dataset_id)
                .values(archived=True, update_time=self._now())
            )
            ids = [archive.dataset_id]
            await announce(connection, archive.tenant, Subject.DATASET, ids, removed=True)

    async def bring_back(
        self,
        archive: Archive,
        name: str,
        batches: AsyncIterator[Sequence[Staged]],
        limits: DatasetLimits,
    ) -> Dataset:
        """See `ArchiveStore.bring_back`."""
        async with self._database.transaction() as connection:
            await check_room(connection, archive.tenant, archive.example_count, limits)
            dataset = await self._to_fill(connection, archive, name, limits)
            filling = Filling(connection, dataset, self._now())
            await filling.begin()
            # People whose data was deleted since have deleted it here, too.
            gone = await forgotten_since(connection, archive.tenant, archive.create_time)
            async for batch in batches:
                await filling.add(
                    [
                        each
                        for each in batch
                        if author_key(archive.tenant, each.draft.author_id) not in gone
                    ]
                    if gone
                    else batch
                )
            restored = await filling.finish()
            await announce(connection, archive.tenant, Subject.DATASET, [restored.dataset_id])
            return restored

    async def find(self, tenant: str, archive_id: str) -> Archive:
        """See `ArchiveStore.find`."""
        async with self._database.reading() as connection:
            return await _find(connection, tenant, archive_id)

    async def page(self, tenant: str, before: str, count: int) -> list[Archive]:
        """See `ArchiveStore.page`."""
        query = (
            select(archives)
            .where(archives.c.tenant == tenant)
            .order_by(archives.c.archive_id.desc())
            .limit(count)
        )
        if before:
            query = query.where(archives.c.archive_id < before)
        async with self._database.reading() as connection:
            return [_archive_from(row) for row in await connection.execute(query)]

    async def delete(self, tenant: str, archive_id: str) -> Archive:
        """See `ArchiveStore.delete`."""
        async with self._database.transaction() as connection:
            archive = await _find(connection, tenant, archive_id)
            try:
                dataset = await lock_dataset(connection, tenant, archive.dataset_id)
            except DatasetNotFoundError:
                pass  # archives outlive their datasets
            else:
                if dataset.archived and await _count(connection, dataset.dataset_id) == 1:
                    msg = (
                        "the archive holds the only copy of an archived dataset's examples; "
                        "restore the dataset, or delete it, before"
                    )
                    raise LastArchiveError(msg)
            await connection.execute(delete(archives).where(archives.c.archive_id == archive_id))
            return archive

    async def _to_fill(
        self, connection: AsyncConnection, archive: Archive, name: str, limits: DatasetLimits
    ) -> Dataset:
        """The dataset that was archived, emptied, if it is still that; else a new one."""
        try:
            dataset = await lock_dataset(connection, archive.tenant, archive.dataset_id)
        except DatasetNotFoundError:
            dataset = None
        if dataset is not None and dataset.archived and name in ("", dataset.name):
            await connection.execute(
                update(datasets)
                .where(datasets.c.dataset_id == dataset.dataset_id)
                .values(archived=False, update_time=self._now())
            )
            return emptied(dataset)
        name = name or archive.dataset_name
        return await create_dataset(connection, archive.tenant, name, limits, self._now())


async def _find(connection: AsyncConnection, tenant: str, archive_id: str) -> Archive:
    query = select(archives).where(archives.c.tenant == tenant, archives.c.archive_id == archive_id)
    row = (await connection.execute(query)).first()
    if row is None:
        msg = "the tenant has no archive of this id; ListArchives tells which there are"
        raise ArchiveNotFoundError(msg, field="archive_id")
    return _archive_from(row)


async def _count(connection: AsyncConnection, dataset_id: str) -> int:
    counting = select(func.count()).select_from(archives)
    query = counting.where(archives.c.dataset_id == dataset_id)
    counted: int = (await connection.execute(query)).scalar_one()
    return counted


def _values(archive: Archive) -> dict[str, Any]:
    return {
        "archive_id": archive.archive_id,
        "tenant": archive.tenant,
        "dataset_id": archive.dataset_id,
        "dataset_name": archive.dataset_name,
        "file": archive.file,
        "sha256": archive.sha256,
        "byte_count": archive.byte_count,
        "example_count": archive.example_count,
        "create_time": archive.create_time,
    }


def _archive_from(row: Row[Any]) -> Archive:
    return Archive(
        archive_id=row.archive_id,
        tenant=row.tenant,
        dataset_id=row.dataset_id,
        dataset_name=row.dataset_name,
        file=row.file,
        sha256=row.sha256,
        byte_count=row.byte_count,
        example_count=row.example_count,
        create_time=row.create_time,
    )
