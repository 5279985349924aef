"""The scores of a model over all cases. Pure."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING

from voicemesh_trainer.domain.evaluations import EvaluationScores, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voicemesh_trainer.domain.evaluations import EvaluationCase, Prediction

__all__ = ("Totals", "cases_sha256")


def cases_sha256(cases: Iterable[EvaluationCase], *, memory_disabled: bool) -> str:
    """Names a set of cases, and whether memory was used: what makes scores comparable."""
    digest = hashlib.sha256(b"without memory\n" if memory_disabled else b"with memory\n")
    for case in cases:
        digest.update(json.dumps([case.prompt, case.expected]).encode())
        digest.update(b"\n")
    return digest.hexdigest()


@dataclass
class Totals:
    """Sums of one model's predictions."""

    count: int = 0
    errors: int = 0
    exact: int = 0
    normalized: int = 0
    token_f1: float = 0.0
    chrf: float = 0.0
    right: int = 0
    judged: int = 0
    times_s: list[float] = field(default_factory=list)

    def add(self, prediction: Prediction) -> None:
        """Counts one case."""
        self.count += 1
        if prediction.error:
            self.errors += 1
            return
        self.exact += prediction.exact_match
        self.normalized += prediction.normalized_match
        self.token_f1 += prediction.token_f1
        self.chrf += prediction.chrf
        self.times_s.append(prediction.total_s)
        if prediction.verdict is not None:
            self.judged += 1
            self.right += prediction.verdict is Verdict.RIGHT

    def scores(self, model: str, cases: str, now: float) -> EvaluationScores:
        """Means of all; `cases` is their SHA-256 and `now` the time in seconds since 1970."""
        count = max(1, self.count)
        return EvaluationScores(
            model=model,
            cases_sha256=cases,
            case_count=self.count,
            error_count=self.errors,
            exact_match=self.exact / count,
            normalized_match=self.normalized / count,
            token_f1=self.token_f1 / count,
            chrf=self.chrf / count,
            median_s=median(self.times_s) if self.times_s else None,
            judged_right=self.right / self.judged if self.judged else 0.0,
            judged_count=self.judged,
            evaluate_time=now,
        )
