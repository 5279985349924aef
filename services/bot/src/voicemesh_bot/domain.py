"""What the conversation is about: words heard, words written and sound made.

Plain values of the standard library. Times are seconds; text is Unicode; audio is signed 16-bit
little-endian mono PCM.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = (
    "Address",
    "Backend",
    "Final",
    "FinishTurn",
    "HistoryTurn",
    "ListeningEvent",
    "ModelEvent",
    "ModelFinished",
    "ModelStarted",
    "ModelText",
    "OpusPacket",
    "Partial",
    "Problem",
    "Role",
    "SoftFinal",
    "SpeechStarted",
    "TurnResumed",
    "VoiceAudio",
    "VoiceChoice",
)


class Backend(StrEnum):
    """A service that the bot needs."""

    STT = "stt"
    TTS = "tts"
    TRAINER = "trainer"


class Address(StrEnum):
    """Why a person's words are meant for the bot."""

    WRITTEN = "written"
    """They were written to it."""
    ALONE = "alone"
    """Nobody else is there."""
    NAMED = "named"
    """They begin or end with a name of the bot."""
    CONTINUED = "continued"
    """The person added to a question before the answer to it was heard."""
    FOLLOW_UP = "follow_up"
    """The person was just answered, or is being answered."""
    ANSWER = "answer"
    """The bot had asked."""


class Role(StrEnum):
    """Who speaks in a turn of the history."""

    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class HistoryTurn:
    """One thing said; of the assistant, only what was heard or shown."""

    role: Role
    """Who speaks."""

    text: str
    """What was said."""

    speaker: str = ""
    """Name of the person; empty if there is only one."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A backend's failure in words for people."""

    backend: Backend
    """Who failed."""

    sentence: str
    """One sentence: what happened and what still works."""

    down: bool = False
    """Whether the backend cannot be reached at all."""


@dataclass(frozen=True, slots=True)
class OpusPacket:
    """A piece of somebody's speech as Discord carries it: 20 ms as a rule, not decoded."""

    data: bytes
    """The packet as RFC 6716 defines it."""

    sequence: int
    """RTP sequence number, 0 to 65535, wrapping; a gap is loss."""

    rtp_timestamp: int
    """RTP timestamp in samples at 48 kHz, wrapping at 2^32; a gap in it alone is silence."""


@dataclass(frozen=True, slots=True)
class FinishTurn:
    """Among audio: the speaker let go of the button, so the open turn ends here."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak."""

    turn_id: int
    """Number of the turn; rises for each speaker."""

    revision: int = 0
    """Rises with each soft final of the turn."""


@dataclass(frozen=True, slots=True)
class Partial:
    """Words so far."""

    turn_id: int
    """Number of the turn."""

    revision: int
    """Revision of the turn."""

    stable: str
    """Words that will not change."""

    unstable: str
    """Words after them that may."""


@dataclass(frozen=True, slots=True)
class SoftFinal:
    """Words at a short silence; the turn may be over."""

    turn_id: int
    """Number of the turn."""

    revision: int
    """Revision of the turn."""

    text: str
    """The words."""

    end_of_turn_probability: float | None = None
    """How likely the speaker has finished, by the sound; None if nobody said."""


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The speaker went on: the last soft final does not hold."""

    turn_id: int
    """Number of the turn."""

    revision: int
    """Revision of the turn."""


@dataclass(frozen=True, slots=True)
class Final:
    """The turn is over."""

    turn_id: int
    """Number of the turn."""

    revision: int
    """Revision of the turn."""

    text: str
    """All words of the turn; blank if it was noise."""

    latency_s: float = 0.0
    """From the last voiced audio to this event."""

    speech_s: float = 0.0
    """From the first voiced audio to the last; 0 if unknown."""

    queue_s: float = 0.0
    """How long the last words waited to be recognised."""

    recognition_s: float = 0.0
    """How long it took to recognise them."""


ListeningEvent = SpeechStarted | Partial | SoftFinal | TurnResumed | Final


@dataclass(frozen=True, slots=True)
class ModelStarted:
    """The language model begins an answer."""

    response_id: str
    """Names the answer in feedback and corrections."""

    model: str
    """Name of the model that answers."""


@dataclass(frozen=True, slots=True)
class ModelText:
    """The next characters of an answer."""

    text: str
    """Never empty."""


@dataclass(frozen=True, slots=True)
class ModelFinished:
    """The answer is complete."""

    shortened: bool = False
    """Whether a limit ended it before the model had finished."""


ModelEvent = ModelStarted | ModelText | ModelFinished


@dataclass(frozen=True, slots=True)
class VoiceAudio:
    """The next sound of an answer."""

    audio: bytes
    """The samples; empty if it comes as packets."""

    sample_rate_hertz: int
    """Samples a second."""

    duration_s: float
    """Length of the audio."""

    span: tuple[int, int]
    """First character that it speaks and one past the last, over all text sent to the voice."""

    clause_end: bool = False
    """Whether its clause ends with it."""

    packets: tuple[bytes, ...] = ()
    """The sound as bare Opus packets of 20 ms at 48 kHz, if the voice makes such."""

    word_ends: tuple[tuple[float, int], ...] = ()
    """Words, where the voice knows when they are over: seconds from the beginning of all its sound,
    and one past the last character; in order over all sounds."""


@dataclass(frozen=True, slots=True)
class VoiceChoice:
    """How somebody wants to be answered aloud."""

    voice: str = ""
    """Id of the voice; empty for the one that is set up."""

    language_code: str = ""
    """BCP-47 code of the language that is spoken; empty for the voice's own."""
