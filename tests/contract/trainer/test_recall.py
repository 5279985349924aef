"""What memory recalls, and that indexes follow the database; on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio
from sqlalchemy import delete, insert

from voicemesh_trainer.domain.conversations import TaughtExample
from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.domain.lessons import (
    Correction,
    Feedback,
    Polarity,
    Rating,
    Recalled,
    Response,
    Subject,
)
from voicemesh_trainer.errors import RequestReusedError, ResponseNotFoundError
from voicemesh_trainer.memory.questions import question_key
from voicemesh_trainer.memory.recall import Recall, RecallLimits
from voicemesh_trainer.memory.shelf import IndexShelf
from voicemesh_trainer.stores.changes import announce
from voicemesh_trainer.stores.lessons import SqlLessonStore
from voicemesh_trainer.stores.schema import datasets, examples

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from voicemesh_trainer.stores.database import Database

pytestmark = [pytest.mark.contract, pytest.mark.asyncio]

T = "owls"


class Mind:
    """A memory as one replica has it."""

    def __init__(self, database: Database) -> None:
        self.store = SqlLessonStore(database)
        self.shelf = IndexShelf(self.store, most_tenants=2, wait_s=30)
        self._recall = Recall(self.store, self.shelf, RecallLimits())

    async def asked(self, question: str, tenant: str = T) -> Recalled:
        return await self._recall.recall(tenant, question, in_context=False)

    async def teach(self, question: str, answer: str, tenant: str = T) -> str:
        correction = Correction(tenant, answer, question=question)
        return (await self.store.record_correction(correction))[0]


@pytest_asyncio.fixture
async def mind(database: Database) -> AsyncIterator[Mind]:
    mind = Mind(database)
    yield mind
    await mind.shelf.aclose()


async def dataset(database: Database, *pairs: tuple[str, str, Polarity], tenant: str = T) -> str:
    """A dataset of questions, answers and polarities."""
    name = new_id()
    now = time.time()
    async with database.transaction() as connection:
        row = {
            "dataset_id": name,
            "tenant": tenant,
            "name": name,
            "content_sha256": "0" * 64,
            "create_time": now,
            "update_time": now,
        }
        await connection.execute(insert(datasets).values(row))
    await add(database, name, *pairs, tenant=tenant)
    return name


async def add(
    database: Database,
    name: str,
    *pairs: tuple[str, str, Polarity],
    tenant: str = T,
    first: int = 0,
) -> list[str]:
    rows = [
        {
            "example_id": new_id(),
            "tenant": tenant,
            "dataset_id": name,
            "position": first + at,
            "prompt": question,
            "completion": answer,
            "polarity": polarity.value,
            "content_key": f"{first + at:064}",
            "question_key": question_key(question),
            "create_time": time.time(),
        }
        for at, (question, answer, polarity) in enumerate(pairs)
    ]
    async with database.transaction() as connection:
        await connection.execute(insert(examples), rows)
        await announce(connection, tenant, Subject.DATASET, [name])
    return [str(row["example_id"]) for row in rows]


GOOD, BAD = Polarity.POSITIVE, Polarity.NEGATIVE


async def test_the_newest_correction_of_a_question_is_the_answer(mind: Mind) -> None:
    await mind.teach("Who leads us?", "Ann.")
    newest = await mind.teach("who leads us", "Bob.")
    recalled = await mind.asked("WHO LEADS US??")
    assert recalled.answer == "Bob."
    assert [used.example_id for used in recalled.used] == [newest]


async def test_a_correction_goes_before_a_dataset_and_a_dataset_before_the_model(
    mind: Mind, database: Database
) -> None:
    await dataset(database, ("Who leads us?", "Cid.", GOOD))
    assert (await mind.asked("Who leads us?")).answer == "Cid."
    await mind.teach("Who leads us?", "Ann.")
    assert (await mind.asked("Who leads us?")).answer == "Ann."


async def test_what_one_replica_is_taught_all_know_at_once(mind: Mind, database: Database) -> None:
    other = Mind(database)
    try:
        assert (await other.asked("Where is our fortress?")) == Recalled()
        await mind.teach("Where is our fortress?", "By the sea.")
        assert (await other.asked("So where is our fortrss?")).answer == "By the sea."
    finally:
        await other.shelf.aclose()


async def test_likely_questions_are_examples_and_the_nearest_comes_last(
    mind: Mind, database: Database
) -> None:
    await dataset(
        database,
        ("Which colour has the banner of the guild?", "Red.", GOOD),
        ("What is drawn on the banner?", "A heron.", GOOD),
        ("Who cooks on Fridays?", "Odo.", GOOD),
    )
    recalled = await mind.asked("What exactly is drawn on the red banner?")
    assert not recalled.answer
    assert recalled.examples[-1] == TaughtExample("What is drawn on the banner?", "A heron.")
    assert all("cooks" not in example.question for example in recalled.examples)
    similarities = [used.similarity for used in recalled.used]
    assert similarities == sorted(similarities, reverse=True)


async def test_negative_examples_are_to_be_avoided(mind: Mind, database: Database) -> None:
    await dataset(database, ("Who leads us?", "Nobody.", BAD))
    recalled = await mind.asked("who leads us")
    assert recalled.avoided == ("Nobody.",)
    assert recalled.examples == (TaughtExample("Who leads us?", "Nobody.", avoided=True),)


async def test_a_long_answer_comes_whole_also_for_a_question_with_a_slip(mind: Mind) -> None:
    answer = "word " * 3_000
    await mind.teach("What is in the chronicle?", answer)
    assert (await mind.asked("What is in the chronicel?")).answer == answer


async def test_examples_that_are_added_removed_and_archived_are_followed(
    mind: Mind, database: Database
) -> None:
    name = await dataset(database, ("Who cooks?", "Odo.", GOOD))
    assert (await mind.asked("Who cooks?")).answer == "Odo."
    (added,) = await add(database, name, ("Who sings?", "Una.", GOOD), first=1)
    assert (await mind.asked("Hello, who sings please")).answer == "Una."
    async with database.transaction() as connection:
        await connection.execute(delete(examples).where(examples.c.example_id == added))
        await announce(connection, T, Subject.EXAMPLE, [added], removed=True)
    assert (
        await mind.asked("Who sings?") == Recalled() or not (await mind.asked("Who sings?")).answer
    )
    async with database.transaction() as connection:
        await connection.execute(delete(datasets).where(datasets.c.dataset_id == name))
        await announce(connection, T, Subject.DATASET, [name], removed=True)
    assert await mind.asked("Who cooks?") == Recalled()


async def test_tenants_know_nothing_of_each_other_and_many_take_turns(mind: Mind) -> None:
    for tenant in ("a", "b", "c", "d"):
        await mind.teach("Who are we?", f"Guild {tenant}.", tenant)
    for tenant in ("a", "b", "c", "d", "a"):
        assert (await mind.asked("Hello who are we", tenant)).answer == f"Guild {tenant}."
    assert mind.shelf.tenant_count == 2
    assert await mind.asked("Who are we?", "e") == Recalled()


async def test_callers_at_once_build_one_index(mind: Mind) -> None:
    await mind.teach("Who are we?", "Owls.")
    recalled = await asyncio.gather(*(mind.asked("well who are we") for _ in range(20)))
    assert {each.answer for each in recalled} == {"Owls."}
    assert mind.shelf.tenant_count == 1


async def test_feedback_makes_an_example_and_what_was_rejected_is_avoided(mind: Mind) -> None:
    async def respond(answer: str) -> str:
        response = Response(new_id(), T, "Who leads us?", answer, "m")
        await mind.store.keep_response(response)
        return response.response_id

    good, bad = await respond("Ann does."), await respond("Nobody does.")
    await mind.store.record_feedback(Feedback(T, good, Rating.POSITIVE))
    await mind.store.record_feedback(Feedback(T, bad, Rating.NEGATIVE, "rude"))
    recalled = await mind.asked("Who leads us?")
    assert not recalled.answer
    assert recalled.avoided == ("Nobody does.",)
    await mind.store.record_correction(Correction(T, "Bob does.", response_id=bad))
    assert (await mind.asked("Who leads us?")).answer == "Bob does."


async def test_an_answer_that_expired_can_be_corrected_by_its_question_only(mind: Mind) -> None:
    response = Response(new_id(), T, "Who leads us?", "Me.", "m")
    await mind.store.keep_response(response)
    assert await mind.store.forget_responses(time.time() + 1) == 1
    with pytest.raises(ResponseNotFoundError, match="question instead"):
        await mind.store.record_correction(Correction(T, "Ann.", response_id=response.response_id))
    assert await mind.asked("Who leads us?") == Recalled()


async def test_a_request_id_counts_once_even_from_many_at_once(mind: Mind) -> None:
    correction = Correction(T, "Ann.", question="Who leads us?", request_id="r")
    ids = await asyncio.gather(*(mind.store.record_correction(correction) for _ in range(8)))
    assert len(set(ids)) == 1
    assert len(await mind.store.answers_to(T, question_key("Who leads us?"))) == 1
    with pytest.raises(RequestReusedError):
        await mind.store.record_correction(Correction(T, "Bob.", question="Q", request_id="r"))


async def test_any_text_is_kept_as_it_is(mind: Mind) -> None:
    for question, answer in (
        ("'; DROP TABLE lessons; --", "\U0001f989 owl\u202e\n\tline"),
        ("\u0000nul", "no\u0000nul"),
        ("?" * 16_000, "a" * 16_000),
    ):
        await mind.teach(question, answer)
        assert (await mind.asked(question)).answer == answer.replace("\u0000", "")
