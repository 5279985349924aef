"""What a guild decided about voice."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from voicemesh_bot.guilds.bounds import (
    check_id,
    check_language_code,
    check_seconds,
    check_voice,
    clean_names,
)
from voicemesh_chassis.errors import InvalidArgumentError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voicemesh_bot.guilds.people import PersonVoice

__all__ = ("LEAVE_WHEN_EMPTY_S", "MOST_TIMINGS", "TRANSCRIPT_KEPT_S", "GuildVoice")

LEAVE_WHEN_EMPTY_S = (1.0, 86_400.0)
"""Least and most seconds that the bot stays where nobody else is."""

TRANSCRIPT_KEPT_S = (0.0, 90 * 86_400.0)
"""Least and most seconds that a line of a transcript is kept."""

MOST_TIMINGS = 64
"""Timings that a guild may set; more than there are."""

_TIMING = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class GuildVoice:
    """A guild's settings; a guild that decided nothing has these defaults.

    Raises:
        InvalidArgumentError: naming the field that cannot be as it was wanted.
    """

    guild_id: int
    """Discord's id of the guild."""

    listen: bool = True
    """Whether the bot listens, to those who agreed, in the voice channels that it joins."""

    auto_join_channel_id: int | None = None
    """Voice channel that the bot joins as soon as a person is in it; None is none."""

    follow_user_id: int | None = None
    """Person whom the bot follows from voice channel to voice channel; None is nobody."""

    leave_when_empty_s: float | None = None
    """Seconds that the bot stays in a voice channel with nobody else; None stays for ever."""

    captions: bool = False
    """Whether what is said is shown in text as it is said."""

    captions_channel_id: int | None = None
    """Channel or thread of the captions; None is the voice channel's own chat."""

    transcript_kept_s: float = 86_400.0
    """Seconds that a line of a transcript is kept; 0 keeps none."""

    names: tuple[str, ...] = ()
    """Names by which the bot is addressed; none means its name in the guild."""

    language_code: str = ""
    """BCP-47 code of the language that people speak; empty leaves it to the bot's settings."""

    voice: str = ""
    """Id of the voice of tts that answers; empty leaves it to the bot's settings."""

    timings: Mapping[str, float] = field(default_factory=dict)
    """Options of the conversation that differ from the bot's settings, by name; what they mean and
    may be is checked where they are used."""

    def language_for(self, person: PersonVoice) -> str:
        """The language that a person speaks: their own choice, else the guild's; may be empty."""
        return person.language_code or self.language_code

    def voice_for(self, person: PersonVoice) -> str:
        """The voice that answers a person: their own choice, else the guild's; may be empty."""
        return person.voice or self.voice

    def __post_init__(self) -> None:
        check_id(self.guild_id, "guild_id")
        for name in ("auto_join_channel_id", "follow_user_id", "captions_channel_id"):
            if (value := getattr(self, name)) is not None:
                check_id(value, name)
        if self.leave_when_empty_s is not None:
            least, most = LEAVE_WHEN_EMPTY_S
            check_seconds(self.leave_when_empty_s, "leave_when_empty_s", least=least, most=most)
        least, most = TRANSCRIPT_KEPT_S
        check_seconds(self.transcript_kept_s, "transcript_kept_s", least=least, most=most)
        check_language_code(self.language_code, "language_code")
        check_voice(self.voice, "voice")
        # Frozen: this is the only way to put the cleaned values in.
        object.__setattr__(self, "names", clean_names(self.names, "names"))
        object.__setattr__(self, "timings", _checked_timings(self.timings))


def _checked_timings(timings: Mapping[str, float]) -> Mapping[str, float]:
    if len(timings) > MOST_TIMINGS:
        msg = f"timings holds at most {MOST_TIMINGS} entries"
        raise InvalidArgumentError(msg, field="timings")
    for name, value in timings.items():
        if not _TIMING.fullmatch(name) or not math.isfinite(value):
            msg = "timings has names such as barge_in_s, and numbers"
            raise InvalidArgumentError(msg, field="timings")
    return MappingProxyType({name: timings[name] for name in sorted(timings)})
