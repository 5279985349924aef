"""Files of any length to 16 kHz while they are still being uploaded.

Formats that can be played from a pipe are read as from one, so that FFmpeg does not look at their
end first. Those of the MPEG-4 family may have their index anywhere: FFmpeg seeks for it, and gets
`+ignidx` so that it looks no further once it has one.

What comes before `skip_s` is not decoded where a packet says exactly when it begins: where packets
follow each other without gaps. Elsewhere it is decoded and dropped, as nothing else says how much
audio it holds.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from voicemesh_stt.engines.frames import (
    audio_stream,
    check_length,
    checked_shape,
    floats,
    is_mpeg4,
    opened,
    planes_of,
    stated_length_s,
)
from voicemesh_stt.engines.raw_audio import frame_bytes, planes_from, refuse_part
from voicemesh_stt.engines.resampling import Planes, Resampler, mixed
from voicemesh_stt.engines.wav_header import check_wav_header
from voicemesh_stt.files.ports import AudioBlock, ByteSource
from voicemesh_stt.ports import SAMPLE_RATE_HERTZ

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    import av

    from voicemesh_stt.domain import AudioFormat, Encoding

__all__ = ("ProgressiveFileDecoder",)

_GAPLESS = {"wav", "w64", "aiff", "au", "flac", "mp3", "caf", "mov", "mp4", "aac"}
"""Formats, by FFmpeg's names, whose packets follow each other without gaps."""
_BEFORE_S = 2.0
"""Audio decoded before what is wanted, since decoders build on what came before."""
_LEAST_SAMPLES = 1 << 13
"""Samples of a channel that are resampled at once: frames by themselves are too small."""


class ProgressiveFileDecoder:
    """A `FileDecoder`."""

    def blocks(
        self, source: ByteSource, audio_format: AudioFormat, *, separate: bool, skip_s: float
    ) -> Generator[AudioBlock]:
        """The file at 16 kHz; see `files.ports.FileDecoder`."""
        read = _raw_blocks if audio_format.encoding.is_headerless else _container_blocks
        for block in read(source, audio_format, skip_s):
            if separate or len(block.planes) == 1:
                yield block
            else:
                one = mixed(block.planes)[np.newaxis]
                yield AudioBlock(block.first_sample, one, block.stated_s)


class _Timeline:
    """Audio of one rate to blocks at 16 kHz, with their places."""

    def __init__(self, rate_hertz: int, channels: int, first: int, stated_s: float | None) -> None:
        self._resampler = Resampler(rate_hertz, channels)
        self._place = round(first * SAMPLE_RATE_HERTZ / rate_hertz)
        self._stated_s = stated_s
        self._kept: list[Planes] = []
        self._kept_samples = 0

    def push(self, planes: Planes) -> Iterator[AudioBlock]:
        self._kept.append(planes)
        self._kept_samples += planes.shape[1]
        if self._kept_samples >= _LEAST_SAMPLES:
            yield from self._resampled()

    def flush(self) -> Iterator[AudioBlock]:
        yield from self._resampled()
        yield self._block(self._resampler.flush())

    def _resampled(self) -> Iterator[AudioBlock]:
        if not self._kept:
            return
        planes = np.concatenate(self._kept, axis=1)
        self._kept, self._kept_samples = [], 0
        step = self._resampler.block_samples
        for start in range(0, planes.shape[1], step):
            yield self._block(self._resampler.push(planes[:, start : start + step]))

    def _block(self, planes: Planes) -> AudioBlock:
        block = AudioBlock(self._place, planes, self._stated_s)
        self._place += planes.shape[1]
        return block


