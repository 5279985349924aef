"""Whisper with no more audio context than the words need.

The encoder's work does not depend on the words but on the window it is given, and Whisper is always
given 30 s. CTranslate2 takes fewer frames. On read speech a window of at least 10 s, and 2 s longer
than the audio, gives the same words in a third of the time; windows close to the audio's own length
run into repetition loops, which is why the caller must look at what came out and may do it again
with the whole window.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from faster_whisper import WhisperModel

if TYPE_CHECKING:
    import ctranslate2
    import numpy.typing as npt

__all__ = ("FULL_FRAMES", "ShortContextWhisper", "context_frames")

FULL_FRAMES = 3_000
"""Frames of 10 ms in Whisper's own window."""
_BUCKETS = (1_000, 1_500, 2_000, FULL_FRAMES)
"""Few sizes, so that jobs of like length can share a batch."""
_SPARE_S = 2.0


def context_frames(audio_s: float) -> int:
    """The shortest window that holds so many seconds safely, in frames of 10 ms."""
    needed = (audio_s + _SPARE_S) * 100
    return next((bucket for bucket in _BUCKETS if bucket >= needed), FULL_FRAMES)


class ShortContextWhisper(WhisperModel):  # type: ignore[misc] # the library is not typed
    """A `WhisperModel` whose window can be set between calls; for one thread.

    Attributes:
        window: frames that the encoder is given; the audio must be at least 2 s shorter.
    """

    window = FULL_FRAMES

    def encode(self, features: npt.NDArray[np.float32]) -> ctranslate2.StorageView:
        """The encoder's output for the first `window` frames of a padded window."""
        kept: Any = np.ascontiguousarray(features[..., : self.window])
        return super().encode(kept)
