"""A reference recording of any container, as samples at the rate of the cloners."""

from __future__ import annotations

import io
from contextlib import closing
from typing import TYPE_CHECKING

import av
import av.error
import numpy as np

from voicemesh_chassis.media import DECODING, bound_allocations, opening_options
from voicemesh_tts.errors import RecordingError
from voicemesh_tts.ports import REFERENCE_RATE_HERTZ, Samples

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ("decoded",)

_FORMATS = "wav,w64,aiff,au,caf,flac,mp3,aac,ogg,matroska,webm,amr,mpegts,mpeg"
_OPENING = opening_options(_FORMATS, mpeg4=True)
_RATES_HERTZ = (8_000, 192_000)
_MOST_CHANNELS = 8
_FIELD = "reference_audio"


def decoded(recording: bytes, most_s: float) -> Samples:
    """The recording's first audio stream, mixed to one channel. Blocks.

    Args:
        recording: a file.
        most_s: where decoding stops, in seconds; what is longer is cut off there.

    Returns:
        float32 [samples] at `REFERENCE_RATE_HERTZ`.

    Raises:
        RecordingError: if it is not audio.
    """
    bound_allocations()
    most = round(most_s * REFERENCE_RATE_HERTZ)
    parts: list[Samples] = []
    count = 0
    try:
        for part in _parts(recording):
            parts.append(part)
            count += len(part)
            if count >= most:
                break
    except (av.error.FFmpegError, ValueError, IndexError, MemoryError) as error:
        raise _not_audio() from error
    if not count:
        raise _not_audio()
    return np.concatenate(parts)[:most]


def _parts(recording: bytes) -> Iterator[Samples]:
    with closing(av.open(io.BytesIO(recording), "r", options=_OPENING)) as file:
        if not file.streams.audio:
            raise _not_audio()
        stream = file.streams.audio[0]
        context: av.AudioCodecContext | None = stream.codec_context
        if context is None:
            raise _not_audio()
        context.thread_count = 1
        context.options = DECODING
        resampler = av.AudioResampler("flt", "mono", REFERENCE_RATE_HERTZ)
        for frame in file.decode(stream):
            _check_shape(frame)
            for resampled in resampler.resample(frame):
                yield _samples(resampled)
        for resampled in resampler.resample(None):
            yield _samples(resampled)


def _samples(frame: av.AudioFrame) -> Samples:
    samples: Samples = np.nan_to_num(frame.to_ndarray().ravel().astype(np.float32))
    return samples


def _check_shape(frame: av.AudioFrame) -> None:
    channels = frame.layout.nb_channels
    rate = frame.sample_rate
    if not (_RATES_HERTZ[0] <= rate <= _RATES_HERTZ[1] and 1 <= channels <= _MOST_CHANNELS):
        msg = (
            f"{_FIELD} has {rate} samples a second and {channels} channels; it must have from "
            f"{_RATES_HERTZ[0]} to {_RATES_HERTZ[1]}, and 1 to {_MOST_CHANNELS}"
        )
        raise RecordingError(msg, field=_FIELD)


def _not_audio() -> RecordingError:
    msg = f"{_FIELD} is not an audio file that this server reads, or is damaged"
    return RecordingError(msg, field=_FIELD)
