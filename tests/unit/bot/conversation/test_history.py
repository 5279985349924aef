"""What the language model is told."""

from __future__ import annotations

import pytest

from voicemesh_bot.conversation.history import History, Question
from voicemesh_bot.domain import HistoryTurn, Role

pytestmark = pytest.mark.unit


def _said(text: str, number: int = 0) -> Question:
    return Question(number, "1", HistoryTurn(Role.USER, text, "Ann"))


def _add(history: History, text: str, number: int) -> Question:
    question = _said(text, number)
    history.add_message(question.turn, number)
    return question


def _texts(turns: tuple[HistoryTurn, ...]) -> list[str]:
    return [turn.text for turn in turns]


def test_an_answer_stands_where_it_began() -> None:
    history = History()
    _add(history, "question", 1)
    history.hold_place(1)
    _add(history, "meanwhile", 2)
    history.set_reply(1, "answer")

    assert _texts(history.turns) == ["question", "answer", "meanwhile"]


def test_questions_are_asked_last_whatever_was_said_since() -> None:
    history = History()
    first = _add(history, "first", 1)
    _add(history, "aside", 2)
    second = _add(history, "second", 3)

    assert _texts(history.asking((first, second))) == ["aside", "first", "second"]
    assert _texts(history.asking((_said("guess"),))) == ["first", "aside", "second", "guess"]
    assert _texts(history.turns) == ["first", "aside", "second"]


def test_a_question_that_was_forgotten_is_still_asked() -> None:
    history = History(max_turns=2)
    first = _add(history, "first", 1)
    for number in range(2, 6):
        _add(history, f"aside {number}", number)

    assert _texts(history.asking((first,))) == ["aside 5", "first"]


def test_the_bound_may_be_lowered() -> None:
    history = History(max_turns=10)
    for number in range(5):
        _add(history, f"message {number}", number + 1)
    history.set_bound(2)

    assert _texts(history.turns) == ["message 3", "message 4"]


def test_an_answer_that_was_not_heard_leaves_no_trace() -> None:
    history = History(max_turns=3)
    for number in range(1, 9):
        _add(history, f"message {number}", number)
        history.hold_place(number)

    assert _texts(history.turns) == ["message 6", "message 7", "message 8"]
