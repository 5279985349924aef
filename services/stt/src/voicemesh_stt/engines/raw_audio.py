"""Headerless samples to 16 kHz mono, for live streams and whole recordings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from voicemesh_stt.domain import AudioFormat, Encoding, Lost, Packet, Silence
from voicemesh_stt.engines.resampling import Planes, Resampler, clipped, mixed
from voicemesh_stt.errors import UnreadableAudioError

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from voicemesh_stt.ports import Samples

__all__ = ("RawLiveDecoder", "frame_bytes", "planes_from", "raw_blocks", "refuse_part")

_SAMPLE_BYTES = {
    Encoding.PCM_S16LE: 2,
    Encoding.PCM_F32LE: 4,
    Encoding.MULAW: 1,
    Encoding.ALAW: 1,
}


def _mulaw_table() -> npt.NDArray[np.float32]:
    """ITU-T G.711 mu-law to linear, for each byte."""
    code = ~np.arange(256, dtype=np.int32) & 0xFF
    exponent, mantissa = (code >> 4) & 7, code & 15
    magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
    return (np.where(code & 0x80, -magnitude, magnitude) / 32768).astype(np.float32)


def _alaw_table() -> npt.NDArray[np.float32]:
    """ITU-T G.711 A-law to linear, for each byte."""
    code = np.arange(256, dtype=np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, code & 15
    first = (mantissa << 4) + 8
    magnitude = np.where(exponent == 0, first, (first + 0x100) << np.maximum(exponent - 1, 0))
    return (np.where(code & 0x80, magnitude, -magnitude) / 32768).astype(np.float32)


_TABLES = {Encoding.MULAW: _mulaw_table(), Encoding.ALAW: _alaw_table()}


def planes_from(data: bytes, audio_format: AudioFormat) -> Planes:
    """Whole samples as float32 [channels, samples] in [-1, 1]."""
    encoding = audio_format.encoding
    values: npt.NDArray[np.float32]
    if encoding is Encoding.PCM_S16LE:
        values = np.frombuffer(data, dtype="<i2").astype(np.float32) / np.float32(32768)
    elif encoding is Encoding.PCM_F32LE:
        values = clipped(np.frombuffer(data, dtype="<f4"))
    else:
        values = _TABLES[encoding][np.frombuffer(data, dtype=np.uint8)]
    return values.reshape(-1, audio_format.channel_count).T


def frame_bytes(audio_format: AudioFormat) -> int:
    """Bytes of one sample of all channels."""
    return _SAMPLE_BYTES[audio_format.encoding] * audio_format.channel_count


def refuse_part(count: int, audio_format: AudioFormat) -> None:
    """Refuses a recording of so many bytes if it ends in the middle of a sample.

    Raises:
        UnreadableAudioError: if it does.
    """
    size = _SAMPLE_BYTES[audio_format.encoding]
    if count % (size * audio_format.channel_count):
        msg = (
            f"audio is cut off: {count} bytes are not whole samples of {size} bytes on "
            f"{audio_format.channel_count} channel(s)"
        )
        raise UnreadableAudioError(msg, field="audio")


def raw_blocks(audio: bytes, audio_format: AudioFormat, stop: threading.Event) -> Iterator[Planes]:
    """The recording at 16 kHz in blocks of some seconds, until `stop` is set.

    Raises:
        UnreadableAudioError: if it ends in the middle of a sample.
    """
    refuse_part(len(audio), audio_format)
    resampler = Resampler(audio_format.sample_rate_hertz, audio_format.channel_count)
    step = resampler.block_samples * frame_bytes(audio_format)
    for start in range(0, len(audio), step):
        if stop.is_set():
            return
        yield resampler.push(planes_from(audio[start : start + step], audio_format))
    yield resampler.flush()


class RawLiveDecoder:
    """A `LiveDecoder` of bytes that may be cut anywhere."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._resampler = Resampler(audio_format.sample_rate_hertz, audio_format.channel_count)
        self._rest = b""

    def decode(self, item: bytes | Packet | Lost | Silence) -> Samples:
        """The next samples; what is not a whole sample yet waits for the rest."""
        if not isinstance(item, bytes):
            msg = "packet: this stream's encoding takes audio bytes, not packets"
            raise UnreadableAudioError(msg, field="packet")
        data = self._rest + item
        whole = len(data) - len(data) % frame_bytes(self._format)
        self._rest = data[whole:]
        return mixed(self._resampler.push(planes_from(data[:whole], self._format)))

    def flush(self) -> Samples:
        """The last samples; a rest that is less than a sample is left out."""
        return mixed(self._resampler.flush())
