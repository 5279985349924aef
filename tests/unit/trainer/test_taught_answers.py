"""An answer reaches its caller even if it cannot be kept for correction."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from voicemesh_chassis.errors import ServiceError
from voicemesh_trainer.domain.conversations import (
    Conversation,
    Delta,
    Finished,
    FinishReason,
    GenerationEvent,
    Role,
    Started,
    TokenUsage,
    Turn,
)
from voicemesh_trainer.errors import DatabaseUnavailableError, StorageFullError
from voicemesh_trainer.memory.answers import AnswerSettings, TaughtAnswers

pytestmark = pytest.mark.unit

EVENTS = (
    Started("0" * 26, "m", 0),
    Delta("Hello."),
    Finished(FinishReason.STOP, TokenUsage(), 0.1, 0.2),
)


class Model:
    """Says hello."""

    async def answer(self, _conversation: Conversation) -> AsyncGenerator[GenerationEvent, None]:
        for event in EVENTS:
            yield event


class Store:
    """Keeps nothing."""

    def __init__(self, failure: ServiceError) -> None:
        self.failure = failure

    async def keep_response(self, _response: object) -> None:
        raise self.failure


class Meter:
    """Counts what memory could not do."""

    def __init__(self) -> None:
        self.count = 0

    def missed(self) -> None:
        self.count += 1


@pytest.mark.parametrize("failure", [DatabaseUnavailableError("away"), StorageFullError("full")])
async def test_an_answer_that_cannot_be_kept_is_given_all_the_same(failure: ServiceError) -> None:
    model, store, meter = Model(), Store(failure), Meter()
    parts: Any = (model, None, store, AnswerSettings(1.0, "I am lost.", True), meter)
    answers = TaughtAnswers(*parts)
    question = Conversation("t", (Turn(Role.USER, "Hi"),), memory_disabled=True)

    told = [event async for event in answers.answer(question)]
    await answers.aclose()

    assert told == list(EVENTS)
    assert meter.count == 1
