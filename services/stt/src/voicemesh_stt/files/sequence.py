"""The segments of several channels in the one order of time, as the words come in."""

from __future__ import annotations

import heapq
from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_stt.domain import Segment
    from voicemesh_stt.scribe import Piece

__all__ = ("Sequencer",)


class Sequencer:
    """Holds segments back until nothing earlier can come. Pure and single-threaded."""

    def __init__(self) -> None:
        self._done_s: list[float] = []  # of each channel: where a piece not cut yet may begin
        self._awaited: dict[Piece, float] = {}  # pieces without words yet, and their beginnings
        self._ready: list[tuple[float, int, Segment]] = []
        self._number = count()

    @property
    def awaited(self) -> int:
        """Pieces whose words have not come."""
        return len(self._awaited)

    @property
    def done_s(self) -> float:
        """The time up to which all words are known, in seconds."""
        return min([*self._done_s, *self._awaited.values()], default=0.0)

    def expect(self, piece: Piece) -> None:
        """A piece was cut; its words will come."""
        self._awaited[piece] = piece.start_s

    def advance(self, done_s: Sequence[float]) -> None:
        """Pieces that are still to be cut begin at these times or later, by channel."""
        self._done_s = list(done_s)

    def heard(self, piece: Piece, segments: Sequence[Segment]) -> None:
        """The words of a piece have come."""
        del self._awaited[piece]
        for segment in segments:
            heapq.heappush(self._ready, (segment.start_s, next(self._number), segment))

    def take(self) -> list[Segment]:
        """The segments that nothing can precede any more, in order of time; each only once."""
        done_s = self.done_s
        taken: list[Segment] = []
        while self._ready and self._ready[0][0] <= done_s:
            taken.append(heapq.heappop(self._ready)[2])
        return taken
