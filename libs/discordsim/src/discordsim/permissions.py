"""Who may do what in which channel.

Pure. Source: Discord API reference, "Permissions": bits, order of overwrites, implicit denials.
"""

from __future__ import annotations

from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from discordsim.domain import Channel, Guild, Member, Role

__all__ = ("DEFAULT_PERMISSIONS", "Permission", "permissions_in_channel", "permissions_in_guild")


class Permission(IntFlag):
    """Bits of permissions that the simulator knows; others are kept and mean nothing to it."""

    KICK_MEMBERS = 1 << 1
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    STREAM = 1 << 9
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    MUTE_MEMBERS = 1 << 22
    DEAFEN_MEMBERS = 1 << 23
    MOVE_MEMBERS = 1 << 24
    USE_VAD = 1 << 25
    CHANGE_NICKNAME = 1 << 26
    MANAGE_NICKNAMES = 1 << 27
    MANAGE_ROLES = 1 << 28
    USE_APPLICATION_COMMANDS = 1 << 31
    REQUEST_TO_SPEAK = 1 << 32
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    SEND_VOICE_MESSAGES = 1 << 46
    SET_VOICE_CHANNEL_STATUS = 1 << 48


_ALL = (1 << 53) - 1

DEFAULT_PERMISSIONS = Permission(
    Permission.ADD_REACTIONS
    | Permission.STREAM
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.CONNECT
    | Permission.SPEAK
    | Permission.USE_VAD
    | Permission.CHANGE_NICKNAME
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.REQUEST_TO_SPEAK
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.CREATE_PRIVATE_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.SEND_VOICE_MESSAGES
    | Permission.SET_VOICE_CHANNEL_STATUS
)
"""What `@everyone` may in a new guild."""


def permissions_in_guild(guild: Guild, member: Member, roles: Iterable[Role]) -> int:
    """Return what a member may in the whole guild.

    Args:
        guild: the guild.
        member: one of its members.
        roles: all roles of the guild.
    """
    if guild.owner_id == member.user_id:
        return _ALL
    held = 0
    for role in roles:
        if role.id == guild.id or role.id in member.role_ids:
            held |= role.permissions
    return _ALL if held & Permission.ADMINISTRATOR else held


def permissions_in_channel(
    guild: Guild, member: Member, roles: Iterable[Role], channel: Channel
) -> int:
    """Return what a member may in a channel; for a thread give its parent.

    Overwrites apply in Discord's order: everyone, then all roles together, then the member.
    """
    held = permissions_in_guild(guild, member, roles)
    if held == _ALL:
        return _ALL
    by_target = {overwrite.target_id: overwrite for overwrite in channel.overwrites}
    if (everyone := by_target.get(guild.id)) is not None:
        held = held & ~everyone.deny | everyone.allow
    allow = deny = 0
    for role_id in member.role_ids:
        if (overwrite := by_target.get(role_id)) is not None:
            allow |= overwrite.allow
            deny |= overwrite.deny
    held = held & ~deny | allow
    if (own := by_target.get(member.user_id)) is not None:
        held = held & ~own.deny | own.allow
    return _without_implied(held)


def _without_implied(held: int) -> int:
    """Takes away what cannot be used without a permission that is missing."""
    if not held & Permission.VIEW_CHANNEL:
        return 0
    if not held & Permission.SEND_MESSAGES:
        held &= ~(Permission.MENTION_EVERYONE | Permission.EMBED_LINKS | Permission.ATTACH_FILES)
    if not held & Permission.CONNECT:
        held &= ~(Permission.SPEAK | Permission.STREAM | Permission.USE_VAD)
    return held
