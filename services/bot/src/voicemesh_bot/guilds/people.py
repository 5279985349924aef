"""What people decided: who agreed to be heard, and how they want to be answered."""

from __future__ import annotations

from dataclasses import dataclass

from voicemesh_bot.guilds.bounds import check_id, check_language_code, check_voice

__all__ = ("Consent", "Forgotten", "PersonVoice")


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person last said about being listened to in a guild."""

    guild_id: int
    """The guild."""

    user_id: int
    """The person."""

    given: bool
    """Whether they agreed; otherwise they took it back, or said no."""

    remembered: bool
    """Whether it holds beyond the session in which it was given; a refusal always does."""

    change_time: float
    """When they said so, in seconds since 1970."""

    def holds(self, session_start_time: float) -> bool:
        """Whether the person may be listened to in a session that began at that time.

        What was not to be remembered ends with its session, also if the bot was killed in it.
        """
        return self.given and (self.remembered or self.change_time >= session_start_time)


@dataclass(frozen=True, slots=True)
class PersonVoice:
    """How a person wants to be heard and answered in a guild.

    Raises:
        InvalidArgumentError: naming the field that cannot be as it was wanted.
    """

    guild_id: int
    """The guild."""

    user_id: int
    """The person."""

    language_code: str = ""
    """BCP-47 code of the language that they speak; empty is the guild's."""

    voice: str = ""
    """Id of the voice that answers them; empty is the guild's."""

    def __post_init__(self) -> None:
        check_id(self.guild_id, "guild_id")
        check_id(self.user_id, "user_id")
        check_language_code(self.language_code, "language_code")
        check_voice(self.voice, "voice")


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was deleted of what belonged to a person."""

    consents: int
    """Decisions about being listened to."""

    person_voices: int
    """Wishes about language and voice."""

    transcript_lines: int
    """Lines that they said."""
