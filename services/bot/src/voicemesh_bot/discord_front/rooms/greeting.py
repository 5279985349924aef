"""What the bot tells of itself when it comes into a voice channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voicemesh_bot.guilds import GuildVoice

__all__ = ("Greeting", "greeting")

_UNITS = (("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1))


@dataclass(frozen=True, slots=True)
class Greeting:
    """A greeting."""

    written: str
    """For the chat, in Discord's Markdown."""

    spoken: str
    """For the voice channel."""

    asks_consent: bool
    """Whether people are asked if they may be listened to."""


def greeting(guild: GuildVoice, bot_name: str, channel_mention: str) -> Greeting:
    """What is true of a guild's settings.

    Args:
        guild: the settings.
        bot_name: what the bot is called there.
        channel_mention: the voice channel, as Discord writes it.
    """
    if not guild.listen:
        return Greeting(
            written=f"I have joined {channel_mention} to speak only; I listen to nobody.",
            spoken=f"Hello, I am {bot_name}. I do not listen here.",
            asks_consent=False,
        )
    kept_s = guild.transcript_kept_s
    kept = f" and kept for {_time_in_words(kept_s)}" if kept_s else ", and not kept"
    return Greeting(
        written=(
            f"I have joined {channel_mention}. I listen only to those who agree: press a button, "
            f"or use `/consent`. What they say is turned into text, answered{kept}."
        ),
        spoken=f"Hello, I am {bot_name}. I listen only to those who agree; see the chat.",
        asks_consent=True,
    )


def _time_in_words(seconds: float) -> str:
    """A length of time in its largest unit."""
    unit, length = next((each for each in _UNITS if seconds >= each[1]), _UNITS[-1])
    count = round(seconds / length)
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
