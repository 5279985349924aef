"""What is lent: loads shared, given up, failed and hanging; what is evicted, idle and forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial

import pytest
import pytest_asyncio

from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.shelf import (
    HangingError,
    NoRoomError,
    NotLoadedError,
    Shelf,
    ShelfLimits,
    StillLoadingError,
)

pytestmark = pytest.mark.unit

PATIENCE_S = 10.0
LIMITS = ShelfLimits(3, idle_timeout_s=300.0, load_timeout_s=PATIENCE_S)


@dataclass(eq=False)
class Book:
    """What is loaded; no two are equal."""

    name: str


@dataclass
class Library:
    """Loads whatever it is told to, when it is let, and fails where that is said."""

    broken: dict[str, Exception] = field(default_factory=dict)
    let: threading.Event = field(default_factory=threading.Event)
    log: list[str] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    unload_error: Exception | None = None

    def load(self, name: str) -> Book:
        let = self.let
        self.threads.add(threading.current_thread().name)
        self.log.append(f"load {name}")
        assert let.wait(PATIENCE_S)
        if name in self.broken:
            raise self.broken[name]
        return Book(name)

    def unload(self, old: Book) -> None:
        self.log.append(f"unload {old.name}")
        if self.unload_error is not None:
            raise self.unload_error

    def hang(self) -> threading.Event:
        """What is loaded from now on hangs until the event that is returned is set."""
        self.let = threading.Event()
        return self.let


@dataclass
class Record:
    """A `ShelfObserver` that remembers what is in memory, and what failed."""

    held: set[str] = field(default_factory=set)
    failures: list[Exception] = field(default_factory=list)

    def loaded(self, name: str, item: Book, spent_s: float) -> None:
        assert (item.name, spent_s >= 0) == (name, True)
        self.held.add(name)

    def unloaded(self, name: str) -> None:
        self.held.remove(name)

    def failed(self, name: str, error: Exception) -> None:
        self.failures.append(error)


class Clock:
    """Time that only the test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


