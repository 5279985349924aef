"""Keeps the examples of datasets."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from voicemesh_trainer.datasets.content import byte_count
from voicemesh_trainer.datasets.lengths import length_statistics
from voicemesh_trainer.domain.datasets import Staged, Statistics
from voicemesh_trainer.domain.lessons import Subject
from voicemesh_trainer.stores.changes import announce
from voicemesh_trainer.stores.dataset_rows import (
    Filling,
    check_not_archived,
    check_room,
    create_dataset,
    example_from,
    find_dataset,
    lock_dataset,
)
from voicemesh_trainer.stores.requests import once
from voicemesh_trainer.stores.schema import examples

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.ext.asyncio import AsyncConnection

    from voicemesh_trainer.domain.datasets import (
        Dataset,
        DatasetLimits,
        Example,
        LengthStatistics,
    )
    from voicemesh_trainer.stores.database import Database

__all__ = ("ExampleTable",)

_METHOD = "ImportDataset"
_BATCH = 500
_KEYS = 5_000

# The key by which a split keeps together what belongs together.
_GROUP = func.coalesce(func.nullif(examples.c.question_key, ""), examples.c.content_key)


class ExampleTable:
    """An `ExampleStore` in the trainer's database."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        """Takes an opened database and a clock (seconds since 1970)."""
        self._database = database
        self._now = now

    async def examples(self, tenant: str, dataset_id: str, after: int, count: int) -> list[Example]:
        """See `ExampleStore.examples`."""
        query = (
            select(examples)
            .where(_of(tenant, dataset_id), examples.c.position > after)
            .order_by(examples.c.position)
            .limit(count)
        )
        async with self._database.reading() as connection:
            check_not_archived(await find_dataset(connection, tenant, dataset_id))
            return [example_from(row) for row in await connection.execute(query)]

    async def known(self, tenant: str, dataset_id: str, keys: Sequence[str]) -> set[str]:
        """See `ExampleStore.known`."""
        async with self._database.reading() as connection:
            return await _known(connection, dataset_id, keys)

    async def add(
        self,
        tenant: str,
        dataset_id: str,
        batches: AsyncIterator[Sequence[Staged]],
        limits: DatasetLimits,
        request: tuple[str, str],
        result: Callable[[Dataset, int], dict[str, Any]],
    ) -> dict[str, Any]:
        """See `ExampleStore.add`."""
        async with self._database.transaction() as connection:

            async def fill() -> dict[str, Any]:
                dataset = await lock_dataset(connection, tenant, dataset_id)
                check_not_archived(dataset)
                filling = Filling(connection, dataset, self._now())
                await filling.begin()
                async for batch in batches:
                    fresh = batch
                    if dataset.example_count:
                        keys = [each.content_key for each in batch]
                        known = await _known(connection, dataset_id, keys)
                        fresh = [each for each in batch if each.content_key not in known]
                    await filling.add(fresh)
                if filling.added:
                    await check_room(connection, tenant, filling.added, limits)
                after = await filling.finish()
                made = result(after, filling.added)
                if filling.added:
                    await announce(connection, tenant, Subject.DATASET, [dataset_id])
                return made

            return await once(connection, tenant, _METHOD, *request, fill)

    async def split(
        self,
        tenant: str,
        dataset_id: str,
        names: tuple[str, str],
        is_first: Callable[[str], bool],
        limits: DatasetLimits,
    ) -> tuple[Dataset, Dataset]:
        """See `ExampleStore.split`."""
        async with self._database.transaction() as connection:
            whole = await lock_dataset(connection, tenant, dataset_id)
            check_not_archived(whole)
            await check_room(connection, tenant, whole.example_count, limits)
            now, parts = self._now(), []
            for name, field in zip(names, ("first_name", "second_name"), strict=True):
                made = await create_dataset(connection, tenant, name, limits, now, field=field)
                parts.append(Filling(connection, made, now))
                await parts[-1].begin()
            first, second = parts
            async for batch in _staged(connection, tenant, dataset_id):
                chosen = [is_first(each.question_key or each.content_key) for each in batch]
                await first.add([each for each, is_so in zip(batch, chosen, strict=True) if is_so])
                await second.add(
                    [each for each, is_so in zip(batch, chosen, strict=True) if not is_so]
                )
            made_first, made_second = await first.finish(), await second.finish()
            ids = [made_first.dataset_id, made_second.dataset_id]
            await announce(connection, tenant, Subject.DATASET, ids)
            return made_first, made_second

    async def keys(self, tenant: str, dataset_id: str) -> AsyncIterator[list[str]]:
        """See `ExampleStore.keys`."""
        after = -1
        while True:
            query = (
                select(examples.c.position, _GROUP)
                .where(_of(tenant, dataset_id), examples.c.position > after)
                .order_by(examples.c.position)
                .limit(_KEYS)
            )
            async with self._database.reading() as connection:
                check_not_archived(await find_dataset(connection, tenant, dataset_id))
                rows = (await connection.execute(query)).all()
            if not rows:
                return
            after = rows[-1][0]
            yield [row[1] for row in rows]

    async def statistics(self, tenant: str, dataset_id: str) -> Statistics:
        """See `ExampleStore.statistics`."""
        here = _of(tenant, dataset_id)
        asked = (here, examples.c.question_key != "")
        async with self._database.reading() as connection:
            dataset = await find_dataset(connection, tenant, dataset_id)
            check_not_archived(dataset)
            text_count = select(func.count()).where(here, examples.c.question_key == "")
            several = func.count(func.distinct(examples.c.completion)) > 1
            both = func.count(func.distinct(examples.c.polarity)) > 1
            return Statistics(
                dataset=dataset,
                prompts=await _lengths(connection, examples.c.prompt, *asked),
                completions=await _lengths(connection, examples.c.completion, here),
                text_example_count=(await connection.execute(text_count)).scalar_one(),
                ambiguous_prompt_count=await _prompts(connection, several, *asked),
                preference_pair_count=await _prompts(connection, both, *asked),
                # As `truncation.estimate_tokens` has it.
                estimated_token_count=-(-dataset.byte_count // 3),
            )


def _of(tenant: str, dataset_id: str) -> ColumnElement[bool]:
    return (examples.c.tenant == tenant) & (examples.c.dataset_id == dataset_id)


async def _known(connection: AsyncConnection, dataset_id: str, keys: Sequence[str]) -> set[str]:
    query = select(examples.c.content_key).where(
        examples.c.dataset_id == dataset_id, examples.c.content_key.in_(keys)
    )
    return set((await connection.execute(query)).scalars())


async def _staged(
    connection: AsyncConnection, tenant: str, dataset_id: str
) -> AsyncIterator[list[Staged]]:
    """The examples of a dataset in their order, as they can be added to another."""
    after = -1
    while True:
        query = (
            select(examples)
            .where(_of(tenant, dataset_id), examples.c.position > after)
            .order_by(examples.c.position)
            .limit(_BATCH)
        )
        rows = (await connection.execute(query)).all()
        if not rows:
            return
        after = rows[-1].position
        batch = []
        for row in rows:
            draft = example_from(row).draft
            batch.append(Staged(draft, row.content_key, row.question_key, byte_count(draft)))
        yield batch


async def _lengths(
    connection: AsyncConnection, text: ColumnElement[str], *conditions: ColumnElement[bool]
) -> LengthStatistics:
    length = func.length(text).label("length")
    query = select(length, func.count()).where(*conditions).group_by(length).order_by(length)
    return length_statistics([(row[0], row[1]) for row in await connection.execute(query)])


async def _prompts(
    connection: AsyncConnection, having: ColumnElement[bool], *conditions: ColumnElement[bool]
) -> int:
    """How many prompts have examples for which something holds."""
    groups = (
        select(examples.c.question_key)
        .where(*conditions)
        .group_by(examples.c.question_key)
        .having(having)
    )
    query = select(func.count()).select_from(groups.subquery())
    counted: int = (await connection.execute(query)).scalar_one()
    return counted
