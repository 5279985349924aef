"""Prompts that surely fit are not counted."""

from __future__ import annotations

import pytest

from voicemesh_trainer.engines.token_bound import TokenBound

pytestmark = pytest.mark.unit

HEAD = "A long beginning that all prompts have in common. " * 20


def test_an_unknown_prompt_has_at_most_a_token_a_byte() -> None:
    assert TokenBound().most("\u00e9" * 10) == 20 + 8


def test_what_was_counted_bounds_what_begins_alike() -> None:
    bound = TokenBound()
    bound.learn(HEAD + "User: Hello", 240)

    assert bound.most(HEAD + "User: Hello") == 240 + 8
    assert bound.most(HEAD + "User: Good evening") == 240 + len("Good evening") + 8
    assert bound.most("Something else") == len("Something else") + 8


@pytest.mark.parametrize("other", ["", HEAD[:77], HEAD[:77] + "X" + HEAD[78:], HEAD, HEAD + "more"])
def test_only_the_common_beginning_is_taken_for_known(other: str) -> None:
    bound = TokenBound()
    bound.learn(HEAD, 1)
    common = next(
        (place for place, pair in enumerate(zip(HEAD, other, strict=False)) if pair[0] != pair[1]),
        min(len(HEAD), len(other)),
    )

    assert bound.most(other) == min(len(other), 1 + len(other) - common) + 8


def test_the_last_prompts_are_remembered() -> None:
    bound = TokenBound()
    for number in range(100):
        bound.learn(f"{number} {HEAD}", 200)

    assert bound.most(f"99 {HEAD}") == 208
    assert bound.most(f"0 {HEAD}") == len(HEAD) + 2 + 8