def _raw_blocks(
    source: ByteSource, audio_format: AudioFormat, skip_s: float
) -> Iterator[AudioBlock]:
    rate_hertz, channels = audio_format.sample_rate_hertz, audio_format.channel_count
    size = frame_bytes(audio_format)
    first = max(0, int((skip_s - _BEFORE_S) * rate_hertz))
    source.seek(first * size)
    timeline = _Timeline(rate_hertz, channels, first, None)
    rest = b""
    while data := source.read(_LEAST_SAMPLES * size):
        data = rest + data
        whole = len(data) - len(data) % size
        rest = data[whole:]
        yield from timeline.push(planes_from(data[:whole], audio_format))
    end = source.seek(0, io.SEEK_END)
    if first * size > end:  # the file is shorter than what was to be skipped
        refuse_part(end, audio_format)
        timeline = _Timeline(rate_hertz, channels, end // size, None)
    elif rest:
        refuse_part(end, audio_format)
    yield from timeline.flush()


def _container_blocks(
    source: ByteSource, audio_format: AudioFormat, skip_s: float
) -> Iterator[AudioBlock]:
    timeline: _Timeline | None = None
    for part in _decoded(source, audio_format.encoding, skip_s):
        if timeline is None:
            timeline = _Timeline(part.rate_hertz, len(part.samples), part.first, part.stated_s)
        yield from timeline.push(floats(part.samples))
    if timeline is not None:
        yield from timeline.flush()
    check_wav_header(source)


@dataclass(frozen=True)
class _Part:
    """Audio as the decoder left it."""

    first: int
    """How many samples of the file come before it."""
    rate_hertz: int
    samples: npt.NDArray[Any]
    """[channels, samples]."""
    stated_s: float | None


def _decoded(source: ByteSource, encoding: Encoding, skip_s: float) -> Iterator[_Part]:
    """The first audio stream of a container, from about `skip_s` on; an empty part comes last.

    Only what FFmpeg does with the bytes is in the block: what goes wrong there is their fault.
    """
    head = _head(source)
    file = _File(source, seeks=is_mpeg4(head))
    with opened(file, encoding, head, {"fflags": "+ignidx"}) as container:
        stream = audio_stream(container)
        stated_s = stated_length_s(stream)
        frames = _Frames(container, stream, skip_s)
        shape = (0, 0)
        for first, frame in frames:
            shape = checked_shape(frame, shape)
            if first + frame.samples > (skip_s - _BEFORE_S) * frame.sample_rate:
                yield _Part(first, frame.sample_rate, planes_of(frame), stated_s)
        check_length(container, stream, frames.ended_s)
        rate_hertz, channels = shape
        if channels:
            end = round(frames.ended_s * rate_hertz)
            yield _Part(end, rate_hertz, np.zeros((channels, 0), dtype=np.float32), stated_s)


class _Frames:
    """Decoded frames, and how many samples come before each; some before `skip_s` are missing."""

    def __init__(
        self, container: av.container.InputContainer, stream: av.AudioStream, skip_s: float
    ) -> None:
        self.ended_s = 0.0
        """Where the last frame, decoded or not, ended."""
        self._container = container
        self._stream = stream
        self._least_s = skip_s - _BEFORE_S
        self._gapless = not _GAPLESS.isdisjoint(container.format.name.split(","))
        self._origin_s: float | None = None  # what the file calls the time of its first frame
        self._place: int | None = 0  # of the next frame; None after packets that were not decoded

    def __iter__(self) -> Iterator[tuple[int, av.AudioFrame]]:
        for packet in self._container.demux(self._stream):
            if self._skips(packet):
                continue
            for frame in packet.decode():
                begins_s = _seconds(frame.pts, frame)
                if self._origin_s is None:
                    self._origin_s = begins_s
                if self._place is None and begins_s is not None and self._origin_s is not None:
                    self._place = round((begins_s - self._origin_s) * frame.sample_rate)
                if self._place is not None:
                    yield self._place, frame
                    self._place += frame.samples
                    self.ended_s = self._place / frame.sample_rate

    def _skips(self, packet: av.Packet[Any]) -> bool:
        begins_s = _seconds(packet.pts, packet)
        if not self._gapless or self._origin_s is None or begins_s is None:
            return False
        begins_s -= self._origin_s
        if begins_s < self._least_s:
            self._place = None
            self.ended_s = begins_s + (_seconds(packet.duration, packet) or 0.0)
            return True
        if self._place is None:
            self._stream.codec_context.flush_buffers()
        return False


def _seconds(units: int | None, of: av.Packet[Any] | av.AudioFrame) -> float | None:
    """A time of a packet or frame, which counts in units of its own, in seconds."""
    if units is None or of.time_base is None:
        return None
    return float(units * of.time_base)


def _head(source: ByteSource) -> bytes:
    found = b""
    while len(found) < 8 and (more := source.read(8 - len(found))):
        found += more
    source.seek(0)
    return found


class _File:
    """A source as PyAV takes it: without a `close`, and seeking only where that helps."""

    def __init__(self, source: ByteSource, *, seeks: bool) -> None:
        self.read = source.read
        self.seek = source.seek
        self.tell = lambda: source.seek(0, io.SEEK_CUR)
        self.seekable = lambda: seeks
