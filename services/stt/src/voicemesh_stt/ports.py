"""What this service needs, as it needs it. Nothing here names a library or a message."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_stt.domain import (
        AudioFormat,
        Language,
        Packet,
        RecognitionOptions,
        Segment,
        Silence,
        SpeechModel,
    )
    from voicemesh_stt.events import EndReason

__all__ = (
    "SAMPLE_RATE_HERTZ",
    "Engine",
    "Job",
    "Lane",
    "LiveDecoder",
    "Recognition",
    "RecordingDecoder",
    "Samples",
    "StreamObserver",
    "Transcriber",
    "VoiceDetector",
)

SAMPLE_RATE_HERTZ = 16_000
"""The rate of all decoded audio."""

Samples: TypeAlias = npt.NDArray[np.float32]
"""Mono audio at 16 kHz in [-1, 1], float32 [samples]."""


class Lane(IntEnum):
    """What a job is for, most urgent first."""

    LIVE = 0
    """Words at a pause of a live turn."""
    PARTIAL = 1
    """Words in the middle of a live turn; refused as soon as anything else waits."""
    BULK = 2
    """A piece of a whole recording."""


@dataclass(frozen=True, eq=False)
class Job:
    """One piece of audio to be recognised, at most 30 s long."""

    audio: Samples
    """The audio."""
    options: RecognitionOptions
    """How to recognise it."""
    lane: Lane
    """How urgent it is."""
    timeout_s: float
    """Longest time from asking to the words, in seconds."""
    cancelled: threading.Event = field(default_factory=threading.Event)
    """Set when nobody wants the words any more; engines look at it where they can stop."""

    @property
    def audio_s(self) -> float:
        """Length of the audio in seconds."""
        return len(self.audio) / SAMPLE_RATE_HERTZ


@dataclass(frozen=True)
class Recognition:
    """The words of one job; times are from the start of its audio."""

    segments: tuple[Segment, ...]
    """Stretches of speech in order; none if the engine heard no words."""
    language: Language
    """The language and how it was found."""
    queue_s: float = 0.0
    """How long the job waited, in seconds."""
    inference_s: float = 0.0
    """How long the engine worked, in seconds."""

    @property
    def text(self) -> str:
        """All words."""
        return "".join(segment.text for segment in self.segments).strip()


class Transcriber(Protocol):
    """Turns jobs into words, in whatever order and batches it sees fit.

    Safe to call from many tasks of one event loop. It keeps no text from one job to another.
    """

    async def transcribe(self, job: Job) -> Recognition:
        """The words of `job`. Cancelling the call takes the job out of the queue.

        Raises:
            QueueFullError: at once, if as many jobs wait as may.
            JobExpiredError: if `job.timeout_s` has passed.
        """
        ...


class Engine(Protocol):
    """A loaded model. Called from one thread at a time, never from the event loop's."""

    @property
    def model(self) -> SpeechModel:
        """What it is."""
        ...

    def recognise(self, job: Job) -> Recognition:
        """The words of `job`, with no regard to any other; stops early once it is cancelled."""
        ...


class VoiceDetector(Protocol):
    """Says where in one stream somebody speaks; keeps state between calls, so one per stream.

    Not thread-safe, but may be called from different threads one after another.
    """

    def probabilities(self, audio: Samples) -> Sequence[float]:
        """The probability of a voice in each further frame of 512 samples (32 ms).

        Args:
            audio: the next samples of the stream; a whole number of frames.
        """
        ...


class LiveDecoder(Protocol):
    """Decodes one live stream to 16 kHz mono. Keeps state; one per stream, as `VoiceDetector`."""

    def decode(self, item: bytes | Packet | Silence) -> Samples:
        """The samples that can be decoded now; may be none.

        Raises:
            UnreadableAudioError: if the item cannot be decoded.
        """
        ...

    def flush(self) -> Samples:
        """The samples still held back at the end of the stream."""
        ...


class RecordingDecoder(Protocol):
    """Decodes whole recordings. Thread-safe."""

    def decode(
        self, audio: bytes, audio_format: AudioFormat, *, separate: bool, stop: threading.Event
    ) -> list[Samples]:
        """The recording at 16 kHz: one mono mix, or each channel if `separate`.

        Returns early, with what there is, once `stop` is set.

        Raises:
            UnreadableAudioError: if the bytes are not audio of that format, or are cut off.
            AudioTooLongError: as soon as more has been decoded than is allowed.
        """
        ...


class StreamObserver(Protocol):
    """Is told how live streams go, to count it. Called in the event loop; must not block."""

    def stream_opened(self) -> None:
        """A stream began."""
        ...

    def stream_closed(self) -> None:
        """A stream ended, however it ended."""
        ...

    def audio_heard(self, audio_s: float) -> None:
        """So many more seconds of live audio were decoded."""
        ...

    def turn_over(self, reason: EndReason, latency_s: float) -> None:
        """A final was made so many seconds after the last voice arrived."""
        ...
