"""Whole recordings to 16 kHz: any container that PyAV reads, or headerless samples."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from voicemesh_stt.engines.frames import (
    audio_stream,
    check_length,
    checked_shape,
    floats,
    opened,
    planes_of,
)
from voicemesh_stt.engines.raw_audio import raw_blocks
from voicemesh_stt.engines.resampling import Planes, Resampler, mixed
from voicemesh_stt.engines.wav_header import check_wav_header
from voicemesh_stt.errors import AudioTooLongError, UnreadableAudioError
from voicemesh_stt.ports import SAMPLE_RATE_HERTZ, Samples

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from voicemesh_stt.domain import AudioFormat, Encoding

__all__ = ("BoundedRecordingDecoder",)


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
            yield resampler.push(floats(planes[:, start : start + resampler.block_samples]))
    if resampler is not None:
        yield resampler.flush()


def _decoded(audio: bytes, encoding: Encoding) -> Iterator[tuple[int, npt.NDArray[Any]]]:
    """The rate and the samples [channels, samples] of each decoded frame, as the decoder left them.

    Only what FFmpeg does with the bytes is in the block: what goes wrong there is their fault.
    """
    check_wav_header(io.BytesIO(audio))
    with opened(io.BytesIO(audio), encoding, audio[:8]) as container:
        stream = audio_stream(container)
        shape = (0, 0)
        decoded_s = 0.0
        for frame in container.decode(stream):
            shape = checked_shape(frame, shape)
            decoded_s += frame.samples / frame.sample_rate
            yield frame.sample_rate, planes_of(frame)
        check_length(container, stream, decoded_s)
