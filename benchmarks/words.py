"""Word error rate, after what only spells differently has been made alike."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import jiwer

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("plain_words", "word_error_rate")

_NUMBERS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
sixteen seventeen eighteen nineteen twenty
"""
_SPELLED = {str(number): word for number, word in enumerate(_NUMBERS.split())} | {
    "30": "thirty",
    "40": "forty",
    "50": "fifty",
    "mr": "mister",
    "neighbor": "neighbour",
    "neighbors": "neighbours",
    "color": "colour",
    "harbor": "harbour",
    "favorite": "favourite",
    "theater": "theatre",
    "meters": "metres",
}
_WORD = re.compile(r"[a-z0-9']+")


def word_error_rate(spoken: Sequence[str], heard: Sequence[str]) -> float:
    """Errors in a hundred words, over all utterances together."""
    measured = jiwer.process_words(list(map(_plain, spoken)), list(map(_plain, heard)))
    return 100 * float(measured.wer)


def plain_words(text: str) -> list[str]:
    """The words, without what only spells differently."""
    words = _WORD.findall(text.lower().replace("’", "'").replace("-", " "))
    return [_SPELLED.get(word, word) for word in words]


def _plain(text: str) -> str:
    return " ".join(plain_words(text))
