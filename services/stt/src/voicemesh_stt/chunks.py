"""Where a recording may be cut into pieces for the engine: only where nobody speaks.

Pieces hold whole stretches of speech, with a margin, and are at most as long as the model can take
at once. Silence between pieces is never given to the model: it invents words there.

The plan is made while the recording is heard: it looks no further than a piece and a stretch, so
that hours of audio take no more memory than a minute, and gives the same pieces however the
recording comes in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_stt.ports import FRAME_S

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ("Chunk", "ChunkPlanner", "plan_chunks")

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


@dataclass(frozen=True)
class _Stretch:
    first: int
    end: int


class ChunkPlanner:
    """Plans one recording, frame after frame; not thread-safe.

    What it gives has all speech, in order and without overlap.
    """

    def __init__(self, *, start: float = 0.5, end: float = 0.35, first_frame: int = 0) -> None:
        """Makes a planner that has heard nothing.

        Args:
            start: probability of a voice that begins a stretch of speech.
            end: probability below which a voice has ended.
            first_frame: the number of the first frame; no piece begins before it.
        """
        self._start = start
        self._end = end
        self._probabilities: list[float] = []  # of the frames from `_kept_from` on
        self._kept_from = first_frame
        self._next = first_frame  # the frame that comes next
        self._floor = first_frame  # the end of the last piece
        self._open: int | None = None  # where the open stretch begins
        self._cut = False  # whether the open stretch is the rest of one that was too long
        self._last = first_frame  # the frame after the last voiced one
        self._group: list[_Stretch] = []  # the stretches of the next piece

    @property
    def needed_from(self) -> int:
        """The first frame that a later piece may hold; what is before it may be forgotten."""
        if self._group:
            first = self._group[0].first
        else:
            first = self._next if self._open is None else self._open
        return max(self._floor, first - _MARGIN)

    def push(self, probabilities: Sequence[float]) -> list[Chunk]:
        """The pieces that further frames complete.

        Args:
            probabilities: of a voice, for each further frame.
        """
        chunks: list[Chunk] = []
        for probability in probabilities:
            self._probabilities.append(probability)
            self._hear(probability, chunks)
            self._next += 1
            self._close_far_group(chunks)
        self._forget()
        return chunks

    def finish(self) -> list[Chunk]:
        """The pieces that are left at the end of the recording, at most two."""
        chunks: list[Chunk] = []
        self._end_stretch(chunks)
        if self._group:
            self._close_group(self._next, chunks)
        return chunks

    def _hear(self, probability: float, chunks: list[Chunk]) -> None:
        index = self._next
        if probability >= (self._start if self._open is None else self._end):
            self._open = index if self._open is None else self._open
            self._last = index + 1
            self._cut_long_stretch(chunks)
        elif self._open is not None and index - self._last >= _PAUSE:
            self._end_stretch(chunks)

    def _cut_long_stretch(self, chunks: list[Chunk]) -> None:
        """Cuts a stretch that is longer than a piece where the voice is weakest."""
        longest = _LONGEST - 2 * _MARGIN
        while self._open is not None and self._last - self._open > longest:
            window = range(self._open + longest - _CUTTING, self._open + longest)
            cut = min(window, key=self._probability)
            self._take(_Stretch(self._open, cut), chunks)
            self._open, self._cut = cut, True

    def _end_stretch(self, chunks: list[Chunk]) -> None:
        if self._open is not None and (self._cut or self._last - self._open >= _SHORTEST):
            self._take(_Stretch(self._open, self._last), chunks)
        self._open, self._cut = None, False

    def _take(self, stretch: _Stretch, chunks: list[Chunk]) -> None:
        """Adds a stretch to the next piece, or begins another one with it."""
        if self._group and (
            stretch.first - self._group[-1].end > _LONGEST_GAP
            or stretch.end - self._group[0].first + 2 * _MARGIN > _LONGEST
        ):
            self._close_group(stretch.first, chunks)
        self._group.append(stretch)

    def _close_far_group(self, chunks: list[Chunk]) -> None:
        """Ends a piece as soon as no stretch can come that is near enough to belong to it."""
        following = self._next if self._open is None else self._open
        if self._group and following - self._group[-1].end > _LONGEST_GAP:
            self._close_group(following, chunks)

    def _close_group(self, limit: int, chunks: list[Chunk]) -> None:
        last = self._group[-1].end
        first = max(self._floor, self._group[0].first - _MARGIN)
        # Half of a gap at most, so that the next piece gets a margin too.
        end = min(last + _MARGIN, max(last, (last + limit + 1) // 2), self._next)
        voiced = sum(self._probability(index) >= self._end for index in range(first, end))
        chunks.append(Chunk(first, end, voiced))
        self._floor = end
        self._group = []

    def _probability(self, index: int) -> float:
        return self._probabilities[index - self._kept_from]

    def _forget(self) -> None:
        needed = self.needed_from
        del self._probabilities[: needed - self._kept_from]
        self._kept_from = max(self._kept_from, needed)


def plan_chunks(
    probabilities: Sequence[float], *, start: float = 0.5, end: float = 0.35
) -> list[Chunk]:
    """The pieces of a recording that is there as a whole; see `ChunkPlanner`.

    Args:
        probabilities: of a voice, for each frame of the recording.
        start: probability that begins a stretch of speech.
        end: probability below which a voice has ended.
    """
    planner = ChunkPlanner(start=start, end=end)
    return planner.push(probabilities) + planner.finish()
