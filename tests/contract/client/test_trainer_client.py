"""The trainer client over real gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh_chassis.errors import UnavailableError
from voicemesh_client import (
    Connection,
    Correction,
    DeadlineExceededError,
    Feedback,
    FinishReason,
    GenerationDelta,
    GenerationFinished,
    GenerationOptions,
    GenerationStarted,
    Rating,
    Role,
    TokenUsage,
    Trainer,
    Turn,
    UsedExample,
)

pytestmark = pytest.mark.contract

HISTORY = [
    Turn(Role.USER, "Hi", speaker="Ann"),
    Turn(Role.ASSISTANT, "Hello"),
    Turn(Role.USER, "?"),
]


async def test_an_answer_is_streamed(script: Any) -> None:
    async def generate(request: Any, _context: Any) -> AsyncIterator[pb.GenerateResponse]:
        script.requests.append(request)
        started = pb.GenerationStarted(response_id="01J", model="gemma-3-270m")
        yield pb.GenerateResponse(started=started)
        yield pb.GenerateResponse(delta=pb.GenerationDelta(text="Hello"))
        yield pb.GenerateResponse()  # of no kind that this client knows
        usage = pb.TokenUsage(input_token_count=3, output_token_count=1)
        example = pb.UsedExample(example_id="e", similarity=0.5)
        finished = pb.GenerationFinished(
            reason=pb.FINISH_REASON_LENGTH, usage=usage, examples=[example]
        )
        yield pb.GenerateResponse(finished=finished)

    script.Generate = generate
    options = GenerationOptions(temperature=0.0, stop_sequences=("\n",))
    async with Trainer(script.target) as trainer:
        answer = trainer.generate(HISTORY, tenant="42", options=options)
        events = [event async for event in answer]

    assert events == [
        GenerationStarted("01J", "gemma-3-270m"),
        GenerationDelta("Hello"),
        GenerationFinished(
            FinishReason.LENGTH, TokenUsage(3, 0, 1), 0.0, 0.0, (UsedExample("e", 0.5),)
        ),
    ]
    (request,) = script.requests
    assert request.tenant == "42"
    assert [turn.role for turn in request.history] == [
        pb.ROLE_USER, pb.ROLE_ASSISTANT, pb.ROLE_USER,
    ]  # fmt: skip
    assert request.history[0].speaker == "Ann"
    assert request.sampling.HasField("temperature")
    assert not request.sampling.HasField("seed")
    assert not request.HasField("system_prompt")


async def test_closing_the_answer_stops_the_model(script: Any) -> None:
    async def generate(_request: Any, _context: Any) -> AsyncIterator[pb.GenerateResponse]:
        while True:
            yield pb.GenerateResponse(delta=pb.GenerationDelta(text="and "))
            await asyncio.sleep(0.001)

    script.Generate = generate
    async with Trainer(script.target) as trainer:
        async with aclosing(trainer.generate(HISTORY, tenant="42")) as events:
            await anext(events)
        async with asyncio.timeout(5):
            while "Generate" not in script.ended:
                await asyncio.sleep(0.01)


async def test_a_model_that_falls_silent_is_a_passed_deadline(script: Any) -> None:
    async def generate(_request: Any, _context: Any) -> AsyncIterator[pb.GenerateResponse]:
        yield pb.GenerateResponse(started=pb.GenerationStarted(response_id="01J"))
        await asyncio.Event().wait()

    script.Generate = generate
    async with Trainer(Connection(script.target, timeout_s=0.2)) as trainer:
        events = trainer.generate(HISTORY, tenant="42")
        await anext(events)
        with pytest.raises(DeadlineExceededError, match=r"did not answer within 0\.2 s"):
            await anext(events)


async def test_a_provider_that_cannot_be_reached_is_said_in_the_words_of_the_service(
    script: Any,
) -> None:
    async def generate(_request: Any, _context: Any) -> AsyncIterator[pb.GenerateResponse]:
        for turn in HISTORY:
            if turn.text:
                raise UnavailableError("the model provider cannot be reached")
            yield pb.GenerateResponse()

    script.Generate = generate
    async with Trainer(script.target) as trainer:
        with pytest.raises(UnavailableError, match="the model provider cannot be reached"):
            await anext(trainer.generate(HISTORY, tenant="42"))


async def test_feedback_and_corrections_return_their_ids(script: Any) -> None:
    async def feedback(_request: Any, _context: Any) -> pb.RecordFeedbackResponse:
        return pb.RecordFeedbackResponse(feedback_id="f")

    async def correction(_request: Any, _context: Any) -> pb.RecordCorrectionResponse:
        return pb.RecordCorrectionResponse(correction_id="c")

    script.RecordFeedback, script.RecordCorrection = feedback, correction
    async with Trainer(script.target) as trainer:
        liked = await trainer.record_feedback(Feedback("01J", Rating.NEGATIVE), tenant="42")
        commented = await trainer.record_feedback(Feedback(comment="nice"), tenant="42")
        by_answer = await trainer.record_correction(Correction("Ann.", "01J"), tenant="42")
        asked = Correction("Ann.", question="Who leads?")
        by_question = await trainer.record_correction(asked, tenant="42")

    assert (liked, commented, by_answer, by_question) == ("f", "f", "c", "c")
    assert [request.rating for request in script.requests[:2]] == [
        pb.RATING_NEGATIVE, pb.RATING_UNSPECIFIED,
    ]  # fmt: skip
    assert script.requests[2].WhichOneof("subject") == "response_id"
    assert script.requests[3].question == "Who leads?"
