"""Whole recordings to 16 kHz: any container that PyAV reads, or headerless samples.

The bytes come from anybody, so FFmpeg may open nothing but them: a playlist or an edit list can
name other files and addresses. Hence the list of formats and the empty list of protocols.
"""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING, Any

import av
import av.error
import numpy as np
import numpy.typing as npt

from voicemesh_stt.domain import AudioFormat, Encoding
from voicemesh_stt.engines.raw_audio import raw_blocks
from voicemesh_stt.engines.resampling import Planes, Resampler, mixed
from voicemesh_stt.errors import AudioTooLongError, UnreadableAudioError
from voicemesh_stt.ports import SAMPLE_RATE_HERTZ, Samples

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

__all__ = ("BoundedRecordingDecoder",)

_FORMATS = (
    "wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,ogg,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,amr,"
    "asf,ape,wv,tta,avi,flv,mpegts,mpeg"
)
_OPENING = {"format_whitelist": _FORMATS, "protocol_whitelist": "none"}
_FORCED = {
    Encoding.CONTAINER: None,
    Encoding.WAV: "wav",
    Encoding.OGG_OPUS: "ogg",
    Encoding.MP3: "mp3",
    Encoding.FLAC: "flac",
}
_MOST_CHANNELS = 8
# Formats whose header states the length exactly, so that a shorter recording was cut off.
_EXACT = ("wav", "w64", "aiff", "flac", "mov", "mp4", "caf")
_MISSING_S = 0.1
_UNKNOWN_SIZES = (0, 0xFFFFFFFF)


class BoundedRecordingDecoder:
    """A `RecordingDecoder` that stops at a limit, whatever the recording claims to be."""

    def __init__(self, max_audio_s: float) -> None:
        """Makes a decoder.

        Args:
            max_audio_s: most seconds of audio, summed over channels that are kept apart.
        """
        self._max_audio_s = max_audio_s

    def decode(
        self, audio: bytes, audio_format: AudioFormat, *, separate: bool, stop: threading.Event
    ) -> list[Samples]:
        """The recording at 16 kHz; see `ports.RecordingDecoder`."""
        if audio_format.encoding.is_headerless:
            blocks = raw_blocks(audio, audio_format, stop)
        else:
            blocks = _container_blocks(audio, audio_format.encoding, stop)
        channels = self._collect(blocks, separate=separate)
        if not stop.is_set() and not any(len(channel) for channel in channels):
            msg = "audio holds no samples"
            raise UnreadableAudioError(msg, field="audio")
        return channels

    def _collect(self, blocks: Iterator[Planes], *, separate: bool) -> list[Samples]:
        limit = self._max_audio_s * SAMPLE_RATE_HERTZ
        kept: list[Planes] = []
        total = 0
        for planes in blocks:
            part = planes if separate else mixed(planes)[np.newaxis]
            total += part.size
            if total > limit:
                msg = (
                    f"audio is longer than the {self._max_audio_s:g} s that one call may hold; "
                    "send it in parts"
                )
                raise AudioTooLongError(msg, field="audio")
            kept.append(part)
        return list(np.concatenate(kept, axis=1)) if kept else []


def _container_blocks(audio: bytes, encoding: Encoding, stop: threading.Event) -> Iterator[Planes]:
    """The first audio stream of a container, in blocks as they are decoded."""
    _check_wav_length(audio)
    forced = _FORCED[encoding]
    try:
        # No type is stated for a file object and None together, but both are allowed.
        with closing(av.open(io.BytesIO(audio), "r", format=forced, options=_OPENING)) as container:
            yield from _stream_blocks(container, stop)
    except (av.error.FFmpegError, ValueError, IndexError, UnicodeDecodeError) as error:
        wanted = "a container that this server reads" if forced is None else forced
        msg = (
            f"audio is not {wanted}, or is damaged or cut off; headerless samples need "
            "format.encoding and format.sample_rate_hertz"
        )
        raise UnreadableAudioError(msg, field="audio") from error


def _stream_blocks(
    container: av.container.InputContainer, stop: threading.Event
) -> Iterator[Planes]:
    if not container.streams.audio:
        msg = "audio holds no audio stream"
        raise UnreadableAudioError(msg, field="audio")
    stream = container.streams.audio[0]
    stream.codec_context.thread_count = 1
    resampler: Resampler | None = None
    shape = (0, 0)
    decoded_s = 0.0
    for frame in container.decode(stream):
        if stop.is_set():
            return
        shape = _checked_shape(frame, shape)
        resampler = resampler or Resampler(*shape)
        decoded_s += frame.samples / frame.sample_rate
        yield resampler.push(_planes(frame))
    if resampler is not None:
        yield resampler.flush(shape[1])
    _check_length(container, stream, decoded_s)


def _checked_shape(frame: av.AudioFrame, before: tuple[int, int]) -> tuple[int, int]:
    """Rate and channels of a frame, which must stay as they were."""
    shape = (frame.sample_rate, frame.layout.nb_channels)
    if shape[1] > _MOST_CHANNELS:
        msg = f"audio has {shape[1]} channels; at most {_MOST_CHANNELS} are taken"
        raise UnreadableAudioError(msg, field="audio")
    if before not in ((0, 0), shape):
        msg = "audio changes its sample rate or channels in the middle"
        raise UnreadableAudioError(msg, field="audio")
    return shape


def _planes(frame: av.AudioFrame) -> Planes:
    data: npt.NDArray[Any] = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(-1, frame.layout.nb_channels).T
    if data.dtype == np.uint8:
        data = (data.astype(np.float32) - 128) / 128
    elif np.issubdtype(data.dtype, np.signedinteger):
        data = data.astype(np.float32) / (1 << (8 * data.itemsize - 1))
    planes: Planes = np.nan_to_num(data.astype(np.float32), posinf=1.0, neginf=-1.0)
    return planes


def _check_length(
    container: av.container.InputContainer, stream: av.AudioStream, decoded_s: float
) -> None:
    """Refuses a recording that is shorter than its own header says."""
    exact = any(name in _EXACT for name in container.format.name.split(","))
    if not exact or stream.duration is None or stream.time_base is None:
        return
    stated_s = float(stream.duration * stream.time_base)
    if stated_s - decoded_s > max(_MISSING_S, 0.01 * stated_s):
        msg = f"audio is cut off: its header says {stated_s:.2f} s, but {decoded_s:.2f} s are there"
        raise UnreadableAudioError(msg, field="audio")


def _check_wav_length(audio: bytes) -> None:
    """Refuses a WAVE file that ends before its data does; FFmpeg would not mind.

    Sizes that a writer to a pipe leaves open (0 or 2^32 - 1) say nothing.
    """
    if audio[:4] != b"RIFF" or audio[8:12] != b"WAVE":
        return
    place = 12
    while place + 8 <= len(audio):
        size = int.from_bytes(audio[place + 4 : place + 8], "little")
        if audio[place : place + 4] == b"data":
            there = len(audio) - place - 8
            if size not in _UNKNOWN_SIZES and there < size:
                msg = f"audio is cut off: its header says {size} bytes, but {there} are there"
                raise UnreadableAudioError(msg, field="audio")
            return
        place += 8 + size + size % 2
