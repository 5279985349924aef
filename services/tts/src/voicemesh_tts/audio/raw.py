"""Encodings without a header, and without anything held back."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import av
import numpy as np

from voicemesh_tts.domain import EncodedAudio, Encoding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from voicemesh_tts.ports import Samples

__all__ = ("RawEncoder", "to_int16")


def to_int16(samples: Samples) -> NDArray[np.int16]:
    """Samples of -1 to 1 as 16-bit integers, cut off outside."""
    whole: NDArray[np.int16] = np.clip(np.rint(samples * 32767.0), -32768, 32767).astype("<i2")
    return whole


class RawEncoder:
    """PCM as integers or floats, mu-law and A-law."""

    def __init__(self, encoding: Encoding, sample_rate_hertz: int, channel_count: int) -> None:
        self._encoding = encoding
        self._channels = channel_count
        self._rate = sample_rate_hertz
        self._codec = self._open() if encoding in (Encoding.MULAW, Encoding.ALAW) else None

    @property
    def held_bytes(self) -> int:
        """0: nothing encoded is held back."""
        return 0

    def encode(self, samples: Samples) -> EncodedAudio:
        """The next samples."""
        wide = np.repeat(samples, self._channels)
        if self._encoding is Encoding.PCM_F32LE:
            data = wide.astype("<f4").tobytes()
        elif self._codec is None:
            data = to_int16(wide).tobytes()
        else:
            data = self._companded(to_int16(wide))
        return EncodedAudio(data, sample_count=len(samples))

    def end_sound(self) -> EncodedAudio:
        """Nothing: no samples are held back."""
        return EncodedAudio()

    def finish(self) -> EncodedAudio:
        """Nothing: there is no trailer."""
        return EncodedAudio()

    def reset(self) -> None:
        """Nothing: there is no state."""

    def _open(self) -> av.AudioCodecContext:
        name = "pcm_mulaw" if self._encoding is Encoding.MULAW else "pcm_alaw"
        codec = cast("av.AudioCodecContext", av.CodecContext.create(name, "w"))
        codec.sample_rate = self._rate
        codec.layout = "mono" if self._channels == 1 else "stereo"
        codec.format = "s16"
        return codec

    def _companded(self, samples: NDArray[np.int16]) -> bytes:
        if self._codec is None or not len(samples):
            return b""
        layout = self._codec.layout.name
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout=layout)
        frame.sample_rate = self._rate
        return b"".join(bytes(packet) for packet in self._codec.encode(frame))
