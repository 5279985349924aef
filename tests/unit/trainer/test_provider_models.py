"""A provider's model behind a circuit, and another one that stands in for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from voicemesh_chassis.errors import InvalidArgumentError, OverloadedError, ServiceError
from voicemesh_trainer.domain.conversations import (
    Accepted,
    Conversation,
    Ended,
    FinishReason,
    ModelInfo,
    Piece,
    Role,
    TokenUsage,
    Turn,
)
from voicemesh_trainer.domain.models import ModelState, TunedModel
from voicemesh_trainer.domain.providers import CircuitState
from voicemesh_trainer.errors import (
    ModelNotFoundError,
    ModelUnusableError,
    ProviderOverloadedError,
    ProviderRefusedError,
    ProviderUnavailableError,
)
from voicemesh_trainer.provider.circuit import Circuit, CircuitLimits
from voicemesh_trainer.provider.fallback import FallbackModel
from voicemesh_trainer.provider.guarded import GuardedModel
from voicemesh_trainer.provider.tuned import ProviderModels

if TYPE_CHECKING:
    from voicemesh_trainer.domain.conversations import ModelEvent

pytestmark = pytest.mark.unit

ASKED = Conversation("t", (Turn(Role.USER, "Hello"),))
END = Ended(FinishReason.STOP, TokenUsage())
GOOD = (Accepted(0), Piece("Hi"), END)


class Model:
    """Says what it was told to, or raises it; `None` is silence without end."""

    def __init__(self, name: str, *script: ModelEvent | Exception | None) -> None:
        self.info = ModelInfo(name, "openai")
        self.script = script
        self.calls = 0

    async def open(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def reply(self, conversation: Conversation) -> AsyncGenerator[ModelEvent, None]:
        self.calls += 1
        for step in self.script:
            if isinstance(step, Exception):
                raise step
            if step is None:
                await asyncio.Event().wait()
            else:
                yield step


class Meter:
    """A `ProviderMeter`."""

    def __init__(self) -> None:
        self.states: list[CircuitState] = []
        self.fallbacks: list[str] = []

    def circuit(self, state: CircuitState) -> None:
        self.states.append(state)

    def fell_back(self, reason: str) -> None:
        self.fallbacks.append(reason)


def guarded(model: Model, now_s: list[float], first_words_s: float | None = None) -> GuardedModel:
    circuit = Circuit(CircuitLimits(failures=2, pause_s=10, longest_pause_s=10))
    return GuardedModel(
        model, circuit, Meter(), first_words_s=first_words_s, clock=lambda: now_s[0]
    )


async def said(model: GuardedModel | FallbackModel) -> list[ModelEvent]:
    async with aclosing(model.reply(ASKED)) as events:
        return [event async for event in events]


async def test_a_provider_that_fails_is_left_alone_and_tried_later() -> None:
    now_s = [0.0]
    model = Model("m", Accepted(0), ProviderUnavailableError("down"))
    tried = guarded(model, now_s)
    for _ in range(5):
        with pytest.raises(ProviderUnavailableError):
            await said(tried)
    assert model.calls == 2

    with pytest.raises(ProviderUnavailableError, match="left alone") as caught:
        await said(tried)
    assert caught.value.retry_after_s == 10

    now_s[0], model.script = 10.0, GOOD
    assert await said(tried) == [*GOOD]
    assert await said(tried) == [*GOOD]


@pytest.mark.parametrize(
    "refusal",
    [
        ProviderRefusedError("key"),
        ProviderOverloadedError("rate", retry_after_s=1),
        ModelNotFoundError("none", field="model"),
        InvalidArgumentError("long", field="history"),
        OverloadedError("our own slots", retry_after_s=1),
    ],
)
async def test_a_refusal_is_no_failure_of_the_provider(refusal: ServiceError) -> None:
    model = Model("m", refusal)
    tried = guarded(model, [0.0])
    for _ in range(5):
        with pytest.raises(type(refusal)):
            await said(tried)

    assert model.calls == 5


async def test_a_caller_that_goes_away_while_trying_leaves_the_try_to_the_next() -> None:
    now_s = [0.0]
    model = Model("m", ProviderUnavailableError("down"))
    tried = guarded(model, now_s)
    for _ in range(2):
        with pytest.raises(ProviderUnavailableError):
            await said(tried)
    now_s[0], model.script = 10.0, (Accepted(0), None)
    async with aclosing(tried.reply(ASKED)) as events:
        await anext(events)
    model.script = GOOD

    assert await said(tried) == [*GOOD]


async def test_no_words_in_time_is_a_failure() -> None:
    now_s = [0.0]
    model = Model("m", Accepted(0), None)
    tried = guarded(model, now_s, first_words_s=0.01)

    with pytest.raises(ProviderUnavailableError, match="no words after"):
        await said(tried)


async def test_silence_after_the_first_words_is_left_to_the_model() -> None:
    model = Model("m", Accepted(0), Piece("Hi"), ProviderUnavailableError("cut"))
    with pytest.raises(ProviderUnavailableError, match="cut"):
        await said(guarded(model, [0.0], first_words_s=0.5))


@pytest.mark.parametrize(
    "failure",
    [
        ProviderUnavailableError("down"),
        ProviderRefusedError("key"),
        ProviderOverloadedError("rate", retry_after_s=1),
        ModelNotFoundError("none", field="model"),
    ],
)
@pytest.mark.parametrize("accepted", [(), (Accepted(0),)])
async def test_another_model_stands_in_and_says_so(
    failure: ServiceError, accepted: tuple[Accepted, ...]
) -> None:
    meter = Meter()
    other = Model("local", *GOOD)
    events = await said(FallbackModel(Model("m", *accepted, failure), other, meter))

    assert events == [Accepted(0, other.info), *GOOD[1:]]
    assert meter.fallbacks == [failure.reason]


async def test_a_good_answer_is_passed_on_as_it_is() -> None:
    other = Model("local", *GOOD)

    assert await said(FallbackModel(Model("m", *GOOD), other, Meter())) == [*GOOD]
    assert other.calls == 0


async def test_an_answer_that_has_begun_is_not_begun_again() -> None:
    meter, other = Meter(), Model("local", *GOOD)
    first = Model("m", Accepted(0), Piece("Hi"), ProviderUnavailableError("cut"))
    with pytest.raises(ProviderUnavailableError):
        await said(FallbackModel(first, other, meter))

    assert (other.calls, meter.fallbacks) == (0, [])


@pytest.mark.parametrize("fault", [InvalidArgumentError("long", field="history"), ValueError()])
async def test_nobody_stands_in_for_faults_of_other_kinds(fault: Exception) -> None:
    other = Model("local", *GOOD)
    with pytest.raises(type(fault)):
        await said(FallbackModel(Model("m", fault), other, Meter()))

    assert other.calls == 0


async def test_a_tuned_model_is_asked_by_the_providers_name() -> None:
    state = ModelState.ACTIVE
    row = TunedModel("t", "guild-1", "openai", "gpt", "j", state, None, None, "ft:gpt:1", "", 0)
    names: list[tuple[ModelInfo, str]] = []

    def make(info: ModelInfo, name: str) -> Model:
        names.append((info, name))
        return Model(info.name)

    async with ProviderModels(make).lease(row) as model:
        assert model.info.name == "guild-1"
    assert names == [(ModelInfo("guild-1", "openai", tuned=True), "ft:gpt:1")]

    nameless = TunedModel("t", "x", "openai", "gpt", "k", state, None, None, None, "", 0)
    with pytest.raises(ModelUnusableError):
        async with ProviderModels(make).lease(nameless):
            pass
