"""What is spoken, and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from voicemesh_client.audio import AudioFormat, OpusPacket  # noqa: TC001 - dataclass readers resolve them at run time

__all__ = (
    "Cancel",
    "Cancelled",
    "Flush",
    "Flushed",
    "Pronunciation",
    "Speech",
    "SpeechAudio",
    "SpeechEvent",
    "SynthesisFinished",
    "SynthesisOptions",
    "SynthesisStarted",
    "SynthesisTimings",
    "TextSpan",
    "WordTiming",
)


@dataclass(frozen=True, slots=True)
class Pronunciation:
    """How one written form is spoken."""

    written: str
    """The word or phrase as written, compared without regard to case."""

    spoken: str
    """Another spelling, such as `engine ex`, or phonemes."""

    phonemes: bool = False
    """Whether `spoken` is in the International Phonetic Alphabet."""


@dataclass(frozen=True, slots=True)
class SynthesisOptions:
    """How a text is to be spoken; the defaults are the server's."""

    voice: str = ""
    """Id of a voice from `TextToSpeech.voices`; empty is the server's default."""

    language_code: str = ""
    """BCP-47 code of the text's language; empty is the voice's own."""

    format: AudioFormat | None = None
    """The audio wanted; None is WAV for `synthesize` and PCM_S16LE for `speak`."""

    speaking_rate: float | None = None
    """How fast, 0.25 to 4; None is 1."""

    pitch_semitones: float | None = None
    """Pitch, -20 to 20 semitones; None is 0."""

    volume_gain_db: float | None = None
    """Volume in decibels, -96 to 16; None is 0."""

    tenant: str = ""
    """Whose cloned voices may be named and whose pronunciations apply; empty is the shared only."""

    word_timings: bool = False
    """Whether words with their times are wanted, where the engine can."""

    leading_silence_s: float = 0.0
    """Silence before the first sound, 0 to 2 seconds."""

    pronunciations: tuple[Pronunciation, ...] = ()
    """Pronunciations for this text, at most 1,000."""


@dataclass(frozen=True, slots=True)
class TextSpan:
    """A stretch of the text, in Unicode code points over all that was sent so far."""

    start: int
    """First character, from 0."""

    end: int
    """One past the last character."""


@dataclass(frozen=True, slots=True)
class WordTiming:
    """When a word is spoken."""

    word: str
    """The word as it stands in the text, without markup."""

    start_s: float
    """When it begins, in seconds from the start of the audio."""

    end_s: float
    """When it ends, in seconds from the start of the audio."""

    span: TextSpan
    """Where it stands in the text."""


@dataclass(frozen=True, slots=True)
class SynthesisTimings:
    """Where the server's time went, in seconds."""

    queue_s: float = 0.0
    """From the arrival of the work to the start of synthesis."""

    first_audio_s: float = 0.0
    """From the arrival of the text to the first audio."""

    synthesis_s: float = 0.0
    """The engine's own work."""


@dataclass(frozen=True, slots=True)
class Speech:
    """A spoken text."""

    audio: bytes
    """The audio in `format`; empty if packets were asked for."""

    packets: tuple[OpusPacket, ...]
    """The audio as bare Opus packets, if they were asked for."""

    format: AudioFormat
    """How the audio is encoded."""

    duration_s: float
    """Length of the audio in seconds."""

    voice: str
    """Id of the voice that spoke."""

    words: tuple[WordTiming, ...]
    """The words with their times, if asked for and known."""

    timings: SynthesisTimings
    """Where the time went."""


@dataclass(frozen=True, slots=True)
class Flush:
    """Sent between pieces of text: speak what has been sent, finished sentence or not."""

    flush_id: int = 0
    """Comes back in `Flushed`; any number."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Sent between pieces of text: forget what has not been spoken; new text may follow."""

    cancel_id: int = 0
    """Comes back in `Cancelled`; any number."""


@dataclass(frozen=True, slots=True)
class SynthesisStarted:
    """The voice is ready; always the first event."""

    format: AudioFormat
    """Format of all audio of the stream."""

    voice: str
    """Id of the voice that speaks."""


@dataclass(frozen=True, slots=True)
class SpeechAudio:
    """The audio of a clause or of a part of one."""

    audio: bytes
    """The audio; the pieces of a stream are one continuous piece. Empty if packets are wanted."""

    packets: tuple[OpusPacket, ...]
    """The audio as bare Opus packets, if they were asked for."""

    span: TextSpan
    """The characters that this audio speaks."""

    clause_index: int
    """Number of the clause, from 0."""

    clause_end: bool
    """Whether this is the clause's last audio."""

    start_s: float
    """When it begins, in seconds from the start of the stream's audio."""

    duration_s: float
    """Length of the audio in seconds."""

    words: tuple[WordTiming, ...] = ()
    """The words with their times, if asked for and known."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """Everything before the flush has been spoken."""

    flush_id: int
    """The flush that is done."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Nothing from before the cancel will come any more."""

    cancel_id: int
    """The cancel that is done."""


@dataclass(frozen=True, slots=True)
class SynthesisFinished:
    """Everything has been spoken; always the last event."""

    character_count: int
    """Number of characters received."""

    duration_s: float
    """Length of all audio in seconds."""

    timings: SynthesisTimings
    """Where the time went."""


SpeechEvent: TypeAlias = SynthesisStarted | SpeechAudio | Flushed | Cancelled | SynthesisFinished
"""What `TextToSpeech.speak` yields."""
