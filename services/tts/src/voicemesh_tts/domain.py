"""What the service talks about: voices, clauses, formats, and the events of a text being spoken.

Frozen values without behaviour worth mentioning; nothing here knows of gRPC or of an engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

__all__ = (
    "AudioFormat",
    "CancelText",
    "CancelledSpeech",
    "Clause",
    "EncodedAudio",
    "Encoding",
    "FinishedSpeech",
    "FlushText",
    "FlushedSpeech",
    "Gender",
    "Prosody",
    "Span",
    "SpeechAudio",
    "SpeechEvent",
    "SpeechRequest",
    "SpokenWord",
    "TextEvent",
    "TextPiece",
    "TimedWord",
    "Timings",
    "Utterance",
    "Voice",
    "WordTime",
)


class Encoding(StrEnum):
    """How audio leaves the service."""

    PCM_S16LE = "pcm_s16le"
    PCM_F32LE = "pcm_f32le"
    MULAW = "mulaw"
    ALAW = "alaw"
    WAV = "wav"
    OGG_OPUS = "ogg_opus"
    MP3 = "mp3"
    FLAC = "flac"
    OPUS_PACKETS = "opus_packets"


class Gender(StrEnum):
    """The gender a voice sounds like."""

    UNKNOWN = "unknown"
    FEMALE = "female"
    MALE = "male"
    NEUTRAL = "neutral"


@dataclass(frozen=True)
class AudioFormat:
    """The format of all audio of one call."""

    encoding: Encoding
    """How the samples are written."""

    sample_rate_hertz: int
    """Samples a second and channel."""

    channel_count: int = 1
    """1, or 2 with the same sound on both."""


@dataclass(frozen=True)
class Voice:
    """Somebody who can speak."""

    id: str
    """`engine:name`, as requests write it."""

    display_name: str
    """Name for people."""

    language_codes: tuple[str, ...]
    """BCP-47 codes."""

    sample_rate_hertz: int
    """The rate the engine makes."""

    gender: Gender = Gender.UNKNOWN
    """As it sounds, where that is known."""

    license: str = ""
    """SPDX identifier or name; empty if it is not known."""

    takes_phonemes: bool = False
    """Whether it speaks IPA."""

    has_word_times: bool = False
    """Whether it says when each word is spoken."""

    tenant: str = ""
    """Whom it belongs to, if it was cloned."""

    create_time: datetime | None = None
    """When it was cloned, with a time zone; None if it was not."""

    @property
    def engine(self) -> str:
        """The engine's name, the part of the id before the colon."""
        return self.id.partition(":")[0]


@dataclass(frozen=True)
class SpeechRequest:
    """How a text is to be spoken, checked and with every default filled in."""

    voice: Voice
    """Who speaks."""

    format: AudioFormat
    """The audio wanted."""

    speaking_rate: float = 1.0
    """How fast, 0.25 to 4."""

    pitch_semitones: float = 0.0
    """How much higher than the voice's own pitch, -20 to 20."""

    gain_db: float = 0.0
    """Volume, -96 to 16 dB."""

    leading_silence_s: float = 0.0
    """Silence before the first sound, in seconds."""

    language_code: str = ""
    """BCP-47 code of the text's language; empty for the voice's own."""

    word_timings: bool = False
    """Whether the caller wants to know when each word is spoken."""


@dataclass(frozen=True)
class Span:
    """A stretch of the input text in code points, over all text of the call."""

    start: int
    """First character, from 0."""

    end: int
    """One past the last character."""


@dataclass(frozen=True)
class SpokenWord:
    """A word as it is to be read."""

    text: str
    """What a reader would say, with the punctuation that clings to it, without blanks."""

    span: Span
    """The characters of the input that it stands for; several words may share them."""

    phonemes: str = ""
    """Its sound in the International Phonetic Alphabet, over `text`; empty for the engine's own. A
    sign of stress stands right before its vowel, as espeak-ng writes it."""


@dataclass(frozen=True)
class Prosody:
    """How a stretch of text differs from the rest."""

    rate: float = 1.0
    """How many times as fast."""

    pitch_semitones: float = 0.0
    """How much higher."""

    gain_db: float = 0.0
    """How much louder."""


