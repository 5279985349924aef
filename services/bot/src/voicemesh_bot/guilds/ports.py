"""Where what guilds and people decided is kept, and what they said.

All of it is durable when a call returns. Every call ends in bounded time, may be made by any number
of tasks and replicas at once, and raises `DatabaseUnavailableError` if the database is away and
`StorageFullError` if it has no room (`voicemesh_chassis.database`); nothing was changed then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from voicemesh_bot.guilds.people import Consent, Forgotten, PersonVoice
    from voicemesh_bot.guilds.transcripts import TranscriptLine, TranscriptSession
    from voicemesh_bot.guilds.voice import GuildVoice

__all__ = ("ConsentStore", "GuildStore", "PersonStore", "TranscriptStore")


class GuildStore(Protocol):
    """Keeps the settings of guilds."""

    async def guild(self, guild_id: int) -> GuildVoice:
        """A guild's settings; the defaults for one that decided nothing."""

    async def change_guild(
        self, guild_id: int, change: Callable[[GuildVoice], GuildVoice]
    ) -> GuildVoice:
        """Changes a guild's settings and returns them; no other change comes between.

        Args:
            guild_id: the guild.
            change: makes the new settings of the old ones; quick, as others wait for it. What it
                raises is raised, and nothing is changed.
        """

    async def delete_guild(self, guild_id: int) -> None:
        """Deletes all that is kept of a guild, its people and what they said there."""


class ConsentStore(Protocol):
    """Keeps who agreed to be listened to."""

    async def consents(self, guild_id: int) -> tuple[Consent, ...]:
        """What people of a guild last said, in the order in which they said it."""

    async def consent(self, guild_id: int, user_id: int) -> Consent | None:
        """What a person last said; None if nothing."""

    async def decide(
        self, guild_id: int, user_id: int, *, given: bool, remembered: bool = True
    ) -> Consent:
        """Notes that a person agrees, or does not, from now on, in place of what they said before.

        Lines of a person who took their consent back are refused from then on by
        `TranscriptStore.add`; those that are there stay until they expire or are forgotten.
        """


class PersonStore(Protocol):
    """Keeps how people want to be heard and answered, and forgets them."""

    async def person(self, guild_id: int, user_id: int) -> PersonVoice:
        """A person's wishes; the defaults for one who has none."""

    async def change_person(
        self, guild_id: int, user_id: int, change: Callable[[PersonVoice], PersonVoice]
    ) -> PersonVoice:
        """Changes a person's wishes and returns them, as `GuildStore.change_guild` does."""

    async def forget(self, user_id: int, guild_id: int | None = None) -> Forgotten:
        """Deletes all that is kept of a person, their consent included.

        Args:
            user_id: the person.
            guild_id: only what belongs to this guild; None means every guild.
        """


class TranscriptStore(Protocol):
    """Keeps what was said until it expires."""

    async def add(self, lines: Sequence[TranscriptLine], *, expire_time: float) -> int:
        """Keeps lines, those of a person only if they agree at this moment.

        A line whose number its session has already is left as it is, so a call can be repeated.

        Args:
            lines: in any order; at most 1,000.
            expire_time: when they are to be deleted, in seconds since 1970.

        Returns:
            How many are kept now.
        """

    async def lines(
        self, guild_id: int, session_id: str, *, skip: int = 0, limit: int = 1000
    ) -> tuple[TranscriptLine, ...]:
        """Lines of a session that have not expired, in the order in which they began.

        Args:
            guild_id: the guild; a session of another one has no lines here.
            session_id: the session.
            skip: how many to leave out at the beginning.
            limit: the most to return, 1 to 1,000.
        """

    async def sessions(
        self, guild_id: int, *, channel_id: int | None = None, limit: int = 10
    ) -> tuple[TranscriptSession, ...]:
        """Sessions that have lines, the latest first.

        Args:
            guild_id: the guild.
            channel_id: only those of this voice channel; None means all.
            limit: the most to return, 1 to 100.
        """

    async def expire(self) -> int:
        """Deletes what has expired; returns how many lines."""
