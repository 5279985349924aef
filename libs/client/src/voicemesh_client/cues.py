"""Segments as subtitle cues: pieces short enough to read, with times to show them.

Two lines of at most 42 characters and at most 7 s are what subtitlers hold to (Netflix Timed Text
Style Guide, general requirements, 2024; wide characters count twice, so 21 of Chinese). Times are
those of the words where a segment has any, else the segment's time in proportion to the letters.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicemesh_client.transcripts import Segment

__all__ = ("Cue", "CueTrack")

_LINE_WIDTH = 42
_LONGEST_MS = 7_000
_SHORTEST_MS = 100
"""Of a cue whose segment says less; shorter ones are not seen."""

_PAUSE_MS = 1_500
"""A longer one inside of a segment ends a cue: what comes after it should not be read before."""

_SENTENCE_ENDS = (".", "?", "!", "…", "\u3002", "\uff1f", "\uff01")
_CLAUSE_ENDS = (",", ";", ":", "—", "\u3001", "\uff0c", "\uff1b", "\uff1a")
_CLOSERS = "\"'\u201d\u2019»)]\u300d\u300f\uff09"
_NEVER_FIRST = frozenset("\u3002\u3001\uff0c\uff1f\uff01\uff1b\uff1a\u300d\u300f\uff09")
_SEARCHED = 16
"""Characters behind the last word in which the next one is looked for."""
_JOINER = "\u200d"
_NO_COLUMN = frozenset({"Mn", "Me", "Cf"})
_TWO_COLUMNS = frozenset({"W", "F"})


@dataclass(frozen=True, slots=True)
class Cue:
    """One subtitle."""

    start_ms: int
    """When it appears, in milliseconds from the start of the recording."""

    end_ms: int
    """When it disappears; later than `start_ms`."""

    lines: tuple[str, ...]
    """One or two lines, none of them blank."""

    channel: int
    """The channel of the speaker, from 0."""


@dataclass(frozen=True, slots=True)
class _Token:
    """What no line break may divide: a word, or a piece of a very long one."""

    text: str
    start_ms: int
    end_ms: int
    space: int
    """Spaces before it, where it does not begin a line: 1, or 0 inside of a long word."""
    width: int
    """Columns that it takes."""


class CueTrack:
    """Makes cues of the segments of a recording, which are to be given in order.

    Cues of one channel come in order and never overlap, whatever the segments do. Cues of
    different channels may overlap, as people who talk at once do.
    """

    def __init__(self) -> None:
        self._free_ms: dict[int, int] = {}

    def cues(self, segment: Segment) -> Iterator[Cue]:
        """The cues of the next segment; none if it has no words."""
        for tokens in _portions(_tokens(segment)):
            start_ms = max(tokens[0].start_ms, self._free_ms.get(segment.channel, 0))
            end_ms = max(tokens[-1].end_ms, start_ms + _SHORTEST_MS)
            self._free_ms[segment.channel] = end_ms
            yield Cue(start_ms, end_ms, _lines(tokens), segment.channel)


def _portions(tokens: list[_Token]) -> Iterator[list[_Token]]:
    """The tokens cut into cues; rather at the end of a sentence or clause than in the middle."""
    start = 0
    while start < len(tokens):
        end = start + 1
        while end < len(tokens) and _is_one_cue(tokens[start : end + 1]):
            end += 1
        if end < len(tokens):
            end = _better_end(tokens, start, end)
        yield tokens[start:end]
        start = end


def _is_one_cue(tokens: list[_Token]) -> bool:
    """Whether a token more may join those before it, of which this is known."""
    if tokens[-1].start_ms - tokens[-2].end_ms > _PAUSE_MS:
        return False
    if tokens[-1].end_ms - tokens[0].start_ms > _LONGEST_MS:
        return False
    return _width_of(tokens) <= _LINE_WIDTH or _division(tokens) > 0


def _better_end(tokens: list[_Token], start: int, end: int) -> int:
    """The last end of a sentence in the second half, or of a clause in the last third."""
    full = _width_of(tokens[start:end])
    for marks, part in ((_SENTENCE_ENDS, 1 / 2), (_CLAUSE_ENDS, 2 / 3)):
        for cut in range(end, start, -1):
            if _width_of(tokens[start:cut]) < full * part:
                break
            if tokens[cut - 1].text.rstrip(_CLOSERS).endswith(marks):
                return cut
    return end


def _lines(tokens: list[_Token]) -> tuple[str, ...]:
    if _width_of(tokens) <= _LINE_WIDTH:
        return (_joined(tokens),)
    division = _division(tokens)
    return _joined(tokens[:division]), _joined(tokens[division:])


def _division(tokens: list[_Token]) -> int:
    """Where a second line begins so that both are about as long; 0 if they do not fit."""
    best, best_width = 0, _LINE_WIDTH + 1
    whole, above = _width_of(tokens), 0
    for division in range(1, len(tokens)):
        above += tokens[division - 1].width + tokens[division - 1].space
        first = above - tokens[0].space
        second = whole - first - tokens[division].space
        if max(first, second) < best_width:
            best, best_width = division, max(first, second)
    return best


def _width_of(tokens: list[_Token]) -> int:
    return sum(each.space + each.width for each in tokens) - tokens[0].space


def _joined(tokens: list[_Token]) -> str:
    return "".join(" " * each.space + each.text for each in tokens).strip(" ")


def _tokens(segment: Segment) -> list[_Token]:
    """The words of the segment's text, each with its time, in order."""
    text = " ".join(segment.text.replace("\0", "\ufffd").split())
    times = _times(segment, text)
    tokens: list[_Token] = []
    position = 0
    for word in text.split(" ") if text else ():
        for number, piece in enumerate(_pieces(word)):
            end = position + len(piece)
            space = int(number == 0)
            width = sum(map(_width, piece))
            tokens.append(_Token(piece, times[position][0], times[end - 1][1], space, width))
            position = end
        position += 1
    return tokens


