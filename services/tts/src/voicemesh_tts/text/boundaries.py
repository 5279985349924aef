"""What stands at one place of a text: the end of a sentence, a pause, or neither.

Decides from the characters before the place and a few after it. Where those have not arrived
yet the answer is `UNDECIDED`, so that a text cut into pieces anywhere is judged as the whole is.
"""

# ruff: noqa: RUF001 - words and marks of other scripts
from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

__all__ = ("Boundary", "Break", "boundary_at", "ends_in_abbreviation")

LOOKAHEAD = 64
"""Characters after a place that may be asked for; a longer run of blanks ends nothing."""

# Of India, Khmer, Burmese and Tibetan, which like those of China need no blank after them.
_WIDE_STOPS = frozenset("。！？｡．।॥\u17d4\u17d5\u104b\u0f0d\u0f0e")
# Arabic, Urdu, Armenian, Ethiopic, Hebrew, Mongolian.
_STOPS = _WIDE_STOPS | frozenset(".!?…؟።፧\u06d4\u0589\u05c3\u1803")
_WIDE_PAUSES = frozenset("、，；：､—\u104a")
_PAUSES = frozenset(",;:،؛፣፤፥·\u1802\u0387")
_DASHES = frozenset("-–")
_BLANKLESS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
"""Thai, Lao, Burmese and Khmer, where a blank ends a phrase or a sentence."""

_GREEK = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_CLOSERS = frozenset("\"'”’»\u203a)]}*_~`」』\uff09】》〉")
_BLOCK_STARTS = frozenset("-*+•#>|`\n")

_TITLES = "mr mrs ms sr mx dr prof rev hon st mt gen col capt lt sgt sen rep gov messrs mme mlle"
_PHRASES = "e.g i.e eg ie vs cf viz al approx ca dept est ext tel min max avg resp incl aka misc"
# Other languages follow.
_FOREIGN = (
    "z.b d.h u.a o.ä i.d.r z.t bzw ca evtl ggf inkl exkl vgl sog nr hr fr bd abs "  # de
    "mm env p.ex sra srta sres dra ud uds núm pág p.ej aprox "  # fr, es
    "sig dott pag p.es sr.ª dhr mevr mw bijv bv d.w.z m.a.w o.a i.p.v t.o.v "  # it, nl
    "t.ex bl.a f.eks kl m.in np tzn tzw godz ul т.е т.к напр ул тыс"  # sv, da, pl, ru
)
# English again.
_NEVER = frozenset(f"{_TITLES} {_PHRASES} {_FOREIGN}".split())
"""Abbreviations after which a sentence goes on."""

_PLACES = "etc a.m p.m am pm inc ltd co corp jr bros u.s u.k u.n e.u d.c ph.d b.c a.d"
_DATES = "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thurs fri sat sun"
# Other languages follow.
_LASTS = "usw ecc enz osv o.s.v itd itp т.д т.п др"
# English again.
_PERHAPS = frozenset(f"{_PLACES} {_DATES} {_LASTS}".split())
"""Abbreviations that end a sentence if a capital follows."""

_COUNTED = "no nr nos fig figs vol pp p ch sec eq art par"
_BEFORE_NUMBERS = frozenset(_COUNTED.split())
"""Abbreviations only if a number follows."""

_TOKEN = re.compile(r"[^\s\"'“”\u2018’«»()\[\]{}*_~`—/]+$")
# Other languages follow.
_GERMAN_MONTHS = (
    "januar februar märz april mai juni juli august september oktober november dezember "
    "jänner jan feb mär apr jun jul aug sep okt nov dez"
)
_GERMAN_NOUNS = (
    "jahrhundert jahrhunderts klasse platz stock stockwerk etage weltkrieg semester liga kapitel "
    "geburtstag quartal mal runde"
)
_AFTER_ORDINALS = frozenset(f"{_GERMAN_MONTHS} {_GERMAN_NOUNS}".split())
# English again.
"""What follows an ordinal with a full stop in German; elsewhere it is in small letters."""

_EXAMPLE = re.compile(r"\bp\.\s?e[xjs]$")
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

    def whole_word_after(self, index: int) -> str:
        """The letters of the first word from `index` on."""
        while self[index].isspace():
            index += 1
        start = index
        while self[index].isalpha():
            index += 1
        return self._text[start:index]


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
        if character in _DASHES:
            return _at_dash(text, place)
        if character == " " and place and _BLANKLESS.match(text[place - 1]):
            after = _Ahead(text, place).word_after(place)
            return Boundary(Break.SENTENCE, place) if _BLANKLESS.match(after) else _NONE
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
    if text[place] in _WIDE_PAUSES:
        return Boundary(Break.PAUSE, end)
    if not ahead[end].isspace():
        return _NONE
    # The Greek question mark looks like a semicolon and is mostly typed as one.
    question = text[place] == ";" and place and _GREEK.match(text[place - 1])
    return Boundary(Break.SENTENCE if question else Break.PAUSE, end)


def _at_dash(text: str, place: int) -> Boundary:
    """A dash between blanks, unless it is a minus or makes a range."""
    ahead = _Ahead(text, place)
    if not place or not text[place - 1].isspace() or not ahead[place + 1].isspace():
        return _NONE
    if ahead.word_after(place + 1).isdigit() or not text[:place].strip():
        return _NONE
    return Boundary(Break.PAUSE, place + 1)


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
    if lower.isdigit() and len(lower) <= 2:
        # An ordinal, as before the name of a month.
        word = ahead.whole_word_after(end)
        return word[:1].islower() or word.lower() in _AFTER_ORDINALS
    if len(lower) == 1 and lower.isalpha() and _is_initial(ahead, end):
        return True  # "z. B."
    if len(token) == 1 and token.islower() and ahead.word_after(end).islower():
        return True  # "p. ex."
    if _EXAMPLE.search(text[:place]):
        return True
    if lower in _BEFORE_NUMBERS:
        return ahead.word_after(end).isdigit()
    if lower in _PERHAPS:
        return not ahead.word_after(end).isupper()
    # An initial: "J. Smith". "I" is mostly a word.
    return len(lower) == 1 and token.isupper() and lower != "i"


def _is_initial(ahead: _Ahead, index: int) -> bool:
    """Whether another single letter with a full stop follows."""
    while ahead[index].isspace():
        index += 1
    return ahead[index].isalpha() and ahead[index + 1] == "."


def _token(text: str) -> str:
    found = _TOKEN.search(text[-LOOKAHEAD:])
    return found.group() if found else ""
