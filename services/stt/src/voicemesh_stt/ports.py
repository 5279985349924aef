"""What this service needs, as it needs it. Nothing here names a library or a message."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from voicemesh_stt.domain import (
        AudioFormat,
        Language,
        Lost,
        Packet,
        RecognitionOptions,
        Segment,
        Silence,
        SpeechModel,
    )
    from voicemesh_stt.events import EndReason

__all__ = (
    "FRAME_S",
    "FRAME_SAMPLES",
    "SAMPLE_RATE_HERTZ",
    "Admission",
    "Again",
    "EndOfTurnModel",
    "Engine",
    "EngineObserver",
    "EngineSource",
    "Features",
    "Job",
    "Lane",
    "LiveDecoder",
    "ModelLibrary",
    "ModelObserver",
    "Prepared",
    "Recognition",
    "RecordingDecoder",
    "Samples",
    "StreamObserver",
    "Transcriber",
    "VoiceDetector",
    "Worked",
)

SAMPLE_RATE_HERTZ = 16_000
"""The rate of all decoded audio."""
FRAME_SAMPLES = 512
"""Samples of a frame of voice activity at 16 kHz, as Silero VAD wants them."""
FRAME_S = FRAME_SAMPLES / SAMPLE_RATE_HERTZ
"""Length of a frame in seconds."""

Samples: TypeAlias = npt.NDArray[np.float32]
"""Mono audio at 16 kHz in [-1, 1], float32 [samples]."""

Features: TypeAlias = npt.NDArray[np.float32]
"""What an engine looks at, float32 [mels, frames of 10 ms]."""


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
    model: str = ""
    """Name of the model; empty means the default one."""
    caller: Hashable = field(default_factory=object)
    """Who asks. Callers take turns within a lane, whatever each of them has waiting."""
    turn: Hashable | None = None
    """What the words are of, if a newer job for it makes a waiting older one pointless."""
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


@dataclass(frozen=True, eq=False)
class Prepared:
    """A job as an engine takes it."""

    job: Job
    """The job."""
    features: Features
    """Its audio, padded to the context that the engine is to look at."""
    audio_frames: int
    """How many of the frames are audio, or the silence that was put before it."""
    lead_frames: int
    """How many of them are that silence."""
    batch_key: Hashable
    """Only jobs with equal keys, for one model, may be in a batch."""

    @property
    def context_s(self) -> float:
        """Length of the context in seconds."""
        return float(self.features.shape[-1]) / 100

    @property
    def lead_s(self) -> float:
        """Length of the silence before the audio, in seconds."""
        return self.lead_frames / 100


@dataclass(frozen=True)
class Again:
    """Words that the engine does not believe; a second look, at more context, may give better."""

    prepared: Prepared
    """The same job, prepared for that look."""
    found: Recognition
    """The words so far, for want of better ones."""


@dataclass(frozen=True)
class Worked:
    """What came of one batch, and how long it took."""

    outcomes: Sequence[Recognition | Again]
    """One for each job, in the order of the batch."""
    encoder_s: float = 0.0
    """Time in the encoder, in seconds."""
    decoder_s: float = 0.0
    """Time in the decoder, in seconds; later temperatures and word times count."""


class Transcriber(Protocol):
    """Turns jobs into words, in whatever order and batches it sees fit.

    Safe to call from many tasks of one event loop. It keeps no text from one job to another.
    """

    async def transcribe(self, job: Job) -> Recognition:
        """The words of `job`. Cancelling the call takes the job out of the queue.

        Raises:
            QueueFullError: at once, if as many jobs wait as may, or more than can be done in time.
            JobExpiredError: if `job.timeout_s` has passed, or will have before the words are there.
            JobSupersededError: if a newer job of the same turn took its place in the queue.
            UnavailableError: if the service stops, or the model is not loaded.
        """
        ...


class Engine(Protocol):
    """A loaded model. Thread-safe, and never called from the event loop's thread."""

    @property
    def model(self) -> SpeechModel:
        """What it is."""
        ...

    @property
    def workers(self) -> int:
        """How many threads may be in `recognise` at once to some avail."""
        ...

    @property
    def most_in_batch(self) -> int:
        """Most jobs in one batch."""
        ...

    @property
    def memory_bytes(self) -> int:
        """Memory that the model takes up, in bytes."""
        ...

    def prepare(self, job: Job) -> Prepared:
        """`job` with its features; takes about a millisecond for some seconds of audio."""
        ...

    def recognise(self, batch: Sequence[Prepared]) -> Worked:
        """The words of each job, with no regard to any other.

        Work on a job that is cancelled may be cut short; what it comes to then does not matter.

        Args:
            batch: at most `most_in_batch` jobs, all with the same `batch_key`.
        """
        ...


class EngineSource(Protocol):
    """Where loaded models are found. Called in the event loop; must not block."""

    def engine(self, name: str) -> Engine:
        """The engine of a model that is loaded; of the default one if the name is empty.

        Raises:
            UnavailableError: if it is not loaded.
        """
        ...


class ModelLibrary(Protocol):
    """The speech models on disk. Thread-safe; blocks, so it is not for the event loop's thread."""

    @property
    def default(self) -> str:
        """Name of the model that requests get which name none."""
        ...

    @property
    def kept(self) -> frozenset[str]:
        """Names of the models that are loaded at the start and stay loaded; `default` is one."""
        ...

    def models(self) -> Sequence[SpeechModel]:
        """What may be loaded, as it is on disk now; none of it says that it is loaded."""
        ...

    def load(self, name: str) -> Engine:
        """Loads and warms one of `models`.

        Raises:
            ModelLoadError: if its files are missing or damaged, or the device cannot take it.
        """
        ...

    def unload(self, engine: Engine) -> None:
        """Frees the memory of what `load` gave, once work in progress is done."""
        ...


class ModelObserver(Protocol):
    """Is told which models are in memory, to count it. Called in the event loop; must not block."""

    def model_loaded(self, model: str, memory_bytes: int) -> None:
        """A model is in memory and takes up so much of it."""
        ...

    def model_unloaded(self, model: str) -> None:
        """A model is in memory no more."""
        ...


class EngineObserver(Protocol):
    """Is told how batches go, to count it. Called in the event loop; must not block."""

    def batch_done(
        self, model: str, batch: Sequence[Prepared], worked: Worked, spent_s: float
    ) -> None:
        """A batch of that model took a worker so many seconds."""
        ...


class Admission(Protocol):
    """Says whether there is room for one more caller. Called in the event loop."""

    def overloaded(self) -> float | None:
        """When a new live stream may try again, in seconds; None if there is room for it now."""
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


class EndOfTurnModel(Protocol):
    """Hears whether somebody who fell silent has finished. Thread-safe, and keeps nothing."""

    def probability(self, audio: Samples) -> float:
        """The probability that the turn is complete, 0 to 1; takes tens of milliseconds.

        Args:
            audio: the turn so far, up to and with a short silence; its last 8 s are enough.
        """
        ...


class LiveDecoder(Protocol):
    """Decodes one live stream to 16 kHz mono. Keeps state; one per stream, as `VoiceDetector`."""

    def decode(self, item: bytes | Packet | Lost | Silence) -> Samples:
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
