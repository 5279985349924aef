"""Loops are noticed; ordinary speech is not taken for one."""

from __future__ import annotations

import pytest

from voicemesh_trainer.repetition import RepetitionGuard

pytestmark = pytest.mark.unit


def repetitive(text: str, size: int = 3) -> bool:
    guard = RepetitionGuard()
    return any(guard.feed(text[at : at + size]) for at in range(0, len(text), size))


@pytest.mark.parametrize(
    "text",
    [
        "up up up up up up up up ",
        "very good, very good, very good, very good, very good, ",
        "I am sorry to hear that. I am sorry to hear that. I am sorry to hear that. Yes ",
        "You can go to the park and look at the trees. You can go to the park and look at the "
        "trees. Then ",
    ],
)
def test_a_loop_is_noticed(text: str) -> None:
    assert repetitive(text)


@pytest.mark.parametrize(
    "text",
    [
        "No, no, no! That is not what I said, and that is not what I meant.",
        "I have a cat and a dog, and my sister has a cat and a dog too.",
        "Two plus two is four, and four plus four is eight.",
        "The sea is salty because rain washes salt out of the rocks, and rivers carry it there.",
    ],
)
def test_ordinary_speech_is_not_a_loop(text: str) -> None:
    assert not repetitive(text)


def test_words_are_compared_whole_not_by_pieces() -> None:
    assert not repetitive("a ab abc abcd abcde abcdef abcdefg", size=1)
