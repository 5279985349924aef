"""Works vectors of taught questions out, behind everybody's back, and finds the nearest."""

from __future__ import annotations

import asyncio
import contextlib
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.memory.questions import normalised, question_key
from voicemesh_trainer.memory.vectors import QuestionVectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from voicemesh_trainer.domain.lessons import Lesson
    from voicemesh_trainer.ports.memory import Embedder, VectorStore

__all__ = ("TenantMeanings",)

_logger = get_logger(__name__)

_BATCH = 64
_RETRY_S = (1.0, 5.0, 30.0, 120.0)
_QUESTION_CHARACTERS = 2_000


class TenantMeanings:
    """The meanings of one tenant's questions.

    A question that has no vector yet is only found by its words; nothing waits for an embedder.
    """

    def __init__(
        self, tenant: str, embedder: Embedder, store: VectorStore, *, wait_s: float
    ) -> None:
        """Takes the parts.

        Args:
            tenant: whose questions.
            embedder: puts meanings into numbers.
            store: keeps what it worked out.
            wait_s: longest wait for the vector of a question that is asked.
        """
        self._tenant = tenant
        self._embedder = embedder
        self._store = store
        self._wait_s = wait_s
        self._vectors = QuestionVectors()
        self._lock = asyncio.Lock()
        """For the vectors, which are worked on by one thread at a time."""
        self._waiting: dict[str, tuple[str, str]] = {}
        """Lessons without a vector: dataset and question, by id."""
        self._news = asyncio.Event()
        self._work = asyncio.create_task(self._run(), name=f"embedding {tenant}")

    def add(self, lessons: Iterable[Lesson]) -> None:
        """Takes lessons in; their vectors follow. As many wait as there are lessons."""
        for lesson in lessons:
            question = lesson.question[:_QUESTION_CHARACTERS]
            self._waiting[lesson.lesson_id] = (lesson.group_id, question)
        self._news.set()

    async def remove(self, *, lesson_id: str = "", group_id: str = "") -> None:
        """Takes out a lesson, or all of a dataset."""
        self._waiting.pop(lesson_id, None)
        if group_id:
            waiting = self._waiting.items()
            self._waiting = {name: each for name, each in waiting if each[0] != group_id}
        async with self._lock:
            await asyncio.to_thread(self._vectors.remove, lesson_id=lesson_id, group_id=group_id)

    async def nearest(self, question: str, most: int) -> Sequence[tuple[str, float]]:
        """Lessons with how near they are (0 to 1), nearest first; none if that takes too long."""
        if not len(self._vectors):
            return []
        try:
            async with asyncio.timeout(self._wait_s):
                (vector,) = await self._embedder.embed(
                    [normalised(question)[:_QUESTION_CHARACTERS]]
                )
        except (TimeoutError, ServiceError) as error:
            _logger.warning("a question has no vector", cause=type(error).__name__)
            return []
        async with self._lock:
            found = await asyncio.to_thread(self._vectors.nearest, _unit(vector), most)
        return [(name, max(0.0, cosine)) for name, cosine in found]

    async def aclose(self) -> None:
        """Ends the work."""
        self._work.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._work

    async def _run(self) -> None:
        failures = 0
        while True:
            await self._news.wait()
            if not self._waiting:
                self._news.clear()
                continue
            batch = dict(islice(self._waiting.items(), _BATCH))
            try:
                vectors = await self._vectors_of([question for _, question in batch.values()])
            except (ServiceError, TimeoutError) as error:
                pause_s = _RETRY_S[min(failures, len(_RETRY_S) - 1)]
                failures += 1
                _logger.warning("questions have no vectors", cause=type(error).__name__)
                await asyncio.sleep(pause_s)
                continue
            failures = 0
            async with self._lock:
                # What was taken out meanwhile waits no more.
                made = zip(batch.items(), vectors, strict=True)
                kept = [
                    (name, group, vector)
                    for (name, (group, question)), vector in made
                    if self._waiting.get(name) == (group, question)
                ]
                for name, _group, _vector in kept:
                    del self._waiting[name]
                await asyncio.to_thread(self._take, kept)

    def _take(self, made: Sequence[tuple[str, str, NDArray[np.float16]]]) -> None:
        for name, group, vector in made:
            try:
                self._vectors.add(name, group, vector)
            except ValueError as error:
                _logger.warning("a vector does not fit", cause=str(error))

    async def _vectors_of(self, questions: Sequence[str]) -> Sequence[NDArray[np.float16]]:
        keys = [question_key(question) for question in questions]
        model = self._embedder.name
        known = dict(await self._store.vectors(self._tenant, model, keys))
        missing = {
            key: normalised(question)
            for key, question in zip(keys, questions, strict=True)
            if key not in known
        }
        if missing:
            made = await self._embedder.embed(list(missing.values()))
            new = {
                key: _unit(vector).astype("<f2").tobytes()
                for key, vector in zip(missing, made, strict=True)
            }
            await self._store.keep_vectors(self._tenant, model, new)
            known |= new
        return [np.frombuffer(known[key], "<f2").astype(np.float16) for key in keys]


def _unit(vector: Sequence[float]) -> NDArray[np.float16]:
    wide = np.asarray(vector, np.float32)
    length = float(np.linalg.norm(wide))
    return (wide / length if length else wide).astype(np.float16)
