"""How near an answer comes to what was expected. Pure.

Token F1 is SQuAD's (https://arxiv.org/abs/1606.05250, evaluate-v2.0.py): the harmonic mean of the
precision and recall of words, without case, punctuation and English articles. chrF is sacrebleu's
(https://aclanthology.org/W15-3049): it counts characters, and so works for every language.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from dataclasses import dataclass

from sacrebleu.metrics.chrf import CHRF

__all__ = ("Score", "normalised", "score", "token_f1")

_ARTICLES = frozenset({"a", "an", "the"})
_MOST_CHARACTERS = 4000
"""That chrF reads of an answer: it takes a second for a megabyte, and nobody expects that much."""

_chrf = CHRF()


@dataclass(frozen=True)
class Score:
    """How near an answer is."""

    exact_match: bool
    """Whether it is the expected one to the letter, but for spaces around it."""
    normalized_match: bool
    """Whether it is, but for case, punctuation and spaces."""
    token_f1: float
    """Harmonic mean of the precision and recall of its words, 0 to 1."""
    chrf: float
    """Character n-gram F-score, 0 to 100."""


def score(answer: str, expected: str) -> Score:
    """How near `answer` is to `expected`."""
    return Score(
        exact_match=answer.strip() == expected.strip(),
        normalized_match=normalised(answer) == normalised(expected),
        token_f1=token_f1(answer, expected),
        chrf=_chrf.sentence_score(answer[:_MOST_CHARACTERS], [expected[:_MOST_CHARACTERS]]).score,
    )


def normalised(text: str) -> str:
    """The text without case and punctuation, and with single spaces."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept = (each for each in folded if not unicodedata.category(each).startswith("P"))
    return " ".join("".join(kept).split())


def token_f1(answer: str, expected: str) -> float:
    """Harmonic mean of the precision and recall of words, 0 to 1."""
    said, wanted = _words(answer), _words(expected)
    if not said or not wanted:
        return float(said == wanted)
    common = sum((Counter(said) & Counter(wanted)).values())
    if not common:
        return 0.0
    precision, recall = common / len(said), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def _words(text: str) -> list[str]:
    return [word for word in normalised(text).split() if word not in _ARTICLES]
