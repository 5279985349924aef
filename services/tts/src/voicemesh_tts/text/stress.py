"""Where the International Phonetic Alphabet's signs of stress stand."""

# ruff: noqa: RUF001, RUF002 - signs of the alphabet
from __future__ import annotations

import re

__all__ = ("stress_before_vowels",)

_VOWELS = "aeiouyæɐɑɒɔøœɶəɘɚɛɜɝɞɤɨɪɩɯɵʉʊʌᵻ"
_ONSET = re.compile(rf"([ˈˌ'])([^\s\-|‖.ˈˌ'{_VOWELS}]+)(?=[{_VOWELS}])")


def stress_before_vowels(phonemes: str) -> str:
    """The phonemes with each sign of stress right before the vowel of its syllable.

    People and dictionaries mark the beginning of a stressed syllable, "ˈstrɛŋθ"; espeak-ng, and so
    every voice that learnt from its phonemes, marks the vowel, "strˈɛŋθ". What has its signs there
    already, or no vowel behind them, stays as it is.
    """
    return _ONSET.sub(r"\2\1", phonemes)
