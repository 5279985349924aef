"""What espeak-ng may be given: texts in which no word outgrows its buffers.

espeak-ng 1.52 copies words and runs of initials into arrays of 80, 160 and 800 bytes, not always
with a look at their ends: `"U.S.A." * 41` ends the process. Its commit 17ca9c9c mends some of that
in 1.53. The rules here keep clear of what is known; `phonemiser` survives the rest.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from voicemesh_tts.text.graphemes import safe_cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ("espeak_texts", "espeak_words")

_WORD_CHARS = 64
"""Longest word in characters; the longest German compound in use has 63."""

_WORD_BYTES = 120
"""Longest word in bytes of UTF-8: 40 characters of Chinese or Thai, 30 of what needs four."""

_TEXT_BYTES = 400
"""Longest text in bytes; in its buffer of 800, espeak writes blanks and marks between words."""

_INITIALS = re.compile(r"(?<!\w)\w(?:\W{1,3}\w(?!\w)){9,}")
"""Ten single letters or more; no abbreviation that people write is as long."""


def espeak_texts(text: str) -> list[str]:
    """The text in parts to be given one after another; usually one, none if it is blank."""
    return [" ".join(piece for piece, _ in part) for part in espeak_words([text])]


def espeak_words(words: Sequence[str]) -> list[list[tuple[str, int]]]:
    """The same of a text in words.

    Returns:
        The parts, each of them pieces without blanks, and of each piece the index of its word.
    """
    # Every rule keeps the number of characters, so that the line ends stay between the words.
    text = "\n".join(
        "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in word)
        for word in words
    )
    text = _INITIALS.sub(lambda run: run.group().replace(".", " "), text)
    # espeak and Piper read [[...]] as phonemes, which a text from outside has no business to give.
    text = re.sub(r"\[(?=\[)", " ", text)
    parts: list[list[tuple[str, int]]] = []
    size = 0
    for index, word in enumerate(text.split("\n")):
        for piece in (piece for run in word.split() for piece in _pieces(run)):
            added = 1 + _bytes(piece)
            if not parts or size + added > _TEXT_BYTES:
                parts.append([])
                size = -1
            parts[-1].append((piece, index))
            size += added
    return parts


def _pieces(word: str) -> Iterator[str]:
    while len(word) > _WORD_CHARS or _bytes(word) > _WORD_BYTES:
        cut = _cut(word)
        yield word[:cut]
        word = word[cut:]
    yield word


def _cut(word: str) -> int:
    """Behind the last mark of the half before the limit, or else between two letters."""
    limit = min(_WORD_CHARS, len(word) - 1)
    while _bytes(word[:limit]) > _WORD_BYTES:
        limit -= 1
    for place in range(limit, limit // 2, -1):
        if not word[place - 1].isalnum() and safe_cut(word, place) == place:
            return place
    return safe_cut(word, limit)


def _bytes(text: str) -> int:
    return len(text.encode())
