"""The indexes of the tenants that ask: built when first needed, kept up to date, few at a time."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from voicemesh_chassis.logs import get_logger
from voicemesh_trainer.domain.lessons import Found, Subject
from voicemesh_trainer.memory.question_index import QuestionIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from voicemesh_trainer.domain.lessons import Lesson, MemoryChange
    from voicemesh_trainer.memory.embedding import TenantMeanings
    from voicemesh_trainer.ports.memory import LessonStore

    Result = TypeVar("Result")

__all__ = ("IndexShelf",)

_logger = get_logger(__name__)


@dataclass
class _Shelved:
    """The index of one tenant."""

    index: QuestionIndex = field(default_factory=QuestionIndex)
    change: int = 0
    """Newest change that it knows."""
    positions: dict[str, int] = field(default_factory=dict)
    """Last example that it knows, by dataset."""
    meanings: TenantMeanings | None = None
    """Finds by meaning; None without an embedding model."""
    ready: bool = False
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One follows the changes, the others find that nothing is left to do."""

    async def aclose(self) -> None:
        """Ends what works for it."""
        if self.meanings is not None:
            await self.meanings.aclose()


class IndexShelf:
    """Finds lessons for any tenant.

    An index is brought up to date with the database before each use, so that what one replica was
    taught, all know at their next answer.
    """

    def __init__(
        self,
        store: LessonStore,
        *,
        most_tenants: int,
        wait_s: float,
        meanings: Callable[[str], TenantMeanings] | None = None,
    ) -> None:
        """Takes the lessons.

        Args:
            store: where they are kept.
            meanings: makes what finds a tenant's lessons by meaning; None without such a model.
            most_tenants: indexes held at once; that of the tenant who asked longest ago goes.
            wait_s: longest wait of a question for an index that is being built; without it, only
                lessons on the very same question are found.
        """
        self._store = store
        self._most_tenants = most_tenants
        self._wait_s = wait_s
        self._new_meanings = meanings
        self._shelved: OrderedDict[str, _Shelved] = OrderedDict()
        self._builds: dict[str, asyncio.Task[None]] = {}
        # tantivy lets go of the interpreter while it works.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="memory")

    @property
    def tenant_count(self) -> int:
        """How many indexes are held."""
        return len(self._shelved)

    async def find(
        self, tenant: str, question: str, most: int, last_change: int | None = None
    ) -> Sequence[Found] | None:
        """The lessons nearest to a question; None if the index is not there in time.

        Args:
            tenant: whose lessons.
            question: as it was asked.
            most: how many at most.
            last_change: number of the newest change; None asks the database.

        Raises:
            DatabaseUnavailableError: if it cannot be asked what is new.
        """
        shelved = await self._ready(tenant, last_change)
        if shelved is None:
            return None
        if not len(shelved.index):
            return ()
        found = await self._on_thread(partial(shelved.index.find, question, most))
        if shelved.meanings is None:
            return found
        alike = dict(await shelved.meanings.nearest(question, most))
        # Where both find a lesson, the larger similarity counts.
        near = {each.lesson.lesson_id: each for each in found}
        missing = [name for name in alike if name not in near]
        lessons = await self._on_thread(partial(shelved.index.get, missing))
        near |= {name: Found(lesson, alike[name]) for name, lesson in lessons.items()}
        for name in alike.keys() & near.keys():
            if alike[name] > near[name].similarity:
                near[name] = Found(near[name].lesson, alike[name])
        return sorted(near.values(), key=lambda each: each.similarity, reverse=True)[:most]

    async def is_known_word(self, tenant: str, words: Sequence[str]) -> Callable[[str], bool]:
        """Tells, of the given words, which stand in any question of the tenant."""
        shelved = self._shelved.get(tenant)
        if shelved is None:
            return lambda _word: False
        known = await self._on_thread(lambda: {word for word in words if shelved.index.knows(word)})
        return known.__contains__

    async def aclose(self) -> None:
        """Ends all builds and lets go of the indexes."""
        for build in self._builds.values():
            build.cancel()
        await asyncio.gather(*self._builds.values(), return_exceptions=True)
        for shelved in self._shelved.values():
            await shelved.aclose()
        self._shelved.clear()
        await asyncio.to_thread(self._threads.shutdown)

    async def _ready(self, tenant: str, last_change: int | None) -> _Shelved | None:
        shelved = self._shelved.get(tenant)
        if shelved is None or not shelved.ready:
            build = self._builds.get(tenant)
            if build is None:
                build = asyncio.create_task(self._build(tenant), name=f"memory {tenant}")
                self._builds[tenant] = build
                build.add_done_callback(lambda _done: self._builds.pop(tenant, None))
            # The build goes on if this question cannot wait for it.
            done, _ = await asyncio.wait({build}, timeout=self._wait_s)
            if not done:
                return None
            build.result()
            shelved = self._shelved.get(tenant)
            if shelved is None:
                return None
        self._shelved.move_to_end(tenant)
        async with shelved.lock:
            if last_change is None or last_change > shelved.change:
                await self._follow(tenant, shelved)
        return shelved

    async def _build(self, tenant: str) -> None:
        shelved = _Shelved(meanings=self._new_meanings(tenant) if self._new_meanings else None)
        try:
            await self._fill(tenant, shelved)
        except BaseException:
            await shelved.aclose()
            raise
        self._shelved[tenant] = shelved
        while len(self._shelved) > self._most_tenants:
            _tenant, oldest = self._shelved.popitem(last=False)
            await oldest.aclose()
        _logger.info("memory indexed", lessons=len(shelved.index))

    async def _fill(self, tenant: str, shelved: _Shelved) -> None:
        # First the number, then the lessons: what comes in between is taken twice, not missed.
        shelved.change = await self._store.last_change(tenant)
        async for batch in self._store.lessons(tenant):
            await self._add(shelved, batch)
        for dataset_id in await self._store.datasets(tenant):
            await self._add_examples(tenant, shelved, dataset_id)
        await self._on_thread(shelved.index.commit)
        shelved.ready = True

    async def _follow(self, tenant: str, shelved: _Shelved) -> None:
        """Takes in what changed since."""
        changed = False
        while news := await self._store.changes(tenant, shelved.change):
            for change in news:
                await self._take(tenant, shelved, change)
            shelved.change = news[-1].number
            changed = True
        if changed:
            await self._on_thread(shelved.index.commit)

    async def _take(self, tenant: str, shelved: _Shelved, change: MemoryChange) -> None:
        name = change.subject_id
        if change.subject is Subject.DATASET:
            if change.removed:
                shelved.positions.pop(name, None)
                await self._remove(shelved, group_id=name)
            else:
                await self._add_examples(tenant, shelved, name)
            return
        # Taken out first, as it may be one that the build has seen already.
        await self._remove(shelved, lesson_id=name)
        if not change.removed and (lesson := await self._store.lesson(tenant, name)):
            await self._add(shelved, [lesson])

    async def _add_examples(self, tenant: str, shelved: _Shelved, dataset_id: str) -> None:
        known = shelved.positions.get(dataset_id, -1)
        async for position, batch in self._store.examples(tenant, dataset_id, known):
            await self._add(shelved, batch)
            shelved.positions[dataset_id] = position

    async def _add(self, shelved: _Shelved, lessons: Sequence[Lesson]) -> None:
        await self._on_thread(partial(shelved.index.add, lessons))
        if shelved.meanings is not None:
            shelved.meanings.add(lessons)

    async def _remove(self, shelved: _Shelved, *, lesson_id: str = "", group_id: str = "") -> None:
        gone = partial(shelved.index.remove, lesson_id=lesson_id, group_id=group_id)
        await self._on_thread(gone)
        if shelved.meanings is not None:
            await shelved.meanings.remove(lesson_id=lesson_id, group_id=group_id)

    async def _on_thread(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
