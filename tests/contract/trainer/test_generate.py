"""Conversations are answered by the real embedded model over gRPC."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from ulid import ULID

from voicemesh.trainer.v1 import trainer_service_pb2 as pb

if TYPE_CHECKING:
    from voicemesh.trainer.v1.trainer_service_pb2_grpc import TrainerServiceAsyncStub

pytestmark = [pytest.mark.contract, pytest.mark.asyncio(loop_scope="session")]

Ask = Callable[..., pb.GenerateRequest]
TextOf = Callable[[list[pb.GenerateResponse]], str]


async def answer(stub: TrainerServiceAsyncStub, request: pb.GenerateRequest) -> Any:
    return [event async for event in stub.Generate(request)]


async def test_a_question_is_answered_in_a_clean_sentence(
    stub: TrainerServiceAsyncStub, ask: Ask, text_of: TextOf
) -> None:
    events = await answer(stub, ask("What is the capital of France?"))

    assert text_of(events) == "The capital of France is Paris."
    started, finished = events[0].started, events[-1].finished
    assert str(ULID.from_str(started.response_id)) == started.response_id
    assert started.model == "gemma-3-270m"
    assert finished.reason == pb.FINISH_REASON_STOP
    assert finished.usage.input_token_count > 300
    assert finished.usage.cached_input_token_count > 300
    assert 0 < finished.usage.output_token_count < 20
    first, total = finished.first_token_duration, finished.total_duration
    assert 0 < first.ToNanoseconds() <= total.ToNanoseconds()


async def test_words_come_as_they_are_written(stub: TrainerServiceAsyncStub, ask: Ask) -> None:
    events = await answer(stub, ask("Tell me about dogs."))

    assert len(events) > 6


@pytest.mark.parametrize(
    "question",
    [
        "and so my fellow americans ask not what your country can do for you ask what you can do "
        "for your country",
        "he was not an ill disposed young man",
        "Thank you very much.",
        "What should I cook for dinner tonight?",
        "Write a list of ten links.",
    ],
)
async def test_answers_can_be_spoken(
    stub: TrainerServiceAsyncStub, ask: Ask, text_of: TextOf, question: str
) -> None:
    text = text_of(await answer(stub, ask(question)))

    assert text[0].isalnum()
    assert text[-1] in ".!?"
    assert len(text.split()) <= 60
    assert not set(text) & set("\n*#<>[]{}|\\")
    assert "User:" not in text
    assert "Assistant:" not in text


def told(dog: str, tenant: str = "t") -> pb.GenerateRequest:
    history = [
        pb.Turn(role=pb.ROLE_USER, text=f"My dog is called {dog}."),
        pb.Turn(role=pb.ROLE_ASSISTANT, text=f"{dog} is a good name for a dog."),
        pb.Turn(role=pb.ROLE_USER, text="What is the name of my dog?"),
    ]
    return pb.GenerateRequest(tenant=tenant, history=history)


async def test_history_is_part_of_the_question(
    stub: TrainerServiceAsyncStub, text_of: TextOf
) -> None:
    assert "Rex" in text_of(await answer(stub, told("Rex")))


async def test_old_turns_are_left_out_of_a_long_history(
    stub: TrainerServiceAsyncStub, text_of: TextOf
) -> None:
    said = "This is a rather long story that goes on and on about many things. " * 4
    history = [pb.Turn(role=pb.ROLE_USER, text=said) for _ in range(40)]
    history.append(pb.Turn(role=pb.ROLE_USER, text="What is the capital of France?"))

    events = await answer(stub, pb.GenerateRequest(tenant="t", history=history))

    assert events[0].started.omitted_turn_count > 0
    assert text_of(events)
    assert events[-1].finished.usage.input_token_count <= 1024 - 256


async def test_an_answer_is_cut_where_asked(
    stub: TrainerServiceAsyncStub, ask: Ask, text_of: TextOf
) -> None:
    stopped = await answer(
        stub, ask("What is the capital of France?", sampling=pb.Sampling(stop_sequences=[" is "]))
    )
    short = await answer(
        stub, ask("What is the capital of France?", sampling=pb.Sampling(max_output_tokens=3))
    )

    assert text_of(stopped) == "The capital of France"
    assert stopped[-1].finished.reason == pb.FINISH_REASON_STOP
    assert text_of(short) == "The capital of"
    assert short[-1].finished.reason == pb.FINISH_REASON_LENGTH
    assert short[-1].finished.usage.output_token_count == 3


async def test_a_seed_makes_an_answer_reproducible(
    stub: TrainerServiceAsyncStub, ask: Ask, text_of: TextOf
) -> None:
    sampling = pb.Sampling(temperature=1.5, seed=7, max_output_tokens=24)

    first = text_of(await answer(stub, ask("Tell me a story.", sampling=sampling)))
    second = text_of(await answer(stub, ask("Tell me a story.", sampling=sampling)))

    assert first == second


async def test_characters_outside_the_alphabet_arrive_whole(
    stub: TrainerServiceAsyncStub, text_of: TextOf
) -> None:
    history = [
        pb.Turn(role=pb.ROLE_USER, text="Say: 🙂🙂🙂 你好"),
        pb.Turn(role=pb.ROLE_ASSISTANT, text="🙂🙂🙂 你好"),
        pb.Turn(role=pb.ROLE_USER, text="Say it again: 🙂🙂🙂 你好"),
    ]

    text = text_of(await answer(stub, pb.GenerateRequest(tenant="t", history=history)))

    assert "🙂" in text
    assert "�" not in text


async def test_tenants_do_not_mix(stub: TrainerServiceAsyncStub, text_of: TextOf) -> None:
    for _round in range(3):
        answers = await asyncio.gather(
            answer(stub, told("Rex", "one")), answer(stub, told("Bella", "two"))
        )
        one, two = (text_of(events) for events in answers)

        assert "Rex" in one
        assert "Bella" not in one
        assert "Bella" in two
        assert "Rex" not in two


async def test_a_deadline_ends_the_call(stub: TrainerServiceAsyncStub, ask: Ask) -> None:
    request = ask("Tell me about dogs.")

    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _event in stub.Generate(request, timeout=0.01):
            pass

    assert caught.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
