"""From espeak-ng's phonemes to the symbols that Kokoro was trained on.

Those are the International Phonetic Alphabet with single letters for diphthongs and affricates,
and fewer sounds for English. The rules are those of misaki, the front end of Kokoro
(github.com/hexgrad/misaki, `espeak.py` of version 0.7), for phonemes without ties.
"""

# ruff: noqa: RUF001 - signs of the International Phonetic Alphabet and marks of other scripts

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from voicemesh_tts.engines.kokoro.languages import AMERICAN, BRITISH

if TYPE_CHECKING:
    from voicemesh_tts.engines.kokoro.languages import Language

__all__ = ("MARKS", "Sounds", "respelt")

Sounds = list[tuple[str, int]]
"""Symbols of one character each, with the index of the word that each belongs to."""

MARKS = (
    {mark: mark for mark in ';:,.!?—…"()“”'}
    | dict(zip("–«»„‟‘[]{}（）「」『』《》【】", "—“”“““()()()“”“”“”()", strict=True))
    | dict(zip("。｡、､，！？：；～〜।॥؟،؛", "..,,,!?:;——..?,;", strict=True))
    | {"¿": "", "¡": "", "・": " "}
)
"""Marks of any script, and those that Kokoro knows and reads by: pauses, questions, asides."""


def _rules(*pairs: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(old), new) for old, _, new in (pair.partition(">") for pair in pairs))


# What is longer comes first.
_ALL = _rules("c\u0327>ç", "[\u0361\u035c^-]>", "g>ɡ", "ʣ>dz", "ʤ>dʒ", "ʦ>ts", "ʧ>tʃ")
_DIPHTHONGS = ("aɪ>I", "aʊ>W", "eɪ>A", "oʊ>O", "əʊ>Q", "ɔɪ>Y")
_OTHER = _rules(*_DIPHTHONGS, "dz>ʣ", "dʒ>ʤ", "ss>S", "ts>ʦ", "tʃ>ʧ")
_ENGLISH = (
    "ʔˌ?n\u0329?>tᵊn",
    *_DIPHTHONGS,
    "dʒ>ʤ",
    "tʃ>ʧ",
    "əl(?![ˈˌ]?[aæɑɒeəɛɜiɪɨoɔuʊʌAIOQWY])>ᵊl",
    "(.)\u0329>ᵊ\\1",
    "\u0303>",
    "ʲ(?=[oəOQ])>j",
    "ʲ>",
    "ɚ>əɹ",
    "r>ɹ",
    "[xç]>k",
    "ɐ>ə",
    "ɬ>l",
    "ʔ>t",
)
_BY_LANGUAGE = {
    AMERICAN: _rules(*_ENGLISH, "e>A", "ɜːɹ?>ɜɹ", "ɪə>iə", "ː>", "o>ɔ", "ɾ>T"),
    BRITISH: _rules("eə>ɛː", *_ENGLISH, "e>A", "iə>ɪə", "o>ɔ"),
}


def respelt(sounds: Sounds, language: Language) -> Sounds:
    """The same sounds in Kokoro's symbols.

    Args:
        sounds: code points of the International Phonetic Alphabet, decomposed (NFD).
        language: whose.
    """
    for pattern, new in (*_ALL, *_BY_LANGUAGE.get(language, _OTHER)):
        sounds = _replaced(sounds, pattern, new)
    return sounds


def _replaced(sounds: Sounds, pattern: re.Pattern[str], new: str) -> Sounds:
    text = "".join(symbol for symbol, _ in sounds)
    found: Sounds = []
    done = 0
    for match in pattern.finditer(text):
        start, end = match.span()
        found += sounds[done:start]
        # A rule never reaches over a blank, so all that it rewrites is of one word.
        found += [(symbol, sounds[start][1]) for symbol in match.expand(new)]
        done = end
    return found + sounds[done:]
