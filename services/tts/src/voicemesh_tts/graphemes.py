"""Where a text may be cut without tearing what a reader sees as one character.

A short form of the rules of Unicode Standard Annex 29 (GB3 to GB13): enough to keep accents, emoji
sequences, flags, Hangul syllables and line ends whole.
"""

from __future__ import annotations

import unicodedata

__all__ = ("safe_cut",)

_ZERO_WIDTH_JOINER = "\u200d"
# Marks pile up without limit in "zalgo" text; no letter that people read has more than this.
_LONGEST = 32


def _joins_before(character: str) -> bool:
    """Whether the character belongs to the one before it."""
    return (
        unicodedata.category(character) in {"Mn", "Me", "Mc"}
        or character == _ZERO_WIDTH_JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
        or "\U000e0020" <= character <= "\U000e007f"  # tags of subdivision flags
        or "\u1160" <= character <= "\u11ff"  # Hangul vowels and finals
    )


def _is_regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _tears(text: str, index: int) -> bool:
    before, after = text[index - 1], text[index]
    if before == "\r" and after == "\n":
        return True
    if before == _ZERO_WIDTH_JOINER or _joins_before(after):
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
