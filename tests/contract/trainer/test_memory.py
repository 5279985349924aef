"""What people teach counts for the very next answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc
import grpc.aio
import pytest

from voicemesh.trainer.v1 import trainer_service_pb2 as pb

if TYPE_CHECKING:
    from collections.abc import Callable

    from voicemesh.trainer.v1.trainer_service_pb2_grpc import TrainerServiceAsyncStub

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

LEADER = "Who leads the guild of the Copper Owls?"


async def answered(
    stub: TrainerServiceAsyncStub, request: pb.GenerateRequest
) -> tuple[str, pb.GenerationStarted, pb.GenerationFinished]:
    """The text of an answer, how it began and how it ended."""
    events = [event async for event in stub.Generate(request)]
    text = "".join(event.delta.text for event in events)
    return text, events[0].started, events[-1].finished


async def test_a_correction_of_an_answer_is_the_very_next_answer(
    stub: TrainerServiceAsyncStub, ask: Callable[..., pb.GenerateRequest]
) -> None:
    before, started, finished = await answered(stub, ask(LEADER, tenant="owls"))
    assert "Ysolde" not in before
    assert finished.reason != pb.FINISH_REASON_CORRECTION
    recorded = await stub.RecordCorrection(
        pb.RecordCorrectionRequest(
            tenant="owls", response_id=started.response_id, corrected_text="Ysolde leads it."
        )
    )
    text, started, finished = await answered(
        stub, ask("hey who leads the guild of the copper owls", tenant="owls")
    )
    assert text == "Ysolde leads it."
    assert finished.reason == pb.FINISH_REASON_CORRECTION
    assert [used.example_id for used in finished.examples] == [recorded.correction_id]
    assert finished.examples[0].similarity == 1.0
    assert started.model == "memory"


async def test_an_answer_from_memory_can_be_corrected_in_turn(
    stub: TrainerServiceAsyncStub, ask: Callable[..., pb.GenerateRequest]
) -> None:
    question = "Where do the Copper Owls meet?"
    for answer in ("In the mill.", "At the lighthouse."):
        _, started, _ = await answered(stub, ask(question, tenant="meeting"))
        await stub.RecordCorrection(
            pb.RecordCorrectionRequest(
                tenant="meeting", response_id=started.response_id, corrected_text=answer
            )
        )
        assert (await answered(stub, ask(question, tenant="meeting")))[0] == answer


async def test_memory_is_of_one_tenant_alone_and_can_be_left_out(
    stub: TrainerServiceAsyncStub, ask: Callable[..., pb.GenerateRequest]
) -> None:
    question = "What is the password of the Copper Owls?"
    await stub.RecordCorrection(
        pb.RecordCorrectionRequest(tenant="secret", question=question, corrected_text="Quicksilver")
    )
    assert (await answered(stub, ask(question, tenant="secret")))[0] == "Quicksilver"
    for request in (
        ask(question, tenant="others"),
        ask(question, tenant="secret", memory_disabled=True),
    ):
        text, _, finished = await answered(stub, request)
        assert "Quicksilver" not in text
        assert not finished.examples


async def test_a_model_is_shown_what_was_taught_about_questions_like_it(
    stub: TrainerServiceAsyncStub, ask: Callable[..., pb.GenerateRequest]
) -> None:
    recorded = await stub.RecordCorrection(
        pb.RecordCorrectionRequest(
            tenant="like",
            question="What animal is on the banner of our guild?",
            corrected_text="The animal on our banner is a heron.",
        )
    )
    text, _, finished = await answered(
        stub, ask("Tell me which animal is on the banner!", tenant="like")
    )
    assert finished.reason != pb.FINISH_REASON_CORRECTION
    assert [used.example_id for used in finished.examples] == [recorded.correction_id]
    assert 0 < finished.examples[0].similarity < 1
    assert "heron" in text.lower()


async def test_an_answer_that_people_called_wrong_is_not_given_again(
    stub: TrainerServiceAsyncStub, ask: Callable[..., pb.GenerateRequest]
) -> None:
    question = "How many days are in a week?"
    wrong, started, _ = await answered(stub, ask(question, tenant="wrong"))
    await stub.RecordFeedback(
        pb.RecordFeedbackRequest(
            tenant="wrong", response_id=started.response_id, rating=pb.RATING_NEGATIVE
        )
    )
    text, _, finished = await answered(stub, ask(question, tenant="wrong"))
    assert text
    assert text != wrong
    assert len(finished.examples) == 1


async def test_a_correction_that_people_call_wrong_is_no_longer_given(
    stub: TrainerServiceAsyncStub, ask: Callable[..., pb.GenerateRequest]
) -> None:
    question = "Who keeps the keys of the Copper Owls?"
    await stub.RecordCorrection(
        pb.RecordCorrectionRequest(tenant="keys", question=question, corrected_text="Odo has them.")
    )
    text, started, _ = await answered(stub, ask(question, tenant="keys"))
    assert text == "Odo has them."
    await stub.RecordFeedback(
        pb.RecordFeedbackRequest(
            tenant="keys", response_id=started.response_id, rating=pb.RATING_NEGATIVE
        )
    )
    text, _, finished = await answered(stub, ask(question, tenant="keys"))
    assert text != "Odo has them."
    assert finished.reason != pb.FINISH_REASON_CORRECTION


async def test_a_repeated_request_is_recorded_once_and_another_one_refused(
    stub: TrainerServiceAsyncStub,
) -> None:
    request = pb.RecordCorrectionRequest(
        tenant="again", request_id="r1", question="Why?", corrected_text="Because."
    )
    first, second = await stub.RecordCorrection(request), await stub.RecordCorrection(request)
    assert first == second
    request.corrected_text = "For no reason."
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.RecordCorrection(request)
    assert refused.value.code() == grpc.StatusCode.ALREADY_EXISTS


async def test_an_answer_of_another_tenant_cannot_be_judged(
    stub: TrainerServiceAsyncStub, ask: Callable[..., pb.GenerateRequest]
) -> None:
    _, started, _ = await answered(stub, ask(tenant="mine"))
    for call in (
        stub.RecordCorrection(
            pb.RecordCorrectionRequest(
                tenant="theirs", response_id=started.response_id, corrected_text="No."
            )
        ),
        stub.RecordFeedback(
            pb.RecordFeedbackRequest(
                tenant="theirs", response_id=started.response_id, rating=pb.RATING_POSITIVE
            )
        ),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert refused.value.code() == grpc.StatusCode.NOT_FOUND
        assert "expired" in (refused.value.details() or "")


async def test_a_short_question_in_a_conversation_is_not_answered_by_heart(
    stub: TrainerServiceAsyncStub,
) -> None:
    await stub.RecordCorrection(
        pb.RecordCorrectionRequest(tenant="why", question="Why?", corrected_text="Because of owls.")
    )
    history = [
        pb.Turn(role=pb.ROLE_USER, text="I like the sea."),
        pb.Turn(role=pb.ROLE_ASSISTANT, text="The sea is beautiful."),
        pb.Turn(role=pb.ROLE_USER, text="Why?"),
    ]
    _, _, finished = await answered(stub, pb.GenerateRequest(tenant="why", history=history))
    assert finished.reason != pb.FINISH_REASON_CORRECTION
    text, _, _ = await answered(stub, pb.GenerateRequest(tenant="why", history=history[-1:]))
    assert text == "Because of owls."


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tenant": "", "question": "q", "corrected_text": "a"}, "tenant"),
        ({"corrected_text": "a"}, "subject"),
        ({"question": " ", "corrected_text": "a"}, "question"),
        ({"response_id": "", "corrected_text": "a"}, "response_id"),
        ({"question": "q", "corrected_text": " \n"}, "corrected_text"),
        ({"question": "q" * 16_001, "corrected_text": "a"}, "question"),
        ({"question": "q", "corrected_text": "a" * 16_001}, "corrected_text"),
        ({"question": "q", "corrected_text": "a", "author_id": "x" * 65}, "author_id"),
        ({"question": "q", "corrected_text": "a", "request_id": "x" * 65}, "request_id"),
    ],
)
async def test_a_correction_that_cannot_be_used_is_refused_by_field(
    stub: TrainerServiceAsyncStub,
    refusal: Callable[[grpc.aio.AioRpcError], tuple[str, str]],
    fields: dict[str, str],
    field: str,
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.RecordCorrection(pb.RecordCorrectionRequest(**{"tenant": "t", **fields}))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(refused.value)[1] == field


async def test_feedback_that_says_nothing_is_refused(
    stub: TrainerServiceAsyncStub, refusal: Callable[[grpc.aio.AioRpcError], tuple[str, str]]
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await stub.RecordFeedback(pb.RecordFeedbackRequest(tenant="t", comment="  "))
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert refusal(refused.value)[1] == "rating"


async def test_feedback_about_the_assistant_as_a_whole_is_kept(
    stub: TrainerServiceAsyncStub,
) -> None:
    recorded = await stub.RecordFeedback(
        pb.RecordFeedbackRequest(tenant="t", comment="It speaks too fast.", author_id="ann")
    )
    assert len(recorded.feedback_id) == 26
    assert recorded.create_time.seconds > 1_700_000_000
