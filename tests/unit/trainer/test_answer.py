"""What callers see of a model's text."""

from __future__ import annotations

import pytest

from voicemesh_trainer.answer import AnswerText

pytestmark = pytest.mark.unit


def test_leading_spaces_are_left_out_also_over_several_pieces() -> None:
    answer = AnswerText([])

    words = [answer.feed(piece) for piece in (" ", "\n ", " Hello", " there")]

    assert words == ["", "", "Hello", " there"]


def test_a_character_cut_in_two_comes_whole() -> None:
    answer = AnswerText([])

    assert answer.feed("fine \ud83d") == "fine "
    assert answer.feed("\ude42!") == "🙂!"


def test_half_a_character_alone_is_replaced_not_passed_on() -> None:
    answer = AnswerText([])

    words = answer.feed("a\ude42b")

    assert words == "a�b"
    words.encode()


def test_held_back_words_come_at_the_end() -> None:
    answer = AnswerText(["\nUser:"])

    assert answer.feed("Yes.\nUser") == "Yes."
    assert not answer.stopped
    assert answer.finish() == "\nUser"