class Bench:
    """A started shelf and what it stands on."""

    def __init__(self, limits: ShelfLimits = LIMITS, *, own_copies: bool = True) -> None:
        self.library, self.record, self.clock = Library(), Record(), Clock()
        self.library.let.set()
        self.shelf = Shelf(
            limits,
            frozenset({"kept"}),
            self.library.unload,
            self.record,
            self.clock,
            own_copies=own_copies,
        )
        self.shelf.start()

    @contextlib.asynccontextmanager
    async def held(self, *names: str) -> AsyncIterator[None]:
        for name in names:
            await self.shelf.take(name, partial(self.library.load, name))
        try:
            yield
        finally:
            for name in names:
                self.shelf.drop(name)

    async def use(self, name: str) -> Book:
        async with self.held(name):
            book = self.shelf.get(name)
            assert book is not None
            return book

    async def refused(self, name: str) -> Exception:
        """What was wrong with a load."""
        with pytest.raises(NotLoadedError) as caught:
            await self.use(name)
        return caught.value.error

    async def until(self, condition: Callable[[], object]) -> None:
        """Turns the loop until threads have done their part."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0)

    def loads(self, name: str) -> int:
        return self.library.log.count(f"load {name}")


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    made = Bench()
    await made.use("kept")
    yield made
    made.library.let.set()
    await made.shelf.aclose()


@pytest_asyncio.fixture
async def hasty() -> AsyncIterator[Bench]:
    """One that gives loads up at once, and tries them again at once."""
    limits = ShelfLimits(3, 300.0, PATIENCE_S, 0.05, most_hanging=2, retry_pause_s=0.0)
    made = Bench(limits)
    yield made
    made.library.let.set()
    await made.shelf.aclose()


async def test_calls_that_come_at_once_share_one_load(bench: Bench) -> None:
    bench.library.let.clear()
    waiting = [asyncio.create_task(bench.use("a")) for _ in range(20)]
    await bench.until(lambda: bench.loads("a"))
    bench.library.let.set()

    assert len(set(await asyncio.gather(*waiting))) == 1
    assert bench.library.log == ["load kept", "load a"]
    assert bench.record.held == {"kept", "a"}
    assert bench.library.threads == {"shelf-load"}


async def test_a_call_that_leaves_does_not_end_the_load_for_others(bench: Bench) -> None:
    bench.library.let.clear()
    first, second = (asyncio.create_task(bench.use("a")) for _ in range(2))
    await bench.until(lambda: bench.loads("a"))
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    bench.library.let.set()

    assert (await second).name == "a"


async def test_a_load_that_nobody_waits_for_is_there_for_the_next_call(bench: Bench) -> None:
    bench.library.let.clear()
    call = asyncio.create_task(bench.use("a"))
    await bench.until(lambda: bench.loads("a"))
    call.cancel()
    await asyncio.wait({call})
    bench.library.let.set()

    await bench.use("a")
    assert bench.loads("a") == 1


async def test_a_call_waits_for_so_long_only_and_the_load_goes_on() -> None:
    bench = Bench(ShelfLimits(load_timeout_s=0.01))
    bench.library.let.clear()

    with pytest.raises(StillLoadingError):
        await bench.use("a")
    bench.library.let.set()
    await bench.until(lambda: bench.shelf.get("a"))

    assert bench.record.failures == []
    await bench.shelf.aclose()


async def test_a_failing_load_is_told_to_all_who_asked_and_the_others_serve_on(
    bench: Bench,
) -> None:
    bench.library.broken["a"] = error = ValueError("odd")
    bench.library.let.clear()
    calls = [asyncio.create_task(bench.refused("a")) for _ in range(3)]
    await bench.until(lambda: bench.loads("a"))
    bench.library.let.set()

    assert await asyncio.gather(*calls) == [error] * 3
    assert await bench.refused("a") is error
    assert error.__traceback__ is None
    assert bench.record.failures == [error]
    assert bench.loads("a") == 1
    await bench.use("kept")


async def test_a_failed_load_is_tried_again_after_a_pause(bench: Bench) -> None:
    bench.library.broken["a"] = ValueError("odd")
    await bench.refused("a")
    bench.library.broken.clear()
    bench.clock.now_s = 5.0

    await bench.use("a")


async def test_room_is_made_before_the_next_is_loaded(bench: Bench) -> None:
    for number, name in enumerate("abc"):
        bench.clock.now_s = float(number)
        await bench.use(name)

    assert bench.library.log == ["load kept", "load a", "load b", "unload a", "load c"]
    assert set(bench.shelf.items) == {"kept", "b", "c"}


async def test_when_all_are_in_use_one_more_is_refused(bench: Bench) -> None:
    async with bench.held("a", "b"):
        with pytest.raises(NoRoomError):
            await bench.use("c")

    await bench.use("c")


async def test_what_is_idle_is_unloaded_but_not_what_is_kept_or_in_use(bench: Bench) -> None:
    await bench.use("a")
    async with bench.held("b"):
        bench.clock.now_s = 300.0
        await bench.use("kept")  # any end of a call makes the shelf look at the time
        await bench.until(lambda: "unload a" in bench.library.log)

        assert set(bench.shelf.items) == {"kept", "b"}
    await bench.use("a")
    assert bench.loads("a") == 2


async def test_the_time_to_unload_comes_without_any_call() -> None:
    library, record = Library(), Record()
    library.let.set()
    shelf = Shelf(
        ShelfLimits(3, 0.01, PATIENCE_S), frozenset(), library.unload, record, own_copies=True
    )
    shelf.start()
    await shelf.take("a", lambda: library.load("a"))
    shelf.drop("a")

    async with asyncio.timeout(PATIENCE_S):
        while "unload a" not in library.log:
            await asyncio.sleep(0)
    await shelf.aclose()


async def test_what_is_forgotten_is_unloaded_unless_it_is_in_use(bench: Bench) -> None:
    async with bench.held("a"):
        await bench.shelf.forget("a")
        assert bench.shelf.get("a")
    await bench.shelf.forget("a")

    assert bench.library.log[-1] == "unload a"


async def test_an_unload_that_fails_does_no_harm(bench: Bench) -> None:
    bench.library.unload_error = RuntimeError("stuck")
    for name in ("a", "b", "c"):
        await bench.use(name)


async def test_a_load_that_hangs_is_given_up_and_tried_again_in_another_thread(
    hasty: Bench,
) -> None:
    hanging = hasty.library.hang()

    error = await hasty.refused("a")

    assert isinstance(error, HangingError)
    assert hasty.record.failures == [error]
    hasty.library.let = threading.Event()
    hasty.library.let.set()
    book = await hasty.use("a")
    assert hasty.loads("a") == 2

    hanging.set()  # the copy that comes too late is not needed
    await hasty.until(lambda: "unload a" in hasty.library.log)
    assert hasty.shelf.get("a") is book


async def test_a_load_that_hung_is_taken_in_if_nothing_else_has_come(hasty: Bench) -> None:
    hanging = hasty.library.hang()
    await hasty.refused("a")

    hanging.set()
    await hasty.until(lambda: hasty.shelf.get("a"))

    await hasty.use("a")
    assert hasty.loads("a") == 1
    assert "unload a" not in hasty.library.log


async def test_only_so_many_loads_hang_at_a_time(hasty: Bench) -> None:
    await hasty.use("kept")
    hanging = hasty.library.hang()
    for _ in range(4):
        assert isinstance(await hasty.refused("a"), HangingError)

    assert hasty.loads("a") == 2
    assert isinstance(await hasty.refused("b"), HangingError)
    assert hasty.loads("b") == 0
    await hasty.use("kept")
    hanging.set()
    await hasty.until(lambda: hasty.shelf.get("a"))
    await hasty.until(lambda: "unload a" in hasty.library.log)
    await hasty.use("b")


async def test_the_end_does_not_wait_for_a_load_that_hangs(hasty: Bench) -> None:
    before = asyncio.all_tasks()
    hanging = hasty.library.hang()
    await hasty.refused("a")

    await hasty.shelf.aclose()

    assert asyncio.all_tasks() < before
    hanging.set()


async def test_the_end_unloads_everything_and_ends_waiting_calls() -> None:
    before = asyncio.all_tasks()
    bench = Bench()
    await bench.use("b")
    bench.library.let.clear()
    waiting = asyncio.create_task(bench.use("a"))
    await bench.until(lambda: bench.loads("a"))

    await bench.shelf.aclose()

    with pytest.raises(UnavailableError):
        await waiting
    assert bench.library.log == ["load b", "load a", "unload b"]
    assert bench.record.held == set()
    assert asyncio.all_tasks() == before
    bench.library.let.set()


async def test_an_only_copy_is_not_unloaded_when_it_comes_a_second_time() -> None:
    limits = ShelfLimits(3, 300.0, PATIENCE_S, 0.05, most_hanging=2, retry_pause_s=0.0)
    bench = Bench(limits, own_copies=False)
    first = bench.library.hang()
    await bench.refused("a")
    bench.library.hang().set()
    await bench.use("a")
    other = bench.library.hang()
    await bench.refused("c")
    bench.library.hang().set()

    first.set()
    async with asyncio.timeout(PATIENCE_S):  # `b` is loaded once the first load has ended
        while bench.shelf.get("b") is None:
            with contextlib.suppress(NotLoadedError):
                await bench.use("b")
            await asyncio.sleep(0)

    assert "unload a" not in bench.library.log
    other.set()
    await bench.shelf.aclose()


async def test_a_load_that_hung_and_then_fails_makes_room_for_another() -> None:
    limits = ShelfLimits(3, 300.0, PATIENCE_S, 0.05, most_hanging=1, retry_pause_s=0.0)
    bench = Bench(limits)
    bench.library.broken["a"] = OSError("gone")
    hanging = bench.library.hang()
    assert isinstance(await bench.refused("a"), HangingError)
    assert isinstance(await bench.refused("b"), HangingError)
    assert bench.loads("b") == 0

    hanging.set()
    async with asyncio.timeout(PATIENCE_S):
        while bench.shelf.get("b") is None:
            with contextlib.suppress(NotLoadedError):
                await bench.use("b")
            await asyncio.sleep(0)
    assert bench.shelf.get("a") is None
    await bench.shelf.aclose()
