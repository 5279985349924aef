"""The words of a passage of audio of any length, by jobs that the engine can take."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from voicemesh_stt.domain import Language, RecognitionOptions, Segment, SpeechModel, Timings
from voicemesh_stt.errors import JobExpiredError
from voicemesh_stt.plausibility import plausible
from voicemesh_stt.ports import Job, Lane, Recognition, Samples, Transcriber
from voicemesh_stt.turns import FRAME_S, FRAME_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voicemesh_stt.chunks import Chunk

__all__ = ("Asking", "Heard", "Passage", "hear", "language_of")

_UNDETERMINED = Language("und", 0.0)


@dataclass(frozen=True)
class Passage:
    """Audio and the pieces of it in which somebody speaks."""

    audio: Samples
    """The audio."""
    chunks: Sequence[Chunk]
    """Its pieces, in order; frames are counted from the start of `audio`."""
    start_s: float = 0.0
    """When the audio begins in the recording or stream."""
    channel: int = 0
    """The channel it is of."""


@dataclass(frozen=True)
class Asking:
    """How the words are wanted."""

    options: RecognitionOptions
    """How to recognise."""
    lane: Lane
    """How urgent it is."""
    deadline_s: float
    """When the answer is no longer wanted, on the monotonic clock."""


@dataclass(frozen=True)
class Heard:
    """The words of a passage."""

    segments: tuple[Segment, ...]
    """Stretches of speech; times are from the start of the recording or stream."""
    language: Language | None
    """The language; None if there was nothing to hear it in."""
    timings: Timings
    """Where the time went."""

    @property
    def text(self) -> str:
        """All words."""
        return "".join(segment.text for segment in self.segments).strip()


async def hear(transcriber: Transcriber, passage: Passage, asking: Asking) -> Heard:
    """The words of a passage, piece after piece; a detected language holds for later pieces.

    Raises:
        QueueFullError: if there is no room for a piece.
        JobExpiredError: if the deadline has passed.
    """
    segments: list[Segment] = []
    language: Language | None = None
    timings = Timings()
    options = asking.options
    for chunk in passage.chunks:
        first, end = chunk.first_frame * FRAME_SAMPLES, chunk.end_frame * FRAME_SAMPLES
        timeout_s = asking.deadline_s - time.monotonic()
        if timeout_s <= 0:
            msg = "the audio could not be recognised in the time allowed"
            raise JobExpiredError(msg)
        job = Job(passage.audio[first:end], options, asking.lane, timeout_s)
        found = await transcriber.transcribe(job)
        segments += _placed(found, job, chunk, passage)
        timings += Timings(queue_s=found.queue_s, inference_s=found.inference_s)
        if language is None:
            language = found.language
            options = replace(options, language=language.code)
    return Heard(tuple(segments), language, timings)


def language_of(heard: Heard, options: RecognitionOptions, model: SpeechModel) -> Language:
    """The language and how it was found, also where nobody spoke."""
    if options.language is not None:
        return Language(options.language, 1.0)
    if not model.is_multilingual:
        return Language(model.language_codes[0], 1.0)
    return heard.language or _UNDETERMINED


def _placed(found: Recognition, job: Job, chunk: Chunk, passage: Passage) -> tuple[Segment, ...]:
    """The plausible segments, with times from the start of the recording or stream."""
    voiced_s = chunk.voiced_frames * FRAME_S
    kept = plausible(found.segments, voiced_s=voiced_s, audio_s=job.audio_s)
    shift_s = passage.start_s + chunk.first_frame * FRAME_S
    return tuple(_shifted(segment, shift_s, passage.channel) for segment in kept)


def _shifted(segment: Segment, shift_s: float, channel: int) -> Segment:
    words = tuple(
        replace(word, start_s=word.start_s + shift_s, end_s=word.end_s + shift_s)
        for word in segment.words
    )
    return replace(
        segment,
        start_s=segment.start_s + shift_s,
        end_s=segment.end_s + shift_s,
        words=words,
        channel=channel,
    )
