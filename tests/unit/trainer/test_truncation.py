"""The oldest turns are left out, as few as the model's context allows."""

from __future__ import annotations

import pytest

from voicemesh_trainer.errors import ConversationTooLongError
from voicemesh_trainer.truncation import estimate_tokens, omitted_turns, prompt_budget

pytestmark = pytest.mark.unit


async def omitted(costs: list[int], budget: int) -> int:
    async def count(leave_out: int) -> int:
        return sum(costs[leave_out:])

    return await omitted_turns(len(costs), budget, count)


async def test_nothing_is_left_out_of_what_fits() -> None:
    assert await omitted([10] * 20, 200) == 0


async def test_whole_steps_are_left_out_so_that_the_beginning_stays_the_same() -> None:
    assert [await omitted([10] * count, 200) for count in range(20, 32)] == [
        *([0] * 1),
        *([8] * 8),
        *([16] * 3),
    ]


async def test_the_last_turn_is_kept_even_alone() -> None:
    assert await omitted([10, 10, 100], 105) == 2


async def test_a_last_turn_that_does_not_fit_names_the_history() -> None:
    with pytest.raises(ConversationTooLongError) as caught:
        await omitted([10, 300], 200)

    assert caught.value.field == "history"


async def test_counting_a_long_history_takes_few_steps() -> None:
    counted = []

    async def count(leave_out: int) -> int:
        counted.append(leave_out)
        return (500 - leave_out) * 10

    assert await omitted_turns(500, 1000, count) == 400
    assert len(counted) <= 8


def test_an_answer_is_left_its_room_but_at_most_half() -> None:
    assert prompt_budget(2048, 256) == 1792
    assert prompt_budget(2048, 8192) == 1024


def test_estimates_are_cautious() -> None:
    assert estimate_tokens("hello there") >= 2
    assert estimate_tokens("你好") >= 2
    assert estimate_tokens("\ud83d") == 1
