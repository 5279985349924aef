"""What espeak-ng may be given: texts in which no word outgrows its buffers.

espeak-ng 1.52 copies words and runs of initials into arrays of 80, 160 and 800 bytes, not always
with a look at their ends: `"U.S.A." * 41` ends the process. Its commit 17ca9c9c mends some of that
in 1.53. The rules here keep clear of what is known; `phonemiser` survives the rest.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from voicemesh_tts.graphemes import safe_cut

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("espeak_texts",)

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
    text = "".join(" " if unicodedata.category(c) in {"Cc", "Cs"} else c for c in text)
    text = _INITIALS.sub(lambda run: run.group().replace(".", " "), text)
    # Piper reads [[...]] as phonemes, which a text from outside has no business to give.
    text = text.replace("[[", "[ [")
    parts: list[str] = []
    for word in text.split():
        for piece in _pieces(word):
            if parts and _bytes(parts[-1]) + 1 + _bytes(piece) <= _TEXT_BYTES:
                parts[-1] += f" {piece}"
            else:
                parts.append(piece)
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
