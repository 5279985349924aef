"""Every field of a request is checked, and a refusal names it."""

from __future__ import annotations

from typing import Any

import pytest

from voicemesh.trainer.v1 import trainer_service_pb2 as pb
from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_trainer.domain.conversations import (
    Conversation,
    Delta,
    Finished,
    FinishReason,
    Role,
    Sampling,
    Started,
    TokenUsage,
    Turn,
)
from voicemesh_trainer.rpc.convert import conversation_from, response_of

pytestmark = pytest.mark.unit

ASKED = pb.Turn(role=pb.ROLE_USER, text="Hi", speaker="Ann")
SAID = pb.Turn(role=pb.ROLE_ASSISTANT, text="Hello")


def request(**fields: Any) -> pb.GenerateRequest:
    return pb.GenerateRequest(**{"tenant": "42", "history": [ASKED], **fields})


def test_a_full_request_is_taken_over() -> None:
    sampling = pb.Sampling(
        max_output_tokens=9,
        temperature=0,
        top_p=1,
        seed=-3,
        stop_sequences=["\n"],
        frequency_penalty=-2,
        presence_penalty=2,
    )

    conversation = conversation_from(
        request(history=[ASKED, SAID, ASKED], system_prompt="", model="m", sampling=sampling)
    )

    ask, say = Turn(Role.USER, "Hi", "Ann"), Turn(Role.ASSISTANT, "Hello")
    assert conversation == Conversation(
        "42", (ask, say, ask), "", "m", Sampling(9, 0.0, 1.0, -3, ("\n",), -2.0, 2.0)
    )


def test_what_is_not_said_is_left_to_the_model() -> None:
    conversation = conversation_from(request())

    assert conversation.system_prompt is None
    assert conversation.sampling == Sampling()


def test_an_assistant_that_was_cut_off_at_once_said_nothing() -> None:
    silent = pb.Turn(role=pb.ROLE_ASSISTANT, text=" ")

    assert len(conversation_from(request(history=[ASKED, silent, ASKED])).history) == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"tenant": ""}, "tenant"),
        ({"tenant": "  "}, "tenant"),
        ({"tenant": "x" * 129}, "tenant"),
        ({"tenant": "a\nb"}, "tenant"),
        ({"history": []}, "history"),
        ({"history": [ASKED] * 501}, "history"),
        ({"history": [ASKED, SAID]}, "history[1].role"),
        ({"history": [pb.Turn(text="Hi"), ASKED]}, "history[0].role"),
        ({"history": [pb.Turn(role=pb.ROLE_USER, text=" \n")]}, "history[0].text"),
        ({"history": [pb.Turn(role=pb.ROLE_USER, text="x" * 16_001)]}, "history[0].text"),
        (
            {"history": [pb.Turn(role=pb.ROLE_USER, text="x", speaker="y" * 65)]},
            "history[0].speaker",
        ),
        ({"system_prompt": "x" * 16_001}, "system_prompt"),
        ({"model": "x" * 129}, "model"),
        ({"sampling": pb.Sampling(max_output_tokens=0)}, "sampling.max_output_tokens"),
        ({"sampling": pb.Sampling(max_output_tokens=8193)}, "sampling.max_output_tokens"),
        ({"sampling": pb.Sampling(temperature=2.1)}, "sampling.temperature"),
        ({"sampling": pb.Sampling(temperature=float("nan"))}, "sampling.temperature"),
        ({"sampling": pb.Sampling(top_p=0)}, "sampling.top_p"),
        ({"sampling": pb.Sampling(top_p=1.5)}, "sampling.top_p"),
        ({"sampling": pb.Sampling(frequency_penalty=-3)}, "sampling.frequency_penalty"),
        ({"sampling": pb.Sampling(presence_penalty=float("inf"))}, "sampling.presence_penalty"),
        ({"sampling": pb.Sampling(stop_sequences=["x"] * 9)}, "sampling.stop_sequences"),
        ({"sampling": pb.Sampling(stop_sequences=["x", ""])}, "sampling.stop_sequences[1]"),
        ({"sampling": pb.Sampling(stop_sequences=["x" * 65])}, "sampling.stop_sequences[0]"),
    ],
)
def test_a_field_that_cannot_be_used_is_named(fields: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidArgumentError) as caught:
        conversation_from(request(**fields))

    assert caught.value.field == field
    assert caught.value.message


def test_events_become_messages() -> None:
    finished = Finished(FinishReason.STOP, TokenUsage(5, 3, 2), None, 1.5)

    assert response_of(Started("id", "m", 4)).started.omitted_turn_count == 4
    assert response_of(Delta("Hi")).delta.text == "Hi"
    message = response_of(finished).finished
    assert message.reason == pb.FINISH_REASON_STOP
    assert message.usage.cached_input_token_count == 3
    assert not message.HasField("first_token_duration")
    assert message.total_duration.ToMilliseconds() == 1500
