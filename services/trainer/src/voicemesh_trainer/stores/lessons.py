"""Keeps answers, corrections, feedback, and the lessons that come of them."""

from __future__ import annotations

import hashlib
import json
import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, insert, select

from voicemesh_trainer.domain.ids import new_id
from voicemesh_trainer.domain.lessons import (
    Lesson,
    LessonKind,
    MemoryChange,
    Polarity,
    Rating,
    Subject,
)
from voicemesh_trainer.errors import ResponseNotFoundError
from voicemesh_trainer.memory.questions import question_key
from voicemesh_trainer.stores.changes import announce
from voicemesh_trainer.stores.requests import once
from voicemesh_trainer.stores.schema import (
    datasets,
    examples,
    feedback,
    lessons,
    memory_changes,
    responses,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from sqlalchemy import Connection, Row
    from sqlalchemy.ext.asyncio import AsyncConnection

    from voicemesh_trainer.domain.lessons import Correction, Feedback, Response
    from voicemesh_trainer.stores.database import Database

__all__ = ("SqlLessonStore",)

_BATCH = 5_000
_MOST_ANSWERS = 50
_MOST_CHANGES = 1_000

_LESSON = (
    lessons.c.lesson_id,
    lessons.c.kind,
    lessons.c.polarity,
    lessons.c.question,
    lessons.c.answer,
    lessons.c.rejected_answer,
)
_EXAMPLE = (
    examples.c.example_id,
    examples.c.polarity,
    examples.c.prompt,
    examples.c.completion,
    examples.c.dataset_id,
    examples.c.position,
)


class SqlLessonStore:
    """A `LessonStore` in the trainer's database."""

    def __init__(self, database: Database, now: Callable[[], float] = time.time) -> None:
        """Takes an opened database and a clock (seconds since 1970)."""
        self._database = database
        self._now = now

    async def keep_response(self, response: Response) -> None:
        """See `LessonStore.keep_response`."""
        async with self._database.transaction() as connection:
            row = {
                "response_id": response.response_id,
                "tenant": response.tenant,
                "question": _stored(response.question),
                "answer": _stored(response.answer),
                "model": response.model,
                "create_time": self._now(),
            }
            await connection.execute(insert(responses).values(row))

    async def forget_responses(self, before_s: float) -> int:
        """See `LessonStore.forget_responses`."""
        async with self._database.transaction() as connection:
            expired = delete(responses).where(responses.c.create_time < before_s)
            return (await connection.execute(expired)).rowcount

    async def record_correction(self, correction: Correction) -> tuple[str, float]:
        """See `LessonStore.record_correction`."""
        async with self._database.transaction() as connection:

            async def make() -> dict[str, Any]:
                return await self._correct(connection, correction)

            made = await once(
                connection,
                correction.tenant,
                "RecordCorrection",
                correction.request_id,
                _fingerprint(
                    correction.response_id,
                    correction.question,
                    correction.corrected_text,
                    correction.author_id,
                ),
                make,
            )
        return made["id"], made["time"]

    async def _correct(self, connection: AsyncConnection, correction: Correction) -> dict[str, Any]:
        question, rejected = correction.question, ""
        if correction.response_id:
            given = await _response(connection, correction.tenant, correction.response_id)
            question, rejected = given.question, given.answer
        row: dict[str, Any] = {
            "lesson_id": new_id(),
            "tenant": correction.tenant,
            "kind": LessonKind.CORRECTION.value,
            "polarity": Polarity.POSITIVE.value,
            "question": _stored(question),
            "answer": _stored(correction.corrected_text),
            "rejected_answer": "" if rejected == correction.corrected_text else rejected,
            "question_key": question_key(question),
            "response_id": correction.response_id or None,
            "author_id": correction.author_id,
            "create_time": self._now(),
        }
        await connection.execute(insert(lessons).values(row))
        await announce(connection, correction.tenant, Subject.LESSON, [row["lesson_id"]])
        return {"id": row["lesson_id"], "time": row["create_time"]}

    async def record_feedback(self, given: Feedback) -> tuple[str, float]:
        """See `LessonStore.record_feedback`."""
        async with self._database.transaction() as connection:

            async def make() -> dict[str, Any]:
                return await self._take_feedback(connection, given)

            rating = given.rating.value if given.rating else ""
            made = await once(
                connection,
                given.tenant,
                "RecordFeedback",
                given.request_id,
                _fingerprint(given.response_id, rating, given.comment, given.author_id),
                make,
            )
        return made["id"], made["time"]

    async def _take_feedback(self, connection: AsyncConnection, given: Feedback) -> dict[str, Any]:
        rated = None
        if given.response_id:
            rated = await _response(connection, given.tenant, given.response_id)
        row = {
            "feedback_id": new_id(),
            "tenant": given.tenant,
            "response_id": given.response_id or None,
            "rating": given.rating.value if given.rating else "",
            "comment": _stored(given.comment),
            "author_id": given.author_id,
            "create_time": self._now(),
        }
        await connection.execute(insert(feedback).values(row))
        if rated is not None and given.rating is not None and rated.answer.strip():
            good = given.rating is Rating.POSITIVE
            lesson: dict[str, Any] = {
                "lesson_id": new_id(),
                "tenant": given.tenant,
                "kind": LessonKind.FEEDBACK.value,
                "polarity": (Polarity.POSITIVE if good else Polarity.NEGATIVE).value,
                "question": rated.question,
                "answer": rated.answer,
                "rejected_answer": "",
                "question_key": question_key(rated.question),
                "response_id": given.response_id,
                "author_id": given.author_id,
                "create_time": row["create_time"],
            }
            await connection.execute(insert(lessons).values(lesson))
            await announce(connection, given.tenant, Subject.LESSON, [lesson["lesson_id"]])
        return {"id": row["feedback_id"], "time": row["create_time"]}

    async def answers_to(self, tenant: str, question_key: str) -> Sequence[Lesson]:
        """See `LessonStore.answers_to`."""
        taught = (
            select(*_LESSON)
            .where(lessons.c.tenant == tenant, lessons.c.question_key == question_key)
            .order_by(lessons.c.lesson_id.desc())
            .limit(_MOST_ANSWERS)
        )
        given = (
            select(*_EXAMPLE)
            .join(datasets, datasets.c.dataset_id == examples.c.dataset_id)
            .where(
                examples.c.tenant == tenant,
                examples.c.question_key == question_key,
                datasets.c.archived.is_(False),
            )
            .order_by(examples.c.example_id.desc())
            .limit(_MOST_ANSWERS)
        )

        def look(view: Connection) -> list[Lesson]:
            found = [_lesson(row) for row in view.execute(taught)]
            return found + [_example(row) for row in view.execute(given)]

        found = await self._database.look(look)
        found.sort(key=lambda lesson: lesson.kind is not LessonKind.CORRECTION)
        return found[:_MOST_ANSWERS]

    async def last_change(self, tenant: str) -> int:
        """See `LessonStore.last_change`."""
        newest = select(func.max(memory_changes.c.change)).where(memory_changes.c.tenant == tenant)
        async with self._database.reading() as connection:
            return (await connection.execute(newest)).scalar_one() or 0

    async def changes(self, tenant: str, after: int) -> Sequence[MemoryChange]:
        """See `LessonStore.changes`."""
        newer = (
            select(memory_changes)
            .where(memory_changes.c.tenant == tenant, memory_changes.c.change > after)
            .order_by(memory_changes.c.change)
            .limit(_MOST_CHANGES)
        )
        rows = await self._database.look(lambda view: view.execute(newer).all())
        return [
            MemoryChange(row.change, Subject(row.subject), row.subject_id, row.removed)
            for row in rows
        ]

    async def lesson(self, tenant: str, lesson_id: str) -> Lesson | None:
        """See `LessonStore.lesson`."""
        one = select(*_LESSON).where(lessons.c.tenant == tenant, lessons.c.lesson_id == lesson_id)
        async with self._database.reading() as connection:
            row = (await connection.execute(one)).one_or_none()
        return _lesson(row) if row else None

    async def lessons(self, tenant: str) -> AsyncIterator[Sequence[Lesson]]:
        """See `LessonStore.lessons`."""
        after = ""
        while True:
            batch = (
                select(*_LESSON)
                .where(lessons.c.tenant == tenant, lessons.c.lesson_id > after)
                .order_by(lessons.c.lesson_id)
                .limit(_BATCH)
            )
            async with self._database.reading() as connection:
                rows = (await connection.execute(batch)).all()
            if not rows:
                return
            after = rows[-1].lesson_id
            yield [_lesson(row) for row in rows]

    async def examples(
        self, tenant: str, dataset_id: str, after: int
    ) -> AsyncIterator[tuple[int, Sequence[Lesson]]]:
        """See `LessonStore.examples`."""
        while True:
            batch = (
                select(*_EXAMPLE)
                .where(
                    examples.c.tenant == tenant,
                    examples.c.dataset_id == dataset_id,
                    examples.c.position > after,
                    examples.c.prompt != "",
                )
                .order_by(examples.c.position)
                .limit(_BATCH)
            )
            async with self._database.reading() as connection:
                rows = (await connection.execute(batch)).all()
            if not rows:
                return
            after = rows[-1].position
            yield after, [_example(row) for row in rows]

    async def datasets(self, tenant: str) -> Sequence[str]:
        """See `LessonStore.datasets`."""
        live = (
            select(datasets.c.dataset_id)
            .where(datasets.c.tenant == tenant, datasets.c.archived.is_(False))
            .order_by(datasets.c.dataset_id)
        )
        async with self._database.reading() as connection:
            return (await connection.execute(live)).scalars().all()


async def _response(
    connection: AsyncConnection, tenant: str, response_id: str
) -> Row[*tuple[Any, ...]]:
    wanted = select(responses.c.question, responses.c.answer).where(
        responses.c.tenant == tenant, responses.c.response_id == response_id
    )
    row = (await connection.execute(wanted)).one_or_none()
    if row is None:
        msg = (
            "there is no answer of this id, or it has expired; a correction can name the question "
            "instead"
        )
        raise ResponseNotFoundError(msg, field="response_id")
    return row


def _lesson(row: Row[*tuple[Any, ...]]) -> Lesson:
    return Lesson(
        row.lesson_id,
        LessonKind(row.kind),
        Polarity(row.polarity),
        row.question,
        row.answer,
        rejected_answer=row.rejected_answer,
    )


def _example(row: Row[*tuple[Any, ...]]) -> Lesson:
    return Lesson(
        row.example_id,
        LessonKind.EXAMPLE,
        Polarity(row.polarity),
        row.prompt,
        row.completion,
        group_id=row.dataset_id,
    )


def _stored(text: str) -> str:
    """The text as every database takes it: PostgreSQL knows no NUL."""
    return text.replace("\x00", "")


def _fingerprint(*fields: str) -> str:
    return hashlib.sha256(json.dumps(fields).encode()).hexdigest()
