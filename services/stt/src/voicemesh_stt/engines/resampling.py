"""Resampling to 16 kHz, piece by piece, by FFmpeg's resampler.

It holds back one to two milliseconds of a live stream; soxr was measured to hold back 36 ms at
48 kHz and 115 ms at 8 kHz, which would be added to every answer.
"""

from __future__ import annotations

import av
import numpy as np
import numpy.typing as npt

from voicemesh_stt.ports import SAMPLE_RATE_HERTZ

__all__ = ("Planes", "Resampler", "mixed")

Planes = npt.NDArray[np.float32]
"""Audio of several channels, float32 [channels, samples]."""


class Resampler:
    """Resamples one stream; not thread-safe."""

    def __init__(self, rate_hertz: int, channels: int) -> None:
        """Makes a resampler.

        Args:
            rate_hertz: samples a second that come in.
            channels: channels that come in and go out.
        """
        self._rate_hertz = rate_hertz
        self._layout = f"{channels} channels"
        self._resampler = (
            None
            if rate_hertz == SAMPLE_RATE_HERTZ
            else av.AudioResampler(format="fltp", layout=self._layout, rate=SAMPLE_RATE_HERTZ)
        )

    def push(self, planes: Planes) -> Planes:
        """The next samples at 16 kHz; may be none."""
        if self._resampler is None or planes.shape[1] == 0:
            return planes
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(planes), format="fltp", layout=self._layout
        )
        frame.sample_rate = self._rate_hertz
        return _joined(self._resampler.resample(frame), len(planes))

    def flush(self, channels: int) -> Planes:
        """The samples that were held back."""
        if self._resampler is None:
            return np.zeros((channels, 0), dtype=np.float32)
        return _joined(self._resampler.resample(None), channels)


def mixed(planes: Planes) -> npt.NDArray[np.float32]:
    """All channels in one, float32 [samples]."""
    if len(planes) == 1:
        only: npt.NDArray[np.float32] = planes[0]
        return only
    mean: npt.NDArray[np.float32] = planes.mean(axis=0, dtype=np.float32)
    return mean


def _joined(frames: list[av.AudioFrame], channels: int) -> Planes:
    parts = [frame.to_ndarray() for frame in frames]
    if not parts:
        return np.zeros((channels, 0), dtype=np.float32)
    planes: Planes = np.concatenate(parts, axis=1, dtype=np.float32)
    return planes
