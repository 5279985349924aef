"""Things in memory, and who holds which.

A call takes what it needs for as long as it lasts. What is not in memory is loaded for the first
call that wants it, and calls that come meanwhile wait for the same load. A load that hangs is given
up, so that later calls try again. `life` decides what is loaded and what goes; here it is done.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.logs import get_logger
from voicemesh_chassis.shelf.life import Failed, Full, Life, Load, ShelfLimits, Stuck
from voicemesh_chassis.shelf.threads import Outcome, in_thread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = (
    "HangingError",
    "NoRoomError",
    "NotLoadedError",
    "Shelf",
    "ShelfObserver",
    "StillLoadingError",
)

_logger = get_logger(__name__)

_UNLOAD_DEADLINE_S = 30.0
"""How long what is to be loaded, or the end of the service, waits for an unload."""

T = TypeVar("T")
Item = TypeVar("Item", contravariant=True)


class NoRoomError(Exception):
    """As many as may be loaded are in use."""


class StillLoadingError(Exception):
    """It takes longer to load than a call may wait; the load goes on."""


class NotLoadedError(Exception):
    """It could not be loaded, or could not a moment ago.

    Attributes:
        error: why; without traceback, which would keep what was half loaded.
    """

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class HangingError(Exception):
    """A load did not end in time, or is not begun because too many others have not."""


class ShelfObserver(Protocol[Item]):
    """Is told what is in memory. Called in the event loop; must not block."""

    def loaded(self, name: str, item: Item, spent_s: float) -> None:
        """It is in memory, after so many seconds."""
        ...

    def unloaded(self, name: str) -> None:
        """It is not lent any more, and its memory is being freed."""
        ...

    def failed(self, name: str, error: Exception) -> None:
        """It could not be loaded; the error is what the load raised, or a `HangingError`."""
        ...


class Shelf(Generic[T]):
    """Belongs to one event loop; `start` it there and `aclose` it there."""

    def __init__(
        self,
        limits: ShelfLimits,
        kept: frozenset[str],
        unload: Callable[[T], None],
        observer: ShelfObserver[T],
        clock: Callable[[], float] = time.monotonic,
        *,
        own_copies: bool,
    ) -> None:
        """Makes an empty shelf.

        Args:
            limits: how many things are in memory, and for how long.
            kept: names of those that are never unloaded.
            unload: gives back the memory of one; blocks, and runs in a thread.
            observer: told what is in memory.
            clock: the time in seconds.
            own_copies: whether each load of a name makes a copy of its own. If so, a copy that
                comes too late is unloaded although another is in use.
        """
        self._limits = limits
        self._unload = unload
        self._observer = observer
        self._clock = clock
        self._own_copies = own_copies
        self._life = Life(limits, kept)
        self._items: dict[str, T] = {}
        self._loads: dict[str, asyncio.Task[Exception | None]] = {}
        self._unloads: set[asyncio.Task[None]] = set()
        self._hanging: set[asyncio.Future[Outcome[T]]] = set()
        self._changed = asyncio.Event()
        self._watch: asyncio.Task[None] | None = None

    def start(self) -> None:
        """From now on what nobody uses is unloaded."""
        self._watch = asyncio.create_task(self._unload_idle(), name="shelf-idle")

    async def aclose(self) -> None:
        """Unloads everything; loads in progress are left to their threads."""
        tasks = {*self._loads.values(), *((self._watch,) if self._watch else ())}
        for future in self._hanging:
            future.cancel()
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)
        for name in list(self._items):
            self._begin_unload(name)
        await self._unloaded()

    @property
    def items(self) -> Mapping[str, T]:
        """What is in memory, by name, as it is now; from any thread."""
        return dict(self._items)

    def get(self, name: str) -> T | None:
        """What has the name, if it is in memory."""
        return self._items.get(name)

    async def take(self, name: str, load: Callable[[], T]) -> None:
        """Keeps it loaded until the caller calls `drop`, once.

        A call that is cancelled while it waits does not end the load. What is refused need not be
        dropped.

        Args:
            name: what is wanted.
            load: how to load it, in a thread, if it is not in memory.

        Raises:
            NotLoadedError: if it cannot be loaded; tried again after some seconds at the earliest.
            StillLoadingError: if that takes longer than a call may wait.
            NoRoomError: if as many as may be loaded are in use.
            UnavailableError: if the service is stopping.
        """
        self._ask(name, load)
        try:
            await self._arrival(name)
        except BaseException:
            self.drop(name)
            raise

    def drop(self, name: str) -> None:
        """What `take` gave is not needed any more."""
        self._life.drop(name, self._clock())
        self._changed.set()

    async def forget(self, name: str) -> None:
        """Unloads what there is no more, unless somebody still uses it."""
        if self._life.take(name):
            self._begin_unload(name)
            await self._unloaded()

    def _ask(self, name: str, load: Callable[[], T]) -> None:
        match self._life.ask(name, self._clock()):
            case Full():
                raise NoRoomError(name)
            case Failed(error):
                raise NotLoadedError(error)
            case Stuck():
                msg = f"{self._life.hanging} loads hang; no other is begun until one of them ends"
                raise NotLoadedError(HangingError(msg))
            case Load(evicted):
                if evicted is not None:
                    self._begin_unload(evicted)
                task = asyncio.create_task(self._load(name, load), name="shelf-load")
                self._loads[name] = task

    async def _arrival(self, name: str) -> None:
        loading = self._loads.get(name)
        if loading is None:
            return
        done, _ = await asyncio.wait({loading}, timeout=self._limits.load_timeout_s)
        if not done:
            raise StillLoadingError(name)
        if loading.cancelled():
            msg = "the service is stopping"
            raise UnavailableError(msg)
        error = loading.result()
        if error is not None:
            raise NotLoadedError(error)

    async def _load(self, name: str, load: Callable[[], T]) -> Exception | None:
        """Loads it, and returns what was wrong: there may be nobody left to raise it to."""
        begun_s = self._clock()
        try:
            await self._unloaded()  # what was evicted makes room first
            working = in_thread(load, "shelf-load")
            done, _ = await asyncio.wait({working}, timeout=self._limits.load_deadline_s)
        finally:
            del self._loads[name]
        if not done:
            return self._given_up(name, working)
        outcome = working.result()
        if outcome.error is not None:
            self._observer.failed(name, outcome.error)
            self._life.failed(name, _bare(outcome.error), self._clock())
            return outcome.error
        self._life.loaded(name, self._clock())
        self._place(name, outcome.results[0], self._clock() - begun_s)
        return None

    def _place(self, name: str, item: T, spent_s: float) -> None:
        self._items[name] = item
        self._changed.set()
        self._observer.loaded(name, item, spent_s)

    def _given_up(self, name: str, working: asyncio.Future[Outcome[T]]) -> Exception:
        error = HangingError(f"it was not loaded within {self._limits.load_deadline_s:g} s")
        self._hanging.add(working)
        working.add_done_callback(partial(self._ended, name, self._clock()))
        self._life.given_up(name, error, self._clock())
        self._observer.failed(name, error)
        return error

    def _ended(self, name: str, since_s: float, working: asyncio.Future[Outcome[T]]) -> None:
        """A load that was given up has ended; what came of it is used if it can be."""
        self._hanging.discard(working)
        if working.cancelled():  # the service is stopping
            return
        self._life.ended()
        outcome = working.result()
        late_s = round(self._clock() - since_s, 3)
        _logger.warning("a load that was given up has ended", name=name, late_s=late_s)
        if not outcome.results:
            return
        item = outcome.results[0]
        unused = self._life.is_absent(name)
        if self._life.adopt(name, self._clock()):
            self._place(name, item, self._limits.load_deadline_s + late_s)
        elif unused or self._own_copies:
            self._begin_freeing(name, item)

    def _begin_unload(self, name: str) -> None:
        """From now on it is not found; its memory follows."""
        self._begin_freeing(name, self._items.pop(name))
        self._observer.unloaded(name)

    def _begin_freeing(self, name: str, item: T) -> None:
        task = asyncio.create_task(self._free(name, item), name="shelf-unload")
        self._unloads.add(task)
        task.add_done_callback(self._unloads.discard)

    async def _free(self, name: str, item: T) -> None:
        freeing = in_thread(partial(self._unload, item), "shelf-unload")
        done, _ = await asyncio.wait({freeing}, timeout=_UNLOAD_DEADLINE_S)
        if not done:
            _logger.error("what was to be unloaded still is not", name=name)
        elif (error := freeing.result().error) is not None:
            _logger.error("something did not unload cleanly", name=name, exc_info=error)

    async def _unloaded(self) -> None:
        while self._unloads:
            await asyncio.wait(self._unloads)

    async def _unload_idle(self) -> None:
        while True:
            self._changed.clear()
            now_s = self._clock()
            for name in self._life.take_idle(now_s):
                self._begin_unload(name)
            due_s = self._life.next_idle_s()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if due_s is None else max(0.0, due_s - now_s)):
                    await self._changed.wait()


def _bare(error: Exception) -> Exception:
    """The same error without the frames of what it and its causes were raised in."""
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__
    return error
