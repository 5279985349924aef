"""When two questions are the same. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata

__all__ = ("normalised", "question_key", "words_of")

_LONGEST = 16_000
_SIGN = re.compile(r"[-+*/^<>=~|#%$]|(?<=\d)[.,](?=\d)|[^\w\s\x00-\x7f]")
_SIGNS = {
    "+": "plus",
    "-": "minus",
    "*": "times",
    "\u00d7": "times",
    "/": "divided by",
    "\u00f7": "divided by",
    "^": "to the power of",
    "<": "less than",
    ">": "greater than",
    "=": "equals",
    "~": "about",
    "|": "or",
    "#": "sharp",
    "%": " percent",
    ".": "point",
    ",": "point",
}
_ARITHMETIC = frozenset("+-*/^")
"""Signs between two quantities; anywhere else they are marks (*this*, and/or, x-ray)."""
_QUANTITIES = frozenset({"number", "letter"})
_MOST_BLANKS = 3
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
    folded = _SIGN.sub(_spelled, folded.replace("\u2212", "-"))
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
    """A sign as a word if it changes the meaning: C and C++, 5 - 3 and 5 + 3, $5 and \u20ac5."""
    sign, text = match.group(), match.string
    before, after = _operand(text, match.start(), -1), _operand(text, match.end() - 1, 1)
    word = _SIGNS.get(sign, "")
    if sign in "%#.,":
        return word
    if sign in _ARITHMETIC and _QUANTITIES.issuperset((before, after)):
        return f" {word} "
    if sign == "-":
        signs_number = text[match.end() : match.end() + 1].isdigit() and not _is_word(text, match)
        return word if signs_number else sign
    if sign == "+":
        return (
            word
            if _is_word(text, match) or text[match.start() - 1 : match.start()] == "+"
            else sign
        )
    if sign in "<>=~|":
        return f" {word} " if (before and after) or after == "number" else sign
    if unicodedata.category(sign) == "Sc" or (unicodedata.category(sign) == "Sm" and sign > "\x7f"):
        return f" {word or _letters(unicodedata.name(sign, sign))} "
    return sign


def _is_word(text: str, match: re.Match[str]) -> bool:
    return match.start() > 0 and (text[match.start() - 1].isalnum())


def _operand(text: str, place: int, step: int) -> str:
    """What stands beside a sign, with a few blanks between at most: "" if it is another sign."""
    for at in range(place + step, place + step * (_MOST_BLANKS + 2), step):
        if not 0 <= at < len(text):
            return ""
        if text[at].isdigit():
            return "number"
        if text[at].isalpha():
            further = text[at + step : at + step + 1] if at + step >= 0 else ""
            return "word" if further.isalnum() else "letter"
        if not text[at].isspace():
            return ""
    return ""


def _letters(name: str) -> str:
    return "".join(filter(str.isalpha, name.casefold()))
