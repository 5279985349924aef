"""A file from its bytes to pieces with speech, slab after slab, in a thread of its own choosing."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from voicemesh_chassis.errors import InvalidArgumentError
from voicemesh_stt.errors import AudioTooLongError, UnreadableAudioError
from voicemesh_stt.files.cutting import WARM_FRAMES, Cutter
from voicemesh_stt.ports import FRAME_SAMPLES, SAMPLE_RATE_HERTZ

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    import numpy as np
    import numpy.typing as npt

    from voicemesh_stt.files.ports import AudioBlock
    from voicemesh_stt.ports import VoiceDetector
    from voicemesh_stt.scribe import Piece

__all__ = ("FileReading", "Slab")

_SLAB_S = 8.0
"""Audio that is read in one go, at most."""
_LEAST_SLAB_S = 1.0
_PATIENCE_S = 0.25
"""How long a slab may take once it has the least: of a slow upload no more is waited for."""
_BEYOND_S = 0.1
"""How far a resume offset may lie behind the end: times of words are not exact."""


@dataclass(frozen=True)
class Slab:
    """What the next seconds of a file hold."""

    pieces: tuple[Piece, ...]
    """Pieces with speech, of each channel in order."""
    done_s: tuple[float, ...]
    """For each channel the time, in seconds, before which no further piece begins."""
    read_s: float
    """How much of the file has been decoded, in seconds."""
    stated_s: float | None
    """Length of the file in seconds as far as its header says it."""
    is_last: bool
    """Whether the file ends with it."""


class FileReading:
    """Reads one file. One thread at a time may be in `slab`, not always the same."""

    def __init__(
        self,
        blocks: Generator[AudioBlock],
        new_detector: Callable[[], VoiceDetector],
        *,
        resume_s: float,
        max_audio_s: float,
    ) -> None:
        """Makes a reading; nothing is decoded yet.

        Args:
            blocks: the audio of the file.
            new_detector: makes a voice detector for one channel.
            resume_s: the time from which speech is wanted, in seconds.
            max_audio_s: most audio in the file, in seconds.
        """
        self._blocks = blocks
        self._new_detector = new_detector
        self._resume_s = resume_s
        self._max_audio_s = max_audio_s
        # The first frame that lies behind the offset as a whole: not a sample before it is heard.
        self._first_frame = -int(-resume_s * SAMPLE_RATE_HERTZ // FRAME_SAMPLES)
        self._cutters: list[Cutter] = []
        self._read_samples = 0
        self._stated_s: float | None = None
        self._stop = threading.Event()

    def stop(self) -> None:
        """Makes `slab` return soon, with whatever it has; from any thread."""
        self._stop.set()

    def close(self) -> None:
        """Frees what reading took; only when no thread is in `slab`."""
        self._blocks.close()

    def slab(self) -> Slab:
        """The next seconds of the file.

        Raises:
            InvalidArgumentError: at its end, if that comes before the resume offset.
            UnreadableAudioError: if it is not audio, damaged, cut off, or without any samples.
            AudioTooLongError: if it is longer than allowed.
        """
        begun_s = time.monotonic()
        first = self._read_samples
        pieces: list[Piece] = []
        for block in self._blocks:
            pieces += self._take(block)
            new_s = (self._read_samples - first) / SAMPLE_RATE_HERTZ
            late = time.monotonic() - begun_s > _PATIENCE_S and new_s >= _LEAST_SLAB_S
            if new_s >= _SLAB_S or late or self._stop.is_set():
                return self._slab(pieces, is_last=False)
        if not self._stop.is_set():
            self._check_end()
        for cutter in self._cutters:
            pieces += cutter.finish()
        return self._slab(pieces, is_last=True)

    def _take(self, block: AudioBlock) -> list[Piece]:
        self._stated_s = block.stated_s
        self._read_samples = block.first_sample + block.planes.shape[1]
        if self._read_samples > self._max_audio_s * SAMPLE_RATE_HERTZ:
            msg = f"audio is longer than the {self._max_audio_s:g} s that a file may have"
            raise AudioTooLongError(msg, field="audio")
        if not self._cutters:
            planes, frame = self._first_heard(block)
            if not planes.shape[1]:
                return []
            self._cutters = self._new_cutters(len(planes), frame)
        else:
            planes = block.planes
        return [
            piece
            for cutter, samples in zip(self._cutters, planes, strict=True)
            for piece in cutter.push(samples)
        ]

    def _first_heard(self, block: AudioBlock) -> tuple[npt.NDArray[np.float32], int]:
        """The audio of a block from where it is listened to, and the frame that begins there."""
        wanted = max(0, self._first_frame - WARM_FRAMES) * FRAME_SAMPLES
        begin = max(wanted, block.first_sample)
        begin += -begin % FRAME_SAMPLES  # frames are counted from the start of the file
        return block.planes[:, begin - block.first_sample :], begin // FRAME_SAMPLES

    def _new_cutters(self, channels: int, frame: int) -> list[Cutter]:
        return [
            Cutter(
                self._new_detector(),
                channel=channel,
                heard_from=frame,
                first_frame=max(frame, self._first_frame),
            )
            for channel in range(channels)
        ]

    def _slab(self, pieces: list[Piece], *, is_last: bool) -> Slab:
        read_s = self._read_samples / SAMPLE_RATE_HERTZ
        if is_last:
            done_s = tuple(max(read_s, cutter.done_s) for cutter in self._cutters)
        else:
            done_s = tuple(cutter.done_s for cutter in self._cutters)
        return Slab(tuple(pieces), done_s, read_s, self._stated_s, is_last)

    def _check_end(self) -> None:
        read_s = self._read_samples / SAMPLE_RATE_HERTZ
        if not self._read_samples:
            msg = "audio holds no samples"
            raise UnreadableAudioError(msg, field="audio")
        if read_s + _BEYOND_S < self._resume_s:
            field = "config.resume_offset"
            msg = f"{field}: {self._resume_s:g} s are beyond the end of the file at {read_s:g} s"
            raise InvalidArgumentError(msg, field=field)
