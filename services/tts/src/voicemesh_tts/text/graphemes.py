"""Where a text may be cut without tearing what a reader sees as one character.

The rules of Unicode Standard Annex 29 (GB3 to GB13) on the safe side: where they need tables that
Python does not have, two characters stay together that might be parted, such as Indic consonants
on both sides of a virama.
"""

from __future__ import annotations

import unicodedata

__all__ = ("safe_cut",)

_ZERO_WIDTH_JOINER = "\u200d"
_VIRAMA = 9
"""Canonical combining class of the marks that bind consonants together."""

# Marks pile up without limit in "zalgo" text; no letter that people read has more than this.
_LONGEST = 32
_PREPENDED = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\u0d4e")
_SPACING = frozenset("\u0e33\u0eb3\uff9e\uff9f")
"""Letters that belong to the one before: Thai and Lao AM, marks of half-width kana."""


def _joins_before(character: str) -> bool:
    """Whether the character belongs to the one before it."""
    return (
        unicodedata.category(character) in {"Mn", "Me", "Mc"}
        or character in "\u200c\u200d"
        or character in _SPACING
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags of subdivision flags
        or "\u1160" <= character <= "\u11ff"  # Hangul vowels and finals
        or "\ud7b0" <= character <= "\ud7fb"  # the same, of old texts
    )


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_lead(character: str) -> bool:
    return "\u1100" <= character <= "\u115f" or "\ua960" <= character <= "\ua97c"


def _tears(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if before == "\r" and after == "\n":
        return True
    if before == _ZERO_WIDTH_JOINER or before in _PREPENDED or _joins_before(after):
        return True
    if unicodedata.combining(before) == _VIRAMA and after.isalpha():
        return True
    if _is_lead(before) and (_is_lead(after) or "\uac00" <= after <= "\ud7a3"):
        return True
    if _is_regional(before) and _is_regional(after):
        run = 0
        while run < min(index, 2 * _LONGEST) and _is_regional(text[index - 1 - run]):
            run += 1
        return run % 2 == 1
    return False


def safe_cut(text: str, index: int) -> int:
    """The last place at or before `index` where the text may be cut; at least 1.

    Args:
        text: the text, longer than `index`.
        index: the place wished for; characters before it stay in front.
    """
    for place in range(index, max(0, index - _LONGEST), -1):
        if not _tears(text, place):
            return place
    return max(1, index)
