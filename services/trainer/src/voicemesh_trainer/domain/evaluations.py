"""Tests of models: cases, predictions and scores."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

__all__ = (
    "Compared",
    "Evaluation",
    "EvaluationCase",
    "EvaluationEvent",
    "EvaluationScores",
    "Prediction",
    "Verdict",
)


class Verdict(Enum):
    """What a judge says of an answer."""

    RIGHT = "right"
    WRONG = "wrong"


@dataclass(frozen=True)
class EvaluationCase:
    """A prompt with its expected answer."""

    prompt: str
    """What is asked; never blank."""
    expected: str
    """What should be answered; never blank."""


@dataclass(frozen=True)
class Evaluation:
    """What is to be tested, and how."""

    tenant: str
    """Whose models and memory are used."""
    model: str
    """The model; empty means the active one."""
    cases: tuple[EvaluationCase, ...]
    """What is asked, 1 to 10,000 cases."""
    memory_disabled: bool = False
    """Whether corrections and examples are not to be used."""
    compared_model: str = ""
    """A second model that is asked the same; empty means none."""
    judge_model: str = ""
    """A model that says whether an answer means what was expected; empty means none."""


@dataclass(frozen=True)
class Prediction:
    """The answer of a model to one case."""

    case_index: int
    """The case, from 0."""
    model: str
    """The model that answered."""
    text: str = ""
    """What was answered."""
    exact_match: bool = False
    """Whether it is the expected answer to the letter."""
    normalized_match: bool = False
    """Whether it is, but for case, punctuation and spaces."""
    token_f1: float = 0.0
    """Harmonic mean of the precision and recall of its words, 0 to 1."""
    chrf: float = 0.0
    """Character n-gram F-score, 0 to 100."""
    first_token_s: float | None = None
    """Time to its first words, in seconds; None without words."""
    total_s: float = 0.0
    """Time to answer, in seconds."""
    error: str = ""
    """Why there is no answer, if there is none."""
    verdict: Verdict | None = None
    """What the judge said; None if it was not asked or not clear."""


@dataclass(frozen=True)
class EvaluationScores:
    """Means over all cases; a case without an answer counts as 0."""

    model: str
    """The model."""
    cases_sha256: str
    """Of the cases and of whether memory was used; scores compare only where it is the same."""
    case_count: int
    """Number of cases."""
    error_count: int
    """Cases without an answer."""
    exact_match: float
    """Share of exact matches, 0 to 1."""
    normalized_match: float
    """Share of normalised matches, 0 to 1."""
    token_f1: float
    """Mean token F1, 0 to 1."""
    chrf: float
    """Mean character n-gram F-score, 0 to 100."""
    median_s: float | None
    """Middle time to answer, in seconds; None if nothing was answered."""
    judged_right: float
    """Share that the judge called right, of those it judged, 0 to 1."""
    judged_count: int
    """Answers that were judged."""
    evaluate_time: float
    """When the test ended, in seconds since 1970."""

    @property
    def quality(self) -> float:
        """The mean of token F1 and chrF, 0 to 1: what promotions compare."""
        return (self.token_f1 + self.chrf / 100) / 2


@dataclass(frozen=True)
class Compared:
    """The scores of the compared model."""

    scores: EvaluationScores


EvaluationEvent = Prediction | Compared | EvaluationScores
