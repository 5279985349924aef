"""When two questions are the same. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata

__all__ = ("normalised", "question_key", "words_of")

_LONGEST = 16_000
_NOT_A_WORD = re.compile(r"[^\w]+|_+")
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1780-\u17ff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)
"""Runs of scripts that put no spaces between words: Thai, Lao, Khmer, Burmese, kana, Han."""


def normalised(question: str) -> str:
    """The question without what does not matter: case, width, punctuation, spaces.

    A question of nothing but punctuation ("??") stays what it is, but for its spaces.
    """
    folded = unicodedata.normalize("NFKC", question[:_LONGEST]).casefold()
    folded = folded.replace("\u2019", "").replace("'", "")
    # Signs that change a meaning: C and C++, 5 and -5 are not the same.
    folded = re.sub(r"(?<=\w)\+|#|(?<!\w)-(?=\d)|%|(?<=\d)[.,](?=\d)", _spelled, folded)
    kept = " ".join(_NOT_A_WORD.sub(" ", folded).split())
    return kept or " ".join(folded.split())


def question_key(question: str) -> str:
    """What questions that are the same have in common: SHA-256, in lower-case hexadecimal."""
    return hashlib.sha256(normalised(question).encode("utf-8", "replace")).hexdigest()


def words_of(question: str) -> list[str]:
    """The words by which a question is found; of unspaced scripts, each two characters in a row."""
    words: list[str] = []
    for part in normalised(question).split():
        end = 0
        for run in _UNSPACED.finditer(part):
            words += [part[end : run.start()]] if run.start() > end else []
            words += _pairs(run.group())
            end = run.end()
        words += [part[end:]] if end < len(part) else []
    return words


def _pairs(run: str) -> list[str]:
    return [run] if len(run) == 1 else [run[at : at + 2] for at in range(len(run) - 1)]


def _spelled(match: re.Match[str]) -> str:
    return {"+": "plus", "#": "sharp", "-": "minus", "%": " percent"}.get(match.group(), "point")
