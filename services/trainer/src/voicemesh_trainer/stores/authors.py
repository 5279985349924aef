"""What a person gave to a tenant, and its deletion."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from voicemesh_trainer.datasets.content import EMPTY, byte_count, without_content
from voicemesh_trainer.domain.lessons import LessonKind, Polarity, Subject
from voicemesh_trainer.domain.tenants import AuthorItem, Deleted, ItemKind
from voicemesh_trainer.errors import DatasetNotFoundError
from voicemesh_trainer.stores.changes import announce
from voicemesh_trainer.stores.dataset_rows import example_from, lock_dataset
from voicemesh_trainer.stores.schema import (
    datasets,
    embeddings,
    examples,
    feedback,
    forgotten_authors,
    lessons,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Row
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ("author_items", "author_key", "delete_author", "forgotten_since")

_BATCH = 500
"""Ids in one statement; PostgreSQL and SQLite take no more than some ten thousand."""
_MOST_SINGLE = 1_000
"""Deleted examples of a dataset of which memories are told one by one; else they read it again."""


async def author_items(
    connection: AsyncConnection, tenant: str, author_id: str, after: str, limit: int
) -> list[AuthorItem]:
    """See `TenantStore.author_items`."""
    given = select(examples).where(*_by(examples, tenant, author_id), examples.c.example_id > after)
    corrected = select(lessons).where(
        *_by(lessons, tenant, author_id),
        lessons.c.kind == LessonKind.CORRECTION.value,
        lessons.c.lesson_id > after,
    )
    said = select(feedback).where(*_by(feedback, tenant, author_id), feedback.c.feedback_id > after)
    items = [
        _example_item(row)
        for row in await connection.execute(given.order_by(examples.c.example_id).limit(limit))
    ]
    items += [
        _correction_item(row)
        for row in await connection.execute(corrected.order_by(lessons.c.lesson_id).limit(limit))
    ]
    rows = (await connection.execute(said.order_by(feedback.c.feedback_id).limit(limit))).all()
    questions = await _rated_questions(connection, tenant, author_id, rows)
    items += [_feedback_item(row, questions) for row in rows]
    return sorted(items, key=lambda item: item.item_id)[:limit]


async def delete_author(
    connection: AsyncConnection, tenant: str, author_id: str, now: float
) -> Deleted:
    """Deletes what a person gave, in the caller's transaction.

    Args:
        connection: of the transaction.
        tenant: whose people.
        author_id: the person; not empty.
        now: the time, in seconds since 1970.
    """
    forgotten = {
        "tenant": tenant,
        "author_key": author_key(tenant, author_id),
        "forget_time": now,
    }
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    await connection.execute(
        dialect.insert(forgotten_authors)
        .values(forgotten)
        .on_conflict_do_update(
            index_elements=[forgotten_authors.c.tenant, forgotten_authors.c.author_key],
            set_={"forget_time": now},
        )
    )
    example_count = 0
    mine = select(examples.c.dataset_id).where(*_by(examples, tenant, author_id)).distinct()
    # Always in this order, so that two deletions do not wait for each other.
    for dataset_id in sorted((await connection.scalars(mine)).all()):
        example_count += await _delete_examples(connection, tenant, author_id, dataset_id, now)
    corrections = await _delete_lessons(connection, tenant, author_id)
    gone = delete(feedback).where(*_by(feedback, tenant, author_id))
    return Deleted(example_count, corrections, (await connection.execute(gone)).rowcount)


async def forgotten_since(connection: AsyncConnection, tenant: str, time_s: float) -> set[str]:
    """Keys of the authors whose data was deleted at or after a time (seconds since 1970)."""
    found = select(forgotten_authors.c.author_key).where(
        forgotten_authors.c.tenant == tenant, forgotten_authors.c.forget_time >= time_s
    )
    return set((await connection.scalars(found)).all())


def author_key(tenant: str, author_id: str) -> str:
    """What stands for an author whose id is not to be kept: SHA-256, in hexadecimal digits."""
    return hashlib.sha256(f"{len(tenant)}:{tenant}{author_id}".encode()).hexdigest()


async def _delete_examples(
    connection: AsyncConnection, tenant: str, author_id: str, dataset_id: str, now: float
) -> int:
    try:
        dataset = await lock_dataset(connection, tenant, dataset_id)
    except DatasetNotFoundError:  # somebody has just deleted it, with all its examples
        return 0
    here = (*_by(examples, tenant, author_id), examples.c.dataset_id == dataset_id)
    content, bytes_gone, negative, after = dataset.content_sha256, 0, 0, -1
    ids: list[str] = []
    while True:
        batch = select(examples).where(*here, examples.c.position > after)
        ordered = batch.order_by(examples.c.position).limit(_BATCH)
        rows = (await connection.execute(ordered)).all()
        if not rows:
            break
        after = rows[-1].position
        content = without_content(content, (row.content_key for row in rows))
        bytes_gone += sum(byte_count(example_from(row).draft) for row in rows)
        negative += sum(row.polarity == Polarity.NEGATIVE.value for row in rows)
        ids += [row.example_id for row in rows]
        await _delete_embeddings(connection, tenant, {row.question_key for row in rows})
    await connection.execute(delete(examples).where(*here))
    left = dataset.example_count - len(ids)
    await connection.execute(
        update(datasets)
        .where(datasets.c.dataset_id == dataset_id)
        .values(
            example_count=left,
            negative_example_count=dataset.negative_example_count - negative,
            byte_count=dataset.byte_count - bytes_gone,
            content_sha256=content if left else EMPTY,
            update_time=now,
        )
    )
    if len(ids) <= _MOST_SINGLE:
        await announce(connection, tenant, Subject.EXAMPLE, ids, removed=True)
    else:
        await announce(connection, tenant, Subject.DATASET, [dataset_id], removed=True)
        await announce(connection, tenant, Subject.DATASET, [dataset_id])
    return len(ids)


async def _delete_lessons(connection: AsyncConnection, tenant: str, author_id: str) -> int:
    here = _by(lessons, tenant, author_id)
    rows = (
        await connection.execute(
            select(lessons.c.lesson_id, lessons.c.kind, lessons.c.question_key).where(*here)
        )
    ).all()
    await _delete_embeddings(connection, tenant, {row.question_key for row in rows})
    await connection.execute(delete(lessons).where(*here))
    ids = [row.lesson_id for row in rows]
    await announce(connection, tenant, Subject.LESSON, ids, removed=True)
    return sum(row.kind == LessonKind.CORRECTION.value for row in rows)


async def _delete_embeddings(
    connection: AsyncConnection, tenant: str, question_keys: Iterable[str]
) -> None:
    """What they say of questions in numbers; those of questions that others asked are made anew."""
    keys = sorted(question_keys)
    for start in range(0, len(keys), _BATCH):
        gone = delete(embeddings).where(
            embeddings.c.tenant == tenant,
            embeddings.c.question_key.in_(keys[start : start + _BATCH]),
        )
        await connection.execute(gone)


async def _rated_questions(
    connection: AsyncConnection, tenant: str, author_id: str, rows: Sequence[Row[Any]]
) -> dict[str, str]:
    """The questions whose answers were rated, by the answer, as far as memory has kept them."""
    rated = {row.response_id for row in rows if row.response_id}
    kept = select(lessons.c.response_id, lessons.c.question).where(
        *_by(lessons, tenant, author_id), lessons.c.response_id.in_(rated)
    )
    questions: dict[str, str] = defaultdict(str)
    if rated:
        questions.update((row[0], row[1]) for row in await connection.execute(kept))
    return questions


def _by(table: Any, tenant: str, author_id: str) -> tuple[Any, Any]:
    return (table.c.tenant == tenant, table.c.author_id == author_id)


def _example_item(row: Row[Any]) -> AuthorItem:
    return AuthorItem(
        row.example_id,
        ItemKind.EXAMPLE,
        row.prompt,
        row.completion,
        row.dataset_id,
        row.create_time,
    )


def _correction_item(row: Row[Any]) -> AuthorItem:
    return AuthorItem(
        row.lesson_id, ItemKind.CORRECTION, row.question, row.answer, "", row.create_time
    )


def _feedback_item(row: Row[Any], questions: dict[str, str]) -> AuthorItem:
    return AuthorItem(
        row.feedback_id,
        ItemKind.FEEDBACK,
        questions[row.response_id or ""],
        row.comment or row.rating,
        "",
        row.create_time,
    )
