"""What memory has to say to a question: an answer at once, examples, answers to avoid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_trainer.domain.conversations import TaughtExample, UsedExample
from voicemesh_trainer.domain.lessons import Found, LessonKind, Polarity, Recalled
from voicemesh_trainer.memory.likeness import means_the_same
from voicemesh_trainer.memory.questions import normalised, question_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_trainer.domain.lessons import Lesson
    from voicemesh_trainer.memory.shelf import IndexShelf
    from voicemesh_trainer.ports.memory import LessonStore

__all__ = ("Recall", "RecallLimits")

_SAME = 1.0
_DIRECT_WORDS = 2
"""A question of fewer words ("Why?") means something else in every conversation."""


@dataclass(frozen=True)
class RecallLimits:
    """How much is recalled."""

    most_examples: int = 4
    """Examples given to a model."""
    least_similarity: float = 0.25
    """Of an example to its question, 0 to 1."""
    most_candidates: int = 12
    """Lessons looked at more closely."""


class Recall:
    """Recalls what a tenant's people taught."""

    def __init__(self, store: LessonStore, shelf: IndexShelf, limits: RecallLimits) -> None:
        """Takes the parts.

        Args:
            store: where lessons are kept; asked for those on the very same question.
            shelf: finds those on questions of like words or meaning.
            limits: how much is recalled.
        """
        self._store = store
        self._shelf = shelf
        self._limits = limits

    async def recall(
        self, tenant: str, question: str, *, in_context: bool, last_change: int | None = None
    ) -> Recalled:
        """What is known about a question.

        Args:
            tenant: whose memory.
            question: the turn to be answered.
            in_context: whether something was said before, on which a short question may depend.
            last_change: number of the newest change of memory; None if it is not known.

        Raises:
            DatabaseUnavailableError: if the database cannot be reached.
        """
        key = question_key(question)
        most = self._limits.most_candidates
        near = await self._shelf.find(tenant, question, most, last_change)
        if near is not None and not near:
            return Recalled()  # One of the very same question has the same words.
        same = list(await self._store.answers_to(tenant, key))
        near = near or ()
        by_key = {question_key(found.lesson.question): found.lesson for found in near}
        for other, lesson in by_key.items():
            if other != key and await self._is_same(tenant, question, lesson):
                # Whole and newest first; the index has long answers cut.
                same += await self._store.answers_to(tenant, other)
        direct = len(normalised(question).split()) >= _DIRECT_WORDS or not in_context
        answer = _best(same) if direct else None
        if answer is not None:
            used = UsedExample(answer.lesson_id, _SAME)
            return Recalled(answer=answer.answer, used=(used,))
        return self._for_model([Found(lesson, _SAME) for lesson in same], near)

    async def _is_same(self, tenant: str, question: str, lesson: Lesson) -> bool:
        words = normalised(question).split()
        known = await self._shelf.is_known_word(tenant, words)
        return means_the_same(question, lesson.question, known)

    def _for_model(self, same: Sequence[Found], near: Sequence[Found]) -> Recalled:
        wrong = [found.lesson.answer for found in same if _is_wrong(found.lesson)]
        wrong += [found.lesson.rejected_answer for found in same]
        least = self._limits.least_similarity
        chosen: dict[str, Found] = {}
        for found in (*same, *near):
            if len(chosen) == self._limits.most_examples:
                break
            if found.similarity >= least:
                # One example a question is enough: the newest, or the correction.
                chosen.setdefault(question_key(found.lesson.question), found)
        ordered = sorted(chosen.values(), key=lambda found: found.similarity, reverse=True)
        return Recalled(
            examples=tuple(
                TaughtExample(found.lesson.question, found.lesson.answer, _is_wrong(found.lesson))
                for found in reversed(ordered)
            ),
            avoided=tuple(dict.fromkeys(answer for answer in wrong if answer.strip())),
            used=tuple(
                UsedExample(found.lesson.lesson_id, round(found.similarity, 3)) for found in ordered
            ),
        )


def _best(same: Sequence[Lesson]) -> Lesson | None:
    """The lesson whose answer is given as it is: the newest correction, else a dataset's answer.

    What feedback called good was the model's own answer; it is an example, not a rule.
    """
    for kind in (LessonKind.CORRECTION, LessonKind.EXAMPLE):
        for lesson in same:
            if lesson.kind is kind and not _is_wrong(lesson) and not _was_refuted(lesson, same):
                return lesson
    return None


def _was_refuted(lesson: Lesson, others: Sequence[Lesson]) -> bool:
    """Whether people called the same answer wrong later; ids grow with time."""
    answer = normalised(lesson.answer)
    return any(
        other.lesson_id > lesson.lesson_id
        and _is_wrong(other)
        and normalised(other.answer) == answer
        for other in others
    )


def _is_wrong(lesson: Lesson) -> bool:
    return lesson.polarity is Polarity.NEGATIVE
