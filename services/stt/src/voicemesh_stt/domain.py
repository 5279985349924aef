"""What callers ask of speech recognition and what they are told; standard library only.

Times are seconds from the start of the recording or stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

__all__ = (
    "AudioFormat",
    "Encoding",
    "FinishTurn",
    "Language",
    "LiveItem",
    "Lost",
    "Packet",
    "RecognitionOptions",
    "Segment",
    "Silence",
    "SpeechModel",
    "Task",
    "Timings",
    "Transcript",
    "TurnDetection",
    "Word",
    "end_threshold_of",
)

_HYSTERESIS = 0.15
_LEAST_END_THRESHOLD = 0.01


class Encoding(StrEnum):
    """How bytes of audio are to be read."""

    CONTAINER = "container"
    """Any container; its own header says what is inside."""
    PCM_S16LE = "pcm_s16le"
    PCM_F32LE = "pcm_f32le"
    MULAW = "mulaw"
    ALAW = "alaw"
    WAV = "wav"
    OGG_OPUS = "ogg_opus"
    MP3 = "mp3"
    FLAC = "flac"
    OPUS_PACKETS = "opus_packets"

    @property
    def is_headerless(self) -> bool:
        """Whether the bytes are bare samples, so that rate and channels must be told."""
        return self in {Encoding.PCM_S16LE, Encoding.PCM_F32LE, Encoding.MULAW, Encoding.ALAW}


@dataclass(frozen=True)
class AudioFormat:
    """How the audio of a request is encoded."""

    encoding: Encoding
    """The encoding of the bytes."""
    sample_rate_hertz: int = 0
    """Samples a second and channel; 0 where the encoding itself says it."""
    channel_count: int = 1
    """Interleaved channels, from 1 to 8."""


@dataclass(frozen=True)
class Packet:
    """One Opus packet; 20 ms as a rule, 2.5 to 120 ms in all."""

    data: bytes
    """The packet as RFC 6716 defines it."""
    sequence: int
    """RTP sequence number, 0 to 65535."""
    timestamp: int
    """RTP timestamp, 0 to 2^32 - 1, in samples at 48 kHz."""


@dataclass(frozen=True)
class Silence:
    """Time in which nothing was sent."""

    samples: int
    """Its length in samples at 48 kHz."""


@dataclass(frozen=True)
class Lost:
    """Packets that were sent and did not come."""

    samples: int
    """Their length in samples at 48 kHz; a whole number of 2.5 ms."""
    following: Packet
    """The packet after them, which may hold a coarse copy of the one before it (in-band FEC)."""


@dataclass(frozen=True)
class FinishTurn:
    """The speaker let go of the button: the open turn ends with the audio before this."""


LiveItem: TypeAlias = bytes | Packet | FinishTurn
"""What a caller may send on a live stream, after its config."""


class Task(StrEnum):
    """What is wanted of the speech."""

    TRANSCRIBE = "transcribe"
    TRANSLATE = "translate"


@dataclass(frozen=True)
class RecognitionOptions:
    """How speech is to be recognised."""

    language: str | None = None
    """The model's code of the spoken language; None means its only one, or detected."""
    task: Task = Task.TRANSCRIBE
    """Words as spoken, or in English."""
    initial_prompt: str = ""
    """Text that could have come before; biases spelling and style."""
    hotwords: tuple[str, ...] = ()
    """Words or names likely to be said."""
    word_timestamps: bool = False
    """Whether each word gets its times."""
    beam_size: int = 1
    """Width of the beam search."""


@dataclass(frozen=True)
class Word:
    """One word with its times."""

    text: str
    """The word with its punctuation, without spaces around it."""
    start_s: float
    """When it begins."""
    end_s: float
    """When it ends."""
    confidence: float
    """How sure the model is, 0 to 1."""


@dataclass(frozen=True)
class Segment:
    """A stretch of speech."""

    start_s: float
    """When it begins."""
    end_s: float
    """When it ends."""
    text: str
    """What was said, as the model spells it: with the space that separates it from the last."""
    confidence: float
    """The exponential of the mean log probability of its tokens."""
    words: tuple[Word, ...] = ()
    """Its words, if they were asked for."""
    channel: int = 0
    """The channel it was heard on, if channels were separated."""
    repetitive: bool = False
    """Whether its text repeats itself so much that the model may have been in a loop."""


@dataclass(frozen=True)
class Language:
    """The language of speech."""

    code: str
    """BCP-47 code; `und` where nobody spoke, so that none could be detected."""
    probability: float
    """0 to 1; 1 where it was given or is the model's only one."""


@dataclass(frozen=True)
class Timings:
    """Where the server's time went, in seconds."""

    queue_s: float = 0.0
    """From the arrival of the work to the start of recognition."""
    decode_s: float = 0.0
    """Decoding of the audio and voice activity detection."""
    inference_s: float = 0.0
    """The model's own work."""

    def __add__(self, other: Timings) -> Timings:
        return Timings(
            self.queue_s + other.queue_s,
            self.decode_s + other.decode_s,
            self.inference_s + other.inference_s,
        )


@dataclass(frozen=True)
class Transcript:
    """What was said in a recording."""

    segments: tuple[Segment, ...]
    """Stretches of speech, in order of time."""
    language: Language
    """The language and how it was found."""
    audio_s: float
    """Length of the recording."""
    model: str
    """Name of the model that was used."""
    timings: Timings
    """Where the time went."""

    @property
    def text(self) -> str:
        """All words in order; empty if nobody spoke."""
        return "".join(segment.text for segment in self.segments).strip()


def end_threshold_of(start_threshold: float) -> float:
    """The voice probability below which a voice has ended, where only that of its start is said."""
    return max(_LEAST_END_THRESHOLD, start_threshold - _HYSTERESIS)


@dataclass(frozen=True)
class TurnDetection:
    """When a turn of a live stream begins and ends; durations in seconds."""

    start_threshold: float = 0.5
    """Voice probability that opens a turn."""
    end_threshold: float = 0.35
    """Voice probability below which a voice has ended."""
    pre_roll_s: float = 0.3
    """Audio kept from before the voice began."""
    min_speech_s: float = 0.2
    """Shortest voice that opens a turn."""
    soft_stop_s: float | None = None
    """Silence after which words are made ready, in case the turn is over; None leaves it to the
    service, by how long words take."""
    complete_silence_s: float = 0.4
    """Silence after which a turn that sounds complete is over."""
    unsure_silence_s: float = 0.6
    """Silence after which a turn that may go on is over."""
    incomplete_silence_s: float = 1.5
    """Silence after which a turn that sounds incomplete is over."""
    max_turn_s: float = 30.0
    """Longest turn; a longer one is cut."""


@dataclass(frozen=True)
class SpeechModel:
    """A model that requests may name."""

    name: str
    """Its name."""
    language_codes: tuple[str, ...]
    """BCP-47 codes of the languages it knows, in order."""
    license: str
    """SPDX identifier or name of its licence."""
    device: str
    """What it runs on, such as `cpu int8`; empty until it is loaded."""
    loaded: bool = True
    """Whether it is in memory."""
    is_default: bool = True
    """Whether requests that name no model get it."""

    @property
    def is_multilingual(self) -> bool:
        """Whether it knows more than one language, and so can detect and translate."""
        return len(self.language_codes) > 1
