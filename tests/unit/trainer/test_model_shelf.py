"""Models of tenants in memory, with models that are only pretended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from voicemesh_chassis.errors import UnavailableError
from voicemesh_chassis.service import StartupError
from voicemesh_chassis.shelf import ShelfLimits
from voicemesh_trainer.domain.conversations import Ended, FinishReason, ModelInfo, TokenUsage
from voicemesh_trainer.domain.models import ModelState, TunedModel
from voicemesh_trainer.errors import ModelLoadingError, ModelsBusyError, ModelUnusableError
from voicemesh_trainer.registry.shelf import ModelShelf

if TYPE_CHECKING:
    from voicemesh_trainer.domain.conversations import Conversation, ModelEvent

pytestmark = pytest.mark.unit


def row(name: str) -> TunedModel:
    state = ModelState.CANDIDATE
    return TunedModel("t", name, "local", "base", f"job-{name}", state, "f", None, None, "", 0)


class Model:
    """A model that notes what is done with it."""

    def __init__(self, name: str, memory: Memory) -> None:
        self.info = ModelInfo(name, "local", tuned=True)
        self._memory = memory

    async def open(self) -> None:
        await self._memory.gate.wait()
        if self._memory.faults:
            raise self._memory.faults.pop(0)
        self._memory.present.append(self.info.name)

    async def reply(self, conversation: Conversation) -> AsyncGenerator[ModelEvent, None]:
        yield Ended(FinishReason.STOP, TokenUsage())

    async def aclose(self) -> None:
        if self.info.name in self._memory.present:
            self._memory.present.remove(self.info.name)


class Memory:
    """What is in memory, and a `ModelShelfMeter`."""

    def __init__(self) -> None:
        self.present: list[str] = []
        self.made: list[str] = []
        self.faults: list[Exception] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.now_s = 0.0
        self.failures = 0
        self.unloaded = asyncio.Event()

    async def make(self, model: TunedModel) -> Model:
        self.made.append(model.name)
        return Model(model.name, self)

    def model_loaded(self, seconds: float) -> None:
        assert seconds >= 0

    def model_unloaded(self) -> None:
        self.unloaded.set()

    def load_failed(self) -> None:
        self.failures += 1


@pytest.fixture
async def memory() -> Memory:
    return Memory()


def shelf_of(memory: Memory, *, most: int = 2, idle_s: float = 0) -> ModelShelf:
    limits = ShelfLimits(most_loaded=most, idle_timeout_s=idle_s, load_timeout_s=0.05)
    return ModelShelf(memory.make, limits, memory, clock=lambda: memory.now_s)


@pytest.fixture
async def shelf(memory: Memory) -> AsyncIterator[ModelShelf]:
    made = shelf_of(memory)
    yield made
    await made.aclose()


async def use(shelf: ModelShelf, *names: str) -> None:
    for name in names:
        async with shelf.lease(row(name)) as model:
            assert model.info.name == name


async def test_a_model_is_loaded_once_for_all_who_come_meanwhile(
    shelf: ModelShelf, memory: Memory
) -> None:
    await asyncio.gather(*(use(shelf, "a") for _ in range(5)))

    assert memory.made == memory.present == ["a"]


async def test_the_one_not_used_for_longest_makes_room(shelf: ModelShelf, memory: Memory) -> None:
    for name in ("a", "b", "a", "c"):
        memory.now_s += 1
        await use(shelf, name)

    assert memory.present == ["a", "c"]


async def test_a_model_in_use_does_not_go(shelf: ModelShelf, memory: Memory) -> None:
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(shelf.lease(row("a")))
        await stack.enter_async_context(shelf.lease(row("b")))
        with pytest.raises(ModelsBusyError, match="model c is not in memory, and the 2"):
            await use(shelf, "c")
    await use(shelf, "c")

    assert "c" in memory.present


async def test_an_idle_model_goes_by_itself(memory: Memory) -> None:
    shelf = shelf_of(memory, idle_s=0.01)
    await use(shelf, "a")
    memory.now_s = 1

    async with asyncio.timeout(5):
        await memory.unloaded.wait()
    await shelf.aclose()

    assert memory.present == []


@pytest.mark.parametrize("fault", [StartupError("it does not fit"), RuntimeError("secret")])
async def test_a_load_that_fails_is_explained_and_not_tried_at_once(
    shelf: ModelShelf, memory: Memory, fault: Exception
) -> None:
    memory.faults = [fault]
    told = "it does not fit" if isinstance(fault, StartupError) else "the log has the cause"
    for _ in range(2):
        with pytest.raises(ModelUnusableError, match=told):
            await use(shelf, "a")
    assert (memory.made, memory.failures) == (["a"], 1)

    memory.now_s += 10
    await use(shelf, "a")
    assert memory.present == ["a"]


async def test_others_are_lent_while_one_is_broken(shelf: ModelShelf, memory: Memory) -> None:
    memory.faults = [StartupError("broken")]
    with pytest.raises(ModelUnusableError):
        await use(shelf, "a")
    await use(shelf, "b")


async def test_what_passes_is_tried_again_at_once(shelf: ModelShelf, memory: Memory) -> None:
    memory.faults = [UnavailableError("the store of files does not answer")]
    with pytest.raises(UnavailableError):
        await use(shelf, "a")
    await use(shelf, "a")


async def test_who_does_not_wait_leaves_the_load_to_others(
    shelf: ModelShelf, memory: Memory
) -> None:
    memory.gate.clear()
    gone = asyncio.create_task(use(shelf, "a"))
    await asyncio.sleep(0)
    gone.cancel()
    with pytest.raises(ModelLoadingError):
        await use(shelf, "a")
    memory.gate.set()
    await use(shelf, "a")

    assert memory.made == ["a"]


async def test_the_end_unloads_everything_and_ends_loads(memory: Memory) -> None:
    shelf = shelf_of(memory)
    await use(shelf, "a")
    memory.gate.clear()
    waiting = asyncio.create_task(use(shelf, "b"))
    await asyncio.sleep(0)
    await shelf.aclose()
    await shelf.aclose()

    with pytest.raises(ModelLoadingError, match="stopping"):
        await waiting
    assert memory.present == []
