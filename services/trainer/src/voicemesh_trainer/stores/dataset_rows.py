"""Rows of datasets, as all that changes datasets reads and writes them.

Whoever changes the examples of a dataset locks its row first, so that counts and hash are of what
is there.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from voicemesh_chassis.errors import LimitExceededError
from voicemesh_trainer.datasets.content import EMPTY, with_content
from voicemesh_trainer.datasets.errors import DatasetArchivedError, DatasetNameTakenError
from voicemesh_trainer.domain.datasets import Dataset, Draft, Example
from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.domain.lessons import Polarity
from voicemesh_trainer.errors import DatasetNotFoundError
from voicemesh_trainer.stores.schema import dataset_names, datasets, examples, tenants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Row, Select
    from sqlalchemy.ext.asyncio import AsyncConnection

    from voicemesh_trainer.domain.datasets import DatasetLimits, Staged

__all__ = (
    "Filling",
    "check_not_archived",
    "check_room",
    "create_dataset",
    "dataset_from",
    "emptied",
    "example_from",
    "find_dataset",
    "lock_dataset",
    "remove_examples",
    "selecting_datasets",
    "unselect",
)

_LONGEST_KEY = 400


def selecting_datasets(tenant: str) -> Select[Any]:
    """Selects datasets of a tenant, with whether they are selected."""
    selected = and_(
        tenants.c.tenant == datasets.c.tenant,
        tenants.c.selected_dataset_id == datasets.c.dataset_id,
    )
    return (
        select(datasets, tenants.c.tenant.label("selected_by"))
        .select_from(datasets.outerjoin(tenants, selected))
        .where(datasets.c.tenant == tenant)
    )


def dataset_from(row: Row[Any]) -> Dataset:
    """The dataset in a row of `selecting_datasets`."""
    return Dataset(
        dataset_id=row.dataset_id,
        tenant=row.tenant,
        name=row.name,
        example_count=row.example_count,
        negative_example_count=row.negative_example_count,
        byte_count=row.byte_count,
        selected=row.selected_by is not None,
        archived=row.archived,
        content_sha256=row.content_sha256,
        create_time=row.create_time,
        update_time=row.update_time,
    )


def example_from(row: Row[Any]) -> Example:
    """The example in a row of its table."""
    draft = Draft(
        prompt=row.prompt,
        completion=row.completion,
        polarity=Polarity(row.polarity),
        system_prompt=row.system_prompt,
        context=row.context,
        author_id=row.author_id,
        source=row.source,
    )
    return Example(row.example_id, row.position, draft)


async def find_dataset(connection: AsyncConnection, tenant: str, dataset_id: str) -> Dataset:
    """One dataset.

    Raises:
        DatasetNotFoundError: if the tenant has no such dataset.
    """
    query = selecting_datasets(tenant).where(datasets.c.dataset_id == dataset_id)
    row = (await connection.execute(query)).first()
    if row is None:
        msg = "the tenant has no dataset of this id; ListDatasets tells which there are"
        raise DatasetNotFoundError(msg, field="dataset_id")
    return dataset_from(row)


async def lock_dataset(connection: AsyncConnection, tenant: str, dataset_id: str) -> Dataset:
    """One dataset, which nobody else changes until the transaction ends. Raises as above."""
    lock = (
        select(datasets.c.dataset_id)
        .where(datasets.c.tenant == tenant, datasets.c.dataset_id == dataset_id)
        .with_for_update()
    )
    await connection.execute(lock)
    return await find_dataset(connection, tenant, dataset_id)


def check_not_archived(dataset: Dataset) -> None:
    """Raises `DatasetArchivedError` if the dataset's examples are packed away."""
    if dataset.archived:
        msg = "the dataset is archived; restore it first (RestoreDataset)"
        raise DatasetArchivedError(msg)


async def create_dataset(
    connection: AsyncConnection,
    tenant: str,
    name: str,
    limits: DatasetLimits,
    now: float,
    *,
    field: str = "name",
) -> Dataset:
    """Makes an empty dataset.

    Args:
        connection: of the transaction.
        tenant: whose.
        name: for people.
        limits: how many a tenant may have.
        now: the time, in seconds since 1970.
        field: the request's field that has the name.

    Raises:
        DatasetNameTakenError: if another one has the name.
        LimitExceededError: if the tenant has as many as it may.
    """
    counting = select(func.count()).select_from(datasets).where(datasets.c.tenant == tenant)
    if (await connection.execute(counting)).scalar_one() >= limits.datasets:
        msg = f"the tenant has {limits.datasets} datasets and may have no more; delete some"
        raise LimitExceededError(msg, field="tenant")
    dataset_id = new_id()
    row = {
        "dataset_id": dataset_id,
        "tenant": tenant,
        "name": name,
        "content_sha256": EMPTY,
        "create_time": now,
        "update_time": now,
    }
    await connection.execute(insert(datasets).values(row))
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    taken = {"tenant": tenant, "name_key": _name_key(name), "dataset_id": dataset_id}
    naming = dialect.insert(dataset_names).values(taken).on_conflict_do_nothing()
    if (await connection.execute(naming)).rowcount != 1:
        msg = "another dataset of the tenant has this name; choose a new one"
        raise DatasetNameTakenError(msg, field=field)
    return await find_dataset(connection, tenant, dataset_id)


