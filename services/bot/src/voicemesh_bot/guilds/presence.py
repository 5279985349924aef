"""In which voice channel the bot is to be, where nobody tells it: by a guild's settings.

Pure: who is where and a clock in, a move out. What people do goes before what the bot does by
itself: it joins a channel when that fills and follows a person when they move, and at no other
time, so whoever sends it away is not followed by it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Set

    from voicemesh_bot.guilds.voice import GuildVoice

__all__ = ("Join", "Leave", "Move", "Presence")


@dataclass(frozen=True, slots=True)
class Join:
    """Go to a voice channel, from another one if the bot is in one."""

    channel_id: int
    """Where to go."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Leave the voice channel: nobody else has been there for long enough."""


Move = Join | Leave


class Presence:
    """Decides for one guild; call `update` at every change of who is where, and when it is due."""

    def __init__(self) -> None:
        self._auto_join: tuple[int | None, bool] = (None, False)
        self._followed: tuple[int | None, int | None] = (None, None)
        self._alone: tuple[int, float] | None = None
        self._due_s: float | None = None

    @property
    def due_s(self) -> float | None:
        """When `update` is to be called though nothing changed, by its clock; None is never."""
        return self._due_s

    def update(
        self,
        guild: GuildVoice,
        people: Mapping[int, Set[int]],
        here: int | None,
        now_s: float,
    ) -> Move | None:
        """What the bot is to do now; None is to stay where it is.

        Args:
            guild: the settings as they are now.
            people: ids of the people in each voice channel, without bots; empty ones may lack.
            here: the voice channel in which the bot is, or to which it is on its way; None is none.
            now_s: seconds of a clock that never goes back.
        """
        follow = self._follow(guild, people)
        fills = self._fills(guild, people)
        if follow is not None and follow != here:
            return self._go(follow)
        if fills is not None and here is None:
            return self._go(fills)
        return self._leave(guild, people, here, now_s)

    def _follow(self, guild: GuildVoice, people: Mapping[int, Set[int]]) -> int | None:
        """Where the person went whom the bot follows, if they have just gone there."""
        person = guild.follow_user_id
        place = next((channel for channel, inside in people.items() if person in inside), None)
        before, self._followed = self._followed, (person, place)
        return place if self._followed != before else None

    def _fills(self, guild: GuildVoice, people: Mapping[int, Set[int]]) -> int | None:
        """The channel to be joined by itself, if somebody has just come to where nobody was."""
        channel = guild.auto_join_channel_id
        occupied = channel is not None and bool(people.get(channel))
        before, self._auto_join = self._auto_join, (channel, occupied)
        return channel if occupied and before != self._auto_join else None

    def _go(self, channel: int) -> Join:
        self._alone = self._due_s = None
        return Join(channel)

    def _leave(
        self, guild: GuildVoice, people: Mapping[int, Set[int]], here: int | None, now_s: float
    ) -> Leave | None:
        if here is None or people.get(here):
            self._alone = self._due_s = None
            return None
        if self._alone is None or self._alone[0] != here:
            self._alone = (here, now_s)
        if guild.leave_when_empty_s is None:
            self._due_s = None
            return None
        self._due_s = self._alone[1] + guild.leave_when_empty_s
        if now_s < self._due_s:
            return None
        self._alone = self._due_s = None
        return Leave()
