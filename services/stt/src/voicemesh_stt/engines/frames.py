"""What FFmpeg makes of a container: its audio stream, frame by frame, within bounds.

What keeps FFmpeg to the bytes and within bounds is `voicemesh_chassis.media`.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import av
import av.error
import numpy as np
import numpy.typing as npt
from av.audio.frame import format_dtypes

from voicemesh_chassis.media import DECODING, bound_allocations, opening_options
from voicemesh_stt.domain import Encoding
from voicemesh_stt.engines.resampling import Planes, clipped
from voicemesh_stt.errors import UnreadableAudioError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = (
    "audio_stream",
    "check_length",
    "checked_shape",
    "floats",
    "is_mpeg4",
    "opened",
    "planes_of",
    "stated_length_s",
)

_FORMATS = (
    "wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,ogg,matroska,webm,amr,asf,ape,wv,tta,avi,flv,"
    "mpegts,mpeg"
)
_MPEG4_ATOMS = {
    *(b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot"),
    *(b"junk", b"uuid", b"udta", b"pict", b"prfl", b"styp"),
}
"""First atoms of MPEG-4 and QuickTime files; FFmpeg's list of them."""
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


@contextmanager
def opened(
    file: Any, encoding: Encoding, head: bytes, options: Mapping[str, str] | None = None
) -> Iterator[av.container.InputContainer]:
    """A container, closed at the end of the block.

    Args:
        file: has `read`, and may have `seek` and `tell`.
        encoding: which format it must have.
        head: its first 8 bytes.
        options: of FFmpeg, besides those that keep it within bounds.

    Raises:
        UnreadableAudioError: for whatever goes wrong in FFmpeg within the block: it is the fault
            of the bytes.
    """
    forced = _FORCED[encoding]
    every = {**(options or {}), **opening_options(_FORMATS, mpeg4=is_mpeg4(head))}
    bound_allocations()
    try:
        # No type is stated for a file object and None together, but both are allowed.
        with closing(av.open(file, "r", format=forced, options=every)) as container:
            yield container
    except (av.error.FFmpegError, ValueError, IndexError, UnicodeDecodeError) as error:
        wanted = "a container that this server reads" if forced is None else forced
        msg = (
            f"audio is not {wanted}, or is damaged or cut off; headerless samples need "
            "format.encoding and format.sample_rate_hertz"
        )
        raise UnreadableAudioError(msg, field="audio") from error


def is_mpeg4(head: bytes) -> bool:
    """Whether a file of the MPEG-4 family begins with these 8 bytes."""
    return head[4:8] in _MPEG4_ATOMS


def audio_stream(container: av.container.InputContainer) -> av.AudioStream:
    """The first audio stream, ready to be decoded.

    Raises:
        UnreadableAudioError: if there is none, or none that can be decoded.
    """
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
    context.options = DECODING
    return stream


def checked_shape(frame: av.AudioFrame, before: tuple[int, int]) -> tuple[int, int]:
    """Rate and channels of a frame, which must be within bounds and stay as they were.

    Raises:
        UnreadableAudioError: if they are not, or do not.
    """
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


def planes_of(frame: av.AudioFrame) -> npt.NDArray[Any]:
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


def floats(samples: npt.NDArray[Any]) -> Planes:
    """Samples of any kind as float32 in [-1, 1]."""
    if samples.dtype == np.uint8:
        return (samples.astype(np.float32) - 128) / np.float32(128)
    if np.issubdtype(samples.dtype, np.signedinteger):
        return samples.astype(np.float32) / np.float32(1 << (8 * samples.itemsize - 1))
    return clipped(samples)


def check_length(
    container: av.container.InputContainer, stream: av.AudioStream, decoded_s: float
) -> None:
    """Refuses a recording that is shorter than its own header says.

    Raises:
        UnreadableAudioError: if it is.
    """
    exact = any(name in _EXACT for name in container.format.name.split(","))
    stated_s = stated_length_s(stream)
    if not exact or stated_s is None:
        return
    if stated_s - decoded_s > max(_MISSING_S, 0.01 * stated_s):
        msg = f"audio is cut off: its header says {stated_s:.2f} s, but {decoded_s:.2f} s are there"
        raise UnreadableAudioError(msg, field="audio")


def stated_length_s(stream: av.AudioStream) -> float | None:
    """The length that the header of a recording states, in seconds, if it does."""
    if stream.duration is None or stream.time_base is None:
        return None
    return float(stream.duration * stream.time_base)
