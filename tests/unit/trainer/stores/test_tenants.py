"""Personas, and what people gave: it is listed whole, deleted whole, and nobody else's is."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import func, insert, select

from voicemesh_trainer.datasets.content import byte_count, content_key
from voicemesh_trainer.domain.datasets import Archive, Dataset, DatasetLimits, Draft, Staged
from voicemesh_trainer.domain.lessons import (
    Correction,
    Feedback,
    MemoryChange,
    Polarity,
    Rating,
    Response,
    Subject,
)
from voicemesh_trainer.domain.tenants import AuthorItem, Deleted, ItemKind, Persona, TenantState
from voicemesh_trainer.memory.questions import question_key
from voicemesh_trainer.stores.archives import ArchiveTable
from voicemesh_trainer.stores.database import Database
from voicemesh_trainer.stores.datasets import DatasetTable
from voicemesh_trainer.stores.examples import ExampleTable
from voicemesh_trainer.stores.lessons import SqlLessonStore
from voicemesh_trainer.stores.schema import embeddings, feedback
from voicemesh_trainer.stores.tenants import TenantTable

pytestmark = pytest.mark.unit

LIMITS = DatasetLimits()


def draft(number: int, author_id: str, polarity: Polarity = Polarity.POSITIVE) -> Draft:
    return Draft(f"Question {number}?", f"Answer {number} ü", polarity, author_id=author_id)


async def batches(drafts: Sequence[Draft]) -> AsyncIterator[Sequence[Staged]]:
    for start in range(0, len(drafts), 400):
        yield [
            Staged(each, content_key(each), question_key(each.prompt), byte_count(each))
            for each in drafts[start : start + 400]
        ]


@pytest.fixture
def tenants(database: Database) -> TenantTable:
    """The store, with a clock that stands still."""
    return TenantTable(database, now=lambda: 1000.0)


@pytest.fixture
def lessons(database: Database) -> SqlLessonStore:
    """What memory sees."""
    return SqlLessonStore(database)


async def filled(
    database: Database, drafts: Sequence[Draft], name: str = "d", tenant: str = "t"
) -> Dataset:
    table = DatasetTable(database)
    made = await table.create(tenant, name, LIMITS)
    await ExampleTable(database).add(
        tenant, made.dataset_id, batches(drafts), LIMITS, ("", ""), lambda _dataset, _added: {}
    )
    return await table.find(tenant, made.dataset_id)


def alike(dataset: Dataset) -> Dataset:
    """The dataset without what differs between any two."""
    return replace(dataset, dataset_id="", name="", create_time=0.0, update_time=0.0)


async def items(tenants: TenantTable, author_id: str, tenant: str = "t") -> list[AuthorItem]:
    return await tenants.author_items(tenant, author_id, after="", limit=10_000)


async def test_a_persona_is_empty_until_it_is_set(tenants: TenantTable) -> None:
    assert await tenants.persona("t") == Persona()

    assert await tenants.set_persona("t", "Nova", "Be kind.") == Persona("Nova", "Be kind.", 1000.0)
    await tenants.set_persona("u", "Otto\x00", "")

    assert await tenants.persona("t") == Persona("Nova", "Be kind.", 1000.0)
    assert await tenants.persona("u") == Persona("Otto", "", 1000.0)
    assert await tenants.set_persona("t", "", "") == Persona("", "", 1000.0)


async def test_setting_a_persona_leaves_the_selected_dataset(
    database: Database, tenants: TenantTable
) -> None:
    dataset = await filled(database, [draft(0, "ann")])
    table = DatasetTable(database)
    await table.select("t", dataset.dataset_id)
    await tenants.set_persona("t", "Nova", "")
    assert (await table.find("t", dataset.dataset_id)).selected


async def test_what_a_person_gave_is_listed_oldest_first_in_pages(
    database: Database, tenants: TenantTable, lessons: SqlLessonStore
) -> None:
    await lessons.keep_response(Response("0" * 26, "t", "Who leads?", "Bob.", "m"))
    await lessons.record_correction(Correction("t", "Ann.", response_id="0" * 26, author_id="ann"))
    dataset = await filled(database, [draft(0, "ann"), draft(1, "bob"), draft(2, "ann")])
    await lessons.record_feedback(Feedback("t", "0" * 26, Rating.NEGATIVE, author_id="ann"))
    await lessons.record_feedback(Feedback("t", comment="Nice!", author_id="ann"))
    await filled(database, [draft(7, "ann")], tenant="other")

    everything = await items(tenants, "ann")
    assert [(item.kind, item.prompt, item.text, item.dataset_id) for item in everything] == [
        (ItemKind.CORRECTION, "Who leads?", "Ann.", ""),
        (ItemKind.EXAMPLE, "Question 0?", "Answer 0 ü", dataset.dataset_id),
        (ItemKind.EXAMPLE, "Question 2?", "Answer 2 ü", dataset.dataset_id),
        (ItemKind.FEEDBACK, "Who leads?", "negative", ""),
        (ItemKind.FEEDBACK, "", "Nice!", ""),
    ]
    pages, after = [], ""
    while page := await tenants.author_items("t", "ann", after=after, limit=2):
        pages += page
        after = page[-1].item_id
    assert pages == everything
    assert await items(tenants, "nobody") == []


async def test_what_a_person_gave_is_deleted_and_nothing_else(
    database: Database, tenants: TenantTable, lessons: SqlLessonStore
) -> None:
    await lessons.keep_response(Response("0" * 26, "t", "Who leads?", "Bob.", "m"))
    for author in ("ann", "bob"):
        correction = Correction("t", "Ann.", question=f"{author}?", author_id=author)
        await lessons.record_correction(correction)
        await lessons.record_feedback(Feedback("t", "0" * 26, Rating.POSITIVE, author_id=author))
    mixed = [
        draft(number, "ann" if number % 3 else "bob", list(Polarity)[number % 2])
        for number in range(20)
    ]
    dataset = await filled(database, mixed)
    others = await filled(database, [each for each in mixed if each.author_id == "bob"], "others")
    elsewhere = await filled(database, mixed, tenant="other")

    deleted = await tenants.delete_author("t", "ann")

    assert deleted == Deleted(examples=13, corrections=1, feedback=1)
    assert await items(tenants, "ann") == []
    assert len(await items(tenants, "bob")) == 7 + 7 + 1 + 1
    assert len(await items(tenants, "ann", "other")) == 13
    left = await DatasetTable(database).find("t", dataset.dataset_id)
    assert alike(left) == alike(others)
    assert left.update_time == 1000.0
    assert await DatasetTable(database).find("other", elsewhere.dataset_id) == elsewhere
    assert await lessons.answers_to("t", question_key("ann?")) == []
    assert len(await lessons.answers_to("t", question_key("bob?"))) == 1
    async with database.reading() as connection:
        kept = await connection.execute(select(func.count()).select_from(feedback))
        assert kept.scalar_one() == 1
    assert await tenants.delete_author("t", "ann") == Deleted(0, 0, 0)


async def test_a_dataset_that_one_person_gave_is_empty_then(
    database: Database, tenants: TenantTable
) -> None:
    dataset = await filled(database, [draft(number, "ann") for number in range(3)])
    await tenants.delete_author("t", "ann")
    left = await DatasetTable(database).find("t", dataset.dataset_id)
    assert (left.example_count, left.negative_example_count, left.byte_count) == (0, 0, 0)
    assert left.content_sha256 == "0" * 64


async def changes(lessons: SqlLessonStore, after: int) -> list[MemoryChange]:
    return list(await lessons.changes("t", after))


async def test_memories_are_told_what_is_gone(
    database: Database, tenants: TenantTable, lessons: SqlLessonStore
) -> None:
    dataset = await filled(database, [draft(number, "ann") for number in range(3)])
    correction = Correction("t", "Ann.", question="Who?", author_id="ann")
    lesson_id, _ = await lessons.record_correction(correction)
    ids = [item.item_id for item in await items(tenants, "ann") if item.dataset_id]
    before = await lessons.last_change("t")

    await tenants.delete_author("t", "ann")

    told = [
        (each.subject, each.subject_id, each.removed) for each in await changes(lessons, before)
    ]
    assert told == [
        *((Subject.EXAMPLE, example_id, True) for example_id in ids),
        (Subject.LESSON, lesson_id, True),
    ]
    assert dataset.example_count == 3


async def test_memories_read_a_dataset_again_that_lost_much(
    database: Database, tenants: TenantTable, lessons: SqlLessonStore
) -> None:
    drafts = [draft(number, "ann" if number < 1_500 else "bob") for number in range(1_510)]
    dataset = await filled(database, drafts)
    before = await lessons.last_change("t")

    assert (await tenants.delete_author("t", "ann")).examples == 1_500

    told = [
        (each.subject, each.subject_id, each.removed) for each in await changes(lessons, before)
    ]
    assert told == [
        (Subject.DATASET, dataset.dataset_id, True),
        (Subject.DATASET, dataset.dataset_id, False),
    ]


async def test_what_embeddings_say_of_the_questions_is_deleted(
    database: Database, tenants: TenantTable
) -> None:
    await filled(database, [draft(0, "ann"), draft(1, "bob")])
    rows = [
        {"tenant": "t", "model": "m", "question_key": question_key(each.prompt), "vector": b"1234"}
        for each in (draft(0, ""), draft(1, ""))
    ]
    async with database.transaction() as connection:
        await connection.execute(insert(embeddings), rows)
    await tenants.delete_author("t", "ann")
    async with database.reading() as connection:
        kept = (await connection.scalars(select(embeddings.c.question_key))).all()
    assert kept == [question_key("Question 1?")]


async def test_what_was_deleted_does_not_come_back_from_an_archive(
    database: Database, tenants: TenantTable
) -> None:
    mixed = [draft(number, "ann" if number % 2 else "bob") for number in range(6)]
    dataset = await filled(database, mixed)
    archives = ArchiveTable(database)
    archive = Archive(
        archive_id="1" * 26,
        tenant="t",
        dataset_id=dataset.dataset_id,
        dataset_name="d",
        file="archives/x",
        byte_count=1,
        sha256="0" * 64,
        example_count=6,
        create_time=500.0,
    )
    await archives.put_away(archive, dataset.content_sha256)
    await tenants.delete_author("t", "ann")

    restored = await archives.bring_back(archive, "", batches(mixed), LIMITS)
    assert restored.example_count == 3
    assert await items(tenants, "ann") == []

    later = replace(archive, create_time=2000.0)  # packed after: given anew
    again = await archives.bring_back(later, "again", batches(mixed), LIMITS)
    assert again.example_count == 6


async def test_an_answer_learns_all_of_its_tenant_in_one_go(
    database: Database, tenants: TenantTable
) -> None:
    assert await tenants.state("t") == TenantState()

    await tenants.set_persona("t", "Nova", "Be kind.")
    lessons = SqlLessonStore(database)
    await lessons.record_correction(Correction("t", "Right.", question="What?"))
    state = await tenants.state("t")

    assert state.persona == Persona("Nova", "Be kind.", 1000.0)
    assert state.active_model is None
    assert state.last_change == await lessons.last_change("t") > 0
    assert (await tenants.state("u")).last_change == 0
