"""One answer: its events, its limits, and its end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from ulid import ULID

from voicemesh_chassis.errors import OverloadedError
from voicemesh_trainer.domain.conversations import (
    Accepted,
    Conversation,
    Delta,
    Ended,
    Finished,
    FinishReason,
    GenerationEvent,
    ModelEvent,
    ModelInfo,
    Piece,
    Role,
    Sampling,
    Started,
    TokenUsage,
    Turn,
)
from voicemesh_trainer.errors import (
    GenerationTimeoutError,
    ModelFailedError,
    ModelNotFoundError,
)
from voicemesh_trainer.generation import Generation, GenerationLimits
from voicemesh_trainer.metering import ModelMetrics
from voicemesh_trainer.roster import ModelRoster

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

pytestmark = pytest.mark.unit

USAGE = TokenUsage(10, 4, 3)
END = Ended(FinishReason.LENGTH, USAGE)


class ScriptedModel:
    """A `LanguageModel` that says what it is told to, then is silent or ends."""

    def __init__(self, *script: ModelEvent | Exception | None) -> None:
        self.script = script
        self.closed = 0

    @property
    def info(self) -> ModelInfo:
        return ModelInfo("scripted", "local")

    async def open(self) -> None:
        pass

    async def aclose(self) -> None:
        pass

    async def reply(self, conversation: Conversation) -> AsyncGenerator[ModelEvent, None]:
        try:
            for event in self.script:
                if event is None:
                    await asyncio.Event().wait()
                elif isinstance(event, Exception):
                    raise event
                else:
                    yield event
        finally:
            self.closed += 1


def generation(
    model: ScriptedModel, *, total_s: float = 5.0, silence_s: float = 5.0
) -> tuple[Generation, CollectorRegistry]:
    registry = CollectorRegistry()
    limits = GenerationLimits(total_s, silence_s)
    return Generation(ModelRoster([model]), limits, ModelMetrics(registry)), registry


def asked(model: str = "", *stops: str) -> Conversation:
    history = (Turn(Role.USER, "Hi"),)
    return Conversation("t", history, model=model, sampling=Sampling(stop_sequences=stops))


def counted(registry: CollectorRegistry, name: str, reason: str = "") -> float | None:
    labels = {"backend": "local", "model": "scripted"} | ({"reason": reason} if reason else {})
    return registry.get_sample_value(f"voicemesh_trainer_{name}_total", labels)


async def events(service: Generation, conversation: Conversation) -> list[GenerationEvent]:
    return [event async for event in service.answer(conversation)]


async def test_an_answer_is_started_then_deltas_then_finished() -> None:
    service, _ = generation(ScriptedModel(Accepted(2), Piece(" Hel"), Piece("lo"), END))

    started, *deltas, finished = await events(service, asked())

    assert isinstance(started, Started)
    assert (started.model, started.omitted_turns) == ("scripted", 2)
    assert str(ULID.from_str(started.response_id)) == started.response_id
    assert deltas == [Delta("Hel"), Delta("lo")]
    assert isinstance(finished, Finished)
    assert (finished.reason, finished.usage) == (FinishReason.LENGTH, USAGE)
    assert finished.first_token_s is not None
    assert 0 <= finished.first_token_s <= finished.total_s


async def test_an_answer_without_words_has_no_first_token() -> None:
    service, _ = generation(ScriptedModel(Accepted(0), Piece(" "), END))

    _, finished = await events(service, asked())

    assert isinstance(finished, Finished)
    assert finished.first_token_s is None


async def test_a_stop_sequence_ends_the_model_and_does_not_show() -> None:
    model = ScriptedModel(Accepted(0), Piece("One. T"), Piece("wo."), None)
    service, _ = generation(model)

    _, delta, finished = await events(service, asked("", " Two"))

    assert delta == Delta("One.")
    assert isinstance(finished, Finished)
    assert finished.reason is FinishReason.STOP
    assert model.closed == 1


@pytest.mark.parametrize(
    ("total_s", "silence_s", "words"),
    [(0.02, 5.0, "not complete after 0.02 s"), (5.0, 0.02, "silent for 0.02 s")],
)
async def test_a_silent_model_is_given_up(total_s: float, silence_s: float, words: str) -> None:
    model = ScriptedModel(Accepted(0), None)
    service, _ = generation(model, total_s=total_s, silence_s=silence_s)

    with pytest.raises(GenerationTimeoutError, match=words):
        await events(service, asked())

    assert model.closed == 1


async def test_a_model_that_just_ends_has_failed() -> None:
    service, _ = generation(ScriptedModel(Accepted(0), Piece("Hi")))

    with pytest.raises(ModelFailedError):
        await events(service, asked())


async def test_an_unknown_model_is_not_found() -> None:
    service, _ = generation(ScriptedModel(Accepted(0), END))

    with pytest.raises(ModelNotFoundError) as caught:
        await events(service, asked("other"))

    assert caught.value.metadata["model"] == "other"


async def test_cancelling_closes_the_model() -> None:
    model = ScriptedModel(Accepted(0), Piece("Hi"), None)
    service, registry = generation(model)
    task = asyncio.create_task(events(service, asked()))
    await asyncio.sleep(0.01)

    task.cancel()
    await asyncio.wait({task})

    assert model.closed == 1
    labels = {"backend": "local", "model": "scripted"}
    assert registry.get_sample_value("voicemesh_trainer_active_generations", labels) == 0
    assert counted(registry, "answers", "cancelled") == 1
    assert counted(registry, "output_tokens") == 1


async def test_an_answer_that_a_stop_sequence_ends_is_counted_as_complete() -> None:
    model = ScriptedModel(Accepted(0), Piece("One. T"), Piece("wo."), None)
    service, registry = generation(model)

    *_, finished = await events(service, asked("", " Two"))

    assert isinstance(finished, Finished)
    assert counted(registry, "answers", "stop") == 1
    assert counted(registry, "answers", "cancelled") is None
    assert counted(registry, "output_tokens") == finished.usage.output_tokens == 2


async def test_an_answer_that_takes_too_long_is_counted_as_broken_off() -> None:
    service, registry = generation(
        ScriptedModel(Accepted(0), Piece("One"), Piece(" two"), None), silence_s=0.02
    )

    with pytest.raises(GenerationTimeoutError):
        await events(service, asked())

    assert counted(registry, "refused", "GENERATION_TIMEOUT") == 1
    assert counted(registry, "answers", "cancelled") is None
    assert counted(registry, "output_tokens") == 2


async def test_an_answer_that_its_caller_closes_is_counted_as_cancelled() -> None:
    service, registry = generation(ScriptedModel(Accepted(0), Piece("One"), END))
    answer = service.answer(asked())
    assert isinstance(await anext(answer), Started)
    assert await anext(answer) == Delta("One")

    await answer.aclose()

    assert counted(registry, "answers", "cancelled") == 1
    assert counted(registry, "output_tokens") == 1


async def test_tokens_and_refusals_are_counted() -> None:
    service, registry = generation(ScriptedModel(Accepted(0), Piece("Hi"), END))
    refusing, refusals = generation(ScriptedModel(OverloadedError("full", retry_after_s=1)))
    labels = {"backend": "local", "model": "scripted"}

    await events(service, asked())
    with pytest.raises(OverloadedError):
        await events(refusing, asked())

    for name, value in (("input", 10), ("cached_input", 4), ("output", 3)):
        metric = f"voicemesh_trainer_{name}_tokens_total"
        assert registry.get_sample_value(metric, labels) == value
    overloaded = {**labels, "reason": "OVERLOADED"}
    assert refusals.get_sample_value("voicemesh_trainer_refused_total", overloaded) == 1
    assert b"voicemesh_trainer_first_token_seconds_count" in generate_latest(registry)
