"""When the words of a run are spoken, from the lengths that the network chose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from voicemesh_tts.domain import WordTime
from voicemesh_tts.engines.phonemiser import NO_WORD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from voicemesh_tts.engines.piper.spelling import Run

__all__ = ("RunClock",)


class RunClock:
    """Tells the words of one run as its sound is made.

    Args:
        run: what is said.
        lengths: samples of each of its numbers; None if the network does not say.
        before: samples of the utterance before the run.
        rate: samples a second as they are heard, which is more than the voice's if it is hastened.
    """

    def __init__(
        self, run: Run, lengths: NDArray[np.int64] | None, before: int, rate: float
    ) -> None:
        self._left: list[tuple[int, WordTime]] = []
        if lengths is None:
            return
        ends = np.cumsum(lengths)
        words = np.array(run.words)
        for word in dict.fromkeys(run.words):
            if word != NO_WORD:
                places = np.flatnonzero(words == word)
                start = int(ends[places[0]] - lengths[places[0]])
                end = int(ends[places[-1]])
                time = WordTime(word, (before + start) / rate, (before + end) / rate)
                self._left.append((end, time))

    def until(self, made: int) -> tuple[WordTime, ...]:
        """The words not told before that end in the first `made` samples of the run."""
        done = tuple(time for end, time in self._left if end <= made)
        self._left = self._left[len(done) :]
        return done
