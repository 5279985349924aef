"""Where the milliseconds of one turn went, and what came of it.

Times in `_ms` that end at a moment count from the last voiced sound that stt received, or from the
sending of a written message. What did not happen, or nobody measured, is None and never the value
of another turn; what happened before the voice ended, such as work on a guess, counts as 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_bot.conversation.commands import Outcome
    from voicemesh_bot.domain import Address

__all__ = ("Speculation", "TurnRecord")


class Speculation(StrEnum):
    """What came of answers that were begun before the turn was known to be over."""

    NONE = "none"
    """None was begun."""
    USED = "used"
    """The answer that was given had been begun so."""
    WASTED = "wasted"
    """All of them were dropped."""


@dataclass(frozen=True, slots=True)
class TurnRecord:
    """One turn of a person, and the answer to it if there was one."""

    speaker: int
    """Number of the speaker in the session, from 1; says nothing about who it is."""

    turn_id: int
    """Number of the turn of that speaker; 0 if it was written."""

    revisions: int
    """Soft finals of the turn."""

    addressed_reason: Address | None
    """Why it was meant for the bot; None if it was not."""

    outcome: Outcome | None
    """How the answer ended; None if there was none."""

    n_talking: int
    """People who were speaking when it ended, with this one."""

    speech_ms: float | None = None
    """Length of the turn, from the first voiced sound to the last."""

    soft_stop_ms: float | None = None
    """Until the last words began to be recognised: silence, and the wait for the sound's end."""

    stt_queue_ms: float | None = None
    """How long these words waited in stt."""

    stt_ms: float | None = None
    """How long they took to be recognised."""

    transcript_ready_ms: float | None = None
    """Until the words were known."""

    gate_ms: float | None = None
    """Until the turn was known to be over."""

    smart_turn_p: float | None = None
    """How likely the turn was over by its sound, at the last soft final."""

    llm_ttft_ms: float | None = None
    """From the request to the language model to its first text; begun early, if on a guess."""

    first_clause_ms: float | None = None
    """From its first text to enough of it to speak."""

    tts_ttfb_ms: float | None = None
    """From that, or the end of the turn if it came later, to the voice's first sound."""

    tts_leading_silence_ms: float | None = None
    """Silence at the head of that sound; None where it is not PCM, as for Discord."""

    first_frame_sent_ms: float | None = None
    """Until the player reported the first sound: voice to voice."""

    speculation: Speculation = Speculation.NONE
    """What came of answers that were begun early."""

    speculations_wasted: int = 0
    """Answers that were begun early and dropped."""

    interrupted_at_ms: float | None = None
    """Sound of the answer that was played when a person interrupted it."""

    heard_chars: int = 0
    """Characters of the answer that were heard, or read."""
