"""Changing the sample rate of a sound that comes in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import soxr

if TYPE_CHECKING:
    from voicemesh_tts.ports import Samples

__all__ = ("Resampler",)


class Resampler:
    """One sound after another from one rate to another.

    `finish` ends a sound and gives its last samples, so nothing of a clause waits for the next
    one. As each sound begins and ends at zero, starting the filter anew makes no step.

    Args:
        from_hertz: rate of the sound; need not be whole.
        to_hertz: rate wanted.
    """

    def __init__(self, from_hertz: float, to_hertz: float) -> None:
        self._rates = (from_hertz, to_hertz)
        self._stream: soxr.ResampleStream | None = None

    def push(self, samples: Samples) -> Samples:
        """The next piece; up to 60 ms of it come with the piece after."""
        if self._rates[0] == self._rates[1]:
            return samples
        return self._run(samples, last=False)

    def finish(self) -> Samples:
        """What is left of the sound; the next piece begins a new one."""
        if self._stream is None:
            return np.zeros(0, np.float32)
        rest = self._run(np.zeros(0, np.float32), last=True)
        self._stream = None
        return rest

    def reset(self) -> None:
        """Forgets the sound that was going on."""
        self._stream = None

    def _run(self, samples: Samples, *, last: bool) -> Samples:
        if self._stream is None:
            self._stream = soxr.ResampleStream(*self._rates, 1, dtype="float32", quality="HQ")
        resampled: Samples = self._stream.resample_chunk(np.ascontiguousarray(samples), last=last)
        return resampled
