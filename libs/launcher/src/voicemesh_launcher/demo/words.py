"""How far two texts are apart, word by word, whatever way they are written.

The rules are those English rules of Whisper's own text normaliser (appendix C of
https://arxiv.org/abs/2212.04356) that a short spoken answer needs: case, punctuation, hyphens,
contractions, titles, and numbers, which one side writes as words and the other in digits.
"""

from __future__ import annotations

import re
from functools import cache

import inflect
import jiwer

__all__ = ("spoken_form", "word_error_rate")

_TITLES = {"mr": "mister", "mrs": "missus", "dr": "doctor", "st": "saint", "vs": "versus"}
_SIGNS = {"%": " percent ", "&": " and ", "+": " plus ", "=": " equals ", "°": " degrees "}
_CONTRACTIONS = (
    (re.compile(r"\bwon't\b"), "will not"),
    (re.compile(r"\bcan't\b"), "can not"),
    (re.compile(r"\bcannot\b"), "can not"),
    (re.compile(r"\blet's\b"), "let us"),
    (re.compile(r"n't\b"), " not"),
    (re.compile(r"'re\b"), " are"),
    (re.compile(r"'ve\b"), " have"),
    (re.compile(r"'ll\b"), " will"),
    (re.compile(r"'m\b"), " am"),
    (re.compile(r"\b(it|he|she|that|what|there|who|where|how)'s\b"), r"\1 is"),
)
_MONEY = re.compile(r"\$(\d[\d,]*(?:\.\d+)?)")
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:st|nd|rd|th)?\b")
_YEAR = re.compile(r"(1[1-9]|20)(\d\d)")
_NOT_WORDS = re.compile(r"[^a-z0-9' ]+")


def word_error_rate(reference: str, hypothesis: str) -> float:
    """Words that must be changed to turn one text into the other, as a share of the first's.

    0 is equality; it may exceed 1. A reference without words gives 0 or 1.
    """
    expected, found = spoken_form(reference), spoken_form(hypothesis)
    if not expected:
        return 1.0 if found else 0.0
    return float(jiwer.wer(expected, found))


def spoken_form(text: str) -> str:
    """The text as a person would say it: lower-case words with single spaces."""
    text = text.lower().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    for pattern, full in _CONTRACTIONS:
        text = pattern.sub(full, text)
    text = _MONEY.sub(r"\1 dollars", text)
    for sign, word in _SIGNS.items():
        text = text.replace(sign, word)
    text = _NUMBER.sub(_number_in_words, text)
    words = _NOT_WORDS.sub(" ", text).replace("'", "").split()
    return " ".join(_TITLES.get(word, word) for word in words)


def _number_in_words(match: re.Match[str]) -> str:
    number = match.group().replace(",", "")
    year = _YEAR.fullmatch(number)
    if year is not None and "," not in match.group() and int(number) % 1000 >= 10:
        # As a year is said: nineteen sixty-one, twenty twenty-four, nineteen hundred.
        return f" {_cardinal(year[1])} {_cardinal(year[2]) if year[2] != '00' else 'hundred'} "
    return f" {_cardinal(number)} "


def _cardinal(number: str) -> str:
    return str(_engine().number_to_words(number, andword="", comma=""))


@cache
def _engine() -> inflect.engine:
    return inflect.engine()
