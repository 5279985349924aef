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
from av.audio.frame import format_dtypes

from voicemesh_stt.domain import AudioFormat, Encoding
from voicemesh_stt.engines.raw_audio import raw_blocks
from voicemesh_stt.engines.resampling import Planes, Resampler, clipped, mixed
from voicemesh_stt.engines.wav_header import check_wav_header
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
# Decoders make a frame as large as its bytes claim it to be. The longest honest ones are those of
# Monkey's Audio, with 1,179,648 samples.
_DECODING = {"max_samples": str(1 << 21)}
_OPENING = {
    "format_whitelist": _FORMATS,
    "protocol_whitelist": "none",
    # FFmpeg decodes pictures too, to know what they are: 1 MB of them became 1 GB. None is wanted.
    "max_pixels": "1",
    **_DECODING,
}
_FORCED = {
    Encoding.CONTAINER: None,
    Encoding.WAV: "wav",
    Encoding.OGG_OPUS: "ogg",
    Encoding.MP3: "mp3",
    Encoding.FLAC: "flac",
}
_RATES_HERTZ = (8_000, 192_000)
_MOST_CHANNELS = 8
# Formats whose header states the length exactly, so that a shorter recording was cut off.
_EXACT = ("wav", "w64", "aiff", "flac", "mov", "mp4", "caf")
_MISSING_S = 0.1


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
    """The first audio stream of a container at 16 kHz, in blocks as they are decoded."""
    resampler: Resampler | None = None
    for rate_hertz, planes in _decoded(audio, encoding):
        resampler = resampler or Resampler(rate_hertz, len(planes))
        for start in range(0, planes.shape[1], resampler.block_samples):
            if stop.is_set():
                return
            yield resampler.push(_floats(planes[:, start : start + resampler.block_samples]))
    if resampler is not None:
        yield resampler.flush()


def _decoded(audio: bytes, encoding: Encoding) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """The rate and the samples [channels, samples] of each decoded frame, as the decoder left them.

    Only what FFmpeg does with the bytes is in the `try`: what goes wrong there is their fault.
    """
    check_wav_header(audio)
    forced = _FORCED[encoding]
    try:
        # No type is stated for a file object and None together, but both are allowed.
        with closing(av.open(io.BytesIO(audio), "r", format=forced, options=_OPENING)) as container:
            stream = _audio_stream(container)
            shape = (0, 0)
            decoded_s = 0.0
            for frame in container.decode(stream):
                shape = _checked_shape(frame, shape)
                decoded_s += frame.samples / frame.sample_rate
                yield frame.sample_rate, _planes(frame)
            _check_length(container, stream, decoded_s)
    except (av.error.FFmpegError, ValueError, IndexError, UnicodeDecodeError) as error:
        wanted = "a container that this server reads" if forced is None else forced
        msg = (
            f"audio is not {wanted}, or is damaged or cut off; headerless samples need "
            "format.encoding and format.sample_rate_hertz"
        )
        raise UnreadableAudioError(msg, field="audio") from error


def _audio_stream(container: av.container.InputContainer) -> av.AudioStream:
    if not container.streams.audio:
        msg = "audio holds no audio stream"
        raise UnreadableAudioError(msg, field="audio")
    stream = container.streams.audio[0]
    # PyAV's types do not say that there is no context where FFmpeg has no decoder.
    context: av.AudioCodecContext | None = stream.codec_context
    if context is None:
        msg = "audio is of a kind that this server cannot decode"
        raise UnreadableAudioError(msg, field="audio")
    context.thread_count = 1
    context.options = _DECODING
    return stream


def _checked_shape(frame: av.AudioFrame, before: tuple[int, int]) -> tuple[int, int]:
    """Rate and channels of a frame, which must be within bounds and stay as they were."""
    shape = (frame.sample_rate, frame.layout.nb_channels)
    least, most = _RATES_HERTZ
    if not least <= shape[0] <= most:
        msg = f"audio has {shape[0]} samples a second; its rate must be from {least} to {most}"
        raise UnreadableAudioError(msg, field="audio")
    if not 1 <= shape[1] <= _MOST_CHANNELS:
        msg = f"audio has {shape[1]} channels; it must have 1 to {_MOST_CHANNELS}"
        raise UnreadableAudioError(msg, field="audio")
    if before not in ((0, 0), shape):
        msg = "audio changes its sample rate or channels in the middle"
        raise UnreadableAudioError(msg, field="audio")
    return shape


def _planes(frame: av.AudioFrame) -> npt.NDArray[Any]:
    """The samples of a frame, [channels, samples], copied.

    `frame.to_ndarray` would end the process for 8 planes: see `resampling`.
    """
    dtype = format_dtypes.get(frame.format.name)
    if dtype is None:
        msg = f"audio has samples of a kind that this server cannot read: {frame.format.name}"
        raise UnreadableAudioError(msg, field="audio")
    channels = frame.layout.nb_channels
    if frame.format.is_planar:
        planes = frame.planes[:channels]
        return np.stack([np.frombuffer(memoryview(p), dtype, frame.samples) for p in planes])
    data = np.frombuffer(memoryview(frame.planes[0]), dtype, frame.samples * channels)
    return np.copy(data.reshape(-1, channels).T)


def _floats(samples: npt.NDArray[Any]) -> Planes:
    """Samples of any kind as float32 in [-1, 1]."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / np.float32(128)
    if np.issubdtype(samples.dtype, np.signedinteger):
        return samples.astype(np.float32) / np.float32(1 << (8 * samples.itemsize - 1))
    return clipped(samples)


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
