"""What is said in a recording, and how it is to be recognised."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = (
    "DetectedLanguage",
    "RecognitionTimings",
    "Segment",
    "SpeechModel",
    "Transcript",
    "TranscriptionOptions",
    "TranscriptionTask",
    "Word",
)


class TranscriptionTask(StrEnum):
    """What is wanted of the speech."""

    TRANSCRIBE = "transcribe"
    """Words in the language that was spoken."""

    TRANSLATE = "translate"
    """Words in English, whatever was spoken. Needs a multilingual model."""


@dataclass(frozen=True, slots=True)
class TranscriptionOptions:
    """How speech is to be recognised; the defaults are the server's."""

    model: str = ""
    """Name of a model from `SpeechToText.models`; empty is the server's default."""

    language_code: str = ""
    """BCP-47 code of the spoken language; empty is the model's only one, or detected."""

    task: TranscriptionTask = TranscriptionTask.TRANSCRIBE
    """What is wanted."""

    initial_prompt: str = ""
    """Text that could have come before, at most 1,000 characters; biases spelling and style."""

    hotwords: tuple[str, ...] = ()
    """Words or names likely to be said, at most 100 of at most 50 characters."""

    word_timestamps: bool = False
    """Whether words with their times are wanted; costs about a third more."""

    separate_channels: bool = False
    """Whether each channel is one speaker; otherwise channels are mixed."""

    beam_size: int | None = None
    """Width of the beam search, 1 to 10; None is the server's default."""


@dataclass(frozen=True, slots=True)
class Word:
    """One word with its times."""

    text: str
    """The word with its punctuation, without spaces around it."""

    start_s: float
    """When it begins, in seconds from the start of the recording or stream."""

    end_s: float
    """When it ends, in seconds from the start of the recording or stream."""

    confidence: float
    """How sure the model is, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of speech."""

    text: str
    """What was said."""

    start_s: float
    """When it begins, in seconds from the start of the recording or stream."""

    end_s: float
    """When it ends, in seconds from the start of the recording or stream."""

    confidence: float
    """How sure the model is, 0 to 1."""

    words: tuple[Word, ...] = ()
    """The words with their times, if they were asked for."""

    channel: int = 0
    """The channel, from 0, if channels were separated."""


@dataclass(frozen=True, slots=True)
class DetectedLanguage:
    """The language of speech."""

    code: str
    """BCP-47 code; empty if there was nothing to tell it from."""

    probability: float
    """0 to 1; 1 where the language was given or is the model's only one."""


@dataclass(frozen=True, slots=True)
class RecognitionTimings:
    """Where the server's time went, in seconds."""

    queue_s: float = 0.0
    """From the arrival of the work to the start of recognition."""

    decode_s: float = 0.0
    """Decoding of the audio and voice activity detection."""

    inference_s: float = 0.0
    """The model's own work."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in one recording."""

    text: str
    """All words in order; empty if nobody spoke."""

    segments: tuple[Segment, ...]
    """The parts in which somebody spoke, in order."""

    language: DetectedLanguage
    """The language and how sure that is."""

    audio_s: float
    """Length of the recording in seconds."""

    model: str
    """Name of the model that was used."""

    timings: RecognitionTimings
    """Where the time went."""


@dataclass(frozen=True, slots=True)
class SpeechModel:
    """A recognition model that the server can use."""

    name: str
    """Name that `TranscriptionOptions.model` takes."""

    language_codes: tuple[str, ...]
    """BCP-47 codes of the languages it knows."""

    loaded: bool
    """Whether it is in memory and answers at once."""

    default: bool
    """Whether requests that name no model get it."""

    license: str
    """SPDX identifier or name of its licence."""

    device: str
    """What it runs on, such as `cpu int8`."""
