"""What may be promoted, what a roll-back returns to, and what models are called."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from voicemesh_trainer.domain.evaluations import EvaluationScores
from voicemesh_trainer.domain.models import ModelAction, ModelChange
from voicemesh_trainer.errors import NothingToRollBackError, PromotionRefusedError
from voicemesh_trainer.registry.names import tuned_name
from voicemesh_trainer.registry.rules import check_promotion, earlier_model

pytestmark = pytest.mark.unit

FIRST, SECOND = "a" * 64, "b" * 64


def scores(
    quality: float, cases: str = FIRST, *, model: str = "m", errors: int = 0
) -> EvaluationScores:
    return EvaluationScores(
        model=model,
        cases_sha256=cases,
        case_count=30,
        error_count=errors,
        exact_match=0,
        normalized_match=0,
        token_f1=quality,
        chrf=quality * 100,
        median_s=0.1,
        judged_right=0,
        judged_count=0,
        evaluate_time=1.0,
    )


@pytest.mark.parametrize(("new", "active"), [(0.8, 0.5), (0.5, 0.5), (0.495, 0.5)])
def test_a_model_that_is_no_worse_is_promoted(new: float, active: float) -> None:
    check_promotion("new", "old", [scores(new)], [scores(active)])


def test_a_worse_model_is_refused_with_both_figures() -> None:
    with pytest.raises(PromotionRefusedError, match=r"0\.480 .* old 0\.500") as caught:
        check_promotion("new", "old", [scores(0.48)], [scores(0.5)])

    assert caught.value.metadata["cases_sha256"] == FIRST


def test_f1_and_chrf_weigh_the_same() -> None:
    mixed = EvaluationScores(**{**vars(scores(0.5)), "token_f1": 0.9, "chrf": 10.0})

    assert mixed.quality == pytest.approx(0.5)
    check_promotion("new", "old", [mixed], [scores(0.5)])


def test_a_model_without_an_evaluation_is_refused() -> None:
    with pytest.raises(PromotionRefusedError, match="new has no evaluation; evaluate it, with old"):
        check_promotion("new", "old", [], [scores(0.5)])


def test_scores_on_other_cases_do_not_compare_and_the_message_names_the_cases() -> None:
    with pytest.raises(
        PromotionRefusedError, match=f"old has no .* 30 cases {FIRST[:12]} too"
    ) as caught:
        check_promotion("new", "old", [scores(0.9)], [scores(0.1, SECOND)])

    assert caught.value.metadata == {"model": "old", "cases_sha256": FIRST}


def test_the_newest_cases_in_common_decide() -> None:
    mine = [scores(0.9, "c" * 64), scores(0.4, SECOND), scores(0.9)]

    with pytest.raises(PromotionRefusedError, match=SECOND[:12]):
        check_promotion("new", "old", mine, [scores(0.5), scores(0.5, SECOND)])


def test_an_active_model_that_failed_more_cases_is_not_known_to_be_worse() -> None:
    with pytest.raises(PromotionRefusedError, match="old gave no answer to 9 of the 30 cases"):
        check_promotion("new", "old", [scores(0.5)], [scores(0.3, errors=9)])


def change(action: ModelAction, model: str, previous: str | None = None) -> ModelChange:
    return ModelChange(0, action, model, previous, forced=False, author_id="", change_time=0)


def promoted(model: str, previous: str) -> ModelChange:
    return change(ModelAction.PROMOTED, model, previous)


def rolled_back(model: str) -> ModelChange:
    return change(ModelAction.ROLLED_BACK, model)


HISTORY = [promoted("a", "base"), promoted("b", "a"), promoted("c", "b")]


@pytest.mark.parametrize(
    ("changes", "present", "earlier"),
    [
        (HISTORY, {"a", "b", "base"}, "b"),
        ([*HISTORY, rolled_back("b")], {"a", "b", "base"}, "a"),
        ([*HISTORY, rolled_back("b"), rolled_back("a")], {"a", "b", "base"}, "base"),
        # What was deleted is passed over, then and later.
        (HISTORY, {"a", "base"}, "a"),
        ([*HISTORY, rolled_back("a")], {"base"}, "base"),
        # An operator changed the server's model.
        ([promoted("a", "former")], {"a", "base"}, "base"),
        # Other changes do not count.
        ([promoted("a", "base"), change(ModelAction.REGISTERED, "x")], {"base", "x"}, "base"),
        ([*HISTORY, rolled_back("b"), promoted("d", "b")], {"a", "b", "base"}, "b"),
    ],
)
def test_a_roll_back_returns_to_what_was_active_before(
    changes: Sequence[ModelChange], present: set[str], earlier: str
) -> None:
    assert earlier_model(changes, present, "base") == earlier


@pytest.mark.parametrize(
    "changes", [[], [change(ModelAction.REGISTERED, "a")], [promoted("a", "b"), rolled_back("b")]]
)
def test_there_may_be_nothing_to_roll_back(changes: Sequence[ModelChange]) -> None:
    with pytest.raises(NothingToRollBackError):
        earlier_model(changes, {"a", "b"}, "b")


def test_names_tell_the_base_and_differ_by_job() -> None:
    job = "01JDABCDEFGHJKMNPQRSTVWXYZ"

    assert tuned_name("gemma-3-270m", job) == "gemma-3-270m-rstvwxyz"
    assert len(tuned_name("b" * 300, job)) == 128
