"""What may be promoted, and what a roll-back returns to. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicemesh_trainer.domain.models import ModelAction
from voicemesh_trainer.errors import NothingToRollBackError, PromotionRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Set

    from voicemesh_trainer.domain.evaluations import EvaluationScores
    from voicemesh_trainer.domain.models import ModelChange

__all__ = ("MARGIN", "check_promotion", "earlier_model")

MARGIN = 0.01
"""How much lower than the active model's the quality (0 to 1) of a promoted one may be."""

_DIGITS = 12
"""Of a hash, in messages."""


def check_promotion(
    model: str,
    active: str,
    scores: Iterable[EvaluationScores],
    active_scores: Iterable[EvaluationScores],
) -> None:
    """Refuses a promotion that is not known to be no worse.

    The newest cases that both models were tested on are compared.

    Args:
        model: what is to be promoted.
        active: what answers now.
        scores: of the model, newest first, one for each set of cases.
        active_scores: of the active model, likewise.

    Raises:
        PromotionRefusedError: if its evaluation is missing, cannot be compared, or is worse.
    """
    own, others = list(scores), {each.cases_sha256: each for each in active_scores}
    if not own:
        msg = (
            f"model {model} has no evaluation; evaluate it, with {active} as the compared model, "
            "or force the promotion"
        )
        raise PromotionRefusedError(msg, metadata={"model": model})
    for mine in own:
        if (theirs := others.get(mine.cases_sha256)) is None:
            continue
        if theirs.error_count > mine.error_count:
            msg = (
                f"the active model {active} gave no answer to {theirs.error_count} of the "
                f"{theirs.case_count} cases {mine.cases_sha256[:_DIGITS]}, so the models do not "
                "compare; evaluate it on them again, or force the promotion"
            )
            raise PromotionRefusedError(msg, metadata={"model": active})
        if mine.quality < theirs.quality - MARGIN:
            msg = (
                f"model {model} scores {mine.quality:.3f} and the active model {active} "
                f"{theirs.quality:.3f} (mean of token F1 and chrF) on the {mine.case_count} cases "
                f"{mine.cases_sha256[:_DIGITS]}; force the promotion if it is wanted all the same"
            )
            raise PromotionRefusedError(
                msg, metadata={"model": model, "cases_sha256": mine.cases_sha256}
            )
        return
    cases = own[0].cases_sha256
    msg = (
        f"the active model {active} has no evaluation on the cases that model {model} was "
        f"evaluated on; evaluate it on the {own[0].case_count} cases {cases[:_DIGITS]} too, "
        "or force the promotion"
    )
    raise PromotionRefusedError(msg, metadata={"model": active, "cases_sha256": cases})


def earlier_model(changes: Iterable[ModelChange], present: Set[str], default: str) -> str:
    """The model that a roll-back returns to.

    Promotions lie on a stack, and every roll-back has taken some off. What has been deleted since
    is passed over; below everything lies the server's default.

    Args:
        changes: all of the tenant's, oldest first.
        present: names that a tenant could use now.
        default: the server's default model.

    Raises:
        NothingToRollBackError: if nothing was promoted, or all was rolled back.
    """
    stack: list[str] = []
    for change in changes:
        if change.action is ModelAction.PROMOTED:
            stack.append(change.previous_model or default)
        elif change.action is ModelAction.ROLLED_BACK:
            while stack and stack.pop() != change.model:
                pass
    if not stack:
        msg = "no other model was active before: there is nothing to roll back to"
        raise NothingToRollBackError(msg)
    return next((name for name in reversed(stack) if name in present), default)
