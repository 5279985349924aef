"""A channel of a file to the pieces of it in which somebody speaks, as it comes.

Keeps the audio that a later piece may hold, which is less than a minute, and forgets the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from voicemesh_stt.chunks import ChunkPlanner
from voicemesh_stt.ports import FRAME_S, FRAME_SAMPLES
from voicemesh_stt.scribe import Piece

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_stt.chunks import Chunk
    from voicemesh_stt.ports import Samples, VoiceDetector

__all__ = ("WARM_FRAMES", "Cutter", "TailFilter")

WARM_FRAMES = 62
"""Frames, 2 s of them, that a voice detector hears before those that matter."""
_TAIL = 10
"""Frames, 0.3 s of them, that the end of a word may reach over a resume offset."""
_START, _END = 0.5, 0.35


class Cutter:
    """Cuts one channel; not thread-safe."""

    def __init__(
        self, detector: VoiceDetector, *, channel: int, heard_from: int, first_frame: int
    ) -> None:
        """Makes a cutter that has heard nothing.

        Args:
            detector: finds voices; new.
            channel: the number of the channel.
            heard_from: the first frame of the file that it is given.
            first_frame: the first frame that a piece may hold.
        """
        self._detector = detector
        self._channel = channel
        self._first_frame = first_frame
        self._planner = ChunkPlanner(start=_START, end=_END, first_frame=first_frame)
        self._tail = TailFilter(_END) if first_frame > heard_from else None
        self._heard = heard_from  # frames whose voices have been looked for
        self._kept_from = heard_from * FRAME_SAMPLES
        self._audio: Samples = np.zeros(0, dtype=np.float32)

    @property
    def done_s(self) -> float:
        """The time, in seconds, before which no further piece begins."""
        return self._planner.needed_from * FRAME_S

    def push(self, samples: Samples) -> list[Piece]:
        """The pieces that further audio completes."""
        self._audio = np.concatenate((self._audio, samples))
        there = (self._kept_from + len(self._audio)) // FRAME_SAMPLES
        return self._cut(there)

    def finish(self) -> list[Piece]:
        """The pieces that are left at the end of the file; a last frame that is short is padded."""
        pieces = self.push(np.zeros(-len(self._audio) % FRAME_SAMPLES, dtype=np.float32))
        rest = [] if self._tail is None else self._tail.finish()
        chunks = self._planner.push(rest) + self._planner.finish()
        return pieces + [self._piece(chunk) for chunk in chunks]

    def _cut(self, there: int) -> list[Piece]:
        first = self._heard * FRAME_SAMPLES - self._kept_from
        end = there * FRAME_SAMPLES - self._kept_from
        probabilities = self._detector.probabilities(self._audio[first:end])
        known = probabilities[max(0, self._first_frame - self._heard) :]
        if self._tail is not None:
            if self._heard < self._first_frame <= there:
                before = probabilities[self._first_frame - self._heard - 1]
                self._tail.begin(speaking=before >= _END)
            known = self._tail.push(known)
        self._heard = there
        pieces = [self._piece(chunk) for chunk in self._planner.push(known)]
        self._forget()
        return pieces

    def _piece(self, chunk: Chunk) -> Piece:
        first = chunk.first_frame * FRAME_SAMPLES - self._kept_from
        end = chunk.end_frame * FRAME_SAMPLES - self._kept_from
        return Piece(
            # A copy, so that the piece does not keep all that is around it.
            audio=self._audio[first:end].copy(),
            start_s=chunk.first_frame * FRAME_S,
            voiced_s=chunk.voiced_frames * FRAME_S,
            channel=self._channel,
        )

    def _forget(self) -> None:
        needed = min(self._planner.needed_from, self._heard) * FRAME_SAMPLES
        if needed > self._kept_from:
            self._audio = self._audio[needed - self._kept_from :].copy()
            self._kept_from = needed


class TailFilter:
    """Silences the end of a word that was begun, and transcribed, before a resume offset.

    The end that a recogniser states for a word may be a little early. A voice that ends soon after
    the offset, without having begun after it, is taken for such an end.
    """

    def __init__(self, end: float) -> None:
        """Makes a filter.

        Args:
            end: probability below which a voice has ended.
        """
        self._end = end
        self._held: list[float] | None = []

    def begin(self, *, speaking: bool) -> None:
        """Says whether somebody speaks in the frame before the offset."""
        if not speaking:
            self._held = None

    def push(self, probabilities: Sequence[float]) -> list[float]:
        """The probabilities of further frames, from the offset on, as far as they are decided."""
        if self._held is None:
            return list(probabilities)
        self._held += probabilities
        held = self._held
        ended = next((i for i, found in enumerate(held[:_TAIL]) if found < self._end), None)
        if ended is None and len(held) < _TAIL:
            return []
        self._held = None
        return held if ended is None else [0.0] * ended + held[ended:]

    def finish(self) -> list[float]:
        """What is left at the end of the file: a voice that ends there."""
        held, self._held = self._held or [], None
        return [0.0] * len(held)
