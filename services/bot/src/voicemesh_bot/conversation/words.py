"""Words of a transcript, as far as they matter for comparing: no case, no punctuation."""

from __future__ import annotations

import re
import unicodedata

__all__ = ("contains_words", "same_words", "words_of")

_NOT_A_WORD = re.compile(r"[^\w]+")
_NOT_SPOKEN = re.compile(r"\[[^\]]*\]|\([^)]*\)|\*[^*]*\*")
"""What speech recognition writes for sounds that are not speech: `[BLANK_AUDIO]`, `(coughs)`."""


def words_of(text: str) -> tuple[str, ...]:
    """The words that were said, without what stands in brackets for a noise."""
    plain = unicodedata.normalize("NFKC", _NOT_SPOKEN.sub(" ", text)).casefold()
    plain = plain.replace("'", "").replace("’", "")
    return tuple(_NOT_A_WORD.sub(" ", plain).split())


def same_words(first: str, second: str) -> bool:
    """Whether two transcripts say the same, case, punctuation and spacing aside."""
    return words_of(first) == words_of(second)


def contains_words(text: str, words: tuple[str, ...]) -> bool:
    """Whether the words stand in a text next to each other and in this order."""
    return f" {' '.join(words)} " in f" {' '.join(words_of(text))} "