@dataclass(frozen=True)
class Clause:
    """A piece of text that is spoken in one go."""

    text: str
    """The text as it was written, without white space around it."""

    span: Span
    """Where it stands."""

    words: tuple[SpokenWord, ...] | None = None
    """The words to be said; None if they are still to be found in the text."""

    pause_s: float = 0.0
    """Silence before it, in seconds; a clause without words may be a pause alone."""

    prosody: Prosody = Prosody()
    """How it is to sound."""


@dataclass(frozen=True)
class Utterance:
    """What an engine is asked to say in one go."""

    words: tuple[SpokenWord, ...]
    """The words of one clause, in order."""

    voice: str
    """Id of the voice."""

    speaking_rate: float = 1.0
    """How fast; 2 is twice as fast."""

    language_code: str = ""
    """BCP-47 code of their language; empty for the voice's own."""

    is_awaited: bool = True
    """Whether somebody waits for its first sound; else larger pieces will do, which cost less."""

    @property
    def text(self) -> str:
        """The words with blanks between them."""
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class WordTime:
    """When a word of an utterance is spoken."""

    index: int
    """Which of the utterance's words, from 0."""

    start_s: float
    """When it begins, in seconds from the utterance's first sample."""

    end_s: float
    """When it ends."""


@dataclass(frozen=True)
class EncodedAudio:
    """Audio in the format of the call; `data` or `packets` is filled, by the encoding."""

    data: bytes = b""
    """Bytes that continue those before."""

    packets: tuple[bytes, ...] = ()
    """Bare Opus packets of 20 ms."""

    sample_count: int = 0
    """How many samples (per channel) of the timeline this covers."""


@dataclass(frozen=True)
class TimedWord:
    """When a word of the text is spoken."""

    text: str
    """The word as it stands in the text, without markup."""

    span: Span
    """Where it stands."""

    start_s: float
    """When it begins, in seconds from the first sample of the call."""

    end_s: float
    """When it ends."""


@dataclass(frozen=True)
class TextPiece:
    """The next characters of a text being written."""

    text: str
    """Cut anywhere."""


@dataclass(frozen=True)
class FlushText:
    """Everything before this is to be spoken now."""

    flush_id: int
    """Comes back in `FlushedSpeech`."""


@dataclass(frozen=True)
class CancelText:
    """Nothing before this is to be spoken any more."""

    cancel_id: int
    """Comes back in `CancelledSpeech`."""


TextEvent = TextPiece | FlushText | CancelText
"""What a caller sends while a text is being written."""


@dataclass(frozen=True)
class SpeechAudio:
    """The audio of a clause or of a part of one."""

    audio: EncodedAudio
    """The next audio."""

    span: Span
    """The characters of the clause."""

    clause_index: int
    """Number of the clause, from 0."""

    clause_end: bool
    """Whether the clause ends with it."""

    start_sample: int
    """Where it begins on the timeline of the call, in samples."""

    words: tuple[TimedWord, ...] = ()
    """Words that begin in it, or have been timed since the audio before it."""


@dataclass(frozen=True)
class FlushedSpeech:
    """Everything before the flush has been spoken."""

    flush_id: int
    """The flush that is done."""


@dataclass(frozen=True)
class CancelledSpeech:
    """Nothing from before the cancel comes any more."""

    cancel_id: int
    """The cancel that is done."""


@dataclass(frozen=True)
class Timings:
    """Where the time went, in seconds."""

    queue_s: float = 0.0
    """From the first clause to the start of its synthesis."""

    first_audio_s: float = 0.0
    """From the first clause to its first encoded audio; 0 if there was none."""

    synthesis_s: float = 0.0
    """The engine's own work, all clauses together."""


@dataclass(frozen=True)
class FinishedSpeech:
    """Everything has been spoken."""

    character_count: int
    """Characters received."""

    sample_count: int
    """Length of all audio, in samples."""

    timings: Timings = field(default_factory=Timings)
    """Where the time went."""


SpeechEvent = SpeechAudio | FlushedSpeech | CancelledSpeech | FinishedSpeech
"""What comes back while a text is spoken."""
