"""What stands at one place of a text: the end of a sentence, a pause, or neither.

Decides from the characters before the place and a few after it. Where those have not arrived
yet the answer is `UNDECIDED`, so that a text cut into pieces anywhere is judged as the whole is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

__all__ = ("Boundary", "Break", "boundary_at", "ends_in_abbreviation")

LOOKAHEAD = 64
"""Characters after a place that may be asked for; a longer run of blanks ends nothing."""

_STOPS = frozenset(".!?…。！？｡؟।॥።\u06d4\u0589")
_WIDE_STOPS = frozenset("。！？｡")
_PAUSES = frozenset(",;:،؛፣")
_WIDE_PAUSES = frozenset("、，；：—")
_CLOSERS = frozenset("\"'”’»\u203a)]}*_~`」』\uff09】》〉")
_BLOCK_STARTS = frozenset("-*+•#>|`\n")

_TITLES = "mr mrs ms mx dr prof rev hon st mt gen col capt lt sgt sen rep gov messrs mme mlle"
_PHRASES = "e.g i.e eg ie vs cf viz al approx ca dept est ext tel min max avg resp incl aka misc"
_NEVER = frozenset(f"{_TITLES} {_PHRASES}".split())
"""Abbreviations after which a sentence goes on."""

_PLACES = "etc a.m p.m am pm inc ltd co corp jr sr bros u.s u.k u.n e.u d.c ph.d b.c a.d"
_DATES = "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun"
_PERHAPS = frozenset(f"{_PLACES} {_DATES}".split())
"""Abbreviations that end a sentence if a capital follows."""

_COUNTED = "no nr nos fig figs vol pp p ch sec eq art par"
_BEFORE_NUMBERS = frozenset(_COUNTED.split())
"""Abbreviations only if a number follows."""

_TOKEN = re.compile(r"[^\s\"'“”\u2018’«»()\[\]{}*_~`—/]+$")
_LINE_NUMBER = re.compile(r"(?:^|\n)[ \t]*\d{1,3}$")


class Break(Enum):
    """How strongly a text is divided at a place."""

    NONE = auto()
    PAUSE = auto()
    SENTENCE = auto()
    UNDECIDED = auto()


@dataclass(frozen=True)
class Boundary:
    """The judgement on one place."""

    kind: Break
    """How strongly the text is divided."""

    end: int = 0
    """Where what stands before ends: after the mark and the quotes and brackets that close."""


_NONE = Boundary(Break.NONE)
_UNDECIDED = Boundary(Break.UNDECIDED)


class _NotArrivedError(Exception):
    """A character is needed that has not been sent yet."""


class _Ahead:
    """The characters from one place on, as far as they are there."""

    def __init__(self, text: str, place: int) -> None:
        self._text = text
        self._limit = place + LOOKAHEAD

    def __getitem__(self, index: int) -> str:
        if index >= self._limit:
            return "\0"
        if index >= len(self._text):
            raise _NotArrivedError
        return self._text[index]

    def past(self, index: int, characters: frozenset[str]) -> int:
        """The first place from `index` on that has none of the characters."""
        while self[index] in characters:
            index += 1
        return index

    def word_after(self, index: int) -> str:
        """The first character from `index` on that is not blank."""
        while self[index].isspace():
            index += 1
        return self[index]


def boundary_at(text: str, place: int) -> Boundary:
    """What stands at `text[place]`, given what has arrived of the text."""
    character = text[place]
    try:
        if character == "\n":
            return _at_line_end(_Ahead(text, place), place)
        if character in _STOPS:
            return _at_stop(text, place)
        if character in _PAUSES or character in _WIDE_PAUSES:
            return _at_pause(text, place)
    except _NotArrivedError:
        return _UNDECIDED
    return _NONE


def ends_in_abbreviation(text: str) -> bool:
    """Whether the text ends in a word that the next one belongs to, such as a title."""
    return text.endswith(".") and _token(text[:-1]).lower() in _NEVER


def _at_line_end(ahead: _Ahead, place: int) -> Boundary:
    index = ahead.past(place + 1, frozenset(" \t\r"))
    if ahead[index] in _BLOCK_STARTS:
        return Boundary(Break.SENTENCE, place)
    digits = ahead.past(index, frozenset("0123456789"))
    if digits > index and ahead[digits] in ".)" and ahead[digits + 1].isspace():
        return Boundary(Break.SENTENCE, place)
    return _NONE


def _at_pause(text: str, place: int) -> Boundary:
    ahead = _Ahead(text, place)
    end = ahead.past(place + 1, _CLOSERS)
    if text[place] in _WIDE_PAUSES or ahead[end].isspace():
        return Boundary(Break.PAUSE, end)
    return _NONE


def _at_stop(text: str, place: int) -> Boundary:
    ahead = _Ahead(text, place)
    if ahead[place + 1] in _STOPS:
        return _NONE  # the last mark of a run speaks for all
    end = ahead.past(place + 1, _CLOSERS)
    if text[place] in _WIDE_STOPS:
        return Boundary(Break.SENTENCE, end)
    if not ahead[end].isspace():
        return _NONE  # a decimal, a time, an address, a version
    if text[place] in ".…" and _goes_on(text, place, ahead, end):
        return _NONE
    if end > place + 1 and ahead.word_after(end).islower():
        return _NONE  # "Really?" she said
    return Boundary(Break.SENTENCE, end)


def _goes_on(text: str, place: int, ahead: _Ahead, end: int) -> bool:
    """Whether the sentence goes on after this full stop, followed by a blank."""
    if text[place] == "…" or text[place - 1 : place] in (".", "…"):
        return ahead.word_after(end).islower()
    token = _token(text[:place])
    lower = token.lower()
    if lower in _NEVER or _LINE_NUMBER.search(text[:place]):
        return True
    if lower in _BEFORE_NUMBERS:
        return ahead.word_after(end).isdigit()
    if lower in _PERHAPS:
        return not ahead.word_after(end).isupper()
    # An initial: "J. Smith". "I" is mostly a word.
    return len(lower) == 1 and token.isupper() and lower != "i"


def _token(text: str) -> str:
    found = _TOKEN.search(text[-LOOKAHEAD:])
    return found.group() if found else ""
