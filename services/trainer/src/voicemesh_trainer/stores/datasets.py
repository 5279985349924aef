"""Keeps datasets; their examples are in `stores.examples`, their archives in `stores.archives`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite

from voicemesh_trainer.domain.lessons import Subject
from voicemesh_trainer.stores.changes import announce
from voicemesh_trainer.stores.dataset_rows import (
    check_not_archived,
    create_dataset,
    dataset_from,
    find_dataset,
    lock_dataset,
    remove_examples,
    selecting_datasets,
    unselect,
)
from voicemesh_trainer.stores.schema import dataset_names, datasets, tenants

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh_trainer.domain.datasets import Dataset, DatasetLimits
    from voicemesh_trainer.stores.database import Database

__all__ = ("DatasetTable",)


class DatasetTable:
    """A `DatasetCatalogue` in the trainer's database."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        """Takes an opened database and a clock (seconds since 1970)."""
        self._database = database
        self._now = now

    async def create(self, tenant: str, name: str, limits: DatasetLimits) -> Dataset:
        """See `DatasetCatalogue.create`."""
        async with self._database.transaction() as connection:
            return await create_dataset(connection, tenant, name, limits, self._now())

    async def find(self, tenant: str, dataset_id: str) -> Dataset:
        """See `DatasetCatalogue.find`."""
        async with self._database.reading() as connection:
            return await find_dataset(connection, tenant, dataset_id)

    async def page(self, tenant: str, before: str, count: int, *, archived: bool) -> list[Dataset]:
        """See `DatasetCatalogue.page`."""
        query = selecting_datasets(tenant).order_by(datasets.c.dataset_id.desc()).limit(count)
        if before:
            query = query.where(datasets.c.dataset_id < before)
        if not archived:
            query = query.where(datasets.c.archived.is_(False))
        async with self._database.reading() as connection:
            return [dataset_from(row) for row in await connection.execute(query)]

    async def select(self, tenant: str, dataset_id: str) -> Dataset:
        """See `DatasetCatalogue.select`."""
        async with self._database.transaction() as connection:
            check_not_archived(await lock_dataset(connection, tenant, dataset_id))
            dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
            chosen = {"selected_dataset_id": dataset_id}
            await connection.execute(
                dialect.insert(tenants)
                .values({"tenant": tenant, **chosen})
                .on_conflict_do_update(index_elements=[tenants.c.tenant], set_=chosen)
            )
            return await find_dataset(connection, tenant, dataset_id)

    async def delete(self, tenant: str, dataset_id: str) -> None:
        """See `DatasetCatalogue.delete`."""
        async with self._database.transaction() as connection:
            await lock_dataset(connection, tenant, dataset_id)
            await unselect(connection, tenant, dataset_id)
            await remove_examples(connection, dataset_id)
            for table in (dataset_names, datasets):
                await connection.execute(delete(table).where(table.c.dataset_id == dataset_id))
            await announce(connection, tenant, Subject.DATASET, [dataset_id], removed=True)
