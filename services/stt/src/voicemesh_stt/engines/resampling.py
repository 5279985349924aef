"""Resampling to 16 kHz, piece by piece, by FFmpeg's resampler.

It holds back one to two milliseconds of a live stream; soxr was measured to hold back 36 ms at
48 kHz and 115 ms at 8 kHz, which would be added to every answer.
"""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import numpy.typing as npt

from voicemesh_stt.ports import SAMPLE_RATE_HERTZ

__all__ = ("Planes", "Resampler", "clipped", "mixed")

Planes = npt.NDArray[np.float32]
"""Audio of several channels, float32 [channels, samples]."""

_BLOCK_SAMPLES = 1 << 16
# PyAV takes the number of planes from where a list of them ends, and a list of 8 has no end: it
# finds a ninth plane, which lies anywhere. Samples in one plane, channels interleaved, avoid that.
_PACKED = "flt"


class Resampler:
    """Resamples one stream; not thread-safe."""

    def __init__(self, rate_hertz: int, channels: int) -> None:
        """Makes a resampler.

        Args:
            rate_hertz: samples a second that come in.
            channels: channels that come in and go out.
        """
        self._rate_hertz = rate_hertz
        self._channels = channels
        self._layout = f"{channels} channels"
        self._resampler = (
            None
            if rate_hertz == SAMPLE_RATE_HERTZ
            else av.AudioResampler(format=_PACKED, layout=self._layout, rate=SAMPLE_RATE_HERTZ)
        )

    @property
    def block_samples(self) -> int:
        """Most samples of a channel to push at once, so that at most 65,536 go in or come out."""
        return max(1, min(_BLOCK_SAMPLES, _BLOCK_SAMPLES * self._rate_hertz // SAMPLE_RATE_HERTZ))

    def push(self, planes: Planes) -> Planes:
        """The next samples at 16 kHz; may be none."""
        if self._resampler is None or planes.shape[1] == 0:
            return planes
        interleaved = np.ascontiguousarray(planes.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(interleaved, format=_PACKED, layout=self._layout)
        frame.sample_rate = self._rate_hertz
        return self._joined(self._resampler.resample(frame))

    def flush(self) -> Planes:
        """The samples that were held back."""
        if self._resampler is None:
            return np.zeros((self._channels, 0), dtype=np.float32)
        return self._joined(self._resampler.resample(None))

    def _joined(self, frames: list[av.AudioFrame]) -> Planes:
        parts = [frame.to_ndarray().reshape(-1, self._channels).T for frame in frames]
        if not parts:
            return np.zeros((self._channels, 0), dtype=np.float32)
        planes: Planes = np.concatenate(parts, axis=1, dtype=np.float32)
        return planes


def clipped(values: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Floats of any size as samples in [-1, 1]; what is no number is silence.

    One NaN would spoil the state of the resampler and of the voice detector for good.
    """
    finite: npt.NDArray[Any] = np.nan_to_num(values, posinf=1.0, neginf=-1.0)
    return finite.clip(-1.0, 1.0).astype(np.float32)


def mixed(planes: Planes) -> npt.NDArray[np.float32]:
    """All channels in one, float32 [samples]."""
    if len(planes) == 1:
        only: npt.NDArray[np.float32] = planes[0]
        return only
    mean: npt.NDArray[np.float32] = planes.mean(axis=0, dtype=np.float32)
    return mean
