"""Turns of live speech: when one begins and ends, and what is heard on the way.

Every event carries `(turn_id, revision)`: a consumer drops whatever is older than the newest pair
it has seen.

    SpeechStarted  Partial*  (SoftFinal  TurnResumed  Partial*)*  SoftFinal?  Final
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

# Not only for the checker: documentation tools and dataclass readers resolve these at run time.
from voicemesh_client.transcripts import (  # noqa: TC001
    DetectedLanguage,
    RecognitionTimings,
    Segment,
)

__all__ = (
    "EndOfTurnReason",
    "Final",
    "FinishTurn",
    "Partial",
    "SoftFinal",
    "SpeechStarted",
    "TurnDetection",
    "TurnEvent",
    "TurnResumed",
)


@dataclass(frozen=True, slots=True)
class FinishTurn:
    """Sent between pieces of audio: ends the open turn now, as when a talk button is let go."""


@dataclass(frozen=True, slots=True)
class TurnDetection:
    """When a turn begins and ends; None leaves a value to the server."""

    start_threshold: float | None = None
    """Voice probability that opens a turn, 0.05 to 0.95."""

    end_threshold: float | None = None
    """Voice probability below which a voice has ended, below `start_threshold`."""

    pre_roll_s: float | None = None
    """Audio kept from before the voice began, 0 to 2 seconds."""

    min_speech_s: float | None = None
    """Shortest voice that opens a turn, 0 to 2 seconds."""

    soft_stop_s: float | None = None
    """Silence after which a `SoftFinal` is made, 0.032 to 2 seconds."""

    complete_silence_s: float | None = None
    """Silence after which a turn that sounds complete is over, 0.1 to 10 seconds."""

    unsure_silence_s: float | None = None
    """Silence after which a turn that may go on is over, in seconds."""

    incomplete_silence_s: float | None = None
    """Silence after which a turn that sounds incomplete is over, in seconds."""

    max_turn_s: float | None = None
    """Longest turn, 1 to 120 seconds; a longer one is cut."""


class EndOfTurnReason(StrEnum):
    """Why a turn is over."""

    UNKNOWN = "unknown"
    """Not said, or by a newer server in words this client does not know."""

    SILENCE = "silence"
    """The speaker was silent for long enough."""

    FINISHED_BY_CALLER = "finished_by_caller"
    """`FinishTurn` was sent."""

    END_OF_STREAM = "end_of_stream"
    """The audio ended."""

    MAX_DURATION = "max_duration"
    """The turn reached `TurnDetection.max_turn_s`."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Somebody began to speak."""

    turn_id: int
    """Number of the turn in this stream, from 1."""

    revision: int
    """Number of soft finals before this event."""

    start_s: float
    """When the voice began, in seconds from the start of the stream."""


@dataclass(frozen=True, slots=True)
class Partial:
    """What has been heard of the turn so far."""

    turn_id: int
    """Number of the turn in this stream, from 1."""

    revision: int
    """Number of soft finals before this event."""

    stable_text: str
    """Words that will not change."""

    unstable_text: str
    """Words after them that may change."""

    stability: float
    """How likely the unstable words are to stay, 0 to 1."""


@dataclass(frozen=True, slots=True)
class SoftFinal:
    """What was heard up to a short silence; work may start on it, nothing may be shown of it."""

    turn_id: int
    """Number of the turn in this stream, from 1."""

    revision: int
    """Rises by one with each soft final of the turn; the first is 1."""

    text: str
    """The words."""

    end_of_turn_probability: float | None
    """Probability that the speaker has finished, 0 to 1; None without a detector for it."""

    speech_end_s: float
    """When the voice ended, in seconds from the start of the stream."""


@dataclass(frozen=True, slots=True)
class TurnResumed:
    """The speaker went on: the last soft final does not hold."""

    turn_id: int
    """Number of the turn in this stream, from 1."""

    revision: int
    """The revision that does not hold."""

    resume_s: float
    """When the voice went on, in seconds from the start of the stream."""


@dataclass(frozen=True, slots=True)
class Final:
    """The turn is over."""

    turn_id: int
    """Number of the turn in this stream, from 1."""

    revision: int
    """Revision of the last soft final, whose words these are if none came after it."""

    text: str
    """All words of the turn; empty if it was noise and not speech."""

    segments: tuple[Segment, ...]
    """The same in stretches of speech."""

    confidence: float
    """How sure the model is, 0 to 1."""

    language: DetectedLanguage
    """The language and how sure that is."""

    speech_start_s: float
    """When the voice began, in seconds from the start of the stream."""

    speech_end_s: float
    """When the voice ended, in seconds from the start of the stream."""

    timings: RecognitionTimings
    """Where the time went."""

    reason: EndOfTurnReason
    """Why the turn is over."""

    latency_s: float
    """Seconds from the arrival of the last voiced audio to this event."""

    model: str
    """Name of the model that was used."""


TurnEvent: TypeAlias = SpeechStarted | Partial | SoftFinal | TurnResumed | Final
"""What `SpeechToText.listen` yields."""
