"""Files: WAV, Ogg Opus, MP3 and FLAC, whole or as they grow."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import av
import numpy as np

from voicemesh_tts.audio.opus import OPUS_OPTIONS
from voicemesh_tts.audio.raw import to_int16
from voicemesh_tts.domain import EncodedAudio, Encoding

if TYPE_CHECKING:
    from voicemesh_tts.ports import Samples

__all__ = ("ContainerEncoder",)


@dataclass(frozen=True)
class _Kind:
    container: str
    codec: str
    options: dict[str, str]


_KINDS = {
    Encoding.WAV: _Kind("wav", "pcm_s16le", {}),
    # Pages of a fifth of a second instead of one, so that a listener need not wait.
    Encoding.OGG_OPUS: _Kind("ogg", "libopus", {"page_duration": "200000"}),
    Encoding.MP3: _Kind("mp3", "libmp3lame", {}),
    Encoding.FLAC: _Kind("flac", "flac", {}),
}

# Its header has the length and the codec's delay, and can only be written when the file has ended.
_GROWING_OPTIONS = {Encoding.MP3: {"write_xing": "0"}}


class _Outlet(io.RawIOBase):
    """A file that cannot go back, of which what is written is taken away."""

    def __init__(self) -> None:
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        chunk = bytes(memoryview(data))  # type: ignore[arg-type]
        self._written += chunk
        return len(chunk)

    def take(self) -> bytes:
        data = bytes(self._written)
        self._written.clear()
        return data


class ContainerEncoder:
    """One file. A codec may hold back part of a sound until `finish`.

    Args:
        encoding: the container.
        sample_rate_hertz: rate of the samples.
        channel_count: 1 or 2.
        bitrate: of Opus, in bits a second for one channel.
        whole: whether the file is wanted at the end only; its header then gives its length.
    """

    def __init__(
        self,
        encoding: Encoding,
        sample_rate_hertz: int,
        channel_count: int,
        *,
        bitrate: int,
        whole: bool,
    ) -> None:
        kind = _KINDS[encoding]
        self._rate = sample_rate_hertz
        self._channels = channel_count
        self._layout = "mono" if channel_count == 1 else "stereo"
        self._outlet: _Outlet | io.BytesIO = io.BytesIO() if whole else _Outlet()
        options = kind.options | ({} if whole else _GROWING_OPTIONS.get(encoding, {}))
        self._file = av.open(self._outlet, "w", format=kind.container, options=options)
        stream = self._file.add_stream(kind.codec, rate=sample_rate_hertz, layout=self._layout)
        self._stream = cast("av.AudioStream", stream)
        if encoding is Encoding.OGG_OPUS:
            self._stream.bit_rate = bitrate * channel_count
            self._stream.options = dict(OPUS_OPTIONS)
        self._position = 0

    @property
    def held_bytes(self) -> int:
        """Size of the file so far, if it is given at the end."""
        return self._outlet.tell() if isinstance(self._outlet, io.BytesIO) else 0

    def encode(self, samples: Samples) -> EncodedAudio:
        """The next samples, and what of the file exists now."""
        if len(samples):
            self._write(samples)
        return EncodedAudio(self._take(), sample_count=len(samples))

    def end_sound(self) -> EncodedAudio:
        """Nothing: the file goes on."""
        return EncodedAudio()

    def finish(self) -> EncodedAudio:
        """The rest of the file."""
        self._file.mux(self._stream.encode(None))
        self._file.close()
        if isinstance(self._outlet, io.BytesIO):
            return EncodedAudio(self._outlet.getvalue())
        return EncodedAudio(self._take())

    def reset(self) -> None:
        """Nothing: a file cannot forget what it holds."""

    def _write(self, samples: Samples) -> None:
        wide = to_int16(np.repeat(samples, self._channels)).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(wide, format="s16", layout=self._layout)
        frame.sample_rate = self._rate
        frame.pts = self._position
        self._position += len(samples)
        self._file.mux(self._stream.encode(frame))

    def _take(self) -> bytes:
        return self._outlet.take() if isinstance(self._outlet, _Outlet) else b""
