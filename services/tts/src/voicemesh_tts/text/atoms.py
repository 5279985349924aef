"""What a text must not be cut within: links, addresses, tags, marks of Discord, code in a line.

Cut there, the first half would be read with brackets and the second as if it were words.
"""

from __future__ import annotations

import re

__all__ = ("atom_end",)

_TAG_CHARS = 300
_LINK_TEXT_CHARS = 200
_CODE_CHARS = 200
_ADDRESS_CHARS = 2_000
"""Longest of each kind; what is longer is text like any other."""

_TAG_STARTS = frozenset("/@#:!")
_SCHEMES = ("https://", "http://")
_TARGET = re.compile(r"\((?:[^()\s]|\([^()\s]*\))*(?:\s+\"[^\"\n]*\")?\)")
_CLOSERS = ".,;:!?)]}'\"*_~»”’"


def atom_end(text: str, place: int, *, final: bool) -> int | None:
    """Where the thing ends that begins at `place`; `place` if there is none, None if not known yet.

    Args:
        text: what has arrived.
        place: a place in it.
        final: whether no more will arrive.
    """
    match text[place]:
        case "<":
            end = _tag(text, place)
        case "[":
            end = _link(text, place)
        case "`":
            end = _code(text, place)
        case "h":
            end = _address(text, place, final=final)
        case _:
            return place
    return place if end is None and final else end


def _tag(text: str, place: int) -> int | None:
    if place + 1 >= len(text):
        return None
    first = text[place + 1]
    if not (first in _TAG_STARTS or (first.isascii() and first.isalpha())):
        return place
    return _closed(text, place + 1, ">", _TAG_CHARS, "<", place)


def _code(text: str, place: int) -> int | None:
    if place + 1 >= len(text):
        return None
    if text[place + 1] == "`" or text[place - 1 : place] == "`":
        return place
    return _closed(text, place + 1, "`", _CODE_CHARS, "", place)


def _link(text: str, place: int) -> int | None:
    middle = _closed(text, place + 1, "]", _LINK_TEXT_CHARS, "[", place)
    if middle is None or middle == place:
        return middle
    if middle >= len(text):
        return None
    if text[middle] != "(":
        return place
    target = _TARGET.match(text, middle, middle + _ADDRESS_CHARS)
    if target:
        return target.end()
    blank = re.compile(r"\s").search(text, middle, middle + _ADDRESS_CHARS)
    # With a blank and no title after it, it is no link; the title may still be on its way.
    over = len(text) >= middle + _ADDRESS_CHARS
    titled = blank is not None and re.match(r"\s+(?:\"|$)", text[blank.start() :])
    return place if over or (blank is not None and not titled) else None


def _address(text: str, place: int, *, final: bool) -> int | None:
    if place and text[place - 1].isalnum():
        return place
    if not text.startswith(_SCHEMES, place):
        rest = text[place : place + len(_SCHEMES[0])]
        partial = any(scheme.startswith(rest) for scheme in _SCHEMES)
        return None if partial and place + len(rest) == len(text) else place
    end = place
    limit = min(len(text), place + _ADDRESS_CHARS)
    while end < limit and not text[end].isspace() and text[end] not in "<>":
        end += 1
    if end == len(text) and not final and end < place + _ADDRESS_CHARS:
        return None
    # Marks at its end are the sentence's.
    while end > place + 1 and text[end - 1] in _CLOSERS:
        end -= 1
    return end


def _closed(text: str, start: int, mark: str, chars: int, never: str, place: int) -> int | None:
    """The place after a mark in the same line; `place` if it does not come, None if it may."""
    for index in range(start, min(len(text), start + chars)):
        character = text[index]
        if character == mark:
            return index + 1
        if character == "\n" or (character and character == never):
            return place
    return None if len(text) < start + chars else place
