"""The audio of a live stream that an open turn, or one still to come, may need."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from voicemesh_stt.chunks import Chunk, plan_chunks
from voicemesh_stt.passages import Passage
from voicemesh_stt.ports import FRAME_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_stt.ports import Samples

__all__ = ("LONGEST_JOB_S", "TurnAudio")

LONGEST_JOB_S = 28.0
"""Audio that the engine takes in one job; what is longer is cut at pauses."""

_AROUND = np.ones(5) / 5
"""Frames whose voice counts at each place for a cut."""


class TurnAudio:
    """Frames of 32 ms with their voice probabilities, numbered from the start of the stream."""

    def __init__(self, start_threshold: float, end_threshold: float) -> None:
        """Makes an empty one.

        Args:
            start_threshold: voice probability that begins a stretch of speech.
            end_threshold: voice probability from which a frame counts as voiced.
        """
        self._start_threshold = start_threshold
        self._end_threshold = end_threshold
        self._first = 0
        self._frames: deque[tuple[Samples, float]] = deque()

    def append(self, frame: Samples, probability: float) -> None:
        """Adds the next frame."""
        self._frames.append((frame, probability))

    def forget(self, before: int) -> None:
        """Drops the frames before that number."""
        while self._first < before and self._frames:
            self._frames.popleft()
            self._first += 1

    def skip(self, frames: int) -> None:
        """Counts further frames that nobody will ask for, after all that were added."""
        self.forget(self._first + len(self._frames))
        self._first += frames

    def samples(self, first: int, end: int) -> Samples:
        """The sound of the frames from `first` up to `end`."""
        held = islice(self._frames, max(0, first - self._first), end - self._first)
        return np.concatenate([frame for frame, _ in held])

    def weakest(self, first: int, end: int) -> int:
        """Where the voice is weakest from `first` up to `end`: the best place for a cut."""
        held = islice(self._frames, first - self._first, end - self._first)
        smooth = np.convolve([p for _, p in held], _AROUND, mode="same")
        # At the edges there is less to look at, which is not weakness.
        margin = len(_AROUND) // 2
        inner = smooth[margin : len(smooth) - margin]
        return first + margin + int(np.argmin(inner))

    def passage(self, first: int, end: int) -> Passage:
        """The frames from `first` up to `end`, in pieces that the engine can take."""
        held = list(islice(self._frames, first - self._first, end - self._first))
        audio = np.concatenate([frame for frame, _ in held])
        chunks = self._chunks([probability for _, probability in held])
        return Passage(audio, chunks, start_s=first * FRAME_S)

    def _chunks(self, probabilities: Sequence[float]) -> list[Chunk]:
        if len(probabilities) * FRAME_S > LONGEST_JOB_S:
            return plan_chunks(probabilities, start=self._start_threshold, end=self._end_threshold)
        voiced = sum(1 for probability in probabilities if probability >= self._end_threshold)
        return [Chunk(0, len(probabilities), voiced)]
