"""Answers that people called wrong are not given again."""

from __future__ import annotations

import pytest

from voicemesh_trainer.memory.avoidance import AvoidanceGuard

pytestmark = pytest.mark.unit


def said(guard: AvoidanceGuard, *words: str) -> list[str]:
    return [guard.feed(each) for each in words]


def test_nothing_is_held_back_without_answers_to_avoid() -> None:
    assert said(AvoidanceGuard([]), "It ", "is ", "Rome.") == ["It ", "is ", "Rome."]


def test_words_are_held_only_while_they_may_become_the_answer_to_avoid() -> None:
    guard = AvoidanceGuard(["It is Rome."])
    assert said(guard, "It", " is", " Ro", "ttingdean", ".") == [
        "",
        "",
        "",
        "It is Rottingdean",
        ".",
    ]
    assert not guard.is_avoided
    assert guard.finish() == ""


def test_the_answer_to_avoid_is_noticed_whatever_its_punctuation() -> None:
    guard = AvoidanceGuard(["It is Rome.", "No."])
    assert said(guard, "it is", " ROME", "!") == ["", "", ""]
    assert guard.is_avoided
    assert guard.finish() == ""


def test_the_beginning_of_an_answer_to_avoid_is_another_answer() -> None:
    guard = AvoidanceGuard(["It is Rome."])
    assert said(guard, "It", " is") == ["", ""]
    assert not guard.is_avoided
    assert guard.finish() == "It is"


def test_what_goes_on_after_the_answer_to_avoid_is_another_answer() -> None:
    guard = AvoidanceGuard(["It is Rome."])
    assert said(guard, "It is Rome", ", they say.") == ["", "It is Rome, they say."]
