"""Leases of models: which there are, what callers are told, and what the observer is."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from voicemesh_chassis.errors import ServiceError, UnavailableError
from voicemesh_chassis.shelf import ShelfLimits
from voicemesh_stt.domain import SpeechModel
from voicemesh_stt.errors import (
    ModelLoadError,
    ModelLoadingError,
    ModelsBusyError,
    UnknownModelError,
)
from voicemesh_stt.models.shelf import ModelShelf
from voicemesh_stt.ports import Job, Prepared, Worked

pytestmark = pytest.mark.unit

PATIENCE_S = 10.0


@dataclass(eq=False)
class PaperEngine:
    """An `Engine` that has no words."""

    model: SpeechModel
    workers: int = 1
    most_in_batch: int = 1
    memory_bytes: int = 7

    def prepare(self, job: Job) -> Prepared:
        raise NotImplementedError

    def recognise(self, batch: Sequence[Prepared]) -> Worked:
        raise NotImplementedError


@dataclass
class PaperLibrary:
    """A `ModelLibrary` whose loads wait until they are let, and fail where that is said."""

    names: list[str] = field(default_factory=lambda: ["a", "b", "c", "default"])
    default: str = "default"
    kept: frozenset[str] = frozenset({"default"})
    broken: dict[str, Exception] = field(default_factory=dict)
    let: threading.Event = field(default_factory=threading.Event)
    log: list[str] = field(default_factory=list)
    unload_error: Exception | None = None

    def models(self) -> list[SpeechModel]:
        return [SpeechModel(name, ("en",), "MIT", device="", loaded=False) for name in self.names]

    def load(self, name: str) -> PaperEngine:
        self.log.append(f"load {name}")
        if name != self.default:
            assert self.let.wait(PATIENCE_S)
        if name in self.broken:
            raise self.broken[name]
        return PaperEngine(SpeechModel(name, ("en",), "MIT", device="paper"))

    def unload(self, engine: object) -> None:
        assert isinstance(engine, PaperEngine)
        self.log.append(f"unload {engine.model.name}")
        if self.unload_error is not None:
            raise self.unload_error


@dataclass
class Memory:
    """A `ModelObserver` that remembers what is in memory."""

    taken: dict[str, int] = field(default_factory=dict)

    def model_loaded(self, model: str, memory_bytes: int) -> None:
        self.taken[model] = memory_bytes

    def model_unloaded(self, model: str) -> None:
        del self.taken[model]


class Clock:
    """Time that only the test moves."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Bench:
    """A started shelf and what it stands on."""

    shelf: ModelShelf
    library: PaperLibrary
    clock: Clock

    async def use(self, name: str) -> SpeechModel:
        async with self.shelf.lease(name, field="model") as model:
            return model

    async def refused(self, name: str) -> ServiceError:
        with pytest.raises(ServiceError) as caught:
            await self.use(name)
        return caught.value

    async def until(self, condition: Callable[[], object]) -> None:
        """Turns the loop until threads have done their part."""
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                await asyncio.sleep(0)


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    library, clock = PaperLibrary(), Clock()
    library.let.set()
    shelf = ModelShelf(ShelfLimits(3, 300.0, PATIENCE_S), Memory(), clock)
    await shelf.start(library)
    yield Bench(shelf, library, clock)
    library.let.set()
    await shelf.aclose()


@contextlib.asynccontextmanager
async def held(bench: Bench, *names: str) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        for name in names:
            await stack.enter_async_context(bench.shelf.lease(name, field="model"))
        yield


async def test_an_empty_name_is_the_default_which_the_start_has_loaded(bench: Bench) -> None:
    assert bench.library.log == ["load default"]

    model = await bench.use("")

    assert (model.name, model.loaded, model.is_default, model.device) == (
        "default",
        True,
        True,
        "paper",
    )
    assert bench.shelf.engine("") is bench.shelf.engine("default")
    assert [engine.model.name for engine in bench.shelf.loaded()] == ["default"]


async def test_a_model_is_loaded_for_the_first_call_that_names_it(bench: Bench) -> None:
    with pytest.raises(UnavailableError, match="model a is not loaded"):
        bench.shelf.engine("a")
    assert not (await bench.shelf.find("a", field="model")).loaded

    async with bench.shelf.lease("a", field="model") as model:
        assert (model.name, model.loaded, model.is_default) == ("a", True, False)
        assert bench.shelf.engine("a").model.name == "a"
    await bench.use("a")

    assert bench.library.log == ["load default", "load a"]


async def test_the_list_says_truly_what_is_loaded(bench: Bench) -> None:
    await bench.use("b")

    models = await bench.shelf.models()

    assert [(each.name, each.loaded, each.device, each.is_default) for each in models] == [
        ("a", False, "", False),
        ("b", True, "paper", False),
        ("c", False, "", False),
        ("default", True, "paper", True),
    ]


async def test_an_unknown_name_is_refused_with_those_that_are_known(bench: Bench) -> None:
    error = await bench.refused("x")

    assert isinstance(error, UnknownModelError)
    assert error.field == "model"
    assert "it has a, b, c, default" in error.message


async def test_a_model_that_came_since_the_start_is_found(bench: Bench) -> None:
    bench.library.names.append("pulled")

    assert (await bench.use("pulled")).loaded


