"""How near answers come to what was expected, and what judges say."""

from __future__ import annotations

import pytest

from voicemesh_trainer.domain.evaluations import EvaluationCase, Prediction, Verdict
from voicemesh_trainer.evaluation.judging import question_to_judge, verdict_in
from voicemesh_trainer.evaluation.scoring import normalised, score, token_f1
from voicemesh_trainer.evaluation.totals import Totals, cases_sha256

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("answer", "expected", "f1"),
    [
        ("Ann leads.", "Ann", 2 / 3),
        ("The Eiffel Tower", "eiffel tower", 1.0),
        ("a cat", "the dog", 0.0),
        ("", "", 1.0),
        ("", "Ann", 0.0),
        ("the", "Ann", 0.0),
        # Words count as often as they stand there: 2 of 3 and 2 of 2.
        ("to be be", "be be", 0.8),
    ],
)
def test_token_f1_is_that_of_squad(answer: str, expected: str, f1: float) -> None:
    assert token_f1(answer, expected) == pytest.approx(f1)


def test_matches_are_to_the_letter_or_normalised() -> None:
    exact = score(" Ann leads. ", "Ann leads.")
    near = score("ann  leads!", "Ann leads.")

    assert (exact.exact_match, exact.normalized_match) == (True, True)
    assert (near.exact_match, near.normalized_match) == (False, True)
    assert exact.chrf == pytest.approx(100)
    assert 0 < near.chrf < 100


def test_normalising_folds_forms_of_letters() -> None:
    assert normalised("\ufb01ne \u2014 Stra\u00dfe") == "fine strasse"


@pytest.mark.parametrize(
    "text", ["\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")]
)
def test_an_answer_of_pictures_is_compared_by_characters(text: str) -> None:
    assert score(text, text).token_f1 == 1
    assert score(text, "word").chrf == 0


def test_a_huge_answer_is_not_read_whole() -> None:
    assert score("word " * 200_000, "word").chrf < 1


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        ("yes", Verdict.RIGHT),
        ("Yes.", Verdict.RIGHT),
        (' "NO" ', Verdict.WRONG),
        ("**no**", Verdict.WRONG),
        ("No, the name is missing", Verdict.WRONG),
        ("No one knows", None),
        ("yesterday", None),
        ("It means the same: yes", None),
        ("", None),
    ],
)
def test_only_a_clear_yes_or_no_is_a_verdict(reply: str, verdict: Verdict | None) -> None:
    assert verdict_in(reply) is verdict


def test_a_judge_sees_question_expectation_and_answer_and_no_memory() -> None:
    asked = question_to_judge("t", "judge", EvaluationCase("Who leads?", "Ann"), "It is Ann.")

    text = asked.history[0].text
    assert all(each in text for each in ("Who leads?", "Ann", "It is Ann."))
    assert asked.memory_disabled
    assert asked.sampling.temperature == 0


def test_totals_count_an_error_as_nothing_right() -> None:
    totals = Totals()
    totals.add(
        Prediction(
            0,
            "m",
            "x",
            exact_match=True,
            normalized_match=True,
            token_f1=1,
            chrf=100,
            total_s=3,
            verdict=Verdict.RIGHT,
        )
    )
    totals.add(Prediction(1, "m", "y", token_f1=0.5, chrf=20, total_s=1, verdict=Verdict.WRONG))
    totals.add(Prediction(2, "m", error="no answer"))
    totals.add(Prediction(3, "m", "z", token_f1=0.5, chrf=40, total_s=2))

    scores = totals.scores("m", "sha", 9.0)

    assert (scores.case_count, scores.error_count, scores.judged_count) == (4, 1, 2)
    assert scores.exact_match == scores.normalized_match == 0.25
    assert (scores.token_f1, scores.chrf) == (0.5, 40)
    assert (scores.median_s, scores.judged_right) == (2, 0.5)


def test_cases_are_the_same_only_with_the_same_memory() -> None:
    cases = (EvaluationCase("a", "b"), EvaluationCase("c", "d"))

    same = cases_sha256(cases, memory_disabled=True)
    assert same == cases_sha256(list(cases), memory_disabled=True)
    assert same != cases_sha256(cases, memory_disabled=False)
    assert same != cases_sha256(cases[::-1], memory_disabled=True)
    assert same != cases_sha256((EvaluationCase("ab", ""), cases[1]), memory_disabled=True)
