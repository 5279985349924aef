"""What a job trains on, made from a dataset and corrections."""

from __future__ import annotations

from typing import Any

import pytest

from voicemesh_trainer.domain.training_data import PreferencePair, TrainingExample
from voicemesh_trainer.ports.jobs import CorrectedAnswer
from voicemesh_trainer.training.assembly import assembled

pytestmark = pytest.mark.unit


def good(prompt: str, completion: str, **fields: Any) -> TrainingExample:
    return TrainingExample(prompt, completion, **fields)


def bad(prompt: str, completion: str, **fields: Any) -> TrainingExample:
    return TrainingExample(prompt, completion, positive=False, **fields)


def test_examples_are_kept_in_order_and_once() -> None:
    data = assembled([good("b", "1"), good("a", "2"), good("b", "1")], [])

    assert data.examples == (good("b", "1"), good("a", "2"))
    assert (data.pairs, data.avoided_count) == ((), 0)


def test_answers_to_the_same_question_make_a_pair() -> None:
    data = assembled([good("Who leads?", "Ann"), bad("who leads", "Bob")], [])

    assert data.pairs == (PreferencePair("Who leads?", chosen="Ann", rejected="Bob"),)
    assert data.examples == (good("Who leads?", "Ann"),)


def test_bad_answers_share_the_good_ones() -> None:
    data = assembled(
        [good("q", "1"), good("q", "2"), bad("q", "x"), bad("q", "y"), bad("q", "z")], []
    )

    assert [(pair.chosen, pair.rejected) for pair in data.pairs] == [
        ("1", "x"),
        ("2", "y"),
        ("1", "z"),
    ]


def test_a_bad_answer_alone_is_left_to_memory() -> None:
    data = assembled([good("a", "1"), bad("b", "2")], [])

    assert (data.pairs, data.avoided_count) == ((), 1)


def test_an_answer_called_good_and_bad_makes_no_pair() -> None:
    data = assembled([good("a", "1"), bad("a", "1")], [])

    assert (data.pairs, data.avoided_count) == ((), 1)


def test_other_circumstances_are_another_question() -> None:
    data = assembled([good("a", "1", system_prompt="be kind"), bad("a", "2")], [])

    assert data.pairs == ()


def test_plain_texts_make_no_pairs() -> None:
    assert assembled([good("", "1"), bad("", "2")], []).pairs == ()


def test_a_correction_is_an_example_and_a_pair() -> None:
    data = assembled([good("a", "1")], [CorrectedAnswer("Who leads?", "Ann", "Bob")])

    assert data.examples == (good("a", "1"), good("Who leads?", "Ann"))
    assert data.pairs == (PreferencePair("Who leads?", "Ann", "Bob"),)


def test_what_a_correction_calls_wrong_is_not_taught() -> None:
    data = assembled([good("Who leads?", "Bob")], [CorrectedAnswer("Who leads?", "Ann", "Bob")])

    assert data.examples == (good("Who leads?", "Ann"),)


def test_the_last_correction_of_a_question_holds() -> None:
    data = assembled(
        [],
        [CorrectedAnswer("Who leads?", "Ann", "Bob"), CorrectedAnswer("who leads", "Cid", "Ann")],
    )

    assert data.examples == (good("who leads", "Cid"),)
    assert {(pair.chosen, pair.rejected) for pair in data.pairs} == {("Cid", "Bob"), ("Cid", "Ann")}


def test_the_hash_is_of_content_and_order() -> None:
    one = assembled([good("a", "1"), good("b", "2")], [])

    assert one.sha256 == assembled([good("a", "1"), good("b", "2"), bad("c", "x")], []).sha256
    assert one.sha256 != assembled([good("b", "2"), good("a", "1")], []).sha256
    assert one.sha256 != assembled([good("a", "1"), good("b", "2"), bad("b", "x")], []).sha256
    assert len(one.sha256) == 64
