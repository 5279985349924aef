"""Users, guilds, channels, roles and members, and who may do what."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from discordsim.domain import BotAccount, Channel, ChannelKind, Guild, Member, Role, User
from discordsim.errors import RefusedError, missing_access, missing_permissions, unknown
from discordsim.events import Change, ChannelChanged, GuildChanged, MemberChanged, RoleChanged
from discordsim.permissions import (
    DEFAULT_PERMISSIONS,
    Permission,
    permissions_in_channel,
    permissions_in_guild,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from discordsim.events import Events
    from discordsim.snowflakes import Snowflakes

__all__ = ("Directory",)

Thing = TypeVar("Thing")

_DIRECT_MESSAGES = (
    Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.ADD_REACTIONS
    | Permission.ATTACH_FILES
    | Permission.EMBED_LINKS
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.SEND_VOICE_MESSAGES
)


class Directory:
    """Everybody and every place, by id."""

    def __init__(self, ids: Snowflakes, events: Events, clock: Callable[[], float]) -> None:
        """Start empty.

        Args:
            ids: makes ids.
            events: where changes are told.
            clock: seconds since 1970.
        """
        self._ids = ids
        self._events = events
        self._clock = clock
        self._users: dict[int, User] = {}
        self._bots: dict[int, BotAccount] = {}
        self._guilds: dict[int, Guild] = {}
        self._channels: dict[int, Channel] = {}
        self._roles: dict[int, Role] = {}
        self._members: dict[tuple[int, int], Member] = {}

    # Finding

    def user(self, user_id: int) -> User:
        """Return a user.

        Raises:
            RefusedError: there is none with this id.
        """
        return _found(self._users.get(user_id), "User")

    def guild(self, guild_id: int) -> Guild:
        """Return a guild.

        Raises:
            RefusedError: there is none with this id.
        """
        return _found(self._guilds.get(guild_id), "Guild")

    def channel(self, channel_id: int) -> Channel:
        """Return a channel, a thread or the channel of direct messages.

        Raises:
            RefusedError: there is none with this id.
        """
        return _found(self._channels.get(channel_id), "Channel")

    def role(self, guild_id: int, role_id: int) -> Role:
        """Return a role of a guild.

        Raises:
            RefusedError: there is none with this id.
        """
        role = self._roles.get(role_id)
        return _found(role if role is not None and role.guild_id == guild_id else None, "Role")

    def member(self, guild_id: int, user_id: int) -> Member:
        """Return a user as member of a guild.

        Raises:
            RefusedError: there is none with this id.
        """
        return _found(self._members.get((guild_id, user_id)), "Member")

    def is_member(self, guild_id: int, user_id: int) -> bool:
        """Whether somebody is in a guild."""
        return (guild_id, user_id) in self._members

    def guilds(self) -> tuple[Guild, ...]:
        """Return all guilds."""
        return tuple(self._guilds.values())

    def guilds_of(self, user_id: int) -> tuple[Guild, ...]:
        """Return the guilds that somebody is in."""
        return tuple(guild for guild in self._guilds.values() if self.is_member(guild.id, user_id))

    def channels_of(self, guild_id: int) -> tuple[Channel, ...]:
        """Return the channels of a guild, threads included."""
        return tuple(each for each in self._channels.values() if each.guild_id == guild_id)

    def roles_of(self, guild_id: int) -> tuple[Role, ...]:
        """Return the roles of a guild, `@everyone` included."""
        return tuple(role for role in self._roles.values() if role.guild_id == guild_id)

    def members_of(self, guild_id: int) -> tuple[Member, ...]:
        """Return the members of a guild."""
        return tuple(each for each in self._members.values() if each.guild_id == guild_id)

    def bots(self) -> tuple[BotAccount, ...]:
        """Return the bots under test."""
        return tuple(self._bots.values())

    def bot(self, user_id: int) -> BotAccount | None:
        """Return the login of a bot under test, or None for anybody else."""
        return self._bots.get(user_id)

    def bot_with_token(self, token: str) -> BotAccount | None:
        """Return the bot that a token belongs to."""
        return next((bot for bot in self._bots.values() if bot.token == token), None)

    def display_name(self, user_id: int, guild_id: int | None = None) -> str:
        """Return the name that others read; unknown users have one too."""
        member = None if guild_id is None else self._members.get((guild_id, user_id))
        if member is not None and member.nick is not None:
            return member.nick
        user = self._users.get(user_id)
        return f"user {user_id}" if user is None else user.display_name

    def has_channel(self, channel_id: int) -> bool:
        """Whether there is a channel with this id."""
        return channel_id in self._channels

    # Permissions

    def permissions(self, user_id: int, channel: Channel) -> int:
        """Return the bits of what somebody may in a channel; 0 for who is not there."""
        if channel.guild_id is None:
            return int(_DIRECT_MESSAGES) if user_id in channel.recipients else 0
        member = self._members.get((channel.guild_id, user_id))
        if member is None:
            return 0
        place = channel
        if channel.kind.is_thread and channel.parent_id is not None:
            place = self._channels.get(channel.parent_id, channel)
        roles = self.roles_of(channel.guild_id)
        held = permissions_in_channel(self.guild(channel.guild_id), member, roles, place)
        secret = channel.kind is ChannelKind.PRIVATE_THREAD and user_id not in channel.members
        return 0 if secret and not held & Permission.MANAGE_THREADS else held

    def guild_permissions(self, user_id: int, guild_id: int) -> int:
        """Return the bits of what somebody may in a whole guild; 0 for who is not in it."""
        member = self._members.get((guild_id, user_id))
        if member is None:
            return 0
        return permissions_in_guild(self.guild(guild_id), member, self.roles_of(guild_id))

    def require(self, user_id: int, channel: Channel, wanted: Permission) -> None:
        """Check that somebody sees a channel and may do something there.

        Raises:
            RefusedError: they may not.
        """
        held = self.permissions(user_id, channel)
        if not held & Permission.VIEW_CHANNEL:
            raise missing_access()
        if held & wanted != wanted:
            raise missing_permissions()

    def require_in_guild(self, user_id: int, guild_id: int, wanted: Permission) -> None:
        """Check that somebody is in a guild and may do something there.

        Raises:
            RefusedError: they may not.
        """
        if not self.is_member(guild_id, user_id):
            raise missing_access()
        if self.guild_permissions(user_id, guild_id) & wanted != wanted:
            raise missing_permissions()

    # Changing

    def add_user(self, name: str, *, is_bot: bool = False) -> User:
        """Add somebody who is in no guild yet."""
        handle = re.sub(r"[^a-z0-9_.]+", "_", name.lower()) or "user"
        taken = {user.name for user in self._users.values()}
        unique = handle
        for number in range(2, len(taken) + 3):
            if unique not in taken:
                break
            unique = f"{handle}_{number}"
        user = User(self._ids.next(), unique, name, is_bot)
        self._users[user.id] = user
        return user

    def add_bot(self, name: str, token: str, privileged_intents: int) -> BotAccount:
        """Add a bot under test, which logs in with `token`."""
        user = self.add_user(name, is_bot=True)
        account = BotAccount(user.id, token, privileged_intents)
        self._bots[user.id] = account
        return account

    def change_user(self, user_id: int, **changes: Any) -> User:
        """Replace fields of a user."""
        self._users[user_id] = replace(self.user(user_id), **changes)
        return self._users[user_id]

    def add_guild(self, name: str, owner_id: int, permissions: int = DEFAULT_PERMISSIONS) -> Guild:
        """Add a guild in which `@everyone` has `permissions`."""
        guild = Guild(self._ids.next(), name, owner_id)
        self._guilds[guild.id] = guild
        self._roles[guild.id] = Role(guild.id, guild.id, "@everyone", int(permissions))
        return guild

    def change_guild(self, guild_id: int, **changes: Any) -> Guild:
        """Replace fields of a guild."""
        self._guilds[guild_id] = replace(self.guild(guild_id), **changes)
        self._events.emit(GuildChanged(Change.UPDATED, self._guilds[guild_id]))
        return self._guilds[guild_id]

    def add_member(self, guild_id: int, user_id: int, role_ids: Iterable[int] = ()) -> Member:
        """Bring a user into a guild; a bot under test is told of the whole guild."""
        guild, user = self.guild(guild_id), self.user(user_id)
        member = Member(guild_id, user_id, self._clock(), role_ids=frozenset(role_ids))
        self._members[guild_id, user_id] = member
        self._events.emit(MemberChanged(Change.CREATED, member, user))
        if user_id in self._bots:
            self._events.emit(GuildChanged(Change.CREATED, guild, bot_id=user_id))
        return member

    def change_member(self, guild_id: int, user_id: int, **changes: Any) -> Member:
        """Replace fields of a member."""
        member = replace(self.member(guild_id, user_id), **changes)
        self._members[guild_id, user_id] = member
        self._events.emit(MemberChanged(Change.UPDATED, member, self.user(user_id)))
        return member

    def remove_member(self, guild_id: int, user_id: int) -> None:
        """Take a user out of a guild."""
        member = self.member(guild_id, user_id)
        if user_id in self._bots:
            self._events.emit(GuildChanged(Change.DELETED, self.guild(guild_id), bot_id=user_id))
        del self._members[guild_id, user_id]
        self._events.emit(MemberChanged(Change.DELETED, member, self.user(user_id)))

    def add_role(self, guild_id: int, name: str, permissions: int = 0) -> Role:
        """Add a role above the others."""
        position = len(self.roles_of(self.guild(guild_id).id))
        role = Role(self._ids.next(), guild_id, name, int(permissions), position)
        self._roles[role.id] = role
        self._events.emit(RoleChanged(Change.CREATED, role))
        return role

    def change_role(self, guild_id: int, role_id: int, **changes: Any) -> Role:
        """Replace fields of a role."""
        role = replace(self.role(guild_id, role_id), **changes)
        self._roles[role_id] = role
        self._events.emit(RoleChanged(Change.UPDATED, role))
        return role

    def delete_role(self, guild_id: int, role_id: int) -> None:
        """Delete a role and take it from everybody."""
        role = self.role(guild_id, role_id)
        if role.id == guild_id:
            raise RefusedError(400, 50028, "Invalid Role")
        for member in self.members_of(guild_id):
            if role_id in member.role_ids:
                self.change_member(guild_id, member.user_id, role_ids=member.role_ids - {role_id})
        del self._roles[role_id]
        self._events.emit(RoleChanged(Change.DELETED, role))

    def add_channel(
        self,
        kind: ChannelKind,
        name: str,
        guild_id: int | None = None,
        *,
        channel_id: int | None = None,
        **fields: Any,
    ) -> Channel:
        """Add a channel.

        Args:
            kind: what it is.
            name: its name; empty for direct messages.
            guild_id: its guild.
            channel_id: its id, where it is not a new one.
            fields: further fields of `Channel`.
        """
        channel = Channel(channel_id or self._ids.next(), kind, name, guild_id, **fields)
        if guild_id is not None and not kind.is_thread:
            channel = replace(channel, position=len(self.channels_of(guild_id)))
        self._channels[channel.id] = channel
        self._events.emit(ChannelChanged(Change.CREATED, channel))
        return channel

    def change_channel(self, channel_id: int, *, quietly: bool = False, **changes: Any) -> Channel:
        """Replace fields of a channel, and tell nobody if `quietly`."""
        channel = replace(self.channel(channel_id), **changes)
        self._channels[channel_id] = channel
        if not quietly:
            self._events.emit(ChannelChanged(Change.UPDATED, channel))
        return channel

    def delete_channel(self, channel_id: int) -> Channel:
        """Delete a channel with its threads."""
        channel = self.channel(channel_id)
        for thread in tuple(self._channels.values()):
            if thread.kind.is_thread and thread.parent_id == channel_id:
                self.delete_channel(thread.id)
        del self._channels[channel_id]
        self._events.emit(ChannelChanged(Change.DELETED, channel))
        return channel

    def direct_channel(self, first: int, second: int) -> Channel:
        """Return the channel of direct messages between two users, made if need be."""
        pair = {self.user(first).id, self.user(second).id}
        for channel in self._channels.values():
            if channel.kind is ChannelKind.DM and set(channel.recipients) == pair:
                return channel
        return self.add_channel(ChannelKind.DM, "", recipients=(first, second))


def _found(thing: Thing | None, what: str) -> Thing:
    if thing is None:
        raise unknown(what)
    return thing
