"""Speaking higher or lower in the same time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from voicemesh_tts.audio.resampling import Resampler
from voicemesh_tts.audio.shaping import FADE_S, ended
from voicemesh_tts.audio.tempo import Tempo

if TYPE_CHECKING:
    from voicemesh_tts.ports import Samples

__all__ = ("PitchShifter",)


class PitchShifter:
    """One sound after another, each as long as it was.

    Resampling moves the pitch and the length, `Tempo` takes the length back. The formants move
    with the pitch, so a voice that is moved far sounds like another, smaller or larger person's.

    Args:
        sample_rate_hertz: of the sound, before and after.
        semitones: -20 to 20; above 0 is higher.
    """

    def __init__(self, sample_rate_hertz: int, semitones: float) -> None:
        self._rate = sample_rate_hertz
        self._ratio = 2.0 ** (semitones / 12.0)
        self._resampler = Resampler(sample_rate_hertz * self._ratio, sample_rate_hertz)
        self._tempo: Tempo | None = None
        self._length = 0
        self._given = 0

    def push(self, samples: Samples) -> Samples:
        """The next piece; up to 100 ms of it come with the piece after."""
        if self._ratio == 1.0:
            return samples
        self._tempo = self._tempo or Tempo(self._rate, 1.0 / self._ratio)
        self._length += len(samples)
        return self._begun(self._tempo.push(self._resampler.push(samples)))

    def finish(self) -> Samples:
        """What is left of the sound; the next piece begins a new one."""
        if self._tempo is None:
            return np.zeros(0, np.float32)
        moved = self._tempo.push(self._resampler.finish())
        rest = self._begun(np.concatenate([moved, self._tempo.finish(self._length)]))
        self.reset()
        return ended(rest, self._rate)

    def reset(self) -> None:
        """Forgets the sound that was going on."""
        self._resampler.reset()
        self._tempo = None
        self._length = 0
        self._given = 0

    def _begun(self, samples: Samples) -> Samples:
        """The same samples, beginning at zero: `Tempo` begins in the middle of a stretch."""
        ramp = np.arange(self._given, self._given + len(samples)) / (FADE_S * self._rate)
        self._given += len(samples)
        return samples * np.minimum(1.0, ramp).astype(np.float32)