async def check_room(
    connection: AsyncConnection, tenant: str, added: int, limits: DatasetLimits
) -> None:
    """Raises `LimitExceededError` if the tenant has no room for `added` more examples."""
    counting = select(func.coalesce(func.sum(datasets.c.example_count), 0)).where(
        datasets.c.tenant == tenant, datasets.c.archived.is_(False)
    )
    there = int((await connection.execute(counting)).scalar_one())
    if there + added > limits.examples:
        msg = (
            f"the tenant would have {there + added} examples; it may have {limits.examples}: "
            "delete or archive datasets"
        )
        raise LimitExceededError(msg, field="tenant")


async def remove_examples(connection: AsyncConnection, dataset_id: str) -> None:
    """Deletes all examples of a dataset; its row stays as it is."""
    await connection.execute(delete(examples).where(examples.c.dataset_id == dataset_id))


async def unselect(connection: AsyncConnection, tenant: str, dataset_id: str) -> None:
    """Makes sure that training does not use a dataset by default."""
    await connection.execute(
        update(tenants)
        .where(tenants.c.tenant == tenant, tenants.c.selected_dataset_id == dataset_id)
        .values(selected_dataset_id=None)
    )


def emptied(dataset: Dataset) -> Dataset:
    """A dataset whose examples are to be added again."""
    return replace(
        dataset, example_count=0, negative_example_count=0, byte_count=0, content_sha256=EMPTY
    )


class Filling:
    """Adds examples to a locked dataset, and then to its row what they add up to."""

    def __init__(self, connection: AsyncConnection, dataset: Dataset, now: float) -> None:
        """Takes the transaction's connection, the dataset, and the time in seconds since 1970."""
        self._connection = connection
        self._dataset = dataset
        self._now = now
        self._position = -1
        self._content = dataset.content_sha256
        self._bytes = 0
        self._negative = 0
        self.added = 0

    async def begin(self) -> None:
        """Finds where the dataset's examples end; call it first."""
        query = select(func.max(examples.c.position)).where(
            examples.c.dataset_id == self._dataset.dataset_id
        )
        last = (await self._connection.execute(query)).scalar_one()
        self._position = 0 if last is None else last + 1

    async def add(self, batch: Sequence[Staged]) -> None:
        """Adds examples which the dataset does not have; at most a few hundred."""
        rows = [self._row(each, number) for number, each in enumerate(batch, self._position)]
        if not rows:
            return
        await self._connection.execute(insert(examples), rows)
        self._position += len(rows)
        self.added += len(rows)
        self._bytes += sum(each.byte_count for each in batch)
        self._negative += sum(each.draft.polarity is Polarity.NEGATIVE for each in batch)
        self._content = with_content(self._content, (each.content_key for each in batch))

    async def finish(self) -> Dataset:
        """Writes the dataset's row; returns the dataset as it is now."""
        dataset = self._dataset
        await self._connection.execute(
            update(datasets)
            .where(datasets.c.dataset_id == dataset.dataset_id)
            .values(
                example_count=dataset.example_count + self.added,
                negative_example_count=dataset.negative_example_count + self._negative,
                byte_count=dataset.byte_count + self._bytes,
                content_sha256=self._content,
                update_time=self._now if self.added else dataset.update_time,
            )
        )
        return await find_dataset(self._connection, dataset.tenant, dataset.dataset_id)

    def _row(self, each: Staged, position: int) -> dict[str, Any]:
        draft = each.draft
        return {
            "example_id": new_id(),
            "tenant": self._dataset.tenant,
            "dataset_id": self._dataset.dataset_id,
            "position": position,
            "system_prompt": draft.system_prompt,
            "context": draft.context,
            "prompt": draft.prompt,
            "completion": draft.completion,
            "polarity": draft.polarity.value,
            "author_id": draft.author_id,
            "source": draft.source,
            "content_key": each.content_key,
            "question_key": each.question_key,
            "create_time": self._now,
        }


def _name_key(name: str) -> str:
    """What names that people would take for the same have in common."""
    key = " ".join(unicodedata.normalize("NFKC", name).casefold().split())
    # One character may become many.
    return key if len(key) <= _LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()
