"""Where a recording may be cut into pieces for the engine: only where nobody speaks.

Pieces hold whole stretches of speech, with a margin, and are at most as long as the model can take
at once. Silence between pieces is never given to the model: it invents words there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_stt.turns import FRAME_S

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("Chunk", "plan_chunks")

_PAUSE = round(0.25 / FRAME_S)
"""Silent frames that end a stretch of speech."""
_MARGIN = round(0.3 / FRAME_S)
"""Frames kept before and after a stretch."""
_SHORTEST = 3
"""Voiced frames that make a stretch; less is a click."""
_LONGEST_GAP = round(2.0 / FRAME_S)
"""Silent frames that a piece may hold between two stretches."""
_LONGEST = int(28.0 / FRAME_S)
"""Frames of a piece: the model's 30 s, less some for what it says about their end."""
_CUTTING = round(6.0 / FRAME_S)
"""How far from its end a stretch that is too long is searched for its quietest place."""


@dataclass(frozen=True)
class Chunk:
    """A piece of a recording, in frames of 32 ms."""

    first_frame: int
    """Where it begins."""
    end_frame: int
    """The frame after its last."""
    voiced_frames: int
    """How many of its frames are voiced."""


@dataclass
class _Stretch:
    first: int
    end: int


def plan_chunks(
    probabilities: Sequence[float], *, start: float = 0.5, end: float = 0.35
) -> list[Chunk]:
    """Pieces that hold all speech, in order and without overlap; none if nobody speaks.

    Args:
        probabilities: of a voice, for each frame of the recording.
        start: probability that begins a stretch of speech.
        end: probability below which a voice has ended.
    """
    voiced = [probability >= end for probability in probabilities]
    chunks: list[Chunk] = []
    group: list[_Stretch] = []
    for stretch in _split(_stretches(probabilities, start, end), probabilities):
        if group and (
            stretch.first - group[-1].end > _LONGEST_GAP
            or stretch.end - group[0].first + 2 * _MARGIN > _LONGEST
        ):
            chunks.append(_chunk(group, chunks, stretch.first, voiced))
            group = []
        group.append(stretch)
    if group:
        chunks.append(_chunk(group, chunks, len(probabilities), voiced))
    return chunks


def _stretches(probabilities: Sequence[float], start: float, end: float) -> list[_Stretch]:
    found: list[_Stretch] = []
    first: int | None = None
    last = 0  # the frame after the last voiced one
    for index, probability in enumerate(probabilities):
        if probability >= (start if first is None else end):
            first = index if first is None else first
            last = index + 1
        elif first is not None and index - last >= _PAUSE:
            found.append(_Stretch(first, last))
            first = None
    if first is not None:
        found.append(_Stretch(first, last))
    return [stretch for stretch in found if stretch.end - stretch.first >= _SHORTEST]


def _split(stretches: list[_Stretch], probabilities: Sequence[float]) -> list[_Stretch]:
    """The stretches, those longer than a piece cut where the voice is weakest."""
    longest = _LONGEST - 2 * _MARGIN
    parts: list[_Stretch] = []
    for stretch in stretches:
        first = stretch.first
        while stretch.end - first > longest:
            window = range(first + longest - _CUTTING, first + longest)
            cut = min(window, key=lambda index: probabilities[index])
            parts.append(_Stretch(first, cut))
            first = cut
        parts.append(_Stretch(first, stretch.end))
    return parts


def _chunk(group: list[_Stretch], before: list[Chunk], limit: int, voiced: Sequence[bool]) -> Chunk:
    floor = before[-1].end_frame if before else 0
    first = max(floor, group[0].first - _MARGIN)
    # Half of a gap at most, so that the next piece gets a margin too.
    end = min(group[-1].end + _MARGIN, max(group[-1].end, (group[-1].end + limit + 1) // 2))
    end = min(end, len(voiced))
    return Chunk(first, end, sum(voiced[first:end]))
