"""What a live stream tells its caller: the events of turns, numbered.

`turn_id` counts the turns of a stream from 1; `revision` rises with each soft stop of a turn. A
final has the revision of a soft final exactly if it has its words.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from voicemesh_stt.domain import Language, Segment, Timings

__all__ = (
    "EndReason",
    "Final",
    "Partial",
    "SoftFinal",
    "SpeechStarted",
    "TurnEvent",
    "TurnResumed",
)


class EndReason(StrEnum):
    """Why a turn is over."""

    SILENCE = "silence"
    FINISHED_BY_CALLER = "finished_by_caller"
    END_OF_STREAM = "end_of_stream"
    MAX_DURATION = "max_duration"


@dataclass(frozen=True)
class SpeechStarted:
    """Somebody began to speak."""

    turn_id: int
    """Number of the turn."""
    revision: int
    """Always 0."""
    start_s: float
    """When the voice began, from the start of the stream."""


@dataclass(frozen=True)
class Partial:
    """What has been heard of the turn so far."""

    turn_id: int
    """Number of the turn."""
    revision: int
    """The turn's revision so far."""
    stable_text: str
    """Words that later partials of the turn repeat."""
    unstable_text: str
    """Words after them that may change; begins with the space that separates them."""
    stability: float
    """Share of unstable words that have stayed so far, 0 to 1."""


@dataclass(frozen=True)
class SoftFinal:
    """Words at a short silence; the turn may be over."""

    turn_id: int
    """Number of the turn."""
    revision: int
    """The revision that these words are."""
    text: str
    """The words."""
    speech_end_s: float
    """When the voice ended, from the start of the stream."""
    end_of_turn_probability: float | None = None
    """Probability that the speaker has finished; None without a detector for it."""


@dataclass(frozen=True)
class TurnResumed:
    """The speaker went on: the last soft final does not hold."""

    turn_id: int
    """Number of the turn."""
    revision: int
    """The revision that is taken back."""
    resume_s: float
    """When the voice went on, from the start of the stream."""


@dataclass(frozen=True)
class Final:
    """The turn is over."""

    turn_id: int
    """Number of the turn."""
    revision: int
    """The revision that these words are."""
    segments: tuple[Segment, ...]
    """Stretches of speech; none if it was noise."""
    confidence: float
    """How sure the model is, 0 to 1."""
    language: Language
    """The language and how it was found."""
    speech_start_s: float
    """When the voice began, from the start of the stream."""
    speech_end_s: float
    """When the voice ended, from the start of the stream."""
    timings: Timings
    """Where the time went."""
    reason: EndReason
    """Why the turn is over."""
    latency_s: float
    """From the arrival of the last voiced audio to this event."""
    model: str
    """Name of the model that was used."""

    @property
    def text(self) -> str:
        """All words of the turn."""
        return "".join(segment.text for segment in self.segments).strip()


TurnEvent: TypeAlias = SpeechStarted | Partial | SoftFinal | TurnResumed | Final
"""Any event of a turn."""
