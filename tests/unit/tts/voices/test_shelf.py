"""Leases of voices: what callers are told, what is counted, and who is forgotten."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio
from prometheus_client import CollectorRegistry

from voicemesh_chassis.errors import ServiceError
from voicemesh_chassis.service import StartupError
from voicemesh_chassis.shelf import ShelfLimits
from voicemesh_tts.domain import Voice
from voicemesh_tts.errors import VoiceLoadingError, VoicesBusyError, VoiceUnusableError
from voicemesh_tts.metrics import TtsMetrics
from voicemesh_tts.voices.shelf import VoiceKeeper, VoiceShelf

pytestmark = pytest.mark.unit

PATIENCE_S = 10.0


def voice(name: str) -> Voice:
    return Voice(f"tone:{name}", name, ("en",), 16_000)


@dataclass
class Library:
    """Loads whatever it is told to, when it is let, and fails where that is said."""

    broken: dict[str, Exception] = field(default_factory=dict)
    let: threading.Event = field(default_factory=threading.Event)
    log: list[str] = field(default_factory=list)

    def load(self, wanted: Voice) -> None:
        self.log.append(f"load {wanted.display_name}")
        assert self.let.wait(PATIENCE_S)
        if wanted.display_name in self.broken:
            raise self.broken[wanted.display_name]

    def unload(self, old: Voice) -> None:
        self.log.append(f"unload {old.display_name}")


class Clock:
    """Time that only the test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Bench:
    """A shelf and what it stands on."""

    shelf: VoiceShelf
    library: Library
    clock: Clock
    registry: CollectorRegistry

    async def use(self, name: str) -> None:
        async with self.shelf.lease(voice(name)):
            pass

    async def refused(self, name: str) -> ServiceError:
        with pytest.raises(ServiceError) as caught:
            await self.use(name)
        return caught.value

    async def until(self, condition: Callable[[], object]) -> None:
        """Turns the loop until threads have done their part."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0)


def make_bench(limits: ShelfLimits) -> Bench:
    library, clock, registry = Library(), Clock(), CollectorRegistry()
    library.let.set()
    keeper = VoiceKeeper(library.load, library.unload, lambda _: 7)
    kept = frozenset({"tone:default"})
    shelf = VoiceShelf(limits, kept, keeper, TtsMetrics(registry), clock)
    shelf.start()
    return Bench(shelf, library, clock, registry)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    made = make_bench(ShelfLimits(most_loaded=3, idle_timeout_s=300, load_timeout_s=PATIENCE_S))
    await made.use("default")
    yield made
    made.library.let.set()
    await made.shelf.aclose()


@pytest.mark.parametrize("error", [StartupError("no file /secret/x.onnx"), ValueError("odd")])
async def test_a_voice_that_cannot_be_loaded_is_refused_without_the_cause(
    bench: Bench, error: Exception
) -> None:
    bench.library.broken["a"] = error

    first, second = await bench.refused("a"), await bench.refused("a")

    assert isinstance(first, VoiceUnusableError)
    assert isinstance(second, VoiceUnusableError)
    assert "secret" not in first.message
    assert bench.library.log.count("load a") == 1
    bench.clock.now_s = 10.0
    bench.library.broken.clear()
    await bench.use("a")


async def test_when_all_are_in_use_one_more_is_told_to_come_back(bench: Bench) -> None:
    async with contextlib.AsyncExitStack() as stack:
        for name in "ab":
            await stack.enter_async_context(bench.shelf.lease(voice(name)))

        error = await bench.refused("c")

    assert isinstance(error, VoicesBusyError)
    assert error.retry_after_s
    await bench.use("c")


async def test_a_load_that_takes_too_long_goes_on() -> None:
    bench = make_bench(ShelfLimits(load_timeout_s=0.05))
    bench.library.let.clear()

    error = await bench.refused("a")
    bench.library.let.set()
    await bench.until(lambda: bench.shelf.is_loaded(voice("a")))

    assert isinstance(error, VoiceLoadingError)
    assert error.retryable
    await bench.shelf.aclose()


async def test_a_voice_that_is_forgotten_is_unloaded_unless_it_speaks(bench: Bench) -> None:
    async with bench.shelf.lease(voice("a")):
        await bench.shelf.forget(voice("a"))
        assert bench.shelf.is_loaded(voice("a"))
    await bench.shelf.forget(voice("a"))

    assert bench.library.log[-1] == "unload a"


async def test_what_is_in_memory_is_counted_by_engine(bench: Bench) -> None:
    await bench.use("a")

    labels = {"engine": "tone"}
    assert bench.registry.get_sample_value("voicemesh_tts_loaded_voices", labels) == 2
    assert bench.registry.get_sample_value("voicemesh_tts_voice_memory_bytes", labels) == 14
    assert bench.registry.get_sample_value("voicemesh_tts_voice_load_seconds_count", labels) == 2


async def test_closing_unloads_all_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    bench = make_bench(ShelfLimits())
    await bench.use("a")

    await bench.shelf.aclose()

    assert bench.library.log == ["load a", "unload a"]
    assert asyncio.all_tasks() == before


async def test_a_voice_whose_load_hangs_is_not_loading_for_good() -> None:
    bench = make_bench(
        ShelfLimits(load_timeout_s=PATIENCE_S, load_deadline_s=0.05, retry_pause_s=0.0)
    )
    bench.library.let.clear()

    error = await bench.refused("a")
    bench.library.let.set()
    await bench.use("a")

    assert isinstance(error, VoiceUnusableError)
    await bench.shelf.aclose()
