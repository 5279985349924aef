"""Guilds, channels and bot accounts of a world, as tests add them and look at them."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from discordsim.domain import ChannelKind
from discordsim.gateway import PRIVILEGED_INTENTS
from discordsim.permissions import DEFAULT_PERMISSIONS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from discordsim.domain import BotAccount, Channel, Guild, Message
    from discordsim.world import World

__all__ = ("Places",)


class Places:
    """The part of a simulator that needs nothing but its world; see `Simulator`."""

    def __init__(self, world: World) -> None:
        """Add to `world`."""
        self.world = world
        """The state, for looking at anything and for changing what has no method here."""

    def add_bot(
        self, name: str, *, privileged_intents: int = PRIVILEGED_INTENTS, join_all: bool = True
    ) -> BotAccount:
        """Add an account for a further bot.

        Args:
            name: its name.
            privileged_intents: bits of privileged intents that are switched on for it.
            join_all: whether it is in all guilds that there are already.
        """
        token = (
            f"{secrets.token_urlsafe(18)}.{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(28)}"
        )
        account = self.world.directory.add_bot(name, token, privileged_intents)
        for guild in self.world.directory.guilds() if join_all else ():
            self.world.directory.add_member(guild.id, account.id)
        return account

    def add_guild(self, name: str, *, permissions: int = DEFAULT_PERMISSIONS) -> Guild:
        """Add a guild with all bots in it, and with an owner who does nothing.

        Args:
            name: its name.
            permissions: what `@everyone` may.
        """
        owner = self.world.directory.add_user(f"owner of {name}")
        guild = self.world.directory.add_guild(name, owner.id, permissions)
        self.world.directory.add_member(guild.id, owner.id)
        for bot in self.world.directory.bots():
            self.world.directory.add_member(guild.id, bot.id)
        return guild

    def add_channel(
        self, guild: Guild, name: str, kind: ChannelKind = ChannelKind.TEXT, **fields: Any
    ) -> Channel:
        """Add a channel to a guild.

        Args:
            guild: the guild.
            name: its name.
            kind: what it is.
            fields: further fields of `Channel`, such as `user_limit` or `overwrites`.
        """
        return self.world.directory.add_channel(kind, name, guild.id, **fields)

    def add_voice_channel(self, guild: Guild, name: str, **fields: Any) -> Channel:
        """Add a voice channel; see `add_channel`."""
        return self.add_channel(guild, name, ChannelKind.VOICE, **fields)

    def commands(self, guild: Guild | None = None) -> tuple[str, ...]:
        """Return the names of the commands that bots offer in a guild, or everywhere."""
        found = self.world.commands.usable_in(None if guild is None else guild.id)
        return tuple(sorted(each.name for each in found))

    def messages(self, channel: Channel) -> Sequence[Message]:
        """Return what everybody can read in a channel, oldest first."""
        return self.world.messages.history(channel.id)
