"""Models of a tenant: what answers, how well, and what was done with them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - dataclass readers resolve it at run time
from enum import StrEnum
from typing import TypeAlias

__all__ = (
    "ComparedScores",
    "EvaluationCase",
    "EvaluationEvent",
    "EvaluationOptions",
    "EvaluationScores",
    "Model",
    "ModelChange",
    "ModelState",
    "Prediction",
    "Verdict",
)


class ModelState(StrEnum):
    """Where a model is in its life."""

    UNKNOWN = "unknown"
    """Not said, or by a newer server in words this client does not know."""

    CANDIDATE = "candidate"
    """Made, and not yet used."""

    ACTIVE = "active"
    """Answers the tenant."""

    ARCHIVED = "archived"
    """Was active once."""


class Verdict(StrEnum):
    """What a judge says of an answer."""

    RIGHT = "right"
    """It means the same as the expected answer."""

    WRONG = "wrong"
    """It does not."""


@dataclass(frozen=True, slots=True)
class EvaluationCase:
    """A prompt with its expected answer."""

    prompt: str
    """What is asked."""

    expected: str
    """What should be answered."""


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """How a model is tested."""

    model: str = ""
    """The model; empty means the active one."""

    compared_model: str = ""
    """A second model to be asked the same; empty means none."""

    judge_model: str = ""
    """A model that says of each answer whether it means the same as the expected one; empty means
    none."""

    memory_disabled: bool = False
    """Whether corrections and examples of the tenant are not to be used."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one case."""

    case_index: int
    """The case, from 0."""

    model: str
    """The model that answered."""

    text: str
    """What was answered."""

    exact_match: bool
    """Whether it is the expected answer to the letter."""

    normalized_match: bool
    """Whether it is, but for case, punctuation and spaces."""

    token_f1: float
    """Harmonic mean of the precision and recall of its words, 0 to 1."""

    chrf: float
    """Character n-gram F-score (chrF), 0 to 100."""

    first_token_s: float
    """Seconds to its first words."""

    total_s: float
    """Seconds to the whole answer."""

    verdict: Verdict | None
    """What the judge said; None if there was none, or no clear reply."""

    error: str
    """Why there is no answer; empty if there is one."""


@dataclass(frozen=True, slots=True)
class EvaluationScores:
    """Means over all cases."""

    model: str
    """The model."""

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
    """Character n-gram F-score (chrF), 0 to 100."""

    median_s: float
    """Middle time to answer, in seconds."""

    judged_right: float
    """Share that the judge called right, of those it judged, 0 to 1."""

    judged_count: int
    """Answers that were judged."""

    cases_sha256: str
    """SHA-256 of the cases in lower-case hexadecimal digits: scores compare only where it is the
    same."""

    evaluate_time: datetime | None
    """When the test ended, in UTC."""


@dataclass(frozen=True, slots=True)
class ComparedScores:
    """The scores of the second model of a test; the last event but one."""

    scores: EvaluationScores
    """Its scores."""


EvaluationEvent: TypeAlias = Prediction | ComparedScores | EvaluationScores
"""What `Models.evaluate` yields."""


@dataclass(frozen=True, slots=True)
class Model:
    """Something that can answer."""

    name: str
    """What `GenerationOptions.model` and the calls of `Models` take."""

    tenant: str
    """The tenant it belongs to; empty for the server's own."""

    backend: str
    """Where it runs: `local` or `openai`."""

    base_model: str
    """The model it was trained from; empty for an original one."""

    job_id: str
    """The job that made it; empty for an original one."""

    state: ModelState
    """Where it is in its life."""

    scores: EvaluationScores | None
    """Its last evaluation, if there was one."""

    license: str
    """SPDX identifier or name of its licence, if known."""

    create_time: datetime | None
    """When it was registered, in UTC; None for the server's own."""


@dataclass(frozen=True, slots=True)
class ModelChange:
    """One thing that was done with a model."""

    action: str
    """What was done: `registered`, `promoted`, `rolled_back` or `deleted`."""

    model: str
    """The model."""

    previous_model: str
    """The model that was active before, of `promoted` and `rolled_back`."""

    forced: bool
    """Whether it was forced against its evaluation."""

    author_id: str
    """Who asked, if known."""

    change_time: datetime | None
    """When, in UTC."""