async def test_a_loaded_model_stays_listed_when_its_files_go(bench: Bench) -> None:
    await bench.use("a")
    bench.library.names.remove("a")
    bench.library.names.remove("b")

    assert [each.name for each in await bench.shelf.models()] == ["a", "c", "default"]


async def test_a_call_waits_for_a_load_for_so_long_only() -> None:
    library = PaperLibrary()
    shelf = ModelShelf(ShelfLimits(3, 300.0, 0.01), Memory())
    await shelf.start(library)
    try:
        with pytest.raises(ModelLoadingError, match=r"model a was not loaded within 0\.01 s") as of:
            async with shelf.lease("a", field="model"):
                pass
        assert of.value.retryable
        assert of.value.retry_after_s
    finally:
        library.let.set()
        await shelf.aclose()


async def test_a_failing_load_is_told_to_all_who_asked_and_leaves_the_others_serving(
    bench: Bench,
) -> None:
    await bench.use("b")
    bench.library.broken["a"] = ModelLoadError("a", "model.bin is cut off", "in /m/a: cut off")
    bench.library.let.clear()
    calls = [asyncio.create_task(bench.refused("a")) for _ in range(3)]
    await bench.until(lambda: "load a" in bench.library.log)
    bench.library.let.set()

    errors = await asyncio.gather(*calls)

    assert {type(error) for error in errors} == {ModelLoadError}
    assert {error.message for error in errors} == {"model a cannot be loaded: model.bin is cut off"}
    assert len({id(error) for error in errors}) == 3
    assert (await bench.use("")).loaded
    assert (await bench.use("b")).loaded
    assert bench.library.log == ["load default", "load b", "load a"]


async def test_a_fault_of_the_loader_is_that_callers_and_tells_no_secrets(bench: Bench) -> None:
    bench.library.broken["a"] = KeyError("/secret/path")

    error = await bench.refused("a")

    assert isinstance(error, ModelLoadError)
    assert "secret" not in error.message
    assert (await bench.use("")).loaded


async def test_callers_come_back_later_if_all_models_are_in_use(bench: Bench) -> None:
    async with held(bench, "a", "b"):
        error = await bench.refused("c")

        assert isinstance(error, ModelsBusyError)
        assert error.retry_after_s
    assert (await bench.use("c")).loaded


async def test_an_observer_is_told_what_is_in_memory() -> None:
    library, memory = PaperLibrary(), Memory()
    library.let.set()
    library.broken["c"] = ModelLoadError("c", "cut off", "cut off")
    bench = Bench(ModelShelf(ShelfLimits(2, 300.0, PATIENCE_S), memory), library, Clock())
    await bench.shelf.start(library)

    await bench.use("a")
    assert memory.taken == {"default": 7, "a": 7}
    await bench.use("b")
    assert memory.taken == {"default": 7, "b": 7}
    await bench.refused("c")
    assert memory.taken == {"default": 7}
    await bench.shelf.aclose()
    assert memory.taken == {}


async def test_the_end_unloads_everything_and_ends_waiting_calls() -> None:
    library = PaperLibrary()
    shelf = ModelShelf(ShelfLimits(3, 300.0, PATIENCE_S), Memory())
    await shelf.start(library)
    waiting = asyncio.create_task(Bench(shelf, library, Clock()).refused("a"))
    while "load a" not in library.log:
        await asyncio.sleep(0)

    await shelf.aclose()

    assert isinstance(await waiting, UnavailableError)
    assert library.log == ["load default", "load a", "unload default"]
    library.let.set()
    with pytest.raises(UnavailableError, match="no model is loaded"):
        shelf.engine("")
    with pytest.raises(UnavailableError):
        await shelf.models()


async def test_a_kept_model_that_fails_ends_the_start() -> None:
    library = PaperLibrary(kept=frozenset({"default", "a"}))
    library.let.set()
    library.broken["a"] = ModelLoadError("a", "cut off", "in /m/a: cut off")
    shelf = ModelShelf(ShelfLimits(3, 300.0, PATIENCE_S), Memory())

    with pytest.raises(ModelLoadError) as caught:
        await shelf.start(library)

    assert caught.value.detail == "in /m/a: cut off"
    await shelf.aclose()
    assert library.log == ["load default", "load a", "unload default"]


async def test_all_kept_models_are_loaded_at_the_start() -> None:
    library = PaperLibrary(kept=frozenset({"default", "a"}))
    library.let.set()
    shelf = ModelShelf(ShelfLimits(3, 300.0, PATIENCE_S), Memory())
    await shelf.start(library)

    assert library.log == ["load default", "load a"]
    await shelf.aclose()


async def test_nothing_can_be_leased_before_the_start() -> None:
    shelf = ModelShelf(ShelfLimits(3, 300.0, PATIENCE_S), Memory())

    with pytest.raises(UnavailableError, match="no model is loaded yet"):
        async with shelf.lease("", field="model"):
            pass
    await shelf.aclose()


async def test_a_model_whose_load_hangs_is_not_loading_for_good() -> None:
    library = PaperLibrary()
    limits = ShelfLimits(3, 300.0, PATIENCE_S, load_deadline_s=0.05, retry_pause_s=0.0)
    bench = Bench(ModelShelf(limits, Memory()), library, Clock())
    await bench.shelf.start(library)

    error = await bench.refused("a")
    library.let.set()

    assert isinstance(error, ModelLoadError)
    assert (await bench.use("a")).loaded
    await bench.shelf.aclose()
