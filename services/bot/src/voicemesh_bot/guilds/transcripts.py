"""Lines of a transcript: who said what, when."""

from __future__ import annotations

import math
from dataclasses import dataclass

from voicemesh_bot.guilds.bounds import check_id, check_text
from voicemesh_chassis.errors import InvalidArgumentError

__all__ = ("LONGEST_SPEAKER", "LONGEST_TEXT", "TranscriptLine", "TranscriptSession")

LONGEST_TEXT = 20_000
"""Characters of a line."""

LONGEST_SPEAKER = 100
"""Characters of a speaker's name."""

_LONGEST_SESSION_ID = 64
_MOST_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One turn of a person, or what was heard of one answer of the bot.

    Raises:
        InvalidArgumentError: naming the field that cannot be.
    """

    guild_id: int
    """The guild."""

    channel_id: int
    """The voice channel."""

    session_id: str
    """The bot's stay in the channel during which it was said; 1 to 64 characters."""

    number: int
    """Names the line in its session; 1 to 2,147,483,647."""

    speaker_id: int | None
    """The person; None is the bot."""

    speaker: str
    """Name of the speaker at that time."""

    text: str
    """What was said, and of the bot only what was heard."""

    start_time: float
    """When it began, in seconds since 1970."""

    end_time: float
    """When it ended, not before it began."""

    def __post_init__(self) -> None:
        check_id(self.guild_id, "guild_id")
        check_id(self.channel_id, "channel_id")
        if not 0 < self.number <= _MOST_NUMBER:
            msg = f"number is between 1 and {_MOST_NUMBER}"
            raise InvalidArgumentError(msg, field="number")
        if self.speaker_id is not None:
            check_id(self.speaker_id, "speaker_id")
        check_text(self.session_id, "session_id", most=_LONGEST_SESSION_ID)
        check_text(self.speaker, "speaker", most=LONGEST_SPEAKER)
        check_text(self.text, "text", most=LONGEST_TEXT)
        if not (math.isfinite(self.start_time) and self.start_time >= 0):
            msg = "start_time is in seconds since 1970"
            raise InvalidArgumentError(msg, field="start_time")
        if not (math.isfinite(self.end_time) and self.end_time >= self.start_time):
            msg = "end_time is not before start_time"
            raise InvalidArgumentError(msg, field="end_time")


@dataclass(frozen=True, slots=True)
class TranscriptSession:
    """A stay of the bot in a voice channel of which lines are kept."""

    session_id: str
    """Its id."""

    channel_id: int
    """The voice channel."""

    start_time: float
    """When the first line that is kept began, in seconds since 1970."""

    end_time: float
    """When the last one ended."""

    lines: int
    """How many there are."""