def _pieces(word: str) -> Iterator[str]:
    """The word, cut if it is longer than a line or written without spaces, as Chinese is."""
    piece, width = "", 0
    for letter in word:
        wide = _width(letter)
        fits = width + wide <= _LINE_WIDTH
        # An accent stays with its letter, a joined emoji in one piece, a full stop at its word.
        belongs = not wide or (fits and (piece.endswith(_JOINER) or letter in _NEVER_FIRST))
        if piece and not belongs and (wide > 1 or not fits):
            yield piece
            piece, width = "", 0
        piece, width = piece + letter, width + wide
    yield piece


def _width(letter: str) -> int:
    """Columns that a character takes."""
    if unicodedata.category(letter) in _NO_COLUMN:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in _TWO_COLUMNS else 1


def _times(segment: Segment, text: str) -> list[tuple[int, int]]:
    """When each character of the text is said, in milliseconds, never going back.

    Words are looked for in the text one after the other. What lies between those that are found
    shares the time between them.
    """
    start_ms = _milliseconds(segment.start_s)
    end_ms = max(start_ms, _milliseconds(segment.end_s))
    times: list[tuple[int, int]] = []
    now_ms = start_ms
    for word in segment.words:
        spoken = word.text.strip()
        # Near by, so that a word that is missing is not found inside of a much later one.
        found = text.find(spoken, len(times), len(times) + len(spoken) + _SEARCHED)
        if not spoken or found < 0:
            continue
        begins_ms = min(end_ms, max(now_ms, _milliseconds(word.start_s)))
        ends_ms = min(end_ms, max(begins_ms, _milliseconds(word.end_s)))
        times.extend(_shares(now_ms, begins_ms, found - len(times)))
        times.extend(_shares(begins_ms, ends_ms, len(spoken)))
        now_ms = ends_ms
    times.extend(_shares(now_ms, end_ms, len(text) - len(times)))
    return times


def _shares(start_ms: int, end_ms: int, count: int) -> Iterator[tuple[int, int]]:
    """A time in equal shares."""
    length_ms = end_ms - start_ms
    for number in range(count):
        yield (
            start_ms + length_ms * number // count,
            start_ms + length_ms * (number + 1) // count,
        )


def _milliseconds(seconds: float) -> int:
    return max(0, round(seconds * 1000))
