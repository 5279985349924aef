"""Which frames a decoder is given for each piece of a sound.

A piece needs the frames around it, as far as the decoder looks. A decoder that is quick only with
lengths that it has seen gets one of a few, filled with more of the real frames: beyond the ends of
the sound every layer of the decoder has zeros of its own, which no frames would make.
"""

from __future__ import annotations

import bisect
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ("Reach", "Window", "ladder", "windows")

_GROWTH = 4
"""How much longer each piece is than the one before."""

_REST = 1.25
"""A last piece may be so much longer than another, lest a short one is left."""

_STEP = 4 / 3
_EVEN = 8


@dataclass(frozen=True)
class Reach:
    """How many frames around its own a sample depends on."""

    before: int
    """Earlier ones."""

    after: int
    """Later ones."""


@dataclass(frozen=True)
class Window:
    """One piece, in frames of the whole sound."""

    begin: int
    """First frame that the decoder gets."""

    stop: int
    """Frame after the last that it gets."""

    start: int
    """First frame that is heard."""

    end: int
    """Frame after the last that is heard."""


def ladder(reach: Reach, first: int, longest: int) -> tuple[int, ...]:
    """A few lengths of windows such that the next is at most about a third longer.

    Args:
        reach: how far the decoder looks.
        first: frames of the shortest first piece.
        longest: frames of the longest piece.
    """
    around = reach.before + reach.after
    top = _even(longest * _REST + around)
    # It must be longer than what lies around a piece, or nothing would be left of it.
    size = min(top, _even(max(first + reach.after, around + 1)))
    sizes = {top, max(size, _even(longest + around))}
    while size < top:
        sizes.add(size)
        size = _even(size * _STEP)
    return tuple(sorted(sizes))


def windows(
    count: int, first: int, longest: int, reach: Reach, sizes: Sequence[int] = ()
) -> Iterator[Window]:
    """The pieces of a sound: the first is short, the next longer and longer.

    Args:
        count: frames of the whole sound.
        first: frames of the first piece.
        longest: frames of the longest, but for a rest that would be too short by itself.
        reach: how far the decoder looks.
        sizes: the lengths of windows to choose from, rising; none if any will do. A sound shorter
            than all of them gets a window of its own length.
    """
    fitting = [size for size in sizes if size <= count]
    if sizes and not fitting and count:
        yield Window(0, count, 0, count)
        return
    start, piece = 0, min(max(1, first), max(1, longest))
    while start < count:
        begin = max(0, start - reach.before)
        wanted = start + piece + reach.after - begin
        if count - start <= _REST * piece:
            wanted = count - begin
        size = _fit(fitting, wanted) if fitting else min(wanted, count - begin)
        begin = min(begin, count - size)
        stop = begin + size
        end = count if stop == count else stop - reach.after
        yield Window(begin, stop, start, end)
        start, piece = end, min(longest, piece * _GROWTH)


def _fit(sizes: Sequence[int], wanted: int) -> int:
    """The smallest that is enough, or else the largest."""
    return sizes[min(bisect.bisect_left(sizes, wanted), len(sizes) - 1)]


def _even(frames: float) -> int:
    """The next multiple of eight; kernels work on that many at a time."""
    return math.ceil(frames / _EVEN) * _EVEN
