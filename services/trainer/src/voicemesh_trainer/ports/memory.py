"""What memory needs from outside: where lessons are kept, and how alike meanings are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from voicemesh_trainer.domain.lessons import (
        Correction,
        Feedback,
        Lesson,
        MemoryChange,
        Recalled,
        Response,
    )
__all__ = ("Embedder", "LessonStore", "RecallMeter", "VectorStore")


class LessonStore(Protocol):
    """Keeps what people teach. What a call returns from is durable.

    Every method raises `DatabaseUnavailableError` if the database cannot be reached, and those that
    write raise `StorageFullError` if it has no room.
    """

    async def keep_response(self, response: Response) -> None:
        """Keeps an answer, so that it can be corrected."""

    async def forget_responses(self, before_s: float) -> int:
        """Deletes answers given before a time (seconds since 1970); returns how many."""

    async def record_correction(self, correction: Correction) -> tuple[str, float]:
        """Keeps a correction; returns its id and its time (seconds since 1970).

        Raises:
            ResponseNotFoundError: if the tenant has no such answer, or no longer.
            RequestReusedError: if `request_id` named another request before.
        """

    async def record_feedback(self, feedback: Feedback) -> tuple[str, float]:
        """Keeps feedback, and a lesson of it if it rates an answer. Raises as above."""

    async def answers_to(self, tenant: str, question_key: str) -> Sequence[Lesson]:
        """Lessons on one question: corrections before the rest, newest first; at most 50."""

    async def last_change(self, tenant: str) -> int:
        """Number of the tenant's newest change; 0 if there was none."""

    async def changes(self, tenant: str, after: int) -> Sequence[MemoryChange]:
        """Changes after the one of that number, oldest first, at most 1,000."""

    async def lesson(self, tenant: str, lesson_id: str) -> Lesson | None:
        """One correction or lesson of feedback, if it is still there."""

    def lessons(self, tenant: str) -> AsyncIterator[Sequence[Lesson]]:
        """All corrections and lessons of feedback, in batches."""

    def examples(
        self, tenant: str, dataset_id: str, after: int
    ) -> AsyncIterator[tuple[int, Sequence[Lesson]]]:
        """Examples with a prompt whose position is above `after`, in batches with the last one."""

    async def datasets(self, tenant: str) -> Sequence[str]:
        """Ids of the tenant's datasets that are not archived."""


class Embedder(Protocol):
    """Puts the meaning of texts into numbers."""

    @property
    def name(self) -> str:
        """Names the model; vectors of two models do not compare."""

    async def embed(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """A vector for each text, all of one length.

        Raises:
            UnavailableError: if the model cannot be reached.
        """


class RecallMeter(Protocol):
    """Counts what memory does."""

    def recalled(self, recalled: Recalled, seconds: float) -> None:
        """Memory was asked, and this is what it said."""

    def missed(self) -> None:
        """Memory could not be asked, or not in time."""


class VectorStore(Protocol):
    """Keeps what embedders worked out. Raises `DatabaseUnavailableError`."""

    async def vectors(
        self, tenant: str, model: str, question_keys: Sequence[str]
    ) -> Mapping[str, bytes]:
        """Vectors by question key, of those questions that have one; little-endian float16."""

    async def keep_vectors(self, tenant: str, model: str, vectors: Mapping[str, bytes]) -> None:
        """Keeps vectors by question key; those that are there stay."""
